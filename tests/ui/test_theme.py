"""The look: tokens, contrast, fonts."""

import ast

import polib
import pytest
from PySide6.QtGui import QFontDatabase, QRawFont
from PySide6.QtWidgets import QApplication

from gridman.kernel.paths import resource
from gridman.ui.style_sheet import style_sheet
from gridman.ui.theme import FAMILIES, THEMES, TONES, contrast, theme_of
from tests.architecture.source import product

PAIRS = [
    *((ink, ground) for ink in ("text", "soft", "faint") for ground in ("surface", "window", "raised", "hover")),
    *((ink, "accent_soft") for ink in ("text", "soft", "faint")),
    ("accent", "surface"), ("accent_ink", "accent"), ("accent_ink", "accent_hover"), ("danger", "surface"),
    *((tone, f"{tone}_soft") for tone in TONES), *((tone, "surface") for tone in TONES),
    *(("text", f"{tone}_soft") for tone in TONES),
]  # fmt: skip


@pytest.mark.parametrize("name", THEMES)
def test_every_text_can_be_read_on_every_ground_it_stands_on(name: str) -> None:
    colours = theme_of(name).colours
    poor = {pair: round(contrast(*(colours[t] for t in pair)), 2) for pair in PAIRS}
    assert not {pair: ratio for pair, ratio in poor.items() if ratio < 4.5}


@pytest.mark.parametrize("name", THEMES)
def test_the_edge_of_a_field_stands_out_from_its_ground(name: str) -> None:
    colours = theme_of(name).colours
    assert contrast(colours["edge"], colours["surface"]) >= 3


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_both_looks_know_the_same_tokens() -> None:
    light, dark = theme_of("light"), theme_of("dark")
    assert light.colours.keys() == dark.colours.keys()
    assert theme_of(is_large=True).sizes.keys() == light.sizes.keys()
    assert theme_of(is_large=True).sizes["control"] == 40 and light.sizes["control"] == 32


def test_the_style_sheet_leaves_no_token_unfilled(qapp: QApplication) -> None:
    theme = theme_of("dark")
    sheet = style_sheet(theme.colours, theme.sizes, theme.space, theme.radius)
    assert "$" not in sheet and theme.colours["accent"] in sheet


def test_the_shipped_faces_are_there(qapp: QApplication) -> None:
    assert set(FAMILIES) <= set(QFontDatabase.families())


def test_every_sign_of_the_window_is_in_the_shipped_fonts(qapp: QApplication) -> None:
    """A bare machine has no other face to take it from, and shows a box."""
    faces = [QRawFont(str(resource("fonts", name)), 12) for name in ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf")]
    assert all(face.isValid() for face in faces)
    texts = [
        node.value
        for source in product()
        if source.module.startswith("gridman.ui")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for room in resource("i18n", "zh_CN").glob("*.po"):
        texts += [entry.msgstr for entry in polib.pofile(str(room))]
    signs = {sign for text in texts for sign in text if ord(sign) > 0x7F and sign.isprintable()}
    assert {"×", "✓", "网"} <= signs
    lacking = {sign for sign in signs if not all(face.supportsCharacter(ord(sign)) for face in faces)}
    assert lacking == set()
