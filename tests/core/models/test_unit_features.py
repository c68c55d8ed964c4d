"""What is known of units without training: each number by hand, and what must not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mtm_core.config import TrainConfig
from mtm_core.config_model import Ndt1Config
from mtm_core.data.table import Column, Table
from mtm_core.models import unit_features
from mtm_core.models.session_part import shrunk_psth
from mtm_core.models.unit_features import (
    AREAS,
    N_COMPONENTS,
    N_FEATURES,
    N_SHAPE,
    PLACE_FIELDS,
    UnitFacts,
    area_index,
    describe_units,
    region_index,
)
from mtm_core.training.sessions import load_sessions
from tests.core.sessions import make_session

EMBEDDED = TrainConfig(model=Ndt1Config(read_in="unit_embedding"))
AFTER_PLACE = 2 * len(PLACE_FIELDS)
AFTER_SHAPE = AFTER_PLACE + 2 + N_SHAPE


def describe(session, rows=None) -> UnitFacts:
    rows = np.arange(session.n_trials) if rows is None else rows
    counts = torch.from_numpy(session.counts[rows]).float()
    psth = shrunk_psth(counts.mean(dim=0), len(counts))
    trials = session.trials.take(rows)
    return describe_units(session.units, trials, counts, psth, session.bin_size_s)


def test_a_region_has_one_number_everywhere_and_an_unknown_one_has_its_own() -> None:
    first, second = make_session(regions=("CA1", "DG")), make_session(regions=("DG", "VISp"))
    assert set(describe(first).region[12:].tolist()) == set(describe(second).region[:12].tolist())
    assert region_index(["CA1", "DG", "void", "odd", ""]).tolist()[2:] == [0, 0, 0]
    assert area_index([*AREAS, "void"]).tolist() == [*range(1, len(AREAS) + 1), 0]
    assert len(unit_features._places()) + 1 == unit_features.N_REGIONS


def test_units_are_described_by_finite_numbers_of_order_one() -> None:
    facts = describe(make_session(n_trials=60, mean_count=1.0))
    assert facts.features.shape == (24, N_FEATURES)
    assert torch.isfinite(facts.features).all()
    assert facts.features.abs().max() < 30
    assert facts.features.std() > 0.1


def test_permuting_units_permutes_what_is_known_of_them() -> None:
    session = make_session(n_trials=60)
    order = np.random.default_rng(0).permutation(session.n_units)
    plain, permuted = describe(session), describe(session.take_units(order))
    torch.testing.assert_close(permuted.features, plain.features[order], rtol=1e-3, atol=1e-3)
    assert torch.equal(permuted.region, plain.region[order])


def test_the_coupling_to_others_is_a_correlation_without_the_unit_itself() -> None:
    session = make_session(n_trials=60, regions=("CA1", "my nucleus"))
    counts = session.counts.astype(np.float64)
    mean = counts.mean(axis=(0, 1))
    blocks = unit_features._blocks(
        torch.from_numpy((counts - counts.mean(axis=0)) / np.sqrt(mean + 1e-3)).float()
    ).numpy()
    shrunk = len(blocks) / (len(blocks) + 20.0)
    features = describe(session).features.numpy()
    for unit in (0, 5, 20):
        others = np.delete(blocks, unit, axis=1).sum(axis=1)
        expected = 4 * shrunk * (blocks[:, unit] @ others)
        expected /= np.linalg.norm(blocks[:, unit]) * np.linalg.norm(others)
        assert features[unit, AFTER_SHAPE] == pytest.approx(expected, abs=1e-3)
    assert (features[12:, AFTER_SHAPE + 1] == 0).all()  # an unknown region is no region
    assert (features[:12, AFTER_SHAPE + 1] != 0).all()


def test_a_unit_that_follows_the_stimulus_says_so() -> None:
    session = make_session(n_trials=200, mean_count=1.0)
    left = session.trials.values("contrast_left").astype(np.float64)
    counts = session.counts.copy()
    counts[:, :, 3] = np.round(6 * left)[:, None]
    features = describe(replace(session, counts=counts)).features
    selectivity = features[3, AFTER_SHAPE + 2 + len(AREAS) :][:2]
    assert (selectivity > 2.0).all()


def test_components_tell_in_two_scales_who_goes_together() -> None:
    session = make_session(n_trials=100, mean_count=1.0)
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, session.counts.shape)
    counts[:, :, :6] += rng.poisson(4.0, (100, 1, 1))
    facts = describe(replace(session, counts=counts.astype(np.uint8)))
    read_in, shown = facts.features[:, -2 * N_COMPONENTS :].view(24, 2, N_COMPONENTS).unbind(1)
    assert (shown[:6, 0] > 5 * shown[6:, 0].abs().max()).all()
    ratio = read_in[:6, 0] / shown[:6, 0]
    torch.testing.assert_close(ratio, ratio[:1].expand(6))


def test_silent_units_few_trials_and_few_units_give_finite_numbers() -> None:
    silent = make_session(n_trials=5, n_units=2, n_bins=3)
    counts = silent.counts.copy()
    counts[:, :, 1] = 0
    facts = describe(replace(silent, counts=counts))
    assert torch.isfinite(facts.features).all()
    assert torch.isfinite(describe(silent, np.arange(1)).features).all()


def test_a_place_that_is_not_known_is_told_from_a_middling_one() -> None:
    session = make_session()
    depth = session.units.column("depth_um")
    is_valid = depth.is_valid.copy()
    is_valid[4] = False
    values = np.where(is_valid, depth.values, 0.0)
    columns = {**session.units.columns, "depth_um": Column(values, is_valid)}
    features = describe(replace(session, units=Table(columns))).features
    assert features[4, :2].tolist() == [0.0, 0.0]
    assert features[5, 1] == 1.0
    assert features[0, 0] < 0 < features[-1, 0]
    del columns["depth_um"]
    assert (describe(replace(session, units=Table(columns))).features[:, :6] == 0).all()


def test_a_waveform_counts_where_the_recording_has_one() -> None:
    session = make_session()
    wide = Column.full(np.linspace(0.2, 0.8, session.n_units))
    columns = {**session.units.columns, "peak_to_trough_ms": wide}
    features = describe(replace(session, units=Table(columns))).features
    assert features[0, 4] < 0 < features[-1, 4]


def test_only_training_trials_are_looked_at() -> None:
    session = make_session()
    (loaded,) = load_sessions(EMBEDDED, [session], "cpu")
    is_train = np.isin(session.trials.values("trial_id"), loaded.record.split["train"])
    counts = np.where(is_train[:, None, None], session.counts, 9).astype(np.uint8)
    side = session.trials.column("contrast_left")
    changed = Column(np.where(is_train, side.values, 0.123).astype(np.float32), side.is_valid)
    columns = {**session.trials.columns, "contrast_left": changed}
    other = replace(session, counts=counts, trials=Table(columns))
    (loaded_too,) = load_sessions(EMBEDDED, [other], "cpu")
    one, two = (each.facts(EMBEDDED.model).units for each in (loaded, loaded_too))
    assert one is not None
    assert two is not None
    assert torch.equal(one.features, two.features)


def test_models_that_do_not_ask_are_told_nothing() -> None:
    (loaded,) = load_sessions(TrainConfig(), [make_session()], "cpu")
    assert loaded.facts(Ndt1Config()).units is None
