"""Keys of the encrypted files: a desk's data key, wrapped once per person by a passphrase, and the street server's key file.

A slot is Argon2id(passphrase) -> HKDF-SHA-256 -> AES-256-GCM around the random 32-byte data key. Sources: RFC 9106 (second
recommended parameter set: 64 MiB, 3 passes, 4 lanes), RFC 5869, NIST SP 800-38D; passphrases are prepared like RFC 8265's OpaqueString.
The waiting times slow a person at the keyboard; against someone who copied the file only the cost of Argon2id helps.
"""

import hashlib
import os
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridman.kernel.errors import Refusal
from gridman.kernel.files import put_in_place, take_away, write_whole
from gridman.kernel.words import N_

__all__ = [
    "DEFAULT_COST",
    "KEY_BYTES",
    "Cost",
    "KeyFile",
    "check_passphrase",
    "fold_login",
    "street_key",
    "street_key_text",
]

KEY_BYTES = 32
MIN_PASSPHRASE = 10
MAX_PASSPHRASE = 200
LOCK_AFTER = 5
LOCK_MS = 5 * 60_000
_FORMAT = 1
_MAX_FILE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Cost:
    """What one guess costs: memory in KiB, passes over it, lanes."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4


DEFAULT_COST = Cost()


class _Slot(msgspec.Struct, frozen=True):
    """One person's way to the key. `failed_count`, `not_before_at`: the brake on guessing."""

    login: str
    generation: int
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    nonce: bytes
    wrapped: bytes
    failed_count: int = 0
    not_before_at: int = 0


class _Content(msgspec.Struct, frozen=True):
    format: int
    database_id: str
    slots: list[_Slot]
    check: str  # SHA-256 over what must not change: tells a damaged file from a wrong passphrase


class KeyFile:
    """`keys.json`: who may open one data file, and its random data key, wrapped. Never holds a key or a passphrase in the open."""

    def __init__(self, path: Path, content: _Content) -> None:
        self._path = path
        self._content = content

    @classmethod
    def create(cls, path: Path, login: str, passphrase: str, cost: Cost = DEFAULT_COST) -> tuple["KeyFile", bytes]:
        """A new file with a new data key and its first slot; returns both. Refuses to replace an existing file."""
        if path.exists():
            raise Refusal(
                "keys.exists",
                N_("There is already a key file at {path}."),
                N_("Sign in with it, or choose another data folder."),
                path=path,
            )
        check_passphrase(passphrase, login)
        key, database_id = secrets.token_bytes(KEY_BYTES), secrets.token_hex(16)
        slot = _wrap(key, database_id, login, 1, passphrase, cost)
        made = cls(path, _Content(_FORMAT, database_id, [], ""))
        made._keep([slot])
        return made, key

    @classmethod
    def load(cls, path: Path) -> "KeyFile":
        """Read the file; refuses with ``keys.missing`` or ``keys.damaged``."""
        try:
            raw = path.read_bytes()
        except FileNotFoundError as error:
            raise Refusal(
                "keys.missing",
                N_("There is no key file at {path}."),
                N_("Check the folder, or set this computer up again from the street server."),
                path=path,
            ) from error
        except OSError as error:
            raise _damaged(path, error.strerror or str(error)) from error
        return cls(path, _parse(path, raw))

    @property
    def logins(self) -> tuple[str, ...]:
        """Who has a slot."""
        return tuple(slot.login for slot in self._content.slots)

    @property
    def database_id(self) -> str:
        """Which data file this key belongs to; random, 32 hexadecimal digits."""
        return self._content.database_id

    def failures(self, login: str) -> int:
        """How many wrong passphrases were typed for this person since the last right one."""
        slot = self._find(login)
        return 0 if slot is None else slot.failed_count

    def open(self, login: str, passphrase: str, now: int) -> bytes:
        """The data key. Refuses with ``signin.wrong_passphrase``, ``signin.wait`` (too soon after a failure) or ``signin.locked``.

        An unknown login is refused like a wrong passphrase.
        """
        slot = self._find(login)
        if slot is None:
            raise _wrong(LOCK_AFTER)
        slot = _brake(slot, now)
        try:
            key = _unwrap(slot, self.database_id, passphrase)
        except InvalidTag as error:
            failed = slot.failed_count + 1
            self._put(replace_slot(slot, failed_count=failed, not_before_at=now + _pause_ms(failed)))
            raise _wrong(max(0, LOCK_AFTER - failed)) from error
        if slot.failed_count or slot.not_before_at:
            self._put(replace_slot(slot, failed_count=0, not_before_at=0))
        return key

    def add(self, login: str, passphrase: str, key: bytes, cost: Cost = DEFAULT_COST) -> None:
        """Give another person a slot. `key`: the data key, held by someone who is signed in."""
        if self._find(login) is not None:
            raise Refusal(
                "keys.login_taken",
                N_("{login} can already sign in here."),
                N_("Change the passphrase instead."),
                login=login,
            )
        check_passphrase(passphrase, login)
        self._keep([*self._content.slots, _wrap(key, self.database_id, login, 1, passphrase, cost)])

    def change(self, login: str, old: str, new: str, now: int, cost: Cost = DEFAULT_COST) -> None:
        """Another passphrase for the same key; the old one opens nothing afterwards."""
        key = self.open(login, old, now)
        check_passphrase(new, login)
        slot = self._find(login)
        assert slot is not None
        self._put(_wrap(key, self.database_id, slot.login, slot.generation + 1, new, cost))

    def write_anew(self, path: Path, login: str, passphrase: str, key: bytes, cost: Cost = DEFAULT_COST) -> None:
        """Write the key file of the same data under another `key` to `path`. Only this person's slot is in it: the others' passphrases are not
        known here, and to end what they could open is what a new key is for.
        """
        slot = self._find(login)
        generation = 1 if slot is None else slot.generation + 1
        KeyFile(path, self._content)._keep([_wrap(key, self.database_id, login, generation, passphrase, cost)])

    def remove(self, login: str) -> None:
        """Take a person's slot away. The last one stays: without it the data is lost."""
        kept = [s for s in self._content.slots if s.login != fold_login(login)]
        if not kept:
            raise Refusal(
                "keys.last_slot",
                N_("{login} is the only one who can open this data."),
                N_("Give another person access first, or remove the data folder once everything is synchronised."),
                login=login,
            )
        self._keep(kept)

    def _find(self, login: str) -> _Slot | None:
        return next((s for s in self._content.slots if s.login == fold_login(login)), None)

    def _put(self, slot: _Slot) -> None:
        self._keep([slot if s.login == slot.login else s for s in self._content.slots])

    def _keep(self, slots: list[_Slot]) -> None:
        content = _Content(_FORMAT, self.database_id, slots, _check(self.database_id, slots))
        write_whole(self._path, msgspec.json.format(msgspec.json.encode(content), indent=1))
        self._content = content


