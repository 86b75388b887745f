"""What `deploy/` sets up, as far as it can be set up here: nginx and Caddy for real, the rest by its own checkers."""

import asyncio
import json
import os
import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from playwright.sync_api import Browser
from playwright.sync_api import expect

from tests.conftest import Start
from tests.support import own_loop
from tests.support.open_folder import open_folder
from tests.support.processes import binary
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import WIDE
from tests.support.service import Service
from tests.support.unix_service import UnixService
from tests.support.web_server import DEPLOY
from tests.support.web_server import Front
from tests.support.web_server import WebServer
from tests.support.web_server import caddy
from tests.support.web_server import nginx
from tests.support.web_server import nginx_alone
from tests.support.web_server import replaced

TABS = 8
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
PASSWORD = ("office", "open sesame")


@pytest.fixture(scope="module", params=[nginx_alone, caddy], ids=["nginx", "caddy"])
def front(request: pytest.FixtureRequest) -> Iterator[WebServer]:
    make: Front = request.param
    # A socket's path has a limit, which pytest's own folders may exceed.
    port = free_port()
    with open_folder() as folder:
        service = UnixService(
            folder / "service",
            GUNICORN_CMD_ARGS=bound_as_in_the_unit(folder / "service" / "s", port),
            CHATAPP_PROXIES="1",
            WEB_CONCURRENCY="2",
        )
        (folder / "service").chmod(0o755)
        try:
            server = make(folder / "front", folder / "service" / "s")
            # As prometheus.yml has it: past the one in front.
            assert "chat_connections" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
            yield server
            server.stop()
            assert "Traceback" not in service.log()
        finally:
            service.stop()


def bound_as_in_the_unit(path: Path, port: int) -> str:
    [args] = re.findall(r"GUNICORN_CMD_ARGS=([^\"]+)", (DEPLOY / "chatapp.service").read_text())
    [[target]] = [one["targets"] for one in PROMETHEUS["scrape_configs"][0]["static_configs"]]
    places = {"unix:/run/chatapp/chat.sock": f"unix:{path}", target: f"127.0.0.1:{port}", "--umask 007": "--umask 0"}
    return replaced(args, places)


async def sign_in(client: httpx.AsyncClient, name: str) -> dict[str, str]:
    answer = await client.post("/api/v1/session", json={"name": name})
    assert answer.status_code == 201
    client.cookies.clear()
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def tab(client: httpx.AsyncClient, number: int, together: asyncio.Barrier) -> None:
    """A stream that is open, a poll that waits, and sends meanwhile, all at once. Each hears all tabs."""
    who = await sign_in(client, f"Tab {number}")
    cursor = (await client.get("/api/v1/events/poll", headers=who)).json()["cursor"]
    await together.wait()
    everybody = {f"of tab {other}" for other in range(TABS)}

    async def streamed() -> None:
        heard: set[str] = set()
        query = {"since": cursor}
        async with client.stream("GET", "/api/v1/events/stream", params=query, headers=who) as answer:
            assert (answer.http_version, answer.headers.get("content-encoding")) == ("HTTP/2", None)
            async for line in answer.aiter_lines():
                heard |= {one for one in everybody if f'"body":"{one}"' in line}
                if heard == everybody:
                    return

    async def polled() -> None:
        since, heard = cursor, set[str]()
        while heard != everybody:
            query = {"since": since, "wait": "20"}
            document = (await client.get("/api/v1/events/poll", params=query, headers=who)).json()
            since = document["cursor"]
            heard |= {one["message"]["body"] for one in document["events"] if one["type"] == "message.created"}

    async def sent() -> None:
        body = {"localId": f"tab-{number}-{os.urandom(6).hex()}", "body": f"of tab {number}"}
        answer = await client.post("/api/v1/rooms/general/messages", json=body, headers=who)
        assert answer.status_code == 201, answer.text

    await asyncio.gather(streamed(), polled(), sent())


def test_eight_tabs_share_one_connection(front: WebServer) -> None:
    async def all_tabs() -> None:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(
            http2=True, verify=front.tls, base_url=front.url, limits=limits, timeout=30
        ) as client:
            together = asyncio.Barrier(TABS)
            await asyncio.gather(*(tab(client, number, together) for number in range(TABS)))

    own_loop.run(asyncio.wait_for(all_tabs(), 120))
    if (front.folder / "access.log").exists():
        lines = (front.folder / "access.log").read_text().splitlines()
        used = {line.split()[0] for line in lines if "/events/" in line}
        assert len(used) == 1


def test_a_cookie_in_parts_is_one(front: WebServer) -> None:
    """HTTP/2 lets a browser send each of its cookies as a field of its own (RFC 9113, 8.2.3)."""
    with httpx.Client(http2=True, verify=front.tls, base_url=front.url) as client:
        answer = client.post("/api/v1/session", json={"name": "Ada"})
        [(name, value)] = answer.cookies.items()
        assert answer.headers["set-cookie"].endswith("Secure; HttpOnly; Path=/; SameSite=Lax")
        client.cookies.clear()
        for parts in ([f"a=1; {name}={value}"], ["a=1", f"{name}={value}", "b=2"], [f"{name}={value}", "b=2"]):
            who = client.get("/api/v1/session", headers=[("Cookie", part) for part in parts])
            assert (who.status_code, who.json()["user"]["name"]) == (200, "Ada")
        assert client.get("/api/v1/session", headers=[("Cookie", "a=1")]).status_code == 401


