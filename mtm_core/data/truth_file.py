"""The truth of a simulated session as an HDF5 file beside it, schema ``mtm-truth``.

::

    /                   attributes schema, schema_version, session_id, eid, seed, step_s,
                        max_log_rate, config (JSON)
    /factors            float32 (n_steps, n_factors), gzip      /factor_names   text
    /loadings           float32 (n_units, n_factors)            /log_base       float32 (n_units,)
    /unit_id            text                                    /regions        text
    /coupling           float64 (n_regions, n_regions): row sends to column
    /delay_steps        int64, of the same shape
    /trial_start_s, /trial_end_s   float64 (n_trials,)
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import h5py
import numpy as np

from mtm_core.data.hdf5 import open_hdf5, read_array
from mtm_core.data.simulated_population import Coupling
from mtm_core.data.simulated_spikes import Drive
from mtm_core.data.simulated_truth import GroundTruth
from mtm_core.errors import SessionFileError
from mtm_core.json_text import parse_json
from mtm_core.resources import atomic_write

TRUTH_FILE = "_mtm_truth.h5"
"""Name of the file in the folder of a simulated session."""
SCHEMA = "mtm-truth"
SCHEMA_VERSION = 1


def write_truth(truth: GroundTruth, path: str | os.PathLike[str]) -> None:
    """Write what made a simulated session.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        _write(truth, file)
    with atomic_write(path) as temporary:
        temporary.write_bytes(image.getbuffer())


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    here = path / TRUTH_FILE
    found = [here] if here.is_file() else sorted(path.rglob(TRUTH_FILE))
    if len(found) == 1:
        return found[0]
    what = f"There are {len(found)} of" if found else "There is no"
    msg = (
        f"{what} {TRUTH_FILE} at {path}: only simulated sessions have a known truth. "
        "Give the folder of the session that `mtm-core simulate` wrote."
    )
    raise SessionFileError(msg)


def read_truth(path: str | os.PathLike[str]) -> GroundTruth:
    """Read what made a simulated session.

    Parameters
    ----------
    path : path-like
        The file, the folder of the simulated session that holds it, or a folder above that
        session which holds no other.

    Raises
    ------
    SessionFileError
        If there is none, or it is damaged or of another kind.
    """
    file_path = _find(Path(path))
    with open_hdf5(file_path) as file:
        if str(file.attrs.get("schema", "")) != SCHEMA:
            msg = f"{file_path.name} does not hold the truth of a simulated session."
            raise SessionFileError(msg)
        if file.attrs.get("schema_version") != SCHEMA_VERSION:
            msg = f"{file_path.name} is of another version. Simulate the session again."
            raise SessionFileError(msg)
        truth = _read(file)
    if not _fits(truth):
        msg = f"The parts of {file_path.name} do not fit together. Simulate the session again."
        raise SessionFileError(msg)
    return truth


def _fits(truth: GroundTruth) -> bool:
    drive, n_units, n_regions = truth.drive, len(truth.unit_id), len(truth.regions)
    return (
        drive.factors.ndim == 2
        and drive.factors.shape[1] == len(truth.factor_names)
        and drive.loadings.shape == (n_units, len(truth.factor_names))
        and drive.log_base.shape == (n_units,)
        and truth.coupling.strength.shape == (n_regions, n_regions)
        and truth.coupling.delay.shape == (n_regions, n_regions)
        and truth.trial_start_s.shape == truth.trial_end_s.shape
    )


def _write(truth: GroundTruth, file: h5py.File) -> None:
    attributes = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "session_id": truth.session_id,
        "eid": truth.eid,
        "seed": truth.seed,
        "step_s": truth.step_s,
        "max_log_rate": truth.drive.max_log_rate,
        "config": json.dumps(dict(truth.config)),
    }
    for name, value in attributes.items():
        file.attrs[name] = value
    drive = truth.drive
    file.create_dataset("factors", data=drive.factors, compression="gzip", compression_opts=4)
    arrays = {
        "loadings": drive.loadings,
        "log_base": drive.log_base,
        "coupling": truth.coupling.strength,
        "delay_steps": truth.coupling.delay,
        "trial_start_s": truth.trial_start_s,
        "trial_end_s": truth.trial_end_s,
    }
    for name, values in arrays.items():
        file.create_dataset(name, data=values)
    texts = {
        "factor_names": truth.factor_names,
        "unit_id": truth.unit_id.tolist(),
        "regions": truth.regions,
    }
    for name, words in texts.items():
        file.create_dataset(name, data=list(words), dtype=h5py.string_dtype("utf-8"))


def _read(file: h5py.File) -> GroundTruth:
    drive = Drive(
        factors=read_array(file, "factors").astype(np.float32),
        loadings=read_array(file, "loadings").astype(np.float32),
        log_base=read_array(file, "log_base").astype(np.float32),
        max_log_rate=float(file.attrs["max_log_rate"]),
    )
    coupling = Coupling(
        strength=read_array(file, "coupling").astype(np.float64),
        delay=read_array(file, "delay_steps").astype(np.int64),
    )
    return GroundTruth(
        session_id=str(file.attrs["session_id"]),
        eid=str(file.attrs["eid"]),
        seed=int(file.attrs["seed"]),
        config=parse_json(str(file.attrs["config"])),
        step_s=float(file.attrs["step_s"]),
        drive=drive,
        factor_names=tuple(read_array(file, "factor_names").tolist()),
        unit_id=read_array(file, "unit_id").astype(np.str_),
        regions=tuple(read_array(file, "regions").tolist()),
        coupling=coupling,
        trial_start_s=read_array(file, "trial_start_s").astype(np.float64),
        trial_end_s=read_array(file, "trial_end_s").astype(np.float64),
    )
