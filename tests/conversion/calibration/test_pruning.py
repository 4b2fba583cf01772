"""Synapses that are removed because their additions cost more than they are worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.calibration.compensation import Compensation, pruned_rows, rounded_rows, unseen_error
from loihi_onespike.conversion.calibration.energy_terms import EnergyTerms
from loihi_onespike.conversion.calibration.pruning import (
    COMMON_ERROR,
    SynapseLimits,
    SynapsePrices,
    over_taps,
    spike_rates,
)
from loihi_onespike.conversion.calibration.row_inputs import row_inputs_of
from loihi_onespike.conversion.calibration.sensitivity import Sensitivity
from loihi_onespike.core.graphs.stage import Link, Stage
from loihi_onespike.core.maps import Dense
from loihi_onespike.core.trace import first_difference
from tests.support.facts import notes
from tests.support.stage_graphs import two_layers

NOTHING = np.zeros(0)


def test_a_weight_is_removed_below_its_limit_and_the_next_compensates() -> None:
    """Of inputs that are always equal, the second takes over what the first had; its error alone would be 9 · 4."""
    weights, together = np.array([[[3.0, 5.0]]]), np.array([[[4.0, 4.0], [4.0, 4.0]]])
    limits = np.array([[[1.0, 0.0]]])
    whole, gone, added = pruned_rows(weights, together, 10**7, limits)
    assert whole.tolist() == [[[0.0, 8.0]]] and gone.tolist() == [[[True, False]]]
    assert 0 < added[0, 0] < 1.0
    assert rounded_rows(weights, together, 10**7).tolist() == [[[3.0, 5.0]]]


def test_independent_inputs_are_removed_by_their_own_error() -> None:
    """Weights 3, 5, 2 on variances 1, 4, 9 add errors of 9, 100 and 36 where they vanish; damping adds 5 % or less."""
    weights, spread = np.array([[[3.0, 5.0, 2.0]]]), np.diag([1.0, 4.0, 9.0])[None]
    whole, gone, added = pruned_rows(weights, spread, 10**7, np.full((1, 1, 3), 40.0))
    assert whole.tolist() == [[[0.0, 5.0, 0.0]]]
    assert gone.tolist() == [[[True, False, True]]] and added[0, 0] == pytest.approx(45, rel=0.05)


def test_few_samples_make_a_compensation_look_better_than_it_is() -> None:
    """Regression of noise on noise: the error on new data over the one on the samples of the fit."""
    chance, weights, samples = np.random.default_rng(0), 30, 100
    ratios = []
    for _ in range(40):
        seen, new = chance.normal(size=(2, samples, weights + 1))
        fit = np.linalg.lstsq(seen[:, 1:], seen[:, 0], rcond=None)[0]
        errors = [((x[:, 0] - x[:, 1:] @ fit) ** 2).mean() for x in (seen, new)]
        ratios.append(errors[1] / errors[0])
    assert np.mean(ratios) == pytest.approx(unseen_error(weights, samples), rel=0.1)
    assert unseen_error(5, 5) == np.inf and unseen_error(5, 10**9) == pytest.approx(1)


def test_nothing_is_removed_where_there_are_fewer_samples_than_weights() -> None:
    values = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    op = Dense(np.arange(1.0, 9.0)[None])
    hidden = two_layers().by_name["hidden"]
    assert isinstance(hidden, Stage)
    stage = replace(hidden, links=(Link("x", op, None, np.ones(())),), shape=(1,))
    rows, limits = row_inputs_of(stage, {"x": values}), SynapseLimits(1.0, np.ones(1), np.full(8, 1e9))
    compensation = Compensation(rows, {0: np.ones(1)}, {0: limits})
    compensation(0, op.weight, np.ones((1, 1)))
    (removed,) = compensation.removed
    assert removed.weights == 0 and removed.error == 0


def test_weights_that_round_to_0_are_not_counted_as_removed() -> None:
    _, gone, added = pruned_rows(np.array([[[0.3]]]), np.ones((1, 1, 1)), 10**7, np.ones((1, 1, 1)))
    assert not gone.any() and added[0, 0] == 0


def _prices(price: float, sums: dict[str, np.ndarray], per_link: dict[tuple[str, int], float]) -> SynapsePrices:
    energy = EnergyTerms({}, 0.0, 0.0, per_link=per_link)
    return SynapsePrices(price, energy, Sensitivity({}, sums, np.zeros((1, 1))), 2.0)


def test_limits_by_hand() -> None:
    """Six weights share the energy 0.6 of one spike of everything; the second input spikes half as often."""
    stage = two_layers().by_name["hidden"]
    assert isinstance(stage, Stage)
    prices = _prices(0.5, {"hidden": np.array([1.0, 2.0, 4.0])}, {("hidden", 0): 0.6})
    limits = prices.limits(stage, 0, np.array([1.0, 0.5]))
    assert limits is not None
    np.testing.assert_allclose(limits.energy, [0.1, 0.05])
    unit = np.array([[1.0], [1.0], [0.5]])
    expected = 0.5 * np.array([[0.1, 0.05], [0.05, 0.025], [0.1, 0.05]]) / COMMON_ERROR
    np.testing.assert_allclose(limits.errors((1, 3, 2), unit)[0], expected)
    gone = np.array([[[True, False], [False, False], [True, True]]])
    removed = limits.removed(gone, np.array([[3.0, 0.0, 8.0]]), unit)
    assert (removed.weights, removed.of) == (3, 6)
    assert removed.error == pytest.approx(COMMON_ERROR * (3 * 1 + 8 * 4 * 0.25))
    assert removed.energy == pytest.approx(0.1 + 0.1 + 0.05)


def test_a_spike_with_payload_makes_its_synapses_dearer() -> None:
    stage = two_layers().by_name["signed"]
    assert isinstance(stage, Stage)
    sums, per_link = {"signed": np.ones(2)}, {("signed", 0): 0.6}
    energy = EnergyTerms({}, 0.0, 0.0, per_bit=1.0, per_link=per_link)
    plain, graded = (
        SynapsePrices(0.5, energy, Sensitivity({}, sums, np.zeros((1, 1))), 2.0, bits)
        for bits in ({}, {"hidden": 2, "signed": 4})
    )
    without, with_two_bits = (prices.limits(stage, 0, np.ones(3)) for prices in (plain, graded))
    assert without is not None and with_two_bits is not None
    np.testing.assert_allclose(with_two_bits.energy, 3 * without.energy)


def test_without_price_energy_or_errors_nothing_has_a_limit() -> None:
    stage = two_layers().by_name["hidden"]
    assert isinstance(stage, Stage)
    sums, per_link, rates = {"hidden": np.ones(3)}, {("hidden", 0): 1.0}, np.ones(2)
    assert _prices(0.0, sums, per_link).limits(stage, 0, rates) is None
    assert _prices(1.0, sums, {}).limits(stage, 0, rates) is None
    assert _prices(1.0, {"hidden": np.zeros(3)}, per_link).limits(stage, 0, rates) is None


def test_a_channel_that_seems_useless_still_counts_and_rows_may_reach_all_channels() -> None:
    stage = two_layers().by_name["hidden"]
    assert isinstance(stage, Stage)
    blind = _prices(1.0, {"hidden": np.array([0.0, 1.0, 2.0])}, {("hidden", 0): 1.0}).limits(stage, 0, np.ones(2))
    assert blind is not None and blind.rows[0] == pytest.approx(COMMON_ERROR * 0.01)
    shared = _prices(1.0, {"hidden": np.array([6.0])}, {("hidden", 0): 1.0}).limits(stage, 0, np.ones(2))
    assert shared is not None and shared.rows.tolist() == [COMMON_ERROR * 2.0] * 3


def test_all_taps_of_a_channel_have_its_value() -> None:
    assert over_taps(np.array([1.0, 2.0, 3.0, 4.0]), 2, 4).tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]
    assert over_taps(np.array([5.0]), 2, 2).tolist() == [[5, 5], [5, 5]]


def test_rates_are_means_over_samples_and_places_that_share_weights() -> None:
    levels = torch.tensor([[1.0, 0.0, -0.5], [0.25, 0.0, 0.0]])
    link = Link("x", Dense(np.zeros((1, 3))), None, np.ones(()))
    assert spike_rates(link, levels).tolist() == [1.0, 0.0, 0.5]
    gathered = replace(link, index=np.array([[2, 2, 0], [-1, 0, 0]], np.int32))
    assert spike_rates(gathered, levels).tolist() == [0.25, 0.75, 1.0]


def test_a_link_is_pruned_in_units_of_its_sum() -> None:
    """Whatever the grid, the same real weights go: 2 on an input of variance 1 that is worth less than its spikes."""
    values = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    op = Dense(np.array([[2.0, 10.0]]))
    hidden = two_layers().by_name["hidden"]
    assert isinstance(hidden, Stage)
    stage = replace(hidden, links=(Link("x", op, None, np.ones(())),), shape=(1,))
    rows = row_inputs_of(stage, {"x": values})
    limits = SynapseLimits(1.0, np.ones(1), np.array([8.0, 8.0]))
    for unit in (0.01, 0.5):
        compensation = Compensation(rows, {0: np.ones(1)}, {0: limits})
        whole = compensation(0, op.weight / unit, np.full((1, 1), unit))
        assert whole[0, 0] == 0 and whole[0, 1] * unit == pytest.approx(10, rel=0.02)
        (removed,) = compensation.removed
        assert removed.weights == 1 and removed.error == pytest.approx(4, rel=0.1) and removed.energy == 8


class _Wide(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(2, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(12 * 36, 5),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


def _figures(**options: object) -> tuple[los.OneSpikeNetwork, float, float]:
    torch.manual_seed(0)
    model = _Wide().eval()
    x = torch.rand(96, 2, 6, 6, generator=torch.Generator().manual_seed(1))
    net = los.convert(model, x[:64], timesteps=12, **options)  # type: ignore[arg-type]
    with torch.no_grad():
        ann = model(x[64:]).numpy()
    found = net.evaluate(x[64:], ann.argmax(axis=1), model=model)
    error = net.predict(x[64:]) - ann
    share = (error - error.mean(axis=0)).var() / (ann - ann.mean(axis=0)).var()
    return net, found.alpha_fp32 / found.alpha_all_fp32, float(share)


def test_pruning_saves_additions_for_little_error_and_says_so() -> None:
    net, saved, error = _figures(price=4.0)
    _, without, least = _figures(price=4.0, method=Method(pruning=False))
    assert saved > 1.15 * without and error < least + 0.01
    (note,) = notes(net, "pruning")
    gone = sum(int((s.op.weight_values == 0).sum()) for s in net.network.synapses)
    removed = int(note.split("removed ")[1].split(" of")[0].replace(",", ""))
    assert 0 < removed <= gone


def test_the_higher_the_price_the_fewer_synapses_and_without_one_none_are_removed() -> None:
    _, little, _ = _figures(price=0.5)
    _, much, _ = _figures(price=8.0)
    assert much > 1.1 * little > 1
    net, _, _ = _figures(objective="accuracy")
    assert not notes(net, "pruning")


def test_a_pruned_network_is_the_same_on_the_oracle() -> None:
    net, _, _ = _figures(price=8.0)
    x = torch.rand(2, 2, 6, 6, generator=torch.Generator().manual_seed(3))
    assert first_difference(net.trace(x), net.trace(x, "reference")) is None
