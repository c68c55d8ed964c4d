"""The command registry: one place for what can be done."""

from __future__ import annotations

import pytest

from mtm_core.errors import UnknownNameError
from mtm_viewer.commands import Command, CommandRegistry


def command(name: str, **changes: object) -> Command:
    settings = {"id": name, "title": name.title(), "run": lambda: None, "menu": "Mask"}
    return Command(**(settings | changes))


@pytest.fixture
def registry() -> CommandRegistry:
    return CommandRegistry()


def test_running_does_it_and_writes_it_down(registry: CommandRegistry) -> None:
    done: list[str] = []
    registry.add(command("hide", run=lambda: done.append("hide")))
    assert registry.run("hide")
    assert done == ["hide"]
    assert registry.log == ["hide"]


def test_what_cannot_be_done_now_is_neither_done_nor_written_down(
    registry: CommandRegistry,
) -> None:
    done: list[str] = []
    registry.add(command("hide", run=lambda: done.append("hide"), is_enabled=lambda: False))
    assert not registry.run("hide")
    assert (done, registry.log) == ([], [])


def test_an_id_is_given_once(registry: CommandRegistry) -> None:
    registry.add(command("hide"))
    with pytest.raises(ValueError, match="Two commands are called hide"):
        registry.add(command("hide"))


def test_a_shortcut_is_given_once(registry: CommandRegistry) -> None:
    registry.add(command("hide", shortcut="H"))
    with pytest.raises(ValueError, match="show and hide share the shortcut H"):
        registry.add(command("show", shortcut="H"))


def test_an_unknown_command_offers_the_nearest(registry: CommandRegistry) -> None:
    registry.add(command("mask.inter_region"))
    with pytest.raises(UnknownNameError, match=r"Did you mean 'mask\.inter_region'"):
        registry.run("mask.inter_regio")


def test_menus_keep_the_order_of_adding(registry: CommandRegistry) -> None:
    registry.add(command("b"), command("a"), command("c", menu="View"), command("d", menu=""))
    menus = {menu: [c.id for c in commands] for menu, commands in registry.in_menus().items()}
    assert menus == {"Mask": ["b", "a"], "View": ["c"]}


def test_commands_of_a_session_replace_those_of_the_last(registry: CommandRegistry) -> None:
    registry.add(command("undo"))
    registry.replace("regions", [command("ca1"), command("dg")])
    registry.replace("regions", [command("visp"), command("ca1")])
    assert [c.id for c in registry.search("")] == ["undo", "visp", "ca1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["undo", "inter", "hint"]),
        ("INTER region", ["inter"]),
        ("region inter", ["inter"]),
        ("hide", ["hint", "inter"]),
        ("zebra", []),
    ],
)
def test_the_palette_finds_by_words_titles_first(
    registry: CommandRegistry, query: str, found: list[str]
) -> None:
    registry.add(
        command("undo", title="Undo"),
        command("inter", title="Inter-region", help="Hide a region and predict it."),
        command("hint", title="Hide the hint"),
        command("off", title="Hide nothing", is_enabled=lambda: False),
    )
    assert [c.id for c in registry.search(query)] == found


def test_only_commands_with_keys_are_on_the_shortcut_sheet(registry: CommandRegistry) -> None:
    registry.add(command("a", shortcut="A"), command("b"), command("c", menu="View"))
    assert {m: [c.id for c in cs] for m, cs in registry.with_shortcut().items()} == {"Mask": ["a"]}
