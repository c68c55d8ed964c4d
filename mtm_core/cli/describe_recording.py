"""What `mtm-core info` says about a recording that was not prepared yet."""

from __future__ import annotations

import shlex
import textwrap
from functools import cached_property
from pathlib import Path

import numpy as np

from mtm_core.cli.output import table_text
from mtm_core.data.raw import RawSession
from mtm_core.data.regions import sort_regions
from mtm_core.data.sources import open_source


class RecordingDescription:
    """A recording (ALF folder, NWB file, bring your own) in numbers and in words.

    Parameters
    ----------
    path : Path
        The folder or file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def raw(self) -> RawSession:
        """The recording, read when it is first asked for."""
        opened = open_source(self.path)
        assert isinstance(opened, RawSession)  # noqa: S101 - the others have their own description
        return opened

    def warnings(self) -> list[str]:
        """Return nothing: the notes are part of the text."""
        return []

    def facts(self) -> dict[str, object]:
        """Return everything as plain values, sizes at the top level."""
        raw = self.raw
        return {
            "kind": "recording",
            "path": str(self.path),
            "session_id": raw.origin.session_id,
            "is_simulated": raw.origin.is_simulated,
            "n_units": raw.units.n_rows,
            "n_good": _n_good(raw),
            "n_trials": raw.trials.n_rows,
            "n_spikes": sum(len(probe.times_s) for probe in raw.spikes),
            "probes": [_probe_facts(raw, i) for i in range(len(raw.spikes))],
            "regions": {name: n for name, n, _ in _region_rows(raw)},
            "unit_fields": _fields(raw, "units"),
            "trial_fields": _fields(raw, "trials"),
            "signals": {name: _span(signal.times_s) for name, signal in raw.signals.items()},
            "events": {name: len(times) for name, times in raw.events.items()},
            "origin": raw.origin,
        }

    def text(self) -> str:
        """Return what a person wants to read."""
        raw, origin = self.raw, self.raw.origin
        kind = "SIMULATED, no recording" if origin.is_simulated else "recorded"
        who = ", ".join(str(x) for x in (origin.lab, origin.subject, origin.date) if x)
        good = _n_good(raw)
        rows = [list(row) for row in _region_rows(raw)]
        head = [
            _paragraph("Recording", f"{origin.session_id} ({kind}{', ' + who if who else ''})"),
            *(_paragraph("Probe", _probe_text(raw, i)) for i in range(len(raw.spikes))),
            _paragraph(
                "Units",
                f"{raw.units.n_rows}, "
                + ("quality not recorded" if good is None else f"{good} good"),
            ),
            _paragraph("Trials", f"{raw.trials.n_rows}: {_field_text(raw)}"),
            _paragraph("Behaviour", _behavior_text(raw)),
        ]
        notes = [_paragraph("Note", note) for note in origin.notes]
        command = f"mtm-core prepare {shlex.quote(str(self.path))} --out S.h5"
        parts = (
            "\n".join(head),
            table_text(("region", "units", "good"), rows) if rows else "",
            "\n".join(notes),
            f"{'Next':<14}{command}",
        )
        return "\n\n".join(part for part in parts if part)


def _n_good(raw: RawSession) -> int | None:
    if not raw.units.has("is_good"):
        return None
    column = raw.units.column("is_good")
    return int((column.is_valid & column.values.astype(bool)).sum())


def _probe_facts(raw: RawSession, number: int) -> dict[str, object]:
    probe = raw.spikes[number]
    is_here = raw.units.values("probe") == probe.probe
    return {
        "probe": probe.probe,
        "n_units": int(is_here.sum()),
        "n_spikes": len(probe.times_s),
        "span_s": _span(probe.times_s),
    }


def _probe_text(raw: RawSession, number: int) -> str:
    facts, times = _probe_facts(raw, number), raw.spikes[number].times_s
    span = f", {times[0]:.1f} to {times[-1]:.1f} s" if len(times) else ""
    return f"{facts['probe']}: {facts['n_units']} units, {len(times):,} spikes{span}"


def _region_rows(raw: RawSession) -> list[tuple[str, int, int | None]]:
    """Return units and good units of each region, in the atlas's order."""
    column = raw.units.column("region")
    rows: list[tuple[str, int, int | None]] = []
    for name in sort_regions({str(name) for name in column.values[column.is_valid]}):
        is_here = column.is_valid & (column.values == name)
        good = None
        if raw.units.has("is_good"):
            told = raw.units.column("is_good")
            good = int((is_here & told.is_valid & told.values.astype(bool)).sum())
        rows.append((name, int(is_here.sum()), good))
    return rows


def _fields(raw: RawSession, table: str) -> dict[str, int]:
    columns = (raw.units if table == "units" else raw.trials).columns
    return {name: int(column.is_valid.sum()) for name, column in sorted(columns.items())}


def _field_text(raw: RawSession) -> str:
    counts = _fields(raw, "trials")
    names = [n if k == raw.trials.n_rows else f"{n} ({k})" for n, k in counts.items()]
    return ", ".join(name for name in names if name != "trial_id")


def _behavior_text(raw: RawSession) -> str:
    signals = [
        f"{name} ({len(signal.times_s):,} samples)" for name, signal in sorted(raw.signals.items())
    ]
    events = [f"{name} ({len(times):,})" for name, times in sorted(raw.events.items())]
    return ", ".join([*signals, *events]) or "none in this recording"


def _span(times: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float] | None:
    return [float(times[0]), float(times[-1])] if len(times) else None


def _paragraph(title: str, text: str) -> str:
    return textwrap.fill(text, width=99, initial_indent=f"{title:<14}", subsequent_indent=" " * 14)
