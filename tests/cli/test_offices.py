"""What offices script: founding a street, importing, exporting, printing, synchronising; on real files, checked by reading them again."""

import json
import re
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import shapely

from gridman.__main__ import main
from gridman.domain.codes import table
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.person import Person
from gridman.exchange.register_sheet import read_register
from gridman.geo.read import read_map
from gridman.joining import sign_in_desk
from gridman.services.audit import page_audit
from gridman.services.households import amend_household
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.street import open_street
from tests.cli.town import (
    GRIDS,
    HOUSEHOLDS_PER_GRID,
    LOGIN,
    PASSPHRASE,
    STREET_CODE,
    Town,
    map_layers,
    register_rows,
    served,
)

PER_GRID = 2 * HOUSEHOLDS_PER_GRID


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    """The JSON answer of a command."""
    capsys.readouterr()
    found = main(["--json", "--language", "en", *argv])
    out, err = capsys.readouterr()
    assert found == code, out + err
    return json.loads(out)


def counts(town: Town) -> tuple[int, int]:
    """Households and people in the street's register."""
    street = open_street(town.street)
    try:
        with street.store.read() as reader:
            return reader.count(Household), reader.count(Person)
    finally:
        street.close()


def acts(town: Town) -> list[str]:
    """What the street's audit says was done, newest first."""
    from gridman.domain.access import SYSTEM

    street = open_street(town.street)
    try:
        with street.store.read() as reader:
            return [row.act for row in page_audit(reader, SYSTEM)]
    finally:
        street.close()


def report(town: Town, count: int = 1) -> None:
    """Incidents reported on the desk."""
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    (grid_id,) = desk.actor.grid_ids
    category = next(code.code for code in table("incident_category") if code.parent)
    with desk.store.unit(desk.actor) as unit:
        for n in range(count):
            draft = IncidentDraft(
                category=category,
                description=f"路灯不亮 {n}",
                place="花园街",
                lng=117.1021,
                lat=36.6012,
                grid_id=grid_id,
            )
            report_incident(unit, draft, desk.blobs)
    desk.close()


def port_of(town: Town) -> int:
    return int(json.loads((town.desk / "desk.json").read_text("utf-8"))["users"][0]["server_url"].rsplit(":", 1)[1])


