"""Windows of a network in what came back from a board, step by step (`deployment.delays` states the schedule)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.backends.board_backend import BoardRecord, InputStream
from loihi_onespike.boards.deployment.delays import AdapterDelays
from loihi_onespike.core.graphs.network import Network, Readout
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.errors import DeploymentError


def input_stream(network: Network, codes: NDArray[np.integer], input_delay: int) -> InputStream:
    """The images as the host sends them: `input_delay` steps before window 1 of the input population.

    Args:
        network: The network that is to run.
        codes: (N, *input shape) input codes.
        input_delay: Steps that the input adapter adds.

    Raises:
        DeploymentError: the delay is longer than a period, which is all that window 0 leaves.
    """
    period = network.period_steps
    if not 0 <= input_delay <= period:
        raise DeploymentError(
            f"input delay: must be in [0, {period}] steps (a period), got {input_delay}; lower the input delay, or "
            "convert with more steps"
        )
    return InputStream(network.input, codes, period, period - input_delay)


def steps_of_run(network: Network, images: int, longest_delay: int) -> int:
    """Steps until the last image has left every population and the adapters.

    Args:
        network: The network that runs.
        images: Number of images, N.
        longest_delay: Longest delay towards the host, in steps.
    """
    return max(network.starts.values()) + (images + 1) * network.period_steps + longest_delay + 1


def windows_of(record: BoardRecord, network: Network, images: int, delays: AdapterDelays) -> StepTrace:
    """The windows of all images, cut from the rows of the host.

    Args:
        record: What came back.
        network: The network that ran.
        images: Number of images, N.
        delays: Delays of the adapters.
    """
    period = network.period_steps

    def cut(name: str, rows: NDArray[np.int32], delay: int) -> NDArray[np.int32]:
        first = network.starts[name] + period + delay
        kept = rows[first : first + images * period]
        return kept.reshape(images, period, *network.by_name[name].shape)

    return StepTrace(
        {name: cut(name, rows, delays.spikes) for name, rows in record.spikes.items()},
        {name: cut(name, rows, delays.state) for name, rows in record.v.items()},
    )


def hold_step(network: Network, name: str) -> int:
    """Local step at which a readout is read: the middle of the steps in which v is complete and held.

    It is as far as possible from both ends of these steps, so that a delay of one step more or less does not matter.

    Args:
        network: The network that runs.
        name: Name of the readout.

    Returns:
        Local step, counted from 1.
    """
    readout = network.by_name[name]
    assert isinstance(readout, Readout)
    return (readout.membrane.input_steps + network.period_steps) // 2


def only_held(trace: StepTrace, network: Network) -> StepTrace:
    """The trace with the potentials of `hold_step` alone; those of all other steps are 0.

    Args:
        trace: Spikes and potentials of every step.
        network: The network that ran.
    """
    held = {name: np.zeros_like(v) for name, v in trace.v.items()}
    for name, v in trace.v.items():
        at = hold_step(network, name) - 1
        held[name][:, at] = v[:, at]
    return StepTrace(trace.spikes, held)
