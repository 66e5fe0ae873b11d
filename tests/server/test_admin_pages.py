"""What an administrator does on the street's pages, and that the same services did it. Real TLS, real databases."""

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import ImageFont
from sqlalchemy import text

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building
from gridman.domain.grid import Assignment, Grid
from gridman.domain.household import Household
from gridman.domain.notice import Notice
from gridman.domain.organisation import Organisation
from gridman.domain.person import Person
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.exchange.register_columns import FIELDS
from gridman.exchange.register_write import write_register
from gridman.kernel.clock import day_of
from gridman.kernel.paths import resource
from gridman.server.admin.frame import NAV
from gridman.server.admin.style import style_sheet
from gridman.services.access import actor_of_user, grids_of_user
from gridman.services.accounts import create_user, set_password
from gridman.services.audit import ACTS, page_audit
from gridman.services.audit_words import ACT_WORDS
from gridman.services.backup import verify_street_backup
from gridman.services.enrolment import actor_of_token, enrol
from gridman.services.notices import current_notices, publish
from gridman.services.trust import fingerprint_of, read_invitation
from tests.server.office import AUDITOR, Office, office, small
from tests.support.registers import id_number
from tests.support.streets import ADMIN, CHEAP_HASHER, CLERK, PASSWORD, STAFF, WORKER

__all__ = ["office", "small"]

EVIL = """<script>alert(1)</script>"'><img src=x onerror=alert(1)>&amp;"""
NEW = "some words of my own"
NAME = "王建军"


def acts(office: Office) -> list[str]:
    with office.town.street.store.read() as reader:
        return [row.act for row in page_audit(reader, SYSTEM)]


def every_path(office: Office) -> list[str]:
    user, grid = office.town.users[WORKER], office.town.grids[0]
    return [
        "", "/accounts", "/accounts?q=wor", "/accounts?q=nothing-fits", "/accounts/new", f"/accounts/{user}", "/computers", "/computers/2",
        "/grids", "/grids?q=Grid", f"/grids/{grid}", f"/grids/{grid}/change?do=withdraw&user={user}",
        f"/grids/{office.town.grids[1]}/change?do=assign&user={user}", "/departments", "/notices", "/imports", "/imports/R1/undo", "/backups",
        "/password",
    ]  # fmt: skip


def fill_with(office: Office, words: str) -> None:
    """Names that a person chose, everywhere the pages show one."""
    street, town = office.town.street, office.town
    with street.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(User, town.users[WORKER]), name=words)
        unit.amend(unit.get(Grid, town.grids[0]), name=words)
        create_user(unit, "second", words, "grid_worker", town.organisations["community"], hasher=CHEAP_HASHER)
        publish(unit, words[:100], words, audience_id=town.organisations["community"], is_urgent=True)
    enrol(street.store, WORKER, words, password=PASSWORD, hasher=CHEAP_HASHER)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_page_opens_in_both_languages(small: Office, language: str) -> None:
    fill_with(small, "Zhou Guiying")
    with small.signed_in(language=language) as browser:
        for path in every_path(small):
            seen = browser.open(f"/admin{path}")
            assert seen.status == 200, path
            html = next(have for tag, have in seen.tags if tag == "html")
            assert html["lang"] == language and bool(re.search("[一-鿿]", seen.text.replace("简体中文", ""))) == (language != "en"), path  # fmt: skip
        assert browser.open("/admin/nothing/here").status == 404
    with small.signed_in(AUDITOR, language=language) as browser:
        for path in (
            "/log",
            "/log?act=sign_in",
            "/log?act=purposes",
            "/log?who=admin&computer=1",
            "/log?computer=99&act=nonsense",
        ):
            assert browser.open(f"/admin{path}").status == 200, path


def test_the_language_is_switched_and_kept(small: Office) -> None:
    with small.signed_in() as browser:
        assert "概览" in browser.open("/admin?lang=zh_CN").text
        assert "账号" in browser.open("/admin/accounts").text
        assert browser.open("/admin/accounts?lang=xx").status == 200


