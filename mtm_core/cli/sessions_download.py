"""`mtm-core sessions download`: one session after the other, whatever becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtm_core.cli import output
from mtm_core.cli.stop_request import StopRequest
from mtm_core.errors import MtmError

if TYPE_CHECKING:
    from mtm_core.data.one_client import OneClient
    from mtm_core.data.one_records import DownloadProgress

EXIT_ERROR = 2


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one session.

    Parameters
    ----------
    session : str
        As it was named.
    folder : Path or None
        Its folder, if it is whole.
    problem : str
        Why it is not; "" if it was not tried or nothing is wrong.
    """

    session: str
    folder: Path | None = None
    problem: str = ""


def download_all(client: OneClient, refs: Sequence[str], *, refresh: bool, as_json: bool) -> int:
    """Download sessions, show a bar for each, and say what became of them.

    Returns
    -------
    int
        0; 2 if any failed; 130 after Ctrl-C.
    """
    outcomes: list[Outcome] = []
    stopping = "Stopping: what has arrived is kept. Press Ctrl-C again to stop at once."
    with StopRequest(stopping) as request:
        for number, ref in enumerate(dict.fromkeys(refs), start=1):
            label = f"{ref[:8]} ({number} of {len(refs)})" if len(refs) > 1 else ref[:8]
            outcomes.append(_download(client, ref, label, lambda: request.is_asked, refresh))
            if request.is_asked:
                break
    _tell(outcomes, as_json=as_json)
    failed = [outcome for outcome in outcomes if outcome.problem]
    if request.is_asked:
        output.note("Stopped. The same command goes on from here.")
        return request.exit_code
    return EXIT_ERROR if failed else 0


def _download(
    client: OneClient, ref: str, label: str, should_stop: Callable[[], bool], refresh: bool
) -> Outcome:
    with output.progress(None, label, unit="B") as bar:
        bar.unit_scale = True
        try:
            folder = client.download(
                ref,
                progress=lambda report: _draw(bar, report),
                should_stop=should_stop,
                refresh=refresh,
            )
        except MtmError as error:
            return Outcome(session=ref, problem=str(error))
    return Outcome(session=ref, folder=folder)


def _draw(bar: Any, report: DownloadProgress) -> None:  # noqa: ANN401 - tqdm has no types
    if report.n_bytes_total:
        bar.total = report.n_bytes_total
        files = f"{report.n_files}/{report.n_files_total} files"
        bar.set_postfix_str(f"{files} {report.file}".strip(), refresh=False)
        bar.update(report.n_bytes - bar.n)
    elif report.stage == "waiting":
        bar.set_postfix_str("another process downloads this session")


def _tell(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    if as_json:
        output.show_json(outcomes)
    else:
        for outcome in outcomes:
            if outcome.folder is not None:
                output.show(f"{outcome.session}  {outcome.folder}")
    for outcome in outcomes:
        if outcome.problem and len(outcomes) > 1:
            output.note(f"{outcome.session}: {outcome.problem}")
        elif outcome.problem:
            output.fail("mtm-core", outcome.problem)
    n_whole = sum(outcome.folder is not None for outcome in outcomes)
    if len(outcomes) > 1 and not as_json:
        output.show(f"{n_whole} of {len(outcomes)} sessions are here.")
