from __future__ import annotations

import numpy as np
import pytest

from mtm_core.data.splits import split_trials
from mtm_core.errors import MissingFieldError
from mtm_core.evaluation.decoding import DecodingSettings, decode
from mtm_core.export.bwb_behavior import answer_behavior
from mtm_core.export.bwb_tasks import find_task
from mtm_core.inference import Reconstructor
from tests.core.evaluation.behaving import with_trials
from tests.core.export.bwb_exports import CHECKPOINT, SESSION

TEST = split_trials(SESSION, CHECKPOINT.manifest.config.data).test


def answer(task, session=SESSION, features="log_rate", split="test"):
    bound = Reconstructor(CHECKPOINT, session)
    return answer_behavior(bound, find_task(task), features, split)


def decoded(task, decoder, metric, features="log_rate"):
    settings = DecodingSettings(features=(features,), n_chance=0)
    report = decode(CHECKPOINT, SESSION, [task], settings)
    (found,) = (d for d in report.targets[task].decoders if d.decoder == decoder)
    return found.scores[metric].value


def r2(found):
    true, said = (f.numpy() for f in (found.truth["values"], found.predictions["predictions"]))
    return 1 - ((true - said) ** 2).sum() / ((true - true.mean()) ** 2).sum()


def test_left_is_class_1_of_a_choice():
    found = answer("choice")
    chosen = SESSION.trials.values("choice")[TEST]
    assert found.truth["values"][:, 0].tolist() == (chosen > 0).astype(int).tolist()
    assert found.choices["classes"] == "right, left"


@pytest.mark.parametrize("task", ["choice", "reward"])
@pytest.mark.parametrize("features", ["log_rate", "counts"])
def test_classes_are_those_that_decode_finds(task, features):
    found = answer(task, features=features)
    said = found.predictions["predictions"].numpy()[:, 0].argmax(axis=1)
    accuracy = (said == found.truth["values"].numpy()[:, 0]).mean()
    assert accuracy == pytest.approx(decoded(task, "logistic", "accuracy", features))
    assert (
        found.predictions["trial_id"].tolist() == SESSION.trials.values("trial_id")[TEST].tolist()
    )


def test_a_reward_is_class_1():
    rewarded = SESSION.trials.values("feedback")[TEST] > 0
    assert answer("reward").truth["values"][:, 0].tolist() == rewarded.astype(int).tolist()


def test_wheel_speed_is_written_as_recorded():
    found = answer("wheel_speed")
    true = SESSION.behaviors["wheel_speed"].values[TEST]
    assert np.allclose(found.truth["values"].numpy()[..., 0], true)
    assert r2(found) == pytest.approx(decoded("wheel_speed", "ridge", "r2"), rel=1e-4)
    times = found.predictions["timestamps"].numpy()
    assert np.allclose(times, 0.01 * np.arange(SESSION.n_bins))


def test_whiskers_are_written_in_standard_deviations_of_the_fitted_trials():
    found = answer("whisker_motion_energy")
    values = SESSION.behaviors["whisker_motion_energy"].values
    split = split_trials(SESSION, CHECKPOINT.manifest.config.data)
    known = values[np.concatenate([split.train, split.val])]
    scaled = (values[TEST] - known.mean()) / known.std()
    assert np.allclose(found.truth["values"].numpy()[..., 0], scaled, atol=1e-5)
    assert r2(found) == pytest.approx(decoded("whisker_motion_energy", "ridge", "r2"), rel=1e-4)


def test_validation_trials_can_be_predicted_and_are_not_fitted_to_then():
    val = split_trials(SESSION, CHECKPOINT.manifest.config.data).val
    ids = SESSION.trials.values("trial_id")[val]
    assert answer("reward", split="val").predictions["trial_id"].tolist() == ids.tolist()


def test_a_choice_whose_features_are_not_cut_is_told():
    assert answer("choice").caveat is None
    session = with_trials(SESSION, first_movement_s=None)
    assert "NOT cut at the movement" in answer("choice", session).caveat


def test_what_was_not_recorded_is_said():
    with pytest.raises(MissingFieldError, match="has no choice"):
        answer("choice", with_trials(SESSION, choice=None))
