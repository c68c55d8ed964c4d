from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.table import Table
from mtm_core.errors import DataError, MaskError
from mtm_core.export.bwb_units import (
    choose_units,
    decode_ids,
    default_rule,
    encode_ids,
    held_out_units,
    recording_id,
)
from mtm_core.inference import Reconstructor
from tests.core.export.bwb_exports import CHECKPOINT, SESSION, need_evaluator

IDS = np.array([f"u{i:02d}" for i in range(20)])


def test_the_hidden_units_are_the_tenth_with_the_first_hashes():
    # By `printf ts2_co_smoothing_test:u08 | sha256sum`, and so on, sorted.
    assert IDS[held_out_units(IDS)].tolist() == ["u03", "u08"]


def test_the_order_of_the_units_does_not_choose_them():
    order = np.random.default_rng(0).permutation(20)
    assert set(IDS[order][held_out_units(IDS[order])]) == {"u03", "u08"}


@pytest.mark.parametrize(("n_units", "n_held"), [(2, 1), (14, 1), (16, 2), (400, 40)])
def test_a_tenth_is_hidden_and_never_none(n_units, n_held):
    assert held_out_units([str(i) for i in range(n_units)]).sum() == n_held


def test_good_units_are_asked_for_where_that_is_known():
    columns = {k: v for k, v in SESSION.units.columns.items() if k != "is_good"}
    assert default_rule(SESSION) == "rate_hz > 1 and good"
    assert default_rule(replace(SESSION, units=Table(columns))) == "rate_hz > 1"


def test_the_rate_is_that_of_training_trials():
    bound = Reconstructor(CHECKPOINT, SESSION)
    limit = float(np.median(bound.train_rate_hz()))
    chosen = choose_units(bound, f"rate_hz > {limit:.9f}")
    assert set(chosen) == set(SESSION.unit_id[bound.train_rate_hz() > limit])


def test_a_rule_that_no_unit_fits_is_refused():
    with pytest.raises(MaskError, match="No unit of this session fits"):
        choose_units(Reconstructor(CHECKPOINT, SESSION), "rate_hz > 1e6")


def test_a_recording_is_named_as_a_folder_may_be():
    assert recording_id(replace(SESSION, session_id="lab/mouse one/2020")) == "lab_mouse_one_2020"


def test_ids_survive_being_written():
    ids = ["a/1", "a/123", "b"]
    encoded = encode_ids(ids)
    assert encoded.shape == (3, 5)
    assert decode_ids(encoded.numpy()) == tuple(ids)


@pytest.mark.parametrize("bad", ["", "Zürich/1", "a\0"])
def test_an_id_that_the_format_cannot_hold_is_refused(bad):
    with pytest.raises(DataError, match="plain ASCII"):
        encode_ids(["a", bad])


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(DataError, match="no ASCII"):
        decode_ids(np.full((1, 2), 200, dtype=np.uint8))


def test_ids_are_written_as_the_benchmark_writes_them():
    need_evaluator()
    from ibl_bwb_eval.entity_ids import decode_entity_ids, encode_entity_ids

    ids = ["a/1", "a/123", "b"]
    assert encode_ids(ids).equal(encode_entity_ids(np.array(ids)))
    assert decode_entity_ids(encode_ids(ids)).tolist() == ids
