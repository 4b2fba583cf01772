"""Run an integer network on Lava's CPU simulator, in a child process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import loihi_onespike
from loihi_onespike.core.encoding import decode_readout
from loihi_onespike.core.graphs.network import InputPopulation, Network
from loihi_onespike.core.trace import LayerTrace, Trace
from loihi_onespike.errors import ConfigurationError, LavaError
from loihi_onespike.executors.lava.availability import require
from loihi_onespike.executors.lava.child import Child, OutOfTimeError, how_it_ended
from loihi_onespike.executors.lava.job import LOG, Job, Precision, ProcessKind, SynapseKind, check_options

WORKER = "loihi_onespike.executors.lava.worker"
LOG_LINES = 15

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


def run(
    network: Network,
    codes: NDArray[np.integer],
    *,
    stream: bool = True,
    precision: Precision = "fixed_pt",
    timeout_s: float | None = None,
    progress: Progress | None = None,
    synapses: SynapseKind = "own",
    processes: ProcessKind = "graph",
) -> Trace:
    """Spike phases and potentials of every population, as `executors.reference.run` gives them.

    Args:
        codes: (N, *input shape) integers, see `core.encoding.encode_input`.
        stream: images back to back every `network.period_steps`, several of them in the pipeline at a time. False:
            an image enters only when the one before has left the readout (the same pipeline with a longer period).
        precision: fixed_pt (integers, equal to the oracle to the bit) or floating_pt (no rounding, no saturation).
        timeout_s: seconds for everything, start included; None for no limit.
        progress: called with (steps done, steps in all).
        synapses: own (event-driven) or stock (Lava's Dense, Conv and Sparse wherever they are exact).
        processes: graph (one per population and synapse) or whole (one for the network: the same spikes and
            potentials in a fraction of the time; fixed_pt and own synapses).

    Raises:
        ConfigurationError: an option or codes of the wrong shape or type.
        LavaError: Lava is missing, one of its processes failed or died, or time is out.
    """
    codes = _checked(network, codes)
    check_options(precision, synapses, processes)
    require()
    period = network.period_steps if stream else _latest_end(network)
    job = Job(precision, synapses, processes, period, len(codes))
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    with tempfile.TemporaryDirectory(prefix="onespike-lava-") as name:
        folder = Path(name)
        job.write(folder, network, codes)
        _supervise(folder, deadline, timeout_s, progress)
        return _trace(job, network, codes, folder)


def _checked(network: Network, codes: NDArray[np.integer]) -> NDArray[np.integer]:
    codes = np.asarray(codes)
    if codes.shape[1:] != network.input.shape or not len(codes):
        expected = ", ".join(map(str, network.input.shape))
        raise ConfigurationError(f"codes: found shape {codes.shape}, supported (N, {expected}) with N ≥ 1")
    if not np.issubdtype(codes.dtype, np.integer):
        raise ConfigurationError(
            f"codes: found type {codes.dtype}, supported integers; sim.decode.encode_input makes them"
        )
    return codes


def _latest_end(network: Network) -> int:
    """Steps after which an image that enters an idle network has left every population."""
    return max(network.starts.values()) + network.period_steps


def _supervise(folder: Path, deadline: float | None, timeout_s: float | None, progress: Progress | None) -> None:
    """Start the worker and follow it to its end."""
    done, last = False, {"done": 0, "steps": 0}
    package_root = Path(loihi_onespike.__file__).resolve().parents[1]
    with Child(WORKER, folder, folder / LOG, package_root) as child:
        try:
            for report in child.reports(deadline):
                if report["event"] == "failed":
                    raise LavaError(_failed(report, last))
                if report["event"] == "done":
                    done = True
                    continue
                last = report
                if progress is not None:
                    progress(report["done"], report["steps"])
        except OutOfTimeError:
            raise LavaError(
                f"Lava run: not finished after {timeout_s:g} s ({_where(last)}); allow more time, run fewer images, or "
                "use the executor 'fast', which gives the same spikes"
            ) from None
        if done:
            return
        ending = how_it_ended(child.process.returncode)
        raise LavaError(f"Lava run: the worker failed ({_where(last)}): it {ending}{_log(folder)}")


def _failed(report: dict[str, Any], last: dict[str, Any]) -> str:
    return f"Lava run: {report['process']} failed ({_where(last)}): {report['text']}"


def _where(last: dict[str, Any]) -> str:
    return f"after at least {last['done']} of {last['steps']} steps" if last["steps"] else "before the first step"


def _log(folder: Path) -> str:
    """The last lines that the worker printed, without Python's remark on shared memory that it cleans up."""
    lines = [line for line in (folder / LOG).read_text(errors="replace").splitlines() if "resource_tracker" not in line]
    return "; it printed last:\n" + "\n".join(lines[-LOG_LINES:]) if lines else ", without a word"


def _trace(job: Job, network: Network, codes: NDArray[np.integer], folder: Path) -> Trace:
    records = job.records(folder, network)
    layers = {
        p.name: LayerTrace(codes, None) if isinstance(p, InputPopulation) else records[p.name].read()
        for p in network.populations
    }
    v = layers[network.readout.name].v
    assert v is not None
    return Trace(layers, decode_readout(network.readout, v))
