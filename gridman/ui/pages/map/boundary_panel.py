"""Changing a grid's boundary: what is wrong is said at once and marked on the map; the neighbours follow on demand."""

from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from gridman.domain.grid import Grid
from gridman.domain.region import Region
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _, listed
from gridman.services.maps import grid_shapes, redraw_grids
from gridman.ui.mapview.view import Drawing, MapView
from gridman.ui.shell import Shell
from gridman.ui.widgets import Notice, button, clear, column_of, label, row_of

__all__ = ["BoundaryPanel", "Finding", "Ground", "find_problems", "read_ground"]


@dataclass(frozen=True)
class Ground:
    """What a boundary is checked against: the grid, its community's outline, the other grids' ground (shapely, degrees)."""

    grid_id: int
    name: str
    community: Any
    shapes: dict[int, Any]
    names: dict[int, str]

    @property
    def own(self) -> Any:
        """The grid's ground now."""
        return self.shapes.get(self.grid_id)

    @property
    def others(self) -> dict[int, Any]:
        """The neighbours' ground."""
        return {i: shape for i, shape in self.shapes.items() if i != self.grid_id}


@dataclass(frozen=True)
class Finding:
    """What is wrong with a drawn boundary, in words and as GeoJSON; `can_follow`: moving the neighbours may mend it."""

    shape: Any
    words: list[str] = field(default_factory=list)
    marks: dict[str, Any] | None = None
    can_follow: bool = False
    moved: dict[int, Any] = field(default_factory=dict)


def read_ground(reader: Any, grid_id: int) -> Ground:
    """The grid and its surroundings."""
    import shapely

    grid = reader.get(Grid, grid_id)
    shapes = grid_shapes(reader, grid.community_id)
    region = reader.find(Region, grid.community_id)
    whole = (
        shapely.from_wkb(region.shape)
        if region is not None and region.shape
        else shapely.union_all(list(shapes.values()))
    )
    grids = reader.page(Grid, community_id=grid.community_id, valid_to_on=None, limit=1_000)
    return Ground(grid_id, grid.name, whole, shapes, {g.id: g.name for g in grids})


def find_problems(_reader: Any, ground: Ground, geometry: dict[str, Any], *, follows: bool = False) -> Finding:
    """Check a drawn boundary; with `follows` the neighbours first give and take what it asks of them."""
    from shapely.geometry import Polygon, mapping, shape

    from gridman.geo.boundary import check_boundary, snap
    from gridman.geo.handover import hand_over

    drawn = shape(geometry)
    others = dict(ground.others)
    if drawn.is_valid and isinstance(drawn, Polygon):
        drawn = snap(drawn, ground.community, list(others.values()))
    moved: dict[int, Any] = {}
    if follows:
        moved = hand_over(drawn, ground.community, others, ground.names)
        others |= moved
    problems = check_boundary(drawn, ground.community, {ground.names.get(i, str(i)): s for i, s in others.items()})
    features = [
        {"type": "Feature", "properties": {}, "geometry": mapping(p.where)} for p in problems if not p.where.is_empty
    ]
    can_follow = bool(problems) and {p.code for p in problems} <= {"overlaps", "gap"}
    marks = {"type": "FeatureCollection", "features": features} if features else None
    return Finding(drawn, [p.words() for p in problems], marks, can_follow, moved)


