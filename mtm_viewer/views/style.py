"""The look of all widgets, from a theme: one palette and one short style sheet."""

from __future__ import annotations

from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication

from mtm_viewer.theme import Theme, mix

_Role = QPalette.ColorRole


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole program the colours of a theme."""
    if app.style() is None or (app.style().objectName() != "fusion"):  # type: ignore[union-attr]
        app.setStyle("Fusion")
    sheet = style_sheet(theme)
    if app.styleSheet() != sheet:  # setting it, even the same, looks at every widget anew
        app.setPalette(make_palette(theme))
        app.setStyleSheet(sheet)


def make_palette(theme: Theme) -> QPalette:
    """Translate a theme into Qt's colour roles."""
    colours = {
        _Role.Window: theme.window,
        _Role.WindowText: theme.text,
        _Role.Base: theme.panel,
        _Role.AlternateBase: theme.window,
        _Role.Text: theme.text,
        _Role.Button: theme.raised,
        _Role.ButtonText: theme.text,
        _Role.BrightText: theme.bad,
        _Role.ToolTipBase: theme.raised,
        _Role.ToolTipText: theme.text,
        _Role.PlaceholderText: theme.muted,
        _Role.Highlight: theme.accent,
        _Role.HighlightedText: theme.on_accent,
        _Role.Link: theme.accent,
        _Role.LinkVisited: theme.accent,
        _Role.Accent: theme.accent,
        _Role.Mid: theme.border,
        _Role.Dark: mix(theme.border, "#000000", 0.3),
        _Role.Midlight: mix(theme.raised, theme.panel, 0.5),
        _Role.Light: theme.panel,
        _Role.Shadow: "#000000",
    }
    palette = QPalette()
    for role, colour in colours.items():
        palette.setColor(role, QColor(colour))
    faint = QColor(mix(theme.muted, theme.window, 0.35))
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return palette


def style_sheet(theme: Theme) -> str:
    """Round the corners, quieten the frames, mark what is on and what has the focus."""
    hover = mix(theme.raised, theme.accent, 0.14)
    faint = mix(theme.muted, theme.window, 0.35)
    return f"""
    QMainWindow::separator {{ background: {theme.border}; width: 1px; height: 1px; margin: 2px; }}
    QMainWindow::separator:hover {{ background: {theme.accent}; }}
    QDockWidget {{ font-weight: 600; }}
    QDockWidget::title {{ padding: 5px 8px; background: {theme.window}; }}
    QMainWindow > QTabBar::tab {{ background: {theme.raised}; border: 1px solid {theme.border};
        padding: 3px 7px; margin-right: 1px; }}
    QMainWindow > QTabBar::tab:selected {{ background: {theme.panel}; font-weight: 600; }}
    QMainWindow > QTabBar::tab:focus {{ border: 1px solid {theme.accent}; }}
    QToolTip {{ color: {theme.text}; background: {theme.raised}; border: 1px solid {theme.border};
        padding: 4px; }}
    QPushButton, QToolButton {{ background: {theme.raised}; border: 1px solid {theme.border};
        border-radius: 5px; padding: 4px 10px; }}
    QPushButton:hover, QToolButton:hover {{ background: {hover}; }}
    QPushButton:checked, QToolButton:checked {{ background: {theme.accent};
        border-color: {theme.accent}; color: {theme.on_accent}; }}
    QPushButton:focus, QToolButton:focus {{ border: 2px solid {theme.accent}; }}
    QPushButton:checked:focus, QToolButton:checked:focus {{ border: 2px solid {theme.text}; }}
    QPushButton:disabled, QToolButton:disabled {{ background: {theme.window}; }}
    QPushButton:checked:disabled, QToolButton:checked:disabled {{ color: {faint}; }}
    QLineEdit {{ background: {theme.panel}; border: 1px solid {theme.border};
        border-radius: 5px; padding: 3px 6px; min-height: 1.25em; }}
    QLineEdit:focus {{ border: 1px solid {theme.accent}; }}
    QTreeView, QTableView, QListView, QPlainTextEdit {{ background: {theme.panel};
        border: 1px solid {theme.border}; border-radius: 5px; }}
    QTreeView::item {{ padding: 2px 0; }}
    QTableView#sessions::item {{ padding: 0 3px; }}
    QTableView#sessions::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
    QListView::item {{ padding: 4px 6px; }}
    QListView::item:hover {{ background: {mix(theme.panel, theme.accent, 0.12)};
        color: {theme.text}; }}
    QListView::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
    QMessageBox QLabel#qt_msgbox_label {{ font-weight: 600; min-width: 380px; }}
    QTreeView::item:hover {{ background: {mix(theme.panel, theme.accent, 0.12)}; }}
    QTreeView::item:selected {{ background: {mix(theme.panel, theme.accent, 0.28)};
        color: {theme.text}; }}
    QHeaderView {{ background: {theme.panel}; border: none; }}
    QHeaderView::section {{ background: {theme.panel}; color: {theme.muted}; border: none;
        border-bottom: 1px solid {theme.border}; padding: 4px 6px; }}
    QMenuBar {{ background: {theme.window}; }}
    QMenu {{ background: {theme.panel}; border: 1px solid {theme.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 24px 5px 22px; border-radius: 4px; }}
    QMenu::item:selected, QMenuBar::item:selected {{ background: {theme.accent};
        color: {theme.on_accent}; }}
    QMenu::item:disabled {{ color: {theme.muted}; background: transparent; }}
    QMenu::separator {{ height: 1px; background: {theme.border}; margin: 4px 8px; }}
    QToolBar {{ border: none; border-bottom: 1px solid {theme.border}; padding: 0; spacing: 0; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QStatusBar {{ border-top: 1px solid {theme.border}; }}
    QStatusBar::item {{ border: none; }}
    QProgressBar {{ background: {theme.raised}; border: 1px solid {theme.border};
        border-radius: 4px; text-align: center; min-height: 1.1em; }}
    QProgressBar::chunk {{ background: {theme.accent}; border-radius: 3px; }}
    """
