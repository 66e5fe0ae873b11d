"""A street's server as a process of its own, over HTTPS, as an office runs it; and how much memory it takes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["StreetProcess", "street_process"]

_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class StreetProcess:
    """The running command and its address."""

    url: str
    process: "subprocess.Popen[str]"

    def memory_mb(self) -> float:
        """Resident memory of the server and its workers; 0 where the system does not tell (only Linux does here)."""
        return sum(_resident_kb(p) for p in [self.process.pid, *_children(self.process.pid)]) / 1_000


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task")
    if not found.exists():
        return []
    return [int(p) for task in found.iterdir() for p in (task / "children").read_text().split()]


@contextmanager
def street_process(folder: Path, *arguments: str) -> Iterator[StreetProcess]:
    """`gridman street` on `folder` with these arguments more, on any free port of 127.0.0.1; it has to end well when told to."""
    command = [sys.executable, "-m", "gridman", "--json", "street", "--data", str(folder), "--port", "0", *arguments]
    with (folder / "said.txt").open("w+", encoding="utf-8") as told:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=told, text=True)
        assert process.stdout is not None
        try:
            said = ""
            while not said.endswith("}\n") and (line := process.stdout.readline()):
                said += line
            assert "address" in said, said + (folder / "said.txt").read_text("utf-8")
            yield StreetProcess(str(json.loads(said)["address"]), process)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
    assert process.returncode == 0, (folder / "said.txt").read_text("utf-8")
