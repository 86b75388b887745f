"""How many files, and so how many sockets, this process may have open."""

import resource
from contextlib import suppress

# What stands for "no limit": as many as Linux gives a process unless told otherwise (fs.nr_open).
UNLIMITED = 1_048_576


def file_limit() -> int:
    """How many descriptors this process may have now."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED if soft == resource.RLIM_INFINITY else soft


def raise_file_limit() -> None:
    """Take as many as the system allows: the soft limit is only where a process begins."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "no limit" and refuses it.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
