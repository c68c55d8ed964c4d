"""What is known of a session's units without training anything: region, place, shape, function.

Every feature means the same in every session and animal, so that a map learnt on some sessions
reads the units of another. All numbers come from training trials, in closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.data.regions import UNNAMED_REGIONS, load_regions
from mtm_core.data.table import Column, Table

PLACE_FIELDS = ("depth_um", "amplitude_uv", "peak_to_trough_ms")
"""Numbers of the unit table: depth on the probe, and the shape of the waveform."""
TRIAL_FIELDS = ("contrast_left", "contrast_right", "choice", "feedback", "block")
"""Fields of the trial table that a unit's counts are correlated with."""
N_HALVES = 2
"""Each is correlated with counts in so many parts of the trial."""
N_SHAPE = 6
"""Cosines that describe the shape of a PSTH."""
N_COMPONENTS = 16
"""Principal components of the session's activity that a unit's part in is a feature."""
N_BLOCKS = 8
"""Stretches of the trial in which counts are added up before they are correlated."""
AREAS = ("Isocortex", "OLF", "HPF", "CTXsp", "CNU", "TH", "HY", "MB", "HB", "CB")
"""Cosmos regions whose mean activity a unit's is correlated with."""
N_AREAS = len(AREAS) + 1
"""Values that a coarse region can have; 0 is unknown."""
N_FEATURES = (
    2 * len(PLACE_FIELDS)
    + 2
    + N_SHAPE
    + 2
    + len(AREAS)
    + N_HALVES * len(TRIAL_FIELDS)
    + 2 * N_COMPONENTS
)
"""Numbers that describe a unit."""
N_REGIONS = 393
"""Values that a region can have: the atlas's regions at Beryl level; 0 is unknown."""

