"""Draw the pictures of docs/method.md into docs/images/ from the toolkit's code: python scripts/docs_pictures.py"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from loihi_onespike.core.codes.base import Base
from loihi_onespike.core.codes.phase_code import PhaseCode

IMAGES = Path(__file__).parents[1] / "docs" / "images"
BLUE, ORANGE, GREY, GREEN = "#2b6cb0", "#dd6b20", "#a0aec0", "#2f855a"


def _save(figure: plt.Figure, name: str) -> None:
    figure.savefig(IMAGES / name, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def levels() -> None:
    """What a value is sent as, with and without the threshold shift."""
    x = np.linspace(0, 1.2, 2401)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), constrained_layout=True)
    left.plot(x, x, color=GREY, lw=1, label="the value itself")
    for shift, color, label in ((False, ORANGE, "rounded down (Eq. 3)"), (True, BLUE, "nearest level (Eq. 4)")):
        code = PhaseCode(Base.nearest(1.3), 12, shift)
        sent = code.decode(code.encode(x))
        left.plot(x, sent, color=color, label=label)
        right.plot(x, sent - x, color=color, label=label)
    for phase, level in enumerate(PhaseCode(Base.nearest(1.3), 12).levels()[:6], 1):
        left.annotate(f"phase {phase}", (1.2, level), (1.22, level), va="center", fontsize=7, color=GREY)
    left.set(xlabel="x / λ", ylabel="sent value / λ", title="Base 1.3, T = 12")
    right.axhline(0, color=GREY, lw=1)
    right.set(xlabel="x / λ", ylabel="error / λ", title="Error of the code")
    left.legend(frameon=False, fontsize=8)
    _save(figure, "levels.svg")


def neuron() -> None:
    """One neuron through its window: v integrates, is held, and meets the falling threshold."""
    base, steps = 1.3, 16
    arrivals = {2: 0.55, 5: 0.4, 9: -0.3, 12: 0.5}
    v = np.zeros(steps + 1)
    for t in range(1, steps + 1):
        v[t] = base * v[t - 1] + arrivals.get(t, 0.0)
    t = np.arange(2 * steps + 1)
    potential = np.concatenate([v, np.full(steps, v[-1])])
    code = PhaseCode(Base.nearest(base), steps)
    thresholds = code.thresholds() * base**steps
    phase = int(np.argmax(v[-1] >= thresholds)) + 1
    figure, axes = plt.subplots(figsize=(9, 3.4), constrained_layout=True)
    axes.step(t, potential, where="post", color=BLUE, label="potential v")
    axes.step(steps + np.arange(1, steps + 1), thresholds, where="post", color=ORANGE, label="threshold θ(k)")
    axes.plot(list(arrivals), np.zeros(len(arrivals)), "|", ms=14, mew=2, color=GREEN, label="input spikes")
    axes.plot([steps + phase], [v[-1]], "*", ms=15, color="k", label=f"the spike: phase {phase}")
    axes.axvspan(0, steps, color=GREY, alpha=0.15, lw=0)
    top = 1.2 * thresholds[0]
    axes.text(steps / 2, 0.93 * top, "input: v ← Q v + a", ha="center")
    axes.text(1.5 * steps, 0.93 * top, "output: v is held, θ falls", ha="center")
    axes.set(xlabel="step of the window", xlim=(0, 2 * steps), ylim=(-2, top))
    axes.legend(frameon=False, loc="center left", fontsize=8)
    _save(figure, "neuron.svg")


def _window(axes: Axes, row: int, start: int, wait: int, timesteps: int, color: str, image: int) -> None:
    axes.barh(row, wait, left=start, height=0.6, color=color, alpha=0.25, lw=0)
    axes.barh(row, timesteps, left=start + wait, height=0.6, color=color, alpha=0.8, lw=0)
    axes.text(start + wait + timesteps / 2, row, f"image {image}", ha="center", va="center", color="w", fontsize=8)


def pipeline() -> None:
    """Two images in a pipeline of four populations, with full and with short wait."""
    figure, both = plt.subplots(2, 1, figsize=(9, 4.6), sharex=True, constrained_layout=True)
    for axes, wait in zip(both, (16, 4), strict=True):
        timesteps, names = 16, ("input", "conv1", "conv2", "readout")
        waits = (0, min(wait, 8), wait, 0)
        period = timesteps + wait
        for image, color in ((1, BLUE), (2, ORANGE)):
            start = period * (image - 1)
            for row, (name, w) in enumerate(zip(names, waits, strict=True)):
                _window(axes, row, start, w, 8 if name == "input" else timesteps, color, image)
                start += w + 1  # one step for the hop
        axes.set(yticks=range(4), yticklabels=names, title=f"wait {wait}: an image every {period} steps")
        axes.invert_yaxis()
    both[1].set_xlabel("step; pale: waiting while input arrives, dark: sending (the readout: integrating)")
    _save(figure, "pipeline.svg")


if __name__ == "__main__":
    matplotlib.rcParams.update(
        {"svg.hashsalt": "loihi-onespike", "axes.spines.top": False, "axes.spines.right": False, "font.size": 9}
    )
    levels()
    neuron()
    pipeline()
