"""Take the manual's pictures anew from a played demonstration: `.venv/bin/python build_scripts/manual_pictures.py out/demo [NAME ...]`.

Run it when a page that the manual shows has changed, and look at each picture. The desks of the folder are opened, nothing is written in them
but what opening writes; pictures have at most 256 colours, so that the manual stays small.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

from PIL import Image  # noqa: E402
from PySide6.QtCore import QRect  # noqa: E402
from PySide6.QtGui import QImage, QPixmap  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from gridman.demo.clock import DayClock  # noqa: E402
from gridman.demo.stage import CLERK, PASSWORDS, SUPERVISOR, WORKER  # noqa: E402
from gridman.joining import DeskDoor, sign_in_desk  # noqa: E402
from gridman.kernel import words  # noqa: E402
from gridman.ui.app import make_application  # noqa: E402
from gridman.ui.session import DeskSession  # noqa: E402
from gridman.ui.shots import settle  # noqa: E402
from gridman.ui.signin import SignInWindow  # noqa: E402
from gridman.ui.theme import theme_of  # noqa: E402

FOLDER = ROOT / "resources" / "manual" / "pictures"
_SIZE = (1280, 720)
_MOST_BYTES = 140_000
_ACT, _SETTINGS = QRect(0, 0, 400, 414), QRect(84, 52, 605, 346)
_NOTE = {
    "en": "Old heater wiring; told not to use it. Electrician tomorrow.",
    "zh_CN": "取暖器线路老化，已提醒停用，明天请电工来看。",
}


def main(arguments: list[str]) -> int:
    """Write the pictures; print their names."""
    demo, wanted = Path(arguments[0]), set(arguments[1:])
    state = json.loads((demo / "state.json").read_text(encoding="utf-8"))
    app = make_application(["gridman"])
    clock = DayClock(state["day"], state["at"])
    for language in words.LANGUAGES:
        for login, takes in _TAKES.items():
            if wanted and not wanted & takes.keys():
                continue
            desk = sign_in_desk(demo / "data" / login, login, PASSWORDS[login], clock)
            session = DeskSession(app, desk, language, "light", is_remembered=False)
            session.window.setGeometry(40, 40, *_SIZE)  # clear of where the pointer rests: nothing looks pointed at
            session.window.show()
            for name, take in takes.items():
                if not wanted or name in wanted:
                    _save(take(session, state["facts"]), name, language)
            session.close()
            desk.close()
        if not wanted or "setup" in wanted:
            _save(_first_start(language), "setup", language)
    return 0


def _save(picture: QPixmap, name: str, language: str) -> None:
    path = FOLDER / f"{name}.{language}.png"
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = bytes(image.constBits())
    plain = Image.frombytes("RGB", (image.width(), image.height()), rows, "raw", "RGB", image.bytesPerLine())
    for colours in (256, 128, 64, 32):
        plain.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < _MOST_BYTES:
            break
    print(path.relative_to(ROOT))


def _shown(session: DeskSession, page: str) -> Any:
    found = session.window.open_page(page)
    settle(session, ready=getattr(found, "is_settled", None))
    return found


def _whole(session: DeskSession, page: Any) -> QPixmap:
    settle(session, quiet_ms=400, ready=getattr(page, "is_settled", None))
    return session.window.grab()


def _page(name: str) -> Callable[[DeskSession, dict[str, Any]], QPixmap]:
    return lambda session, facts: _whole(session, _shown(session, name))


def _household(session: DeskSession, facts: dict[str, Any]) -> QPixmap:
    page = _shown(session, "households")
    page.open_record("household", facts["shared"])
    return _whole(session, page)


def _visit(session: DeskSession, facts: dict[str, Any]) -> QPixmap:
    page = _shown(session, "visits")
    page.open_record("household", facts["shared"])
    settle(session)
    panel = page.panel
    panel.outcome.set_codes(["2"])
    panel.needs.set_codes(["c", "g"])
    panel.note.setPlainText(_NOTE[words.language()])
    panel.needs.setFocus()
    picture = _whole(session, page)
    panel._reset()  # nothing of it is kept as a draft
    return picture


def _incident(session: DeskSession, facts: dict[str, Any]) -> QPixmap:
    page = _shown(session, "incidents")
    page.list.select_first()
    return _whole(session, page)


def _act(session: DeskSession, facts: dict[str, Any]) -> QPixmap:
    page = _shown(session, "incidents")
    page.list.select_first()
    settle(session, quiet_ms=400)
    corner = page.record.mapTo(session.window, page.record.rect().topLeft())
    return session.window.grab(_ACT.translated(corner))


def _map(session: DeskSession, facts: dict[str, Any]) -> QPixmap:
    page = _shown(session, "map")
    return _whole(session, page)


def _review(session: DeskSession, facts: dict[str, Any]) -> QPixmap:
    page = _shown(session, "sync")
    page.do_review()
    return _whole(session, page)


def _settings(session: DeskSession, facts: dict[str, Any]) -> QPixmap:
    _shown(session, "settings")
    return session.window.grab(_SETTINGS)


def _first_start(language: str) -> QPixmap:
    words.use(language)
    with tempfile.TemporaryDirectory() as empty:
        window = SignInWindow(DeskDoor(Path(empty)), theme_of())
        window.setGeometry(40, 40, 520, 640)
        window.show()
        window._server.setText("https://street.example:8750")
        window._login.setText("zhou")
        window._server.setFocus()
        for _turn in range(5):  # the first layout is another than the one that stays
            QApplication.processEvents()
        picture = window.grab()
        window.close()
    return picture


_TAKES: dict[str, dict[str, Callable[[DeskSession, dict[str, Any]], QPixmap]]] = {
    WORKER: {
        "today": _page("today"), "household": _household, "visit": _visit, "incident": _incident, "settings": _settings,
    },
    CLERK: {"report": _page("reports"), "review": _review},
    SUPERVISOR: {"map": _map, "act": _act},
}  # fmt: skip


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # Chromium's threads may outlive Python's teardown; everything is saved by now
