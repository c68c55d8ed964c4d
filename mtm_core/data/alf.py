"""Plain ALF folders of the International Brain Laboratory -> `RawSession`, without ONE."""

from __future__ import annotations

from collections.abc import Iterable

from mtm_core.data.alf_plan import make_plan


def wanted_datasets(
    names: Iterable[str], *, revision: str | None = None, sorter: str | None = None
) -> list[str]:
    """Choose from a session's datasets those that are read.

    The reader follows the same plan, so that a download of exactly these is enough.

    Parameters
    ----------
    names : iterable of str
        Paths relative to the session folder, with forward slashes.
    revision : str or None
        The last revision that may serve; None for the newest of each dataset.
    sorter : str or None
        The sorter folder to prefer.

    Returns
    -------
    list of str
        A part of `names`, sorted.

    Examples
    --------
    >>> names = ["alf/probe00/spikes.times.npy", "alf/probe00/pykilosort/spikes.times.npy",
    ...          "alf/probe00/pykilosort/#2024-05-06#/spikes.times.npy", "alf/licks.times.npy"]
    >>> wanted_datasets(names)
    ['alf/licks.times.npy', 'alf/probe00/pykilosort/#2024-05-06#/spikes.times.npy']
    """
    plan = make_plan(names, revision=revision, sorter=sorter)
    return [name.path for name in plan.datasets()]
