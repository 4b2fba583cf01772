"""Every operation by itself: the traced graph computes what the model computes."""

from __future__ import annotations

import operator

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from loihi_onespike.core.graphs.ann import Linear
from loihi_onespike.errors import UnsupportedModelError
from loihi_onespike.frontend import trace
from tests.frontend.models import Fn, check, kinds

IMAGE = (2, 4, 9, 7)
SERIES = (2, 4, 12)
VECTOR = (2, 6)

CONVOLUTIONS = {
    "plain": {"kernel_size": 3},
    "strided": {"kernel_size": 3, "stride": 2, "padding": 1},
    "uneven": {"kernel_size": (3, 2), "stride": (1, 2), "padding": (0, 1), "dilation": (2, 1)},
    "same": {"kernel_size": (4, 3), "padding": "same", "dilation": (1, 2)},
    "valid": {"kernel_size": 2, "padding": "valid"},
    "grouped": {"kernel_size": 3, "groups": 2, "bias": False},
    "depthwise": {"kernel_size": 3, "groups": 4, "padding": 2},
}


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=CONVOLUTIONS.keys())
def test_conv2d(options):
    graph = check(nn.Conv2d(4, 8, **options), torch.randn(IMAGE))
    assert kinds(graph) == ["Input", "Linear"]


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3},
        {"kernel_size": 4, "stride": 3, "padding": 2, "dilation": 2},
        {"kernel_size": 4, "padding": "same"},
    ],
)
def test_conv1d(options):
    check(nn.Conv1d(4, 6, groups=2, **options), torch.randn(SERIES))


MAX_POOLS = {
    "plain": {"kernel_size": 2},
    "overlap": {"kernel_size": 3, "stride": 2},
    "padded": {"kernel_size": 3, "stride": 2, "padding": 1},
    "dilated": {"kernel_size": (3, 2), "stride": 1, "dilation": 2},
    "ceil": {"kernel_size": 3, "stride": 2, "ceil_mode": True},
    "ceil_padded": {"kernel_size": (2, 3), "stride": (2, 3), "padding": 1, "ceil_mode": True},
    "ceil_dilated": {"kernel_size": 2, "stride": 3, "dilation": 3, "ceil_mode": True},
}


@pytest.mark.parametrize("options", MAX_POOLS.values(), ids=MAX_POOLS.keys())
def test_max_pool2d(options):
    graph = check(nn.MaxPool2d(**options), torch.randn(IMAGE))
    assert kinds(graph) == ["Input", "MaxPool"]


@pytest.mark.parametrize("size", range(4, 12))
@pytest.mark.parametrize("pool", [nn.MaxPool1d, nn.AvgPool1d])
@pytest.mark.parametrize("geometry", [(2, 2, 0), (3, 2, 1), (2, 3, 1), (4, 3, 2), (3, 1, 0)])
def test_ceil_mode_at_every_remainder(pool, size, geometry):
    check(pool(*geometry, ceil_mode=True), torch.randn(2, 1, size))


