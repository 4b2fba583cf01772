import pytest

from loihi_onespike.executors.lava import available
from tests.support.lava_processes import forked

needs_lava = [pytest.mark.lava, pytest.mark.skipif(not available(), reason="Lava is not installed")]


@forked
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"], ids=["stream", "single"])
@pytest.mark.parametrize("check", [pytest.param("--check", marks=needs_lava)])
def test_run_equals_the_oracle(document, net_file, stream, check):
    found = document("run", net_file, "--data", "digits", "--images", "3", stream, check)
    assert found["differing_spikes"] == 0 and found["first_difference"] is None
    assert found["accuracy"]["total"] == 3 and len(found["classes"]) == 3 and found["stream"] == (stream == "--stream")


@pytest.mark.thorough
@pytest.mark.parametrize("check", [pytest.param("--no-check", marks=needs_lava)])
def test_without_comparison(onespike, net_file, check):
    result = onespike("run", net_file, "--data", "digits", "--images", "1", check)
    assert result.exit_code == 0 and "not compared" in result.stdout and "Lava steps" in result.stderr


@forked
@pytest.mark.parametrize("check", [pytest.param("--check", marks=needs_lava)])
def test_the_whole_network_in_one_process(document, net_file, check):
    found = document("run", net_file, "--data", "digits", "--images", "2", "--processes", "whole", check)
    assert found["processes"] == "whole" and found["differing_spikes"] == 0 and found["first_difference"] is None


def test_unknown_processes_are_refused(onespike, net_file):
    result = onespike("run", net_file, "--data", "digits", "--images", "1", "--processes", "one")
    assert result.exit_code == 2 and "processes: must be graph or whole, got 'one'" in result.stderr


def test_a_difference_fails_the_command(onespike, net_file, monkeypatch):
    """Another trace in the place of Lava's: the command must not say that all is well."""
    from loihi_onespike.api import OneSpikeNetwork

    true_trace = OneSpikeNetwork.trace

    def trace(self, x, executor="fast", **options):
        found = true_trace(self, x, "reference")
        if executor == "lava":
            phases = found.layers["relu1"].words
            assert phases is not None
            phases[0, 0, 0, 0] += 1
        return found

    monkeypatch.setattr(OneSpikeNetwork, "trace", trace)
    result = onespike("run", net_file, "--data", "digits", "--images", "1")
    assert result.exit_code == 1 and "1 spikes differ; relu1: 1 code words differ" in result.stdout


def test_without_lava_one_line_says_what_to_do(onespike, net_file, monkeypatch):
    monkeypatch.setattr("loihi_onespike.executors.lava.availability._installed", lambda module: False)
    result = onespike("run", net_file, "--data", "digits", "--images", "1")
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1 and "Python 3.10" in result.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("check", [pytest.param("--no-check", marks=needs_lava)])
def test_clipped_inputs_are_counted(document, net_file, check, tmp_path):
    import numpy as np

    from loihi_onespike.data import load_data

    found = load_data("digits").take(2)
    np.savez(tmp_path / "d.npz", x=np.array(found.images[:]) * 255, y=found.labels)
    arguments = ("run", net_file, "--data", tmp_path / "d.npz", "--processes", "whole", check)
    assert document(*arguments)["clipped_inputs"] > 10
