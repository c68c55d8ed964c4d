from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict, cross_val_score

from mtm_core.config_simulation import SimulationConfig
from mtm_core.data.simulated import Simulated, simulate
from mtm_core.data.simulated_latents import private_name
from mtm_core.data.simulated_trials import draw_trials
from mtm_core.errors import UnknownNameError
from tests.core.data.simulations import simulated

QUIET = {"task_gain": "0", "shared_gain": "0", "drift_gain": "0", "odd_trials": "0"}
PAIR = {"regions": ["CA1", "LP"], "inputs_per_region": "1", "good_units": "60", "min_delay": "4"}


def counts_on_steps(s: Simulated) -> np.ndarray:
    """Count the spikes of every cluster in every step."""
    counts = np.zeros((s.truth.n_steps, s.raw.units.n_rows), dtype=np.int32)
    for probe in s.raw.spikes:
        steps = (probe.times_s / s.config.step_s).astype(np.int64)
        np.add.at(counts, (steps, probe.first_unit + probe.clusters), 1)
    return counts


def true_rates(s: Simulated) -> np.ndarray:
    return s.truth.drive.rate_hz(slice(None), slice(None)).astype(np.float64)


def test_the_same_seed_gives_the_same_session_and_another_seed_another():
    config = SimulationConfig(trials=4, good_units=10)
    one, same, other = simulate(config, 3), simulate(config, 3), simulate(config, 4)
    for a, b in zip(one.raw.spikes, same.raw.spikes, strict=True):
        np.testing.assert_array_equal(a.times_s, b.times_s)
        np.testing.assert_array_equal(a.clusters, b.clusters)
    assert one.eid == same.eid
    assert other.eid != one.eid
    assert set(other.truth.unit_id).isdisjoint(one.truth.unit_id)
    assert len(other.raw.spikes[0].times_s) != len(one.raw.spikes[0].times_s)


def test_it_says_that_it_is_simulated():
    origin = simulated().raw.origin
    assert origin.is_simulated
    assert "no animal" in origin.licence
    assert any("Simulated" in note for note in origin.notes)


def test_an_unknown_region_is_refused():
    with pytest.raises(UnknownNameError, match="There is no region 'CA9'"):
        simulate(SimulationConfig(regions=("CA9", "LP")), 0)


def test_it_holds_clusters_of_every_kind_in_the_order_of_the_probes():
    s = simulated()
    units, population = s.raw.units, s.population
    is_good = units.values("is_good")
    spikes = counts_on_steps(s).sum(axis=0)
    assert units.n_rows == 40 + 16 + 3 + 4
    stray = np.isin(units.values("region"), ["root", "void"])
    assert is_good[~stray].sum() == 40
    assert (spikes == 0).sum() == 3
    assert stray.sum() == 4
    assert set(np.unique(units.values("label"))) <= {0.0, 1 / 3, 2 / 3, 1.0}
    for region in s.config.regions:
        assert (is_good & (units.values("region") == region)).any()
    for number, probe in enumerate(s.raw.spikes):
        mine = np.flatnonzero(population.probe == number)
        assert probe.first_unit == mine[0]
        np.testing.assert_array_equal(population.cluster_id[mine], np.arange(len(mine)))
        assert (np.diff(units.values("depth_um")[mine].astype(float)) >= 0).all()
        assert (np.diff(probe.times_s) >= 0).all()


def test_a_region_lies_on_one_probe_the_first_of_each_at_the_surface():
    s = simulated()
    units = s.raw.units
    for region, probe in zip(s.config.regions, [0, 0, 0, 1, 1], strict=True):
        assert set(units.values("probe")[units.values("region") == region]) == {f"probe0{probe}"}
    depth = units.values("depth_um").astype(float)
    assert (
        depth[units.values("region") == "VISa5"].min()
        > depth[units.values("region") == "CA1"].max()
    )


def test_spikes_follow_the_true_rates():
    s = simulated()
    expected = true_rates(s) * s.config.step_s
    counts = counts_on_steps(s)
    for low, high in ((0.0, 0.01), (0.01, 0.05), (0.05, 0.2), (0.2, 10.0)):
        inside = (expected >= low) & (expected < high)
        total = expected[inside].sum()
        assert total > 300
        assert counts[inside].sum() == pytest.approx(total, abs=4 * np.sqrt(total))
    of_unit, seen = expected.sum(axis=0), counts.sum(axis=0)
    z = (seen - of_unit) / np.sqrt(np.maximum(of_unit, 1e-9))
    assert np.abs(z[of_unit > 50]).max() < 4.5
    assert seen[of_unit < 1e-6].sum() == 0


