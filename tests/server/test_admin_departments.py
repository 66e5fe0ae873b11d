"""Departments on the street's pages and at the command line: another name, and retiring one that holds nothing."""

import json
from typing import Any

import pytest

from gridman.__main__ import main
from gridman.domain.access import SYSTEM
from gridman.domain.organisation import Organisation
from gridman.services.accounts import create_user
from tests.server.office import Office, office, small
from tests.support.streets import CHEAP_HASHER

__all__ = ["office", "small"]


def department(office: Office, name: str) -> Organisation | None:
    with office.town.street.store.read() as reader:
        return reader.first(Organisation, name=name, is_department=True)


def test_a_department_is_renamed_and_retired_on_its_page(office: Office) -> None:
    with office.signed_in() as browser:
        page = browser.open("/admin/departments")
        browser.send(page.form("/admin/departments"), name="Law enforcement")
        made = department(office, "Law enforcement")
        assert made is not None
        with office.town.street.store.unit(SYSTEM) as unit:
            user = create_user(unit, "officer", "Officer", "department_user", made, hasher=CHEAP_HASHER)
        here = f"/admin/departments/{made.id}"
        assert here in browser.open("/admin/departments").links()
        page = browser.open(here)
        taken = browser.send(page.form(f"{here}/rename"), name="Community 1")
        assert taken.status == 422 and "already" in taken.text
        assert "new name" in browser.send(page.form(f"{here}/rename"), name="City management").text
        assert browser.send(page.form(f"{here}/retire"), reason="").status == 422
        refused = browser.send(page.form(f"{here}/retire"), reason="merged")
        assert refused.status == 422 and "officer" in refused.text and "another organisation" in refused.text
        with office.town.street.store.unit(SYSTEM) as unit:
            unit.amend(unit.get(type(user), user.id), organisation_id=office.town.organisations["street"])
        done = browser.send(page.form(f"{here}/retire"), reason="merged")
        assert done.path == "/admin/departments" and "merged" in done.text and here not in done.links()
        assert "It is retired: merged" in browser.open(here).text
        street = f"/admin/departments/{office.town.organisations['street']}"
        assert not [f for f in browser.open(street).forms if f.action.startswith(street)]
        assert browser.open("/admin/departments/123").status == 404


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["--json", "--language", "en", "street", "department", *argv]) == code
    return json.loads(capsys.readouterr().out or "null")


def test_the_commands_do_the_same(small: Office, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", str(small.town.street.data_dir))
    told(capsys, "add", *data, "--name", "Law enforcement")
    assert (
        told(capsys, "rename", *data, "--name", "Law enforcement", "--to", "City management")["name"]
        == "City management"
    )
    assert told(capsys, "retire", *data, "--name", "City management", "--reason", "merged")["reason"] == "merged"
    assert department(small, "City management") is None
    told(capsys, "retire", *data, "--name", "City management", "--reason", "again", code=1)