def test_names_are_never_markup(office: Office) -> None:
    fill_with(office, EVIL)
    with office.signed_in() as browser:
        for path in every_path(office):
            seen = browser.open(f"/admin{path}")  # the browser refuses any script, image or event handler
            assert seen.status == 200 and "<script" not in seen.answer.text and "<img" not in seen.answer.text, path
        assert EVIL in re.sub(r"\s+", " ", browser.open("/admin/accounts").text)
        echoed = browser.open(f"/admin/accounts?q={EVIL}")
        assert "<img" not in echoed.answer.text
        form = browser.open("/admin/accounts/new").form("/admin/accounts/new")
        again = browser.send(form, login=EVIL, name=EVIL)
        assert again.status == 422 and again.form("/admin/accounts/new").values["name"] == EVIL
        browser.open("/admin/computers?done=<script>")
    with office.signed_in(AUDITOR) as browser:
        assert "<img" not in browser.open(f"/admin/log?who={EVIL}").answer.text


def test_an_account_begins_with_a_code_that_enrols_a_computer(office: Office) -> None:
    with office.signed_in() as browser:
        form = browser.open("/admin/accounts/new").form("/admin/accounts/new")
        missing = browser.send(form, login="zhou", name="")
        assert missing.status == 422 and "Name is missing" in missing.text
        taken = browser.send(form, login=WORKER, name="Zhou")
        assert (
            taken.status == 422
            and "is taken" in taken.text
            and taken.form("/admin/accounts/new").values["name"] == "Zhou"
        )
        slip = browser.send(
            form,
            login="zhou",
            name="周桂英",
            role="grid_worker",
            organisation_id=str(office.town.organisations["community"]),
        )
        assert slip.status == 200 and "The account is created" in slip.text and "has no grid yet" in slip.text
        here = next(path for path in slip.links() if re.fullmatch(r"/admin/accounts/\d+", path))
        made = browser.open(here)
        assert "enrols by code" in made.text and "has no grid yet" in made.text
        slip = browser.send(made.form(f"{here}/code"))
        invitation = read_invitation(re.search(r"(?:[2-9A-Z]{4}-){4}[2-9A-Z]{4}", slip.answer.text)[0])  # type: ignore[index]
        assert invitation.fingerprint == fingerprint_of(office.tls.authority) and "<svg" in slip.answer.text
        enrolled = enrol(office.town.street.store, "zhou", "Counter", code=invitation.code, hasher=CHEAP_HASHER)
        assert str(enrolled.replica) in browser.open("/admin/computers").text
    assert {"account", "enrol_code", "enrol"} <= set(acts(office))


def test_an_account_with_a_password_signs_in_and_changes_it(small: Office) -> None:
    with small.signed_in() as browser:
        form = browser.open("/admin/accounts/new").form("/admin/accounts/new")
        street = str(small.town.organisations["street"])
        weak = browser.send(
            form, login="lin", name="Lin", role="auditor", organisation_id=street, way="password", password="short"
        )
        assert weak.status == 422 and "fewer than" in weak.text
        made = browser.send(
            form, login="lin", name="Lin", role="auditor", organisation_id=street, way="password", password=NEW
        )
        assert made.status == 200 and "The account is created" in made.text and "has no grid" not in made.text
    with closing(small.browser()) as other:
        assert other.sign_in("lin", NEW).path == "/admin/password"


