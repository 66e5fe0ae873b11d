"""Compile the Chinese words: every `resources/i18n/zh_CN/<room>.po` into one `LC_MESSAGES/gridman.mo`.

`python build_scripts/translate.py` compiles (polib must be installed); `--check` only reads and says what is wrong.
The same message may stand in several rooms' files with the same translation; with two translations it is an error.
"""

import hashlib
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[1] / "resources" / "i18n"
LANGUAGES = ("zh_CN",)
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[#0\- +]*[\d.*]*[diouxXeEfFgGcrsa%]|\{[^{}]*\}")


@dataclass
class Catalogue:
    """The messages of one language with the file each came from, and what is wrong with them."""

    entries: dict[tuple[str, str], Any] = field(default_factory=dict)
    sources: dict[tuple[str, str], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, entry: Any, source: str) -> None:
        """Take one polib entry; a contradiction, an empty translation or lost placeholders become problems."""
        key = (entry.msgctxt or "", entry.msgid)
        where = f"{source}: {entry.msgid!r}"
        said = _translations(entry)
        known = self.entries.get(key)
        if known is not None and _translations(known) != said:
            self.problems.append(f"{where} is {said} here and {_translations(known)} in {self.sources[key]}")
        if not all(said):
            self.problems.append(f"{where} has no translation")
        originals = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
        for text in filter(None, said):
            if not any(_placeholders(original) == _placeholders(text) for original in originals):
                self.problems.append(f"{where}: placeholders differ from those of {text!r}")
        if known is None or (entry.msgid_plural and not known.msgid_plural):
            self.entries[key] = entry
            self.sources[key] = source

    def forms(self, context: str, text: str) -> list[str]:
        """The English forms of an entry: its text, and its plural where it has one."""
        entry = self.entries[context, text]
        return [text, *([entry.msgid_plural] if entry.msgid_plural else [])]


def _translations(entry: Any) -> list[str]:
    return [entry.msgstr_plural[n] for n in sorted(entry.msgstr_plural)] if entry.msgid_plural else [entry.msgstr]


def _placeholders(text: str) -> list[str]:
    return sorted(found for found in _PLACEHOLDER.findall(text.replace("{{", "").replace("}}", "")) if found != "%%")


def rooms(language: str) -> list[Path]:
    """The .po files of a language, one per room."""
    return sorted((HOME / language).glob("*.po"))


def read(language: str) -> Catalogue:
    """Every room's messages of `language` in one catalogue."""
    import polib

    catalogue = Catalogue()
    for path in rooms(language):
        try:
            entries = polib.pofile(str(path), encoding="utf-8", check_for_duplicates=True)
        except (OSError, ValueError) as error:
            catalogue.problems.append(f"{path.name}: {error}")
            continue
        for entry in entries:
            if not entry.obsolete and not entry.fuzzy:
                catalogue.add(entry, path.name)
    return catalogue


def inputs_hash(language: str) -> str:
    """One hash over the names and texts of a language's .po files."""
    digest = hashlib.sha256()
    for path in rooms(language):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def _folder(language: str) -> Path:
    return HOME / language / "LC_MESSAGES"


def is_stale() -> bool:
    """Whether a compiled catalogue is missing or older than its sources."""
    for language in LANGUAGES:
        made_from = _folder(language) / "gridman.made-from.txt"
        if not made_from.exists() or made_from.read_text(encoding="utf-8").strip() != inputs_hash(language):
            return True
    return False


def compile_language(language: str) -> Catalogue:
    """Write the language's gridman.mo (whole or not at all) unless something is wrong; return what was read."""
    import polib

    made_from = inputs_hash(language)
    catalogue = read(language)
    if catalogue.problems:
        return catalogue
    merged = polib.POFile()
    merged.metadata = {
        "Project-Id-Version": "gridman",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    merged.extend(catalogue.entries[key] for key in sorted(catalogue.entries))
    folder = _folder(language)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"gridman.mo.part-{os.getpid()}"  # two test runs may compile at once
    merged.save_as_mofile(str(part))
    part.replace(folder / "gridman.mo")
    (folder / "gridman.made-from.txt").write_text(made_from + "\n", encoding="utf-8")
    return catalogue


def main(arguments: list[str]) -> int:
    """Compile or check every language; 1 when something is wrong."""
    wrong = 0
    for language in LANGUAGES:
        catalogue = read(language) if "--check" in arguments else compile_language(language)
        for problem in catalogue.problems:
            print(f"{language}/{problem}", file=sys.stderr)
        wrong += len(catalogue.problems)
        counts = f"{len(catalogue.entries)} messages from {len(rooms(language))} files"
        print(f"{language}: {counts}, {len(catalogue.problems)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
