"""Photos by drop or paste: shown as thumbnails until they are saved."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QImageReader,
    QKeyEvent,
    QKeySequence,
    QPixmap,
)
from PySide6.QtWidgets import QFileDialog, QLabel, QToolButton, QVBoxLayout, QWidget

from gridman.kernel.words import _
from gridman.ui.flow import FlowLayout
from gridman.ui.shell import Shell
from gridman.ui.widgets import button, label

__all__ = ["PhotoTray", "Picture", "read_picture"]

MOST = 9
_THUMB_PX = 72
_PREVIEW_PX = 288
_QUALITY = 90
_LARGEST_BYTES = 60_000_000


@dataclass(frozen=True)
class Picture:
    """One photo waiting to be saved: the bytes as they came (the service makes them small and clean), a name, a preview."""

    data: bytes
    name: str
    preview: QImage


def read_picture(source: QImage | Path, name: str = "") -> Picture | None:
    """A photo from the clipboard or a file; None when it is no picture, or too large."""
    if isinstance(source, QImage):
        data = _encoded(source)
    elif source.is_file() and source.stat().st_size <= _LARGEST_BYTES:
        data = source.read_bytes()
    else:
        return None
    preview = _preview(data)
    return None if preview.isNull() else Picture(data, name, preview)


def _encoded(image: QImage) -> bytes:
    store = QByteArray()
    buffer = QBuffer(store)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.convertToFormat(QImage.Format.Format_RGB32).save(buffer, "JPEG", _QUALITY)  # type: ignore[call-overload]
    return bytes(store.data())


def _preview(data: bytes) -> QImage:
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > _PREVIEW_PX:
        # Decoding straight to the small size: a camera's 48 megapixels never stand in memory.
        reader.setScaledSize(size.scaled(_PREVIEW_PX, _PREVIEW_PX, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


class PhotoTray(QWidget):
    """Where photos are dropped, pasted (Ctrl+V) or chosen. `changed` is sent when the set changes."""

    changed = Signal()

    def __init__(self, shell: Shell, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._pictures: list[Picture] = []
        self.setAccessibleName(name)
        self.setAcceptDrops(True)
        self._thumbs = QWidget()
        self._flow = FlowLayout(self._thumbs, 8)
        self._choose = button(
            _("Add photos…"), "quiet", theme=shell.theme, picture="camera", clicked=self.choose,
            tip=_("or drop them here, or paste with Ctrl+V"),
        )  # fmt: skip
        self._problem = label("", "problem", wraps=True)
        self._problem.setVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._thumbs)
        layout.addWidget(self._choose, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._problem)
        self._thumbs.setVisible(False)

    def pictures(self) -> list[Picture]:
        """The photos so far."""
        return list(self._pictures)

    def clear(self) -> None:
        """Forget all photos."""
        self._pictures = []
        self._show()

    def choose(self) -> None:
        """Let the person pick files."""
        patterns = _("Pictures") + " (*.jpg *.jpeg *.png *.webp *.bmp *.gif)"
        paths, _used = QFileDialog.getOpenFileNames(self, _("Add photos"), "", patterns)
        self.add_files(paths)

    def add_files(self, paths: list[str]) -> None:
        """Add these files; what is no picture is named."""
        bad: list[str] = []
        for path in map(Path, paths):
            name = path.name
            picture = read_picture(path, name)
            if picture is None:
                bad.append(name)
            elif len(self._pictures) < MOST:
                self._pictures.append(picture)
        self._tell_problem(bad)
        self._show()

    def take(self, mime: QMimeData) -> bool:
        """Add what was dropped or pasted; False when it holds no picture and no file."""
        if mime.hasUrls() and any(url.isLocalFile() for url in mime.urls()):
            self.add_files([url.toLocalFile() for url in mime.urls() if url.isLocalFile()])
            return True
        image = QImage(mime.imageData()) if mime.hasImage() else QImage()
        picture = None if image.isNull() else read_picture(image, _("pasted"))
        if picture is None:
            return False
        if len(self._pictures) < MOST:
            self._pictures.append(picture)
        self._show()
        return True

    def paste(self) -> bool:
        """Add the picture on the clipboard; False when there is none."""
        return self.take(QGuiApplication.clipboard().mimeData())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not (event.matches(QKeySequence.StandardKey.Paste) and self.paste()):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self.take(event.mimeData()):
            event.acceptProposedAction()

    def _tell_problem(self, bad: list[str]) -> None:
        told = (
            [_("{names}: not a picture this program can read; use JPEG or PNG.").format(names=", ".join(bad))]
            if bad
            else []
        )
        if len(self._pictures) >= MOST:
            told.append(_("At most {n} photos are kept.").format(n=MOST))
        self._problem.setText(" ".join(told))
        self._problem.setVisible(bool(told))

    def _show(self) -> None:
        while self._flow.count():
            item = self._flow.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        for number, picture in enumerate(self._pictures):
            self._flow.addWidget(self._thumb(number, picture))
        self._thumbs.setVisible(bool(self._pictures))
        self.changed.emit()

    def _thumb(self, number: int, picture: Picture) -> QWidget:
        holder = QLabel()
        ratio = self.devicePixelRatioF()
        side = round(_THUMB_PX * ratio)
        small = picture.preview.scaled(
            QSize(side, side), Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
        ).copy(0, 0, side, side)
        small.setDevicePixelRatio(ratio)
        holder.setPixmap(QPixmap.fromImage(small))
        holder.setFixedSize(_THUMB_PX, _THUMB_PX)
        holder.setAccessibleName(_("Photo {n}: {name}").format(n=number + 1, name=picture.name))
        remove = QToolButton(holder)
        remove.setText("×")
        remove.setObjectName(str(number))
        remove.setAccessibleName(_("Remove photo {n}").format(n=number + 1))
        remove.setToolTip(_("Remove photo {n}").format(n=number + 1))
        remove.setProperty("kind", "over")
        remove.setFixedSize(22, 22)
        remove.move(_THUMB_PX - 24, 2)
        remove.clicked.connect(self._remove)
        return holder

    def _remove(self) -> None:
        sender = self.sender()
        if isinstance(sender, QToolButton):
            del self._pictures[int(sender.objectName())]
            self._tell_problem([])
            self._show()
