"""Write a migration for what the declared schema has and the migrations do not: `python build_scripts/new_migration.py "Add a field"`."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> int:
    from alembic import command

    from gridman.store.database import open_sqlite
    from gridman.store.migrations import _config, upgrade

    if len(sys.argv) < 2:
        print('usage: new_migration.py "what changes"', file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        database = open_sqlite(Path(folder) / "empty.db", bytes(32))
        upgrade(database)
        with database.writer.begin() as connection:
            config = _config(connection)
            config.set_main_option("version_locations", str(ROOT / "gridman" / "store" / "migrations" / "versions"))
            number = len(list((ROOT / "gridman/store/migrations/versions").glob("[0-9]*.py"))) + 1
            command.revision(config, sys.argv[1], autogenerate=True, rev_id=f"{number:04d}")
        database.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
