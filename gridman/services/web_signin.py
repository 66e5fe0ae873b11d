"""Signing in to the street's pages with a browser: the same accounts and the same brakes as everywhere, and a session that ends by itself.

A session's secret is made at the sign-in, never before, so that nobody can plant one (session fixation, OWASP ASVS 3.2.1); it ends after
15 minutes without a call (domain reference DP-14), after 10 hours in any case, and with the account's password or suspension.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from argon2 import PasswordHasher

from gridman.domain.access import SYSTEM, Actor, rights_of
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import random_token
from gridman.kernel.words import N_
from gridman.services.access import actor_of_user
from gridman.services.accounts import require_still, verify_account, wrong_password
from gridman.services.audit import note
from gridman.store import accounts as rows
from gridman.store import web_sessions
from gridman.store.store import Store

__all__ = ["IDLE_MS", "WHOLE_MS", "SignedIn", "end", "form_token", "is_form_token", "sign_in_to_pages", "signed_in"]

IDLE_MS = 15 * 60_000
WHOLE_MS = 10 * 3_600_000
_SEEN_EVERY_MS = 60_000
_PAGES = frozenset({"account.manage", "audit.read", "notice.write"})
"""Rights that the pages serve; who has none of them has no business there."""


@dataclass(frozen=True)
class SignedIn:
    """A signed-in browser: who it is today. `must_change`: the password was given by somebody else and has to be replaced first."""

    actor: Actor
    login: str
    must_change: bool
    secret: str = field(repr=False)


def sign_in_to_pages(store: Store, login: str, password: str, *, hasher: PasswordHasher | None = None) -> SignedIn:
    """A new session. Refuses like `accounts.verify_login`, and with ``auth.no_pages`` a role that has no page here."""
    account = verify_account(store, login, password, hasher=hasher)
    user_id = account.user_id
    with store.read() as reader:
        user = reader.get(User, user_id)
    if not rights_of(user.role) & _PAGES:
        with store.unit(SYSTEM) as unit:
            note(unit, "sign_in_failed", "user", user_id, by="role", where="web")
        raise Refusal(
            "auth.no_pages",
            N_("The account {login} has no work on these pages."),
            N_(
                "They are for administrators, auditors and those who write notices. Everybody else works with gridman desk."
            ),
            login=user.login,
        )
    secret = random_token()
    with store.unit(actor_on_pages(store, user_id)) as unit:
        require_still(unit, account, password, hasher)
        web_sessions.sweep_sessions(unit, unit.at - WHOLE_MS, unit.at - IDLE_MS)
        web_sessions.add_session(unit, _digest(secret), user_id)
        note(unit, "sign_in", "user", user_id, where="web")
    found = signed_in(store, secret)
    if found is None:  # suspended, or the password replaced, since
        raise wrong_password()
    return found


def actor_on_pages(store: Store, user_id: int) -> Actor:
    """The user as an actor of the street itself."""
    with store.read() as reader:
        return actor_of_user(reader, user_id)


def signed_in(store: Store, secret: str, *, is_watched: bool = True) -> SignedIn | None:
    """Who holds this secret, with today's role; None when the session is over, the user suspended, or there never was one. Not ``is_watched``:
    the browser asks by itself, which does not lengthen the session.
    """
    if not secret.isascii() or not 20 <= len(secret) <= 200:
        return None
    digest = _digest(secret)
    with store.read() as reader:
        session = web_sessions.session_with(reader, digest)
        if (
            session is None
            or not 0 <= reader.now - session.seen_at < IDLE_MS
            or reader.now - session.started_at >= WHOLE_MS
        ):
            return None
        user = reader.find(User, session.user_id)
        account = rows.account_of_user(reader, session.user_id)
        if user is None or account is None or user.is_suspended or user.retired_at is not None:
            return None
        if not rights_of(user.role) & _PAGES:
            return None
        found = SignedIn(actor_of_user(reader, user.id), account.login, account.must_change, secret)
        is_due = is_watched and reader.now - session.seen_at >= _SEEN_EVERY_MS
    if is_due:
        with store.unit(SYSTEM) as unit:
            web_sessions.keep_alive(unit, digest)
    return found


def end(store: Store, session: SignedIn) -> None:
    """Sign out: the secret opens nothing any more, also where it was copied."""
    with store.unit(session.actor) as unit:
        if web_sessions.end_session(unit, _digest(session.secret)):
            note(unit, "sign_out", "user", session.actor.user_id, where="web")


def _digest(secret: str) -> str:
    """Plain SHA-256 suffices: the secret has 256 random bits."""
    return hashlib.sha256(f"gridman web session {secret}".encode()).hexdigest()


def form_token(secret: str) -> str:
    """What every form of the holder of `secret` carries, so that another site cannot send one in the holder's name."""
    return hmac.new(secret.encode(), b"gridman form", hashlib.sha256).hexdigest()


def is_form_token(secret: str, token: str) -> bool:
    """Whether a form was made for the holder of `secret`."""
    return bool(secret) and hmac.compare_digest(form_token(secret).encode(), token.encode())
