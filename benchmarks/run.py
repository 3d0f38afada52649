"""Run the benchmarks: ``python -m benchmarks.run [ingest] [generate] [render] [decode] [law]``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

TOPICS = ("ingest", "generate", "render", "decode", "law")
RESULTS = Path(__file__).with_name("results.json")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    # One thread everywhere, children included; numpy reads this when it is first imported.
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    from benchmarks.harness import Table
    from benchmarks.report import head, save_results, table_lines
    from symgen.errors import SymgenError

    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in TOPICS}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"{', '.join(TOPICS)} (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="turns of what is slow; fast things get more (default: 5)"
    )
    parser.add_argument("--corpora", type=Path, help="folder that holds POP909 (default: $SYMGEN_CORPORA)")
    parser.add_argument("--save", action="store_true", help=f"write {RESULTS.parent.name}/{RESULTS.name}")
    for module in modules.values():
        module.add_options(parser)
    options = parser.parse_args(arguments)
    unknown = [topic for topic in options.topics if topic not in TOPICS]
    if unknown:
        parser.error(f"topic {unknown[0]!r}: expected one of {', '.join(TOPICS)}")
    if options.corpora:
        os.environ["SYMGEN_CORPORA"] = str(options.corpora)
    facts, found = head(), []
    print("\n".join(f"- {name}: {value}" for name, value in facts.items()), end="\n\n", flush=True)
    for topic in options.topics or TOPICS:
        try:
            measured = modules[topic].tables(options)
        except SymgenError as error:  # what is missing here must not cost the other topics
            print(f"{topic}: {error}\n", flush=True)
            continue
        for table in measured:
            lines = table_lines(table) if isinstance(table, Table) else table.lines()
            print("\n".join(lines), flush=True)
        found += measured
    if options.save:
        save_results(RESULTS, facts, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