def test_a_map_with_coded_boundaries_becomes_a_street_and_comes_out_again(
    built_town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending in ("gpkg", "geojson"):
        out = tmp_path / f"map.{ending}"
        made = told(capsys, "export", "map", str(out), "--data", str(built_town.street))
        assert made["records"] == sum(len(layer.shapes) for layer in map_layers())
        read = read_map(out)
        codes = {f.attrs["code"]: f for f in read.of("boundary") if "code" in f.attrs}
        assert set(codes) == {STREET_CODE, GRIDS[0][:12], *GRIDS}
        original = {
            row["code"]: shape for row, shape in zip(map_layers()[0].columns, map_layers()[0].shapes, strict=True)
        }
        assert all(f.geometry.symmetric_difference(original[code]).area < 1e-12 for code, f in codes.items())
        assert sorted(f.attrs["compound"] for f in read.of("building")) == ["槐安里1区"] * 2 + ["槐安里2区"] * 2


def test_importing_the_same_map_again_changes_nothing(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    again = told(capsys, "import", "map", str(town.map_file), "--data", str(town.street))
    assert (again["grids"], again["buildings"], again["added"], again["retired"]) == (2, 4, 0, 0)
    assert counts(town) == (2 * HOUSEHOLDS_PER_GRID, 2 * PER_GRID)


def test_a_newer_map_retires_what_is_gone(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from gridman.geo.write import ShapeLayer, write_layers

    newer = tmp_path / "newer.gpkg"
    lane = ShapeLayer(
        "road", [shapely.LineString([(117.1, 36.6), (117.104, 36.601)])], [{"name": "新街", "kind": "residential"}]
    )
    write_layers(newer, [*map_layers()[:2], lane])
    made = told(capsys, "import", "map", str(newer), "--data", str(town.street))
    assert (made["added"], made["kept"], made["retired"]) == (1, 0, 1)


def test_a_street_is_cut_along_its_roads_as_the_demonstration_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gridman.geo.demo import ATTRIBUTION, demo_map_path, demo_names_path, demo_plan

    monkeypatch.setenv("GRIDMAN_PASSWORD", "street party 2026")
    data = ["--data", str(tmp_path / "street")]
    told(capsys, "street", "init", *data, "--name", "海晏街道", "--admin", "admin")
    made = told(
        capsys, "import", "map", str(demo_map_path()), *data, "--code", "990101001000", "--name", "海晏街道", "--communities", "10",
        "--grids", "8", "--names", str(demo_names_path()), "--dwellings", "300-500", "--attribution", ATTRIBUTION,
    )  # fmt: skip
    plan = demo_plan("street")
    assert (made["communities"], made["grids"], made["buildings"]) == (
        10,
        80,
        sum(len(g.buildings) for g in plan.grids),
    )
    street = open_street(tmp_path / "street")
    with street.store.read() as reader:
        from gridman.services.maps import overview

        seen = overview(reader)
    street.close()
    assert [(g.code, g.name, g.shape) for g in seen.grids] == [
        (g.code, g.name.zh, shapely.to_wkb(g.outline)) for g in plan.grids
    ]
    assert seen.attribution == ATTRIBUTION


def test_what_is_missing_for_a_map_is_said(
    built_town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data", str(built_town.street)]
    assert told(capsys, "import", "map", str(tmp_path / "no.gpkg"), *where, code=1)["refused"] == "map.not_found"
    cut = ["import", "map", str(built_town.map_file), *where, "--communities", "2"]
    assert told(capsys, *cut, code=1)["refused"] == "map.no_street"
    assert told(capsys, *cut, "--code", "123", "--name", "x", code=1)["refused"] == "plan.code"
    (tmp_path / "names.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    assert told(capsys, *cut, "--names", str(tmp_path / "names.csv"), code=1)["refused"] == "names.unreadable"


def test_a_register_is_checked_imported_repeated_and_undone(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from gridman.exchange.register_columns import FIELDS
    from gridman.exchange.register_write import write_register
    from tests.support.registers import id_number

    rows = register_rows()[:2]
    for row in rows:
        row[FIELDS.index("room")] = "901"
    rows[0][FIELDS.index("id_number")] = id_number("1990-05-05", 7)
    rows[1][FIELDS.index("id_number")] = "990101199005050000"  # a wrong check character
    file, where = tmp_path / "new.xlsx", ["--data", str(town.street)]
    write_register(file, rows)
    before = counts(town)
    dry = told(
        capsys, "import", "register", str(file), *where, "--dry-run", "--errors", str(tmp_path / "wrong.xlsx"), code=1
    )
    assert (dry["new"], dry["refused"], counts(town)) == (1, 1, before)
    assert [p["code"] for p in dry["problems"]] == ["id_number.check"]
    assert len(read_register(tmp_path / "wrong.xlsx").problems) == 1
    made = told(capsys, "import", "register", str(file), *where, code=1)
    assert (made["new"], made["new_households"], counts(town)) == (1, 1, (before[0] + 1, before[1] + 1))
    again = told(capsys, "import", "register", str(file), *where, code=1)
    assert (again["new"], again["changed"], again["same"]) == (0, 0, 1)
    undone = told(capsys, "import", "register", *where, "--undo", made["batch"])
    assert undone["kept"] == [] and counts(town) == before
    listed = told(capsys, "import", "register", *where, "--batches")
    assert {b["number"]: b["state"] for b in listed}[made["batch"]] == "undone"
    assert told(capsys, "import", "register", *where, "--undo", "R0", code=1)["refused"] == "register.no_batch"
    assert told(capsys, "import", "register", *where, code=1)["refused"] == "cli.no_file"


def test_the_register_is_exported_with_a_purpose_and_a_line_in_the_audit(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, where = tmp_path / "out.xlsx", ["--data", str(town.street)]
    assert told(capsys, "export", "register", str(out), *where, code=1)["refused"] == "export.no_purpose"
    assert not out.exists()
    before = acts(town).count("export")
    made = told(capsys, "export", "register", str(out), *where, "--grid", GRIDS[0], "--purpose", "check", "--unmasked")
    assert made["records"] == PER_GRID == len(read_register(out).rows)
    assert acts(town).count("export") == before + 1
    assert (
        told(capsys, "export", "register", str(out), *where, "--grid", "1", "--purpose", "x", code=1)["refused"]
        == "cli.no_grid"
    )
    assert (
        told(capsys, "export", "register", str(tmp_path / "x.csv"), *where, "--purpose", "x", code=1)["refused"]
        == "cli.ending"
    )


def test_a_grid_worker_may_not_export(
    town: Town, passphrase: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data", str(town.desk), "--purpose", "x"]
    assert told(capsys, "export", "register", str(tmp_path / "x.xlsx"), *where, code=1)["refused"] == "access.role"
    assert told(capsys, "export", "incidents", str(tmp_path / "x.geojson"), *where, code=1)["refused"] == "access.role"


def pdf_text(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


@pytest.mark.parametrize("kind", ["street", "desk"])
def test_a_roster_is_printed_from_a_street_and_from_a_desk(
    kind: str, town: Town, passphrase: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, data = tmp_path / "roster.pdf", town.street if kind == "street" else town.desk
    made = told(capsys, "roster", "--data", str(data), "--grid", GRIDS[0], "--out", str(out), "--purpose", "check")
    text = pdf_text(out)
    assert made["records"] == HOUSEHOLDS_PER_GRID and made["batch"] in text
    assert len(re.findall(r"(?m)^槐安里1区", text)) == HOUSEHOLDS_PER_GRID
    assert not re.search(r"\d{17}[\dX]", text)
    named = [] if kind == "desk" else ["--grid", GRIDS[0]]  # the desk has only the one
    again = told(capsys, "roster", "--data", str(data), *named, "--out", str(out), "--purpose", "check")
    assert again["records"] == HOUSEHOLDS_PER_GRID and again["batch"] != made["batch"]


def test_a_sheet_says_in_whose_name_it_was_printed(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "roster.pdf"
    told(capsys, "roster", "--data", str(town.street), "--login", LOGIN, "--grid", GRIDS[0], "--out", str(out))
    assert "周桂英" in pdf_text(out)
    other = ["roster", "--data", str(town.street), "--login", LOGIN, "--grid", GRIDS[1], "--out", str(out)]
    assert told(capsys, *other, code=1)["refused"] == "access.other_grid"
    assert (
        told(capsys, "roster", "--data", str(town.street), "--out", str(out), code=1)["refused"] == "cli.what_to_print"
    )


def test_the_other_sheets_are_printed_by_number(
    town: Town, passphrase: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(town)
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.read() as reader:
        household = reader.page(Household, limit=1)[0]
    desk.close()
    out = tmp_path / "card.pdf"
    for wanted in (str(household.number), str(household.id)):
        told(
            capsys,
            "roster",
            "--data",
            str(town.desk),
            "--report",
            "household_card",
            "--record",
            wanted,
            "--out",
            str(out),
        )
        assert "槐安里1区" in pdf_text(out)
    slip = ["roster", "--data", str(town.desk), "--report", "incident_slip", "--out", str(tmp_path / "slip.pdf")]
    assert told(capsys, *slip, "--record", "999", code=1)["refused"] == "cli.no_record"


def test_work_goes_from_the_desk_to_the_street_and_out_as_map_and_file(
    town: Town, passphrase: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(town, 2)
    with served(town.street, port_of(town)):
        done = told(capsys, "sync", "--data", str(town.desk))
        assert done["complete"] and done["sent"] >= 2 and done["refused"] == []
        assert told(capsys, "sync", "--data", str(town.desk))["sent"] == 0
        compared = told(capsys, "sync", "--data", str(town.desk), "--check")
        assert compared["compared"] >= 3 and (compared["anew"], compared["different"]) == (0, 0)
    page = tmp_path / "incidents.html"
    for data in (town.desk, town.street):
        assert told(capsys, "map", "--data", str(data), "--out", str(page))["incidents"] == 2
    assert not re.findall(r"https?://(?!www\.w3\.org)", page.read_text("utf-8"))
    out = tmp_path / "incidents.geojson"
    assert told(capsys, "export", "incidents", str(out), "--data", str(town.street), "--purpose", "x")["records"] == 2
    features = json.loads(out.read_text("utf-8"))["features"]
    assert {tuple(f["geometry"]["coordinates"]) for f in features} == {(117.1021, 36.6012)}
    assert {f["properties"]["place"] for f in features} == {"花园街"}
    assert (
        told(capsys, "export", "incidents", str(tmp_path / "i.xlsx"), "--data", str(town.street), "--purpose", "x")[
            "records"
        ]
        == 2
    )


def test_a_records_story_is_told_without_a_network(
    town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.unit(desk.actor) as unit:
        household = unit.page(Household, limit=1)[0]
        amend_household(unit, household.id, {"needs_note": "secret value"})
    desk.close()
    (step,) = told(capsys, "sync", "--data", str(town.desk), "--explain", str(household.id))
    assert (step["fields"], step["state"], step["who"]) == (["needs_note"], "waiting", "周桂英")
    assert main(["--language", "en", "sync", "--data", str(town.desk), "--explain", str(household.id)]) == 0
    shown = capsys.readouterr().out
    assert "waiting" in shown and "goes out with the next synchronisation" in shown and "secret value" not in shown
    assert "Household  changed" in shown and "This desk has not synchronised yet" not in shown
    assert household.number
    by_number = told(capsys, "sync", "--data", str(town.desk), "--explain", household.number)
    assert by_number == [step]
    assert told(capsys, "sync", "--data", str(town.desk), code=1)["refused"] == "sync.unreachable"
    assert main(["--language", "en", "sync", "--data", str(town.desk), "--explain", household.number]) == 0
    shown = capsys.readouterr().out
    assert "on its way" not in shown, "what was tried in vain waits"
    step_line, means, *why = shown.splitlines()
    assert "waiting" in step_line and "has not confirmed it yet" in means
    assert "cannot be reached" in why[0] and "Go on working" in why[0] and "1 try in vain" in why[1]


_KEPT = json.dumps(["sync.scope", "The record is not in your grids any more.", "The office decides.", {}])


@pytest.mark.parametrize(
    ("state", "verdict", "reason", "words"),
    [
        ("sent", None, None, ["waiting", "The street has not confirmed it yet"]),
        ("acknowledged", "applied", None, ["received by the street"]),
        ("settled", "applied", None, ["done", "The street has taken it over"]),
        ("settled", "merged", None, ["done", "the value that did not stand is kept under “To review”"]),
        ("settled", "deferred", None, ["takes it in when it is updated"]),
        ("refused", "refused", _KEPT, ["refused", "not in your grids", "The office decides"]),
        ("refused", "set_aside", _KEPT, ["It was not yours to write any more", "The office decides"]),
    ],
)
def test_the_story_says_of_each_state_what_it_means(
    town: Town, passphrase: str, capsys: pytest.CaptureFixture[str], state: str, verdict: str | None, reason: str | None,
    words: list[str],
) -> None:  # fmt: skip
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.unit(desk.actor) as unit:
        household = unit.page(Household, limit=1)[0]
        amend_household(unit, household.id, {"needs_note": "secret value"})
    with desk.store.database.writer.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE journal SET state = ?, verdict = ?, reason = ? WHERE op_n = (SELECT max(op_n) FROM journal)",
            (state, verdict, reason),
        )
    desk.close()
    assert main(["--language", "en", "sync", "--data", str(town.desk), "--explain", str(household.id)]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in words) and "secret value" not in shown, shown


def test_the_story_of_a_record_is_found_by_its_number_and_every_step_has_a_state(
    town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report(town)
    with served(town.street, port_of(town)):
        told(capsys, "sync", "--data", str(town.desk))
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.read() as reader:
        incident = reader.page(Incident, limit=1)[0]
    desk.close()
    where = ["--language", "en", "sync", "--data", str(town.desk), "--explain"]
    assert main([*where, incident.number]) == 0
    lines = capsys.readouterr().out.splitlines()
    states = ("came from the street", "done", "received by the street")
    assert lines and all(any(state in line for state in states) for line in lines if line[0] != " "), lines
    for unknown in ("20261122-002-999", "nonsense"):
        assert (
            told(capsys, "sync", "--data", str(town.desk), "--explain", unknown, code=1)["refused"] == "cli.no_history"
        )


def test_a_folder_that_does_not_exist_is_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone"
    for command in (["sync"], ["sync", "--login", LOGIN], ["roster", "--grid", "1", "--out", "x.pdf"]):
        refused = told(capsys, *command, "--data", str(gone), code=1)
        assert refused["refused"] == "cli.folder_missing" and str(gone) in refused["words"], refused
    assert not gone.exists()


def test_the_administrators_work(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ["--data", str(town.street)]
    made = told(capsys, "street", "department", "add", *where, "--name", "派出所")
    add = ["street", "user", "add", *where, "--login", "ma", "--name", "马大勇", "--role", "department_user", "--code"]
    user = told(capsys, *add, "--organisation", "派出所")
    assert re.fullmatch(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){4}", user["code"]) and user["organisation"] == "派出所"
    assert told(capsys, "street", "user", "code", *where, "--login", "ma")["code"] != user["code"]
    assert told(capsys, *add, "--organisation", "无", code=1)["refused"] == "cli.no_organisation"
    assert told(capsys, *add, "--organisation", "990101999001001", code=1)["refused"] == "cli.no_organisation"
    change = ["street", "user", "change", *where, "--login", "ma", "--organisation"]
    assert told(capsys, *change, GRIDS[0])["organisation_id"] != told(capsys, *change, GRIDS[0][:12])["organisation_id"]
    told(capsys, *change, "派出所")
    assert main(["--language", "en", "street", "user", "suspend", *where, "--login", "ma"]) == 0
    assert "ma is suspended." in capsys.readouterr().out, "shut out is what a computer is"
    assert {u["login"]: u["is_suspended"] for u in told(capsys, "street", "user", "list", *where)}["ma"]
    told(capsys, "street", "user", "suspend", *where, "--login", "ma", "--lift")
    monkeypatch.setenv("GRIDMAN_PASSWORD", "a new long password")
    told(capsys, "street", "user", "password", *where, "--login", "ma")
    assert {u["login"]: u["has_password"] for u in told(capsys, "street", "user", "list", *where)}["ma"]
    assert told(capsys, "street", "user", "code", *where, "--login", "nobody", code=1)["refused"] == "cli.unknown_login"
    assert any(
        o["id"] == made["id"] and o["is_department"] for o in told(capsys, "street", "department", "list", *where)
    )
    assert [d["number"] for d in told(capsys, "street", "device", "list", *where)] == [2]
    revoke = ["street", "device", "revoke", *where, "--reason"]
    assert told(capsys, *revoke, "given back", "7", code=1)["refused"] == "device.missing"
    assert (
        told(capsys, "street", "assign", *where, "--login", LOGIN, "--grid", "1", code=1)["refused"] == "assign.no_grid"
    )
    assert told(capsys, "street", "init", *where, "--name", "x", "--admin", "y", code=1)["refused"] == "street.founded"


@pytest.mark.parametrize(("options", "as_"), [((), "lost"), (("--retired",), "retired")])
def test_why_a_computer_is_shut_out_stands_in_the_audit_log(
    town: Town, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], as_: str
) -> None:
    where = ["--data", str(town.street)]
    revoke = ["street", "device", "revoke", "2", *where, *options]
    assert main(revoke) == 2
    for unfit in (" ", "call 13800000000"):
        assert told(capsys, *revoke, "--reason", unfit, code=1)["refused"] == "device.reason"
    assert told(capsys, "street", "device", "list", *where)[0]["revoked_as"] == ""
    told(capsys, *revoke, "--reason", " left on the bus ")
    (line,) = told(capsys, "street", "audit", *where, "--act", "revoke")
    assert line["details"] == {"device": 2, "revoked_as": as_, "reason": "left on the bus"}


def test_an_ended_assignment_takes_the_grid_away(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    from gridman.domain.grid import Assignment

    told(capsys, "street", "assign", "--data", str(town.street), "--login", LOGIN, "--grid", GRIDS[1])
    told(capsys, "street", "assign", "--data", str(town.street), "--login", LOGIN, "--grid", GRIDS[0], "--end")
    street = open_street(town.street)
    with street.store.read() as reader:
        open_ones = reader.page(Assignment, until_on=None)
    street.close()
    assert len(open_ones) == 1


def test_a_new_worker_is_told_to_lack_a_grid(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    add = ["--language", "en", "street", "user", "add", "--data", str(town.street), "--name", "Wu", "--code"]
    capsys.readouterr()
    assert main([*add, "--login", "wu", "--role", "grid_worker", "--organisation", GRIDS[1]]) == 0
    said = capsys.readouterr().out
    assert (
        "has no grid yet" in said and f"gridman street assign --data {town.street} --login wu --grid {GRIDS[1]}" in said
    )
    assert main([*add, "--login", "wu2", "--role", "auditor"]) == 0
    assert "grid" not in capsys.readouterr().out.replace("gridman", "")


def test_the_end_of_an_assignment_says_when_it_comes(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    end = [
        "--language",
        "en",
        "street",
        "assign",
        "--data",
        str(town.street),
        "--login",
        LOGIN,
        "--grid",
        GRIDS[0],
        "--end",
    ]
    capsys.readouterr()
    assert main(end) == 0
    said = capsys.readouterr().out
    assert "until the end of today; --now ends it at once" in said and "no longer" not in said
    assert main([*end, "--now"]) == 0
    assert "no longer works in" in capsys.readouterr().out


def test_two_servers_cannot_serve_one_street(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    with served(town.street):
        refused = told(capsys, "street", "--data", str(town.street), "--port", "0", code=1)
    assert refused["refused"] == "folder.in_use"


def test_a_secret_that_nobody_can_type_is_refused(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.delenv("GRIDMAN_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    refused = told(capsys, "map", "--data", str(town.desk), code=1)
    assert refused["refused"] == "cli.no_secret" and "GRIDMAN_PASSPHRASE" in refused["words"]


@pytest.mark.postgres
def test_a_street_on_postgresql_is_served_by_the_same_commands(
    built_town: Town,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    postgres_server: Any,
) -> None:
    monkeypatch.setenv("GRIDMAN_PASSWORD", "street party 2026")
    where = ["--data", str(tmp_path / "street"), "--database", postgres_server.create_database()]
    told(capsys, "street", "init", *where, "--name", "青石街道", "--admin", "admin")
    told(capsys, "import", "map", str(built_town.map_file), *where)
    assert told(capsys, "import", "register", str(built_town.register), *where)["new"] == 2 * PER_GRID
    out = tmp_path / "roster.pdf"
    assert told(capsys, "roster", *where, "--grid", GRIDS[1], "--out", str(out))["records"] == HOUSEHOLDS_PER_GRID
    assert "槐安里2区" in pdf_text(out)
    assert told(capsys, "export", "map", str(tmp_path / "map.gpkg"), *where)["records"] == 9
    assert told(capsys, "doctor", "--no-machine", *where)["wrong"] == 0
    page = tmp_path / "x.html"
    assert told(capsys, "map", *where, "--out", str(page))["incidents"] == 0 and "117.0985" in page.read_text("utf-8")
    monkeypatch.setenv("GRIDMAN_BACKUP_PASSPHRASE", "the safe in the office")
    told(capsys, "street", "backup", *where, "--to", str(tmp_path / "backup"))
    told(capsys, "street", "verify", str(tmp_path / "backup"))
    elsewhere = ["--data", str(tmp_path / "new"), "--database", postgres_server.create_database()]
    told(capsys, "street", "restore", str(tmp_path / "backup"), *elsewhere)
    assert told(capsys, "roster", *elsewhere, "--grid", GRIDS[1], "--out", str(out))["records"] == HOUSEHOLDS_PER_GRID
    assert told(capsys, "street", "migrate", *elsewhere)["copy"] is None
