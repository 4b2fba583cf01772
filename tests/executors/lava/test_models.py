"""Whole converted models on Lava: every construct equals the oracle, spike for spike and v for v."""

from __future__ import annotations

from pathlib import Path

import pytest

import loihi_onespike as los
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors.lava.availability import available
from tests.support.lava_processes import forked
from tests.support.models import MODELS, Gated, inputs, make, prepared

pytestmark = [pytest.mark.lava, forked, pytest.mark.skipif(not available(), reason="lava is not installed")]


@pytest.mark.parametrize("wait", [2, None])
@pytest.mark.parametrize("name", list(MODELS))
def test_lava_equals_the_oracle(name: str, wait: int | None) -> None:
    x = inputs(3)
    net = los.convert(make(name), x, timesteps=6, wait=wait, method="paper")
    assert first_difference(net.trace(x, "reference"), net.trace(x, "lava")) is None


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["plain_cnn", "depthwise", pytest.param("residual", marks=pytest.mark.slow)])
def test_a_model_with_payload_is_the_same_everywhere(name: str, tmp_path: Path) -> None:
    """Convert, save, load: oracle, fast, microcode and both forms of Lava's processes."""
    x = inputs(3)
    net = los.convert(make(name), x, timesteps=3, payload_bits=2)
    loaded = los.load(net.save(tmp_path / "net.h5"))
    expected = net.trace(x, "reference")
    assert any(p.code.payload_bits == 2 for p in loaded.network.hidden)
    for executor, options in (("fast", {}), ("microcode", {}), ("lava", {}), ("lava", {"processes": "whole"})):
        assert first_difference(expected, loaded.trace(x, executor, **options)) is None, (executor, options)


@pytest.mark.thorough
def test_a_gated_model_is_the_same_everywhere(tmp_path: Path) -> None:
    """A product of two activations, converted: fast, microcode, Lava's processes in both forms and its own synapses."""
    x = inputs(3)
    net = los.convert(prepared(Gated()), x, timesteps=5)
    loaded = los.load(net.save(tmp_path / "net.h5"))
    assert any(p.product is not None for p in loaded.network.hidden)
    expected = net.trace(x, "reference")
    ways: tuple[tuple[str, dict[str, str]], ...] = (
        ("fast", {}),
        ("microcode", {}),
        ("lava", {}),
        ("lava", {"processes": "whole"}),
        ("lava", {"synapses": "stock"}),
    )
    for executor, options in ways:
        assert first_difference(expected, loaded.trace(x, executor, **options)) is None, (executor, options)


@pytest.mark.thorough
def test_lava_runs_what_was_saved_and_loaded(tmp_path: Path) -> None:
    x = inputs(2)
    net = los.convert(make("residual"), x, timesteps=30)  # deep enough for delays of its shortcuts
    loaded = los.load(net.save(tmp_path / "net.h5"))
    assert first_difference(net.trace(x, "reference"), loaded.trace(x, "lava", stream=False)) is None
