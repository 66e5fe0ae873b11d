"""Where things lie: what ships with the program, and where a person's data goes."""

import os
import sys
from pathlib import Path

__all__ = ["default_data_dir", "maps_dir", "resource"]

_SHIPPED = Path(__file__).resolve().parents[1] / "_shipped"  # in an installed wheel; in the source tree it is above
_ROOT = _SHIPPED if _SHIPPED.is_dir() else Path(__file__).resolve().parents[2]


def resource(*parts: str) -> Path:
    """A file or folder that ships beside the code, in `resources/`."""
    return _ROOT.joinpath("resources", *parts)


def maps_dir() -> Path:
    """The shipped base maps and demonstration neighbourhoods."""
    return _ROOT / "maps"


def default_data_dir() -> Path:
    """Where the desk keeps its data unless told otherwise: GRIDMAN_DATA, else the platform's own place for it."""
    told = os.environ.get("GRIDMAN_DATA")
    if told:
        return Path(told).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "gridman"
    elif sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "gridman"
    else:
        return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))) / "gridman"
