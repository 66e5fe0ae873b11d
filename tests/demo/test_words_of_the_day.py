"""What the demonstration prints of roles and steps is said in words, in either language."""

from gridman.demo.evening import allowed_words
from gridman.domain.incident import TRANSITIONS
from gridman.kernel.words import speaking


def test_the_steps_that_a_user_may_take_are_told_in_words() -> None:
    """The Chinese day printed "verify_pass, verify_fail"."""
    with speaking("zh_CN"):
        assert allowed_words(["verify_pass", "verify_fail"]) == "核查通过，结案、核查不通过，退回"
        assert not [t.action for t in TRANSITIONS if t.action in allowed_words([t.action])]
    assert allowed_words(["verify_pass"]) == "Verified: close"
