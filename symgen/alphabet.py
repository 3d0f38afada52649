"""The alphabet of a line: what one voice may do at a step.

Symbol 0 is a *rest*, symbol 1 a *hold* (the note sounding before goes on), and symbol ``2 + i`` the
*onset* of pitch ``low + i``. A hold after a rest, or at the very start, has no meaning.

>>> alphabet = LineAlphabet(60, 72)
>>> line = alphabet.encode((Note(1, 2, 60), Note(3, 1, 67)), n_steps=5)
>>> line.tolist()
[0, 2, 1, 9, 0]
>>> [(note.onset_steps, note.duration_steps, note.pitch) for note in alphabet.decode(line)]
[(1, 2, 60), (3, 1, 67)]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.errors import ScoreError
from symgen.score import Note

__all__ = ["HOLD", "N_SPECIAL", "REST", "LineAlphabet"]

REST, HOLD, N_SPECIAL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class LineAlphabet:
    """The symbols of a line whose pitches lie in a range.

    Parameters
    ----------
    low, high
        Lowest and highest pitch, both included.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 127:
            msg = f"pitches {self.low} to {self.high}: expected 0 <= low <= high <= 127"
            raise ScoreError(msg)

    @property
    def n_pitches(self) -> int:
        """How many pitches there are."""
        return self.high - self.low + 1

    @property
    def n_symbols(self) -> int:
        """How many symbols there are."""
        return N_SPECIAL + self.n_pitches

    def symbol(self, pitch: int) -> int:
        """Return the onset symbol of a pitch.

        Raises
        ------
        ScoreError
            If the pitch lies outside the range.
        """
        if not self.low <= pitch <= self.high:
            msg = f"pitch {pitch}: expected {self.low} to {self.high}"
            raise ScoreError(msg)
        return N_SPECIAL + pitch - self.low

    def encode(self, notes: Iterable[Note], n_steps: int) -> NDArray[np.int64]:
        """Return the symbol of every step, shape (n_steps,).

        A note that starts while another sounds cuts that one; of notes that start together the
        highest is kept.

        Raises
        ------
        ScoreError
            If a pitch lies outside the range.
        """
        line = np.full(n_steps, REST, dtype=np.int64)
        for note in sorted(notes, key=lambda n: (n.onset_steps, n.pitch)):
            if note.onset_steps < n_steps:
                line[note.onset_steps] = self.symbol(note.pitch)
                line[note.onset_steps + 1 : note.end_steps] = HOLD
                after = line[note.end_steps :]
                # What an earlier, longer note still held falls silent with the cut.
                held = int(np.argmax(after != HOLD)) if (after != HOLD).any() else len(after)
                after[:held] = REST
        return line

    def decode(self, line: NDArray[np.int64], velocity: int = 80) -> tuple[Note, ...]:
        """Return the notes of a line; a hold with nothing to hold is a rest."""
        notes: list[Note] = []
        sounding: tuple[int, int] | None = None  # onset, pitch
        for step, symbol in enumerate([*line.tolist(), REST]):
            if symbol == HOLD:
                continue
            if sounding is not None:
                notes.append(Note(sounding[0], step - sounding[0], sounding[1], velocity))
            sounding = None if symbol == REST else (step, self.low + symbol - N_SPECIAL)
        return tuple(notes)
