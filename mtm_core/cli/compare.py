"""Compare a model with another, with itself untold, or with a baseline: same mask, same trials.

Examples
--------
  mtm-core compare demo steinmetz2019_s12 --task inter_region --region MD --with demo-temporal
  mtm-core compare RUN S.h5 --hide 'region == "CA1"' --with no-prompt
  mtm-core compare RUN S.h5 --task co_smoothing --with poisson_regression --csv units.csv
  mtm-core compare RUN S.h5 --hide 'region == "CA1"' --contrast choice --out CA1.mtm.json

--with takes a checkpoint, a run folder, demo, no-prompt, prompt:NAME, or a baseline:
poisson_regression, psth_condition, psth, drift, mean_rate. --contrast asks which difference
between two conditions (choice, contrast_side, feedback, block) the reconstruction keeps.
Intervals are over samples of trials: units of a recording are no independent samples. What --out
or --figure writes opens in mtm-viewer, and 'mtm-core replay' computes it anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.bound_model import add_bound_arguments, choose_trials
from mtm_core.cli.computing import chosen_backend
from mtm_core.cli.mask_arguments import add_mask_arguments, choose_mask

if TYPE_CHECKING:
    from mtm_core.evaluation.opponents import Opponent
    from mtm_core.experiment.computation import Bound, Outcome
    from mtm_core.experiment.of_comparison import ComparisonRequest
    from mtm_core.experiment.record import Experiment
    from mtm_core.models.backend import Backend

CONTRASTS = ("choice", "contrast_side", "feedback", "block")
WITHOUT_PROMPT, PROMPT = "no-prompt", "prompt:"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core compare`."""
    add_bound_arguments(parser)
    add_mask_arguments(parser)
    parser.add_argument("--with", dest="rival", metavar="WHAT", help="what to compare with")
    parser.add_argument(
        "--contrast", choices=CONTRASTS, default="", help="two conditions to compare as well"
    )
    parser.add_argument(
        "--json", type=Path, metavar="OUT.json", help="write all numbers there ('-': stdout)"
    )
    parser.add_argument("--csv", type=Path, metavar="UNITS.csv", help="write each unit's change")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.mtm.json", help="write the experiment there"
    )
    parser.add_argument(
        "--figure", type=Path, metavar="F.png|svg|pdf", help="draw true, model, opponent there"
    )


def run(args: argparse.Namespace) -> int:
    """Compare; print sentences and a table of regions, write files."""
    from mtm_core.cli import output
    from mtm_core.cli.evaluate import STDOUT
    from mtm_core.experiment.of_comparison import bind_comparison, run_comparison
    from mtm_core.models.backend import use_backend

    _check(args)
    backend = chosen_backend(args)
    with use_backend(backend):
        bound = bind_comparison(_request(args, backend))
        with output.progress(bound.n_answers, "Comparing", "trial") as bar:
            experiment, outcome = run_comparison(bound, bar.update)
    _write(args, bound, experiment, outcome)
    if args.json != STDOUT:
        _report(args, bound, experiment, outcome)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse before anything is read what could not be written, or compares nothing."""
    from mtm_core.cli.evaluate import check_writable
    from mtm_core.errors import ConfigError
    from mtm_core.figures.picture_file import check_path

    if args.rival is None and not args.contrast:
        msg = (
            "Compare with what? Give --with CKPT, no-prompt, prompt:NAME or a baseline such as "
            "poisson_regression; or two conditions with --contrast choice."
        )
        raise ConfigError(msg)
    for path in (args.json, args.csv, args.out):
        check_writable(path)
    if args.csv is not None and args.rival is None:
        msg = "--csv writes each unit's change and needs --with."
        raise ConfigError(msg)
    if args.figure is not None:
        check_path(args.figure)


def _request(args: argparse.Namespace, backend: Backend) -> ComparisonRequest:
    """Read what was named."""
    from mtm_core.cli.bound_model import find_model
    from mtm_core.cli.info import find
    from mtm_core.data.session_file import read_session
    from mtm_core.errors import ConfigError
    from mtm_core.evaluation.contrast import available_contrasts
    from mtm_core.experiment.of_comparison import ComparisonRequest, trials_ref
    from mtm_core.inference import Reconstructor
    from mtm_core.models.checkpoint import load_folds

    path = find(args.session)
    session, device = read_session(path), backend.device
    if args.contrast and args.contrast not in available_contrasts(session):
        known = ", ".join(available_contrasts(session)) or "none"
        msg = f"This session has no '{args.contrast}' to compare. It has: {known}."
        raise ConfigError(msg)
    checkpoint = load_folds(find_model(args.checkpoint), device, session.session_id)
    own = Reconstructor(checkpoint, session, allow_overlap=args.allow_overlap)
    opponent, rival = None if args.rival is None else _opponent(args.rival), None
    if opponent is not None and opponent.kind == "model":
        rival = load_folds(find_model(args.rival), device, session.session_id)
    return ComparisonRequest(
        own=own,
        recording=(session, path),
        mask=choose_mask(args, own),
        trials=trials_ref(choose_trials(args.split, own), args.split),
        opponent=opponent,
        rival=rival,
        contrast=args.contrast,
        device=device,
    )


def _opponent(word: str) -> Opponent:
    """Say what a word of --with means; what is no other word is a checkpoint."""
    from mtm_core.evaluation.opponents import MODEL, Opponent
    from mtm_core.models.baselines_masked import BASELINES

    if word in BASELINES:
        return Opponent(kind=word)
    if word == WITHOUT_PROMPT:
        return Opponent(kind="prompt", prompt="none")
    if word.startswith(PROMPT):
        return Opponent(kind="prompt", prompt=word.removeprefix(PROMPT).replace("-", "_"))
    return Opponent(kind=MODEL)


def _write(
    args: argparse.Namespace, bound: Bound, experiment: Experiment, outcome: Outcome
) -> None:
    from mtm_core.cli import output
    from mtm_core.cli.compare_text import comparison_values
    from mtm_core.cli.evaluate import STDOUT
    from mtm_core.evaluation.paired_table import write_unit_changes
    from mtm_core.experiment.files import attachment_of, write_experiment
    from mtm_core.experiment.picture import picture_of
    from mtm_core.figures.raster import SIGMA_S, draw_raster

    values = comparison_values(bound, experiment, outcome)
    if args.json == STDOUT:
        output.show_json(values)
    elif args.json is not None:
        output.write_json(args.json, values)
    if args.csv is not None and outcome.change is not None:
        write_unit_changes(bound.session, outcome.change, args.csv)
    if args.out is not None:
        write_experiment(experiment, args.out)
    if args.figure is not None:
        content = picture_of(bound, outcome)
        draw_raster(content, args.figure, sigma_s=SIGMA_S, attachment=attachment_of(experiment))


def _report(
    args: argparse.Namespace, bound: Bound, experiment: Experiment, outcome: Outcome
) -> None:
    from mtm_core.cli import output
    from mtm_core.cli.compare_text import comparison_text

    schemes = bound.model.checkpoint.manifest.config.masking.schemes
    rates = bound.model.train_rate_hz() if bound.mask.needs_rates else None
    reason = bound.mask.untrained_reason(bound.session, schemes, rates)
    if reason is not None:
        output.note(f"Warning: {reason}.")
    if args.split != "test":
        output.note("Warning: the model was trained or tuned on such trials; this is no test.")
    output.show(comparison_text(bound, experiment, outcome))
    for path in (args.json, args.csv, args.out, args.figure):
        if path is not None:
            output.show(f"Wrote {path}")
