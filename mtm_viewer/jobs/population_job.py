"""From a picture to what is known of its units and trials, off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from mtm_core.evaluation.trial_surprise import trial_surprise
from mtm_core.evaluation.unit_facts import Answered, unit_facts
from mtm_core.evaluation.unit_table import region_scores
from mtm_core.masking.region_level import LEVELS
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.population import PopulationAnswer

ShouldStop = Callable[[], bool]


class PopulationJob:
    """The work of the population's thread: one answer for each picture that scores anything."""

    def __call__(self, request: object, should_stop: ShouldStop) -> Iterator[object]:
        """Yield a `PopulationAnswer`, or nothing where the picture scores nothing."""
        if not isinstance(request, Picture):
            msg = f"This thread looks at pictures; it cannot do {type(request).__name__}."
            raise TypeError(msg)
        answered = answered_of(request)
        if answered is not None and not should_stop():
            yield _answer(request, answered)


def answered_of(picture: Picture) -> Answered | None:
    """Return the answer that a picture shows, trials sorted; None where nothing is scored."""
    gains, mask, rate_hz = picture.gains, picture.mask, picture.model_hz
    if gains is None or mask is None or rate_hz is None:
        return None
    if not len(gains.units) or not len(picture.trials):
        return None
    order = np.argsort(picture.trials)
    return Answered(
        session=picture.workspace.session,
        train=picture.workspace.train,
        trials=picture.trials[order],
        rate_hz=rate_hz[order],
        mask=mask,
        gains=gains,
    )


def _answer(picture: Picture, answered: Answered) -> PopulationAnswer:
    session = picture.workspace.session
    return PopulationAnswer(
        picture=picture,
        facts=unit_facts(answered),
        surprise=trial_surprise(answered),
        regions={level: region_scores(session, answered.gains, level) for level in LEVELS},
    )
