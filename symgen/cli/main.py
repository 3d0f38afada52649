"""The parser, and what happens when something goes wrong: one line, exit code 2, no traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

import symgen
from symgen.cli import (
    band,
    check,
    corpus,
    doctor,
    evaluate,
    humanize,
    output,
    reproduce,
    rules,
    song,
    soundfont,
    takes,
    training,
)
from symgen.cli.limits import limited
from symgen.cli.writing import written
from symgen.errors import SymgenError
from theory.errors import TheoryError

__all__ = ["app", "main"]

USAGE_ERROR, INTERRUPTED = 2, 130

# Typer's parser has kept its errors in several places over the years; all descend from one that can format itself.
_ParserError: type[Exception] = next(c for c in reversed(typer.BadParameter.__mro__) if hasattr(c, "format_message"))

app = typer.Typer(
    name="symgen",
    help="Symbolic music that keeps the rules: MIDI from neural models, conditioned exactly on music theory.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("generate")(written("generate", song.generate))
app.command("infill")(limited(written("infill", takes.infill)))
app.command("continue")(limited(written("continue", takes.continue_)))
app.command("vary")(limited(written("vary", takes.vary)))
app.command("reharmonize")(limited(written("reharmonize", takes.reharmonize)))
app.command("interpolate")(limited(written("interpolate", takes.interpolate)))
app.command("transfer")(limited(written("transfer", takes.transfer)))
app.command("accompany")(limited(written("accompany", band.accompany)))
app.command("arpeggiate")(limited(written("arpeggiate", band.arpeggiate)))
app.command("styles")(song.styles)
app.command("rules")(rules.rules)
app.command("check")(limited(written("check", check.check, makes_midi=False)))
app.command("reproduce")(limited(reproduce.reproduce))
app.command("render")(limited(output.render))
app.command("humanize")(limited(written("humanize", humanize.humanize, makes_midi=False)))
app.command("plot")(limited(output.plot))
app.add_typer(soundfont.app, name="soundfont")
app.command("doctor")(doctor.doctor)
app.add_typer(corpus.app, name="corpus")
app.command("train")(training.train)
app.command("evaluate")(limited(evaluate.evaluate))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symgen {symgen.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Take the options that stand before a command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments
        Words after ``symgen``; those of the process if left out.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(words, prog_name="symgen", standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _fatal(words, "interrupted", INTERRUPTED)
    except _ParserError as error:
        message: str = error.format_message()  # type: ignore[attr-defined]  # see above
        if message.startswith("Usage:"):  # no arguments at all: the help itself is the answer
            print(message)
            return USAGE_ERROR
        return _fatal(words, message, USAGE_ERROR)
    except (SymgenError, TheoryError) as error:
        return _fatal(words, str(error), USAGE_ERROR)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _fatal(words, f"{name}{error.strerror or error}", USAGE_ERROR)
    if code == INTERRUPTED:  # what the parser makes of an interrupt
        return _fatal(words, "interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _fatal(words: Sequence[str], message: str, code: int) -> int:
    """Print the one line, and the traceback where it was asked for."""
    if "--debug" in words:
        traceback.print_exc()
    command = next((word for word in words if not word.startswith("-")), "")
    name = f"symgen {command}".rstrip()
    print(f"{name}: {' '.join(message.split())}", file=sys.stderr)
    return code
