"""Qt objects in garbage are destroyed in the GUI thread, never in the thread that happens to allocate."""

import gc
import threading

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot


def make_garbage(died_in: list[str]) -> None:
    class Loop(QObject):
        def __del__(self) -> None:
            died_in.append(threading.current_thread().name)

    loop = Loop()
    loop.itself = loop  # type: ignore[attr-defined]


def test_a_busy_reader_thread_does_not_destroy_qt_objects(qapp: QApplication, qtbot: QtBot) -> None:
    died_in: list[str] = []
    make_garbage(died_in)

    def allocate() -> None:
        kept = [[n] for n in range(200_000)]
        assert len(kept) == 200_000

    reader = threading.Thread(target=allocate, name="reader")
    reader.start()
    reader.join()
    assert "reader" not in died_in, "collected outside the GUI thread"
    gc.collect()
    assert died_in == ["MainThread"]
