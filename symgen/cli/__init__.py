"""The command line: ``symgen COMMAND``."""

from symgen.cli.main import main

__all__ = ["main"]
