"""The whole path to a board, on a fake lava-loihi: graph, run, comparison, measurement, report."""

import pytest

pytestmark = [pytest.mark.lava, pytest.mark.thorough]

SCRIPT = """
import json, sys
from tests.support import lava_networks
from loihi_onespike.boards.deployment import DeploymentOptions, Slurm, deploy
from loihi_onespike.errors import OneSpikeError
from loihi_onespike.json_text import json_text

kind, programs, images, options = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
made = {"chain": lambda: lava_networks.chain(4, 4), "graded": lambda: lava_networks.graded(2)}
network = made.get(kind, lambda: lava_networks.everything(3))()
codes = lava_networks.codes(network, images, seed=5)
try:
    given = {"timeout_s": 100.0, "skip_bringup": True, **options}
    chosen = DeploymentOptions(Slurm("oheogulch"), program=programs, **given)
    report = deploy(network, codes, "oheo_gulch", chosen)
    print(json.dumps({**json.loads(json_text(report.to_dict())), "text": report.markdown()}))
except OneSpikeError as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}))
"""


@pytest.fixture(scope="module")
def run(python, programs):
    import json

    def call(kind="chain", images=3, program=None, **options):
        return python(SCRIPT, kind, program or programs, images, json.dumps(options))

    return call


@pytest.fixture(scope="module")
def measured(run):
    """A run that is read, every population tapped, and one that is measured."""
    return run(profile_steps=2000, compute_only=True, spikes_of=["conv1", "max1", "conv2", "mean2"])


def test_spikes_and_outputs_are_the_oracles(measured):
    found = measured["comparison"]
    assert found["equal"] and found["images"] == 3 == found["same_class"]
    assert found["populations"] == ["conv1", "max1", "conv2", "mean2"] and found["where"] == "board"
    assert not measured["failed"] and not measured["dry_run"]
    assert all(c["state"] == "passed" for c in measured["checks"])


def test_measured_beside_estimated(measured):
    m = measured["measurement"]
    # fake_lava_loihi: 5 µs a step, 25 mW dynamic, 1.28 W static of 8 chips of which one is in use
    assert m["step_us"] == pytest.approx(5.0) and m["dynamic_mw"] == pytest.approx(25.0)
    assert m["static_mw"] == pytest.approx(160.0) and m["warnings"] == [] and m["compute_only"]
    rows = {row["quantity"]: row for row in measured["estimated_and_measured"]}
    assert rows["mean step"]["measured"]["value"] == pytest.approx(5.0)
    assert rows["mean step"]["estimated"]["status"] == "I" and rows["mean step"]["measured"]["status"] == "measured"
    # 185 mW · 8 steps · 5 µs
    assert rows["total energy, least"]["measured"]["value"] == pytest.approx(7400.0)
    for words in ("Run on the board.", "compute only", "not a Loihi 2 figure", "every spike and every output is equal"):
        assert words in measured["text"]


def test_another_delay_of_the_adapters_shows(run):
    """The fake adapters take one step; a wrong delay that the user insists on is not replaced by another."""
    found = run(input_delay=0)
    assert found["failed"] and not found["comparison"]["equal"]
    assert "onespike bringup" in found["comparison"]["remedy"] and found["comparison"]["first"] in found["text"]
    # Spikes of conv1, which read the input, differ first; without --spikes-of only mean2 was read at first.
    assert found["comparison"]["first"].startswith("conv1: spikes at neuron [")
    assert found["comparison"]["populations"] == ["mean2"]


def test_the_delays_of_the_adapters_are_found(measured):
    assert measured["comparison"]["delays"] == {"input": 1, "spikes": 1, "state": 1}
    assert "input 1, spikes 1, potentials 1" in measured["text"]


@pytest.mark.slow
def test_signed_spikes_delays_and_gathers(run):
    """Signed populations, axon delays, concatenation and relays on the board's path."""
    found = run("everything", images=2, spikes_of=["signed"])
    assert found["comparison"]["equal"], found["comparison"]["first"]


@pytest.mark.slow
def test_messages(run):
    """Codes with payload through the adapters: messages of the input, of max pooling and of signed neurons."""
    found = run("graded", images=2, spikes_of=["conv1", "max1", "conv2", "mean"])
    assert found["comparison"]["equal"], found["comparison"]["first"]
    assert found["comparison"]["populations"] == ["conv1", "max1", "conv2", "mean"]


@pytest.mark.slow
def test_the_bring_up_networks_run_first(run):
    """All networks of the ladder through Lava and the fake lava-loihi: axon delays, signs, two populations on cores."""
    found = run(images=1, skip_bringup=False)
    assert (
        found["bringup"]["equal"] and found["bringup"]["where"] == "board" and len(found["bringup"]["networks"]) == 13
    )
    assert found["bringup"]["delays"] == {"input": 1, "spikes": 1, "state": 1}
    assert found["comparison"]["equal"] and "13 networks on board" in found["text"]


def test_missing_programs_of_the_bring_up_stop_it(run, tmp_path, programs):
    for path in programs.glob("*.txt"):
        (tmp_path / path.name).write_text("")
    found = run(program=tmp_path, skip_bringup=False)
    assert found["error"] == "DeploymentError" and "bring-up programs" in found["message"]
    assert "--skip-bringup" in found["message"]


def test_missing_programs_stop_it_before_anything_runs(run, tmp_path):
    found = run(program=tmp_path)
    assert found["error"] == "DeploymentError" and "microcode program" in found["message"]
    assert "conv1" in found["message"]


def test_a_run_that_takes_too_long(run):
    found = run(timeout_s=0.3)
    assert found["error"] == "LavaError" and "not finished after 0.3 s" in found["message"]
    assert "--timeout" in found["message"]


@pytest.mark.slow
def test_short_runs_are_flagged(run):
    found = run(images=1, profile_steps=80)
    warnings = " ".join(found["measurement"]["warnings"])
    assert "80 steps" in warnings and "-4.0 mW, below zero" in warnings and "--compute-only" in warnings
