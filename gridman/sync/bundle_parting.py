"""Last words on a stick: a bundle of a computer that may not write any more - taken off the street's list, or a copy - is kept for review as
over a network, through the same `Handover` and within the same bounds; the answer tells the verdicts and gives nothing.

A desk without a network cannot know what became of it. So beside its operations each bundle carries what they need to be last words, and the
street decides; that it is a copy a desk then hears from the answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from gridman.domain.access import Actor
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.services.handover import Source, note_handed_over, source_of, take_photo_bytes
from gridman.services.scoped import require_own_blob, require_sendable_blob
from gridman.store import outbox
from gridman.store.blobs import BlobStore
from gridman.store.handing import CARDS, verdicts_of
from gridman.store.store import Store
from gridman.sync.codec import decode_answer, digest_of, encode
from gridman.sync.exchange import op_of
from gridman.sync.farewell import hear, is_copy, makers_for, note_copy, told_to_a_copy
from gridman.sync.handover import HANDED_OVER, numbers_in
from gridman.sync.protocol import SPOKEN, Answer, LastWords, Op, Request, Verdict
from gridman.sync.replica import Replica

__all__ = ["Counter", "Parted", "Parting", "hear_parting", "told_after", "words_beside"]

_NOT_CONFIRMED = ("blob.missing", "blob.damaged")


class Parting(msgspec.Struct, array_like=True, frozen=True):
    """What goes home to a computer that may not write any more. `reason`: why, as `Source.reason`; `answers`: encoded, with verdicts only;
    ``is_found``: the street found by this very bundle that the computer is a copy.
    """

    reason: str
    answers: list[bytes]
    is_found: bool = False


@dataclass
class Parted:
    """What was taken from such a bundle: `fresh` operations kept for review as so many `cards`, `repeated` ones that the street knew; the photos
    it has (SHA-256, bytes). `problem`: why it took no more than that.
    """

    source: Source
    answers: list[Answer] = field(default_factory=list)
    fresh: int = 0
    repeated: int = 0
    cards: int = 0
    photos: list[tuple[str, int]] = field(default_factory=list)
    problem: Refusal | None = None

    def homeward(self, is_found: bool) -> Parting:
        """It as the desk is told."""
        return Parting(self.source.reason, [encode(answer) for answer in self.answers], is_found)


def words_beside(store: Store, ops: Sequence[Op]) -> LastWords:
    """Last words without the operations `ops`, which travel beside them in the bundle's requests."""
    with store.read() as reader:
        makers = makers_for(reader, store.replica, ops)
        return LastWords(
            SPOKEN.highest, store.replica, store.clock(), [], makers, is_copy(reader), lowest=SPOKEN.lowest
        )


@dataclass
class Counter:
    """Where last words are handed in: the street's side."""

    store: Store
    replica: Replica
    blobs: BlobStore

    def take(self, actor: Actor, words: LastWords, requests: Iterable[Request], progress: Progress = quiet) -> Parted:
        """Keep the operations of `requests` for review; `words`: what came beside them. Refuses like `Replica.farewell`; when more comes than is
        taken from a lost computer, what was taken before stays, and `Parted.problem` says so.
        """
        with self.store.read() as reader:
            parted = Parted(source_of(reader, actor.replica))
        for request in requests:
            named = {i for op in request.ops for i in (op.record_id, *numbers_in(op.after))}
            # The street's own time: how old a file is says nothing about the desk's clock.
            said = msgspec.structs.replace(
                words, at=self.store.clock(), ops=request.ops, makers=[m for m in words.makers if m.record_id in named]
            )
            digests = {op.n: digest_of(op) for op in request.ops}
            with self.store.read() as reader:
                known = verdicts_of(reader.connection, actor.replica, digests.values())
            try:
                answer = self.replica.farewell(actor, said)
            except Refusal as refusal:
                if refusal.code != "handover.full" or not parted.answers:
                    raise
                parted.problem = refusal
                break
            parted.answers.append(answer)
            with self.store.read() as reader:  # as it is, and not as a lost computer is told
                verdicts = verdicts_of(reader.connection, actor.replica, digests.values())
            came = [msgspec.convert(v, Verdict) for digest, v in verdicts.items() if digest not in known]
            fresh = [v for v in came if _is_kept(v)]
            parted.fresh += len(fresh)
            parted.cards += sum(int(v.refusal[3].get(CARDS, 1)) for v in fresh if v.refusal)
            parted.repeated += sum(op.kind != "none" for op in request.ops) - len(fresh)
            progress(len(parted.answers), 0, N_("Answering"))
        if parted.fresh:
            with self.store.unit(actor) as unit:
                note_handed_over(unit, parted.source, actor.replica, parted.cards)
        return parted

    def file_photos(self, actor: Actor, parted: Parted, photos: Iterable[tuple[str, bytes]]) -> None:
        """Keep the computer's own photos; the others, and those that are not what their name says, are simply not confirmed."""
        require = require_own_blob if parted.source.is_removed else require_sendable_blob
        for sha256, data in photos:
            try:
                with self.store.read() as reader:
                    require(reader, actor, sha256)
                if parted.source.is_lost and not self.blobs.has(sha256):
                    take_photo_bytes(self.store, actor, len(data))
                self.blobs.put(sha256, data)
            except Refusal as refusal:
                if refusal.code == "handover.full":
                    parted.problem = refusal
                    return
                if refusal.code not in _NOT_CONFIRMED:
                    raise
                continue
            parted.photos.append((sha256, len(data)))


