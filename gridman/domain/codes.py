"""Code tables as data: codes are text (leading zeros matter), names in Chinese and English, from `resources/codes`.

Tables are never enums in code: standards are replaced (GB/T 30428.2 by GB/T 47678.5 in 2026) and places add their own rows.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from gridman.kernel.paths import resource
from gridman.kernel.words import language

__all__ = ["Code", "CodeTable", "table", "word"]


@dataclass(frozen=True)
class Code:
    """One row of a code table."""

    code: str
    zh: str
    en: str
    parent: str = ""
    extra: str = ""

    @property
    def word(self) -> str:
        """The row's name in the language in use."""
        return self.zh if language() == "zh_CN" or not self.en else self.en


@dataclass(frozen=True)
class CodeTable:
    """One code table; iterating gives its rows in the standard's order."""

    name: str
    rows: dict[str, Code]
    aliases: dict[str, str]

    def __iter__(self) -> Iterator[Code]:
        return iter(self.rows.values())

    def __contains__(self, code: object) -> bool:
        return code in self.rows

    def get(self, code: str | None) -> Code | None:
        """The row of `code`, or None."""
        return self.rows.get(code) if code is not None else None

    def word(self, code: str | None) -> str:
        """The name of `code` in the language in use; the bare code when the table does not know it."""
        if not code:
            return ""
        row = self.rows.get(code)
        return row.word if row else code

    def read(self, text: str) -> str | None:
        """The code a person meant: a code, a name in either language, or an alias ("汉", "离异", "党员"); None when unknown."""
        wanted = text.strip()
        if wanted in self.rows:
            return wanted
        return self.aliases.get(wanted) or self.aliases.get(wanted.casefold())


@dataclass(frozen=True)
class _Source:
    file: str
    code: str = "code"
    zh: str = "name_zh"
    en: str = "name_en"
    parent: str = ""
    extra: str = ""
    where: tuple[str, str] | None = None


def _own(list_id: str) -> _Source:
    return _Source("gridman_lists.csv", extra="extra", where=("list_id", list_id))


def _gbt31000(list_id: str) -> _Source:
    return _Source("gbt31000_code_lists.csv", where=("list_id", list_id))


_SOURCES: dict[str, _Source] = {
    "sex": _Source("gbt2261_1_sex.csv"),
    "marital": _Source("gbt2261_2_marital.csv"),
    "employment": _Source("gbt2261_4_employment.csv"),
    "ethnic": _Source("gbt3304_ethnic.csv", en="name_roman"),
    "education": _Source("gbt4658_education.csv"),
    "family_relation": _Source("gbt4761_family_relation.csv"),
    "political": _Source("gbt4762_political.csv"),
    "id_document": _Source("ga517_id_document.csv"),
    "care_group": _Source("vulnerable_groups.csv", extra="kind"),
    "incident_category": _Source("event_categories_proposed.csv", parent="parent", extra="gbt47678_5_code"),
    "incident_state": _Source("event_states.csv", extra="terminal"),
    "role": _Source("roles_scopes.csv", code="role", zh="role_zh", en="role", extra="level"),
    "population_type": _gbt31000("population_type"),
    "household_match": _gbt31000("household_match"),
    "dwelling_type": _gbt31000("dwelling_type"),
    "dwelling_use": _own("dwelling_use"),
    "rental_use": _gbt31000("rental_use"),
    "visit_kind": _own("visit_kind"),
    "visit_outcome": _own("visit_outcome"),
    "visit_need": _own("visit_need"),
    "incident_level": _own("incident_level"),
    "incident_urgency": _own("incident_urgency"),
    "incident_source": _own("incident_source"),
    "supervision": _own("supervision"),
    "extension": _own("extension"),
    "whistle_case": _own("whistle_case"),
    "region_level": _own("region_level"),
    "organisation_level": _own("org_level_own"),
}

# K codes: each has its own confidentiality law; they are left out of the product (domain reference, decision 8).
_LEFT_OUT = {"care_group": ("restricted", "DO NOT STORE")}


@cache
def table(name: str) -> CodeTable:
    """The code table `name`; KeyError when there is none."""
    source = _SOURCES[name]
    rows: dict[str, Code] = {}
    with resource("codes", source.file).open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if source.where and line[source.where[0]] != source.where[1]:
                continue
            extra = line.get(source.extra, "") if source.extra else ""
            if extra in _LEFT_OUT.get(name, ()):
                continue
            english = line.get(source.en, "").replace("_", " ")
            rows[line[source.code]] = Code(
                line[source.code], line[source.zh], english, line.get(source.parent, "") if source.parent else "", extra
            )
    return CodeTable(name, rows, _aliases(name, rows))


def _aliases(name: str, rows: dict[str, Code]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows.values():
        found.setdefault(row.zh, row.code)
        if row.en:
            found.setdefault(row.en.casefold(), row.code)
    with resource("codes", "aliases.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if line["table"] == name:
                found[line["alias"]] = line["code"]
    return found


def word(table_name: str, code: str | None) -> str:
    """The name of `code` in table `table_name`, in the language in use."""
    return table(table_name).word(code)
