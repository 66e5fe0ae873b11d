"""The product's own source, read once as syntax trees, for the tests of its laws."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, where it lies, its text and tree."""

    module: str
    path: Path
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """`path:line` of a node, as an editor opens it."""
        return f"{self.path.relative_to(ROOT).as_posix()}:{getattr(node, 'lineno', 1)}"


def parse(text: str, path: Path = ROOT / "gridman" / "example.py") -> Source:
    """`text` as a module, for tests of the laws themselves."""
    return Source(".".join(path.relative_to(ROOT).with_suffix("").parts), path, text, ast.parse(text))


@cache
def product() -> tuple[Source, ...]:
    """Every module of gridman."""
    return tuple(parse(path.read_text(encoding="utf-8"), path) for path in sorted((ROOT / "gridman").rglob("*.py")))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    """Every function of a tree, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node


def outside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs when the module is imported: all nodes but the bodies of functions (their defaults do run)."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        elif isinstance(node, ast.Lambda):
            waiting += [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        else:
            waiting += list(ast.iter_child_nodes(node))


# The functions that take a text for translation: where its texts stand among the arguments, and its context. A context
# of None means that the text may be looked up in any.
WORDS: dict[str, tuple[slice, str | None]] = {
    "_": (slice(0, 1), ""),
    "N_": (slice(0, 1), None),
    "ngettext": (slice(0, 2), ""),
    "pgettext": (slice(1, 2), None),
    "on_form": (slice(0, 1), "form"),
}
WORD_MODULES = {"gridman.kernel.words", "gridman.reports.wording"}


@dataclass(frozen=True)
class WordCall:
    """A call that hands texts to translation: the function's name, the texts, the context they are looked up in."""

    name: str
    texts: list[ast.expr]
    context: str | None


def imported_words(tree: ast.Module) -> set[str]:
    """Which of WORDS the module imports."""
    taken: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in WORD_MODULES:
            taken |= {alias.asname or alias.name for alias in node.names}
    return taken & WORDS.keys()


def word_calls(tree: ast.Module) -> Iterator[WordCall]:
    """Every call of a function of WORDS that the module imports."""
    taken = imported_words(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in taken:
            where, context = WORDS[node.func.id]
            yield WordCall(node.func.id, node.args[where], context)
