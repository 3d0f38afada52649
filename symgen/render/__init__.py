"""Sound and pictures: the parts of the package that need FluidSynth, soundfile or matplotlib.

Nothing here loads one of these libraries before it is used, nor a module before it is asked for.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Limits": "symgen.io.limits",
    "Finish": "symgen.render.finish",
    "Rendered": "symgen.render.audio",
    "Stem": "symgen.render.audio",
    "render": "symgen.render.audio",
    "write_audio": "symgen.render.encode",
    "plot_score": "symgen.render.plot",
    "plot_spectrogram": "symgen.render.plot",
    "find_soundfont": "symgen.render.soundfont",
}

__all__ = [
    "Finish",
    "Limits",
    "Rendered",
    "Stem",
    "find_soundfont",
    "plot_score",
    "plot_spectrogram",
    "render",
    "write_audio",
]

if TYPE_CHECKING:
    from symgen.io.limits import Limits as Limits
    from symgen.render.audio import Rendered as Rendered
    from symgen.render.audio import Stem as Stem
    from symgen.render.audio import render as render
    from symgen.render.encode import write_audio as write_audio
    from symgen.render.finish import Finish as Finish
    from symgen.render.plot import plot_score as plot_score
    from symgen.render.plot import plot_spectrogram as plot_spectrogram
    from symgen.render.soundfont import find_soundfont as find_soundfont


class _Package(ModuleType):
    """A package with the name of the function ``symgen.render``, which does the same when it is called."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return importlib.import_module("symgen.pipeline.outputs").render(*arguments, **options)


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first asked for."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


sys.modules[__name__].__class__ = _Package
