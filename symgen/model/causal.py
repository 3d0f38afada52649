"""The causal decoder at work: many lines that grow side by side, each looking back at its own notes.

What the layers keep of notes is computed once, when a note is added, and kept for all that look back at it later.

>>> import torch
>>> from symgen.model.vae import LineVae, VaeConfig
>>> model = LineVae(VaeConfig()).eval().requires_grad_(False)
>>> bars = np.zeros((1, 48, 98), dtype=np.float32)
>>> growing = GrowingLines(model, [np.zeros((1, sum(model.sizes)), dtype=np.float32)], [bars], n=2)
>>> growing.kinds().shape, growing.pitches(np.array([1])).shape
((2, 3), (1, 46))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.alphabet import N_SPECIAL, REST
from symgen.model.history import BARS_BACK, NOTES_BACK, Block
from symgen.model.inference import on_one_thread
from symgen.model.vae import LineVae, kind_log_probs
from symgen.model.window import MAX_SLOTS, MAX_WAIT

__all__ = ["GrowingLines"]

_NOTES_AT_FIRST = 64


@dataclass(frozen=True, slots=True)
class _Map:
    """A linear map; the norm before it, if any, has its scale and shift in it."""

    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, linear: nn.Linear, norm: nn.LayerNorm | None = None) -> _Map:
        if norm is None:
            return cls(linear.weight, linear.bias)
        return cls(linear.weight * norm.weight, linear.bias + linear.weight @ norm.bias)

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A block of the model made ready for one query of each line: fewer and larger operations, the same result."""

    n_heads: int
    query: _Map
    key_value: _Map
    is_normed: bool  # whether notes go through the block's norm before they are looked at
    out: _Map
    widen: _Map
    narrow: _Map
    bias: Tensor  # for how many bars and notes back and whether in the same place, and each head

    @classmethod
    def of(cls, block: Block, *, is_normed: bool) -> _Layer:
        bars, notes = block.bias.bars, block.bias.notes
        first, last = block.network[0], block.network[2]
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        return cls(
            block.n_heads,
            _Map.of(block.to_query, block.norm1),
            _Map.of(block.to_key_value, block.norm1 if is_normed else None),
            is_normed,
            _Map.of(block.out),
            _Map.of(first, block.norm2),
            _Map.of(last),
            (bars[:, None] + notes[None, :]).flatten(0, 1),
        )

    def keep(self, x: Tensor) -> Tensor:
        """Return keys and values of notes, shape (n, 2 * width)."""
        return self.key_value(_normed(x) if self.is_normed else x)

    def __call__(self, x: Tensor, memory: Tensor, place: Tensor, seen: Tensor) -> Tensor:
        """Return what queries x (n, width) make of memory (n, notes, 2 * width) at relative places (n, notes)."""
        n, used = place.shape
        query = self.query(_normed(x)).view(n, self.n_heads, 1, -1)
        key, value = memory.view(n, used, 2, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        bias = self.bias[place].permute(0, 2, 1)[:, :, None].masked_fill(~seen[:, None, None], float("-inf"))
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias).view(n, -1)
        x = x + self.out(mixed)
        return x + self.narrow(F.gelu(self.widen(_normed(x))))


