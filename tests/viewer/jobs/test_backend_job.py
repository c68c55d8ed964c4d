"""The engine computes by the way that was found, and writes it on its pictures."""

from __future__ import annotations

from mtm_core.models.backend import Backend, backend_in_force
from mtm_viewer.jobs import backend_job
from mtm_viewer.jobs.backend_job import BackendWork
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.computing import Computing
from tests.viewer.workspaces import make_small_workspace

FOUND = Backend(device="cpu", threads=1, matmul="default", processor="x", torch_version="2")


def test_pictures_say_how_they_were_computed(monkeypatch):
    asked = []

    def probe(device, *, threads, precision):
        asked.append((device, threads, precision))
        return FOUND

    monkeypatch.setattr(backend_job, "probe_backend", probe)
    work = BackendWork(lambda chosen: ReconstructionJob(chosen.memory_bytes))
    request = ReconstructionRequest(workspace=make_small_workspace(), spec=None)
    (picture,) = work(request, lambda: False)
    assert picture.backend == FOUND
    work.choose(Computing(threads=2, precision="bf16"))
    list(work(request, lambda: False))
    assert asked == [("cpu", None, "fp32"), ("cpu", 2, "bf16")]


def test_the_backend_is_in_force_while_it_works_and_answers_are_not_mixed(monkeypatch):
    monkeypatch.setattr(backend_job, "probe_backend", lambda *_, **__: FOUND)
    made = []

    def make(chosen):
        made.append(chosen)

        def work(request, should_stop):
            yield backend_in_force()

        return work

    work = BackendWork(make)
    assert list(work("anything", lambda: False)) == [FOUND]
    assert backend_in_force() is None
    list(work("anything", lambda: False))
    assert made == [Computing()]
    work.choose(Computing(precision="bf16"))
    list(work("anything", lambda: False))
    assert made == [Computing(), Computing(precision="bf16")]
