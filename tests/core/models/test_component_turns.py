from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtm_core.masking.masked_batch import prompt_index
from mtm_core.models import component_turns
from mtm_core.models.ndt1 import Ndt1
from tests.core.models.test_ndt1 import N_BINS, N_UNITS, VARIANTS, hide, make_counts, make_model
from tests.core.models.turns import PassCounter, plain_loop

UNITS = [0, 2, 5, 9]


def make_components(prompt: str, *, bypassed: bool, copies: int = 2) -> Ndt1:
    config = replace(VARIANTS["components"], unit_history=True, component_copies=copies)
    model = make_model(config).eval()
    if bypassed:
        model.bypass_layers(prompt_index(prompt))
    return model


def some_hidden() -> torch.Tensor:
    is_hidden = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool)
    is_hidden[:, 7:] = True
    is_hidden[6:, 2] = True
    return is_hidden


@pytest.mark.parametrize("copies", [2, 3])
@pytest.mark.parametrize("at_once", [1, 64])
@pytest.mark.parametrize("bypassed", [True, False], ids=["scores alone", "with layers"])
@pytest.mark.parametrize("prompt", ["neuron", "causal"])
def test_the_closed_form_is_the_plain_loop(
    prompt: str, bypassed: bool, at_once: int, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component_turns, "UNITS_AT_ONCE", at_once)
    model, counts = make_components(prompt, bypassed=bypassed, copies=copies), make_counts()
    found = model.in_turn(counts, some_hidden(), prompt_index(prompt))(torch.tensor(UNITS))
    expected = plain_loop(model, counts, some_hidden(), UNITS, prompt)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_used", [1, 2, 4])
def test_kernels_that_no_component_uses_do_not_matter(n_used: int) -> None:
    model, counts = make_components("neuron", bypassed=True), make_counts()
    index = prompt_index("neuron")
    with torch.no_grad():
        model.part.read_in.mix[index, n_used:] = 0
        model.part.read_in.mix[index, :n_used] = 0.3
    found = model.in_turn(counts, some_hidden(), index)(torch.tensor(UNITS))
    expected = plain_loop(model, counts, some_hidden(), UNITS, "neuron")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_layers_that_add_nothing_do_not_run() -> None:
    model, counts = make_components("neuron", bypassed=True), make_counts()
    batch = hide(counts, some_hidden(), "neuron")
    expected = model(batch).detach()
    counter = PassCounter(model)
    model.in_turn(counts, some_hidden(), prompt_index("neuron"))(torch.tensor(UNITS))
    with torch.no_grad():
        assert torch.equal(model(batch), expected)
    assert counter.n == 0
    model(batch)  # with gradients: the gain is still learnt
    assert counter.n == len(counts)
    with torch.no_grad():
        model(hide(counts, some_hidden(), "causal"))  # another prompt has its own gain
    assert counter.n == 2 * len(counts)


def test_turns_are_less_work_where_layers_add_nothing() -> None:
    model, index = make_components("neuron", bypassed=True), prompt_index("neuron")
    assert model.turn_work(N_BINS, index) < model.turn_work(N_BINS, prompt_index("causal"))
