"""A trained model in one `.safetensors` file, and fitting sessions to it.

The file's metadata holds the `Manifest` as JSON; the tensors are the model's. Nothing in it is
ever executed, and its sizes are checked against its settings before memory is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.data.binning import rebin
from mtm_core.data.session import Session
from mtm_core.errors import CheckpointError, MismatchError
from mtm_core.models.build import build_model
from mtm_core.models.family import Family, member_state
from mtm_core.models.manifest import Manifest, PartName
from mtm_core.models.manifest_file import MANIFEST, manifest_of, version_of
from mtm_core.models.older_checkpoints import Rename, rename_from, tensors_from
from mtm_core.models.session_part import SessionFacts
from mtm_core.models.silent_units import with_silent_units
from mtm_core.models.spike_model import SpikeModel
from mtm_core.models.tensor_file import TensorFile, all_finite, open_tensors, write_tensors

FOLDS = "folds"
"""Where a cross-fitted checkpoint holds the manifests of its folds."""
SEPARATOR = "\n"
"""Between two of them: JSON on one line holds none."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Checkpoint:
    """A trained model of one session and what it says about itself.

    Parameters
    ----------
    model : SpikeModel
        In evaluation mode, on the device asked for.
    manifest : Manifest
        Settings, units, split, scores; of this session alone.
    path : Path
        Where it came from.
    folds : tuple of Checkpoint
        The models of a cross-fitted one, whose own `model` is that of the first fold: a trial is
        predicted by the one that has it among its test trials. Empty for an ordinary model.
    """

    model: SpikeModel
    manifest: Manifest
    path: Path
    folds: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Overlap:
    """A session brought into a checkpoint's units, some of which it lacks.

    Parameters
    ----------
    session : Session
        Units in the checkpoint's order; those that are missing are silent.
    is_missing : ndarray of bool, shape (n_units,)
        Units that were not recorded here: to be hidden in every mask, and scored in none.
    """

    session: Session
    is_missing: NDArray[np.bool_]


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], manifest: Manifest) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
        Where; ends in ``.safetensors``.
    tensors : mapping of str to Tensor
        The state of the family of models (``family.state_dict()``).
    manifest : Manifest
        What to say about it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    write_tensors(path, tensors, {MANIFEST: manifest.to_json()})


def read_checkpoint(path: str | Path) -> tuple[Manifest, dict[str, Tensor]]:
    """Read what a checkpoint says about itself, and its weights, without building a model.

    Raises
    ------
    CheckpointError
        If the file is missing, cut short, of another version, or does not fit its own settings.
    """
    file = open_tensors(Path(path))
    if FOLDS in file.metadata:
        n_folds = file.metadata[FOLDS].count(SEPARATOR) + 1
        msg = (
            f"{path} holds {n_folds} cross-fitted models, which cannot be used as one here. Give "
            "the run of one of them, such as fold-1 in the same folder."
        )
        raise CheckpointError(msg)
    manifest, version = manifest_of(file), version_of(file)
    _check_shapes(file, manifest, rename_from(version, manifest))
    tensors = _finite(file)
    try:
        return manifest, tensors_from(version, manifest, tensors)
    except CheckpointError as error:
        msg = f"{path} cannot be used as a checkpoint: {error}."
        raise CheckpointError(msg) from error


def _finite(file: TensorFile) -> dict[str, Tensor]:
    tensors = file.read()
    if not all_finite(tensors):
        msg = f"{file.path} holds weights that are not numbers; its training failed. Train anew."
        raise CheckpointError(msg)
    return tensors


def load_checkpoint(
    path: str | Path, device: str = "cpu", session_id: str | None = None
) -> Checkpoint:
    """Read a checkpoint and build its model of one session.

    Parameters
    ----------
    path : str or Path
        A ``.safetensors`` file.
    device : str
        Where the model shall lie.
    session_id : str or None
        Which of the sessions that it was trained on; not looked at if it is only one.

    Raises
    ------
    CheckpointError
        If the file is missing, cut short, of another version, or does not fit its own settings.
    MismatchError
        If it was trained on several, and that is none of them.
    """
    whole, tensors = read_checkpoint(path)
    return _build(whole.of(session_id), tensors, Path(path), device)


