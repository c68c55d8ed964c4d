"""What came of a sweep, up to now: a table of its trials, and the best settings as a preset."""

from __future__ import annotations

import csv
import dataclasses
import io
import textwrap
from collections.abc import Sequence
from pathlib import Path

from mtm_core import config_io
from mtm_core.models.manifest import software_versions
from mtm_core.resources import atomic_write
from mtm_core.shared_folder import write_json
from mtm_core.sweep.journal import Journal, TrialRecord
from mtm_core.sweep.spec import SweepSpec

BEST = "best.toml"
TABLE = "table.md"
_JUDGES = {
    "masks": "the mean over the schemes that the preset trains, hidden entries of fixed masks",
    "tasks": "the mean over {tasks}",
}
CAUTION = (
    "Test trials were not looked at. The best of many trials is flattered by having been chosen: "
    "say what it is worth by one `mtm-core evaluate` on test trials."
)


def best_of(records: Sequence[TrialRecord]) -> TrialRecord | None:
    """Return the finished trial of the highest score; the earliest where several share it."""
    finished = [record for record in records if record.score is not None]
    return max(finished, key=lambda r: (r.score or 0.0, -r.number), default=None)


def ranked(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return finished trials from the best to the worst, then all others by number."""
    finished = [record for record in records if record.score is not None]
    others = [record for record in records if record.score is None]
    return [*sorted(finished, key=lambda r: -(r.score or 0.0)), *others]


def write_results(journal: Journal) -> None:
    """Write ``table.md``, ``table.csv``, ``table.json`` and, once there is one, the best preset.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    folder, spec = journal.folder, journal.spec
    with journal.gate():  # so that a slower worker does not put an older table over a newer
        records = journal.records()
        best = best_of(records)
        values = {
            **spec.settings(),
            "versions": software_versions(),
            "judge": judge_words(spec),
            "n_trials": spec.n_trials,
            "best": None if best is None else best.number,
            "trials": [dataclasses.asdict(record) for record in ranked(records)],
        }
        write_json(folder / "table.json", values)
        _write(folder / TABLE, table_markdown(spec, records))
        _write(folder / "table.csv", _csv(spec, records))
        if best is not None:
            _write(folder / BEST, preset_text(spec, best))


def judge_words(spec: SweepSpec) -> str:
    """Say what the scores of a sweep are."""
    tasks = ", ".join(name.replace("_", "-") for name in spec.sweep.tasks)
    what = _JUDGES[spec.sweep.judge].format(tasks=tasks)
    several = " The score of a trial is the mean over its runs." if _n_runs(spec) > 1 else ""
    return (
        "bits per spike on validation trials, pooled over units, null: each unit's mean rate in "
        f"training trials; {what}.{several}"
    )


def table_markdown(spec: SweepSpec, records: Sequence[TrialRecord]) -> str:
    """Return the table as Markdown, with what a reader needs to judge it.

    Parameters
    ----------
    spec : SweepSpec
        Of the sweep.
    records : sequence of TrialRecord
        Its trials.
    """
    sweep, keys = spec.sweep, list(spec.search)
    seeds = ", ".join(map(str, sweep.seeds))
    head = ["rank", "trial", "score", *keys, "minutes", "state"]
    lines = [
        f"# Sweep {sweep.name}",
        "",
        f"Preset {sweep.preset} on {', '.join(sweep.sessions)}"
        f"{', together' if sweep.together else ''}; training seeds {seeds}. "
        f"{_counts(spec, records)}",
        "",
        f"Score: {judge_words(spec)} {CAUTION}",
        "",
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
    ]
    for rank, record in enumerate(ranked(records), 1):
        values = [_number(record.values.get(key)) for key in keys]
        state = record.state if record.why is None else f"{record.state}: {_one_line(record.why)}"
        cells = [str(rank) if record.score is not None else "", str(record.number)]
        cells += [_number(record.score), *values, _minutes(record.seconds), state]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def preset_text(spec: SweepSpec, best: TrialRecord) -> str:
    """Return the settings of a trial as a TOML file that ``mtm-core train --preset`` takes."""
    said = (
        f"Trial {best.number} of the sweep {spec.sweep.name}, the best by its score: "
        f"{_number(best.score)} {judge_words(spec)}"
    )
    head = textwrap.fill(said, 99, initial_indent="# ", subsequent_indent="# ")
    return f"{head}\n{config_io.to_toml(spec.config(best.values))}"


def _n_runs(spec: SweepSpec) -> int:
    groups = 1 if spec.sweep.together else len(spec.sweep.sessions)
    return groups * len(spec.sweep.seeds)


def _counts(spec: SweepSpec, records: Sequence[TrialRecord]) -> str:
    states = [record.state for record in records]
    said = ", ".join(
        f"{states.count(name)} {name}"
        for name in ("finished", "stopped early", "failed", "running")
        if name in states
    )
    sampler = spec.sweep.sampler
    how = (
        "all points of a grid"
        if sampler == "grid"
        else f"{sampler}, seed {spec.sweep.sampler_seed}"
    )
    return f"{spec.n_trials} trials ({how}): {said or 'none begun'}."


def _csv(spec: SweepSpec, records: Sequence[TrialRecord]) -> str:
    runs = sorted({name for record in records for name in record.runs})
    names = ["trial", "state", "score", *spec.search, *runs, "seconds", "why"]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
    writer.writeheader()
    for record in ranked(records):
        known = {"trial": record.number, "state": record.state, "score": record.score}
        times = {"seconds": record.seconds, "why": record.why}
        writer.writerow({**known, **record.values, **record.runs, **times})
    return stream.getvalue()


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _number(value: object) -> str:
    """Return four digits of a fraction, and anything else as it is."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 60:.1f}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:200]
