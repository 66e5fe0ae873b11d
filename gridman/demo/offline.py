"""The hours without a network: the worker's round, three incidents, and one household edited on two desks at once."""

import io
import json
import random
from collections.abc import Mapping
from typing import Any

from gridman.demo.account import Account
from gridman.demo.clock import DayClock
from gridman.demo.desks import synchronise
from gridman.demo.stage import CLERK, WORKER
from gridman.demo.state import DayState
from gridman.domain import codes
from gridman.domain.building import Building
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.visit import Visit
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.services.conflicts import open_conflicts
from gridman.services.desk import Desk
from gridman.services.households import HouseholdQuery, amend_household, household_ids, household_rows
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.photos import PhotoDraft
from gridman.services.visits import VisitDraft, due_households, log_visit
from gridman.store.outbox import waiting_count

__all__ = ["check_merge", "edit_apart", "lose_network", "report_three", "visit_round"]

ROUND = 24
_NOTES = {
    "1": (
        "老人精神好，暖气正常。",
        "一切平安，已提醒关闭燃气阀门。",
        "家中整洁，近期无需求。",
        "与老人聊家常半小时，血压稳定。",
    ),
    "2": ("暖气片不热，请物业检查。", "想申请居家助餐服务。", "询问高龄津贴办理流程。"),
    "3": ("敲门无人应答，已留便条，晚上再访。",),
    "6": ("厨房有燃气味，已开窗并上报。",),
}
_OUTCOMES = "1111111121112111131112111116"
_INCIDENTS = (
    ("A702", "楼道内有电动自行车飞线充电，占用消防通道。", "1"),
    ("A801", "垃圾桶旁堆放建筑垃圾，约三立方米，影响通行。", "0"),
    ("A810", "路面井盖松动，车辆经过有响声，有安全隐患。", "1"),
)


def lose_network(desk: Desk, account: Account) -> None:
    """The street server is gone: a synchronisation says so, and nothing is lost by trying."""
    try:
        desk.synchronise()
    except Refusal as refusal:
        account.check(refusal.code.startswith("sync."), _("the desk says: {words}").format(words=refusal.words()))
    else:
        account.check(False, _("the network is down, but a synchronisation succeeded"))


