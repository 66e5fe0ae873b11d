"""A data folder: its files, its keys, its database inside, its photos, its outbox, and the street server it belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridman.cli.findings import Finding, checked
from gridman.kernel.clock import show_instant, system_clock
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import STREET_REPLICA
from gridman.kernel.private import how_to_close, is_open_to_others
from gridman.kernel.words import N_, _
from gridman.services.audit import verify_chain
from gridman.services.audit_anchor import CHANGED_LOG, COPIED_LOG, BrokenLog, broken_logs
from gridman.services.lease import ending_soon
from gridman.services.profile import DeskUser, LeftDesk, left_desks
from gridman.services.signin import desk_token
from gridman.services.trust import desk_authority
from gridman.store import soundness
from gridman.store.blobs import BlobStore
from gridman.store.database import Database, open_postgresql, open_sqlite
from gridman.store.keys import KeyFile, street_key
from gridman.store.store import Store
from gridman.store.trouble import damaged_file
from gridman.sync.checking import differing

__all__ = [
    "HARMLESS", "Inside", "check_desk", "check_street", "desk_files", "left_behind", "open_desk_inside", "open_street_inside", "uncounted",
]  # fmt: skip

_OLD_WORK_MS = 3 * 86_400_000
_LARGEST_SKEW_MS = 300_000
HARMLESS = frozenset({"doctor.key_open"})
"""What is wrong with a desk's files, and keeps nobody from opening them."""


@dataclass
class Inside:
    """An opened data file under examination: nothing was migrated, nothing recorded."""

    store: Store | None
    database: Database
    blobs: BlobStore
    replica: int
    user: DeskUser | None = None

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()


def desk_files(data: Path, user: DeskUser) -> Iterator[Finding]:
    """What can be told of a desk without its passphrase."""
    folder = data / f"desk-{user.replica}"
    name = user.login

    def keys() -> Iterator[Refusal]:
        KeyFile.load(folder / "keys.json")
        yield from _open_to_others(folder / "keys.json")

    yield checked(_("Key file of {login}").format(login=name), keys)
    yield checked(_("Data file of {login}").format(login=name), lambda: _file(folder / "desk.db"))


def left_behind(data: Path) -> Iterator[Finding]:
    """The desks that their users left behind in this folder, with what sends their work; nothing where there are none."""
    desks = left_desks(data)
    if desks:
        told = ", ".join(f"{desk.user.replica} ({desk.user.login or '?'})" for desk in desks)
        yield Finding(
            _("Desks left behind"), told, tuple(_left(data, d) for d in desks if not d.is_sent), is_warning=True
        )


def _left(data: Path, desk: LeftDesk) -> Refusal:
    return Refusal(
        "doctor.left_behind",
        N_(
            "Desk {number} of {login} was left behind when it was set up anew; work that it has not sent waits in it, unseen."
        ),
        N_(
            "Send it where one signs in (User: Left behind), or type, with that desk's own passphrase: "
            'gridman sync --left {number} --data "{folder}"'
        ),
        number=desk.user.replica,
        login=desk.user.login or "?",
        folder=data,
    )


def uncounted(user: DeskUser) -> Finding:
    """Of a desk that does not open: its files are at fault, so nobody knows what it had not sent."""
    return Finding(_("Unsent work of {login}").format(login=user.login), "?", (_unreadable(),))


def _unreadable() -> Refusal:
    return Refusal(
        "doctor.unsent_unreadable",
        N_("Whether work waits that was not sent yet can no longer be read."),
        N_(
            "Keep a copy of this folder. A backup of it brings back what waited when that was made; without one, compare the last days' visits "
            "with the street's register after setting this computer up again."
        ),
    )


def _file(path: Path) -> Iterator[Refusal]:
    if not path.is_file():
        yield Refusal(
            "doctor.no_file",
            N_("The data file {path} is missing."),
            N_(
                "Put the copy from your last backup in its place. On a desk that was synchronised: set it up again from the street server."
            ),
            path=path,
        )
        return
    with path.open("rb") as file:
        yield from soundness.file_flaws(str(path), path.stat().st_size, file.read(16))


def _open_to_others(path: Path) -> Iterator[Refusal]:
    if is_open_to_others(path):
        yield Refusal(
            "doctor.key_open",
            N_("Other users of this computer may read the key file {path}."),
            N_("Type: {line}"),
            path=path,
            line=how_to_close(path),
        )


