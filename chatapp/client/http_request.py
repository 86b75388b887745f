"""`HttpRequest`: a call as httpx sends it, and what httpx says when there was no answer; the same for both twins."""

import re
from http.cookiejar import CookieJar
from http.cookiejar import DefaultCookiePolicy

import httpx

from chatapp.client.errors import NoAnswer
from chatapp.client.step import Call

# A stream that is compressed on its way is held back on its way.
_AS_IT_IS = {"Accept-Encoding": "identity"}
_WITH_PASSWORD = re.compile(r"[^/?#]*//[^/?#]*@")
_TOKEN = re.compile(r"[!-~]+")


def base_url(url: str) -> str:
    """The address of the API of the service at this one, which may have a path. Raises ValueError."""
    if _WITH_PASSWORD.match(url):
        # Which would stand in the place of the token, and in logs.
        raise ValueError("the address of a service has no user and password in it")
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.host or parts.query or parts.fragment:
        raise ValueError(
            f"{url!r} is not the address of a service, such as https://chat.example or https://example/chat"
        )
    return f"{url.rstrip('/')}/api/v1/"


def check_token(token: str) -> None:
    """Raises ValueError for what cannot stand in a header. The text does not say it: it may be nearly the token."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("a token is of printable characters of ASCII, without spaces, and not empty")


def no_cookies() -> CookieJar:
    """The session is in the header; a cookie beside it would only be in the way."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def request_of(http: httpx.Client | httpx.AsyncClient, call: Call, token: str | None) -> httpx.Request:
    content = call.content()
    headers = {**_AS_IT_IS, **call.headers}
    if content is not None:
        headers["Content-Type"] = "application/json"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    query = call.query or None
    return http.build_request(
        call.method, call.path, content=content, headers=headers, params=query, timeout=call.within_s
    )


def no_answer(error: httpx.HTTPError) -> NoAnswer:
    reason = str(error) or type(error).__name__
    return NoAnswer(reason, timed_out=isinstance(error, httpx.TimeoutException))
