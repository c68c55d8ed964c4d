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
    with _Bar(label) as bar:
        try:
            folder = client.download(
                ref, progress=bar.draw, should_stop=should_stop, refresh=refresh
            )
        except MtmError as error:
            return Outcome(session=ref, problem=str(error))
    return Outcome(session=ref, folder=folder)


class _Bar:
    """A bar that comes once something is on its way."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._has_said_waiting = False

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def draw(self, report: DownloadProgress) -> None:
        if report.stage == "waiting" and not self._has_said_waiting:
            self._has_said_waiting = True
            output.note(f"{self._label}: another process downloads this session; waiting for it.")
        if self._bar is None and report.stage == "downloading":
            self._bar = output.progress(report.n_bytes_total, self._label, unit="B")
            self._bar.unit_scale = True
        if self._bar is None:
            return
        self._bar.total = report.n_bytes_total
        files = f"{report.n_files}/{report.n_files_total} files"
        self._bar.set_postfix_str(f"{files} {report.file}".strip(), refresh=False)
        self._bar.update(report.n_bytes - self._bar.n)


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
    whole = [outcome.session for outcome in outcomes if outcome.folder is not None]
    if len(outcomes) == len(whole) == 1:
        output.note(f"Next: mtm-core prepare {whole[0]} --out S.h5")
    if len(outcomes) > 1 and not as_json:
        output.show(f"{len(whole)} of {len(outcomes)} sessions are here.")
