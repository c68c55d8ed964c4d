"""Reconstructed rates as an HDF5 file that says where every number comes from."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from mtm_core.data.session import Session
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import Reconstruction
from mtm_core.models.manifest import Manifest, software_versions
from mtm_core.resources import atomic_write

SCHEMA = "mtm-reconstruction"
VERSION = 1


def write_answer(
    path: str | os.PathLike[str],
    answer: Reconstruction,
    *,
    session: Session,
    spec: MaskSpec,
    words: str,
    manifest: Manifest,
    more: Mapping[str, str],
) -> None:
    """Write the trials that are done, whole or not at all.

    Parameters
    ----------
    path : path-like
        Where.
    answer : Reconstruction
        What to write.
    session : Session
        As the model saw it (`Reconstructor.session`).
    spec : MaskSpec
        The mask that was asked for.
    words : str
        The mask in words.
    manifest : Manifest
        Of the checkpoint.
    more : mapping of str to str
        Further attributes, such as the split.

    Raises
    ------
    OutputError
        If it cannot be written.

    Notes
    -----
    Data sets: ``rate_hz`` and the true ``count`` (n_trials, n_bins, n_units), ``is_hidden`` and
    ``is_scored`` (n_bins, n_units), ``trial_id``, ``unit_id``, ``region``, ``bin_start_s``.
    Everything else is in the attributes. Equal requests give equal files.
    """
    image = io.BytesIO()  # HDF5 cannot be trusted to give up cleanly on a full disk
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        _write_arrays(file, answer, session)
        facts = _facts(session, spec, words, manifest) | dict(more)
        for name, value in {"schema": SCHEMA, "schema_version": VERSION, **facts}.items():
            file.attrs[name] = value
    with atomic_write(path) as temporary:
        temporary.write_bytes(image.getbuffer())


def _write_arrays(file: h5py.File, answer: Reconstruction, session: Session) -> None:
    rows = answer.trials[answer.is_done]
    text = h5py.string_dtype("utf-8")
    file.create_dataset("rate_hz", data=answer.rate_hz(), compression="gzip", shuffle=True)
    file.create_dataset("count", data=session.counts[rows], compression="gzip")
    file["is_hidden"], file["is_scored"] = answer.mask.is_hidden, answer.mask.is_scored
    file["trial_id"] = session.trials.values("trial_id")[rows].astype(np.int64)
    file.create_dataset("unit_id", data=session.unit_id.tolist(), dtype=text)
    file.create_dataset("region", data=session.region.tolist(), dtype=text)
    file["bin_start_s"] = session.bin_start_s
    file["rate_hz"].attrs["unit"] = "spikes/s"
    file["bin_start_s"].attrs["unit"] = f"s after {session.provenance.align_event}"


def _facts(session: Session, spec: MaskSpec, words: str, manifest: Manifest) -> dict[str, Any]:
    return {
        "mask": spec.to_json(),
        "mask_words": words,
        "prompt": spec.prompt,
        "one_at_a_time": spec.one_at_a_time,
        "session_id": session.session_id,
        "session_hash": session.content_hash,
        "is_simulated": session.provenance.is_simulated,
        "bin_size_s": session.bin_size_s,
        "align_event": session.provenance.align_event,
        "licence": session.provenance.licence,
        "citation": session.provenance.citation,
        "preset": manifest.config.name,
        "trained_on_session": manifest.session_id,
        "trained_on_hash": manifest.session_hash,
        "training_step": manifest.step,
        "training_seed": manifest.config.run.seed,
        "versions": json.dumps(software_versions(), sort_keys=True),
    }
