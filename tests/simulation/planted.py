"""Bugs the simulator must find: each a context in which one promise of the sync is broken on purpose."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from gridman.domain.merge import Edit, Verdict
from gridman.domain.stamp import after
from gridman.store import feed
from gridman.store.replay import Replay
from gridman.sync import bundle, exchange, handover, merging, pull, push, replica

__all__ = ["PLANTED", "SHOWN"]


def _replace(where: Any, name: str, by: Any) -> AbstractContextManager[Any]:
    return patch.object(where, name, by)


@contextmanager
def no_dedupe() -> Iterator[None]:
    """The street applies an operation again when it comes again."""
    keep = replica.keep_answers

    def keep_new(connection: Any, number: int, answers: Any, seq: int, at: int) -> None:
        last = replica.last_pushed(connection, number)
        keep(connection, number, [a for a in answers if a[0] > last], seq, at)

    with _replace(replica, "_next_ops", lambda ops, last: list(ops)), _replace(replica, "keep_answers", keep_new):
        yield


@contextmanager
def losers_dropped() -> Iterator[None]:
    """The value that loses is not kept."""
    with _replace(merging, "keep", lambda *args: None):
        yield


@contextmanager
def no_exit() -> Iterator[None]:
    """Desks are not told that a record left a scope."""
    inner = Replay.place

    def place(self: Replay, entries: Any) -> None:
        inner(self, [e for e in entries if not e.is_exit])

    with _replace(Replay, "place", place):
        yield


@contextmanager
def pull_overwrites_pending() -> Iterator[None]:
    """A pulled row replaces values that are not sent yet."""

    def overlaid(self: Replay, kind: Any, columns: Any, row: Any, cells: Any, pending: Any) -> Any:
        return row

    with _replace(Replay, "_overlaid", overlaid):
        yield


@contextmanager
def settled_at_answer() -> Iterator[None]:
    """An edit stops being pending as soon as it is answered."""
    inner = Replay.move_cursors

    def move(self: Replay, cursors: Any) -> None:
        inner(self, cursors)
        self._settle(1 << 60)

    with _replace(Replay, "move_cursors", move):
        yield


@contextmanager
def checkpoint_too_early() -> Iterator[None]:
    """Any answer counts as a checkpoint, complete or not."""
    absorb = exchange.absorb

    def eager(store: Any, request: Any, answer: Any) -> Any:
        from msgspec.structs import replace

        return absorb(store, request, replace(answer, complete=True))

    with _replace(exchange, "absorb", eager):
        yield


@contextmanager
def no_clamp() -> Iterator[None]:
    """A clock that is days ahead rules everybody's future."""
    with _replace(push, "clamp", lambda stamp, now: stamp):
        yield


@contextmanager
def by_wall_clock() -> Iterator[None]:
    """The later clock wins, whatever was known."""

    def decide(edit: Edit, current: Any, version: str | None, policy: Any, is_retired: bool = False) -> Verdict:
        if edit.value == current:
            return Verdict(False, version or edit.stamp)
        if version is None or edit.stamp > version:
            return Verdict(True, edit.stamp)
        return Verdict(False, version)

    with _replace(merging, "decide", decide):
        yield


@contextmanager
def always_applies() -> Iterator[None]:
    """The last one to arrive wins and nobody is told."""
    rule = lambda edit, current, version, policy, is_retired=False: Verdict(True, after(edit.stamp, version or ""))  # noqa: E731
    with _replace(merging, "decide", rule):
        yield


@contextmanager
def cursor_ahead() -> Iterator[None]:
    """A page says it went further than it did."""
    inner = pull._Page.read

    def read(self: Any, index: int, cursor: Any) -> Any:
        found = inner(self, index, cursor)
        return type(found)(found.scope, found.seq, pull.ALL)

    with _replace(pull._Page, "read", read):
        yield


@contextmanager
def withdrawal_drops_outbox() -> Iterator[None]:
    """Unsent edits vanish with the grid."""
    inner = Replay._remove

    def remove(self: Replay, kind: str, ids: Any) -> None:
        inner(self, kind, ids)
        for i in ids:
            self.connection.exec_driver_sql(
                "UPDATE journal SET after = NULL, before = NULL, base = NULL, effects = NULL "
                f"WHERE record_id = {i} AND state IN ('waiting', 'sent')"
            )

    with _replace(Replay, "_remove", remove):
        yield


@contextmanager
def stale_answers_taken() -> Iterator[None]:
    """An answer to an old question is taken for one to the present."""
    with _replace(exchange, "positions", lambda connection: _Anything()):
        inner = exchange.prepare

        def prepare(store: Any, *args: Any, **kwargs: Any) -> Any:
            with _replace(exchange, "positions", _positions):
                return inner(store, *args, **kwargs)

        with _replace(exchange, "prepare", prepare):
            yield


@contextmanager
def effects_kept() -> Iterator[None]:
    """What a refused command showed on the desk stays."""

    def show(self: Replay, freed: Any) -> None:
        for i, names in freed.items():
            for name in names:
                self.connection.exec_driver_sql(f"DELETE FROM base_cell WHERE record_id = {i} AND field = '{name}'")

    with _replace(Replay, "_show_base", show):
        yield


