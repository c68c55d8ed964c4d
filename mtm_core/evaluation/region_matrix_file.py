"""The sums of a matrix in a file of their own, so that a stopped command goes on.

HDF5, schema ``mtm-region-matrix``: the arrays of `Tally`, and the key that they belong to.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from mtm_core.data.hdf5 import open_hdf5, read_array
from mtm_core.errors import SessionFileError
from mtm_core.evaluation.region_matrix_plan import MatrixSettings
from mtm_core.evaluation.region_matrix_tally import SOURCES, Gains, Tally
from mtm_core.resources import atomic_write, cache_dir

logger = logging.getLogger(__name__)

SCHEMA = "mtm-region-matrix"
VERSION = 1


@dataclass(frozen=True)
class MatrixKey:
    """What the sums depend on.

    Parameters
    ----------
    session_hash : str
        Hash of the session's content, as the model sees it.
    model_digest : str
        Hash of the model's settings and weights.
    settings : MatrixSettings
        How the matrix is made; whether the regression is wanted changes no sum.
    precision : str
        Of products inside the layers: ``fp32`` or ``bf16``.
    """

    session_hash: str
    model_digest: str
    settings: MatrixSettings
    precision: str = "fp32"

    @property
    def text(self) -> str:
        """The key as text."""
        values = dataclasses.asdict(self.settings)
        del values["with_regression"]
        values |= {"version": VERSION, "session": self.session_hash, "model": self.model_digest}
        values["precision"] = self.precision
        return json.dumps(values, sort_keys=True)

    @property
    def file_name(self) -> str:
        """Name of the file that holds the sums."""
        return f"{hashlib.sha256(self.text.encode()).hexdigest()[:24]}.h5"


def default_folder() -> Path:
    """Return the folder of matrices in the common cache folder; it need not exist."""
    return cache_dir() / "region_matrix"


def write_tally(path: Path, key: MatrixKey, tally: Tally) -> None:
    """Write the sums, whole or not at all.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        file.attrs["schema"], file.attrs["key"] = SCHEMA, key.text
        for source in SOURCES:
            for field in dataclasses.fields(Gains):
                values = getattr(tally.of(source), field.name)
                file.create_dataset(f"{source}/{field.name}", data=values)
    with atomic_write(path) as temporary:
        temporary.write_bytes(image.getbuffer())


def read_tally(path: Path, key: MatrixKey, fresh: Tally) -> Tally | None:
    """Read the sums that belong to a key.

    Parameters
    ----------
    path : Path
        The file, which need not be there.
    key : MatrixKey
        What they must belong to.
    fresh : Tally
        Sums of which nothing is done: their shapes must be met, and what does not grow is taken
        from them.

    Returns
    -------
    Tally or None
        None if there is no such file, or it is damaged or of another key: then all is done anew.
    """
    if not path.is_file():
        return None
    try:
        with open_hdf5(path) as file:
            if file.attrs.get("schema") != SCHEMA or file.attrs.get("key") != key.text:
                return None
            found = {source: _read_gains(file[source], fresh.model) for source in SOURCES}
    except SessionFileError as error:
        logger.warning("An earlier matrix cannot be used, it is made anew: %s", error)
        return None
    return dataclasses.replace(fresh, model=found["model"], regression=found["regression"])


def _read_gains(group: h5py.Group, like: Gains) -> Gains:
    arrays = {}
    for field in dataclasses.fields(Gains):
        values, wanted = read_array(group, field.name), getattr(like, field.name)
        if values.shape != wanted.shape or not np.isfinite(values).all():
            msg = f"{Path(group.file.filename).name} holds other shapes than it should."
            raise SessionFileError(msg)
        arrays[field.name] = values.astype(wanted.dtype)
    return Gains(**arrays)
