"""Weights from files: strict, and with every wrapper that training scripts put around them."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from loihi_onespike.errors import ModelLoadError
from loihi_onespike.models import load_model
from loihi_onespike.models.weights import load_weights


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())


@pytest.fixture
def state():
    torch.manual_seed(1)
    return {k: torch.randn(v.shape) if v.is_floating_point() else v for k, v in network().state_dict().items()}


def loads(path, state):
    model = network()
    notes = load_weights(model, path)
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    return notes


def test_state_dict_and_safetensors(tmp_path, state):
    torch.save(state, tmp_path / "w.pt")
    save_file(state, tmp_path / "w.safetensors")
    assert loads(tmp_path / "w.pt", state) == () and loads(tmp_path / "w.safetensors", state) == ()


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_checkpoints_are_unwrapped_and_it_is_said(tmp_path, state, key):
    torch.save({key: state, "epoch": 3, "loss": 0.1}, tmp_path / "w.pt")
    assert loads(tmp_path / "w.pt", state) == (f"w.pt: weights taken from '{key}' of a checkpoint",)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod."])
def test_prefixes_are_taken_off_and_it_is_said(tmp_path, state, prefix):
    torch.save({"state_dict": {prefix + k: v for k, v in state.items()}}, tmp_path / "w.pt")
    *_, last = loads(tmp_path / "w.pt", state)
    assert "removed from every key" in last and repr(prefix[-6:])[1:-2] in last


def test_a_prefix_that_is_the_models_own_stays(tmp_path, state):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = network()

    torch.save({f"model.{k}": v for k, v in state.items()}, tmp_path / "w.pt")
    assert load_weights(Wrapped(), tmp_path / "w.pt") == ()


def test_missing_unexpected_and_misshapen_keys_are_named(tmp_path, state):
    state["0.weight"] = torch.zeros(4, 1, 3, 3)
    state["fc.weight"] = state.pop("0.bias")
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(ModelLoadError) as error:
        load_weights(network(), tmp_path / "w.pt")
    assert str(error.value).splitlines()[1:4] == [
        "  missing 1: 0.bias",
        "  unexpected 1: fc.weight",
        "  of another shape 1: 0.weight (file (4, 1, 3, 3), model (2, 1, 3, 3))",
    ]


def test_long_lists_are_cut(tmp_path, state):
    torch.save({f"k{i}": torch.zeros(1) for i in range(20)}, tmp_path / "w.pt")
    with pytest.raises(ModelLoadError, match=r"unexpected 20: k0, k1, k2, k3, k4, k5, k6, k7, …"):
        load_weights(network(), tmp_path / "w.pt")


def test_a_missing_count_of_batches_does_not_matter(tmp_path, state):
    old = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "w.pt")
    assert loads(tmp_path / "w.pt", state) == ()


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('the file was run')",))


def test_nothing_in_a_weights_file_is_run(tmp_path):
    torch.save({"state_dict": Trap()}, tmp_path / "w.pt")
    with pytest.raises(ModelLoadError, match=r"contains more than tensors.*model\.state_dict\(\)"):
        load_weights(network(), tmp_path / "w.pt")
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelLoadError):
        load_weights(network(), tmp_path / "w.pkl")


def test_a_whole_saved_module_is_refused(tmp_path):
    torch.save(network(), tmp_path / "w.pt")
    with pytest.raises(ModelLoadError, match="contains more than tensors"):
        load_weights(network(), tmp_path / "w.pt")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_damaged_files(tmp_path, state, suffix):
    path = tmp_path / f"w{suffix}"
    for content in (b"", b"not weights", bytes(1000)):
        path.write_bytes(content)
        with pytest.raises(ModelLoadError, match=r"w\."):
            load_weights(network(), path)
    torch.save(state, path) if suffix == ".pt" else save_file(state, path)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ModelLoadError, match=r"w\."):
        load_weights(network(), path)


@pytest.mark.parametrize(
    ("content", "said"), [({"epoch": 3}, "a dict with the keys"), ([1, 2], "got list"), ({}, "dict")]
)
def test_files_without_weights(tmp_path, content, said):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ModelLoadError, match=said):
        load_weights(network(), tmp_path / "w.pt")


def test_missing_file():
    with pytest.raises(ModelLoadError, match="no such weights file"):
        load_model("digits", "nowhere.pt")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_of_a_torchvision_network(tmp_path, suffix):
    """A file as torchvision publishes them, loaded by name and file, gives the outputs of the network it came from."""
    models = pytest.importorskip("torchvision").models
    torch.manual_seed(0)
    trained = models.squeezenet1_1(weights=None).eval()
    path = tmp_path / f"squeezenet1_1-b8a52dc0{suffix}"
    if suffix == ".pth":
        torch.save(trained.state_dict(), path, _use_new_zipfile_serialization=False)  # the format of the older files
    else:
        save_file(trained.state_dict(), path)
    loaded = load_model("torchvision:squeezenet1_1", path)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded.model(x), trained(x)) and loaded.notes == ()
    with pytest.raises(ModelLoadError, match="the weights do not fit the model"):
        load_model("torchvision:squeezenet1_0", path)
