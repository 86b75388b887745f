"""`python -m bench`: the service against the limits of its kind and its peers, in turn, medians of three.

--all          every peer and every size, within an hour; else the C loop, the empty route and Nchan, in ten minutes
--only NAME    one of the measures; may be given several times
--rounds N     three unless told
--write FILE   write the page there, and the plot beside it
--from FILE    no measuring: the figures of an earlier run, which is kept in .bench/results.json
"""

import argparse
import resource
import signal
import sys
import time
from pathlib import Path

from bench import machine
from bench import plot
from bench import report
from bench.built import FOLDER
from bench.built import build
from bench.case import Case
from bench.cases import MEASURES
from bench.cases import cases
from bench.results import Results

ROUNDS = 3
# What `make bench` and `make bench-all` may take; a round that would end later is left out, and the output says so.
LIMIT_S = 600.0
LIMIT_ALL_S = 3600.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", action="append", choices=MEASURES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--from", type=Path, dest="earlier")
    asked = parser.parse_args()
    if asked.earlier:
        results = Results.load(asked.earlier)
    else:
        wanted = [
            case for case in cases(asked.rounds, every_peer=asked.all) if not asked.only or case.measure in asked.only
        ]
        results = measure(wanted, asked.rounds, LIMIT_ALL_S if asked.all else LIMIT_S)
    print(f"\n{report.text(results)}")
    if asked.write:
        report.write(results, asked.write)
        plot.draw(results, asked.write.with_suffix(".svg"))


def measure(wanted: list[Case], rounds: int, limit_s: float) -> Results:
    """Round by round, so that all targets meet the same moods of the machine."""
    # Each stream is an open file, here and in the servers that are started from here.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    build()
    # Ended from outside, it still ends the server that it measures.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(f"ended by signal {number}"))
    about = {**machine.about(), "rounds": str(rounds)}
    results, started_s, latest_s = Results(about), time.monotonic(), 0.0
    for case in wanted:
        if case.once:
            _run(case, 0, results)
    for number in range(1, rounds + 1):
        round_s = time.monotonic()
        if round_s - started_s + latest_s > limit_s:
            results.fail(f"{number - 1} of {rounds} rounds: one more would not have ended within {limit_s:g} s.")
            break
        for case in wanted:
            if not case.once:
                _run(case, number, results)
        latest_s = time.monotonic() - round_s
    # Those that were installed on the way.
    results.about["peers"] = machine.peers()
    results.save(FOLDER / "results.json")
    return results


def _run(case: Case, number: int, results: Results) -> None:
    print(f"{number} {case.measure} {case.target}", end="", flush=True)
    before_s = time.monotonic()
    try:
        for figures in case.run():
            results.add(case.target, figures)
    except Exception as error:
        # One that cannot run, whatever it dies of, must not take the others with it.
        said = " ".join(str(error).split())[:300]
        results.fail(f"{case.target}, {case.measure}: {said or type(error).__name__}")
        print(f": {type(error).__name__} {said}", end="")
    results.save(FOLDER / "results.json")
    print(f" ({time.monotonic() - before_s:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
