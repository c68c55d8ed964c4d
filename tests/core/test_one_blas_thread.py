"""Classical fits use one thread of BLAS, however many are allowed outside."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mtm_core.masking import tasks
from mtm_core.models.baselines_masked import REGRESSION, MaskedBaselines
from mtm_core.one_blas_thread import on_one_blas_thread, use_one_blas_thread
from tests.core.models.baseline_data import make_bench

PATIENCE_S = 30


def n_threads() -> list[int]:
    return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two_threads():
    if not n_threads():
        pytest.skip("NumPy's BLAS cannot be told here how many threads to use")
    with threadpool_limits(2, user_api="blas"):
        yield


def test_a_function_runs_on_one_thread_and_leaves_two():
    assert set(on_one_blas_thread(n_threads)()) == {1}
    assert set(n_threads()) == {2}


def test_a_failure_leaves_two():
    @on_one_blas_thread
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert set(n_threads()) == {2}


def test_a_program_that_uses_one_thread_keeps_to_it_in_all_its_threads():
    use_one_blas_thread()
    seen: list[int] = []
    other = Thread(target=lambda: seen.extend(on_one_blas_thread(n_threads)()))
    other.start()
    other.join(PATIENCE_S)
    assert set(seen) == {1}
    assert set(n_threads()) == {1}


def test_a_regression_has_the_same_bits_whatever_is_allowed():
    bench = make_bench(n_trials=90, n_units=160)
    mask = tasks.inter_region("DG").resolve(bench.session)

    def regress() -> np.ndarray:
        return MaskedBaselines(bench.data).predict(REGRESSION, mask, bench.test)

    on_two = regress()
    with threadpool_limits(1, user_api="blas"):
        on_one = regress()
    assert np.array_equal(on_one, on_two)
