"""The backend of CONTRIBUTING.md, made by the very blocks of that page, runs through the API and the command line."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import netx_export
from loihi_onespike.boards.deployment import DeploymentOptions, backends, deploy
from loihi_onespike.boards.deployment.backends import registry
from loihi_onespike.boards.deployment.delays import AdapterDelays
from loihi_onespike.cli.app import app
from loihi_onespike.errors import ConfigurationError, DeploymentError
from tests.support.contributing import code_of
from tests.support.lava_networks import chain, codes, everything

FOLDER = "loihi_onespike/boards/deployment/backends/"


@pytest.fixture
def oracle_board(monkeypatch, tmp_path):
    """The new module in the package of backends, and the list with the new line."""
    files = code_of("Add a backend of boards")
    assert sorted(files) == [f"{FOLDER}oracle_board.py", f"{FOLDER}registry.py"]
    (tmp_path / "oracle_board.py").write_text(files[f"{FOLDER}oracle_board.py"], encoding="utf-8")
    monkeypatch.setattr(backends, "__path__", [*backends.__path__, str(tmp_path)])
    namespace = dict(vars(registry))
    exec(files[f"{FOLDER}registry.py"], namespace)
    assert namespace["BACKENDS"][:-1] == registry.BACKENDS
    monkeypatch.setattr(registry, "BACKENDS", namespace["BACKENDS"])


@pytest.mark.usefixtures("oracle_board")
@pytest.mark.parametrize("network", [chain(4, 4), everything(3)], ids=["chain", "everything"])
def test_the_new_backend_runs(network):
    options = DeploymentOptions(backend="oracle", spikes_of=[p.name for p in network.hidden])
    found = deploy(network, codes(network, 2), "oheo_gulch", options)
    assert found.comparison is not None and found.comparison.equal and not found.failed
    assert found.bringup is not None and found.bringup.equal and len(found.bringup.runs) == 13
    assert found.comparison.delays == AdapterDelays(0, 0, 0)  # its adapters take no step
    assert "Lava" not in [c.name for c in found.checks] and "microcode program" not in [c.name for c in found.checks]


@pytest.mark.usefixtures("oracle_board")
def test_it_measures_nothing():
    network = chain(4, 4)
    with pytest.raises(DeploymentError, match="oracle: has no time and energy"):
        deploy(
            network,
            codes(network, 1),
            "oheo_gulch",
            DeploymentOptions(backend="oracle", profile_steps=100, skip_bringup=True),
        )


@pytest.mark.usefixtures("oracle_board")
def test_the_command_line_has_it(tmp_path):
    netx_export.write(chain(4, 4), tmp_path / "net.h5")
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).random((2, 1, 8, 8), np.float32), y=np.zeros(2, int))
    command = ["deploy", str(tmp_path / "net.h5"), "--data", str(tmp_path / "d.npz"), "--board", "oheo_gulch"]
    done = CliRunner().invoke(app, [*command, "--backend", "oracle", "--images", "2", "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["comparison"]["equal"]


def test_without_it_the_others_are_listed():
    network = chain(4, 4)
    message = r"backend: must be one of lava, stand-in, got 'oracle'; lava is a Loihi 2 board .*; stand-in is the micro"
    with pytest.raises(ConfigurationError, match=message):
        deploy(network, codes(network, 1), "oheo_gulch", DeploymentOptions(backend="oracle"))
