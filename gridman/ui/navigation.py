"""The pages of the window, one line each; a page's module is loaded when the page is first opened."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from gridman.domain.access import Actor, may
from gridman.kernel.words import N_
from gridman.ui.page import Page
from gridman.ui.shell import Shell

__all__ = ["PAGES", "Place", "make_page", "places_for"]


@dataclass(frozen=True)
class Place:
    """One page: its word, icon, key, the right it needs (empty: everyone), and where its class is (`make_page(shell)`)."""

    name: str
    word: str
    icon: str
    keys: str
    right: str = ""
    kinds: tuple[str, ...] = ()  # records that are opened here
    aliases: str = ""  # other words, in both languages, by which the search box finds it


PAGES: tuple[Place, ...] = (
    Place("today", N_("Today"), "sun", "Ctrl+1"),
    Place("households", N_("Households"), "house", "Ctrl+2", "household.read", ("household", "person", "dwelling")),
    Place("visits", N_("Visits"), "footprints", "Ctrl+3", "visit.write", ("visit",)),
    Place("incidents", N_("Incidents"), "triangle-alert", "Ctrl+4", "incident.read", ("incident",)),
    Place("map", N_("Map"), "map", "Ctrl+5", "map.read", ("building", "grid"), "boundary print 地图 边界 打印"),
    Place(
        "reports",
        N_("Reports"),
        "file-text",
        "Ctrl+6",
        "report.incident",
        (),
        "report print roster pdf paper 报表 打印 花名册 名册 导出",
    ),
    Place(
        "sync",
        N_("Sync"),
        "refresh-cw",
        "Ctrl+7",
        "",
        ("conflict",),
        "send network usb stick review conflict 同步 发送 联网 u盘 核对 冲突",
    ),
    Place(
        "settings",
        N_("Settings"),
        "settings",
        "Ctrl+8",
        "",
        (),
        "language theme dark passphrase password 设置 语言 深色 口令 密码",
    ),
)


def places_for(actor: Actor) -> list[Place]:
    """The pages this user needs."""
    return [place for place in PAGES if not place.right or may(actor, place.right)]


def make_page(name: str, shell: Shell) -> Page:
    """The page `name`, from `gridman/ui/pages/<name>/page.py`, whose `make_page(shell)` makes it."""
    module = importlib.import_module(f"gridman.ui.pages.{name}.page")
    return cast(Callable[[Shell], Page], module.make_page)(shell)
