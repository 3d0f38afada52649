"""The errors a caller may want to catch; each says what was wrong, where, and what was expected."""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "CorpusError",
    "FileFormatError",
    "GridError",
    "InfeasibleError",
    "MissingDependencyError",
    "OutputError",
    "RenderError",
    "RequestError",
    "ScoreError",
    "SymgenError",
]


class SymgenError(Exception):
    """The root of every error this package raises on purpose."""


class GridError(SymgenError, ValueError):
    """A time that does not fit the grid."""


class FileFormatError(SymgenError, ValueError):
    """A file that could not be read as what it claims to be."""


class CorpusError(SymgenError, ValueError):
    """A corpus that is unknown, absent or has nothing readable in it."""


class CheckpointError(SymgenError, ValueError):
    """A checkpoint that is damaged, foreign or of another version."""


class ScoreError(SymgenError, ValueError):
    """A note or a change that cannot stand in a score."""


class OutputError(SymgenError, ValueError):
    """A file that could not be written where it was asked for."""


class RequestError(SymgenError, ValueError):
    """A request with a value out of range."""


class RenderError(SymgenError, RuntimeError):
    """A render that could not be made, or that came out silent."""


class MissingDependencyError(SymgenError, ImportError):
    """A library, program or soundfont that is not installed; the message says how to get it."""


class InfeasibleError(SymgenError, ValueError):
    """A request that no music can meet.

    Parameters
    ----------
    message
        One line for the user.
    where
        The first impossible step, as the user counts it (``"bar 3 beat 1"``).
    blame
        An irreducible set of rules and locks that contradict each other, in the user's words.
    possible_without
        Those of them that are the only obstacle: leaving out any one of these would make the request possible.
    """

    def __init__(
        self, message: str, where: str = "", blame: tuple[str, ...] = (), possible_without: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.where = where
        self.blame = blame
        self.possible_without = possible_without
