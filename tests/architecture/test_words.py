"""Every text a person reads has its Chinese, and no Chinese is left of a text that is gone."""

import ast
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, product, word_calls

sys.path.insert(0, str(ROOT / "build_scripts"))
import translate

Key = tuple[str | None, str]  # context (None: any) and text


def all_messages() -> dict[Key, str]:
    """Every literal text of the product that is marked for translation, with the first place that uses it."""
    found: dict[Key, str] = {}
    for source in product():
        for call in word_calls(source.tree):
            for text in call.texts:
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value:
                    found.setdefault((call.context, text.value), source.at(text))
    return found


@pytest.fixture(scope="module")
def chinese() -> translate.Catalogue:
    return translate.read("zh_CN")


def test_the_translations_agree_and_are_whole(chinese: translate.Catalogue) -> None:
    assert not chinese.problems, "\n".join(chinese.problems)


def test_every_message_has_its_chinese(chinese: translate.Catalogue) -> None:
    known = {(context, form) for context, text in chinese.entries for form in chinese.forms(context, text)}
    known_anywhere = {text for _context, text in known}
    missing = sorted(
        f"{where}: {key[1]!r}"
        for key, where in all_messages().items()
        if (key[1] not in known_anywhere if key[0] is None else key not in known)
    )
    assert not missing, f"{len(missing)} messages without zh_CN translation:\n" + "\n".join(missing)


def test_no_translation_is_left_of_a_text_that_is_gone(chinese: translate.Catalogue) -> None:
    used = {text for _context, text in all_messages()}
    orphans = sorted(f"{chinese.sources[key]}: {key[1]!r}" for key in chinese.entries if key[1] not in used)
    assert not orphans, f"{len(orphans)} translations of nothing:\n" + "\n".join(orphans)


DROPPED = {"注册": "登记", "验证码": "登记码", "计算机": "电脑", "复核清单": "待核对清单"}
"""Words of which one thing had two or three, and the one that stays."""


def test_one_thing_has_one_chinese_name() -> None:
    read = [*(ROOT / "gridman").rglob("*.py"), *(ROOT / "resources").rglob("*.po"), *(ROOT / "resources").rglob("*.html"),
            *ROOT.glob("README*.md")]  # fmt: skip
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {dropped}, say {stays}"
        for path in read
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for dropped, stays in DROPPED.items()
        if dropped in line
    ]
    assert not wrong, "\n".join(wrong)


def written(folder: Path, **rooms: str) -> None:
    (folder / "zh_CN").mkdir(exist_ok=True)
    for room, text in rooms.items():
        (folder / "zh_CN" / f"{room}.po").write_text(text, encoding="utf-8")


HOUSEHOLD = 'msgid "Household"\nmsgstr "户"\n'


def test_rooms_may_repeat_a_translation_but_not_contradict_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translate, "HOME", tmp_path)
    written(tmp_path, one=HOUSEHOLD, two=HOUSEHOLD)
    assert translate.read("zh_CN").problems == []
    written(tmp_path, two='msgid "Household"\nmsgstr "家庭"\n')
    (problem,) = translate.read("zh_CN").problems
    assert "one.po" in problem and "two.po" in problem and "'Household'" in problem


@pytest.mark.parametrize(
    "text",
    [
        'msgid "{n} people"\nmsgstr "{m} 人"\n',
        'msgid "%d people"\nmsgstr "人"\n',
        'msgid "Household"\nmsgstr ""\n',
        'msgid "Household"\n户\n',
    ],
    ids=["another field", "a lost field", "empty", "damaged"],
)
def test_a_wrong_translation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(translate, "HOME", tmp_path)
    written(tmp_path, room=text)
    (problem,) = translate.read("zh_CN").problems
    assert "room.po" in problem


def test_the_compiled_catalogue_speaks_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gettext

    monkeypatch.setattr(translate, "HOME", tmp_path)
    plural = 'msgid "{n} person"\nmsgid_plural "{n} people"\nmsgstr[0] "{n} 人"\n'
    written(tmp_path, one=HOUSEHOLD, two=plural)
    assert translate.is_stale()
    assert translate.compile_language("zh_CN").problems == []
    assert not translate.is_stale()
    spoken = gettext.translation("gridman", localedir=str(tmp_path), languages=["zh_CN"])
    assert spoken.gettext("Household") == "户"
    assert spoken.ngettext("{n} person", "{n} people", 3).format(n=3) == "3 人"
    written(tmp_path, one='msgid "Household"\nmsgstr "住户"\n')
    assert translate.is_stale()
