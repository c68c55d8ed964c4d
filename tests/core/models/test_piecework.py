from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.config import TrainConfig
from mtm_core.errors import MemoryLimitError
from mtm_core.masking.masked_batch import prompt_index
from mtm_core.masking.tasks import co_smoothing, inter_region, intra_region
from mtm_core.models import passes, piecework
from mtm_core.models.piecework import Piecework
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.models.turns import PassCounter
from tests.core.sessions import make_session

SESSION = make_session(n_trials=20, n_bins=8, n_units=45)
CO_SMOOTHING = co_smoothing().resolve(SESSION)


def make_piecework(read_in: str = "linear") -> Piecework:
    config = TrainConfig(model=replace(SMALL_MODEL, read_in=read_in))
    return Piecework(make_checkpoint(SESSION, config).model, SESSION)


def answer(work: Piecework, mask, n_trials: int = 3):
    return work.answer(mask, np.arange(n_trials), lambda: False)


def test_where_every_unit_takes_its_turn_no_other_pass_is_made():
    work = make_piecework()
    counter = PassCounter(work.model)
    answer(work, CO_SMOOTHING)
    assert counter.n == 3 * 45
    answer(work, intra_region("DG").resolve(SESSION))
    assert counter.n == 3 * 45 + 3 * 15 + 3  # the other units come from one pass more


@pytest.mark.parametrize("read_in", ["linear", "components"])
def test_a_preview_is_worth_it_for_many_units_that_go_through_the_layers(read_in, monkeypatch):
    monkeypatch.setattr(piecework, "PREVIEW_MIN_UNITS", 40)
    work = make_piecework(read_in)
    assert work.is_preview_worth(CO_SMOOTHING)
    assert not work.is_preview_worth(intra_region("DG").resolve(SESSION))
    assert not work.is_preview_worth(inter_region("DG").resolve(SESSION))
    if read_in == "components":
        work.model.bypass_layers(prompt_index("neuron"))
        assert not work.is_preview_worth(CO_SMOOTHING)


def test_a_piece_holds_more_turns_where_they_do_not_go_through_the_layers():
    work = make_piecework("components")
    device = work.device
    before = passes.turns_per_piece(work.model, 800, CO_SMOOTHING, device)
    work.model.bypass_layers(prompt_index("neuron"))
    assert passes.turns_per_piece(work.model, 800, CO_SMOOTHING, device) > before


def test_a_pass_that_does_not_fit_into_memory_is_told():
    work = make_piecework()

    def full(_module, _inputs):
        msg = "CUDA out of memory"
        raise RuntimeError(msg)

    work.model.trunk.layers[0].register_forward_pre_hook(full)
    with pytest.raises(MemoryLimitError, match="does not suffice"):
        answer(work, CO_SMOOTHING)
