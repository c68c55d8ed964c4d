from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from mtm_core.errors import UnknownNameError
from mtm_viewer import theme as themes
from mtm_viewer.theme import COLOUR_MAPS, DARK, DIFFERENCE, LIGHT, contrast, luminance, mix

BOTH = [LIGHT, DARK]


def _lightness(lut):
    return np.array([luminance("#" + bytes(colour.tolist()).hex()) for colour in lut])


@pytest.mark.parametrize("theme", BOTH, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", [*COLOUR_MAPS, DIFFERENCE])
def test_a_colour_map_is_a_table_of_256_colours(theme, name):
    lut = theme.lut(name)
    assert lut.shape == (256, 3)
    assert lut.dtype == np.uint8


@pytest.mark.parametrize("name", ["magma", "viridis", "cividis"])
def test_a_map_looks_like_the_one_it_is_named_after(name):
    reference = mpl.colormaps[name](np.arange(256))[:, :3] * 255
    assert np.abs(LIGHT.lut(name) - reference).max() <= 7


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_a_map_of_rates_grows_brighter_throughout(name):
    assert (np.diff(_lightness(LIGHT.lut(name))) > -0.004).all()


@pytest.mark.parametrize("theme", BOTH, ids=lambda theme: theme.name)
def test_the_difference_map_is_symmetric_in_lightness_and_fades_to_the_background(theme):
    lightness = _lightness(theme.lut(DIFFERENCE)) ** (1 / 3)
    np.testing.assert_allclose(lightness, lightness[::-1], atol=0.035)
    distance = np.abs(lightness - luminance(theme.panel) ** (1 / 3))
    assert distance[127] == distance.min() or distance[128] == distance.min()


@pytest.mark.parametrize("theme", BOTH, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "good", "warning", "bad"])
@pytest.mark.parametrize("paper", ["window", "panel"])
def test_text_can_be_read(theme, ink, paper):
    assert contrast(getattr(theme, ink), getattr(theme, paper)) >= 4.5


@pytest.mark.parametrize("theme", BOTH, ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", ["left", "right", "neither", "reward", "no reward", "no such"])
def test_the_model_line_stands_out_more_than_the_true_line(theme, role):
    hue = theme.condition(role)
    strong, pale = contrast(theme.strong(hue), theme.panel), contrast(theme.pale(hue), theme.panel)
    assert strong > pale
    assert strong >= 3.0


def test_the_two_themes_are_told_apart():
    assert DARK.is_dark
    assert not LIGHT.is_dark
    assert themes.THEMES["dark"] is DARK


def test_an_unknown_map_names_the_nearest_one():
    with pytest.raises(UnknownNameError, match="'magma'"):
        LIGHT.lut("magna")


def test_a_table_cannot_be_spoilt_by_its_user():
    with pytest.raises(ValueError, match="read-only"):
        LIGHT.lut("magma")[0] = 0


@pytest.mark.parametrize(("share", "expected"), [(0.0, "#102030"), (1.0, "#ffffff")])
def test_mixing_ends_at_either_colour(share, expected):
    assert mix("#102030", "#ffffff", share) == expected
