"""`PreparationReport`: by which rules a recording was prepared, and what they left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mtm_core.errors import DataError
from mtm_core.json_text import parse_json

Tally = tuple[tuple[str, int], ...]
"""Reasons, each with how many it took, largest first."""


@dataclass(frozen=True, kw_only=True)
class PreparationReport:
    """What a preparation kept, what it left out, and why.

    Parameters
    ----------
    rules : tuple of str
        The rules in words, one sentence each; the first names the preset.
    settings : mapping of str to object
        Every setting of the preparation, as plain values.
    n_units_given, n_units_kept : int
        Clusters of the recording, and units of the session.
    units_dropped : tuple of (str, int)
        Why units were left out, and how many; a unit counts under the first reason met.
    n_trials_given, n_trials_kept : int
        Trials of the recording, and of the session.
    trials_dropped : tuple of (str, int)
        Why trials were left out, and how many; a trial counts under the first reason met.
    behaviors_missing : tuple of (str, str)
        Behaviours that the session lacks, and why.

    Examples
    --------
    >>> report = PreparationReport(
    ...     rules=("Preset default.",), settings={}, n_units_given=262, n_units_kept=44,
    ...     units_dropped=(("not good", 216), ("no named region", 2)), n_trials_given=530,
    ...     n_trials_kept=412,
    ...     trials_dropped=(("slow", 61), ("missing events", 40), ("no-go", 17)),
    ...     behaviors_missing=(),
    ... )
    >>> print(report.trials_sentence)
    412 of 530 trials kept: 61 slow, 40 missing events, 17 no-go
    >>> round(report.share_of_trials_dropped, 2)
    0.22
    """

    rules: tuple[str, ...]
    settings: Mapping[str, Any]
    n_units_given: int
    n_units_kept: int
    units_dropped: Tally
    n_trials_given: int
    n_trials_kept: int
    trials_dropped: Tally
    behaviors_missing: tuple[tuple[str, str], ...]

    @property
    def trials_sentence(self) -> str:
        """How many trials were kept, and why the others were not."""
        return _sentence("trials", self.n_trials_kept, self.n_trials_given, self.trials_dropped)

    @property
    def units_sentence(self) -> str:
        """How many units were kept, and why the others were not."""
        return _sentence("units", self.n_units_kept, self.n_units_given, self.units_dropped)

    @property
    def share_of_trials_dropped(self) -> float:
        """Share of the recording's trials that were left out, 0 to 1."""
        return 1 - self.n_trials_kept / self.n_trials_given

    def to_json(self) -> str:
        """Return the report as JSON, the same text for the same report."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> PreparationReport:
        """Read what `to_json` wrote.

        Raises
        ------
        DataError
            If the text is no such report.
        """
        try:
            fields = parse_json(text)
            for name in ("units_dropped", "trials_dropped", "behaviors_missing"):
                fields[name] = tuple((str(what), why) for what, why in fields[name])
            return cls(**{**fields, "rules": tuple(fields["rules"])})
        except (ValueError, TypeError, KeyError) as error:
            msg = "What it says about how it was prepared cannot be read."
            raise DataError(msg) from error


def _sentence(what: str, n_kept: int, n_given: int, dropped: Tally) -> str:
    reasons = ", ".join(f"{n} {reason}" for reason, n in dropped)
    return f"{n_kept} of {n_given} {what} kept" + (f": {reasons}" if reasons else "")
