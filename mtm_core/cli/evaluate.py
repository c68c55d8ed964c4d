"""Score a checkpoint on co-smoothing, forward, intra-region and inter-region prediction.

Examples
--------
  mtm-core evaluate demo S.h5
  mtm-core evaluate RUN S.h5 --baselines --json scores.json
  mtm-core evaluate M.safetensors S.h5 --tasks co_smoothing inter_region --split val --json -
  mtm-core evaluate RUN S.h5 --prompt neuron      (the wrong prompt for three of the tasks)
  mtm-core evaluate RUN S.h5 --truth FOLDER       (FOLDER: what mtm-core simulate wrote)
  torchrun --standalone --nproc-per-node 2 -m mtm_core evaluate RUN S.h5 --baselines

Under torchrun several processes share trials and baselines out among them; the scores are those of
one. Scores are in bits per spike on the trials that the checkpoint's own split keeps for the test.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mtm_core.cli.computing import add_compute_arguments, chosen_backend
from mtm_core.errors import ConfigError

if TYPE_CHECKING:
    from tqdm import tqdm

    from mtm_core.evaluation.report import Report
    from mtm_core.training.distributed import Team

TASKS = ("co_smoothing", "forward_prediction", "intra_region", "inter_region")
SPLITS = ("test", "val", "train")
NULLS = ("train_mean", "test_mean", "psth")
STDOUT = Path("-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core evaluate`."""
    parser.add_argument("checkpoint", metavar="CKPT", help="checkpoint, run folder, or demo")
    parser.add_argument(
        "session", metavar="S.h5", help="session, or the beginning of a bundled session's name"
    )
    parser.add_argument(
        "--tasks", nargs="+", choices=TASKS, default=TASKS, help="which tasks (default: all)"
    )
    parser.add_argument(
        "--split", choices=SPLITS, default="test", help="which trials (default: test)"
    )
    parser.add_argument("--baselines", action="store_true", help="fit and score baselines too")
    parser.add_argument(
        "--null",
        choices=NULLS,
        default="train_mean",
        help="what the main scores are gains over (default: train_mean); --json holds all",
    )
    parser.add_argument(
        "--no-shuffle", action="store_true", help="leave out the shuffle control: half the time"
    )
    parser.add_argument("--seed", type=int, default=0, help="of intervals and shuffle control")
    parser.add_argument(
        "--prompt",
        metavar="NAME",
        help="give the model this prompt in every task, right or wrong (for example neuron or "
        "none); what a bin may attend to still follows the task (default: each task's own)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="OUT.json", help="write all numbers there ('-': stdout)"
    )
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FOLDER",
        help="simulated session, or its _mtm_truth.h5: score its true rates too, as the ceiling",
    )
    parser.add_argument(
        "--observer",
        action="store_true",
        help="with --truth: score an observer too who knows the simulation's parameters and "
        "infers the rest from the visible spikes (minutes)",
    )
    add_compute_arguments(parser)
    parser.add_argument(
        "--allow-overlap",
        action="store_true",
        help="accept a session that lacks units of the checkpoint: they are hidden, not scored",
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate; print the tables, or write the numbers as JSON."""
    from mtm_core.cli import output
    from mtm_core.cli.evaluate_text import report_text
    from mtm_core.cli.together import together

    if args.observer and args.truth is None:
        msg = "--observer needs the parameters of a simulation: give its folder as --truth, too."
        raise ConfigError(msg)
    check_writable(args.json)
    with together(args.device, "Start the same command again.") as team:
        values = compute(args, team).to_dict()
        if not team.is_first:
            return 0
    if args.json == STDOUT:
        output.show_json(values)
        return 0
    output.show(report_text(values))
    if args.json is not None:
        output.write_json(args.json, values)
        output.show(f"Wrote {args.json}")
    return 0


def compute(args: argparse.Namespace, team: Team) -> Report:
    """Evaluate, alone or with others; the first process shows how far all of them are."""
    from mtm_core.cli.bound_model import find_model
    from mtm_core.cli.info import find
    from mtm_core.data.session_file import read_session
    from mtm_core.data.truth_file import read_truth
    from mtm_core.evaluation.report import evaluate
    from mtm_core.models.backend import use_backend
    from mtm_core.models.checkpoint import load_folds

    backend = team.backend(chosen_backend(args))
    session = read_session(find(args.session))
    checkpoint = load_folds(find_model(args.checkpoint), backend.device, session.session_id)
    truth = None if args.truth is None else read_truth(args.truth)
    with Progress() as progress, use_backend(backend):
        return evaluate(
            checkpoint,
            session,
            args.tasks,
            args.split,
            baselines=args.baselines,
            shuffle=not args.no_shuffle,
            null=args.null,
            seed=args.seed,
            allow_overlap=args.allow_overlap,
            truth=truth,
            observer=args.observer,
            prompt=args.prompt,
            on_step=progress.tell if team.is_first else None,
            crew=team,
        )


def check_writable(path: Path | None) -> None:
    """Refuse a file that cannot be written before minutes are spent on its content.

    Raises
    ------
    OutputError
        If there is no such folder, or no permission.
    """
    from mtm_core.errors import OutputError

    if path is None or path == STDOUT:
        return
    if path.is_dir():
        msg = f"Could not write {path}: it is a folder. Give the name of a file."
        raise OutputError(msg)
    if not path.absolute().parent.is_dir():
        msg = f"Could not write {path}: there is no folder {path.parent}. Make it first."
        raise OutputError(msg)


class Progress:
    """A progress bar for each stretch of work, one after another; a context manager."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> Progress:
        """Begin without a bar."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the last bar."""
        self._close()

    def tell(self, what: str, done: int, total: int) -> None:
        """Show how far a stretch of work is; its name opens a new bar."""
        from mtm_core.cli import output

        if self._bar is None or self._bar.desc.removesuffix(": ") != what:
            self._close()
            self._bar = output.progress(total, what, "pass" if total > 100 else "step")
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
