"""The filters of the IBL database, and whether it can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.session_list import read_date
from mtm_viewer.theme import LIGHT, Theme, mix
from mtm_viewer.views.selector import fill_selector, selector
from mtm_viewer.views.status import ElidedLabel

LinkName = Literal["unknown", "connecting", "online", "offline", "local", "login"]

_LINK_WORDS: dict[LinkName, str] = {
    "unknown": "not connected",
    "connecting": "connecting\N{HORIZONTAL ELLIPSIS}",
    "online": "online",
    "offline": "offline",
    "local": "offline",
    "login": "not logged in",
}


@dataclass(frozen=True, kw_only=True)
class DatabaseFilters:
    """What sessions of the database must fit; "" is any.

    Parameters
    ----------
    lab, region, pick_list : str
        Laboratory, acronym, name of a release or pick list.
    date_from, date_to : str
        ISO 8601, both included.
    """

    lab: str = ""
    region: str = ""
    pick_list: str = ""
    date_from: str = ""
    date_to: str = ""


class DatabaseBar(QWidget):
    """Filters, a badge of the connection, and ways to mend it.

    Notes
    -----
    Signals: `changed` the filters, `login_requested`, `retry_requested`, `offline_requested`
    nothing.
    """

    changed = pyqtSignal(object)
    login_requested = pyqtSignal()
    retry_requested = pyqtSignal()
    offline_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._link: LinkName = "unknown"
        self.lab = selector(self, "Lab", "Sessions of one laboratory.")
        self.pick_list = selector(self, "Release or list", "Sessions of a release or pick list.")
        self.region = QLineEdit(self)
        self.region.setAccessibleName("Region")
        self.region.setPlaceholderText("region, e.g. CA1")
        self.region.setToolTip("Sessions with a probe in this region (Allen acronym).")
        self.region.setFixedWidth(130)
        self.date_from = _date_field("From date", self)
        self.date_to = _date_field("To date", self)
        self.badge = QLabel(self)
        self.badge.setAccessibleName("Connection to the database")
        self.words = ElidedLabel("What the connection says", self)
        self.login = QPushButton("Log in…", self)
        self.retry = QPushButton("Try again", self)
        self.offline = QPushButton("Work offline", self)
        self.offline.setToolTip("Go on with the sessions that were downloaded before.")
        self._lay_out()
        self._connect()
        self.draw_choices((), (), ())
        self.draw_link("unknown")

    @property
    def filters(self) -> DatabaseFilters:
        """What is chosen."""
        return DatabaseFilters(
            lab=self.lab.currentData() or "",
            region=self.region.text().strip(),
            pick_list=self.pick_list.currentData() or "",
            date_from=read_date(self.date_from.text()) or "",
            date_to=read_date(self.date_to.text(), is_end=True) or "",
        )

    def draw_choices(
        self, labs: Sequence[str], pick_lists: Sequence[str], regions: Sequence[str]
    ) -> None:
        """List what can be chosen; what is chosen stays."""
        chosen = self.filters
        fill_selector(self.lab, {"": "any lab"} | {name: name for name in labs}, chosen.lab)
        lists = {"": "every session"} | {name: name for name in pick_lists}
        fill_selector(self.pick_list, lists, chosen.pick_list)
        if regions:
            completer = QCompleter(list(regions), self.region)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            self.region.setCompleter(completer)

    def draw_link(self, link: LinkName, sentence: str = "") -> None:
        """Show whether the database can be reached, and what can be done about it."""
        self._link = link
        self.badge.setText(_LINK_WORDS[link])
        self.badge.setToolTip(sentence)
        self.badge.setAccessibleDescription(sentence)
        self.words.setText(sentence)
        self.words.setVisible(bool(sentence))
        self.login.setVisible(link != "connecting")
        self.login.setText("Log in…" if link != "online" else "Account…")
        self.retry.setVisible(link in ("offline", "local", "login"))
        self.offline.setVisible(link in ("offline", "login"))
        self.set_theme(self._theme)

    def clear(self) -> None:
        """Take all filters away."""
        before = self.filters
        fields = (self.lab, self.pick_list, self.region, self.date_from, self.date_to)
        blockers = [QSignalBlocker(field) for field in fields]
        self.lab.setCurrentIndex(0)
        self.pick_list.setCurrentIndex(0)
        for field in (self.region, self.date_from, self.date_to):
            field.clear()
        del blockers
        if self.filters != before:
            self.changed.emit(self.filters)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self._theme = theme
        colour = {
            "online": theme.good,
            "offline": theme.warning,
            "local": theme.warning,
            "login": theme.warning,
        }.get(self._link, theme.muted)
        back = mix(theme.panel, colour, 0.14)
        self.badge.setStyleSheet(
            f"color: {colour}; background: {back}; border: 1px solid {colour};"
            "border-radius: 9px; padding: 2px 9px;"
        )
        self.words.setStyleSheet(f"color: {theme.muted};")

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setSpacing(6)
        for text, field in (
            ("Lab", self.lab),
            ("List", self.pick_list),
            ("Region", self.region),
            ("From", self.date_from),
            ("to", self.date_to),
        ):
            label = QLabel(text, self)
            label.setBuddy(field)
            filters.addWidget(label)
            filters.addWidget(field)
        filters.addStretch(1)
        link = QHBoxLayout()
        link.setSpacing(8)
        link.addWidget(self.badge)
        link.addWidget(self.words, 1)
        link.addStretch(0)
        for button in (self.retry, self.offline, self.login):
            link.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(filters)
        column.addLayout(link)

    def _connect(self) -> None:
        for box in (self.lab, self.pick_list):
            box.activated.connect(lambda _: self._tell())
        self.region.textChanged.connect(lambda _: self._tell())
        for field in (self.date_from, self.date_to):
            field.textChanged.connect(lambda _: self._on_date())
        self.login.clicked.connect(lambda _: self.login_requested.emit())
        self.retry.clicked.connect(lambda _: self.retry_requested.emit())
        self.offline.clicked.connect(lambda _: self.offline_requested.emit())

    def _on_date(self) -> None:
        """Mark what is no date yet; half a date is not searched for."""
        fields = (self.date_from, self.date_to)
        is_wrong = [bool(f.text().strip()) and read_date(f.text()) is None for f in fields]
        for field, wrong in zip(fields, is_wrong, strict=True):
            colour = self._theme.bad if wrong else self._theme.text
            field.setStyleSheet(f"color: {colour};")
        if not any(is_wrong):
            self._tell()

    def _tell(self) -> None:
        self.changed.emit(self.filters)


def _date_field(name: str, parent: QWidget) -> QLineEdit:
    field = QLineEdit(parent)
    field.setAccessibleName(name)
    field.setPlaceholderText("any")
    field.setMaxLength(10)
    field.setFixedWidth(104)
    field.setToolTip("A year, a month or a day: 2020, 2020-03 or 2020-03-14.")
    return field
