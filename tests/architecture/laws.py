"""The house's laws about single modules, as functions from a module to its offences (`path:line what`)."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Source, functions, imported_words, outside_functions, word_calls

MAX_FILE_LINES = 500
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler", "controller"}
STATEMENTS = {
    "select",
    "insert",
    "update",
    "delete",
    "text",
    "union",
    "exists",
    "create_engine",
    "Session",
    "sessionmaker",
}
MUTABLE_CALLS = {"list", "dict", "set", "bytearray", "defaultdict", "deque", "OrderedDict", "Counter"}
MUTATORS = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear"}
# Where the law is broken on purpose, with the reason.
EXCUSED_STATE = {("gridman.kernel.words", "_chosen"): "the language belongs to the process, as its locale does"}


def too_long(source: Source) -> Iterator[str]:
    """A file that grew past what one can read: split it by idea."""
    lines = source.text.count("\n")
    is_generated = ".migrations.versions." in source.module
    if lines > MAX_FILE_LINES and not is_generated:
        yield f"{source.at(source.tree)} has {lines} lines (at most {MAX_FILE_LINES}): split it by idea"


def hides_a_thought(source: Source) -> Iterator[str]:
    """A module named after nothing."""
    for part in source.module.split("."):
        if part.lower() in FORBIDDEN_NAMES:
            yield f"{source.at(source.tree)}: the name {part!r} hides a missing thought"


def processes_events(source: Source) -> Iterator[str]:
    """Re-entering the event loop by hand."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr == "processEvents":
            yield f"{source.at(node)} calls processEvents"


def hides_a_cycle(source: Source) -> Iterator[str]:
    """`if TYPE_CHECKING` around an import of our own."""
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            continue
        for inner in ast.walk(node):
            names = [alias.name for alias in inner.names] if isinstance(inner, ast.Import) else []
            names += [inner.module or ""] if isinstance(inner, ast.ImportFrom) else []
            if any(name.split(".")[0] == "gridman" for name in names):
                yield f"{source.at(inner)} hides a cycle behind TYPE_CHECKING"


def states_sql(source: Source) -> Iterator[str]:
    """The domain declares with sqlalchemy; statements belong to the store."""
    if not source.module.startswith("gridman.domain"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
            for alias in node.names:
                if alias.name in STATEMENTS:
                    yield f"{source.at(node)} takes {alias.name} from {node.module}"


def keeps_state(source: Source) -> Iterator[str]:
    """A module-level container that is not a constant, or a constant that a function changes."""
    names: dict[str, ast.AST] = {}
    for node in source.tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and node.value is not None and _is_mutable(node.value):
                names[target.id] = node
    for name, node in names.items():
        if (source.module, name) in EXCUSED_STATE:
            continue
        if (
            not name.isupper()
            and not (name.startswith("__") and name.endswith("__"))
            and not name.lstrip("_").isupper()
        ):
            yield f"{source.at(node)}: {name} is module-level state (a constant is written in capitals)"
    for function in functions(source.tree):
        for inner in ast.walk(function):
            if isinstance(inner, ast.Global):
                yield f"{source.at(inner)} changes a module's name with `global`"
            name = _changed_name(inner)
            if name in names and (source.module, name) not in EXCUSED_STATE and name not in _local_names(function):
                yield f"{source.at(inner)} changes the module-level {name}"


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
        return True
    return isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] in MUTABLE_CALLS


def _changed_name(node: ast.AST) -> str:
    """The bare name whose content the node changes: `x[...] = `, `del x[...]`, `x.append(...)`."""
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store | ast.Del)
        and isinstance(node.value, ast.Name)
    ):
        return node.value.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        return node.func.value.id if isinstance(node.func.value, ast.Name) else ""
    return ""


def _local_names(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    bound = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return bound | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}


def translates_too_early(source: Source) -> Iterator[str]:
    """`_()` while the module is imported freezes the language of that moment; mark with N_ instead."""
    taken = imported_words(source.tree) - {"N_"}
    for node in outside_functions(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in taken:
            yield f"{source.at(node)} translates at import time: mark with N_ and translate where it is shown"


def shadows_words(source: Source) -> Iterator[str]:
    """A function that binds `_` as a throw-away cannot call `_()` any more: name it `_rest`, `_i`."""
    if "_" not in imported_words(source.tree):
        return
    for function in functions(source.tree):
        for node in ast.walk(function):
            is_bound = isinstance(node, ast.Name) and node.id == "_" and isinstance(node.ctx, ast.Store)
            if is_bound or (isinstance(node, ast.arg) and node.arg == "_"):
                yield f"{source.at(node)} binds `_`, which is the translation here"


def hides_words(source: Source) -> Iterator[str]:
    """`_(f"...")` or a sum cannot be looked up: use a literal with named fields and `.format`."""
    for call in word_calls(source.tree):
        for text in call.texts:
            is_literal = isinstance(text, ast.Constant) and isinstance(text.value, str)
            if isinstance(text, ast.JoinedStr | ast.BinOp) or (call.name == "N_" and not is_literal):
                yield f"{source.at(text)} gives {call.name}() a text that is not a literal"


LAWS = [
    too_long,
    hides_a_thought,
    processes_events,
    hides_a_cycle,
    states_sql,
    keeps_state,
    translates_too_early,
    shadows_words,
    hides_words,
]