def open_desk_inside(data: Path, user: DeskUser, passphrase: str) -> Inside:
    """The desk's data file. Refuses with ``signin.*`` for the passphrase, and with ``doctor.first_page`` where the key is right and the
    file still does not open: then it is the file that is damaged.
    """
    folder = data / f"desk-{user.replica}"
    key = KeyFile.load(folder / "keys.json").open(user.login, passphrase, system_clock())
    database = _open(folder / "desk.db", key)
    return Inside(_store(database, user.replica), database, BlobStore(folder / "blobs", key), user.replica, user)


def open_street_inside(data: Path, url: str | None) -> Inside:
    """The street's data, in its folder or on PostgreSQL."""
    key = street_key(data, must_exist=True)
    database = open_postgresql(url) if url else _open(data / "street.db", key)
    return Inside(_store(database, STREET_REPLICA), database, BlobStore(data / "blobs", key), STREET_REPLICA)


def _open(path: Path, key: bytes) -> Database:
    try:
        return open_sqlite(path, key, must_exist=True)
    except Refusal as refusal:
        if refusal.code != "store.wrong_key":
            raise
        raise Refusal(
            "doctor.first_page",
            N_(
                "The key is right, but the data file {path} does not open: its beginning is damaged, or it belongs to another key file."
            ),
            N_(
                "Put data file and key file of one and the same backup in place, or set this computer up again from the street server."
            ),
            path=path,
        ) from refusal


def _store(database: Database, replica: int) -> Store | None:
    """None where the schema is not this program's: opening it would change it."""
    try:
        is_ours = not list(soundness.schema_flaws(database))
        return Store(database, replica, []) if is_ours else None
    except Exception:  # a damaged file fails in many ways; the check of its pages says so in words
        return None


def check_desk(inside: Inside, *, asks_server: bool = True) -> Iterator[Finding]:
    """Everything that the passphrase opens. Stops after damaged pages: what else would be found follows from them."""
    pages = checked(_("Pages of the data file"), lambda: soundness.page_flaws(inside.database))
    yield pages
    if pages.is_wrong:
        yield _rescue(inside.store)
        return
    yield checked(_("Schema"), lambda: soundness.schema_flaws(inside.database))
    store = inside.store
    if store is None:
        return
    with store.read() as reader:
        yield checked(_("Journal"), lambda: soundness.numbering_flaws(reader, inside.replica))
        yield checked(_("Lists and indexes"), lambda: soundness.list_flaws(reader))
        yield checked(_("Audit"), lambda: _audit(store))
        photos = soundness.photos_filed_here(reader, inside.replica)
        yield checked(_("Photos"), lambda: _photos(inside.blobs, photos), str(len(photos)))
        count, since = soundness.oldest_waiting(reader)
        yield checked(_("Unsent work"), lambda: _waiting(count, since), str(count), is_warning=True)
        yield checked(_("Compared with the street"), lambda: differing(reader), is_warning=True)
    if asks_server and inside.user is not None:
        yield _server(inside.user, desk_token(store), desk_authority(store))
        with store.read() as reader:
            soon = ending_soon(reader)
        if soon is not None:
            yield Finding(_("Offline sign-in"), inside.user.login, (soon,), is_warning=True)


def check_street(data: Path, inside: Inside) -> Iterator[Finding]:
    """The street server's own data."""
    pages = checked(_("Pages of the data file"), lambda: soundness.page_flaws(inside.database))
    yield pages
    if pages.is_wrong:
        return
    yield checked(_("Schema"), lambda: soundness.schema_flaws(inside.database))
    yield checked(_("Key file"), lambda: _open_to_others(data / "street.key"), is_warning=True)
    store = inside.store
    if store is None:
        return
    with store.read() as reader:
        yield checked(_("Journal"), lambda: soundness.numbering_flaws(reader, inside.replica))
        yield checked(_("Feed of changes"), lambda: soundness.feed_flaws(reader))
        yield checked(_("Logs and photos of incidents"), lambda: soundness.follower_flaws(reader))
        yield checked(_("Audit"), lambda: _audit(store))
        broken = [b for b in broken_logs(reader) if b.is_open]
        yield Finding(_("Audit of the desks"), "", tuple(_changed(b) for b in broken if not b.is_copy))
        yield Finding(_("Copied desks"), "", tuple(_copied(b) for b in broken if b.is_copy), is_warning=True)
        present, missing = [], 0
        for sha256 in soundness.all_photos(reader):
            if inside.blobs.has(sha256):
                present.append(sha256)
            else:
                missing += 1
        yield checked(_("Photos"), lambda: _photos(inside.blobs, present), str(len(present)))
        yield checked(_("Photos on their way"), lambda: _photos_missing(missing), str(missing), is_warning=True)


