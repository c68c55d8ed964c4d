from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtm_core.experiment.process_backend import backend_like, backend_now
from mtm_core.models.backend import probe_backend, use_backend
from mtm_core.models.matmul_route import matmul_precision, route_now, set_precision


@pytest.fixture(autouse=True)
def _as_it_was():
    before = matmul_precision()
    yield
    set_precision(before)


def test_outside_of_any_block_it_is_what_the_process_does():
    found = backend_now("cpu")
    assert (found.threads, found.matmul) == (torch.get_num_threads(), route_now())
    set_precision("bf16")  # as another program in this process may have left it
    assert backend_now("cpu").matmul == route_now()


def test_inside_a_block_it_is_the_one_in_force():
    backend = replace(probe_backend("cpu", 1, "default"), fused_from=7)
    with use_backend(backend):
        assert backend_now("cpu") == backend


def test_looking_for_the_backend_of_an_experiment_changes_nothing():
    before = matmul_precision()
    wanted = replace(backend_now("cpu"), matmul="onednn")
    found, differs = backend_like(wanted)
    assert matmul_precision() == before
    assert found.matmul == "onednn" or "products" in differs


def test_another_processor_is_told():
    _, differs = backend_like(replace(backend_now("cpu"), processor="abacus"))
    assert "processor" in differs
    assert "abacus" in differs
