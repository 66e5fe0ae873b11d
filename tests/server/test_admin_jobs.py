"""Long work of the pages: seen while it goes on, by everybody; stopped; and after a kill nothing half is left, which is said."""

import multiprocessing
import os
import re
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.domain.person import Person
from gridman.exchange.register_columns import FIELDS
from gridman.exchange.register_write import write_register
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket
from gridman.server.admin import imports
from gridman.server.certificates import street_tls
from gridman.server.jobs import Jobs, Running
from gridman.server.limits import Limits
from gridman.server.workers import Team, serve_team
from gridman.services.access import actor_of_user
from gridman.services.accounts import amend_user, create_user, set_password
from gridman.services.backup_folder import back_up_here
from gridman.services.jobs import CANCELLED, REFUSED, begin_job, end_job, hold_jobs, job_of, settle_jobs, workplace_of
from gridman.services.register import ImportResult, import_register
from gridman.services.street import Street, open_street
from gridman.services.uploads import keep_upload, take_upload, waits
from gridman.store import backup
from tests.server.office import Office, office, small
from tests.server.serving import serving
from tests.support.browser import Browser, Seen
from tests.support.postgres import PostgresServer
from tests.support.registers import id_number
from tests.support.streets import ADMIN, CHEAP_HASHER, PASSWORD, TownStreet, town_street

__all__ = ["office", "small"]

PEOPLE = 5_000
OTHER = "second-admin"
WORDS = "some words of my own"


def add_building(town: TownStreet) -> None:
    with town.street.store.unit(SYSTEM) as unit:
        grid = unit.get(Grid, town.grids[0])
        unit.create(Building(community_id=grid.community_id, grid_id=grid.id, compound="幸福里", number="1"))