def test_mean_rates_are_log_normal_as_asked():
    s = simulated(good_units="400", trials="20", median_rate_hz="3", rate_spread="0.8")
    mean = true_rates(s).mean(axis=0)[~s.population.is_silent]
    assert np.median(mean) == pytest.approx(3.0, rel=0.15)
    assert np.log(mean).std() == pytest.approx(0.8, rel=0.15)
    assert mean.max() > 4 * np.median(mean)


def cross_covariance(s: Simulated, lags: range, like: Simulated) -> np.ndarray:
    """Correlate what the sender of `like` sends with what its receiver does, lag by lag.

    Positive lags: the receiver later than the sender.
    """
    ((sender, receiver),) = like.truth.coupling.edges
    counts = counts_on_steps(s).astype(float)
    name = private_name(like.config.regions[sender], 1)
    sent = np.where(like.population.region == sender, 1.0, 0.0)
    sent = counts @ (sent * like.population.loadings[:, like.latents.names.index(name)])
    heard = counts @ np.sign(like.truth.drive.loadings[:, -1])
    assert (like.population.region[like.truth.drive.loadings[:, -1] != 0] == receiver).all()
    sent, heard = ((x - x.mean()) / x.std() for x in (sent, heard))
    n = len(sent)
    return np.array(
        [(sent[max(-lag, 0) : n - max(lag, 0)] * heard[max(lag, 0) : n + min(lag, 0)]).mean()
         for lag in lags]
    )  # fmt: skip


def test_coupling_is_directed_delayed_and_gone_when_it_is_removed():
    settings = {**QUIET, **PAIR, "trials": "120", "other_units": "0", "coupling_gain": "0.8"}
    coupled = simulated(**{k: _hashable(v) for k, v in settings.items()})
    without = simulated(**{k: _hashable(v) for k, v in {**settings, "coupling_gain": "0"}.items()})
    ((edge),) = coupled.truth.coupling.edges
    delay = int(coupled.truth.coupling.delay[edge])
    assert delay >= 4
    lags = range(-10, 16)
    found, gone = (cross_covariance(s, lags, coupled) for s in (coupled, without))
    noise = 5.0 / np.sqrt(coupled.truth.n_steps) + 0.02  # slow latents leave fewer free samples
    after = [lags.index(delay + k) for k in range(3)]
    before = [i for i, lag in enumerate(lags) if lag < 0]
    assert found[after].min() > 3 * noise
    assert found.argmax() in after
    assert found[after].min() > 2 * found[before].max()
    assert np.abs(gone).max() < noise


def _hashable(value):
    return ",".join(value) if isinstance(value, list) else value


def test_no_two_regions_listen_to_each_other():
    for seed in range(3):
        coupling = simulated(seed=seed, trials="3").truth.coupling
        assert (coupling.delay > 0).sum() >= 5
        assert not ((coupling.strength > 0) & (coupling.strength.T > 0)).any()
        np.testing.assert_array_equal(coupling.strength > 0, coupling.delay > 0)
        delays = coupling.delay[coupling.delay > 0]
        assert delays.min() >= 2
        assert delays.max() <= 5


def test_the_animal_sees_better_at_high_contrast_and_follows_the_block():
    plan = draw_trials(SimulationConfig(trials=1500), np.random.default_rng(0))
    answered = plan.choice != 0
    right = plan.feedback > 0
    assert right[answered & (plan.contrast == 1)].mean() > 0.95
    assert 0.5 < right[answered & (plan.contrast == 0)].mean() < 0.8
    blind = answered & (plan.contrast == 0)
    left_choice = plan.choice > 0
    left_block = plan.probability_left > 0.5
    right_block = plan.probability_left < 0.5
    assert left_choice[blind & left_block].mean() > left_choice[blind & right_block].mean() + 0.2
    reaction = (plan.movement - plan.stim_on)[answered]
    assert 0.2 < np.median(reaction) < 0.4
    assert (reaction < 0.08).any()
    assert (reaction > 2.0).any()
    assert (plan.choice == 0).any()
    assert (~plan.has_stim_time).any()
    np.testing.assert_array_equal(plan.probability_left[:90], 0.5)


