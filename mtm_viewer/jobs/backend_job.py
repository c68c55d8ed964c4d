"""Reconstructing by the way that was measured to be fastest here, as `mtm-core` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from mtm_core.models.backend import probe_backend, use_backend
from mtm_viewer.jobs.engine_thread import Work
from mtm_viewer.presenters.computing import Computing
from mtm_viewer.presenters.picture import Picture


class BackendWork:
    """Runs the work of an engine under the backend that is found, and writes it on each picture.

    Parameters
    ----------
    make : callable
        Makes the work for a way to compute; it is made anew when a person chooses otherwise, since
        answers that were computed otherwise are not to be mixed.
    computing : Computing
        What is chosen at first.
    """

    def __init__(
        self, make: Callable[[Computing], Work], computing: Computing | None = None
    ) -> None:
        self._make = make
        self._wanted = self._used = computing or Computing()
        self._work = make(self._used)

    def choose(self, computing: Computing) -> None:
        """Compute like this from the next request on; may be called from any thread."""
        self._wanted = computing

    def __call__(self, request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
        """Yield what the work yields."""
        wanted = self._wanted
        if wanted != self._used:
            self._work, self._used = self._make(wanted), wanted
        device = str(getattr(request, "device", "auto"))
        backend = probe_backend(device, threads=wanted.threads, precision=wanted.precision)
        with use_backend(backend):
            for value in self._work(request, should_stop):
                yield replace(value, backend=backend) if isinstance(value, Picture) else value
