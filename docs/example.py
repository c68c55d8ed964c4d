"""From a recording to a figure in Python; each cell can be run by itself in an editor."""

# %% Open a recording
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import mtm_core

session = mtm_core.open_session("steinmetz2019_s12")
print(session.session_id, session.counts.shape, "trials x bins x units")
print("regions:", ", ".join(session.region_names()))

# %% Train a model of it: half a minute; a run that is there already is taken as it is
run = Path("runs/example")
if not (run / "model.safetensors").exists():
    mtm_core.train(session, run, preset="quick", settings={"run.seed": 0})
model = mtm_core.load_model(run, session)
print("validation scores:", {k: round(v, 3) for k, v in model.manifest.scores.items()})

# %% Hide a region and predict it from the others
predicted = mtm_core.reconstruct(model, session, mtm_core.hide(region="DG"))
for score in predicted.scores():
    print(f"{score.name:20s} {score.bps_beyond_psth:+.3f} bits/spike beyond PSTH")

# %% The same, as plain arrays
in_dg = predicted.session.region == "DG"
recorded_hz = predicted.counts[:, :, in_dg].mean(axis=0) / session.bin_size_s
rate_hz = predicted.rate_hz[:, :, in_dg].mean(axis=0)
agreement = np.corrcoef(recorded_hz.ravel(), rate_hz.ravel())[0, 1]
print(f"correlation of averages over trials: {agreement:.2f} (says little about single trials)")

# %% Draw one unit
fast = int(recorded_hz.mean(axis=0).argmax())
time_ms = 1000 * session.bin_start_s
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.plot(time_ms, recorded_hz[:, fast], label="recorded", color="0.6", linewidth=4)
axes.plot(time_ms, rate_hz[:, fast], label="from the other regions", color="C1", linestyle="--")
axes.set(xlabel=f"time from {session.provenance.align_event} (ms)", ylabel="spikes/s")
axes.legend()
figure.savefig("unit.png")

# %% Score one of the four tasks
report = mtm_core.evaluate(model, session, ["inter_region"], shuffle=False)
overall = report.tasks["inter_region"].overall
print(f"inter-region: {overall.bps_pooled:.3f} bits/spike over the mean rate, pooled")
