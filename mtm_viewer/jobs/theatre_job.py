"""Rasters of single trials, drawn off the GUI thread: the newest trial wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.raster_drawable import RasterDrawable
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.theatre import shared_trial_levels, trial_raster

ShouldStop = Callable[[], bool]


@dataclass(frozen=True, eq=False, kw_only=True)
class TheatreRequest:
    """A trial to draw.

    Parameters
    ----------
    picture : Picture
        What is on screen.
    trial : int
        Row of the session.
    settings : RasterSettings
        The look; levels of None are those that all trials share.
    regions : tuple of str
        Show the rows of these regions only; none shows all.
    """

    picture: Picture
    trial: int
    settings: RasterSettings
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class TheatreScene:
    """A trial that was drawn.

    Parameters
    ----------
    trial : int
        Row of the session.
    raster : RasterDrawable
        Its maps.
    """

    trial: int
    raster: RasterDrawable


class TheatreJob:
    """The work of the theatre's thread; keeps the levels that the trials of a picture share."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Picture, tuple[RasterSettings, Levels | None]]
        self._known = WeakKeyDictionary()

    def __call__(self, request: object, should_stop: ShouldStop) -> Iterator[object]:
        """Yield a `TheatreScene`, or nothing where the picture does not hold the trial."""
        if not isinstance(request, TheatreRequest):
            msg = f"This thread draws single trials; it cannot do {type(request).__name__}."
            raise TypeError(msg)
        settings = replace(request.settings, levels=self._levels(request))
        raster = trial_raster(request.picture, request.trial, settings, request.regions)
        if raster is not None and not should_stop():
            yield TheatreScene(trial=request.trial, raster=raster)

    def _levels(self, request: TheatreRequest) -> Levels | None:
        if request.settings.levels is not None:
            return request.settings.levels
        known = self._known.get(request.picture)
        if known is None or known[0] != request.settings:
            known = request.settings, shared_trial_levels(request.picture, request.settings)
            self._known[request.picture] = known
        return known[1]
