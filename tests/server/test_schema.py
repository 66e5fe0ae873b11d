"""schemathesis asks a real server for what its own document promises, with and without a token: no answer is a 5xx, each is one that the
document tells of and has the shape it tells; what the document forbids is refused.
"""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gridman.server.app import street_app
from gridman.server.run import ServerThread
from gridman.services.audit import verify_chain
from tests.server.conftest import GENEROUS, Served, served_town
from tests.support.streets import TownStreet, town_street

SUPPORT = Path(__file__).resolve().parents[1] / "support"
RUN = "from schemathesis.cli import schemathesis; schemathesis()"  # its script names the folder the environment was made in

SETTINGS = """
{headers}
[parameters]
sha256 = "{sha256}"

# A message of the sync is a string of bytes in the document; which of them are messages it cannot say.
[[operations]]
include-name = "POST /sync/v1"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-name = "POST /farewell/v1"
checks.positive_data_acceptance.enabled = false
"""


def examined(served: Served, folder: Path, token: str, examples: int) -> str:
    """What schemathesis says of the server; the run is bounded in examples and in time, and the same each time."""
    header = f'headers = {{ Authorization = "Bearer {token}" }}' if token else ""
    settings = folder / "schemathesis.toml"
    settings.write_text(SETTINGS.format(headers=header, sha256="a" * 64), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-c", RUN, "--config-file", str(settings), "run", f"{served.url}/openapi.json", "--phases", "coverage,fuzzing",
            "--max-examples", str(examples), "--workers", "1", "--seed", "1", "--generation-database", "none", "--no-color",
            # The change notice does not end by itself: tests/server/test_events.py.
            "--exclude-path", "/events/v1", "--request-timeout", "20",
        ],
        capture_output=True, text=True, timeout=180, cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(SUPPORT / "sync_bodies.py"), "PYTHONUTF8": "1"},
    )  # fmt: skip
    report = done.stdout + done.stderr
    assert done.returncode == 0, report
    return report


def cases_of(report: str) -> int:
    found = re.search(r"(\d+) generated", report)
    assert found is not None, report
    return int(found[1])


@pytest.mark.slow
def test_the_server_keeps_to_its_document(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as town:
        for served in served_town(town, replace(GENEROUS, enrolments_per_s=1_000.0)):
            with_token = examined(served, tmp_path, served.enrol()["token"], examples=6)
            without = examined(served, tmp_path, "", examples=1)
            print(with_token.rpartition("SUMMARY")[2], without.rpartition("SUMMARY")[2])
            assert cases_of(with_token) > 250 and cases_of(without) > 100
            unharmed(town)


@pytest.mark.slow
@pytest.mark.postgres
def test_so_does_one_on_postgresql(tmp_path: Path, postgres_server: object) -> None:
    url = postgres_server.create_database()  # type: ignore[attr-defined]
    with town_street(tmp_path / "street", url) as town:
        for served in served_town(town, replace(GENEROUS, enrolments_per_s=1_000.0)):
            assert cases_of(examined(served, tmp_path, served.enrol()["token"], examples=2)) > 150
            unharmed(town)


def unharmed(town: TownStreet) -> None:
    with town.street.store.read() as reader:
        assert verify_chain(reader) is None
    with ServerThread(street_app(town.street)):
        pass
