"""Enrolling desks: numbers, codes, tokens, revocation."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gridman.domain.access import SYSTEM, Actor, grid_scope, incident_scope, organisation_scope
from gridman.kernel.errors import Refusal
from gridman.services import accounts, enrolment
from gridman.services.audit import verify_chain
from gridman.services.enrolment import Enrolled
from gridman.services.overview import page_desks
from gridman.services.street import open_street
from gridman.store.accounts import device_of
from gridman.store.unit import Unit
from tests.support.streets import CHEAP_HASHER, CLERK, PASSWORD, STAFF, WORKER, TownStreet


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.words() and "{" not in caught.value.words()
    return caught.value.code


def by_password(town: TownStreet, login: str = WORKER, device: str = "Counter 1") -> Enrolled:
    return enrolment.enrol(town.street.store, login, device, password=PASSWORD, hasher=CHEAP_HASHER)


def by_code(town: TownStreet, code: str, login: str = WORKER) -> Enrolled:
    return enrolment.enrol(town.street.store, login, "Counter 2", code=code)


def code_for(town: TownStreet, login: str = WORKER) -> str:
    with town.street.store.unit(SYSTEM) as unit:
        return enrolment.new_code(unit, town.users[login])


def actor(town: TownStreet, token: str) -> Actor:
    with town.street.store.read() as reader:
        return enrolment.actor_of_token(reader, token)


def test_the_first_desk_is_replica_2_and_numbers_are_never_reused(town: TownStreet) -> None:
    first, second = by_password(town), by_password(town, STAFF)
    with town.street.store.unit(SYSTEM) as unit:
        enrolment.revoke_device(unit, second.replica)
    assert [first.replica, second.replica, by_password(town).replica] == [2, 3, 4]


def test_a_desk_learns_who_it_serves_and_what_it_receives(town: TownStreet) -> None:
    enrolled = by_password(town)
    g = town.grids[0]
    assert (enrolled.user_id, enrolled.login, enrolled.name, enrolled.role) == (
        town.users[WORKER], WORKER, "Worker", "grid_worker",
    )  # fmt: skip
    own = organisation_scope(town.organisations["community"])
    assert set(enrolled.scopes) == {"ref", "map", grid_scope(g), incident_scope(g), own}
    assert enrolled.street_id and enrolled.street_epoch and enrolled.must_change_password


def test_the_token_speaks_for_the_user_on_that_device_with_todays_grids(town: TownStreet) -> None:
    worker, staff, clerk = (actor(town, by_password(town, login).token) for login in (WORKER, STAFF, CLERK))
    assert (worker.user_id, worker.role, worker.replica) == (town.users[WORKER], "grid_worker", 2)
    assert worker.grid_ids == {town.grids[0]}
    assert staff.grid_ids == set(town.grids[:2])
    assert clerk.grid_ids == frozenset()


def test_a_worker_without_a_grid_may_not_work_everywhere(town: TownStreet) -> None:
    token = by_password(town).token
    from gridman.domain.access import may
    from gridman.domain.grid import Assignment

    with town.street.store.unit(SYSTEM) as unit:
        unit.amend(unit.page(Assignment)[0], until_on="2026-11-22")
    worker = actor(town, token)
    assert not any(may(worker, "household.write", g) for g in town.grids)


def test_the_street_keeps_no_token(town: TownStreet) -> None:
    enrolled = by_password(town)
    with town.street.store.read() as reader:
        device = device_of(reader, enrolled.replica)
    assert device is not None and enrolled.token.split(".")[2] not in repr(device)


def test_forged_and_other_devices_tokens_open_nothing(town: TownStreet) -> None:
    mine, theirs = by_password(town), by_password(town, STAFF)
    secret = mine.token.split(".")[2]
    for forged in (
        f"gm1.{theirs.replica}.{secret}", f"gm1.99.{secret}", mine.token[:-1], mine.token + "A", secret, "", "gm1..", "gm1.2.",
        f"gm2.2.{secret}", "gm1.2." + "x" * 10_000, "gm1.²." + secret, "gm1.2.汉字", f"gm1.{10**30}.{secret}",
    ):  # fmt: skip
        assert refused(lambda: actor(town, forged)) == "auth.unknown_token", forged  # noqa: B023


def test_a_revoked_device_is_shut_out_and_others_are_not(town: TownStreet) -> None:
    lost, kept = by_password(town), by_password(town)
    with town.street.store.unit(SYSTEM) as unit:
        enrolment.revoke_device(unit, lost.replica)
    assert refused(lambda: actor(town, lost.token)) == "auth.device_revoked"
    assert actor(town, kept.token).replica == kept.replica


def test_a_suspended_user_is_shut_out_on_every_device(town: TownStreet) -> None:
    tokens = [by_password(town).token, by_password(town).token]
    with town.street.store.unit(SYSTEM) as unit:
        accounts.suspend(unit, town.users[WORKER])
    assert [refused(lambda t=t: actor(town, t)) for t in tokens] == ["auth.suspended"] * 2
    assert refused(lambda: by_password(town)) == "auth.suspended"


def test_a_code_enrols_once_however_it_is_typed(town: TownStreet) -> None:
    code = code_for(town)
    assert re.fullmatch(r"[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", code)
    assert by_code(town, f" {code.lower().replace('-', ' ')} ").user_id == town.users[WORKER]
    assert refused(lambda: by_code(town, code)) == "auth.wrong_password"


def test_a_code_ends_after_a_day_and_when_a_newer_one_is_made(town: TownStreet) -> None:
    old, new = code_for(town), code_for(town)
    assert refused(lambda: by_code(town, old)) == "auth.wrong_password"
    town.clock.pass_minutes(24 * 60)
    assert refused(lambda: by_code(town, new)) == "auth.wrong_password"


def test_a_code_works_for_its_user_only_and_survives_others_attempts(town: TownStreet) -> None:
    code = code_for(town)
    assert refused(lambda: by_code(town, code, STAFF)) == "auth.wrong_password"
    assert by_code(town, code).user_id == town.users[WORKER]


def test_guessing_codes_locks_the_account(town: TownStreet) -> None:
    guesses = [refused(lambda: by_code(town, "AAAA-AAAA")) for _ in range(6)]
    assert guesses == ["auth.wrong_password"] * 5 + ["auth.locked"]


def test_one_code_used_at_the_same_moment_enrols_one_desk(town: TownStreet) -> None:
    code = code_for(town)

    def attempt(_: int) -> int | str:
        try:
            return by_code(town, code).replica
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(attempt, range(4)))
    assert sorted(map(str, results)) == ["2"] + ["auth.wrong_password"] * 3


def test_desks_that_enrol_at_the_same_moment_get_different_numbers(town: TownStreet) -> None:
    with ThreadPoolExecutor(8) as pool:
        replicas = list(pool.map(lambda n: by_password(town, [WORKER, STAFF, CLERK][n % 3]).replica, range(12)))
    assert sorted(replicas) == list(range(2, 14))


def test_two_programs_on_one_street_do_not_hand_out_the_same_number(town: TownStreet) -> None:
    """The server and an administrator's command line, each with its own lock within itself only."""
    database = town.street.store.database
    url = None if database.is_sqlite else database.writer.url.render_as_string(hide_password=False)
    other = open_street(town.street.data_dir, url, town.clock, hasher=CHEAP_HASHER)
    streets = [town.street, other]

    def enrol(number: int) -> int:
        street = streets[number % 2]
        return enrolment.enrol(street.store, WORKER, "Counter", password=PASSWORD, hasher=CHEAP_HASHER).replica

    try:
        with ThreadPoolExecutor(4) as pool:
            replicas = list(pool.map(enrol, range(12)))
    finally:
        other.close()
    assert sorted(replicas) == list(range(2, 14))
    with town.street.store.read() as reader:
        assert verify_chain(reader) is None


