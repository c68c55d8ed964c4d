"""What `mtm-core sweep --status` says, without torch and at once."""

from __future__ import annotations

from pathlib import Path

from mtm_core.cli import output
from mtm_core.errors import TrainingError
from mtm_core.sweep.journal import Journal
from mtm_core.sweep.spec import SweepSpec
from mtm_core.sweep.table import TABLE, write_results


def show_table(spec: SweepSpec, out: Path) -> int:
    """Print the table of a sweep as it is now.

    Raises
    ------
    TrainingError
        If there is no sweep in the folder.
    """
    if not (out / "journal.jsonl").exists():
        msg = f"{out} holds no sweep yet. Leave out --status to begin it."
        raise TrainingError(msg)
    write_results(Journal(out, spec))
    output.show((out / TABLE).read_text(encoding="utf-8").rstrip())
    return 0
