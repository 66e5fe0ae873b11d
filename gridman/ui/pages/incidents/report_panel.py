"""Report an incident: what, where (a click on the map, a household, or words), how urgent; Ctrl+Enter sends it on its way."""

from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.domain.grid import Grid
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.services.ground import grid_at
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.maps import beside
from gridman.services.photos import PhotoDraft
from gridman.services.search import Hit
from gridman.ui.code_box import CodeBox
from gridman.ui.combo import Combo
from gridman.ui.draft_keeper import DraftKeeper
from gridman.ui.entry.choices import Choice, KeyChoices
from gridman.ui.entry.finder import RecordFinder
from gridman.ui.entry.photos import PhotoTray
from gridman.ui.problems import Problems
from gridman.ui.shell import Shell
from gridman.ui.unsaved import Unsaved
from gridman.ui.widgets import Foot, Notice, button, column_of, label, row_of, scrolled

__all__ = ["ReportPanel"]

FORM = "incident"


class ReportPanel(QFrame):
    """The form. `saved` carries the incident's id; `placed` a place (lng, lat) to mark on the map, or None.

    Its keys (Ctrl+Enter, Esc) are the page's while it is open: they work from the map and the list as well.
    """

    saved = Signal(object)
    left = Signal()
    placed = Signal(object)

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "pane")
        self._shell = shell
        self._point: tuple[float, float] | None = None
        self._beside = ""
        self._elsewhere = ""  # why the point is no place for this person's report
        self._grids: dict[int, str] = {}
        self._make_fields()
        self._lay_out()
        self._draft_keeper = DraftKeeper(shell, self)
        self._draft_keeper.found.connect(self._put_back)
        for signal in (
            self.category.textChanged, self.description.textChanged, self.place.textEdited, self.household.chosen, self.reporter.textEdited,
            self.phone.textEdited, self.result.textEdited, self.urgency.changed, self.placed,
        ):  # fmt: skip
            signal.connect(self._touch)

    def _make_fields(self) -> None:
        self.category = CodeBox(codes.table("incident_category"))
        self.category.setAccessibleName(_("Category"))
        self.category.returnPressed.connect(self._after_category)
        self.description = self._note(_("Description"), _("What is wrong"))
        self.description.installEventFilter(self)
        self.place = QLineEdit()
        self.place.setAccessibleName(_("Place"))
        self.place.setPlaceholderText(_("Where: in words, or click on the map"))
        self.household = RecordFinder(
            self._shell, _("Household"), ("household", "person"), _("If it concerns one: initials or address")
        )
        self.household.chosen.connect(self._take_household)
        self.grid = Combo(_("Grid"))
        self.urgency = KeyChoices(
            _("Urgency"), [Choice(c.code, c.code, c.word) for c in codes.table("incident_urgency")]
        )
        self.source = Combo(_("Source"))
        for code in codes.table("incident_source"):
            self.source.addItem(code.word, code.code)
        self.reporter = QLineEdit()
        self.reporter.setAccessibleName(_("Reporter"))
        self.reporter.setPlaceholderText(self._shell.actor.name)
        self.phone = QLineEdit()
        self.phone.setAccessibleName(_("Reporter's phone"))
        self.result = QLineEdit()
        self.result.setAccessibleName(_("Handled on the spot"))
        self.result.setPlaceholderText(_("Only if it is done already: what was done"))
        self.photos = PhotoTray(self._shell, _("Photos"))

    def _note(self, name: str, hint: str) -> QPlainTextEdit:
        edit = QPlainTextEdit()
        edit.setAccessibleName(name)
        edit.setPlaceholderText(hint)
        edit.setTabChangesFocus(True)
        edit.setFixedHeight(edit.fontMetrics().lineSpacing() * 3 + 16)
        return edit

    def _lay_out(self) -> None:
        self.problems = Problems(
            self,
            {
                "category": (self.category, (self.category.textChanged,)),
                "description": (self.description, (self.description.textChanged,)),
                "place": (self.place, (self.place.textEdited, self.placed, self.grid.currentIndexChanged)),
                "grid_id": (self.grid, (self.grid.currentIndexChanged,)),
                "reporter_name": (self.reporter, (self.reporter.textEdited,)),
                "reporter_phone": (self.phone, (self.phone.textEdited,)),
                "result": (self.result, (self.result.textEdited,)),
            },
            {"incident.no_place": "place", "incident.other_grid": "place"},
        )
        told = self.problems.labels
        self._where = label(_("A click on the map sets the place."), "small", wraps=True)
        self.unsaved = Unsaved()
        self._restored = Notice(
            _("This was typed before and not saved."), "information", button(_("Discard it"), clicked=self._drop)
        )
        self._restored.hide()
        self.unsaved.kept.connect(self.description.setFocus)
        self.unsaved.thrown.connect(self._drop)
        body = QWidget()
        body.setLayout(
            column_of(
                self._restored,
                self.unsaved,
                _field(_("Category *"), self.category), told["category"],
                _field(_("Description *"), self.description), told["description"],
                _field(_("Place *"), self.place), self._where, told["place"],
                _field(_("Household"), self.household),
                row_of(_field(_("Grid *"), self.grid), _field(_("Source"), self.source), spacing=12), told["grid_id"],
                _field(_("Urgency"), self.urgency),
                self.photos,
                row_of(_field(_("Reporter"), self.reporter), _field(_("Reporter's phone"), self.phone), spacing=12),
                told["reporter_name"], told["reporter_phone"],
                _field(_("Handled on the spot"), self.result), told["result"],
                told["form"],
                None,
                margins=(16, 8, 16, 12),
            )
        )  # fmt: skip
        self._send = button(_("Report"), "primary", clicked=self.save, tip="Ctrl+Enter")
        cancel = button(_("Cancel"), clicked=self.leave, tip="Esc")
        foot = Foot(self._send, cancel)
        head = QWidget()
        head.setLayout(row_of(label(_("Report an incident"), "title"), None, margins=(16, 12, 16, 4)))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        for part in (head, scrolled(body, _("Report an incident")), foot):
            outer.addWidget(part, 1 if part is not head and part is not foot else 0)

    # -- beginning

    def begin(self) -> None:
        """Start a report; what is typed already stays."""
        self._shell.background.ask(_own_grids, self._shell.actor.grid_ids, then=self._take_grids)
        self.urgency.set_codes(self.urgency.codes() or ["0"])
        self.category.setFocus()
        if not self.is_begun():
            self._draft_keeper.open(FORM)

    def _take_grids(self, grids: list[tuple[int, str]]) -> None:
        chosen = self.grid.currentData()
        self._grids = dict(grids)
        self.grid.blockSignals(True)  # filling it is no answer to what is missing
        self.grid.clear()
        if len(grids) != 1:
            self.grid.addItem(_("from the map or the household"), None)
        for grid_id, name in grids:
            self.grid.addItem(name, grid_id)
        self.grid.blockSignals(False)
        self._choose_grid(chosen)

    def _choose_grid(self, grid_id: int | None) -> None:
        number = self.grid.findData(grid_id) if grid_id is not None else -1
        if number >= 0:
            self.grid.setCurrentIndex(number)

    def set_point(self, lng: float, lat: float) -> None:
        """The place was clicked on the map."""
        self._point = (lng, lat)
        self._beside, self._elsewhere = "", ""
        self._where.setText(_("On the map: {lng:.5f}, {lat:.5f}").format(lng=lng, lat=lat))
        self._shell.background.ask(beside, lng, lat, then=self._take_beside, key="beside")
        self.problems.tell("place", "")
        (self.focusWidget() or self.description).setFocus()  # the map took the keyboard with the click
        self.placed.emit(self._point)
        self._shell.background.ask(grid_at, lng, lat, self._shell.actor.grid_ids, then=self._take_grid_at, key="grid")

    def _take_beside(self, words: str) -> None:
        """The place in words, for who reads the report without a map."""
        if words and self._point is not None:
            self._beside = _("beside {building}").format(building=words)
            self._where.setText(_("On the map: {place}").format(place=self._beside))

    def _take_grid_at(self, grid_id: int | None) -> None:
        if grid_id is None:
            self.problems.tell("place", _("This place lies in no grid of the street; choose the grid below."))
        elif self._grids and grid_id not in self._grids:
            self._elsewhere = _("This place lies in a grid that is not yours. Click on the map again.")
            self.problems.tell("place", self._elsewhere)
        else:
            self._choose_grid(grid_id)

    def _take_household(self, hit: Any) -> None:
        self._choose_grid(hit.grid_id)
        self.problems.tell("place", "")
        self.urgency.setFocus()

    def _after_category(self) -> None:
        self.description.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A picture pasted into the description is a photo."""
        is_key = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if watched is self.description and is_key and event.matches(QKeySequence.StandardKey.Paste):  # type: ignore[attr-defined]
            return self.photos.paste()
        return super().eventFilter(watched, event)

    # -- saving

    def save(self) -> None:
        """Send the report; what is missing is said under its field."""
        if not self._send.isEnabled():  # it is being sent: a held key must not report it twice
            return
        hit = self.household.hit
        has_grid = self.grid.currentData() is not None or hit is not None
        checks = (
            ("category", self._has_category(), _("Choose what it is: code, initials or name.")),
            ("description", bool(self.description.toPlainText().strip()), _("Write what is wrong.")),
            ("place", self._has_place(), _("Click on the map, choose a household, or write where it is.")),
            ("place", not self._elsewhere, self._elsewhere),
            ("grid_id", has_grid or bool(self._elsewhere), _("Choose the grid in which it is.")),
        )  # fmt: skip
        wrong = {name: words for name, is_right, words in checks if not is_right}
        self.problems.show_all(wrong)
        if wrong:
            return
        self._send.setEnabled(False)
        self._shell.background.do(
            report_incident, self._draft(hit), self._shell.desk.blobs, then=self._after, refused=self._refused
        )

    def _has_category(self) -> bool:
        return self.category.code() in codes.table("incident_category")

    def _has_place(self) -> bool:
        return bool(self.place.text().strip() or self._point or self.household.hit is not None)

    def _draft(self, hit: Any) -> IncidentDraft:
        lng, lat = self._point or (None, None)
        return IncidentDraft(
            category=self.category.code() or "",
            description=self.description.toPlainText().strip(),
            place=self.place.text().strip() or self._beside,
            lng=lng,
            lat=lat,
            grid_id=self.grid.currentData(),
            household_id=(hit.household_id or hit.record_id) if hit is not None else None,
            source=self.source.currentData(),
            urgency=self.urgency.code() or "0",
            reporter_name=self.reporter.text().strip(),
            reporter_phone=self.phone.text().strip(),
            result=self.result.text().strip(),
            photos=[PhotoDraft(picture.data, picture.name) for picture in self.photos.pictures()],
        )

    def _after(self, incident: Any) -> None:
        self._send.setEnabled(True)
        self._drop_typed()
        self._shell.say(_("Reported: {number}").format(number=incident.number))
        self.saved.emit(incident.id)

    def _refused(self, refusal: Refusal) -> None:
        self._send.setEnabled(True)
        self.problems.refuse(refusal)

    def _reset(self) -> None:
        self._point, self._beside, self._elsewhere = None, "", ""
        self._where.setText(_("A click on the map sets the place."))
        self.category.set_code(None)
        for line in (self.place, self.reporter, self.phone, self.result):
            line.clear()
        self.description.clear()
        self.household.clear()
        self.urgency.set_codes(["0"])
        for box in (self.grid, self.source):  # the next report is of another place, and comes its own way
            box.setCurrentIndex(0)
        self.photos.clear()
        self.unsaved.hide()
        self._restored.hide()
        self.placed.emit(None)
        self.problems.clear()

    # -- leaving

    def is_begun(self) -> bool:
        """Whether something typed is not saved."""
        lines = (self.category, self.place, self.reporter, self.phone, self.result)
        is_typed = any(line.text().strip() for line in lines) or self.description.toPlainText().strip()
        return bool(is_typed or self.photos.pictures())

    def leave(self) -> None:
        """Done; asks before anything typed is lost."""
        if self.unsaved.isVisible():
            self.unsaved.keep.click()
        elif self.is_begun():
            self.unsaved.ask()
        else:
            self._drop()

    def _drop(self) -> None:
        self._drop_typed()
        self.left.emit()

    def _drop_typed(self) -> None:
        """Fields first: emptied one by one they still count as typing, and would bring the draft back."""
        self._reset()
        self._draft_keeper.drop()

    # -- drafts

    def keep_draft(self) -> None:
        """Keep what is typed now, as the person goes elsewhere."""
        self._draft_keeper.keep()

    def _touch(self, *_said: Any) -> None:
        if self.is_begun():
            self._draft_keeper.note(self._typed())

    def _typed(self) -> dict[str, Any]:
        hit = self.household.hit
        return {
            "category": self.category.code(), "description": self.description.toPlainText(), "place": self.place.text(),
            "point": list(self._point) if self._point else None, "grid_id": self.grid.currentData(),
            "household": None if hit is None else [hit.kind, hit.record_id, hit.household_id, hit.title, hit.detail, hit.grid_id],
            "source": self.source.currentData(), "urgency": self.urgency.code(), "reporter": self.reporter.text(),
            "phone": self.phone.text(), "result": self.result.text(),
        }  # fmt: skip

    def _put_back(self, found: dict[str, Any]) -> None:
        """A report that was typed before and not sent."""
        if self.is_begun():
            return
        self.category.set_code(found.get("category"))
        self.description.setPlainText(found.get("description", ""))
        for line, name in (
            (self.place, "place"),
            (self.reporter, "reporter"),
            (self.phone, "phone"),
            (self.result, "result"),
        ):
            line.setText(found.get(name, ""))
        if found.get("household"):
            hit = Hit(*found["household"])
            self.household.show_taken(" · ".join(part for part in (hit.title, hit.detail) if part), hit)
        self.source.setCurrentIndex(max(0, self.source.findData(found.get("source"))))
        self.urgency.set_codes([found.get("urgency") or "0"])
        self._choose_grid(found.get("grid_id"))
        if found.get("point"):
            self.set_point(*found["point"])
        self._restored.show()


def _own_grids(reader: Any, grid_ids: frozenset[int]) -> list[tuple[int, str]]:
    wanted: dict[str, Any] = {"id": grid_ids} if grid_ids else {}
    grids = reader.page(Grid, valid_to_on=None, order_by=("code",), limit=2_000, **wanted)
    return [(grid.id, grid.name) for grid in grids]


def _field(name: str, widget: QWidget) -> QVBoxLayout:
    return column_of(label(name, "caption"), widget, spacing=4)
