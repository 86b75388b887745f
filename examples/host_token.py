"""What a host's server says of its users: a JWT that the chat believes, because both have CHATAPP_JWT_SECRET."""

import time

import jwt

# Long enough for a page that asks for a new one when it is over.
HOLDS_S = 15 * 60


def host_token(secret: str, user: str, name: str, rooms: list[str]) -> str:
    """`user` is the host's own id; in the chat it is `h_` + that. These rooms exist for the user, and no others."""
    now_s = int(time.time())
    claims = {"sub": user, "name": name, "rooms": rooms, "iat": now_s, "exp": now_s + HOLDS_S}
    return jwt.encode(claims, secret, "HS256")
