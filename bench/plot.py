"""The plot of a run: what each target needs for a delivery, a stream, and how late it is."""

from pathlib import Path
from typing import Any

from bench import ours
from bench.results import Results

# Title, name of the figure, divisor.
PANELS = [
    ("CPU per delivery, room of 500 (µs)", "fanout_500.cpu_us", 1),
    ("delivery p99, room of 500 (ms)", "fanout_500.p99_ms", 1),
    ("memory of an idle stream, 10,000 open (KiB)", "idle_10000.bytes", 1024),
    ("deliveries a second, saturated (thousands)", "saturated.per_s", 1000),
]
# Told apart without colour too: the service is dark, the others are light.
OURS_COLOUR, OTHER_COLOUR = "#1f4e79", "#b8c4d0"


def draw(results: Results, path: Path) -> None:
    """Write an SVG. The same figures give the same file. Raises ImportError without the extra `bench`."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "bench"
    matplotlib.rcParams["font.size"] = 9
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, 2, figsize=(10, 6))
    for panel, (title, name, divisor) in zip(panels.flat, PANELS, strict=True):
        _bars(panel, results, title, name, divisor)
    figure.suptitle(f"chatapp and its peers, {results.about.get('date', '')}")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _bars(panel: Any, results: Results, title: str, name: str, divisor: float) -> None:
    shown = [target for target in results.figures if results.get(target, PANELS[0][1])]
    found = {target: (results.get(target, name) or 0) / divisor for target in shown}
    order = sorted(found, key=lambda target: found[target], reverse=True)
    colours = [OURS_COLOUR if target == ours.NAME else OTHER_COLOUR for target in order]
    bars = panel.barh(order, [found[target] for target in order], color=colours)
    panel.bar_label(bars, labels=[_label(found[target]) for target in order])
    panel.set_title(title, fontsize=10)
    # Room for the labels.
    panel.margins(x=0.15)
    panel.spines[["top", "right"]].set_visible(False)


def _label(value: float) -> str:
    return f" {value:,.3g}" if value else " could not"
