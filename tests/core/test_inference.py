from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mtm_core.config import DataConfig, TrainConfig
from mtm_core.data.batch import collate
from mtm_core.data.conditions import Conditions, trial_conditions
from mtm_core.data.splits import split_trials
from mtm_core.data.units import unit_rate_hz
from mtm_core.errors import DataError, MaskError, MismatchError
from mtm_core.inference import (
    AnswerMemory,
    Reconstruction,
    Reconstructor,
    reconstruct,
    shuffle_donors,
)
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.masked_batch import mask_counts, prompt_index
from mtm_core.masking.spec import MaskSpec
from mtm_core.masking.tasks import co_smoothing, forward_prediction, inter_region, intra_region
from mtm_core.models import passes, piecework
from mtm_core.models.piecework import PREVIEW_FOLDS
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=40, n_bins=8, n_units=45)  # CA1, DG, VISp: 15 units each
CHECKPOINT = make_checkpoint(SESSION)
TRIALS = np.array([3, 1, 30, 7, 8, 9, 22, 21, 20, 4, 5])
SPECS: dict[str, MaskSpec] = {
    "inter-region": inter_region("CA1"),
    "intra-region": intra_region("DG"),
    "co-smoothing": co_smoothing(),
    "forward": forward_prediction(8),
    "units x bins": MaskSpec(blocks=(Block(UnitChoice.by_rule("depth_um > 900"), (2, 6)),)),
    "few in turn, others hidden": MaskSpec(
        blocks=(Block(UnitChoice.of_region("DG")), Block(bins=(7, 8))),
        scored=(Block(UnitChoice.these(SESSION.unit_id[[0, 1, 40]])),),
        one_at_a_time=True,
        prompt="causal",
    ),
}


def plain_pass(counts: torch.Tensor, is_hidden: np.ndarray, prompt: str) -> np.ndarray:
    """One forward pass over all trials, as anyone would write it."""
    index = torch.full((len(counts),), prompt_index(prompt))
    full = torch.tensor(is_hidden).expand(counts.shape)
    batch = mask_counts(counts, full, full, index, index == prompt_index("causal"))
    with torch.no_grad():
        out: np.ndarray = CHECKPOINT.model(batch).numpy()
    return out


def plain_answer(spec: MaskSpec, rows: np.ndarray) -> np.ndarray:
    """The answer without pieces, memory or shortcuts: one pass per unit where units take turns."""
    mask = spec.resolve(SESSION)
    counts = collate(SESSION, rows)
    out = plain_pass(counts, mask.is_hidden, mask.prompt)
    if mask.one_at_a_time:
        for unit in mask.scored_units:
            is_hidden = mask.is_hidden.copy()
            is_hidden[:, unit] = True
            out[..., unit] = plain_pass(counts, is_hidden, mask.prompt)[..., unit]
    return out


