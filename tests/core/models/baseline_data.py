"""Data for tests of baselines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtm_core.config import DataConfig
from mtm_core.data.session import Session
from mtm_core.data.splits import split_trials
from mtm_core.masking.tasks import plan_task
from mtm_core.models.baselines import BaselineData
from tests.core.sessions import make_session


@dataclass
class Bench:
    session: Session
    data: BaselineData
    test: np.ndarray

    def plan(self, task: str):
        return plan_task(task, self.session)


def make_bench(**how) -> Bench:
    session = make_session(**how)
    split = split_trials(session, DataConfig())
    data = BaselineData.from_session(session, split.train, split.val)
    return Bench(session, data, split.test)


def with_counts(data: BaselineData, counts: np.ndarray) -> BaselineData:
    return BaselineData(
        counts=counts,
        region=data.region,
        condition=data.condition,
        train=data.train,
        val=data.val,
        bin_size_s=data.bin_size_s,
    )


def log_likelihood(counts: np.ndarray, log_rate: np.ndarray) -> float:
    return float((counts * log_rate - np.exp(log_rate)).sum())
