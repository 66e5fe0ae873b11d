"""After records have left this computer: what SQLite keeps of them on the disk goes too.

Pages are overwritten as they are freed (`secure_delete`), but the write-ahead log holds them as they were until it is cut, and the
full-text index marks terms as deleted without taking them out. Desk only, so this speaks SQLite.
"""

from sqlalchemy import Connection

from gridman.store.store import Store, get_meta, put_meta

__all__ = ["note_removal", "scrub"]

_WANTED = "scrub"


def note_removal(connection: Connection) -> None:
    """Records were removed: a scrub is due, also when the program ends before it."""
    put_meta(connection, _WANTED, "1")


def scrub(store: Store) -> bool:
    """Take the rest of removed records off the disk; False while somebody still reads the old state: then it stays due."""
    with store.read() as reader:
        if get_meta(reader, _WANTED) != "1":
            return True
    with store.database.writing:
        with store.database.writer.begin() as connection:
            connection.exec_driver_sql("INSERT INTO search_terms(search_terms) VALUES ('optimize')")
        with store.database.writer.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            (is_busy, _pages, _done) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            return False
        with store.database.writer.begin() as connection:
            put_meta(connection, _WANTED, "")
    return True
