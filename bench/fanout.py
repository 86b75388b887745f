"""Fan-out: what one delivery of one message to one stream costs the server, and how long it takes."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.target import BUILT
from bench.target import Target

# So much longer than it should take; then the load itself gives up.
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Figures:
    """`cpu_us` of the server per delivery; latency from just before the send to the arrival at the stream."""

    target: str
    cpu_us: float
    opening_us: float
    p50_ms: float
    p99_ms: float
    missing: int
    deliveries_per_s: float


def measure(target: Target, *, streams: int, rate: float, seconds: float, window: int = 1) -> Figures:
    """Open the streams, send at this rate for so long (0: as fast as they are delivered), wait for the last one.

    Raises RuntimeError when the load could not do its work.
    """
    with tempfile.TemporaryDirectory() as folder:
        requests, sends = Path(folder) / "requests", Path(folder) / "sends"
        requests.write_text("\n".join(target.requests) + "\n")
        sends.write_text("\n".join(target.sends) + "\n")
        command = [str(BUILT / "load"), str(target.port), str(streams), str(requests), str(sends)]
        before_s = target.cpu_s()
        load = subprocess.Popen(
            [*command, str(rate), str(seconds), str(window)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert load.stdout is not None
        opened = _said(load.stdout.readline(), "open")
        opened_s = target.cpu_s()
        out, _ = load.communicate("go\n", timeout=seconds + PATIENCE_S)
        done = _said(out, "done")
        spent_s = target.cpu_s() - opened_s
    if opened["ended"] or done["refused"] or not done["delivered"]:
        raise RuntimeError(f"{target.name}: {opened} {done}")
    return Figures(
        target.name,
        spent_s / done["delivered"] * 1e6,
        (opened_s - before_s) / streams * 1e6,
        done["p50_ms"],
        done["p99_ms"],
        done["missing"],
        done["delivered"] / done["seconds"],
    )


def _said(line: str, word: str) -> dict[str, Any]:
    if not line.startswith(f"{word} "):
        raise RuntimeError(f"the load said {line!r}, not {word}")
    found: dict[str, Any] = json.loads(line.removeprefix(f"{word} "))
    return found
