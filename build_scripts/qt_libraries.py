"""The system libraries Qt needs beside its wheel: found missing by name, installed where that may be done."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from steps import SetupProblem, run_logged, say, step

# What Qt 6.11's own libraries name as NEEDED on Linux (core, widgets, print, WebEngine and its process, the xcb and
# off-screen platforms) and the wheel does not bring, with the Debian/Ubuntu package that does. Debian 13 and Ubuntu 24.04
# call some packages otherwise (`t64`): the first name that the machine's package lists know is taken.
LIBRARIES: dict[str, str] = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libXcomposite.so.1": "libxcomposite1",
    "libXdamage.so.1": "libxdamage1",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libXrandr.so.2": "libxrandr2",
    "libXtst.so.6": "libxtst6",
    "libasound.so.2": "libasound2t64|libasound2",
    "libbrotlidec.so.1": "libbrotli1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libexpat.so.1": "libexpat1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgbm.so.1": "libgbm1",
    "libglib-2.0.so.0": "libglib2.0-0t64|libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libnspr4.so": "libnspr4",
    "libnss3.so": "libnss3",
    "libudev.so.1": "libudev1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-dri3.so.0": "libxcb-dri3-0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbfile.so.1": "libxkbfile1",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}


def missing() -> list[str]:
    """The sonames of LIBRARIES that this machine cannot load; empty where Qt brings everything itself."""
    if sys.platform == "linux":
        return [soname for soname in LIBRARIES if not _loads(soname)]
    else:
        return []


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def ensure(log: Path) -> None:
    """Install what is missing, or stop with the one line to type."""
    lacking = missing()
    if not lacking:
        return
    if shutil.which("apt-get") is None:
        raise SetupProblem(
            f"Qt needs system libraries that are not here: {', '.join(lacking)}",
            "install the packages of your distribution that bring them, then start again",
        )
    with step(f"system libraries of Qt ({len(lacking)} missing)"):
        apt_install([LIBRARIES[soname] for soname in lacking], log)
    if still := missing():
        raise SetupProblem(
            f"the packages were installed, but these libraries still do not load: {', '.join(still)}",
            f"read {log}; a container may lack space or forbid the installation",
        )


def apt_install(packages: Sequence[str], log: Path) -> None:
    """Install Debian packages as root; otherwise SetupProblem with the line to type. `a|b` means whichever exists."""
    is_root = sys.platform != "win32" and os.geteuid() == 0
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    update_tail = ""
    if is_root:
        # An interrupted installation leaves dpkg half done: finish it first.
        run_logged(["dpkg", "--configure", "-a"], log, env=env)
        updated, update_tail = run_logged(["apt-get", "update"], log, env=env)
        update_tail = update_tail if updated else ""
    names = [_existing(choice) for choice in packages]
    line = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(names)}"
    if not is_root:
        typed = f"sudo sh -c '{line}'" if shutil.which("sudo") else f"su -c '{line}'"
        raise SetupProblem(f"system packages are missing: {' '.join(names)}", f"type, then start again:\n  {typed}")
    say(f"[set-up]   apt-get install {' '.join(names)}")
    code, tail = run_logged(["apt-get", "install", "-y", "--no-install-recommends", *names], log, env=env)
    if code:
        raise SetupProblem(
            f"apt-get could not install {' '.join(names)}:\n{update_tail}{tail}",
            f"connect to the network (or put the packages' mirror into /etc/apt), then type:\n  {line}",
        )


def _existing(choice: str) -> str:
    """The first of `a|b` that the package lists hold; the last where they hold none (they may be empty yet)."""
    *newer, oldest = choice.split("|")
    for name in newer:
        asked = subprocess.run(["apt-cache", "show", "--no-all-versions", name], capture_output=True, check=False)
        if asked.returncode == 0:
            return name
    return oldest
