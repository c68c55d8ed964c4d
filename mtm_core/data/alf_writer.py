"""Writes a simulated session as IBL lays its own out: an ALF folder.

::

    ROOT/simulated/Subjects/SUBJECT/2000-01-01/001/
        _mtm_simulated.json                             settings, seed and version
        _mtm_truth.h5                                   true rates, coupling, latents
        alf/_mtm_session.origin.json                    says to every reader that it is simulated
            _ibl_trials.table.pqt  _ibl_trials.{stimOff_times,goCueTrigger_times,...}.npy
            _ibl_wheel.{position,timestamps}.npy  _ibl_wheelMoves.{intervals,peakAmplitude}.npy
            _ibl_{left,right}Camera.times.npy  {left,right}Camera.ROIMotionEnergy.npy
            licks.times.npy
        alf/probe00/electrodeSites.*.npy
        alf/probe00/pykilosort/{spikes,clusters,channels}.*
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core import __version__
from mtm_core.config_simulation import SimulationConfig
from mtm_core.data.alf_origin import ORIGIN_PATH, origin_json
from mtm_core.data.alf_writer_probe import write_sites, write_sorting
from mtm_core.data.simulated import Simulated, session_path
from mtm_core.data.simulated_signals import motion_energy
from mtm_core.data.simulated_trials import TrialPlan
from mtm_core.data.truth_file import TRUTH_FILE, write_truth
from mtm_core.errors import ConfigError, OutputError

LABEL_FILE = "_mtm_simulated.json"
"""Says how a simulated session was made; lies in its session folder."""
LEAD_FRAMES = 3
"""The left camera's times begin with frames that its data lack, as in early IBL sessions."""


def write_alf(
    simulated: Simulated,
    root: str | os.PathLike[str],
    *,
    sorter: str = "pykilosort",
    revision: str | None = None,
    all_datasets: bool = False,
) -> Path:
    """Write a simulated session as an ALF folder below `root`.

    The folder appears once it is whole.

    Parameters
    ----------
    simulated : Simulated
        What to write.
    root : path-like
        A folder of sessions; it is made where it is not there.
    sorter : str
        Name of the sorter folder: ``"pykilosort"``, ``"iblsorter"``, or "" for none.
    revision : str or None
        If given (``"2024-05-06"``), the spikes lie in the folder of this revision, and an older
        sorting, which has fewer spikes and clusters of other names, where they would else lie.
    all_datasets : bool
        Write also what no reader here needs: samples, templates, and the spikes of good units
        once more (``passingSpikes``).

    Returns
    -------
    Path
        The session folder.

    Raises
    ------
    ConfigError
        If the sorter or the revision cannot name a folder.
    OutputError
        If the session is there already, or cannot be written.
    """
    check_layout(sorter, revision)
    folder = alf_folder(simulated.config, simulated.seed, root)
    with _whole_folder(folder) as temporary:
        alf = temporary / "alf"
        alf.mkdir()
        _write_notes(simulated, temporary)
        _write_trials(simulated.plan, alf)
        _write_wheel(simulated, alf)
        _write_cameras(simulated, alf)
        np.save(alf / "licks.times.npy", simulated.raw.events["licks"])
        for number in range(len(simulated.raw.spikes)):
            probe = alf / simulated.raw.spikes[number].probe
            sorting = probe / sorter
            sorting.mkdir(parents=True)
            write_sites(probe)
            if revision is not None:
                write_sorting(simulated, number, sorting, is_older=True)
                sorting = sorting / f"#{revision}#"
                sorting.mkdir()
            write_sorting(simulated, number, sorting, all_datasets=all_datasets)
        write_truth(simulated.truth, temporary / TRUTH_FILE)
    return folder


def ibl_trial_columns(plan: TrialPlan) -> dict[str, NDArray[np.float64]]:
    """Return the columns of IBL's trial table by IBL's names; NaN where a value is absent."""
    is_left = plan.side > 0
    return {
        "goCueTrigger_times": plan.go_cue - 0.0003,
        "intervals_0": plan.start,
        "intervals_1": plan.end,
        "goCue_times": plan.go_cue,
        "response_times": plan.response,
        "choice": plan.choice,
        "stimOn_times": np.where(plan.has_stim_time, plan.stim_on, np.nan),
        "contrastLeft": np.where(is_left, plan.contrast, np.nan),
        "contrastRight": np.where(is_left, np.nan, plan.contrast),
        "probabilityLeft": plan.probability_left,
        "feedback_times": plan.feedback_time,
        "feedbackType": plan.feedback,
        "rewardVolume": plan.reward_volume_ul,
        "firstMovement_times": plan.movement,
        "stimOff_times": plan.stim_off,
        "quiescencePeriod": plan.quiescence_s,
    }


