from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from mtm_core.config import DataConfig, TrainConfig
from mtm_core.data.splits import split_trials
from mtm_core.errors import DataError, MissingFieldError, UnknownNameError
from mtm_core.evaluation import decoding_fit
from mtm_core.evaluation.decoding import DecodingSettings, decode, decode_regions
from mtm_core.evaluation.decoding_fit import LOGISTIC_C
from mtm_core.evaluation.decoding_search import Decoder
from mtm_core.evaluation.decoding_targets import find_target
from mtm_core.evaluation.decoding_trials import choose_decoding_trials
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.evaluation.behaving import make_behaving_session, with_trials

QUICK = DecodingSettings(n_chance=40)
COUNTS = replace(QUICK, features=("counts",))
CHOICE = make_behaving_session(("choice",))
CHECKPOINT = make_checkpoint(CHOICE)


def scores_of(session, target, settings=QUICK, checkpoint=None):
    report = decode(checkpoint or make_checkpoint(session), session, [target], settings)
    return {(d.features, d.decoder): d for d in report.targets[target].decoders}


def test_a_choice_that_is_told_is_decoded_from_everything():
    for scores in scores_of(CHOICE, "choice", replace(QUICK, until="end")).values():
        for metric in ("accuracy", "balanced_accuracy"):
            assert scores.scores[metric].value > 0.85
            assert scores.chance[metric].p == pytest.approx(1 / 41)
            assert scores.chance[metric].interval[1] < scores.scores[metric].interval[0]


@pytest.mark.parametrize("target", ["choice", "reward", "contrast_side", "block"])
def test_what_is_not_told_is_within_chance(target):
    session = make_behaving_session(("wheel_speed",), seed=3)
    for scores in scores_of(session, target).values():
        chance = scores.chance["balanced_accuracy"]
        assert chance.p > 0.05
        assert scores.scores["balanced_accuracy"].value <= chance.interval[1]


def test_a_block_that_is_told_is_decoded_above_pseudo_sessions():
    session = make_behaving_session(("block",), n_trials=400)
    settings = replace(COUNTS, n_chance=60)
    (scores,) = scores_of(session, "block", settings).values()
    assert scores.scores["balanced_accuracy"].value > 0.8
    assert scores.chance["balanced_accuracy"].p < 0.05


def test_a_signal_that_is_told_is_decoded_and_another_is_not():
    session = make_behaving_session(("wheel_speed",), n_trials=300)
    wheel = scores_of(session, "wheel_speed", COUNTS)
    assert set(wheel) == {("counts", "ridge"), ("counts", "reduced_rank")}
    for scores in wheel.values():
        assert scores.scores["r2"].value > 0.3
        assert scores.scores["r2_beyond_average"].value > 0.25
        assert scores.chance["r2"].p < 0.05
    for scores in scores_of(session, "whisker_motion_energy", COUNTS).values():
        assert scores.scores["r2"].value < 0.05
        assert scores.chance["r2_beyond_average"].p > 0.05


def test_a_low_rank_helps_where_the_signal_has_one():
    rng = np.random.default_rng(0)
    session = make_behaving_session(("choice",), n_trials=200)
    choice = session.trials.values("choice").astype(float)
    trace = choice[:, None] * np.linspace(0, 1, 12) + rng.normal(0, 0.5, (200, 12))
    session.behaviors["wheel_speed"].values[:] = trace
    wheel = scores_of(session, "wheel_speed", COUNTS)
    ridge, reduced = wheel["counts", "ridge"], wheel["counts", "reduced_rank"]
    assert reduced.chosen["rank"] == 1
    assert reduced.scores["r2"].value > ridge.scores["r2"].value


def drifting_session():
    """Make rates that drift, and a choice that comes in runs of its own; they share nothing."""
    session = make_behaving_session((), n_trials=240, n_units=40)
    rng = np.random.default_rng(5)
    time = np.arange(240)
    phase, period = rng.uniform(0, 2 * np.pi, 40), rng.uniform(20, 240, 40)
    drift = np.exp(1.5 * np.sin(2 * np.pi * time[:, None] / period + phase))
    counts = np.random.default_rng(6).poisson(drift[:, None] * np.ones((1, 12, 1)))
    choice = np.where(np.sin(2 * np.pi * time / 70) > 0, 1, -1)
    session = replace(session, counts=np.minimum(counts, 255).astype(np.uint8))
    return with_trials(session, choice=choice)


