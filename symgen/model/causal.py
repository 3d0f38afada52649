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

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symgen.alphabet import N_SPECIAL, REST
from symgen.model.history import Block, LookBack, Places
from symgen.model.inference import on_one_thread
from symgen.model.vae import LineVae, kind_log_probs
from symgen.model.window import MAX_SLOTS, MAX_WAIT

__all__ = ["GrowingLines"]

_NOTES_AT_FIRST = 64


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
        self._model, self._temperature = model, temperature
        with on_one_thread():
            self._prepare(latents, features, n)

    def _prepare(self, latents: Sequence[NDArray[np.float32]], features: Sequence[NDArray[np.float32]], n: int) -> None:
        model = self._model
        slots = model.config.grid.slots(features[0].shape[1])
        rows = torch.from_numpy(np.stack([one[:, slots] for one in features]))
        _, rhythm, pitch = model.parts(torch.from_numpy(np.stack(latents)))
        self._bar_slots = rows.shape[2]
        self._told = rows.flatten(1, 2)
        self._pitch_latents = pitch
        self._slot_base = model.slot_query(model.rhythm_hidden(rhythm, rows)).flatten(1, 2)
        self._note_told = model.content_told(self._told)
        self._request = torch.arange(len(latents)).repeat_interleave(n)
        n_all = len(self._request)
        zeros = torch.zeros(n_all, dtype=torch.long)
        self._slot = 0
        self._count, self._in_bar, self._last_slot = zeros.clone(), zeros.clone(), zeros - 1
        self._last_pitch, self._sounding = zeros - 1, zeros.bool()
        self._places = torch.full((3, n_all, _NOTES_AT_FIRST + 1), -1)
        self._places[2] = 0
        history = model.history
        self._blocks: list[Block] = [*history.blocks, model.slot_look.block, model.note_look.block]
        width = model.config.pitch_width
        self._memory = torch.zeros(len(self._blocks), n_all, _NOTES_AT_FIRST + 1, 2 * width)
        start = history.start.expand(n_all, 1, -1)
        self._remember(start, Places(zeros[:, None] - 1, zeros[:, None] - 1, zeros[:, None]))

    def kinds(self) -> NDArray[np.float64]:
        """Return log-probabilities of rest, hold and onset at the next slot, shape (lines, 3)."""
        model = self._model
        with on_one_thread():
            place = min(self._slot % self._bar_slots, MAX_SLOTS - 1)
            query = self._slot_base[self._request, self._slot] + model.slot_place.weight[place]
            query = query + model.slot_wait(self._waits()) + model.slot_state(self._sounding.long())
            found = self._look(model.slot_look, -2, query, self._here(place), slice(None))
            log_probs = kind_log_probs(model.kind_logits(found), self._sounding)
        return self._cooled(log_probs)

    def pitches(self, lines: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return log-probabilities of the pitches of an onset there, for some lines, shape (lines, n_pitches)."""
        model, of = self._model, torch.from_numpy(lines)
        with on_one_thread():
            place = min(self._slot % self._bar_slots, MAX_SLOTS - 1)
            request = self._request[of]
            bar = torch.full((len(of), 1), self._slot // self._bar_slots)
            told = self._told[request, self._slot][:, None]
            index = self._in_bar[of].float()[:, None]
            hidden = model.pitch_hidden_at(self._pitch_latents[request], bar, told, index)[:, 0]
            query = hidden + model.note_place.weight[place] + model.note_wait(self._waits()[of])
            query = query + model.note_before(self._last_pitch[of] + 1)
            found = self._look(model.note_look, -1, query, self._here(place), of)
            log_probs = model.pitch_logits(found).log_softmax(dim=-1)
        return self._cooled(log_probs)

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

    def keep(self, lines: NDArray[np.int64]) -> None:
        """Go on with these lines in place of all, shape (lines,)."""
        of = torch.from_numpy(lines)
        with on_one_thread():
            self._count, self._in_bar, self._last_slot = self._count[of], self._in_bar[of], self._last_slot[of]
            self._last_pitch, self._sounding = self._last_pitch[of], self._sounding[of]
            used = int(self._count.max()) + 1
            self._places[:, :, :used] = self._places[:, of, :used]
            self._memory[:, :, :used] = self._memory[:, of, :used]

    def _cooled(self, log_probs: Tensor) -> NDArray[np.float64]:
        cooled: NDArray[np.float64] = (log_probs.double() / self._temperature).log_softmax(dim=-1).numpy()
        return cooled

    def _waits(self) -> Tensor:
        """Return slots since each line's last onset; 0 where there is none."""
        waits = (self._slot - self._last_slot).clamp(0, MAX_WAIT - 1)
        return torch.where(self._last_slot < 0, 0, waits)

    def _here(self, place: int) -> Places:
        n = len(self._count)
        bar = torch.full((n, 1), self._slot // self._bar_slots)
        return Places(bar, torch.full((n, 1), place), self._count[:, None])

    def _look(self, look: LookBack, block: int, query: Tensor, at: Places, of: Tensor | slice) -> Tensor:
        found: Tensor = look.norm(self._through(block, query[:, None], _some(at, of), of))[:, 0]
        return found

    def _through(self, number: int, x: Tensor, at: Places, of: Tensor | slice) -> Tensor:
        """Return what a block makes of one query of each line, given all its notes."""
        block = self._blocks[number]
        used = int(self._count.max()) + 1
        keys = Places(*(part[of, :used] for part in self._places))
        seen = torch.arange(used) <= self._count[of][:, None]
        bias = block.bias(at, keys).masked_fill(~seen[:, None, None], float("-inf"))
        out: Tensor = block(x, self._memory[number][of, :used], bias)
        return out

    def _add_notes(self, lines: Tensor, pitches: Tensor) -> None:
        model = self._model
        place = min(self._slot % self._bar_slots, MAX_SLOTS - 1)
        content = model.content(pitches) + model.content_place.weight[place]
        content = content + model.content_wait(self._waits()[lines])
        content = content + self._note_told[self._request[lines], self._slot]
        self._count[lines] += 1
        self._in_bar[lines] += 1
        self._last_slot[lines], self._last_pitch[lines] = self._slot, pitches
        if int(self._count.max()) >= self._places.shape[2]:
            self._grow()
        self._remember(content[:, None], _some(self._here(place), lines), lines)

    def _remember(self, x: Tensor, at: Places, lines: Tensor | None = None) -> None:
        """Take one note of some lines through the layers, and keep what they say of it."""
        history = self._model.history
        of = torch.arange(len(self._count)) if lines is None else lines
        number = self._count[of]
        for axis, part in enumerate((at.bar, at.slot, at.note)):
            self._places[axis, of, number] = part[:, 0]
        for layer, block in enumerate(history.blocks):
            self._memory[layer, of, number] = block.to_key_value(block.norm1(x))[:, 0]
            x = self._through(layer, x, at, of)
        state = history.norm(x)
        for offset, look in ((-2, self._model.slot_look), (-1, self._model.note_look)):
            self._memory[offset, of, number] = look.block.to_key_value(state)[:, 0]

    def _grow(self) -> None:
        """Make room for twice as many notes."""
        more = self._places.shape[2]
        self._places = torch.cat([self._places, torch.full((*self._places.shape[:2], more), -1)], dim=2)
        room = torch.zeros(*self._memory.shape[:2], more, self._memory.shape[3])
        self._memory = torch.cat([self._memory, room], dim=2)


def _some(places: Places, of: Tensor | slice) -> Places:
    return Places(places.bar[of], places.slot[of], places.note[of])
