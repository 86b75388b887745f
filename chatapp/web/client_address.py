"""The address of a client as it is counted, however the proxy in front writes it. Pure."""

from ipaddress import IPv4Address
from ipaddress import IPv6Address
from ipaddress import IPv6Network
from ipaddress import ip_address

# What is no address counts together: such as the peers of a unix socket, or a proxy's `unknown` and `_hidden`.
NO_ADDRESS = "none"
# What a provider gives to one subscriber, who may take any address in it.
SUBSCRIBER_BITS = 64


def canonical(text: str) -> str:
    """One text for one client: without port, brackets and zone; IPv6 by its network, or as the IPv4 in it."""
    address = _address(text.strip().strip('"'))
    if address is None:
        return NO_ADDRESS
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), SUBSCRIBER_BITS), strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("["):
        return _parsed(text[1:].partition("]")[0])
    # An IPv6 address comes first: what looks like its port is a part of it.
    return _parsed(text) or _parsed(text.rpartition(":")[0])


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
