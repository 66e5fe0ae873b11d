"""The last words of a desk that may not write any more: what waits on it goes to the street's review list. The desk was taken out of service or
reported lost, and destroys itself afterwards; or its data turned out to be a copy, and it must be set up anew.

`last_words` and `hear` are one exchange cut in two, so that a simulator can lose and repeat what travels between them.
"""

from collections.abc import Callable, Iterable

from gridman.kernel.errors import Refusal
from gridman.kernel.ids import replica_of
from gridman.store import outbox
from gridman.store.outbox import Returned
from gridman.store.photo_queue import forget_sent_photos, unsent_photos
from gridman.store.replay import Replay, receiving
from gridman.store.store import Store, get_meta, put_meta
from gridman.store.unit import Reader
from gridman.sync.codec import digest_of
from gridman.sync.exchange import EPOCH, LIVES, PUSH_BYTES, op_of
from gridman.sync.fork import fork, fork_after_rescue
from gridman.sync.handover import numbers_in
from gridman.sync.protocol import SPOKEN, Answer, LastWords, Maker, Op

__all__ = ["hand_over", "hear", "is_copy", "last_words", "makers_for", "note_copy", "told_to_a_copy"]

_MOST_TURNS = 10_000
_COPY, _LIFE = "sync_copy", "farewell_life"


def is_copy(reader: Reader) -> bool:
    """Whether this desk was told that its data is a copy: it receives nothing any more and must be set up anew."""
    return get_meta(reader, _COPY) is not None


def told_to_a_copy(reader: Reader, replica: int) -> Refusal | None:
    """What the person at a copy, of the desk `replica`, is told: what waits goes to the review list, or how much of it did; None at any other
    desk.
    """
    if not is_copy(reader):
        return None
    is_waiting = outbox.waiting_count(reader) or unsent_photos(reader, replica)
    return fork() if is_waiting else fork_after_rescue(outbox.handed_over_cards(reader))


def note_copy(store: Store) -> None:
    """Remember it: later the street might answer again as if nothing were wrong, and this desk would give numbers out twice."""
    with receiving(store) as replay:
        put_meta(replay.connection, _COPY, "1")


def last_words(
    store: Store, push_bytes: int = PUSH_BYTES, *, is_rescue: bool = False, is_end: bool = False
) -> LastWords:
    """The oldest operations that wait, and what made the records that they name. Marks them as sent."""
    with store.read() as reader:
        ops = [] if is_end else [op_of(o) for o in outbox.next_operations(reader.connection, push_bytes)]
        makers = makers_for(reader, store.replica, ops)
    if ops:
        with receiving(store) as replay:
            outbox.mark_sent(replay.connection, [op.n for op in ops])
    return LastWords(SPOKEN.highest, store.replica, store.clock(), ops, makers, is_rescue, is_end, SPOKEN.lowest)


def makers_for(reader: Reader, replica: int, ops: Iterable[Op]) -> list[Maker]:
    """What made the records of this desk, number `replica`, that the operations are about or name, of what the street never answered."""
    named = {i for op in ops for i in (op.record_id, *numbers_in(op.after)) if replica_of(i) == replica}
    return [
        Maker(record_id, made.n, digest_of(op_of(made)), part)
        for record_id, made, part in (outbox.makers_of(reader.connection, named) if named else ())
    ]


def hear(store: Store, words: LastWords, answer: Answer, *, is_carried: bool = False) -> int:
    """Note what became of the operations: they wait no longer. Where the street was put back from a backup, all that it ever answered is
    offered once more, and none is noted yet: the street knows by the content what it still has. From a stick (``is_carried``) what it tells
    is noted at once, asking again would be another way there. Returns for how many operations something was learnt.
    """
    sent = {op.n: digest_of(op) for op in words.ops}
    verdicts = [v for v in answer.verdicts if v.n in sent and sent[v.n].startswith(v.digest or "-")]
    with receiving(store) as replay:
        if _is_other_life(replay, answer.epoch):
            put_meta(replay.connection, _LIFE, answer.epoch)
            forget_sent_photos(replay.connection)
            offered = outbox.offer_again(replay.connection, 0)
            if not is_carried:
                return 1 + offered
        if not verdicts:
            return 0
        outbox.hand_over(
            replay.connection, [Returned(v.n, v.outcome, v.refusal, outbox.HANDED_OVER) for v in verdicts], replay.now
        )
    return len(verdicts)


def hand_over(store: Store, farewell: Callable[[LastWords], Answer], *, is_rescue: bool = False) -> None:
    """Send all that waits. Raises Refusal when the street cannot be reached or does not take it: the rest still waits then."""
    for turn in range(_MOST_TURNS):
        words = last_words(store, is_rescue=is_rescue)
        if turn and not words.ops:
            return
        if not hear(store, words, farewell(words)):
            return


def _is_other_life(replay: Replay, epoch: str) -> bool:
    """Whether what was answered before may be lost: the street has another life than this desk knows, or had one since it was enrolled."""
    known = replay.note(_LIFE) or ("" if replay.note(LIVES) else replay.note(EPOCH))
    return bool(epoch) and epoch != known
