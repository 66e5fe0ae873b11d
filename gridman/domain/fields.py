"""What a field says about itself. A field is declared once, as a column of its class, and everything that shows, checks, sends,
prints, masks, journals or merges it reads that declaration (`Field`) instead of repeating it.

Source for purpose and retention per field: Personal Information Protection Law, arts. 5-6 and 19 (domain reference, DP-01).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, MappedColumn, mapped_column

__all__ = [
    "BIG",
    "Field",
    "Kind",
    "Merge",
    "Privacy",
    "Record",
    "Synced",
    "column",
    "fields_of",
    "kind_of",
    "wire_fields",
]

BIG = BigInteger().with_variant(Integer, "sqlite")
"""64 bits everywhere; INTEGER on SQLite, so that a primary key is the row id itself and needs no second index."""


class Kind(StrEnum):
    """How a value is typed, checked and shown."""

    TEXT = "text"
    NOTE = "note"  # several lines
    NAME = "name"  # a person's name: never normalised by NFC/NFKC
    CODE = "code"  # one code of `code_table`
    CODES = "codes"  # several codes of `code_table`, joined by ";"
    ID_NUMBER = "id_number"
    PHONES = "phones"  # several numbers joined by ";"
    DAY = "day"  # "YYYY-MM-DD"
    INSTANT = "instant"  # milliseconds since the epoch, UTC
    NUMBER = "number"
    MEASURE = "measure"  # float with a unit in the field's name
    FLAG = "flag"
    REFERENCE = "reference"  # id of another record
    SHAPE = "shape"  # WKB, CGCS2000 longitude/latitude
    BYTES = "bytes"


class Merge(StrEnum):
    """What becomes of two edits made without knowing of each other (sync design D8)."""

    FIELD = "field"  # the later stamp wins, the loser is kept for review
    HOLD = "hold"  # the current value stays, a person decides
    ONCE = "once"  # set when the record is made, never edited
    STREET = "street"  # only the street server's own verbs change it


class Privacy(StrEnum):
    """How a field is protected: personal values are masked in lists, sensitive ones shown only on a logged act."""

    NONE = "none"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True)
class Field:
    """One field's declaration. `label` and `hint` are message ids; `name` and `entity` are filled from the class."""

    label: str
    kind: Kind
    code_table: str = ""
    is_required: bool = False
    is_shown: bool = True
    privacy: Privacy = Privacy.NONE
    merge: Merge = Merge.FIELD
    max_length: int = 200
    hint: str = ""
    purpose: str = "grid service"
    retention: str = "while resident + 2 years"
    name: str = ""
    entity: str = ""


_TYPES: dict[Kind, Any] = {
    Kind.TEXT: Text,
    Kind.NOTE: Text,
    Kind.NAME: Text,
    Kind.CODE: Text,
    Kind.CODES: Text,
    Kind.ID_NUMBER: Text,
    Kind.PHONES: Text,
    Kind.DAY: String(10),
    Kind.INSTANT: BigInteger,
    Kind.NUMBER: BigInteger,
    Kind.MEASURE: Float,
    Kind.FLAG: Boolean,
    Kind.REFERENCE: BIG,
    Kind.SHAPE: LargeBinary,
    Kind.BYTES: LargeBinary,
}


def column(label: str, kind: Kind = Kind.TEXT, *, index: bool = False, **says: Any) -> MappedColumn[Any]:
    """Declare one field. Required-ness is a rule of the form, not of the table: a row sent by another version of the program must
    always find a place, so every column but the id may be empty.
    """
    return mapped_column(_TYPES[kind], nullable=True, index=index, info={"field": Field(label, kind, **says)})


class Record(DeclarativeBase):
    """Base of all mapped classes of the trade."""


class Synced(Record):
    """A record that travels between desks and the street. Rows may arrive in any order, so there are no foreign keys between them;
    nothing is deleted, it is retired.
    """

    __abstract__ = True

    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    retired_at: Mapped[int | None] = column("Retired", Kind.INSTANT, is_shown=False)
    retired_reason: Mapped[str | None] = column("Reason for retiring", is_shown=False)

    def __repr__(self) -> str:
        # Never the values: this text ends up in logs and tracebacks.
        return f"<{type(self).__name__} {self.id}>"


def kind_of(cls: type[Record]) -> str:
    """The entity's name on the wire and in the journal: its table's name."""
    return str(cls.__tablename__)


@cache
def fields_of(cls: type[Record]) -> Mapping[str, Field]:
    """The declared fields of a class by name, in order of declaration."""
    found: dict[str, Field] = {}
    for column_ in cls.__table__.columns:
        field = column_.info.get("field")
        if field is not None:
            found[column_.key] = dataclasses.replace(field, name=column_.key, entity=kind_of(cls))
    return MappingProxyType(found)


@cache
def wire_fields(cls: type[Record]) -> tuple[str, ...]:
    """The names of the columns that travel, the id first."""
    return tuple(c.key for c in cls.__table__.columns)


def attribute(cls: type[Record], name: str) -> InstrumentedAttribute[Any]:
    """The mapped attribute `name` of `cls`."""
    return getattr(cls, name)  # type: ignore[no-any-return]
