"""One client is one address, however a proxy writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.web.client_address import NO_ADDRESS
from chatapp.web.client_address import canonical

V4 = ("203.0.113.8", "203.0.113.8:5000", " 203.0.113.8 ", '"203.0.113.8:1"', "::ffff:203.0.113.8", "::FFFF:cb00:7108")
V4_IN_V6 = ("[::ffff:203.0.113.8]:5000", "[::ffff:cb00:7108]", "0:0:0:0:0:ffff:cb00:7108", "::ffff:203.0.113.8%eth0")
V6 = (
    "2001:db8::1",
    "[2001:db8::1]",
    "[2001:db8::1]:5000",
    "2001:DB8:0:0:0:0:0:1",
    "2001:db8::ffff:1",
    "2001:db8::1%eth0",
)
V6_MORE = ("2001:db8:0:0:1:2:3:4:5000", "[2001:db8::1%25eth0]:80", "2001:db8:0:0:ffff:ffff:ffff:ffff")
NONE = (
    "",
    "unknown",
    "_hidden",
    "203.0.113",
    "203.0.113.256",
    "010.0.0.1",
    "[",
    "[]",
    "]:1",
    "::1::",
    "\xff",
    "a:b",
    ":",
    "1",
)


def test_ipv4() -> None:
    assert {canonical(text) for text in V4 + V4_IN_V6} == {"203.0.113.8"}
    assert canonical("203.0.113.9") == "203.0.113.9"


def test_ipv6_is_counted_by_network() -> None:
    assert {canonical(text) for text in V6 + V6_MORE} == {"2001:db8::/64"}
    assert canonical("2001:db8:0:1::1") == "2001:db8:0:1::/64"


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_address_counts_together(text: str) -> None:
    assert canonical(text) == NO_ADDRESS


@given(st.text() | st.text(alphabet="0123456789abcdef:.[]%"))
def test_nothing_raises(text: str) -> None:
    assert canonical(text)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_a_port_changes_nothing(address: object, port: int) -> None:
    alone = str(address)
    with_port = f"[{alone}]:{port}" if ":" in alone else f"{alone}:{port}"
    assert canonical(with_port) == canonical(alone) != NO_ADDRESS
