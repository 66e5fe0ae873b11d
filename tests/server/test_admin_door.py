"""Who gets in to the street's pages, and what a form needs to be taken. Real TLS, real databases."""

import socket
import ssl
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.organisation import Organisation
from gridman.domain.user import User
from gridman.server.admin.routes import admin_routes
from gridman.server.app import street_app
from gridman.server.certificates import street_tls
from gridman.server.limits import Limits
from gridman.server.run import ServerThread
from gridman.services.accounts import set_password, suspend
from gridman.services.street import open_street
from tests.server.conftest import GENEROUS
from tests.server.office import AUDITOR, Office, office, office_of, small
from tests.support.browser import Browser
from tests.support.streets import ADMIN, CHEAP_HASHER, CLERK, PASSWORD, WORKER, town_street

OTHER = "a new password of mine"
COOKIE = "__Host-gridman-admin"

__all__ = ["office", "small"]


def test_nobody_sees_or_does_anything_without_signing_in(small: Office) -> None:
    for route in admin_routes():
        path = (
            route.path.replace("{id}", "7").replace("{number}", "7").replace("{name}", "x").replace("{rest:path}", "x")
        )
        if path in ("/admin/sign-in", "/admin/style.css"):
            continue
        for method in sorted((route.methods or set()) - {"HEAD"}):
            with closing(small.browser()) as browser:
                answer = browser.client.request(method, path, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/admin/sign-in"), path
            assert answer.text == ""


def test_a_worker_cannot_sign_in(small: Office) -> None:
    with closing(small.browser()) as browser:
        before = browser.open("/admin/sign-in") and browser.secret
        seen = browser.sign_in(WORKER, PASSWORD)
        assert seen.status == 403 and "no work on these pages" in seen.text
        assert browser.secret == before and browser.open("/admin").path == "/admin/sign-in"


@pytest.mark.parametrize(
    ("login", "may", "may_not"),
    [
        (
            ADMIN,
            {"", "/accounts", "/computers", "/grids", "/departments", "/notices", "/imports", "/backups"},
            {"/log"},
        ),
        (AUDITOR, {"/log"}, {"/accounts", "/notices", "/backups", "/grids"}),
        (CLERK, {"/notices"}, {"/accounts", "/log", "/imports", "/computers"}),
    ],
)
def test_each_role_sees_its_own_pages_only(small: Office, login: str, may: set[str], may_not: set[str]) -> None:
    with small.signed_in(login) as browser:
        first = browser.open("/admin")
        offered = {link for link in first.links() if link.startswith("/admin") and "?" not in link}
        assert {f"/admin{path}" for path in may} <= offered and not {f"/admin{path}" for path in may_not} & offered
        for path in may:
            assert browser.open(f"/admin{path}").status == 200, path
        for path in may_not:
            refused = browser.open(f"/admin{path}")
            assert refused.status == 403 and "may not do this" in refused.text, path


def test_a_form_that_was_not_made_for_this_session_is_refused(small: Office) -> None:
    with small.signed_in() as browser, small.signed_in() as other:
        form = browser.open("/admin/departments").form("/admin/departments")
        theirs = other.open("/admin/departments").form("/admin/departments")
        good = {**form.values, "name": "Fake"}
        for values, headers in (
            ({"name": "Fake"}, {}),
            ({**good, "form": ""}, {}),
            ({**good, "form": theirs.values["form"]}, {}),
            ({**good, "form": "é" * 64}, {}),
            (good, {"Origin": "https://elsewhere.example"}),
            (good, {"Origin": "null"}),
            (good, {"Sec-Fetch-Site": "cross-site"}),
        ):
            answer = browser.client.post("/admin/departments", data=values, headers=headers)
            assert answer.status_code == 403 and "not made for you" in answer.text, (values, headers)
        with small.town.street.store.read() as reader:
            assert reader.first(Organisation, name="Fake") is None
        assert browser.send(form, name="Fake").status == 200
        with small.town.street.store.read() as reader:
            assert reader.first(Organisation, name="Fake") is not None


def test_the_sign_in_form_too_is_only_taken_from_here(small: Office) -> None:
    with closing(small.browser()) as browser:
        browser.open("/admin/sign-in")
        answer = browser.client.post("/admin/sign-in", data={"login": ADMIN, "password": PASSWORD})
        assert answer.status_code == 403 and browser.open("/admin").path == "/admin/sign-in"


def test_guessing_is_slowed_for_the_account_and_for_the_caller(office: Office, tmp_path: Path) -> None:
    with closing(office.browser()) as browser:
        seen = [browser.sign_in(ADMIN, f"guess number {n}").status for n in range(6)]
        assert seen[:5] == [401] * 5 and seen[5] == 429
        right = browser.sign_in(ADMIN, PASSWORD)
        assert right.status == 429 and "locked" in right.text
        office.town.clock.pass_minutes(16)
        assert browser.sign_in(ADMIN, PASSWORD).status == 200
    with (
        town_street(tmp_path / "other") as town,
        office_of(town, Limits(enrolment_burst=3)) as slow,
        closing(slow.browser()) as browser,
    ):
        seen = [browser.sign_in(f"nobody{n}", PASSWORD) for n in range(5)]
        assert [s.status for s in seen[:3]] == [401] * 3 and seen[4].status == 429
        assert int(seen[4].answer.headers["retry-after"]) >= 1


def test_strangers_who_send_half_a_form_hold_few_places(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each held one for two minutes, as many as the server has, and desks were told to come again."""
    with town_street(tmp_path / "street") as town, office_of(town, Limits(enrolment_burst=3)) as office:
        half = b"POST /admin/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nlogin"
        unchecked = ssl.create_default_context()
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        with ExitStack() as held:
            answers = []
            for _turn in range(4):
                plain = socket.create_connection(("127.0.0.1", int(office.url.rpartition(":")[2])))
                line = held.enter_context(unchecked.wrap_socket(plain))
                line.sendall(half)
                line.settimeout(1.0 if len(answers) < 3 else 20.0)
                try:
                    answers.append(line.recv(100).split(b"\r\n")[0])
                except TimeoutError:
                    answers.append(b"waits for the rest")
        assert answers[:3] == [b"waits for the rest"] * 3 and b" 429 " in answers[3]
        with closing(office.browser()) as browser:
            assert browser.open("/admin/sign-in").status == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"], (
        "to hang up is no mistake of the program's"
    )


def test_wrong_name_and_wrong_password_are_told_alike(small: Office) -> None:
    with closing(small.browser()) as browser:
        unknown, wrong = browser.sign_in("nobody", "x" * 12), browser.sign_in(ADMIN, "x" * 12)
        assert unknown.text == wrong.text and unknown.status == wrong.status == 401


def test_a_session_begins_with_the_sign_in_so_none_can_be_planted(small: Office) -> None:
    planted = "attackers-own-secret-which-is-long-enough"
    with closing(small.browser()) as browser, closing(small.browser()) as attacker:
        browser.client.cookies.set(COOKIE, planted)
        seen = browser.sign_in(ADMIN, PASSWORD)
        assert seen.path == "/admin"
        assert {c.value for c in browser.client.cookies.jar if c.name == COOKIE} - {planted}
        attacker.client.cookies.set(COOKIE, planted)
        assert attacker.open("/admin").path == "/admin/sign-in"


def test_the_cookie_is_for_this_server_and_no_script(small: Office) -> None:
    with closing(small.browser()) as browser:
        form = browser.open("/admin/sign-in").form("/admin/sign-in")
        answer = browser.client.post(
            form.action, data={**form.values, "login": ADMIN, "password": PASSWORD}, follow_redirects=False
        )
        said = answer.headers["set-cookie"]
        assert said.startswith(f"{COOKIE}=") and "Domain" not in said
        assert all(part in said for part in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"))


def test_a_session_ends_when_nothing_is_done_and_after_a_working_day(office: Office) -> None:
    with office.signed_in() as browser:
        for _ in range(3):
            office.town.clock.pass_minutes(14)
            assert browser.open("/admin/accounts").path == "/admin/accounts"
        office.town.clock.pass_minutes(15.1)
        late = browser.open("/admin/accounts")
        assert late.path == "/admin/sign-in" and "15 minutes" in late.text and browser.secret
    with office.signed_in() as browser:
        for _ in range(42):
            office.town.clock.pass_minutes(14)
            assert browser.open("/admin/password").path == "/admin/password"
        office.town.clock.pass_minutes(13)
        assert browser.open("/admin").path == "/admin/sign-in"


def test_signing_out_ends_the_session_on_the_server(office: Office) -> None:
    with office.signed_in() as browser, closing(office.browser()) as thief:
        thief.client.cookies.set(COOKIE, browser.secret)
        assert thief.open("/admin").path == "/admin"
        out = browser.send(browser.open("/admin").form("/admin/sign-out"))
        assert out.path == "/admin/sign-in" and "signed out" in out.text
        assert thief.open("/admin").path == "/admin/sign-in"


def test_a_suspension_or_a_new_password_ends_every_session(small: Office) -> None:
    clerk = small.town.users[CLERK]
    for act in (
        lambda unit: suspend(unit, clerk),
        lambda unit: set_password(unit, clerk, PASSWORD, must_change=False, hasher=CHEAP_HASHER),
    ):
        with small.town.street.store.unit(SYSTEM) as unit:
            suspend(unit, clerk, False)
        with small.signed_in(CLERK) as browser:
            with small.town.street.store.unit(SYSTEM) as unit:
                act(unit)
            assert browser.open("/admin/notices").path == "/admin/sign-in"


def test_the_rights_are_those_of_today(small: Office) -> None:
    with small.signed_in(CLERK) as browser:
        with small.town.street.store.unit(SYSTEM) as unit:
            unit.amend(unit.get(User, small.town.users[CLERK]), role="grid_worker")
        assert browser.open("/admin/notices").path == "/admin/sign-in"


def test_a_password_given_by_somebody_else_is_replaced_first(small: Office) -> None:
    with small.town.street.store.unit(SYSTEM) as unit:
        set_password(unit, small.town.users[CLERK], PASSWORD, hasher=CHEAP_HASHER)
    with closing(small.browser()) as browser:
        seen = browser.sign_in(CLERK, PASSWORD)
        assert seen.path == "/admin/password" and "Somebody else chose" in seen.text
        assert browser.open("/admin/notices").path == "/admin/password"
        form = seen.form("/admin/password")
        differ = browser.send(form, old=PASSWORD, new=OTHER, again="another one")
        assert differ.status == 422 and "not the same" in differ.text
        weak = browser.send(form, old=PASSWORD, new="short", again="short")
        assert weak.status == 422 and "fewer than" in weak.text
        wrong = browser.send(form, old="not the old one", new=OTHER, again=OTHER)
        assert wrong.status == 422 and "is wrong" in wrong.text
        done = browser.send(form, old=PASSWORD, new=OTHER, again=OTHER)
        assert done.path == "/admin/sign-in" and "password is changed" in done.text
        assert browser.sign_in(CLERK, OTHER).path == "/admin/notices"


def test_another_server_of_the_same_street_knows_the_session(office: Office, request: pytest.FixtureRequest) -> None:
    street = office.town.street
    url = None
    if not street.store.database.is_sqlite:
        url = street.store.database.writer.url.render_as_string(hide_password=False)
    second = open_street(street.data_dir, url, office.town.clock, hasher=CHEAP_HASHER, must_exist=True)
    try:
        tls = street_tls(second)
        with (
            ServerThread(street_app(second, GENEROUS), tls=tls) as there,
            office.signed_in() as browser,
            closing(Browser(there, tls.authority)) as elsewhere,
        ):
            elsewhere.client.cookies.set(COOKIE, browser.secret)
            assert elsewhere.open("/admin/accounts").path == "/admin/accounts"
            form = browser.open("/admin/departments").form("/admin/departments")
            assert elsewhere.send(form, name="Beside").status == 200  # a form of the one is taken by the other
    finally:
        second.close()


def test_without_encryption_there_are_no_pages(small: Office) -> None:
    with (
        ServerThread(street_app(small.town.street, GENEROUS)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        for method, path in (("GET", "/admin/sign-in"), ("POST", "/admin/sign-in"), ("GET", "/admin")):
            answer = client.request(
                method, path, data={"login": ADMIN, "password": PASSWORD} if method == "POST" else None
            )
            assert answer.status_code == 403 and "encryption" in answer.text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "text/plain"),
        (b"a" * 20_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a=%d" % n for n in range(500)), "application/x-www-form-urlencoded"),
        (b"\xff\xfe=\xff", "application/x-www-form-urlencoded"),
        (b"no boundary", "multipart/form-data"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_that_is_none_is_refused_in_words(small: Office, content: bytes, kind: str) -> None:
    with small.signed_in() as browser:
        answer = browser.client.post("/admin/departments", content=content, headers={"Content-Type": kind})
        assert answer.status_code in (400, 403, 413), answer.text


def test_a_language_in_the_first_address_holds_at_the_sign_in(small: Office) -> None:
    """The way from /admin?lang=zh_CN to the form lost the language."""
    with closing(small.browser("en")) as browser:
        page = browser.open("/admin?lang=zh_CN")
        assert page.path == "/admin/sign-in" and "登录名" in page.text
        assert "登录名" in browser.open("/admin/sign-in").text
