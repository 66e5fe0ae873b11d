"""Verbs as rows: a row gives a verb its words, its keys and its place; menu, help and search box read the rows."""

from dataclasses import dataclass

from gridman.kernel.words import N_, _

__all__ = ["FRAME_VERBS", "Verb", "key_words"]


@dataclass(frozen=True)
class Verb:
    """One thing a person can do. `text` is a message id; `keys` in Qt's portable notation ("Ctrl+K"); `right`: a right of
    `domain/access.py` it needs, empty for everyone; `icon`: of `resources/icons`.
    """

    name: str
    text: str
    keys: str = ""
    icon: str = ""
    right: str = ""
    group: str = "page"
    aliases: str = ""
    """Other words, in both languages, by which the search box finds it."""


FRAME_VERBS: tuple[Verb, ...] = (
    Verb("search", N_("Search everything"), "Ctrl+K", "search", group="frame"),
    Verb("log_visit", N_("Log a visit"), "Ctrl+L", "footprints", "visit.write", group="frame"),
    Verb("report_incident", N_("Report an incident"), "Ctrl+I", "triangle-alert", "incident.report", group="frame"),
    Verb("new_household", N_("Register a household"), "Ctrl+Shift+H", "house-plus", "household.write", group="frame"),
    Verb("sync_now", N_("Synchronise now"), "F9", "refresh-cw", group="frame", aliases="sync send 同步 发送"),
    Verb("switch_theme", N_("Light or dark"), "Ctrl+Shift+D", "sun-moon", group="frame"),
    Verb("switch_language", N_("English or 中文"), "Ctrl+Shift+L", "languages", group="frame"),
    Verb("lock", N_("Lock this desk"), "Ctrl+Shift+Q", "lock", group="frame", aliases="lock away 锁定 离开"),
    Verb("show_manual", N_("User's manual"), "F1", "book-open", group="help", aliases="help manual 帮助 手册"),
    Verb("show_keys", N_("Keyboard"), "Ctrl+/", "keyboard", group="help", aliases="keys shortcuts 快捷键 按键"),
)
"""What the window itself can do, whatever page is open."""


def key_words(keys: str) -> str:
    """Keys as they are written on the keyboard, in the language in use."""
    return keys.replace("Return", _("Enter"))
