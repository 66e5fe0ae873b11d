"""How far a desk's work came and what the last synchronisations brought, in words: those of the window's Sync page and of
`gridman sync --explain`.
"""

from collections.abc import Sequence
from itertools import groupby

from gridman.kernel.clock import show_instant
from gridman.kernel.words import N_, _, ngettext
from gridman.services.outbox import Round
from gridman.services.standing import Standing

__all__ = ["is_to_review", "result_words", "rounds_words", "state_word", "state_words"]

_STATE_WORDS = {
    "waiting": N_("waiting"),
    "sent": N_("waiting"),  # until it is answered it goes out again: the other lists call it waiting as well
    "acknowledged": N_("received by the street"),
    "settled": N_("done"),
    "refused": N_("refused"),
}
_STATE_MEANS = {
    "waiting": N_("It is safe on this computer and goes out with the next synchronisation."),
    "sent": N_("The street has not confirmed it yet; it is sent again until it does."),
    "acknowledged": N_("The street has taken it over; the next synchronisation confirms what came of it."),
    "settled": N_("The street has taken it over, and this computer shows what the street has."),
    "refused": N_("The street did not take it over. The rest of your work was not held up by it."),
}
_VERDICT_MEANS = {
    "merged": N_("Somebody else had changed the same field; the value that did not stand is kept under “To review”."),
    "set_aside": N_("It was not yours to write any more; it is kept under “To review” for those in charge."),
    "deferred": N_("The street server keeps it and takes it in when it is updated."),
}
_HELD = {
    "anew": N_("this copy was not as the street's: it was received anew"),
    "different": N_("this copy is still not as the street's: tell the office that looks after gridman"),
}
_SHOWN_ROUNDS = 3
_TO_REVIEW = N_("to review")
_TAKEN = ("acknowledged", "settled")
_NOT_ALL = N_("The street has answered; not every value stands.")


def is_to_review(state: str, standing: Sequence[Standing]) -> bool:
    """Whether an operation is taken over, but a value of it lost and waits for review."""
    return state in _TAKEN and any(s.is_waiting and not s.is_own for s in standing)


def state_word(state: str, standing: Sequence[Standing] = ()) -> str:
    """How far an operation came, in a word or two."""
    return _(_TO_REVIEW) if is_to_review(state, standing) else _(_STATE_WORDS.get(state, state))


def state_words() -> list[str]:
    """All that `state_word` says, for the width of a column."""
    return [_(word) for word in (*_STATE_WORDS.values(), _TO_REVIEW)]


def result_words(state: str, verdict: str, standing: Sequence[Standing] = ()) -> list[str]:
    """What became of an operation, sentence by sentence: of the whole, then of each value that crossed another's. Never the values."""
    is_lost = any(not s.is_own for s in standing) or (verdict == "merged" and not standing)
    first = _(_NOT_ALL) if is_lost and state in _TAKEN else _(_STATE_MEANS.get(state, ""))
    more = [_standing_words(s) for s in standing]
    if verdict != "merged" or not more:
        more.append(_(_VERDICT_MEANS.get(verdict, "")))
    return [line for line in (first, *more) if line]


def _standing_words(found: Standing) -> str:
    places = {
        "field": found.field,
        "name": found.other,
        "who": found.decided_by,
        "at": show_instant(found.at) if found.at else "-",
    }
    if found.is_closed and not found.is_own:
        text = (
            N_("{field}: the record was taken out of use meanwhile; your value waits under “To review”.")
            if found.is_waiting
            else N_("{field}: the record was taken out of use meanwhile; {who} decided that it stays so.")
        )
    elif found.is_waiting:
        text = (
            N_("{field}: your value stands; the other, by {name} ({at}), waits under “To review”.")
            if found.is_own
            else N_("{field}: the value of {name} ({at}) stands; yours waits under “To review”.")
        )
    else:
        text = (
            N_("{field}: your value stands, not that of {name} ({at}); {who} decided so.")
            if found.is_own
            else N_("{field}: the value of {name} ({at}) stands, not yours; {who} decided so.")
        )
    return _(text).format(**places)


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
