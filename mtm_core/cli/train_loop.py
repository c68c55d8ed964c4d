"""What the commands that train share: follow a run to its end, or until somebody wants to stop."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from mtm_core.cli.stop_request import StopRequest
from mtm_core.cli.train_report import TrainReport
from mtm_core.training.distributed import Team
from mtm_core.training.events import Event


def follow(
    events: Generator[Event, None, None],
    run_dir: Path,
    *,
    as_json: bool,
    command: str,
    team: Team,
) -> int:
    """Show what happens; return 0 at the end, 130 or 143 if asked to stop before.

    Parameters
    ----------
    events : generator of Event
        The run.
    run_dir : Path
        Its folder.
    as_json : bool
        Print events as lines of JSON.
    command : str
        The command that goes on with it.
    team : Team
        The processes that train together: they stop together, and the first one speaks.
    """
    report = TrainReport(run_dir, as_json=as_json, command=command, is_silent=not team.is_first)
    stop = _stop_request(team)
    with stop, report, closing(events):  # closing saves a checkpoint before the end
        for event in events:
            report.take(event)
            if team.is_any(stop.is_asked):
                break
    report.summarise()
    return 0 if report.is_finished else stop.exit_code


def _stop_request(team: Team) -> StopRequest:
    if team.size == 1:
        return StopRequest()
    said = "Stopping: all processes finish the step, and a checkpoint is saved."
    return StopRequest(said if team.is_first else "", is_patient=True)
