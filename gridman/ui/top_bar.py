"""The bar over the page: the place, the search box, the sync pill, the user."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QMenu, QSizePolicy, QWidget

from gridman.domain import codes
from gridman.domain.grid import Grid
from gridman.domain.organisation import Organisation
from gridman.kernel.words import LANGUAGES, N_, _, language, listed
from gridman.ui.actions import FRAME_VERBS, Verb
from gridman.ui.palette_search import SearchBox
from gridman.ui.shell import Shell
from gridman.ui.sync_pill import SyncPill
from gridman.ui.widgets import button, column_of, icon_button, label, row_of

__all__ = ["TopBar"]

_USER_VERBS = ("switch_theme", "switch_language", "lock")
_SIGN_OUT = Verb("sign_out", N_("Sign out"), icon="log-out", group="frame")


class TopBar(QFrame):
    """See the module."""

    asked = Signal(object)  # Verb

    def __init__(self, shell: Shell, verbs: Callable[[], Sequence[Verb]], parent: QWidget) -> None:
        super().__init__(parent)
        self._shell = shell
        theme = shell.theme
        self.setProperty("kind", "bar")
        self.setFixedHeight(theme.sizes["control"] + 20)
        self.place = label("", "heading")
        self.place_detail = label("", "small")
        self.place.setMinimumWidth(80)
        place = QWidget()
        place.setLayout(column_of(None, self.place, self.place_detail, None, spacing=0))
        place.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.search = SearchBox(shell, verbs, self.asked.emit, self)
        self.search.setMinimumWidth(220)
        self.search.setMaximumWidth(560)
        self.pill = SyncPill(shell)
        self._help = icon_button(theme, "circle-help", _("Help"), self._open_help)
        self.user = button(shell.actor.name, "quiet", theme=theme, picture="user", clicked=self._open_user)
        self.user.setAccessibleName(_("User: {name}").format(name=shell.actor.name))
        self.user.setMaximumWidth(180)
        self.setLayout(
            row_of(place, 8, self.search, None, self.pill, self._help, self.user, margins=(16, 0, 8, 0), spacing=8)
        )
        self.layout().setStretchFactor(self.search, 20)  # type: ignore[union-attr]
        shell.background.ask(_place_words, shell.actor, then=self._take_place)

    def _take_place(self, words: tuple[str, str]) -> None:
        self.place.setText(words[0])
        self.place_detail.setText(words[1])
        self.place_detail.setVisible(bool(words[1]))

    def _open_user(self) -> None:
        menu = QMenu(self)
        menu.setAccessibleName(_("User"))
        actor = self._shell.actor
        head = menu.addAction(f"{actor.name} · {codes.word('role', actor.role)}")
        head.setEnabled(False)
        menu.addSeparator()
        for verb in FRAME_VERBS:
            if verb.name in _USER_VERBS:
                self._add(menu, verb)
        menu.addSeparator()
        self._add(menu, _SIGN_OUT)
        self._pop(menu, self.user)

    def _open_help(self) -> None:
        menu = QMenu(self)
        menu.setAccessibleName(_("Help"))
        for verb in FRAME_VERBS:
            if verb.group == "help":
                self._add(menu, verb)
        self._pop(menu, self._help)

    def _add(self, menu: QMenu, verb: Verb) -> None:
        text = _(verb.text)
        if verb.name == "switch_language":
            text = next(word for code, word in LANGUAGES.items() if code != language())
        action = QAction(text, menu)
        action.setData(verb)
        if verb.keys:
            action.setText(f"{text}\t{verb.keys}")
        menu.addAction(action)

    def _pop(self, menu: QMenu, under: QWidget) -> None:
        menu.triggered.connect(self._chosen)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(under.mapToGlobal(under.rect().bottomLeft()))

    def _chosen(self, action: QAction) -> None:
        if isinstance(action.data(), Verb):
            self.asked.emit(action.data())


def _place_words(reader: Any, actor: Any) -> tuple[str, str]:
    organisation = reader.find(Organisation, actor.organisation_id)
    grids = reader.page(Grid, id=actor.grid_ids, order_by=("code",), limit=4) if actor.grid_ids else []
    above = reader.find(Organisation, organisation.parent_id) if organisation else None
    name = organisation.name if organisation else ""
    own = (g.name if len(grids) == 1 else g.name.removeprefix(name) or g.name for g in grids[:3])
    detail = listed(own) + ("…" if len(grids) > 3 else "")
    if detail in name and above is not None:
        return name, above.name
    return name, detail
