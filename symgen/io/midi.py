"""MIDI files: bytes from a score, and a score from bytes."""

from symgen.io.midi_reader import read_midi
from symgen.io.midi_writer import write_midi

__all__ = ["read_midi", "write_midi"]
