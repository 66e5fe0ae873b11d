"""Laying out: whatever the texts, nothing is lost, nothing leaves the paper, and what belongs together stays together."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gridman.reports.document import Cell, Column, Document, Form, Group, Paper, Signatures, Table
from gridman.reports.layout import Layout, lay_out
from gridman.reports.roster import household_roster
from tests.reports import sheets
from tests.reports.test_lines import RULER
from tests.reports.test_typeset import WORDS

_TEXTS = st.one_of(st.text(alphabet="居民姓名住址", max_size=12), st.text(alphabet="备注abc ，。", max_size=400))
_GROUPS = st.lists(st.lists(_TEXTS, min_size=1, max_size=14), max_size=40)


def _pages(layout: Layout) -> list[str]:
    return ["".join(word[4] for word in page.ink.words) for page in layout.pages]


def _within(layout: Layout) -> bool:
    return all(
        0 < y < layout.height and x >= 0 and x + RULER.width(text, size, bold) <= layout.width
        for page in layout.pages
        for x, y, size, bold, text in page.ink.words
    ) and all(
        min(y0, y1) >= 0 and max(y0, y1) < layout.height
        for page in layout.pages
        for _, y0, _, y1, _ in page.ink.strokes
    )


@settings(max_examples=60, deadline=None)
@given(_GROUPS)
def test_a_group_that_fits_a_page_is_never_split_and_no_character_is_lost(groups: list[list[str]]) -> None:
    numbered = [[(f"<{g}>", f"[{g}.{r}]", text) for r, text in enumerate(rows)] for g, rows in enumerate(groups)]
    table = Table(
        columns=(Column("户", 20, "center", is_merged=True), Column("号", 20), Column("备注", 60)),
        groups=tuple(Group(tuple(rows)) for rows in numbered),
    )
    document = Document(title="表", paper=Paper.A4_LANDSCAPE, words=WORDS, blocks=(table, Signatures(("签字",))))
    layout = lay_out(document, RULER)
    pages = _pages(layout)
    assert _within(layout)
    joined = "".join("".join(pages).split())
    for rows in numbered:
        homes = {n for _, mark, _ in rows for n, page in enumerate(pages) if mark in page}
        heads = [n for n, page in enumerate(pages) if rows[0][0] in page]
        assert set(heads) == homes
        assert len(homes) == 1 or sum(len(text) for _, _, text in rows) > 400
        assert all(joined.count(mark) == 1 for _, mark, _ in rows)
    wanted = Counter("".join(text for rows in groups for text in rows))
    shown = Counter(joined)
    assert all(shown[char] >= n for char, n in wanted.items() if not char.isspace())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_TEXTS, st.integers(0, 3000), st.booleans()), min_size=1, max_size=12))
def test_a_form_keeps_every_value_however_long(cells: list[tuple[str, int, bool]]) -> None:
    rows = tuple(
        (Cell(label=f"栏{n}", value="字" * length + text, height_mm=20, signature="签字" if signed else ""),)
        for n, (text, length, signed) in enumerate(cells)
    )
    layout = lay_out(Document(title="表", paper=Paper.A5_PORTRAIT, words=WORDS, blocks=(Form(rows=rows),)), RULER)
    joined = "".join(_pages(layout))
    assert _within(layout)
    assert joined.count("字") == sum(length + signed for _, length, signed in cells)
    assert all(f"栏{n}" in joined for n in range(len(cells)))


def test_a_section_name_never_stands_alone_at_the_foot() -> None:
    for lines in range(60, 110):
        table = Table(columns=(Column("列", 10),), groups=tuple(Group(((str(n),),)) for n in range(lines)))
        second = Table(title="第二节", columns=(Column("另", 10),), groups=(Group((("值",),)),))
        document = Document(title="表", paper=Paper.A4_PORTRAIT, words=WORDS, blocks=(table, second))
        (home,) = (page for page in _pages(lay_out(document, RULER)) if "第二节" in page)
        assert "值" in home


def test_every_household_with_a_token_gets_its_code_in_its_own_rows() -> None:
    sheet = sheets.roster(30)
    coded = tuple(replace(home, token=f"T{n:04d}" if n != 3 else "") for n, home in enumerate(sheet.households))
    columns = ("household_no", "member", "phone", "code")
    layout = lay_out(household_roster(replace(sheet, households=coded), sheets.STAMP, columns=columns), RULER)
    for n, page in enumerate(layout.pages):
        words = {text: y for _, y, _, _, text in page.ink.words}
        codes = [code for code in page.ink.codes if code[3].startswith("GM:")]
        assert len(codes) > 3 if n < len(layout.pages) - 1 else codes
        for _, y, side, text in codes:
            number = words[f"H{int(text[4:]) + 1:06d}"]
            assert y < number < y + side  # the household's number stands at the same height
        tops = sorted((y, y + side) for _, y, side, _ in codes)
        assert all(below[0] > above[1] for above, below in pairwise(tops))
    texts = [code[3] for page in layout.pages for code in page.ink.codes]
    assert len(texts) == 1 + 29  # the sheet's own, and one for each household but the one without a token
