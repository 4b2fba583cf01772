"""Everything that cannot be converted is named, all at once, with the user's line and what to do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from loihi_onespike.errors import CalibrationError, ConfigurationError, Finding, UnsupportedModelError
from loihi_onespike.frontend import trace
from loihi_onespike.frontend.tracing.support import SUPPORT, UNKNOWN
from tests.frontend.models import Fn

IMAGE = (2, 4, 6, 6)


def findings(model, x):
    with pytest.raises(UnsupportedModelError) as caught:
        trace(model, x)
    return caught.value.findings


# By module or function: what is found, and the entry of the table it gets.
OPERATIONS = {
    "clamp": (lambda m, x: x.clamp(max=x.mean((2, 3), keepdim=True)), "limits that depend on the input", "clamp"),
    "clamp_partly": (
        lambda m, x: x.clamp(max=torch.tensor([1, float("inf")])[[0, 1, 0, 1, 0, 1]]),
        "infinite",
        "clamp",
    ),
    "threshold": (nn.Threshold(0.1, 0), "Threshold(threshold=0.1, value=0) with threshold=0.1", "threshold"),
    "elu": (nn.ELU(-0.5), "ELU(alpha=-0.5) with alpha=-0.5", "elunegative"),
    "celu": (nn.CELU(-0.5), "CELU(alpha=-0.5)", "elunegative"),
    "rrelu": (lambda m, x: F.rrelu(x, training=True), "rrelu with random slopes", "dropout"),
    "softplus": (nn.Softplus(threshold=2), ") with beta=1, threshold=2", "softplus"),
    "softsign": (nn.Softsign(), "Softsign()", "softsign"),
    "tanhshrink": (lambda m, x: F.tanhshrink(x), "tanhshrink", "tanhshrink"),
    "log_softmax": (lambda m, x: F.log_softmax(x, 1).exp(), "log_softmax that is not the last", "log_softmax"),
    "log_softmax_axis": (
        nn.Sequential(nn.Unflatten(1, (1, 1, 1, 4)), nn.LogSoftmax(4)),
        "LogSoftmax(dim=4) over axis 4",
        "softmaxaxis",
    ),
    "layer_norm_without_epsilon": (nn.LayerNorm(6, eps=0), "with ε = 0", "epsilon"),
    "minus_infinity": (
        lambda m, x: F.relu(x.masked_fill(torch.eye(6) > 0, -torch.inf)),
        "masked_fill with minus infinity in front of something other than a softmax",
        "minusinfinity",
    ),
    "masked_row": (
        lambda m, x: x.masked_fill(torch.eye(6)[:, :1] > 0, -1e9).softmax(-1) * 2,
        "softmax over places that are all masked",
        "maskedrow",
    ),
    "einsum_over_the_batch": (lambda m, x: torch.einsum("bij,bjk", x[:, 0], x[:, 1]), "do not share", "batchmixed"),
    "einsum_of_a_diagonal": (lambda m, x: torch.einsum("bii,bij->bj", x[:, 0], x[:, 1]), "with a diagonal", "einsum"),
    "mask_of_the_input": (lambda m, x: x.masked_fill(x > 0, 1.0), "gt", "gt"),
    "local_response_norm": (nn.LocalResponseNorm(2), "LocalResponseNorm", "localresponsenorm"),
    "lp_pool": (nn.LPPool2d(2, 2), "LPPool2d", "lppool2d"),
    "batch_statistics": (
        nn.BatchNorm2d(4, track_running_stats=False),
        "with statistics of the batch",
        "batchstatistics",
    ),
    "F.batch_norm": (lambda m, x: F.batch_norm(x, None, None, training=True), "with statistics", "batchstatistics"),
    "batch_norm_in_forward": (lambda m, x: nn.BatchNorm2d(4)(x), "with statistics of the batch", "batchstatistics"),
    "return_indices": (lambda m, x: nn.MaxPool2d(2, return_indices=True)(x)[0], "return_indices=True", "returnindices"),
    "F.return_indices": (
        lambda m, x: F.max_pool2d(x, 2, return_indices=True)[0],
        "return_indices=True",
        "returnindices",
    ),
    "adaptive_indices": (
        lambda m, x: nn.AdaptiveMaxPool2d(2, return_indices=True)(x)[0],
        "return_indices",
        "returnindices",
    ),
    "adaptive": (nn.AdaptiveMaxPool2d(4), "AdaptiveMaxPool2d(output_size=4) of (6, 6) places to (4, 4)", "adaptive"),
    "dropout": (lambda m, x: F.dropout(x), "dropout that is active in eval mode", "dropout"),
    "dropout_in_forward": (lambda m, x: nn.Dropout()(x), "that is active in eval mode", "dropout"),
    "quotient": (lambda m, x: x / x.mean((2, 3), keepdim=True), "div of values that may be zero", "notpositive"),
    "reciprocal": (lambda m, x: 1 / F.relu(x), "div of values that may be zero or negative", "notpositive"),
    "sqrt": (lambda m, x: torch.sqrt(x), "sqrt of values that may be negative", "notpositive"),
    "root_of_power": (lambda m, x: (x**2).rsqrt(), "rsqrt of values that may be zero", "notpositive"),
    "power": (lambda m, x: x**1.5, "pow with the exponent 1.5", "pow"),
    "powers": (lambda m, x: x ** torch.tensor([1.0, 2, 2, 2, 2, 2]), "pow with several exponents", "pow"),
    "power_of_negative": (lambda m, x: (-2.0) ** x, "exponent that depends on the input", "pow"),
    "rounding": (lambda m, x: torch.div(x, 2, rounding_mode="floor"), "rounding_mode=floor", "rounding"),
    "integers": (lambda m, x: x.int().float(), "int", "int"),
    "to_integers": (lambda m, x: x.to(torch.int32).float(), "to to torch.int32", "rounding"),
    "not_finite": (lambda m, x: F.pad(x, (1, 1), value=float("-inf")), "that is not finite", "notfinite"),
    "divided_by_zero": (lambda m, x: x / 0, "that is not finite", "notfinite"),
    "max_indices": (lambda m, x: x.max(1).indices.float(), "max: indices", "max"),
    "min_axis": (lambda m, x: torch.min(x, dim=1)[0], "min over an axis", "min"),
    "matmul_left": (lambda m, x: torch.ones(2, 1, 6, 6) @ x, "matmul of a constant of shape", "matmulleft"),
    "einsum": (lambda m, x: torch.einsum("nchw,ncab,nab->nhwab", x, x, x[:, 0]), "einsum of several", "einsum"),
    "computed_weights": (
        lambda m, x: F.conv2d(torch.ones(2, 4, 6, 6), x),
        "with weights that depend on the input",
        "computedweights",
    ),
    "computed_index": (lambda m, x: x.gather(1, x.argmax(1, keepdim=True)), "argmax", "unknown"),
    "comparison": (lambda m, x: torch.where(x > 0, x, 0.1), "where", "where"),
    "mixed_view": (lambda m, x: x.view(1, -1), "view, which turns a batch of 2 into shape (1, 288)", "batchmixed"),
    "mixed_flip": (lambda m, x: x.flip(0), "flip, which mixes the samples of a batch", "batchmixed"),
    "mixed_cat": (lambda m, x: torch.cat([x, x], 0), "cat along the batch axis", "batchmixed"),
    "mixed_mean": (lambda m, x: x - x.mean(), "mean over the batch axis", "batchmixed"),
    "mixed_transpose": (lambda m, x: x.transpose(0, 1), "transpose, which turns a batch", "batchmixed"),
    "mixed_constant": (lambda m, x: x + torch.randn(2, 4, 6, 6), "differs between samples", "batchmixed"),
    "embedding": (lambda m, x: F.embedding(x.long()[:, 0, 0], torch.ones(9, 2)), "embedding", "embedding"),
    "attention_weights": (
        lambda m, x: nn.MultiheadAttention(36, 1, batch_first=True)(*(x.flatten(2),) * 3)[1],
        "the weights of attention",
        "attentionweights",
    ),
    "sequence_first": (
        lambda m, x: nn.MultiheadAttention(36, 1)(*(x.flatten(2),) * 3)[0],
        "over axis 0, which is the batch",
        "sequencefirst",
    ),
    "added_keys": (
        lambda m, x: nn.MultiheadAttention(36, 1, batch_first=True, add_zero_attn=True)(*(x.flatten(2),) * 3)[0],
        "with add_bias_kv or add_zero_attn",
        "addedkeys",
    ),
    "computed_mask": (
        lambda m, x: nn.MultiheadAttention(36, 1, batch_first=True)(
            *(x.flatten(2),) * 3, attn_mask=x.flatten(2) @ x.flatten(2).mT
        )[0],
        "with an attn_mask that depends on the input",
        "computedmask",
    ),
    "bmm_with_a_constant": (lambda m, x: torch.bmm(x[:, 0], torch.ones(2, 6, 3)), "bmm with a constant", "bmm"),
    "product_with_the_batch": (lambda m, x: torch.matmul(x[:, 0, 0], x[:, 0]), "matmul of samples of", "batchmixed"),
    "setitem": (lambda m, x: (x.__setitem__((slice(None), 0), 0), x)[1], "setitem", "setitem"),
    "unknown": (lambda m, x: torch.cumsum(x, 1), "cumsum", "unknown"),
}


@pytest.mark.parametrize(("model", "found", "topic"), OPERATIONS.values(), ids=OPERATIONS.keys())
def test_operations_without_a_one_spike_form(model, found, topic):
    model = model if isinstance(model, nn.Module) else Fn(model)
    everything = findings(model, torch.rand(IMAGE))
    advice = SUPPORT.get(topic.replace("_", ""), UNKNOWN)
    assert any(found in f.found and (f.supported, f.remedy) == advice.texts for f in everything), everything


def test_three_axes():
    assert "ConvTranspose3d" in findings(nn.ConvTranspose3d(2, 3, 2), torch.randn(2, 2, 4, 4, 4))[0].found


def test_everything_at_once_with_lines():
    def f(m, x):
        x = m.norm(m.conv(x))
        x = F.softsign(x)
        x = m.branch(x) + x
        return F.log_softmax(x, 1) * 2

    branch = nn.Sequential(nn.Softsign(), nn.Conv2d(4, 4, 1))
    model = Fn(f, conv=nn.Conv2d(4, 4, 1), norm=nn.LocalResponseNorm(2), branch=branch)
    everything = findings(model, torch.randn(IMAGE))
    assert [finding.node for finding in everything] == ["norm", "softsign", "branch.0", "log_softmax"]
    assert everything[1].where.endswith("x = F.softsign(x)")
    assert "test_findings.py:" in everything[2].where
    message = str(UnsupportedModelError(everything))
    assert message.startswith("4 operations have no one-spike form:")
    assert all(part in message for part in ("norm: LocalResponseNorm(2", "supported", "remedy", "x = F.softsign(x)"))


def test_findings_that_are_alike_are_grouped():
    alike = [Finding(f"gelu_{i}", "gelu", f"net.py:{i // 8}: y = gelu(x)", "ReLU", "replace it") for i in range(24)]
    other = Finding("mish", "mish", "blocks.py:7", "ReLU", "replace it")
    message = str(UnsupportedModelError([*alike, other, Finding("lstm", "LSTM", "n.py:1: f()", "none", "unroll it")]))
    assert message == (
        "26 operations have no one-spike form:\n"
        "  gelu_0, gelu_1, gelu_2, gelu_3, gelu_4, gelu_5 and 18 more: gelu, at net.py:0, 1, 2\n"
        "  mish: mish, at blocks.py:7\n"
        "    supported ReLU\n    remedy    replace it\n"
        "  lstm: LSTM\n    at        n.py:1: f()\n    supported none\n    remedy    unroll it"
    )
    many = [Finding(f"n{i}", f"op {i}", "", "ReLU", "replace it") for i in range(65)]
    message = str(UnsupportedModelError(many))
    assert "  n11: op 11\n  and 53 more with the same remedy\n    supported" in message
    lines = [Finding(f"n{i}", "op", f"{'ab'[i % 2]}.py:{i}", "ReLU", "replace it") for i in range(20)]
    assert ": op, at a.py:0, 2, 4, 6, 8, 10 and 4 more and b.py:1, 3" in str(UnsupportedModelError(lines))


def test_what_only_follows_from_a_finding_is_not_reported():
    def f(m, x):
        y = m.lstm(x)[0]
        return y.transpose(0, 1).mean(0)

    everything = findings(Fn(f, lstm=nn.LSTM(5, 3)), torch.randn(2, 4, 5))
    assert ["LSTM" in finding.found for finding in everything] == [True]


BREAKING = {
    "if": (lambda m, x: x if x.sum() > 0 else -x, "control flow that depends on the values", "control_flow"),
    "while": (lambda m, x: x / 2 if bool((x > 1).any()) else x, "control flow that depends", "control_flow"),
    "item": (lambda m, x: x * x.max().item(), "item of an activation", "reads_values"),
    "float": (lambda m, x: x * float(x.max()), "float() of an activation", "reads_values"),
    "int": (lambda m, x: x[:, int(x.sum() * 0)], "int() of an activation", "reads_values"),
    "tolist": (lambda m, x: x * x.sum().tolist(), "tolist of an activation", "reads_values"),
    "numpy": (lambda m, x: torch.from_numpy(np.asarray(x)), "an activation turned into a numpy array", "reads_values"),
    "Tensor.numpy": (lambda m, x: torch.from_numpy(x.numpy()), "numpy of an activation", "reads_values"),
    "in": (lambda m, x: x if 3 in x else -x, "membership test", "control_flow"),
    "isinstance": (lambda m, x: x if isinstance(x, torch.Tensor) else x["image"], "tracing failed", "tracing"),
    "scripted": (lambda m, x: m.scripted(x), "tracing failed", "tracing"),
}


@torch.jit.script
def scripted(x):
    return x + 1


@pytest.mark.parametrize(("f", "found", "topic"), BREAKING.values(), ids=BREAKING.keys())
def test_what_breaks_the_trace(f, found, topic):
    model = Fn(f)
    model.scripted = scripted
    last = findings(model, torch.rand(IMAGE))[-1]
    assert found in last.found
    assert "test_findings.py:" in last.where and "lambda m, x" in last.where
    assert last.remedy == SUPPORT[topic.replace("_", "")].remedy


def test_findings_before_the_break_are_reported_too():
    model = nn.Sequential(nn.Softsign(), Fn(BREAKING["if"][0]))
    assert [f.node for f in findings(model, torch.randn(IMAGE))] == ["0", "1"]


def test_writing_through_a_view():
    def f(m, x):
        y = m.conv(x)
        y[:, :2].relu_()
        return y

    (finding,) = findings(Fn(f, conv=nn.Conv2d(4, 4, 1)), torch.randn(IMAGE))
    assert "changes conv in place" in finding.found
    assert finding.where.endswith("y[:, :2].relu_()")


def test_a_view_of_what_changes_in_place():
    def f(m, x):
        y = m.conv(x)
        flat = y.flatten(1)
        y.relu_()
        return flat

    assert "changes" in findings(Fn(f, conv=nn.Conv2d(4, 4, 1)), torch.randn(IMAGE))[0].found


def test_writing_an_activation_into_a_constant():
    def f(m, x):
        out = torch.zeros(x.shape)
        out.copy_(x)
        return x + out

    assert "copy that writes an activation into a constant" in findings(Fn(f), torch.randn(IMAGE))[0].found


def test_hooks_that_compute():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    model[0].register_forward_hook(lambda m, i, o: o * 2)
    (finding,) = findings(model, torch.randn(2, 3))
    assert finding.node == "0" and "hook" in finding.found


def test_random_models():
    (finding,) = findings(Fn(lambda m, x: x + torch.randn(4, 1, 1)), torch.randn(IMAGE))
    assert "another output when traced" in finding.found


def test_branches_on_the_type():
    (finding,) = findings(Fn(lambda m, x: x if isinstance(x, torch.Tensor) else -x), torch.randn(IMAGE))
    assert "another output when traced" in finding.found


class Two(nn.Module):
    def forward(self, x, y):
        return x + y


class WithMask(nn.Module):
    def forward(self, x, mask=None):
        return x if mask is None else x * mask


def test_several_inputs():
    (finding,) = findings(Two(), torch.randn(2, 3))
    assert finding.found == "a model of 2 inputs (x, y)"
    assert trace(WithMask(), torch.randn(2, 3)).output.name == "input"


@pytest.mark.parametrize("wrap", [lambda x: None, lambda x: (x, -x, object())])
def test_no_output_or_more_than_tensors(wrap):
    (finding,) = findings(Fn(lambda m, x: wrap(x)), torch.randn(2, 3))
    assert finding.node == "output" and "tensors" in finding.found


def test_constant_output():
    (finding,) = findings(Fn(lambda m, x: torch.ones(2)), torch.randn(2, 3))
    assert "constant" in finding.found


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_modules_that_cannot_be_traced():
    assert "TorchScript" in findings(torch.jit.script(nn.Linear(3, 3)), torch.randn(2, 3))[0].found
    assert "lazy" in findings(nn.LazyLinear(3), torch.randn(2, 3))[0].found


def test_examples_that_do_not_fit():
    with pytest.raises(CalibrationError, match=r"does not run on a batch of shape \(2, 4\)"):
        trace(nn.Linear(3, 3), torch.randn(2, 4))
    with pytest.raises(CalibrationError, match="N ≥ 1"):
        trace(nn.Linear(3, 3), torch.randn(0, 3))
    with pytest.raises(ConfigurationError, match="ndarray"):
        trace(nn.Linear(3, 3), np.ones((2, 3)))  # type: ignore[arg-type]


def test_every_entry_of_the_table_is_complete():
    for key, advice in SUPPORT.items():
        assert key == key.replace("_", "").lower()
        assert advice.supported and advice.remedy
