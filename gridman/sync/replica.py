"""The street's side of the sync, over the store; knows no HTTP. An exchange takes in what a desk sends, in one transaction, and answers from
a view that holds at least that (design D6).
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from msgspec import convert, structs, to_builtins

from gridman.domain.access import Actor
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.access import scopes_of_user
from gridman.services.audit_anchor import receive
from gridman.services.handover import end_hand_over, note_copied, source_of
from gridman.store.accounts import amend_device, device_of
from gridman.store.bundle_keys import keep_device_keys
from gridman.store.feed_pages import clock_of, same_moment
from gridman.store.handing import hand_over_of, verdicts_of
from gridman.store.pushed import answers_of, keep_answers, last_pushed, note_device
from gridman.store.store import Store
from gridman.store.turns import take_device_turn
from gridman.store.unit import Reader, Unit
from gridman.sync.codec import check_numbers, check_op, decode_last_words, decode_request, digest_of, encode
from gridman.sync.fork import fork
from gridman.sync.handover import Handover, check_makers
from gridman.sync.protocol import (
    DIGEST_TOLD,
    SPOKEN,
    Answer,
    Greeting,
    Hello,
    LastWords,
    Op,
    Request,
    Verdict,
    Versions,
)
from gridman.sync.pull import pull
from gridman.sync.push import Intake
from gridman.sync.seal import PUBLIC_BYTES
from gridman.sync.snapshots import Snapshots
from gridman.sync.versions import agreed, is_drained, too_old

__all__ = ["Replica"]

LARGEST_PUSH = 2_000
_LONGEST_APP = 40


class Replica:
    """The street server's copy as desks talk to it. `spoken`: the versions of the protocol it answers in; `key`: the street's data key,
    with which it signs how far it has a desk's audit log; `told`: hears the outcome of each operation that was taken in;
    `snapshots`: those that new scopes begin with, None for pages only.
    """

    def __init__(
        self,
        store: Store,
        public_keys: bytes = b"",
        spoken: Versions = SPOKEN,
        *,
        key: bytes | None = None,
        told: Callable[[str], None] | None = None,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._store = store
        self.public_keys = public_keys
        self._spoken = spoken
        self._key = key
        self._told = told
        self._snapshots = snapshots
        self._heard: dict[int, tuple[str, Versions]] = {}

    def exchange_bytes(self, actor: Actor, body: bytes) -> bytes:
        """Answer an encoded message of the device `actor.replica`. Raises Refusal for whatever is wrong with it."""
        message = decode_request(body)
        if isinstance(message, Hello):
            return encode(self.greet(actor, message))
        return encode(self.anchored(actor, message, self.exchange(actor, message)))

    def farewell_bytes(self, actor: Actor, body: bytes) -> bytes:
        """Take in an encoded message of last words of the device `actor.replica`, see `farewell`."""
        return encode(self.farewell(actor, decode_last_words(body)))

    def farewell(self, actor: Actor, words: LastWords) -> Answer:
        """Take in what a device hands over that may not write any more: each operation is kept for review, none is applied, and nothing is
        given but the verdicts. Refuses with ``handover.full``, ``handover.closed`` and, what is not handed over, ``sync.malformed``.
        """
        version = self._check(actor, words)

        def work(unit: Unit) -> list[Verdict]:
            take_device_turn(unit.connection, actor.replica)
            source = source_of(unit, actor.replica)
            if not (source.is_removed or words.is_rescue) or not check_makers(words.makers):
                raise _malformed("farewell")
            if not source.is_removed:
                note_copied(unit, actor.replica)
            handover = Handover(unit, actor.replica, source)
            verdicts = handover.take(words.ops, words.makers)
            if words.is_end:
                end_hand_over(unit, source, actor.replica, handover.cards())
            last = last_pushed(unit.connection, actor.replica)
            note_device(unit.connection, actor.replica, last, unit.now, words.at - unit.now)
            return verdicts

        verdicts = self._store.write(actor, work)
        digests = {op.n: digest_of(op) for op in words.ops}
        told = [_at(v, 0, digests[v.n]) for v in verdicts]
        with self._store.read() as reader:
            _seq, epoch = clock_of(reader.connection)
            return Answer(version, epoch, 0, reader.now, 0, told)

    def _hear(self, actor: Actor, app: str, spoken: Versions) -> None:
        """Keep what the desk said of its version, when it is another than before: the administrator looks for those to be updated."""
        app = "".join(c for c in app if c.isprintable())[:_LONGEST_APP]
        heard = self._heard.get(actor.replica)
        if (
            heard is not None and heard[1] == spoken and app in ("", heard[0])
        ):  # only the first message of a round names the program
            return
        with self._store.read() as reader:
            device = device_of(reader, actor.replica)
        if device is None or not all(0 <= n < 1 << 31 for n in spoken):
            return
        app = app or device.app
        if (device.app, device.lowest, device.highest) != (app, *spoken):
            values: dict[str, Any] = {"app": app, "lowest": spoken.lowest, "highest": spoken.highest}
            self._store.write(actor, lambda unit: amend_device(unit, actor.replica, **values))
        self._heard[actor.replica] = (app, spoken)

    def greet(self, actor: Actor, hello: Hello) -> Greeting:
        """Say what this street speaks and how far it knows the desk's operations; note the desk's keys for bundles."""
        if len(hello.keys) == PUBLIC_BYTES and hello.replica == actor.replica:
            self._store.write(actor, lambda unit: keep_device_keys(unit, actor.replica, hello.keys))
        with self._store.read() as reader:
            seq, epoch = clock_of(reader.connection)
            last = last_pushed(reader.connection, actor.replica)
            return Greeting(*self._spoken, epoch, seq, reader.now, last, self.public_keys)

    def exchange(self, actor: Actor, request: Request) -> Answer:
        """Take in the desk's operations, each exactly once, and answer with what changed in its scopes; a desk that is too old gets its
        verdicts only.

        Refuses with ``sync.other_device``, ``sync.fork``, ``sync.malformed``, ``sync.too_new``, or ``sync.too_old`` when a desk that is
        too old has nothing to hand over.
        """
        version = self._check(actor, request)
        verdicts: list[Verdict] = []
        if request.ops:
            verdicts = self._take(actor, request)
        elif self.drains(request):
            raise too_old(request.spoken, self._spoken)
        # What was taken in is durable; what there is to give is read beside the writers, from that moment or a later one.
        with self._store.read() as reader:
            same_moment(reader)
            if self.drains(request):
                return _receipt(reader, version, actor, request, verdicts)
            answer = pull(reader, version, actor, request, verdicts, self._snapshots)
            return _with_ground(reader, actor, request, answer) if answer.is_reset else answer

    def _take(self, actor: Actor, request: Request) -> list[Verdict]:
        """Take in the operations, durably."""

        def work(unit: Unit) -> tuple[list[Verdict], list[Verdict]]:
            return self._push(unit, actor, request, scopes_of_user(unit, actor.user_id))

        repeated, fresh = self._store.write(actor, work)
        if self._told is not None:
            for verdict in fresh:
                self._told(verdict.outcome)
        return repeated + fresh

    def anchored(self, actor: Actor, request: Request, answer: Answer) -> Answer:
        """The answer, with the street's confirmation of the audit lines that came with the request. Lines that are no desk's are left
        unconfirmed: the desk's work is taken all the same, and it is told when it asks for them by themselves.
        """
        if request.audit is None or self._key is None:
            return answer
        with suppress(Refusal):
            return structs.replace(answer, anchor=receive(self._store, self._key, actor, request.audit))
        return answer

    def drains(self, request: Request) -> bool:
        """Whether the desk that asks is too old to be given anything but the verdicts on its work."""
        return is_drained(self._spoken, request.spoken)

    def _check(self, actor: Actor, request: Request | LastWords) -> int:
        """Refuse what is no desk's message; returns the version that both sides speak."""
        if request.replica != actor.replica:
            raise Refusal(
                "sync.other_device",
                N_("The sign-in belongs to another device."),
                N_("Set this computer up again from the street server."),
            )
        if isinstance(request, Request):
            self._hear(actor, request.app, request.spoken)
        version = agreed(self._spoken, request.spoken)
        positions = len(request.cursors) + len(request.partly) if isinstance(request, Request) else 0
        if len(request.ops) > LARGEST_PUSH or positions > 10_000:
            raise Refusal(
                "sync.too_large",
                N_("The message is larger than the street accepts."),
                N_("Send fewer changes at a time."),
            )
        check_numbers(request)
        for op in request.ops:
            check_op(op)
        return version

    def _push(
        self, unit: Unit, actor: Actor, request: Request, scopes: frozenset[str]
    ) -> tuple[list[Verdict], list[Verdict]]:
        """Take in the operations; returns the answers to those that came again and to the new ones."""
        connection = unit.connection
        take_device_turn(connection, actor.replica)
        last = last_pushed(connection, actor.replica)
        repeated = _repeated(connection, request, last)
        fresh = _next_ops(request.ops, last)
        intake = Intake(unit, scopes, actor.replica, request.at - unit.now)
        handed = _handed_over(unit, actor.replica, fresh)
        taken = iter(intake.take_all([op for op in fresh if op.n not in handed]))
        verdicts = [handed.get(op.n) or next(taken) for op in fresh]
        unit.finish()  # numbers the changes, so that they are in this very answer
        seq, _epoch = clock_of(connection)
        answers = [(op.n, digest_of(op), to_builtins(v)) for op, v in zip(fresh, verdicts, strict=True)]
        keep_answers(connection, actor.replica, answers, seq, unit.now)
        note_device(connection, actor.replica, last + len(fresh), unit.now, request.at - unit.now)
        return repeated, [_at(v, seq, digest) for v, (_n, digest, _v) in zip(verdicts, answers, strict=True)]


