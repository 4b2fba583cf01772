import subprocess
import sys

import pytest
from typer.testing import CliRunner

import loihi_onespike
from loihi_onespike.boards.specification import boards
from loihi_onespike.cli.app import app

COMMANDS = (
    "demo", "init", "build", "convert", "evaluate", "tune", "run", "inspect", "map", "profile", "diagnose", "report",
    "export", "bringup", "deploy", "doctor",
)  # fmt: skip


def test_overview(process):
    done = process("--help")
    assert done.returncode == 0 and all(f" {name} " in done.stdout for name in COMMANDS)
    assert "Exit status" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(onespike, command):
    result = onespike(command, "--help")
    assert result.exit_code == 0 and "--json" in result.stdout and "--debug" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(onespike, command):
    assert f"Example: onespike {command}" in " ".join(onespike(command, "--help").stdout.split())


def test_values_are_completed():
    def completed(line):
        asked = {"_ONESPIKE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        return set(CliRunner().invoke(app, env=asked, prog_name="onespike").stdout.split())

    assert completed("onespike d") == {"demo", "diagnose", "deploy", "doctor"}
    assert completed("onespike map net.h5 --board ") == set(boards())
    assert completed("onespike evaluate net.h5 --executor f") == {"fast", "float"}


def test_version(onespike):
    assert onespike("--version").stdout.strip() == loihi_onespike.__version__


def test_no_arguments_give_help(onespike):
    assert "Usage" in onespike().stdout


def test_help_needs_nothing_heavy():
    """Torch, Lava, matplotlib and scikit-learn take seconds to load."""
    heavy = "{'torch', 'lava', 'matplotlib', 'sklearn', 'scipy', 'torchvision'}"
    code = f"import loihi_onespike.cli.app, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_a_missing_option_is_named(process):
    done = process("convert", "digits", "-o", "net.h5")
    assert done.returncode == 2 and "--data" in done.stderr and done.stdout == ""
