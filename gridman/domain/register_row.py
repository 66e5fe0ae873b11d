"""One row of a register on its way in: typed values, where it stands in the office's file, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gridman.domain.address import Address
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _

__all__ = ["CellProblem", "RegisterRow"]

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong with one cell. `value` is as the person typed it (masked when it is an ID number); `code` is stable;
    `text` and `remedy` are message ids. A warning does not keep the row out.
    """

    sheet: str
    row: int
    column: str
    value: str
    code: str
    text: str
    remedy: str
    params: Mapping[str, object] = field(default_factory=dict)
    is_warning: bool = False

    @property
    def place(self) -> str:
        """Sheet, row and column, in the language in use."""
        return _("Sheet {sheet}, row {row}, column {column}").format(
            sheet=self.sheet, row=self.row, column=self.column or "-"
        )

    @property
    def what(self) -> str:
        """What is wrong and what to do, in the language in use."""
        return Refusal(self.code, self.text, self.remedy, **{**self.params, "value": self.value}).words()

    def words(self) -> str:
        """The whole message: where, which value, what is wrong, what to do."""
        shown = _(" (“{value}”)").format(value=self.value) if self.value else ""
        return _("{place}{shown}: {what}").format(place=self.place, shown=shown, what=self.what)


@dataclass(slots=True, kw_only=True)
class RegisterRow:
    """One resident as a register gives it. `person`: field name of `Person` -> value, only what the cell said; a blank cell
    says nothing and changes nothing. `care`: codes of the care groups. `row` counts from 1, as the spreadsheet shows it.
    """

    sheet: str = ""
    row: int = 0
    person: dict[str, Any] = field(default_factory=dict)
    address: Address = field(default_factory=Address)
    grid: str = ""
    household_no: str = ""
    care: tuple[str, ...] = ()
    problems: tuple[CellProblem, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing keeps the row out."""
        return all(problem.is_warning for problem in self.problems)

    @property
    def lives_here(self) -> bool:
        """Whether the person still counts to the household."""
        return not (self.person.get("moved_out_on") or self.person.get("died_on"))

    def problem(
        self,
        column: str,
        value: str,
        code: str,
        text: str,
        remedy: str,
        params: Mapping[str, object] = _NOTHING,
        *,
        is_warning: bool = False,
    ) -> CellProblem:
        """A problem of this row."""
        return CellProblem(self.sheet, self.row, column, value, code, text, remedy, params, is_warning)
