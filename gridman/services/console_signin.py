"""Signing in at the command line of the street's own machine, for a decision that needs a name."""

from argon2 import PasswordHasher

from gridman.domain.access import Actor, require
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.access import actor_of_user
from gridman.services.accounts import require_still, verify_account
from gridman.services.audit import note
from gridman.store import accounts as rows
from gridman.store.store import Store

__all__ = ["require_password", "sign_in_at_console"]


def require_password(store: Store, login: str) -> None:
    """Refuse with ``auth.no_password`` an account that can sign in by code only. Only for the machine that holds the data: over the network this
    would help who guesses.
    """
    with store.read() as reader:
        account = rows.account_of_login(reader, login)
    if account is not None and not account.password_hash:
        raise Refusal(
            "auth.no_password",
            N_("The account {login} has no password yet: it enrols by code."),
            N_("Set one with gridman street user password --login {login}; its user replaces it at the first sign-in."),
            login=account.login,
        )


def sign_in_at_console(
    store: Store, login: str, password: str, right: str, *, hasher: PasswordHasher | None = None
) -> Actor:
    """Who acts here, noted in the log. Refuses like `accounts.verify_account`, an actor without `right`, and with ``auth.initial_password`` a
    password that somebody else gave: whoever gave it could decide in the user's name.
    """
    account = verify_account(store, login, password, hasher=hasher)
    with store.read() as reader:
        actor = actor_of_user(reader, account.user_id)
    require(actor, right)
    if account.must_change:
        raise Refusal(
            "auth.initial_password",
            N_("The password of {login} was given by the administrator and has to be replaced first."),
            N_(
                "Sign in with it at the server's pages (/admin), which ask for another one; who has no work there decides in the window of "
                "gridman desk."
            ),
            login=account.login,
        )
    with store.unit(actor) as unit:
        require_still(unit, account, password, hasher)
        note(unit, "sign_in", "user", account.user_id, where="command")
    return actor