def test_role_and_organisation_change_and_the_last_administrator_stays(small: Office) -> None:
    town = small.town
    with small.signed_in() as browser:
        here = f"/admin/accounts/{town.users[WORKER]}"
        form = browser.open(here).form(here)
        done = browser.send(
            form,
            name="Wang",
            role="street_clerk",
            organisation_id=str(town.organisations["street"]),
            phone="13800138000",
        )
        assert done.status == 200 and "was changed" in done.text
        bad = browser.send(form, name="Wang", phone="12")
        assert bad.status == 422 and any(h.get("aria-invalid") and h.get("name") == "phone" for _t, h in bad.tags)
        mine = f"/admin/accounts/{town.users[ADMIN]}"
        refused = browser.send(browser.open(mine).form(mine), role="auditor")
        assert refused.status == 422 and "only administrator" in refused.text
        refused = browser.send(browser.open(mine).form(f"{mine}/suspend"))
        assert refused.status == 422 and "only administrator" in refused.text
    with town.street.store.read() as reader:
        user, admin = reader.get(User, town.users[WORKER]), reader.get(User, town.users[ADMIN])
        assert (user.name, user.role, user.phone) == (
            "Wang",
            "street_clerk",
            "13800138000",
        ) and admin.role == "sysadmin"


def test_an_account_is_suspended_let_in_again_and_gets_a_password(small: Office) -> None:
    clerk = small.town.users[CLERK]
    here = f"/admin/accounts/{clerk}"
    with small.signed_in() as browser, closing(small.browser()) as theirs:
        assert "is suspended" in browser.send(browser.open(here).form(f"{here}/suspend")).text
        assert theirs.sign_in(CLERK, PASSWORD).status == 403
        assert "may sign in again" in browser.send(browser.open(here).form(f"{here}/suspend")).text
        set_ = browser.send(browser.open(here).form(f"{here}/password"), password=NEW)
        assert set_.status == 200 and "new password is set" in set_.text
        assert theirs.sign_in(CLERK, NEW).path == "/admin/password"


@pytest.mark.parametrize(("button", "as_", "word"), [("Retire", "retired", "retired"), ("Shut it out", "lost", "lost")])
def test_a_computer_is_retired_or_shut_out_after_its_meaning_was_told(
    small: Office, button: str, as_: str, word: str
) -> None:
    store = small.town.street.store
    enrolled = enrol(store, WORKER, "Counter", password=PASSWORD, hasher=CHEAP_HASHER)
    with small.signed_in() as browser:
        here = f"/admin/computers/{enrolled.replica}"
        page = browser.open(here)
        assert button in page.text and not [f for f in page.forms if "revoke" in f.action], "one click does nothing yet"
        asked = browser.open(next(address for address in page.links() if address.endswith(f"revoke?as={as_}")))
        assert "destroys its records" in asked.text and "review list" in asked.text and "Counter" in asked.text
        for reason in (" ", "call 13800000000"):
            again = browser.send(asked.form(f"{here}/revoke", button), reason=reason)
            assert again.status == 422 and "A reason is needed" in again.text
        with store.read() as reader:
            actor_of_token(reader, enrolled.token)
        done = browser.send(again.form(f"{here}/revoke", button), reason="left on the bus")
        assert word in done.text and "shut out" in done.text
        with store.read() as reader:
            assert page_audit(reader, SYSTEM, act="revoke")[0].details["reason"] == "left on the bus"
        assert browser.open("/admin/computers/77").status == 404
    with store.read() as reader, pytest.raises(Exception) as caught:
        actor_of_token(reader, enrolled.token)
    assert caught.value.params["revoked_as"] == as_  # type: ignore[attr-defined]


