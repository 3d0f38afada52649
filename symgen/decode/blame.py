"""Whom to blame for an impossible request: few laws that contradict each other, and the words for it.

>>> irreducible(["loud", "soft", "slow"], lambda laws: {"loud", "soft"} <= set(laws))
['loud', 'soft']
>>> quarrel(["loud", "soft"])
'loud contradicts soft'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["irreducible", "quarrel", "remedy"]

_Law = TypeVar("_Law")


def irreducible(laws: Sequence[_Law], is_impossible: Callable[[list[_Law]], bool]) -> list[_Law]:
    """Return laws that cannot be kept together, none of which can be spared.

    Parameters
    ----------
    laws
        Which cannot be kept together.
    is_impossible
        Whether some laws cannot; more laws are never easier to keep.

    Notes
    -----
    Each law is left out in turn, the last ones first, and for good if the rest is impossible all the same. So where
    there is a choice, the laws named first are blamed.
    """
    blamed = list(laws)
    for place in reversed(range(len(blamed))):
        rest = blamed[:place] + blamed[place + 1 :]
        if is_impossible(rest):
            blamed = rest
    return blamed


def quarrel(words: Sequence[str], nothing: str = "nothing is possible here") -> str:
    """Return a sentence about laws that contradict each other; ``nothing`` if there is no law to blame."""
    if not words:
        return nothing
    if len(words) == 1:
        return f"{words[0]} cannot be met"
    return f"{words[0]} contradicts {' with '.join(words[1:])}"


def remedy(blamed: Sequence[str], sole: Sequence[str]) -> str:
    """Return what would mend a quarrel, as the end of a sentence.

    Parameters
    ----------
    blamed
        Laws that contradict each other.
    sole
        Those of them that are the only obstacle: without any one of these all the other laws can be kept.

    Examples
    --------
    >>> remedy(["loud", "soft"], ["loud", "soft"]), remedy(["loud", "soft"], ["soft"]), remedy(["loud", "soft"], [])
    ('; possible without either', '; possible without soft', '; no single rule stands alone in the way')
    """
    if len(blamed) < 2 and len(sole) == len(blamed):
        return ""
    if not sole:
        return "; no single rule stands alone in the way"
    if len(sole) == len(blamed):
        return "; possible without either" if len(sole) == 2 else "; possible without any one of them"
    return f"; possible without {' or without '.join(sole)}"
