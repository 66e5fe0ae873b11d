"""The machine: Python, libraries, Qt and its web engine, fonts, the map's scripts, translations, disk, clock, screen."""

import gettext
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from gridman.cli.findings import Finding, checked
from gridman.kernel.clock import show_instant, system_clock
from gridman.kernel.errors import Refusal
from gridman.kernel.paths import resource
from gridman.kernel.words import LANGUAGES, N_, _

__all__ = ["check_machine", "disk_flaws"]

_OLDEST = (3, 11)
_ENGINE_LIMIT_S = 90
_MADE_AT = 1_763_000_000_000
"""November 2025: no computer that runs this program can rightly believe in an earlier day."""
_NEEDED = (
    "sqlalchemy",
    "alembic",
    "sqlcipher3",
    "msgspec",
    "argon2",
    "cryptography",
    "shapely",
    "pyogrio",
    "folium",
    "reportlab",
    "httpx",
)
_SCRIPTS = (
    ("vendor", "leaflet", "leaflet.js"),
    ("vendor", "leaflet", "leaflet.css"),
    ("vendor", "geoman", "leaflet-geoman.js"),
    ("gridman.js",),
)
_SET_UP = N_("Run build_scripts/run.py once with a network, or install gridman again.")

# Run apart from this process: a library that aborts must not take the doctor with it.
_QT_PROBE = "import PySide6.QtWidgets, PySide6.QtSvg, PySide6.QtPdf; from PySide6.QtCore import qVersion; print('qt', qVersion())"
_ENGINE_PROBE = """
import os, sys
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from PySide6.QtWebEngineCore import QWebEnginePage
app = QApplication(["probe"])
page = QWebEnginePage()
def told(value):
    print("engine", value, flush=True)
    os._exit(0 if value == 42 else 5)
page.loadFinished.connect(lambda ok: page.runJavaScript("6 * 7", 0, told))
page.setHtml("<p>gridman</p>")
QTimer.singleShot(60_000, lambda: os._exit(6))
app.exec()
"""


def check_machine(data: Path, *, with_window: bool = True) -> Iterator[Finding]:
    """All checks, in the order in which one would mend things. `with_window`: what only a desk needs, too."""
    yield checked(_("Python"), _python, ".".join(map(str, sys.version_info[:3])))
    yield checked(_("Libraries"), _libraries)
    if with_window:
        yield checked(_("Qt"), lambda: _probe(_QT_PROBE, _qt_missing))
        yield checked(_("Web engine of the map"), lambda: _probe(_ENGINE_PROBE, _engine_broken))
        yield checked(_("Screen"), _screen, is_warning=True)
    yield checked(_("Fonts"), _fonts)
    yield checked(_("Scripts of the map"), _map_scripts)
    yield checked(_("Translations"), _translations)
    yield checked(_("Disk"), lambda: disk_flaws(data))
    yield checked(_("Clock"), _clock, _("{time} China time").format(time=show_instant(system_clock())))


def _python() -> Iterator[Refusal]:
    if sys.version_info < _OLDEST:
        yield Refusal(
            "doctor.python", N_("This Python is {found}; {least} or newer is needed."), N_("Install a newer Python."),
            found=".".join(map(str, sys.version_info[:3])), least=".".join(map(str, _OLDEST)),
        )  # fmt: skip
    if struct.calcsize("P") != 8:
        yield Refusal("doctor.bits", N_("This Python is a 32-bit one."), N_("Install the 64-bit Python."))


def _libraries() -> Iterator[Refusal]:
    import importlib

    for name in _NEEDED:
        try:
            importlib.import_module(name)
        except Exception as error:
            yield Refusal(
                "doctor.library", N_("The library {name} does not load: {why}."), _SET_UP, name=name, why=str(error)[:200].rstrip(".")
            )  # fmt: skip


def _probe(program: str, problem: Callable[[str], Refusal]) -> Iterator[Refusal]:
    """Run a small program; what it says on failure goes into the problem."""
    try:
        made = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=_ENGINE_LIMIT_S, check=False, errors="replace"
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        yield problem(_("no answer"))
        return
    if made.returncode != 0:
        lines = [line for line in made.stderr.splitlines() if line.strip()]
        yield problem(lines[-1][:300].rstrip(".") if lines else f"exit {made.returncode}")


