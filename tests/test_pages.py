"""The page as it is served, and the service behind a proxy."""

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
    module = httpx.get(f"{service.url}/static/js/page/main.js")
    assert module.headers["Content-Type"].startswith("text/javascript")
    again = httpx.get(f"{service.url}/static/js/page/main.js", headers={"If-None-Match": module.headers["ETag"]})
    assert again.status_code == 304


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
    for later in ("/metrics", "/docs"):
        assert httpx.get(service.url + later).status_code == 404


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
    assert '"/talk/static/js/page/main.js"' in page.text
    exposed = start_service("sqlite")
    refused = httpx.post(f"{exposed.url}/api/v1/session", json={"name": "Ada"}, headers=forwarded)
    assert (refused.status_code, refused.json()["code"]) == (403, "bad_origin")
