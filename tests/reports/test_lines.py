"""Breaking text into lines."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from gridman.reports.lines import Ruler


class _Widths(defaultdict[str, float]):
    def __missing__(self, char: str) -> float:
        return 1.0 if ord(char) > 0x2E80 else 0.5


class _PlainGlyphs:
    """Ideographs one wide, everything else half: no font needed to test breaking."""

    def advances(self, bold: bool) -> dict[str, float]:
        return _Widths()

    def clean(self, text: str) -> str:
        return text


RULER = Ruler(_PlainGlyphs())


def _lines(text: str, width: float, **options: object) -> list[str]:
    return [line for _, line in RULER.fit(text, width, 1.0, **options).lines]  # type: ignore[arg-type]


def test_chinese_breaks_anywhere_but_a_line_never_starts_with_a_closing_mark() -> None:
    assert _lines("老人身体良好，无需求。", 6) == ["老人身体良", "好，无需求。"]


def test_an_opening_mark_never_ends_a_line() -> None:
    assert _lines("望江街道（柳荫）", 5) == ["望江街道", "（柳荫）"]


def test_latin_words_stay_whole_when_they_fit() -> None:
    assert _lines("Relation to head", 5) == ["Relation", "to head"]


def test_a_word_wider_than_the_line_is_cut_and_nothing_is_lost() -> None:
    assert _lines("Nebuchadnezzar", 3) == ["Nebuch", "adnezz", "ar"]


def test_smaller_type_is_used_before_a_word_is_cut() -> None:
    fit = RULER.fit("Household", 3.8, 1.0, lines=2)
    assert [line for _, line in fit.lines] == ["Household"]
    assert 0.79 < fit.size < 0.9


def test_heading_lines_are_even() -> None:
    assert _lines("家庭成员姓名", 5, is_even=True) == ["家庭成", "员姓名"]


@given(st.text(alphabet="姓名，。（）·aBc 12-\n𠀀", max_size=60), st.floats(1.0, 12.0))
def test_no_line_is_wider_than_asked_unless_one_mark_sticks_to_it_and_no_character_is_lost(
    text: str, width: float
) -> None:
    lines = _lines(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(RULER.width(line, 1.0) <= width + 1e-6 for line in lines)
