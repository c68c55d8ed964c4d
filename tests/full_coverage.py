"""Says which of the files held at full coverage fall short; silent when none does.

Run after the suite: ``python tests/full_coverage.py`` reads ``.coverage`` in the current folder.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import coverage

HELD_AT_FULL = (
    "mtm_core/errors.py",
    "mtm_core/config.py",
    "mtm_core/config_fields.py",
    "mtm_core/data/binning.py",
    "mtm_core/data/coverage.py",
    "mtm_core/data/preparation*.py",
    "mtm_core/data/signal_binning.py",
    "mtm_core/data/spike_binning.py",
    "mtm_core/data/*_rules.py",
    "mtm_core/data/splits.py",
    "mtm_core/masking/*.py",
    "mtm_core/models/losses.py",
    "mtm_core/evaluation/metrics.py",
    "mtm_viewer/presenters/*.py",
)


def held_files(root: Path) -> list[Path]:
    """Return the files held at full coverage; a pattern without a file is an error."""
    found = {pattern: sorted(root.glob(pattern)) for pattern in HELD_AT_FULL}
    empty = [pattern for pattern, files in found.items() if not files]
    if empty:
        raise SystemExit(f"No file matches {', '.join(empty)}: correct tests/full_coverage.py.")
    return [file for files in found.values() for file in files]


def shortfalls(root: Path) -> list[str]:
    """Return one line for each held file of which a line or a branch was not run."""
    data = coverage.Coverage(data_file=root / ".coverage", config_file=root / "pyproject.toml")
    data.load()
    lines = []
    for file in held_files(root):
        percent = data.report(morfs=[str(file)], file=io.StringIO(), show_missing=False)
        if percent < 100:
            text = io.StringIO()
            data.report(morfs=[str(file)], file=text, show_missing=True)
            row = next(row for row in text.getvalue().splitlines() if file.stem in row)
            lines.append(f"  {row}")
    return lines


if __name__ == "__main__":
    short = shortfalls(Path.cwd())
    if short:
        sys.exit("These files are held at 100 % coverage and fall short:\n" + "\n".join(short))
