"""Scores from and to the objects of other libraries, in memory.

Each function loads its library when it is called, so importing this module costs nothing.
"""

from __future__ import annotations

from symgen.io.music21_reader import from_music21

__all__ = ["from_music21"]
