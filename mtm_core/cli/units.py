"""List the units of a session: where each is, how fast it fires, how well a model predicts it.

Examples
--------
  mtm-core units steinmetz2019_s12
  mtm-core units S.h5 --rule 'region == "CA1" and rate_hz > 2'
  mtm-core units S.h5 --checkpoint RUN --csv units.csv

Without a checkpoint rates are those of all trials; with one, and in its rules, those of its
training trials, as in the window. Scores are bits per spike when the unit alone is hidden
(co-smoothing), over its mean rate and over its PSTH.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtm_core.cli.computing import add_compute_arguments

if TYPE_CHECKING:
    from mtm_core.evaluation.report import Report

SPLITS = ("test", "val", "train")
_SHOWN = {
    "unit_id": "unit",
    "region": "region",
    "depth_um": "depth (um)",
    "probe": "probe",
    "rate_hz": "rate (spikes/s)",
    "n_spikes": "spikes",
    "bps": "bps",
    "bps_beyond_psth": "beyond PSTH",
    "n_scored_spikes": "scored spikes",
}
"""What the table shows of what there is; files hold every field."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core units`."""
    parser.add_argument(
        "session", metavar="S.h5", help="session, or the beginning of a bundled session's name"
    )
    parser.add_argument(
        "--rule", help="list these units only, such as 'region == \"CA1\" and rate_hz > 2'"
    )
    parser.add_argument(
        "--checkpoint", metavar="CKPT", help="score each unit: checkpoint, run folder, or demo"
    )
    parser.add_argument(
        "--split", choices=SPLITS, default="test", help="trials that are scored (default: test)"
    )
    parser.add_argument("--csv", type=Path, metavar="OUT.csv", help="write every field there")
    parser.add_argument(
        "--json", type=Path, metavar="OUT.json", help="write every field there ('-': stdout)"
    )
    add_compute_arguments(parser)
    parser.add_argument(
        "--allow-overlap",
        action="store_true",
        help="accept a session that lacks units of the checkpoint",
    )


def run(args: argparse.Namespace) -> int:
    """List the units; print the table, or write it."""
    from mtm_core.cli import output
    from mtm_core.cli.evaluate import STDOUT, check_writable

    check_writable(args.csv)
    check_writable(args.json)
    values = list_units(args)
    if args.json == STDOUT:
        output.show_json(values)
        return 0
    if args.csv is None and args.json is None:
        output.show(units_text(values))
        return 0
    if args.csv is not None:
        _write_csv(args.csv, values["units"])
        output.show(f"Wrote {args.csv}")
    if args.json is not None:
        output.write_json(args.json, values)
        output.show(f"Wrote {args.json}")
    return 0


def list_units(args: argparse.Namespace) -> dict[str, Any]:
    """Return the units that were asked for, with every field that they have, as plain values."""
    import numpy as np

    from mtm_core.cli.info import find
    from mtm_core.data.session_file import read_session
    from mtm_core.data.units import unit_rate_hz
    from mtm_core.masking.rules import parse_rule

    rule = None if args.rule is None else parse_rule(args.rule)
    session = read_session(find(args.session))
    trials, which, report = np.arange(session.n_trials), "all {} trials", None
    if args.checkpoint is not None:
        trials, which, report = _score(args, session)
    rate_hz = unit_rate_hz(session, trials)
    chosen = np.ones(session.n_units, dtype=bool)
    if rule is not None:
        chosen = rule.select(session.units, rate_hz)
    spikes = session.counts.sum(axis=(0, 1), dtype=np.int64)
    scores = {} if report is None else _scores(report)
    rows = []
    for row in np.flatnonzero(chosen).tolist():
        fields = _fields(session.units, row)
        measured = {"rate_hz": float(rate_hz[row]), "n_spikes": int(spikes[row])}
        scored = scores.get(fields["unit_id"], dict.fromkeys(_SCORES)) if scores else {}
        rows.append({**fields, **measured, **scored})
    return {
        "session_id": session.session_id,
        "is_simulated": session.provenance.is_simulated,
        "n_units": session.n_units,
        "rule": args.rule,
        "rule_in_words": None if rule is None else str(rule),
        "rates_over": which.format(len(trials)),
        "scores": None if report is None else dict(report.header),
        "units": rows,
    }


_SCORES = ("bps", "bps_beyond_psth", "n_scored_spikes")


def _fields(table: Any, row: int) -> dict[str, Any]:  # noqa: ANN401 - a `Table`, without numpy
    """Return what the unit table holds of a unit; None for what is absent."""
    first = ("unit_id", "region")
    names = (*first, *(name for name in table.columns if name not in first))
    found = {}
    for name in names:
        column = table.column(name)
        found[name] = column.values[row].item() if column.is_valid[row] else None
    return found


def _score(args: argparse.Namespace, session: Any) -> tuple[Any, str, Report]:  # noqa: ANN401
    """Score the units one by one; return the training trials as well."""
    from mtm_core.cli.bound_model import find_model
    from mtm_core.cli.computing import chosen_backend
    from mtm_core.cli.evaluate import Progress
    from mtm_core.evaluation.report import evaluate
    from mtm_core.models.backend import use_backend
    from mtm_core.models.checkpoint import load_folds
    from mtm_core.models.session_split import split_for

    backend = chosen_backend(args)
    checkpoint = load_folds(find_model(args.checkpoint), backend.device, session.session_id)
    with Progress() as progress, use_backend(backend):
        report = evaluate(
            checkpoint,
            session,
            ["co_smoothing"],
            args.split,
            shuffle=False,
            allow_overlap=args.allow_overlap,
            on_step=progress.tell,
        )
    split, _ = split_for(session, checkpoint.manifest)
    return split.train, "{} training trials", report


def _scores(report: Report) -> dict[str, dict[str, Any]]:
    """Return the scores of each unit by its id; None where it has too few scored spikes."""
    units = report.tasks["co_smoothing"].units
    found = {}
    for place, unit_id in enumerate(units.unit_id.tolist()):
        values = {
            name: float(each.values[place]) if each.is_valid[place] else None
            for name, each in (("bps", units.bps), ("bps_beyond_psth", units.bps_beyond_psth))
        }
        found[unit_id] = {**values, "n_scored_spikes": int(units.n_spikes[place])}
    return found


def units_text(values: dict[str, Any]) -> str:
    """Return the table for people, and in a line what it is of."""
    from mtm_core.cli.output import table_text

    rows = values["units"]
    names = [name for name in _SHOWN if any(row.get(name) is not None for row in rows)]
    cells = [[row[name] for name in names] for row in rows]
    table = table_text([_SHOWN[name] for name in names], cells)
    n_found, n_all = len(rows), values["n_units"]
    simulated = " (simulated)" if values["is_simulated"] else ""
    which = f", {values['rule_in_words']}" if values["rule"] else ""
    lines = [f"{n_found} of {n_all} units of {values['session_id']}{simulated}{which}"]
    lines += [f"Rates over {values['rates_over']}; spikes in all trials."]
    if values["scores"] is not None:
        lines.append(
            "bps: bits per spike when the unit alone is hidden, over its mean rate and over its "
            f"PSTH, in {values['scores']['split']} trials; '-' where spikes are too few."
        )
    return "\n".join([table, "", *lines] if rows else lines)


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    import csv
    import io

    from mtm_core.resources import atomic_write

    out = io.StringIO()
    names = list(rows[0]) if rows else ["unit_id", "region", "rate_hz", "n_spikes"]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_write(path) as temporary:
        temporary.write_text(out.getvalue(), encoding="utf-8")
