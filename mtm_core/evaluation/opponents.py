"""What a model is compared with on the same mask and trials, and what that predicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mtm_core.data.session import Session
from mtm_core.errors import MismatchError, UnknownNameError
from mtm_core.evaluation.mask_answers import Rows, in_units_of, kind_words, mask_for
from mtm_core.inference import Reconstructor
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import AnswerMemory, Reconstruction
from mtm_core.models.baselines_masked import BASELINES, FoldedBaselines, MaskedBaselines
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.models.manifest import Manifest
from mtm_core.models.piecework import ShouldStop

MODEL, PROMPT = "model", "prompt"
KINDS = (MODEL, PROMPT, *BASELINES)
"""What can be compared with: another model, the same one under another prompt, baselines."""


@dataclass(frozen=True, kw_only=True)
class Opponent:
    """What a model is compared with.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    prompt : str
        For the kind ``prompt``: what the model is told in place of the mask's own prompt;
        ``none`` tells it nothing.

    Raises
    ------
    UnknownNameError
        If there is no such kind or prompt.
    """

    kind: str
    prompt: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError("opponent", self.kind, KINDS)
        if self.kind == PROMPT and self.prompt not in PROMPTS:
            raise UnknownNameError("prompt", self.prompt, PROMPTS)

    @property
    def is_baseline(self) -> bool:
        """Whether it is one of the classical baselines."""
        return self.kind in BASELINES


def opponent_name(opponent: Opponent, model_name: str) -> str:
    """Say in a few words what is compared with.

    Parameters
    ----------
    opponent : Opponent
        What it is.
    model_name : str
        Of the opponent's model: another one, or the same.

    Examples
    --------
    >>> opponent_name(Opponent(kind="prompt", prompt="none"), "MtM (demo)")
    'MtM (demo) without prompt'
    >>> opponent_name(Opponent(kind="drift"), "")
    'Drift'
    """
    if opponent.is_baseline:
        return BASELINES[opponent.kind]
    if opponent.kind == MODEL:
        return model_name
    words = opponent.prompt.replace("_", "-")
    return f"{model_name} {'without prompt' if opponent.prompt == 'none' else f'told {words}'}"


def short_name(checkpoint: Checkpoint) -> str:
    """Say what a model is and where it came from, for example ``"MtM (demo)"``."""
    path = checkpoint.path
    kind = kind_words(checkpoint.manifest.config.masking.schemes)
    return f"{kind} ({path.parent.name if path.stem == 'model' else path.stem})"


def rival_of(
    opponent: Opponent,
    checkpoint: Checkpoint,
    recording: Session,
    *,
    device: str | None = None,
    memory: AnswerMemory | None = None,
) -> Reconstructor:
    """Bind the opponent's model to a recording.

    Parameters
    ----------
    opponent : Opponent
        Of the kind ``model`` or ``prompt``.
    checkpoint : Checkpoint
        The opponent's: another, or the same.
    recording : Session
        As it was read.
    device, memory
        See `Reconstructor`.
    """
    return Reconstructor(
        checkpoint,
        recording,
        allow_overlap=True,
        device=device,
        memory=memory,
        prompt=opponent.prompt if opponent.kind == PROMPT else None,
    )


def check_comparable(own: Manifest, other: Manifest) -> None:
    """Refuse models of other units or of another split.

    Raises
    ------
    MismatchError
        If one was trained on what the other is judged by, or knows other units.
    """
    if own.session_id != other.session_id or set(own.unit_id) != set(other.unit_id):
        msg = (
            "The two models do not know the same units, so that they cannot be compared on one "
            "mask. Compare models of the same session and preparation."
        )
        raise MismatchError(msg)
    if (own.n_bins, own.bin_size_s) != (other.n_bins, other.bin_size_s):
        msg = (
            f"The two models have other bins: {own.n_bins} of {1000 * own.bin_size_s:g} ms and "
            f"{other.n_bins} of {1000 * other.bin_size_s:g} ms. Train both with the same bins."
        )
        raise MismatchError(msg)
    if set(own.split["test"]) != set(other.split["test"]):
        msg = (
            "The two models do not share their test trials: one has learnt from trials that the "
            "other is judged by. Train both with the same division of trials."
        )
        raise MismatchError(msg)


@dataclass(frozen=True, eq=False, kw_only=True)
class Contender:
    """An opponent that is ready to answer.

    Parameters
    ----------
    opponent : Opponent
        What it is.
    own : Reconstructor
        The model that it is compared with: its session is the one that is scored.
    bound : Reconstructor or None
        The opponent's model, see `rival_of`; None for a baseline.
    baselines : MaskedBaselines or FoldedBaselines or None
        For a baseline.
    """

    opponent: Opponent
    own: Reconstructor
    bound: Reconstructor | None = None
    baselines: MaskedBaselines | FoldedBaselines | None = None

    def answers(
        self,
        spec: MaskSpec,
        trials: Rows,
        *,
        with_preview: bool = False,
        should_stop: ShouldStop | None = None,
    ) -> Iterator[Reconstruction]:
        """Yield growing answers, with units in the order of the model's session.

        Parameters
        ----------
        spec : MaskSpec
            The mask, with the prompt that the model on screen is given.
        trials : ndarray of int64
            Rows of the session.
        with_preview, should_stop
            See `Reconstructor.reconstruct`.

        Raises
        ------
        MaskError
            If the opponent cannot predict under this mask.
        """
        if self.bound is None:
            yield from self._baseline(spec, trials, should_stop)
            return
        schemes = self.bound.checkpoint.manifest.config.masking.schemes
        for answer in self.bound.reconstruct(
            mask_for(schemes, spec), trials, with_preview=with_preview, should_stop=should_stop
        ):
            yield in_units_of(answer, self.bound.session, self.own.session)

    def _baseline(
        self, spec: MaskSpec, trials: Rows, should_stop: ShouldStop | None
    ) -> Iterator[Reconstruction]:
        if self.baselines is None:
            msg = "a baseline needs the recording"
            raise ValueError(msg)
        schemes = self.own.checkpoint.manifest.config.masking.schemes
        mask = self.own.resolve(mask_for(schemes, spec))
        stop = should_stop or (lambda: False)
        log_rate = self.baselines.predict(self.opponent.kind, mask, trials, stop)
        if log_rate is not None:
            done = np.ones(len(trials), dtype=bool)
            yield Reconstruction(
                trials=trials,
                log_rate=log_rate,
                is_done=done,
                is_exact=done,
                mask=mask,
                bin_size_s=self.own.session.bin_size_s,
            )
