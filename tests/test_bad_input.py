"""What users may give by mistake: each case is either computed rightly or refused with a typed error that names it."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.encoding import encode_input
from loihi_onespike.data.load import load_data
from loihi_onespike.errors import (
    CalibrationError,
    CalibrationWarning,
    ConfigurationError,
    DataError,
    InputRangeWarning,
    OneSpikeError,
    OneSpikeWarning,
    UnsupportedModelError,
)
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from loihi_onespike.executors.microcode import microcode_executor
from tests.support.graph_models import TwoLayers, adjacency, with_seed

EXECUTORS = ("fast", "float", "reference", "microcode")
X = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))
Y = np.arange(6) % 3


class Small(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3))


def made() -> nn.Module:
    return with_seed(Small).eval()


@pytest.fixture(scope="module")
def net() -> los.OneSpikeNetwork:
    return los.convert(made(), X, timesteps=8)


def spoiled(value: float, *place: int) -> torch.Tensor:
    x = X.clone()
    x[place or (2, 0, 3, 1)] = value
    return x


Case = tuple[Callable[[], Any], str]

ARGUMENT = "ARGUMENT: must be real numbers"
NOT_NUMBERS: dict[str, Case] = {
    "None": (lambda: None, f"{ARGUMENT} in an array or tensor, got None"),
    "text": (lambda: "digits", f"{ARGUMENT} in an array or tensor, got str"),
    "texts": (lambda: np.full(X.shape, "1.5"), f"{ARGUMENT}, got text of shape .*convert them to numbers"),
    "an object array with None": (lambda: np.full(X.shape, None), f"{ARGUMENT}, got objects of shape"),
    "dates": (lambda: np.zeros(X.shape, "M8[s]"), f"{ARGUMENT}, got dates"),
    "complex": (lambda: X.to(torch.complex64), f"{ARGUMENT}, got complex numbers .*real part"),
    "complex array": (lambda: X.numpy() * 1j, f"{ARGUMENT}, got complex numbers"),
    "sparse": (lambda: X.flatten(1).to_sparse(), f"{ARGUMENT} in a dense tensor, got .*sparse.*to_dense"),
    "quantized": (
        lambda: torch.quantize_per_tensor(X, 0.1, 0, torch.quint8),
        f"{ARGUMENT} in a dense tensor, got a quantized tensor; pass its dequantize",
    ),
    "meta": (lambda: X.to("meta"), f"{ARGUMENT} in a dense tensor, got .*meta device"),
    "masked": (lambda: np.ma.masked_greater(X.numpy(), 0.5), f"{ARGUMENT}, got an array with masked values"),
}
NOT_FINITE: dict[str, Case] = {
    "NaN": (
        lambda: spoiled(np.nan),
        r"ARGUMENT: values must be finite, got NaN or infinity in 1 of 96 values, first in sample 2 at \(0, 3, 1\); .*",
    ),
    "infinity": (lambda: spoiled(np.inf, 0, 0, 0, 0), r"in 1 of 96 values, first in sample 0 at \(0, 0, 0\)"),
    "minus infinity": (lambda: spoiled(-np.inf, 5), r"in 16 of 96 values, first in sample 5 at \(0, 0, 0\)"),
    "None as NaN": (lambda: np.full(X.shape, None).astype(float), "in 96 of 96 values"),
}
WANTED = r"x: must have shape \(N, 1, 4, 4\) with N ≥ 1, got "
WRONG_SHAPES: dict[str, Case] = {
    "one sample": (lambda: X[0], WANTED + r"\(1, 4, 4\); a batch of this one sample is x\[None\]"),
    "channels": (lambda: X.expand(6, 3, 4, 4), WANTED + r"\(6, 3, 4, 4\)"),
    "size": (lambda: torch.rand(6, 1, 5, 5), WANTED + r"\(6, 1, 5, 5\)"),
    "flat": (lambda: X.flatten(1), WANTED + r"\(6, 16\)"),
    "none": (lambda: X[:0], WANTED + r"\(0, 1, 4, 4\); give at least one sample"),
    "a number": (lambda: 1.5, WANTED + r"\(\)"),
    "an empty list": (list, WANTED + r"\(0,\)"),
}
INPUTS = NOT_NUMBERS | NOT_FINITE | WRONG_SHAPES


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", INPUTS)
def test_inputs(net: los.OneSpikeNetwork, case: str, executor: str) -> None:
    make, said = INPUTS[case]
    for call in (net.predict, net.trace):
        with pytest.raises(ConfigurationError, match=said.replace("ARGUMENT", "x")):
            call(make(), executor)
    with pytest.raises(ConfigurationError, match=said.replace("ARGUMENT", "x")):
        net.evaluate(make(), Y, executor)


@pytest.mark.parametrize("case", INPUTS)
def test_inputs_of_encode_and_diagnose(net: los.OneSpikeNetwork, case: str) -> None:
    make, said = INPUTS[case]
    for call in (net.encode, lambda x: los.diagnose(net, x)):
        with pytest.raises(ConfigurationError, match=said.replace("ARGUMENT", "x")):
            call(make())


def test_a_batch_behind_the_first_is_checked_too(net: los.OneSpikeNetwork) -> None:
    x = X.repeat(60, 1, 1, 1)
    x[301, 0, 1, 2] = np.nan
    with pytest.raises(ConfigurationError, match="x: values must be finite"):
        net.predict(x, memory_budget=net.executor("fast").fast.bytes_per_image * 50)  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="x: values must be finite"):
        net.evaluate(x, np.tile(Y, 60), batch=50)


@pytest.mark.parametrize("executor", [*EXECUTORS[:-1], pytest.param(EXECUTORS[-1], marks=pytest.mark.thorough)])
def test_numbers_of_other_types_are_the_same_numbers(net: los.OneSpikeNetwork, executor: str) -> None:
    whole = (X > 0.5).float()
    expected = net.predict(whole, executor)
    same: list[Any] = [whole.double(), whole.half(), whole.bfloat16(), whole.bool(), whole.to(torch.uint8)]
    same += [whole.numpy().astype(np.float16), whole.numpy().astype(int), whole.numpy().tolist()]
    same += [whole.clone().requires_grad_(), np.ma.masked_array(whole.numpy(), False)]
    for x in same:
        np.testing.assert_array_equal(net.predict(x, executor), expected)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_values_far_outside_the_range_are_told(net: los.OneSpikeNetwork, executor: str) -> None:
    x = spoiled(255.0, 1)
    said = r"x: 16 input values \(17 %\) lie far outside the range of the calibration, \[0\.\d+, 0\.9\d+\]"
    with pytest.warns(InputRangeWarning, match=said) as caught:
        net.predict(x, executor)
        net.trace(x, executor)
        report = net.evaluate(x, Y, executor, batch=2)
    assert len(caught) == 3  # once per call, not once per part
    assert report.clipped_inputs == 16 and report.clipped_share == 16 / 96
    assert report.to_dict()["clipped_inputs"] == 16


@pytest.mark.parametrize("value", [1e30, -1e30, 1e300])
def test_huge_values_are_clipped(net: los.OneSpikeNetwork, value: float) -> None:
    low, high = (float(v) for v in (net.encode(X).min(), 255))
    x = X.double().numpy()
    x[0, 0, 0, 0] = value
    with pytest.warns(InputRangeWarning):
        code = net.encode(x)[0, 0, 0, 0]
    assert code == (high if value > 0 else low)


def test_a_little_outside_is_usual(net: los.OneSpikeNetwork) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.predict(X * 1.2 - 0.1)
        assert net.evaluate(X * 1.2 - 0.1, Y).clipped_inputs == 0
        los.diagnose(net, X * 1.2 - 0.1)


def test_clipped_inputs_are_counted_over_parts_and_runs(net: los.OneSpikeNetwork, tmp_path: Any) -> None:
    x = spoiled(255.0, 1)
    for _ in range(2):  # counted, and then read from the folder
        with pytest.warns(InputRangeWarning, match="16 input values"):
            assert net.evaluate(x, Y, batch=2, resume=tmp_path / "run").clipped_inputs == 16


def test_diagnose_warns_once_and_gives_numbers(net: los.OneSpikeNetwork) -> None:
    with pytest.warns(InputRangeWarning) as caught:
        found = los.diagnose(net, spoiled(255.0, 1), Y)
    assert len(caught) == 1 and "nan" not in str(found)


@pytest.mark.parametrize("run", [reference.run, microcode_executor.run, lambda n, c: FastExecutor(n).run(c)])
def test_codes_that_the_code_does_not_have(net: los.OneSpikeNetwork, run: Callable[..., Any]) -> None:
    codes: Any = net.encode(X)
    for change, said in (
        (np.iinfo(np.int32).min, r"codes: must be in \[0, 255\], got values in \[-2147483648"),
        (256, r"codes: must be in \[0, 255\]"),
        (-1, r"codes: must be in \[0, 255\]"),
    ):
        wrong = codes.astype(np.int64)
        wrong[3, 0, 1, 1] = change
        with pytest.raises(ConfigurationError, match=said):
            run(net.network, wrong)
    for wrong, said in (
        (codes.astype(float), "codes: must be integers, got type float64"),
        (codes[:, 0], r"codes: must have shape \(N, 1, 4, 4\) with N ≥ 1, got \(6, 4, 4\)"),
        (codes[:0], r"codes: must have shape .* got \(0, 1, 4, 4\)"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            run(net.network, wrong)


def test_nan_never_becomes_a_code_that_runs(net: los.OneSpikeNetwork) -> None:
    """The public pieces below the API: NaN has no code word."""
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        codes = encode_input(net.network.input, spoiled(np.nan).numpy())
    with pytest.raises(ConfigurationError, match="codes: must be in"):
        FastExecutor(net.network).predict(codes)


CLASSES = r"y: must be integer class numbers of shape \(6,\), got "
LABELS: dict[str, Case] = {
    "a column": (lambda: Y[:, None], CLASSES + r"int64 of shape \(6, 1\); y\[:, 0\] has one axis"),
    "one-hot": (lambda: np.eye(3, dtype=int)[Y], CLASSES + r"int64 of shape \(6, 3\); .*y\.argmax\(1\)"),
    "text": (lambda: Y.astype(str), CLASSES + "text"),
    "NaN": (lambda: np.where(Y == 0, np.nan, Y), CLASSES + r"float64 of shape \(6,\); give integers"),
    "real numbers": (lambda: torch.tensor(Y) + 0.5, CLASSES + "float"),
    "truth values": (lambda: Y > 0, CLASSES + "bool"),
    "objects": (lambda: np.array([None] * 6), CLASSES + "objects"),
    "too large": (lambda: Y + 1, r"y: class numbers must be in \[0, 2\], got values in \[1, 3\]; number the classes"),
    "negative": (lambda: Y - 1, r"y: class numbers must be in \[0, 2\], got values in \[-1, 1\]"),
    "too few": (lambda: Y[:5], "y: must have 6 labels, one per input, got 5"),
    "None": (lambda: None, "y: must be integer class numbers in an array or tensor, got None"),
    "a number": (lambda: 1, CLASSES + r"int64 of shape \(\)"),
}


@pytest.mark.parametrize("case", LABELS)
def test_labels(net: los.OneSpikeNetwork, case: str) -> None:
    make, said = LABELS[case]
    with pytest.raises(ConfigurationError, match=said):
        net.evaluate(X, make())
    if make() is not None:
        with pytest.raises(ConfigurationError, match=said):
            los.diagnose(net, X, make())


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_labels_of_any_integer_type(net: los.OneSpikeNetwork, dtype: type) -> None:
    y: Any
    for y in (Y.astype(dtype), torch.tensor(Y.astype(dtype)), Y.tolist()):
        assert net.evaluate(X, y).accuracy == net.evaluate(X, Y).accuracy


def test_outputs_that_are_no_classes() -> None:
    net = los.convert(
        with_seed(lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 1))).eval(), X, timesteps=8
    )
    with pytest.raises(ConfigurationError, match=r"must have outputs \(N, classes\) .* got \(N, 2, 2, 2\)"):
        net.evaluate(X, Y)


FILES: dict[str, tuple[dict[str, Any], str]] = {
    "NaN": ({"x": spoiled(np.nan).numpy()}, r"x: values must be finite, .* sample 2 at \(0, 3, 1\)"),
    "calibration": ({"x_calibration": spoiled(np.inf).numpy()}, "x_calibration: values must be finite"),
    "complex": ({"x": X.numpy() * 1j}, "x: must be numbers"),
    "one-hot": ({"y": np.eye(3, dtype=int)[Y]}, r"y: must be integer class numbers .*argmax"),
    "text": ({"y": Y.astype(str)}, "y: must be integer class numbers .*, got text"),
    "truth": ({"y": Y > 0}, "y: must be integer class numbers .*, got bool"),
    "NaN labels": ({"y": np.full(6, np.nan)}, "y: must be integer class numbers .*, got float64"),
    "negative": ({"y": Y - 1}, "y: class numbers must be at least 0"),
    "too few": ({"y": Y[:2]}, "y: must have 6 labels"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_of_data(tmp_path: Any, case: str) -> None:
    changed, said = FILES[case]
    np.savez(tmp_path / "d.npz", **{"x": X.numpy(), "y": Y} | changed)
    with pytest.raises(DataError, match=rf"d\.npz: {said}"):
        load_data(tmp_path / "d.npz")


def failing() -> Any:
    yield X
    raise KeyError("sample 7")


CALIBRATION = NOT_NUMBERS | NOT_FINITE
CALIBRATION |= {
    "None": (lambda: None, "calibration: must be a tensor or an iterable of batches, got NoneType"),
    "text": (lambda: "digits", "calibration: must be a tensor or an iterable of batches, got str"),
    "a dict": (lambda: {"x": X}, "calibration: must be a tensor or an iterable of batches, got dict"),
    "none": (lambda: X[:0], "calibration: must have at least one sample, got none"),
    "an empty list": (list, "calibration: must have at least one sample, got none"),
    "a vector": (
        lambda: X[0, 0, 0],
        r"calibration: must be batches \(N, …\) as the model takes them, got \w+ of shape \(\d+,\); one sample",
    ),
    "a vector of indices": (
        lambda: torch.arange(9),
        r"calibration: must be batches .* got tensor of shape \(9,\); if these are indices .* table\(indices\)",
    ),
    "a generator that raises": (failing, "calibration: must be readable to its end, got KeyError: 'sample 7'"),
    "NaN in a later batch": (lambda: [X, spoiled(np.nan)], "calibration: values must be finite"),
}
CALIBRATION.pop("sparse")  # taken for a graph where it has two axes


@pytest.mark.parametrize("case", CALIBRATION)
def test_calibration(case: str) -> None:
    make, said = CALIBRATION[case]
    with pytest.raises(CalibrationError, match=said.replace("ARGUMENT", "calibration")):
        los.convert(made(), make())


def test_constant_calibration_converts_with_a_warning() -> None:
    with pytest.warns(CalibrationWarning, match="calibration: all values of 6 samples are 0, which tells no range"):
        los.convert(made(), torch.zeros_like(X), timesteps=8)


@pytest.mark.parametrize("model", ["float", "double"])
@pytest.mark.parametrize("data", ["half", "bfloat16", "float", "double"])
def test_precision_of_model_and_data_may_differ(model: str, data: str) -> None:
    """Data are taken in the precision of the model; values that both have give the same network."""
    whole = (X * 255).round() / 256
    net = los.convert(getattr(made(), model)(), getattr(whole, data)(), timesteps=8)
    expected = los.convert(getattr(made(), model)(), getattr(getattr(whole, data)(), model)(), timesteps=8)
    np.testing.assert_array_equal(net.predict(whole), expected.predict(whole))
    assert net.evaluate(getattr(whole, data)(), Y).ann_accuracy is not None


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_models_of_half_precision_are_taken_in_float32(half: torch.dtype) -> None:
    model, x = made().to(half), X.to(half)
    with pytest.warns(OneSpikeWarning, match=f"model: its tensors are {half}; they are taken as float32"):
        net = los.convert(model, x, timesteps=8)
    expected = los.convert(made().to(half).float(), x.float(), timesteps=8)
    np.testing.assert_array_equal(net.predict(x), expected.predict(x.float()))
    assert net.evaluate(x, Y).agreement == expected.evaluate(x.float(), Y).agreement
    assert {p.dtype for p in model.parameters()} == {half}  # the user's model stays as it was


def in_part() -> nn.Module:
    model = made()
    model[3].half()  # type: ignore[index]
    return model


WEIGHTS: dict[str, Case] = {
    "half in part": (in_part, r"got torch\.float16 as '3\.weight'; pass model\.float\(\)"),
    "complex": (lambda: made().to(torch.complex64), "got complex numbers as '0.weight'"),
    "meta": (lambda: made().to("meta"), "got a tensor on the meta device, .*load its weights"),
}


@pytest.mark.parametrize("case", WEIGHTS)
@pytest.mark.filterwarnings("ignore:Complex modules")
def test_weights(case: str) -> None:
    make, said = WEIGHTS[case]
    with pytest.raises(ConfigurationError, match=f"model: weights must be dense tensors .*{said}"):
        los.convert(make(), X)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("layer", "name"), [(0, "weight"), (0, "bias"), (3, "weight"), (3, "bias")])
def test_weights_that_are_not_finite(layer: int, name: str, value: float) -> None:
    if (layer, name, value) == (0, "bias", -np.inf):
        return  # right, see below
    model = made()
    getattr(model[layer], name).data.view(-1)[1] = value  # type: ignore[index]
    said = rf"{layer}: .*with NaN or infinity in a tensor of shape|3: a bias of -inf that something else than a ReLU"
    with pytest.raises(UnsupportedModelError, match=said):
        los.convert(model, X)


@pytest.mark.parametrize(("kind", "relu"), [(nn.Conv2d, nn.ReLU6), (nn.ConvTranspose2d, nn.ReLU)])
def test_a_channel_with_a_bias_of_minus_infinity_is_silent(kind: Any, relu: Any) -> None:
    """relu(w x - inf) = 0 for all x: as with weights and bias of 0, to the last bit."""
    size = 2 if kind is nn.Conv2d else 6

    def network(weight: float, bias: float) -> nn.Module:
        model: Any = with_seed(
            lambda: nn.Sequential(
                kind(1, 3, 3), relu(), nn.Flatten(), nn.Linear(3 * size**2, 6), relu(), nn.Linear(6, 3)
            )
        )
        with torch.no_grad():
            outputs = model[0].weight if kind is nn.Conv2d else model[0].weight.transpose(0, 1)
            for tensor, biases in ((outputs, model[0].bias), (model[3].weight, model[3].bias)):
                tensor[1] *= weight
                biases[1] = bias
        return model

    found, expected = (los.convert(network(*of), X, timesteps=8) for of in ((1, -np.inf), (0, 0)))
    np.testing.assert_array_equal(found.predict(X, "reference"), expected.predict(X, "reference"))


def test_a_layer_without_outputs() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch's own about the initialisation
        model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.ReLU(), nn.Linear(3, 0))
    with pytest.raises(UnsupportedModelError, match=r"3: a result without values, of shape \(0,\)"):
        los.convert(model, X)


@functools.cache
def _scaled_layer(layer: int, gain: float) -> tuple[float, float]:
    """Largest error of the SNN and largest output of the ANN, with the weights of one layer multiplied by a gain."""
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3, 3, bias=False))
    model.load_state_dict({k: torch.linspace(-0.9, 1, v.numel()).view_as(v) for k, v in model.state_dict().items()})
    with torch.no_grad():
        model[layer].weight *= gain
        expected = model(X).double().numpy()
    found = los.convert(model, X, timesteps=8).predict(X)
    return float(np.abs(found - expected).max()), float(np.abs(expected).max())


@pytest.mark.parametrize("gain", [0.0, 1e-44, 1e-30, 1e30, 3e37])
def test_extreme_scales_of_a_layer(gain: float) -> None:
    """All-zero channels in front of max pooling, and values near both ends of float32: errors are the usual ones."""
    for layer in (0, 4):
        usual_error, usual = _scaled_layer(layer, 1.0)
        error, largest = _scaled_layer(layer, gain)
        assert error <= 1.01 * usual_error / usual * largest + 1e-5
        assert usual_error < 0.15 * usual  # eight levels


@pytest.mark.parametrize("scale", [1e-44, 1e37, 3e38])
def test_extreme_scales_of_the_data(scale: float) -> None:
    """Values whose sums, squares or powers of two leave the range of float32."""
    x = X * scale
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3))
    model.load_state_dict({k: torch.linspace(-0.1, 0.1, v.numel()).view_as(v) for k, v in model.state_dict().items()})
    expected = model(x).detach().double().numpy()
    found = los.convert(model, x, timesteps=8).predict(x)
    assert np.abs(found - expected).max() <= 0.15 * np.abs(expected).max() + 1e-5


class Returns(nn.Module):
    """A network whose one tensor stands in a container beside something else."""

    def __init__(self, wrap: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.wrap, self.layers = wrap, nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))

    def forward(self, x: torch.Tensor) -> Any:
        return self.wrap(self.layers(x))


@pytest.mark.parametrize("wrap", [lambda y: {"out": y, "aux": None}, lambda y: (y, 0.5), lambda y: [[y], {}]])
def test_one_tensor_beside_something_else(wrap: Callable[[torch.Tensor], Any]) -> None:
    model = Returns(wrap)
    found = los.convert(model, X, timesteps=8)
    assert np.abs(found.predict(X) - model.layers(X).detach().numpy()).max() < 0.1


class Words(nn.Module):
    """What follows the table of a text classifier: convolution over time and the maximum of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv1d(6, 8, 3), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.out(torch.relu(self.conv(x.transpose(1, 2))).amax(2))
        return y


