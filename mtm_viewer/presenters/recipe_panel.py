"""The panel of a recipe: what it hides in a sentence, and its parameters."""

from __future__ import annotations

from dataclasses import dataclass

from mtm_core.data.session import Session
from mtm_core.masking import tasks
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.masking.recipes import RecipeSettings
from mtm_core.masking.spec import ResolvedMask
from mtm_viewer.presenters.mask_choice import MaskChoice, region_words
from mtm_viewer.presenters.recipes import CUSTOM, RECIPES

AUTOMATIC = ""
"""Key of the prompt that is picked by itself."""


@dataclass(frozen=True, kw_only=True)
class RecipePanel:
    """Everything that the panel draws.

    Parameters
    ----------
    title, help : str
        Name of the recipe, and what it hides, keeps and scores.
    regions : str
        The regions that it targets, in words.
    last_bins : int or None
        Bins hidden at the end of the trial; None where the recipe hides none there.
    most_bins : int
        The most that leave one bin to see.
    span : str
        The same in ms, and what is published.
    rule : str
        Units that are scored alone; "" for all.
    scored : str
        How many units are scored.
    prompts : dict of str to str
        What the model can be told, by key; the first says what is picked by itself.
    prompt : str
        Key of the one that was picked.
    prompt_words : str
        What the model is told now.
    is_published : bool
        Whether all parameters are those of the paper.
    """

    title: str
    help: str
    regions: str
    last_bins: int | None
    most_bins: int
    span: str
    rule: str
    scored: str
    prompts: dict[str, str]
    prompt: str
    prompt_words: str
    is_published: bool


def recipe_panel(
    mask: MaskChoice, session: Session, resolved: ResolvedMask | None, automatic: str
) -> RecipePanel | None:
    """Lay out the parameters of the recipe on screen.

    Parameters
    ----------
    mask : MaskChoice
        The mask and its recipe.
    session : Session
        The recording.
    resolved : ResolvedMask or None
        The mask in its arrays.
    automatic : str
        The prompt that is picked by itself.

    Returns
    -------
    RecipePanel or None
        None for a custom mask, which has fields of its own.
    """
    if mask.recipe == CUSTOM or mask.spec is None:
        return None
    words = RECIPES[mask.recipe]
    last_bins, span = _horizon(mask, session)
    n_scored = 0 if resolved is None else len(resolved.scored_units)
    told = mask.spec.prompt
    return RecipePanel(
        title=words.title,
        help=words.help,
        regions=region_words(mask.regions) if mask.regions else "every region",
        last_bins=last_bins,
        most_bins=session.n_bins - 1,
        span=span,
        rule=mask.settings.score_rule,
        scored=f"{n_scored} of {session.n_units} units are scored",
        prompts=prompt_entries(automatic),
        prompt=mask.prompt or AUTOMATIC,
        prompt_words=f"The model is told: {prompt_name(told)}",
        is_published=mask.settings == RecipeSettings() and mask.prompt is None,
    )


def prompt_entries(automatic: str) -> dict[str, str]:
    """Name what a model can be told, by key; the first is what is picked by itself."""
    picked = f"Automatic: {prompt_name(automatic)}" if automatic else "Automatic"
    return {AUTOMATIC: picked} | {name: prompt_name(name).capitalize() for name in PROMPTS}


def prompt_name(prompt: str) -> str:
    """Name a prompt in words.

    Examples
    --------
    >>> prompt_name("inter_region"), prompt_name("none")
    ('inter-region', 'nothing')
    """
    return "nothing" if prompt == "none" else prompt.replace("_", "-")


def _horizon(mask: MaskChoice, session: Session) -> tuple[int | None, str]:
    """Return how many bins are hidden at the end, and that in ms."""
    if mask.recipe != "forward_prediction" or mask.spec is None:
        return None, ""
    first, stop = mask.spec.blocks[0].bins or (0, 0)
    start, end = tasks.forward_prediction(session.n_bins).blocks[0].bins or (0, 0)
    bin_ms = 1000 * session.bin_size_s
    whole = session.n_bins * bin_ms
    text = f"{(stop - first) * bin_ms:g} of {whole:g} ms; published: {end - start} bins"
    return stop - first, text
