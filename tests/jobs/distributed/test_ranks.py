"""Two ranks on this machine against one process: the same to the last digit, and all ranks end together."""

import json
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.conversion.calibration.survey import Survey
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.jobs.distributed import Ranks
from tests.jobs.distributed.cases import BATCH, data, network, stages

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[3]
SIZE = 2


def alone(count, **more):
    x, y = data()
    result = asdict(OneSpikeNetwork(network()).evaluate(x[:count], y[:count], batch=BATCH, **more))
    return json.loads(json.dumps(result))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the ranks leave; a run on 2 parts of 4 was interrupted before they start."""
    path = tmp_path_factory.mktemp("ranks")
    alone(10, resume=path / "resume")
    for number in (0, 2):
        (path / "resume" / f"part.{number:06d}.json").unlink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "tests.jobs.distributed.worker", str(path)]
    started = [
        subprocess.Popen([*command, str(r), str(SIZE), port], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for r in range(SIZE)
    ]
    for process in started:
        try:
            error = process.communicate(timeout=60)[1]
        finally:
            process.kill()
        assert process.returncode == 0, error
    return path


@pytest.fixture(scope="module")
def found(folder):
    return [json.loads((folder / f"{r}.json").read_text()) for r in range(SIZE)]


@pytest.mark.parametrize(("name", "count"), [("uneven", 10), ("fewer images than ranks", 1), ("resumed", 10)])
def test_every_rank_gets_what_one_process_gets(found, name, count):
    expected = alone(count)
    assert [rank[name] for rank in found] == [expected] * SIZE
    assert expected["accuracy"]["total"] == count and expected["synaptic_operations"] > 0


def test_progress_counts_the_images_of_all_ranks(found):
    for rank in found:
        done = [d for d, _ in rank["progress"]]
        assert done[0] == 0 and done == sorted(done) and {of for _, of in rank["progress"]} == {10}
    assert max(rank["progress"][-1][0] for rank in found) == 10


def test_ranks_leave_every_part_in_the_folder(found, folder):
    kept = [json.loads(p.read_text()) for p in sorted((folder / "resume").glob("part.*"))]
    assert [(k["first"], k["end"]) for k in kept] == [(0, 3), (3, 6), (6, 9), (9, 10)]
    assert len(list((folder / "resume").iterdir())) == 5  # and no draft


def test_what_differs_between_the_ranks_is_named(found):
    for rank in found:
        assert rank["other data"] == (
            "ConfigurationError: ranks: must have the same network and data on every rank, got another data (rank 1) "
            "than on rank 0"
        )


def test_the_error_of_rank_0_is_everyones(found):
    assert "holds counts" not in found[0]["other folder"]
    assert found[0]["other folder"].startswith(
        "ConfigurationError: "
    ) and "images: 10 in the folder, 9 in this run" in str(found[0])
    assert found[1]["other folder"].startswith("DistributedError: rank 0: ConfigurationError: ")
    assert [rank["from first"] for rank in found] == [0, 0]


def test_an_error_on_one_rank_ends_all_with_its_message(found):
    """Rank 0 finishes what is left of the queue or is told before; it never waits for the rank that failed."""
    assert found[1]["own error"] == "ValueError: a picture is odd"
    assert found[0]["own error"] == "DistributedError: rank 1: ValueError: a picture is odd"
    assert found[0]["own error seconds"] < 10


def test_an_interrupt_of_one_rank_interrupts_all(found):
    assert [rank["interrupt"].split(":")[0] for rank in found] == ["KeyboardInterrupt"] * SIZE


def test_a_rank_that_does_not_come_is_named(found):
    assert "rank 0: rank 1 did not come within 0.3 s" in found[0]["slow"]
    assert found[0]["slow seconds"] < 1.0


def test_a_conversion_over_ranks_is_that_of_one_process(found):
    (network,) = {name for rank in found for name in rank["conversion"]}
    assert [rank["conversion"] for rank in found] == [[network, network]] * SIZE


def test_survey_over_ranks_is_that_of_one_process(found, folder):
    graph, batches = stages()
    expected = Survey(graph, batches, 50)
    assert [rank["survey"] for rank in found] == [50] * SIZE
    for r in range(SIZE):
        got = np.load(folder / f"survey.{r}.npz")
        wanted = {**expected.samples, **{f"{n}.max": m for n, m in expected.maxima.items()}}
        assert set(got.files) == set(wanted)
        for name in wanted:
            np.testing.assert_array_equal(got[name], wanted[name])


def test_ranks_without_a_group():
    with pytest.raises(ConfigurationError, match="requires a process group"):
        Ranks()
