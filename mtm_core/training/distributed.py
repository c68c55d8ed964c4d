"""Several processes that train or judge one model together, as `torchrun` starts them.

Every process holds the whole model. The batches of a step, one of each of its sessions, are cut
into parts where there are more processes than sessions; a process computes some of them, and the
gradients of all are added up, each weighted by what it scores, so that the step is that of one
process. Which parameters got a gradient anywhere is agreed upon first: those
of sessions that are not in the batch are left alone, and nobody waits for them. (PyTorch's
`DistributedDataParallel` averages processes alike, whatever they scored.) Process 0 writes the
run folder; the others look on.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

from mtm_core.config import TrainConfig
from mtm_core.errors import TrainingError
from mtm_core.models.backend import Backend, resolve_device
from mtm_core.models.manifest import Manifest
from mtm_core.models.smaller_pieces import is_out_of_memory
from mtm_core.training.event_log import EventLog
from mtm_core.training.events import Event
from mtm_core.training.run_folder import RunFolder, RunRecord
from mtm_core.training.state import Progress
from mtm_core.training.state_files import StateFiles

PATIENCE = datetime.timedelta(minutes=30)
"""How long a process waits for another: one may read sessions or write a checkpoint meanwhile."""
GO_ON = (
    "Go on from what was saved: start the same command with --resume, with as many processes as "
    "you like."
)
T = TypeVar("T")


class Team:
    """The processes that train one model: here one alone, which has nobody to ask.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    size : int
        How many there are.
    """

    rank = 0
    size = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes and speaks for all."""
        return self.rank == 0

    def folder(self, path: Path) -> RunFolder:
        """Return the folder of the run as this process may use it."""
        return RunFolder(path)

    def backend(self, found: Backend) -> Backend:
        """Return how all compute alike, each on a device of its own."""
        return found

    def is_any(self, flag: bool) -> bool:
        """Tell whether it holds for any process."""
        return flag

    def is_first_sure(self, flag: bool) -> bool:
        """Tell whether it holds for the first process."""
        return flag

    def first_then_others(self, work: Callable[[], T]) -> T:
        """Do some work, the others only after the first has done it."""
        return work()

    def align(self, tensors: Sequence[Tensor]) -> None:
        """Give all processes the numbers of the first, in place."""

    def add_up(self, values: Tensor) -> Tensor:
        """Return the sum over processes."""
        return values

    def combine(self, parameters: Sequence[nn.Parameter], loss: Tensor | None) -> Tensor | None:
        """Add up gradients and losses.

        Parameters
        ----------
        parameters : sequence of Parameter
            Their gradients are changed.
        loss : Tensor or None
            What this process contributes, of any shape; None if it ran out of memory.

        Returns
        -------
        Tensor or None
            The same of all processes together; None if any ran out of memory.
        """
        del parameters
        return loss