def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the work per piece so small that many pieces are needed."""
    monkeypatch.setattr(passes, "CPU_WORK", 1.0)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("first_piece", [1, 4, 100])
def test_pieces_add_up_to_plain_forward_passes(spec: MaskSpec, first_piece: int) -> None:
    steps = list(
        Reconstructor(CHECKPOINT, SESSION).reconstruct(spec, TRIALS, first_piece=first_piece)
    )
    assert steps[-1].is_final
    expected = plain_answer(spec, TRIALS)
    np.testing.assert_allclose(steps[-1].log_rate, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_smallest_pieces_give_the_same_answer(
    spec: MaskSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pieces(monkeypatch)
    steps = list(Reconstructor(CHECKPOINT, SESSION).reconstruct(spec, TRIALS))
    assert len(steps) > len(TRIALS) / 2
    expected = plain_answer(spec, TRIALS)
    np.testing.assert_allclose(steps[-1].log_rate, expected, rtol=1e-5, atol=1e-5)


def test_the_same_request_gives_the_same_bits() -> None:
    first, second = (
        Reconstructor(CHECKPOINT, SESSION).complete(co_smoothing(), TRIALS) for _ in range(2)
    )
    assert np.array_equal(first.log_rate, second.log_rate)


def test_partial_answers_grow_and_exact_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    small_pieces(monkeypatch)
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    for step in Reconstructor(CHECKPOINT, SESSION).reconstruct(inter_region("CA1"), TRIALS):
        for is_done, log_rate in seen:
            assert (step.is_done >= is_done).all()
            assert np.array_equal(step.log_rate[is_done], log_rate)
        seen.append((step.is_done, step.log_rate[step.is_done].copy()))
    assert [int(is_done.sum()) for is_done, _ in seen] == list(range(1, len(TRIALS) + 1))


def test_the_first_piece_is_small_and_later_ones_grow() -> None:
    rows = np.arange(40)
    steps = Reconstructor(CHECKPOINT, SESSION).reconstruct(inter_region("CA1"), rows)
    assert [step.n_done for step in steps] == [4, 12, 28, 40]


def test_an_answer_averages_over_the_trials_that_are_done() -> None:
    steps = Reconstructor(CHECKPOINT, SESSION).reconstruct(inter_region("CA1"), TRIALS)
    first = next(iter(steps))
    expected = np.exp(plain_answer(inter_region("CA1"), TRIALS[:4])) / 0.01
    assert not first.is_final
    assert first.rate_hz().shape == (4, 8, 45)
    np.testing.assert_allclose(first.rate_hz(), expected, rtol=1e-4)
    np.testing.assert_allclose(first.trial_average_hz(), expected.mean(axis=0), rtol=1e-4)


def test_an_answer_without_a_trial_has_no_average() -> None:
    done = Reconstructor(CHECKPOINT, SESSION).complete(inter_region("CA1"), TRIALS)
    nothing = replace(done, is_done=np.zeros(len(TRIALS), dtype=bool))
    with pytest.raises(DataError, match="No trial is done yet"):
        nothing.trial_average_hz()


def test_answers_are_read_only_and_the_inputs_stay_as_they_are() -> None:
    before, hashed = SESSION.counts.copy(), SESSION.content_hash
    weights = {k: v.clone() for k, v in CHECKPOINT.model.state_dict().items()}
    answer = Reconstructor(CHECKPOINT, SESSION).complete(intra_region("CA1"), TRIALS)
    with pytest.raises(ValueError, match="read-only"):
        answer.log_rate[0] = 0
    assert np.array_equal(SESSION.counts, before)
    assert SESSION.content_hash == hashed
    assert all(torch.equal(v, weights[k]) for k, v in CHECKPOINT.model.state_dict().items())
    assert torch.is_grad_enabled()


class CountingModel:
    """Counts the forward passes of the model while it is in place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_trials = 0
        for name in ("predict_masked", "predict_folds"):
            monkeypatch.setattr(passes, name, self._counted(getattr(passes, name)))
        in_turn = passes.units_in_turn
        monkeypatch.setattr(
            passes,
            "units_in_turn",
            lambda model, counts, mask: self._each(in_turn(model, counts, mask), counts),
        )

    def _each(self, in_turn, counts):
        def wrapper(units):
            self.n_trials += len(counts)
            return in_turn(units)

        return wrapper

    def _counted(self, function):
        def wrapper(model, counts, *more):
            self.n_trials += len(counts)
            return function(model, counts, *more)

        return wrapper


def test_a_known_answer_needs_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = Reconstructor(CHECKPOINT, SESSION)
    first = bound.complete(inter_region("CA1"), TRIALS)
    model = CountingModel(monkeypatch)
    [again] = bound.reconstruct(inter_region("CA1"), TRIALS)
    assert again.is_final
    assert model.n_trials == 0
    assert np.array_equal(again.log_rate, first.log_rate)


