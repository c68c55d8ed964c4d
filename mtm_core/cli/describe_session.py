"""What `mtm-core info` says about a session file."""

from __future__ import annotations

import dataclasses
import textwrap
from functools import cached_property
from pathlib import Path

import numpy as np

from mtm_core.cli.describe_preparation import health_text, preparation_text
from mtm_core.cli.output import table_text
from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.data.health import session_health
from mtm_core.data.label_check import LabelCheck, check_area_labels
from mtm_core.data.regions import load_regions, sort_regions
from mtm_core.data.session import Session
from mtm_core.data.session_file import SCHEMA, SCHEMA_VERSION, read_session
from mtm_core.data.units import unit_rate_hz

_SHOWN_BY = ("contrast_side", "feedback")


class SessionDescription:
    """A session file in numbers and in words.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session = read_session(path)

    @cached_property
    def label_check(self) -> LabelCheck:
        """Whether the area labels fit the noise correlations."""
        return check_area_labels(self.session)

    def warnings(self) -> list[str]:
        """Return the finding about the area labels, if it is a bad one."""
        check = self.label_check
        return [check.sentence] if check.verdict == "suspect" else []

    def facts(self) -> dict[str, object]:
        """Return everything as plain values, sizes at the top level."""
        session = self.session
        table = region_rows(session)
        return {
            "kind": "session",
            "path": str(self.path),
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "session_id": session.session_id,
            "content_hash": session.content_hash,
            "n_trials": session.n_trials,
            "n_bins": session.n_bins,
            "n_units": session.n_units,
            "n_spikes": n_spikes(session),
            "bin_size_s": session.bin_size_s,
            "window_start_s": session.window_start_s,
            "window_end_s": _window_end_s(session),
            "rate_hz": float(np.mean(unit_rate_hz(session, _all_trials(session)))),
            "regions": {row["region"]: row["n_units"] for row in table},
            "region_table": table,
            "conditions": condition_counts(session),
            "unit_fields": field_counts(session, "units"),
            "trial_fields": field_counts(session, "trials"),
            "behaviors": {name: int(b.is_valid.sum()) for name, b in session.behaviors.items()},
            "label_check": self.label_check,
            "is_simulated": session.provenance.is_simulated,
            "health": session_health(session),
            "preparation": session.preparation,
            "provenance": session.provenance,
        }

    def text(self) -> str:
        """Return what a person wants to read."""
        parts = (
            self._head(),
            preparation_text(self.session),
            _region_text(self.session),
            _condition_text(self.session),
            _field_text(self.session),
            health_text(self.session),
            _paragraph("Label check", self.label_check.sentence),
            _provenance_text(self.session),
        )
        return "\n\n".join(part for part in parts if part)

    def _head(self) -> str:
        session = self.session
        rate = unit_rate_hz(session, _all_trials(session))
        start, end = (1000 * t for t in (session.window_start_s, _window_end_s(session)))
        source = session.provenance
        who = ", ".join(str(x) for x in (source.lab, source.subject, source.date) if x)
        kind = "SIMULATED, no recording" if source.is_simulated else "recorded"
        return "\n".join(
            (
                f"Session       {session.session_id} ({kind}{', ' + who if who else ''})",
                f"Trials        {session.n_trials}, aligned to {source.align_event}",
                f"Bins          {session.n_bins} of {1000 * session.bin_size_s:g} ms, "
                f"{start:g} to {end:g} ms",
                f"Units         {session.n_units}, {n_spikes(session):,} spikes, "
                f"mean rate {rate.mean():.2f} Hz (median {np.median(rate):.2f}), "
                f"{int((rate == 0).sum())} without a spike",
                f"File          {self.path} ({self.path.stat().st_size / 1e6:.2f} MB, "
                f"{SCHEMA} {SCHEMA_VERSION}, hash {session.content_hash[:12]})",
            )
        )


def n_spikes(session: Session) -> int:
    """Count the spikes of a session."""
    return int(session.counts.sum(dtype=np.int64))


def region_rows(session: Session) -> list[dict[str, object]]:
    """Return units and rates of each region, in the atlas's order."""
    known = load_regions()
    rate = unit_rate_hz(session, _all_trials(session))
    rows: list[dict[str, object]] = []
    for name in sort_regions(session.region_names()):
        is_here = session.region == name
        first = int(np.argmax(is_here))
        rows.append(
            {
                "region": name,
                "n_units": int(is_here.sum()),
                "rate_hz": float(rate[is_here].mean()),
                "beryl": str(session.units.values("region_beryl")[first]),
                "cosmos": str(session.units.values("region_cosmos")[first]),
                "name": known[name].name if name in known else "",
            }
        )
    return rows


def condition_counts(session: Session) -> dict[str, int]:
    """Count trials by contrast side and feedback, as far as the session has them."""
    by = tuple(name for name in _SHOWN_BY if name in available_conditions(session))
    if not by:
        return {}
    conditions = trial_conditions(session, by)
    counts = np.bincount(conditions.label[conditions.is_valid], minlength=len(conditions.names))
    return dict(zip(conditions.names, counts.tolist(), strict=True))


def field_counts(session: Session, table: str) -> dict[str, int]:
    """Count in how many rows each field of a table is present."""
    columns = (session.units if table == "units" else session.trials).columns
    return {name: int(column.is_valid.sum()) for name, column in sorted(columns.items())}


def _all_trials(session: Session) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(session.n_trials)


def _window_end_s(session: Session) -> float:
    return session.window_start_s + session.n_bins * session.bin_size_s


def _region_text(session: Session) -> str:
    rows = region_rows(session)
    if not rows:
        return "Regions       none: this session says nothing about where its units are"
    header = ("region", "units", "rate (spikes/s)", "Beryl", "Cosmos", "name")
    return table_text(header, [list(row.values()) for row in rows])


def _condition_text(session: Session) -> str:
    counts = condition_counts(session)
    return table_text(("condition", "trials"), list(counts.items())) if counts else ""


def _field_text(session: Session) -> str:
    lines = []
    for what, table, n_rows in (
        ("Unit fields", "units", session.n_units),
        ("Trial fields", "trials", session.n_trials),
    ):
        fields = field_counts(session, table).items()
        shown = ", ".join(name if n == n_rows else f"{name} ({n})" for name, n in fields)
        lines.append(_paragraph(what, shown))
    names = ", ".join(sorted(session.behaviors)) or "none in this session"
    lines.append(_paragraph("Behaviour", names))
    return "\n".join(lines)


def _provenance_text(session: Session) -> str:
    source = dataclasses.asdict(session.provenance)
    told = {name: source[name] or "not stated" for name in ("licence", "citation")}
    lines = [_paragraph(name.capitalize(), text) for name, text in told.items()]
    lines += [_paragraph("Note", note) for note in session.provenance.notes]
    return "\n".join(lines)


def _paragraph(title: str, text: str) -> str:
    return textwrap.fill(text, width=99, initial_indent=f"{title:<14}", subsequent_indent=" " * 14)
