"""Whether the model on screen will fit a recording that is prepared in another way."""

from __future__ import annotations

from mtm_core.config import PreparationConfig
from mtm_viewer.presenters.preparation_form import form_fields
from mtm_viewer.presenters.workspace import Workspace

_BINNING = ("align", "window_start_s", "window_end_s", "bin_size_s")
"""Settings that every bin of every trial depends on."""


def misfit_words(workspace: Workspace, config: PreparationConfig) -> str:
    """Say that the model on screen will not fit, and by which changes; "" if it may.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    config : PreparationConfig
        How it would be prepared next.
    """
    opened, model = workspace.opened, workspace.model
    if opened is None or model is None:
        return ""
    labels = {field.name: field.label for field in form_fields(config)}
    changed = [
        labels[name].lower()
        for name in _BINNING
        if getattr(config, name) != getattr(opened.config, name)
    ]
    if not changed:
        return ""
    manifest = model.checkpoint.manifest
    start = f"{manifest.window_start_s:g}".replace("-", "\N{MINUS SIGN}")
    return (
        f"With another {_listed(changed)}, the open model {model.name} will not fit: it was "
        f"trained on {manifest.n_bins} bins of {1000 * manifest.bin_size_s:g} ms from {start} s. "
        "Another one has to be trained."
    )


def _listed(words: list[str]) -> str:
    """Join words as in a sentence.

    Examples
    --------
    >>> _listed(["bin size"]), _listed(["window from", "window to", "bin size"])
    ('bin size', 'window from, window to and bin size')
    """
    *head, last = words
    return f"{', '.join(head)} and {last}" if head else last