def _receipt(reader: Reader, version: int, actor: Actor, request: Request, verdicts: list[Verdict]) -> Answer:
    """The verdicts and nothing else: the desk's positions, and the life of the data they belong to, stay as they are."""
    seq, _epoch = clock_of(reader.connection)
    last = last_pushed(reader.connection, actor.replica)
    return Answer(version, request.epoch, seq, reader.now, last, verdicts, cursors=request.cursors)


def _repeated(connection: Any, request: Request, last: int) -> list[Verdict]:
    """The answers already given to operations that come again; refuses when they come with another content. One whose content was erased on
    the desk meanwhile ("none") is the same: the desk gave its number once only.
    """
    again = [op for op in request.ops if op.n <= last]
    if not again:
        return []
    known = answers_of(connection, request.replica, again[0].n, again[-1].n)
    for op in again:
        if op.n in known and op.kind != "none" and known[op.n][0] != digest_of(op):
            raise fork()
    return [
        _at(convert(answer, Verdict), seq, digest)
        for op in again if op.n in known for digest, answer, seq in (known[op.n],)
    ]  # fmt: skip


def _with_ground(reader: Reader, actor: Actor, request: Request, answer: Answer) -> Answer:
    """The answer to a desk that knows an earlier life of the street, with what this life has under the number before those it sent: a desk that
    has other work there is a copy of the one that sent it.
    """
    ground = min((op.n for op in request.ops), default=answer.last_n + 1) - 1
    ground = min(ground, answer.last_n)
    known = answers_of(reader.connection, actor.replica, ground, ground)
    told = [_at(convert(verdict, Verdict), seq, digest) for digest, verdict, seq in known.values()]
    return structs.replace(answer, verdicts=[*told, *answer.verdicts])


def _handed_over(unit: Unit, replica: int, ops: Sequence[Op]) -> dict[int, Verdict]:
    """The answers to those of these operations that a copy of this desk has handed over for review: they are not applied as well."""
    if not ops or not hand_over_of(unit, replica).changes:
        return {}
    digests = {op.n: digest_of(op) for op in ops}
    known = verdicts_of(unit.connection, replica, digests.values())
    return {n: convert(known[digest], Verdict) for n, digest in digests.items() if digest in known}


def _malformed(why: str) -> Refusal:
    return Refusal(
        "sync.malformed",
        N_("The message cannot be read ({why})."),
        N_("Both sides should run the same version of gridman; try again."),
        why=why,
    )


def _next_ops(ops: Iterable[Op], last: int) -> list[Op]:
    """The operations that follow what is known without a gap."""
    found: list[Op] = []
    for op in ops:
        if op.n == last + len(found) + 1:
            found.append(op)
        elif op.n > last:
            break
    return found


def _at(verdict: Verdict, seq: int, digest: str) -> Verdict:
    return Verdict(verdict.n, verdict.outcome, verdict.refusal, seq, digest[:DIGEST_TOLD])
