"""Words on paper: the same English may be worded otherwise on a form than on the screen, so forms have a context.

Chinese wordings follow the forms' own column names (`resources/codes/forms_ledgers.csv`).
"""

from gridman.kernel.words import pgettext

__all__ = ["FORM", "on_form"]

FORM = "form"
"""The gettext context (msgctxt) of every message printed on a sheet."""


def on_form(text: str) -> str:
    """`text` in the language in use, as forms word it."""
    return pgettext(FORM, text)