def test_what_a_client_says_of_itself_is_not_believed(front: WebServer) -> None:
    """Its address, its scheme, its host: the front says them."""
    lies = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Prefix": "/elsewhere",
        "X-Real-IP": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
    }
    with httpx.Client(http2=True, verify=front.tls, base_url=front.url, headers=lies) as client:
        answer = client.post("/api/v1/session", json={"name": "Eve"}, headers={"Origin": front.url})
        assert answer.status_code == 201
        assert "Secure" in answer.headers["set-cookie"]
        assert "elsewhere" not in answer.headers["set-cookie"]
        refused = client.post("/api/v1/session", json={"name": "Eve"}, headers={"Origin": "https://evil.example"})
        assert refused.status_code == 403
        assert [client.get(path).status_code for path in ("/metrics", "/metrics/")] == [403, 403]


def test_both_logs_have_the_same_id(front: WebServer) -> None:
    with httpx.Client(http2=True, verify=front.tls, base_url=front.url) as client:
        id_ = client.get("/api/v1/session", headers={"X-Request-ID": "of-the-client"}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f-]{32,36}", id_)
    if (front.folder / "access.log").exists():
        # It is written once the answer is out.
        line = f" /api/v1/session of-the-client {id_}"
        wait_until(lambda: line in (front.folder / "access.log").read_text(), what="the line of the log")


def test_a_stream_is_not_held_back_and_ends_as_it_should(front: WebServer) -> None:
    with httpx.Client(http2=True, verify=front.tls, base_url=front.url, timeout=20) as client:
        who = {"Authorization": f"Bearer {client.post('/api/v1/session', json={'name': 'Ada'}).json()['token']}"}
        with client.stream("GET", "/api/v1/events/stream", headers=who) as stream:
            lines = stream.iter_lines()
            assert any(line == "event: ready" for line in lines)
            # Said while the stream is open, and heard before anything else comes.
            body = {"localId": f"held-{os.urandom(6).hex()}", "body": "at once"}
            assert client.post("/api/v1/rooms/general/messages", json=body, headers=who).status_code == 201
            assert any('"body":"at once"' in line for line in lines)
            assert client.delete("/api/v1/session", headers={**who, "Content-Type": "application/json"}).is_success
            assert any("signed_out" in line for line in lines)


def test_eight_real_tabs(front: WebServer, browser: Browser) -> None:
    context = browser.new_context(ignore_https_errors=True, base_url=front.url)
    try:
        pages = [context.new_page() for _ in range(TABS)]
        pages[0].goto("/")
        pages[0].get_by_label("Name").fill("Ada")
        pages[0].get_by_role("button", name="Join chat").click()
        expect(pages[0].locator("#status-text")).to_have_text("Live")
        for page in pages[1:]:
            page.goto("/")
        for number, page in enumerate(pages):
            box = page.get_by_role("textbox", name=re.compile("message", re.IGNORECASE))
            box.fill(f"from real tab {number}")
            box.press("Enter")
        for page in pages:
            for number in range(TABS):
                expect(page.locator(".message", has_text=f"from real tab {number}")).to_have_count(1)
    finally:
        context.close()


@pytest.fixture(scope="module")
def open_to_nginx() -> Iterator[Path]:
    """Its workers are another user's."""
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def under_a_path(start_service: Start, open_to_nginx: Path) -> Iterator[WebServer]:
    """At /talk of a site that asks everybody for a password."""
    service = start_service("sqlite", CHATAPP_PROXIES="1")
    folder = open_to_nginx
    text = replaced(
        (DEPLOY / "nginx" / "under-a-path.conf").read_text(),
        {"127.0.0.1:8000": f"127.0.0.1:{service.port}", "/etc/nginx/chat-proxy.conf": str(DEPLOY / "nginx/proxy.conf")},
    )
    (folder / "passwords").write_text("{}:{{PLAIN}}{}\n".format(*PASSWORD))
    (folder / "passwords").chmod(0o644)
    site = f"""server {{
        listen 127.0.0.1:{{port}} ssl http2;
        ssl_certificate {{certificate}};
        ssl_certificate_key {{key}};
        auth_basic office;
        auth_basic_user_file {folder}/passwords;
        {text}
    }}"""
    server = nginx(folder / "front", site)
    yield server
    server.stop()


