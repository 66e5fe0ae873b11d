"""What is counted while the server runs, in the text format of Prometheus
(https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). Nothing here names a person, a device or a record.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["CONTENT_TYPE", "Traffic", "family"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Traffic:
    """Calls and operations since the server's start. Operations are counted from threads, calls on the event loop. `worker`: which of several
    processes behind one address this is, a label of all that it counts; empty when it is the only one.
    """

    def __init__(self, worker: str = "") -> None:
        self.own = {"worker": worker} if worker else {}
        self.running = 0
        self._calls: Counter[tuple[str, str, int]] = Counter()
        self._slots: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()
        self._operations: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count_call(self, method: str, path: str, status: int, seconds: float) -> None:
        """A call was answered. `path`: the address as declared, not as called."""
        self._calls[method, path, status] += 1
        self._slots.setdefault(path, [0] * (len(_BOUNDS_S) + 1))[bisect_left(_BOUNDS_S, seconds)] += 1
        self._seconds[path] += seconds  # type: ignore[assignment]

    def count_operation(self, outcome: str) -> None:
        """An operation of a desk was taken in with this outcome."""
        with self._lock:
            self._operations[outcome] += 1

    def lines(self) -> Iterable[str]:
        """The counts as text."""
        yield from family(
            "gridman_requests_total", "counter", "Calls answered, by address and status.",
            [({"method": m, "path": p, "status": str(s), **self.own}, n) for (m, p, s), n in sorted(self._calls.items())],
        )  # fmt: skip
        yield from family("gridman_requests_running", "gauge", "Calls under way.", [(self.own, self.running)])
        yield from self._durations()
        with self._lock:
            operations = sorted(self._operations.items())
        yield from family(
            "gridman_operations_total", "counter", "Operations of desks taken in, by outcome.",
            [({"outcome": o, **self.own}, n) for o, n in operations],
        )  # fmt: skip

    def _durations(self) -> Iterable[str]:
        name = "gridman_request_seconds"
        yield f"# HELP {name} Time from a call's beginning to the end of its answer."
        yield f"# TYPE {name} histogram"
        for path, slots in sorted(self._slots.items()):
            total = 0
            for bound, count in zip((*map(str, _BOUNDS_S), "+Inf"), slots, strict=True):
                total += count
                yield f"{name}_bucket{_labels({'path': path, 'le': bound, **self.own})} {total}"
            yield f"{name}_sum{_labels({'path': path, **self.own})} {self._seconds[path]:.6f}"
            yield f"{name}_count{_labels({'path': path, **self.own})} {total}"


def family(name: str, kind: str, meaning: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Iterable[str]:
    """One metric with its samples (labels, value)."""
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield f"{name}{_labels(labels)} {value:g}" if isinstance(value, float) else f"{name}{_labels(labels)} {value}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    quoted = (value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for value in labels.values())
    return "{" + ",".join(f'{name}="{value}"' for name, value in zip(labels, quoted, strict=True)) + "}"
