"""Experiments as JSON, and back: ``{"schema": "mtm-experiment", "version": 1, ...}``."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.evaluation.mask_scores import PredictorScore, SingleUnitScore
from mtm_core.experiment.compared_json import (
    change_from_dict,
    contrast_field,
    contrast_from_dict,
    model_from_dict,
    opponent_from_dict,
    opponent_to_dict,
)
from mtm_core.experiment.json_fields import Fields, refusal
from mtm_core.experiment.record import (
    CHOICES,
    Experiment,
    ModelRef,
    Numbers,
    SessionRef,
    TrialsRef,
    UnitNumbers,
)
from mtm_core.json_text import parse_json
from mtm_core.masking import mask_json
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.backend import Backend

SCHEMA = "mtm-experiment"
VERSION = 1
MAX_BYTES = 8_000_000
"""Longest text that is read."""
_MOST_TRIALS = 10_000_000
_MOST_PREDICTORS = 100
_MOST_COUNT = 2**53
_SPLITS = ("test", "val", "train", "all")
_FIELDS = (
    *("schema", "version", "title", "session", "model", "baseline", "mask", "trials", "view"),
    *("seed", "backend", "versions", "numbers", "opponent", "contrast"),
)
_NUMBERS = re.compile(r"\[\n([\d\s,.eE+-]+)\]")
_SCORES = ("bps_beyond_psth", "interval", "n_spikes")


def to_json(experiment: Experiment, *, indent: int | None = 1) -> str:
    """Return an experiment as JSON in plain ASCII, for `from_json`."""
    text = json.dumps(to_dict(experiment), indent=indent, allow_nan=False)
    # Rows of trials stand on one line: only between values does JSON hold a line end.
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)


def to_dict(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as plain dictionaries and lists."""
    mask, numbers = experiment.mask, experiment.numbers
    opponent = experiment.opponent
    # What is not compared is not written: versions that know no comparisons read the rest.
    compared: dict[str, Any] = {} if opponent is None else {"opponent": opponent_to_dict(opponent)}
    if experiment.contrast:
        compared["contrast"] = experiment.contrast
    return compared | {
        "schema": SCHEMA,
        "version": VERSION,
        "title": experiment.title,
        "session": dataclasses.asdict(experiment.session),
        "model": _plain(experiment.model),
        "baseline": _plain(experiment.baseline),
        "mask": None if mask is None else mask_json.to_dict(mask),
        "trials": dataclasses.asdict(experiment.trials),
        "view": dict(experiment.view),
        "seed": experiment.seed,
        "backend": dataclasses.asdict(experiment.backend),
        "versions": dict(experiment.versions),
        "numbers": {
            "choices": dict(CHOICES),
            "predictors": [dataclasses.asdict(score) for score in numbers.predictors],
            "unit": _unit_to_dict(numbers.unit),
            **{
                name: dataclasses.asdict(score)
                for name in ("change", "contrast")
                if (score := getattr(numbers, name)) is not None
            },
        },
    }


def from_json(text: str) -> Experiment:
    """Read an experiment.

    Raises
    ------
    ExperimentError
        If the text is not an experiment that this version knows; the text says what is wrong.
    """
    if len(text) > MAX_BYTES:
        raise refusal(f"its {len(text)} characters are more than the {MAX_BYTES} that may be")
    try:
        value = parse_json(text, may_hold_nan=False)
    except ValueError as error:
        what = "it holds no JSON"
        raise refusal(what) from error
    return from_dict(value)


def from_dict(value: object) -> Experiment:
    """Read an experiment from plain dictionaries and lists; see `from_json`."""
    _check_version(value)
    fields = Fields(value, "the file", _FIELDS)
    trials = Fields(fields.get("trials"), "trials", ("rows", "split", "kind"))
    split = trials.text("split", 20)
    if split not in _SPLITS:
        raise refusal(f"'split' of trials must be one of {', '.join(_SPLITS)}")
    return Experiment(
        session=_session(fields.get("session")),
        model=fields.optional("model", lambda v: model_from_dict(v, "model")),
        baseline=fields.optional("baseline", lambda v: model_from_dict(v, "baseline")),
        mask=fields.optional("mask", _mask),
        trials=TrialsRef(
            rows=trials.rows("rows", _MOST_TRIALS), split=split, kind=trials.text("kind", 200)
        ),
        view=fields.plain("view"),
        seed=fields.integer("seed", most=2**63),
        backend=_backend(fields.get("backend")),
        versions=fields.texts("versions"),
        numbers=_numbers(fields.get("numbers")),
        title=fields.text("title"),
        opponent=fields.optional("opponent", opponent_from_dict),
        contrast=contrast_field(fields.text("contrast", 100)),
    )


