"""Web origins in their one canonical form, as browsers write them in `Origin` (WHATWG URL). Pure.

Scheme and host in lower case, IDNs in punycode, IPv6 in brackets and shortened, no default port.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address
from ipaddress import IPv6Address

import idna

DEFAULT_PORTS = {"http": 80, "https": 443}
HOST_MAX = 253
# A browser says its origin with every send; there are few of them.
REMEMBERED = 256

_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::([0-9]{1,5}))?", re.ASCII)
# DNS itself takes more than host names; names of containers have an underscore.
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


@lru_cache(REMEMBERED)
def canonical(origin: str) -> str | None:
    """The origin in canonical form, or None if it is none, such as `null`."""
    scheme, separator, authority = origin.partition("://")
    return at(scheme.lower(), authority) if separator else None


@lru_cache(REMEMBERED)
def at(scheme: str, authority: str) -> str | None:
    """The origin of a site that is reached by this scheme at this host and port, as in a Host header."""
    if scheme not in DEFAULT_PORTS:
        return None
    found = _AUTHORITY.fullmatch(authority)
    host = _host(found[1]) if found else None
    if found is None or host is None:
        return None
    port = int(found[2] or DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        return None
    return f"{scheme}://{host}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"


def port_of(authority: str) -> int | None:
    """The port that a Host header names, if it does."""
    found = _AUTHORITY.fullmatch(authority)
    return int(found[2]) if found and found[2] else None


def _host(host: str) -> str | None:
    if host.startswith("["):
        return _ipv6(host[1:-1])
    try:
        labels = [_label(label) for label in _lower(host).split(".")]
    except (idna.IDNAError, ValueError, IndexError):
        return None
    # A name may end in the empty label of the root.
    named = labels[:-1] if len(labels) > 1 and not labels[-1] else labels
    if not all(_LABEL.fullmatch(label) for label in named):
        return None
    host = ".".join(labels)
    if len(host) > HOST_MAX or (_NUMBER.fullmatch(named[-1]) and not _ipv4(host)):
        return None
    return host


def _lower(host: str) -> str:
    return host.lower() if host.isascii() else idna.uts46_remap(host, std3_rules=False, transitional=False)


def _label(label: str) -> str:
    return label if label.isascii() else idna.alabel(label).decode()


def _ipv4(host: str) -> bool:
    """Browsers take a name that ends in a number for an address."""
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False


def _ipv6(host: str) -> str | None:
    try:
        address = IPv6Address(host)
    except ValueError:
        return None
    if address.scope_id is not None:
        return None
    mapped = address.ipv4_mapped
    if mapped is not None:
        # Python changed its mind about these; browsers write them like all others.
        return f"[::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}]"
    return f"[{address.compressed}]"
