"""A backup verified, restored beside the street, compared, and served after a new start from the page; nothing of it by accident."""

import shutil
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gridman.__main__ import main
from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.files import put_in_place
from gridman.services.accounts import amend_user, create_user, suspend
from gridman.services.audit import page_audit
from gridman.services.backup_folder import back_up_here
from gridman.services.enrolment import LOST, enrol, new_code, revoke_device
from gridman.services.jobs import hold_work
from gridman.services.restoring import decide, discard, page_restored, restore_here, undecide
from gridman.services.street import Street, migrate_street, open_street
from gridman.store import switching
from gridman.store.accounts import street_identity
from gridman.store.handing import add_to_hand_over
from gridman.store.migrations import head
from gridman.store.pushed import keep_answers
from gridman.store.switching import RESTORED, Switch, decide_switch, finish_switch, is_half_switched, wanted_switch
from tests.server.office import Office, office, small
from tests.server.serving import Process, serving
from tests.support.browser import Browser, Seen
from tests.support.streets import CHEAP_HASHER, CLERK, PASSWORD, STAFF, WORKER, town_street

__all__ = ["office", "small"]

WORDS = "some words of my own"


def backed_up(browser: Browser) -> str:
    """The name of a backup made just now."""
    form = browser.open("/admin/backups").form("/admin/backups")
    made = browser.wait_for(browser.send(form, passphrase=WORDS, again=WORDS))
    return next(link for link in made.links() if link.endswith(".gmb")).rpartition("/")[2]


def restored(browser: Browser, name: str) -> Seen:
    """The page that compares a street restored just now."""
    page = browser.open(f"/admin/backups/{name}/open")
    made = browser.wait_for(browser.send(page.form(f"/admin/backups/{name}/restore"), to_restore=WORDS))
    assert "beside the one that is served" in made.text
    return browser.open(next(link for link in made.links() if "/restored/" in link))


def later(street: Street, users: dict[str, int], organisation: int) -> None:
    """What happens after a backup."""
    with street.store.unit(SYSTEM) as unit:
        create_user(unit, "new-one", "New", "street_clerk", organisation, hasher=CHEAP_HASHER)
        suspend(unit, users[CLERK])
        amend_user(unit, users[STAFF], name="Staff", role="auditor", organisation_id=organisation)
        sent = [(n, f"digest{n}", {}) for n in range(1, 8)]
        keep_answers(unit.connection, 2, sent, 1, unit.now)  # seven changes, and two more when it heard of it
        revoke_device(unit, 2, LOST)
        add_to_hand_over(unit.connection, 2, changes=2)
    enrol(street.store, WORKER, "Since", password=PASSWORD, hasher=CHEAP_HASHER)


def epoch_of(folder: Path) -> str:
    street = open_street(folder, must_exist=True)
    try:
        with street.store.read() as reader:
            return street_identity(reader)[1]
    finally:
        street.close()


def test_a_backup_is_verified_and_what_is_in_it_is_told(office: Office) -> None:
    with office.town.street.store.unit(SYSTEM) as unit:
        unit.create(Household(number="1", grid_id=office.town.grids[0]))
    with office.signed_in() as browser:
        name = backed_up(browser)
        page = browser.open(f"/admin/backups/{name}/open")
        wrong = browser.wait_for(
            browser.send(page.form(f"/admin/backups/{name}/verify"), passphrase="other words than these")
        )
        assert "not the passphrase of the backup" in wrong.text and "is sound" not in wrong.text
        sound = browser.wait_for(browser.send(page.form(f"/admin/backups/{name}/verify"), passphrase=WORDS))
        assert (
            "is sound" in sound.text and "Households1" in sound.text.replace(" ", "") and WORDS not in sound.answer.text
        )
        assert f"Accounts{len(office.town.users) + 1}" in sound.text.replace(" ", "")
        path = office.town.street.data_dir / "backups" / name
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        broken = browser.wait_for(browser.send(page.form(f"/admin/backups/{name}/verify"), passphrase=WORDS))
        assert "is damaged" in broken.text and "older backup" in broken.text
        assert browser.open("/admin/backups/street-none.gmb/open").status == 404
    if not office.town.street.store.database.is_sqlite:
        assert "--database" in page.text and not [f for f in page.forms if f.action.endswith("/restore")]