SEPARATE_COLUMNS = ("goCueTrigger_times", "stimOff_times", "quiescencePeriod")
"""Columns that have a file of their own beside the table."""


def alf_folder(config: SimulationConfig, seed: int, root: str | os.PathLike[str]) -> Path:
    """Return the session folder that `write_alf` will make.

    Raises
    ------
    OutputError
        If it is there already.
    """
    folder = Path(root) / session_path(config, seed)
    if folder.exists():
        msg = f"{folder} is there already. Remove it, or choose another --out or --seed."
        raise OutputError(msg)
    return folder


def check_layout(sorter: str, revision: str | None) -> None:
    """Check that sorter and revision can name folders.

    Raises
    ------
    ConfigError
        If one cannot.
    """
    if not re.fullmatch(r"\w*", sorter):
        msg = f"'{sorter}' cannot name a sorter folder: use letters, digits and underscores."
        raise ConfigError(msg)
    if revision is not None and not re.fullmatch(r"\w[\w-]*", revision):
        msg = f"'{revision}' cannot name a revision: give a date such as 2024-05-06."
        raise ConfigError(msg)


@contextlib.contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the name `folder` once it is filled."""
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
        yield temporary
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        msg = f"Could not write {folder}: {reason}. Choose another place, or make room there."
        raise OutputError(msg) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _write_notes(simulated: Simulated, folder: Path) -> None:
    label: dict[str, Any] = {
        "is_simulated": True,
        "session_id": simulated.truth.session_id,
        "eid": simulated.eid,
        "seed": simulated.seed,
        "version": __version__,
        "config": dataclasses.asdict(simulated.config),
    }
    text = json.dumps(label, indent=1) + "\n"
    (folder / LABEL_FILE).write_text(text, encoding="utf-8")
    origin = origin_json(simulated.raw.origin)
    (folder / ORIGIN_PATH).write_text(origin, encoding="utf-8")


def _write_trials(plan: TrialPlan, alf: Path) -> None:
    import pandas as pd

    columns = ibl_trial_columns(plan)
    for name in SEPARATE_COLUMNS:
        np.save(alf / f"_ibl_trials.{name}.npy", columns.pop(name))
    pd.DataFrame(columns).to_parquet(alf / "_ibl_trials.table.pqt")


def _write_wheel(simulated: Simulated, alf: Path) -> None:
    wheel, plan = simulated.raw.signals["wheel_position"], simulated.plan
    np.save(alf / "_ibl_wheel.timestamps.npy", wheel.times_s)
    np.save(alf / "_ibl_wheel.position.npy", wheel.values)
    moves = np.stack([plan.movement, plan.feedback_time + 0.1], axis=1)[plan.choice != 0]
    reached = np.interp(moves, wheel.times_s, wheel.values)
    np.save(alf / "_ibl_wheelMoves.intervals.npy", moves)
    np.save(alf / "_ibl_wheelMoves.peakAmplitude.npy", np.diff(reached, axis=1)[:, 0])


def _write_cameras(simulated: Simulated, alf: Path) -> None:
    left = simulated.raw.signals["whisker_motion_energy"]
    right = motion_energy(simulated.latents, "right", simulated.generator("right camera"))
    lead = left.times_s[0] + np.arange(-LEAD_FRAMES, 0) / 60.0
    times = {"left": np.concatenate([lead, left.times_s]), "right": right.times_s}
    for camera, values in (("left", left.values), ("right", right.values)):
        np.save(alf / f"_ibl_{camera}Camera.times.npy", times[camera])
        np.save(alf / f"{camera}Camera.ROIMotionEnergy.npy", values)
        np.save(alf / f"{camera}ROIMotionEnergy.position.npy", np.array([120, 90, 260, 210]))
