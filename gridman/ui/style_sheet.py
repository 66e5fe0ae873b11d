"""The small style sheet laid over Fusion. Widgets say what they are by dynamic properties (`kind`, `tone`), never by colours."""

from string import Template

__all__ = ["style_sheet"]

_SHEET = Template("""
QWidget { color: $text; }
QMainWindow, QWidget[kind="canvas"] { background: $window; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: ${xs}px; }
QLabel { background: transparent; }
QLabel[kind="title"] { font-size: ${title}px; font-weight: 700; }
QLabel[kind="heading"] { font-size: ${heading}px; font-weight: 700; }
QLabel[kind="soft"] { color: $soft; }
QLabel[kind="small"] { color: $faint; font-size: ${small}px; }
QLabel[kind="caption"] { color: $soft; font-size: ${small}px; }
QLabel[kind="problem"] { color: $danger; font-size: ${small}px; }
QLabel[kind="figure"] { font-size: ${title}px; font-weight: 700; }
QLabel[kind="badge"] { font-size: ${small}px; border-radius: ${xs}px; padding: 1px ${s}px; }
QLabel[tone="good"][kind="badge"] { color: $good; background: $good_soft; }
QLabel[tone="attention"][kind="badge"] { color: $attention; background: $attention_soft; }
QLabel[tone="danger"][kind="badge"] { color: $danger; background: $danger_soft; }
QLabel[tone="information"][kind="badge"] { color: $information; background: $information_soft; }
QLabel[tone="neutral"][kind="badge"] { color: $neutral; background: $neutral_soft; }

QFrame[kind="card"] { background: $surface; border: 1px solid $line; border-radius: ${radius}px; }
QFrame[kind="pane"] { background: $surface; border: none; }
QFrame[kind="rule"] { background: $line; border: none; max-height: 1px; min-height: 1px; }
QFrame[kind="bar"] { background: $surface; border: none; border-bottom: 1px solid $line; }
QFrame[kind="rail"] { background: $surface; border: none; border-right: 1px solid $line; }
QFrame[kind="strip"] { background: $information_soft; border: none; border-bottom: 1px solid $line; }
QFrame[kind="popup"] { background: $surface; border: 1px solid $edge; border-radius: ${radius}px; }
QFrame[kind="toast"] { background: $surface; border: 1px solid $edge; border-left: 4px solid $information; border-radius: ${radius}px; }
QFrame[kind="toast"][tone="good"] { border-left-color: $good; }
QFrame[kind="toast"][tone="attention"] { border-left-color: $attention; }
QFrame[kind="toast"][tone="danger"] { border-left-color: $danger; }
QFrame[kind="notice"] { background: $information_soft; border: 1px solid $line; border-radius: ${radius}px; }
QFrame[kind="notice"][tone="attention"] { background: $attention_soft; }
QFrame[kind="notice"][tone="danger"] { background: $danger_soft; }
QFrame[kind="notice"][tone="good"] { background: $good_soft; }

QPushButton { background: $surface; border: 1px solid $edge; border-radius: ${radius}px; padding: 0 ${m}px;
  min-height: ${control_inner}px; outline: none; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $accent_soft; }
QPushButton:focus { border: 2px solid $accent; padding: 0 ${m_less}px; min-height: ${control_focus}px; }
QPushButton:disabled { color: $faint; border-color: $line; background: $raised; }
QPushButton[kind="primary"] { background: $accent; color: $accent_ink; border-color: $accent; font-weight: 700; }
QPushButton[kind="primary"]:hover { background: $accent_hover; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; }
QPushButton[kind="primary"]:disabled { background: $neutral_soft; color: $faint; border-color: $line; }
QPushButton[kind="danger"] { color: $danger; border-color: $danger; }
QPushButton[kind="quiet"], QPushButton[kind="link"] { background: transparent; border: 1px solid transparent; padding: 0 ${s}px; }
QPushButton[kind="link"] { color: $accent; text-align: left; }
QPushButton[kind="quiet"]:hover, QPushButton[kind="link"]:hover { background: $hover; }
QPushButton[kind="quiet"]:focus, QPushButton[kind="link"]:focus { border: 1px solid $accent; padding: 0 ${s}px;
  min-height: ${control_inner}px; }
QPushButton[kind="quiet"]:checked { background: $accent_soft; }
QPushButton[kind="chip"] { border-color: $line; background: $surface; padding: 0 ${s}px; min-height: ${chip}px; }
QPushButton[kind="chip"]:hover { background: $hover; }
QPushButton[kind="chip"]:checked { background: $accent_soft; border-color: $accent; color: $text; font-weight: 700; }
QPushButton[kind="chip"]:focus { border: 2px solid $accent; padding: 0 ${s_less}px; min-height: ${chip_focus}px; }
QPushButton[kind="pill"] { border-radius: ${pill}px; border: 1px solid $line; background: $raised; padding: 0 ${m}px; }
QPushButton[kind="pill"][tone="good"] { color: $good; background: $good_soft; border-color: $good_soft; }
QPushButton[kind="pill"][tone="attention"] { color: $attention; background: $attention_soft; border-color: $attention_soft; }
QPushButton[kind="pill"][tone="danger"] { color: $danger; background: $danger_soft; border-color: $danger_soft; }
QPushButton[kind="pill"][tone="information"] { color: $information; background: $information_soft; border-color: $information_soft; }
QPushButton[kind="pill"]:focus { border: 1px solid $accent; padding: 0 ${m}px; min-height: ${control_inner}px; }
QPushButton::menu-indicator { width: 0; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: ${radius}px; padding: ${xs}px; }
QToolButton:hover { background: $hover; }
QToolButton:focus { border-color: $accent; }
QToolButton[kind="rail"] { border-radius: ${radius}px; padding: ${xs}px 0; font-size: ${small}px; color: $soft; }
QToolButton[kind="rail"]:checked { background: $accent_soft; color: $text; font-weight: 700; }
QToolButton::menu-indicator { image: none; }

QLineEdit, QPlainTextEdit, QComboBox, QSpinBox, QTextEdit { background: $surface; border: 1px solid $edge;
  border-radius: ${radius}px; padding: 0 ${s}px; selection-background-color: $accent; selection-color: $accent_ink; }
QLineEdit, QComboBox, QSpinBox { min-height: ${control_inner}px; }
QPlainTextEdit, QTextEdit { padding: ${xs}px; }
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus, QSpinBox:focus, QTextEdit:focus { border: 2px solid $accent;
  padding-left: ${s_less}px; padding-right: ${s_less}px; }
QLineEdit:focus, QComboBox:focus, QSpinBox:focus { min-height: ${control_focus}px; }
QLineEdit[tone="danger"], QPlainTextEdit[tone="danger"], QComboBox[tone="danger"] { border-color: $danger; }
QLineEdit:read-only, QLineEdit:disabled { background: $raised; border-color: $line; color: $soft; }
QLineEdit[kind="search"] { background: $raised; border-color: $line; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url("$icon_down"); width: 16px; height: 16px; }
QComboBox QAbstractItemView { background: $surface; border: 1px solid $edge; selection-background-color: $accent_soft;
  selection-color: $text; outline: 0; }
QCheckBox, QRadioButton { spacing: ${s}px; min-height: ${control_inner}px; background: transparent; }
QCheckBox:focus, QRadioButton:focus { color: $text; background: $accent_soft; border-radius: ${xs}px; }
QCheckBox::indicator { width: ${base}px; height: ${base}px; border: 1px solid $edge; border-radius: 3px; background: $surface; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$icon_check"); }
QCheckBox::indicator:focus { border: 2px solid $accent; }

QTableView, QListView, QTreeView { background: $surface; border: none; gridline-color: $line; outline: 0;
  selection-background-color: $accent_soft; selection-color: $text; alternate-background-color: $surface; }
QTableView::item { border: none; border-bottom: 1px solid $line; padding: 0 ${xs}px; }
QTableView::item:selected, QListView::item:selected { background: $accent_soft; color: $text; }
QListView[kind="suggestions"] { border: 1px solid $edge; border-radius: ${radius}px; background: $raised; }
QListView::item { padding: ${xs}px ${s}px; border: none; }
QListView::item:hover { background: $hover; }
QHeaderView { background: $raised; border: none; }
QHeaderView::section { background: $raised; color: $soft; border: none; border-bottom: 1px solid $line;
  border-right: 1px solid $line; padding: 0 7px; font-size: ${small}px; min-height: ${chip}px; }
QHeaderView::up-arrow { image: url("$icon_up"); width: 14px; height: 14px; }
QHeaderView::down-arrow { image: url("$icon_down"); width: 14px; height: 14px; }
QHeaderView::section:hover { background: $hover; }
QTableCornerButton::section { background: $raised; border: none; }
QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget[kind="scrolled"] { background: transparent; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $edge; border-radius: 4px; border: 2px solid $surface; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QMenu { background: $surface; border: 1px solid $edge; padding: ${xs}px; }
QMenu::item { padding: ${xs}px ${xl}px ${xs}px ${s}px; border-radius: ${xs}px; min-height: ${chip}px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: ${xs}px 0; }
QProgressBar { background: $neutral_soft; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QTabBar::tab { background: transparent; color: $soft; padding: 0 ${m}px; min-height: ${control_inner}px;
  border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; font-weight: 700; }
QTabBar::tab:focus { color: $accent; background: $accent_soft; }
""")


def style_sheet(colours: dict[str, str], sizes: dict[str, int], space: dict[str, int], radius: int) -> str:
    """The sheet filled with one theme's tokens. Two pixels of each control's height are its border."""
    from gridman.ui.icons import coloured_file

    return _SHEET.substitute(
        colours,
        **space,
        **{k: v for k, v in sizes.items() if k not in ("icon", "rail", "row")},
        radius=radius,
        control_inner=sizes["control"] - 2,
        control_focus=sizes["control"] - 4,
        chip=sizes["control"] - 8,
        chip_focus=sizes["control"] - 10,
        pill=sizes["control"] // 2,
        m_less=space["m"] - 1,
        s_less=space["s"] - 1,
        icon_check=coloured_file("check", colours["accent_ink"]),
        icon_up=coloured_file("chevron-up", colours["soft"]),
        icon_down=coloured_file("chevron-down", colours["soft"]),
    )
