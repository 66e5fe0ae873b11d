"""A restored street takes the place of the one that was served: decided at one moment, done at the next start, before anything is opened.

Both lie in the same data folder, so every command goes on naming one folder. The old one is moved into `replaced/…` first, whole, then the
restored one into its place; a file says how far that is. All of it are renames on one disk: a kill at any moment leaves the old street, the
new one, or a state that the next opening brings to its end, never a mixture that opens.
"""

from pathlib import Path

import msgspec

from gridman.kernel.files import put_in_place, take_away, write_whole
from gridman.store.rotation import STREET, settle

__all__ = [
    "REPLACED",
    "RESTORED",
    "Switch",
    "decide_switch",
    "finish_switch",
    "forget_switch",
    "is_half_switched",
    "take_back_switch",
    "wanted_switch",
]

RESTORED, REPLACED = "restored", "replaced"
_FILE = "switch.json"
_DECIDED, _OUT, _IN, _DONE = "decided", "out", "in", "done"
_OURS = (
    "street.db", "street.db-wal", "street.db-shm", "street.db-journal", "street.key", "blobs", "snapshots", "uploads", "tls",
)  # fmt: skip
_COPIES = "street.db.before-*"


class Switch(msgspec.Struct, frozen=True):
    """Which restored street is to be served (`restored`: its folder's name), and under which name the present one is kept (`replaced`).
    `hosts`: the names by which computers find the server, for the certificate. `phase`: decided, out, in, done.
    """

    restored: str
    replaced: str
    decided_at: int
    hosts: tuple[str, ...] = ()
    phase: str = _DECIDED


def wanted_switch(folder: Path) -> Switch | None:
    """What was decided, or is under way; None where nothing is."""
    try:
        content = (folder / _FILE).read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.json.decode(content, type=Switch)


def decide_switch(folder: Path, switch: Switch) -> None:
    """From the next start on the restored street is served."""
    _keep(folder, switch)


def take_back_switch(folder: Path) -> bool:
    """The present street goes on being served; False where nothing was decided, or the change is under way already."""
    switch = wanted_switch(folder)
    if switch is None or switch.phase != _DECIDED:
        return False
    take_away(folder / _FILE)
    return True


def is_half_switched(folder: Path) -> bool:
    """Whether a change was cut off: nothing may be opened before it is finished."""
    switch = wanted_switch(folder)
    return switch is not None and switch.phase in (_OUT, _IN)


def finish_switch(folder: Path) -> Switch | None:
    """Do what was decided, or go on where it was cut off; whoever calls holds the street's folder. Returns what was done, None when nothing was
    wanted. The note stays until `forget_switch`, for what the caller has to do besides.
    """
    switch = wanted_switch(folder)
    if switch is None:
        return None
    fresh, old = folder / RESTORED / switch.restored, folder / REPLACED / switch.replaced
    if switch.phase == _DECIDED and not (fresh / "street.key").exists():
        take_away(folder / _FILE)  # it was thrown away since
        return None
    if switch.phase == _DECIDED:
        settle(
            folder, STREET
        )  # a change of keys that was cut off belongs to the old street; later it would be put in place of the new one
    if switch.phase in (_DECIDED, _OUT):
        switch = _keep(folder, msgspec.structs.replace(switch, phase=_OUT))
        old.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in [*(folder / name for name in _OURS), *folder.glob(_COPIES)]:
            if path.exists():
                put_in_place(path, old / path.name)
        switch = _keep(folder, msgspec.structs.replace(switch, phase=_IN))
    if switch.phase == _IN:
        for path in sorted(fresh.iterdir()) if fresh.exists() else []:
            put_in_place(path, folder / path.name)
        if fresh.exists():
            fresh.rmdir()
        switch = _keep(folder, msgspec.structs.replace(switch, phase=_DONE))
    return switch


def forget_switch(folder: Path) -> None:
    """All that belongs to it is done."""
    take_away(folder / _FILE)


def _keep(folder: Path, switch: Switch) -> Switch:
    write_whole(folder / _FILE, msgspec.json.encode(switch))
    return switch
