"""What is refused before anything of SANA-FE is needed, and the refusal when it is not installed."""

from __future__ import annotations

import sys

import pytest

from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.sanafe import export, simulate
from loihi_onespike.boards.sanafe.architecture import read_description
from loihi_onespike.boards.sanafe.plugin import check_computable
from loihi_onespike.errors import ConfigurationError, SimulatorError
from loihi_onespike.executors import reference
from tests.boards.mapping.boards import narrow
from tests.support.lava_networks import chain, codes
from tests.support.networks import products


def exported(board, **options):
    network = chain(6)
    return export(network, map_network(network, board), reference.run(network, codes(network, 1)), **options)


def test_package_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sanafe", None)
    with pytest.raises(
        SimulatorError, match=r"sanafe: must be installed, got .*; pip install 'loihi-onespike\[sanafe\]'"
    ):
        exported("nahuku_32")


def test_boards_of_another_chip():
    message = r"must have chips of Loihi 1, .*, got Oheo Gulch with Loihi 2; take .*nahuku_32"
    with pytest.raises(SimulatorError, match=message):
        exported("oheo_gulch")


def test_products_are_not_computed():
    with pytest.raises(SimulatorError, match=r"scaled: must have one synaptic input per neuron, .*; replay"):
        check_computable(products())


def test_networks_of_several_chips():
    with pytest.raises(SimulatorError, match=r"network must fit 1 chip, .*, got \d+ chips; make it smaller"):
        exported(narrow("nahuku_32", neurons=64, cores_per_chip=4))


def test_ways_of_neurons_and_models_of_time_that_there_are_not():
    with pytest.raises(ConfigurationError, match="neurons: must be one of idle, updated, computed, got 'busy'"):
        exported("nahuku_32", neurons="busy")
    network = chain(6)
    trace = reference.run(network, codes(network, 1))
    with pytest.raises(ConfigurationError, match="timing: must be one of simple, detailed, cycle, got 'exact'"):
        simulate(network, map_network(network, "nahuku_32"), trace, timing="exact")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "FileNotFoundError: No such file"),
        ("a: [", "ParserError"),
        ("a: 1", "KeyError: 'architecture'"),
        ("architecture: {tile: []}", "IndexError"),
        ("", "TypeError"),
    ],
)
def test_descriptions_that_are_none(tmp_path, text, words):
    pytest.importorskip("yaml", reason="PyYAML is not installed")
    file = tmp_path / "chip.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SimulatorError, match=f"must be a description of a chip for SANA-FE, got {words}"):
        read_description(file)


def test_networks_with_many_synapses():
    # chain(6): 22·22·4 synapses of a 3 × 3 kernel with padding 1 over 8 × 8, 256 of the pooling, 10·10·4·6, 96, 120
    with pytest.raises(SimulatorError, match=r"must have at most 4,807 synapses .*, got 4,808; raise max_connections"):
        exported("nahuku_32", max_connections=4807)