def test_known_trials_come_first_and_the_others_are_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound = Reconstructor(CHECKPOINT, SESSION)
    bound.complete(inter_region("CA1"), TRIALS[:5])
    model = CountingModel(monkeypatch)
    steps = list(bound.reconstruct(inter_region("CA1"), TRIALS[::-1]))
    assert steps[0].n_done == 5
    assert model.n_trials == len(TRIALS) - 5
    expected = plain_answer(inter_region("CA1"), TRIALS[::-1])
    np.testing.assert_allclose(steps[-1].log_rate, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "other",
    [
        inter_region("DG"),
        inter_region("CA1").with_prompt("neuron"),
        MaskSpec(blocks=inter_region("CA1").blocks, prompt="inter_region", one_at_a_time=True),
    ],
)
def test_another_mask_is_another_question(
    other: MaskSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = Reconstructor(CHECKPOINT, SESSION)
    bound.complete(inter_region("CA1"), TRIALS)
    model = CountingModel(monkeypatch)
    if other.one_at_a_time:
        other = replace(other, scored=other.blocks)
    bound.complete(other, TRIALS)
    assert model.n_trials >= len(TRIALS)


def test_memory_is_shared_between_bindings_of_equal_models_and_sessions_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = AnswerMemory()
    list(reconstruct(CHECKPOINT, SESSION, inter_region("CA1"), TRIALS, memory=memory))
    model = CountingModel(monkeypatch)
    list(
        reconstruct(make_checkpoint(SESSION), SESSION, inter_region("CA1"), TRIALS, memory=memory)
    )
    assert model.n_trials == 0
    other = make_checkpoint(SESSION, seed=1)
    list(reconstruct(other, SESSION, inter_region("CA1"), TRIALS, memory=memory))
    assert model.n_trials == len(TRIALS)
    counts = SESSION.counts.copy()
    counts[0, 0, 0] += 1
    session = replace(SESSION, counts=counts)
    list(reconstruct(CHECKPOINT, session, inter_region("CA1"), TRIALS, memory=memory))
    assert model.n_trials == 2 * len(TRIALS)


def test_memory_is_bounded_and_forgets_the_least_recently_used() -> None:
    answer = np.zeros((2, 3), dtype=np.float32)
    memory = AnswerMemory(max_bytes=3 * answer.nbytes)
    for trial in range(3):
        memory.remember("a", trial, trial, answer + trial)
    assert memory.recall("a", 0, 0) is not None
    memory.remember("a", 3, 3, answer)
    assert memory.recall("a", 1, 1) is None
    assert [memory.recall("a", trial, trial) is not None for trial in (0, 2, 3)] == [True] * 3
    assert memory.n_bytes == 3 * answer.nbytes
    memory.remember("a", 3, 3, answer)
    assert memory.n_bytes == 3 * answer.nbytes
    memory.remember("a", 9, 9, np.zeros((100, 100), dtype=np.float32))
    assert memory.recall("a", 9, 9) is None
    assert memory.recall("a", 3, 4) is None


def test_memory_keeps_its_own_copy() -> None:
    memory, answer = AnswerMemory(), np.zeros((2, 3), dtype=np.float32)
    memory.remember("a", 0, 0, answer)
    answer += 1
    known = memory.recall("a", 0, 0)
    assert known is not None
    assert (known == 0).all()


def test_stopping_ends_between_pieces_and_keeps_what_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_pieces(monkeypatch)
    bound = Reconstructor(CHECKPOINT, SESSION)
    steps: list[Reconstruction] = []
    for step in bound.reconstruct(
        inter_region("CA1"), TRIALS, should_stop=lambda: len(steps) >= 3
    ):
        steps.append(step)
    assert [step.n_done for step in steps] == [1, 2, 3]
    assert not steps[-1].is_final
    resumed = next(iter(bound.reconstruct(inter_region("CA1"), TRIALS)))
    assert resumed.n_done == 3


def test_stopping_takes_effect_between_chunks_of_units(monkeypatch: pytest.MonkeyPatch) -> None:
    small_pieces(monkeypatch)
    asked = iter([False, False, False, True])
    model = CountingModel(monkeypatch)
    bound = Reconstructor(CHECKPOINT, SESSION)
    steps = list(bound.reconstruct(co_smoothing(), TRIALS, should_stop=lambda: next(asked, True)))
    assert steps == []
    assert model.n_trials == 2  # two of the six chunks


@pytest.mark.parametrize("spec", [co_smoothing(), inter_region("CA1")], ids=["units", "whole"])
def test_a_device_without_room_answers_the_same_in_smaller_pieces(
    spec: MaskSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fake device has room for two sequences at once."""
    bound = Reconstructor(make_checkpoint(SESSION), SESSION, memory=AnswerMemory(max_bytes=0))
    layer, sizes = bound._piecework.model.trunk.layers[0], []

    def full(_, inputs):
        sizes.append(len(inputs[0]))
        if len(inputs[0]) > 2:
            msg = "CUDA out of memory. Tried to allocate 9 bytes"
            raise torch.OutOfMemoryError(msg)

    layer.register_forward_pre_hook(full)
    answer = bound.complete(spec, TRIALS)
    np.testing.assert_allclose(answer.log_rate, plain_answer(spec, TRIALS), rtol=1e-5, atol=1e-5)
    assert sizes.count(max(sizes)) == 1  # what did not fit was not tried twice


@pytest.mark.usefixtures("previews")
def test_a_preview_in_folds_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = Reconstructor(CHECKPOINT, SESSION)
    steps = list(bound.reconstruct(co_smoothing(), TRIALS, with_preview=True))
    assert [step.n_done for step in steps[: len(TRIALS)]] == list(range(1, len(TRIALS) + 1))
    assert not steps[len(TRIALS) - 1].is_exact.any()
    assert [step.is_final for step in steps].index(True) == len(steps) - 1
    np.testing.assert_allclose(
        steps[-1].log_rate, plain_answer(co_smoothing(), TRIALS), rtol=1e-5, atol=1e-5
    )
    model = CountingModel(monkeypatch)
    list(bound.reconstruct(co_smoothing(), TRIALS, with_preview=True))
    assert model.n_trials == 0


@pytest.fixture
def previews(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preview masks of few units too, a trial at a time."""
    small_pieces(monkeypatch)
    monkeypatch.setattr(piecework, "PREVIEW_MIN_UNITS", 40)


def test_folds_hide_every_unit_once() -> None:
    mask = co_smoothing().resolve(SESSION)
    counts = collate(SESSION, TRIALS)
    preview = passes.predict_folds(CHECKPOINT.model, counts, mask, PREVIEW_FOLDS).numpy()
    for fold in range(PREVIEW_FOLDS):
        is_hidden = np.zeros((8, 45), dtype=bool)
        is_hidden[:, fold::PREVIEW_FOLDS] = True
        expected = plain_pass(counts, is_hidden, "neuron")[..., fold::PREVIEW_FOLDS]
        np.testing.assert_allclose(preview[..., fold::PREVIEW_FOLDS], expected, atol=1e-5)


@pytest.mark.usefixtures("previews")
def test_a_preview_stops_too() -> None:
    steps: list[Reconstruction] = []
    bound = Reconstructor(CHECKPOINT, SESSION)
    for step in bound.reconstruct(
        co_smoothing(), TRIALS, with_preview=True, should_stop=lambda: len(steps) >= 1
    ):
        steps.append(step)
    assert len(steps) == 1


@pytest.mark.usefixtures("previews")
def test_masks_of_few_units_need_no_preview() -> None:
    bound = Reconstructor(CHECKPOINT, SESSION)
    for step in bound.reconstruct(intra_region("CA1"), TRIALS, with_preview=True):
        assert np.array_equal(step.is_done, step.is_exact)


def test_the_shuffle_control_shows_the_donors_activity_only() -> None:
    donors = np.roll(TRIALS, 1)
    bound = Reconstructor(CHECKPOINT, SESSION)
    shuffled = bound.complete(inter_region("CA1"), TRIALS, visible_from=donors)
    expected = plain_answer(inter_region("CA1"), donors)
    np.testing.assert_allclose(shuffled.log_rate, expected, rtol=1e-5, atol=1e-5)
    assert np.array_equal(shuffled.trials, TRIALS)
    own = bound.complete(inter_region("CA1"), TRIALS)
    assert not np.allclose(own.log_rate, shuffled.log_rate)


def test_donors_are_other_trials_of_the_same_condition() -> None:
    conditions = trial_conditions(SESSION)
    rows = np.arange(5, 35)
    donors = shuffle_donors(conditions, rows, np.random.default_rng(0))
    assert (donors != rows).all()
    assert np.isin(donors, rows).all()
    sizes = np.bincount(conditions.label[rows])
    is_alone = sizes[conditions.label[rows]] == 1
    assert (conditions.label[donors] == conditions.label[rows])[~is_alone].all()
    assert len(set(donors[~is_alone])) == (~is_alone).sum()
    again = shuffle_donors(conditions, rows, np.random.default_rng(0))
    assert np.array_equal(donors, again)


def test_a_trial_alone_or_without_condition_gets_any_other() -> None:
    conditions = Conditions(
        label=np.array([0, 0, 1, 0]),
        names=("a", "b"),
        is_valid=np.array([True, True, True, False]),
    )
    rows = np.arange(4)
    donors = shuffle_donors(conditions, rows, np.random.default_rng(0))
    assert donors[:2].tolist() == [1, 0]
    assert (donors != rows).all()


@pytest.mark.parametrize("rows", [[], [3], [3, 3], [1, 2, 1]])
def test_donors_need_other_trials(rows: list[int]) -> None:
    with pytest.raises(DataError, match="at least two trials, and no trial twice"):
        shuffle_donors(trial_conditions(SESSION), np.array(rows, int), np.random.default_rng(0))


def test_rules_look_at_rates_of_training_trials() -> None:
    bound = Reconstructor(CHECKPOINT, SESSION)
    train = np.flatnonzero(
        np.isin(SESSION.trials.values("trial_id"), CHECKPOINT.manifest.split["train"])
    )
    rates = unit_rate_hz(SESSION, train)
    np.testing.assert_allclose(bound.train_rate_hz(), rates)
    spec = MaskSpec(blocks=(Block(UnitChoice.by_rule(f"rate_hz > {np.median(rates):.6f}")),))
    assert np.array_equal(bound.resolve(spec).is_hidden[0], rates > round(np.median(rates), 6))


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        (MaskSpec(), "hides nothing"),
        (MaskSpec(blocks=(Block(),)), "hides everything"),
        (inter_region("CA2"), "no region 'CA2'. Did you mean 'CA1'?"),
        (MaskSpec(blocks=(Block(bins=(6, 9)),)), "reach behind the last of the 8 bins"),
    ],
)
def test_a_mask_that_cannot_be_is_refused_at_once(spec: MaskSpec, answer: str) -> None:
    with pytest.raises(MaskError) as caught:
        Reconstructor(CHECKPOINT, SESSION).reconstruct(spec, TRIALS)
    assert answer in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "donors", "answer"),
    [
        ([], None, "no trial to reconstruct"),
        ([40], None, "trials must be rows from 0 to 39"),
        ([-1], None, "trials must be rows from 0 to 39"),
        ([1, 2], [1], "2 trials need as many donors, not 1"),
        ([1], [99], "donors must be rows from 0 to 39"),
    ],
)
def test_trials_that_cannot_be_are_refused_at_once(
    rows: list[int], donors: list[int] | None, answer: str
) -> None:
    visible_from = None if donors is None else np.array(donors)
    with pytest.raises(DataError, match=answer):
        Reconstructor(CHECKPOINT, SESSION).reconstruct(
            inter_region("CA1"), np.array(rows, dtype=int), visible_from=visible_from
        )


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        (make_session(n_bins=9, n_units=45), "trials of 8 bins, and this session has 9 bins"),
        (make_session(n_bins=8, n_units=45, bin_size_s=0.02), "bins of 10 ms"),
        (make_session(n_bins=8, n_units=45, seed=1), "None of the checkpoint's 45 units"),
        (SESSION.take_units(np.arange(40)), "5 of the checkpoint's 45 units are not in"),
    ],
)
def test_a_session_that_does_not_belong_is_refused(other, answer: str) -> None:
    with pytest.raises(MismatchError, match=answer):
        Reconstructor(CHECKPOINT, other)