def replace_slot(slot: _Slot, **changes: Any) -> _Slot:
    """A copy of `slot` with other counts."""
    return msgspec.structs.replace(slot, **changes)


def fold_login(login: str) -> str:
    """The form in which logins are compared: no outer blanks, full-width letters made ordinary, case ignored."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def check_passphrase(passphrase: str, login: str = "") -> None:
    """Refuse a passphrase that is short, endless, one character repeated, or the login itself."""
    prepared = _prepare(passphrase)
    if len(prepared) < MIN_PASSPHRASE:
        why = N_("The passphrase has fewer than {least} characters.")
    elif len(prepared) > MAX_PASSPHRASE:
        why = N_("The passphrase has more than {most} characters.")
    elif len(set(prepared)) < 4 or fold_login(prepared) == fold_login(login):
        why = N_("The passphrase is too easy to guess.")
    else:
        return
    remedy = N_("Take at least {least} characters; several words that only you would put together are best.")
    raise Refusal("passphrase.weak", why, remedy, least=MIN_PASSPHRASE, most=MAX_PASSPHRASE)


def _prepare(passphrase: str) -> str:
    """RFC 8265 OpaqueString: any blank is a space, then NFC; case and width stay."""
    return unicodedata.normalize("NFC", "".join(" " if c.isspace() else c for c in passphrase))


def _wrapping_key(slot: _Slot, passphrase: str) -> bytes:
    stretched = hash_secret_raw(
        _prepare(passphrase).encode("utf-8", "surrogatepass"),
        slot.salt,
        time_cost=slot.passes,
        memory_cost=slot.memory_kib,
        parallelism=slot.lanes,
        hash_len=KEY_BYTES,
        type=Type.ID,
    )
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=slot.salt, info=b"gridman keys.json slot 1").derive(stretched)


def _bound(slot: _Slot, database_id: str) -> bytes:
    """What the wrap is tied to, so that a slot moved to another person or another file opens nothing."""
    return msgspec.json.encode([database_id, slot.login, slot.generation])


def _wrap(key: bytes, database_id: str, login: str, generation: int, passphrase: str, cost: Cost) -> _Slot:
    if len(key) != KEY_BYTES:
        raise ValueError(f"the data key must have {KEY_BYTES} bytes")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    bare = _Slot(fold_login(login), generation, cost.memory_kib, cost.passes, cost.lanes, salt, nonce, b"")
    sealed = AESGCM(_wrapping_key(bare, passphrase)).encrypt(nonce, key, _bound(bare, database_id))
    return replace_slot(bare, wrapped=sealed)


def _unwrap(slot: _Slot, database_id: str, passphrase: str) -> bytes:
    return AESGCM(_wrapping_key(slot, passphrase)).decrypt(slot.nonce, slot.wrapped, _bound(slot, database_id))


def _pause_ms(failed: int) -> int:
    """1, 2, 4, 8 seconds, then the lock."""
    return LOCK_MS if failed >= LOCK_AFTER else 1_000 << (failed - 1)


def _brake(slot: _Slot, now: int) -> _Slot:
    """Refuse while the pause lasts. A clock that was set back cannot lengthen it past the lock."""
    left_ms = min(slot.not_before_at - now, LOCK_MS)
    if left_ms <= 0:
        # After a served lock five new tries are given.
        return replace_slot(slot, failed_count=0) if slot.failed_count >= LOCK_AFTER else slot
    code = "signin.locked" if slot.failed_count >= LOCK_AFTER else "signin.wait"
    raise Refusal(
        code,
        N_("Too many wrong passphrases for {login}."),
        N_("Wait {seconds} seconds, then try again."),
        login=slot.login,
        seconds=-(-left_ms // 1000),
    )


def _wrong(tries_left: int) -> Refusal:
    return Refusal(
        "signin.wrong_passphrase",
        N_("The passphrase is wrong."),
        N_("Check Caps Lock and the input method, then type it again. A forgotten passphrase cannot be recovered: ask the street "
           "server's administrator for an enrolment code and set this computer up anew."),
        tries_left=tries_left,
    )  # fmt: skip


def _check(database_id: str, slots: list[_Slot]) -> str:
    """Over everything but the brakes, which change at every failure."""
    lasting = [replace_slot(s, failed_count=0, not_before_at=0) for s in slots]
    return hashlib.sha256(msgspec.json.encode([_FORMAT, database_id, lasting])).hexdigest()


def _parse(path: Path, raw: bytes) -> _Content:
    if len(raw) > _MAX_FILE_BYTES:
        raise _damaged(path, "too large")
    try:
        content = msgspec.json.decode(raw, type=_Content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    if content.format != _FORMAT:
        raise Refusal(
            "keys.too_new",
            N_("The key file {path} was written by a newer gridman."),
            N_("Install the newer version. Nothing was changed."),
            path=path,
        )
    if not content.slots or content.check != _check(content.database_id, content.slots):
        raise _damaged(path, "checksum")
    if not all(_is_sane(slot) for slot in content.slots):
        raise _damaged(path, "limits")
    return content


def _is_sane(slot: _Slot) -> bool:
    """Within limits: a file made by somebody else must not cost all memory or an hour."""
    cost_ok = 8 * slot.lanes <= slot.memory_kib <= 1 << 20 and 1 <= slot.passes <= 16 and 1 <= slot.lanes <= 16
    return cost_ok and len(slot.salt) == 16 and len(slot.nonce) == 12 and 0 <= slot.failed_count <= 1_000_000


def _damaged(path: Path, why: str) -> Refusal:
    return Refusal(
        "keys.damaged",
        N_("The key file {path} is damaged ({why}); without it the data cannot be opened."),
        N_("Put the copy from your last backup in its place, or set this computer up again from the street server."),
        path=path,
        why=why,
    )


def street_key(data_dir: Path, *, must_exist: bool = False) -> bytes:
    """The street server's 32-byte data key: DATA/street.key, made at the first start, readable by its owner only.

    It opens the embedded database and the photos. Refuses with ``street.key_missing`` (`must_exist`) or ``street.key_damaged``.
    """
    path = data_dir / "street.key"
    if not path.exists():
        if must_exist:
            raise Refusal(
                "street.key_missing",
                N_("The key file {path} is missing; without it the street's data cannot be opened."),
                N_("Put the copy from your backup in its place."),
                path=path,
            )
        _place_new_key(path)
    text = path.read_bytes().strip()
    with suppress(ValueError):
        key = bytes.fromhex(text.decode("ascii", "replace"))
        if len(key) == KEY_BYTES:
            return key
    raise Refusal(
        "street.key_damaged",
        N_("The key file {path} is damaged."),
        N_("Put the copy from your backup in its place."),
        path=path,
    )


def street_key_text(key: bytes) -> bytes:
    """A street's key as its file holds it."""
    return key.hex().encode() + b"\n"


def _place_new_key(path: Path) -> None:
    """Two servers started at the same moment agree on one key: whoever links first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    write_whole(fresh, street_key_text(secrets.token_bytes(KEY_BYTES)))
    try:
        with suppress(FileExistsError):
            os.link(fresh, path)
    except OSError:  # a file system without hard links
        if not path.exists():
            put_in_place(fresh, path)
    finally:
        take_away(fresh)