def _is_kept(verdict: Verdict) -> bool:
    return verdict.outcome == "set_aside" and verdict.refusal is not None and verdict.refusal[0] == HANDED_OVER


def hear_parting(store: Store, parting: Parting) -> None:
    """Note the verdicts at the desk. Taken in again it changes nothing. Refuses with ``bundle.twin`` the answer to another computer that holds a
    copy of the same desk.
    """
    answers = [decode_answer(body) for body in parting.answers]
    source = Source(parting.reason, "")
    own = _own_ops(store, [v.n for answer in answers for v in answer.verdicts])
    if not source.is_removed:
        _believe_to_be_a_copy(store, parting, answers, own)
    for answer in answers:
        ops = [own[v.n] for v in answer.verdicts if v.n in own]
        words = LastWords(SPOKEN.highest, store.replica, store.clock(), ops)
        hear(store, words, answer, is_carried=True)


def told_after(store: Store, parting: Parting) -> Refusal:
    """What the person at the desk is told after the verdicts were noted."""
    with store.read() as reader:
        copy = None if Source(parting.reason, "").is_removed else told_to_a_copy(reader, store.replica)
        return copy or _removed(outbox.handed_over_cards(reader), outbox.waiting_acts(reader))


def _own_ops(store: Store, numbers: Sequence[int]) -> dict[int, Op]:
    if not numbers:
        return {}
    with store.read() as reader:
        found = outbox.operations_between(reader.connection, min(numbers), max(numbers))
    return {o.n: op_of(o) for o in found}


def _believe_to_be_a_copy(store: Store, parting: Parting, answers: Iterable[Answer], own: dict[int, Op]) -> None:
    """Remember it, when the answer is to this desk's own work throughout: its twin has the same keys, and is asked to read the answer too."""
    with store.read() as reader:
        if is_copy(reader):
            return
    verdicts = [v for answer in answers for v in answer.verdicts]
    are_own = all(v.digest and v.n in own and digest_of(own[v.n]).startswith(v.digest) for v in verdicts)
    if not (parting.is_found and verdicts and are_own):
        raise Refusal(
            "bundle.twin",
            N_("The answer is for another computer, which holds a copy of this desk's data."),
            N_("Take it back at the computer that wrote the bundle; nothing of it was used here."),
        )
    note_copy(store)


def _removed(cards: int, left: int) -> Refusal:
    text = N_("The street removed this computer from its list.")
    if left:
        return Refusal(
            "bundle.removed",
            text,
            N_("{count} entries of the street's review list are its work by now; {left} changes still wait here: write another bundle. "
               "At its next contact over a network its records are destroyed."),
            count=cards,
            left=left,
        )  # fmt: skip
    return Refusal(
        "bundle.removed",
        text,
        N_("What had not been sent went to the street's review list (entries: {count}). At its next contact over a network its records are "
           "destroyed. To go on here, ask for an enrolment code."),
        count=cards,
    )  # fmt: skip
