"""Which files other people of a computer may read."""

from pathlib import Path

import pytest

from gridman.kernel.private import close_to_others, how_to_close, is_open_to_others, lets_others


@pytest.mark.parametrize(
    ("access_list", "lets"),
    [
        ("D:P(A;;FA;;;S-1-5-21-1-2-3-1001)(A;;FA;;;SY)(A;;FA;;;BA)", False),
        ("D:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;FA;;;S-1-5-21-1-2-3-1001)", False),  # a person's own profile
        ("D:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)", True),  # a folder below C:\\
        ("D:(A;;FA;;;WD)", True),
        ("D:(A;;FR;;;S-1-1-0)", True),
        ("D:(D;;FA;;;BU)(A;;FA;;;SY)", False),  # refused, not allowed
        ("D:(A;OICIIO;FA;;;BU)(A;;FA;;;SY)", False),  # for what is made below, not for itself
        ('D:(XA;;FR;;;BU;(@User.Title=="PM"))', True),
        ("D:NO_ACCESS_CONTROL", True),
        ("", True),
    ],
)
def test_a_list_that_lets_accounts_in_general_is_noticed(access_list: str, lets: bool) -> None:
    assert lets_others(access_list) is lets


def test_a_file_is_closed_to_others_and_still_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "家 key"
    file.write_bytes(b"secret")
    file.chmod(0o644)
    assert is_open_to_others(file)
    assert str(file) in how_to_close(file)
    close_to_others(file)
    assert not is_open_to_others(file)
    file.write_bytes(file.read_bytes() + b"!")
    file.unlink()
    with pytest.raises(FileNotFoundError):
        is_open_to_others(file)
