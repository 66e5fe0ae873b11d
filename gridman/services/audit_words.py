"""The audit log's own words for what its lines hold: acts, kinds of records, names and values of details. What has no word here, a name, a
number, a day or a file, is shown as it was noted.
"""

from collections.abc import Mapping

from gridman.domain import codes
from gridman.domain.catalog import noun
from gridman.kernel.words import N_, _, language

__all__ = ["ACT_WORDS", "DETAIL_WORDS", "KIND_WORDS", "VALUE_WORDS", "act_word", "details_in_words", "kind_word"]

ACT_WORDS = {
    "account": N_("account added or changed"),
    "assign": N_("grid assigned or taken away"),
    "audit_broken": N_("audit log was changed"),
    "decide": N_("entry under review decided"),
    "department": N_("department added, renamed or retired"),
    "differed": N_("computer's copy differed from the street's"),
    "enrol": N_("computer enrolled"),
    "enrol_code": N_("enrolment code made"),
    "enrol_failed": N_("enrolment failed"),
    "export": N_("exported"),
    "import": N_("imported"),
    "map_edit": N_("map changed"),
    "move_server": N_("new address of the street server told to a computer"),
    "notice": N_("notice published or withdrawn"),
    "open": N_("sensitive record opened"),
    "password": N_("password set"),
    "print": N_("printed"),
    "restore": N_("restored"),
    "reveal": N_("covered value uncovered"),
    "revoke": N_("computer shut out"),
    "hand_over": N_("unsent work handed over by a computer"),
    "rotate_keys": N_("keys rotated"),
    "sign_in": N_("signed in"),
    "sign_in_failed": N_("sign-in failed"),
    "sign_out": N_("signed out"),
    "start": N_("started"),
    "suspend": N_("account suspended or let in again"),
    "token": N_("computer's token renewed"),
}
"""What each act is called (`gridman.services.audit.ACTS`)."""

KIND_WORDS = {
    "region": N_("Region"),
    "grid": N_("Grid"),
    "organisation": N_("Organisation"),
    "user": N_("Account"),
    "assignment": N_("Assignment"),
    "notice": N_("Notice"),
    "building": N_("Building"),
    "dwelling": N_("Dwelling"),
    "household": N_("Household"),
    "person": N_("Resident"),
    "care_tag": N_("Care group"),
    "incident": N_("Incident"),
    "incident_step": N_("Step of an incident"),
    "conflict": N_("Decision"),
    "visit": N_("Visit"),
    "attachment": N_("Photo"),
    "map_feature": N_("Part of the map"),
}
"""What a record of each kind is called (`gridman.domain.catalog.NOUNS`)."""

DETAIL_WORDS = {
    "anew": N_("received anew"),
    "audience": N_("shown to"),
    "batch": N_("batch"),
    "by": N_("with"),
    "changed": N_("changed"),
    "cards": N_("entries to review"),
    "choice": N_("decision"),
    "communities": N_("communities"),
    "conflict": N_("in the review as no."),
    "count": N_("rows"),
    "device": N_("computer"),
    "field": N_("field"),
    "file": N_("file"),
    "folder": N_("folder"),
    "grid": N_("grid"),
    "grids": N_("grids"),
    "kept": N_("kept"),
    "kinds": N_("kinds"),
    "line": N_("after line"),
    "masked": N_("covered"),
    "new": N_("new"),
    "photos": N_("photos"),
    "purpose": N_("purpose"),
    "reason": N_("reason"),
    "refused": N_("refused"),
    "replaced": N_("replaced"),
    "report": N_("report"),
    "restored": N_("restored"),
    "retired": N_("retired"),
    "revoked_as": N_("as"),
    "role": N_("role"),
    "rows": N_("rows"),
    "scope": N_("part"),
    "seq": N_("up to change"),
    "source": N_("from"),
    "suspended": N_("suspended"),
    "times": N_("times"),
    "until": N_("until"),
    "what": N_("what"),
    "where": N_("where"),
    "withdrawn": N_("withdrawn"),
}
"""What a detail is called."""

VALUE_WORDS: Mapping[str, Mapping[str, str]] = {
    "by": {"code": N_("one-time code"), "password": N_("password"), "role": N_("a role without these pages")},
    "choice": {"kept": N_("as it stands, or left out"), "restored": N_("put back or taken over")},
    "revoked_as": {"lost": N_("lost"), "retired": N_("retired")},
    "source": {
        "lost_desk": N_("lost computer"), "retired_desk": N_("retired computer"), "copied_desk": N_("copied computer"),
    },
    "what": {
        "added": N_("added"), "renamed": N_("renamed"), "retired": N_("retired"), "backup": N_("backup"), "backup file": N_("file of a backup"),
        "street": N_("street"), "desk": N_("desk"), "monitor": N_("monitor"), "beside": N_("beside the street"), "decided": N_("chosen"),
        "taken back": N_("taken back"), "thrown away": N_("thrown away"), "served": N_("in its place"), "incidents": N_("incidents"),
        "register": N_("register"), "register undone": N_("register, taken back"),
        "register begun": N_("register, begun"), "register undo begun": N_("register, taking back begun"),
    },
    "where": {"web": N_("in the browser"), "command": N_("at the server's command line")},
}  # fmt: skip
"""What a value of a detail is called."""


def act_word(act: str) -> str:
    """An act in the language in use."""
    return _(ACT_WORDS[act]) if act in ACT_WORDS else act


def kind_word(kind: str) -> str:
    """A kind of records in the language in use."""
    return _(KIND_WORDS[kind]) if kind in KIND_WORDS else kind


def details_in_words(kind: str, details: Mapping[str, object]) -> str:
    """Names and values, of a line about a record of this kind."""
    colon, comma = ("：", "，") if language() == "zh_CN" else (": ", ", ")
    return comma.join(
        f"{_(DETAIL_WORDS.get(name, name))}{colon}{_value(kind, name, value)}"
        for name, value in details.items()
        if value not in (None, "")
    )


def _value(kind: str, name: str, value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "role":
        return codes.word("role", str(value))
    found = noun(kind)
    if name == "field" and found is not None and value in found.fields:
        return _(found.fields[str(value)].label)
    word = VALUE_WORDS.get(name, {}).get(str(value), "")
    return _(word) if word else str(value)
