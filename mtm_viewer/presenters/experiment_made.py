"""What is on screen, as an experiment; its numbers as a table, its caption in words."""

from __future__ import annotations

import dataclasses

from mtm_core.evaluation.mask_scores import PredictorScore, unit_score
from mtm_core.evaluation.opponents import MODEL
from mtm_core.experiment.caption import caption, compared_lines
from mtm_core.experiment.comparison import Comparison
from mtm_core.experiment.making import Doing, make_experiment
from mtm_core.experiment.record import CHOICES, Experiment, Numbers, TrialsRef, UnitNumbers
from mtm_viewer.presenters.experiment_view import View, view_to_dict
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.scores import ScoreLine
from mtm_viewer.presenters.workspace import Workspace

_COLUMNS = (
    *("prediction", "bps_beyond_psth", "interval_low", "interval_high"),
    *("bps_pooled", "bps_unit_mean", "n_units", "n_spikes"),
)


def experiment_of(
    workspace: Workspace, picture: Picture | None, view: View, *, title: str, device: str
) -> Experiment:
    """Write down what is on screen.

    Parameters
    ----------
    workspace : Workspace
        Session, models, and the trials that are shown.
    picture : Picture or None
        What came out; None while it is still being computed.
    view : View
        The mask, and how things are shown.
    title : str
        What is hidden, in words.
    device : str
        Where it was computed.
    """
    compare = view.compare
    rival = compare.model_in(workspace) if compare.key.startswith(f"{MODEL}:") else None
    models = (workspace.model, workspace.baseline)
    own, baseline = (None if model is None else model.checkpoint for model in models)
    names = ["" if model is None else model.name for model in models]
    rows = tuple(int(row) for row in workspace.test)
    return make_experiment(
        Doing(
            recording=workspace.recording,
            path=workspace.path,
            source="" if workspace.opened is None else workspace.opened.source,
            model=own,
            baseline=baseline,
            names=(names[0], names[1]),
            mask=view.mask.spec,
            trials=TrialsRef(rows=rows, split=view.trials.split, kind=workspace.trial_kind),
            numbers=Numbers() if picture is None else shown_numbers(picture, view.unit_id),
            title=title[:1].upper() + title[1:],
            view=view_to_dict(view),
            device=device,
            backend=None if picture is None else picture.backend,
            opponent=compare.opponent,
            rival=None if rival is None else (rival.checkpoint, rival.name),
            contrast=compare.contrast,
        )
    )


def shown_numbers(picture: Picture, unit_id: str) -> Numbers:
    """Return the numbers of the score panel, and those of the selected unit."""
    compared = picture.compared
    change = None if compared is None else compared.change
    return Numbers(
        predictors=tuple(map(_score, picture.lines)),
        unit=_unit_numbers(picture, unit_id),
        change=None if change is None else change.score,
        contrast=None if compared is None else compared.contrast,
    )


def caption_of(experiment: Experiment, workspace: Workspace) -> str:
    """Write a caption for a figure of what is on screen."""
    return caption(experiment, workspace.session)


def choices_of(experiment: Experiment) -> tuple[tuple[str, str], ...]:
    """Say what numbers on screen depend on: what, and how it was chosen."""
    session, model = experiment.session, experiment.model
    simulated = " (simulated)" if session.is_simulated else ""
    return (
        ("mask", experiment.title),
        ("session", f"{session.session_id}{simulated}"),
        ("scored trials", f"{len(experiment.trials.rows)} {experiment.trials.kind}"),
        ("model", "none" if model is None else f"{model.name}, {model.digest}"),
        *CHOICES.items(),
    )


def numbers_table(experiment: Experiment) -> str:
    """Write all numbers, to the last digit, as a table for a spreadsheet."""
    lines = [
        *(f"# {what}: {choice}" for what, choice in choices_of(experiment)),
        "\t".join(_COLUMNS),
    ]
    lines += [_row(score) for score in experiment.numbers.predictors]
    if experiment.numbers.unit is not None:
        unit_id, score = experiment.numbers.unit.unit_id, experiment.numbers.unit.score
        low, high = score.interval or (None, None)
        name = f"unit {unit_id}"
        values = (score.bps_beyond_psth, low, high, None, None, 1, score.n_spikes)
        lines.append("\t".join([name, *map(_cell, values)]))
    lines += [f"# {line}" for line in compared_lines(experiment.numbers)]
    return "\n".join(lines) + "\n"


def difference_words(pairs: list[Comparison], tolerance: float) -> str:
    """Say which numbers on screen are not those that were saved; "" if all are."""
    wrong = [pair for pair in pairs if not pair.is_within(tolerance)]
    if not wrong:
        return ""
    shown = "; ".join(
        f"{pair.who}, {pair.what}: saved {_number(pair.saved)}, now {_number(pair.replayed)}"
        for pair in wrong[:3]
    )
    more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return f"{len(wrong)} of {len(pairs)} numbers are not those that were saved. {shown}{more}."


def _score(line: ScoreLine) -> PredictorScore:
    names = [each.name for each in dataclasses.fields(PredictorScore)]
    return PredictorScore(**{name: getattr(line, name) for name in names})


def _unit_numbers(picture: Picture, unit_id: str) -> UnitNumbers | None:
    columns = (picture.workspace.session.unit_id == unit_id).nonzero()[0]
    if picture.gains is None or not len(columns):
        return None
    score = unit_score(picture.gains, int(columns[0]))
    return None if score is None else UnitNumbers(unit_id=unit_id, score=score)


def _row(score: PredictorScore) -> str:
    low, high = score.interval or (None, None)
    values = (score.bps_beyond_psth, low, high, score.bps_pooled, score.bps_unit_mean)
    return "\t".join([score.name, *map(_cell, (*values, score.n_units, score.n_spikes))])


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"