TABLES: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module]]] = {
    "Embedding": (lambda: nn.Embedding(11, 6), Words),
    "EmbeddingBag": (
        lambda: nn.EmbeddingBag(11, 6),
        lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)),
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_integer_inputs_of_a_table(kind: str) -> None:
    """The finding, and that its remedy works: the host looks the vectors up."""
    model = with_seed(lambda: nn.Sequential(*(make() for make in TABLES[kind]))).eval()
    tokens = torch.arange(350).reshape(50, 7) ** 2 % 11
    said = rf"0: {kind}\(11, 6.*of the inputs, which are integers(.|\n)*convert the layers behind the table"
    with pytest.raises(UnsupportedModelError, match=said):
        los.convert(model, tokens)
    table, layers = model.children()
    with torch.no_grad():
        vectors, expected = table(tokens), model(tokens).numpy()
    found = los.convert(layers, vectors, timesteps=32).predict(vectors)
    assert np.abs(found - expected).max() < 0.05 * np.ptp(expected)


class Ending(nn.Module):
    """Raises in its n-th call."""

    def __init__(self, error: BaseException, calls: int) -> None:
        super().__init__()
        self.error, self.left, self.layer = error, calls, nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> Any:
        self.left -= 1
        if self.left < 0:
            raise self.error
        return torch.relu(self.layer(x.flatten(1)))


