"""What a click on the rasters means: a unit, a region, several of them, a dab, a title's menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QPointF, Qt

from mtm_viewer.views.panel_menu import PanelMenu

if TYPE_CHECKING:
    from mtm_viewer.views.raster_view import RasterView

_PICKING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class RasterClicks(QObject):
    """Turns clicks on the scene of a raster view into its signals.

    Parameters
    ----------
    view : RasterView
        The view; it lives as long as this does.
    """

    def __init__(self, view: RasterView) -> None:
        super().__init__(view)
        self._view = view
        self._anchors: dict[str, int] = {}
        view.graphics.scene().sigMouseClicked.connect(self._on_clicked)

    def forget(self) -> None:
        """Begin ranges anew: the rows are others now."""
        self._anchors.clear()

    def open_panel_menu(self, place: int) -> None:
        """Offer what can stand in a panel, under its title."""
        view = self._view
        title = view.plots[place].titleLabel
        corner = view.graphics.mapFromScene(title.mapToScene(title.boundingRect().bottomLeft()))
        shown = "" if view.drawable is None else view.drawable.panels[place].name
        menu = PanelMenu(place, shown, view)
        menu.chosen.connect(lambda name: view.panel_chosen.emit(place, name))
        menu.popup(view.graphics.mapToGlobal(corner))

    def _on_clicked(self, event: object) -> None:
        view, position = self._view, event.scenePos()  # type: ignore[attr-defined]
        place = self._title_under(position)
        is_right = event.button() == Qt.MouseButton.RightButton  # type: ignore[attr-defined]
        if view.drawable is None or is_right:  # that one opens the panel's menu
            return
        if place is not None:
            self.open_panel_menu(place)
        elif event.double() and not view.tools.is_painting:  # type: ignore[attr-defined]
            self.zoom(position)
        elif view.column.holds(position):
            self._click_band(position, event.modifiers())  # type: ignore[attr-defined]
        else:
            self._click_entry(position, event.modifiers())  # type: ignore[attr-defined]

    def _click_entry(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        view, plot = self._view, self._view.plot_under(position)
        entry = None if plot is None else plot.entry_under(position)
        if entry is None or plot is None or view.drawable is None:
            return
        if view.tools.is_painting:
            view.painter.dab(plot, *entry)
            return
        units = view.drawable.rows.unit_id.tolist()
        if modifiers & _PICKING:
            picked = self._picked("row", entry[0], modifiers)
            view.units_picked.emit([units[row] for row in picked])
            return
        self._anchors["row"] = entry[0]
        view.unit_clicked.emit(units[entry[0]])

    def _click_band(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        view = self._view
        band = view.column.region_under(position)
        if band is None or view.drawable is None:
            return
        bands = view.drawable.rows.bands
        if modifiers & _PICKING:
            picked = self._picked("band", bands.index(band), modifiers)
            view.regions_picked.emit([bands[place].region for place in picked])
            return
        self._anchors["band"] = bands.index(band)
        view.region_clicked.emit(band.region)

    def _picked(self, kind: str, place: int, modifiers: Qt.KeyboardModifier) -> range:
        """Say which rows or bands a click with Ctrl or Shift means; it is the next anchor."""
        anchor = self._anchors.get(kind, place)
        self._anchors[kind] = place
        if not modifiers & Qt.KeyboardModifier.ShiftModifier:
            anchor = place
        return range(min(anchor, place), max(anchor, place) + 1)

    def zoom(self, position: QPointF) -> None:
        """Zoom in on the region at a place of the scene, or out where there is none."""
        column = self._view.column
        band = column.region_under(position) if column.holds(position) else None
        if band is None:
            self._view.show_all()
        else:
            self._view.show_region(band.region)

    def _title_under(self, position: QPointF) -> int | None:
        for place, plot in enumerate(() if self._view.is_plain else self._view.plots):
            if plot.titleLabel.sceneBoundingRect().contains(position):
                return place
        return None
