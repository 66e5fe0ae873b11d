"""Fill the tables of the user's manual from the program itself: keys, workflow, kept fields, errors, command line.

`.venv/bin/python build_scripts/manual_tables.py` rewrites what stands between `<!-- table: NAME -->` and `<!-- /table -->` in
resources/manual/index.*.html; the prose around it is written by hand. A test fails while a table is not what the program says.
"""

import argparse
import ast
import html
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gridman.cli.commands import COMMANDS, make_parser  # noqa: E402
from gridman.domain import codes  # noqa: E402
from gridman.domain.catalog import NOUNS  # noqa: E402
from gridman.domain.fields import Privacy, Synced, fields_of  # noqa: E402
from gridman.domain.incident import OPEN_STATES, TRANSITIONS  # noqa: E402
from gridman.kernel import words  # noqa: E402
from gridman.kernel.paths import default_data_dir  # noqa: E402
from gridman.kernel.words import _  # noqa: E402
from gridman.ui.actions import FRAME_VERBS, key_words  # noqa: E402
from gridman.ui.key_help import FORM_KEYS, PAGE_KEYS  # noqa: E402
from gridman.ui.navigation import PAGES  # noqa: E402

MANUALS = {language: ROOT / "resources" / "manual" / f"index.{language}.html" for language in ("en", "zh_CN")}
_MARKED = re.compile(r"<!-- table: (\w+) -->.*?<!-- /table -->", re.DOTALL)
_COMMON = {"--help", "--language", "--json", "--verbose", "--version"}

FREQUENT = (
    "signin.wrong_passphrase", "signin.unknown_here", "signin.two_passphrases", "auth.wrong_password", "auth.locked", "auth.suspended",
    "auth.device_revoked", "auth.unknown_token", "sync.unreachable", "sync.no_street", "sync.cut_off", "sync.too_new", "sync.too_old", "sync.scope",
    "sync.fork", "access.role", "access.other_grid", "field.too_long", "record.missing", "retire.no_reason", "conflict.decided",
    "conflict.not_restorable", "incident.state", "incident.not_yours", "incident.no_place", "incident.target", "visit.future",
    "photo.unreadable", "photo.heic", "boundary.cuts_neighbour", "boundary.orphan", "grid.crossing", "map.none", "print.failed", "export.no_purpose",
    "roster.empty", "sheet.missing", "sheet.unreadable", "sheet.protected", "register.no_headings", "register.no_column",
    "register.no_batch", "map.not_found", "map.damaged", "map.unknown_format", "map.no_buildings", "file.cannot_write", "folder.in_use",
    "keys.missing", "keys.damaged", "store.wrong_key", "store.too_new", "profile.damaged", "street.missing", "street.founded",
    "street.key_missing", "server.port_in_use", "server.bad_certificate", "desk.no_screen", "desk.no_qt",
)  # fmt: skip
"""The refusals people meet, in the manual's order."""

_KEPT = ("person", "household", "care_tag", "dwelling", "visit", "incident", "attachment", "conflict")
_PLACES = {"household_id", "grid_id", "building_id", "dwelling_id", "walk_order"}

_CHINESE = {
    "Page": "页面", "Keys": "按键", "What they do": "作用", "Action": "操作", "From": "原状态", "To": "新状态",
    "Who may": "谁可以做", "It needs": "需要填写", "any open state": "任何未办结状态", "stays as it is": "不变",
    "the office that holds it": "当前承办单位", "the office it was sent to": "收到派单的单位",
    "the office that reported it": "上报的单位", "the street": "街道", "who reported it": "上报人",
    "an office of the same level or higher": "同级或上级单位", "a higher office": "上级单位",
    "the street when it holds it": "街道（办理中）", "the office that holds it, or the street": "办理单位或街道",
    "the office above the one that holds it": "办理单位的直接上级", "another incident": "另一件事件", "one of the three cases": "三种情形之一",
    "everyone who sees it": "能看到该事件的人", "a place": "地点", "a result": "办理结果",
    "a reason or note": "理由或说明", "an office": "承办单位", "a rating": "评分", "About": "对象", "Field": "字段",
    "Kind": "类别", "Why it is kept": "为什么保存", "How long": "保存多久", "Resident": "居民", "Household": "户",
    "Care group": "关爱对象", "Dwelling": "房屋", "Visit": "走访", "Incident": "事件", "Photo": "照片",
    "Conflict": "冲突", "ordinary": "一般", "personal": "个人信息", "sensitive": "敏感", "grid service": "网格服务",
    "social assistance": "社会救助", "identify the resident": "确认居民身份",
    "offer the services the resident is entitled to": "提供居民应享的服务",
    "while resident + 2 years": "居住期间及之后 2 年", "Code": "代码", "What it says": "提示内容",
    "What to do": "怎么办", "Option": "选项", "Meaning": "含义", ".": "。",

    "the office that dispatched it": "派单的单位",
}  # fmt: skip
"""Words of the manual's own, which no window shows."""

