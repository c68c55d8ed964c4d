from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.label_check import (
    SHIFTS,
    check_area_labels,
    compare_labels,
    shuffled_agreement,
)
from mtm_core.data.noise_correlation import noise_correlation, noise_partners
from mtm_core.data.regions import region_columns
from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session
from mtm_core.data.table import Table
from mtm_core.resources import list_sessions, session_path
from tests.core.sessions import make_session

BUNDLED = [name for name in list_sessions() if name.startswith("steinmetz2019")]


def _relabel(session: Session, region: np.ndarray) -> Session:
    units = Table({**session.units.columns, **region_columns(region.tolist())})
    return replace(session, units=units)


def _mixed_session(n_units: int = 320, seed: int = 0) -> Session:
    """Units of four regions in mixed order, as from several probes."""
    session = make_session(
        n_trials=60, n_units=n_units, regions=("CA1", "DG", "VISp", "MOs"), seed=seed
    )
    return session.take_units(np.random.default_rng(seed).permutation(n_units))


def test_all_fourteen_recordings_are_bundled():
    assert len(BUNDLED) == 14


@pytest.mark.parametrize("name", BUNDLED)
def test_the_labels_of_a_recording_fit_and_moved_or_shuffled_ones_do_not(name):
    session = read_session(session_path(name))
    partners = noise_partners(session, 5)
    region = session.region

    given = compare_labels(region, partners)
    assert given.verdict == "fits", given.sentence
    assert set(given.shifted) == set(SHIFTS) - {0}
    assert given.agreement > max(given.shifted.values())
    assert given.agreement > 1.25 * given.shuffled

    for rows in (-1, 1):
        moved = compare_labels(np.roll(region, rows), partners)
        assert moved.verdict == "suspect"
        assert max(moved.shifted, key=moved.shifted.get) == rows
        assert moved.sentence.startswith("Area labels look shifted by 1 row: ")

    for seed in range(3):
        shuffled = np.random.default_rng(seed).permutation(region)
        check = compare_labels(shuffled, partners)
        assert check.verdict == "suspect"
        assert check.sentence.startswith("Area labels look shuffled: ")
        assert check.agreement == pytest.approx(check.shuffled, abs=0.05)


@pytest.mark.parametrize("name", BUNDLED)
def test_one_partner_per_unit_says_the_same_of_every_recording(name):
    check = check_area_labels(read_session(session_path(name)), n_partners=1)
    assert check.verdict == "fits"
    assert check.agreement > max(check.shifted.values())


@pytest.mark.parametrize("rows", [-3, 2])
def test_the_shift_is_said_with_its_direction(rows):
    session = _mixed_session()
    check = check_area_labels(_relabel(session, np.roll(session.region, rows)))
    assert f"shifted by {abs(rows)} rows: " in check.sentence
    assert f"of {abs(rows)} rows further {'down' if rows > 0 else 'up'}" in check.sentence


@pytest.mark.parametrize("seed", range(5))
def test_labels_in_blocks_are_no_cause_for_alarm(seed):
    """Moving labels hardly matters where neighbours share a region, as along one probe."""
    session = make_session(n_trials=60, n_units=320, regions=("CA1", "DG", "VISp"), seed=seed)
    assert check_area_labels(session).verdict == "fits"


@pytest.mark.parametrize(
    ("session", "sentence"),
    [
        (make_session(regions=()), "has no area labels"),
        (make_session(n_units=24), "24 units that fire, 50 are needed"),
        (make_session(n_units=80, n_trials=20), "20 trials, 30 are needed"),
        (make_session(n_units=80, regions=("CA1",)), "1 named regions .*, 2 are needed"),
        (make_session(n_units=80, regions=("root", "void")), "0 named regions"),
    ],
)
def test_too_little_is_undecided(session, sentence):
    check = check_area_labels(session)
    assert check.verdict == "undecided"
    assert check.agreement is None
    assert check.shifted == {}
    assert re.search(sentence, check.sentence)


def test_few_units_whose_labels_tell_nothing_are_undecided():
    session = _mixed_session(n_units=80)
    shuffled = np.random.default_rng(0).permutation(session.region)
    check = check_area_labels(_relabel(session, shuffled))
    assert check.verdict == "undecided"
    assert check.sentence.startswith("Too few units to tell")


def test_silent_units_are_nobody_s_partner():
    session = _mixed_session()
    counts = session.counts.copy()
    counts[:, :, ::3] = 0
    silent = replace(session, counts=counts)
    assert check_area_labels(silent).verdict == "fits"
    correlation = noise_correlation(silent)
    assert not correlation[::3].any()
    assert np.isfinite(correlation).all()


def test_noise_is_what_remains_after_the_mean_of_each_stimulus():
    """Two units that only follow the stimulus share no noise; two with common noise do."""
    session = make_session(n_trials=400, n_bins=4, n_units=4, seed=5)
    rng = np.random.default_rng(0)
    is_left = session.trials.values("contrast_left") > 0
    driven = rng.poisson(np.where(is_left, 9.0, 1.0)[:, None, None], (400, 4, 2))
    common = rng.poisson(rng.gamma(2.0, 2.0, (400, 4, 1)), (400, 4, 2))
    counts = np.concatenate([driven, common], axis=2).clip(0, 255).astype(np.uint8)
    correlation = noise_correlation(replace(session, counts=counts))
    assert abs(correlation[0, 1]) < 0.1
    assert correlation[2, 3] > 0.3
    assert np.corrcoef(driven.sum(axis=1).T)[0, 1] > 0.7


def test_a_session_without_contrasts_is_checked_too():
    session = _mixed_session()
    own = {name: session.trials.column(name) for name in ("trial_id", "align_s")}
    assert check_area_labels(replace(session, trials=Table(own))).verdict == "fits"


def test_the_closed_form_agrees_with_shuffling():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 60)
    partners = np.stack([rng.choice(60, 4, replace=False) for _ in range(60)])
    partners[partners == np.arange(60)[:, None]] = (partners.max(axis=1) + 1)[0] % 60
    mean, error = shuffled_agreement(label, partners)
    drawn = [
        (moved[:, None] == moved[partners]).mean()
        for moved in (rng.permutation(label) for _ in range(4000))
    ]
    assert mean == pytest.approx(np.mean(drawn), abs=0.003)
    assert error == pytest.approx(np.std(drawn), rel=0.1)
