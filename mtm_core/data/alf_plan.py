"""Which datasets of a session are read: one plan, followed by the reader and by the download."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mtm_core.data.alf_files import AlfFiles, AlfName

SORTERS = ("iblsorter", "pykilosort")
"""Sorter folders in order of preference, after the one that was asked for."""
ROOT = "alf"
SPIKES = ("times", "clusters")
REGION_IDS = "brainLocationIds_ccf_2017"
REGION_ACRONYMS = "brainLocationAcronyms_ccf_2017"
CHANNELS = ("mlapdv", "localCoordinates", REGION_IDS)
CLUSTERS = (
    "channels",
    "depths",
    "metrics",
    "uuids",
    "mlapdv",
    REGION_IDS,
    REGION_ACRONYMS,
)
TRIALS = (
    "table",
    "intervals",
    "stimOn_times",
    "goCue_times",
    "firstMovement_times",
    "response_times",
    "feedback_times",
    "stimOff_times",
    "choice",
    "contrastLeft",
    "contrastRight",
    "probabilityLeft",
    "feedbackType",
    "rewardVolume",
)
WHEEL = ("timestamps", "position", "velocity")
CAMERAS = ("leftCamera", "rightCamera")
CAMERA = ("times", "ROIMotionEnergy")

_KEY_OF_TRIALS = ("table", "stimOn_times", "choice")
_TASK = re.compile(rf"{ROOT}/task_\d+")

Object = Mapping[str, AlfName]
"""The files of an ALF object by attribute."""


@dataclass(frozen=True, kw_only=True)
class ProbePlan:
    """The datasets of one probe.

    Parameters
    ----------
    probe : str
        Label, for example ``"probe00"``.
    collection : str
        The sorter folder, for example ``"alf/probe00/pykilosort"``.
    spikes, clusters, channels, sites : mapping of str to AlfName
        Files by attribute; `sites` are those of ``electrodeSites``.
    passing : AlfName or None
        The table of the spikes of good units, where it stands in for all spikes.
    """

    probe: str
    collection: str
    spikes: Object
    clusters: Object
    channels: Object
    sites: Object
    passing: AlfName | None = None


@dataclass(frozen=True, kw_only=True)
class AlfPlan:
    """The datasets of one session that are read.

    Parameters
    ----------
    files : AlfFiles
        Where they were chosen from.
    probes : tuple of ProbePlan
        In the order of their labels.
    trials, wheel, licks : mapping of str to mapping
        The object by collection: ``alf`` alone, or every ``alf/task_NN`` that has it.
    cameras : mapping of str to mapping
        ``leftCamera`` and ``rightCamera`` as far as they are there.
    origin : AlfName or None
        Our own note of where the recording came from (`alf_origin`).
    """

    files: AlfFiles
    probes: tuple[ProbePlan, ...]
    trials: Mapping[str, Object]
    wheel: Mapping[str, Object]
    licks: Mapping[str, Object]
    cameras: Mapping[str, Object] = field(default_factory=dict)
    origin: AlfName | None = None

    def datasets(self) -> list[AlfName]:
        """Return every dataset that is read, sorted by path."""
        parts: list[Object] = [*self.trials.values(), *self.wheel.values()]
        parts += [*self.licks.values(), *self.cameras.values()]
        for probe in self.probes:
            parts += [probe.spikes, probe.clusters, probe.channels, probe.sites]
        single = [self.origin, *(probe.passing for probe in self.probes)]
        names = [name for part in parts for name in part.values()]
        return sorted([*names, *filter(None, single)], key=lambda name: name.path)


def make_plan(
    paths: Iterable[str], *, revision: str | None = None, sorter: str | None = None
) -> AlfPlan:
    """Choose the datasets to read from those that a session has.

    Parameters
    ----------
    paths : iterable of str
        Relative to the session folder, with forward slashes.
    revision : str or None
        The last revision that may serve; None for the newest of each dataset.
    sorter : str or None
        The sorter folder to prefer.

    Returns
    -------
    AlfPlan
        Parts that the session lacks are empty.
    """
    files = AlfFiles(paths, revision=revision)
    chosen = sorter_collections(files, sorter)
    cameras = {name: files.find_object(name, CAMERA, ROOT) for name in CAMERAS}
    return AlfPlan(
        files=files,
        probes=tuple(_probe(files, probe, chosen[probe]) for probe in sorted(chosen)),
        trials=_by_task(files, "trials", TRIALS, _KEY_OF_TRIALS),
        wheel=_by_task(files, "wheel", WHEEL, WHEEL[1:]),
        licks=_by_task(files, "licks", ("times",), ("times",)),
        cameras={name: parts for name, parts in cameras.items() if parts},
        origin=files.find("session", "origin", ROOT),
    )


def sorter_collections(files: AlfFiles, sorter: str | None = None) -> dict[str, str]:
    """Return the sorter folder to read for each probe.

    Among the folders that hold spikes, the one of the asked sorter, else of iblsorter, else of
    pykilosort, else the one with the shortest path. A folder with nothing but the spikes of good
    units (``passingSpikes``) is used where no other holds spikes.
    """
    found = _collections_with(files, "passingSpikes", ("table",))
    found |= _collections_with(files, "spikes", SPIKES)
    return {probe: _preferred(probe, found[probe], sorter) for probe in found}


def _collections_with(
    files: AlfFiles, object_: str, attributes: Iterable[str]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for collection in files.collections:
        if files.find_object(object_, attributes, collection):
            found.setdefault(_probe_of(collection), []).append(collection)
    return {probe: where for probe, where in found.items() if probe}


def _probe_of(collection: str) -> str:
    """Return the probe's label; spikes right in ``alf`` count as those of ``probe00``."""
    top, *below = collection.split("/")
    if top != ROOT:
        return ""
    return below[0] if below else "probe00"


def _preferred(probe: str, collections: list[str], sorter: str | None) -> str:
    for name in filter(None, (sorter, *SORTERS)):
        if (wanted := f"{ROOT}/{probe}/{name}") in collections:
            return wanted
    return min(collections, key=lambda collection: (len(collection), collection))


def _probe(files: AlfFiles, probe: str, collection: str) -> ProbePlan:
    spikes = files.find_object("spikes", SPIKES, collection)
    clusters = files.find_object("clusters", CLUSTERS, collection)
    table = files.find("clusters", "table", collection)
    if table is not None:
        clusters.setdefault("metrics", table)
    return ProbePlan(
        probe=probe,
        collection=collection,
        spikes=spikes,
        clusters=clusters,
        channels=files.find_object("channels", CHANNELS, collection, f"{ROOT}/{probe}"),
        sites=files.find_object("electrodeSites", CHANNELS, f"{ROOT}/{probe}"),
        passing=None if spikes else files.find("passingSpikes", "table", collection),
    )


def _by_task(
    files: AlfFiles, object_: str, attributes: Iterable[str], keys: Iterable[str]
) -> dict[str, Object]:
    def has_it(collection: str) -> bool:
        return bool(files.find_object(object_, keys, collection))

    tasks = [name for name in files.collections if _TASK.fullmatch(name) and has_it(name)]
    where = [ROOT] if has_it(ROOT) else tasks
    return {name: files.find_object(object_, attributes, name) for name in where}
