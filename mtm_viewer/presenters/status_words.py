"""The status line in words: what is open, and how far the answer is."""

from __future__ import annotations

import shlex
from dataclasses import replace

from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.scores import ScoreDrawable, score_panel
from mtm_viewer.presenters.workspace import Workspace

NO_MODEL = "no model for this session"


def session_words(workspace: Workspace) -> str:
    """Name the recording, its trials and its units; say so if the model knows fewer."""
    session = workspace.session
    n_known = int((~workspace.is_missing).sum())
    n_recorded = workspace.recording.n_units
    units = f"{n_known} units"
    if n_known != n_recorded:
        units = f"{n_known} of {n_recorded} units (those that the model knows)"
    origin = session.provenance
    name = origin.source_id or workspace.path.stem
    name = shortened(name) + (" (simulated)" if origin.is_simulated else "")
    return f"{name} \N{MIDDLE DOT} {session.n_trials} trials \N{MIDDLE DOT} {units}"


def progress_words(
    workspace: Workspace | None, picture: Picture | None, *, is_computing: bool
) -> str:
    """Say which trials are shown, and whether the answer is exact, partial or a preview."""
    if workspace is None:
        return ""
    if workspace.model is None:
        return NO_MODEL
    if picture is None or picture.model_hz is None:
        return f"{len(workspace.test)} {workspace.trial_kind} trials"
    words = picture.raster.trials.words()
    if picture.is_exact:
        return f"{words}, exact"
    if not is_computing:
        return f"{words}, stopped"
    is_whole = picture.n_done == picture.n_wanted
    return f"{words}, {'preview, exact answers to come' if is_whole else 'partial'}"


def no_model_panel(workspace: Workspace) -> ScoreDrawable:
    """Say in place of scores how to come by a model."""
    command = train_command(workspace)
    return replace(
        score_panel((), None),
        headline="No model for this session yet",
        verdict=f"Train one here, or in a terminal: {command}",
        role="muted",
        command=command,
        tooltip="The button trains one and shows it when it is there. In a terminal, run the "
        "command (Model > Copy the training command), then use Model > Open checkpoint. Meanwhile "
        "the true activity is shown, with its PSTHs.",
    )


def train_command(workspace: Workspace, preset: str = "quick") -> str:
    """Return what a person can type to train a model for the session."""
    path = workspace.path
    run = path.stem.rpartition("-")[0] if workspace.opened else ""
    kind = preset.removeprefix("quick")
    out = shlex.quote(f"runs/{run or path.stem}{kind}")
    return f"mtm-core train --preset {preset} --session {shlex.quote(str(path))} --out {out}"


def shortened(name: str, most: int = 44) -> str:
    """Cut a long name in its middle.

    Examples
    --------
    >>> shortened("sub-CSHL049_ses-c99d53e6_desc-processed_behavior+ecephys", 30)
    'sub-CSHL049_ses…havior+ecephys'
    """
    if len(name) <= most:
        return name
    head = most // 2
    return f"{name[:head]}\N{HORIZONTAL ELLIPSIS}{name[head + 1 - most :]}"
