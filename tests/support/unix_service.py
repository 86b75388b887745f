"""The service as it stands behind nginx: on a unix socket, and on no port."""

import socket

import httpx

from tests.support.service import Service


class UnixService(Service):
    """`GUNICORN_CMD_ARGS` has to bind it to `s` in its folder, whose path must be short."""

    def client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self.folder / "s"))
        return httpx.Client(transport=transport, base_url="http://chat/api/v1", timeout=15)

    def ready(self) -> bool:
        if self.process.popen.poll() is not None:
            raise RuntimeError(f"the service ended:\n{self.log()}")
        # httpx does not close a socket that could not be connected.
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(self.folder / "s")):
                return False
        with self.client() as http:
            return http.get("http://chat/readyz").status_code == 200
