"""The page as it is served, and the service behind a proxy."""

import json
import re

import httpx

from tests.conftest import Start
from tests.support.service import Service


def test_the_page_is_served_under_a_strict_policy(service: Service) -> None:
    for path in ("/", "/rooms/general", "/?transport=poll", "/rooms/general?a=1&transport=poll"):
        page = httpx.get(service.url + path)
        assert page.status_code == 200
        assert page.headers["Content-Type"].startswith("text/html")
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["Cache-Control"] == "no-cache"
        assert "<script>" not in page.text
        assert " style=" not in page.text
        assert "//" not in page.text.replace("http://www.w3.org", "").split("<body", 1)[0].replace("<!--", "")


def files_of(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/static/[^"]+)"', page)


def test_60_files_are_kept_for_a_year_and_come_compressed(service: Service) -> None:
    paths = files_of(httpx.get(service.url).text)
    assert {path.split("/", 3)[3] for path in paths} >= {"page.css", "page.js", "js/page/early.js", "js/legacy.js"}
    for path in paths:
        file = httpx.get(service.url + path, headers={"Accept-Encoding": "gzip"})
        assert file.status_code == 200
        assert "immutable" in file.headers["Cache-Control"]
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in file.headers["Content-Security-Policy"]
        if path.endswith((".js", ".css")) and len(file.content) > 2000:
            assert file.headers["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in file.headers["Vary"]


def test_60_a_cold_start_is_light(service: Service) -> None:
    page = httpx.get(service.url)
    kept = [path for path in files_of(page.text) if "legacy" not in path]
    headers = {"Accept-Encoding": "gzip"}
    sizes = []
    for path in ["/", *kept]:
        with httpx.stream("GET", service.url + path, headers=headers) as answer:
            sizes.append(sum(len(part) for part in answer.iter_raw()))
    assert sum(sizes) <= 100_000, dict(zip(["/", *kept], sizes, strict=True))


def test_a_page_of_another_version_is_given_the_file_of_this_one(service: Service) -> None:
    current = next(path for path in files_of(httpx.get(service.url).text) if path.endswith("page.js"))
    other = re.sub(r"[0-9a-f]{12}", "0123456789ab", current)
    file = httpx.get(service.url + other)
    assert file.content == httpx.get(service.url + current).content
    assert "immutable" not in file.headers["Cache-Control"]
    again = httpx.get(service.url + other, headers={"If-None-Match": file.headers["ETag"]})
    assert again.status_code == 304
    assert httpx.get(f"{service.url}/static/0123456789ab/nothing.js").status_code == 404


def test_the_service_worker_and_the_manifest_know_where_the_service_stands(start_service: Start) -> None:
    behind = start_service("sqlite", CHATAPP_PROXIES="1")
    forwarded = {"X-Forwarded-Prefix": "/talk"}
    worker = httpx.get(f"{behind.url}/service_worker.js", headers=forwarded)
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert worker.headers["Cache-Control"] == "no-cache"
    facts = json.loads(worker.text.partition("self.PAGE = ")[2].partition(";\n")[0])
    assert facts["root"] == "/talk"
    for path in facts["shell"]:
        assert path.startswith("/talk/static/")
        assert httpx.get(behind.url + path.removeprefix("/talk")).status_code == 200
    manifest = httpx.get(f"{behind.url}/manifest.webmanifest", headers=forwarded).json()
    assert manifest["start_url"] == "/talk/"
    for icon in manifest["icons"]:
        assert httpx.get(behind.url + icon["src"].removeprefix("/talk")).status_code == 200


def test_old_browsers_have_a_page_of_their_own(service: Service) -> None:
    for query, own in (
        ("", False),
        ("?transport=poll", True),
        ("?transport=stream", False),
        ("?transport=polls", False),
    ):
        for path in ("/", "/rooms/general"):
            page = httpx.get(service.url + path + query).text
            assert ('id="legacy"' in page) is own, (path, query)
            assert ('type="module"' in page) is not own


def test_health(service: Service) -> None:
    assert httpx.get(f"{service.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{service.url}/readyz").json() == {"status": "ok", "database": "ok", "redis": "ok"}
    # Probes get around caches in their own ways.
    for path in ("/healthz?t=1763781234&x", "/readyz?probe=1", "/readyz/?a=%ff"):
        assert httpx.get(service.url + path).status_code == 200
    for path in ("/metrics", "/docs"):
        assert httpx.get(service.url + path).status_code == 200


def test_a_proxy_is_believed_only_if_there_is_one(start_service: Start) -> None:
    forwarded = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "chat.example",
        "X-Forwarded-Prefix": "/talk",
        "Origin": "https://chat.example",
    }
    behind = start_service("sqlite", CHATAPP_PROXIES="1")
    answer = httpx.post(f"{behind.url}/api/v1/session", json={"name": "Ada"}, headers=forwarded)
    assert answer.status_code == 201, answer.text
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Path=/talk" in answer.headers["Set-Cookie"]
    page = httpx.get(f"{behind.url}/", headers=forwarded)
    assert re.search(r'"/talk/static/[0-9a-f]{12}/page.js"', page.text)
    exposed = start_service("sqlite")
    refused = httpx.post(f"{exposed.url}/api/v1/session", json={"name": "Ada"}, headers=forwarded)
    assert (refused.status_code, refused.json()["code"]) == (403, "bad_origin")