def _audit(store: Store) -> Iterator[Refusal]:
    with store.read() as reader:
        broken = verify_chain(reader)
    if broken is not None:
        yield Refusal(
            "doctor.audit",
            N_("The audit log was changed at line {line}, or lines after it are missing."),
            N_("Nobody may change it: keep this folder as it is and tell those responsible for data protection."),
            line=broken,
        )


def _changed(broken: BrokenLog) -> Refusal:
    device = broken.device
    return Refusal(
        "doctor.desk_audit",
        CHANGED_LOG,
        N_("What was sent before is here, unchanged. Tell those responsible for data protection, and look at that computer."),
        number=device.replica, name=device.name, line=broken.line,
    )  # fmt: skip


def _copied(broken: BrokenLog) -> Refusal:
    device = broken.device
    return Refusal(
        "doctor.desk_copied",
        COPIED_LOG,
        N_("Set each of the computers up again with a code of its own, then shut this number out."),
        number=device.replica, name=device.name, line=broken.line,
    )  # fmt: skip


def _photos(blobs: BlobStore, wanted: list[str]) -> Iterator[Refusal]:
    """Each opened and compared with the digest that names it."""
    for sha256 in wanted:
        if not blobs.has(sha256):
            yield Refusal(
                "doctor.photo_missing",
                N_("The photo {name} is missing from the folder."),
                N_(
                    "Put the folder “blobs” from your last backup in its place; the small picture in the record is still there."
                ),
                name=sha256[:12],
            )
            continue
        try:
            blobs.get(sha256)
        except Refusal as refusal:
            yield refusal


def _photos_missing(count: int) -> Iterator[Refusal]:
    if count:
        yield Refusal(
            "doctor.photos_awaited",
            N_("{count} photos have not arrived from the desks yet."),
            N_("They come when the desks that took them synchronise."),
            count=count,
        )


def _waiting(count: int, since: int | None) -> Iterator[Refusal]:
    if since is not None and system_clock() - since > _OLD_WORK_MS:
        yield Refusal(
            "doctor.old_work",
            N_("{count} changes wait for the street server, the oldest since {at}."),
            N_("Connect to the network and synchronise; until then a lost computer would lose them."),
            count=count,
            at=show_instant(since),
        )


def _rescue(store: Store | None) -> Finding:
    """What waits in a damaged file, before the computer is set up again."""
    try:
        if store is None:
            raise damaged_file(Path(), "-")
        with store.read() as reader:
            count, since = soundness.oldest_waiting(reader)
    except Refusal:
        return Finding(_("Unsent work"), "?", (_unreadable(),))
    if count == 0:  # no tick: what is spoilt may have held some
        return Finding(_("Unsent work"), "0?", (_none_found(),), is_warning=True)
    problem = Refusal(
        "doctor.unsent_in_damaged",
        N_("{count} changes in the damaged file were not sent yet, the oldest of {at}."),
        N_("Before anything else type gridman sync: it sends what can still be read. Then set this computer up again."),
        count=count,
        at=show_instant(since) if since is not None else "-",
    )
    return Finding(_("Unsent work"), str(count), (problem,))


def _none_found() -> Refusal:
    return Refusal(
        "doctor.unsent_uncertain",
        N_("In what can still be read nothing waits to be sent; whether something did in what is spoilt, nobody can tell."),
        N_("Keep a copy of this folder; compare the last days' visits with the street's register after setting this computer up again."),
    )  # fmt: skip


def _server(user: DeskUser, token: str, authority: bytes) -> Finding:
    """Whether the street answers, knows this desk, is the one it was, and agrees on the time. Being offline is no fault."""
    from gridman.sync.http import HttpStreet
    from gridman.sync.protocol import SPOKEN, Hello

    street = HttpStreet(user.server_url, token, authority)
    try:
        greeting = street.greet(Hello(SPOKEN.highest, user.replica, lowest=SPOKEN.lowest))
    except Refusal as refusal:
        is_away = refusal.code in ("sync.unreachable", "sync.cut_off")
        return Finding(_("Street server"), user.server_url, (refusal,), is_warning=is_away)
    finally:
        street.close()
    problems = []
    skew = system_clock() - greeting.at
    if abs(skew) > _LARGEST_SKEW_MS:
        problems.append(
            Refusal(
                "doctor.skew",
                N_("This computer's clock is {seconds} seconds off the street server's."),
                N_("Set the clock that is wrong; the merge orders edits by time."),
                seconds=skew // 1000,
            )
        )
    if user.street_epoch and greeting.epoch != user.street_epoch:
        problems.append(
            Refusal(
                "doctor.epoch",
                N_("The street server was restored from a backup since this computer was set up."),
                N_("Synchronise: this desk then receives everything anew and offers its work again."),
            )
        )
    return Finding(_("Street server"), user.server_url, tuple(problems))
