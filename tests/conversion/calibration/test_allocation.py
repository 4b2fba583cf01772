"""Spikes where they count: objectives and accounts in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.calibration.allocation import (
    BEST_MEASURED,
    NEGLIGIBLE_ERROR,
    PRICES,
    Allocation,
    Allocator,
    most_error,
)
from loihi_onespike.conversion.calibration.energy_terms import EnergyTerms, alpha_terms
from loihi_onespike.conversion.calibration.paper_plan import plan_by_maxima
from loihi_onespike.conversion.calibration.population import PopulationTarget
from loihi_onespike.conversion.calibration.pruning import SynapsePrices
from loihi_onespike.conversion.calibration.sensitivity import Sensitivity
from loihi_onespike.conversion.calibration.survey import Survey
from loihi_onespike.conversion.codes_of_options import EnoughBits
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.conversion.pipeline import lowered_stages, source_of
from loihi_onespike.core.codes import Base, PhaseCode
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import BoardError, ConfigurationError
from tests.support.graph_models import TwoLayers, adjacency, with_seed
from tests.support.stage_graphs import two_layers


def _spikes(net: los.OneSpikeNetwork, x: torch.Tensor) -> float:
    """Mean over hidden populations of the spikes per neuron."""
    layers = net.trace(x[:32].numpy()).layers
    return float(np.mean([np.mean(np.asarray(layers[p.name].words) != 0) for p in net.network.hidden]))


@pytest.mark.thorough
def test_objectives_spend_fewer_spikes_in_their_order() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU6(), nn.Conv2d(16, 8, 3),
        nn.ReLU(), nn.Flatten(), nn.Linear(128, 5),
    ).eval()  # fmt: skip
    x = torch.rand(96, 2, 6, 6)
    spikes = []
    for objective in ("accuracy", "balanced", "energy"):
        spikes.append(_spikes(los.convert(model, x, objective=objective), x))
    assert spikes[0] > spikes[1] > spikes[2] > 0
    board = {"objective": "balanced", "account": "hala_point", "payload_bits": 3, "timesteps": 4}
    cheap, dear = (los.convert(model, x, price=price, **board) for price in (None, 8.0))  # type: ignore[arg-type]
    assert _spikes(dear, x) < _spikes(cheap, x)
    assert cheap.network.facts["options"]["account"] == "hala_point"  # type: ignore[index]
    given = los.convert(model, x, objective="energy", base=1.3)
    assert all(isinstance(p.code, PhaseCode) for p in given.network.hidden)


def test_energy_is_not_spent_on_errors_that_change_nothing() -> None:
    """Twice the energy for half of the error: worth it where the error is large, and not where it is negligible."""
    large, small = ([_allocation(error, 1.0), _allocation(error / 2, 2.0)] for error in (0.1, 0.0001))
    assert large[0].merit(0.9) > large[1].merit(0.9)
    assert small[0].merit(0.9) < small[1].merit(0.9)
    assert small[0].merit(1.0) == pytest.approx(np.log(NEGLIGIBLE_ERROR + 0.0001))


def _allocation(error: float, energy: float) -> Allocation:
    prices = SynapsePrices(0.0, EnergyTerms({}, 0.0, 0.0), Sensitivity({}, {}, np.zeros((1, 1))), 0.0)
    plan = two_layers().input_plan
    assert plan is not None
    return Allocation({}, {}, plan, 1.0, error, error, energy, prices, {})


def _graph_allocator() -> Allocator:
    source = source_of(with_seed(lambda: TwoLayers(30)), adjacency(30))
    graph = source.plan_input(lowered_stages(source), EnoughBits())
    survey, x = Survey(graph, source.batches, 1), source.batches[0]
    largest = plan_by_maxima(graph, survey.maxima, PhaseCode(Base.nearest(1.3), 8), None, "channel").plans
    values = {
        stage.name: PopulationTarget.of(graph, stage, largest[stage.name].scale, Method(), priced=True).values(
            survey.samples[stage.name]
        )
        for stage in graph.hidden
    }
    return Allocator(graph, values, x, 8, 0, alpha_terms(graph, x), None, True, True)


def test_codes_of_a_graph_are_as_dear_as_they_are_measured() -> None:
    plain, learnt = _graph_allocator(), _graph_allocator()
    measured: list[Allocation] = []

    def five_times(tried: Allocation) -> float:
        """Of five times the error that is predicted without measurements, so close to it that all is tried."""
        measured.append(tried)
        return tried.error - tried.of_codes + 5 * plain.at(tried.price).of_codes

    learnt.learn_codes(1e9, five_times)
    prices = [tried.price for tried in measured]
    assert prices[: len(PRICES)] == list(PRICES)
    assert prices[len(PRICES) :] == [pytest.approx(learnt.best(1e9).price)] and prices[-1] > PRICES[-1]
    assert learnt.at(0.005).of_codes == pytest.approx(5 * plain.at(0.005).of_codes)
    # Where the codes of least error are the limit, fewer spikes may add half as much at p = 1.5.
    few, least = learnt.best(1.5), learnt.at(0.0)
    assert least.error < few.error <= 1.5 * least.error and few.energy < least.energy


def test_no_more_is_measured_than_may_be_lost() -> None:
    prices: list[float] = []

    def growing(tried: Allocation) -> float:
        prices.append(tried.price)
        return 0.01 * 1.2 ** len(prices)

    _graph_allocator().learn_codes(1.5, growing)
    assert prices[:4] == list(PRICES[:4])  # 1.2^3 is above 1 + 1.5 / 3
    assert len(prices[4:]) <= BEST_MEASURED and all(price < PRICES[3] for price in prices[4:])
    assert most_error(1e-6, 1.5) == NEGLIGIBLE_ERROR


@pytest.mark.thorough
def test_bits_of_payload_go_where_they_pay() -> None:
    """In α each bit is an addition per spike, so a higher price leaves fewer bits; on a board bits cost nothing."""
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(2, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.ReLU(), nn.Flatten(), nn.Linear(128, 5)
    ).eval()
    x = torch.rand(64, 2, 8, 8)

    def bits(**options: Any) -> list[int]:
        net = los.convert(model, x, timesteps=4, payload_bits=3, **options)
        assert first_difference(net.trace(x[:2].numpy()), net.trace(x[:2].numpy(), "reference")) is None
        return [p.code.payload_bits for p in net.network.hidden]

    assert bits(objective="accuracy") == bits(price=8.0, account="hala_point") == [3, 3]
    assert sum(bits(price=0.05)) > sum(bits(price=100.0))  # most of the additions read the input


def _no_way_to_the_output() -> nn.Module:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    nn.init.zeros_(model[4].weight)
    return model


def _silent() -> nn.Module:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1))
    nn.init.constant_(model[0].bias, -100.0)
    return model


WITHOUT_CLASSES = {
    "one number": (lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1)), (64, 6)),
    "one sample": (lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1)), (1, 6)),
    "no way to the output": (_no_way_to_the_output, (32, 6)),
    "silent": (_silent, (32, 6)),
    "maps": (lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3)), (8, 1, 8, 8)),
}


@pytest.mark.parametrize("name", WITHOUT_CLASSES)
@pytest.mark.parametrize("options", [{}, {"timesteps": 4, "wait": 2, "payload_bits": 1, "max_loss": 0.5}])
def test_what_an_objective_cannot_weigh_converts_too(name: str, options: dict[str, Any]) -> None:
    """Outputs without classes, errors that do not reach the output, populations without spikes."""
    torch.manual_seed(0)
    make, shape = WITHOUT_CLASSES[name]
    model, x = make().eval(), torch.rand(*shape)
    if model(x).shape[1] == 1:  # a single score decides nothing, and max_loss is refused
        options = {name: value for name, value in options.items() if name != "max_loss"}
    net = los.convert(model, x, **options)
    assert net.network.facts["options"]["objective"] == "balanced"  # type: ignore[index]
    with torch.no_grad():
        wanted = model(x).numpy()
    error = float(np.abs(net.predict(x.numpy()) - wanted).max())
    assert error < (0.1 if not options else 0.5) * max(1.0, float(np.abs(wanted).max()))


@pytest.mark.parametrize("options", [{"method": "paper"}, {"threshold_shift": False}])
def test_objectives_need_scales_and_rounding_to_the_nearest_level(options: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"objective: must be 'auto' or 'accuracy' with .*, got 'balanced'; leave"
    ):
        ConversionOptions(objective="balanced", **options)


@pytest.mark.parametrize("name", ["price", "max_loss"])
def test_the_objective_of_accuracy_has_no_price(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: must be None with objective='accuracy', got 2.0; use"):
        ConversionOptions(objective="accuracy", **{name: 2.0})  # type: ignore[arg-type]


def test_an_account_is_checked_before_the_work() -> None:
    with pytest.raises(
        ConfigurationError, match="account: must be 'alpha' with objective='accuracy', got 'hala_point'"
    ):
        ConversionOptions(objective="accuracy", account="hala_point")
    with pytest.raises(ConfigurationError, match="account: must be 'alpha' or the name of a board"):
        ConversionOptions(objective="balanced", account="")
    with pytest.raises(BoardError, match=r"hala_pont: .*did you mean hala_point"):
        los.convert(nn.Linear(2, 2), torch.zeros(2, 2), objective="balanced", account="hala_pont")