def load_folds(path: str | Path, device: str = "cpu", session_id: str | None = None) -> Checkpoint:
    """Read a checkpoint that may be cross-fitted; see `load_checkpoint` and `Checkpoint.folds`.

    Only what asks the models through `mtm_core.inference.Reconstructor`, and takes its nulls
    from `mtm_core.models.session_split.folds_of`, may use it.
    """
    file = open_tensors(Path(path))
    if FOLDS not in file.metadata:
        return load_checkpoint(path, device, session_id)
    tensors, manifests = _finite(file), file.metadata[FOLDS].split(SEPARATOR)
    folds = []
    for number, text in enumerate(manifests, start=1):
        manifest, start = Manifest.from_json(text).of(session_id), f"fold{number}."
        own = {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
        _check_fold(file, manifest, own)
        folds.append(_build(manifest, own, Path(path), device))
    merged = manifest_of(file).of(session_id)
    return Checkpoint(model=folds[0].model, manifest=merged, path=Path(path), folds=tuple(folds))


def save_folds(path: Path, folds: Sequence[tuple[Manifest, Mapping[str, Tensor]]]) -> None:
    """Write the models of a cross-fit into one checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
        Where; ends in ``.safetensors``.
    folds : sequence of (Manifest, mapping of str to Tensor)
        What `read_checkpoint` returns of each fold, in their order.

    Raises
    ------
    CheckpointError
        If the folds do not divide the trials of one session among them.
    OutputError
        If it cannot be written.
    """
    tensors = {
        f"fold{number}.{name}": tensor
        for number, (_, own) in enumerate(folds, start=1)
        for name, tensor in own.items()
    }
    manifests = [manifest for manifest, _ in folds]
    texts = SEPARATOR.join(manifest.to_json() for manifest in manifests)
    metadata = {MANIFEST: merged_manifest(manifests).to_json(), FOLDS: texts}
    write_tensors(path, tensors, metadata)


def merged_manifest(manifests: Sequence[Manifest]) -> Manifest:
    """Return the manifest of a cross-fit: every trial is a test trial, of one of the folds.

    Each trial was trained on by the models of the other folds, so that the parts ``train`` and
    ``val`` hold all of them too.

    Raises
    ------
    CheckpointError
        If the folds do not divide the trials of one session among them.
    """
    first = manifests[0]
    trials = [trial for manifest in manifests for trial in manifest.split["test"]]
    is_one = all(
        (m.session_id, m.session_hash, m.unit_id)
        == (first.session_id, first.session_hash, first.unit_id)
        for m in manifests
    )
    if not is_one or len(set(trials)) < len(trials):
        msg = "These are not the folds of one session: other units, or a trial in two of them."
        raise CheckpointError(msg)
    every = tuple(sorted(trials))
    record = replace(first.only, split={"train": every, "val": every, "test": every})
    scores = {
        name: float(np.mean([manifest.scores[name] for manifest in manifests]))
        for name in first.scores
    }
    seconds = sum(manifest.seconds for manifest in manifests)
    return replace(first, sessions=(record,), scores=scores, seconds=seconds)


def _check_fold(file: TensorFile, manifest: Manifest, tensors: Mapping[str, Tensor]) -> None:
    with torch.device("meta"):
        family = Family(manifest.config.model, _facts(manifest))
    expected = {name: tuple(value.shape) for name, value in family.state_dict().items()}
    if expected != {name: tuple(value.shape) for name, value in tensors.items()}:
        msg = f"{file.path} does not fit its own settings: a fold was damaged. Train anew."
        raise CheckpointError(msg)


def _build(
    manifest: Manifest, tensors: Mapping[str, Tensor], path: Path, device: str
) -> Checkpoint:
    with torch.random.fork_rng(devices=[]):
        model = build_model(manifest.config.model, _facts(manifest)[manifest.session_id])
    model.load_state_dict(member_state(tensors, manifest.session_id))
    return Checkpoint(model=model.to(device).eval(), manifest=manifest, path=path)


def _facts(manifest: Manifest) -> dict[str, SessionFacts]:
    """Return sizes of the sessions, for models to load a state into."""
    return {
        record.session_id: SessionFacts(
            psth=torch.zeros(manifest.n_bins, record.n_units), region=record.region
        )
        for record in manifest.sessions
    }


def fit_session(checkpoint: Checkpoint, session: Session) -> Session:
    """Bring a session into a checkpoint's bins and order of units.

    Units are found by `unit_id`; units that the checkpoint does not know are left out. Bins are
    joined as the run joined them.

    Raises
    ------
    MismatchError
        If a unit is missing, or window or bin size differ; the text says what and how much.
    """
    overlap = fit_overlap(checkpoint, session)
    missing = np.flatnonzero(overlap.is_missing)
    if len(missing) == 0:
        return overlap.session
    manifest = checkpoint.manifest
    shown = ", ".join(manifest.unit_id[i] for i in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    msg = (
        f"{len(missing)} of the checkpoint's {manifest.n_units} units are not in the session "
        f"{session.session_id}: {shown}{more}. Both share {manifest.n_units - len(missing)} "
        "units: allow the overlap to treat the others as hidden, or choose another checkpoint."
    )
    raise MismatchError(msg)


def fit_overlap(checkpoint: Checkpoint, session: Session) -> Overlap:
    """Bring a session into a checkpoint's bins and units, silent where it lacks a unit.

    Raises
    ------
    MismatchError
        If no unit is shared, or window or bin size differ.
    """
    manifest = checkpoint.manifest
    session = fit_bins(manifest, session)
    row_of = {str(unit): row for row, unit in enumerate(session.unit_id)}
    rows = np.array([row_of.get(unit, -1) for unit in manifest.unit_id])
    is_missing = rows < 0
    if is_missing.all():
        msg = (
            f"None of the checkpoint's {manifest.n_units} units is in the session "
            f"{session.session_id}: it was trained on {manifest.session_id}. Choose another "
            "checkpoint, or train one on this session."
        )
        raise MismatchError(msg)
    if is_missing.any():
        fitted = with_silent_units(session, manifest, rows)
    elif np.array_equal(rows, np.arange(session.n_units)):
        fitted = session
    else:
        fitted = session.take_units(rows)
    return Overlap(session=fitted, is_missing=is_missing)


def split_part(manifest: Manifest, session: Session, part: PartName) -> NDArray[np.int64]:
    """Return the rows of a session that the run used for training, validation or testing.

    Parameters
    ----------
    manifest : Manifest
        Of the checkpoint.
    session : Session
        May lack trials; trials are found by their id.
    part : {"train", "val", "test"}
        Which.

    Raises
    ------
    MismatchError
        If the session has none of these trials, or is not the one trained on.
    """
    if session.session_id != manifest.session_id:
        msg = (
            f"The checkpoint's {part} trials are those of {manifest.session_id}, and this is "
            f"{session.session_id}. Choose trials yourself, or another checkpoint."
        )
        raise MismatchError(msg)
    trial_id = session.trials.values("trial_id").astype(np.int64)
    rows = np.flatnonzero(np.isin(trial_id, manifest.split[part]))
    if len(rows) == 0:
        msg = f"The session {session.session_id} has none of the checkpoint's {part} trials."
        raise MismatchError(msg)
    return rows


def _check_shapes(file: TensorFile, manifest: Manifest, rename: Rename) -> None:
    """Compare the file with the model that its settings describe, before memory is taken."""
    with torch.device("meta"):
        family = Family(manifest.config.model, _facts(manifest))
    expected = {name: tuple(value.shape) for name, value in family.state_dict().items()}
    found = {rename(name): shape for name, shape in file.shapes.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            msg = (
                f"{file.path} does not fit its own settings: '{name}' has the shape "
                f"{found.get(name, 'of nothing')}, not {expected.get(name, 'any')}. "
                "It was damaged, or made by another version; train anew."
            )
            raise CheckpointError(msg)


def fit_bins(manifest: Manifest, session: Session) -> Session:
    """Bring a session into a checkpoint's bins, joined as the run joined them.

    Raises
    ------
    MismatchError
        If window or bin size differ.
    """
    factor = manifest.config.data.bin_factor
    is_finer = np.isclose(session.bin_size_s * factor, manifest.bin_size_s)
    if factor > 1 and is_finer and session.n_bins == manifest.n_bins * factor:
        session = rebin(session, factor)
    if not np.isclose(session.bin_size_s, manifest.bin_size_s):
        _refuse_bins("bins of", _ms(manifest.bin_size_s), _ms(session.bin_size_s))
    if session.n_bins != manifest.n_bins:
        _refuse_bins("trials of", f"{manifest.n_bins} bins", f"{session.n_bins} bins")
    if not np.isclose(session.window_start_s, manifest.window_start_s, atol=1e-6):
        wanted, found = manifest.window_start_s, session.window_start_s
        _refuse_bins("a window that starts at", _ms(wanted), _ms(found))
    return session


def _refuse_bins(what: str, wanted: str, found: str) -> None:
    msg = (
        f"The checkpoint was trained on {what} {wanted}, and this session has {found}. "
        "Prepare the session alike, or train a model on it."
    )
    raise MismatchError(msg)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:g} ms"
