"""What is supported in place of each operation that is not, and what to do about it: data for the findings.

Keys are operation and class names without case and underscores (`LeakyReLU`, `F.leaky_relu` and `leaky_relu_` are all
`leakyrelu`), and the topics that rules refuse by.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """Text of a finding.

    Attributes:
        supported: what the converter takes in its place.
        remedy: what the user can do.
    """

    supported: str
    remedy: str

    @property
    def texts(self) -> tuple[str, str]:
        """What is supported, and the remedy."""
        return self.supported, self.remedy


_MONOTONE = "ReLU, ReLU6, LeakyReLU, PReLU, ELU, clamp, sigmoid, tanh, softplus and others that never fall"
_NOT_MONOTONE = f"{_MONOTONE}; a function that falls and rises again takes a value twice, so no threshold tells which"
_RETRAIN = "replace it by ReLU and fine-tune; a few epochs usually recover the accuracy"
_LAST = "as the last operation of the network, where the host applies it to the values read"
_FIXED_NORM = "BatchNorm with running statistics, which is a fixed affine map"
_PRODUCT = "sums and concatenations of activations, products with constants"

SUPPORT: dict[str, Advice] = {
    # Activations
    "clamp": Advice("clamp with constant limits", "let the limits not depend on the input, or write max(a, b)"),
    "threshold": Advice(
        "threshold(x, t, t), which is max(x, t)", "give threshold and value the same number; a jump has no phases"
    ),
    "elunegative": Advice("ELU and CELU with alpha ≥ 0", "use a positive alpha, or ReLU, and fine-tune"),
    "softplus": Advice(
        "softplus with beta > 0 and a threshold above 12, where it is linear in all digits", "use the default threshold"
    ),
    **dict.fromkeys(("softsign", "tanhshrink", "hardshrink"), Advice(_MONOTONE, _RETRAIN)),
    "gelu": Advice(_NOT_MONOTONE, "replace GELU by ReLU and fine-tune"),
    "silu": Advice(_NOT_MONOTONE, "replace SiLU (swish) by ReLU and fine-tune"),
    "mish": Advice(_NOT_MONOTONE, "replace Mish by ReLU and fine-tune"),
    "hardswish": Advice(_NOT_MONOTONE, "replace Hardswish by ReLU and fine-tune"),
    "glu": Advice(_PRODUCT, "replace the gate by ReLU and fine-tune: it multiplies two activations"),
    "softmax": Advice(_LAST, "attention has no one-spike form; elsewhere drop the softmax or end the model there"),
    "logsoftmax": Advice(_LAST, "drop it, or end the model there"),
    "softmaxaxis": Advice(
        "softmax over axis 1, the classes", "move the classes to axis 1, or apply it outside the model"
    ),
    # Layers
    "conv3d": Advice("Conv1d and Conv2d", "fold one axis into the channels"),
    "convtranspose3d": Advice("ConvTranspose1d and ConvTranspose2d", "fold one axis into the channels"),
    "batchnorm3d": Advice("BatchNorm1d and BatchNorm2d", "fold one axis into the channels"),
    "maxpool3d": Advice("pooling over one or two axes", "fold one axis into the channels"),
    "avgpool3d": Advice("pooling over one or two axes", "fold one axis into the channels"),
    "lppool2d": Advice("MaxPool and AvgPool", "replace it by AvgPool2d and fine-tune"),
    "fractionalmaxpool2d": Advice("MaxPool and AvgPool", "replace it by MaxPool2d and fine-tune"),
    "layernorm": Advice(
        _FIXED_NORM, "replace LayerNorm by BatchNorm and train again: its statistics change per sample"
    ),
    "groupnorm": Advice(
        _FIXED_NORM, "replace GroupNorm by BatchNorm and train again: its statistics change per sample"
    ),
    "instancenorm1d": Advice(_FIXED_NORM, "replace InstanceNorm by BatchNorm and train again"),
    "instancenorm2d": Advice(_FIXED_NORM, "replace InstanceNorm by BatchNorm and train again"),
    "instancenorm": Advice(_FIXED_NORM, "replace InstanceNorm by BatchNorm and train again"),
    "localresponsenorm": Advice(_FIXED_NORM, "replace LocalResponseNorm by BatchNorm and train again"),
    "normalize": Advice(_FIXED_NORM, "drop the normalisation, or replace it by BatchNorm"),
    "embedding": Advice("layers over real values", "look the embedding up outside the model and pass vectors"),
    "lstm": Advice("feed-forward networks", "recurrent layers carry state from step to step; use Conv1d over time"),
    "gru": Advice("feed-forward networks", "recurrent layers carry state from step to step; use Conv1d over time"),
    "rnn": Advice("feed-forward networks", "recurrent layers carry state from step to step; use Conv1d over time"),
    "multiheadattention": Advice(_PRODUCT, "attention multiplies activations; use a convolutional network"),
    "scaleddotproductattention": Advice(_PRODUCT, "attention multiplies activations; use a convolutional network"),
    "bilinear": Advice(_PRODUCT, "replace the bilinear layer by a concatenation and Linear"),
    "einsum": Advice("matmul, linear and convolution with constant weights", "write the product as a Linear layer"),
    "matmul": Advice("matmul with a constant matrix on the right", "one factor has to be constant weights"),
    "bmm": Advice("matmul with a constant matrix on the right", "one factor has to be constant weights"),
    # Topics
    "matmulleft": Advice(
        "x @ W with a constant matrix W on the right", "transpose x, multiply from the right, transpose"
    ),
    "returnindices": Advice("pooling without indices", "set return_indices=False; unpooling has no one-spike form"),
    "adaptive": Advice(
        "output sizes that divide the input size (or are multiples of it)", "choose another size, or resize the input"
    ),
    "interpolate": Advice(
        "nearest, and linear or bilinear by whole factors with align_corners=False",
        "use mode='nearest' and fine-tune, or resize outside the model",
    ),
    "batchstatistics": Advice(
        _FIXED_NORM, "set track_running_stats=True and run some training batches through the model first"
    ),
    "batchmixed": Advice(
        "operations on each sample by itself, axis 0 being the batch", "keep axis 0 as it is (flatten(1), dim=1 …)"
    ),
    "nobatch": Advice(
        "a batch axis, and for convolution and pooling a channel axis behind it", "check the input's shape"
    ),
    "computedweights": Advice("weights that are constants", "let the weights not depend on the input"),
    "computedindex": Advice("places that are constants", "let the indices not depend on the input"),
    "product": Advice(_PRODUCT, "gates and squeeze-excitation multiply activations; drop them and fine-tune"),
    "quotient": Advice("division by a constant", "drop the division by an activation"),
    "pow": Advice("sums, and products with constants", "drop the power, or put it before the network"),
    "max": Advice("max(a, b), and max pooling", "use amax over axes, which gives no indices"),
    "min": Advice("min(a, b)", "replace the minimum over axes by max pooling and fine-tune"),
    **dict.fromkeys(
        ("gt", "ge", "lt", "le", "eq", "ne", "greater", "less"),
        Advice("ReLU as the only comparison with a threshold", "take the decision outside the model"),
    ),
    **dict.fromkeys(
        ("where", "maskedfill", "logicaland", "logicalor", "logicalnot"),
        Advice(
            "ReLU as the only comparison with a threshold",
            "write masks as ReLU, or take the decision outside the model",
        ),
    ),
    **dict.fromkeys(
        ("int", "long", "short", "bool", "round", "floor", "ceil", "trunc", "sign", "floordiv", "mod"),
        Advice("floating point values", "drop the rounding, or do it before the network"),
    ),
    "rounding": Advice("floating point values", "drop the rounding, or do it before the network"),
    "notfinite": Advice(
        "finite constants", "use a finite value; for -inf before max pooling use the pool's own padding"
    ),
    "dropout": Advice(
        "dropout that is off in eval mode", "pass training=self.training, or make it a module in __init__"
    ),
    "setitem": Advice(
        "new tensors by cat, stack and pad", "write torch.cat of the parts in place of assigning to a slice"
    ),
    "inplaceview": Advice(
        "in-place operations on a tensor that nothing else views", "use the form that returns a new tensor"
    ),
    "hook": Advice("hooks that only observe", "remove the hook, or write what it does into forward"),
    "readsvalues": Advice(
        "tensor operations, and Python on shapes", "keep the value a tensor, or compute it outside the model"
    ),
    "controlflow": Advice(
        "control flow on shapes and constants; one path for every input",
        "move the decision out of forward, or write it with tensor operations",
    ),
    "tracing": Advice(
        "forward methods of tensor operations on one input",
        "rewrite this line with plain tensor operations, without tests on the type of x and without TorchScript",
    ),
    "notreproducible": Advice(
        "models that give one output for one input, traced or not",
        "remove random operations and branches on the type of x from forward",
    ),
    "inputs": Advice("models of one input tensor", "wrap the model in a module that takes one tensor"),
    "outputs": Advice(
        "one output tensor, or a tuple, list or dict with exactly one tensor in it",
        "wrap the model in a module that returns the one tensor wanted",
    ),
    "constantoutput": Advice("an output that depends on the input", "return a tensor computed from the input"),
    "torchscript": Advice("torch.nn.Module in Python", "convert the module that was scripted or traced"),
    "lazy": Advice("modules with initialised weights", "run the model once on an example"),
}

UNKNOWN = Advice(
    "convolution, linear, batch norm, ReLU, pooling, sums, concatenation, products with constants, moved values",
    "write it with these operations, move it out of the network, or replace it and fine-tune",
)


def advice_for(name: str) -> Advice:
    """Advice on an operation, class or topic; general advice on unknown ones."""
    return SUPPORT.get(name.replace("_", "").lower(), UNKNOWN)