def test_the_old_token_works_until_the_new_one_is_used(town: TownStreet) -> None:
    old = by_password(town).token
    store = town.street.store
    with store.unit(actor(town, old)) as unit:
        new = enrolment.rotate_token(unit)
    assert actor(town, old) == actor(town, new)
    enrolment.note_seen(store, actor(town, old), old)
    assert actor(town, old)
    enrolment.note_seen(store, actor(town, new), new)
    assert actor(town, new)
    assert refused(lambda: actor(town, old)) == "auth.unknown_token"


def test_a_computer_that_was_just_given_another_token_can_still_take_its_leave(town: TownStreet) -> None:
    """It was unknown: it neither handed over what it had not sent nor destroyed its records."""
    first = by_password(town)
    store = town.street.store
    with store.unit(actor(town, first.token)) as unit:
        new = enrolment.rotate_token(unit)
    with store.unit(SYSTEM) as unit:
        enrolment.revoke_device(unit, first.replica, enrolment.RETIRED, "given back")
    for token in (first.token, new):
        assert refused(lambda token=token: actor(town, token)) == "auth.device_revoked"  # type: ignore[misc]
        with store.read() as reader:
            assert enrolment.actor_of_token(reader, token, is_farewell=True).replica == first.replica


def test_a_call_under_way_does_not_end_a_token_given_out_meanwhile(
    town: TownStreet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = by_password(town)
    store, write = town.street.store, town.street.store.write
    with store.unit(actor(town, first.token)) as unit:
        second = enrolment.rotate_token(unit)
    third: list[str] = []

    def meanwhile(who: Actor, work: Callable[[Unit], None]) -> None:
        monkeypatch.setattr(store, "write", write)
        enrolment.note_seen(store, actor(town, second), second)
        with store.unit(actor(town, second)) as unit:
            third.append(enrolment.rotate_token(unit))
        write(who, work)

    monkeypatch.setattr(store, "write", meanwhile)
    enrolment.note_seen(store, actor(town, second), second)
    assert actor(town, third[0])


def test_taking_an_enrolment_back_wakes_no_code_that_another_one_ended(town: TownStreet) -> None:
    def new_code() -> str:
        town.clock.pass_minutes(1)
        with town.street.store.unit(SYSTEM) as unit:
            return enrolment.new_code(unit, town.users[WORKER])

    def take_back(token: str) -> None:
        with town.street.store.unit(actor(town, token)) as unit:
            enrolment.take_back(unit)

    first = new_code()
    take_back(by_code(town, first).token)
    used = by_code(town, first)  # it works once more
    second = new_code()
    take_back(used.token)
    assert refused(lambda: by_code(town, first)) == "auth.wrong_password"
    assert by_code(town, second)


def test_a_call_is_noted_at_most_once_a_minute(town: TownStreet) -> None:
    enrolled = by_password(town)
    me, store = actor(town, enrolled.token), town.street.store
    seen = []
    for minutes in (0, 0.5, 0.6):
        town.clock.pass_minutes(minutes)
        enrolment.note_seen(store, me, enrolled.token)
        with store.read() as reader:
            seen.append(page_desks(reader, SYSTEM)[0].device.last_seen_at)
    assert seen[0] == seen[1] < seen[2] == town.clock.now


def test_only_the_administrator_hands_out_codes_and_revokes(town: TownStreet) -> None:
    enrolled = by_password(town, STAFF)
    me, store = actor(town, enrolled.token), town.street.store
    for verb in (
        lambda u: enrolment.new_code(u, town.users[WORKER]),
        lambda u: enrolment.revoke_device(u, enrolled.replica),
        lambda u: page_desks(u, me),
    ):
        with pytest.raises(Refusal) as caught, store.unit(me) as unit:
            verb(unit)
        assert caught.value.code == "access.role"


def test_a_devices_name_is_kept_short_and_printable(town: TownStreet) -> None:
    by_password(town, device="Desk\n\x1b[31m 1\u202e " + "x" * 200)
    with town.street.store.read() as reader:
        name = page_desks(reader, SYSTEM)[0].device.name
    assert name.startswith("Desk[31m 1 xxx") and len(name) == 60


def test_enrolled_never_shows_its_token(town: TownStreet) -> None:
    enrolled = by_password(town)
    assert enrolled.token not in repr(enrolled)
    assert replace(enrolled, token="other").token == "other"
