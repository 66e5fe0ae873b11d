"""The documents say what the program does: command lines parse, links lead somewhere, both languages agree, tables are current."""

import argparse
import html
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QUrl

from gridman.cli.commands import COMMANDS, make_parser
from gridman.kernel import words
from gridman.kernel.paths import resource

ROOT = Path(__file__).resolve().parents[1]
READMES = {"en": ROOT / "README.md", "zh_CN": ROOT / "README.zh-CN.md"}
MANUALS = {language: resource("manual", f"index.{language}.html") for language in words.LANGUAGES}
PICTURE_MOST_BYTES = 150_000


class Page(HTMLParser):
    """What a page of HTML holds: element ids, references, code and its language."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.code: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.headings: list[str] = []
        self.language = ""
        self._in: str = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.references += [value for name, value in attrs if name in ("href", "src") and value]
        if tag == "html":
            self.language = told.get("lang") or ""
        if tag == "img":
            self.pictures.append(told)
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)
        if tag in ("code", "pre"):
            self._in = tag
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in:
            self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.code[-1] += data


@pytest.fixture(scope="module")
def pages() -> dict[str, Page]:
    return {language: Page(path) for language, path in MANUALS.items()}


def _readme_code(path: Path) -> Iterator[str]:
    """Lines of fenced blocks and code within sentences."""
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def _manual_code(page: Page) -> Iterator[str]:
    for code in page.code:
        yield from code.splitlines()


def _arguments(line: str) -> list[str] | None:
    """The arguments of a `gridman` command line in a document, however it is started there; None for another line."""
    line = line.strip().removeprefix("ExecStart=")
    started = re.match(r"(?:gridman|\S*python3? -m gridman|python3 build_scripts/run\.py) (.+)", line)
    return shlex.split(started[1]) if started else None


def _lines(pages: dict[str, Page]) -> list[tuple[str, list[str]]]:
    found = [(path.name, line) for path in READMES.values() for line in _readme_code(path)]
    found += [(f"manual {language}", line) for language, page in pages.items() for line in _manual_code(page)]
    return [(where, arguments) for where, line in found if (arguments := _arguments(line)) is not None]


def _parses(arguments: list[str]) -> bool:
    if arguments == ["--set-up-only"] or arguments[:1] == ["--version"]:
        return True
    parser = make_parser(next((a for a in arguments if a in {c.name for c in COMMANDS}), None))
    try:
        parser.parse_args(arguments)
    except SystemExit:
        return False
    return True


def _is_name_of_command(arguments: list[str]) -> bool:
    """Whether this only names a command (`gridman street device revoke`), as sentences and headings do."""
    parser = make_parser(arguments[0])
    for word in arguments:
        below = _below(parser)
        if word not in below:
            return False
        parser = below[word]
    return True


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found.update(action.choices)
    return found


def test_every_command_line_of_the_documents_parses(pages: dict[str, Page], capsys: pytest.CaptureFixture[str]) -> None:
    lines = _lines(pages)
    assert len(lines) > 60
    wrong = [
        (where, " ".join(arguments))
        for where, arguments in lines
        if not _is_name_of_command(arguments) and not _parses(arguments)
    ]
    assert wrong == []


def test_a_wrong_command_line_would_be_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _arguments("ExecStart=/opt/x/.venv/bin/python -m gridman street --data D") == ["street", "--data", "D"]
    assert not _parses(["street", "--no-such-option"])
    assert not _is_name_of_command(["street", "device", "burn"])
    assert _arguments("python3 build_scripts/test.py") is None


def test_the_two_commands_stand_in_both_readmes() -> None:
    for path in READMES.values():
        code = list(_readme_code(path))
        assert "python3 build_scripts/run.py" in code and "python3 build_scripts/test.py" in code
    assert (ROOT / "build_scripts" / "run.py").is_file() and (ROOT / "build_scripts" / "test.py").is_file()


def test_both_readmes_have_the_same_build_and_commands() -> None:
    shapes, commands = [], []
    for path in READMES.values():
        text = path.read_text(encoding="utf-8")
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        shapes.append(re.findall(r"^(#+) ", outside, re.MULTILINE))
        commands.append((blocks, sorted(" ".join(a) for line in _readme_code(path) if (a := _arguments(line)))))
    assert shapes[0] == shapes[1] and len(shapes[0]) > 8
    assert commands[0] == commands[1]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "CHANGELOG.md", "ARCHITECTURE.md"])
def test_every_link_of_a_document_leads_to_a_file(name: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text(encoding="utf-8"))
    assert [t for t in targets if "://" not in t and not (ROOT / t.partition("#")[0]).exists()] == []


def test_readme_shows_real_pictures_in_its_own_language() -> None:
    for language, path in READMES.items():
        shown = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
        assert len(shown) >= 3
        assert all(target.endswith(f".{language}.png") for _alt, target in shown)


@pytest.mark.parametrize("language", sorted(words.LANGUAGES))
def test_help_opens_the_manual_of_the_language_in_use(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from gridman.ui import window

    opened: list[Path] = []

    def open_url(url: QUrl) -> bool:
        opened.append(Path(url.toLocalFile()))
        return True

    lent = SimpleNamespace(openUrl=open_url)
    monkeypatch.setattr(window, "QDesktopServices", lent)
    before = words.language()
    words.use(language)
    try:
        window.Window._do_show_manual(None)  # type: ignore[arg-type]  # only a missing file would need the window
    finally:
        words.use(before)
    assert opened == [MANUALS[language]] and opened[0].is_file()


def test_every_reference_of_the_manual_leads_somewhere_inside(pages: dict[str, Page]) -> None:
    for language, page in pages.items():
        home = MANUALS[language].parent
        assert len(page.ids) == len(set(page.ids))
        for reference in page.references:
            assert "://" not in reference and not reference.startswith(("//", "data:", "mailto:"))
            file, _hash, anchor = reference.partition("#")
            assert not file or (home / file).is_file(), reference
            assert not anchor or anchor in page.ids, reference


def test_the_manuals_style_asks_nothing_outside() -> None:
    css = resource("manual", "manual.css")
    addresses = re.findall(r"url\(\s*[\"']?([^\"')]+)", css.read_text(encoding="utf-8"))
    assert addresses and all((css.parent / address).is_file() for address in addresses)
    assert "@import" not in css.read_text(encoding="utf-8")


def test_the_manuals_style_uses_the_desks_colours() -> None:
    import json

    tokens = json.loads(resource("theme", "tokens.json").read_text(encoding="utf-8"))
    known = {value.upper() for look in ("light", "dark") for value in tokens[look].values()}
    used = {c.upper() for c in re.findall(r"#[0-9A-Fa-f]{6}\b", resource("manual", "manual.css").read_text("utf-8"))}
    assert used and used <= known


def test_both_manuals_have_the_same_chapters_and_pictures(pages: dict[str, Page]) -> None:
    english, chinese = pages["en"], pages["zh_CN"]
    assert english.ids == chinese.ids and len(english.ids) >= 15
    assert english.headings == chinese.headings
    assert (english.language, chinese.language) == ("en", "zh-CN")
    for language, page in pages.items():
        assert all(str(p["src"]).endswith(f".{language}.png") and p.get("alt") for p in page.pictures)


def test_pictures_are_small_and_each_is_used(pages: dict[str, Page]) -> None:
    kept = {path.name: path.stat().st_size for path in resource("manual", "pictures").glob("*.png")}
    used = {Path(str(p["src"])).name for page in pages.values() for p in page.pictures}
    assert used == set(kept)
    assert {name: size for name, size in kept.items() if size > PICTURE_MOST_BYTES} == {}


def _every_parser(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for below in _below(parser).values():
        yield from _every_parser(below)


def test_every_command_and_option_is_in_both_manuals() -> None:
    texts = [html.unescape(path.read_text(encoding="utf-8")) for path in MANUALS.values()]
    wanted = set()
    for command in COMMANDS:
        for parser in _every_parser(_below(make_parser(command.name))[command.name]):
            wanted.add(parser.prog)
            wanted.update(option for action in parser._actions for option in action.option_strings if option != "-h")
    missing = sorted(word for word in wanted if not all(word in text for text in texts))
    assert missing == [], "run build_scripts/manual_tables.py"


def _tables() -> object:
    sys.path.insert(0, str(ROOT / "build_scripts"))
    try:
        import manual_tables
    finally:
        sys.path.pop(0)
    return manual_tables


@pytest.mark.parametrize("language", sorted(words.LANGUAGES))
def test_the_manuals_tables_are_what_the_program_says(language: str) -> None:
    text = MANUALS[language].read_text(encoding="utf-8")
    assert text.count("<!-- table: ") == 7
    assert _tables().filled(text, language) == text, "run build_scripts/manual_tables.py"  # type: ignore[attr-defined]


def test_every_error_of_the_manual_is_in_the_program(pages: dict[str, Page]) -> None:
    known = _tables().refusals()  # type: ignore[attr-defined]
    for page in pages.values():
        listed = {
            code for code in page.code if re.fullmatch(r"[a-z_]+\.[a-z_]+", code) and not code.startswith("street.")
        }
        listed -= {code for code in listed if code.endswith((".xlsx", ".db", ".key", ".pdf", ".html", ".pem"))}
        assert len(listed) > 40
        assert listed - set(known) == set()


def test_the_changelog_tells_this_versions_limits() -> None:
    from gridman import __version__

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {__version__}" in text and "### Known limits" in text


def test_run_py_knows_every_command() -> None:
    source = (ROOT / "build_scripts" / "run.py").read_text(encoding="utf-8")
    listed = re.search(r"^COMMANDS = frozenset\(\{(.*?)\}\)", source, re.DOTALL | re.MULTILINE)
    assert listed is not None
    assert set(re.findall(r'"(\w+)"', listed[1])) == {command.name for command in COMMANDS}


def test_run_py_tells_its_own_help_before_anything_is_installed() -> None:
    bare = [sys.executable, "-S", str(ROOT / "build_scripts" / "run.py"), "--help"]  # -S: without any installed package
    told = subprocess.run(bare, capture_output=True, text=True, check=True).stdout
    for command in COMMANDS:
        assert re.search(rf"^  {command.name} +{re.escape(command.summary)}$", told, re.MULTILINE)
    assert "Arguments go through" in told
