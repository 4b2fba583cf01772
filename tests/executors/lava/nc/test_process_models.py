"""Process models for cores against a recording stand-in of the package that is not public."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihi_onespike.core.graphs.network import Population
from loihi_onespike.errors import ConfigurationError, LavaError
from loihi_onespike.executors.lava import nc
from loihi_onespike.microcode import initial_state, program_of
from loihi_onespike.microcode.examples import example
from tests.support.lava_networks import chain, everything, graded, sides
from tests.support.lava_processes import needs_lava
from tests.support.networks import products

FAKE = Path(__file__).parents[3] / "support" / "fake_nc"
MADE_AVAILABLE = ("lava.magma.core.model.nc", "loihi_onespike.executors.lava.nc.process_models")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stand-in on sys.path for one test."""
    monkeypatch.syspath_prepend(str(FAKE))
    yield
    for name in [n for n in sys.modules if n.startswith(MADE_AVAILABLE)]:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program file for each population of all networks."""
    for p in (p for make in (everything, chain, graded, sides) for p in make(3).populations[1:]):
        (tmp_path / f"{p.name}.ucode").write_text("the user's own")
    return tmp_path


def processes(net: Any) -> dict[str, Any]:
    return {layer.name: layer.neuron for layer in net.layers}


def allocate(process: Any) -> tuple[Any, Any]:
    """The model of a process after `allocate`, and the recording net."""
    from lava.magma.core.model.nc.model import instantiate
    from lava.magma.core.model.nc.net import NetL2

    model, net = instantiate(nc.models()[type(process)], process), NetL2()
    model.allocate(net)
    return model, net


@pytest.mark.lava
@pytest.mark.skipif(needs_lava[1].args[0], reason="Lava is not installed")
class TestModels:
    @pytest.fixture(params=[everything, chain, graded, sides])
    def net(self, request: pytest.FixtureRequest) -> Any:
        from loihi_onespike.executors.lava.processes.network import Network

        return Network(request.param(3))

    def test_every_population_allocates_what_its_program_needs(self, fake: None, net: Any, folder: Path) -> None:
        network, period = net.network, net.period
        prepared = nc.prepare(net, ucode=folder)
        assert [p.name for p in prepared] == [p.name for p in network.populations[1:]]
        kinds = set()
        for name, process in processes(net).items():
            p = network.by_name[name]
            _, recorded = allocate(process)
            cfg, neurons, *axons = recorded.allocated
            size = int(np.prod(p.shape))
            assert cfg.table == "neurons_cfg"
            assert cfg.arguments.pop("shape") == (1,)
            assert cfg.arguments.pop("ucode") == str(folder / f"{name}.ucode")
            assert cfg.arguments == program_of(p, period).constants
            assert all(type(value) is int and -(2**23) <= value < 2**23 for value in cfg.arguments.values())
            assert neurons.table == "neurons"
            assert neurons.arguments.pop("shape") == (size,)
            v = neurons.arguments.pop("v")
            assert (v.name, v.precision, v.d_type, v.shape) == ("v", 24, np.int32, p.shape)
            state = initial_state(p, network.starts[name], period)
            assert np.array_equal(np.ravel(v.init), state.pop("v"))
            assert set(neurons.arguments) == set(state)
            for field, values in neurons.arguments.items():
                assert (values.dtype, values.shape) == (np.int32, (size,)), field
                assert np.array_equal(values, state[field]), field
            message_bits = [a.arguments["num_message_bits"] for a in axons]
            if isinstance(p, Population):
                assert message_bits == [8 if p.signed or p.code.payload_bits else 0]
                assert axons[0].arguments["shape"] == (size,)
                kinds.add((type(process).__name__, p.signed))
            else:
                assert message_bits == []
        pools = {("OneSpikeMaxPool", False)} if "max_pool" in {p.kind for p in network.hidden} else set()
        signed = {("OneSpike", True)} if any(p.signed for p in network.hidden) else set()
        unsigned = {("OneSpike", False)} if not all(p.signed for p in network.hidden) else set()
        assert kinds == unsigned | pools | signed

    def test_connections(self, fake: None, net: Any, folder: Path) -> None:
        nc.prepare(net, ucode=folder)
        for process in processes(net).values():
            model, recorded = allocate(process)
            cfg, neurons, *axons = recorded.allocated
            assert model.a_in.connected == [neurons]
            assert neurons.connected == [cfg, *axons]
            assert [a.connected for a in axons] == [[model.s_out]] * len(axons)

    def test_state_by_hand(self, fake: None, tmp_path: Path) -> None:
        """hidden: thresholds differ, bias does not. Window 0 begins after 1 step, period 16: the clock starts at 15."""
        from loihi_onespike.executors.lava.processes.network import Network

        network = example("ReLU, full wait", 8)
        net = Network(network)
        for p in network.populations[1:]:
            (tmp_path / p.name).touch()
        hidden = nc.prepare(net, ucode=tmp_path)[0]
        assert set(hidden.state) == {"v", "threshold", "clock", "fired"}
        assert hidden.state_bits == {"v": 24, "threshold": 24, "clock": 8, "fired": 8}
        assert (hidden.state["clock"] == 15).all() and not hidden.state["fired"].any()
        assert np.array_equal(hidden.state["threshold"], network.hidden[0].threshold)
        assert hidden.constants["bias"] == 0 and hidden.constants["leak"] == 6554  # 1.6 · 4096 = 6553.6
        _, recorded = allocate(processes(net)["hidden"])
        assert recorded.allocated[1].arguments.keys() == {"shape", "v", "threshold", "clock", "fired"}

    def test_the_side_is_state(self, fake: None, folder: Path) -> None:
        """The first of two channels of eight neurons is one-sided: bit 0 of `fired`."""
        from loihi_onespike.executors.lava.processes.network import Network

        net = Network(sides(3))
        pairs = nc.prepare(net, ucode=folder)[0]
        assert pairs.state["fired"].tolist() == [1] * 8 + [0] * 8 and pairs.state_bits["fired"] == 8
        assert pairs.message_bits == 8
        _, recorded = allocate(processes(net)["pairs"])
        assert recorded.allocated[1].arguments["fired"].tolist() == [1] * 8 + [0] * 8

    def test_products_are_refused(self, tmp_path: Path) -> None:
        from loihi_onespike.executors.lava.processes.network import Network

        network = products()
        for p in network.populations[1:]:
            (tmp_path / p.name).touch()
        with pytest.raises(LavaError, match="scaled: must have one synaptic input per neuron on cores, got products"):
            nc.prepare(Network(network), ucode=tmp_path)

    def test_tags_and_resources(self, fake: None) -> None:
        from lava.magma.core.resources import Loihi2NeuroCore

        models: Mapping[type, Any] = nc.models()
        for process, model in models.items():
            assert model.implements_process is process
            assert model.required_resources == [Loihi2NeuroCore]
            assert model.tags == ["ucoded"]

    def test_a_process_that_was_not_prepared(self, fake: None, net: Any) -> None:
        name, process = next(iter(processes(net).items()))
        with pytest.raises(LavaError, match=rf"{name}: has no parameters for cores; call .*prepare"):
            allocate(process)

    def test_without_the_package(self) -> None:
        reason = nc.why_unavailable()
        assert reason is not None and "\n" not in reason and not nc.available()
        for word in ("lava.magma.core.model.nc", "lava-loihi", "lava-nc 0.10.0", "INRC"):
            assert word in reason
        with pytest.raises(LavaError, match=r"lava\.magma\.core\.model\.nc is not installed"):
            nc.models()


class TestProgramFiles:
    def test_folder_mapping_and_single_file(self, folder: Path) -> None:
        names = [p.name for p in everything(3).populations[1:]]
        expected = {n: folder / f"{n}.ucode" for n in names}
        assert nc.program_files(names, folder) == expected
        assert nc.program_files(names, {n: str(path) for n, path in expected.items()}) == expected
        one = folder / f"{names[0]}.ucode"
        assert nc.program_files(["another"], one) == {"another": one}

    def test_environment(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(nc.UCODE_VARIABLE, raising=False)
        with pytest.raises(
            ConfigurationError, match=r"ucode: no program files are given; .*--program .*LOIHI_ONESPIKE_UCODE"
        ):
            nc.program_files(["wide"])
        monkeypatch.setenv(nc.UCODE_VARIABLE, str(folder))
        assert nc.program_files(["wide"]) == {"wide": folder / "wide.ucode"}

    def test_all_missing_files_are_named(self, folder: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"no program file for one \(.*\), two \(.*\); write .*listing"):
            nc.program_files(["one", "wide", "two"], folder)
        with pytest.raises(ConfigurationError, match="no entry for two; write"):
            nc.program_files(["wide", "two"], {"wide": folder / "wide.ucode"})
        with pytest.raises(ConfigurationError, match="must be a folder or a mapping for 2 populations"):
            nc.program_files(["wide", "two"], folder / "wide.ucode")

    def test_two_files_for_one_population(self, folder: Path) -> None:
        (folder / "wide.old").touch()
        with pytest.raises(ConfigurationError, match=r"2 files for wide in .*: wide\.old, wide\.ucode"):
            nc.program_files(["wide"], folder)