def _qt_missing(why: str) -> Refusal:
    return Refusal(
        "doctor.qt",
        N_("The window library Qt does not load: {why}."),
        N_(
            "Run build_scripts/run.py: it installs the missing system library or names it; on a server without windows this does no harm."
        ),
        why=why,
    )


def _engine_broken(why: str) -> Refusal:
    return Refusal(
        "doctor.web_engine",
        N_("The map's web engine does not start: {why}."),
        N_("Run build_scripts/run.py, which installs what it needs. Lists, visits and printing work without it."),
        why=why,
    )


def _screen() -> Iterator[Refusal]:
    if not _has_screen():
        yield Refusal(
            "doctor.no_screen",
            N_("There is no screen in this session, so the window cannot open."),
            N_("Start gridman desk from the computer's desktop. The street server and the other commands need none."),
        )


def _has_screen() -> bool:
    if sys.platform == "linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    else:
        return True


def _fonts() -> Iterator[Refusal]:
    folder = resource("fonts")
    for name in ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf", "HanaMinB.ttf"):
        path = folder / name
        if not path.is_file() or not _is_whole_font(path):
            yield Refusal(
                "doctor.font", N_("The font {name} is missing or damaged."), N_("Install gridman again; Chinese text needs it."), name=name
            )  # fmt: skip


def _is_whole_font(path: Path) -> bool:
    """Whether the file is as long as its own table directory says (OpenType 1.9, "Table Directory")."""
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] not in (b"\0\1\0\0", b"OTTO", b"true"):
            return False
        count = struct.unpack(">H", head[4:6])[0]
        directory = file.read(16 * count)
    if len(directory) < 16 * count:
        return False
    ends = [sum(struct.unpack(">II", directory[at + 8 : at + 16])) for at in range(0, 16 * count, 16)]
    return path.stat().st_size >= max(ends, default=1)


def _map_scripts() -> Iterator[Refusal]:
    for parts in _SCRIPTS:
        path = resource("leaflet", *parts)
        if not path.is_file() or not path.stat().st_size:
            yield Refusal("doctor.map_script", N_("The map's script {name} is missing."), _SET_UP, name="/".join(parts))


def _translations() -> Iterator[Refusal]:
    for code in LANGUAGES:
        if code == "en":
            continue
        path = resource("i18n", code, "LC_MESSAGES", "gridman.mo")
        try:
            with path.open("rb") as file:
                is_empty = not gettext.GNUTranslations(file).gettext("Household").strip()
        except (OSError, struct.error, UnicodeDecodeError, ValueError) as error:
            yield Refusal(
                "doctor.translation", N_("The translation {language} cannot be read ({why})."), _SET_UP, language=LANGUAGES[code], why=error
            )  # fmt: skip
            continue
        if is_empty:
            yield Refusal(
                "doctor.translation_empty",
                N_("The translation {language} is empty."),
                _SET_UP,
                language=LANGUAGES[code],
            )


def disk_flaws(folder: Path, least_mb: int = 500) -> Iterator[Refusal]:
    """Too little space beside the data: a tenth of it, at least `least_mb`, should be free."""
    import shutil

    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    used = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) if folder.is_dir() else 0
    wanted = max(least_mb * 1_000_000, used // 10)
    if free < wanted:
        yield Refusal(
            "doctor.disk",
            N_("The disk of {folder} has {free_mb} MB free; at least {wanted_mb} MB should be."),
            N_(
                "Free some space, or move the data folder to a larger disk. Work is refused before anything is half written."
            ),
            folder=folder,
            free_mb=free // 1_000_000,
            wanted_mb=wanted // 1_000_000,
        )


def _clock() -> Iterator[Refusal]:
    now = system_clock()
    if now < _MADE_AT or now > _MADE_AT + 30 * 366 * 86_400_000:
        yield Refusal(
            "doctor.clock", N_("This computer believes it is {at}."), N_("Set its clock; visits and edits carry its time."), at=show_instant(now)
        )  # fmt: skip
