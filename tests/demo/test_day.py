"""What the demonstration says at its end."""

import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gridman.cli.commands import make_parser
from gridman.demo import day
from gridman.demo.stage import PASSWORDS


def test_the_end_tells_who_may_sign_in_and_commands_that_the_program_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played: Any = SimpleNamespace(out=tmp_path / "my day", state=SimpleNamespace(port=41_234))
    day._tell_how_to_return(played)
    told = capsys.readouterr().out
    for login, passphrase in PASSWORDS.items():
        assert re.search(rf"^ +{login} +{passphrase}$", told, re.MULTILINE)
    lines = [shlex.split(line)[1:] for line in told.splitlines() if line.startswith("   gridman ")]
    street, desk = (make_parser(line[0]).parse_args(line) for line in lines)
    assert (street.data, street.port) == (tmp_path / "my day" / "data" / "street", 41_234)
    assert desk.data == tmp_path / "my day" / "data" / "wangge"
