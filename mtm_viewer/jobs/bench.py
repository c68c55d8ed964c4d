"""What the engine keeps of one workspace, made when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.mask_scores import Rivals
from mtm_core.evaluation.opponents import MODEL, Contender, Opponent, rival_of
from mtm_core.evaluation.row_order import WithinName
from mtm_core.inference import Reconstructor
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.baselines_masked import FoldedBaselines, MaskedBaselines, baselines_of
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.raster_scene import RasterScene, raster_scene
from mtm_viewer.presenters.score_lines import fit_rivals
from mtm_viewer.presenters.workspace import LoadedModel, Workspace
from mtm_viewer.state import Display


@dataclass(eq=False)
class Bench:
    """What one workspace needs again and again.

    Parameters
    ----------
    workspace : Workspace
        Session, models, trials.
    memory : AnswerMemory
        Shared by all that answer.
    """

    workspace: Workspace
    memory: AnswerMemory
    scenes: dict[tuple[WithinName, bool], RasterScene] = field(default_factory=dict)
    models: dict[tuple[int, str], Reconstructor] = field(default_factory=dict)
    fitted: Rivals | None = None
    baselines: MaskedBaselines | FoldedBaselines | None = None
    untold: dict[tuple[int, str], Reconstructor] = field(default_factory=dict)

    def moved_to(self, workspace: Workspace) -> Bench:
        """Return a bench for other trials of the same session and models, or an empty one."""
        mine = self.workspace
        same = (mine.recording is workspace.recording, mine.session is workspace.session)
        if all(same) and mine.models == workspace.models and mine.shown == workspace.shown:
            return replace(self, workspace=workspace, fitted=None)
        return Bench(workspace, self.memory)

    def scene(self, display: Display) -> RasterScene:
        """Return order of rows and time axis."""
        key = (display.within, display.is_by_region)
        if key not in self.scenes:
            workspace = self.workspace
            self.scenes[key] = raster_scene(
                workspace.session,
                workspace.train,
                within=display.within,
                is_by_region=display.is_by_region,
            )
        return self.scenes[key]

    def psth_hz(self, trials: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what training trials of the same conditions foretell, (n_bins, n_units)."""
        log_rate = self.rivals().condition_psth
        places = np.searchsorted(self.workspace.test, np.sort(trials))
        per_bin = np.exp(log_rate[places], dtype=np.float64).mean(axis=0)
        return np.asarray(per_bin / self.workspace.session.bin_size_s)

    def rivals(self) -> Rivals:
        """Return null models and predictors without a network, fitted on training trials."""
        if self.fitted is None:
            self.fitted = fit_rivals(self.workspace)
        return self.fitted

    def reconstructor(self, model: LoadedModel, device: str) -> Reconstructor:
        """Return a model bound to the recording."""
        key = (id(model), device)
        if key not in self.models:
            self.models[key] = Reconstructor(
                model.checkpoint,
                self.workspace.recording,
                allow_overlap=True,
                device=device,
                memory=self.memory,
            )
        return self.models[key]

    def contender(self, choice: CompareChoice, device: str) -> Contender | None:
        """Return what the model on screen is compared with, ready to answer."""
        workspace, opponent = self.workspace, choice.opponent
        if opponent is None or workspace.model is None:
            return None
        own, loaded = self.reconstructor(workspace.model, device), choice.model_in(workspace)
        if opponent.is_baseline:
            if self.baselines is None:
                self.baselines = baselines_of(workspace.session, workspace.split, workspace.folds)
            return Contender(opponent=opponent, own=own, baselines=self.baselines)
        if loaded is None:
            return None
        if opponent.kind == MODEL:
            bound = self.reconstructor(loaded, device)
        else:
            bound = self._untold(opponent, loaded, device)
        return Contender(opponent=opponent, own=own, bound=bound)

    def _untold(self, opponent: Opponent, loaded: LoadedModel, device: str) -> Reconstructor:
        key = (id(loaded), device)
        if key not in self.untold:
            self.untold[key] = rival_of(
                opponent,
                loaded.checkpoint,
                self.workspace.recording,
                device=device,
                memory=self.memory,
            )
        return self.untold[key]
