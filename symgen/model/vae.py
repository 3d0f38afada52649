"""The line VAE in three factors: rhythm, pitch and harmony, each with a latent for every bar.

What is encoded decides what a latent can know. ``z_rhythm`` is read off what happens at each slot, without pitches;
``z_pitch`` off the sequence of pitches from a bar's first note on, without their times; ``z_harmony`` off the chords.
Above them stands one latent for the form of the whole. :mod:`symgen.model.prior` is their learned prior.

Two decoders share the latents:

*chain*
    The rhythm is a chain over rest, hold and onset; each pitch has weights by its slot and by the pitch before it,
    normalised over the pitches. Which of the bar's pitches a slot would play is told by how many onsets the rhythm
    expects before it. All of it is one lattice, so sums are exact under rules.
*causal*
    Each slot and each pitch also looks back at all the notes so far (:mod:`symgen.model.history`).

The model hears everything relative to the tonic.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.alphabet import HOLD, LineAlphabet
from symgen.conditions import FEATURE_COLUMNS, N_FEATURES
from symgen.model.harmony import HarmonyChain, chord_columns, chord_labels
from symgen.model.history import LookBack, NoteHistory, Places
from symgen.model.layers import gaussian_log_prob
from symgen.model.prior import LatentPrior
from symgen.model.rhythm import N_KINDS, ONSET, RhythmChain
from symgen.model.window import MAX_SLOTS, MAX_WAIT, Window
from symgen.slots import SlotGrid

__all__ = ["Latents", "LineVae", "Terms", "VaeConfig"]

_PITCHES_OF_BAR = 16  # pitches from a bar's first note on that its latent is read off
_SHARPNESS = 3.0  # of the choice among a bar's pitches


@dataclass(frozen=True, slots=True)
class VaeConfig:
    """Sizes of a factor VAE."""

    low: int = 46  # lowest pitch relative to the tonic's C
    high: int = 91  # highest, included
    steps_per_quarter: int = 12
    places: tuple[int, ...] = (0, 3, 4, 6, 8, 9)  # steps of a quarter that are slots
    rhythm_width: int = 96
    pitch_width: int = 160
    rhythm_latent: int = 24
    pitch_latent: int = 40
    harmony_latent: int = 16
    form_latent: int = 16
    history_layers: int = 3
    n_heads: int = 4
    prior_width: int = 192
    prior_layers: int = 4
    prior_components: int = 12
    max_bars: int = 16  # bars the prior looks back over
    dropout: float = 0.05

    @property
    def alphabet(self) -> LineAlphabet:
        """Pitches relative to the tonic's C."""
        return LineAlphabet(self.low, self.high)

    @property
    def grid(self) -> SlotGrid:
        """The slots."""
        return SlotGrid(self.steps_per_quarter, self.places)

    def as_dict(self) -> dict[str, object]:
        """Return the sizes by name, for a configuration file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Latents:
    """Latents of a batch of windows.

    Parameters
    ----------
    bars
        Harmony, rhythm and pitch of each bar, one after the other; shape (batch, bars, sum of sizes).
    form
        Of the whole, shape (batch, form size).
    """

    bars: Tensor
    form: Tensor


@dataclass(frozen=True, slots=True)
class Terms:
    """Negative log-likelihoods and costs, in nats a slot, averaged over the batch.

    Parameters
    ----------
    chain_rhythm, chain_pitch, causal_rhythm, causal_pitch
        Of the line given its latents, by either decoder.
    harmony
        Of the chords given their latents.
    kl_harmony, kl_rhythm, kl_pitch, kl_form
        Cost of the latents: ``log q(z | line) - log p(z)`` at one draw.
    count
        Of the guess where onsets are: an aid, no part of the bound.
    """

    chain_rhythm: Tensor
    chain_pitch: Tensor
    causal_rhythm: Tensor
    causal_pitch: Tensor
    harmony: Tensor
    kl_harmony: Tensor
    kl_rhythm: Tensor
    kl_pitch: Tensor
    kl_form: Tensor
    count: Tensor

    @property
    def kl(self) -> Tensor:
        """Cost of all latents."""
        return self.kl_harmony + self.kl_rhythm + self.kl_pitch + self.kl_form


class _Convolutions(nn.Module):
    """Residual convolutions of growing dilation over (batch, steps, channels); norms are over channels alone."""

    def __init__(self, width: int, dilations: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in dilations)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in dilations)
        self.mixes = nn.ModuleList(nn.Linear(width, width) for _ in dilations)
        self.dropout = nn.Dropout(dropout)
        for mix in self.mixes:
            assert isinstance(mix, nn.Linear)
            nn.init.zeros_(mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        for norm, convolution, mix in zip(self.norms, self.convolutions, self.mixes, strict=True):
            hidden = F.gelu(convolution(norm(x).transpose(1, 2)).transpose(1, 2))
            x = x + self.dropout(mix(hidden))
        return x


def _network(n_in: int, n_hidden: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_in, n_hidden), nn.GELU(), nn.Linear(n_hidden, n_out))


class _Networks(nn.Module):
    """Residual two-layer networks, one after the other."""

    def __init__(self, width: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, 2 * width),
                nn.GELU(),
                nn.Linear(2 * width, width),
                nn.Dropout(dropout),
            )
            for _ in range(n_layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = x + layer(x)
        return x


def _other_columns(*groups: str) -> list[int]:
    """Return the columns of the features that are in none of the groups."""
    others = [
        columns for name, columns in FEATURE_COLUMNS.items() if not any(name.startswith(group) for group in groups)
    ]
    return [column for columns in others for column in range(columns.start, columns.stop)]


class LineVae(nn.Module):
    """The model of this module.

    Parameters
    ----------
    config
        Its sizes.
    """

    _rhythm_columns: Tensor

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        rhythm, pitch, drop = config.rhythm_width, config.pitch_width, config.dropout
        n_pitches = config.alphabet.n_pitches
        self.register_buffer("_rhythm_columns", torch.tensor(_other_columns("chord", "scale")), persistent=False)
        n_rhythm, n_chord = len(_other_columns("chord", "scale")), chord_columns().stop - chord_columns().start
        # Rhythm: encoder and decoder.
        self.kind = nn.Embedding(N_KINDS, rhythm)
        self.rhythm_seen = nn.Linear(n_rhythm, rhythm)
        self.rhythm_encoder = _Convolutions(rhythm, (1, 2, 4, 8), drop)
        self.rhythm_narrow = nn.Linear(rhythm, 16)
        self.rhythm_posterior = _network(MAX_SLOTS * 16, 256, 2 * config.rhythm_latent)
        self.canvas = _network(config.rhythm_latent, 256, MAX_SLOTS * 32)
        self.canvas_widen = nn.Linear(32, rhythm)
        self.rhythm_told = nn.Linear(n_rhythm, rhythm)
        self.rhythm_decoder = _Convolutions(rhythm, (1, 2, 4), drop)
        self.rhythm_norm = nn.LayerNorm(rhythm)
        self.kind_weights = nn.Linear(rhythm, N_KINDS)
        self.onset_guess = nn.Linear(rhythm, 1)
        self.rhythm_chain = RhythmChain()
        # Pitch: encoder and decoder.
        self.note = nn.Embedding(n_pitches, pitch)
        self.pitch_seen = nn.Linear(N_FEATURES - n_rhythm, pitch)
        self.pitch_encoder = _Convolutions(pitch, (1, 2, 4), drop)
        self.pitch_narrow = nn.Linear(pitch, 32)
        self.pitch_posterior = _network(_PITCHES_OF_BAR * 32, 320, 2 * config.pitch_latent)
        self.pitches = _network(config.pitch_latent, 320, _PITCHES_OF_BAR * 64)
        self.pitch_widen, self.pitch_direct = nn.Linear(64, pitch), nn.Linear(config.pitch_latent, pitch)
        self.pitch_told = nn.Linear(N_FEATURES, pitch)
        self.pitch_decoder = _Networks(pitch, 2, drop)
        self.pitch_norm = nn.LayerNorm(pitch)
        self.pitch_weights = nn.Linear(pitch, n_pitches)
        self.interval = nn.Parameter(torch.zeros(2 * n_pitches - 1))
        self.degree = nn.Parameter(torch.zeros(12, 12))
        self.first = nn.Parameter(torch.zeros(n_pitches))
        # Harmony.
        self.chords_seen = _network(n_chord + n_rhythm, 96, 24)
        self.harmony_posterior = _network(24 * 16, 128, 2 * config.harmony_latent)
        self.harmony = HarmonyChain(config.harmony_latent, n_rhythm, 128)
        # What the causal decoder remembers.
        self.content = nn.Embedding(n_pitches, pitch)
        self.content_place, self.content_wait = nn.Embedding(MAX_SLOTS, pitch), nn.Embedding(MAX_WAIT, pitch)
        self.content_told = nn.Linear(N_FEATURES, pitch)
        self.history = NoteHistory(pitch, config.history_layers, config.n_heads, drop)
        self.slot_query, self.slot_place = nn.Linear(rhythm, pitch), nn.Embedding(MAX_SLOTS, pitch)
        self.slot_wait, self.slot_state = nn.Embedding(MAX_WAIT, pitch), nn.Embedding(2, pitch)
        self.slot_look, self.kind_logits = LookBack(pitch, config.n_heads, drop), nn.Linear(pitch, N_KINDS)
        self.note_place, self.note_wait = nn.Embedding(MAX_SLOTS, pitch), nn.Embedding(MAX_WAIT, pitch)
        self.note_before = nn.Embedding(n_pitches + 1, pitch)
        self.note_look, self.pitch_logits = LookBack(pitch, config.n_heads, drop), nn.Linear(pitch, n_pitches)
        # Prior.
        self.form_posterior = _network(sum(self.sizes), 128, 2 * config.form_latent)
        self.prior = LatentPrior(
            self.sizes, 2 * N_FEATURES, config.form_latent, width=config.prior_width, n_layers=config.prior_layers,
            n_heads=config.n_heads, n_components=config.prior_components, max_bars=config.max_bars, dropout=drop,
        )  # fmt: skip

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Sizes of the latents of harmony, rhythm and pitch."""
        return self.config.harmony_latent, self.config.rhythm_latent, self.config.pitch_latent

    def moves(self) -> Tensor:
        """Return the weights from pitch to pitch, shape (n_pitches, n_pitches)."""
        pitch = torch.arange(len(self.first), device=self.interval.device)
        interval = self.interval[pitch[None, :] - pitch[:, None] + len(self.first) - 1]
        return interval + self.degree[pitch[:, None] % 12, pitch[None, :] % 12]

    def losses(self, line: Tensor, features: Tensor) -> Terms:
        """Return the terms of the evidence bound for a batch of windows.

        Parameters
        ----------
        line
            Symbols at the slots, shape (batch, bars, bar_slots).
        features
            Shape (batch, bars, bar_slots, N_FEATURES).
        """
        window = Window.of(line)
        latents, costs = self._drawn(window, features)
        harmony, rhythm, pitch = self.parts(latents)
        hidden = self.rhythm_hidden(rhythm, features)
        guess = self.onset_guess(hidden)[..., 0].flatten(1)
        count = F.binary_cross_entropy_with_logits(guess, (window.kinds == ONSET).float(), reduction="sum")
        chain_rhythm = -self.rhythm_chain.log_likelihood(self.kind_weights(hidden).flatten(1, 2), window.kinds).mean()
        pitch_hidden = self.pitch_hidden(pitch, features, window, self.expected_index(hidden))
        chain_pitch = -self._pitch_log_likelihood(pitch_hidden, window)
        causal = self._causal_losses(hidden, pitch, features, window)
        chords = self._harmony_loss(harmony, features)
        values = (chain_rhythm, chain_pitch, *causal, chords, *costs, count / len(line))
        return Terms(*(value / window.kinds.shape[1] for value in values))

    def parts(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the latents of harmony, rhythm and pitch, each of shape (..., its size)."""
        harmony, rhythm, pitch = torch.split(latents, list(self.sizes), dim=-1)
        return harmony, rhythm, pitch

    def _drawn(self, window: Window, features: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Draw latents from their posterior; return them and the costs of harmony, rhythm, pitch and form."""
        mean, log_std = self.encode(window, features)
        latents = mean + log_std.exp() * torch.randn_like(mean)
        form_mean, form_log_std = self.encode_form(latents)
        form = form_mean + form_log_std.exp() * torch.randn_like(form_mean)
        parts = zip(self.parts(latents), self.parts(mean), self.parts(log_std), strict=True)
        log_q = torch.stack([gaussian_log_prob(*part) for part in parts], dim=-1)
        kl = (log_q - self.prior.log_prob(latents, summary(features), form)).sum(dim=1).mean(dim=0)
        of_form = 0.5 * (form_mean**2 + (2 * form_log_std).exp() - 1 - 2 * form_log_std)
        return latents, (*kl.unbind(), of_form.sum(dim=-1).mean())

    def _harmony_loss(self, latents: Tensor, features: Tensor) -> Tensor:
        eighths = features[:, :, :: self.config.grid.slots_of_eighth]
        labels = chord_labels(eighths)
        return -self.harmony.log_likelihood(latents, eighths[..., self._rhythm_columns], labels).mean()

    def encode(self, window: Window, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log standard deviation of each bar's latents, shapes (batch, bars, sum of sizes)."""
        rhythm, pitch = self._see_rhythm(window, features), self._see_pitches(window, features)
        parts = (self.encode_harmony(features), _posterior(rhythm), _posterior(pitch))
        means, log_stds = zip(*parts, strict=True)
        return torch.cat(means, dim=-1), torch.cat(log_stds, dim=-1)

    def encode_harmony(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log standard deviation of the harmony's latents alone, shapes (batch, bars, size)."""
        return _posterior(self._see_chords(features))

    def encode_form(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log standard deviation of the latent of the whole, shapes (batch, form size)."""
        mean, log_std = self.form_posterior(latents).mean(dim=1).chunk(2, dim=-1)
        return mean, log_std.clamp(-5, 1)

    def _see_chords(self, features: Tensor) -> Tensor:
        eighths = features[:, :, :: self.config.grid.slots_of_eighth]
        seen = self.chords_seen(torch.cat([eighths[..., chord_columns()], eighths[..., self._rhythm_columns]], dim=-1))
        out: Tensor = self.harmony_posterior(_padded(seen, 16).flatten(2))
        return out

    def _see_rhythm(self, window: Window, features: Tensor) -> Tensor:
        embedded = self.kind(window.kinds) + self.rhythm_seen(features[..., self._rhythm_columns]).flatten(1, 2)
        steps = self.rhythm_narrow(self.rhythm_encoder(embedded)).unflatten(1, features.shape[1:3])
        out: Tensor = self.rhythm_posterior(_padded(steps, MAX_SLOTS).flatten(2))
        return out

    def _see_pitches(self, window: Window, features: Tensor) -> Tensor:
        rows = torch.arange(len(features), device=features.device)[:, None]
        told = _without(features.flatten(1, 2), self._rhythm_columns)[rows, window.onset_slots]
        embedded = (self.note(window.pitches) + self.pitch_seen(told)) * window.is_note[..., None]
        seen = self.pitch_narrow(self.pitch_encoder(embedded)) * window.is_note[..., None]
        seen = F.pad(seen, (0, 0, 0, _PITCHES_OF_BAR))
        # From each bar's first note on, whatever bars its followers are in: how many are in the bar is not told.
        wanted = window.first_notes[..., None] + torch.arange(_PITCHES_OF_BAR, device=features.device)
        wanted = wanted.clamp_max(seen.shape[1] - 1)
        out: Tensor = self.pitch_posterior(seen[rows[..., None], wanted].flatten(2))
        return out

    def rhythm_hidden(self, latents: Tensor, features: Tensor) -> Tensor:
        """Return what the rhythm's latents say of each slot, shape (batch, bars, bar_slots, rhythm_width)."""
        bars, bar_slots = features.shape[1:3]
        slot = torch.arange(bar_slots, device=features.device).clamp_max(MAX_SLOTS - 1)
        canvas = self.canvas(latents).unflatten(-1, (MAX_SLOTS, 32))[:, :, slot]
        steps = self.canvas_widen(canvas) + self.rhythm_told(features[..., self._rhythm_columns])
        out: Tensor = self.rhythm_norm(self.rhythm_decoder(steps.flatten(1, 2))).unflatten(1, (bars, bar_slots))
        return out

    def expected_index(self, rhythm_hidden: Tensor) -> Tensor:
        """Return how many onsets of its bar lie before each slot, as expected; shape (batch, slots)."""
        chance = self.onset_guess(rhythm_hidden)[..., 0].detach().sigmoid()
        index: Tensor = (chance.cumsum(dim=2) - chance).flatten(1)
        return index

    def pitch_hidden(self, latents: Tensor, features: Tensor, window: Window, index: Tensor) -> Tensor:
        """Return what the pitch's latents say of each note, shape (batch, notes, pitch_width).

        Parameters
        ----------
        latents
            Of the pitch, shape (batch, bars, size).
        features
            Shape (batch, bars, bar_slots, N_FEATURES).
        window
            Whose notes they are; of them only the slots matter.
        index
            Which pitch of its bar each slot would play, shape (batch, slots).
        """
        rows = torch.arange(len(latents), device=latents.device)[:, None]
        slots = window.onset_slots
        return self.pitch_hidden_at(
            latents, slots // features.shape[2], features.flatten(1, 2)[rows, slots], index[rows, slots]
        )

    def pitch_hidden_at(self, latents: Tensor, bar: Tensor, told: Tensor, index: Tensor) -> Tensor:
        """Return what the pitch's latents say at some places.

        Parameters
        ----------
        latents
            Shape (batch, bars, size).
        bar, index
            Bar of each place, and which of its pitches is played there; shape (batch, places).
        told
            Conditions there, shape (batch, places, N_FEATURES).
        """
        rows = torch.arange(len(latents), device=latents.device)[:, None]
        mixed = self.mixed(self.pitch_canvas(latents)[rows, bar], index)
        hidden = self.pitch_widen(mixed) + self.pitch_direct(latents)[rows, bar] + self.pitch_told(told)
        out: Tensor = self.pitch_decoder(hidden)
        return out

    def pitch_canvas(self, latents: Tensor) -> Tensor:
        """Return what the latents of the pitch say of each of a bar's pitches, shape (batch, bars, pitches, 64)."""
        return torch.unflatten(self.pitches(latents), -1, (_PITCHES_OF_BAR, 64))

    def mixed(self, canvases: Tensor, index: Tensor) -> Tensor:
        """Return what is said of the pitch of a number, which need not be whole.

        Parameters
        ----------
        canvases
            Of the bar of each place, shape (batch, places, pitches, 64).
        index
            Shape (batch, places).
        """
        distance = torch.arange(_PITCHES_OF_BAR, device=index.device) - index.clamp_max(_PITCHES_OF_BAR - 1)[..., None]
        share = (-_SHARPNESS * distance**2).softmax(dim=-1)
        return torch.einsum("bnk,bnkc->bnc", share, canvases)

    def _pitch_log_likelihood(self, hidden: Tensor, window: Window) -> Tensor:
        """Return the mean log-probability of the windows' pitches given their rhythm, by the chain."""
        weights = self.pitch_weights(self.pitch_norm(hidden))
        moves = torch.cat([self.moves(), self.first[None]])
        rows = moves[torch.where(window.before < 0, len(self.first), window.before)]
        chosen = (weights + rows).log_softmax(dim=-1).gather(2, window.pitches[..., None])[..., 0]
        total: Tensor = (chosen * window.is_note).sum(dim=1).mean()
        return total

    def _causal_losses(
        self, rhythm_hidden: Tensor, pitch_latents: Tensor, features: Tensor, window: Window
    ) -> tuple[Tensor, Tensor]:
        states, of = self.history(self.content_tokens(window, features), window.note_places)
        found = self.slot_look(self._slot_queries(rhythm_hidden.flatten(1, 2), window), window.slot_places, states, of)
        logits = kind_log_probs(self.kind_logits(found), window.sounding)
        rhythm = -logits.gather(2, window.kinds[..., None]).sum(dim=(1, 2)).mean()
        hidden = self.pitch_hidden(pitch_latents, features, window, window.index)
        queries = (
            hidden
            + self.note_place(window.note_places.slot)
            + self.note_wait(window.waits)
            + self.note_before(window.before + 1)
        )
        before = Places(window.note_places.bar, window.note_places.slot, window.note_places.note - 1)
        pitches = self.pitch_logits(self.note_look(queries, before, states, of)).log_softmax(dim=-1)
        chosen = pitches.gather(2, window.pitches[..., None])[..., 0] * window.is_note
        return rhythm, -chosen.sum(dim=1).mean()

    def content_tokens(self, window: Window, features: Tensor) -> Tensor:
        """Return what is remembered of each note, shape (batch, notes, pitch_width)."""
        rows = torch.arange(len(features), device=features.device)[:, None]
        told = self.content_told(features.flatten(1, 2)[rows, window.onset_slots])
        out: Tensor = (
            self.content(window.pitches)
            + self.content_place(window.note_places.slot)
            + self.content_wait(window.waits)
            + told
        )
        return out

    def _slot_queries(self, rhythm_hidden: Tensor, window: Window) -> Tensor:
        place, wait = self.slot_place(window.slot_places.slot), self.slot_wait(window.slot_waits)
        queries: Tensor = self.slot_query(rhythm_hidden) + place + wait + self.slot_state(window.sounding.long())
        return queries


def _posterior(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and log standard deviation as an encoder says them."""
    mean, log_std = seen.chunk(2, dim=-1)
    return mean, (log_std - 2).clamp(-5, 1)


def kind_log_probs(logits: Tensor, sounding: Tensor) -> Tensor:
    """Return log-probabilities of rest, hold and onset; what does not sound cannot be held."""
    held = torch.zeros_like(logits, dtype=torch.bool)
    held[..., HOLD] = ~sounding
    return logits.masked_fill(held, -1e9).log_softmax(dim=-1)


def summary(features: Tensor) -> Tensor:
    """Return what is known of each bar, shape (batch, bars, 2 * N_FEATURES)."""
    return torch.cat([features.mean(dim=2), features[:, :, 0]], dim=-1)


def _padded(steps: Tensor, n: int) -> Tensor:
    """Cut or pad the steps of bars, shape (batch, bars, steps, channels), to n."""
    return F.pad(steps[:, :, :n], (0, 0, 0, max(n - steps.shape[2], 0)))


def _without(features: Tensor, columns: Tensor) -> Tensor:
    """Return the other columns."""
    kept = torch.ones(features.shape[-1], dtype=torch.bool, device=features.device)
    kept[columns] = False
    return features[..., kept]
