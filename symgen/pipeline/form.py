"""Form: which bars of a song take up which bars before them.

Real tunes say things twice: of eight bars of the corpora's folk tunes and chorales about a quarter repeat
an earlier bar note for note, of lead sheets a tenth. Latents drawn bar by bar hardly ever repeat one, so the
repeat is planned: a bar that takes up another has its latent and its chance, and under the same chords its
weights; so it has its notes wherever the rules and the way back into new bars allow.

>>> bar_sources(8, "period")
(0, 1, 2, 3, 0, 1, 6, 7)
>>> bar_sources(3, "period"), bar_sources(6, "free")
((0, 1, 2), (0, 1, 2, 3, 4, 5))
"""

from __future__ import annotations

from types import MappingProxyType

from symgen.errors import RequestError

__all__ = ["FORMS", "bar_sources"]

# Place in each eight bars -> how many bars back the bar is taken from.
FORMS = MappingProxyType({"period": MappingProxyType({4: 4, 5: 4}), "free": MappingProxyType[int, int]({})})
"""``period``: bars 5 and 6 of every eight take up bars 1 and 2; ``free``: no bar takes up another."""

_PERIOD_BARS = 8


def bar_sources(n_bars: int, form: str) -> tuple[int, ...]:
    """Return for each bar the bar it takes up, counted from 0: itself where it is new.

    Raises
    ------
    RequestError
        If the form is unknown.
    """
    if form not in FORMS:
        msg = f"form {form!r}: expected one of {', '.join(FORMS)}"
        raise RequestError(msg)
    back = FORMS[form]
    return tuple(bar - back.get(bar % _PERIOD_BARS, 0) for bar in range(n_bars))
