"""Logging in to a database: account and password, or a token."""

from __future__ import annotations

from dataclasses import dataclass, field

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from mtm_core.data.one_settings import PUBLIC_URL
from mtm_viewer.theme import Theme

_WIDTH = 520
_EXPLANATION = (
    "The public database of the International Brain Laboratory wants a free personal account "
    '(<a href="{url}/signup">sign up</a>). An ORCiD account has no password: paste the token that '
    '<a href="{url}/me">your page there</a> shows.'
)
_KEPT = (
    "MtM Viewer keeps neither password nor token. The library that talks to the database (ONE) "
    "keeps the session's token in your home folder, as it does without this program."
)


@dataclass(frozen=True, kw_only=True)
class LoginForm:
    """What a person typed; secrets are never shown.

    Parameters
    ----------
    url : str
        Address of the database.
    username : str
        The account; "" for a token.
    password, token : str
        One of both; the other is "".
    """

    url: str = PUBLIC_URL
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


class LoginDialog(QDialog):
    """Asks for an account or a token.

    Notes
    -----
    Signals: `submitted` a `LoginForm`; `cancelled` nothing. It stays open until `close` or
    `tell`, so that a mistyped password can be corrected.
    """

    submitted = pyqtSignal(object)
    cancelled = pyqtSignal()

    def __init__(self, form: LoginForm, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Log in to the database")
        self.setAccessibleName("Log in to the database")
        self.by_password = QRadioButton("Account and password", self)
        self.by_token = QRadioButton("Token", self)
        self._ways = QButtonGroup(self)
        for way in (self.by_password, self.by_token):
            self._ways.addButton(way)
        self.url = _line("Address of the database", form.url or PUBLIC_URL, self)
        self.username = _line("Account", form.username, self)
        self.password = _line("Password", form.password, self, is_secret=True)
        self.token = _line("Token", form.token, self, is_secret=True)
        self.problem = QLabel(self)
        self.problem.setAccessibleName("What is wrong")
        self.problem.setWordWrap(True)
        self.problem.setStyleSheet(f"color: {theme.bad};")
        self.busy = QProgressBar(self)
        self.busy.setAccessibleName("Logging in")
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.busy.setFixedHeight(6)
        self.buttons = self._make_buttons()
        self._lay_out(theme)
        self._connect()
        self.by_password.setChecked(not form.token)
        self.by_token.setChecked(bool(form.token))
        self.tell("")

    @property
    def form(self) -> LoginForm:
        """What is typed."""
        is_token = self.by_token.isChecked()
        return LoginForm(
            url=self.url.text().strip().rstrip("/") or PUBLIC_URL,
            username="" if is_token else self.username.text().strip(),
            password="" if is_token else self.password.text(),
            token=self.token.text().strip() if is_token else "",
        )

    def tell(self, sentence: str) -> None:
        """Say what is wrong and let it be corrected; "" says nothing."""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        self._set_busy(is_busy=False)
        secret = self.token if self.by_token.isChecked() else self.password
        (secret if self.username.text() or secret is self.token else self.username).setFocus()
        secret.selectAll()

    def reject(self) -> None:
        """Give up (Qt's own hook)."""
        self.cancelled.emit()
        super().reject()

    def _submit(self) -> None:
        self.problem.setVisible(False)
        self._set_busy(is_busy=True)
        self.submitted.emit(self.form)

    def _set_busy(self, *, is_busy: bool) -> None:
        self.busy.setVisible(is_busy)
        for widget in (self.url, self.username, self.password, self.token):
            widget.setEnabled(not is_busy)
        self._check(is_busy=is_busy)

    def _check(self, *, is_busy: bool = False) -> None:
        form, is_token = self.form, self.by_token.isChecked()
        is_whole = bool(form.token) if is_token else bool(form.username and form.password)
        for widget in (self.username, self.password):
            widget.setVisible(not is_token)
            self._labels[widget.accessibleName()].setVisible(not is_token)
        self.token.setVisible(is_token)
        self._labels["Token"].setVisible(is_token)
        accept = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        if accept is not None:
            accept.setEnabled(is_whole and not is_busy)
        self._fit_height()

    def _fit_height(self) -> None:
        """Be as high as what is shown now: a sentence may have come, a field have gone."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.resize(_WIDTH, layout.heightForWidth(_WIDTH))

    def _make_buttons(self) -> QDialogButtonBox:
        standard = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(standard.Ok | standard.Cancel, self)
        for kind, text in ((standard.Ok, "Log in"), (standard.Cancel, "Cancel")):
            button = buttons.button(kind)
            if button is not None:
                button.setText(text)
                button.setAccessibleName(text)
        buttons.accepted.connect(self._submit)
        buttons.rejected.connect(self.reject)
        return buttons

    def _connect(self) -> None:
        for line in (self.url, self.username, self.password, self.token):
            line.textChanged.connect(lambda _: self._check())
        self.by_token.toggled.connect(lambda _: self._check())

    def _lay_out(self, theme: Theme) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        self._labels: dict[str, QLabel] = {}
        lines = (self.url, self.username, self.password, self.token)
        titles = ("Database", "Account", "Password", "Token")
        for row, (title, line) in enumerate(zip(titles, lines, strict=True)):
            label = QLabel(title, self)
            label.setBuddy(line)
            self._labels[line.accessibleName()] = label
            grid.addWidget(label, row, 0)
            grid.addWidget(line, row, 1)
        words = QLabel(_EXPLANATION.format(url=PUBLIC_URL), self)
        words.setOpenExternalLinks(True)
        kept = QLabel(_KEPT, self)
        kept.setStyleSheet(f"color: {theme.muted};")
        for label in (words, kept):
            label.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(words)
        layout.addWidget(self.by_password)
        layout.addWidget(self.by_token)
        layout.addLayout(grid)
        layout.addWidget(self.busy)
        layout.addWidget(self.problem)
        layout.addWidget(kept)
        layout.addStretch(1)
        layout.addWidget(self.buttons)
        self.setFixedWidth(_WIDTH)


def _line(name: str, text: str, parent: QWidget, *, is_secret: bool = False) -> QLineEdit:
    line = QLineEdit(text, parent)
    line.setAccessibleName(name)
    if is_secret:
        line.setEchoMode(QLineEdit.EchoMode.Password)
        hints = Qt.InputMethodHint
        line.setInputMethodHints(hints.ImhHiddenText | hints.ImhSensitiveData)
    return line
