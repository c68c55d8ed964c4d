"""Ordering units by Rastermap, a library that a person may install beside this one.

Rastermap is free software under the GPL, version 3, and this package is not: nothing here needs
it, none of its code is here, and whoever wants this order installs it (``mtm-viewer[rastermap]``).

References
----------
Stringer, Zhong, Syeda, Du, Kesa, Pachitariu 2023, bioRxiv 2023.07.25.550571.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import ConfigError

HOW_TO_GET = (
    'Rastermap is not installed here. Get it with: pip install "mtm-viewer[rastermap]", then '
    "start the program again."
)
FEWEST_UNITS = 20
"""It finds clusters; fewer units than this have none."""
MOST_COLUMNS = 8_000
"""Neighbouring bins of the training trials are pooled until there are no more than this."""
_MOST_CLUSTERS, _COMPONENTS = 40, 128
"""Its time grows steeply with the clusters that it puts in order; further units are cheap."""
_ONE_AT_A_TIME = threading.Lock()
"""Its compiled loops must not run twice at once."""


@functools.cache
def has_rastermap() -> bool:
    """Tell whether Rastermap is installed: the folders of packages are looked through once."""
    return importlib.util.find_spec("rastermap") is not None


def rastermap_order(counts: NDArray[np.generic]) -> NDArray[np.int64]:
    """Order units so that those that are active together in single trials are neighbours.

    Parameters
    ----------
    counts : ndarray, shape (n_trials, n_bins, n_units)
        Counts of the training trials only; at least `FEWEST_UNITS` units.

    Returns
    -------
    ndarray of int64, shape (n_units,)
        Units from first to last; those whose activity never changes come last.

    Raises
    ------
    ConfigError
        If Rastermap is not installed.
    """
    if not has_rastermap():
        raise ConfigError(HOW_TO_GET)
    activity = pooled_activity(counts)
    is_alive = activity.std(axis=1) > 0
    alive, silent = np.flatnonzero(is_alive), np.flatnonzero(~is_alive)
    if len(alive) < FEWEST_UNITS:
        return np.concatenate([alive, silent]).astype(np.int64)
    return np.concatenate([alive[_sorted(activity[alive])], silent]).astype(np.int64)


def pooled_activity(counts: NDArray[np.generic]) -> NDArray[np.float32]:
    """Lay trials end to end, (n_units, n_columns), neighbouring bins of a trial added up.

    Examples
    --------
    >>> pooled_activity(np.ones((2, 3, 1), dtype=np.uint8)).tolist()
    [[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]
    """
    n_trials, n_bins, n_units = counts.shape
    width = min(n_bins, max(1, -(-n_trials * n_bins // MOST_COLUMNS)))
    n_whole = n_bins // width
    parts = counts[:, : n_whole * width].reshape(n_trials, n_whole, width, n_units)
    columns = parts.sum(axis=2, dtype=np.float32).reshape(n_trials * n_whole, n_units)
    return np.ascontiguousarray(columns.T)


def _sorted(activity: NDArray[np.float32]) -> NDArray[np.int64]:
    library: Any = importlib.import_module("rastermap")
    n_units, n_columns = activity.shape
    few = min(n_units, n_columns) - 1
    with _ONE_AT_A_TIME, _kept_quiet():
        model = library.Rastermap(
            n_clusters=min(_MOST_CLUSTERS, n_units // 3),
            n_PCs=min(_COMPONENTS, few),
            locality=0.75,
            time_lag_window=5,
            verbose=False,
        ).fit(activity)
    return np.asarray(model.isort, dtype=np.int64)


@contextlib.contextmanager
def _kept_quiet() -> Iterator[None]:
    """Keep the library from setting up the log of the whole program, and from its own warnings."""
    root, nobody = logging.getLogger(), logging.NullHandler()
    root.addHandler(nobody)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeHandler(nobody)
