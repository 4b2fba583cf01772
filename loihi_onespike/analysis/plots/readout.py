"""Plot of the output potentials while the spikes of one image arrive."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from loihi_onespike.analysis.plots.style import FAINT, PALETTE
from loihi_onespike.core.codes import leak, saturate_v
from loihi_onespike.core.graphs.network import Network, Readout
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.core.trace import Trace


def readout_course(network: Network, trace: Trace, image: int) -> NDArray[np.float64]:
    """Output of the readout after every input step: v(t) · unit / Q_in^t for t = 0, 1, … .

    The potential follows from the spikes of the trace by the arithmetic of the network, so that the last row is the
    readout of the run.

    Args:
        network: the network.
        trace: a run of it.
        image: index of the image in the run.

    Returns:
        (input_steps + 1, neurons): the output that would result if no further spike arrived.
    """
    readout = network.readout
    membrane = readout.membrane
    size = prod(readout.shape)
    v = np.broadcast_to(membrane.bias, readout.shape).ravel().astype(np.int64)
    unit = np.broadcast_to(membrane.unit, readout.shape).ravel()
    course = [v * unit]
    for t in range(1, membrane.input_steps + 1):
        a_in = np.zeros(size, np.int64)
        for synapse in network.synapses_onto(readout.name):
            pre = network.by_name[synapse.pre]
            values = np.asarray(trace.layers[synapse.pre].words)[image].ravel().astype(np.int64)
            assert not isinstance(pre, Readout)
            spikes = pre.code.spikes(values, t)
            matrix = synapse_matrix(synapse.op, pre.shape, synapse.index).astype(np.int64)
            a_in += (matrix @ spikes) << synapse.weight_exp
        v = saturate_v(leak(v, membrane.leak[t - 1]) + (a_in << membrane.input_shift))
        course.append(v * unit / membrane.gains[t])
    return np.array(course)


def draw_readout(axes: Axes, network: Network, trace: Trace, image: int, classes: Sequence[str]) -> None:
    """Draw the output of every class over the global steps; the two largest are highlighted.

    Args:
        axes: axes to draw into.
        network: the network.
        trace: a run of it.
        image: index of the image in the run.
        classes: names of the classes.
    """
    course = readout_course(network, trace, image)
    start = network.starts[network.readout.name]
    steps = start + np.arange(len(course))
    order = np.argsort(course[-1])[::-1]
    for rank, i in reversed(list(enumerate(order))):
        color, width = ((PALETTE[0], 2.2), (PALETTE[1], 1.4))[rank] if rank < 2 else (FAINT, 1.0)
        axes.step(steps, course[:, i], where="post", color=color, lw=width, zorder=10 - rank)
        if rank < 2:
            axes.annotate(
                f"class {classes[i]}",
                (steps[-1], course[-1, i]),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=color,
                fontsize=8,
                annotation_clip=False,
            )
