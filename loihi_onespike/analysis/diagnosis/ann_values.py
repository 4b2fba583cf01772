"""The values of the ANN at the populations of its network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.measuring.batch_runs import SwitchedRuns
from loihi_onespike.analysis.diagnosis.model.build import RecordedBits, ann_stages, build_layers
from loihi_onespike.analysis.diagnosis.model.input_model import InputModel
from loihi_onespike.api import OneSpikeNetwork

BATCH = 16


def ann_values(
    net: OneSpikeNetwork, model: torch.nn.Module, x: NDArray[np.floating]
) -> Iterator[dict[str, NDArray[np.floating]]]:
    """What every population would send without any error, batch by batch: the values of the ANN.

    The values (B, *shape) are relative to the value of no spike, in the units of the ANN.

    Args:
        net: the network.
        model: the ANN that it was converted from.
        x: inputs (N, …).

    Raises:
        ConfigurationError: the model is another one.
    """
    bits = RecordedBits.of(net.network.facts)
    layers = build_layers(net.network, net.stages, ann_stages(model, x, bits.payload), bits.weights)
    for first in range(0, len(x), BATCH):
        run = SwitchedRuns(layers, InputModel(net.network.input), x[first : first + BATCH], frozenset())
        run.start()
        yield {y.name: run.exact[y.name].values.numpy() for y in layers.layers}
