"""A raster figure's content made by hand, for tests of the drawing."""

from __future__ import annotations

import numpy as np

from mtm_core.evaluation.row_order import RowOrder, region_bands
from mtm_core.figures.raster_content import MapScore, PredictedMap, RasterContent


def make_content(
    true_hz: np.ndarray | None = None,
    *,
    model_hz: np.ndarray | None = None,
    regions: tuple[str, ...] = ("CA1",) * 12,
    n_bins: int = 40,
    first_bin: int = 0,
    title: str = "CA1 (Field CA1) hidden, reconstructed from all other regions",
) -> RasterContent:
    """Make content of 10 ms bins from stimulus onset; by default the model says the truth."""
    n_rows = len(regions)
    if true_hz is None:
        true_hz = np.random.default_rng(0).gamma(2.0, 3.0, (n_bins, n_rows))
    predicted = true_hz[first_bin:] if model_hz is None else model_hz
    score = MapScore(bps=0.212, interval=(-0.149, 0.284))
    return RasterContent(
        title=title,
        subtitle="Lederberg 2017-12-05; 12 of 698 units; 68 test trials (random split)",
        order=RowOrder(
            rows=np.arange(n_rows), bands=region_bands(np.array(regions)), words="units by region"
        ),
        unit_id=np.array([f"s/{row:04d}" for row in range(n_rows)]),
        true_hz=true_hz,
        model=PredictedMap(title="MtM", rate_hz=predicted, score=score),
        rival=PredictedMap(title="Temporal baseline", rate_hz=predicted, score=score),
        unit_bps=np.linspace(-0.1, 0.5, n_rows),
        unit_spikes=np.arange(n_rows) * 10,
        first_bin=first_bin,
        stop_bin=n_bins,
        bin_start_s=0.01 * np.arange(n_bins),
        bin_size_s=0.01,
        event="visual stimulus onset",
        n_trials=68,
        recipe=("mtm-core figure raster.", "Session s, content 0123456789ab."),
    )
