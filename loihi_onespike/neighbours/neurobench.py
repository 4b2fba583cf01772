"""A converted network as a model of NeuroBench (Yik et al., Nature Communications 16:1545, 2025; package `neurobench`).

    from neurobench.benchmarks import Benchmark
    from neurobench.metrics.static import ConnectionSparsity, Footprint
    from neurobench.metrics.workload import ActivationSparsity, ClassificationAccuracy, SynapticOperations

    metrics = [[Footprint, ConnectionSparsity], [ClassificationAccuracy, ActivationSparsity, SynapticOperations]]
    Benchmark(neurobench_model(net), loader, [], [lambda output: output.argmax(-1)], metrics).run()

What the harness measures, in the terms of this toolkit (docs/neurobench.md):

    Footprint            bytes of weights, thresholds, start values, tables and gathers
    ConnectionSparsity   share of stored weights that are 0
    ActivationSparsity   1 - spikes / Σ over spiking populations of neurons · T
    Effective_ACs        synaptic operations per sample, weights of 0 not counted
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch.utils.data import DataLoader, TensorDataset

from loihi_onespike.errors import NeuroBenchError
from loihi_onespike.neighbours.step_module import OneSpikeNeurons, StepModule

if TYPE_CHECKING:
    from loihi_onespike.api import OneSpikeNetwork

BATCH = 10
"""Samples that go through the harness together."""


def neurobench_model(net: OneSpikeNetwork) -> Any:
    """The network as a `neurobench.models.NeuroBenchModel`; called with a batch as the ANN takes it, it gives outputs.

    Args:
        net: a converted network.

    Raises:
        NeuroBenchError: NeuroBench is not installed.
        ConfigurationError: spikes carry a payload.
    """
    try:
        from neurobench.models import NeuroBenchModel
    except ImportError as error:
        raise NeuroBenchError(
            f"neurobench: must be installed, got {error}; pip install 'loihi-onespike[neurobench]'"
        ) from error

    class OneSpikeModel(NeuroBenchModel):
        """The network behind the interface of NeuroBench's models."""

        def __init__(self) -> None:
            super().__init__()
            self.module = StepModule(net.network)
            self.add_activation_module(OneSpikeNeurons)

        def __call__(self, batch: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                codes = net.encode(batch.detach().cpu().numpy())
                return torch.from_numpy(np.ascontiguousarray(self.module(codes).output))

        def __net__(self) -> StepModule:
            return self.module

    return OneSpikeModel()


def neurobench_metrics(net: OneSpikeNetwork, x: ArrayLike, y: ArrayLike) -> dict[str, Any]:
    """Footprint, sparsities, synaptic operations and accuracy of a classifier, as NeuroBench's harness measures them.

    Args:
        net: a converted network.
        x: inputs as the ANN takes them, (N, …).
        y: class numbers (N,).

    Raises:
        NeuroBenchError: NeuroBench is not installed.
        ConfigurationError: spikes carry a payload, or the network has several outputs.
    """
    assert net.network.readout  # refuses several
    model = neurobench_model(net)
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics.static import ConnectionSparsity, Footprint
    from neurobench.metrics.workload import ActivationSparsity, ClassificationAccuracy, SynapticOperations

    samples = TensorDataset(torch.from_numpy(np.asarray(x)), torch.from_numpy(np.asarray(y)))
    metrics = [[Footprint, ConnectionSparsity], [ClassificationAccuracy, ActivationSparsity, SynapticOperations]]
    choose = [lambda output: output.flatten(1).argmax(-1)]
    found: dict[str, Any] = Benchmark(model, DataLoader(samples, BATCH), [], choose, metrics).run(quiet=True)
    return found
