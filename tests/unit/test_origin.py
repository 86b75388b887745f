"""Origins in canonical form: what browsers say, what operators write, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.origin import at
from chatapp.origin import canonical
from chatapp.origin import port_of

SAME = {
    "https://app.example:443": "https://app.example",
    "http://app.example:80": "http://app.example",
    "http://app.example:443": "http://app.example:443",
    "HTTPS://App.Example": "https://app.example",
    "http://my_chat:8000": "http://my_chat:8000",
    "http://my_chat:08000": "http://my_chat:8000",
    "https://münchen.example": "https://xn--mnchen-3ya.example",
    "https://MÜNCHEN。example": "https://xn--mnchen-3ya.example",
    "https://xn--mnchen-3ya.example": "https://xn--mnchen-3ya.example",
    "http://[::1]:3000": "http://[::1]:3000",
    "http://[2001:DB8:0:0::1]:80": "http://[2001:db8::1]",
    "http://[::ffff:1.2.3.4]": "http://[::ffff:102:304]",
    "http://127.0.0.1:8000": "http://127.0.0.1:8000",
    "https://app.example.": "https://app.example.",
}
NONE = (
    *("", "null", "app.example", "https://", "https://:8000", "https://app.example/", "https://app.example/x"),
    *("https://app.example?x", "https://app.example#x", "https://user@app.example", "https://*.example", "https://*"),
    *("https://app.example:", "https://app.example:0", "https://app.example:65536", "https://app.example:http"),
    *("ftp://app.example", "https://a..example", "https://.", "https://a b", "https://1.2.3", "https://1.2.3.400"),
    *(
        "https://[::1",
        "https://[]",
        "https://[fe80::1%25eth0]",
        "https://::1",
        "https://a,https://b",
        "https://\xff\x00",
    ),
)


@pytest.mark.parametrize("origin", SAME)
def test_one_origin_has_one_form(origin: str) -> None:
    assert canonical(origin) == SAME[origin]
    assert canonical(SAME[origin]) == SAME[origin]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_origin(text: str) -> None:
    assert canonical(text) is None


@given(st.text() | st.text(alphabet="htps:/[]%.@0123456789aé_xn-\xad。").map("https://".__add__))
def test_nothing_raises_and_the_form_is_stable(text: str) -> None:
    form = canonical(text)
    assert form is None or (canonical(form) == form and form.isascii())
    assert port_of(text) is None or port_of(text) in range(100_000)


def test_where_a_host_header_leads() -> None:
    assert at("https", "Chat.Example:443") == "https://chat.example"
    assert at("javascript", "chat.example") is None
    assert (port_of("chat.example:8201"), port_of("[::1]:8201"), port_of("[::1]"), port_of("")) == (
        8201,
        8201,
        None,
        None,
    )
