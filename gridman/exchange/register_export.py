"""The register as a spreadsheet in the office's own layout; each export is noted in the audit before its first line leaves."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gridman.domain.access import Actor
from gridman.exchange.register_write import TITLE, write_register
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import _
from gridman.services.register_lines import begin_export, register_lines
from gridman.store.store import Store

__all__ = ["export_register"]

_EVERY = 500


def export_register(
    store: Store,
    actor: Actor,
    grid_ids: Sequence[int],
    path: Path,
    purpose: str,
    *,
    masked: bool = True,
    progress: Progress = quiet,
) -> int:
    """Write the residents of these grids to `path` (.xlsx); returns how many. The title names the batch. An unmasked export can
    be imported again. Refuses with ``access.*``, ``export.no_purpose`` or ``file.cannot_write``.
    """
    with store.unit(actor) as unit:
        stamp = begin_export(unit, grid_ids, purpose, masked=masked)
    count = 0

    def counted(lines: Iterator[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
        nonlocal count
        for line in lines:
            count += 1
            if count % _EVERY == 0:
                progress(count, max(stamp.person_count, count), _("Writing residents"))
            yield line

    with store.read() as reader:
        lines = register_lines(reader, grid_ids, masked=masked)
        write_register(path, counted(lines), title=f"{TITLE}（导出批次 {stamp.batch}，仅限申报用途）")
    progress(count, count, _("Writing residents"))
    return count
