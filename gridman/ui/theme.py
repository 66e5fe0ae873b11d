"""One look for every window: colours, sizes and type from `resources/theme/tokens.json`, on Qt's Fusion style.

Contrast of every text colour on every ground it is used on is at least 4.5:1 (WCAG 2.1, 1.4.3); the tests compute it.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from gridman.kernel.paths import resource
from gridman.ui.style_sheet import style_sheet

__all__ = ["THEMES", "TONES", "Theme", "apply_theme", "contrast", "register_fonts", "theme_of"]

THEMES = ("light", "dark")
TONES = ("neutral", "good", "attention", "danger", "information")

FAMILIES = ("Noto Sans SC", "HanaMinB")
"""The shipped text face, then the face that has the rare characters of names."""


@dataclass(frozen=True)
class Theme:
    """The tokens of one look. Sizes are logical pixels."""

    name: str
    is_large: bool
    colours: dict[str, str]
    sizes: dict[str, int]
    space: dict[str, int]
    radius: int

    def colour(self, token: str) -> QColor:
        """A colour by its token; KeyError for an unknown one."""
        return QColor(self.colours[token])

    @property
    def is_dark(self) -> bool:
        return self.name == "dark"

    def font(self, size: str = "base", *, is_bold: bool = False) -> QFont:
        """The text face in one of the sizes, with figures of equal width."""
        face = QFont(list(FAMILIES))
        face.setPixelSize(self.sizes[size])
        face.setBold(is_bold)
        face.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
        face.setFeature(QFont.Tag("tnum"), 1)
        return face


@cache
def _tokens() -> dict[str, Any]:
    with resource("theme", "tokens.json").open(encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def theme_of(name: str = "light", *, is_large: bool = False) -> Theme:
    """The theme `name` ("light" or "dark"), in normal or large size; an unknown name is the light one."""
    tokens = _tokens()
    known = name if name in THEMES else "light"
    return Theme(
        known,
        is_large,
        dict(tokens[known]),
        dict(tokens["size"]["large" if is_large else "normal"]),
        dict(tokens["space"]),
        int(tokens["radius"]),
    )


def register_fonts() -> list[str]:
    """Make the shipped faces known to Qt; returns the families found, so that a missing one is noticed."""
    found: list[str] = []
    for file in ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf", "HanaMinB.ttf"):
        number = QFontDatabase.addApplicationFont(str(resource("fonts", file)))
        if number >= 0:
            found += QFontDatabase.applicationFontFamilies(number)
    return found


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Dress the whole program: style, palette, face, the small style sheet."""
    style = QStyleFactory.create("Fusion")
    if style is not None:
        app.setStyle(style)
    app.setPalette(_palette(theme))
    app.setFont(theme.font())
    app.setStyleSheet(style_sheet(theme.colours, theme.sizes, theme.space, theme.radius))


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for target, token in (
        (role.Window, "window"), (role.WindowText, "text"), (role.Base, "surface"), (role.AlternateBase, "raised"),
        (role.Text, "text"), (role.Button, "surface"), (role.ButtonText, "text"), (role.BrightText, "danger"),
        (role.Highlight, "accent"), (role.HighlightedText, "accent_ink"), (role.Link, "accent"),
        (role.LinkVisited, "accent"), (role.PlaceholderText, "faint"), (role.ToolTipBase, "raised"),
        (role.ToolTipText, "text"), (role.Light, "raised"), (role.Midlight, "hover"), (role.Mid, "line"),
        (role.Dark, "edge"), (role.Shadow, "edge"), (role.Accent, "accent"),
    ):  # fmt: skip
        palette.setColor(target, theme.colour(token))
    for target in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, theme.colour("faint"))
    return palette


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two "#RRGGBB" colours, 1 to 21 (WCAG 2.1, definition of contrast ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
