"""Which of two edits of one field wins. Pure: the same function decides on the street, in the simulator and in the tests.

Order of authority (sync design D1, D8): first causality - an edit made knowing the current version wins whatever its clock
says; only truly concurrent edits are compared, by stamp. Equal values are no conflict.
"""

from dataclasses import dataclass

from gridman.domain.fields import Merge
from gridman.domain.stamp import ZERO, after

__all__ = ["Edit", "Verdict", "decide"]


@dataclass(frozen=True)
class Edit:
    """One incoming edit of one field: the value, the version it was made on (`base`, None: the field as created) and its stamp."""

    value: object
    base: str | None
    stamp: str


@dataclass(frozen=True)
class Verdict:
    """What to do: write the edit's value or not, under which version stamp, and which loser to keep ("" none, "edit", "current")."""

    applies: bool
    version: str
    loser: str = ""
    reason: str = ""


def decide(
    edit: Edit, current_value: object, current_version: str | None, policy: Merge, is_retired: bool = False
) -> Verdict:
    """Merge one field edit into the current cell.

    `current_version` is None for a cell nobody has edited since the record was made. `is_retired`: the record was taken out of use, which
    stands against every edit made without knowing of it.
    """
    version = current_version or ZERO
    if edit.value == current_value:
        return Verdict(applies=False, version=max(version, edit.stamp))
    if is_retired:
        return Verdict(applies=False, version=version, loser="edit", reason="retired")
    if (edit.base or ZERO) == version:
        return Verdict(applies=True, version=after(edit.stamp, version))
    if policy is Merge.HOLD:
        return Verdict(applies=False, version=version, loser="edit", reason="held")
    if edit.stamp > version:
        return Verdict(applies=True, version=edit.stamp, loser="current", reason="concurrent")
    return Verdict(applies=False, version=version, loser="edit", reason="concurrent")
