"""Run an integer network on Lava's CPU simulator, in a child process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.encoding import check_codes, decode_outputs
from loihi_onespike.core.graphs.network import InputPopulation, Network
from loihi_onespike.core.trace import LayerTrace, Trace, v_of_layers
from loihi_onespike.errors import LavaError
from loihi_onespike.executors.lava.availability import require
from loihi_onespike.executors.lava.child import PACKAGE_ROOT, Child, OutOfTimeError, how_it_ended
from loihi_onespike.executors.lava.job import LOG, LavaJob
from loihi_onespike.executors.lava_options import LavaOptions, Precision, ProcessKind, Progress, SynapseKind
from loihi_onespike.regular_files import temporary_folder

WORKER = "loihi_onespike.executors.lava.worker"
LOG_LINES = 15


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
    """Code words and potentials of every population, as `executors.reference.run` gives them.

    Args:
        network: the integer network.
        codes: (N, *input shape) integers, see `core.encoding.encode_input`.
        stream, precision, timeout_s, progress, synapses, processes: see `LavaOptions`.

    Raises:
        ConfigurationError: an option or codes of the wrong shape or type.
        LavaError: Lava is missing, one of its processes failed or died, or time is out.
    """
    return run_with(network, codes, LavaOptions(stream, precision, timeout_s, progress, synapses, processes))


def run_with(network: Network, codes: NDArray[np.integer], options: LavaOptions) -> Trace:
    """`run`, with all options in one object.

    Args:
        network: the integer network.
        codes: (N, *input shape) integers.
        options: options of the run.

    Raises: as `run`.
    """
    codes = _checked(network, codes)
    require()
    period = network.period_steps if options.stream else _latest_end(network)
    job = LavaJob(options.precision, options.synapses, options.processes, period, len(codes))
    deadline = None if options.timeout_s is None else time.monotonic() + options.timeout_s
    with temporary_folder("onespike-lava-") as folder:
        job.write(folder, network, codes)
        _supervise(folder, deadline, options.timeout_s, options.progress)
        return _trace(job, network, codes, folder)


def _checked(network: Network, codes: NDArray[np.integer]) -> NDArray[np.integer]:
    codes = np.asarray(codes)
    check_codes(network.input, codes)
    return codes


def _latest_end(network: Network) -> int:
    """Steps after which an image that enters an idle network has left every population."""
    return max(network.starts.values()) + network.period_steps


def _supervise(folder: Path, deadline: float | None, timeout_s: float | None, progress: Progress | None) -> None:
    """Start the worker and follow it to its end."""
    done, last = False, {"done": 0, "steps": 0}
    with Child(WORKER, folder, folder / LOG, PACKAGE_ROOT) as child:
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
    return "; it printed last:\n" + "\n".join(lines[-LOG_LINES:]) if lines else "; it printed nothing"


def _trace(job: LavaJob, network: Network, codes: NDArray[np.integer], folder: Path) -> Trace:
    records = job.records(folder, network)
    layers = {
        p.name: LayerTrace(codes, None) if isinstance(p, InputPopulation) else records[p.name].read()
        for p in network.populations
    }
    return Trace(layers, decode_outputs(network, v_of_layers(layers)))
