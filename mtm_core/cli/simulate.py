"""Simulate a recording of which everything is known, and write it as an IBL session (ALF folder).

Examples
--------
  mtm-core simulate --preset tiny --out simulated
  mtm-core simulate --preset ibl-large --seed 1 --out simulated --simulate.coupling_gain 0

Below the folder lies lab/Subjects/subject/date/001 as IBL lays its sessions out, labelled as
simulated, and beside the data the truth: true rates, coupling between regions, latents.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from mtm_core.cli.config_arguments import add_settings, typed_values
from mtm_core.simulation_presets import simulation_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core simulate`."""
    parser.add_argument(
        "--preset",
        default="ibl-large",
        metavar="NAME",
        help="ibl-large (default), ibl-small, tiny, or a TOML file",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything drawn (default 0)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="folder of sessions to write to"
    )
    parser.add_argument(
        "--sorter", default="pykilosort", help="name of the sorter folder (default: pykilosort)"
    )
    parser.add_argument(
        "--revision",
        metavar="DATE",
        help="put the spikes into the folder of this revision, beside an older sorting",
    )
    parser.add_argument(
        "--all-datasets", action="store_true", help="also samples, templates and passingSpikes"
    )
    add_settings(parser, simulation_settings().values())


def run(args: argparse.Namespace) -> int:
    """Simulate, write, and say what to type next."""
    from mtm_core.cli import output
    from mtm_core.data.alf_writer import alf_folder, check_layout, write_alf
    from mtm_core.data.simulated import simulate
    from mtm_core.simulation_presets import load_simulation

    config = load_simulation(args.preset, typed_values(args, simulation_settings()))
    check_layout(args.sorter, args.revision)
    alf_folder(config, args.seed, args.out)
    output.note(f"Simulating {config.name}, seed {args.seed} ...")
    simulated = simulate(config, args.seed)
    folder = write_alf(
        simulated,
        args.out,
        sorter=args.sorter,
        revision=args.revision,
        all_datasets=args.all_datasets,
    )
    raw = simulated.raw
    n_spikes = sum(len(probe.times_s) for probe in raw.spikes)
    n_good = int(raw.units.values("is_good").sum())
    output.show(
        f"Wrote {folder}\n"
        f"Simulated, not recorded: {raw.trials.n_rows} trials, {len(raw.spikes)} probes, "
        f"{raw.units.n_rows} clusters ({n_good} good), {n_spikes:,} spikes, "
        f"{len(config.regions)} regions with {len(simulated.truth.coupling.edges)} known "
        "connections."
    )
    output.show(_next_steps(folder, f"{config.name}-{args.seed}"))
    return 0


def _next_steps(folder: Path, name: str) -> str:
    place, file, model = shlex.quote(str(folder)), f"{name}.h5", f"runs/{name}"
    return (
        "\nNext:\n"
        f"  mtm-core prepare {place} --out {file}\n"
        f"  mtm-core train --session {file} --out {model}\n"
        f"  mtm-core evaluate {model} {file} --baselines --truth {place}"
    )