def test_a_grid_is_given_and_taken_away_after_it_was_told_what_that_means(office: Office) -> None:
    town, store = office.town, office.town.street.store
    with store.unit(SYSTEM) as unit:
        for n in range(3):
            unit.create(Household(number=str(n), grid_id=town.grids[1]))
    enrol(store, WORKER, "Counter", password=PASSWORD, hasher=CHEAP_HASHER)
    here, user = f"/admin/grids/{town.grids[1]}", town.users[WORKER]

    def grids() -> frozenset[int]:
        with store.read() as reader:
            return grids_of_user(reader, reader.get(User, user))

    with office.signed_in() as browser:
        assert "nobody" in browser.open("/admin/grids").text
        told = browser.send(browser.open(here).form(f"{here}/change"), user=str(user))
        assert "Worker receives 3 households" in told.text and "Counter" in told.text and grids() == {town.grids[0]}
        done = browser.send(told.form(f"{here}/change"))
        assert "is assigned" in done.text and grids() == set(town.grids[:2])
        told = browser.open(f"{here}/change?do=withdraw&user={user}")
        assert (
            "3 households" in told.text and "Nobody has the grid then" in told.text and grids() == set(town.grids[:2])
        )
        later = browser.send(told.form(f"{here}/change", "with the end of today"))
        assert later.status == 200 and "with the end of today" in later.text and grids() == set(town.grids[:2])
        office.town.clock.pass_minutes(14)
        browser.open("/admin")
        now = browser.send(browser.open(f"{here}/change?do=withdraw&user={user}").form(f"{here}/change", "at once"))
        assert now.status == 200 and "was taken away" in now.text and grids() == {town.grids[0]}
        staff = browser.client.post(
            f"{here}/change",
            data={"form": told.forms[-1].values["form"], "do": "assign", "user": str(town.users[STAFF])},
        )
        assert staff.status_code == 422 and "does not work by grids" in staff.text
    assert acts(office).count("assign") == 3
    with store.read() as reader:
        ended = reader.page(Assignment, grid_id=town.grids[1])
        assert [a.until_on for a in ended] == [day_of(reader.now - 86_400_000)]


def test_a_notice_reaches_its_audience_until_it_is_withdrawn(office: Office) -> None:
    town, store = office.town, office.town.street.store

    def seen_by(login: str) -> list[str]:
        with store.read() as reader:
            return [
                n.title
                for n in current_notices(reader, day_of(reader.now), actor=actor_of_user(reader, town.users[login]))
            ]

    with office.signed_in(CLERK) as browser:
        form = browser.open("/admin/notices").form("/admin/notices")
        bad = browser.send(form, title="", until_on="2026-13-40")
        assert bad.status == 422 and "Title is missing" in bad.text
        done = browser.send(
            form, title="Cold wave", body="Visit\nall", audience_id=str(town.organisations["community"]), is_urgent="1"
        )
        assert "published" in done.text and "urgent" in done.text and "Community 1" in done.text
        browser.send(form, title="To all")
        assert seen_by(WORKER) == ["Cold wave", "To all"] and set(seen_by(CLERK)) == {"Cold wave", "To all"}
        page = browser.open("/admin/notices")
        number = next(f.action for f in page.forms if f.action.endswith("/withdraw"))
        assert "withdrawn" in browser.send(page.form(number)).text
    assert len(seen_by(WORKER)) == 1 and acts(office).count("notice") == 3


def test_a_community_writes_to_its_own_people_only(small: Office) -> None:
    town = small.town
    with town.street.store.unit(SYSTEM) as unit:
        set_password(unit, town.users[STAFF], PASSWORD, must_change=False, hasher=CHEAP_HASHER)
    with small.signed_in(STAFF) as browser:
        form = browser.open("/admin/notices").form("/admin/notices")
        own = str(town.organisations["community"])
        assert set(form.options["audience_id"]) == {own} and form.values["audience_id"] == own, "only what is allowed"
        refused = browser.send(form, title="To the whole street", audience_id="")
        assert refused.status == 422 and "writes to itself" in refused.text
        assert browser.send(form, title="Ours", audience_id=str(town.organisations["community"])).status == 200


def test_a_community_withdraws_its_own_notices_only(small: Office) -> None:
    town, store = small.town, small.town.street.store
    with store.unit(SYSTEM) as unit:
        set_password(unit, town.users[STAFF], PASSWORD, must_change=False, hasher=CHEAP_HASHER)
    with store.read() as reader:
        clerk, staff = (actor_of_user(reader, town.users[login]) for login in (CLERK, STAFF))
    with store.unit(clerk) as unit:
        streets = publish(unit, "Cold wave").id
    with store.unit(staff) as unit:
        own = publish(unit, "Ours", audience_id=town.organisations["community"]).id
    with small.signed_in(STAFF) as browser:
        page = browser.open("/admin/notices")
        assert [f.action for f in page.forms if f.action.endswith("/withdraw")] == [f"/admin/notices/{own}/withdraw"]
        forged = replace(page.form(f"/admin/notices/{own}/withdraw"), action=f"/admin/notices/{streets}/withdraw")
        refused = browser.send(forged)
        assert refused.status == 422 and "written by Qingshi Street" in refused.text
        assert "withdrawn" in browser.send(page.form(f"/admin/notices/{own}/withdraw")).text
    with store.read() as reader:
        assert reader.get(Notice, streets).retired_at is None and reader.get(Notice, own).retired_at is not None


