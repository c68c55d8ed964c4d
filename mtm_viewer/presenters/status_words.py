"""The status line in words: what is open, and how far the answer is."""

from __future__ import annotations

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
    name = session.provenance.source_id or workspace.path.stem
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
    path = workspace.path
    return replace(
        score_panel((), None),
        headline="No model for this session yet",
        verdict=f"train one: mtm-core train --preset quick --session {path.name} "
        f"--out runs/{path.stem}",
        role="muted",
        tooltip="Run this in the folder of the session file, then use Model > Open checkpoint. "
        f"The session is {path}.",
    )