def _normed(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


class GrowingLines:
    """Lines under the causal decoder, several for each of some arrays of latents.

    Parameters
    ----------
    model
        Trained.
    latents
        For each request, shape (bars, latents).
    features
        Conditions of each request, shape (bars, bar_steps, N_FEATURES).
    n
        Lines for each request; those of one request stand side by side.
    temperature
        Above 0: log-probabilities of what happens and of pitches are divided by it and normalised anew.
    """

    def __init__(
        self,
        model: LineVae,
        latents: Sequence[NDArray[np.float32]],
        features: Sequence[NDArray[np.float32]],
        n: int,
        *,
        temperature: float = 1.0,
    ) -> None:
        self._model, self._temperature, self._slot = model, temperature, 0
        slots = model.config.grid.slots(features[0].shape[1])
        rows = torch.from_numpy(np.stack([one[:, slots] for one in features]))
        self._bar_slots, self._request = rows.shape[2], torch.arange(len(latents)).repeat_interleave(n)
        with on_one_thread():
            self._prepare(torch.from_numpy(np.stack(latents)), rows)
            self._begin()

    def _prepare(self, latents: Tensor, rows: Tensor) -> None:
        """Compute what does not depend on notes."""
        model = self._model
        _, rhythm, pitch = model.parts(latents)
        told = rows.flatten(1, 2)
        self._slot_told = model.slot_query(model.rhythm_hidden(rhythm, rows)).flatten(1, 2)
        self._note_told, self._pitch_told = model.content_told(told), model.pitch_told(told)
        self._canvas, self._pitch_direct = model.pitch_canvas(pitch), model.pitch_direct(pitch)
        self._layers = [
            *(_Layer.of(block, is_normed=True) for block in model.history.blocks),
            _Layer.of(model.slot_look.block, is_normed=False),
            _Layer.of(model.note_look.block, is_normed=False),
        ]
        self._kinds = _Map.of(model.kind_logits, model.slot_look.norm)
        self._pitches = _Map.of(model.pitch_logits, model.note_look.norm)

    def _begin(self) -> None:
        """Remember the start, which stands for no note."""
        n = len(self._request)
        zeros = torch.zeros(n, dtype=torch.long)
        self._count, self._in_bar, self._last_slot = zeros.clone(), zeros.clone(), zeros - 1
        self._last_pitch, self._sounding = zeros - 1, zeros.bool()
        self._bar_of, self._place_of = (torch.full((n, _NOTES_AT_FIRST + 1), -1) for _ in range(2))
        self._memory = torch.zeros(len(self._layers), n, _NOTES_AT_FIRST + 1, 2 * self._model.config.pitch_width)
        self._remember(self._model.history.start.expand(n, -1), torch.arange(n), bar=-1, place=-1)

    @property
    def _bar(self) -> int:
        return self._slot // self._bar_slots

    @property
    def _place(self) -> int:
        return min(self._slot % self._bar_slots, MAX_SLOTS - 1)

    def kinds(self) -> NDArray[np.float64]:
        """Return log-probabilities of rest, hold and onset at the next slot, shape (lines, 3)."""
        model, every = self._model, slice(None)
        with on_one_thread():
            query = self._slot_told[self._request, self._slot] + model.slot_place.weight[self._place]
            query = query + model.slot_wait.weight[self._waits()] + model.slot_state.weight[self._sounding.long()]
            found = self._looked(-2, query, every, self._bar, self._place)
            log_probs = kind_log_probs(self._kinds(_normed(found)), self._sounding)
            return self._cooled(log_probs)

    def pitches(self, lines: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return log-probabilities of the pitches of an onset there, for some lines, shape (lines, n_pitches)."""
        model, of = self._model, torch.from_numpy(lines)
        with on_one_thread():
            request, bar = self._request[of], self._bar
            index = self._in_bar[of].float()[:, None]
            mixed = model.mixed(self._canvas[request, bar][:, None], index)[:, 0]
            hidden = model.pitch_widen(mixed) + self._pitch_direct[request, bar] + self._pitch_told[request, self._slot]
            query = model.pitch_decoder(hidden) + model.note_place.weight[self._place]
            query = query + model.note_wait.weight[self._waits()[of]]
            query = query + model.note_before.weight[self._last_pitch[of] + 1]
            found = self._looked(-1, query, of, bar, self._place)
            return self._cooled(self._pitches(_normed(found)).log_softmax(dim=-1))

    def take(self, symbols: NDArray[np.int64]) -> None:
        """Go on to the next slot, with what came, shape (lines,)."""
        came = torch.from_numpy(symbols)
        starts = torch.nonzero(came >= N_SPECIAL)[:, 0]
        with on_one_thread():
            if len(starts):
                self._add_notes(starts, came[starts] - N_SPECIAL)
            self._sounding = came != REST
            self._slot += 1
            if self._slot % self._bar_slots == 0:
                self._in_bar.zero_()

    def follow(self, symbols: NDArray[np.int64]) -> None:
        """Go on with what is given, the same for all lines; shape (slots,)."""
        for symbol in symbols.tolist():
            self.take(np.full(len(self._request), symbol))

    def spread(self, n: int) -> None:
        """Put so many lines in the place of each."""
        of = torch.arange(len(self._request)).repeat_interleave(n)
        with on_one_thread():
            self._request, self._count, self._in_bar = self._request[of], self._count[of], self._in_bar[of]
            self._last_slot, self._last_pitch = self._last_slot[of], self._last_pitch[of]
            self._sounding, self._memory = self._sounding[of], self._memory[:, of]
            self._bar_of, self._place_of = self._bar_of[of], self._place_of[of]

    def keep(self, lines: NDArray[np.int64]) -> None:
        """Go on with these lines in place of all, shape (lines,)."""
        of = torch.from_numpy(lines)
        with on_one_thread():
            self._count, self._in_bar, self._last_slot = self._count[of], self._in_bar[of], self._last_slot[of]
            self._last_pitch, self._sounding = self._last_pitch[of], self._sounding[of]
            to = torch.nonzero(of != torch.arange(len(of)))[:, 0]
            used, parents = int(self._count.max()) + 1, of[to]
            for places in (self._bar_of, self._place_of):
                places[to, :used] = places[parents, :used]
            self._memory[:, to, :used] = self._memory[:, parents, :used]

    def _cooled(self, log_probs: Tensor) -> NDArray[np.float64]:
        cooled: NDArray[np.float64] = (log_probs.double() / self._temperature).log_softmax(dim=-1).numpy()
        return cooled

    def _waits(self) -> Tensor:
        """Return slots since each line's last onset; 0 where there is none."""
        return torch.where(self._last_slot < 0, 0, self._slot - self._last_slot).clamp(max=MAX_WAIT - 1)

    def _looked(self, layer: int, x: Tensor, of: Tensor | slice, bar: int, place: int) -> Tensor:
        """Return what a layer makes of one query of some lines, given all the notes they have."""
        used, count = int(self._count.max()) + 1, self._count[of][:, None]
        number = torch.arange(used)
        bars_back = (bar - self._bar_of[of, :used]).clamp(0, BARS_BACK - 1)
        notes_back = (count - number).clamp(0, NOTES_BACK - 1)
        relative = (2 * bars_back + (self._place_of[of, :used] == place)) * NOTES_BACK + notes_back
        return self._layers[layer](x, self._memory[layer][of, :used], relative, number <= count)

    def _add_notes(self, lines: Tensor, pitches: Tensor) -> None:
        model = self._model
        content = model.content.weight[pitches] + model.content_place.weight[self._place]
        content = content + model.content_wait.weight[self._waits()[lines]]
        content = content + self._note_told[self._request[lines], self._slot]
        self._count[lines] += 1
        self._in_bar[lines] += 1
        self._last_slot[lines], self._last_pitch[lines] = self._slot, pitches
        if int(self._count.max()) >= self._bar_of.shape[1]:
            self._grow()
        self._remember(content, lines, bar=self._bar, place=self._place)

    def _remember(self, x: Tensor, lines: Tensor, *, bar: int, place: int) -> None:
        """Take one note of some lines through the layers, and keep what they say of it."""
        number = self._count[lines]
        self._bar_of[lines, number], self._place_of[lines, number] = bar, place
        n_history = len(self._layers) - 2
        for layer in range(n_history):
            self._memory[layer, lines, number] = self._layers[layer].keep(x)
            x = self._looked(layer, x, lines, bar, place)
        state = self._model.history.norm(x)
        for layer in (-2, -1):
            self._memory[layer, lines, number] = self._layers[layer].keep(state)

    def _grow(self) -> None:
        """Make room for twice as many notes."""
        n, more = self._bar_of.shape
        self._bar_of, self._place_of = (
            torch.cat([places, torch.full((n, more), -1)], dim=1) for places in (self._bar_of, self._place_of)
        )
        room = torch.zeros(*self._memory.shape[:2], more, self._memory.shape[3])
        self._memory = torch.cat([self._memory, room], dim=2)
