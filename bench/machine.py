"""What a run was measured on: date, machine, versions."""

import os
import platform
import re
import shutil
import subprocess
from datetime import UTC
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench import venv

PACKAGES = ("flask", "gevent", "greenlet", "gunicorn", "redis", "sqlalchemy")
PROGRAMS = {
    "redis-server": ["redis-server", "--version"],
    "PostgreSQL": ["psql", "--version"],
    "nginx": ["/usr/sbin/nginx", "-v"],
    "Nchan": ["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"],
    "Node": ["node", "--version"],
    "cc": ["cc", "--version"],
}


def about() -> dict[str, str]:
    """By heading: `date`, `commit`, `machine`, `ours`, `programs`, `peers`."""
    programs = {name: found for name, command in PROGRAMS.items() if (found := _version(command))}
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _said(["git", "rev-parse", "--short", "HEAD"]) + (" and changes" if _changed() else ""),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} {platform.release()}",
        "ours": _listed({"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}),
        "programs": _listed(programs),
        "peers": peers(),
    }


def peers() -> str:
    return _listed(venv.versions())


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _changed() -> bool:
    """Whether what is measured differs from the commit."""
    return bool(_said(["git", "status", "--porcelain", "--", "chatapp", "gunicorn.conf.py", "wsgi.py"]))


def _version(command: list[str]) -> str:
    found = re.search(r"v?=?(\d+[.:][\w.:+~-]+)", _said(command))
    return found[1] if found else ""


def _said(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return (done.stdout or done.stderr).strip()


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())
