"""Every module keeps the house's laws, and every law would notice its offence."""

from collections.abc import Callable, Iterator

import pytest

from tests.architecture import laws
from tests.architecture.source import ROOT, Source, parse, product

Law = Callable[[Source], Iterator[str]]
WORDS = "from gridman.kernel.words import _, N_, ngettext\n"

OFFENCES: list[tuple[Law, str]] = [
    (laws.too_long, "x = 1\n" * 501),
    (laws.processes_events, "def f(app):\n    app.processEvents()\n"),
    (
        laws.hides_a_cycle,
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gridman.domain\n",
    ),
    (laws.keeps_state, "cache = {}\n"),
    (laws.keeps_state, "SEEN: list[int] = []\ndef f():\n    SEEN.append(1)\n"),
    (laws.keeps_state, "SEEN = {}\ndef f():\n    SEEN['a'] = 1\n"),
    (laws.keeps_state, "count = 0\ndef f():\n    global count\n    count = 1\n"),
    (laws.translates_too_early, WORDS + "TITLE = _('Household')\n"),
    (laws.translates_too_early, WORDS + "def f(title=_('Household')):\n    return title\n"),
    (laws.shadows_words, WORDS + "def f(pair):\n    a, _ = pair\n    return a\n"),
    (laws.hides_words, WORDS + "def f(n):\n    return _(f'{n} people')\n"),
    (laws.hides_words, WORDS + "def f(n):\n    return N_(n)\n"),
]
INNOCENT = WORDS + (
    "__all__ = ['f']\nKINDS = {'a': N_('Household')}\n"
    "def f(kind, n):\n    found = []\n    found.append(_(KINDS[kind]))\n    return ngettext('one', 'many', n)\n"
)


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_product_keeps_the_law(law: Law) -> None:
    offences = [offence for source in product() for offence in law(source)]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(("law", "text"), OFFENCES, ids=lambda part: getattr(part, "__name__", ""))
def test_the_law_notices_its_offence(law: Law, text: str) -> None:
    assert list(law(parse(text)))


def test_a_statement_in_the_domain_is_noticed() -> None:
    source = parse("from sqlalchemy import String, select\n", ROOT / "gridman" / "domain" / "example.py")
    assert [offence.split(" takes ")[1] for offence in laws.states_sql(source)] == ["select from sqlalchemy"]


def test_a_name_without_a_thought_is_noticed() -> None:
    assert list(laws.hides_a_thought(parse("", ROOT / "gridman" / "ui" / "utils.py")))


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_an_innocent_module_is_left_alone(law: Law) -> None:
    assert list(law(parse(INNOCENT))) == []


def test_every_excuse_is_still_needed() -> None:
    kept = {(source.module, name) for source in product() for name in source.text.split() if name.startswith("_")}
    for module, name in laws.EXCUSED_STATE:
        assert any(known == module and text.startswith(name) for known, text in kept), f"{module}.{name} is gone"


def test_build_scripts_are_short_too() -> None:
    for path in sorted((ROOT / "build_scripts").glob("*.py")):
        assert not list(laws.too_long(parse(path.read_text(encoding="utf-8"), path))), path.name
