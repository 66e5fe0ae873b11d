"""Settings inside the encrypted file: choices of the people who work with it, and a desk's token."""

from sqlalchemy import insert, select, update

from gridman.store import tables
from gridman.store.unit import Reader, Unit

__all__ = ["get_setting", "put_setting"]


def get_setting(reader: Reader, key: str) -> str | None:
    """The value kept under `key`, or None."""
    value = reader.connection.execute(select(tables.setting.c.value).where(tables.setting.c.key == key)).scalar()
    return None if value is None else str(value)


def put_setting(unit: Unit, key: str, value: str | None) -> None:
    """Keep `value` under `key`; None forgets it."""
    s = tables.setting
    if not unit.connection.execute(update(s).where(s.c.key == key).values(value=value)).rowcount:
        unit.connection.execute(insert(s), {"key": key, "value": value})
