from __future__ import annotations

import pytest

from mtm_core.api.models import load_model, train
from mtm_core.errors import MismatchError, TrainingError, UnknownNameError
from mtm_core.training.events import RunFinished, StepDone
from tests.core.sessions import make_session

SMALL = {"optim.steps": 3, "run.threads": 1, "model.width": 16, "run.validate_every": 3}


@pytest.fixture(scope="module")
def session():
    return make_session(session_id="own")


@pytest.fixture(scope="module")
def run(session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "own"
    events = []
    train(session, folder, "quick", settings=SMALL, on_event=events.append)
    return folder, events


def test_training_tells_what_happens_and_returns_the_model(run, session):
    folder, events = run
    assert [e.step for e in events if isinstance(e, StepDone)] == [1, 2, 3]
    assert isinstance(events[-1], RunFinished)
    model = load_model(folder, session)
    assert model.manifest.unit_id == tuple(session.unit_id)
    assert model.manifest.config.model.width == 16


def test_a_run_is_not_trained_over_but_may_be_resumed(run, session):
    folder, _ = run
    with pytest.raises(TrainingError, match="already holds a run"):
        train(session, folder, "quick", settings=SMALL)
    again = train(session, folder, "quick", settings=SMALL, resume=True)
    assert again.manifest.n_steps == 3


def test_a_model_is_carried_over_to_another_session(tmp_path):
    one, two, new = (make_session(session_id=name, seed=i) for i, name in enumerate("abc"))
    small = SMALL | {"model.mlp_width": 16}
    train([one, two], tmp_path / "many", "multi-unit", settings=small)
    model = train(new, tmp_path / "new", start=tmp_path / "many", settings={"optim.steps": 2})
    assert model.manifest.session_id == "c"
    assert model.manifest.pretrained is not None
    untrained = train(new, tmp_path / "zero", start=tmp_path / "many", zero_shot=True)
    assert untrained.manifest.step == 0
    assert load_model(tmp_path / "many", two).manifest.session_id == "b"
    with pytest.raises(MismatchError, match="choose one of them"):
        load_model(tmp_path / "many")


@pytest.mark.parametrize("key", ["optim.stpes", "width"])
def test_a_misspelt_setting_is_refused(key, session, tmp_path):
    with pytest.raises(UnknownNameError, match="setting"):
        train(session, tmp_path / "run", settings={key: 3})


def test_a_bundled_model_has_a_name_and_an_unknown_one_is_refused():
    assert load_model("demo").manifest.n_units == 698
    with pytest.raises(UnknownNameError, match="checkpoint"):
        load_model("dmeo")
