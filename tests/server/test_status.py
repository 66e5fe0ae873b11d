"""The pages for people and monitors."""

from gridman import __version__
from gridman.kernel.clock import show_instant
from tests.server.conftest import Served
from tests.support.streets import STAFF, WORKER


def test_health_and_version_need_no_token(lasting: Served) -> None:
    assert lasting.client.get("/health").json() == {"status": "ok"}
    version = lasting.client.get("/version").json()
    assert version["version"] == __version__ and version["protocol"] == 1 and len(version["street_id"]) == 16


def test_the_status_page_speaks_both_languages_and_names_nobody(served: Served) -> None:
    for login in (WORKER, STAFF):
        served.client.get("/me/v1", headers=served.bearer(login))
    english = served.client.get("/")
    chinese = served.client.get("/", headers={"Accept-Language": "zh-CN"})
    assert "Street server" in english.text and "街道服务器" in chinese.text
    assert 'lang="zh-CN"' in chinese.text and chinese.text == served.client.get("/?lang=zh_CN").text
    for page in (english.text, chinese.text):
        assert __version__ in page and show_instant(served.town.clock.now) in page
        assert "Worker" not in page and "worker" not in page and "Counter" not in page
    assert "Enrolled computers</th><td>2<" in english.text
    assert "default-src 'none'" in english.headers["Content-Security-Policy"]


def test_unknown_addresses_and_methods_answer_in_json(lasting: Served) -> None:
    lost = lasting.client.get("/nothing/here")
    wrong = lasting.client.put("/sync/v1", content=b"")
    assert (lost.status_code, lost.json()["code"]) == (404, "http.not_found")
    assert wrong.status_code == 405 and wrong.headers["Allow"] == "POST"


def test_answers_stay_out_of_caches(lasting: Served) -> None:
    for path in ("/", "/health", "/me/v1"):
        headers = lasting.client.get(path).headers
        assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
