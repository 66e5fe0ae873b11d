"""How a refusal is told."""

from collections.abc import Iterator

import pytest

from gridman.kernel import words
from gridman.kernel.errors import Refusal


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    spoken = words.language()
    yield
    words.use(spoken)


def test_what_and_remedy_are_parted_by_a_blank_in_english_and_by_none_after_a_chinese_full_stop() -> None:
    refusal = Refusal("cli.no_secret", "The two are not the same.", "Type it again, twice the same.")
    words.use("en")
    assert refusal.words() == "The two are not the same. Type it again, twice the same."
    words.use("zh_CN")
    what, stop, remedy = refusal.words().partition("。")
    assert (what, stop) == ("两次输入不一致", "。") and remedy and remedy == remedy.lstrip()


def test_a_refusal_without_remedy_or_text_ends_where_it_ends() -> None:
    assert Refusal("a.b", "Nothing else.").words() == "Nothing else."
    assert Refusal("a.b", "").words() == "a.b"
