"""Start processes that train or judge together, quickly: import once, fork for each.

Reads a job as a line of JSON from standard input, answers with the exit code and the last words
of each process, as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import torch

from mtm_core.errors import MtmError
from mtm_core.evaluation.report import evaluate
from mtm_core.models.backend import probe_backend
from mtm_core.training import step as step_module
from mtm_core.training.distributed import join_team
from mtm_core.training.events import StepDone
from mtm_core.training.loop import train
from mtm_core.training.setup import prepare
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session
from tests.core.training.runs import tiny_config, tiny_session

SESSIONS = {
    "one": lambda: [tiny_session()],
    "three": lambda: [make_session(n_units=n, seed=i) for i, n in enumerate((24, 18, 21))],
}


def free_port() -> int:
    """Return a port that nobody uses now."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def child(job: dict, rank: int, port: int, words: Path) -> None:
    """Train as one of several processes; leave the last words in a file."""
    signal.alarm(300)  # so that a process that hangs fails the test
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(job["size"])}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    code = 1
    try:
        lose_memory(job, rank)
        WORK[job.get("work", "train")](job, rank)
        code = 0
    except MtmError as error:
        words.write_text(str(error))
        code = 2
    except BaseException:
        words.write_text(traceback.format_exc())
        raise
    finally:
        os._exit(code)


def iterate(job: dict, rank: int) -> None:
    """Train to the end, or do to this process what the job says, at its step."""
    config = tiny_config(**job.get("changes", {}))
    with join_team("cpu") as team:
        sessions = SESSIONS[job.get("sessions", "one")]()
        events = train(config, sessions, Path(job["run_dir"]), resume=True, team=team)
        with closing(events):
            for event in events:
                is_due = isinstance(event, StepDone) and event.step == job.get("step")
                if is_due and job.get("kill") == rank:
                    os.kill(os.getpid(), signal.SIGKILL)
                if team.is_any(is_due and job.get("stop") == rank):
                    break


def judge(job: dict, rank: int) -> None:
    """Evaluate a checkpoint together; the first process leaves the report beside the run."""
    session = SESSIONS["one"]()[0]
    checkpoint = make_checkpoint(session)

    def on_step(what, done, total):
        if job.get("kill") == rank and what == job["during"]:
            os.kill(os.getpid(), signal.SIGKILL)
        said.append([what, done, total])

    said: list = []
    with join_team("cpu", "Start the same command again.") as team:
        report = evaluate(
            checkpoint, session, baselines=True, on_step=on_step, crew=team, split=job["split"]
        )
    told = {"report": report.to_dict(), "said": said}
    Path(job["run_dir"] + f".report-{rank}").write_text(json.dumps(told))


WORK = {"train": iterate, "evaluate": judge}


def lose_memory(job: dict, rank: int) -> None:
    """Let one process have memory for so many trials at a time only."""
    plain, limit = step_module.poisson_loss, job.get("memory", 1000)

    def loss(log_rate, batch, reduction):
        if rank == job["size"] - 1 and len(batch.inputs) > limit:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return plain(log_rate, batch, reduction)

    step_module.poisson_loss = loss


@contextmanager
def open_nursery() -> Iterator[subprocess.Popen[str]]:
    """Start a process that serves until the block ends."""
    words = [sys.executable, "-m", "tests.core.training.rank_nursery"]
    more = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    process = subprocess.Popen(
        words,
        cwd=Path(__file__).parents[3],
        env={**os.environ, **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(process: subprocess.Popen[str], **job) -> tuple[list[int], list[str]]:
    """Let a nursery do a job; return the exit code and the last words of each process."""
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    return answer["codes"], answer["said"]


def main() -> None:
    """Serve until the input ends."""
    prepare(tiny_config(), [tiny_session()], probe_backend("cpu", 1))
    print("ready", flush=True)
    for line in sys.stdin:
        job, port = json.loads(line), free_port()
        words = [Path(job["run_dir"] + f".words-{rank}") for rank in range(job["size"])]
        processes = []
        for rank in range(job["size"]):
            words[rank].unlink(missing_ok=True)
            process = os.fork()
            if process == 0:
                child(job, rank, port, words[rank])
            processes.append(process)
        codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
        said = [path.read_text() if path.exists() else "" for path in words]
        print(json.dumps({"codes": codes, "said": said}), flush=True)


if __name__ == "__main__":
    main()
