"""The region tree: what it shows, what a click says, by mouse and by keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QModelIndex, QPoint, Qt
from PyQt6.QtTest import QAbstractItemModelTester
from PyQt6.QtWidgets import QMenu

from mtm_core.masking import tasks
from mtm_viewer.presenters.region_tree import Level, region_tree, unit_visibility
from mtm_viewer.theme import DARK, LIGHT
from mtm_viewer.views.region_tree import RegionTreeView
from mtm_viewer.views.region_tree_model import COUNT, EYE, NAME, RegionTreeModel
from tests.core.sessions import make_session

pytestmark = pytest.mark.gui
SESSION = make_session()
TREE = region_tree(SESSION, np.arange(24.0))
CLICK = Qt.MouseButton.LeftButton


@pytest.fixture
def view(qtbot):
    view = RegionTreeView()
    qtbot.addWidget(view)
    view.resize(260, 500)
    view.draw(TREE)
    view.draw_hint("Click: hide this region")
    with qtbot.waitExposed(view):
        view.show()
    return view


def shown(view: RegionTreeView) -> list[str]:
    """Names of the rows on show, from top to bottom."""
    model, names = view.model, []

    def walk(parent: QModelIndex) -> None:
        for row in range(model.rowCount(parent)):
            index = model.index(row, NAME, parent)
            names.append(model.data(index))
            if view.tree.isExpanded(index):
                walk(index)

    walk(QModelIndex())
    return names


def click(qtbot, view: RegionTreeView, index: QModelIndex) -> None:
    place = view.tree.visualRect(index).center()
    qtbot.mouseClick(view.tree.viewport(), CLICK, pos=place)


def test_the_model_keeps_the_rules_of_qt(qtbot):
    model = RegionTreeModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_tree(TREE)
    model.set_visibility(unit_visibility(tasks.inter_region("CA1").resolve(SESSION), 24))
    model.set_tree(None)
    assert tester.model() is model


def test_groups_are_open_and_regions_closed_at_first(view):
    assert shown(view) == ["Isocortex", "VISp", "HPF", "CA1", "DG"]


def test_units_stand_under_their_region(view):
    region = view.model.region_index("DG")
    view.tree.expand(region)
    assert view.model.rowCount(region) == 8
    assert "unit #8" in shown(view)


def test_counts_and_rates_stand_in_the_second_column(view):
    region = view.model.region_index("DG")
    assert view.model.data(region.siblingAtColumn(COUNT)) == "8"
    unit = view.model.index(0, COUNT, region)
    assert view.model.data(unit) == "8.0/s"


def test_hidden_regions_say_so_in_words(view):
    view.draw_visibility(unit_visibility(tasks.inter_region("CA1").resolve(SESSION), 24))
    said = view.model.data(view.model.region_index("CA1"), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "CA1, Field CA1: 8 units, hidden"
    group = view.model.parent(view.model.region_index("CA1"))
    assert view.model.sentence(group).endswith("16 units, partly hidden")


def test_the_eye_shows_hidden_and_visible_differently(view):
    view.draw_visibility(unit_visibility(tasks.inter_region("CA1").resolve(SESSION), 24))

    def icon(region: str) -> int:
        index = view.model.region_index(region).siblingAtColumn(EYE)
        return view.model.data(index, Qt.ItemDataRole.DecorationRole).cacheKey()

    assert icon("CA1") != icon("DG")
    assert icon("DG") == icon("VISp")


def test_a_new_mask_is_told_once_per_open_heading_not_per_unit(view):
    view.tree.expand(view.model.region_index("DG"))
    told: list[str] = []
    view.model.dataChanged.connect(
        lambda first, last: told.append(f"{view.model.item(first).name} {last.row() + 1}")
    )
    view.draw_visibility(np.zeros(24, dtype=np.int8))
    assert told == ["Isocortex 2", "VISp 1", "CA1 2", f"{SESSION.unit_id[8]} 8"]


def test_clicking_a_region_says_which(view, qtbot):
    with qtbot.waitSignal(view.region_clicked) as said:
        click(qtbot, view, view.model.region_index("CA1"))
    assert said.args == ["CA1"]


def test_clicking_a_group_says_which(view, qtbot):
    with qtbot.waitSignal(view.group_clicked) as said:
        click(qtbot, view, view.model.index(1, NAME))
    (item,) = said.args
    assert (item.level, item.name, item.regions) == (Level.GROUP, "HPF", ("CA1", "DG"))
    assert len(item.unit_ids) == 16


def test_clicking_a_unit_says_which(view, qtbot):
    region = view.model.region_index("CA1")
    view.tree.expand(region)
    with qtbot.waitSignal(view.unit_clicked) as said:
        click(qtbot, view, view.model.index(2, NAME, region))
    assert said.args == [str(SESSION.unit_id[2])]


def test_clicking_the_eye_is_told_apart(view, qtbot):
    with qtbot.assertNotEmitted(view.region_clicked), qtbot.waitSignal(view.eye_clicked) as said:
        click(qtbot, view, view.model.region_index("CA1").siblingAtColumn(EYE))
    (item,) = said.args
    assert (item.level, item.name, item.regions) == (Level.REGION, "CA1", ("CA1",))


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_the_keyboard_does_what_a_click_does(view, qtbot, key):
    view.show_region("DG")
    with qtbot.waitSignal(view.region_clicked) as said:
        qtbot.keyClick(view.tree, key)
    assert said.args == ["DG"]


def test_marking_a_region_is_no_click(view, qtbot):
    with qtbot.assertNotEmitted(view.region_clicked):
        view.show_region("DG")
    assert view.model.item(view.tree.currentIndex()).name == "DG"


def test_marking_a_unit_does_not_open_its_region(view):
    view.show_unit(str(SESSION.unit_id[0]))
    assert "unit #0" not in shown(view)
    view.tree.expand(view.model.region_index("CA1"))
    view.show_unit(str(SESSION.unit_id[0]))
    assert view.model.item(view.tree.currentIndex()).level is Level.UNIT


def test_searching_leaves_what_fits_and_opens_it(view, qtbot):
    qtbot.keyClicks(view.search, "0009")
    assert shown(view) == ["HPF", "DG", "unit #9"]
    view.search.clear()
    assert shown(view) == ["Isocortex", "VISp", "HPF", "CA1", "DG"]


def test_states_survive_a_search(view, qtbot):
    view.draw_visibility(unit_visibility(tasks.inter_region("DG").resolve(SESSION), 24))
    qtbot.keyClicks(view.search, "DG")
    assert view.model.sentence(view.model.region_index("DG")).endswith("hidden")


def test_enter_in_the_search_box_goes_to_the_first_region(view, qtbot):
    qtbot.keyClicks(view.search, "hippo")
    qtbot.keyClick(view.search, Qt.Key.Key_Return)
    assert view.model.item(view.tree.currentIndex()).name == "CA1"


def test_a_search_without_a_find_says_so(view, qtbot):
    qtbot.keyClicks(view.search, "zebra")
    assert view.empty.isVisible()
    assert "zebra" in view.empty.text()
    assert not view.tree.isVisible()


def test_without_a_session_it_says_so(view):
    view.draw(None)
    assert view.empty.text() == "No session is open."
    assert not view.hint.isVisible()


def test_the_theme_changes_the_icons(view):
    index = view.model.region_index("CA1").siblingAtColumn(EYE)
    light = view.model.data(index, Qt.ItemDataRole.DecorationRole).cacheKey()
    view.set_theme(DARK)
    assert view.model.data(index, Qt.ItemDataRole.DecorationRole).cacheKey() != light
    view.set_theme(LIGHT)
    assert view.model.data(index, Qt.ItemDataRole.DecorationRole).cacheKey() == light


def test_a_click_beside_the_rows_says_nothing(view, qtbot):
    with qtbot.assertNotEmitted(view.region_clicked), qtbot.assertNotEmitted(view.eye_clicked):
        qtbot.mouseClick(view.tree.viewport(), CLICK, pos=QPoint(20, 480))


def picked(qtbot, view, index: QModelIndex, modifier) -> list[str]:
    place = view.tree.visualRect(index).center()
    with qtbot.waitSignal(view.items_picked) as said:
        qtbot.mouseClick(view.tree.viewport(), CLICK, modifier, pos=place)
    return [item.name for item in said.args[0]]


def test_ctrl_picks_one_more_and_shift_all_from_the_last_click(view, qtbot):
    region = view.model.region_index
    assert picked(qtbot, view, region("CA1"), Qt.KeyboardModifier.ControlModifier) == ["CA1"]
    click(qtbot, view, region("DG"))
    shift = Qt.KeyboardModifier.ShiftModifier
    assert picked(qtbot, view, region("VISp"), shift) == ["VISp", "CA1", "DG"]
    assert picked(qtbot, view, region("VISp"), shift) == ["VISp"]


def test_a_range_of_units_holds_units_only(view, qtbot):
    region = view.model.region_index("CA1")
    view.tree.expand(region)
    click(qtbot, view, view.model.index(1, NAME, region))
    last = view.model.index(3, NAME, region)
    wanted = SESSION.unit_id[1:4].tolist()
    assert picked(qtbot, view, last, Qt.KeyboardModifier.ShiftModifier) == wanted


def test_the_keyboard_picks_too(view, qtbot):
    view.show_region("DG")
    with qtbot.waitSignal(view.items_picked) as said:
        qtbot.keyClick(view.tree, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert [item.name for item in said.args[0]] == ["DG"]


def test_the_menu_of_a_row_hides_it_alone_or_all_else(view, qtbot):
    item = view.model.item(view.model.region_index("DG"))
    menu = view.make_menu(item, "DG")
    texts = [action.text() for action in menu.actions()]
    hiding = ["Hide or show DG", "Hide only DG", "Show only DG, hide all else"]
    assert texts == [*hiding, "Pick DG in the population"]
    signals = (view.eye_clicked, view.only_chosen, view.others_chosen)
    *hide, pick = menu.actions()
    for action, signal in zip(hide, signals, strict=True):
        with qtbot.waitSignal(signal) as said:
            action.trigger()
        assert said.args == [item]
    with qtbot.waitSignal(view.picked) as picked:
        pick.trigger()
    assert picked.args == [item.unit_ids]
    menu.close()


def test_picked_units_are_bold_and_counted_in_their_headings(view):
    index = view.model.region_index("DG")
    item = view.model.item(index)
    view.draw_picked(frozenset(item.unit_ids[:2]))
    count = index.siblingAtColumn(COUNT)
    assert view.model.data(count) == f"2/{len(item.unit_ids)}"
    assert view.model.data(index, Qt.ItemDataRole.FontRole).bold()
    unit = view.model.index(0, NAME, index)
    assert view.model.sentence(unit).endswith(", picked")
    assert view.model.data(view.model.region_index("CA1"), Qt.ItemDataRole.FontRole) is None
    view.draw_picked(frozenset())
    assert view.model.data(count) == str(len(item.unit_ids))


def test_the_menu_opens_on_a_row_and_nowhere_else(view, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _: opened.append(menu.accessibleName()))
    view.tree.customContextMenuRequested.emit(QPoint(20, 480))
    assert opened == []
    place = view.tree.visualRect(view.model.region_index("DG")).center()
    view.tree.customContextMenuRequested.emit(place)
    assert opened == ["What to do with DG"]


def test_finer_areas_stand_under_their_beryl_region(qtbot):
    session = make_session(regions=("VISp1", "VISp2/3", "CA1"))
    model = RegionTreeModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_tree(region_tree(session, np.arange(24.0)))
    area = model.region_index("VISp1")
    beryl = model.parent(area)
    assert model.item(beryl).level is Level.BERYL
    assert model.item(beryl).regions == ("VISp1", "VISp2/3")
    assert model.item(model.parent(beryl)).name == "Isocortex"
    assert model.unit_index(str(session.unit_id[9])).parent() == model.region_index("VISp2/3")
    assert model.sentence(beryl).endswith("16 units, visible")
    assert tester.model() is model


def test_the_meaning_of_eyes_and_gestures_is_told(view):
    said = view.model.headerData(EYE, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    for word in ("Open eye", "Struck through", "Half open", "in turn"):
        assert word in said
    assert "Ctrl" in view.hint.toolTip()
    assert view.hint.accessibleDescription() == view.hint.toolTip()
