"""Qt's own words (menus of text fields, print dialog) and number and date forms in the language in use."""

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

__all__ = ["speak"]

_FILES = ("qtbase", "qtwebengine")


def speak(app: QApplication, language: str) -> None:
    """Make Qt speak `language` ("en", "zh_CN") from now on."""
    QLocale.setDefault(QLocale(language if language != "en" else "en_GB"))
    for old in app.findChildren(QTranslator, "gridman"):
        app.removeTranslator(old)
        old.setParent(None)
    if language == "en":
        return
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name in _FILES:
        translator = QTranslator(app)
        translator.setObjectName("gridman")
        if translator.load(f"{name}_{language}", folder):
            app.installTranslator(translator)
