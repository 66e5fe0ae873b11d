"""Passwords and passphrases: from the environment where a script says them, else typed without being shown."""

import os
import sys

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _

__all__ = ["ask_new", "ask_secret"]


def ask_secret(variable: str, question: str) -> str:
    """What the environment variable holds, else what the person types. Refuses with ``cli.no_secret`` where nobody can type."""
    told = os.environ.get(variable)
    if told is not None:
        return told
    if not sys.stdin.isatty():
        raise Refusal(
            "cli.no_secret",
            N_("{question} is needed, and there is no terminal to type it."),
            N_("Put it into the environment variable {variable} for this one command."),
            question=question,
            variable=variable,
        )
    import getpass

    return getpass.getpass(f"{question}: ")


def ask_new(variable: str, question: str) -> str:
    """A new secret, typed twice. Refuses with ``cli.secrets_differ``."""
    first = ask_secret(variable, question)
    if variable in os.environ:
        return first
    if ask_secret(variable, _("{question}, once more").format(question=question)) != first:
        raise Refusal("cli.secrets_differ", N_("The two are not the same."), N_("Type it again, twice the same."))
    return first