@contextmanager
def cursor_before_rows() -> Iterator[None]:
    """The desk notes how far it has received in a transaction of its own, before the rows are in."""
    absorb = exchange.absorb

    def early(store: Any, request: Any, answer: Any) -> Any:
        from gridman.store.replay import receiving

        asked = {c.scope: (c.seq, c.after_id) for c in request.cursors}
        with receiving(store) as replay:
            fits = _positions(replay.connection) == asked and replay.note("street_epoch") == request.epoch
            if fits and not answer.is_reset:
                replay.move_cursors((c.scope, c.seq, c.after_id) for c in answer.cursors)
        with _replace(exchange, "positions", lambda connection: asked if fits else _positions(connection)):
            return absorb(store, request, answer)

    with _replace(exchange, "absorb", early):
        yield


@contextmanager
def number_gap() -> Iterator[None]:
    """A change is numbered below what readers have seen already: what a sequence does when a slow transaction commits late."""
    inner = feed.next_number

    def late(connection: Any) -> int:
        number = inner(connection)
        return number - 1 if number % 5 == 0 else number

    with _replace(feed, "next_number", late):
        yield


@contextmanager
def fork_untold() -> Iterator[None]:
    """The street does not look whether an operation that comes again is the same one."""
    inner = replica.Replica._push

    def blind(self: replica.Replica, unit: Any, actor: Any, request: Any, scopes: Any) -> Any:
        with _replace(replica, "digest_of", lambda op: ""):
            return inner(self, unit, actor, request, scopes)

    with _replace(replica.Replica, "_push", blind):
        yield


@contextmanager
def restored_street_believed() -> Iterator[None]:
    """Desks do not offer again what a restored street has lost."""
    with _replace(exchange.outbox, "offer_again", lambda connection, after_n: 0):
        yield


@contextmanager
def old_life_kept() -> Iterator[None]:
    """A restored street goes on under the epoch it had."""
    from tests.simulation import machines

    inner = machines.begin_new_life

    def same_life(unit: Any) -> str:
        epoch = unit.connection.exec_driver_sql("SELECT epoch FROM sync_clock").scalar()
        inner(unit)
        unit.connection.exec_driver_sql(f"UPDATE sync_clock SET epoch = '{epoch}'")
        return str(epoch)

    with _replace(machines, "begin_new_life", same_life):
        yield


@contextmanager
def unknown_field_dropped() -> Iterator[None]:
    """What an older version does not understand is thrown away."""
    with _replace(Replay, "_defer", lambda *args: None):
        yield


@contextmanager
def refusal_stops_the_rest() -> Iterator[None]:
    """The street stops taking a desk's work at the first operation it refuses."""
    inner = replica._next_ops
    stuck: dict[int, int] = {}
    take = push.Intake._set_aside

    def aside(self: Any, op: Any, *args: Any) -> Any:
        stuck[self.replica] = op.n
        return take(self, op, *args)

    def following(ops: Any, last: int) -> Any:
        return [] if ops and last and last in stuck.values() else inner(ops, last)

    with _replace(push.Intake, "_set_aside", aside), _replace(replica, "_next_ops", following):
        yield


@contextmanager
def bundle_not_numbered() -> Iterator[None]:
    """What comes on a stick is taken without looking at its numbers."""
    inner = bundle.StreetBundles._exchange

    def exchange_(self: Any, *args: Any) -> Any:
        with no_dedupe():
            return inner(self, *args)

    with _replace(bundle.StreetBundles, "_exchange", exchange_):
        yield


@contextmanager
def handed_over_forgotten() -> Iterator[None]:
    """The street does not know again what was handed over to it."""
    with _replace(handover, "verdicts_of", lambda *args: {}), _replace(handover, "keep_verdicts", lambda *args: None):
        yield


@contextmanager
def handed_over_by_number() -> Iterator[None]:
    """What a copy hands over is taken for the work of its twin, which has the same numbers."""

    def answered(self: Any, wanted: Any) -> Any:
        found = {n: handover.answers_of(self.unit.connection, self.replica, n, n).get(n) for n, _digest in wanted}
        return {digest: found[n][1] for n, digest in wanted if found[n] is not None}

    with _replace(handover.Handover, "_answered", answered):
        yield


@contextmanager
def copied_numbers_kept() -> Iterator[None]:
    """Records made on a copy keep the numbers that its twin has given out too."""
    with _replace(handover.Handover, "_renew", lambda *args: None):
        yield


class _Anything(dict[str, Any]):
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


_positions = exchange.positions

PLANTED: dict[str, Callable[[], AbstractContextManager[None]]] = {
    bug.__name__: bug
    for bug in (
        no_dedupe, losers_dropped, no_exit, pull_overwrites_pending, settled_at_answer, checkpoint_too_early, no_clamp,
        by_wall_clock, always_applies, cursor_ahead, withdrawal_drops_outbox, stale_answers_taken,
        effects_kept, cursor_before_rows, number_gap, fork_untold,
        restored_street_believed, old_life_kept, unknown_field_dropped,
        refusal_stops_the_rest, bundle_not_numbered,
        handed_over_forgotten, handed_over_by_number, copied_numbers_kept,
    )
}  # fmt: skip

SHOWN: dict[str, tuple[int, ...]] = {
    "bundle_not_numbered": (272,),
    "copied_numbers_kept": (549,),
    "fork_untold": (170,),
    "handed_over_by_number": (382,),
    "handed_over_forgotten": (368,),
    "old_life_kept": (66,),
    "unknown_field_dropped": (85,),
    "withdrawal_drops_outbox": (271,),
}
"""Seeds that showed the bugs which seldom meet their company; see `fleet.first_failing`."""
