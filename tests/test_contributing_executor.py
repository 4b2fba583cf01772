"""The executor of CONTRIBUTING.md, made by the very blocks of that page, runs through the API and the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import loihi_onespike as los
from loihi_onespike.cli.app import app
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors import entries, registry
from tests.support.models import inputs, make

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"
FOLDER = "loihi_onespike/executors/"


def blocks() -> dict[str, str]:
    """The Python blocks of the section, by the path that their first line names."""
    section = PAGE.read_text(encoding="utf-8").split("## Add an executor\n")[1].split("\n## ")[0]
    found = re.findall(r"```python\n# (\S+)\n(.*?)```", section, re.DOTALL)
    assert len(found) == section.count("```python")
    return dict(found)


@pytest.fixture
def threaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The new file in the package of entries, and the list with the new line."""
    files = blocks()
    assert sorted(files) == [f"{FOLDER}entries/threaded_entry.py", f"{FOLDER}registry.py"]
    (tmp_path / "threaded_entry.py").write_text(files[f"{FOLDER}entries/threaded_entry.py"], encoding="utf-8")
    monkeypatch.setattr(entries, "__path__", [*entries.__path__, str(tmp_path)])
    namespace = dict(vars(registry))
    exec(files[f"{FOLDER}registry.py"], namespace)
    assert namespace["ENTRIES"][:-1] == registry.ENTRIES
    monkeypatch.setattr(registry, "ENTRIES", namespace["ENTRIES"])


@pytest.mark.usefixtures("threaded")
def test_the_new_executor_runs_everywhere(tmp_path: Path) -> None:
    net, x = los.convert(make("mlp"), inputs(), timesteps=6, method="paper"), inputs(3)
    expected = net.trace(x, "reference")
    assert first_difference(expected, net.trace(x, "threaded", workers=3)) is None
    np.testing.assert_array_equal(net.predict(x, "threaded"), expected.output)
    labels = expected.output.argmax(axis=1)
    assert net.evaluate(x, labels, "threaded", workers=1).accuracy.correct == 3
    with pytest.raises(ConfigurationError, match="'threaded': does not take the option threads; supported: workers"):
        net.predict(x, "threaded", threads=2)
    with pytest.raises(ConfigurationError, match="workers: must be an integer greater than 0, got 0"):
        net.predict(x, "threaded", workers=0)

    data = tmp_path / "data.npz"
    np.savez(data, x=np.asarray(x), y=labels)
    command = ["evaluate", str(net.save(tmp_path / "net.h5")), "--data", str(data), "--json", "--executor", "threaded"]
    document = json.loads(CliRunner().invoke(app, command).stdout)
    assert (document["executor"], document["accuracy"]["value"]) == ("threaded", 1.0)
    assert "threaded: the oracle, several images at a time." in registry.description()


def test_without_it_the_command_line_lists_the_others(tmp_path: Path) -> None:
    (tmp_path / "net.h5").touch()
    command = ["evaluate", str(tmp_path / "net.h5"), "--data", "digits", "--json", "--executor", "threaded"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 2
    message = "--executor: must be fast, float, reference, microcode or lava, got 'threaded'"
    assert json.loads(refused.stdout)["error"]["message"] == message
