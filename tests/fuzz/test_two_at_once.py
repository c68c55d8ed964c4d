"""Two windows, or a window and commands, on the same folders: real processes, at the same time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.alf_writer import write_alf
from mtm_core.data.one_client import OneClient
from mtm_core.data.prepare_file import prepare_one
from mtm_core.data.prepare_task import Task, Wishes
from mtm_core.data.session_file import read_session
from mtm_core.data.store import CountStore, StoredCounts
from mtm_core.errors import MtmError, TrainingError
from mtm_core.masking import tasks
from mtm_core.masking.named_masks import NamedMasks, change_named_masks, read_named_masks
from mtm_core.training.run_folder import RunFolder
from mtm_viewer.jobs.journal_job import LAST, MAX_BYTES, JournalJob, Note
from mtm_viewer.jobs.prepared_cache import PreparedCache
from mtm_viewer.jobs.process import RunProcess, is_trained
from mtm_viewer.jobs.run_order import read_order, write_order
from mtm_viewer.presenters.experiment_view import View
from mtm_viewer.presenters.journal_entry import read_line
from mtm_viewer.presenters.mask_choice import MaskChoice
from tests.core.data.one_world import FIRST, PLACES, same_files
from tests.core.data.simulations import simulated
from tests.core.data.stub_alyx import PASSWORD, USER
from tests.core.training.runs import assert_same_bits, run_all, tiny_config
from tests.viewer.jobs.fake_training import fake_training, make_order, wait_until
from tests.viewer.workspaces import make_small_workspace

ROOT = Path(__file__).parents[2]
BOTH = """
import sys
from pathlib import Path
from tests.fuzz.test_two_at_once import do_everything
do_everything(Path(sys.argv[1]), int(sys.argv[2]))
"""
TIMES = 12
LONGER = tiny_config(optim__steps="60", run__checkpoint_every="5")


def meet(folder: Path, number: int, what: str = "here") -> None:
    """Wait until both are there."""
    (folder / f"{what}-{number}").touch()
    wait_until(lambda: len(list(folder.glob(f"{what}-*"))) == 2, most_s=200)


def do_everything(root: Path, number: int) -> None:
    """Do what windows and commands do; another process does the same at the same time."""
    for work in (open_and_keep, map_counts, name_masks, train, download, keep_journal):
        work(root / work.__name__, number)


def source_of(folder: Path) -> str:
    (found,) = (folder / "recording").rglob("001")
    return str(found)


def open_and_keep(folder: Path, number: int) -> None:
    """Prepare a recording into a file that both want, and keep it in a cache that is too small."""
    config, source = load_preparation(), source_of(folder)
    cache = PreparedCache(folder / "cache", max_bytes=1 if number else 10**9)
    meet(folder, number)
    for time in range(TIMES):
        task = Task(source=source, out=folder / "shared.h5")
        outcome = prepare_one(task, Wishes(config=config))
        assert outcome.status in ("prepared", "kept"), outcome.problem
        session = read_session(folder / "shared.h5")
        name = source if time % 2 else f"{source}/alf"
        kept = cache.keep(session, name, config)
        assert kept.suffix == ".h5"
        found = cache.find(name, config)
        assert found is None or found[0].content_hash == session.content_hash


def map_counts(folder: Path, number: int) -> None:
    """Map counts of many sessions into a folder that holds three of them."""
    meet(folder, number)
    for time in range(4 * TIMES):
        place = (time + 3 * number) % 7
        counts = np.full((20, 30, 40), place, dtype=np.uint8)
        store = CountStore(folder / "counts", 3 * (counts.nbytes + 128))
        assert np.array_equal(store.keep(f"{place}" * 64, 1, counts).array, counts)


def name_masks(folder: Path, number: int) -> None:
    """Name masks of one session in two windows, and take every second name back."""
    mine, path = NamedMasks(), folder / "masks.json"
    meet(folder, number)
    for time in range(TIMES):
        new = mine.with_mask(f"window {number}, mask {time}", tasks.intra_region("CA1"))
        change_named_masks(path, mine, new, "s")
        mine = new
        if time % 2:
            new = mine.without(f"window {number}, mask {time}")
            change_named_masks(path, mine, new, "s")
            mine = new


def keep_journal(folder: Path, number: int) -> None:
    """Note what is on screen, many times; the first window is killed, the second one closed."""
    workspace, job = make_small_workspace(n_trials=60), JournalJob(folder / "journal")
    meet(folder, number)
    assert list(job("look", lambda: False)) == []
    for time in range(TIMES):
        title = f"window {number}, {time}"
        job.note(
            Note(workspace=workspace, view=View(mask=MaskChoice()), title=title, device="cpu")
        )
        assert list(JournalJob(folder / "journal")("look", lambda: False)) == []
    meet(folder, number, "done")
    if number == 0:
        os._exit(0)
    job.close()


def train(folder: Path, number: int) -> None:
    """Train into one folder; one of both is told that the other does."""
    meet(folder, number)
    try:
        run_all(LONGER, folder / "run")
    except TrainingError as error:
        (folder / f"refused-{number}").write_text(str(error))


def download(folder: Path, number: int) -> None:
    """Download one session, and forget it now and then."""
    facts = json.loads((folder / "alyx.json").read_text())
    client = OneClient.connect(
        facts["url"], username=USER, password=PASSWORD, cache_dir=folder / "cache"
    )
    meet(folder, number)
    for time in range(3):
        try:
            found = client.download(facts["eid"])
        except MtmError as error:  # a sentence is an answer; a traceback would not be
            (folder / f"said-{number}-{time}").write_text(str(error))
        else:
            assert found is not None
        if number:
            client.prune(older_than_days=0)
    assert client.download(facts["eid"]) is not None


def check_recording(folder: Path) -> None:
    assert read_session(folder / "shared.h5").n_trials > 0
    assert [path.name for path in folder.rglob(".*") if path.suffix == ".h5"] == []


def check_counts(folder: Path) -> None:
    files = list((folder / "counts").glob("*.npy"))
    assert files
    for path in files:
        assert set(np.unique(StoredCounts(path).array)) == {int(path.name[0])}


def check_masks(folder: Path) -> None:
    names = read_named_masks(folder / "masks.json", "s").names
    assert set(names) == {f"window {w}, mask {m}" for w in range(2) for m in range(0, TIMES, 2)}


def check_training(folder: Path) -> None:
    (refused,) = folder.glob("refused-*")
    assert re.search("Another process|already holds a run", refused.read_text())
    run_all(LONGER, folder / "alone")
    assert_same_bits(folder / "alone", folder / "run")


def check_downloads(folder: Path, original: Path) -> None:
    assert [path.read_text() for path in folder.glob("said-*")] == []
    assert same_files(folder / "cache" / PLACES[FIRST], original)
    assert not list((folder / "cache").rglob("*.part"))


def check_journals(folder: Path) -> None:
    """The killed window is offered again, the closed one is the last session."""
    (left,) = JournalJob(folder)("look", lambda: False)
    assert left.entry.experiment.title == f"Window 0, {TIMES - 1}"
    assert JournalJob(folder).last().experiment.title == f"Window 1, {TIMES - 1}"
    for path in folder.glob("*.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        assert len(lines) == TIMES
        assert all(read_line(line) is not None for line in lines)
        assert path.stat().st_size < MAX_BYTES
    assert sorted(path.name for path in folder.glob("*.jsonl"))[-1] == LAST


@pytest.mark.slow
def test_two_processes_do_everything_in_the_same_folders(alyx, shelf, home, tmp_path):
    works = (open_and_keep, map_counts, name_masks, train, download, keep_journal)
    places = {work: tmp_path / work.__name__ for work in works}
    for place in places.values():
        place.mkdir()
    write_alf(simulated(trials="40"), places[open_and_keep] / "recording")
    facts = {"url": alyx.url, "eid": alyx.eid(FIRST)}
    (places[download] / "alyx.json").write_text(json.dumps(facts))
    words = [sys.executable, "-W", "ignore", "-c", BOTH, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    workers = [
        subprocess.Popen([*words, str(number)], cwd=ROOT, env=environment) for number in (0, 1)
    ]
    assert [worker.wait(timeout=600) for worker in workers] == [0, 0]
    check_recording(places[open_and_keep])
    check_counts(places[map_counts])
    check_masks(places[name_masks])
    check_training(places[train])
    check_downloads(places[download], shelf / PLACES[FIRST])
    check_journals(places[keep_journal] / "journal")


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_two_windows_begin_has_one_process(tmp_path, monkeypatch):
    fake_training(monkeypatch, "wait")
    folder = tmp_path / "run"
    write_order(folder, make_order())
    first, second = RunProcess.begin(folder), RunProcess.begin(folder)
    assert first.order.pid == second.order.pid
    second.pause()  # in the other window
    wait_until(lambda: not first.is_alive)
    assert first.close(is_finished=False).error == ""
    assert second.close(is_finished=False).error == ""
    assert read_order(folder).stopped == "paused"
    third = RunProcess.begin(folder)  # what the first window now says is of an older process
    assert first.close(is_finished=False).pid == third.order.pid
    assert read_order(folder).error == ""
    third.kill()


def test_a_folder_that_is_trained_into_is_known(tmp_path):
    (tmp_path / "fold-2").mkdir()
    assert not is_trained(tmp_path)
    fold = RunFolder(tmp_path / "fold-2")
    fold.hold()
    assert is_trained(tmp_path)
    assert is_trained(tmp_path)
    fold.release()
    assert not is_trained(tmp_path)
