"""Short words of codes for the narrow columns of paper: 男 for 男性, M for Male, 中共党员 for 中国共产党党员.

A code without a short word is printed with its whole name. The words are data: `resources/codes/printed_words.csv`.
"""

import csv
from functools import cache

from gridman.domain import codes
from gridman.kernel.paths import resource
from gridman.kernel.words import language

__all__ = ["printed_word"]


def printed_word(table: str, code: str | None) -> str:
    """The short name of `code` in the code table `table`, in the language in use; "" for no code, the bare code when unknown."""
    if not code:
        return ""
    chinese, english = _short_words().get((table, code), ("", ""))
    return (chinese if language() == "zh_CN" else english) or codes.word(table, code)


@cache
def _short_words() -> dict[tuple[str, str], tuple[str, str]]:
    with resource("codes", "printed_words.csv").open(encoding="utf-8", newline="") as file:
        return {(r["table"], r["code"]): (r["short_zh"], r["short_en"]) for r in csv.DictReader(file)}
