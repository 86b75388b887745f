"""Another machine's clock against this one's."""

from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.eventlog import AHEAD_MAX_MS

# Clocks that NTP keeps are within milliseconds; the way there and back adds some.
CLOCK_WARNING_S = 1.0
# A cursor from a worker whose clock is this far ahead may be refused by the others.
CLOCK_ERROR_S = AHEAD_MAX_MS / 1000


def judge(part: str, ahead_s: float) -> Finding:
    """Ids and times come from the workers' clocks; the server's tells whether this machine's is right."""
    if abs(ahead_s) <= CLOCK_WARNING_S:
        return ok(part, f"its clock and this machine's are within {CLOCK_WARNING_S:.0f} s")
    side = "ahead of" if ahead_s > 0 else "behind"
    text = f"its clock is {abs(ahead_s):.1f} s {side} this machine's: run NTP on both"
    if abs(ahead_s) <= CLOCK_ERROR_S:
        return warning(part, text)
    return error(part, f"{text}; a cursor more than {CLOCK_ERROR_S:.0f} s ahead of a worker's clock may be refused")
