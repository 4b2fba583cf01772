"""Two evaluations of an `AnnGraph` that are independent of the front end: synapse matrices, and torch's kernels.

The first is slow and simple, the second is for networks of full size; tests compare both with the model.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.special import erf, expit, log_softmax, softmax

from loihi_onespike.core.activations import (
    Activation,
    Clip,
    Elu,
    Erf,
    Exp,
    Gelu,
    Hardswish,
    Identity,
    LeakyRelu,
    Mish,
    Reciprocal,
    Relu,
    Rsqrt,
    Sigmoid,
    Silu,
    Softplus,
    Sqrt,
    Tanh,
)
from loihi_onespike.core.graphs.ann import (
    Activate,
    Add,
    Affine,
    AnnGraph,
    Concat,
    Finish,
    Input,
    Linear,
    MaxPool,
    Multiply,
    Node,
    Reindex,
)
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Conv, Dense, Pool, Sparse, Window
from loihi_onespike.core.maps.connectivity import synapse_matrix

FINISH: dict[str, Callable[[Any], Any]] = {
    "softmax": lambda y: softmax(y, axis=1),
    "log_softmax": lambda y: log_softmax(y, axis=1),
    "softmax_2": lambda y: softmax(y, axis=2),
    "log_softmax_2": lambda y: log_softmax(y, axis=2),
    "softmax_last": lambda y: softmax(y, axis=-1),
    "log_softmax_last": lambda y: log_softmax(y, axis=-1),
    "sigmoid": expit,
    "tanh": np.tanh,
}


def evaluate(graph: AnnGraph, x: NDArray[Any]) -> NDArray[np.float64]:
    """Output (N, …) for inputs (N, …), with the synapse matrix of every linear map."""
    return _walk(graph, np.asarray(x, np.float64), _numpy_linear)


def evaluate_torch(graph: AnnGraph, x: NDArray[Any]) -> NDArray[np.float64]:
    """Output (N, …) for inputs (N, …), with torch's convolutions in float64."""
    return _walk(graph, np.asarray(x, np.float64), _torch_linear)


def nodes_after(rewrite: Callable[[AnnGraph], tuple[AnnGraph, Any]], graph: AnnGraph) -> list[str]:
    """Names of the nodes after a pass, whose graph must be valid and compute the same.

    Args:
        rewrite: the pass, which returns the graph and its notes.
        graph: the graph before it.
    """
    after, _ = rewrite(graph)
    x = np.random.default_rng(0).normal(size=(4, *graph.nodes[0].shape))
    np.testing.assert_allclose(evaluate(verify_ann(after), x), evaluate(graph, x))
    return [node.name for node in after.nodes]


def _walk(graph: AnnGraph, x: NDArray[np.float64], linear: Callable[..., NDArray[np.float64]]) -> NDArray[np.float64]:
    values: dict[str, NDArray[np.float64]] = {}
    for node in graph.nodes:
        inputs = [values[name] for name in node.inputs]
        values[node.name] = x if isinstance(node.op, Input) else _value(node, inputs, linear)
        assert values[node.name].shape[1:] == node.shape, node.name
    return values[graph.output.name]


def _value(node: Node, inputs: list[NDArray[np.float64]], linear: Callable[..., Any]) -> NDArray[np.float64]:
    x = inputs[0]
    match node.op:
        case Linear(op=op, bias=bias, scale=scale):
            y = linear(op, x)
            y = y if scale is None else scale * y
            return y if bias is None else y + bias
        case Affine(scale=scale, shift=shift):
            return scale * x + shift
        case Activate(function=f):
            return _ACTIVATIONS[type(f)](x, f)
        case MaxPool(window=window):
            return _max_pool(x, window)
        case Add():
            return np.sum(inputs, axis=0)
        case Multiply():
            return inputs[0] * inputs[1]
        case Concat(axis=axis):
            return np.concatenate(inputs, axis=axis + 1)
        case Reindex(index=index):
            flat = np.concatenate([x.reshape(len(x), -1), np.zeros((len(x), 1))], axis=1)
            return flat[:, index]
        case Finish(kind=kind):
            return FINISH[kind](x)
    raise TypeError(type(node.op).__name__)


_ACTIVATIONS: dict[type[Activation], Callable[[NDArray[np.float64], Any], NDArray[np.float64]]] = {
    Identity: lambda x, f: x,
    Relu: lambda x, f: np.maximum(x, 0),
    Clip: lambda x, f: np.clip(x, f.low, f.high),
    LeakyRelu: lambda x, f: np.where(x > 0, x, f.slope * x),
    Elu: lambda x, f: np.where(x > 0, x, f.alpha * np.expm1(np.minimum(x, 0))),
    Sigmoid: lambda x, f: 1 / (1 + np.exp(-x)),
    Softplus: lambda x, f: np.logaddexp(0, f.beta * x) / f.beta,
    Tanh: lambda x, f: np.tanh(x),
    Erf: lambda x, f: erf(x),
    Silu: lambda x, f: x * expit(f.beta * x),
    Gelu: lambda x, f: 0.5 * x * (1 + (erf(x / 2**0.5) if f.approximate == "none" else np.tanh(_gelu_inside(x)))),
    Hardswish: lambda x, f: x * np.clip(x / 6 + 0.5, 0, 1),
    Mish: lambda x, f: x * np.tanh(np.log1p(np.exp(x))),
    Exp: lambda x, f: np.exp(x),
    Sqrt: lambda x, f: np.sqrt(x),
    Reciprocal: lambda x, f: -1 / np.minimum(x, -f.least),
    Rsqrt: lambda x, f: np.maximum(-x, f.least) ** -0.5,
}


def _gelu_inside(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return (2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)


def _numpy_linear(op: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = synapse_matrix(op, x.shape[1:])
    return (matrix @ x.reshape(len(x), -1).T).T.reshape(len(x), *op.output_shape(x.shape[1:]))


def _torch_linear(op: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    t = torch.from_numpy(x)
    match op:
        case Dense(weight=weight):
            return (t @ torch.from_numpy(weight.astype(np.float64)).T).numpy()
        case Conv(weight=weight, window=window, groups=groups):
            return _torch_conv(t, torch.from_numpy(weight.astype(np.float64)), window, groups)
        case Pool(window=window, weight=weight):
            channels = x.shape[1]
            return _torch_conv(
                t, torch.full((channels, 1, *window.kernel), float(weight), dtype=t.dtype), window, channels
            )
        case Sparse(weight=weight):
            return torch.einsum("mn,bn...->bm...", torch.from_numpy(weight.toarray().astype(np.float64)), t).numpy()
    raise TypeError(type(op).__name__)


def _torch_conv(t: torch.Tensor, weight: torch.Tensor, window: Window, groups: int) -> NDArray[np.float64]:
    padded = F.pad(t, [p for pair in reversed(window.padding) for p in pair])
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(window.kernel)]
    return conv(padded, weight, None, window.stride, 0, window.dilation, groups).numpy()


def _max_pool(x: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    padded = np.pad(x, [(0, 0), (0, 0), *window.padding], constant_values=-np.inf)
    out = window.output(x.shape[2:])
    y = np.full((*x.shape[:2], *out), -np.inf)
    for tap in itertools.product(*(range(k) for k in window.kernel)):
        starts = [t * d for t, d in zip(tap, window.dilation, strict=True)]
        slices = [slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, out, window.stride, strict=True)]
        where = (slice(None), slice(None), *slices)
        y = np.maximum(y, padded[where])
    return y