def test_organisations_stand_by_level_and_code(small: Office) -> None:
    """By their names they stood as 第一, 第七, 第三, 第二."""
    names = ("南山第三社区", "南山第一社区", "南山第二社区")
    with small.town.street.store.unit(SYSTEM) as unit:
        for name, code in zip(names, ("990101001913", "990101001911", "990101001912"), strict=True):
            region = unit.create(Region(code=code, name=name, level="community"))
            unit.flush()
            unit.create(Organisation(name=name, level="community", region_id=region.id))
    with small.signed_in() as browser:
        for path in ("/admin/departments", "/admin/accounts/new", "/admin/notices"):
            text = browser.open(path).text
            places = [
                text.index(part) for part in ("Qingshi Street", "Community 1", "南山第一", "南山第二", "南山第三")
            ]
            assert places == sorted(places), path


def test_the_first_page_names_the_review_and_gives_households_a_card_of_their_own(small: Office) -> None:
    with small.signed_in() as browser:
        cards = browser.open("/admin").answer.text.split('<section class="card">')[1:]
    titles = {re.sub("<.*?>", "", card.partition("</h2>")[0]): card for card in cards}
    assert "To review" in titles["Waiting for review"] and "Open incidents" not in titles["Waiting for review"]
    assert "Open incidents" in titles["Households"]


def test_every_word_of_the_rail_has_room() -> None:
    """ "Departments" touched both edges: 92 pixels, whatever the size of the letters."""
    css = style_sheet()
    rem = float(re.search(r"\.rail { width: ([\d.]+)rem", css)[1])  # type: ignore[index]
    letters = float(re.search(r"--small:([\d.]+)rem", css)[1])  # type: ignore[index]
    font = ImageFont.truetype(str(resource("fonts", "NotoSansSC-Bold.ttf")), 100)
    widest = max(font.getlength(part) for *_, word, _icon, _right in NAV for part in word.split()) / 100 * letters
    edges = (4 * 4 + 1) / 14  # padding and margin on both sides, and the line
    assert widest * 1.1 < rem - edges, "a tenth more for another font"


def workbook(tmp_path: Path, *numbers: str) -> bytes:
    """A register with one person for each number, all in one household of Xingfu 1."""
    path, lines = tmp_path / "register.xlsx", []
    for n, number in enumerate(numbers):
        cells = {
            "name": NAME, "id_number": number, "compound": "幸福里", "building": "1", "unit": "1", "room": "101", "population_type": "户籍",
            "relation": "配偶" if n else "户主",
        }  # fmt: skip
        lines.append([cells.get(field, "") for field in FIELDS])
    write_register(path, lines)
    return path.read_bytes()