def test_units_are_found_by_id_in_any_order() -> None:
    order = np.random.default_rng(0).permutation(45)
    bound = Reconstructor(CHECKPOINT, SESSION.take_units(order))
    answer = bound.complete(intra_region("DG"), TRIALS)
    assert np.array_equal(bound.session.unit_id, SESSION.unit_id)
    expected = plain_answer(intra_region("DG"), TRIALS)
    np.testing.assert_allclose(answer.log_rate, expected, rtol=1e-5, atol=1e-5)


def test_missing_units_are_hidden_and_not_scored() -> None:
    kept = np.setdiff1d(np.arange(45), [0, 1, 20])
    bound = Reconstructor(CHECKPOINT, SESSION.take_units(kept), allow_overlap=True)
    assert np.flatnonzero(bound.is_missing).tolist() == [0, 1, 20]
    answer = bound.complete(inter_region("CA1"), TRIALS)
    is_hidden = SESSION.region == "CA1"
    is_hidden[20] = True
    assert np.array_equal(answer.mask.is_hidden[0], is_hidden)
    assert answer.mask.scored_units.tolist() == list(range(2, 15))
    expected = plain_pass(collate(SESSION, TRIALS), np.tile(is_hidden, (8, 1)), "inter_region")
    np.testing.assert_allclose(answer.log_rate, expected, rtol=1e-5, atol=1e-5)


