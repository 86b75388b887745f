"""nginx and Caddy as `deploy/` sets them up, with the places and names of a test in it."""

import ssl
from collections.abc import Callable
from pathlib import Path

from tests.support.certificate import certificate_in
from tests.support.processes import Process
from tests.support.processes import answers
from tests.support.processes import binary
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.service import ROOT

DEPLOY = ROOT / "deploy"
# What Debian's nginx.conf has around the files of conf.d.
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 1024; }}
http {{
    log_format connections '$connection $server_protocol $status $request_uri $http_x_request_id $request_id';
    access_log {folder}/access.log connections;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


CADDY = """{
	admin off
	auto_https disable_redirects
	skip_install_trust
}
"""


class WebServer:
    """Starts at once, with TLS at `url`. `folder` holds its files, its log, and the certificate to believe."""

    def __init__(self, folder: Path, url: str, command: list[str], certificate: Path) -> None:
        self.folder = folder
        self.url = url
        self.tls = ssl.create_default_context(cafile=str(certificate))
        env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self.process = Process(command, folder / "server.log", env=env)
        try:
            wait_until(self._answers, what=command[0])
        except TimeoutError:
            self.stop()
            raise TimeoutError(self.process.output()) from None

    def stop(self) -> None:
        self.process.stop()

    def _answers(self) -> bool:
        if self.process.popen.poll() is not None:
            raise TimeoutError(self.process.output())
        return answers(self.url, self.tls)


def nginx(folder: Path, site: str) -> WebServer:
    """`site` stands within http; `{port}`, `{certificate}` and `{key}` in it are filled in."""
    folder.mkdir(parents=True)
    certificate, key = certificate_in(folder)
    port = free_port()
    site = site.replace("{port}", str(port)).replace("{certificate}", str(certificate)).replace("{key}", str(key))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, site=site))
    command = [binary("nginx", "/usr/sbin"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return WebServer(folder, f"https://127.0.0.1:{port}", command, certificate)


def nginx_alone(folder: Path, service: Path) -> WebServer:
    """deploy/nginx/chat.conf in front of a service on this socket."""
    text = (DEPLOY / "nginx" / "chat.conf").read_text()
    changed = replaced(
        text,
        {
            "unix:/run/chatapp/chat.sock": f"unix:{service}",
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "    listen [::]:80;\n": "",
            "listen 443 ssl http2;": "listen 127.0.0.1:{port} ssl http2;",
            "    listen [::]:443 ssl http2;\n": "",
            "/etc/letsencrypt/live/chat.example.org/fullchain.pem": "{certificate}",
            "/etc/letsencrypt/live/chat.example.org/privkey.pem": "{key}",
            "/etc/nginx/chat-proxy.conf": str(DEPLOY / "nginx" / "proxy.conf"),
        },
    )
    return nginx(folder, changed)


def caddy(folder: Path, service: Path) -> WebServer:
    """deploy/Caddyfile in front of a service on this socket."""
    folder.mkdir(parents=True)
    certificate, key = certificate_in(folder)
    port = free_port()
    text = replaced(
        (DEPLOY / "Caddyfile").read_text(),
        {
            "chat.example.org {": f"https://127.0.0.1:{port} {{\n\ttls {certificate} {key}",
            "/run/chatapp/chat.sock": str(service),
        },
    )
    (folder / "Caddyfile").write_text(
        "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n" + text
    )
    command = [binary("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    return WebServer(folder, f"https://127.0.0.1:{port}", command, certificate)


Front = Callable[[Path, Path], WebServer]


def replaced(text: str, changes: dict[str, str]) -> str:
    """Each of these must stand in the text: what is tested is what is delivered, but for names and places."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text
