"""The errors of the theory package: what was read, where, and what was expected."""

from __future__ import annotations

__all__ = ["ParseError", "TheoryError"]


class TheoryError(ValueError):
    """A value that music theory has no meaning for."""


class ParseError(TheoryError):
    """A text that could not be read.

    Parameters
    ----------
    what
        The kind of thing being read, such as ``"chord"``.
    token
        The part of the text that failed.
    expected
        What would have been accepted there.
    column
        Where the token starts in the text, counted from 1.
    """

    def __init__(self, what: str, token: str, expected: str, column: int = 1) -> None:
        self.what = what
        self.token = token
        self.expected = expected
        self.column = column
        super().__init__(f"{what} {token!r} at column {column}: expected {expected}")

    def shifted(self, columns: int) -> ParseError:
        """Return the same error as seen from a longer text that holds this one.

        Parameters
        ----------
        columns
            How far to the right the shorter text starts.
        """
        return ParseError(self.what, self.token, self.expected, self.column + columns)
