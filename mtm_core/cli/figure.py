"""Draw what a model reconstructs of a region: recorded, MtM, temporal baseline, difference.

Examples
--------
  mtm-core figure raster demo S.h5 --region CA1 --out CA1.png
  mtm-core figure raster RUN S.h5 --region CA1 DG VISp --task intra_region --out regions.pdf
  mtm-core figure raster M.safetensors S.h5 --region CA1 --baseline T.safetensors --out CA1.svg

A figure of one mask carries its experiment, for 'mtm-core replay CA1.png --out DIR'.
Without --baseline the temporal model beside the checkpoint is taken (demo-temporal.safetensors
beside demo.safetensors, RUN-temporal beside RUN); where there is none that fits, the PSTH.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.computing import add_compute_arguments, chosen_backend

if TYPE_CHECKING:
    from mtm_core.inference import Reconstructor

KINDS = ("raster",)
ORDERS = ("auto", "depth", "peak", "similarity", "rastermap", "bps", "rate", "given")
TASKS = ("inter_region", "intra_region", "co_smoothing", "forward_prediction")
SUFFIX = "-temporal"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core figure`."""
    parser.add_argument("kind", choices=KINDS, help="which figure: raster")
    parser.add_argument("checkpoint", metavar="CKPT", help="checkpoint, run folder, or demo")
    parser.add_argument(
        "session", metavar="S.h5", help="session, or the beginning of a bundled session's name"
    )
    parser.add_argument(
        "--region", nargs="+", required=True, metavar="ACRONYM", help="the region or regions"
    )
    parser.add_argument(
        "--task", choices=TASKS, default="inter_region", help="what is hidden (inter_region)"
    )
    parser.add_argument("--baseline", metavar="CKPT2", help="the temporal model to compare with")
    parser.add_argument(
        "--order", choices=ORDERS, default="auto", help="order of units within a region (auto)"
    )
    parser.add_argument(
        "--smooth-ms",
        type=float,
        default=20.0,
        metavar="MS",
        help="standard deviation of the Gaussian that smooths every map alike; 0 for none (20)",
    )
    add_compute_arguments(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="F.png|svg|pdf", help="the file to write"
    )


def run(args: argparse.Namespace) -> int:
    """Reconstruct the test trials, draw, write, and say the scores."""
    from mtm_core.cli import output
    from mtm_core.cli.bound_model import bind
    from mtm_core.cli.info import find
    from mtm_core.data.session_file import read_session
    from mtm_core.evaluation.tasks import n_passes
    from mtm_core.experiment.files import attachment_of
    from mtm_core.experiment.of_figure import experiment_of_figure
    from mtm_core.figures.picture_file import check_path
    from mtm_core.figures.raster import draw_raster
    from mtm_core.figures.raster_content import compute_raster
    from mtm_core.figures.raster_targets import RasterRequest, set_raster_exam
    from mtm_core.models.backend import use_backend

    check_path(args.out)
    path = find(args.session)
    sigma_s = _sigma_s(args.smooth_ms)
    model = bind(argparse.Namespace(**vars(args), allow_overlap=False))
    request = RasterRequest(regions=tuple(args.region), task=args.task, within=args.order)
    exam = set_raster_exam(model, request)
    baseline = _baseline(args, model)
    total = n_passes(exam, model) * (1 if baseline is None else 2)
    with (
        use_backend(chosen_backend(args)),
        output.progress(total, "Reconstructing", "pass") as bar,
    ):
        content = compute_raster(
            model, request, exam=exam, baseline=baseline, on_progress=bar.update
        )
        experiment = experiment_of_figure(
            request, exam, (model, baseline), (read_session(path), path), sigma_s=sigma_s
        )
    carried = None if experiment is None else attachment_of(experiment)
    draw_raster(content, args.out, sigma_s=sigma_s, attachment=carried)
    for shown in (content.model, content.rival):
        if shown.score is not None and shown.score.bps is not None:
            output.show(f"{shown.title}: {shown.score.bps:.3f} bits/spike beyond PSTH")
    output.show(f"Wrote {args.out}")
    return 0


def _sigma_s(smooth_ms: float) -> float:
    from mtm_core.errors import ConfigError

    if not 0 <= smooth_ms <= 1000:
        msg = f"--smooth-ms must lie between 0 and 1000, not {smooth_ms:g}."
        raise ConfigError(msg)
    return smooth_ms / 1000


def _baseline(args: argparse.Namespace, model: Reconstructor) -> Reconstructor | None:
    """Return the temporal model that was named, or the one beside the checkpoint if it fits."""
    from mtm_core.cli import output
    from mtm_core.cli.bound_model import find_model
    from mtm_core.errors import MtmError

    if args.baseline is not None:
        return _bind_like(find_model(args.baseline), model, args.device)
    beside = sibling(model.checkpoint.path)
    if beside is None:
        return None
    try:
        return _bind_like(beside, model, args.device)
    except MtmError as error:
        output.note(f"{beside.name} is not used: {error}")
        return None


def sibling(path: Path) -> Path | None:
    """Return the temporal model beside a checkpoint or a run, if there is one."""
    path = path.absolute()
    candidates = (
        path.with_name(f"{path.stem}{SUFFIX}{path.suffix}"),
        path.parent.with_name(f"{path.parent.name}{SUFFIX}") / path.name,
    )
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _bind_like(path: Path, model: Reconstructor, device: str) -> Reconstructor:
    from mtm_core.figures.raster_targets import check_baseline
    from mtm_core.inference import Reconstructor
    from mtm_core.models.backend import resolve_device
    from mtm_core.models.checkpoint import load_checkpoint

    session = model.session
    loaded = load_checkpoint(path, resolve_device(device), session.session_id)
    baseline = Reconstructor(loaded, session)
    check_baseline(baseline, model)
    return baseline
