"""`HostToken`: the claims of a JWT by which the host application says who its user is."""

import json
import time
from base64 import urlsafe_b64decode
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import jwt

from chatapp.config import Config
from chatapp.errors import Unauthenticated
from chatapp.people.membership import ROOMS_MAX
from chatapp.wire import schemas

# How far the host's clock and this machine's may be apart.
LEEWAY = timedelta(seconds=60)
SUBJECT_MAX = 200
# The first of January 2200: leaves room for whatever is added to it.
EXPIRY_MAX_S = 7_258_118_400
# The order of the curve P-256 (FIPS 186-4, D.1.2.3).
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_BYTES = 32


def looks_like_host_token(token: str) -> bool:
    """Whether it has the form of a JWT: three parts. `HostToken.read` says what it is worth."""
    return token.count(".") == 2


def canonical(token: str) -> str:
    """The one spelling of a host's token, by which its session is known. Raises Unauthenticated for any other.

    Base64 leaves room for padding, spare bits and more, and ES256 for a second signature: whoever has (r, s) also has
    (r, n - s). Each would be a new session of a token that was signed out.
    """
    try:
        header, claims, signature = (_decoded(part) for part in token.split("."))
        algorithm = json.loads(header)["alg"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unauthenticated("The token is not valid.") from None
    if algorithm == "ES256" and len(signature) == 2 * P256_BYTES:
        s = int.from_bytes(signature[P256_BYTES:])
        if P256_ORDER // 2 < s < P256_ORDER:
            signature = signature[:P256_BYTES] + (P256_ORDER - s).to_bytes(P256_BYTES)
    return ".".join(_encoded(part) for part in (header, claims, signature))


def _decoded(part: str) -> bytes:
    """Raises ValueError for all but the one way to write these bytes."""
    raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if _encoded(raw) != part:
        raise ValueError("not as it would be written")
    return raw


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class HostToken:
    """`made_at` is in seconds of the host's clock; `rooms` are the only ones that exist for the user, or None."""

    user_id: str
    name: str
    made_at: int
    expires_at: datetime
    rooms: frozenset[str] | None

    @classmethod
    def read(cls, token: str, config: Config) -> "HostToken":
        """Check a host's JWT. Raises Unauthenticated.

        The algorithm chooses the key, so that a public key is never taken for a secret.
        """
        try:
            algorithm = jwt.get_unverified_header(token).get("alg")
            keys = {"HS256": config.jwt_secret, config.jwt_algorithm: config.jwt_public_key}
            key = keys.get(algorithm)
            if key is None or algorithm is None:
                raise Unauthenticated("The token is not valid.")
            claims = jwt.decode(
                token,
                key,
                [algorithm],
                leeway=LEEWAY,
                options={"require": ["exp", "sub"], "verify_aud": False},
            )
            return cls._of(claims)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise Unauthenticated("The token is not valid.") from error

    @classmethod
    def _of(cls, claims: dict[str, Any]) -> "HostToken":
        """Raises ValueError or TypeError for claims that cannot be used."""
        subject, name, named = claims["sub"], claims.get("name"), claims.get("rooms")
        if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_MAX or not subject.isprintable():
            raise ValueError("sub")
        if named is not None and not (
            isinstance(named, list)
            and len(named) <= ROOMS_MAX
            and all(isinstance(one, str) and schemas.ROOM_NAME.fullmatch(one) for one in named)
        ):
            raise ValueError("rooms")
        return cls(
            f"h_{subject}",
            _name(name, subject),
            int(claims.get("iat", time.time())),
            datetime.fromtimestamp(min(int(claims["exp"]), EXPIRY_MAX_S), UTC),
            None if named is None else frozenset(named),
        )


def _name(name: Any, subject: str) -> str:
    """The host's name for the user, in its own spelling; the subject where nothing of it can be shown."""
    for candidate in (name, subject):
        shown = schemas.host_name(candidate) if isinstance(candidate, str) else ""
        if shown:
            return shown
    raise ValueError("name")