def test_what_drift_alone_tells_is_not_above_chance():
    settings = replace(COUNTS, n_chance=100)
    (scores,) = scores_of(drifting_session(), "choice", settings).values()
    assert scores.scores["accuracy"].value > 0.8  # looks like a discovery
    assert scores.chance["accuracy"].p > 0.05
    assert scores.chance["accuracy"].mean > 0.7


def test_a_choice_told_by_the_movement_alone_is_not_decoded_before_it():
    session = make_behaving_session(("late choice",), n_trials=240, strength=2.0)
    checkpoint = make_checkpoint(session)
    whole = scores_of(session, "choice", replace(QUICK, until="end"), checkpoint)
    before = scores_of(session, "choice", QUICK, checkpoint)
    for key in whole:
        assert whole[key].scores["accuracy"].value > 0.8
        assert before[key].chance["accuracy"].p > 0.05


def test_a_region_alone_tells_what_its_units_tell():
    reports = decode_regions(CHECKPOINT, CHOICE, ["CA1", "DG"], ["choice"], QUICK)
    told = {
        region: [d.scores["accuracy"].value for d in report.targets["choice"].decoders]
        for region, report in reports.items()
    }
    assert min(told["CA1"]) > 0.7 > max(told["DG"])
    assert reports["CA1"].header["region"] == "CA1"
    assert reports["CA1"].header["n_units_read"] == 6
    assert reports["CA1"].targets["choice"].prompt == "intra_region"


def decoder_of(session, **more):
    target = find_target(session, "choice")
    split = split_trials(session, DataConfig())
    fit = np.concatenate([split.train, split.val])
    rng = np.random.default_rng(0)
    trials = choose_decoding_trials(session, target, fit, split.test, DataConfig(), rng)
    is_kept = np.ones(session.counts.shape[:2], dtype=bool)
    return Decoder(more.get("features", session.counts), is_kept, trials), target


def test_the_search_is_that_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(decoding_fit, "_TOLERANCE", 1e-15)
    decoder, target = decoder_of(CHOICE)
    flat = CHOICE.counts.reshape(CHOICE.n_trials, -1).astype(float)
    trials = decoder.trials
    place = {row: i for i, row in enumerate(trials.fit.tolist())}
    folds = [tuple([place[r] for r in rows.tolist()] for rows in fold) for fold in trials.folds]
    scale = decoder.n_features**-0.5
    steps = make_pipeline(
        StandardScaler(),
        FunctionTransformer(lambda x: scale * x),
        LogisticRegression(solver="newton-cholesky", tol=1e-8, max_iter=1000),
    )
    grid = {"logisticregression__C": LOGISTIC_C}
    search = GridSearchCV(steps, grid, cv=folds, scoring="neg_log_loss")
    search.fit(flat[trials.fit], target.values[trials.fit])
    answer = decoder.decode_classes(target.values[None])
    assert answer.chosen[0]["C"] == search.best_params_["logisticregression__C"]
    theirs = search.decision_function(flat[trials.test])
    np.testing.assert_allclose(answer.log_odds[0], theirs, rtol=1e-3, atol=1e-3)


def test_labels_of_test_trials_change_no_prediction():
    decoder, target = decoder_of(CHOICE)
    turned = target.values.copy()
    turned[decoder.trials.test] = 1 - turned[decoder.trials.test]
    before = decoder.decode_classes(target.values[None])
    after = decoder.decode_classes(turned[None])
    np.testing.assert_array_equal(before.log_odds, after.log_odds)
    signal = CHOICE.behaviors["wheel_speed"].values.astype(float)
    other = signal.copy()
    other[decoder.trials.test] = 1e3
    before, after = decoder.decode_signal(signal), decoder.decode_signal(other)
    for name in before:
        np.testing.assert_array_equal(before[name].predicted, after[name].predicted)


def test_other_test_trials_change_no_prediction():
    decoder, target = decoder_of(CHOICE)
    counts = CHOICE.counts.copy()
    first = decoder.trials.test[0]
    counts[decoder.trials.test[1:]] = 200
    changed, _ = decoder_of(CHOICE, features=counts)
    before = decoder.decode_classes(target.values[None])
    after = changed.decode_classes(target.values[None])
    assert before.chosen == after.chosen
    assert decoder.trials.test[0] == first
    np.testing.assert_allclose(before.log_odds[0, 0], after.log_odds[0, 0], rtol=1e-9)


