"""Scoring during training: the same masks every time, hidden entries only."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Iterator, Sequence

import torch
from torch import Tensor

from mtm_core.errors import MemoryLimitError
from mtm_core.masking.masked_batch import MaskedBatch, prompt_index, scheme_prompt
from mtm_core.masking.mixture import MaskSampler
from mtm_core.models.family import Family
from mtm_core.models.smaller_pieces import is_out_of_memory
from mtm_core.models.spike_model import SpikeModel
from mtm_core.training.distributed import Team

SMALLEST_MEAN = 1e-5
"""Null rate (spikes per bin) of a unit that is silent in training; the model's floor too."""


class FixedValidation:
    """Pooled bits per spike over the training-mean rate, per scheme.

    Parameters
    ----------
    sampler : MaskSampler
        Draws the masks, once.
    counts : Tensor or callable
        Counts of the validation trials, shape (n_trials, n_bins, n_units), uint8 or float32; or
        what returns them whenever a model is scored, so that those of many sessions need not be
        kept.
    mean_count : Tensor, shape (n_units,)
        Mean count per bin over the training trials.
    seed : int
        Seed of the masks.
    batch_size : int
        Trials of a forward pass.
    """

    def __init__(
        self,
        sampler: MaskSampler,
        counts: Tensor | Callable[[], Tensor],
        mean_count: Tensor,
        seed: int,
        batch_size: int,
    ) -> None:
        self._sampler, self._counts, self._seed = sampler, counts, seed
        self._batch_size = batch_size
        null_log_rate = mean_count.clamp(min=SMALLEST_MEAN).log()
        self._null: dict[str, float] = {}
        self._n_spikes: dict[str, float] = {}
        for name, batch in self._batches():
            self._null[name] = _log_likelihood(null_log_rate.expand_as(batch.targets), batch)
            spikes = (batch.targets * batch.is_scored).sum(dim=(1, 2))
            self._n_spikes[name] = float(spikes.cpu().double().sum())

    @property
    def scheme_names(self) -> tuple[str, ...]:
        """The schemes that are scored."""
        return tuple(self._null)

    def _batches(self) -> Iterator[tuple[str, MaskedBatch]]:
        """Hide the same entries as every time; masks of many sessions need not be kept."""
        counts = self._counts if isinstance(self._counts, Tensor) else self._counts()
        masked = self._sampler.fixed_masks(counts.float(), self._seed)
        yield from ((str(name), batch) for name, batch in masked.items())

    @torch.no_grad()
    def score(
        self, model: SpikeModel | Family, schemes: Collection[str] | None = None
    ) -> dict[str, float]:
        """Return bits per spike of each scheme; a model in training mode is left so.

        A scheme whose scored entries hold no spike scores 0.

        Parameters
        ----------
        model : SpikeModel or Family
            The model.
        schemes : collection of str or None
            Score these only; None means all.
        """
        was_training = model.training
        model.eval()
        scores = {}
        for name, batch in self._batches():
            if schemes is not None and name not in schemes:
                continue
            total = self._score(model, batch)
            spikes = self._n_spikes[name]
            gain = (total - self._null[name]) / math.log(2)
            scores[name] = gain / spikes if spikes else 0.0
        model.train(was_training)
        return scores

    def _score(self, model: SpikeModel | Family, batch: MaskedBatch) -> float:
        """Sum the log-likelihood; without enough memory, in smaller passes from now on."""
        while True:
            try:
                parts = _parts(batch, self._batch_size)
                return sum(_log_likelihood(model(part), part) for part in parts)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            if self._batch_size == 1:
                msg = (
                    "The device has not enough memory to score one trial at a time. Choose a "
                    "smaller model, or --run.device cpu."
                )
                raise MemoryLimitError(msg)
            self._batch_size = -(-self._batch_size // 2)


class JointValidation:
    """The mean over sessions of each one's fixed validation.

    Parameters
    ----------
    sessions : sequence of FixedValidation
        One for each session.
    team : Team or None
        Processes that share the sessions among them; None for one alone.
    """

    def __init__(self, sessions: Sequence[FixedValidation], team: Team | None = None) -> None:
        self._sessions = tuple(sessions)
        self._team = team or Team()

    def score(
        self, model: SpikeModel | Family, schemes: Collection[str] | None = None
    ) -> dict[str, float]:
        """Return bits per spike of each scheme, or of some; every session counts alike."""
        found = self._scores_of_sessions(model, schemes)
        wanted = [name for name in found[0] if schemes is None or name in schemes]
        return {name: sum(scores[name] for scores in found) / len(found) for name in wanted}

    def _scores_of_sessions(
        self, model: SpikeModel | Family, schemes: Collection[str] | None
    ) -> list[dict[str, float]]:
        team = self._team
        if team.size == 1:
            return [validation.score(model, schemes) for validation in self._sessions]
        names = self._sessions[0].scheme_names
        table = torch.zeros(len(self._sessions), len(names), dtype=torch.float64)
        for place in range(team.rank, len(self._sessions), team.size):
            scores = self._sessions[place].score(model)
            table[place] = torch.tensor([scores[name] for name in names], dtype=torch.float64)
        return [dict(zip(names, row, strict=True)) for row in team.add_up(table).tolist()]


def keep_what_helps(
    family: Family, validation: JointValidation
) -> tuple[Family, dict[str, float]]:
    """Bypass the layers under each prompt that predicts validation trials better without them.

    Parameters
    ----------
    family : Family
        Left as it is.
    validation : JointValidation
        The judge.

    Returns
    -------
    family : Family
        A copy, or `family` itself where its architecture has nothing to bypass.
    scores : dict of str to float
        Its bits per spike per scheme.
    """
    scores = validation.score(family)
    if len(family.session_ids) > 1 or not family.member().can_bypass:
        return family, scores
    bare, kept = copy.deepcopy(family), copy.deepcopy(family)
    is_told = getattr(family.member().config, "prompt", "none") != "none"
    by_prompt: dict[str, list[str]] = {}  # schemes that share a prompt share the decision
    for name in scores:
        prompt = scheme_prompt(name) if is_told else "none"
        by_prompt.setdefault(prompt, []).append(name)
        bare.member().bypass_layers(prompt_index(prompt))
    without = validation.score(bare)
    for prompt, names in by_prompt.items():
        if sum(without[name] - scores[name] for name in names) > 0:
            kept.member().bypass_layers(prompt_index(prompt))
            scores |= {name: without[name] for name in names}
    return kept, scores


def _parts(batch: MaskedBatch, size: int) -> Iterator[MaskedBatch]:
    for start in range(0, len(batch.inputs), size):
        yield batch.take_trials(slice(start, start + size))


def _log_likelihood(log_rate: Tensor, batch: MaskedBatch) -> float:
    """Sum the Poisson log-likelihood of scored entries, without the term of the counts alone."""
    terms = (batch.targets * log_rate - log_rate.exp()) * batch.is_scored
    # Not every device has float64: sum trials there, and the trials here.
    return float(terms.sum(dim=(1, 2)).cpu().double().sum())
