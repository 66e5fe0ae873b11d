"""The strip that shows long work: what, how far, and after two seconds a way to stop that says what will be kept."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QProgressBar, QWidget

from gridman.kernel.progress import Cancelled
from gridman.kernel.words import _
from gridman.ui.background import Job
from gridman.ui.shell import Shell
from gridman.ui.widgets import button, label, row_of

__all__ = ["WorkStrip"]

_SHOWN_AFTER_MS, _STOPPABLE_AFTER_S = 300, 2.0


class WorkStrip(QFrame):
    """See the module; hidden while nothing takes long."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._job: Job | None = None
        self.setProperty("kind", "strip")
        self._text = label("")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(200)
        self._bar.setAccessibleName(_("Progress"))
        self._kept = label(_("What is saved so far stays saved."), "small")
        self._stop = button(_("Stop"), clicked=self._cancel)
        self.setLayout(row_of(self._text, self._bar, None, self._kept, self._stop, margins=(16, 4, 12, 4)))
        self._ticking = QTimer(self)
        self._ticking.setInterval(_SHOWN_AFTER_MS)
        self._ticking.timeout.connect(self._show)
        shell.background.work_changed.connect(self._take)
        self.hide()

    def _take(self, job: Job) -> None:
        if not job.title:  # work that nobody asked for, such as the regular synchronisation, is told by the pill alone
            return
        if job.is_over:
            if job.error is not None and isinstance(job.error, Cancelled):
                self._shell.say(_("Stopped: {what}. What was saved stays saved.").format(what=job.title), "information")
            if job is self._job:
                self._job = None
                self._ticking.stop()
                self.hide()
            return
        if self._job is None or self._job.is_over:
            self._job = job
            self._ticking.start()
        elif self.isVisible():
            self._show()

    def _show(self) -> None:
        job = self._job
        if job is None:
            return
        text = " · ".join(part for part in (job.title, _(job.step)) if part)
        if job.total:
            text += " " + _("{done} of {total}").format(done=f"{job.done:,}", total=f"{job.total:,}")
        self._text.setText(text)
        self._bar.setRange(0, job.total or 100)  # never 0: Qt's endless bar animates on after its window is gone
        self._bar.setValue(job.done)
        is_long = job.running_s >= _STOPPABLE_AFTER_S
        self._kept.setVisible(is_long)
        self._stop.setVisible(is_long)
        self._stop.setEnabled(not job.ticket.is_cancelled)
        self.show()

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._stop.setEnabled(False)
