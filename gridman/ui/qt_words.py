"""Qt's own words (menus of text fields, print dialog) and number and date forms in the language in use."""

from PySide6.QtCore import QLibraryInfo, QLocale, QObject, QTranslator
from PySide6.QtWidgets import QApplication

__all__ = ["speak"]

_FILES = ("qtbase", "qtwebengine")
_LACKING = {
    "zh_CN": {
        "&Look in:": "查找范围(&I)：", "Files of &type:": "文件类型(&T)：", "Date Modified": "修改日期", "&New Folder": "新建文件夹(&N)",
        "Cancel": "取消", "Computer": "电脑", "Name": "名称", "Size": "大小", "Type": "类型", "Kind": "类型",
    },
}  # fmt: skip
"""Words of file dialogs that Qt's own translation lacks."""


class _Rest(QTranslator):
    """Asked after Qt's own files."""

    def __init__(self, parent: QObject, words: dict[str, str]) -> None:
        super().__init__(parent)
        self._words = words

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, sourceText: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        return self._words.get(sourceText) if context.startswith(("QFile", "QPlatformTheme", "QDialog")) else None


def speak(app: QApplication, language: str) -> None:
    """Make Qt speak `language` ("en", "zh_CN") from now on."""
    QLocale.setDefault(QLocale(language if language != "en" else "en_GB"))
    for old in app.findChildren(QTranslator, "gridman"):
        app.removeTranslator(old)
        old.setParent(None)
    if language == "en":
        return
    rest = _Rest(app, _LACKING.get(language, {}))
    rest.setObjectName("gridman")
    app.installTranslator(rest)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name in _FILES:
        translator = QTranslator(app)
        translator.setObjectName("gridman")
        if translator.load(f"{name}_{language}", folder):
            app.installTranslator(translator)
