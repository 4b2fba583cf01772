"""What payload_bits="auto" comes to: by network, by objective and by board; the record, the note and the arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import loihi_onespike as los
from loihi_onespike.api import prices_of
from loihi_onespike.conversion.method import Method
from loihi_onespike.conversion.options import ConversionOptions, option_fields
from loihi_onespike.conversion.pipeline import lowered_stages, plan_float, source_of
from loihi_onespike.conversion.resolved_options import ResolvedOptions, depthwise_layers, resolve_options
from loihi_onespike.core.graphs.stage import StageGraph
from netx_export.encode import encode
from tests.support.facts import notes
from tests.support.models import inputs, make, prepared
from tests.support.signed_models import make_signed


class Blurred(nn.Module):
    """Anti-aliased pooling: one fixed filter for all channels, behind a batch norm that the lowering folds into it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.register_buffer("filter", torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]).expand(4, 1, 3, 3) / 16)
        self.out = nn.Linear(64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(F.relu(self.stem(x)))
        return self.out(F.relu(F.conv2d(x, self.filter, None, 2, 1, 1, 4)).flatten(1))


class Resized(nn.Module):
    """Average pooling, and back to the size before by bilinear interpolation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.last, self.out = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 3, 1), nn.Linear(192, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.avg_pool2d(F.relu(self.stem(x)), 2)
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.out(F.relu(self.last(x)).flatten(1))


def around(*middle: nn.Module, channels: int = 4) -> nn.Module:
    """Layers between a stem with ReLU and a linear layer."""
    stem = (nn.Conv2d(2, 4, 3, padding=1), nn.ReLU())
    with torch.no_grad():
        size = nn.Sequential(*stem, *middle).eval()(inputs(1)).numel()
    return prepared(nn.Sequential(*stem, *middle, nn.ReLU(), nn.Flatten(), nn.Linear(size, 3)))


def lowered(model: nn.Module) -> StageGraph:
    return lowered_stages(source_of(model, inputs(8)))


WITH: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "depthwise and pointwise": (lambda: make("depthwise"), ["4"]),
    "two": (
        lambda: around(
            nn.Conv2d(4, 4, 3, groups=4), nn.ReLU(), nn.Conv2d(4, 5, 1), nn.ReLU(), nn.Conv2d(5, 5, 2, groups=5)
        ),
        ["3", "7"],
    ),
    "two rows per channel": (lambda: around(nn.Conv2d(4, 8, 3, groups=4)), ["3"]),
    "transposed": (lambda: around(nn.ConvTranspose2d(4, 4, 3, 2, 1, groups=4)), ["3"]),
    "read by the readout": (
        lambda: prepared(nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=4))),
        ["2"],
    ),
    "MobileNetV2's block": (lambda: make_signed("bottleneck"), ["depthwise.2"]),
}
WITHOUT: dict[str, Callable[[], nn.Module]] = {
    "convolutions and max pooling": lambda: make("plain_cnn"),
    "a residual network with average pooling": lambda: make("residual"),
    "average pooling": lambda: around(nn.AvgPool2d(2)),
    "average pooling with a padded border": lambda: around(nn.AvgPool2d(3, 2, 1)),
    "average pooling behind a batch norm": lambda: around(nn.BatchNorm2d(4), nn.AvgPool2d(2)),
    "a mean of all places": lambda: around(nn.AdaptiveAvgPool2d(1)),
    "bilinear resizing": lambda: prepared(Resized()),
    "one filter for all channels": lambda: prepared(Blurred()),
    "groups of two channels": lambda: around(nn.Conv2d(4, 4, 3, groups=2)),
    "one weight per row": lambda: around(nn.Conv2d(4, 4, 1, groups=4)),
    "one channel": lambda: around(nn.Conv2d(4, 1, 1), nn.ReLU(), nn.Conv2d(1, 3, 3)),
    "the input alone": lambda: prepared(
        nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    ),
}


@pytest.mark.parametrize("name", WITH)
def test_depthwise_layers_want_two_bits(name: str) -> None:
    model, layers = WITH[name]
    graph = lowered(model())
    assert depthwise_layers(graph) == layers
    options, noted = resolve_options(ConversionOptions(), graph)
    assert options.payload_bits == 2 and noted.stages == graph.stages
    assert noted.rewrites[:-1] == graph.rewrites and noted.rewrites[-1].startswith(f"{layers[0]}: ")


@pytest.mark.parametrize("name", WITHOUT)
def test_other_networks_want_none(name: str) -> None:
    graph = lowered(WITHOUT[name]())
    options, noted = resolve_options(ConversionOptions(), graph)
    assert options.payload_bits == 0 and noted.rewrites == graph.rewrites


@pytest.mark.parametrize(
    ("options", "bits"),
    [
        ({}, 2),
        ({"objective": "balanced", "price": 3.0}, 2),
        ({"max_loss": 0.5, "wait": 4, "timesteps": 8}, 2),
        ({"method": Method(two_sided=False)}, 2),
        ({"account": "hala_point"}, 2),
        ({"account": "nahuku_32"}, 0),  # Loihi 1
        ({"objective": "accuracy"}, 0),
        ({"objective": "energy"}, 0),
        ({"base": 1.3}, 0),
        ({"method": Method(levels=False)}, 0),
        ({"threshold_shift": False}, 0),
        ({"method": Method(scales=False)}, 0),
        ({"method": "paper"}, 0),
    ],
    ids=str,
)
def test_auto_by_objective_and_board(options: dict[str, Any], bits: int) -> None:
    given, graph = ConversionOptions(**options), lowered(make("depthwise"))
    prices = None if given.account == "alpha" else prices_of(given.account)
    found, noted = resolve_options(given, graph, prices)
    assert found.payload_bits == bits and (noted.rewrites == graph.rewrites) == (bits == 0)
    kept = [f.name for f in option_fields() if f.name != "payload_bits"]
    assert [getattr(found, name) for name in kept] == [getattr(given, name) for name in kept]


@pytest.mark.parametrize("bits", [0, 1, 4])
def test_a_number_is_taken_as_it_is(bits: int) -> None:
    graph = lowered(make("depthwise"))
    options, noted = resolve_options(ConversionOptions(payload_bits=bits, objective="accuracy"), graph)
    assert options.payload_bits == bits and noted.rewrites == graph.rewrites


def test_resolved_options_have_a_number() -> None:
    with pytest.raises(TypeError, match="payload_bits"):
        ResolvedOptions()  # type: ignore[call-arg]


def arrays(net: los.OneSpikeNetwork) -> dict[str, Any]:
    """All fields of the network file but the record of the conversion."""
    return {name: value for name, value in encode(net.network).items() if name != "onespike/facts"}


def test_a_depthwise_network_gets_by_default_what_two_bits_give() -> None:
    model = make("depthwise")
    auto = los.convert(model, inputs(24), timesteps=4)
    two, none = (los.convert(model, inputs(24), timesteps=4, payload_bits=bits) for bits in (2, 0))
    found, wanted = arrays(auto), arrays(two)
    assert found.keys() == wanted.keys() and all(np.array_equal(found[name], wanted[name]) for name in wanted)
    assert max(p.code.payload_bits for p in auto.network.hidden) > 0
    assert max(p.code.payload_bits for p in none.network.hidden) == 0
    records = [net.network.facts["options"] for net in (auto, two, none)]
    assert [record["payload_bits"] for record in records] == [2, 2, 0]  # type: ignore[index]
    assert [notes(net, "4:") for net in (two, none)] == [[], []]
    assert notes(auto, "4:") == [
        "4: the only depthwise convolution, for which payload_bits is 2; payload_bits=0 turns payload off"
    ]


def test_the_account_of_a_board_without_payload_leaves_it_out() -> None:
    net = los.convert(make("depthwise"), inputs(16), timesteps=4, account="nahuku_32")
    assert net.network.facts["options"]["payload_bits"] == 0  # type: ignore[index]
    assert not any(p.code.payload_bits for p in net.network.hidden)


def test_the_network_in_real_numbers_has_the_payload_too() -> None:
    model, x = make("depthwise"), inputs(24).numpy()
    planned = plan_float(model, [x], ConversionOptions(timesteps=4))
    assert max(plan.code.payload_bits for plan in planned.plans.values()) == 2
    assert any(line.startswith("4: the only depthwise convolution") for line in planned.rewrites)


def test_the_note_counts_the_layers() -> None:
    _, noted = resolve_options(ConversionOptions(), lowered(WITH["two"][0]()))
    assert noted.rewrites[-1] == (
        "3: the first of 2 depthwise convolutions, for which payload_bits is 2; payload_bits=0 turns payload off"
    )
