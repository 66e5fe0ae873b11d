"""`gridman bundle`: the sync by hand: write at the desk, take at the street, import at the desk."""

import argparse
from pathlib import Path
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, add_login, opened_desk, opened_street, require_place
from gridman.kernel.words import N_, _

__all__ = ["fill", "run"]


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parts = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    export = _leaf(parts, "export", _("write what waits at a desk to a file for the street"), _export)
    add_data(export)
    add_login(export)
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help=_("the bundle to write (*.gridman)"))
    take = _leaf(parts, "take", _("take a desk's bundle into the street and write the answer"), _take)
    take.add_argument("file", type=Path, metavar="FILE", help=_("the bundle"))
    add_data(take, is_street=True)
    take.add_argument("--out", type=Path, required=True, metavar="RETURN", help=_("the answer to write"))
    back = _leaf(parts, "import", _("take the street's answer in at the desk that wrote the bundle"), _import)
    back.add_argument("file", type=Path, metavar="RETURN", help=_("the answer"))
    add_data(back)
    add_login(back)


def run(args: argparse.Namespace, console: Console) -> int:
    """Do what was asked."""
    return int(args.work(args, console))


def _leaf(parts: Any, name: str, text: str, work: Any) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = parts.add_parser(name, help=text, description=text)
    made.set_defaults(work=work)
    return made


def _export(args: argparse.Namespace, console: Console) -> int:
    from gridman.sync.carrying import carry

    require_place(args.out)
    with opened_desk(args.data, args.login) as desk:
        done = carry(desk, args.out, console.progress)
    console.say(
        _("{file}: {operations} operations, {photos} photos. Only the street can open it.").format(
            file=done.path, operations=done.operations, photos=done.photos
        )
    )
    if done.is_for_review:
        console.say(_("This computer is a copy: what the file carries goes to the street's review list."))
    if done.photos_left:
        console.warn(_("{count} photos did not fit; they go with the next bundle.").format(count=done.photos_left))
    console.give(
        {
            "file": str(done.path), "operations": done.operations, "photos": done.photos, "photos_left": done.photos_left,
            "bytes": done.size_bytes, "for_review": done.is_for_review,
        }
    )  # fmt: skip
    return 0


def _take(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.lease import issue_ticket
    from gridman.services.seals import former_bundle_keys
    from gridman.services.street import street_picture
    from gridman.sync.bundle import StreetBundles
    from gridman.sync.catching_up import catch_up
    from gridman.sync.replica import Replica

    require_place(args.out)
    with opened_street(args.data, args.database) as street:
        catch_up(street.store)
        street_id = street_picture(street.store, 0).street_id
        side = StreetBundles(
            street.store,
            Replica(street.store, key=street.key),
            street.photos,
            street.key,
            street_id,
            lambda actor: issue_ticket(street.store, street.key, actor.replica, actor.user_id),
            former_bundle_keys(street.store, street.key),
        )
        taken = side.take(args.file, args.out, console.progress)
    parted = taken.parted
    if parted is None:
        console.say(
            _("From computer {replica}: {fresh} operations taken, {repeated} known already, {photos} photos.").format(
                replica=taken.replica, fresh=taken.fresh, repeated=taken.repeated, photos=taken.photos
            )
        )
        console.say(_("Carry {file} back to it: it holds the receipts and what is new.").format(file=taken.path))
    else:
        _tell_parted(taken, parted, console)
    console.give(
        {
            "file": str(taken.path), "replica": taken.replica, "fresh": taken.fresh, "repeated": taken.repeated,
            "photos": taken.photos, "pages": taken.pages, "for_review": parted.source.reason if parted else None,
            "entries": parted.cards if parted else 0,
            "problem": parted.problem.code if parted and parted.problem else None,
        }
    )  # fmt: skip
    return 1 if parted is not None and parted.problem is not None else 0


_PARTED = {
    "lost_desk": N_("Computer {replica} was reported lost: whoever holds it could have written this."),
    "retired_desk": N_("Computer {replica} was taken out of service."),
    "copied_desk": N_("Computer {replica} has other work under its numbers at the street already: its data was copied or put back."),
}  # fmt: skip


def _tell_parted(taken: Any, parted: Any, console: Console) -> None:
    """What came from a computer that may not write any more: nothing of it is applied."""
    console.say(_(_PARTED[parted.source.reason]).format(replica=taken.replica))
    console.say(
        _(
            "Kept for review: {fresh} operations (entries: {entries}), {repeated} known already, {photos} photos. None was applied."
        ).format(fresh=taken.fresh, entries=parted.cards, repeated=taken.repeated, photos=taken.photos)
    )
    console.say(
        _("Carry {file} back to it: it tells what became of its work, and nothing else.").format(file=taken.path)
    )
    if parted.problem is not None:
        console.warn(parted.problem.words())


def _import(args: argparse.Namespace, console: Console) -> int:
    from gridman.sync.carrying import bring_back

    with opened_desk(args.data, args.login) as desk:
        taken = bring_back(desk, args.file, console.progress)
        waiting = desk.status().waiting
    if taken.is_stale:
        console.say(_("This answer was taken before, or newer news came another way: nothing was changed."))
    else:
        console.say(
            _("Acknowledged {sent}, received {received}, refused {refused}; {waiting} operations still wait.").format(
                sent=taken.sent, received=taken.received, refused=len(taken.refused), waiting=waiting
            )
        )
    for receipt in taken.refused:
        console.warn(
            _("refused: {kind} {id}: {reason}").format(
                kind=receipt.entity, id=receipt.record_id, reason=receipt.reason or ""
            )
        )
    console.give(
        {
            "sent": taken.sent, "received": taken.received, "is_stale": taken.is_stale, "photos": taken.photos, "waiting": waiting,
            "refused": [{"kind": r.entity, "id": r.record_id, "reason": r.reason} for r in taken.refused],
        }
    )  # fmt: skip
    return 1 if taken.refused else 0