def test_a_rule_on_rates_works_in_another_session_that_shares_units() -> None:
    other = replace(SESSION.take_units(np.arange(5, 45)), session_id="of-another-day")
    rates = unit_rate_hz(other, split_trials(other, DataConfig()).train)
    middle = float(np.median(rates))
    spec = MaskSpec(blocks=(Block(UnitChoice.by_rule(f"rate_hz > {middle!r}")),))
    bound = Reconstructor(CHECKPOINT, other, allow_overlap=True)
    mask = bound.complete(spec, TRIALS).mask
    assert np.array_equal(mask.is_hidden[0], np.r_[np.ones(5, dtype=bool), rates > middle])
    assert mask.scored_units.tolist() == (5 + np.flatnonzero(rates > middle)).tolist()


@pytest.mark.parametrize("kept", [np.arange(15, 45), np.arange(15)])
def test_an_overlap_that_leaves_nothing_to_score_or_to_read_is_refused(kept: np.ndarray) -> None:
    bound = Reconstructor(CHECKPOINT, SESSION.take_units(kept), allow_overlap=True)
    with pytest.raises(MaskError, match="the session lacks too many"):
        bound.resolve(inter_region("CA1"))


def test_bins_are_joined_as_in_training() -> None:
    fine = make_session(n_trials=40, n_bins=16, n_units=45, bin_size_s=0.005)
    config = TrainConfig(model=SMALL_MODEL, data=DataConfig(bin_factor=2))
    coarse = Reconstructor(make_checkpoint(SESSION, config), fine).session
    assert coarse.n_bins == 8
    assert coarse.bin_size_s == pytest.approx(0.01)


