from __future__ import annotations

import pytest

from mtm_core.errors import UnknownNameError
from mtm_core.export import bwb_tasks
from tests.core.export.bwb_exports import need_evaluator


def test_a_misspelt_task_is_told_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'forecasting'"):
        bwb_tasks.find_task("forecast")


def test_the_tasks_are_those_of_the_benchmark():
    need_evaluator()
    import ibl_bwb_eval
    from ibl_bwb_eval.tasks import task_id, ts2

    assert {task_id(t.suite, t.name) for t in bwb_tasks.TASKS} == {t.id for t in bwb_tasks.TASKS}
    assert ibl_bwb_eval.__version__ == bwb_tasks.EVALUATOR_VERSION
    assert ts2.COSMOOTH_TARGET_WINDOW == bwb_tasks.TARGET_S
    kinds = {"BINARY": "classes", "CONTINUOUS": "signal"}
    for task in bwb_tasks.TASKS:
        if task.suite == "ts1":
            spec = ibl_bwb_eval.get_ts1_readout_spec(task.name)
            assert kinds[spec.data_type.name] == task.kind
