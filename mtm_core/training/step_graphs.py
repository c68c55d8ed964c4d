"""Training steps captured as CUDA graphs, so that a GPU need not wait for Python.

A step of a model of this kind is a few hundred short kernels: a GPU is done with each long before
Python has asked for the next. Captured once, they are repeated by a single call, and compute the
same as before: dropout too, whose draws follow the seed that is set before each repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn

from mtm_core.errors import TrainingError
from mtm_core.masking.masked_batch import MaskedBatch
from mtm_core.models.smaller_pieces import is_out_of_memory
from mtm_core.training.randomness import seeded

LossOf = Callable[[MaskedBatch, Tensor], Tensor]
WARM_UP = 3
"""Passes before the capture, in which libraries set themselves up."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CapturedStep:
    """Forward and backward pass of one session's batches of one size.

    Parameters
    ----------
    graph : torch.cuda.CUDAGraph
        The kernels.
    batch : MaskedBatch
        Where they read.
    share : Tensor, scalar
        Where they read the share of the run that is done.
    loss : Tensor, scalar
        Where they write the loss.
    gradients : tuple of Tensor or None
        Where they write the gradient of each parameter; None for those of other sessions.
    """

    graph: torch.cuda.CUDAGraph
    batch: MaskedBatch
    share: Tensor
    loss: Tensor
    gradients: tuple[Tensor | None, ...]

    def repeat(
        self, batch: MaskedBatch, share: Tensor, parameters: Sequence[nn.Parameter]
    ) -> Tensor:
        """Compute the loss of another batch, and give each parameter its gradient."""
        for own, given in zip(_tensors(self.batch), _tensors(batch), strict=True):
            own.copy_(given)
        self.share.copy_(share)
        self.graph.replay()
        for parameter, gradient in zip(parameters, self.gradients, strict=True):
            parameter.grad = gradient
        return self.loss


class StepGraphs:
    """The captured steps of a run.

    Parameters
    ----------
    device : str
        A CUDA GPU.
    parameters : sequence of Parameter
        The trained ones.
    """

    def __init__(self, device: str, parameters: Sequence[nn.Parameter]) -> None:
        self._device, self._parameters = device, parameters
        self._captured: dict[tuple[str, torch.Size], CapturedStep] = {}

    def __len__(self) -> int:
        return len(self._captured)

    def add_gradients(
        self, loss_of: LossOf, batch: MaskedBatch, share: Tensor, seed: int, *names: str | int
    ) -> Tensor:
        """Compute the loss of a batch and its gradients, as an uncaptured step would.

        Parameters
        ----------
        loss_of : callable
            From a batch, and the share of the run that is done, to the loss; the same each time.
        batch : MaskedBatch
            On the device.
        share : Tensor, scalar
            Share of the run's steps that are done.
        seed : int
            The run's seed.
        *names : str or int
            What dropout is drawn for; see `seeded`.

        Returns
        -------
        Tensor, scalar
            The loss; overwritten by the next step.
        """
        key = (batch.session_id, batch.inputs.shape)
        captured = self._captured.get(key)
        if captured is None:
            captured = self._captured[key] = self._try(loss_of, batch, share)
        with seeded(self._device, seed, *names):
            return captured.repeat(batch, share, self._parameters)

    def clear(self) -> None:
        """Forget what was captured, and the memory that it holds."""
        self._captured.clear()

    def _try(self, loss_of: LossOf, batch: MaskedBatch, share: Tensor) -> CapturedStep:
        try:
            return self._capture(loss_of, batch, share)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            msg = (
                "A training step could not be captured for the GPU to repeat "
                f"({str(error).splitlines()[0]}). Train with --run.cuda_graphs off."
            )
            raise TrainingError(msg) from error

    def _capture(self, loss_of: LossOf, batch: MaskedBatch, share: Tensor) -> CapturedStep:
        own = replace(batch, **{name: getattr(batch, name).clone() for name in _TENSORS})
        own_share = share.clone()
        with torch.cuda.device(self._device), seeded(self._device, 0, "capture"):
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP):
                    torch.autograd.backward(loss_of(own, own_share))
                    self._forget_gradients()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            before = next(iter(self._captured.values()), None)
            # One after the other, captured steps can share the memory of what they pass on.
            with torch.cuda.graph(graph, pool=None if before is None else before.graph.pool()):
                loss = loss_of(own, own_share)
                torch.autograd.backward(loss)
        gradients = tuple(parameter.grad for parameter in self._parameters)
        self._forget_gradients()
        return CapturedStep(
            graph=graph, batch=own, share=own_share, loss=loss.detach(), gradients=gradients
        )

    def _forget_gradients(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None


_TENSORS = tuple(each.name for each in fields(MaskedBatch) if each.name != "session_id")


def _tensors(batch: MaskedBatch) -> list[Tensor]:
    return [getattr(batch, name) for name in _TENSORS]
