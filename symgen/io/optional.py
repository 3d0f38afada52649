"""Loading a library when it is first needed."""

from __future__ import annotations

import importlib
from typing import Any

from symgen.errors import MissingDependencyError

__all__ = ["require"]


def require(name: str) -> Any:
    """Import a library by its module name.

    Raises
    ------
    MissingDependencyError
        If it is not installed; the message says how to get it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        msg = f"{name} is not installed: expected it for this format; get it with 'pip install {name}'"
        raise MissingDependencyError(msg) from error
