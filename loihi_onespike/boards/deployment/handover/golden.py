"""The golden trace of a hand-over: input spikes, and the spikes and potentials of every population, from the oracle."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.delays import AdapterDelays
from loihi_onespike.boards.deployment.windows import input_stream
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.executors import reference

NO_DELAY = AdapterDelays(0, 0, 0)


def golden_trace(network: Network, codes: NDArray[np.integer]) -> StepTrace:
    """Spikes and potentials of every step.

    Args:
        network: The network.
        codes: (N, *input shape) input codes.
    """
    hidden, readouts = ([p.name for p in part] for part in (network.hidden, network.readouts))
    trace = StepTrace.silent(network, len(codes), hidden, [*hidden, *readouts])
    reference.run(network, codes, trace)
    return trace


def input_table(network: Network, codes: NDArray[np.integer]) -> str:
    """Spikes of the input: image, step of the board at which its neuron sends, neuron, message, as CSV.

    Args:
        network: The network.
        codes: (N, *input shape) input codes.
    """
    stream = input_stream(network, codes, NO_DELAY.input)
    out = io.StringIO()
    out.write("image,board_step,neuron,payload\n")
    for step in range(stream.start + 1, stream.start + len(codes) * stream.period + 1):
        image = (step - stream.start - 1) // stream.period
        sent = stream.frame(step).ravel()
        for neuron in np.flatnonzero(sent):
            out.write(f"{image},{step},{neuron},{sent[neuron]}\n")
    return out.getvalue()


def spike_table(network: Network, name: str, spikes: NDArray[np.int32]) -> str:
    """Spikes of a population: image, local step, step of the board, neuron, payload, as CSV.

    Args:
        network: The network.
        name: Name of the population.
        spikes: (N, period, *shape) messages.
    """
    first, period = network.starts[name] + network.period_steps, network.period_steps
    flat = spikes.reshape(*spikes.shape[:2], -1)
    out = io.StringIO()
    out.write("image,step,board_step,neuron,payload\n")
    for image, t, neuron in np.argwhere(flat):
        out.write(f"{image},{t + 1},{first + image * period + t + 1},{neuron},{flat[image, t, neuron]}\n")
    return out.getvalue()


def v_array(v: NDArray[np.int32]) -> bytes:
    """The potentials (images, local steps, neurons) as the content of a .npy file.

    Args:
        v: (N, period, *shape) potentials.
    """
    out = io.BytesIO()
    np.save(out, v.reshape(*v.shape[:2], -1), allow_pickle=False)
    return out.getvalue()
