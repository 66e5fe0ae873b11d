"""A list as the person meets it: the table, its count, its columns, copying, and what is said when there is nothing to show."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFontMetrics, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from gridman.kernel.errors import Refusal
from gridman.kernel.words import _, ngettext
from gridman.ui.cells import Cell, EndKept
from gridman.ui.column_fit import ColumnFit
from gridman.ui.flow import FlowLayout
from gridman.ui.shell import Shell
from gridman.ui.tables import Column, Fetch, RowsModel
from gridman.ui.widgets import EmptyState, button, icon_button, label, row_of

__all__ = ["Nothing", "TablePane"]

_LOADING_AFTER_MS = 300
_COPY_LIMIT = 5_000


@dataclass(frozen=True)
class Nothing:
    """What to say when the list is empty: message ids, an icon, and the words and act of a button that helps."""

    title: str
    text: str = ""
    picture: str = "inbox"
    action: str = ""
    act: Callable[[], object] | None = None


class TablePane(QFrame):
    """A windowed table with its bar.

    ``ids(reader, query) -> array('q')`` and ``rows(reader, ids) -> list`` are functions of the services; `show_query` asks.
    `add_head` puts the list's search and new-button above the bar, `add_filter` the page's own filters at the left of the bar.
    """

    chosen = Signal(object)  # id of the current row, None when there is none
    opened = Signal(object)  # id: Enter or double click
    sorted_by = Signal(str, bool)  # the query's order name, descending
    counted = Signal(int)

    def __init__(
        self, shell: Shell, name: str, columns: Sequence[Column], ids: Callable[..., Any], rows: Fetch, nothing: Nothing,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setProperty("kind", "pane")
        self._shell, self._name, self._ids, self._rows = shell, name, ids, rows
        self._query: Any = None
        self._wanted: int | None = None
        self._total: int | None = None
        self._is_settling = False
        self.model = RowsModel(shell.background, shell.theme, columns, rows, self)
        self.view = self._make_view(columns)
        self._bar = QHBoxLayout()
        self._bar.setContentsMargins(12, 8, 8, 8)
        self._bar.setSpacing(8)
        self._count = label("", "small")
        self._columns_button = icon_button(shell.theme, "columns-3", _("Choose columns"), self._choose_columns)
        self._filters = FlowLayout()
        self._bar.addLayout(self._filters, 1)
        self._bar.addWidget(self._count)
        self._bar.addWidget(self._columns_button)
        self._stack = QStackedLayout()
        self._loading = EmptyState(shell.theme, "clock", _("Reading…"))
        act = button(_(nothing.action), "primary", clicked=nothing.act) if nothing.action and nothing.act else None
        self._nothing_act = act
        self._nothing = EmptyState(shell.theme, nothing.picture, _(nothing.title), _(nothing.text), act)
        again = button(_("Try again"), clicked=self.reload)
        self._error = EmptyState(shell.theme, "circle-alert", _("The list could not be read"), "", again)
        for part in (self.view, self._nothing, self._loading, self._error):
            self._stack.addWidget(part)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self._box.addLayout(self._bar)
        self._box.addLayout(self._stack, 1)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_LOADING_AFTER_MS)
        self._late.timeout.connect(self._show_loading)
        copy = QShortcut(QKeySequence.StandardKey.Copy, self.view, context=Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy_rows)

    def _make_view(self, columns: Sequence[Column]) -> QTableView:
        view = _View(self)
        view.setModel(self.model)
        view.setAccessibleName(_("List"))
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setItemDelegate(Cell(view))
        view.setTabKeyNavigation(False)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.verticalHeader().hide()
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        view.verticalHeader().setDefaultSectionSize(self._shell.theme.sizes["row"])
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        factor = self._shell.theme.sizes["base"] / 14
        metrics = QFontMetrics(self._shell.theme.font())
        shown = self._shell.settings.get(f"columns.{self._name}")
        for i, column in enumerate(columns):
            view.setColumnHidden(i, column.key not in shown if shown else not column.is_shown)
            if column.keeps_end:
                view.setItemDelegateForColumn(i, EndKept(view))
        self._fit = ColumnFit(
            view, self._shell.theme, [column.width_px(metrics, factor) for column in columns],
            next((i for i, column in enumerate(columns) if column.stretches), None),
            [i for i, column in enumerate(columns) if column.cuts],
        )  # fmt: skip
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(False)
        header.sectionClicked.connect(self._sort)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._choose_columns)
        view.selectionModel().currentRowChanged.connect(self._current_changed)
        view.doubleClicked.connect(self._open)
        view.entered_row.connect(self._open_current)
        return view

    # -- asking -------------------------------------------------------------------------------------------------------

    def show_query(self, query: Any, total: int | None = None) -> None:
        """Ask for this list; `total`: how many there are without filters, for the count."""
        self._query, self._total = query, total if total is not None else self._total
        self.reload()

    def reload(self) -> None:
        """Ask again, staying at the same record."""
        self._late.start()
        self._shell.background.ask(self._ids, self._query, then=self._take_ids, refused=self._take_refusal, key="ids")

    def explain_nothing(self, title: str, text: str, *, acts: bool) -> None:
        """What to say from now on when the list is empty, and whether the button beneath helps."""
        if self._nothing_act is not None:
            self._nothing_act.setVisible(acts)
        self._nothing.title.setText(title)
        self._nothing.text.setText(text)

    def renew(self, ids: frozenset[int] | None) -> None:
        """Read rows again without asking for the list."""
        self.model.renew(ids)

    def set_total(self, total: int) -> None:
        """How many there are without filters."""
        self._total = total
        self._show_count()

    def _take_ids(self, ids: "array[int]") -> None:
        self._late.stop()
        current = self._wanted if self._wanted is not None else self.current_id()
        top = self.view.verticalScrollBar().value()
        self._is_settling = True
        self.model.set_ids(ids)
        self._show_part(self.view if len(ids) else self._nothing)
        number = self.model.row_number(current) if current is not None else None
        if number is not None:
            self._go_to(number, top)
        elif self._wanted is not None:  # a list that gets the keyboard chooses its first row; another one was asked for
            self.view.setCurrentIndex(QModelIndex())
        self._is_settling = False
        self._wanted = None if number is not None else self._wanted
        self._show_count()
        self.counted.emit(len(ids))
        if number is None or self.current_id() != current:
            self.chosen.emit(self.current_id())

    def _go_to(self, number: int, top: int | None = None) -> None:
        index = self.model.index(number, self._first_visible())
        flags = QItemSelectionModel.SelectionFlag
        self.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        if top is not None:
            self.view.verticalScrollBar().setValue(top)
        self.view.scrollTo(index)

    def _first_visible(self) -> int:
        header = self.view.horizontalHeader()
        return next((i for i in range(len(self.model.columns)) if not header.isSectionHidden(i)), 0)

    def _take_refusal(self, refusal: Refusal) -> None:
        self._late.stop()
        self._error.text.setText(refusal.words())
        self._show_part(self._error)

    def _show_loading(self) -> None:
        self._show_part(self._loading)

    def _show_part(self, part: QWidget) -> None:
        """The list, or what stands in its place. The keyboard stays here meanwhile: a hidden list would hand it to whatever comes next on the
        page, and that may be a button that acts.
        """
        shown, holder = self._stack.currentWidget(), QApplication.focusWidget()
        if part is shown:
            return
        is_here = holder is not None and (holder is self or holder is shown or (shown and shown.isAncestorOf(holder)))
        if is_here:
            self.setFocus()
        self._stack.setCurrentWidget(part)
        if is_here and part is self.view:
            self.view.setFocus()

    def first_focus(self) -> QWidget:
        """What takes the keyboard: the list, and while something else stands in its place the pane, which hands it on to the list."""
        return self.view if self._stack.currentWidget() is self.view else self

    def _show_count(self) -> None:
        shown = len(self.model.ids)
        if self._total is not None and self._total != shown:
            text = _("{shown} of {total}").format(shown=f"{shown:,}", total=f"{self._total:,}")
        else:
            text = ngettext("{n} row", "{n} rows", shown).format(n=f"{shown:,}")
        self._count.setText(text)

    # -- choosing -----------------------------------------------------------------------------------------------------

    def current_id(self) -> int | None:
        """The id of the current row."""
        index = self.view.currentIndex()
        return self.model.id_at(index.row()) if index.isValid() else None

    def selected_ids(self) -> list[int]:
        """The ids of the selected rows, in order."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows(self._first_visible()))
        return [i for row in rows if (i := self.model.id_at(row)) is not None]

    def select(self, record_id: int) -> bool:
        """Make this record current; when the list is still being read, as soon as it is there. False when it is not in the list."""
        number = self.model.row_number(record_id)
        if number is None:
            self._wanted = record_id
            return False
        self._go_to(number)
        return True

    def select_first(self) -> None:
        """Make the first row current, if nothing is."""
        if self.current_id() is None and len(self.model.ids):
            self._go_to(0)

    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if not self._is_settling and current.row() != previous.row():
            self.chosen.emit(self.model.id_at(current.row()) if current.isValid() else None)

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.model.id_at(index.row()))

    def _open_current(self) -> None:
        if self.current_id() is not None:
            self.opened.emit(self.current_id())

    # -- bar ----------------------------------------------------------------------------------------------------------

    def add_head(self, search: QWidget, *acts: QWidget) -> None:
        """Put a row above the bar: the list's own search, and what adds to the list."""
        row = row_of(search, *acts, margins=(12, 12, 12, 0))
        row.setStretch(0, 1)
        self._box.insertLayout(0, row)

    def add_to_bar(self, search: QWidget, *acts: QWidget) -> None:
        """The same in the bar itself, for a list without filters of its own there."""
        self._bar.setStretch(0, 0)
        for number, widget in enumerate((search, *acts)):
            self._bar.insertWidget(number + 1, widget, 0 if number else 1)

    def add_filter(self, widget: QWidget) -> None:
        """Put a filter at the left of the bar; in a narrow list they take more lines."""
        self._filters.addWidget(widget)

    def mark_order(self, order: str, is_descending: bool) -> None:
        """Show in the header by which column the list is sorted."""
        header = self.view.horizontalHeader()
        for i, column in enumerate(self.model.columns):
            if column.order and column.order == order:
                header.setSortIndicatorShown(True)
                header.setSortIndicator(
                    i, Qt.SortOrder.DescendingOrder if is_descending else Qt.SortOrder.AscendingOrder
                )
                self._fit.fit()  # the arrow takes room in the title
                return
        header.setSortIndicatorShown(False)

    def _sort(self, section: int) -> None:
        column = self.model.columns[section]
        if not column.order:
            return
        header = self.view.horizontalHeader()
        was = header.isSortIndicatorShown() and header.sortIndicatorSection() == section
        is_descending = was and header.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
        self.mark_order(column.order, is_descending)
        self.sorted_by.emit(column.order, is_descending)

    def _choose_columns(self, at: object = None) -> None:
        menu = QMenu(self)
        menu.setAccessibleName(_("Columns"))
        for i, column in enumerate(self.model.columns):
            action = QAction(_(column.title), menu, checkable=True, checked=not self.view.isColumnHidden(i))
            action.setData(i)
            menu.addAction(action)
        menu.addSeparator()
        copy = menu.addAction(_("Copy the selected rows"))
        copy.setData(-1)
        menu.triggered.connect(self._column_chosen)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        below = self._columns_button.mapToGlobal(QPoint(0, self._columns_button.height()))
        menu.popup(below)

    def _column_chosen(self, action: QAction) -> None:
        if action.data() == -1:
            self.copy_rows()
            return
        self.view.setColumnHidden(action.data(), not action.isChecked())
        self._fit.fit()
        shown = [c.key for i, c in enumerate(self.model.columns) if not self.view.isColumnHidden(i)]
        self._shell.remember(f"columns.{self._name}", shown)

    def copy_rows(self) -> None:
        """Put the selected rows on the clipboard as a sheet (tabs and lines), read anew so that unseen rows are whole."""
        ids = self.selected_ids()[:_COPY_LIMIT]
        if ids:
            self._shell.background.ask(self._rows, ids, then=self._copied)

    def _copied(self, rows: Sequence[Any]) -> None:
        columns = [c for i, c in enumerate(self.model.columns) if not self.view.isColumnHidden(i)]
        lines = ["\t".join(_(c.title) for c in columns)]
        lines += ["\t".join(c.text(row).replace("\t", " ").replace("\n", " ") for c in columns) for row in rows]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")
        self._shell.say(ngettext("{n} row copied", "{n} rows copied", len(rows)).format(n=len(rows)), "information")


class _View(QTableView):
    """A table that says when Enter is pressed on a row."""

    entered_row = Signal()

    def keyPressEvent(self, event: Any) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.entered_row.emit()
            return
        super().keyPressEvent(event)
