"""Turn a published recording into a session file.

Origins:
  steinmetz2019   one recording of Steinmetz et al. 2019, as prepared per trial in HDF5
"""

from __future__ import annotations

import argparse
from pathlib import Path

ORIGINS = ("steinmetz2019",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core convert`."""
    parser.add_argument("origin", choices=ORIGINS, metavar="ORIGIN", help=", ".join(ORIGINS))
    parser.add_argument("file", type=Path, metavar="FILE", help="the recording")
    parser.add_argument("--out", type=Path, required=True, help="the session file to write")
    parser.add_argument(
        "--compression",
        type=int,
        choices=range(1, 10),
        default=6,
        metavar="1-9",
        help="gzip level: 9 makes files a sixth smaller and takes ten times as long (default 6)",
    )


def run(args: argparse.Namespace) -> int:
    """Convert, write, and say what was written and whether its area labels fit."""
    from mtm_core.cli import output
    from mtm_core.data.label_check import check_area_labels
    from mtm_core.data.session_file import write_session
    from mtm_core.data.steinmetz import convert_steinmetz2019
    from mtm_core.errors import OutputError

    if args.out.exists() and args.file.exists() and args.out.samefile(args.file):
        msg = f"--out {args.out} is the recording itself. Give the session file another name."
        raise OutputError(msg)
    session = convert_steinmetz2019(args.file)
    write_session(session, args.out, compression=args.compression)
    output.show(
        f"Wrote {args.out}: session {session.session_id}, {session.n_trials} trials x "
        f"{session.n_bins} bins x {session.n_units} units, {len(session.region_names())} regions."
    )
    check = check_area_labels(session)
    if check.verdict == "suspect":
        output.note(f"Warning: {check.sentence}")
    return 0
