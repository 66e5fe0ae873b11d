"""Words in a row, and beginnings of texts, as the language in use writes them."""

import pytest

from gridman.kernel.words import listed, shortened, speaking


@pytest.mark.parametrize(("code", "said"), [("en", "Incident, Grid, When"), ("zh_CN", "Incident、Grid、When")])
def test_words_are_divided_as_the_language_divides_them(code: str, said: str) -> None:
    with speaking(code):
        assert listed(["Incident", "Grid", "When"]) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("short", "short"),
        ("exactly ten"[:10], "exactly te"),
        ("longer than ten", "longer th…"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_shortened_text_says_that_there_is_more(text: str, said: str) -> None:
    assert shortened(text, 10) == said and len(said) <= 10
