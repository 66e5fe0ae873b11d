"""How far a desk's work came and what the last synchronisations brought, in words: those of the window's Sync page and of
`gridman sync --explain`.
"""

from collections.abc import Sequence
from itertools import groupby

from gridman.kernel.clock import show_instant
from gridman.kernel.words import N_, _, ngettext
from gridman.services.outbox import Round

__all__ = ["STATE_MEANS", "STATE_WORDS", "VERDICT_MEANS", "rounds_words"]

STATE_WORDS = {
    "waiting": N_("waiting"),
    "sent": N_("waiting"),  # until it is answered it goes out again: the other lists call it waiting as well
    "acknowledged": N_("received by the street"),
    "settled": N_("done"),
    "refused": N_("refused"),
}
STATE_MEANS = {
    "waiting": N_("It is safe on this computer and goes out with the next synchronisation."),
    "sent": N_("The street has not confirmed it yet; it is sent again until it does."),
    "acknowledged": N_("The street has taken it over; the next synchronisation confirms what came of it."),
    "settled": N_("The street has taken it over, and this computer shows what the street has."),
    "refused": N_("The street did not take it over. The rest of your work was not held up by it."),
}
VERDICT_MEANS = {
    "merged": N_("Somebody else had changed the same field; the value that did not stand is kept under “To review”."),
    "set_aside": N_("It was not yours to write any more; it is kept under “To review” for those in charge."),
    "deferred": N_("The street server keeps it and takes it in when it is updated."),
}
_HELD = {
    "anew": N_("this copy was not as the street's: it was received anew"),
    "different": N_("this copy is still not as the street's: tell the office that looks after gridman"),
}
_SHOWN_ROUNDS = 3


def rounds_words(rounds: Sequence[Round], said: str) -> list[str]:
    """The last rounds, the newest first; those that failed one after another for the same reason are one line, which does not repeat what
    is `said` already.
    """
    found = []
    for problem, group in groupby(rounds, key=lambda line: line.problem):
        lines = list(group)
        if not problem:
            found += [_round_words(line) for line in lines]
            continue
        tries = ngettext("{n} try in vain", "{n} tries in vain", len(lines)).format(n=len(lines))
        span = show_instant(lines[-1].at) + (f" – {show_instant(lines[0].at)[-5:]}" if len(lines) > 1 else "")
        found.append(f"{span}  × {tries}" + ("" if problem == said else f": {problem}"))
    return found[:_SHOWN_ROUNDS] or [_("This desk has not synchronised yet.")]


def _round_words(line: Round) -> str:
    when = show_instant(line.at)
    sent = ngettext("{n} sent", "{n} sent", line.sent).format(n=line.sent)
    received = ngettext("{n} received", "{n} received", line.received).format(n=line.received)
    return f"{when}  ✓ {sent}, {received}" + (f"  ! {_(_HELD[line.held])}" if line.held in _HELD else "")