def test_it_lives_under_a_path_behind_a_password(under_a_path: WebServer, browser: Browser) -> None:
    """A browser sends the password with each request, and the page's own requests have only the cookie beside it."""
    url = f"{under_a_path.url}/talk/"
    assert httpx.get(url, verify=under_a_path.tls).status_code == 401
    credentials = {"username": PASSWORD[0], "password": PASSWORD[1]}
    context = browser.new_context(ignore_https_errors=True, http_credentials=credentials)
    try:
        page = context.new_page()
        page.goto(under_a_path.url + "/talk")
        assert page.url == url
        page.get_by_label("Name").fill("Ada")
        page.get_by_role("button", name="Join chat").click()
        expect(page.locator("#status-text")).to_have_text("Live")
        box = page.get_by_role("textbox", name=re.compile("message", re.IGNORECASE))
        box.fill("from under a path")
        box.press("Enter")
        expect(page.locator(".message", has_text="from under a path")).to_have_count(1)
        [session] = [one for one in context.cookies() if one["name"].startswith("chatapp_session")]
        assert (session["path"], session["secure"]) == ("/talk", True)
        page.goto(f"{url}lite")
        expect(page.get_by_role("link", name="General")).to_be_visible()
    finally:
        context.close()


def test_programs_live_behind_a_password_too(under_a_path: WebServer) -> None:
    """They have one Authorization field: for the password, which leaves the cookie for the session."""
    basic = {"Authorization": "Basic " + b64encode(":".join(PASSWORD).encode()).decode()}
    with httpx.Client(
        http2=True, verify=under_a_path.tls, base_url=f"{under_a_path.url}/talk", headers=basic
    ) as client:
        assert client.post("/api/v1/session", json={"name": "Bob"}).status_code == 201
        body = {"localId": "behind-a-password", "body": "hello"}
        assert client.post("/api/v1/rooms/general/messages", json=body).status_code == 201
        assert client.get("/api/v1/events/poll", params={"since": "0-0"}).json()["events"]
        assert [client.get(path).status_code for path in ("/metrics", "/metrics/")] == [403, 403]


def run(*command: str, **env: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **env})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_its_rules() -> None:
    promtool = binary("promtool")
    run(promtool, "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    assert all({"summary", "description"} <= one["annotations"].keys() for one in rules)


def dashboard() -> list[str]:
    panels = json.loads((DEPLOY / "grafana" / "chat.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_the_dashboard_asks_what_prometheus_understands(tmp_path: Path) -> None:
    filled = [one.replace("$__rate_interval", "1m").replace("$instance", ".*") for one in dashboard()]
    rules = [{"record": f"chat:panel:{number}", "expr": one} for number, one in enumerate(filled)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run(binary("promtool"), "check", "rules", str(file))


def test_dashboard_and_alerts_know_what_there_is(start_service: Start) -> None:
    """Every name in them is served, and every one that is served is looked at."""
    service: Service = start_service("sqlite")
    served = set(re.findall(r"^# TYPE (chat_\w+)", httpx.get(f"{service.url}/metrics").text, re.MULTILINE))
    alerts = (DEPLOY / "prometheus" / "alerts.yml").read_text()
    named = set(re.findall(r"\bchat_\w+", " ".join([*dashboard(), alerts])))
    looked_at = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    assert looked_at == served


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "chatapp.service"
    unit.write_text(replaced((DEPLOY / "chatapp.service").read_text(), {"/opt/chatapp/bin/chatapp": "/bin/true"}))
    assert run("systemd-analyze", "verify", str(unit)) == ""
    # 10 is open to everything; systemd calls up to 2 good.
    told = run("systemd-analyze", "security", "--offline=true", "--threshold=25", str(unit))
    assert "Overall exposure level" in told


def test_containers_and_their_settings() -> None:
    """Every setting that a file names is one of the README's table."""
    readme = (ROOT / "README.md").read_text()
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", readme, re.MULTILINE)
    known = set(re.findall(r"[A-Z_]+", " ".join(rows)))
    assert set(WIDE) <= known
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    named = set(compose["services"]["chat"]["environment"])
    env = (DEPLOY / "chatapp.env").read_text() + (DEPLOY / "chatapp.service").read_text()
    named |= set(re.findall(r"^(?:Environment=\"?)?([A-Z][A-Z_]+)=", env, re.MULTILINE)) - {"GUNICORN_CMD_ARGS"}
    container = (DEPLOY / "Containerfile").read_text()
    named |= set(re.findall(r"([A-Z_]+)=\S", " ".join(re.findall(r"^ENV (.*)$", container, re.MULTILINE))))
    named |= {one["name"] for one in deployment()["env"]}
    assert named <= known
    copied = re.findall(r"^COPY (\S+)", container, re.MULTILINE)
    assert copied == [".", "--from=build"]


def deployment() -> Any:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
    [found] = [one for one in documents if one["kind"] == "Deployment"]
    return found["spec"]["template"]["spec"]["containers"][0]


def test_kubernetes_takes_the_sample() -> None:
    import kubernetes_validate

    for document in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()):
        kubernetes_validate.validate(document, "1.33", strict=True)
    probes = {
        name: deployment()[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe", "startupProbe")
    }
    assert probes == {"livenessProbe": "/healthz", "readinessProbe": "/readyz", "startupProbe": "/healthz"}
