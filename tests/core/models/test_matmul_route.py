from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from mtm_core.errors import ConfigError
from mtm_core.models import matmul_route
from mtm_core.models.matmul_route import checked_route, route_now, set_route, try_routes


@pytest.fixture(autouse=True)
def _as_it_was():
    before = matmul_route.matmul_precision()
    yield
    matmul_route.set_precision(before)


def slow_at(switch, precision):
    return lambda work, deadline: 2.0 if switch.fp32_precision == precision else 1.0


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
    monkeypatch.setattr(matmul_route, "best_s", slow_at(switch, "none"))
    route, gflops = try_routes(0.0)
    assert route == "default"
    assert "onednn" not in gflops
    with pytest.raises(ConfigError, match=r"products by onednn .* cannot be used here"):
        checked_route("onednn")
    monkeypatch.setattr(torch.Tensor, "__matmul__", plain)
    assert checked_route("onednn") == "onednn"
    switch.fp32_precision = "none"
    route, gflops = try_routes(0.0)
    assert route == "onednn"
    assert gflops["onednn"] == pytest.approx(2 * gflops["default"])


def test_a_route_that_is_no_faster_is_not_taken(monkeypatch):
    monkeypatch.setattr(matmul_route, "best_s", lambda work, deadline: 1.0)
    assert try_routes(0.0)[0] == "default"


def test_a_torch_without_the_switch_uses_the_default_route(monkeypatch):
    monkeypatch.setattr(torch.backends, "mkldnn", SimpleNamespace())
    assert try_routes(0.0)[0] == "default"
    assert checked_route("default") == "default"
    with pytest.raises(ConfigError, match=r"need PyTorch 2\.9"):
        checked_route("onednn")
    set_route("onednn")
    assert matmul_route.matmul_precision() == "none"


@pytest.mark.parametrize("precision", ["none", "bf16"])
def test_checking_a_route_leaves_the_switch_where_it_was(precision, monkeypatch):
    switch = SimpleNamespace(fp32_precision=precision)
    monkeypatch.setattr(torch.backends, "mkldnn", SimpleNamespace(matmul=switch))
    assert checked_route("onednn") == "onednn"
    assert switch.fp32_precision == precision


@pytest.mark.parametrize(("precision", "route"), [("none", "default"), ("bf16", "onednn")])
def test_the_route_of_now_is_read_off_the_switch(precision, route, monkeypatch):
    switch = SimpleNamespace(fp32_precision=precision)
    monkeypatch.setattr(torch.backends, "mkldnn", SimpleNamespace(matmul=switch))
    assert route_now() == route
