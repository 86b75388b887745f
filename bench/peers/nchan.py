"""Nchan, Debian's: nginx that holds the streams itself."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import request
from bench.gunicorn import APPS
from bench.target import CannotRun
from bench.target import Target
from bench.target import running
from bench.tree import Tree
from tests.support.processes import free_port

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


@contextmanager
def nchan() -> Iterator[Target]:
    if not MODULE.exists() or shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
        raise CannotRun("libnginx-mod-nchan is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as folder:
        settings = Path(folder) / "nginx.conf"
        settings.write_text((APPS / "nginx.conf").read_text().replace("FOLDER", folder).replace("PORT", str(port)))
        with running(["/usr/sbin/nginx", "-p", folder, "-e", "stderr", "-c", str(settings)], port) as process:
            stream, send = request.get("/stream", Accept="text/event-stream"), request.post("/send", request.MESSAGE)
            yield Target("Nchan", port, Tree(process.pid), [stream], [send])
