"""The only door out of the GUI thread. One writer thread, a few readers; results come back by one signal of one object that lives
in the GUI thread, so every callback runs there.

`ask` reads, `do` writes, `keep` does store work that is no unit (drafts, settings), `run` is long work with progress and cancel, `fetch`
brings what a person waits to see, `listen` waits for what comes from elsewhere.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot
from shiboken6 import isValid

from gridman.kernel.errors import Refusal
from gridman.kernel.files import os_trouble
from gridman.kernel.log import get_log
from gridman.kernel.progress import Cancelled
from gridman.ui.jobs import Failure, Job

__all__ = ["Background", "DeskLike", "Failure", "Job", "install_excepthook"]

_log = get_log(__name__)
_READERS = 2


class DeskLike(Protocol):
    """What the background needs of a desk: its store and who is signed in."""

    @property
    def store(self) -> Any: ...

    @property
    def actor(self) -> Any: ...


class Background(QObject):
    """See the module. Lives in the GUI thread; all its signals are emitted there."""

    changed = Signal(object)  # Changes of a committed unit or a finished synchronisation
    refused = Signal(object)  # a Refusal nobody took
    failed = Signal(object)  # Failure: a bug
    ended = Signal(object)  # the Refusal after which there is no desk any more: the street removed this computer
    work_changed = Signal(object)  # Job of `run`: begun, went on, over
    _arrived = Signal(object)  # the one signal that crosses threads

    def __init__(self, desk: DeskLike | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk: Any = desk
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="desk-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="desk-reader")
        self._long = ThreadPoolExecutor(1, thread_name_prefix="desk-long")
        self._ear = ThreadPoolExecutor(1, thread_name_prefix="desk-ear")
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="desk-hands")
        self._listening: Job | None = None
        self._jobs: dict[int, Job] = {}
        self._latest: dict[tuple[Any, ...], int] = {}
        self._count = 0
        self._is_closed = False
        self._arrived.connect(self._take)

    def ask(
        self,
        fn: Callable[..., Any],
        *args: Any,
        then: Callable[[Any], None] | None = None,
        refused: Callable[[Refusal], None] | None = None,
        key: str = "",
        **named: Any,
    ) -> Job:
        """Call ``fn(reader, *args, **named)`` on a reader thread; ``then(result)`` in the GUI thread.

        ``key``: only the newest question with this key and the same receiver is answered (typing in a search box).
        """

        def work(job: Job) -> None:
            if self._is_outdated(job):
                return
            with self._desk.store.read() as reader:
                job.result = fn(reader, *args, **named)

        job = Job("ask", then, refused)
        if key:
            job.key = (id(getattr(then, "__self__", None)), key)
        return self._start(self._readers, job, work)

    def do(
        self,
        fn: Callable[..., Any],
        *args: Any,
        then: Callable[[Any], None] | None = None,
        refused: Callable[[Refusal], None] | None = None,
        **named: Any,
    ) -> Job:
        """Call ``fn(unit, *args, **named)`` as the signed-in user on the writer thread; the unit commits when it returns.

        Afterwards, in the GUI thread: ``then(result)``, then the signal `changed` with what the unit changed.
        """

        def work(job: Job) -> None:
            with self._desk.store.unit(self._desk.actor) as unit:
                job.result = fn(unit, *args, **named)
            job.changes = unit.changes

        return self._start(self._writer, Job("do", then, refused), work)

    def keep(
        self,
        fn: Callable[..., Any],
        *args: Any,
        then: Callable[[Any], None] | None = None,
        refused: Callable[[Refusal], None] | None = None,
        **named: Any,
    ) -> Job:
        """Call ``fn(store, *args, **named)`` on the writer thread: drafts and settings, which are no records."""

        def work(job: Job) -> None:
            job.result = fn(self._desk.store, *args, **named)

        return self._start(self._writer, Job("keep", then, refused), work)

    def run(
        self,
        fn: Callable[..., Any],
        *args: Any,
        title: str = "",
        then: Callable[[Any], None] | None = None,
        refused: Callable[[Refusal], None] | None = None,
        **named: Any,
    ) -> Job:
        """Call ``fn(*args, progress, ticket, **named)`` on the thread for long work; the window shows `title`, progress and a way
        to cancel. A result with an attribute `changes` is announced like a unit's. One at a time, in order.
        """

        def work(job: Job) -> None:
            def progress(done: int, total: int, step: str = "") -> None:
                job.ticket.check()
                job.done, job.total, job.step = done, total, step
                if job.is_due_to_report(done, total):
                    self._arrived.emit(job)

            job.started_s = time.monotonic()
            self._arrived.emit(job)
            job.result = fn(*args, progress, job.ticket, **named)
            job.changes = getattr(job.result, "changes", None)

        job = Job("run", then, refused)
        job.title, job.work = title, fn
        return self._start(self._long, job, work)

    def fetch(
        self,
        fn: Callable[..., Any],
        *args: Any,
        told: Callable[[int, int], None],
        then: Callable[[Any], None],
        refused: Callable[[Refusal], None],
    ) -> Job:
        """Call ``fn(*args, progress, ticket)`` on the thread for what a person waits to see (a photo), beside whatever `run` is doing; one at
        a time. ``told(done, total)`` as it comes; after `Job.cancel` nobody is told any more.
        """

        def work(job: Job) -> None:
            def progress(done: int, total: int, step: str = "") -> None:
                job.ticket.check()
                job.done, job.total = done, total
                if job.is_due_to_report(done, total):
                    self._arrived.emit(job)

            job.ticket.check()
            job.result = fn(*args, progress, job.ticket)

        job = Job("fetch", then, refused)
        job.told = told
        return self._start(self._hands, job, work)

    def announce(self, changes: Any) -> None:
        """Say what work under way has changed already; from any thread."""
        self._arrived.emit(changes)

    def listen(self, fn: Callable[..., Any], heard: Callable[[Any], None]) -> Job:
        """Call ``fn(tell, ticket)`` on the thread for listening, where it stays until it is cancelled; each ``tell(word)`` comes as
        ``heard(word)`` in the GUI thread. One listens at a time: an earlier one is cancelled.
        """

        def work(job: Job) -> None:
            def tell(word: Any) -> None:
                job.ticket.check()
                job.words.append(word)
                self._arrived.emit(job)

            if not job.ticket.is_cancelled:
                fn(tell, job.ticket)

        if self._listening is not None:
            self._listening.cancel()
        self._listening = Job("listen", heard, None)
        return self._start(self._ear, self._listening, work)

    def is_idle(self) -> bool:
        """Whether nothing is asked, written or running."""
        return all(job.kind == "listen" for job in self._jobs.values())

    def running(self) -> list[Job]:
        """The long work that is not over."""
        return [job for job in self._jobs.values() if job.kind == "run"]

    def close(self) -> None:
        """Let writes finish, ask long work to stop, answer nobody any more."""
        self._is_closed = True
        for job in list(self._jobs.values()):
            if job.kind in ("run", "listen", "fetch"):
                job.cancel()
        for pool in (self._ear, self._hands):  # they may be just calling a street that is not there
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in (self._readers, self._long, self._writer):
            pool.shutdown(wait=True, cancel_futures=pool is not self._writer)

    def _start(self, pool: ThreadPoolExecutor, job: Job, work: Callable[[Job], None]) -> Job:
        if not self.thread().isCurrentThread():
            raise RuntimeError("the background is entered from the GUI thread only")
        if self._is_closed:
            job.is_over = True
            return job
        self._count += 1
        job.number = self._count
        if job.key is not None:
            self._latest[job.key] = job.number
        self._jobs[job.number] = job
        job.future = pool.submit(self._work, job, work)
        return job

    def _work(self, job: Job, work: Callable[[Job], None]) -> None:
        try:
            work(job)
        except BaseException as error:
            job.error = error
        job.is_over = True
        if not self._is_closed:
            self._arrived.emit(job)

    def _is_outdated(self, job: Job) -> bool:
        return job.key is not None and self._latest.get(job.key) != job.number

    @Slot(object)
    def _take(self, job: Job | Any) -> None:
        if self._is_closed:
            return
        if not isinstance(job, Job):
            self.changed.emit(job)
            return
        if job.kind == "listen":
            self._hear(job)
        if not job.is_over:
            if job.kind == "run":
                self.work_changed.emit(job)
            elif job.told is not None and not job.ticket.is_cancelled and _is_alive(job.told):
                job.told(job.done, job.total)
            return
        if self._jobs.pop(job.number, None) is None:
            return
        if job.kind == "run":
            self.work_changed.emit(job)
        outdated = self._is_outdated(job)
        if job.key is not None and not outdated:
            del self._latest[job.key]
        if job.error is not None:
            if not outdated:
                self._take_error(job, job.error)
            return
        if job.kind == "listen":
            return
        try:
            if job.then is not None and not outdated and _is_alive(job.then):
                job.then(job.result)
        finally:
            if job.changes:
                self.changed.emit(job.changes)

    def _hear(self, job: Job) -> None:
        while job.words:
            word = job.words.popleft()
            if job.then is not None and not job.ticket.is_cancelled and _is_alive(job.then):
                job.then(word)

    def _take_error(self, job: Job, error: BaseException) -> None:
        if isinstance(error, Cancelled):
            return
        error = os_trouble(error) or error
        if isinstance(error, Refusal) and error.code in ("desk.destroyed", "desk.shut"):
            self.ended.emit(error)
            return
        if isinstance(error, Refusal):
            if job.refused is not None and _is_alive(job.refused):
                job.refused(error)
            elif job.refused is None:
                self.refused.emit(error)
            return
        failure = Failure(error)
        _log.error("work failed: %s", failure.trace)
        self.failed.emit(failure)


def _is_alive(receiver: Callable[..., Any]) -> bool:
    """Whether the widget a callback belongs to still exists: an answer for a closed page is dropped."""
    owner = getattr(receiver, "__self__", None)
    return not isinstance(owner, QObject) or isValid(owner)


def install_excepthook(background: Background) -> Callable[[], None]:
    """Send exceptions of slots, which Qt drops, to the log and to the window; returns what takes the hook out again."""
    before = sys.excepthook

    def remove() -> None:
        if sys.excepthook is hook:
            sys.excepthook = before

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            before(kind, error, trace)
            return
        failure = Failure(error)
        _log.error("a slot failed: %s", failure.trace)
        if isValid(background):
            background.failed.emit(failure)
        if before is not sys.__excepthook__:
            before(kind, error, trace)
        elif sys.stderr is not None:  # what a session's log catches holds no values either
            print(failure.trace, file=sys.stderr)

    sys.excepthook = hook
    return remove
