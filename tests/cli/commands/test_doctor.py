"""What doctor says of this environment, and of one in which something is missing."""

import pkgutil
from importlib import metadata
from pathlib import Path

import pytest

import loihi_onespike
from loihi_onespike.cli.execution import environment


def test_this_environment(document):
    found = document("doctor")
    parts = {part["name"]: part for part in found["parts"]}
    assert found["usable"] and {"Python", "torch", "GPU", "threads", "Lava", "kernels", "C++ compiler"} <= set(parts)
    assert parts["torch"]["state"] == "ok" and "kernels are compiled, kept in" in parts["kernels"]["found"]
    assert all(part["remedy"] for part in found["parts"] if part["state"] != "ok")


def test_every_module_with_kernels_is_counted():
    root = Path(loihi_onespike.__file__).parent
    names = [m.name for m in pkgutil.walk_packages([str(root)], "loihi_onespike.")]
    files = [(name, root.parent / (name.replace(".", "/") + ".py")) for name in names]
    with_kernels = {n for n, f in files if f.is_file() and "executors.compiled import njit" in f.read_text("utf-8")}
    assert {f"loihi_onespike.{name}" for name in environment.KERNEL_MODULES} == with_kernels


def test_what_is_missing_or_too_old(onespike, monkeypatch):
    real = metadata.version

    def version(name):
        if name == "h5py":
            raise metadata.PackageNotFoundError(name)
        return "1.2.3" if name == "optuna" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    done = onespike("doctor")
    assert done.exit_code == 1 and 'not installed; pip install "h5py>=3.7"' in done.stdout
    assert "optuna: MISSING" in done.stdout and "1.2.3, too old; pip install --upgrade" in done.stdout
    assert "Missing: h5py, optuna" in done.stdout


@pytest.mark.parametrize(("named", "said"), [("no_such_compiler -O2", "no_such_compiler, which CXX names"), (None, "")])
def test_compiler(monkeypatch, named, said):
    monkeypatch.setenv("CXX", named) if named else monkeypatch.delenv("CXX", raising=False)
    (part,) = (environment._compiler(),)
    assert said in part.found and (part.state == "optional") == (part.remedy != "")
