"""Work carried by hand: write it to a stick for the street, take the street's answer back."""

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from gridman.kernel.clock import day_of
from gridman.kernel.words import _, ngettext
from gridman.ui.background import Job
from gridman.ui.shell import Shell
from gridman.ui.widgets import button, label

__all__ = ["Stick"]

_ENDING = ".gridman"


class Stick(QWidget):
    """See the module. The files are written and read in the background; the window shows progress and a way to stop."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self.out = button(
            _("Carry by USB stick…"),
            clicked=self._ask_out,
            tip=_("Write what waits to a file that only the street can open"),
        )
        self.back = button(
            _("Read in the answer from the stick…"),
            clicked=self._ask_back,
            tip=_("Take in the answer that the street wrote to the stick"),
        )
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 6, 0, 0)
        box.setSpacing(8)
        box.addWidget(label(_("Without a network:"), "caption"))
        box.addWidget(self.out)
        box.addWidget(self.back)
        box.addStretch(1)
        shell.background.work_changed.connect(self._follow)

    def _ask_out(self) -> None:
        desk = self._shell.desk
        name = f"gridman-{desk.profile.replica}-{day_of(int(desk.store.clock()))}{_ENDING}"
        path, _used = QFileDialog.getSaveFileName(
            self, _("Carry by USB stick"), str(Path.home() / name), f"gridman (*{_ENDING})"
        )
        if path:
            self.write_to(Path(path))

    def _ask_back(self) -> None:
        path, _used = QFileDialog.getOpenFileName(
            self, _("Read in the answer from the stick"), str(Path.home()), f"gridman (*{_ENDING})"
        )
        if path:
            self.take_from(Path(path))

    def write_to(self, path: Path) -> None:
        """Write the bundle there."""
        from gridman.sync.carrying import carry

        path = path if path.suffix else path.with_suffix(_ENDING)
        if not path.parent.is_dir():
            self._shell.say(
                _("There is no folder {folder}. Choose one that is there.").format(folder=path.parent), "danger"
            )
            return
        self._shell.background.run(carry, self._shell.desk, path, title=_("Writing to the stick"), then=self._written)

    def take_from(self, path: Path) -> None:
        """Take the answer in."""
        from gridman.sync.carrying import bring_back

        self._shell.background.run(bring_back, self._shell.desk, path, title=_("Reading the answer"), then=self._taken)

    def _written(self, done: Any) -> None:
        work = ngettext("{n} piece of work", "{n} pieces of work", done.operations).format(n=done.operations)
        photos = ngettext("{n} photo", "{n} photos", done.photos).format(n=done.photos)
        said = _("{file} written: {work}, {photos}. Take it to the street office.").format(
            file=done.path.name, work=work, photos=photos
        )
        if done.is_for_review:
            said += " " + _("This computer is a copy: what the file carries goes to the street's review list.")
        if done.photos_left:
            said += " " + _("{count} photos did not fit; they go with the next bundle.").format(count=done.photos_left)
        self._shell.say(said)

    def _taken(self, taken: Any) -> None:
        if taken.is_stale:
            said = _("This answer was taken before, or newer news came another way: nothing was changed.")
            self._shell.say(said, "information")
            return
        said = _("Answer read in: {sent} confirmed, {received} received.").format(
            sent=taken.sent, received=taken.received
        )
        if taken.refused:
            said += " " + _("{n} were refused: see below.").format(n=len(taken.refused))
        self._shell.say(said, "attention" if taken.refused else "good")

    def _follow(self, job: Job) -> None:
        """Neither button while one of them works."""
        if job.title in (_("Writing to the stick"), _("Reading the answer")):
            self.out.setEnabled(job.is_over)
            self.back.setEnabled(job.is_over)