class Ranks(Team):
    """One of the processes that `torchrun` started, and that have found each other.

    Parameters
    ----------
    local_rank : int
        Number of this process on its machine: of its GPU.
    advice : str
        What to do when another process has ended.
    """

    def __init__(self, local_rank: int, advice: str) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._local_rank, self._advice = local_rank, advice
        self._device = "cpu"

    def folder(self, path: Path) -> RunFolder:
        """Return the folder; all but the first look on."""
        return RunFolder(path) if self.is_first else Onlooker(path)

    def backend(self, found: Backend) -> Backend:
        """Return the first one's, on a device of this process's own."""
        told = [found.threads, found.fused_from if found.fused_from is not None else -1]
        told += [int(found.matmul == "onednn"), int(found.precision == "bf16")]
        values = torch.tensor(told)
        with self._talking():
            distributed.broadcast(values, 0)
        threads, fused_from, is_onednn, is_bf16 = map(int, values)
        device = f"cuda:{self._local_rank}" if found.device.startswith("cuda") else found.device
        self._device = resolve_device(device)
        return replace(
            found,
            device=device,
            threads=threads,
            fused_from=None if fused_from < 0 else fused_from,
            matmul="onednn" if is_onednn else "default",
            precision="bf16" if is_bf16 else "fp32",
        )

    def is_any(self, flag: bool) -> bool:
        """Tell whether it holds for any process."""
        return bool(self.add_up(torch.tensor([int(flag)]))[0])

    def is_first_sure(self, flag: bool) -> bool:
        """Tell whether it holds for the first process."""
        return bool(self.add_up(torch.tensor([int(flag and self.is_first)]))[0])

    def first_then_others(self, work: Callable[[], T]) -> T:
        """Do some work, the others only after the first has done it."""
        if self.is_first:
            done = work()
            self.is_any(flag=True)
            return done
        self.is_any(flag=True)
        return work()

    def align(self, tensors: Sequence[Tensor]) -> None:
        """Give all processes the numbers of the first, in place."""
        with self._talking():
            for tensor in tensors:
                if tensor.is_floating_point():
                    distributed.broadcast(tensor.detach(), 0)

    def add_up(self, values: Tensor) -> Tensor:
        """Return the sum over processes."""
        total = values.clone()
        with self._talking():
            distributed.all_reduce(total)
        return total

    def combine(self, parameters: Sequence[nn.Parameter], loss: Tensor | None) -> Tensor | None:
        """Add up gradients and losses; see `Team.combine`."""
        told = [int(p.grad is not None) for p in parameters]
        is_used = self.add_up(torch.tensor([int(loss is None), *told], device=self._device))
        has_failed, *counts = is_used.tolist()
        if has_failed or loss is None:
            return None
        used = [p for p, count in zip(parameters, counts, strict=True) if count]
        flat = torch.cat([loss.reshape(-1), *(_gradient(p).reshape(-1) for p in used)])
        with self._talking():
            distributed.all_reduce(flat)
        start = loss.numel()
        for parameter in used:
            stop = start + parameter.numel()
            parameter.grad = flat[start:stop].view_as(parameter)
            start = stop
        return flat[: loss.numel()].view_as(loss)

    @contextlib.contextmanager
    def _talking(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            msg = (
                f"Another process of this run has ended or cannot be reached (seen by process "
                f"{self.rank} of {self.size}). {self._advice}"
            )
            raise TrainingError(msg) from error


class Onlooker(RunFolder):
    """The folder of a run for a process that reads it and writes nothing.

    Parameters
    ----------
    path : Path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.events = _SilentLog(self.events.path)
        self.states = _ReadStates(path)

    def hold(self) -> None:
        """Do nothing: the first process holds it."""

    def refuse_to_begin(self) -> None:
        """Do nothing: the first process may have begun already."""

    def create(self, config: TrainConfig, manifest: Manifest, record: RunRecord) -> None:
        """Do nothing."""

    def sweep(self) -> None:
        """Do nothing."""

    def save_best(
        self, tensors: Mapping[str, Tensor], manifest: Manifest, *, check: bool = False
    ) -> None:
        """Do nothing."""


class _SilentLog(EventLog):
    def append(self, happened: Sequence[Event]) -> None:
        """Do nothing."""

    def forget_after(self, step: int) -> None:
        """Do nothing."""


class _ReadStates(StateFiles):
    def save(self, tensors: Mapping[str, Tensor], progress: Progress, keep: int) -> None:
        """Do nothing."""


@contextlib.contextmanager
def join_team(device: str, advice: str = GO_ON) -> Iterator[Team]:
    """Find the other processes of this run, if `torchrun` started several.

    Parameters
    ----------
    device : str
        Where the run computes, as in ``run.device``.
    advice : str
        What to do when another process has ended.

    Raises
    ------
    TrainingError
        If they cannot be found.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Team()
        return
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    has_gpu = resolve_device(device).startswith("cuda")
    if has_gpu:
        torch.cuda.set_device(resolve_device(f"cuda:{local_rank}"))
    try:
        how = "cpu:gloo,cuda:nccl" if has_gpu else "gloo"
        distributed.init_process_group(how, timeout=PATIENCE)
        team = Ranks(local_rank, advice)
    except (RuntimeError, ValueError) as error:
        msg = (
            "The other processes of this run cannot be found. Start all of them by torchrun "
            f"({str(error).splitlines()[0]})."
        )
        raise TrainingError(msg) from error
    try:
        yield team
    finally:
        with contextlib.suppress(RuntimeError):
            distributed.destroy_process_group()


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
