"""`python -m bench`: the service against a bare loop in C, in turn, medians of three."""

from statistics import median

from bench.fanout import Figures
from bench.fanout import measure
from bench.target import build
from bench.target import c_loop
from bench.target import ours

ROUNDS = 3
# streams, messages a second (0: as fast as they are delivered), seconds, messages on their way at once
SHAPES = [(500, 5.0, 6.0, 1), (2000, 5.0, 6.0, 1), (500, 0.0, 4.0, 8)]


def main() -> None:
    build()
    for streams, rate, seconds, window in SHAPES:
        pace = f"{rate:g} messages a second" if rate else "as fast as they are delivered"
        print(f"\nroom of {streams}, {pace}")
        found: dict[str, list[Figures]] = {}
        for _ in range(ROUNDS):
            for target in (c_loop, ours):
                with target() as server:
                    figures = measure(server, streams=streams, rate=rate, seconds=seconds, window=window)
                    found.setdefault(server.name, []).append(figures)
        floor_us = median(one.cpu_us for one in found["C epoll loop"])
        for name, rounds in found.items():
            print(_line(name, rounds, floor_us))


def _line(name: str, rounds: list[Figures], floor_us: float) -> str:
    cpu_us = median(one.cpu_us for one in rounds)
    parts = [
        f"  {name:<14} {cpu_us:6.1f} µs a delivery = {cpu_us / floor_us:4.2f} × C",
        f"p50 {median(one.p50_ms for one in rounds):5.1f} ms",
        f"p99 {median(one.p99_ms for one in rounds):5.1f} ms",
        f"{median(one.deliveries_per_s for one in rounds):8.0f} deliveries/s",
        f"opening {median(one.opening_us for one in rounds):5.0f} µs",
        f"missing {sum(one.missing for one in rounds)}",
    ]
    return ", ".join(parts)


if __name__ == "__main__":
    main()
