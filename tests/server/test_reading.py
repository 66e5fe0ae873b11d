"""What a caller may read: incidents and photos of the own scopes, on both databases."""

import hashlib
import os

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.attachment import Attachment
from gridman.domain.incident import Incident
from tests.server.conftest import Served
from tests.support.streets import ADMIN, CLERK, STAFF, WORKER

PHOTO = os.urandom(5_000)
NAME = hashlib.sha256(PHOTO).hexdigest()


def report(served: Served, *grids: int) -> list[int]:
    """Incidents in these grids (by place in the town's list), held by the street."""
    town, office = served.town, served.town.organisations["street"]
    with town.street.store.unit(SYSTEM) as unit:
        made = [
            unit.create(
                Incident(
                    category="A101", description=f"No. {n}", state="01" if n % 2 else "02", grid_id=town.grids[grid], creator_id=office,
                    holder_id=office, reported_at=town.clock.now, reporter_name="Zhao Liu", reporter_phone="13812345678",
                )
            )
            for n, grid in enumerate(grids)
        ]  # fmt: skip
        unit.flush()
        unit.create(
            Attachment(
                owner_kind="incident", owner_id=made[0].id, grid_id=made[0].grid_id, sha256=NAME, size_bytes=len(PHOTO)
            )
        )
    return [incident.id for incident in made]


def ids_for(served: Served, login: str, **asked: object) -> list[int]:
    answer = served.client.get("/incidents/v1", params=asked, headers=served.bearer(login))  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [incident["id"] for incident in answer.json()["incidents"]]


def test_everyone_reads_the_incidents_of_the_own_grids(served: Served) -> None:
    made = report(served, 0, 1, 2, 0)
    assert ids_for(served, WORKER) == [made[0], made[3]]
    assert ids_for(served, STAFF) == [made[0], made[1], made[3]]
    assert ids_for(served, CLERK) == made
    assert ids_for(served, CLERK, state="01") == [made[1], made[3]]
    refused = served.client.get("/incidents/v1", headers=served.bearer(ADMIN))
    assert (refused.status_code, refused.json()["code"]) == (403, "access.role")
    assert served.client.get("/incidents/v1").status_code == 401


def test_pages_follow_each_other_without_gaps(served: Served) -> None:
    made = report(served, 0, 0, 0, 0, 0)
    bearer, found, after = served.bearer(), [], 0
    while after is not None:
        page = served.client.get("/incidents/v1", params={"after": after, "limit": 2}, headers=bearer).json()
        found += [incident["id"] for incident in page["incidents"]]
        after = page["next"]
    assert found == made


def test_incidents_go_out_without_the_reporters_person(served: Served) -> None:
    report(served, 0)
    answer = served.client.get("/incidents/v1", headers=served.bearer())
    incident = answer.json()["incidents"][0]
    assert incident["description"] == "No. 0" and incident["reported_at"] == served.town.clock.now
    assert "13812345678" not in answer.text and "Zhao" not in answer.text


def test_a_state_that_no_database_can_hold_finds_nothing(served: Served) -> None:
    report(served, 0)
    answer = served.client.get("/incidents/v1", params={"state": "\x00"}, headers=served.bearer())
    assert answer.status_code in (200, 400), answer.text


def test_a_photo_goes_up_in_pieces_and_comes_down_in_pieces(served: Served) -> None:
    report(served, 0)
    bearer, path = served.bearer(), f"/blobs/v1/{NAME}"

    def send(start: int, stop: int) -> tuple[int, str]:
        headers = {**bearer, "Upload-Offset": str(start), "Upload-Length": str(len(PHOTO))}
        answer = served.client.patch(path, content=PHOTO[start:stop], headers=headers)
        return answer.status_code, answer.headers.get("Upload-Offset", "")

    assert served.client.head(path, headers=bearer).headers["Upload-Offset"] == "0"
    assert send(0, 2_000) == (204, "2000")
    assert send(0, 2_000) == (409, "2000")
    assert served.client.head(path, headers=bearer).headers["Upload-Offset"] == "2000"
    assert served.client.get(path, headers=bearer).status_code == 404
    assert send(2_000, 5_000) == (204, "5000")
    assert send(2_000, 5_000) == (204, "5000")
    head = served.client.head(path, headers=bearer).headers
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("5000", "5000")
    whole = served.client.get(path, headers=bearer)
    assert (whole.status_code, whole.content) == (200, PHOTO)
    piece = served.client.get(path, headers={**bearer, "Range": "bytes=4000-"})
    assert (piece.status_code, piece.content, piece.headers["Content-Range"]) == (
        206,
        PHOTO[4000:],
        "bytes 4000-4999/5000",
    )
    beyond = served.client.get(path, headers={**bearer, "Range": "bytes=5000-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, "bytes */5000")


def test_a_damaged_photo_is_refused_and_starts_over(served: Served) -> None:
    report(served, 0)
    bearer, path = served.bearer(), f"/blobs/v1/{NAME}"
    headers = {**bearer, "Upload-Offset": "0", "Upload-Length": "5000"}
    answer = served.client.patch(path, content=bytes(5_000), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "blob.damaged")
    assert served.client.patch(path, content=PHOTO, headers=headers).status_code == 204


def test_photos_of_other_grids_do_not_exist(served: Served) -> None:
    report(served, 2)
    path = f"/blobs/v1/{NAME}"
    headers = {**served.bearer(WORKER), "Upload-Offset": "0", "Upload-Length": "5000"}
    assert served.client.patch(path, content=PHOTO, headers=headers).json()["code"] == "blob.missing"
    assert served.client.head(path, headers=headers).status_code == 404
    assert served.client.head(path, headers=served.bearer(CLERK)).status_code == 200


@pytest.mark.parametrize("total", ["0", "99999999999"])
def test_absurd_sizes_are_refused(lasting: Served, total: str) -> None:
    report(lasting, 0)
    headers = {**lasting.bearer(), "Upload-Offset": "0", "Upload-Length": total}
    assert lasting.client.patch(f"/blobs/v1/{NAME}", content=b"", headers=headers).status_code == 413