def visit_round(desk: Desk, clock: DayClock, state: DayState, account: Account, seed: int) -> None:
    """The worker visits what is due, in walking order; a killed demonstration goes on with the next household."""
    chance = random.Random(seed)
    if "round" not in state.facts:
        with desk.store.read() as reader:
            due = due_households(reader, sorted(desk.actor.grid_ids), state.day, ROUND)
        state.facts["round"] = [row.household_id for row in sorted(due, key=lambda r: r.walk_order)]
        state.save(clock())
    planned: list[int] = state.facts["round"]
    photos = _photos(state.day)
    for number, household_id in enumerate(planned):
        outcome = _OUTCOMES[number % len(_OUTCOMES)]
        draft = VisitDraft(
            household_id=household_id,
            outcome=outcome,
            kind="02" if number % 3 else "01",
            needs="c;i" if outcome == "2" else ("g" if outcome == "6" else ""),
            note=chance.choice(_NOTES[outcome]),
            photos=[photos[number % len(photos)]] if number % 8 == 1 else [],
        )
        at = clock.until(8 + (30 + number * 18) // 60, (30 + number * 18) % 60)
        with desk.store.read() as reader:
            is_logged = reader.first(Visit, household_id=household_id, user_id=desk.actor.user_id) is not None
        if not is_logged:
            with desk.store.unit(desk.actor) as unit:
                log_visit(unit, draft, desk.blobs)
        account.progress(number + 1, len(planned), show_instant(at))
    with desk.store.read() as reader:
        done = reader.page(Visit, user_id=desk.actor.user_id, limit=1_000)
    counts = {codes.word("visit_outcome", o): sum(v.outcome == o for v in done) for o in "1236"}
    account.equal(len(done), len(planned), _("{n} visits logged without a network").format(n=len(done)))
    account.say(", ".join(f"{word}: {n}" for word, n in counts.items() if n))


def _photos(day: str) -> list[PhotoDraft]:
    """Three drawn pictures: nobody's home is shown."""
    from PIL import Image, ImageDraw

    made = []
    for number, (sky, wall) in enumerate(
        (((186, 209, 226), (205, 189, 166)), ((222, 214, 196), (168, 178, 160)), ((200, 205, 212), (190, 160, 150)))
    ):
        picture = Image.new("RGB", (1600, 1200), sky)
        pen = ImageDraw.Draw(picture)
        pen.rectangle((0, 820, 1600, 1200), fill=(120, 122, 118))
        for tower in range(3):
            left = 120 + tower * 500 - number * 30
            pen.rectangle((left, 260 + tower * 60, left + 360, 860), fill=wall)
            for row in range(7):
                for column in range(4):
                    x, y = left + 30 + column * 80, 290 + tower * 60 + row * 76
                    if y < 820:
                        pen.rectangle(
                            (x, y, x + 48, y + 46),
                            fill=(96, 116, 132) if (row + column + number) % 3 else (240, 220, 150),
                        )
        data = io.BytesIO()
        exif = Image.Exif()
        exif[306] = f"{day.replace('-', ':')} 09:{10 + number}:00"
        picture.save(data, "JPEG", quality=88, exif=exif)
        made.append(PhotoDraft(data.getvalue(), f"photo{number + 1}.jpg"))
    return made


def report_three(desk: Desk, clock: DayClock, state: DayState, account: Account) -> None:
    """Three incidents at real places of the worker's grid, one with a photo."""
    grid_id = min(desk.actor.grid_ids)
    with desk.store.read() as reader:
        buildings = reader.page(Building, grid_id=grid_id, limit=200)
        known = {i.description for i in reader.page(Incident, reporter_id=desk.actor.user_id)}
    for number, (category, description, urgency) in enumerate(_INCIDENTS):
        clock.until(16, number * 12)
        building = buildings[(number * 7 + 2) % len(buildings)]
        if description not in known:
            draft = IncidentDraft(
                category, description, place=f"{building.compound}{building.number}号楼旁", lng=building.lng, lat=building.lat,
                grid_id=grid_id, urgency=urgency, photos=_photos(state.day)[:1] if number == 0 else [],
            )  # fmt: skip
            with desk.store.unit(desk.actor) as unit:
                report_incident(unit, draft, desk.blobs)
    with desk.store.read() as reader:
        reported = reader.page(Incident, reporter_id=desk.actor.user_id, order_by=("reported_at", "id"))
    account.equal(len(reported), len(_INCIDENTS), _("three incidents reported with a place on the map"))
    account.say(", ".join(f"{i.number} {codes.word('incident_category', i.category)}" for i in reported))
    state.facts["incidents"] = [i.id for i in reported]


def edit_apart(desks: Mapping[str, Desk], clock: DayClock, state: DayState, account: Account) -> None:
    """The worker corrects two households; the clerk edits one of the same, both without a network."""
    worker, clerk = desks[WORKER], desks[CLERK]
    if "shared" not in state.facts:
        with worker.store.read() as reader:
            ids = household_ids(reader, HouseholdQuery(grid_ids=sorted(worker.actor.grid_ids)))
            rows = [r for r in household_rows(reader, list(ids[:40])) if r.people_count]
        state.facts["shared"], state.facts["other"] = rows[3].id, rows[9].id
        state.save(clock())
    shared, other = state.facts["shared"], state.facts["other"]
    clock.until(16, 40)
    _amend(worker, shared, phones="13900990101", remark="已核对：住户换了手机号。")
    _amend(worker, other, needs_note="冬季取暖困难，需联系供热单位。", is_rented=False)
    clock.until(16, 55)
    _amend(clerk, shared, phones="13900990202", plate_numbers="京A·D0101")
    account.say(
        _(
            "worker: phone and remark of {number}; clerk, at another desk: phone and vehicle of the same household"
        ).format(number=_household(worker, shared).number)
    )
    with worker.store.read() as reader:
        waiting = waiting_count(reader)
    account.check(waiting > 0, _("{n} operations wait on the worker's desk").format(n=waiting))


def _amend(desk: Desk, household_id: int, **values: Any) -> None:
    with desk.store.unit(desk.actor) as unit:
        amend_household(unit, household_id, values)


def _household(desk: Desk, household_id: int) -> Household:
    with desk.store.read() as reader:
        return reader.get(Household, household_id)


def check_merge(desks: Mapping[str, Desk], clock: DayClock, state: DayState, account: Account) -> None:
    """Both synchronise; the fields merge, the one real conflict is kept with both values on both desks."""
    clock.until(17, 20)
    synchronise(desks, (WORKER, CLERK, WORKER), account)
    shared = state.facts["shared"]
    for login in (WORKER, CLERK):
        merged = _household(desks[login], shared)
        account.equal(
            (merged.remark, merged.plate_numbers, merged.phones),
            ("已核对：住户换了手机号。", "京A·D0101", "13900990202"),
            _("{login}: remark from the worker, vehicle from the clerk, the later phone number stands").format(
                login=login
            ),
        )
        with desks[login].store.read() as reader:
            kept = [c for c in reader.page(Conflict, resolved_at=None) if c.record_id == shared]
            lines = [line for line in open_conflicts(reader) if line.conflict.record_id == shared]
            waiting = waiting_count(reader)
        values = [(c.field, json.loads(c.kept or "null"), json.loads(c.lost or "null")) for c in kept]
        account.equal(
            values, [("phones", "13900990202", "13900990101")],
            _("{login}: one conflict, both values kept for review").format(login=login),
        )  # fmt: skip
        account.equal(waiting, 0, _("{login}: everything acknowledged by the street").format(login=login))
        if login == WORKER:
            account.say(
                f"{lines[0].field_label}: {lines[0].kept_words} ({lines[0].kept_by}) / {lines[0].lost_words} ({lines[0].lost_by})"
            )
