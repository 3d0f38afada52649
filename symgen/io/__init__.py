"""Reading and writing music: files, and the objects of other libraries.

Nothing heavy is loaded before it is needed.
"""

from symgen.io.files import load, save

__all__ = ["load", "save"]