class BoundaryPanel(QFrame):
    """Guides the change of one grid's boundary on a MapView. `left`: done or given up."""

    left = Signal()

    def __init__(self, shell: Shell, view: MapView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "pane")
        self._shell, self._view = shell, view
        self._ground: Ground | None = None
        self._geometry: dict[str, Any] | None = None
        self.finding: Finding | None = None
        self._title = label("", "title", wraps=True)
        self._said = QVBoxLayout()
        self._said.setSpacing(6)
        self._follow = button(_("Let the neighbours follow"), clicked=self.follow)
        self._save = button(_("Save the boundary"), "primary", clicked=self.save, tip="Ctrl+Enter")
        self._anew = button(_("Draw it anew"), clicked=self.draw_anew)
        cancel = button(_("Cancel"), clicked=self.leave, tip="Esc")
        self.setLayout(
            column_of(
                self._title,
                label(
                    _(
                        "Drag the corners on the map; a corner dragged from the middle of a side is new. Corners snap to the neighbours."
                    ),
                    "soft",
                    wraps=True,
                ),
                self._said,
                row_of(self._follow, None),
                row_of(self._save, None),
                row_of(self._anew, cancel, None),
                None,
                spacing=12,
                margins=(16, 12, 16, 12),
            )
        )
        for keys, slot in (("Ctrl+Return", self.save), ("Esc", self.leave)):
            shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)
        view.drawn.connect(self._take_drawing)

    def begin(self, grid_id: int) -> None:
        """Put the grid's boundary on the map for editing."""
        self._geometry, self.finding = None, None
        self._shell.background.ask(read_ground, grid_id, then=self._edit, refused=self._shell.refuse)

    def _edit(self, ground: Ground) -> None:
        from shapely.geometry import mapping

        self._ground = ground
        self._title.setText(_("Boundary of {grid}").format(grid=ground.name))
        self._tell([], is_changed=False)
        if ground.own is None:
            self.draw_anew()
            return
        self._view.edit(mapping(ground.own), self._neighbours())
        west, south, east, north = ground.own.bounds
        self._view.fit((west, south, east, north))

    def _neighbours(self) -> dict[str, Any]:
        from shapely.geometry import mapping

        others = self._ground.others.values() if self._ground is not None else ()
        return {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": {}, "geometry": mapping(shape)} for shape in others],
        }

    def draw_anew(self) -> None:
        """Forget the old line; click corner after corner."""
        self._geometry, self.finding = None, None
        self._tell(
            [_("Click corner after corner; click the first corner again to close the boundary.")], is_changed=False
        )
        self._view.mark_problems(None)
        self._view.draw("Polygon", self._neighbours())

    def _take_drawing(self, drawing: Drawing) -> None:
        if self._ground is None or not self.isVisible() or drawing.purpose == "line":
            return
        self._geometry = drawing.geometry
        self._check(follows=False)

    def _check(self, *, follows: bool) -> None:
        if self._ground is not None and self._geometry is not None:
            self._shell.background.ask(
                find_problems,
                self._ground,
                self._geometry,
                follows=follows,
                then=self._show,
                refused=self._refused,
                key="boundary",
            )

    def follow(self) -> None:
        """Have the neighbours give and take."""
        self._check(follows=True)

    def _show(self, finding: Finding) -> None:
        self.finding = finding
        self._view.mark_problems(finding.marks)
        self._tell(finding.words, is_changed=True)

    def _tell(self, words: list[str], *, is_changed: bool) -> None:
        clear(self._said)
        finding = self.finding
        is_right = is_changed and finding is not None and not finding.words
        for text in words:
            self._said.addWidget(Notice(text, "attention" if is_changed else "information"))
        if is_right and finding is not None:
            self._said.addWidget(Notice(self._praise(finding), "good"))
        self._follow.setVisible(bool(finding is not None and finding.can_follow))
        self._save.setEnabled(is_right)

    def _praise(self, finding: Finding) -> str:
        if self._ground is None or not finding.moved:
            return _("The boundary is right: no overlap, no gap, inside the community.")
        names = listed(self._ground.names.get(i, str(i)) for i in finding.moved)
        return _("The boundary is right; with it these change: {names}.").format(names=names)

    def _refused(self, refusal: Refusal) -> None:
        clear(self._said)
        self._said.addWidget(Notice(refusal.words(), "danger"))

    def save(self) -> None:
        """Write the boundary, and the neighbours' that follow."""
        finding, ground = self.finding, self._ground
        if finding is None or ground is None or finding.words:
            return
        import shapely

        shapes = {i: shapely.to_wkb(shape) for i, shape in ({ground.grid_id: finding.shape} | finding.moved).items()}
        self._save.setEnabled(False)
        self._shell.background.do(redraw_grids, shapes, then=self._saved, refused=self._refused)

    def _saved(self, grids: list[Grid]) -> None:
        self._shell.say(
            _("The boundary is saved; the street server moves what lies between the old line and the new one.")
        )
        self.leave()

    def leave(self) -> None:
        """Take the drawing off the map."""
        self._view.mark_problems(None)
        self._view.stop_drawing()
        self._ground, self._geometry, self.finding = None, None, None
        self.left.emit()
