"""`python -m tests.faults [--only TEXT] [--database sqlite|postgres]`: every case, a line each."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.cases import CASES
from tests.faults.lab import run


def main() -> int:
    """Returns how many cases broke a promise, at most 100: an exit status has eight bits."""
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--database", choices=["sqlite", "postgres"])
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    bad = 0
    for case in CASES:
        for database in case.databases:
            if chosen.only in case.name and chosen.database in (None, database):
                result = run(case, database, folder / f"{case.name.replace(' ', '-')}-{database}")
                print(result, flush=True)
                bad += not result.good
    return min(bad, 100)


if __name__ == "__main__":
    sys.exit(main())
