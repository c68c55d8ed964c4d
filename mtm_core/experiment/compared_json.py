"""What an experiment compares, as JSON and back: the opponent, the change, the contrast."""

from __future__ import annotations

import dataclasses
from typing import Any

from mtm_core.errors import UnknownNameError
from mtm_core.evaluation.contrast import CONTRASTS, ContrastScore
from mtm_core.evaluation.opponents import MODEL, Opponent
from mtm_core.evaluation.paired_change import ChangeScore
from mtm_core.experiment.json_fields import Fields, refusal
from mtm_core.experiment.record import ModelRef, OpponentRef

_MOST_COUNT = 2**53
_LONGEST_NAME = 500
_CHANGE_COUNTS = ("n_units", "n_spikes", "n_trials", "n_judged", "n_above", "n_below")


def model_from_dict(value: object, where: str) -> ModelRef:
    """Read which checkpoint is meant."""
    fields = Fields(value, where, ("name", "digest", "path"))
    return ModelRef(
        name=fields.text("name", _LONGEST_NAME),
        digest=fields.digest("digest"),
        path=fields.text("path"),
    )


def opponent_to_dict(ref: OpponentRef) -> dict[str, Any]:
    """Return an opponent as plain values."""
    model = None if ref.model is None else dataclasses.asdict(ref.model)
    return dataclasses.asdict(ref.opponent) | {"model": model}


def opponent_from_dict(value: object) -> OpponentRef:
    """Read an opponent.

    Raises
    ------
    ExperimentError
        If it is none that is known here.
    """
    fields = Fields(value, "opponent", ("kind", "prompt", "model"))
    try:
        opponent = Opponent(kind=fields.text("kind", 100), prompt=fields.text("prompt", 100))
    except UnknownNameError as error:
        raise refusal(f"its opponent cannot be read ({str(error).rstrip('.')})") from error
    model = fields.optional("model", lambda v: model_from_dict(v, "the opponent's model"))
    if (model is None) == (opponent.kind == MODEL):
        what = f"its opponent of kind '{opponent.kind}' has a model too many or too few"
        raise refusal(what)
    return OpponentRef(opponent=opponent, model=model)


def contrast_field(word: str) -> str:
    """Check the field of a contrast; "" is none.

    Raises
    ------
    ExperimentError
        If it is none that is known here.
    """
    if word and word not in CONTRASTS:
        raise refusal(f"'contrast' must be one of {', '.join(CONTRASTS)}")
    return word


def change_from_dict(value: object) -> ChangeScore:
    """Read the numbers of a comparison."""
    names = [field.name for field in dataclasses.fields(ChangeScore)]
    fields = Fields(value, "the change", names)
    return ChangeScore(
        name=fields.text("name", _LONGEST_NAME),
        other=fields.text("other", _LONGEST_NAME),
        bps=fields.number("bps"),
        other_bps=fields.number("other_bps"),
        change=fields.number("change"),
        interval=fields.interval("interval"),
        **{name: fields.integer(name, most=_MOST_COUNT) for name in _CHANGE_COUNTS},
    )


def contrast_from_dict(value: object) -> ContrastScore:
    """Read the numbers of a contrast."""
    names = [field.name for field in dataclasses.fields(ContrastScore)]
    fields = Fields(value, "the contrast", names)
    conditions = [name for name in fields.several("names", 2) if isinstance(name, str)]
    if len(conditions) != 2:
        what = "'names' of the contrast must be two texts"
        raise refusal(what)
    return ContrastScore(
        field=contrast_field(fields.text("field", 100)),
        names=(conditions[0], conditions[1]),
        n_first=fields.integer("n_first", most=_MOST_COUNT),
        n_second=fields.integer("n_second", most=_MOST_COUNT),
        n_units=fields.integer("n_units", most=_MOST_COUNT),
        correlation=fields.number("correlation"),
        interval=fields.interval("interval"),
        ceiling=fields.number("ceiling") or 0.0,
        share=fields.number("share"),
    )
