"""The town of these tests: built once by the commands, copied for each test that changes it."""

import shutil
from pathlib import Path

import pytest

from gridman.kernel.private import close_to_others
from tests.cli.town import PASSPHRASE, Town, build_town


@pytest.fixture(scope="session")
def built_town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """For reading only."""
    return build_town(tmp_path_factory.mktemp("town"))


@pytest.fixture
def town(built_town: Town, tmp_path: Path) -> Town:
    """A copy to change."""
    made = Town(
        *(
            tmp_path / path.name
            for path in (built_town.street, built_town.desk, built_town.map_file, built_town.register)
        )
    )
    for old, new in ((built_town.street, made.street), (built_town.desk, made.desk)):
        shutil.copytree(old, new)
        for key in (*new.rglob("keys.json"), *new.glob("street.key")):
            close_to_others(key)  # on Windows a copy has the rights of its folder
    shutil.copy(built_town.map_file, made.map_file)
    shutil.copy(built_town.register, made.register)
    return made


@pytest.fixture
def passphrase(monkeypatch: pytest.MonkeyPatch) -> str:
    """The desk's passphrase, said by the environment."""
    monkeypatch.setenv("GRIDMAN_PASSPHRASE", PASSPHRASE)
    return PASSPHRASE
