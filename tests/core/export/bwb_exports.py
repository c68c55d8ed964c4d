"""An untrained model of a small simulated session, and its files in BrainWideBench's format."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtm_core.data.session import Session
from mtm_core.export.bwb import BwbReport, BwbSettings, export_bwb
from tests.core.checkpoints import make_checkpoint
from tests.core.evaluation.behaving import make_behaving_session

SESSION = make_behaving_session(("choice", "wheel_speed"), n_trials=120, n_bins=20, n_units=30)
CHECKPOINT = make_checkpoint(SESSION)
ALL_UNITS = "rate_hz >= 0"


def export(folder: Path, session: Session = SESSION, **settings) -> BwbReport:
    model = CHECKPOINT if session is SESSION else make_checkpoint(session)
    return export_bwb(model, session, folder, BwbSettings(**{"units": ALL_UNITS, **settings}))


def need_evaluator() -> None:
    """Skip a test that needs the benchmark's own package."""
    reason = "ibl-bwb-eval is an optional package: docs/export_bwb.md says how to install it"
    for name in ("ibl_bwb_eval", "torchmetrics"):
        pytest.importorskip(name, reason=reason)
