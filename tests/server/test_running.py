"""Starting and stopping a server, in its own process where that matters."""

import logging
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from gridman.kernel.errors import Refusal
from gridman.server.run import ServerThread, Tls, serve
from gridman.services.street import hold_street_folder, open_street
from tests.support.streets import CHEAP_HASHER, town_street

SCRIPT = """
import sys
from pathlib import Path
from gridman.kernel.errors import Refusal
from gridman.server.run import serve
from gridman.services.street import hold_street_folder, open_street
folder = Path(sys.argv[1])
try:
    with hold_street_folder(folder):
        street = open_street(folder)
        serve(street, port=int(sys.argv[2]), ready=lambda url: print(url, flush=True))
        street.close()
        print("closed", flush=True)
except Refusal as refusal:
    print(refusal.code, refusal.words(), flush=True)
    sys.exit(3)
"""
ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, port: int = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_gracefully(tmp_path: Path, number: int) -> None:
    process = start(tmp_path)
    try:
        url = line_of(process)
        assert httpx.get(f"{url}/health", trust_env=False).json() == {"status": "ok"}
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out.strip(), err) == (0, "closed", "")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_server_leaves_the_folder_free_and_the_data_whole(tmp_path: Path) -> None:
    first = start(tmp_path)
    url = line_of(first)
    street_id = httpx.get(f"{url}/version", trust_env=False).json()["street_id"]
    second = start(tmp_path)
    out, _ = second.communicate(timeout=20)
    assert second.returncode == 3 and out.startswith("folder.in_use") and str(first.pid) in out
    first.kill()
    first.communicate()
    third = start(tmp_path)
    try:
        assert httpx.get(f"{line_of(third)}/version", trust_env=False).json()["street_id"] == street_id
    finally:
        third.kill()
        third.communicate()


def test_a_port_in_use_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as made, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        app = made.street
        with pytest.raises(Refusal) as caught:
            serve(app, port=taken.getsockname()[1])
    assert caught.value.code == "server.port_in_use" and "--port" in caught.value.words()


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99_999), ("127.0.0.1", -1)])
def test_an_impossible_port_is_refused(tmp_path: Path, host: str, port: int) -> None:
    with town_street(tmp_path / "street") as made, pytest.raises(Refusal) as caught:
        serve(made.street, host, port)
    assert caught.value.code == "server.bad_address"


def test_a_bad_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    with town_street(tmp_path / "street") as made, pytest.raises(Refusal) as caught:
        app = made.street
        serve(app, port=0, tls=Tls(tmp_path / "cert.pem", tmp_path / "cert.pem"))
    assert caught.value.code == "server.bad_certificate"


def certify(folder: Path) -> Tls:
    """A certificate for 127.0.0.1 that vouches for itself."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Qingshi Street")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    tls = Tls(folder / "street.pem", folder / "street-key.pem")
    tls.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    tls.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return tls


def test_with_a_certificate_the_street_is_reached_by_those_who_trust_it(tmp_path: Path) -> None:
    tls = certify(tmp_path)
    with town_street(tmp_path / "street") as made, ServerThread(made.street, tls=tls) as url:
        assert url.startswith("https://")
        trusting = ssl.create_default_context(cafile=str(tls.certificate))
        with httpx.Client(base_url=url, trust_env=False, verify=trusting) as client:
            assert client.get("/health").json() == {"status": "ok"}
        with httpx.Client(base_url=url, trust_env=False) as stranger, pytest.raises(httpx.ConnectError):
            stranger.get("/health")


def test_a_thread_starts_says_where_and_stops(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as made:
        thread = ServerThread(made.street)
        url = thread.start()
        with httpx.Client(base_url=url, trust_env=False) as client:
            assert client.get("/health").status_code == 200
            started = time.monotonic()
            thread.stop()
            assert time.monotonic() - started < 9
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health", trust_env=False)
        again = ServerThread(made.street, port=int(url.rsplit(":", 1)[1]))
        assert again.start() == url
        again.stop()


def test_a_street_whose_key_was_lost_is_not_given_another(tmp_path: Path) -> None:
    open_street(tmp_path, hasher=CHEAP_HASHER).close()
    (tmp_path / "street.key").unlink()
    with pytest.raises(Refusal) as caught:
        open_street(tmp_path, hasher=CHEAP_HASHER)
    assert caught.value.code == "street.key_missing" and not (tmp_path / "street.key").exists()


def test_a_street_keeps_its_identity_and_a_missing_one_is_not_made_by_mistake(tmp_path: Path) -> None:
    from gridman.services.street import street_picture

    with pytest.raises(Refusal) as caught:
        open_street(tmp_path / "typo", must_exist=True)
    assert caught.value.code == "street.missing" and not (tmp_path / "typo").exists()
    seen = []
    for _ in range(2):
        street = open_street(tmp_path / "a", hasher=CHEAP_HASHER)
        seen.append((street_picture(street.store).street_id, street_picture(street.store).epoch, street.key))
        street.close()
    assert seen[0] == seen[1] and all(seen[0])


def test_the_folder_is_free_again_after_the_block(tmp_path: Path) -> None:
    with hold_street_folder(tmp_path), pytest.raises(Refusal), hold_street_folder(tmp_path):
        pass
    with hold_street_folder(tmp_path):
        pass


def test_a_stop_that_cut_nothing_off_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    street = open_street(tmp_path)
    with ServerThread(street, port=0):
        log = logging.getLogger("uvicorn.error")
        for cut in (0, 2):
            log.error("Cancel %s running task(s), timeout graceful shutdown exceeded", cut)
    street.close()
    assert [r.args for r in caplog.records if "Cancel" in r.message] == [(2,)]
