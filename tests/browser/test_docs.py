"""`/docs` in a browser: readable for everybody, on a phone too, and nothing is asked of another host."""

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import expect

from .test_looks import findings

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_page_of_the_api_is_for_everybody(
    browser: Browser, service_url: str, scheme: str, size: dict[str, int]
) -> None:
    context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{service_url}/docs")
    page.get_by_role("link", name="Send a message").click()
    expect(page.get_by_role("heading", name="Send a message")).to_be_in_viewport()
    assert findings(page) == []
    assert complaints == []
    assert all(url.startswith(service_url) for url in asked)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_the_page_works_without_scripts(browser: Browser, service_url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service_url}/docs")
    call = page.locator("#sendMessage")
    expect(call.get_by_text("local_id_reused")).to_be_hidden()
    call.get_by_text("Refusals", exact=True).click()
    expect(call.get_by_text("local_id_reused")).to_be_visible()
    context.close()
