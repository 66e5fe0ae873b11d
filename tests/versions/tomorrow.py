"""Tomorrow's gridman: a copy of today's source in which a household has one more field and there is one more kind of record, with the
migration that belongs to it. What only some later version will know is thereby known to a real program.
"""

import re
import shutil
from pathlib import Path

import gridman

__all__ = ["make_tomorrow"]

_TODAY = Path(gridman.__file__).parent

_PETITION = '''"""Requests of residents, which only tomorrow's version knows."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Synced, column

__all__ = ["Petition"]


class Petition(Synced):
    """What somebody asked for."""

    __tablename__ = "petition"

    grid_id: Mapped[int] = column("Grid", Kind.REFERENCE, is_required=True)
    words: Mapped[str] = column("Words", is_required=True)
'''

_MIGRATION = '''"""Petitions, and the code of a household's door."""

import sqlalchemy as sa
from alembic import op

from gridman.domain.petition import Petition

revision, down_revision, branch_labels, depends_on = "9001", "{head}", None, None


def upgrade() -> None:
    Petition.__table__.create(op.get_bind())
    with op.batch_alter_table("household", schema=None) as household:
        household.add_column(sa.Column("door_code", sa.Text(), nullable=True))
'''


def make_tomorrow(folder: Path) -> Path:
    """Write tomorrow's version into `folder`; returns what to put on the path."""
    package = folder / "gridman"
    shutil.copytree(_TODAY, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("resources", "maps"):
        _show(_TODAY.parent / name, folder / name)
    domain, versions = package / "domain", package / "store" / "migrations" / "versions"
    (domain / "petition.py").write_text(_PETITION, encoding="utf-8")
    (versions / "9001_tomorrow.py").write_text(_MIGRATION.format(head=_head(versions)), encoding="utf-8")
    _change(
        domain / "household.py",
        r"(    remark: Mapped\[str \| None\] = column\([^\n]*\n)",
        r'\1    door_code: Mapped[str | None] = column("Door code")' + "\n",
    )
    _change(
        domain / "catalog.py",
        r"(from gridman\.domain\.person import)",
        r"from gridman.domain.petition import Petition\n\1",
    )
    _change(domain / "catalog.py", r"(    Noun\(Visit, _grid\),\n)", r"\1    Noun(Petition, _grid),\n")
    _change(
        package / "sync" / "admission.py", r'"notice": "notice\.write",', r'\g<0> "petition": "visit.write",', times=2
    )
    return folder


def _head(versions: Path) -> str:
    """The last migration of today: the one that no other follows."""
    texts = [path.read_text(encoding="utf-8") for path in versions.glob("[0-9]*.py")]
    made = {m[1] for text in texts if (m := re.search(r'^revision\b.*?= "(\w+)"', text, re.M))}
    followed = {m[1] for text in texts if (m := re.search(r'^down_revision\b.*?= "(\w+)"', text, re.M))}
    (head,) = made - followed
    return head


def _show(there: Path, here: Path) -> None:
    try:
        here.symlink_to(there, target_is_directory=True)
    except OSError:  # Windows without the right to make links
        shutil.copytree(there, here)


def _change(path: Path, pattern: str, by: str, times: int = 1) -> None:
    text, count = re.subn(pattern, by, path.read_text(encoding="utf-8"))
    assert count == times, f"{path.name} has changed: {pattern} fits {count} times"
    path.write_text(text, encoding="utf-8")
