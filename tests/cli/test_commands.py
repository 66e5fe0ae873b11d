"""What holds for every command: help, exit codes, errors in words, language, answers for scripts."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gridman.__main__ import main
from gridman.cli import commands
from gridman.cli.commands import COMMANDS, make_parser
from gridman.cli.console import Console
from gridman.kernel import words
from gridman.kernel.progress import Cancelled
from tests.cli.town import LOGIN, PASSPHRASE, ROOT, Town, served

HEAVY = {
    "sqlalchemy",
    "shapely",
    "numpy",
    "PySide6",
    "folium",
    "pyogrio",
    "reportlab",
    "httpx",
    "starlette",
    "msgspec",
    "alembic",
}


def gridman(*argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command as a process of its own."""
    env = {**os.environ, "LANG": "C.UTF-8", **environment}
    return subprocess.run(
        [sys.executable, "-m", "gridman", *argv], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    program = f"import sys; from gridman.__main__ import main; main(['--help']); print('heavy', sorted(set(sys.modules) & {HEAVY!r}))"
    made = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout.rstrip().endswith("heavy []")
    for command in COMMANDS:
        assert f"\n    {command.name} " in made.stdout
    assert "exit codes: 0 done, 1 refused" in made.stdout


@pytest.mark.parametrize("command", [c.name for c in COMMANDS])
def test_each_command_has_help_with_examples_and_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--language", "en", command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"gridman {command}" in shown.split("examples:")[1]
    assert "exit codes:" in shown


@pytest.mark.parametrize("line", [line for c in COMMANDS for line in c.examples])
def test_the_examples_are_commands(line: str) -> None:
    program, name, *rest = shlex.split(line)
    assert program == "gridman"
    assert make_parser(name).parse_args([name, *rest]).command == name


@pytest.mark.parametrize("argv", [["frobnicate"], ["roster"], ["import"], ["demo", "--size", "huge"], ["street"], []])
def test_wrong_usage_is_exit_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--language", "en", *argv]) == 2
    assert "gridman" in "".join(capsys.readouterr())


def test_a_refusal_is_told_in_words_on_standard_error(tmp_path: Path) -> None:
    made = gridman("--language", "en", "roster", "--data", str(tmp_path), "--grid", "1", "--out", "x.pdf")
    assert (made.returncode, made.stdout) == (1, "")
    assert f"There is neither a desk nor a street in {tmp_path}. Check --data" in made.stderr
    assert "Traceback" not in made.stderr


def test_a_script_gets_the_refusal_as_json(tmp_path: Path) -> None:
    made = gridman("--json", "map", "--data", str(tmp_path))
    assert made.returncode == 1
    assert json.loads(made.stdout)["refused"] == "cli.no_folder"


def test_the_language_is_the_machines_unless_told() -> None:
    chinese = gridman("--help", LANG="zh_CN.UTF-8", LC_ALL="zh_CN.UTF-8").stdout
    english = gridman("--help", "--language", "en", LANG="zh_CN.UTF-8", LC_ALL="zh_CN.UTF-8").stdout
    assert "打开工作台窗口" in chinese
    assert "打开工作台窗口" not in english and "open the desk's window" in english


def test_the_last_language_said_is_spoken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--language", "en", "doctor", "--help", "--language=zh_CN"]) == 0
    assert "检查这台电脑" in capsys.readouterr().out


def test_an_interruption_is_exit_code_3_and_a_fault_4(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(error: BaseException) -> None:
        def work(args: object, console: object) -> int:
            raise error

        monkeypatch.setattr("gridman.cli.doctor.run", work)

    for error, code in ((KeyboardInterrupt(), 3), (Cancelled(), 3), (ZeroDivisionError("a bug"), 4)):
        stop(error)
        assert main(["--language", "en", "doctor"]) == code
    told = capsys.readouterr().err
    # Where, and of which kind; never the error's own words: they may hold what people told.
    assert "fault of gridman itself: ZeroDivisionError (" in told and "a bug" not in told


@pytest.mark.skipif(os.name == "nt", reason="there Ctrl+C is sent by a console, to all of its programs")
def test_ctrl_c_ends_watching_with_code_3(town: Town) -> None:
    port = int(json.loads((town.desk / "desk.json").read_text("utf-8"))["users"][0]["server_url"].rsplit(":", 1)[1])
    with served(town.street, port):
        command = [
            sys.executable,
            "-m",
            "gridman",
            "--language",
            "en",
            "sync",
            "--data",
            str(town.desk),
            "--login",
            LOGIN,
            "--watch",
        ]
        env = {**os.environ, "GRIDMAN_PASSPHRASE": PASSPHRASE}
        watching = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert watching.stdout is not None
        assert "sent 0, received" in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        _out, err = watching.communicate(timeout=30)
    assert watching.returncode == 3
    assert "Interrupted" in err


def test_progress_draws_a_bar_on_a_terminal_and_keeps_a_log_quiet() -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen, log = Terminal(), io.StringIO()
    for stream in (screen, log):
        console = Console(out=io.StringIO(), err=stream)
        console._started_at -= 1
        console.progress(1, 2, "Reading rows")
        console.progress(2, 2, "Reading rows")
        console.flush()
    assert "█" * 24 in screen.getvalue() and "2/2 Reading rows" in screen.getvalue()
    assert screen.getvalue().endswith("\r")
    assert log.getvalue() == ""


def test_json_leaves_nothing_else_on_standard_output(built_town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["street", "user", "list", "--data", str(built_town.street), "--json"]) == 0
    assert [line["login"] for line in json.loads(capsys.readouterr().out)] == ["admin", LOGIN]


def test_the_language_of_windows_and_unix_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert commands.spoken_here() in words.LANGUAGES
    monkeypatch.setenv("LANG", "zh_TW.UTF-8")
    assert commands.spoken_here() == "zh_CN"
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert commands.spoken_here() == "en"


def test_a_folder_that_cannot_be_made_is_told_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRIDMAN_PASSWORD", "street party 2026")
    (tmp_path / "file").write_text("in the way")
    code = main(
        ["street", "init", "--data", str(tmp_path / "file" / "street"), "--name", "Qingshi", "--admin", "admin"]
    )
    told = capsys.readouterr().err
    assert code == 1 and str(tmp_path / "file") in told and "Check that the path is right" in told
