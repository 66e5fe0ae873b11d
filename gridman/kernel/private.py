"""Files that only their owner may read: by mode, and on Windows, where the mode says nothing, by an access list."""

import os
import re
import sys
from pathlib import Path

__all__ = ["close_to_others", "how_to_close", "is_open_to_others", "lets_others"]

_OTHERS = frozenset({"WD", "AN", "AU", "BU", "BG", "IU", "LG"})
"""Everyone, anonymous, signed in, users, guests, at the screen, the guest account: as SDDL calls them."""

_ENTRY = re.compile(r"\((X?O?A);([^;]*);[^;]*;[^;]*;[^;]*;([^;)]*)[^)]*\)")


def is_open_to_others(path: Path) -> bool:
    """Whether other people with an account on this computer (administrators apart) may read the file `path`."""
    if sys.platform == "win32":
        return lets_others(_access_list(path))
    else:
        return bool(path.stat().st_mode & 0o077)


def how_to_close(path: Path) -> str:
    """The line to type that makes `path` its owner's alone."""
    if os.name == "nt":
        return f'icacls "{path}" /inheritance:r /grant:r "%USERNAME%:F" *S-1-5-18:F *S-1-5-32-544:F'
    return f"chmod 600 {path}"


def lets_others(access_list: str) -> bool:
    """Whether an access list in SDDL, as Windows writes it, allows anything to accounts in general. A disk that keeps no lists lets
    everybody read.
    """
    if not access_list or "NO_ACCESS_CONTROL" in access_list:
        return True
    return any(
        kind in ("A", "XA") and "IO" not in flags and (who in _OTHERS or who == "S-1-1-0")
        for kind, flags, who in _ENTRY.findall(access_list)
    )


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _FILE_OBJECT, _LIST = 1, 0x4
    _TOKEN_QUERY, _TOKEN_USER = 0x8, 1
    # Handles and pointers are wider than the int that ctypes would take them for.
    _rights, _kernel = ctypes.WinDLL("advapi32", use_last_error=True), ctypes.WinDLL("kernel32", use_last_error=True)
    _place = ctypes.POINTER(ctypes.c_void_p)
    _kernel.GetCurrentProcess.restype = wintypes.HANDLE
    _kernel.CloseHandle.argtypes = [wintypes.HANDLE]
    _kernel.LocalFree.argtypes, _kernel.LocalFree.restype = [ctypes.c_void_p], ctypes.c_void_p
    _rights.OpenProcessToken.argtypes = [wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE)]
    _rights.GetTokenInformation.argtypes = [
        wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD, ctypes.POINTER(wintypes.DWORD),
    ]  # fmt: skip
    _rights.ConvertSidToStringSidW.argtypes = [ctypes.c_void_p, _place]
    _rights.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = [
        wintypes.LPCWSTR, wintypes.DWORD, _place, ctypes.c_void_p,
    ]  # fmt: skip
    _rights.SetFileSecurityW.argtypes = [wintypes.LPCWSTR, wintypes.DWORD, ctypes.c_void_p]
    _rights.GetNamedSecurityInfoW.argtypes = [
        wintypes.LPCWSTR, ctypes.c_int, wintypes.DWORD, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, _place,
    ]  # fmt: skip
    _rights.ConvertSecurityDescriptorToStringSecurityDescriptorW.argtypes = [
        ctypes.c_void_p, wintypes.DWORD, wintypes.DWORD, _place, ctypes.c_void_p,
    ]  # fmt: skip

    def close_to_others(path: Path) -> None:
        """Leave the file `path` to its owner, the system and the administrators, whatever its folder hands down. A disk that keeps no
        access lists is left as it is: `is_open_to_others` tells.
        """
        made = ctypes.c_void_p()
        wanted = f"D:P(A;;FA;;;{_own_sid()})(A;;FA;;;SY)(A;;FA;;;BA)"
        _must(_rights.ConvertStringSecurityDescriptorToSecurityDescriptorW(wanted, 1, ctypes.byref(made), None), path)
        try:
            _rights.SetFileSecurityW(str(path), _LIST, made)
        finally:
            _kernel.LocalFree(made)

    def _own_sid() -> str:
        """Who this process is, in the notation S-1-…"""
        token, needed, text = wintypes.HANDLE(), wintypes.DWORD(), ctypes.c_void_p()
        _must(_rights.OpenProcessToken(_kernel.GetCurrentProcess(), _TOKEN_QUERY, ctypes.byref(token)))
        try:
            _rights.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(needed))
            told = ctypes.create_string_buffer(needed.value)
            _must(_rights.GetTokenInformation(token, _TOKEN_USER, told, needed, ctypes.byref(needed)))
            _must(
                _rights.ConvertSidToStringSidW(
                    ctypes.cast(told, ctypes.POINTER(ctypes.c_void_p))[0], ctypes.byref(text)
                )
            )
            return _taken(text)
        finally:
            _kernel.CloseHandle(token)

    def _access_list(path: Path) -> str:
        """The file's access list in SDDL; empty where the disk keeps none."""
        path.stat()  # a file that is not there is told as such
        found, text = ctypes.c_void_p(), ctypes.c_void_p()
        if _rights.GetNamedSecurityInfoW(str(path), _FILE_OBJECT, _LIST, None, None, None, None, ctypes.byref(found)):
            return ""
        try:
            _must(
                _rights.ConvertSecurityDescriptorToStringSecurityDescriptorW(found, 1, _LIST, ctypes.byref(text), None),
                path,
            )
            return _taken(text)
        finally:
            _kernel.LocalFree(found)

    def _taken(text: ctypes.c_void_p) -> str:
        try:
            return ctypes.wstring_at(text.value or 0)
        finally:
            _kernel.LocalFree(text)

    def _must(done: int, path: Path | None = None) -> None:
        if not done:
            code = ctypes.get_last_error()
            raise OSError(None, ctypes.FormatError(code).strip().rstrip("."), None if path is None else str(path), code)

else:

    def close_to_others(path: Path) -> None:
        """Leave the file `path` to its owner; a disk that keeps no modes is left as it is: `is_open_to_others` tells."""
        try:
            path.chmod(0o600)
        except PermissionError:
            return
