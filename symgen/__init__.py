"""symgen: symbolic music that keeps the rules.

>>> import symgen
>>> score = symgen.generate(key="A minor", chords="Am F | C G", bars=4, seed=7)
>>> symgen.audit(score, symgen.default_rules(score.chords, score.keys[0].key))
[]

Nothing heavy is loaded by importing this package; each function brings what it needs when it is called.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "generate": "symgen.pipeline.generate",
    "generate_many": "symgen.pipeline.generate",
    "infill": "symgen.pipeline.takes",
    "continue_": "symgen.pipeline.takes",
    "vary": "symgen.pipeline.takes",
    "infill_many": "symgen.pipeline.takes",
    "continue_many": "symgen.pipeline.takes",
    "vary_many": "symgen.pipeline.takes",
    "reharmonize": "symgen.pipeline.reharmonize",
    "reharmonize_many": "symgen.pipeline.reharmonize",
    "interpolate": "symgen.pipeline.between",
    "transfer": "symgen.pipeline.transfer",
    "accompany": "symgen.pipeline.accompany",
    "arpeggiate": "symgen.pipeline.accompany",
    "play": "symgen.pipeline.ensemble",
    "play_many": "symgen.pipeline.ensemble",
    "play_between": "symgen.pipeline.ensemble",
    "redraw_tracks": "symgen.pipeline.ensemble_takes",
    "redraw_tracks_many": "symgen.pipeline.ensemble_takes",
    "read_idea": "symgen.pipeline.ideas",
    "default_rules": "symgen.pipeline.rules",
    "audit": "symgen.moments",
    "check": "symgen.pipeline.check",
    "styles": "symgen.pipeline.generate",
    "humanize": "symgen.pipeline.humanize",
    "load": "symgen.io",
    "save": "symgen.io",
    "render": "symgen.pipeline.outputs",
    "plot": "symgen.pipeline.outputs",
    "Score": "symgen.score",
    "Track": "symgen.score",
    "Note": "symgen.score",
    "InfeasibleError": "symgen.errors",
    "SymgenError": "symgen.errors",
}

__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from symgen.errors import InfeasibleError as InfeasibleError
    from symgen.errors import SymgenError as SymgenError
    from symgen.io import load as load
    from symgen.io import save as save
    from symgen.moments import audit as audit
    from symgen.pipeline.accompany import accompany as accompany
    from symgen.pipeline.accompany import arpeggiate as arpeggiate
    from symgen.pipeline.between import interpolate as interpolate
    from symgen.pipeline.check import check as check
    from symgen.pipeline.ensemble import play as play
    from symgen.pipeline.ensemble import play_between as play_between
    from symgen.pipeline.ensemble import play_many as play_many
    from symgen.pipeline.ensemble_takes import redraw_tracks as redraw_tracks
    from symgen.pipeline.ensemble_takes import redraw_tracks_many as redraw_tracks_many
    from symgen.pipeline.generate import generate as generate
    from symgen.pipeline.generate import generate_many as generate_many
    from symgen.pipeline.generate import styles as styles
    from symgen.pipeline.humanize import humanize as humanize
    from symgen.pipeline.ideas import read_idea as read_idea
    from symgen.pipeline.outputs import plot as plot
    from symgen.pipeline.outputs import render as render
    from symgen.pipeline.reharmonize import reharmonize as reharmonize
    from symgen.pipeline.reharmonize import reharmonize_many as reharmonize_many
    from symgen.pipeline.rules import default_rules as default_rules
    from symgen.pipeline.takes import continue_ as continue_
    from symgen.pipeline.takes import continue_many as continue_many
    from symgen.pipeline.takes import infill as infill
    from symgen.pipeline.takes import infill_many as infill_many
    from symgen.pipeline.takes import vary as vary
    from symgen.pipeline.takes import vary_many as vary_many
    from symgen.pipeline.transfer import transfer as transfer
    from symgen.score import Note as Note
    from symgen.score import Score as Score
    from symgen.score import Track as Track


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first asked for."""
    if name not in _HOMES:
        msg = f"module 'symgen' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
