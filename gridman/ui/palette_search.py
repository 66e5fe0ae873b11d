"""The one search box (Ctrl+K): people, households, addresses, incidents and commands, answered at every keystroke."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gridman.kernel.words import N_, _
from gridman.ui.actions import Verb, key_words
from gridman.ui.icons import pixmap
from gridman.ui.shell import Shell
from gridman.ui.theme import Theme
from gridman.ui.widgets import label

__all__ = ["Offer", "SearchBox", "matching_verbs"]

_MOST_HITS, _MOST_AT_ALL = 12, 60
_MOST_VERBS = 5
_AROUND_PX = 28
_ICONS = {
    "person": "user",
    "household": "house",
    "building": "building",
    "incident": "triangle-alert",
    "verb": "chevron-right",
}
_WORDS = {
    "person": N_("Resident"), "household": N_("Household"), "building": N_("Building"), "incident": N_("Incident"), "verb": N_("Command"),
}  # fmt: skip


_BY = {"phone": N_("by phone"), "id": N_("by ID number")}
_MORE = "more"


@dataclass(frozen=True)
class Offer:
    """One line below the box: a record to open or a verb to do."""

    kind: str
    title: str
    detail: str
    record_id: int = 0
    household_id: int | None = None
    verb: Verb | None = None
    by: str = ""


def matching_verbs(verbs: Sequence[Verb], text: str) -> list[Verb]:
    """Commands whose words hold all typed words, in either language."""
    wanted = text.casefold().split()
    found: list[Verb] = []
    for verb in verbs:
        words = f"{_(verb.text)} {verb.text} {verb.name} {verb.aliases}".casefold()
        if all(one in words for one in wanted) and not any(known.text == verb.text for known in found):
            found.append(verb)
    return found


class _OffersModel(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.offers: list[Offer] = []

    def show(self, offers: list[Offer]) -> None:
        self.beginResetModel()
        self.offers = offers
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.offers)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self.offers):
            return None
        offer = self.offers[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return offer.title
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return ", ".join(
                p for p in (_(_WORDS.get(offer.kind, "")), offer.title, offer.detail, _(_BY.get(offer.by, ""))) if p
            )
        return None


class _OfferDelegate(QStyledItemDelegate):
    """Icon, title, detail behind it, kind at the right."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(400, self._theme.sizes["control"] + 4)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        model = index.model()
        assert isinstance(model, _OffersModel)
        offer, theme, area = model.offers[index.row()], self._theme, option.rect
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.fillRect(area, theme.colour("accent_soft" if is_chosen else "surface"))
        size = theme.sizes["icon"]
        picture = pixmap(
            _ICONS.get(offer.kind, "chevron-right"), theme.colours["soft"], size, painter.device().devicePixelRatioF()
        )
        painter.drawPixmap(QPoint(area.left() + 12, area.center().y() - size // 2), picture)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font("small"))
        painter.setPen(theme.colour("faint"))
        side = area.adjusted(0, 0, -12, 0)
        word = (
            key_words(offer.detail) if offer.kind == "verb" else _(_WORDS[offer.kind]) if offer.kind in _WORDS else ""
        )
        if offer.by:
            word = f"{_(_BY[offer.by])} · {word}"
        painter.drawText(side, middle | Qt.AlignmentFlag.AlignRight, word)
        right = painter.fontMetrics().horizontalAdvance(word) + 24
        painter.setFont(theme.font())
        painter.setPen(theme.colour("text"))
        left = area.adjusted(24 + size, 0, -right, 0)
        title = painter.fontMetrics().elidedText(offer.title, Qt.TextElideMode.ElideRight, left.width())
        painter.drawText(left, middle, title)
        if offer.kind not in ("verb", _MORE):
            used = painter.fontMetrics().horizontalAdvance(title) + 12
            rest = left.adjusted(used, 0, 0, 0)
            painter.setPen(theme.colour("faint"))
            text = painter.fontMetrics().elidedText(offer.detail, Qt.TextElideMode.ElideRight, max(0, rest.width()))
            painter.drawText(rest, middle, text)
        painter.restore()


class SearchBox(QLineEdit):
    """See the module. `verbs()` gives the commands there are now; `do(verb)` does one."""

    def __init__(
        self, shell: Shell, verbs: Callable[[], Sequence[Verb]], do: Callable[[Verb], None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._shell, self._verbs, self._do = shell, verbs, do
        self._has_people = shell.may("household.read")
        self._limit = _MOST_HITS
        self.setProperty("kind", "search")
        people, others = (
            _("Search people, addresses, incidents, commands   Ctrl+K"),
            _("Search addresses, incidents, commands   Ctrl+K"),
        )
        self._hint = people if self._has_people else others
        self.setPlaceholderText(self._hint)
        self.setToolTip(self._hint)
        self.setAccessibleName(_("Search"))
        self.setClearButtonEnabled(True)
        self._popup = QFrame(parent.window())
        self._popup.setProperty("kind", "popup")
        self._popup.setAccessibleName(_("Search results"))
        self._popup.hide()
        self._model = _OffersModel(self)
        self._list = QListView(self._popup)
        self._list.setAccessibleName(_("Search results"))
        self._list.setModel(self._model)
        self._list.setItemDelegate(_OfferDelegate(shell.theme, self._list))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.clicked.connect(self._clicked)
        self._nothing = label(
            _("Nothing found. Try a name, its pinyin initials, the end of a phone or ID number.")
            if self._has_people
            else _("Nothing found. Try an address, a building, the number or words of an incident."),
            "soft",
            wraps=True,
        )
        self._nothing.setContentsMargins(12, 8, 12, 8)
        box = QVBoxLayout(self._popup)
        box.setContentsMargins(1, 4, 1, 4)
        box.addWidget(self._list)
        box.addWidget(self._nothing)
        self.textEdited.connect(self._ask)
        self.installEventFilter(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is no room for what can be searched, the key is still told."""
        super().resizeEvent(event)
        has_room = self.fontMetrics().horizontalAdvance(self._hint) + _AROUND_PX <= self.width()
        self.setPlaceholderText(self._hint if has_room else _("Search   Ctrl+K"))

    def begin(self) -> None:
        """Take the keyboard, with the commands of this moment below."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()
        self._ask(self.text())

    def offers(self) -> list[Offer]:
        """What is offered now."""
        return list(self._model.offers) if self._popup.isVisible() else []

    def _ask(self, text: str) -> None:
        self._limit = _MOST_HITS
        self._ask_most(text)

    def _ask_most(self, text: str) -> None:
        if not text.strip():
            self._show([_verb_offer(v) for v in list(self._verbs())[:8]], is_final=False)
            return
        from gridman.services.search import search

        grids = sorted(self._shell.actor.grid_ids)
        self._shell.background.ask(search, text, grid_ids=grids, limit=self._limit + 1, then=self._take, key="search")

    def _take(self, hits: Sequence[Any]) -> None:
        offers = [Offer(h.kind, h.title, h.detail, h.record_id, h.household_id, by=h.by) for h in hits[: self._limit]]
        if len(hits) > self._limit:
            said = (
                _("More… (or type another word)")
                if self._limit < _MOST_AT_ALL
                else _("There are more: type another word")
            )
            offers.append(Offer(_MORE, said, ""))
        offers += [_verb_offer(v) for v in matching_verbs(self._verbs(), self.text())[:_MOST_VERBS]]
        self._show(offers, is_final=True)
        if self._limit > _MOST_HITS and len(offers) > _MOST_HITS:
            self._list.setCurrentIndex(self._model.index(_MOST_HITS))

    def _show(self, offers: list[Offer], *, is_final: bool) -> None:
        self._model.show(offers)
        self._list.setVisible(bool(offers))
        self._nothing.setVisible(is_final and not offers)
        if offers:
            self._list.setCurrentIndex(self._model.index(0))
        if not self.hasFocus() or not (offers or is_final):
            self._popup.hide()
            return
        row = self._shell.theme.sizes["control"] + 4
        width = max(self.width(), 520)
        corner = self.mapTo(self.window(), QPoint(0, self.height() + 4))
        height = row * len(offers) + 12 if offers else self._nothing.heightForWidth(width - 2) + 16
        self._popup.setGeometry(corner.x(), corner.y(), width, min(height, self.window().height() - corner.y() - 24))
        self._popup.show()
        self._popup.raise_()

    def _clicked(self, index: QModelIndex) -> None:
        self._list.setCurrentIndex(index)
        self._choose()

    def _choose(self) -> None:
        number = self._list.currentIndex().row()
        if not self._popup.isVisible() or not 0 <= number < len(self._model.offers):
            return
        offer = self._model.offers[number]
        if offer.kind == _MORE:
            if self._limit < _MOST_AT_ALL:
                self._limit = _MOST_AT_ALL
                self._ask_most(self.text())
            return
        self._close()
        if offer.verb is not None:
            self._do(offer.verb)
        elif offer.kind in ("person", "household") and offer.household_id:
            self._shell.go("households", "household", offer.household_id)
        elif offer.kind == "incident":
            self._shell.go("incidents", "incident", offer.record_id)
        else:
            self._shell.go("map", offer.kind, offer.record_id)

    def _close(self) -> None:
        self._popup.hide()
        self.clear()
        self.clearFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self._popup.hide()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
            return True
        if key == Qt.Key.Key_Escape:
            self._close()
            return True
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}.get(Qt.Key(key))
        if step is None or not self._model.offers:
            return False
        number = min(max(self._list.currentIndex().row() + step, 0), len(self._model.offers) - 1)
        self._list.setCurrentIndex(self._model.index(number))
        return True


def _verb_offer(verb: Verb) -> Offer:
    return Offer("verb", _(verb.text), verb.keys, verb=verb)