def _check_version(value: object) -> None:
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(value, dict) or schema != SCHEMA:
        raise refusal(f"its schema is not '{SCHEMA}'")
    version = value.get("version")
    if type(version) is not int or version != VERSION:
        raise refusal(
            f"it is of version {str(version)[:20]}, and this program knows version {VERSION}; "
            "use the program that made it, or a newer one"
        )


def _session(value: object) -> SessionRef:
    names = [field.name for field in dataclasses.fields(SessionRef)]
    fields = Fields(value, "session", names)
    return SessionRef(
        session_id=fields.text("session_id", 500),
        content_hash=fields.digest("content_hash"),
        path=fields.text("path"),
        source=fields.text("source"),
        is_simulated=fields.truth("is_simulated"),
    )


def _mask(value: object) -> MaskSpec:
    try:
        return mask_json.from_dict(value)
    except (MaskError, UnknownNameError) as error:
        raise refusal(f"its mask cannot be read ({str(error).rstrip('.')})") from error


def _backend(value: object) -> Backend:
    names = [field.name for field in dataclasses.fields(Backend)]
    fields = Fields(value, "backend", names)
    matmul, precision = fields.text("matmul", 20), fields.text("precision", 20)
    if matmul not in ("default", "onednn") or precision not in ("fp32", "bf16"):
        what = "backend names an unknown route of products or precision"
        raise refusal(what)
    fused = fields.optional("fused_from", lambda _: fields.integer("fused_from", most=2**62))
    return Backend(
        device=fields.text("device", 20),
        threads=fields.integer("threads", least=1, most=4096),
        matmul=matmul,  # type: ignore[arg-type]
        processor=fields.text("processor", 200),
        torch_version=fields.text("torch_version", 100),
        fused_from=fused,
        precision=precision,  # type: ignore[arg-type]
    )


def _numbers(value: object) -> Numbers:
    fields = Fields(value, "numbers", ("choices", "predictors", "unit", "change", "contrast"))
    scores = fields.several("predictors", _MOST_PREDICTORS)
    return Numbers(
        predictors=tuple(map(_predictor, scores)),
        unit=fields.optional("unit", _unit),
        change=fields.optional("change", change_from_dict),
        contrast=fields.optional("contrast", contrast_from_dict),
    )


def _predictor(value: object) -> PredictorScore:
    names = [field.name for field in dataclasses.fields(PredictorScore)]
    fields = Fields(value, "a predictor", names)
    return PredictorScore(
        name=fields.text("name", 200),
        bps_beyond_psth=fields.number("bps_beyond_psth"),
        interval=fields.interval("interval"),
        bps_pooled=fields.number("bps_pooled"),
        bps_unit_mean=fields.number("bps_unit_mean"),
        n_units=fields.integer("n_units", most=_MOST_COUNT),
        n_spikes=fields.integer("n_spikes", most=_MOST_COUNT),
    )


def _unit(value: object) -> UnitNumbers:
    fields = Fields(value, "the unit", ("unit_id", *_SCORES))
    score = SingleUnitScore(
        bps_beyond_psth=fields.number("bps_beyond_psth"),
        interval=fields.interval("interval"),
        n_spikes=fields.integer("n_spikes", most=_MOST_COUNT),
    )
    return UnitNumbers(unit_id=fields.text("unit_id", 500), score=score)


def _unit_to_dict(unit: UnitNumbers | None) -> dict[str, Any] | None:
    if unit is None:
        return None
    return {"unit_id": unit.unit_id, **dataclasses.asdict(unit.score)}


def _plain(model: ModelRef | None) -> dict[str, Any] | None:
    return None if model is None else dataclasses.asdict(model)
