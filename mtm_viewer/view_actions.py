"""Commands of the View menu: zoom, maps, scale, colours, order of rows, theme."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from mtm_core.evaluation.colour_scale import ScaleName
from mtm_core.evaluation.rastermap_order import HOW_TO_GET, has_rastermap
from mtm_core.evaluation.row_order import ORDER_WORDS, ORDERS, WithinName
from mtm_viewer.commands import Command
from mtm_viewer.presenters.raster_settings import (
    PANEL_WORDS,
    PLACES,
    PanelName,
    RasterSettings,
)
from mtm_viewer.state import Display, ViewerState
from mtm_viewer.theme import COLOUR_MAPS, THEMES

SCALES: dict[ScaleName, str] = {
    "sqrt": "Square-root scale",
    "linear": "Linear scale",
    "log": "Logarithmic scale",
    "zscore": "Z-score by training mean and SD",
    "peak": "Each unit by its training peak",
}
SMOOTHINGS_MS = (0, 10, 20, 40)
BRIGHTER = 0.8
"""One step of the upper level of the colours."""
_RIGHT = 2


class ViewDeeds(Protocol):
    """What these commands ask to be done."""

    @property
    def state(self) -> ViewerState:
        """The state of the program."""

    def zoom(self, *, to_region: bool) -> None:
        """Zoom the rasters."""

    def scale_levels(self, factor: float) -> None:
        """Multiply the upper level of the colours."""


def view_commands(deeds: ViewDeeds) -> list[Command]:
    """Return the commands of the View menu."""
    state = deeds.state
    return [
        Command(
            id="view.all",
            title="Zoom out",
            menu="View",
            shortcut="Ctrl+Home",
            help="Show all units and the whole window.",
            run=lambda: deeds.zoom(to_region=False),
        ),
        Command(
            id="view.region",
            title="Zoom to the region",
            menu="View",
            shortcut="Ctrl+R",
            help="Show the rows of the region that the mask targets.",
            run=lambda: deeds.zoom(to_region=True),
            is_enabled=lambda: state.mask.region is not None,
        ),
        Command(
            id="view.difference",
            title="Difference in the third raster",
            menu="View",
            shortcut="Ctrl+B",
            help="Show true minus reconstructed, in units of the expected Poisson error.",
            run=lambda: _toggle_difference(state),
            is_checked=lambda: state.display.raster.panels[_RIGHT] == "difference",
        ),
        *(_panel(state, place, name) for place in range(len(PLACES)) for name in PANEL_WORDS),
        *(_scale(state, name, title) for name, title in SCALES.items()),
        *_levels(deeds),
        *(_smoothing(state, sigma_ms) for sigma_ms in SMOOTHINGS_MS),
        *(_colours(state, name) for name in COLOUR_MAPS),
        *(_order(state, name) for name in ORDERS),
        _grouping(state),
        *(_theme(state, name) for name in THEMES),
    ]


def _scale(state: ViewerState, name: ScaleName, title: str) -> Command:
    return Command(
        id=f"view.scale.{name}",
        title=title,
        menu="View/Colour scale",
        run=lambda: _show(state, state.display.raster.with_scale(name)),
        is_checked=lambda: state.display.raster.scale == name,
    )


def _levels(deeds: ViewDeeds) -> list[Command]:
    state = deeds.state
    return [
        Command(
            id="view.levels.brighter",
            title="Brighter",
            menu="View/Colour scale",
            shortcut="Ctrl+]",
            help="Lower the value that takes the brightest colour.",
            run=lambda: deeds.scale_levels(BRIGHTER),
            is_enabled=lambda: state.workspace is not None,
            starts_group=True,
        ),
        Command(
            id="view.levels.darker",
            title="Darker",
            menu="View/Colour scale",
            shortcut="Ctrl+[",
            help="Raise the value that takes the brightest colour.",
            run=lambda: deeds.scale_levels(1 / BRIGHTER),
            is_enabled=lambda: state.workspace is not None,
        ),
        Command(
            id="view.levels.auto",
            title="Automatic levels",
            menu="View/Colour scale",
            help="Let the true map decide: its 99th percentile takes the brightest colour.",
            run=lambda: _set_raster(state, levels=None),
            is_checked=lambda: state.display.raster.levels is None,
        ),
    ]


def _panel(state: ViewerState, place: int, name: PanelName) -> Command:
    return Command(
        id=f"view.panel.{PLACES[place]}.{name}",
        title=PANEL_WORDS[name],
        menu=f"View/{PLACES[place].capitalize()} raster",
        run=lambda: _show(state, state.display.raster.with_panel(place, name)),
        is_checked=lambda: state.display.raster.panels[place] == name,
    )


def _grouping(state: ViewerState) -> Command:
    return Command(
        id="view.order.by_region",
        title="Keep regions together",
        menu="View/Order of rows",
        help="Order units within their region; otherwise all units are ordered as one.",
        run=lambda: state.set_display(
            replace(state.display, is_by_region=not state.display.is_by_region)
        ),
        is_checked=lambda: state.display.is_by_region,
        starts_group=True,
    )


def _smoothing(state: ViewerState, sigma_ms: int) -> Command:
    return Command(
        id=f"view.smoothing.{sigma_ms}",
        title=f"{sigma_ms} ms" if sigma_ms else "None",
        menu="View/Smoothing",
        help="Smooth true and model alike with a Gaussian of this standard deviation.",
        run=lambda: _set_raster(state, sigma_s=sigma_ms / 1000),
        is_checked=lambda: round(state.display.raster.sigma_s * 1000) == sigma_ms,
    )


def _colours(state: ViewerState, name: str) -> Command:
    return Command(
        id=f"view.colours.{name}",
        title=name.capitalize(),
        menu="View/Colour map",
        run=lambda: _set_raster(state, colour_map=name),
        is_checked=lambda: state.display.raster.colour_map == name,
    )


def _order(state: ViewerState, name: WithinName) -> Command:
    return Command(
        id=f"view.order.{name}",
        title=ORDER_WORDS.get(name, "automatic").capitalize(),
        menu="View/Order of rows",
        run=lambda: state.set_display(replace(state.display, within=name)),
        help=_order_help(name),
        is_enabled=lambda: can_order_by(state, name),
        is_checked=lambda: state.display.within == name,
    )


def _order_help(name: WithinName) -> str:
    if name != "rastermap":
        return ""
    if not has_rastermap():
        return HOW_TO_GET
    return "Let Rastermap order the units of each region; it can take a minute the first time."


def can_order_by(state: ViewerState, name: WithinName) -> bool:
    """Tell whether rows can be put in this order here, in the session that is open."""
    if name == "rastermap":
        return has_rastermap()
    return name != "depth" or state.has_unit_field("depth_um")


def _theme(state: ViewerState, name: str) -> Command:
    return Command(
        id=f"view.theme.{name}",
        title=f"{name.capitalize()} colours",
        menu="View",
        run=lambda: state.set_theme(THEMES[name]),
        is_checked=lambda: state.theme.name == name,
        starts_group=name == next(iter(THEMES)),
    )


def _toggle_difference(state: ViewerState) -> None:
    raster = state.display.raster
    is_on = raster.panels[_RIGHT] == "difference"
    _show(state, raster.with_panel(_RIGHT, "temporal" if is_on else "difference"))


def _set_raster(state: ViewerState, **changes: object) -> None:
    _show(state, replace(state.display.raster, **changes))  # type: ignore[arg-type]


def _show(state: ViewerState, raster: RasterSettings) -> None:
    display: Display = state.display
    state.set_display(replace(display, raster=raster))
