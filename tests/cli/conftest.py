"""A converted network to try the commands on, and the command line as a function."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from loihi_onespike.cli.app import app

MAIN = "from loihi_onespike.cli import main; main()"


@pytest.fixture(scope="session")
def net_file(tmp_path_factory):
    """The demo's network, converted with a short wait, so that options show in what is printed."""
    path = tmp_path_factory.mktemp("cli") / "net.h5"
    arguments = ["convert", "digits", "--data", "digits", "-o", str(path), "--wait", "8", "--input-bits", "5"]
    result = CliRunner().invoke(app, [*arguments, "--calibration-images", "32"])
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def onespike():
    """onespike("inspect", path) → result with exit_code, stdout and stderr; exceptions other than exits are raised."""

    def call(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def document(onespike):
    """The JSON document that a command writes; nothing else may stand on stdout."""

    def call(*arguments, exit_code=0):
        result = onespike(*arguments, "--json")
        assert result.exit_code == exit_code, result.stderr
        return json.loads(result.stdout)

    return call


@pytest.fixture
def process():
    """The command in a process of its own, as a shell starts it."""

    def call(*arguments, **options):
        command = [sys.executable, "-c", MAIN, *map(str, arguments)]
        environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, **options)

    return call
