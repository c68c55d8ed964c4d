"""Hide units or bins, reconstruct them from what is left, and write the rates.

Examples
--------
  mtm-core reconstruct demo S.h5 --hide 'region == "CA1"' --out rates.h5
  mtm-core reconstruct RUN S.h5 --hide 'depth_um > 1200 and not good' --score 'rate_hz > 2'
  mtm-core reconstruct M.safetensors S.h5 --bins 36:40
  mtm-core reconstruct M.safetensors S.h5 --task intra_region --region CA1 --split all

A rule compares fields of units: region, beryl, cosmos, depth_um, rate_hz (of training trials),
good, probe, label, unit_id, by == != < <= > >= in, joined by and, or, not; a star stands for any
letters, as in region == "VIS*".
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.bound_model import add_bound_arguments, bind, choose_trials
from mtm_core.cli.computing import chosen_backend
from mtm_core.cli.mask_arguments import add_mask_arguments, choose_mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mtm_core.inference import Reconstructor
    from mtm_core.masking.spec import MaskSpec
    from mtm_core.models.answers import Reconstruction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core reconstruct`."""
    add_bound_arguments(parser)
    add_mask_arguments(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.h5", help="write the rates there")


def run(args: argparse.Namespace) -> int:
    """Reconstruct; print what was done and how well, and write the rates."""
    from mtm_core.cli import output
    from mtm_core.cli.reconstruct_summary import summarise
    from mtm_core.models.answer_file import write_answer
    from mtm_core.models.backend import use_backend

    if args.out is not None:
        _check_out(args)
    backend = chosen_backend(args)
    bound = bind(args)
    spec = choose_mask(args, bound)
    trials = choose_trials(args.split, bound)
    rates = bound.train_rate_hz() if spec.needs_rates else None
    _warn(bound, spec, rates)
    with use_backend(backend):
        answer = _compute(bound, spec, trials)
    words = spec.describe(bound.session, rates)
    output.show(summarise(bound, answer, words=words, split=args.split))
    if args.out is not None:
        write_answer(
            args.out,
            answer,
            session=bound.session,
            spec=spec,
            words=words,
            manifest=bound.checkpoint.manifest,
            more={
                "split": args.split,
                "checkpoint": str(bound.checkpoint.path),
                "backend": backend.describe(),
            },
        )
        output.show(f"Wrote {args.out}")
    return 0


def _check_out(args: argparse.Namespace) -> None:
    """Refuse what could not be written before computing it."""
    from mtm_core.errors import OutputError

    if args.out.is_dir() or not args.out.absolute().parent.is_dir():
        what = "it is a folder" if args.out.is_dir() else "there is no such folder"
        msg = f"--out {args.out} cannot be written: {what}."
        raise OutputError(msg)
    for name in (args.checkpoint, args.session):
        if args.out.exists() and Path(name).exists() and args.out.samefile(name):
            msg = f"--out {args.out} would replace what is read. Give the rates another name."
            raise OutputError(msg)


def _warn(bound: Reconstructor, spec: MaskSpec, rates: NDArray[np.float64] | None) -> None:
    """Say what a careful reader should mind."""
    from mtm_core.cli import output

    schemes = bound.checkpoint.manifest.config.masking.schemes
    reason = spec.untrained_reason(bound.session, schemes, rates)
    if reason is not None:
        output.note(f"Warning: {reason}.")
    n_missing = int(bound.is_missing.sum())
    if n_missing:
        n_units = len(bound.is_missing)
        output.note(f"Warning: {n_missing} of the model's {n_units} units are not in the session.")


def _compute(bound: Reconstructor, spec: MaskSpec, trials: NDArray[np.int64]) -> Reconstruction:
    from mtm_core.cli import output

    steps = bound.reconstruct(spec, trials)
    with output.progress(len(trials), "Reconstructing", "trial") as bar:
        answer = next(steps)
        bar.update(answer.n_done)
        for step in steps:
            bar.update(step.n_done - answer.n_done)
            answer = step
    return answer
