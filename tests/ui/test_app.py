"""The program around the window."""

import os
import signal
import sys

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from gridman.ui.app import run_until_stopped


@pytest.mark.skipif(sys.platform == "win32", reason="there a program cannot type Ctrl+C into itself alone")
def test_ctrl_c_closes_the_window_as_its_button_does(qapp: QApplication) -> None:
    before = signal.getsignal(signal.SIGINT)
    QTimer.singleShot(50, lambda: os.kill(os.getpid(), signal.SIGINT))
    late = QTimer(interval=20_000, singleShot=True)
    late.timeout.connect(lambda: qapp.exit(9))
    late.start()
    assert run_until_stopped(qapp) == 0
    late.stop()  # outside its loop, an exit would end every loop of the tests that follow
    assert signal.getsignal(signal.SIGINT) is before
