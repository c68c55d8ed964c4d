from __future__ import annotations

import threading
import time

import pytest
import torch

from mtm_core.config import RunConfig
from mtm_core.errors import ConfigError
from mtm_core.models import backend, host_speed
from mtm_core.models.backend import (
    Backend,
    available_devices,
    backend_in_force,
    layer_precision,
    probe_backend,
    probe_host,
    probe_run,
    resolve_device,
    takes_fused_kernel,
    use_backend,
)
from mtm_core.models.host_speed import HostSpeed

OTHER_VALUES = {
    "device": "cpu",
    "threads": 2,
    "matmul": "onednn",
    "processor": "any",
    "torch_version": "any",
}
OTHER = Backend(**OTHER_VALUES)


def global_options():
    return torch.get_num_threads(), torch.backends.mkldnn.matmul.fp32_precision


def test_a_backend_is_in_force_inside_the_block_only():
    before = global_options()
    with use_backend(OTHER):
        assert global_options() == (2, "bf16")
    assert global_options() == before


def test_a_thread_that_ends_leaves_the_route_to_those_that_go_on():
    before = global_options()
    is_second_in, may_second_end = threading.Event(), threading.Event()

    def second():
        with use_backend(OTHER):
            is_second_in.set()
            assert may_second_end.wait(10)

    with use_backend(OTHER):
        thread = threading.Thread(target=second)
        thread.start()
        assert is_second_in.wait(10)
    assert global_options() == (before[0], "bf16")
    may_second_end.set()
    thread.join(10)
    assert global_options() == before


def test_an_inner_block_gives_way_to_the_outer_one():
    before = global_options()
    with use_backend(OTHER):
        with use_backend(Backend(**OTHER_VALUES | {"threads": 1, "matmul": "default"})):
            assert global_options() == (1, "none")
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


def test_a_known_host_is_not_measured_again_by_the_next_process(monkeypatch):
    found = probe_backend("cpu", threads=1)
    monkeypatch.setattr(host_speed, "try_routes", None)  # must not be called
    backend._probe.cache_clear()
    assert probe_backend("cpu", threads=1) == found
    backend._probe.cache_clear()


def test_measuring_anew_takes_what_it_finds():
    threads = probe_backend("cpu").threads
    with use_backend(Backend(**OTHER_VALUES | {"threads": threads})):
        slow = HostSpeed(
            route="onednn", fused_from={"onednn": 7}, gflops={"default": 1, "bf16": 1}
        )
        host_speed.remember(host_speed.host_facts(), slow)
    found = probe_host()
    assert found != slow
    assert probe_backend("cpu", threads).fused_from == found.fused_from[found.route]


def test_a_backend_of_before_kernels_were_measured_computes_as_it_did():
    old = {name: OTHER_VALUES[name] for name in ("device", "threads", "matmul", "processor")}
    with use_backend(Backend(**old, torch_version="any")):
        assert not takes_fused_kernel(199, on_gpu=False)
        assert takes_fused_kernel(200, on_gpu=False)
        assert takes_fused_kernel(1, on_gpu=True)


@pytest.mark.parametrize(("kernel", "is_fused"), [("products", False), ("fused", True)])
def test_a_kernel_of_attention_that_was_asked_for_is_taken(kernel, is_fused):
    chosen = probe_backend("cpu", 1, "default", kernel)
    with use_backend(chosen):
        assert backend_in_force() is chosen
        assert takes_fused_kernel(3, on_gpu=False) == is_fused
        assert takes_fused_kernel(3000, on_gpu=False) == is_fused
    assert backend_in_force() is None


def test_precision_is_that_of_the_settings_inside_the_layers_only():
    product = torch.ones(2, 2)
    run = RunConfig(device="cpu", threads=1, matmul="default", precision="bf16")
    with use_backend(probe_run(run)):
        assert (product @ product).dtype == torch.float32
        with layer_precision(torch.device("cpu")):
            assert (product @ product).dtype == torch.bfloat16
    with layer_precision(torch.device("cpu")):
        assert (product @ product).dtype == torch.float32


def test_threads_that_were_asked_for_are_taken():
    assert probe_backend("cpu", threads=2).threads == 2


@pytest.mark.parametrize("route", ["default", "onednn"])
def test_a_route_that_was_asked_for_is_taken(route):
    assert probe_backend("cpu", 1, route).matmul == route


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
