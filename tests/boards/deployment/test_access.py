"""The way to a board, and the defects of Lava that it goes around."""

import pytest

from loihi_onespike.boards.deployment.access import Ethernet, Slurm, SlurmRow, reachable, slurm_rows
from tests.boards.deployment.conftest import NODES

DEFECTS = """
import json
from lava.utils import loihi, slurm
from loihi_onespike.boards.deployment.access import Slurm
from loihi_onespike.boards.deployment.backends.lava.use_board import use
import os

def error(call, **options):
    try:
        call(**options)
    except Exception as found:
        return type(found).__name__

found = {"partitions": error(slurm.get_partitions), "boards": error(slurm.get_boards)}
found["host"] = error(loihi.use_slurm_host, partition="oheogulch")
use(Slurm("oheogulch", "ncl-og-01"), "N3C1")
found["set"] = {k: os.environ.get(k) for k in ("SLURM", "PARTITION", "BOARD", "LOIHI_GEN")}
found["installed"] = loihi.is_installed()
print(json.dumps(found))
"""
NO_SINFO = """
import json
from lava.utils import loihi
try:
    loihi.use_slurm_host()
except Exception as found:
    print(json.dumps(type(found).__name__))
"""


def test_rows_of_sinfo():
    assert slurm_rows(NODES) == [
        SlurmRow("ncl-og-01", "oheogulch", "idle"),
        SlurmRow("ncl-og-02", "oheogulch", "down*"),
        SlurmRow("ncl-kp-01", "kp", "idle"),
    ]
    assert slurm_rows(NODES + "\n\n  \n") == slurm_rows(NODES) and slurm_rows("") == []


@pytest.mark.parametrize(
    ("access", "up", "words"),
    [
        (Slurm(), True, "2 of 3 nodes up"),
        (Slurm("oheogulch"), True, "1 of 2 nodes up, partition oheogulch"),
        (Slurm("kp", "ncl-kp-01"), True, "1 of 1"),
        (Slurm("nahuku"), False, "no partition nahuku; its partitions: kp, oheogulch"),
        (Slurm(node="ncl-og-02"), False, "are down*"),
        (Slurm("kp", "ncl-og-01"), False, "no partition kp and node ncl-og-01"),
    ],
)
def test_slurm(slurm, monkeypatch, access, up, words):
    monkeypatch.setenv("PATH", str(slurm), prepend=":")
    found = reachable(access)
    assert found[0] is up and words in found[1]


def test_no_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert reachable(Slurm()) == (False, "the command sinfo was not found")
    assert reachable(Ethernet("192.0.2.1")) == (False, "192.0.2.1 does not answer to ping")
    command = tmp_path / "sinfo"
    command.write_text("#!/bin/sh\nexit 1\n")
    command.chmod(0o755)
    assert reachable(Slurm()) == (False, "sinfo fails: no SLURM controller answers")


@pytest.mark.lava
def test_defects_of_lava_and_the_way_around_them(python):
    found = python(DEFECTS)
    assert (found["partitions"], found["boards"], found["host"]) == ("IndexError",) * 3
    assert found["installed"] and found["set"] == {
        "SLURM": "1",
        "PARTITION": "oheogulch",
        "BOARD": "ncl-og-01",
        "LOIHI_GEN": "N3C1",
    }


@pytest.mark.lava
def test_lava_fails_without_sinfo(python, tmp_path):
    assert python(NO_SINFO, PATH=str(tmp_path)) == "FileNotFoundError"
