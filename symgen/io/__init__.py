"""Reading and writing music: files, and the objects of other libraries.

Nothing heavy is loaded before it is needed, nor a reader before a file is read.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["load", "save"]

if TYPE_CHECKING:
    from symgen.io.files import load as load
    from symgen.io.files import save as save


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module("symgen.io.files"), name)
    globals()[name] = value
    return value
