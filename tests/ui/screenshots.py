"""`python -m tests.ui.screenshots OUT [page ...]`: every page in both languages and both looks, at 1366x768 and 125 %, to be looked at."""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "1.25")
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")


def main(arguments: list[str]) -> int:
    """Write the pictures; print their names."""
    from gridman.ui.app import make_application
    from gridman.ui.shots import save_pages
    from tests.support.desk import make_desk

    folder = Path(arguments[0])
    pages = tuple(a for a in arguments[1:] if "=" not in a)
    options = dict(a.split("=") for a in arguments[1:] if "=" in a)
    make_application(["gridman"])
    with tempfile.TemporaryDirectory() as data:
        desk = make_desk(Path(data), options.get("role", "grid_worker"))
        made = save_pages(
            desk, folder, languages=tuple(options.get("language", "en,zh_CN").split(",")),
            themes=tuple(options.get("theme", "light,dark").split(",")), pages=pages, size=(1093, 614),
            is_large="large" in options,
        )  # fmt: skip
        for path in made:
            print(path)
        desk.close()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # the web engine's teardown order is not ours to test here
