"""Who is believed: the street of the code's fingerprint, over TLS, and nobody else. Real sockets, real certificates."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from gridman.domain.access import SYSTEM
from gridman.joining import enrol_desk
from gridman.kernel.clock import system_clock
from gridman.kernel.errors import Refusal
from gridman.kernel.files import write_whole
from gridman.server import certificates
from gridman.server.certificates import Tls, hosts_here, make_authority, make_leaf, street_tls
from gridman.server.run import ServerThread, serve
from gridman.services.enrolment import new_code
from gridman.services.signin import desk_users
from gridman.services.trust import (
    Invitation,
    desk_authority,
    fingerprint_of,
    kept_authority,
    read_invitation,
    sealing_password,
)
from gridman.sync.http import HttpStreet, fetch_authority
from gridman.sync.protocol import PROTOCOL, Hello
from tests.support.streets import PASSWORD, WORKER, TownStreet, town_street

DAY = 86_400_000
PASS = "a quiet morning"


@dataclass
class Safe:
    """A street served over TLS, and a second street with an authority of its own, which stands for whoever sits in between."""

    town: TownStreet
    tls: Tls
    url: str

    def code(self) -> str:
        with self.town.street.store.unit(SYSTEM) as unit:
            return new_code(unit, self.town.users[WORKER])

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.tls.authority)


@contextmanager
def serving(folder: Path) -> Iterator[Safe]:
    with town_street(folder) as town:
        tls = street_tls(town.street)
        with ServerThread(town.street, tls=tls) as url:
            yield Safe(town, tls, url)


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Safe]:
    with serving(tmp_path_factory.mktemp("safe") / "street") as made:
        yield made


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Safe]:
    with serving(tmp_path_factory.mktemp("stranger") / "street") as made:
        yield made


def refused(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.words() and "{" not in caught.value.words()
    return caught.value


def greet(url: str, authority: bytes) -> object:
    street = HttpStreet(url, "gm1.2.x", authority)
    try:
        return street.greet(Hello(PROTOCOL, 2))
    finally:
        street.close()


def test_the_streets_own_authority_is_believed(safe: Safe) -> None:
    assert safe.url.startswith("https://")
    assert fetch_authority(safe.url) == safe.tls.authority
    assert refused(lambda: greet(safe.url, safe.tls.authority)).code == "auth.unknown_token"  # it was reached and spoke


def test_another_authority_is_refused(safe: Safe, stranger: Safe) -> None:
    assert refused(lambda: greet(safe.url, stranger.tls.authority)).code == "sync.untrusted"


def test_without_an_authority_nobody_is_believed_not_even_who_the_machine_believes(safe: Safe) -> None:
    assert refused(lambda: greet(safe.url, b"")).code == "sync.untrusted"


def leaf_tls(safe: Safe, folder: Path, hosts: tuple[str, ...], now: int, days: int = 730) -> Tls:
    """Another certificate of the same authority."""
    with safe.town.street.store.read() as reader:
        authority = kept_authority(reader)
    assert authority is not None
    file = folder / "server.pem"
    write_whole(file, make_leaf(authority, sealing_password(safe.town.street.key), hosts, now, days))
    return replace(safe.tls, certificate=file)


def test_an_ended_certificate_is_refused_and_says_that_the_clock_may_be_wrong(safe: Safe, tmp_path: Path) -> None:
    ended = leaf_tls(safe, tmp_path, ("127.0.0.1",), system_clock() - 10 * DAY, days=9)
    with ServerThread(safe.town.street, tls=ended) as url:
        refusal = refused(lambda: greet(url, safe.tls.authority))
    assert refusal.code == "sync.untrusted" and "clock" in refusal.words()


def test_a_certificate_for_another_host_is_refused_and_says_so(safe: Safe, tmp_path: Path) -> None:
    elsewhere = leaf_tls(safe, tmp_path, ("street.example",), system_clock())
    with ServerThread(safe.town.street, tls=elsewhere) as url:
        refusal = refused(lambda: greet(url, safe.tls.authority))
    assert refusal.code == "sync.untrusted" and "--host" in refusal.words()


def test_a_code_enrols_a_desk_that_believes_this_street_only(safe: Safe, stranger: Safe, tmp_path: Path) -> None:
    typed = Invitation(safe.code(), safe.fingerprint).words
    desk = enrol_desk(tmp_path, safe.url, WORKER, PASS, code=typed.lower().replace("-", " "))
    try:
        assert desk_authority(desk.store) == safe.tls.authority
        assert desk.synchronise().complete
    finally:
        desk.close()


def test_a_scanned_code_names_the_server_itself(safe: Safe, tmp_path: Path) -> None:
    link = Invitation(safe.code(), safe.fingerprint, safe.url).link(safe.tls.authority)
    desk = enrol_desk(tmp_path, "", WORKER, PASS, code=link)
    try:
        assert desk.profile.server_url == safe.url and desk.synchronise().complete
    finally:
        desk.close()


def test_who_sits_in_between_with_an_authority_of_his_own_gets_no_code(
    safe: Safe, stranger: Safe, tmp_path: Path
) -> None:
    code = safe.code()
    typed, link = Invitation(code, safe.fingerprint).words, Invitation(code, "", stranger.url).link(safe.tls.authority)
    for shown in (typed, link):
        refusal = refused(lambda: enrol_desk(tmp_path, stranger.url, WORKER, PASS, code=shown))  # noqa: B023
        assert refusal.code == "sync.untrusted"
    assert desk_users(tmp_path) == () and stranger_was_not_asked(stranger)
    enrol_desk(tmp_path, safe.url, WORKER, PASS, code=typed).close()  # the code was never used up


def stranger_was_not_asked(stranger: Safe) -> bool:
    from gridman.store.accounts import account_of_user

    with stranger.town.street.store.read() as reader:
        account = account_of_user(reader, stranger.town.users[WORKER])
    return account is not None and account.failed_count == 0


def test_who_shows_the_right_authority_but_has_not_its_key_gets_no_code(
    safe: Safe, stranger: Safe, tmp_path: Path
) -> None:
    lying = replace(stranger.tls, authority=safe.tls.authority)
    with ServerThread(stranger.town.street, tls=lying) as url:
        typed = Invitation(safe.code(), safe.fingerprint).words
        assert refused(lambda: enrol_desk(tmp_path, url, WORKER, PASS, code=typed)).code == "sync.untrusted"
    assert stranger_was_not_asked(stranger)


def test_with_a_password_the_fingerprint_is_shown_and_must_be_confirmed(
    safe: Safe, stranger: Safe, tmp_path: Path
) -> None:
    def enrol(url: str, fingerprint: str) -> None:
        enrol_desk(tmp_path, url, WORKER, PASS, password=PASSWORD, fingerprint=fingerprint).close()

    asked = refused(lambda: enrol(safe.url, ""))
    assert asked.code == "enrol.confirm_street" and asked.params["fingerprint"] == safe.fingerprint
    assert refused(lambda: enrol(stranger.url, safe.fingerprint)).code == "sync.untrusted"
    assert refused(lambda: enrol(safe.url, safe.fingerprint[:-1])).code == "sync.untrusted"
    enrol(safe.url, safe.fingerprint)
    assert [u.login for u in desk_users(tmp_path)] == [WORKER]


def test_a_bare_code_over_tls_needs_the_fingerprint_too(safe: Safe, tmp_path: Path) -> None:
    assert (
        refused(lambda: enrol_desk(tmp_path, safe.url, WORKER, PASS, code=safe.code())).code == "enrol.confirm_street"
    )


def test_a_desk_is_not_led_to_another_server_later(safe: Safe, stranger: Safe, tmp_path: Path) -> None:
    from gridman.joining import sign_in_desk
    from gridman.services.signin import update_profile

    enrol_desk(tmp_path, safe.url, WORKER, PASS, code=Invitation(safe.code(), safe.fingerprint).words).close()
    update_profile(tmp_path, WORKER, server_url=stranger.url)
    desk = sign_in_desk(tmp_path, WORKER, PASS)
    try:
        assert refused(desk.synchronise).code == "sync.untrusted"
    finally:
        desk.close()


def test_addresses_without_encryption_are_for_this_computer_only(tmp_path: Path, safe: Safe) -> None:
    for url in ("http://192.0.2.7:8750", "http://street.example"):
        assert refused(lambda: enrol_desk(tmp_path, url, WORKER, PASS, password=PASSWORD)).code == "sync.no_encryption"  # noqa: B023
    assert refused(lambda: serve(safe.town.street, "0.0.0.0", 0)).code == "server.plain_http"


def test_certificates_say_what_they_may_do(safe: Safe) -> None:
    authority = x509.load_pem_x509_certificate(safe.tls.authority)
    leaf = x509.load_pem_x509_certificate(safe.tls.certificate.read_bytes())
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    years = (authority.not_valid_after_utc - authority.not_valid_before_utc).days / 365.25
    assert 9.9 < years < 10.1
    assert {"localhost", "127.0.0.1", "::1"} <= set(safe.tls.hosts)


def test_the_certificate_is_kept_renewed_in_time_and_learns_names(tmp_path: Path) -> None:
    now = system_clock()
    with town_street(tmp_path / "street") as town:
        first = street_tls(town.street, clock=lambda: now)
        before = first.certificate.read_bytes()
        assert street_tls(town.street, clock=lambda: now + 690 * DAY).certificate.read_bytes() == before
        renewed = street_tls(town.street, clock=lambda: now + 701 * DAY)
        assert renewed.certificate.read_bytes() != before and renewed.authority == first.authority
        assert renewed.ends_at > first.ends_at + 600 * DAY
        named = street_tls(town.street, ["Street.Example", "192.0.2.7", "街道.example"], clock=lambda: now + 701 * DAY)
        assert {"street.example", "192.0.2.7", "127.0.0.1"} <= set(named.hosts) and any(
            h.startswith("xn--") for h in named.hosts
        )
        again = street_tls(town.street, clock=lambda: now + 701 * DAY)
        assert again.hosts == named.hosts  # what it learnt it keeps
        for bad in ("https://x", "a b", "", "x:8750"):
            assert refused(lambda: street_tls(town.street, [bad])).code == "certificate.bad_host"  # noqa: B023


def test_a_damaged_certificate_file_is_made_anew_by_the_same_authority(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as town:
        first = street_tls(town.street)
        whole = first.certificate.read_bytes()
        for content in (b"", whole[:300], whole[: len(whole) // 2], whole.replace(b"PRIVATE", b"PRIVATF")):
            first.certificate.write_bytes(content)
            again = street_tls(town.street)
            assert again.authority == first.authority
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(again.certificate, password=again.password)


def test_private_keys_lie_nowhere_in_the_open(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as town:
        tls = street_tls(town.street)
        with town.street.store.read() as reader:
            authority = kept_authority(reader)
    assert authority is not None
    for content in (authority.sealed_key, tls.certificate.read_bytes()):
        assert (
            b"ENCRYPTED PRIVATE KEY" in content and b"BEGIN PRIVATE KEY" not in content and b"BEGIN EC" not in content
        )


def test_two_servers_agree_on_one_authority(tmp_path: Path) -> None:
    from gridman.services.trust import keep_authority

    with town_street(tmp_path / "street") as town:
        kept = [keep_authority(town.street.store, make_authority(b"x", system_clock())) for _ in range(2)]
    assert kept[0] == kept[1]


def test_a_fingerprint_is_stable_and_tells_authorities_apart() -> None:
    one, other = (make_authority(b"x", system_clock()).certificate for _ in range(2))
    assert fingerprint_of(one) == fingerprint_of(one) != fingerprint_of(other)
    assert len(fingerprint_of(one).replace("-", "")) == 12


@pytest.mark.parametrize(
    "text",
    ["", "ABCD", "ABCD-2345-6", "gridman://enrol?code=ABCD-2345", "gridman://other?url=https://x&code=ABCD2345&ca=" + "0" * 64,
     "gridman://enrol?url=https://x&code=ABCD2345&ca=zz", "gridman://[", "汉字" * 10],
)  # fmt: skip
def test_what_is_no_code_is_told_before_anything_is_sent(text: str) -> None:
    assert refused(lambda: read_invitation(text)).code == "enrol.code_malformed"


def test_a_server_for_every_address_is_certified_for_this_machines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hosts_here("192.0.2.7") == ["192.0.2.7"] and hosts_here("street.example") == ["street.example"]
    # The real one asks the operating system for the way to an address outside, which no test may look for.
    monkeypatch.setattr(
        certificates, "_towards", lambda family, address: "2001:db8::7%eth0" if ":" in address else "198.51.100.7"
    )
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    found = hosts_here("0.0.0.0")
    assert {"localhost", "198.51.100.7", "2001:db8::7"} <= set(found) and "0.0.0.0" not in found


def test_a_server_without_tls_has_no_authority_to_show(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as town, ServerThread(town.street) as url:
        answer = httpx.get(f"{url}/ca", trust_env=False)
        assert answer.status_code == 404 and answer.json()["code"] == "http.no_authority"


def test_a_caller_who_speaks_no_tls_does_not_disturb_the_server(safe: Safe) -> None:
    host, port = safe.url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10)
        wire.settimeout(5)
        with suppress(OSError):
            wire.recv(100)
    assert refused(lambda: greet(safe.url, safe.tls.authority)).code == "auth.unknown_token"


def test_a_server_with_an_idle_desk_on_the_line_stops_at_once(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as town:
        tls = street_tls(town.street)
        thread = ServerThread(town.street, tls=tls)
        street = HttpStreet(thread.start(), "gm1.2.x", tls.authority)
        try:
            assert refused(lambda: street.greet(Hello(PROTOCOL, 2))).code == "auth.unknown_token"
            started = time.monotonic()
            thread.stop()
            assert time.monotonic() - started < 9
        finally:
            street.close()