def test_a_forward_that_ends_the_program() -> None:
    with pytest.raises(CalibrationError, match=r"the model does not run on a batch .*: SystemExit: 3"):
        los.convert(Ending(SystemExit(3), 0), X)
    with pytest.raises(UnsupportedModelError, match="tracing failed: SystemExit: 3"):
        los.convert(Ending(SystemExit(3), 1), X)
    with pytest.raises(KeyboardInterrupt):  # Ctrl-C arrives like this
        los.convert(Ending(KeyboardInterrupt(), 0), X)


def test_progress_that_cannot_be_called(net: los.OneSpikeNetwork) -> None:
    calls: list[Callable[[Any], Any]] = [
        lambda p: los.convert(made(), X, progress=p),
        lambda p: net.evaluate(X, Y, progress=p),
        lambda p: net.predict(X, "lava", progress=p),
        lambda p: los.diagnose(net, X, progress=p),
        lambda p: los.tune(made(), None, progress=p),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match="progress: must be a function or None, got int"):
            call(3)


@pytest.fixture(scope="module")
def graph() -> tuple[los.OneSpikeNetwork, torch.Tensor, torch.Tensor]:
    adj, x = adjacency(20), torch.rand(20, 5, generator=torch.Generator().manual_seed(1))
    return los.convert(with_seed(lambda: TwoLayers(5)), (adj, x), timesteps=8), adj, x


