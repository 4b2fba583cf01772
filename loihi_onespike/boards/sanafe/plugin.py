"""The one-spike neuron as a plugin of SANA-FE, and the spikes and potentials that it computes.

A plugin is a shared library of C++ classes. `one_spike.cpp` is compiled when it is first needed, against the headers
that the package `sanafe` installs, with the compiler that the environment variable CXX names, or c++, g++ or clang++.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from functools import cache
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.sanafe.availability import require
from loihi_onespike.core.codes import WORD_DTYPE
from loihi_onespike.core.encoding import decode_outputs
from loihi_onespike.core.graphs.network import NEVER_REACHED, Network, Population, Readout
from loihi_onespike.core.trace import LayerTrace, Trace, v_of_layers
from loihi_onespike.errors import SimulatorError

SOURCE = Path(__file__).with_name("one_spike.cpp")
COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-std=c++17", "-O2", "-shared", "-fPIC")


@cache
def _folder() -> TemporaryDirectory[str]:
    """Folder of the compiled plugin; SANA-FE loads a plugin once per process."""
    return TemporaryDirectory(prefix="onespike-sanafe-")


@cache
def library() -> Path:
    """Path of the compiled plugin.

    Raises:
        SimulatorError: SANA-FE or its headers are missing, there is no compiler, or it fails.
    """
    headers = Path(require().__file__).parent.parent / "src"
    if not (headers / "pipeline.hpp").exists():
        raise SimulatorError(f"simulator sanafe: must have its headers in {headers}, got none; replay spikes instead")
    command = compiler()
    if command is None:
        raise SimulatorError(
            f"compiler: must be one of {', '.join(COMPILERS)} with C++17 for the plugin of the one-spike neuron, got "
            "none; install one, name it in CXX, or replay spikes instead"
        )
    target = Path(_folder().name) / "one_spike.so"
    name = " ".join(command)
    command += [*FLAGS, "-I", str(headers), str(SOURCE), "-o", str(target)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SimulatorError(
            f"compiler: {name} cannot be run ({error.strerror}); name a compiler with C++17 in CXX, or replay spikes "
            "instead"
        ) from error
    if made.returncode:
        raise SimulatorError(
            f"compiler: {name} must compile {SOURCE.name} as C++17, got:\n{made.stderr.strip()[-2000:]}\nname another "
            "compiler in CXX, or replay spikes instead"
        )
    return target


def compiler() -> list[str] | None:
    """The C++ compiler as a command: that of the environment variable CXX, else the first of COMPILERS there is."""
    named = os.environ.get("CXX", "").strip()
    if named:
        return shlex.split(named)
    found = next((c for c in COMPILERS if shutil.which(c)), None)
    return None if found is None else [found]


def check_computable(network: Network) -> None:
    """Refuse a network whose neurons the plugin does not have.

    Raises:
        SimulatorError: a population sends messages with a payload, or is a product of two sums.
    """
    for p in network.populations:
        if isinstance(p, Population) and p.product is not None:
            raise SimulatorError(
                f"{p.name}: must have one synaptic input per neuron, got products of two sums, which a core of Loihi 1 "
                "does not compute; replay spikes instead"
            )
        if not isinstance(p, Readout) and p.code.payload_bits:
            raise SimulatorError(
                f"{p.name}: spikes must have no payload, which Loihi 1 lacks, got {p.code.payload_bits} bits; replay "
                "spikes, or convert with payload_bits=0"
            )


def shared_attributes(network: Network, population: Population | Readout) -> dict[str, Any]:
    """What all neurons of a population have in common, under the names that the plugin knows.

    Args:
        network: The network.
        population: The population.
    """
    return {
        "leak": list(population.membrane.leak),
        "shift": population.membrane.input_shift,
        "start": network.starts[population.name],
        "period": network.period_steps,
        "wait": population.wait,
    }


def own_attributes(population: Population | Readout) -> list[dict[str, Any]]:
    """Start of v and thresholds of every neuron, flat."""

    def flat(values: NDArray[np.integer]) -> NDArray[np.int64]:
        return np.broadcast_to(values, population.shape).ravel().astype(np.int64)

    attributes: list[dict[str, Any]] = [{"bias": v} for v in flat(population.membrane.bias).tolist()]
    if isinstance(population, Population):
        threshold, negative = flat(population.threshold), population.negative_thresholds(population.shape)
        thresholds = {
            "thresholds": population.table.thresholds(threshold),
            "negative": None if negative is None else negative.reshape(len(negative), -1),
            "far": None if population.far is None else population.far.thresholds(threshold),
        }
        for name, theta in thresholds.items():
            if theta is not None:
                # SANA-FE's integers have 32 bits.
                fitting = np.clip(theta, -NEVER_REACHED, NEVER_REACHED)
                for neuron, values in zip(attributes, fitting.T.tolist(), strict=True):
                    neuron[name] = values
    return attributes


class Recorder:
    """Spikes and potentials of a run, step by step, as the trace of an executor has them.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.computing = [p for p in network.populations if isinstance(p, Population | Readout)]
        # SANA-FE lists potentials by the names of the groups.
        self.order = sorted(self.computing, key=lambda p: p.name.encode())
        self.fired: list[dict[str, list[int]]] = []
        self.v: list[NDArray[np.int64]] = []

    def add(self, result: dict[str, Any]) -> None:
        """Take in the traces of some steps.

        Args:
            result: What SANA-FE returned for them.
        """
        for spikes in result["spike_trace"]:
            step: dict[str, list[int]] = {}
            for address in spikes:
                step.setdefault(address.group_name, []).append(address.neuron_offset)
            self.fired.append(step)
        self.v += [np.array(v, np.int64) for v in result["potential_trace"]]

    def trace(self, codes: NDArray[np.integer]) -> Trace:
        """The trace of the first images.

        Args:
            codes: (N, *shape) codes of the input.
        """
        layers = {self.network.input.name: LayerTrace.of_input(codes)}
        for p in self.computing:
            layers[p.name] = self._layer(p, len(codes))
        return Trace(layers, decode_outputs(self.network, v_of_layers(layers)))

    def _layer(self, p: Population | Readout, images: int) -> LayerTrace:
        """Step t of the window of image n is step start + n · period + t of the stream."""
        first = sum(prod(q.shape) for q in self.order[: self.order.index(p)])
        part = slice(first, first + prod(p.shape))
        period, start = self.network.period_steps, self.network.starts[p.name]
        v = np.array([self.v[start + (n + 1) * period - 1][part] for n in range(images)]).reshape(-1, *p.shape)
        if isinstance(p, Readout):
            return LayerTrace(None, v)
        words = np.zeros((images, prod(p.shape)), WORD_DTYPE)
        theta = p.table.thresholds(np.broadcast_to(p.threshold, p.shape).ravel())
        for n in range(images):
            for phase in range(1, p.timesteps + 1):
                step = start + n * period + p.wait + phase - 1
                fired = self.fired[step].get(p.name, [])
                positive = self.v[step][part][fired] >= theta[phase - 1][fired]
                words[n, fired] = np.where(positive, phase, -phase)
        return LayerTrace(words.reshape(-1, *p.shape), v)
