"""The run: desks work, the line is bad, processes are killed and started again; then the line clears and everything is compared."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from gridman.joining import sign_in_desk
from gridman.services.desk import Desk
from gridman.services.street import open_street
from gridman.sync.carrying import bring_back
from tests.resilience.judge import Saved, Sums, at_the_desk, digest_of_desk, digest_of_street, judge, read_saved
from tests.resilience.processes import DeskProcess, Postman, StreetProcess, until
from tests.resilience.town import LOGINS, PASSPHRASE, Town, found_town, set_up
from tests.resilience.work import Job
from tests.support.link import GOOD, BadLink, Counts, Weather

__all__ = ["Report", "run"]

_HOUSEHOLDS = 40
_LONGEST_WAIT_S = 3.0


@dataclass
class Report:
    """What happened and what came of it."""

    seconds: float = 0.0
    street_kills: int = 0
    street_kills_while_asked: int = 0
    street_kills_in_a_photo: int = 0
    desk_kills: Counter[str] = field(default_factory=Counter)
    postman_kills: int = 0
    bundles: int = 0
    bundles_again: int = 0
    line: Counts = field(default_factory=Counts)
    saved: Saved = field(default_factory=Saved)
    sums: Sums = field(default_factory=Sums)
    digests: dict[str, tuple[tuple[int, str], tuple[int, str]]] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Nothing lost, nothing doubled, every copy equal, every file whole."""
        return not (
            self.sums.lost
            or self.sums.doubled
            or self.sums.flaws
            or self.saved.faults
            or any(desk != street for desk, street in self.digests.values())
            or self.sums.unclaimed > self.desk_kills.total()
        )


@dataclass
class _Run:
    folder: Path
    weather: Weather
    chance: random.Random
    report: Report
    town: Town
    street: StreetProcess
    desks: list[DeskProcess]
    postman: Postman
    link: BadLink

    def kill_something(self) -> None:
        """A desk, the server or the postman, whichever the dice say; started again a moment later."""
        dice = self.chance.random()
        if dice < 0.15 and self.postman.kill():
            return
        if dice < 0.5:
            self.kill_street()
            return
        desk = self.chance.choice(self.desks)
        until(lambda: desk.is_at("esp"), what=f"{desk.job.login} does not come to work")
        if self.chance.random() < 0.5:  # half of them away from its form
            self.hold_on(lambda: desk.is_at("sp"))
        desk.kill()
        time.sleep(self.chance.uniform(0.0, 0.3))
        desk.start()

    def hold_on(self, is_so: Callable[[], bool]) -> None:
        """Wait a while for a moment worth a kill, then a little more."""
        over = time.monotonic() + _LONGEST_WAIT_S
        while not is_so() and time.monotonic() < over:
            time.sleep(0.002)
        time.sleep(self.chance.uniform(0.0, 0.05 + self.weather.rtt_s))

    def kill_street(self) -> None:
        if self.chance.random() < 0.7:
            self.hold_on(lambda: self.link.is_asked)
        self.report.street_kills_while_asked += self.link.is_asked
        self.street.kill()
        self.report.street_kills_in_a_photo += any((self.town.folder / "blobs").rglob("*.pieces"))
        time.sleep(self.chance.uniform(0.0, 0.5))
        self.street.start()

    def wait(self, seconds: float) -> None:
        """Time passes; the postman goes his rounds."""
        over = time.monotonic() + seconds
        while time.monotonic() < over:
            self.postman.step()
            for desk in self.desks:
                if desk.process is not None and not desk.process.is_alive():
                    raise RuntimeError(f"the desk of {desk.job.login} ended by itself: {self.faults()}")
            time.sleep(0.05)

    def faults(self) -> list[str]:
        return read_saved([d.job.lines for d in self.desks]).faults

    def finish(self) -> None:
        """The line clears, the desks end their work and synchronise to the end."""
        self.link.weather = replace(GOOD, dead_s=0.0)
        self.link.cut()  # what hangs in a silence is told now
        self.folder.joinpath("end").touch()
        for desk in self.desks:
            assert desk.process is not None
            desk.process.join(90)
            if desk.process.exitcode != 0:
                raise RuntimeError(f"the desk of {desk.job.login} ended with {desk.process.exitcode}: {self.faults()}")
        self.postman.finish()
        opened = [sign_in_desk(d.job.data, d.job.login, PASSPHRASE) for d in self.desks]
        try:
            for answer in sorted(self.postman.stick.glob("back-*.gridman")):
                bring_back(opened[-1], answer)
            for _turn in range(2):  # the second brings what the others sent in the first
                for one in opened:
                    one.synchronise()
            self.street.stop()
            self.compare(opened)
        finally:
            for one in opened:
                one.close()

    def compare(self, opened: list[Desk]) -> None:
        report = self.report
        report.saved = read_saved([d.job.lines for d in self.desks])
        street = open_street(self.town.folder, must_exist=True)
        try:
            report.sums = judge(report.saved, street)
            for one in opened:
                login = one.profile.login
                report.sums.flaws += at_the_desk(one)
                report.digests[login] = (digest_of_desk(one.store), digest_of_street(street, self.town.users[login]))
        finally:
            street.close()


def run(
    folder: Path, weather: Weather, *, kills: int, seed: int, seconds: float, pause_s: float = 0.05,
    say: Callable[[str], None] = lambda _line: None,
) -> Report:  # fmt: skip
    """Play it. `kills` are spread over `seconds`; the same seed gives the same dice, though not the same moments."""
    started, report = time.monotonic(), Report()
    town = found_town(folder / "street", _HOUSEHOLDS)
    street = StreetProcess(town.folder, town.authority, folder / "street.log")
    street.start()
    stick = folder / "stick"
    stick.mkdir()
    desks = [
        DeskProcess(
            Job(
                login, folder / login, folder / f"{login}.lines", folder / f"{login}.phase", stick, folder / "end", seed, pause_s
            )
        )
        for login in LOGINS
    ]  # fmt: skip
    with BadLink(street.port, GOOD, seed) as link:
        for desk in desks:
            set_up(town, desk.job.data, f"https://127.0.0.1:{link.port}", desk.job.login).close()
        going = _Run(
            folder, weather, random.Random(seed), report, town, street, desks, Postman(stick, town.folder, folder / "postman.log"), link
        )  # fmt: skip
        try:
            link.weather = weather
            link.taken()
            for desk in desks:
                desk.start()
            for number in range(kills):
                going.wait(going.chance.uniform(0.4, 1.6) * seconds / max(1, kills))
                going.kill_something()
                say(f"kill {number + 1} of {kills}")
            going.wait(min(2.0, seconds / 10))
            report.line = link.taken()
            going.finish()
        finally:
            for process in (street.process, going.postman.process, *(d.process for d in desks)):
                if process is not None and process.is_alive():
                    process.kill()
    report.street_kills, report.postman_kills = street.kills, going.postman.kills
    report.bundles, report.bundles_again = going.postman.taken, going.postman.again
    for desk in desks:
        report.desk_kills += desk.kills
    report.seconds = time.monotonic() - started
    return report
