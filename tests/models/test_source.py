"""Models by name: where the callable is found, and what is said when it is not."""

import subprocess
import sys
import textwrap

import pytest
import torch
from torch import nn

from loihi_onespike.errors import ModelLoadError
from loihi_onespike.models import load_model

MODEL = """
    import torch
    from torch import nn
    from blocks import WIDTH

    class Net(nn.Module):
        def __init__(self, width=WIDTH):
            super().__init__()
            self.layer = nn.Linear(width, 2)
        def forward(self, x):
            return self.layer(x)

    class Sized(Net):
        def __init__(self, width, depth, bias=True):
            super().__init__(width)

    def build():
        return Net(5)

    def broken():
        return 1 / 0

    def text():
        return "a model"

    ready = Net(7)
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "model.py").write_text(textwrap.dedent(MODEL))
    (tmp_path / "blocks.py").write_text("WIDTH = 3\n")
    yield tmp_path / "model.py"
    sys.modules.pop("blocks", None)


@pytest.mark.parametrize(("name", "width"), [("build", 5), ("Net", 3), ("ready", 7)])
def test_function_class_and_module_of_a_file(file, name, width):
    loaded = load_model(f"{file}:{name}")
    assert loaded.model.layer.in_features == width and not loaded.model.training
    assert loaded.notes == (f"{file}:{name}: no weights given; used as {name} returned it",)


def test_the_files_folder_is_on_the_path_only_while_it_runs(file):
    before = list(sys.path)
    load_model(f"{file}:build")
    assert sys.path == before


def test_two_files_of_one_name_are_two_modules(tmp_path):
    for part, width in (("a", 1), ("b", 2)):
        (tmp_path / part).mkdir()
        (tmp_path / part / "model.py").write_text(f"import torch\ndef build(): return torch.nn.Linear({width}, 1)\n")
    widths = [load_model(f"{tmp_path}/{part}/model.py:build").model.in_features for part in ("a", "b", "a")]
    assert widths == [1, 2, 1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bild", "has no 'bild'; it defines the functions and classes Net, Sized, build, broken, text"),
        (
            "Sized",
            r"without arguments, but requires width, depth.*write a function that returns Sized\(width=…, depth=…\)",
        ),
        ("broken", r"raised ZeroDivisionError: division by zero at .*model\.py:21"),
        ("text", "must return a torch.nn.Module, got str"),
    ],
)
def test_what_is_wrong_with_the_callable_is_said(file, name, said):
    with pytest.raises(ModelLoadError, match=said):
        load_model(f"{file}:{name}")


def test_a_file_that_cannot_run_names_its_line(tmp_path):
    (tmp_path / "model.py").write_text("import torch\nimport no_such_thing\n")
    with pytest.raises(ModelLoadError, match=r"ModuleNotFoundError: No module named 'no_such_thing' at .*model\.py:2"):
        load_model(f"{tmp_path}/model.py:build")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("model", "model: must be digits, digits-vit, file.py:callable.*got 'model'"),
        ("model.py:", "must be digits"),
        ("nowhere.py:build", "nowhere.py: no such file"),
        ("no.such.package:build", r"no module named 'no'.*write its path, no/such/package\.py:build"),
        ("torchvision:resnot18", "no such model; similar names: resnet"),
    ],
)
def test_names_that_mean_nothing(spec, said):
    with pytest.raises(ModelLoadError, match=said):
        load_model(spec)


def test_package_in_the_current_folder(tmp_path, monkeypatch):
    package = tmp_path / "my_networks_under_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "small.py").write_text("import torch\ndef build(): return torch.nn.Linear(2, 2)\n")
    (package / "bad.py").write_text("import no_such_thing\n")
    monkeypatch.chdir(tmp_path)
    assert isinstance(load_model("my_networks_under_test.small:build").model, nn.Linear)
    with pytest.raises(ModelLoadError, match="its own import failed: No module named 'no_such_thing'"):
        load_model("my_networks_under_test.bad:build")


def test_installed_package():
    assert isinstance(load_model("torch.nn:Identity").model, nn.Identity)


def test_torchvision_without_weights_says_they_are_random():
    pytest.importorskip("torchvision")
    loaded = load_model("torchvision:squeezenet1_1")
    assert "random; give a file with --weights" in loaded.notes[0] and not loaded.model.training


def test_without_torchvision_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ModelLoadError, match=r'pip install "loihi-onespike\[vision\]"'):
        load_model("torchvision:resnet18")


def test_the_demos_network():
    loaded = load_model("digits")
    assert loaded.notes == () and loaded.model(torch.zeros(1, 1, 8, 8)).shape == (1, 10)


def test_errors_import_without_torch():
    """The package's own errors are typed in a module that loads nothing heavy."""
    code = "import sys, loihi_onespike.errors; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
