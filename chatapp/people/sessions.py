"""`Sessions`: guests and the host's tokens: sign in, look up, renew, sign out."""

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.config import Config
from chatapp.errors import Unauthenticated
from chatapp.eventlog import Outbox
from chatapp.eventlog import Tail
from chatapp.eventlog import growth
from chatapp.people import membership
from chatapp.people.cache import Cache
from chatapp.people.host_token import LEEWAY
from chatapp.people.host_token import HostToken
from chatapp.people.host_token import canonical
from chatapp.people.host_token import looks_like_host_token
from chatapp.people.identity import Identity
from chatapp.runtime import utc_now
from chatapp.storage import Database
from chatapp.storage import Growth
from chatapp.storage import Room
from chatapp.storage import Session
from chatapp.storage import User
from chatapp.storage import one_of
from chatapp.storage import uuid7

GUEST_LIFE = timedelta(days=30)
# How long an ended guest session still brings the same guest back.
GUEST_RETURN = timedelta(days=30)
SESSIONS_MAX = 20_000
# A sign-out is announced; what is done to a session in the database by hand is noticed after this.
REMEMBER_S = 20.0
# For clients that ask again and again: setting OpenSSL up for one hash takes as long as the rest of `identify`.
DIGESTS_MAX = 1000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was just opened or found again; `token` is to be given to the client once."""

    identity: Identity
    token: str


class Sessions:
    def __init__(self, config: Config, database: Database, outbox: Outbox, tail: Tail) -> None:
        self._config = config
        self._database = database
        self._outbox = outbox
        self._known = Cache(database, tail, _load, size=SESSIONS_MAX, remember_s=REMEMBER_S)
        self._digest = lru_cache(DIGESTS_MAX)(self._keyed_hash)

    def identify(self, token: str) -> Identity:
        """Who holds this token. Raises Unauthenticated, also for another spelling of a token."""
        digest = self._digest(token)
        found, now = self._known.get(digest), utc_now()
        if found is not None and found.identity.ends_at <= now:
            # Perhaps renewed by another worker.
            found = self._known.ask(digest)
        if found is None:
            found = _Found.of(self._first_use(token, digest))
        if found.signed_out:
            raise Unauthenticated("Signed out.")
        if found.identity.ends_at <= now:
            raise Unauthenticated("The session has ended.")
        return found.identity

    def forget(self, session_id: str) -> None:
        """Ask the database next time."""
        self._known.forget(session_id)

    def forget_all(self) -> None:
        """Sign-outs may have been missed."""
        self._known.forget_all()

    def new_guest(self, name: str) -> SignedIn:
        """A new user, who is a member of `general`."""
        token = secrets.token_urlsafe(32)

        def work(tx: Transaction) -> Session:
            user = User(id=f"{membership.GUEST_PREFIX}{uuid7().replace('-', '')}", name=name)
            tx.add(user)
            tx.flush()
            general = tx.scalar(select(Room.id).where(Room.name == membership.GENERAL))
            if general is not None:
                membership.join(tx, general, user.id)
            return self._open(tx, user, token, utc_now() + GUEST_LIFE, guest=True)

        session = self._database.write(work)
        self._outbox.wake()
        return SignedIn(_identity(session), token)

    def returning_guest(self, token: str) -> SignedIn | None:
        """The guest of a session that ended not long ago and was not signed out."""

        if looks_like_host_token(token):
            return None

        def work(tx: Transaction) -> Session | None:
            session = tx.get(Session, self._digest(token))
            now = utc_now()
            if session is None or not session.guest or session.signed_out_at is not None:
                return None
            if not session.expires_at <= now < session.expires_at + GUEST_RETURN:
                return None
            session.expires_at = now + GUEST_LIFE
            return session

        session = self._database.write(work)
        if session is None:
            return None
        self.forget(session.token_hash)
        return SignedIn(_identity(session), token)

    def for_host_token(self, identity: Identity) -> SignedIn:
        """A session for the cookie of a host token's user; it ends with the token."""
        token = secrets.token_urlsafe(32)

        def work(tx: Transaction) -> Session:
            user = tx.get_one(User, identity.id)
            return self._open(tx, user, token, identity.expires_at, guest=False, claimed=identity.rooms)

        return SignedIn(_identity(self._database.write(work)), token)

    def renew(self, identity: Identity) -> Identity:
        """In the second half of its life a guest session starts anew."""

        def work(tx: Transaction) -> Identity:
            session = tx.get_one(Session, identity.session_id)
            if session.guest and session.expires_at - utc_now() < GUEST_LIFE / 2:
                session.expires_at = utc_now() + GUEST_LIFE
            return _identity(session)

        if identity.expires_at - utc_now() >= GUEST_LIFE / 2:
            return identity
        renewed = self._database.write(work)
        self.forget(identity.session_id)
        return renewed

    def sign_out(self, identity: Identity) -> None:
        """End the session. A guest, who can never come back, leaves every room by that."""

        def work(tx: Transaction) -> None:
            session = tx.get_one(Session, identity.session_id)
            session.signed_out_at = utc_now()
            # Memberships first, as whoever leaves does.
            if session.guest:
                membership.leave_all(tx, identity.id)
            mine = Growth.sender_id == identity.id, Growth.session_id == session.token_hash
            growth.end_those(tx, *mine, most=membership.ENDED_MAX)

        self._database.write(work)
        self.forget(identity.session_id)
        self._outbox.wake()

    def _keyed_hash(self, token: str) -> str:
        """Raises Unauthenticated for a host's token in another spelling than its own."""
        return self._hash_of(canonical(token) if looks_like_host_token(token) else token)

    def _hash_of(self, token: str) -> str:
        return hmac.digest(self._config.secret_key.encode(), token.encode("utf-8", "surrogatepass"), sha256).hex()

    def _first_use(self, token: str, digest: str) -> Session:
        """A host's token seen for the first time makes its user, its session and its rooms."""
        host = HostToken.read(token, self._config)
        # Before there was one spelling for both signatures of a token, its session had the hash of the given one.
        former = self._hash_of(token)

        def work(tx: Transaction) -> Session:
            ended = tx.get(Session, former)
            if ended is not None and ended.signed_out_at is not None:
                raise Unauthenticated("Signed out.")
            user = tx.get(User, host.user_id, with_for_update=True)
            if user is None:
                user = User(id=host.user_id, name=host.name)
                tx.add(user)
            renamed = user.name != host.name
            user.name = host.name
            tx.flush()
            if renamed:
                membership.renamed(tx, user.id)
            if host.rooms is not None and host.made_at >= (user.claims_at or 0):
                user.claims_at = host.made_at
                membership.claim(tx, user.id, host.rooms)
            return tx.get(Session, digest) or self._open(
                tx, user, token, host.expires_at, guest=False, claimed=host.rooms
            )

        session = self._database.write_or_again(work)
        self._outbox.wake()
        return session

    def _open(
        self,
        tx: Transaction,
        user: User,
        token: str,
        expires_at: datetime,
        *,
        guest: bool,
        claimed: frozenset[str] | None = None,
    ) -> Session:
        session = Session(
            token_hash=self._digest(token),
            user_id=user.id,
            user=user,
            guest=guest,
            expires_at=expires_at,
            rooms=None if claimed is None else json.dumps(sorted(claimed)),
        )
        tx.add(session)
        tx.flush()
        return session


@dataclass(frozen=True, slots=True)
class _Found:
    """A session as the database has it."""

    identity: Identity
    signed_out: bool

    @classmethod
    def of(cls, session: Session) -> "_Found":
        return cls(_identity(session), session.signed_out_at is not None)


def _load(tx: Transaction, digests: list[str]) -> dict[str, _Found]:
    sessions = tx.scalars(select(Session).where(one_of(tx, Session.token_hash, digests)))
    return {session.token_hash: _Found.of(session) for session in sessions}


def _identity(session: Session) -> Identity:
    claimed = None if session.rooms is None else frozenset(json.loads(session.rooms))
    ends_at = session.expires_at if session.guest else session.expires_at + LEEWAY
    return Identity(session.user.id, session.user.name, session.token_hash, session.expires_at, ends_at, claimed)