_WHO = {
    "holder": "the office that holds it", "receiver": "the office it was sent to", "creator": "the office that reported it",
    "reporter": "who reported it", "street": "the street", "peer_or_above": "an office of the same level or higher",
    "above": "a higher office", "anyone": "everyone who sees it", "street_holder": "the street when it holds it",
    "holder_or_street": "the office that holds it, or the street", "superior": "the office above the one that holds it",
    "dispatcher": "the office that dispatched it",
}  # fmt: skip
_NEEDS = {
    "place": "a place",
    "result": "a result",
    "note": "a reason or note",
    "target": "an office",
    "other": "another incident",
    "case": "one of the three cases",
    "rating": "a rating",
}
_NOUNS = {
    "person": "Resident", "household": "Household", "care_tag": "Care group", "dwelling": "Dwelling", "visit": "Visit",
    "incident": "Incident", "attachment": "Photo", "conflict": "Conflict",
}  # fmt: skip
_PRIVACY = {Privacy.NONE: "ordinary", Privacy.PERSONAL: "personal", Privacy.SENSITIVE: "sensitive"}


def _say(text: str) -> str:
    """The manual's own words in the language in use; a KeyError names the word that has no Chinese."""
    return text if words.language() == "en" else _CHINESE[text]


def _shown(text: str) -> str:
    """Escaped for HTML; in English with plain quotes, which the Chinese font draws too wide otherwise."""
    escaped = html.escape(text, quote=False)
    return escaped if words.language() != "en" else escaped.translate({0x2019: "'", 0x201C: '"', 0x201D: '"'})


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    opening = f'<div class="wide"><table class="{kind}">' if kind else '<div class="wide"><table>'
    lines = ["<tr>" + "".join(f"<th>{_say(h)}</th>" for h in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return "\n".join([opening, *lines, "</table></div>"])


def _kbd(keys: str) -> str:
    return f"<kbd>{_shown(key_words(keys))}</kbd>"


def keys_anywhere() -> str:
    """Keys of pages and of the window."""
    rows = [(_kbd(place.keys), _shown(_(place.word))) for place in PAGES]
    rows += [(_kbd(verb.keys), _shown(_(verb.text))) for verb in FRAME_VERBS if verb.keys]
    return _table(("Keys", "What they do"), rows)


def keys_forms() -> str:
    """Keys of forms and lists."""
    return _table(("Keys", "What they do"), [(_kbd(keys), _shown(_(text))) for keys, text in FORM_KEYS])


def keys_pages() -> str:
    """Keys that work on one page."""
    rows = []
    for place in PAGES:
        module = importlib.import_module(f"gridman.ui.pages.{place.name}.page")
        found = (
            getattr(part, "verbs", ())
            for part in vars(module).values()
            if getattr(part, "__module__", "") == module.__name__
        )
        verbs = next((verbs for verbs in found if verbs), ())
        rows += [(_shown(_(place.word)), _kbd(verb.keys), _shown(_(verb.text))) for verb in verbs if verb.keys]
    words_of_pages = {place.name: _(place.word) for place in PAGES}
    for page, keys in PAGE_KEYS.items():
        rows += [(_shown(words_of_pages[page]), _kbd(key), _shown(_(text))) for key, text in keys]
    return _table(("Page", "Keys", "What they do"), rows)


def workflow() -> str:
    """What may be done with an incident, by whom."""
    rows = []
    for step in TRANSITIONS:
        states = "、".join(codes.word("incident_state", state) for state in step.from_states)
        rows.append((
            _shown(_(step.label)),
            _kbd(f"Alt+{step.key}") if step.key else "",
            _say("any open state") if step.from_states == OPEN_STATES else _shown(states),
            _shown(codes.word("incident_state", step.to_state)) if step.to_state else _say("stays as it is"),
            _say(_WHO[step.who]),
            "、".join(_say(_NEEDS[need]) for need in step.needs),
        ))  # fmt: skip
    return _table(("Action", "Keys", "From", "To", "Who may", "It needs"), rows)


def kept() -> str:
    """What is kept about people: every personal field, and all that a household and a resident show."""
    nouns = {noun.kind: noun.cls for noun in NOUNS}
    rows = []
    for name in _KEPT:
        cls: type[Synced] = nouns[name]
        for field in fields_of(cls).values():
            is_shown = name in ("person", "household") and field.is_shown and field.name not in _PLACES
            if field.privacy is not Privacy.NONE or is_shown:
                rows.append((
                    _say(_NOUNS[name]), _shown(_(field.label)), _say(_PRIVACY[field.privacy]), _say(field.purpose), _say(field.retention),
                ))  # fmt: skip
    return _table(("About", "Field", "Kind", "Why it is kept", "How long"), rows)


def refusals() -> dict[str, tuple[str, str]]:
    """Code -> text and remedy of every refusal that is written out in the source."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((ROOT / "gridman").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Refusal", "Trouble"):
                code, text, remedy = (*(_text_of(argument) for argument in node.args[:3]), "", "", "")[:3]
                if code and text:
                    found.setdefault(code, (text, remedy))
    return found


def _text_of(argument: ast.expr) -> str:
    told = argument.args[0] if isinstance(argument, ast.Call) and argument.args else argument
    return told.value if isinstance(told, ast.Constant) and isinstance(told.value, str) else ""


def errors() -> str:
    """The frequent refusals with their remedies."""
    known = refusals()
    rows = []
    for code in FREQUENT:
        text, remedy = (_shown(re.sub(r"\{\w+\}", "…", _(part))) if part else "" for part in known[code])
        rows.append((f"<code>{code}</code>", text, remedy))
    return _table(("Code", "What it says", "What to do"), rows)


def commands() -> str:
    """Every command with its options."""
    parts: list[str] = []
    for command in COMMANDS:
        top = _below(make_parser(command.name))[command.name]
        parts.extend(_command(top))
    return "\n".join(parts)


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return {
        name: made
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, made in action.choices.items()
    }


def _command(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"<h3><code>{html.escape(parser.prog)}</code></h3>"
    if parser.description:
        yield f"<p>{_shown(parser.description[0].upper() + parser.description[1:])}{_say('.')}</p>"
    rows = [_option(action) for action in parser._actions if _is_listed(action)]
    if rows:
        yield _table(("Option", "Meaning"), rows, "flowing")
    for below in _below(parser).values():
        yield from _command(below)


def _is_listed(action: argparse.Action) -> bool:
    return not isinstance(action, argparse._SubParsersAction) and not _COMMON & set(action.option_strings)


def _option(action: argparse.Action) -> tuple[str, str]:
    name = " ".join(action.option_strings) or str(action.metavar or action.dest)
    if action.option_strings and action.nargs != 0:
        name += " " + str(action.metavar or "{" + ",".join(map(str, action.choices or ())) + "}")
    return f"<code>{html.escape(name)}</code>", _shown(action.help or "").replace(
        _shown(str(default_data_dir())), "~/.local/share/gridman"
    )


TABLES: dict[str, Callable[[], str]] = {
    "keys_anywhere": keys_anywhere,
    "keys_forms": keys_forms,
    "keys_pages": keys_pages,
    "workflow": workflow,
    "kept": kept,
    "errors": errors,
    "commands": commands,
}


def filled(text: str, language: str) -> str:
    """The manual's page with its tables as the program says now."""
    before = words.language()
    words.use(language)
    try:
        return _MARKED.sub(lambda found: f"<!-- table: {found[1]} -->\n{TABLES[found[1]]()}\n<!-- /table -->", text)
    finally:
        words.use(before)


def main() -> int:
    """Rewrite both manuals."""
    for language, path in MANUALS.items():
        path.write_text(filled(path.read_text(encoding="utf-8"), language), encoding="utf-8")
        print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
