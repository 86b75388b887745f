"""`python -m tests.faults`: every case of the table on each of its databases, a line each."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.cases import CASES
from tests.faults.figures import write
from tests.faults.lab import run


def main() -> int:
    """Returns how many cases broke a promise, at most 100: an exit status has eight bits."""
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--database", choices=["sqlite", "postgres"])
    parser.add_argument("--write", type=Path, help="put the figures into this file")
    chosen = parser.parse_args()
    if chosen.write is not None and (chosen.only or chosen.database):
        parser.error("only the figures of all cases are written")
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    results = []
    for case in CASES:
        for database in case.databases:
            if chosen.only in case.name and chosen.database in (None, database):
                results.append(run(case, database, folder / f"{len(results):02d}"))
                print(results[-1], flush=True)
    if chosen.write is not None:
        write(chosen.write, results)
    bad = sum(not result.good for result in results)
    print(f"{len(results)} runs, {bad} broke a promise")
    return min(bad, 100)


if __name__ == "__main__":
    sys.exit(main())
