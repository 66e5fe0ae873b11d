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
    QTimer.singleShot(20_000, lambda: qapp.exit(9))
    assert run_until_stopped(qapp) == 0
    assert signal.getsignal(signal.SIGINT) is before
