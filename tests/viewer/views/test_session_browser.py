"""The session browser and its parts, one widget at a time."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QLineEdit, QWidget

from mtm_core.data.one_records import DownloadProgress
from mtm_viewer.presenters.health import Chip
from mtm_viewer.presenters.session_list import SessionRow, region_badges
from mtm_viewer.presenters.transfer import TaskDrawable, download_task
from mtm_viewer.theme import DARK, LIGHT
from mtm_viewer.views.database_bar import DatabaseBar, DatabaseFilters
from mtm_viewer.views.details import SessionDetailsView
from mtm_viewer.views.drop_target import DropTarget
from mtm_viewer.views.health_strip import HealthStrip
from mtm_viewer.views.login_dialog import LoginDialog, LoginForm
from mtm_viewer.views.session_browser import SessionBrowser, ShelfDrawable, shelf_message
from mtm_viewer.views.session_table import fitting_badges
from mtm_viewer.views.task_strip import TaskStrip
from mtm_viewer.views.welcome import WelcomePage

pytestmark = pytest.mark.gui

ROWS = (
    SessionRow(source="/a.h5", name="a", n_units=9, regions=("CA1", "DG")),
    SessionRow(source="/b.h5", name="b", n_units=100),
    SessionRow(source="eid", name="c", is_local=False),
    SessionRow(source="/gone.h5", name="d", problem="It is gone."),
)


@pytest.fixture
def shown(qtbot):
    def show(widget):
        qtbot.addWidget(widget)
        widget.resize(900, 500)
        with qtbot.waitExposed(widget):
            widget.show()
        return widget

    return show


@pytest.fixture
def browser(shown):
    browser = shown(SessionBrowser())
    browser.draw(ShelfDrawable(rows=ROWS, n_all=9))
    return browser


def names(browser: SessionBrowser) -> list[str]:
    return [row.name for row in browser.table.sessions.rows]


def texts(browser: SessionBrowser, row: int) -> list[str]:
    model = browser.table.sessions
    return [model.index(row, column).data() for column in range(model.columnCount())]


def test_rows_and_their_number_are_shown(browser):
    assert names(browser) == list("abcd")
    assert texts(browser, 0) == ["a", "9", "CA1, DG", "at once"]
    assert browser.count.text() == "4 of 9 sessions"


def test_a_click_on_a_header_sorts_and_another_list_keeps_the_order(browser):
    model = browser.table.sessions
    titles = [model.headerData(k, Qt.Orientation.Horizontal) for k in range(model.columnCount())]
    units = titles.index("Units")
    browser.table.sortByColumn(units, Qt.SortOrder.DescendingOrder)
    assert names(browser)[:2] == ["b", "a"]
    browser.draw(ShelfDrawable(rows=ROWS[:2], n_all=2))
    assert names(browser) == ["b", "a"]
    model.sort(-1)
    browser.draw(ShelfDrawable(rows=ROWS[:2], n_all=2))
    assert names(browser) == ["a", "b"]


def test_the_cursor_stays_on_its_session(browser):
    browser.table.selectRow(1)
    browser.draw(ShelfDrawable(rows=ROWS[1:], n_all=9))
    assert browser.table.current().name == "b"
    browser.draw(ShelfDrawable(rows=ROWS[:1], n_all=9))
    assert browser.table.current() is None
    assert not browser.open.isEnabled()


def test_the_button_says_that_a_download_comes_first(browser):
    browser.table.selectRow(0)
    assert (browser.open.text(), browser.open.isEnabled()) == ("Open", True)
    browser.table.selectRow(2)
    assert browser.open.text() == "Download and open"
    browser.table.selectRow(3)
    assert not browser.open.isEnabled()


@pytest.mark.parametrize("way", ["double click", "enter", "button"])
def test_a_session_is_chosen(browser, qtbot, way):
    browser.table.selectRow(1)
    place = browser.table.visualRect(browser.table.sessions.index(1, 0)).center()
    viewport = browser.table.viewport()
    with qtbot.waitSignal(browser.session_chosen) as chosen:
        if way == "double click":
            qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place)
            qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=place)
        elif way == "enter":
            qtbot.keyClick(browser.table, Qt.Key.Key_Return)
        else:
            browser.open.click()
    assert chosen.args == [ROWS[1]]


def test_enter_in_an_empty_table_chooses_nothing(browser, qtbot):
    browser.draw(ShelfDrawable())
    with qtbot.assertNotEmitted(browser.session_chosen):
        qtbot.keyClick(browser.table, Qt.Key.Key_Return)
        browser.open.click()


def test_an_empty_list_says_why(browser):
    browser.draw(ShelfDrawable(message="Nothing here."))
    assert browser.message.isVisible()
    assert browser.message.text() == "Nothing here."
    browser.draw(ShelfDrawable(is_searching=True, message="Nothing here."))
    assert browser.count.text() == "searching…"
    assert browser.message.text() == ""


@pytest.mark.parametrize(
    ("shelf", "query", "problems", "said"),
    [
        ("disk", "", [], "Look in a folder"),
        ("bundled", "", [], "brought no recordings"),
        ("database", "", [], "fits these filters"),
        ("recent", " CA1 ", [], "No session fits 'CA1'"),
        ("disk", "x", ["The disk is gone."], "The disk is gone."),
    ],
)
def test_every_shelf_has_its_words_for_nothing(shelf, query, problems, said):
    assert said in shelf_message(shelf, query, problems)


def test_each_shelf_shows_its_own_fields(browser, qtbot):
    with qtbot.waitSignal(browser.shelf_chosen) as chosen:
        browser.choose_shelf("database")
    assert chosen.args == ["database"]
    assert browser.database.isVisible()
    assert not browser.scan.isVisible()
    browser.choose_shelf("disk")
    assert browser.scan.isVisible()
    assert not browser.database.isVisible()


def test_each_shelf_keeps_what_was_searched_for_on_it(browser, qtbot):
    qtbot.keyClicks(browser.search, "CA1")
    with qtbot.assertNotEmitted(browser.searched):
        browser.choose_shelf("database")
        assert browser.search.text() == ""
        browser.choose_shelf("bundled")
        assert browser.search.text() == "CA1"


def test_shelves_say_how_many_they_hold(browser):
    browser.draw_shelves({"bundled": "14", "database": "offline"})
    assert [browser.shelves.item(k).text() for k in range(4)] == [
        *("Bundled   14", "Recent", "On disk", "IBL database   offline")
    ]


def test_typing_and_enter_are_told(browser, qtbot):
    with qtbot.waitSignal(browser.searched) as typed:
        qtbot.keyClicks(browser.search, "x")
    assert typed.args == ["x"]
    with qtbot.waitSignal(browser.entered) as entered:
        qtbot.keyClick(browser.search, Qt.Key.Key_Return)
    assert entered.args == ["x"]


def test_the_keyboard_goes_on_to_the_list(browser):
    browser.window().activateWindow()
    browser.go_to_list()
    assert browser.table.current().name == "a"


def test_regions_are_drawn_in_their_colours(browser):
    picture = browser.table.viewport().grab().toImage()
    colours = {
        picture.pixelColor(x, y).name()
        for y in range(0, 40, 2)
        for x in range(0, picture.width(), 2)
    }
    assert {badge.colour for badge in region_badges(["CA1"])} <= colours
    browser.table.selectRow(0)
    assert isinstance(browser.table.viewport().grab().toImage(), QImage)


def test_badges_that_do_not_fit_are_counted(browser):
    badges = region_badges(["CA1", "DG", "VISp", "MOs"])
    metrics = browser.fontMetrics()
    assert fitting_badges(badges, metrics, 1000) == 4
    assert 0 < fitting_badges(badges, metrics, 120) < 4
    assert fitting_badges(badges, metrics, 5) == 0
    narrow = [SessionRow(source="x", name="x", regions=tuple(b.text for b in badges) * 9)]
    browser.draw(ShelfDrawable(rows=tuple(narrow), n_all=1))
    browser.table.viewport().grab()


@pytest.fixture
def bar(shown):
    bar = shown(DatabaseBar())
    bar.draw_choices(["alab", "blab"], ["paper-40"], ["CA1", "DG"])
    return bar


def test_filters_are_told_as_they_are_chosen(bar, qtbot):
    with qtbot.waitSignal(bar.changed):
        bar.lab.setCurrentIndex(2)
        bar.lab.activated.emit(2)
    bar.region.setText("CA1")  # typing would open the list of completions
    qtbot.keyClicks(bar.date_from, "2020")
    qtbot.keyClicks(bar.date_to, "2020-02")
    assert bar.filters == DatabaseFilters(
        lab="blab", region="CA1", date_from="2020-01-01", date_to="2020-02-29"
    )
    with qtbot.waitSignal(bar.changed):
        bar.clear()
    assert bar.filters == DatabaseFilters()
    with qtbot.assertNotEmitted(bar.changed):
        bar.clear()


def test_half_a_date_is_marked_and_not_searched_for(bar, qtbot):
    with qtbot.assertNotEmitted(bar.changed):
        qtbot.keyClicks(bar.date_from, "20")
    assert LIGHT.bad in bar.date_from.styleSheet()
    qtbot.keyClicks(bar.date_from, "20")
    assert LIGHT.bad not in bar.date_from.styleSheet()


@pytest.mark.parametrize(
    ("link", "visible"),
    [
        ("online", {"login"}),
        ("offline", {"login", "retry", "offline"}),
        ("local", {"login", "retry"}),
        ("login", {"login", "retry", "offline"}),
        ("connecting", set()),
    ],
)
def test_the_connection_offers_what_helps(bar, link, visible):
    bar.draw_link(link, "A sentence.")
    buttons = {"login": bar.login, "retry": bar.retry, "offline": bar.offline}
    assert {name for name, button in buttons.items() if button.isVisible()} == visible
    assert bar.words.text() == "A sentence."
    bar.set_theme(DARK)


def test_the_buttons_of_the_connection_are_told(bar, qtbot):
    bar.draw_link("login", "Log in.")
    for button, signal in (
        (bar.login, bar.login_requested),
        (bar.retry, bar.retry_requested),
        (bar.offline, bar.offline_requested),
    ):
        with qtbot.waitSignal(signal):
            button.click()


@pytest.fixture
def login(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    dialog = LoginDialog(LoginForm(username="me"), LIGHT, window)
    dialog.show()
    yield dialog
    del window


def accept(dialog: LoginDialog):
    return dialog.buttons.button(dialog.buttons.StandardButton.Ok)


def test_secrets_are_masked_and_not_shown(login):
    for field in (login.password, login.token):
        assert field.echoMode() is QLineEdit.EchoMode.Password
    login.password.setText("hush")
    assert "hush" not in repr(login.form)


def test_a_login_needs_a_password_or_a_token(login, qtbot):
    assert not accept(login).isEnabled()
    qtbot.keyClicks(login.password, "hush")
    assert accept(login).isEnabled()
    login.by_token.setChecked(True)
    assert not accept(login).isEnabled()
    assert not login.password.isVisible()
    qtbot.keyClicks(login.token, "abc")
    with qtbot.waitSignal(login.submitted) as sent:
        accept(login).click()
    assert (sent.args[0].token, sent.args[0].password) == ("abc", "")
    assert login.busy.isVisible()
    assert not accept(login).isEnabled()


def test_a_wrong_password_can_be_corrected(login, qtbot):
    qtbot.keyClicks(login.password, "hush")
    accept(login).click()
    login.tell("The password was not accepted.")
    assert login.problem.isVisible()
    assert accept(login).isEnabled()
    with qtbot.waitSignal(login.cancelled):
        login.reject()


def test_the_strip_of_a_task_shows_what_is_known(shown, qtbot):
    strip = shown(TaskStrip("Downloading a session"))
    assert strip.cancel.accessibleName() == "Cancel: downloading a session"
    strip.draw(TaskDrawable(title="Reading"))
    assert (strip.progress.minimum(), strip.progress.maximum()) == (0, 0)
    half = DownloadProgress(stage="downloading", n_bytes=5, n_bytes_total=10)
    strip.draw(download_task("KS014", half, 0))
    assert strip.progress.value() == 500
    with qtbot.waitSignal(strip.cancelled):
        strip.cancel.click()
    strip.set_theme(DARK)
    strip.draw(None)
    assert not strip.isVisible()


def test_the_health_strip_shows_chips_and_asks_for_more(shown, qtbot):
    strip = shown(HealthStrip())
    chips = (
        Chip(name="Origin", text="simulated", tooltip="A program.", role="warning", is_badge=True),
        Chip(name="Trials", text="24 of 30 trials kept: 6 slow", tooltip="6 slow"),
        Chip(name="Drift", text="rate +3 %", tooltip="rates", bars=(1.0, 0.5)),
    )
    strip.draw(chips, can_prepare=True)
    assert strip.labels["Trials"].text() == "24 of 30 trials kept: 6 slow"
    assert strip.labels["Origin"].toolTip() == "A program."
    for button, signal in (
        (strip.details, strip.details_requested),
        (strip.settings, strip.settings_requested),
    ):
        with qtbot.waitSignal(signal):
            button.click()
    strip.set_theme(DARK)
    assert strip.settings.isVisible()
    assert DARK.warning in strip.labels["Origin"].styleSheet()
    strip.draw(chips[:1], can_prepare=False)
    assert not strip.settings.isVisible()
    assert strip.sizeHint().width() == 0
    strip.grab()


def test_the_first_page_offers_ways_to_begin(shown, qtbot):
    page = shown(WelcomePage())
    for button, signal in (
        (page.demo, page.demo_requested),
        (page.open, page.open_requested),
        (page.folder, page.folder_requested),
    ):
        with qtbot.waitSignal(signal):
            button.click()
    page.draw(has_demo=False, session="KS014")
    assert not page.demo.isEnabled()
    with qtbot.waitSignal(page.back_requested):
        page.back.click()


def test_what_can_be_dropped_is_shown_over_everything(shown):
    window = shown(WelcomePage())
    target = DropTarget(window)
    target.set_theme(DARK)
    target.draw(is_shown=True)
    assert target.isVisible()
    assert window.childAt(QPoint(5, 5)) is not target  # it takes no clicks
    target.draw(is_shown=False)
    assert not target.isVisible()


def test_the_details_can_be_read_and_copied(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    view = SessionDetailsView("KS014", "<b>Licence</b> CC0", window)
    view.show()
    assert view.text.toPlainText() == "Licence CC0"
    view.reject()