def test_a_choice_of_plus_one_turns_the_wheel_clockwise():
    s = simulated()
    wheel, plan = s.raw.signals["wheel_position"], s.plan
    turned = plan.choice != 0
    at = [np.interp(t, wheel.times_s, wheel.values) for t in (plan.movement, plan.response + 0.1)]
    change = (at[1] - at[0])[turned]
    np.testing.assert_array_equal(np.sign(change), -plan.choice[turned])
    assert np.median(np.abs(change)) == pytest.approx(0.33, rel=0.2)
    left = plan.side > 0
    np.testing.assert_array_equal(
        plan.feedback > 0, (plan.choice == np.where(left, 1, -1)) & turned
    )


def test_whisking_and_licking_follow_their_latents():
    s = simulated()
    energy, licks = s.raw.signals["whisker_motion_energy"], s.raw.events["licks"]
    latent = np.interp(energy.times_s, s.latents.centre_s, s.latents.get("whisking"))
    assert np.corrcoef(latent, energy.values)[0, 1] > 0.9
    rewards = s.plan.feedback_time[s.plan.feedback > 0]
    after = np.searchsorted(licks, rewards + 1.0) - np.searchsorted(licks, rewards)
    before = np.searchsorted(licks, rewards) - np.searchsorted(licks, rewards - 1.0)
    assert after.mean() > 10 * before.mean()
    assert np.diff(licks).min() >= 0.09


def around(s: Simulated, times: np.ndarray, before_s: float, after_s: float) -> np.ndarray:
    """Count the spikes of every cluster around events, shape (n_events, n_units)."""
    counts = counts_on_steps(s).cumsum(axis=0)
    begin, end = (((times + d) / s.config.step_s).astype(int) for d in (-before_s, after_s))
    return (counts[end] - counts[begin]).astype(float)


@pytest.fixture(scope="module")
def larger() -> Simulated:
    return simulated(trials="160", good_units="120", other_units="0")


def test_choice_can_be_decoded_from_spikes(larger):
    plan = larger.plan
    rows = plan.choice != 0
    x = around(larger, plan.movement[rows], 0.1, 0.3)
    y = plan.choice[rows]
    score = cross_val_score(LogisticRegression(C=0.01, max_iter=2000), x, y, cv=5).mean()
    chance = max((y > 0).mean(), (y < 0).mean())
    assert score > chance + 0.2


@pytest.mark.parametrize(("name", "width"), [("wheel_speed", 15), ("whisking", 41)])
def test_movement_can_be_decoded_from_spikes(larger, name, width):
    counts = counts_on_steps(larger).T
    x = np.stack([np.convolve(c, np.hanning(width), "same") for c in counts]).T[::4]
    y = larger.latents.get(name)[::4]
    found = cross_val_predict(Ridge(alpha=1e3), x, y, cv=5)
    assert np.corrcoef(found, y)[0, 1] > 0.45
    shifted = cross_val_predict(Ridge(alpha=1e3), x, np.roll(y, len(y) // 3), cv=5)
    assert np.corrcoef(shifted, np.roll(y, len(y) // 3))[0, 1] < 0.15


def test_private_latents_stay_in_their_region_and_shared_ones_do_not():
    s = simulated()
    for column, name in enumerate(s.latents.names):
        reached = s.population.region[s.population.loadings[:, column] != 0]
        if name.startswith("private"):
            assert set(reached) == {s.config.regions.index(name.rpartition(" ")[2])}
        if name.startswith("shared"):
            assert set(range(len(s.config.regions))) <= set(reached)


@pytest.mark.parametrize(
    "settings",
    [
        {"trials": "1", "shared_latents": "0", "private_latents": "1"},
        {"regions": "CA1", "probes": "1", "inputs_per_region": "4"},
        {"probes": "5", "other_units": "0", "silent_clusters": "0", "stray_units": "0"},
        {"inputs_per_region": "0", "odd_trials": "0.9"},
        {"step_s": "0.1", "min_delay": "1", "max_delay": "1", "memory_s": "1.0"},
        {"step_s": "0.005", "min_delay": "9", "max_delay": "9"},
    ],
)
def test_extreme_settings_work_too(settings):
    s = simulated(**{"trials": "5", **settings})
    assert len(s.raw.spikes) == s.config.probes
    assert s.raw.trials.n_rows == s.config.trials
    expected = true_rates(s).sum() * s.config.step_s
    assert counts_on_steps(s).sum() == pytest.approx(expected, abs=5 * np.sqrt(expected))
