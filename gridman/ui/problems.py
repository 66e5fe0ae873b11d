"""What is wrong in a form, told where it is: words under the field, a red edge around it, and the first one brought into view. It goes
as soon as the field is changed.
"""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, QTimer, SignalInstance
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget

from gridman.domain.rules import Invalid
from gridman.kernel.errors import Refusal
from gridman.ui.widgets import label, retone

__all__ = ["Problems"]

FORM = "form"
"""The name of what concerns no single field."""

_AROUND_PX = 32


class Problems(QObject):
    """See the module. ``fields``: name -> the widget that is marked and takes the keyboard, and the signals that say it was changed; the
    form itself is among them by the name "form". ``at``: refusal's code -> the field it is about.
    """

    def __init__(
        self, parent: QWidget, fields: Mapping[str, tuple[QWidget, Sequence[SignalInstance]]], at: Mapping[str, str]
    ) -> None:
        super().__init__(parent)
        self._widgets = {name: widget for name, (widget, _signals) in fields.items()}
        self._at = dict(at)
        self.labels: dict[str, QLabel] = {}
        for name in (*fields, FORM):
            self.labels[name] = label("", "problem", wraps=True)
            self.labels[name].hide()
        for name, (_widget, signals) in fields.items():
            for signal in signals:
                signal.connect(_Clearing(self, name).clear)

    def tell(self, name: str, text: str) -> None:
        """Say this under the field; "" takes it away."""
        self.labels[name].setText(text)
        self.labels[name].setVisible(bool(text))
        if name in self._widgets:
            retone(self._widgets[name], tone="danger" if text else "")

    def clear(self) -> None:
        """Nothing is wrong any more."""
        for name in self.labels:
            self.tell(name, "")

    def show_all(self, found: Mapping[str, str]) -> None:
        """Say all of these and nothing else; the first one gets the keyboard and is scrolled to."""
        for name in self.labels:
            self.tell(name, found.get(name, ""))
        first = next((name for name in self.labels if found.get(name)), None)
        if first is None:
            return
        if first in self._widgets:
            self._widgets[first].setFocus()
        QTimer.singleShot(0, self, lambda: self._bring(first))

    def refuse(self, refusal: Refusal) -> None:
        """Say why it was not saved, under the fields it is about."""
        if isinstance(refusal, Invalid):
            known = {name: problem.words() for name, problem in refusal.problems.items() if name in self._widgets}
            rest = [problem.words() for name, problem in refusal.problems.items() if name not in self._widgets]
            self.show_all({**known, FORM: " ".join(rest)})
        else:
            self.show_all({self._at.get(refusal.code, FORM): refusal.words()})

    def _bring(self, name: str) -> None:
        """Into view: first the words, then the field above them."""
        area: QWidget | None = self.labels[name]
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if isinstance(area, QScrollArea):
            for part in (self.labels[name], self._widgets.get(name)):
                if part is not None:
                    area.ensureWidgetVisible(part, 0, _AROUND_PX)


class _Clearing(QObject):
    """Takes one field's problem away, whatever the signal carries."""

    def __init__(self, problems: Problems, name: str) -> None:
        super().__init__(problems)
        self._problems, self._name = problems, name

    def clear(self, *_said: object) -> None:
        """The field was changed."""
        if self._problems.labels[self._name].text():
            self._problems.tell(self._name, "")
        self._problems.tell(FORM, "")
