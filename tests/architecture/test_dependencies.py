"""What the product imports is what pyproject.toml asks for: in the part that needs it, and nothing by luck of another."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.architecture.source import ROOT, Source, product

# Asked for, but taken by another library or by our tools, so no import shows it.
TAKEN_BY_OTHERS = {
    "polib": "build_scripts/translate.py",
    "psycopg": "SQLAlchemy, by the URL of the street's database",
    "rl-accel": "reportlab, for speed",
    "pyside6": "the whole Qt; the parts below carry the modules",
    "pyside6-addons": "QtWebEngine lies in it",
    "pyside6-essentials": "QtCore, QtGui and QtWidgets lie in it",
    "shiboken6": "PySide6",
    "alembic": "the migrations",
}


def normal(name: str) -> str:
    """A distribution's name as the index compares it, without version, extras or marker."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;! ]", name)[0]).lower()


def declared() -> dict[str, set[str]]:
    """Part ("" for the base) to the distributions it asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    parts = {"": project["dependencies"], **project["optional-dependencies"]}
    return {part: {normal(requirement) for requirement in wanted} for part, wanted in parts.items()}


def foreign_imports(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Top-level names of other people's packages that a module imports."""
    for node in ast.walk(source.tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        for name in names:
            top = name.split(".")[0]
            if top != "gridman" and top not in sys.stdlib_module_names:
                yield top, node


def test_every_import_is_asked_for_where_it_is_needed() -> None:
    parts, owners = declared(), packages_distributions()
    offences = []
    for source in product():
        storey = source.module.split(".")[1] if "." in source.module else ""
        allowed = parts[""] | (parts["desk"] if storey == "ui" else set())
        allowed |= parts["street"] if storey == "server" else set()
        for top, node in foreign_imports(source):
            if not {normal(owner) for owner in owners.get(top, [])} & allowed:
                offences.append(f"{source.at(node)} imports {top}, which pyproject.toml does not ask for here")
    assert not offences, "\n".join(offences)


def test_everything_asked_for_is_used() -> None:
    parts, owners = declared(), packages_distributions()
    used = {
        normal(owner) for source in product() for top, _node in foreign_imports(source) for owner in owners.get(top, [])
    }
    wanted = parts[""] | parts["desk"] | parts["street"]
    idle = sorted(wanted - used - TAKEN_BY_OTHERS.keys())
    assert not idle, f"pyproject.toml asks for {', '.join(idle)}, which nothing imports: remove what is not needed"
