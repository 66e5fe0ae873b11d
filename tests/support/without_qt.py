"""Refuses Qt in this process: imported first, or given to pytest (`-p tests.support.without_qt -p no:pytest-qt`), it shows that the street
server lives without.
"""

import sys
from importlib.abc import MetaPathFinder
from typing import Any

__all__ = ["REFUSED"]

REFUSED = frozenset({"PySide6", "shiboken6"})


class _Refusing(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """No place for what is refused; nothing to say of anything else."""
        if name.split(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"{name} is refused in this process", name=name)


sys.meta_path.insert(0, _Refusing())
