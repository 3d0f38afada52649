"""Batches of lines taken apart: what happens at each slot, and the notes one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from symgen.alphabet import N_SPECIAL, REST
from symgen.model.history import Places
from symgen.model.rhythm import kinds_of

__all__ = ["MAX_SLOTS", "MAX_WAIT", "Window"]

MAX_SLOTS = 48
"""Slots of a bar that have a place of their own; later ones share the last."""

MAX_WAIT = 64
"""Slots since the last onset that are told apart."""


@dataclass(frozen=True, slots=True)
class Window:
    """A batch of lines taken apart. Notes are padded at the end; slots are counted through the window.

    Parameters
    ----------
    kinds, sounding, index, slot_waits
        At each slot: what happens; whether a note sounds before it; onsets of its bar before it; slots since the last
        onset. Shape (batch, slots).
    slot_places
        Where the slots stand.
    onset_slots, pitches, before, waits, is_note
        Of each note: its slot, its pitch, the pitch before it or -1, slots since the onset before, whether it is one.
        Shape (batch, notes); pitches count from the alphabet's lowest.
    note_places
        Where the notes stand.
    first_notes
        Number of the first note that starts in each bar or after it, shape (batch, bars).
    """

    kinds: Tensor
    sounding: Tensor
    index: Tensor
    slot_waits: Tensor
    slot_places: Places
    onset_slots: Tensor
    pitches: Tensor
    before: Tensor
    waits: Tensor
    is_note: Tensor
    note_places: Places
    first_notes: Tensor

    @classmethod
    def of(cls, line: Tensor) -> Window:
        """Take lines apart: symbols, shape (batch, bars, bar_slots), that begin with no hold."""
        _, bars, bar_slots = line.shape
        flat = line.flatten(1)
        n_slots, device = flat.shape[1], line.device
        slot = torch.arange(n_slots, device=device)
        is_onset = flat >= N_SPECIAL
        onsets = is_onset.long()
        so_far = onsets.cumsum(dim=1) - onsets  # before each slot
        in_bar = torch.unflatten(onsets, 1, (bars, bar_slots))
        index = (in_bar.cumsum(dim=2) - in_bar).flatten(1)
        n_notes = onsets.sum(dim=1)
        n_max = max(int(n_notes.max()), 1)
        onset_slots = torch.argsort((~is_onset).long(), dim=1, stable=True)[:, :n_max]
        number = torch.arange(n_max, device=device).expand(len(flat), -1)
        is_note = number < n_notes[:, None]
        pitches = (flat.gather(1, onset_slots) - N_SPECIAL).clamp_min(0) * is_note
        before = F.pad(pitches, (1, 0), value=-1)[:, :-1]
        waits = F.pad(onset_slots[:, 1:] - onset_slots[:, :-1], (1, 0)).clamp(0, MAX_WAIT - 1)
        latest = torch.where(is_onset, slot, -1).cummax(dim=1).values
        last = F.pad(latest, (1, 0), value=-1)[:, :-1]
        slot_waits = torch.where(last < 0, 0, slot - last).clamp(0, MAX_WAIT - 1)
        sounding = F.pad(flat != REST, (1, 0))[:, :-1]
        place = (slot % bar_slots).clamp_max(MAX_SLOTS - 1).expand_as(flat)
        slot_places = Places((slot // bar_slots).expand_as(flat), place, so_far)
        return cls(
            kinds_of(flat), sounding, index.float(), slot_waits, slot_places,
            onset_slots, pitches, before, waits, is_note,
            Places(onset_slots // bar_slots, (onset_slots % bar_slots).clamp_max(MAX_SLOTS - 1), number + 1),
            so_far[:, ::bar_slots],
        )  # fmt: skip