def test_a_restored_street_is_compared_before_anything_changes(
    small: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    street, town = small.town.street, small.town
    enrol(street.store, WORKER, "Counter", password=PASSWORD, hasher=CHEAP_HASHER)
    with small.signed_in() as browser:
        name = backed_up(browser)
        later(street, town.users, town.organisations["street"])
        page = restored(browser, name)
        assert "new-one" in page.text and "Since" in page.text and "suspended sinceclerk" in page.text
        assert "had another role, and would have it againstaff (" in page.text
        assert "2 (Counter, worker)" in page.text and "Shut them out right after the start" in page.text
        assert "destroyed their records9" in page.text and "If there is a later backup" in page.text
        here = page.path
        assert browser.send(page.form(f"{here}/serve"), password="not mine at all").status == 422
        assert wanted_switch(street.data_dir) is None
        decided = browser.send(page.form(f"{here}/serve"), password=PASSWORD)
        assert "is decided" in decided.text and "stays in the one replaced" in browser.open("/admin").text
        # This server was not started by the command: it says how instead of offering a button.
        assert "Stop the server and start it again" in decided.text and not [
            f for f in decided.forms if "restart" in f.action
        ]
        with pytest.raises(Refusal) as caught:
            discard(street, SYSTEM, here.rpartition("/")[2])
        assert caught.value.code == "backup.chosen"
        assert main(["--language", "en", "street", "user", "list", "--data", str(street.data_dir)]) == 0
        assert "stays in the one replaced" in capsys.readouterr().err, "a command says so, too"
        back = browser.send(decided.form("/admin/restored/back"))
        assert "present street goes on" in back.text and wanted_switch(street.data_dir) is None
        gone = browser.send(browser.open(here).form(f"{here}/discard"))
        assert "thrown away" in gone.text and browser.open(here).status == 404
        assert not page_restored(street, SYSTEM)
    with street.store.read() as reader:
        told = [row.details.get("what") for row in page_audit(reader, SYSTEM, act="restore")]
        assert told == ["thrown away", "taken back", "decided", "beside"]


def test_no_new_start_cuts_long_work_off(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    with town_street(folder) as town:
        decide(town.street, SYSTEM, restore_here_of(town.street))
    with serving(folder) as server, server.signed_in() as browser:  # the choice was made before: this start serves it
        assert wanted_switch(folder) is None
        page = restored(browser, backed_up(browser))
        decided = browser.send(page.form(f"{page.path}/serve"), password=PASSWORD)
        with hold_work(folder):
            refused = browser.send(decided.form("/admin/restart"))
            assert refused.status == 409 and "under way" in refused.text
        assert browser.open("/admin/backups").status == 200 and wanted_switch(folder) is not None


def test_only_this_streets_own_backups_are_restored_here(small: Office, tmp_path: Path) -> None:
    street = small.town.street
    with town_street(tmp_path / "other") as other:
        path, _made = back_up_here(other.street, SYSTEM, WORDS)
    (street.data_dir / "backups").mkdir()
    (street.data_dir / "backups" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(Refusal) as caught:
        restore_here(street, SYSTEM, path.name, WORDS)
    assert caught.value.code == "backup.other_street" and not page_restored(street, SYSTEM)


def test_the_restored_street_is_served_at_the_same_address_after_a_start_from_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    with town_street(folder) as town:
        users, organisation = dict(town.users), town.organisations["street"]
        enrol(town.street.store, WORKER, "Counter", password=PASSWORD, hasher=CHEAP_HASHER)
    before = epoch_of(folder)
    with serving(folder) as server:
        address = server.url
        with server.signed_in() as browser:
            name = backed_up(browser)
            _later_at(server, users, organisation)
            page = restored(browser, name)
            decided = browser.send(page.form(f"{page.path}/serve"), password=PASSWORD)
            again = browser.send(decided.form("/admin/restart"))
            assert "starts again" in again.text and again.again.startswith("/admin/backups")
            assert server.announced() == address
            assert browser.open("/admin/backups").path == "/admin/sign-in", "the restored street knows no session"
        with server.signed_in() as browser:  # the certificate is believed as before
            accounts = browser.open("/admin/accounts").text
            assert "new-one" not in accounts and CLERK in accounts
            kept = browser.open("/admin/backups")
            assert "Streets that were replaced" in kept.text and name in kept.answer.text
            assert not [f for f in kept.forms if f.action.endswith("/restart")]
    assert epoch_of(folder) != before and wanted_switch(folder) is None
    (replaced,) = (folder / "replaced").iterdir()
    old = open_street(replaced, must_exist=True)
    try:
        with old.store.read() as reader:
            assert reader.first(User, login="new-one") is not None and street_identity(reader)[1] == before
    finally:
        old.close()
    street = open_street(folder, must_exist=True)
    try:
        with street.store.read() as reader:
            assert [r.details["what"] for r in page_audit(reader, SYSTEM, act="restore")] == ["served", "street"]
    finally:
        street.close()


def _later_at(server: Process, users: dict[str, int], organisation: int) -> None:
    """The same as `later`, by another program while the server runs."""
    street = open_street(server.folder, must_exist=True)
    try:
        later(street, users, organisation)
    finally:
        street.close()


class Killed(Exception):
    """The power went."""


def test_a_change_of_streets_that_is_cut_off_anywhere_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before each single rename and note, the folder holds the old street or the new one after the next opening, and both are whole."""
    real_replace, real_keep = switching.put_in_place, switching._keep
    outcomes = []
    for at in range(40):
        folder = tmp_path / str(at)
        with town_street(folder) as town:
            made = restore_here_of(town.street)
            decide(town.street, SYSTEM, made)
        old = epoch_of(folder)
        left = [at]

        def step(do: object, *args: object, left: list[int] = left) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return do(*args)  # type: ignore[operator]

        monkeypatch.setattr(switching, "put_in_place", lambda *a, step=step: step(real_replace, *a))
        monkeypatch.setattr(switching, "_keep", lambda *a, step=step: step(real_keep, *a))
        try:
            finish_switch(folder)
            cut = False
        except Killed:
            cut = True
        monkeypatch.setattr(switching, "put_in_place", real_replace)
        monkeypatch.setattr(switching, "_keep", real_keep)
        half = is_half_switched(folder)
        epoch = epoch_of(folder)  # any opening brings it to its end
        assert not is_half_switched(folder)
        outcomes.append((cut, half, epoch == old))
        finish_switch(folder)
        assert epoch_of(folder) != old
        (replaced,) = (folder / "replaced").iterdir()
        assert epoch_of(replaced) == old
        if not cut:
            break
    assert outcomes[0] == (True, False, True) and outcomes[-1] == (False, False, False)
    assert len(outcomes) > 6 and (True, True, False) in outcomes


def test_a_change_of_keys_that_was_cut_off_goes_with_the_old_street(tmp_path: Path) -> None:
    """It was finished only after the change of streets: the old data was put over the restored one."""
    folder = tmp_path / "street"
    with town_street(folder) as town:
        made = restore_here_of(town.street)
        decide(town.street, SYSTEM, made)
    old = epoch_of(folder)
    for name in (
        "street.db",
        "street.key",
    ):  # as `gridman street rotate-keys` leaves them when it is killed after it decided
        shutil.copy(folder / name, folder / (name + ".next"))
    assert finish_switch(folder) is not None
    assert epoch_of(folder) != old
    assert epoch_of(next((folder / "replaced").iterdir())) == old


def test_the_commands_that_hold_the_folder_finish_a_change_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They refused because of a program that used the folder: themselves."""
    folder, left = tmp_path / "street", [2]
    with town_street(folder) as town:
        decide(town.street, SYSTEM, restore_here_of(town.street))
    old = epoch_of(folder)

    def once(fresh: Path, path: Path) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        put_in_place(fresh, path)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(switching, "put_in_place", once)
        finish_switch(folder)
    assert is_half_switched(folder)
    done = migrate_street(folder)
    assert done.before == done.after and epoch_of(folder) != old and not is_half_switched(folder)


@pytest.mark.postgres
def test_a_folder_left_beside_a_street_on_postgresql_is_not_served(tmp_path: Path, fresh_postgres_url: str) -> None:
    with town_street(tmp_path / "street", fresh_postgres_url) as town:
        left = town.street.data_dir / RESTORED / "left"
        left.mkdir(parents=True)
        shutil.copy(town.street.data_dir / "street.key", left / "street.key")
        with pytest.raises(Refusal) as refused:
            decide(town.street, SYSTEM, "left")
        assert refused.value.code == "backup.by_command" and wanted_switch(town.street.data_dir) is None


def test_only_what_was_decided_is_taken_back(small: Office) -> None:
    street = small.town.street

    def noted() -> list[object]:
        with street.store.read() as reader:
            return [row.details.get("what") for row in page_audit(reader, SYSTEM, act="restore")]

    undecide(street, SYSTEM)
    assert noted() == []
    made = restore_here_of(street)
    decide(street, SYSTEM, made)
    undecide(street, SYSTEM)
    undecide(street, SYSTEM)
    assert noted() == ["taken back", "decided", "beside"]


def test_a_restored_street_is_thrown_away_while_others_look_at_the_list(small: Office) -> None:
    street = small.town.street
    made = street.data_dir / RESTORED / restore_here_of(street)
    ended = threading.Event()

    def stir() -> None:
        while not ended.is_set():
            for n in range(50):
                (made / f"{n}.tmp").write_bytes(b"x")
            for n in range(50):
                (made / f"{n}.tmp").unlink()

    stirring = threading.Thread(target=stir)
    stirring.start()
    try:
        for _turn in range(150):
            assert [line.name for line in page_restored(street, SYSTEM)] == [made.name]
    finally:
        ended.set()
        stirring.join()


def test_a_code_used_since_the_backup_does_not_work_again(small: Office) -> None:
    street, worker = small.town.street, small.town.users[WORKER]
    with street.store.unit(SYSTEM) as unit:
        code = new_code(unit, worker)
    name = restore_here_of(street)
    enrol(street.store, WORKER, "Counter", code=code, hasher=CHEAP_HASHER)
    other = open_street(street.data_dir / RESTORED / name, clock=small.town.clock, must_exist=True)
    with closing(other), pytest.raises(Refusal) as refused:
        enrol(other.store, WORKER, "A stranger", code=code, hasher=CHEAP_HASHER)
    assert refused.value.code == "auth.wrong_password"


def restore_here_of(street: Street) -> str:
    """The name of the folder of a street restored from a backup made now."""
    path, _made = back_up_here(street, SYSTEM, WORDS)
    restore_here(street, SYSTEM, path.name, WORDS)
    return page_restored(street, SYSTEM)[0].name


def test_a_restored_street_thrown_away_at_the_server_is_not_missed(small: Office) -> None:
    folder = small.town.street.data_dir
    decide_switch(folder, Switch("not-there", "x", 1))
    assert finish_switch(folder) is None and wanted_switch(folder) is None and (folder / "street.db").exists()
    assert not (folder / RESTORED).exists()


def test_the_page_tells_the_version_of_the_data_and_why_it_has_no_button(small: Office) -> None:
    (small.town.street.data_dir / "street.db.before-0007").write_bytes(b"x" * 2_000_000)
    with small.signed_in() as browser:
        seen = browser.open("/admin/backups")
        assert "street.db.before-0007" in seen.text and "2.0 MB" in seen.text and "gridman street migrate" in seen.text
        assert head() in seen.text
    with closing(small.browser()) as nobody:
        assert nobody.open("/admin/restored/x").path == "/admin/sign-in"