def test_pieces_are_bounded_by_the_size_of_the_model_not_by_a_clock() -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    small = make_checkpoint(SESSION).model
    large = make_checkpoint(
        SESSION, TrainConfig(model=replace(SMALL_MODEL, width=256, mlp_width=2048, layers=4))
    ).model
    assert passes.trials_per_piece(small, 8, cpu) == passes.MAX_PIECE
    assert passes.trials_per_piece(large, 100, cpu) == 1
    assert passes.trials_per_piece(large, 100, gpu) > 1
    mask = co_smoothing().resolve(SESSION)
    assert passes.turns_per_piece(large, 100, mask, cpu) == 8
    assert passes.turns_per_piece(small, 100, mask, cpu) > 8


def test_computing_elsewhere_leaves_the_checkpoint_where_it_was() -> None:
    bound = Reconstructor(CHECKPOINT, SESSION, device="meta")
    assert next(CHECKPOINT.model.parameters()).device.type == "cpu"
    assert bound.checkpoint is CHECKPOINT


@pytest.mark.gpu
def test_a_gpu_gives_the_same_answer() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    there = Reconstructor(CHECKPOINT, SESSION, device="cuda").complete(co_smoothing(), TRIALS)
    expected = plain_answer(co_smoothing(), TRIALS)
    np.testing.assert_allclose(there.log_rate, expected, rtol=1e-4, atol=1e-4)