AVG_POOLS = {
    "plain": {"kernel_size": 2},
    "padded": {"kernel_size": 3, "stride": 2, "padding": 1},
    "padding_not_counted": {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    "ceil": {"kernel_size": (2, 3), "stride": 2, "ceil_mode": True},
    "ceil_padded": {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    "ceil_padding_not_counted": {
        "kernel_size": 4,
        "stride": 3,
        "padding": 2,
        "ceil_mode": True,
        "count_include_pad": False,
    },
    "divisor": {"kernel_size": 3, "padding": 1, "divisor_override": 5},
}


@pytest.mark.parametrize("options", AVG_POOLS.values(), ids=AVG_POOLS.keys())
def test_avg_pool2d(options):
    graph = check(nn.AvgPool2d(**options), torch.randn(IMAGE))
    assert kinds(graph) == ["Input", "Linear"]


def test_an_even_average_keeps_one_scale_and_unit_weights():
    linear = check(nn.AvgPool2d(2), torch.randn(2, 4, 6, 6)).output.op
    assert isinstance(linear, Linear) and linear.scale is not None
    assert linear.op.weight == 1
    assert linear.scale.shape == () and linear.scale == 0.25


@pytest.mark.parametrize("kind", ["Avg", "Max"])
@pytest.mark.parametrize("out", [1, (3, 2), (None, 4), (6, 1), (12, 8), (12, 2)])
def test_adaptive_pool2d(kind, out):
    check(getattr(nn, f"Adaptive{kind}Pool2d")(out), torch.randn(2, 4, 6, 8))


@pytest.mark.parametrize("kind", ["Avg", "Max"])
def test_adaptive_pool1d(kind):
    check(getattr(nn, f"Adaptive{kind}Pool1d")(4), torch.randn(SERIES))


REDUCTIONS = {
    "mean_spatial": lambda m, x: x.mean([2, 3]),
    "mean_keepdim": lambda m, x: x.mean((-1, -2), keepdim=True),
    "mean_function": lambda m, x: torch.mean(x, dim=3),
    "mean_numpy_names": lambda m, x: torch.mean(x, axis=(2, 3), keepdims=True),  # type: ignore[call-overload]
    "mean_channels": lambda m, x: x.mean(1),
    "mean_channels_and_rows": lambda m, x: x.mean([1, 2], keepdim=True),
    "mean_everything_of_a_sample": lambda m, x: x.mean([1, 2, 3]),
    "sum": lambda m, x: x.sum(dim=(2, 3)),
    "amax": lambda m, x: torch.amax(x, (2, 3)),
    "amax_channels": lambda m, x: x.amax(dim=1),
    "max_values": lambda m, x: x.max(2).values,
    "max_keepdim": lambda m, x: torch.max(x, 1, True)[0],
    "max_named": lambda m, x: torch.max(x, dim=-1, keepdim=True)[0],
    "mean_of_mean": lambda m, x: x.mean(3).mean(2),
}


@pytest.mark.parametrize("f", REDUCTIONS.values(), ids=REDUCTIONS.keys())
def test_reductions(f):
    check(Fn(f), torch.randn(IMAGE))


RELUS = {
    "F.relu": lambda m, x: F.relu(x),
    "F.relu_": lambda m, x: F.relu_(x + 0.5),
    "torch.relu": lambda m, x: torch.relu(x),
    "torch.relu_": lambda m, x: torch.relu_(x * 2),
    "Tensor.relu": lambda m, x: x.relu(),
    "Tensor.relu_": lambda m, x: x.relu_(),
    "clamp": lambda m, x: torch.clamp(x, min=0),
    "Tensor.clamp": lambda m, x: x.clamp(0),
    "clip": lambda m, x: x.clip(min=0.0),
    "clamp_min": lambda m, x: x.clamp_min(0),
    "clamp_min_": lambda m, x: x.clamp_min_(0),
    "threshold": lambda m, x: F.threshold(x, 0, 0),
    "maximum": lambda m, x: torch.maximum(x, torch.zeros(())),
    "max": lambda m, x: torch.max(torch.zeros(1), x),
    "maximum_zeros_like": lambda m, x: torch.maximum(x, torch.zeros_like(x)),
    "module": lambda m, x: nn.ReLU()(x),
    "statement": lambda m, x: (F.relu(x, inplace=True), x)[1],
    "aten": lambda m, x: torch.ops.aten.relu(x),
}


@pytest.mark.parametrize("f", RELUS.values(), ids=RELUS.keys())
def test_relu_in_every_spelling(f):
    assert "Activate" in kinds(check(Fn(f), torch.randn(IMAGE)))


@pytest.mark.parametrize("module", [nn.ReLU(), nn.ReLU(inplace=True), nn.Threshold(0, 0)])
def test_relu_modules(module):
    assert kinds(check(module, torch.randn(VECTOR))) == ["Input", "Activate"]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(
    ("norm", "shape"), [(nn.BatchNorm2d, IMAGE), (nn.BatchNorm1d, (2, 4, 5)), (nn.BatchNorm1d, (2, 4))]
)
def test_batch_norm(norm, shape, affine):
    assert kinds(check(norm(4, affine=affine), torch.randn(shape))) == ["Input", "Affine"]


def test_functional_batch_norm_and_weights():
    def f(m, x):
        x = F.conv2d(x, m.w * m.gain, m.b, stride=2, padding="valid")
        x = F.batch_norm(x, m.mean, m.var, weight=m.gamma, training=False, eps=1e-3)
        return F.linear(x.flatten(1), m.v.view(5, -1))

    layers = {
        "w": nn.Parameter(torch.randn(3, 4, 3, 3)),
        "b": nn.Parameter(torch.randn(3)),
        "v": nn.Parameter(torch.randn(5 * 3 * 4 * 3)),
        "gain": 0.5,
        "mean": torch.randn(3),
        "var": torch.rand(3) + 0.5,
        "gamma": nn.Parameter(torch.randn(3)),
    }
    assert kinds(check(Fn(f, **layers), torch.randn(IMAGE))) == ["Input", "Linear", "Affine", "Reindex", "Linear"]


W = torch.randn(6, 5, generator=torch.Generator().manual_seed(3))
PRODUCTS = {
    "matmul": lambda m, x: x @ W,
    "torch.matmul": lambda m, x: torch.matmul(x, W),
    "mm": lambda m, x: torch.mm(x, W),
    "addmm": lambda m, x: torch.addmm(torch.arange(5.0), x, W, beta=2, alpha=0.5),
    "linear": lambda m, x: F.linear(x, W.t()),
}


OF_SEQUENCES = {
    "left": lambda m, x: torch.arange(15.0).reshape(5, 3) @ x,
    "vector": lambda m, x: x @ torch.arange(4.0),
    "per_place_right": lambda m, x: x @ torch.arange(24.0).reshape(3, 4, 2).flip(0)[:, :, :1],
    "per_place_left": lambda m, x: torch.arange(18.0).reshape(1, 6, 3) @ x,
    "token_mixing": lambda m, x: torch.einsum("nij,oi->noj", x, torch.arange(15.0).reshape(5, 3)),
    "both_sides": lambda m, x: torch.einsum("ai,nij,jb->nba", torch.ones(2, 3), x, torch.arange(8.0).reshape(4, 2)),
    "weighted": lambda m, x: torch.einsum("nij,ij->ni", x, torch.arange(12.0).reshape(3, 4)),
    "sum": lambda m, x: torch.einsum("nij->nj", x),
    "scaled": lambda m, x: torch.einsum("nij,i->nji", x, torch.arange(1.0, 4)),
    "order": lambda m, x: torch.einsum("nij,jk->nki", x, torch.arange(8.0).reshape(4, 2)),
}


@pytest.mark.parametrize("f", OF_SEQUENCES.values(), ids=OF_SEQUENCES.keys())
def test_products_of_sequences_with_constants(f):
    x = torch.randn(2, 3, 4)
    if f is OF_SEQUENCES["per_place_right"]:
        x = torch.randn(2, 3, 5, 4)
    check(Fn(f), x)


VOLUME = (2, 4, 5, 6, 4)
OF_VOLUMES = {
    "conv3d": nn.Conv3d(4, 6, 3, stride=(1, 2, 1), padding=1, groups=2),
    "batch_norm3d": nn.BatchNorm3d(4).eval(),
    "max_pool3d": nn.MaxPool3d(3, 2, 1),
    "avg_pool3d": nn.AvgPool3d((1, 2, 2), ceil_mode=True),
    "avg_pool3d_padded": nn.AvgPool3d(3, 2, 1, count_include_pad=False),
    "adaptive_avg_pool3d": nn.AdaptiveAvgPool3d((1, 3, 2)),
    "adaptive_max_pool3d": nn.AdaptiveMaxPool3d(1),
    "mean": Fn(lambda m, x: x.mean((2, 3, 4))),
}


@pytest.mark.parametrize("layer", OF_VOLUMES.values(), ids=OF_VOLUMES.keys())
def test_layers_of_volumes(layer):
    check(layer, torch.randn(VOLUME))


@pytest.mark.parametrize("f", PRODUCTS.values(), ids=PRODUCTS.keys())
def test_products_with_constant_matrices(f):
    assert kinds(check(Fn(f), torch.randn(VECTOR))) == ["Input", "Linear"]


def test_linear_on_the_last_of_several_axes():
    check(nn.Linear(12, 5), torch.randn(SERIES))


C = torch.randn(4, 1, 1, generator=torch.Generator().manual_seed(2))
ARITHMETIC = {
    "add": lambda m, x: x + 1.5,
    "add_channels": lambda m, x: C + x,
    "add_batched_constant": lambda m, x: x + torch.ones(x.shape[0], 1, 1, x.shape[3]),
    "alpha": lambda m, x: torch.add(x, C, alpha=-2),
    "iadd": lambda m, x: operator.iadd(x, 2),
    "sub": lambda m, x: x - C,
    "rsub": lambda m, x: 1 - x,
    "torch.rsub": lambda m, x: torch.rsub(x, 3, alpha=2),
    "sub_": lambda m, x: x.sub_(1),
    "mul": lambda m, x: x * C,
    "imul": lambda m, x: operator.imul(x, -0.5),
    "mul_wider": lambda m, x: x[:, :, :1, :1] * torch.arange(1.0, 7).view(1, 1, 2, 3),
    "div": lambda m, x: x / 3,
    "idiv": lambda m, x: operator.itruediv(x, 4),
    "neg": lambda m, x: -x,
    "zero": lambda m, x: x.mul(0) + 1,
    "activations": lambda m, x: F.relu(x) + m.conv(x),
    "activations_alpha": lambda m, x: torch.add(F.relu(x), x, alpha=0.5),
    "difference": lambda m, x: F.relu(x) - m.conv(x),
    "twice": lambda m, x: x + x,
    "broadcast": lambda m, x: x + x.mean((2, 3), keepdim=True),
    "sum_of_a_list": lambda m, x: sum([x, F.relu(x), m.conv(x)]),
    "nothing": lambda m, x: (x + 0) * 1.0,
    "buffer": lambda m, x: (x - m.mean) / m.std,
}


@pytest.mark.parametrize("f", ARITHMETIC.values(), ids=ARITHMETIC.keys())
def test_arithmetic(f):
    model = Fn(f, conv=nn.Conv2d(4, 4, 1))
    model.register_buffer("mean", torch.randn(4, 1, 1))
    model.register_buffer("std", torch.rand(4, 1, 1) + 0.5)
    check(model, torch.randn(IMAGE))


def test_adding_nothing_is_no_node():
    assert kinds(check(Fn(ARITHMETIC["nothing"]), torch.randn(IMAGE))) == ["Input"]


JOINS = {
    "cat": lambda m, x: torch.cat([x, F.relu(x)], 1),
    "cat_last": lambda m, x: torch.cat((x, F.relu(x)), dim=-1),
    "cat_numpy_name": lambda m, x: torch.concat([F.relu(x), x], axis=2),  # type: ignore[call-overload]
    "cat_repeated": lambda m, x: torch.cat([x, F.relu(x), x], 1),
    "cat_itself": lambda m, x: torch.cat([x, x], 1),
    "cat_zeros": lambda m, x: torch.cat([x, torch.zeros(x.size(0), 2, x.size(2), x.size(3))], 1),
    "cat_zeroed": lambda m, x: torch.cat((x, x.mul(0)), 1),
    "cat_constant": lambda m, x: torch.cat([torch.full_like(x, 0.3), F.relu(x), x], 1),
    "stack": lambda m, x: torch.stack([x, F.relu(x), -x], 2),
    "stack_last": lambda m, x: torch.stack([x, F.relu(x)], -1).flatten(1),
}


@pytest.mark.parametrize("f", JOINS.values(), ids=JOINS.keys())
def test_joins(f):
    check(Fn(f), torch.randn(IMAGE))


FINISHES = {
    "Softmax": nn.Softmax(1),
    "LogSoftmax": nn.LogSoftmax(dim=-1),
    "Sigmoid": nn.Sigmoid(),
    "Tanh": nn.Tanh(),
    "F.softmax": Fn(lambda m, x: F.softmax(x, dim=1)),
    "F.log_softmax": Fn(lambda m, x: F.log_softmax(x, -1)),
    "Tensor.softmax": Fn(lambda m, x: x.softmax(1)),
    "torch.sigmoid": Fn(lambda m, x: torch.sigmoid(x)),
    "tanh_": Fn(lambda m, x: x.tanh_()),
}


@pytest.mark.parametrize("module", FINISHES.values(), ids=FINISHES.keys())
def test_functions_left_to_the_host(module):
    assert kinds(check(nn.Sequential(nn.Linear(6, 5), module), torch.randn(VECTOR))) == ["Input", "Linear", "Finish"]


def test_softmax_over_a_middle_axis():
    graph = check(nn.Sequential(nn.Conv2d(4, 3, 1), nn.LogSoftmax(2)), torch.randn(IMAGE))
    assert kinds(graph) == ["Input", "Linear", "Finish"]
    check(Fn(lambda m, x: m.conv(x).softmax(2).flatten(3).unsqueeze(3), conv=nn.Conv2d(4, 3, 1)), torch.randn(IMAGE))


def test_instance_norm_with_running_statistics():
    layer = nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
    layer(torch.randn(IMAGE) * 2 + 1)
    assert kinds(check(layer.eval(), torch.randn(IMAGE))) == ["Input", "Affine"]
    series = nn.InstanceNorm1d(4, track_running_stats=True).eval()
    check(Fn(lambda m, x: m.norm(x.flatten(2)), norm=series), torch.randn(IMAGE))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_over_the_last_axis(name):
    def f(m, x):
        return getattr(F, name)(m(x), -1)

    class Model(nn.Module):
        def __init__(self, after):
            super().__init__()
            self.layer, self.after = nn.Conv1d(4, 5, 1), after

        def forward(self, x):
            return self.after(f(self.layer, x))

    x = torch.randn(SERIES)
    assert kinds(check(Model(nn.Identity()), x))[-1] == "Finish"
    assert kinds(check(Model(lambda y: y.unsqueeze(1)), x))[-1] == "Finish"
    with pytest.raises(UnsupportedModelError, match="softmax that is not the last operation"):
        trace(Model(lambda y: y.flatten(1)), x)


VANISHING = {
    "Dropout": nn.Dropout(0.9),
    "Dropout2d": nn.Dropout2d(0.9),
    "AlphaDropout": nn.AlphaDropout(0.9),
    "Identity": nn.Identity(),
    "F.dropout": Fn(lambda m, x: F.dropout(x, 0.9, m.training)),
    "F.dropout2d": Fn(lambda m, x: F.dropout2d(x, p=0.9, training=m.training)),
    "contiguous": Fn(lambda m, x: x.contiguous().clone().detach()),
    "channels_last": Fn(lambda m, x: x.to(memory_format=torch.channels_last).float()),
    "data": Fn(lambda m, x: x.data),
    "to": Fn(lambda m, x: x.to(x.device).type_as(x).to(dtype=torch.float64).cpu()),
    "empty": nn.Sequential(),
}


@pytest.mark.parametrize("module", VANISHING.values(), ids=VANISHING.keys())
def test_what_vanishes(module):
    assert kinds(check(nn.Sequential(module, nn.ReLU()), torch.randn(IMAGE))) == ["Input", "Activate"]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_weights_of_other_precision(dtype):
    graph = check(nn.Sequential(nn.Linear(6, 4), nn.ReLU()).double(), torch.randn(VECTOR, dtype=torch.float64))
    double = graph.nodes[1].op
    assert isinstance(double, Linear) and double.op.weight.dtype == "float64"
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU()).to(dtype)
    wide = trace(model, torch.randn(VECTOR, dtype=dtype)).nodes[1].op
    assert isinstance(wide, Linear) and wide.bias is not None
    assert wide.op.weight.dtype == ("float64" if dtype == torch.float64 else "float32")
    assert wide.bias.dtype == "float64"
    assert (wide.op.weight == model[0].weight.detach().double().numpy()).all()
