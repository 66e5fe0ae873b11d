"""What a check found: sound, or a problem with what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["Finding", "checked"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `subject` in words; `problems` are never raised; a warning does not make the verdict bad."""

    subject: str
    detail: str = ""
    problems: tuple[Refusal, ...] = field(default=())
    is_warning: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether something has to be done."""
        return bool(self.problems) and not self.is_warning


def checked(
    subject: str, question: Callable[[], Iterable[Refusal]], detail: str = "", *, is_warning: bool = False
) -> Finding:
    """Ask; a question that cannot be answered is a finding of its own, so that one broken part does not hide the others."""
    try:
        problems = tuple(question())
    except Refusal as refusal:
        problems = (refusal,)
    except Exception as error:
        problems = (
            Refusal(
                "doctor.check_failed",
                N_("This could not be checked: {why}."),
                N_("If the other findings do not explain it, report it with the log."),
                why=type(error).__name__,
            ),
        )
    return Finding(subject, detail, problems, is_warning)
