"""The page's modules as one script: sixty requests become one, without a build step and without Node.

It reads the few forms in which this project's modules import and export, and refuses any other. Each module becomes a
function that returns what it exports, in the order in which they need each other. Comments that have lines of their own
are left out.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*'([^']+)';[^\S\n]*\n?", re.MULTILINE)
_EXPORT = re.compile(r"^export\s+((?:async\s+)?function|class|const|let)\s+(\w+)", re.MULTILINE)
_EMPTY_EXPORT = re.compile(r"^export \{\};\n?", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)
_COMMENT = re.compile(r"^[^\S\n]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/)[^\S\n]*\n", re.MULTILINE | re.DOTALL)


def bundle(entry: Path) -> str:
    """One module script that does what `entry` does. Raises ValueError where a module has another form."""
    order: dict[Path, int] = {}
    _put_in_order(entry.resolve(), order, ())
    return "\n".join(_as_function(path, order) for path in order)


def _put_in_order(path: Path, order: dict[Path, int], trail: tuple[Path, ...]) -> None:
    """Each module once, behind all that it imports."""
    if path in trail:
        raise ValueError(f"{path} imports itself, by way of {trail[-1]}")
    for target in () if path in order else _imports(path):
        _put_in_order(target, order, (*trail, path))
    order.setdefault(path, len(order))


def _imports(path: Path) -> list[Path]:
    return [(path.parent / target).resolve() for _, target in _IMPORT.findall(path.read_text("utf-8"))]


def _as_function(path: Path, order: dict[Path, int]) -> str:
    def taken(match: re.Match[str]) -> str:
        names = re.sub(r"\s+as\s+", ": ", match[1]).strip().rstrip(",")
        return f"const {{ {names} }} = m{order[(path.parent / match[2]).resolve()]};\n"

    text = _EMPTY_EXPORT.sub("", _COMMENT.sub("", _IMPORT.sub(taken, path.read_text("utf-8"))))
    names = [name for _, name in _EXPORT.findall(text)]
    text = _EXPORT.sub(r"\1 \2", text)
    if other := _OTHER.search(text):
        raise ValueError(f"{path}: {other[0]!r} is no form of import or export that can be bundled")
    return f"const m{order[path]} = (() => {{\n{text}return {{ {', '.join(names)} }};\n}})();"