def test_every_choice_is_in_the_report():
    report = decode(CHECKPOINT, CHOICE, ["choice", "wheel_speed"], QUICK).to_dict()
    for key in ("session", "checkpoint", "split_kind", "seed", "logistic", "ridge", "intervals"):
        assert report[key] is not None
    choice = report["targets"]["choice"]
    assert choice["until"] == "movement"
    assert choice["prompt"] == "causal"
    assert choice["n_test"] == sum(choice["n_per_class"]["test"]) == 32
    assert choice["n_chance"] == 40
    assert set(choice["references"]) == {"commoner class", "stimulus", "time of the cut"}
    assert report["targets"]["wheel_speed"]["prompt"] == "causal"
    assert set(report["targets"]["wheel_speed"]["references"]) == {"average trace"}
    assert [d["features"] for d in choice["decoders"]] == ["log_rate", "states", "counts"]


def test_what_needs_no_neuron_is_scored_beside():
    side = np.where(np.arange(160) % 3 == 0, 1.0, -1.0)
    choice = np.where(np.random.default_rng(0).random(160) < 0.95, side, -side)
    session = with_trials(
        CHOICE, choice=choice, contrast_left=(side > 0) * 0.5, contrast_right=(side < 0) * 0.5
    )
    found = decode(CHECKPOINT, session, ["choice"], replace(COUNTS, n_chance=0)).targets["choice"]
    assert found.references["stimulus"]["accuracy"].value > 0.8
    assert found.references["commoner class"]["balanced_accuracy"].value == 0.5
    assert found.decoders[0].chance == {"accuracy": None, "balanced_accuracy": None}


def test_the_same_seed_gives_the_same_report_and_chance_does_not_move_it():
    one, two = (decode(CHECKPOINT, CHOICE, ["choice"], COUNTS).to_dict() for _ in range(2))
    assert one == two
    bare = decode(CHECKPOINT, CHOICE, ["choice"], replace(COUNTS, n_chance=0)).to_dict()
    first, second = (r["targets"]["choice"]["decoders"][0] for r in (one, bare))
    assert first["scores"] == second["scores"]
    other = decode(CHECKPOINT, CHOICE, ["choice"], replace(COUNTS, seed=1)).to_dict()
    assert other["targets"]["choice"]["decoders"][0]["scores"] != first["scores"]


def test_validation_trials_can_be_scored_instead():
    settings = replace(COUNTS, split="val", n_chance=0)
    found = decode(CHECKPOINT, CHOICE, ["choice"], settings).targets["choice"]
    assert (found.n_fit, found.n_test) == (112, 16)


def test_a_blocked_split_is_decoded_in_contiguous_folds():
    config = TrainConfig(model=SMALL_MODEL, data=DataConfig(split="blocked"))
    checkpoint = make_checkpoint(CHOICE, config)
    report = decode(checkpoint, CHOICE, ["choice"], replace(COUNTS, until="end"))
    assert report.header["split_kind"] == "blocked"
    assert report.targets["choice"].decoders[0].scores["accuracy"].value > 0.8


def test_all_targets_are_decoded_and_those_that_cannot_are_named():
    fixed = with_trials(CHOICE, choice=np.where(CHOICE.trials.values("contrast_left") > 0, 1, -1))
    report = decode(CHECKPOINT, fixed, (), replace(COUNTS, n_chance=0))
    assert "choice" not in report.targets
    assert "Decode contrast_side instead" in report.not_decoded["choice"]
    assert set(report.targets) == {
        "contrast_side",
        "reward",
        "block",
        "wheel_speed",
        "whisker_motion_energy",
    }


def test_a_target_that_was_asked_for_and_cannot_be_is_an_error():
    with pytest.raises(MissingFieldError, match=r"no block\. It has: choice"):
        decode(CHECKPOINT, with_trials(CHOICE, block=None), ["block"], COUNTS)
    one_sided = with_trials(CHOICE, choice=np.ones(160))
    with pytest.raises(DataError, match="0 are 'right'"):
        decode(CHECKPOINT, one_sided, ["choice"], COUNTS)


def test_a_session_with_nothing_to_decode_is_an_error():
    bare = with_trials(
        replace(CHOICE, behaviors={}),
        **dict.fromkeys(("choice", "contrast_left", "feedback", "block")),
    )
    with pytest.raises(DataError, match="Nothing can be decoded in the session behaving"):
        decode(CHECKPOINT, bare, (), COUNTS)


@pytest.mark.parametrize(
    ("more", "said"),
    [({"features": ("rates",)}, "log_rate"), ({"prompt": "neurons"}, "Did you mean 'neuron'")],
)
def test_a_misspelt_setting_is_told_the_nearest(more, said):
    with pytest.raises(UnknownNameError, match=said):
        DecodingSettings(**more)
