"""`losing_packets`: a port of this machine to and from which some packets do not arrive."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.processes import binary

# Not on everybody's PATH.
SBIN = "/usr/sbin"


@contextmanager
def losing_packets(port: int, part: float) -> Iterator[None]:
    """By chance that part of all TCP packets, both ways. Takes the right to change the rules of the network."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    by_chance = ["-m", "statistic", "--mode", "random", "--probability", str(part), "-j", "DROP"]
    rules = [["INPUT", "-i", "lo", "-p", "tcp", side, str(port), *by_chance] for side in ("--dport", "--sport")]
    made: list[list[str]] = []
    try:
        for rule in rules:
            subprocess.run([*as_root, binary("iptables", SBIN), "-w", "-A", *rule], check=True)
            made.append(rule)
        yield
    finally:
        for rule in made:
            subprocess.run([*as_root, binary("iptables", SBIN), "-w", "-D", *rule], check=True)
