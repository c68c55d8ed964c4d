"""A wide panel pushes nothing aside."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QWidget

from mtm_viewer.views.side_scroll import SideScroll

pytestmark = pytest.mark.gui


class Wide(QWidget):
    def minimumSizeHint(self) -> QSize:
        return QSize(900, 700)

    def sizeHint(self) -> QSize:
        return QSize(1000, 800)


def test_it_needs_no_width_and_little_height_but_asks_for_all(qtbot):
    view = Wide()
    view.setAccessibleName("Training")
    scroll = SideScroll(view)
    qtbot.addWidget(scroll)
    assert scroll.minimumSizeHint() == QSize(0, 200)
    assert scroll.sizeHint() == QSize(1000, 800)
    assert scroll.accessibleName() == "Training, to scroll"
    scroll.resize(300, 300)
    with qtbot.waitExposed(scroll):
        scroll.show()
    assert scroll.horizontalScrollBar().maximum() > 0
    scroll.takeWidget()
    assert scroll.minimumSizeHint() == QSize(0, 0)
    view.deleteLater()
