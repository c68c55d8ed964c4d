from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import torch

from mtm_core.errors import ConfigError
from mtm_core.models import backend, matmul_route
from mtm_core.models.backend import (
    Backend,
    available_devices,
    probe_backend,
    resolve_device,
    use_backend,
)

OTHER = Backend(device="cpu", threads=2, matmul="onednn", processor="any", torch_version="any")


def global_options():
    return torch.get_num_threads(), torch.backends.mkldnn.matmul.fp32_precision


def test_a_backend_is_in_force_inside_the_block_only():
    before = global_options()
    with use_backend(OTHER):
        assert global_options() == (2, "bf16")
    assert global_options() == before


def test_a_backend_is_put_back_after_an_error():
    before = global_options()
    with pytest.raises(KeyError), use_backend(OTHER):
        raise KeyError
    assert global_options() == before


def test_the_probe_leaves_no_option_changed_and_answers_again_at_once():
    backend._probe.cache_clear()
    before = global_options()
    found = probe_backend("cpu")
    assert global_options() == before
    start = time.perf_counter()
    assert probe_backend("cpu") is found
    assert time.perf_counter() - start < 0.05


def test_threads_that_were_asked_for_are_taken():
    assert probe_backend("cpu", threads=2).threads == 2


@pytest.mark.parametrize("route", ["default", "onednn"])
def test_a_route_that_was_asked_for_is_taken(route):
    assert probe_backend("cpu", 1, route).matmul == route


def test_a_route_that_rounds_is_refused(monkeypatch):
    class Rounding:
        fp32_precision = "none"

    switch = Rounding()
    monkeypatch.setattr(torch.backends, "mkldnn", SimpleNamespace(matmul=switch))
    plain = torch.Tensor.__matmul__

    def rounded(left, right):
        error = 1e-3 if switch.fp32_precision == "bf16" else 0.0
        return plain(left, right) * (1 + error)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounded)
    monkeypatch.setattr(matmul_route, "median_s", slow_at(switch, "none"))
    assert matmul_route.fastest_route(0.0) == "default"
    with pytest.raises(ConfigError, match=r"--run\.matmul onednn cannot be used here"):
        matmul_route.checked_route("onednn")
    monkeypatch.setattr(torch.Tensor, "__matmul__", plain)
    assert matmul_route.checked_route("onednn") == "onednn"
    assert matmul_route.fastest_route(0.0) == "onednn"


def slow_at(switch, precision):
    return lambda work, deadline: 2.0 if switch.fp32_precision == precision else 1.0


def test_a_torch_without_the_switch_uses_the_default_route(monkeypatch):
    monkeypatch.setattr(torch.backends, "mkldnn", SimpleNamespace())
    assert matmul_route.fastest_route(0.0) == "default"
    assert matmul_route.checked_route("default") == "default"
    with pytest.raises(ConfigError, match=r"needs PyTorch 2\.9"):
        matmul_route.checked_route("onednn")
    with use_backend(OTHER):
        assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [({1: 1.0, 2: 0.6, 4: 0.4}, 4), ({1: 1.0, 2: 0.95, 4: 0.1}, 1), ({1: 1.0, 2: 9.0, 4: 9.0}, 1)],
)
def test_threads_are_added_as_long_as_they_help(monkeypatch, seconds, chosen):
    monkeypatch.setattr(backend, "_step_at", lambda threads: threads)
    monkeypatch.setattr(backend, "median_s", lambda threads, deadline: seconds[threads])
    assert backend._fastest_threads(4, 0.0) == chosen


def test_the_automatic_device_is_the_first_available():
    assert resolve_device("auto") == available_devices()[0]
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize(
    ("mps", "n_cuda", "devices"),
    [
        (False, 0, ("cpu",)),
        (True, 0, ("mps", "cpu")),
        (False, 2, ("cuda", "cuda:1", "cpu")),
    ],
)
def test_graphics_cards_come_first(monkeypatch, mps, n_cuda, devices):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_cuda)
    assert available_devices() == devices
    assert resolve_device("auto") == devices[0]
    if n_cuda:
        assert resolve_device("cuda:0") == "cuda:0"
        with pytest.raises(ConfigError, match="cuda:2"):
            resolve_device("cuda:2")


def test_a_device_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="The device 'cuda' cannot be used here"):
        probe_backend("cuda")