@pytest.mark.parametrize("executor", ["fast", "float"])
def test_graphs(graph: tuple[los.OneSpikeNetwork, torch.Tensor, torch.Tensor], executor: str) -> None:
    net, adj, x = graph
    labels = np.arange(20) % 3
    bad = x.clone()
    bad[3, 2] = np.nan
    for features, said in (
        (bad, r"features: values must be finite, .* in 1 of 100 values, first in sample 3 at \(2,\)"),
        (x.to(torch.complex64), "features: must be real numbers, got complex"),
        (x.to("meta"), "features: must be real numbers .*meta"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            net.predict((adj, features), executor)
        with pytest.raises(ConfigurationError, match=said):
            los.convert(with_seed(lambda: TwoLayers(5)), (adj, features))
    with pytest.warns(InputRangeWarning):
        net.predict((adj, x * 100), executor)
    for y, said in ((labels + 1, "class numbers must be in"), (labels[:, None], "integer class numbers of shape")):
        with pytest.raises(ConfigurationError, match=f"y: .*{said}"):
            net.evaluate((adj, x), y, executor)
    for mask, said in ((np.zeros(20, bool), "at least one node"), (np.ones(20, int), "must be boolean")):
        with pytest.raises(ConfigurationError, match=f"mask: .*{said}"):
            net.evaluate((adj, x), labels, executor, mask=mask)
    unlabelled = np.where(labels == 0, -1, labels)  # what does not count may be unknown
    assert net.evaluate((adj, x), unlabelled, executor, mask=labels > 0).accuracy.total == 13


def test_sparse_graph_with_nan(graph: tuple[los.OneSpikeNetwork, torch.Tensor, torch.Tensor]) -> None:
    _, adj, _ = graph
    values = adj.values().clone()
    values[4] = np.nan
    wrong = torch.sparse_csr_tensor(adj.crow_indices(), adj.col_indices(), values, adj.shape)
    with pytest.raises(OneSpikeError, match=r"adjacency: values must be finite, .* in 1 of \d+ entries"):
        los.convert(with_seed(lambda: TwoLayers(20)), wrong, timesteps=8)
