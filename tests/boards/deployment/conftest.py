"""A fake lava-loihi and a fake SLURM, seen by child processes alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import netx_export
from loihi_onespike.boards.deployment.bringup.ladder import LADDER
from tests.support import lava_networks

SUPPORT = Path(lava_networks.__file__).parent
ROOT = SUPPORT.parents[1]
NODES = """NODELIST    NODES PARTITION  STATE
ncl-og-01       1 oheogulch  idle
ncl-og-02       1 oheogulch  down*
ncl-kp-01       1 kp*        idle
"""
PARTITIONS = "PARTITION AVAIL TIMELIMIT NODES STATE NODELIST\noheogulch up 20:00 2 idle ncl-og-[01-02]\n"


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A folder with a command sinfo, to be put on PATH."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "sinfo"
    command.write_text(
        f"#!/bin/sh\nif [ \"$1\" = '-N' ]; then cat <<'END'\n{NODES}END\nelse cat <<'END'\n{PARTITIONS}END\nfi\n"
    )
    command.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """A microcode file for every population of the networks that the tests deploy."""
    folder = tmp_path_factory.mktemp("microcode")
    for network in (lava_networks.chain(4, 4), lava_networks.everything(3), lava_networks.graded(2)):
        for population in network.populations[1:]:
            (folder / f"{population.name}.txt").write_text("written with Intel's tools")
    (folder / "bringup").mkdir()
    for population in (p for rung in LADDER for p in rung.network.populations[1:]):
        (folder / "bringup" / f"{population.name}.txt").write_text("written with Intel's tools")
    return folder


@pytest.fixture(scope="session")
def chain_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("net") / "chain.h5"
    netx_export.write(lava_networks.chain(4, 4), path)
    return path


@pytest.fixture(scope="session")
def environment(slurm):
    """Of a process that finds lava-loihi and SLURM."""
    path = os.pathsep.join(str(p) for p in (ROOT, SUPPORT / "fake_lava_loihi", SUPPORT / "fake_nc"))
    kept = {k: v for k, v in os.environ.items() if k not in ("BOARD", "PARTITION", "SLURM", "LOIHI_ONESPIKE_UCODE")}
    return {**kept, "PYTHONPATH": path, "PATH": f"{slurm}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def python(environment):
    """python(code, *arguments): the JSON that the code prints last, in a process that finds lava-loihi."""

    def call(code, *arguments, **changed):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        given = {k: v for k, v in {**environment, **changed}.items() if v is not None}
        done = subprocess.run(command, capture_output=True, text=True, env=given, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return call
