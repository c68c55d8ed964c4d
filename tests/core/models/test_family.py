"""Models of several sessions over one trunk."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from mtm_core.config_model import Ndt1Config
from mtm_core.masking.masked_batch import MaskedBatch, mask_counts, prompt_index
from mtm_core.models.build import build_model
from mtm_core.models.family import Family, family_state, member_state
from mtm_core.models.session_part import SessionFacts

SMALL = Ndt1Config(width=8, layers=1, heads=2, mlp_width=8)
STITCHED = replace(SMALL, read_in="stitched", stitch_width=6, session_token=True)
N_UNITS = {"one": 5, "two": 5, "three": 9}
N_BINS = 4


def make_family(config: Ndt1Config = STITCHED) -> Family:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        facts = {name: SessionFacts(psth=torch.rand(N_BINS, n)) for name, n in N_UNITS.items()}
        family = Family(config, facts)
        for parameter in family.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)
    return family


def batch_of(name: str, session_id: str = "") -> MaskedBatch:
    counts = torch.ones(3, N_BINS, N_UNITS[name])
    nothing = torch.zeros_like(counts, dtype=torch.bool)
    prompt = torch.full((3,), prompt_index("neuron"))
    return mask_counts(counts, nothing, nothing, prompt, prompt < 0, session_id or name)


def test_sessions_of_as_many_units_have_layers_of_their_own() -> None:
    """Keyed by the session, not by its number of units."""
    family = make_family().eval()
    one, two = family.member("one"), family.member("two")
    assert one.trunk is two.trunk
    assert not {id(p) for p in one.part.parameters()} & {id(p) for p in two.part.parameters()}
    assert not torch.allclose(family(batch_of("one")), family(batch_of("two")))


def test_a_batch_goes_to_the_model_of_its_session() -> None:
    family = make_family().eval()
    batch = batch_of("three")
    assert torch.equal(family(batch), family.member("three")(batch))
    with pytest.raises(KeyError):
        family(batch_of("three", "unknown"))


def test_learning_one_session_moves_its_part_and_the_trunk_only() -> None:
    family = make_family()
    family(batch_of("one")).sum().backward()
    moved = {name.split(".")[0] for name, p in family.named_parameters() if p.grad is not None}
    assert moved == {"parts", "trunk"}
    assert all(p.grad is None for p in family.member("two").part.parameters())


def test_training_mode_reaches_the_members() -> None:
    family = make_family(replace(SMALL, unit_dropout=0.5))
    batch = batch_of("three")
    assert not torch.equal(family.train()(batch), family(batch))
    assert torch.equal(family.eval()(batch), family(batch))


def test_a_copy_is_whole_and_independent() -> None:
    family = make_family().eval()
    other = copy.deepcopy(family)
    assert other.member("one").trunk is other.trunk
    with torch.no_grad():
        other.trunk.position += torch.arange(8.0)
    assert not torch.allclose(family(batch_of("one")), other(batch_of("one")))


def test_the_state_of_one_member_makes_the_same_model() -> None:
    family = make_family().eval()
    facts = SessionFacts(psth=torch.zeros(N_BINS, N_UNITS["three"]))
    alone = build_model(STITCHED, facts).eval()
    state = member_state(family.state_dict(), "three")
    alone.load_state_dict(state)
    assert torch.equal(alone(batch_of("three")), family(batch_of("three")))
    again = family_state(alone, "three")
    assert again.keys() < family.state_dict().keys()
    assert member_state(again, "three").keys() == state.keys()


def test_a_family_needs_a_session() -> None:
    with pytest.raises(ValueError, match="at least one session"):
        Family(SMALL, {})