def test_a_register_is_looked_at_imported_and_taken_back(office: Office, tmp_path: Path) -> None:
    town, store = office.town, office.town.street.store
    with store.unit(SYSTEM) as unit:
        grid = unit.get(Grid, town.grids[0])
        unit.create(Building(community_id=grid.community_id, grid_id=grid.id, compound="幸福里", number="1"))

    def people() -> int:
        with store.read() as reader:
            return reader.count(Person)

    content = workbook(tmp_path, id_number(), "990101198001010000")
    with office.signed_in() as browser:
        form = browser.open("/admin/imports").form("/admin/imports")
        assert "Choose a file" in browser.upload(form, "file", "", b"").text
        wrong = browser.wait_for(browser.upload(form, "file", "notes.xlsx", b"no spreadsheet"))
        assert "not a spreadsheet" in wrong.text and "not done" in wrong.text
        told = browser.wait_for(browser.upload(form, "file", "街道 register.xlsx", content))
        assert told.status == 200 and "What would happen: 街道 register.xlsx" in told.text and people() == 0
        assert re.search(r"Left out because of errors ?1", told.text) and "left out" in told.text
        kept = list((town.street.data_dir / "uploads").rglob("*"))
        assert kept and all(p.read_bytes()[:2] != b"PK" for p in kept if p.is_file())
        done = browser.wait_for(browser.send(told.form("/admin/imports/go")))
        assert "Imported as R" in done.text and people() == 1
        gone = browser.send(told.form("/admin/imports/go"))
        assert gone.status == 422 and "waits for an hour" in gone.text
        number = re.search(r"R\d{8}-\d{3}-\d{3}", done.text)[0]  # type: ignore[index]
        undo = browser.open(f"/admin/imports/{number}/undo")
        assert "stays as it is" in undo.text
        taken = browser.wait_for(browser.send(undo.form(f"/admin/imports/{number}/undo")))
        assert "taken back" in taken.text and people() == 0


def test_a_backup_is_made_fetched_and_sound(small: Office, tmp_path: Path) -> None:
    with small.signed_in() as browser:
        form = browser.open("/admin/backups").form("/admin/backups")
        assert "not the same" in browser.send(form, passphrase=NEW, again="other words").text
        assert browser.send(form, passphrase="short", again="short").status == 422
        done = browser.wait_for(browser.send(form, passphrase=NEW, again=NEW))
        assert "is made" in done.text and NEW not in done.answer.text
        link = next(link for link in done.links() if link.endswith(".gmb"))
        fetched = browser.client.get(link)
        target = tmp_path / "fetched.gmb"
        target.write_bytes(fetched.content)
        assert verify_street_backup(target, NEW).kind == "street"
        assert "attachment" in fetched.headers["content-disposition"]
        for path in ("street.key", "..%2Fstreet.key", "%2e%2e%2fstreet.key", "street-.gmb"):
            assert browser.client.get(f"/admin/backups/{path}").status_code == 404
        assert "no backup of the last week" not in browser.open("/admin").text
        for _ in range(5):
            browser.wait_for(browser.send(form, passphrase=NEW, again=NEW))
        assert len([n for n in browser.open("/admin/backups").links() if n.endswith(".gmb")]) == 5
    with small.town.street.store.read() as reader:
        made = [line for line in page_audit(reader, SYSTEM, act="export") if line.details.get("what") == "backup"]
    assert len(made) == 6 and {line.actor_id for line in made} == {small.town.users[ADMIN]}


def test_the_auditor_sees_who_did_what_and_that_nothing_was_changed(office: Office) -> None:
    with office.signed_in() as browser:
        browser.send(browser.open("/admin/departments").form("/admin/departments"), name="Fire brigade")
        browser.send(browser.open("/admin/accounts/new").form("/admin/accounts/new"), login="zhou", name="Zhou")
    with office.signed_in(AUDITOR) as browser:
        log = browser.open("/admin/log?act=account&who=admin")
        assert "account added or changed" in log.text and "role: grid worker" in log.text
        checked = browser.send(log.form("/admin/log/verify"))
        assert "log is whole" in checked.text
        with office.town.street.store.unit(SYSTEM) as unit:
            for trigger in ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_rewriting ON audit"):
                try:
                    with unit.connection.begin_nested():
                        unit.connection.execute(text(trigger))
                except Exception:
                    continue
            unit.connection.execute(text("UPDATE audit SET act = 'print' WHERE id = 2"))
        broken = browser.send(browser.open("/admin/log").form("/admin/log/verify"))
        assert "at line 2" in broken.text


def test_every_act_of_the_log_has_a_word() -> None:
    assert set(ACT_WORDS) == ACTS
