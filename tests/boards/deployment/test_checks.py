"""The preflight list: each check failing and passing, with its remedy."""

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.boards.deployment import access, checks
from loihi_onespike.boards.deployment.access import Ethernet
from loihi_onespike.boards.deployment.backends.board_backend import BoardSettings
from loihi_onespike.boards.deployment.backends.lava import entry
from loihi_onespike.boards.deployment.backends.stand_in import STAND_IN
from loihi_onespike.core.maps import Dense
from tests.boards.mapping.boards import narrow
from tests.support.lava_networks import chain
from tests.support.networks import products

NAMES = [
    "fits the board",
    "placement checked independently",
    "programmable neurons",
    "Lava",
    "lava-loihi",
    "board reachable",
    "synapses",
    "microcode program",
]


@pytest.fixture
def states(monkeypatch):
    """states(network, board, installed, reached, **options): checks by name."""

    def call(network, board, installed=True, reached=(True, "1 node up"), **options):
        monkeypatch.setattr(entry, "lava_loihi_installed", lambda: installed)
        monkeypatch.setattr(access, "reachable", lambda access: reached)
        monkeypatch.delenv("LOIHI_ONESPIKE_UCODE", raising=False)
        made = checks.preflight(network, board, **options)
        assert [c.name for c in made] == NAMES
        assert all(bool(c.remedy) is c.failed for c in made)
        return {c.name: c for c in made}

    return call


def test_all_is_there(states, programs):
    found = states(chain(4, 4), "oheo_gulch", program=programs)
    assert not [c for name, c in found.items() if c.failed and name != "Lava"]
    assert found["microcode program"].found == "5 files for 5 populations"


def test_nothing_is_there(states):
    found = states(chain(4, 4), "oheo_gulch", installed=False)
    assert found["lava-loihi"].failed and "--dry-run" in found["lava-loihi"].remedy
    assert found["board reachable"].state == "not asked"
    assert found["microcode program"].failed and "docs/microcode.md" in found["microcode program"].remedy
    assert not found["fits the board"].failed and found["lava-loihi"].board_only and not found["Lava"].board_only


def test_it_does_not_fit(states):
    board = narrow("oheo_gulch", cores_per_chip=3)
    found = states(chain(4, 4), board)
    assert found["fits the board"].failed and "limit 3" in found["fits the board"].remedy
    assert found["placement checked independently"].state == "not asked"


def test_a_fixed_neuron(states):
    found = states(chain(4, 4), "kapoho_bay")["programmable neurons"]
    assert found.failed and "Loihi 1" in found.found and "oheo_gulch" in found.remedy


def test_nobody_answers(states):
    found = states(chain(4, 4), "oheo_gulch", reached=(False, "the command sinfo was not found"))["board reachable"]
    assert found.failed and "--partition" in found.remedy
    found = states(chain(4, 4), "oheo_gulch", reached=(False, "silence"), access=Ethernet("192.0.2.1"))
    assert "cable" in found["board reachable"].remedy


def test_a_missing_program(states, programs, tmp_path):
    (tmp_path / "conv1.txt").write_text("")
    found = states(chain(4, 4), "oheo_gulch", program=tmp_path)["microcode program"]
    assert found.failed and "max1" in found.found and "conv1 (" not in found.found


def test_a_gather_that_reads_a_neuron_twice(states):
    network = chain(4, 4)

    def with_weight(value):
        last = network.synapses[-1]
        index = np.zeros(24, np.int32)  # 24 times the same neuron
        op = Dense(np.full((5, 24), value, np.int16))
        return replace(network, synapses=(*network.synapses[:-1], replace(last, op=op, index=index)))

    assert not states(with_weight(10), "oheo_gulch")["synapses"].failed  # 240 fits into 8 bits
    found = states(with_weight(12), "oheo_gulch")["synapses"]  # 288 does not
    assert found.failed and "out" in found.found


def test_lava_loihi_is_not_here():
    assert not entry.lava_loihi_installed()


def test_products_need_a_backend_that_has_their_neurons():
    found = {c.name: c for c in entry.requirements(products(), BoardSettings(access.Slurm()))}
    check = found["one synaptic input per neuron"]
    assert check.failed and "scaled, squares" in check.found and "--backend stand-in" in check.remedy
    assert check.name not in {c.name for c in checks.preflight(products(), "oheo_gulch", backend=STAND_IN)}
