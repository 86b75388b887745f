"""`chatapp token`: a host's token, for trials of what the host's own server will do."""

import re
import time

import click
import jwt

from chatapp.config import Config

SPAN = re.compile(r"([0-9]{1,6})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _seconds(_context: click.Context, _option: click.Parameter, value: str) -> int:
    found = SPAN.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is not like 30s, 15m, 8h or 7d")
    return int(found[1]) * SECONDS[found[2]]


@click.command()
@click.argument("user")
@click.option("--name", help="As which the user is shown; otherwise as USER.")
@click.option("--rooms", help="The rooms that there are for this user, comma-separated. Without: as for a guest.")
@click.option("--for", "span", callback=_seconds, default="1h", show_default=True, help="How long it holds.")
def token(user: str, name: str | None, rooms: str | None, span: int) -> None:
    """Print a JWT that says USER, signed with CHATAPP_JWT_SECRET: a Bearer token for a service with the same secret."""
    secret = Config.from_environ(keep_secret=False).jwt_secret
    if secret is None:
        raise click.ClickException("CHATAPP_JWT_SECRET: is not set; it is what the service trusts tokens by")
    now_s = int(time.time())
    claims: dict[str, object] = {"sub": user, "iat": now_s, "exp": now_s + span}
    if name is not None:
        claims["name"] = name
    if rooms is not None:
        claims["rooms"] = [one.strip() for one in rooms.split(",") if one.strip()]
    click.echo(jwt.encode(claims, secret, "HS256"))
