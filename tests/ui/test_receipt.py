"""The receipt of an operation of which a value lost."""

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QLabel

from gridman.services.outbox import ReceiptLine
from gridman.services.standing import Standing
from gridman.ui.pages.sync.receipt_view import ReceiptView, tone_of
from gridman.ui.session import DeskSession

NOON = 1_795_406_400_000


def test_a_receipt_tells_which_value_stands(open_session: Callable[..., DeskSession], desk: Any) -> None:
    standing = (Standing("Phone", is_own=False, is_waiting=True, other="李娜", at=NOON),)
    line = ReceiptLine(
        7, NOON, "changed", "Household", "Lane 1", "Phone, Remark", "settled", "merged", "", NOON, None, standing
    )
    view = ReceiptView(open_session(desk).shell)
    view.show_line(line)
    told = " | ".join(found.text() for found in view.findChildren(QLabel))
    assert "Phone: the value of 李娜" in told and "yours waits under “To review”" in told
    assert "to review" in told and "this computer shows what the street has" not in told
    assert tone_of(line) == "attention"
