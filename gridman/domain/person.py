"""The resident (居民) and the care groups a resident belongs to. Code tables follow GB/T 2261, 3304, 4658, 4761, 4762 and GA/T 517."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Privacy, Synced, column
from gridman.kernel.words import N_

__all__ = ["CareTag", "Person"]

_IDENTITY = "identify the resident"
_SERVICE = "offer the services the resident is entitled to"


class Person(Synced):
    """One resident of a household. The ID number may be missing or unverified, with a reason (newborns, unregistered residents)."""

    __tablename__ = "person"

    household_id: Mapped[int] = column(N_("Household"), Kind.REFERENCE, index=True, is_shown=False)
    grid_id: Mapped[int] = column(N_("Grid"), Kind.REFERENCE, index=True, is_shown=False)
    name: Mapped[str] = column(
        N_("Name"), Kind.NAME, is_required=True,
        privacy=Privacy.PERSONAL, merge=Merge.HOLD, max_length=100, purpose=_IDENTITY,
    )  # fmt: skip
    relation: Mapped[str] = column(
        N_("Relation to head"),
        Kind.CODE,
        code_table="family_relation",
        is_required=True,
    )
    id_kind: Mapped[str | None] = column(N_("ID type"), Kind.CODE, code_table="id_document", purpose=_IDENTITY)
    id_number: Mapped[str | None] = column(
        N_("ID number"), Kind.ID_NUMBER, index=True,
        privacy=Privacy.PERSONAL, merge=Merge.HOLD, max_length=30, purpose=_IDENTITY,
    )  # fmt: skip
    id_unverified_reason: Mapped[str | None] = column(
        N_("Why the ID number is missing or unverified"), purpose=_IDENTITY
    )
    sex: Mapped[str | None] = column(N_("Sex"), Kind.CODE, code_table="sex")
    birth_on: Mapped[str | None] = column(N_("Birth date"), Kind.DAY, privacy=Privacy.PERSONAL)
    phones: Mapped[str | None] = column(
        N_("Phone"), Kind.PHONES, privacy=Privacy.PERSONAL,
        hint=N_("Several separated by ;"),
    )  # fmt: skip
    population_type: Mapped[str | None] = column(
        N_("Population type"), Kind.CODE, code_table="population_type", is_required=True
    )
    household_match: Mapped[str | None] = column(N_("Lives as registered"), Kind.CODE, code_table="household_match")
    registered_address: Mapped[str | None] = column(N_("Registered address"), privacy=Privacy.PERSONAL)
    ethnic: Mapped[str | None] = column(N_("Ethnic group"), Kind.CODE, code_table="ethnic")
    political: Mapped[str | None] = column(N_("Political status"), Kind.CODE, code_table="political")
    marital: Mapped[str | None] = column(N_("Marital status"), Kind.CODE, code_table="marital")
    education: Mapped[str | None] = column(N_("Education"), Kind.CODE, code_table="education")
    workplace: Mapped[str | None] = column(N_("Workplace or school"), purpose=_SERVICE)
    moved_out_on: Mapped[str | None] = column(N_("Moved out on"), Kind.DAY, merge=Merge.HOLD)
    died_on: Mapped[str | None] = column(N_("Died on"), Kind.DAY, merge=Merge.HOLD, privacy=Privacy.SENSITIVE)
    remark: Mapped[str | None] = column(N_("Remark"), Kind.NOTE, max_length=1000)


class CareTag(Synced):
    """A resident belongs to a care group from a day on (with evidence). One row per group, so two desks adding groups never collide.
    Restricted groups (K codes) are not stored at all.
    """

    __tablename__ = "care_tag"

    person_id: Mapped[int] = column(N_("Resident"), Kind.REFERENCE, index=True, merge=Merge.ONCE)
    household_id: Mapped[int] = column(N_("Household"), Kind.REFERENCE, index=True)
    grid_id: Mapped[int] = column(N_("Grid"), Kind.REFERENCE, index=True)
    care_group: Mapped[str] = column(
        N_("Care group"), Kind.CODE, code_table="care_group", is_required=True, privacy=Privacy.SENSITIVE,
        purpose=_SERVICE, merge=Merge.ONCE,
    )  # fmt: skip
    since_on: Mapped[str | None] = column(N_("Since"), Kind.DAY)
    until_on: Mapped[str | None] = column(N_("Until"), Kind.DAY)
    evidence: Mapped[str | None] = column(N_("Evidence"))
