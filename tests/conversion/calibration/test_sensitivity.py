"""Errors at the output that gradients predict, against the output with the errors added."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loihi_onespike.conversion.calibration import sensitivity as module
from loihi_onespike.conversion.calibration.sensitivity import output_sensitivity
from loihi_onespike.conversion.pipeline import lowered_stages, source_of
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.executors.float.float_executor import FloatExecutor


def _network() -> tuple[StageGraph, np.ndarray]:
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, groups=6), nn.ReLU(), nn.Flatten(),
        nn.Linear(6 * 16, 5),
    ).eval()  # fmt: skip
    x = torch.rand(64, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    return lowered_stages(source_of(model, x)), x.numpy()


def test_the_last_population_by_hand() -> None:
    """y = W a: Σ_outputs (∂y / ∂a_n)² is the sum of squares of column n of W."""
    graph, x = _network()
    sensitivity = output_sensitivity(graph, x)
    found, outputs = sensitivity.values, sensitivity.outputs
    last = list(graph.hidden)[-1]
    weight = graph.output.links[0].op.weight
    columns = (weight.reshape(5, 6, 16) ** 2).sum(axis=(0, 2))
    variance = ((outputs - outputs.mean(axis=0)) ** 2).sum() / len(outputs)
    # One projection per sample: the mean of 64 squared sums is within a few standard deviations of 1 / 6.
    np.testing.assert_allclose(found[last.name], columns / variance, rtol=0.6)


def test_small_errors_of_one_population_give_the_predicted_error_at_the_output() -> None:
    graph, x = _network()
    sensitivity = output_sensitivity(graph, x)
    found, exact = sensitivity.values, sensitivity.outputs
    variance = ((exact - exact.mean(axis=0)) ** 2).sum() / len(exact)
    chance = torch.Generator().manual_seed(2)
    for stage in graph.hidden:

        def disturb(seen: object, z: torch.Tensor, name: str = stage.name) -> None:
            if seen.name == name:  # type: ignore[attr-defined]
                z.add_(1e-3 * (z > 0) * torch.randn(z.shape, generator=chance))

        executor = FloatExecutor(graph, coded=False)
        moved = np.stack([executor.run(x, disturb) for _ in range(8)]) - exact
        measured = (moved**2).sum() / (8 * len(x) * variance)
        predicted = found[stage.name].sum() * 1e-6
        assert 0.3 * predicted < measured < 1.5 * predicted  # errors are added where the neuron is active alone


def test_large_outputs_are_thinned_and_large_networks_taken_in_smaller_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An output of 4 channels at 256 places, as of a segmentation: rows of channels, and nearly the same S."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, padding=1)).eval()
    x = torch.rand(20, 1, 16, 16, generator=torch.Generator().manual_seed(0)).numpy()
    graph = lowered_stages(source_of(model, x))
    (hidden,) = graph.hidden
    every = output_sensitivity(graph, x)
    whole, rows = every.values, every.outputs
    assert rows.shape == (20 * 256, 4)
    monkeypatch.setattr(module, "OUTPUTS", 5000)
    monkeypatch.setattr(module, "BATCH_BYTES", 1)  # one sample at a time
    thinned = output_sensitivity(graph, x)
    thin, few = thinned.values, thinned.outputs
    np.testing.assert_allclose(few, rows.reshape(20, 256, 4)[:, ::5].reshape(-1, 4), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(thin[hidden.name], whole[hidden.name], rtol=0.2)


def test_errors_of_sums_count_where_the_neuron_is_active_and_those_of_outputs_alike() -> None:
    graph, x = _network()
    found = output_sensitivity(graph, x)
    variance = ((found.outputs - found.outputs.mean(axis=0)) ** 2).sum() / len(found.outputs)
    assert set(found.sums) == {stage.name for stage in graph.stages[1:]}
    for stage in graph.hidden:
        assert np.all(found.sums[stage.name] <= found.values[stage.name])
        assert 0 < found.sums[stage.name].sum() < 0.9 * found.values[stage.name].sum()
    # One projection per sample and output: the mean of 320 squares.
    np.testing.assert_allclose(found.sums[graph.output.name], np.full(5, 1 / variance), rtol=0.3)
