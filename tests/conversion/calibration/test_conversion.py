"""The calibrated conversion as a whole: what each part promises, on networks of every construct."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

import loihi_onespike as los
from loihi_onespike.api import ann_output
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.calibration.paper_plan import plan_by_maxima
from loihi_onespike.conversion.calibration.survey import Survey
from loihi_onespike.conversion.codes_of_options import hidden_code
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.conversion.pipeline import plan_float
from loihi_onespike.core.codes import Codebook
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.core.maps import weight_values
from loihi_onespike.core.trace import first_difference
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.float.float_executor import FloatExecutor
from tests.support.models import MODELS, inputs, make
from tests.support.signed_models import SIGNED, make_signed

ALL = [*MODELS, *SIGNED]
names = pytest.mark.parametrize("name", ALL)


@cache
def _model(name: str) -> torch.nn.Module:
    """One instance for a conversion and what it is compared with."""
    return make(name) if name in MODELS else make_signed(name)


def _planned(name: str, timesteps: int, method: Method, **options: object) -> StageGraph:
    given = ConversionOptions(timesteps=timesteps, method=method, **options)  # type: ignore[arg-type]
    return plan_float(_model(name), calibration_batches(inputs(24)), given)


def _error(name: str, stages: StageGraph) -> float:
    x = inputs(24)
    ann = ann_output(_model(name), x.numpy())
    return float(np.linalg.norm(FloatExecutor(stages).run(x) - ann) / np.linalg.norm(ann))


@names
def test_fine_levels_come_to_the_ann(name: str) -> None:
    """Two sides, offsets behind padding, joins and pooling, biases: whatever is folded wrongly would stay."""
    stages = _planned(name, 128, Method(rounding=False), input_bits=12, objective="accuracy")
    assert _error(name, stages) < 0.03


@names
def test_integers_equal_the_oracle(name: str) -> None:
    _assert_equal(name, None)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in ("residual", "branches", "slopes") else pytest.mark.slow) for n in ALL]
)
def test_integers_equal_the_oracle_with_a_short_wait(name: str) -> None:
    _assert_equal(name, 3)


def _assert_equal(name: str, wait: int | None) -> None:
    x = inputs(6)
    net = los.convert(_model(name), x, timesteps=5, wait=wait)
    assert first_difference(net.trace(x[:3], "reference"), net.trace(x[:3], "fast")) is None


@pytest.mark.thorough
def test_calibrated_networks_are_nearer_to_the_ann_than_the_papers() -> None:
    ratios = [
        _error(n, _planned(n, 12, Method(rounding=False))) / _error(n, _planned(n, 12, Method.paper())) for n in MODELS
    ]
    assert np.median(ratios) < 0.6
    assert max(ratios) < 1.1


@names
def test_all_parts_off_is_the_paper(name: str) -> None:
    batches = calibration_batches(inputs(24))
    stages = _planned(name, 12, Method.paper())
    bare = replace(stages, plans={})
    expected = plan_by_maxima(
        bare,
        Survey(bare, batches, sum(map(len, batches))).maxima,
        hidden_code(ConversionOptions(timesteps=12)),
        None,
        "channel",
    )
    for stage in stages.hidden:
        found, plan = stages.plans[stage.name], expected.plans[stage.name]
        assert found.code == plan.code
        assert np.array_equal(found.scale, plan.scale)
        assert np.array_equal(found.table, plan.table)
        assert not np.any(found.offset)


@pytest.mark.parametrize("part", Method.names())
def test_every_part_has_a_switch(part: str) -> None:
    """Alone it changes the network; some parts have no meaning alone, and are tried on top of what they belong to."""
    before = Method.paper()
    if part == "compensation":
        before = replace(before, rounding=True)
    if part == "pruning":
        before = Method(pruning=False)
    wait, timesteps = (3, 8) if part == "waits" else (None, 3 if part == "weights" else 8)
    price = 8.0 if part == "pruning" else None
    with_part, without = (
        _planned("residual", timesteps, m, wait=wait, price=price) for m in (replace(before, **{part: True}), before)
    )
    assert not all(
        np.array_equal(with_part.plans[s.name].table, without.plans[s.name].table)
        and np.array_equal(with_part.plans[s.name].scale, without.plans[s.name].scale)
        and np.array_equal(with_part.by_name[s.name].bias, s.bias)  # type: ignore[union-attr]
        and all(
            np.array_equal(weight_values(a.op), weight_values(b.op))
            for a, b in zip(with_part.by_name[s.name].links, s.links, strict=True)  # type: ignore[union-attr]
        )
        for s in without.hidden
    )


def test_parts_show_in_the_plans() -> None:
    stages = _planned("plain_cnn", 8, Method())
    (first, *_) = stages.hidden
    plan = stages.plans[first.name]
    assert isinstance(plan.code, Codebook)
    unsigned = _planned("plain_cnn", 8, Method(two_sided=False))
    assert all(p.negative is None for p in unsigned.plans.values())


def test_what_is_pooled_stays_one_sided() -> None:
    """The first spike of a group is its largest value only if no spike stands for a small one."""
    stages = _planned("pooled_twice", 6, Method())
    pooled = {link.pre for s in stages.hidden if s.kind == "max_pool" for link in s.links}
    assert pooled
    assert all(stages.plans[name].negative is None for name in pooled)


def test_biases_take_the_mean_error_away() -> None:
    x = inputs(24)
    exact = _planned("plain_cnn", 6, Method.paper())
    ann: dict[str, torch.Tensor] = {}
    FloatExecutor(exact, coded=False).run(x, lambda s, z: ann.__setitem__(s.name, z.clone()))

    def drift(method: Method) -> float:
        stages = _planned("plain_cnn", 6, method)
        out = FloatExecutor(stages).run(x)
        return float(np.abs(out.mean(axis=0) - ann[stages.output.name].numpy().mean(axis=0)).max())

    assert drift(Method(rounding=False)) < 0.1 * drift(Method(bias=False, rounding=False)) + 1e-4


def test_the_same_data_gives_the_same_network() -> None:
    x = inputs(12)
    one, two = (los.convert(make("residual"), x, timesteps=4, wait=2) for _ in range(2))
    assert first_difference(one.trace(x), two.trace(x)) is None


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="must be 'calibrated', 'paper' or a Method, got 'best'"):
        los.convert(make("mlp"), inputs(), method="best")  # type: ignore[arg-type]