def register(folder: Path, people: int = PEOPLE) -> bytes:
    """A register with a household for each person."""
    lines = []
    for n in range(people):
        cells = {
            "name": "张" + chr(0x4E00 + n % 900), "id_number": id_number(f"{1950 + n // 900}-01-03", n % 900 + 1), "compound": "幸福里",
            "building": "1", "unit": str(n // 1_000 + 1), "room": str(n % 1_000 + 101), "population_type": "户籍", "relation": "户主",
        }  # fmt: skip
        lines.append([cells.get(field, "") for field in FIELDS])
    write_register(folder / "register.xlsx", lines)
    return (folder / "register.xlsx").read_bytes()


def until(browser: Browser, path: str, words: str) -> Seen:
    """The work's page, once it says this."""
    for _turn in range(600):
        seen = browser.open(path)
        if re.search(words, seen.text):
            return seen
        assert seen.again, seen.text
        time.sleep(0.02)
    raise AssertionError(words)


def people_in(street: Street) -> int:
    with street.store.read() as reader:
        return reader.count(Person)


def looked_at(browser: Browser, content: bytes) -> Seen:
    begun = browser.upload(browser.open("/admin/imports").form("/admin/imports"), "file", "register.xlsx", content)
    return browser.wait_for(begun)


def halfway(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first import waits, when something of it is written, until it is asked to stop."""
    waited: list[bool] = []

    def import_slowly(*args: Any, progress: Progress, ticket: Ticket, **more: Any) -> ImportResult:
        def slow(done: int, total: int, step: str = "") -> None:
            progress(done, total, step)
            if not waited:
                waited.append(ticket.wait(60))

        return import_register(*args, progress=slow, ticket=ticket, **more)

    monkeypatch.setattr(imports, "import_register", import_slowly)


def test_an_import_is_seen_by_two_stopped_by_one_and_goes_on(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halfway(monkeypatch)
    street, content = office.town.street, register(tmp_path, 1_500)
    add_building(office.town)
    with street.store.unit(SYSTEM) as unit:
        create_user(
            unit, OTHER, "Other", "sysadmin", office.town.organisations["street"], PASSWORD, must_change=False, hasher=CHEAP_HASHER,
        )  # fmt: skip
    with office.signed_in() as browser, office.signed_in(OTHER) as other:
        told = looked_at(browser, content)
        assert "What would happen: register.xlsx" in told.text and people_in(street) == 0
        begun = browser.send(told.form("/admin/imports/go"))
        assert begun.again == f"{begun.path}?auto=1" and "it may be closed" in begun.text.lower()
        seen = until(other, begun.path, r"Importing households.*[1-9]\d* %")
        assert ADMIN in seen.text and [h for tag, h in seen.tags if tag == "progress" and int(h["value"] or 0) > 0]
        assert "How far it is" in other.open("/admin").text and "How far it is" in other.open("/admin/imports").text
        busy = other.upload(other.open("/admin/imports").form("/admin/imports"), "file", "register.xlsx", content)
        assert busy.status == 409 and "under way" in busy.text
        stop = other.open(f"{begun.path}/stop")
        assert not stop.again and "can be continued" in stop.text
        stopped = other.wait_for(other.send(stop.form(f"{begun.path}/stop")))
        assert "was stopped" in stopped.text and "Go on with the import" in stopped.answer.text
        some = people_in(street)
        assert 0 < some < 1_500
        assert (
            browser.open(begun.path).text == browser.open(begun.path).text
            and "was stopped" in browser.open(begun.path).text
        )
        assert "not finished" in browser.open("/admin/imports").text
        done = browser.wait_for(browser.send(browser.open(begun.path).form("/admin/imports/go")))
        assert "Imported as R" in done.text and people_in(street) == 1_500
        assert "done" in browser.open("/admin/imports").text


def test_a_page_that_asks_by_itself_does_not_keep_anybody_signed_in(small: Office) -> None:
    with small.signed_in() as browser:
        for _turn in range(4):
            small.town.clock.pass_minutes(5)
            seen = browser.open("/admin?auto=1")
        assert seen.path == "/admin/sign-in"


def test_what_came_of_it_is_for_administrators_and_for_a_day(small: Office) -> None:
    street = small.town.street
    with small.signed_in() as browser:
        made = browser.wait_for(
            browser.send(browser.open("/admin/backups").form("/admin/backups"), passphrase=WORDS, again=WORDS)
        )
        assert "is made" in made.text and WORDS not in made.answer.text
        small.town.clock.pass_minutes(25 * 60)
    with small.signed_in() as browser:
        browser.wait_for(
            browser.send(browser.open("/admin/backups").form("/admin/backups"), passphrase=WORDS, again=WORDS)
        )
        assert "not kept any more" in browser.open(made.path).text
        assert browser.open("/admin/jobs/999").status == 404
    with small.signed_in("auditor") as auditor:
        assert auditor.open(made.path).status == 404
    with street.store.read() as reader:
        raw = reader.session.connection().exec_driver_sql("SELECT result FROM job WHERE result IS NOT NULL").all()
    assert raw and all(b"street-" not in row[0] for row in raw), "what came of it lies open"


def test_work_that_begins_while_the_server_stops_is_stopped_too(small: Office) -> None:
    street, jobs = small.town.street, Jobs(small.town.street)
    jobs.stop()

    def work(running: Running) -> dict[str, Any]:
        for n in range(100):
            running.progress(n, 100)
            time.sleep(0.05)
        return {}

    number = jobs.start(SYSTEM, "check", work)
    jobs.wait(20)
    assert job_of(street, SYSTEM, number).row.state == CANCELLED


def test_a_register_waits_an_hour_and_no_longer(small: Office) -> None:
    """It waited for as long as nobody chose another one."""
    street, clock = small.town.street, small.town.clock
    name = keep_upload(street, b"a register")
    clock.pass_minutes(59)
    assert take_upload(street, name) == b"a register"
    clock.pass_minutes(59)
    assert waits(street, name), "an hour from when somebody went on with it"
    clock.pass_minutes(2)
    assert not waits(street, name)
    with pytest.raises(Refusal) as refused:
        take_upload(street, name)
    assert refused.value.code == "upload.gone"
    assert settle_jobs(street)
    assert not [p for p in (street.data_dir / "uploads").rglob("*") if p.is_file()], "it is not kept"


def test_work_is_not_for_those_who_have_none_here_any_more(small: Office) -> None:
    """Neither before the password of somebody else's choice is replaced, nor with a role that is another by now."""
    street, organisation = small.town.street, small.town.organisations["street"]
    with street.store.unit(SYSTEM) as unit:
        other = create_user(unit, OTHER, "Second", "sysadmin", organisation, WORDS, hasher=CHEAP_HASHER).id
    with street.store.read() as reader:
        actor = actor_of_user(reader, other)
    with hold_jobs(street):
        number = begin_job(street, actor, "check", name="office.xlsx")
        end_job(street, number, REFUSED, {"code": "x", "text": "a cell of it", "remedy": "", "params": {}})
    with small.signed_in(OTHER, WORDS) as browser:
        assert browser.open(f"/admin/jobs/{number}").path == "/admin/password"
        with street.store.unit(SYSTEM) as unit:
            set_password(unit, other, WORDS, must_change=False, hasher=CHEAP_HASHER)
    with small.signed_in(OTHER, WORDS) as browser:
        assert "a cell of it" in browser.open(f"/admin/jobs/{number}").text
        with street.store.unit(SYSTEM) as unit:
            amend_user(unit, other, name="Second", role="auditor", organisation_id=organisation)
        assert browser.open(f"/admin/jobs/{number}").status == 404


def test_a_backup_is_stopped_without_leaving_anything(small: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copying itself is stopped, not only what comes after it."""
    monkeypatch.setattr(backup, "_STEPS", 100)
    add_building(small.town)
    street, jobs = small.town.street, Jobs(small.town.street)
    actor = SYSTEM

    at: list[str] = []

    def work(running: Running) -> dict[str, object]:
        def progress(done: int, total: int, step: str = "") -> None:
            at.append(step)
            running.ticket.cancel()
            running.progress(done, total, step)

        back_up_here(street, actor, WORDS, progress, within=workplace_of(street, running.number))
        return {}

    number = jobs.start(actor, "backup", work, makes="backups/x.gmb")
    jobs.wait(30)
    assert job_of(street, actor, number).row.state == "cancelled" and at == ["Copying the data"]
    assert not list((street.data_dir / "backups").glob("*")) and not list((street.data_dir / "jobs").glob("*"))


def test_work_whose_process_ended_is_called_lost(small: Office) -> None:
    street = small.town.street
    with hold_jobs(street):
        number = begin_job(street, SYSTEM, "backup", name="x.gmb", makes="backups/x.gmb")
        assert not settle_jobs(street) and job_of(street, SYSTEM, number).row.is_running
        with pytest.raises(Refusal) as caught:
            Jobs(street).start(SYSTEM, "verify", lambda running: {})
        assert caught.value.code == "job.busy"
        left = street.data_dir / "jobs" / str(number) / "half"
        left.mkdir(parents=True)
        (street.data_dir / "backups").mkdir()
        (street.data_dir / "backups" / "x.gmb.part").write_bytes(b"half")
    with small.signed_in() as browser:
        seen = browser.open(f"/admin/jobs/{number}")
        assert "ended before" in seen.text and "No half backup is left" in seen.text and not seen.again
    assert not left.exists() and not list((street.data_dir / "backups").glob("*"))


@pytest.mark.slow
def test_a_killed_server_leaves_nothing_half_and_says_so(tmp_path: Path) -> None:
    folder, content = tmp_path / "street", register(tmp_path)
    with town_street(folder) as town:
        add_building(town)
    with serving(folder) as server, server.signed_in() as browser:
        told = looked_at(browser, content)
        begun = browser.send(told.form("/admin/imports/go"))
        until(browser, begun.path, r"Importing households.*[1-9]\d* %")
        server.kill()
    with serving(folder) as server, server.signed_in() as browser:
        seen = browser.open(begun.path)
        assert "ended before the work was done" in seen.text and not seen.again
        done = browser.wait_for(browser.send(seen.form("/admin/imports/go")))
        assert "Imported as R" in done.text
        begun = browser.send(browser.open("/admin/backups").form("/admin/backups"), passphrase=WORDS, again=WORDS)
        server.kill()
    with serving(folder) as server, server.signed_in() as browser:
        seen = browser.open(begun.path)
        assert "No half backup is left" in seen.text or "is made" in seen.text
        there = [p.name for p in (folder / "backups").glob("*")] if (folder / "backups").exists() else []
        assert not [name for name in there if not name.endswith(".gmb")] and not list((folder / "jobs").glob("*"))
    street = open_street(folder)
    try:
        assert people_in(street) == PEOPLE
    finally:
        street.close()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there nobody can be asked to end from outside")
def test_a_server_that_is_stopped_ends_the_work_at_its_next_step(tmp_path: Path) -> None:
    folder, content = tmp_path / "street", register(tmp_path)
    with town_street(folder) as town:
        add_building(town)
    with serving(folder) as server, server.signed_in() as browser:
        begun = browser.send(looked_at(browser, content).form("/admin/imports/go"))
        until(browser, begun.path, r"Importing households.*[1-9]\d* %")
        assert server.stop() == 0
    with serving(folder) as server, server.signed_in() as browser:
        seen = browser.open(begun.path)
        assert "because the server was stopped" in seen.text
        assert "Imported as R" in browser.wait_for(browser.send(seen.form("/admin/imports/go"))).text


@pytest.mark.postgres
@pytest.mark.slow
def test_any_worker_shows_the_work_and_stops_it(tmp_path: Path, postgres_server: PostgresServer) -> None:
    database, content = postgres_server.create_database(), register(tmp_path)
    with town_street(tmp_path / "street", database) as town:
        add_building(town)
        tls = street_tls(town.street)
    stop, told, url = threading.Event(), threading.Event(), []

    def ready(address: str) -> None:
        url.append(address)
        told.set()

    team = Team(tmp_path / "street", database, 2, tls, limits=Limits(call_burst=100_000))
    thread = threading.Thread(target=serve_team, args=(team, "127.0.0.1", 0, ready), kwargs={"stop": stop}, daemon=True)
    thread.start()
    assert told.wait(60)
    try:
        with closing(Browser(url[0], tls.authority)) as browser:
            browser.sign_in(ADMIN, PASSWORD)
            begun = browser.send(looked_at(browser, content).form("/admin/imports/go"))
            until(browser, begun.path, r"[1-9]\d* %")
            cookies = dict(browser.client.cookies)
            seen = []
            for _turn in range(12):  # each over a connection of its own, which Linux gives to one worker or the other
                with closing(Browser(url[0], tls.authority)) as fresh:
                    fresh.client.cookies.update(cookies)
                    seen.append(fresh.open(begun.path).text)
            assert all("Importing a register" in text for text in seen)
            with closing(Browser(url[0], tls.authority)) as fresh:
                fresh.client.cookies.update(cookies)
                page = fresh.open(f"{begun.path}/stop")
                if page.path.endswith("/stop"):
                    fresh.send(page.form(f"{begun.path}/stop"))
            ended = browser.wait_for(browser.open(begun.path))
            assert "was stopped" in ended.text or "Imported as" in ended.text
        assert len([p for p in multiprocessing.active_children() if p.name.startswith("gridman street")]) == 2
    finally:
        stop.set()
        thread.join(30)