_MIN_TRIALS = 8
_SHRINKAGE = 20.0
"""Correlations over n trials or blocks are shrunk by n / (n + this)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitFacts:
    """What is known of the units of a session.

    Parameters
    ----------
    features : Tensor, shape (n_units, N_FEATURES), float32
        Numbers of order 1; 0 where unknown.
    region, area : Tensor of int64, shape (n_units,)
        Region at Beryl level and at Cosmos level (see `region_index`, `AREAS`); 0 where unknown.
    """

    features: Tensor
    region: Tensor
    area: Tensor

    @classmethod
    def unknown(cls, n_units: int) -> UnitFacts:
        """Return the facts of units of which nothing is known."""
        nowhere = torch.zeros(n_units, dtype=torch.int64)
        features = torch.zeros(n_units, N_FEATURES)
        return cls(features=features, region=nowhere, area=nowhere.clone())


def describe_units(
    units: Table, trials: Table, counts: Tensor, psth: Tensor, bin_size_s: float
) -> UnitFacts:
    """Describe units by their table and by training trials.

    Parameters
    ----------
    units : Table
        Of the session.
    trials : Table
        Of the training trials alone.
    counts : Tensor, shape (n_trials, n_bins, n_units)
        Their counts.
    psth : Tensor, shape (n_bins, n_units)
        Their mean, shrunk (see `session_part.shrunk_psth`).
    bin_size_s : float
        Width of a bin.

    Examples
    --------
    >>> UnitFacts.unknown(2).features.shape[1] == N_FEATURES
    True
    """
    counts = counts.detach().cpu().float()
    psth = psth.detach().cpu()
    area = area_index(_text(units, "region_cosmos"))
    region = region_index(_text(units, "region_beryl"))
    mean = counts.mean(dim=(0, 1))
    standard = (counts - counts.mean(dim=0)) * (mean + 1e-3).rsqrt()
    blocks = _blocks(standard)
    features = [
        *(_place(units, name) for name in PLACE_FIELDS),
        _rate(counts, mean, bin_size_s),
        _shape(psth),
        _couplings(blocks, region, area),
        _selectivity(trials, standard),
        _components(blocks),
    ]
    return UnitFacts(features=torch.cat(features, dim=1), region=region, area=area)


def region_index(acronyms: Sequence[str]) -> Tensor:
    """Return the number of each region at Beryl level, 0 for one that the atlas does not know.

    Examples
    --------
    >>> region_index(["root", "my nucleus", ""]).tolist()
    [0, 0, 0]
    """
    places = _places()
    return torch.tensor([places.get(name, 0) for name in acronyms], dtype=torch.int64)


def area_index(acronyms: Sequence[str]) -> Tensor:
    """Return the number of each Cosmos region, 0 for what is none.

    Examples
    --------
    >>> area_index(["Isocortex", "root"]).tolist()
    [1, 0]
    """
    found = [AREAS.index(name) + 1 if name in AREAS else 0 for name in acronyms]
    return torch.tensor(found, dtype=torch.int64)


@cache
def _places() -> dict[str, int]:
    names = {info.beryl for info in load_regions().values()} - set(UNNAMED_REGIONS)
    return {name: place for place, name in enumerate(sorted(names), start=1)}


def _text(table: Table, name: str) -> list[str]:
    return [str(value) for value in table.values(name)]


def _place(units: Table, name: str) -> Tensor:
    """Return a number of the unit table, scaled within the session, and whether it is known."""
    n_units = units.n_rows
    if not units.has(name):
        return torch.zeros(n_units, 2)
    column = units.column(name)
    values, is_known = _numbers(column), torch.tensor(column.is_valid)
    if not bool(is_known.any()):
        return torch.zeros(n_units, 2)
    known = values[is_known]
    scaled = (values - known.mean()) / known.std(correction=0).clamp(min=1e-6)
    scaled = scaled.clamp(-3, 3) * is_known
    return torch.stack([scaled, is_known.float()], dim=1)


def _numbers(column: Column) -> Tensor:
    values: NDArray[np.float32] = column.values.astype(np.float32)
    return torch.from_numpy(values)


def _rate(counts: Tensor, mean: Tensor, bin_size_s: float) -> Tensor:
    """Return log mean rate, and log ratio of variance to mean of the spikes of a trial."""
    rate = ((mean / bin_size_s + 0.1).log() - 0.5) / 1.5
    totals = counts.sum(dim=1)
    variance = totals.var(dim=0, correction=0)
    dispersion = ((variance + 0.5) / (totals.mean(dim=0) + 0.5)).log()
    return torch.stack([rate, dispersion.clamp(-3, 3)], dim=1)


def _shape(psth: Tensor) -> Tensor:
    """Return the leading cosines of the log PSTH over its mean: (n_units, N_SHAPE)."""
    n_bins = len(psth)
    ratio = ((psth + 1e-5) / (psth.mean(dim=0) + 1e-5)).log()
    phase = (torch.arange(n_bins) + 0.5) * torch.pi / n_bins
    waves = torch.cos(torch.arange(1, N_SHAPE + 1)[:, None] * phase)
    shape: Tensor = waves @ ratio * (2.0**1.5 / n_bins)
    return shape.T


def _blocks(standard: Tensor) -> Tensor:
    """Add up counts in stretches of the trial: (n_trials * n_blocks, n_units)."""
    n_bins = standard.shape[1]
    n_blocks = min(N_BLOCKS, n_bins)
    which = torch.arange(n_bins) * n_blocks // n_bins
    member = torch.nn.functional.one_hot(which, n_blocks).float()
    member = member * member.sum(dim=0).rsqrt()
    return torch.einsum("rtu,tb->rbu", standard, member).flatten(0, 1)


def _couplings(blocks: Tensor, region: Tensor, area: Tensor) -> Tensor:
    """Correlate each unit with the mean of all others, of its region, and of each large area."""
    everyone = _coupling(blocks, torch.ones_like(region, dtype=torch.bool))
    own = torch.zeros(len(region))
    for number in set(region.tolist()):
        is_in = region == number
        if number:
            own[is_in] = _coupling(blocks, is_in)[is_in]
    with_areas = [_coupling(blocks, area == number) for number in range(1, N_AREAS)]
    return 4.0 * torch.stack([everyone, own, *with_areas], dim=1)


def _coupling(blocks: Tensor, is_in: Tensor) -> Tensor:
    """Correlate each unit with the sum of a group, of which it is itself left out: (n_units,)."""
    total = blocks[:, is_in].sum(dim=1)
    own = (blocks**2).sum(dim=0)
    inner = total @ blocks
    member = is_in.to(blocks.dtype)
    covariance = inner - member * own
    other = (total**2).sum() - member * (2 * inner - own)
    return _ratio(covariance, own * other, len(blocks))


def _selectivity(trials: Table, standard: Tensor) -> Tensor:
    """Correlate counts in each half of the trial with what happened in it."""
    halves = torch.stack([half.sum(dim=1) for half in standard.tensor_split(N_HALVES, dim=1)])
    nothing = torch.zeros(N_HALVES, standard.shape[2])
    found = []
    for name in TRIAL_FIELDS:
        is_known = _is_known(trials, name)
        if int(is_known.sum()) < _MIN_TRIALS:
            found.append(nothing)
            continue
        value = _numbers(trials.column(name))[is_known]
        value = value - value.mean()
        known = halves[:, is_known]
        known = known - known.mean(dim=1, keepdim=True)
        covariance = torch.einsum("r,hru->hu", value, known)
        power = (value**2).sum() * (known**2).sum(dim=1)
        found.append(3.0 * _ratio(covariance, power, len(value)))
    return torch.cat(found).T


def _is_known(trials: Table, name: str) -> Tensor:
    if not trials.has(name):
        return torch.zeros(trials.n_rows, dtype=torch.bool)
    return torch.tensor(trials.column(name).is_valid)


def _ratio(covariance: Tensor, power: Tensor, n: int) -> Tensor:
    """Return correlations, 0 where something does not vary, shrunk where there is little of it."""
    correlation = covariance / power.clamp(min=1e-9).sqrt()
    return torch.where(power > 1e-9, correlation.clamp(-1, 1), 0.0) * (n / (n + _SHRINKAGE))


def _components(blocks: Tensor) -> Tensor:
    """Return each unit's part in the leading principal components, in two scales.

    The first scale weighs counts so that each component has variance 1 over the session; the
    second is how strongly a component of variance 1 shows in the unit. A read-in wants the one,
    a read-out the other. A component's sign is such that its loadings are skewed to the right.
    """
    n_samples, n_units = blocks.shape
    gram = (blocks.T @ blocks if n_units <= n_samples else blocks @ blocks.T).double()
    variance, vectors = torch.linalg.eigh(gram / n_samples)
    n_found = min(N_COMPONENTS, len(variance))
    variance, vectors = variance[-n_found:].flip(0), vectors[:, -n_found:].flip(1)
    if n_units > n_samples:
        vectors = blocks.double().T @ vectors
        vectors = vectors / vectors.norm(dim=0).clamp(min=1e-9)
    is_real = variance > 1e-6
    vectors = vectors * is_real * torch.where((vectors**3).sum(dim=0) < 0, -1.0, 1.0)
    deviation = variance.clamp(min=1e-6).sqrt()
    read_in, shown = 2.0 * n_units**0.5 * vectors / deviation, 2.0 * vectors * deviation
    found = torch.zeros(n_units, 2, N_COMPONENTS)
    found[:, 0, :n_found], found[:, 1, :n_found] = read_in.float(), shown.float()
    return found.flatten(1)
