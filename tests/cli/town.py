"""A small town made by the commands themselves: a map file, a spreadsheet, a street, its server as a process, one enrolled desk."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import shapely

from gridman.__main__ import main
from gridman.exchange.register_columns import FIELDS
from gridman.exchange.register_write import write_register
from gridman.geo.write import ShapeLayer, write_layers
from tests.support.registers import id_number

ROOT = Path(__file__).resolve().parents[2]
STREET_CODE, COMMUNITY_CODE = "990101001000", "990101001001"
GRIDS = (COMMUNITY_CODE + "001", COMMUNITY_CODE + "002")
WEST, SOUTH, WIDE, HIGH = 117.10, 36.60, 0.004, 0.003
LOGIN, PASSWORD, PASSPHRASE = "zhou", "grid worker 2026", "walks every morning"
ADMIN_PASSWORD = "street party 2026"
HOUSEHOLDS_PER_GRID = 6


@dataclass(frozen=True)
class Town:
    """Folders and files of the town."""

    street: Path
    desk: Path
    map_file: Path
    register: Path


def map_layers() -> list[ShapeLayer]:
    """Two grids with codes, each with one estate of two buildings; a road between them."""
    boxes = [shapely.box(WEST + n * WIDE, SOUTH, WEST + (n + 1) * WIDE, SOUTH + HIGH) for n in range(2)]
    grids = [{"code": code, "name": f"第{n}网格"} for n, code in enumerate(GRIDS, start=1)]
    houses, rows = [], []
    for n in range(2):
        for b in (1, 2):
            x, y = WEST + n * WIDE + 0.001 * b, SOUTH + 0.001
            houses.append(shapely.box(x, y, x + 0.0004, y + 0.0002))
            rows.append({"name": f"{b}号楼", "compound": f"槐安里{n + 1}区", "levels": "6", "kind": "residential"})
    road = shapely.LineString([(WEST + WIDE, SOUTH), (WEST + WIDE, SOUTH + HIGH)])
    street = [{"code": STREET_CODE, "name": "青石街道"}, {"code": COMMUNITY_CODE, "name": "槐安社区"}]
    ground = shapely.union_all(boxes)
    return [
        ShapeLayer("boundary", [ground, ground, *boxes], [*street, *grids]),
        ShapeLayer("building", houses, rows),
        ShapeLayer("road", [road], [{"name": "花园街", "kind": "residential"}]),
    ]


def register_rows() -> list[list[str]]:
    """Two residents in each household, three households in each building."""
    rows = []
    for n, grid in enumerate(GRIDS):
        for h in range(HOUSEHOLDS_PER_GRID):
            for person in range(2):
                order = n * 100 + h * 10 + person
                cell = {
                    "name": "王李张刘"[h % 4] + "建军桂兰英"[(h + person) % 5], "id_number": id_number(f"19{50 + h}-0{person + 1}-1{n}", order),
                    "compound": f"槐安里{n + 1}区", "building": str(h % 2 + 1), "unit": "1", "room": f"{h + 1}01", "grid": grid,
                    "population_type": "户籍", "relation": "户主" if person == 0 else "配偶",
                }  # fmt: skip
                rows.append([cell.get(field, "") for field in FIELDS])
    return rows


def build_town(folder: Path) -> Town:
    """Everything, by the commands."""
    town = Town(folder / "street", folder / "desk", folder / "town.gpkg", folder / "register.xlsx")
    write_layers(town.map_file, map_layers())
    write_register(town.register, register_rows())
    data = ["--data", str(town.street)]
    with environment(GRIDMAN_PASSWORD=ADMIN_PASSWORD):
        do("street", "init", *data, "--name", "青石街道", "--admin", "admin")
    do("import", "map", str(town.map_file), *data, "--attribution", "fictional")
    do("import", "register", str(town.register), *data)
    with environment(GRIDMAN_PASSWORD=PASSWORD):
        do(
            "street",
            "user",
            "add",
            *data,
            "--login",
            LOGIN,
            "--name",
            "周桂英",
            "--role",
            "grid_worker",
            "--organisation",
            "第1网格",
        )
    do("street", "assign", *data, "--login", LOGIN, "--grid", GRIDS[0])
    with served(town.street) as address:
        from gridman.joining import enrol_desk

        enrol_desk(
            town.desk, address, LOGIN, PASSPHRASE, password=PASSWORD, fingerprint=fingerprint_of(town.street), device_name="test"
        ).close()  # fmt: skip
        with environment(GRIDMAN_PASSPHRASE=PASSPHRASE):
            do("sync", "--data", str(town.desk))
    return town


def fingerprint_of(street: Path) -> str:
    """What the street's administrator reads from the screen."""
    command = [sys.executable, "-m", "gridman", "--json", "street", "certificate", "--data", str(street)]
    return str(
        json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)["fingerprint"]
    )


def do(*argv: str, code: int = 0) -> None:
    """Run a command in this process; the exit code must be `code`."""
    found = main(["--language", "en", *argv])
    assert found == code, f"gridman {' '.join(argv)}: exit code {found}"


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Environment variables for the length of the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def served(street: Path, port: int = 0) -> Iterator[str]:
    """`gridman street` as a process of its own; yields its address."""
    command = [sys.executable, "-m", "gridman", "--json", "street", "--data", str(street), "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stderr is not None
    try:
        said = ""
        while not said.endswith("}\n") and (line := server.stdout.readline()):
            said += line
        assert "address" in said, said + server.stderr.read()
        yield str(json.loads(said)["address"])
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert server.returncode == 0 or os.name == "nt"  # where nobody can be asked to end from outside
