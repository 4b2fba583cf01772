"""Table of advice: for each operation that cannot be converted, the supported alternative and the remedy.

Keys are names of operations and classes in lower case without underscores (`LeakyReLU`, `F.leaky_relu` and
`leaky_relu_` are all `leakyrelu`), and topics that the rules name when they refuse a call.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """Supported alternative and remedy, as a finding prints them.

    Attributes:
        supported: what the converter supports instead.
        remedy: what the user can do.
    """

    supported: str
    remedy: str

    @property
    def texts(self) -> tuple[str, str]:
        """The supported alternative and the remedy."""
        return self.supported, self.remedy


_ACTIVATIONS = (
    "ReLU, ReLU6, LeakyReLU, PReLU, ELU, clamp, sigmoid, tanh, softplus, and SiLU, GELU, Hardswish and Mish, which "
    "fall to one minimum and then rise"
)
_RETRAIN = "replace it by ReLU and fine-tune; a few epochs usually recover the accuracy"
_LAST = "the same function as the last operation of the network, where the host computes it"
_FIXED_NORM = "BatchNorm with running statistics, which is a fixed affine map"
_MASK_INPUT = (
    "a mask of attention may be an input of numbers that are added to the scores, 0 for what counts, -50 for the rest"
)
_PRODUCT = "sums, concatenations and products of activations, and products with constants"

SUPPORT: dict[str, Advice] = {
    # Activations
    "clamp": Advice("clamp with constant limits", "use limits that do not depend on the input, or write max(a, b)"),
    "threshold": Advice(
        "threshold(x, t, t), which is max(x, t)", "set threshold and value to the same number, so that there is no jump"
    ),
    "elunegative": Advice("ELU and CELU with alpha ≥ 0", "use a positive alpha, or ReLU, and fine-tune"),
    "softplus": Advice(
        "softplus with beta > 0 and a threshold above 12, where it is linear to float precision",
        "use the default threshold",
    ),
    **dict.fromkeys(("softsign", "tanhshrink", "hardshrink"), Advice(_ACTIVATIONS, _RETRAIN)),
    "logsoftmax": Advice(_LAST, "remove the log_softmax, or end the model with it"),
    "softmaxaxis": Advice(
        "log_softmax over axis 1, 2 or 3 or the last axis",
        "move the classes to one of them, or apply the log_softmax outside the model",
    ),
    # Layers
    "convtranspose3d": Advice("ConvTranspose1d and ConvTranspose2d", "fold one axis into the channels"),
    "lppool2d": Advice("MaxPool and AvgPool", "replace it by AvgPool2d and fine-tune"),
    "fractionalmaxpool2d": Advice("MaxPool and AvgPool", "replace it by MaxPool2d and fine-tune"),
    "localresponsenorm": Advice(_FIXED_NORM, "replace LocalResponseNorm by BatchNorm and train again"),
    "normalize": Advice("normalize with p=2 and a positive eps", "use p=2, or replace the normalisation by BatchNorm"),
    "embedding": Advice(
        "layers with real-valued inputs",
        "look the vectors up on the host: convert the layers behind the table as a module of their own, and give "
        "table(tokens) as its inputs and calibration data",
    ),
    "attentionweights": Advice(
        "the attended values of an attention layer", "set need_weights=False, and return the values"
    ),
    "sequencefirst": Advice(
        "attention with the batch in front, or with the sequence in front after x.transpose(0, 1)",
        "create the layer with batch_first=True, or transpose in front of it and back behind it",
    ),
    "addedkeys": Advice("attention over the keys and values that are given", "leave out add_bias_kv and add_zero_attn"),
    "computedmask": Advice(
        "a constant attn_mask, and a key_padding_mask that is constant or a real-valued input",
        f"give the mask as key_padding_mask; {_MASK_INPUT}",
    ),
    "bilinear": Advice(_PRODUCT, "replace the bilinear layer by a concatenation and Linear"),
    "einsum": Advice(
        "an equation of letters with '->', of constants and one activation, or of two activations whose sums go over "
        "axes of both, the batch axis first everywhere",
        "write the axes out, write a product with a constant as a Linear layer, and a sum of one operand as sum(dim)",
    ),
    "bmm": Advice("bmm of two activations", "write a product with a constant matrix as a Linear layer"),
    # Topics
    "recurrent": Advice(
        "LSTM, GRU and RNN without projection whose states begin with zeros, with the batch in front, or with the "
        "sequence in front after x.transpose(0, 1)",
        "set batch_first=True, or transpose in front of the layer, and leave the first states out",
    ),
    "matmulleft": Advice(
        "x @ W and W @ x with a constant W whose axes in front of the matrix are those of a sample of x",
        "reshape the constant, without an axis for the samples",
    ),
    "returnindices": Advice("pooling without indices", "set return_indices=False; unpooling cannot be converted"),
    "adaptive": Advice(
        "adaptive average pooling of any size, and adaptive max pooling whose output size divides the input size or is "
        "a multiple of it",
        "choose another size, or resize the input",
    ),
    "batchstatistics": Advice(
        _FIXED_NORM, "set track_running_stats=True and run some training batches through the model first"
    ),
    "batchmixed": Advice(
        "operations on each sample separately, with axis 0 as the batch", "leave axis 0 unchanged (flatten(1), dim=1 …)"
    ),
    "nobatch": Advice(
        "inputs with a batch axis, followed by a channel axis for convolution and pooling",
        "check the shape of the input",
    ),
    "computedweights": Advice("constant weights", "use weights that do not depend on the input"),
    "computedindex": Advice("constant indices", "use indices that do not depend on the input"),
    "minusinfinity": Advice(
        "minus infinity at the places of a constant mask in front of a softmax",
        "apply the mask to the argument of the softmax directly, or use a finite number",
    ),
    "maskedrow": Advice(
        "a softmax over at least one place that is not masked", "leave the masked rows out of the model"
    ),
    "epsilon": Advice("normalisation with a positive ε", "set eps to a small positive number, such as 1e-5"),
    "notpositive": Advice(
        "quotients and roots of values that are positive by their construction: a sum of squares with ε, a sigmoid, "
        "softplus, exp, clamp(min=ε)",
        "add a small ε, or limit the value from below with clamp(min=ε)",
    ),
    "pow": Advice(
        "constant whole exponents from 1 to 8, 0.5, -0.5, -1 and -2, and powers of a positive constant",
        "write the power with one of them, or compute it before the network",
    ),
    "max": Advice("max(a, b), max(x, dim) without its indices, and max pooling", "use amax over axes"),
    "min": Advice("min(a, b)", "replace the minimum over axes by max pooling and fine-tune"),
    **dict.fromkeys(
        ("gt", "ge", "lt", "le", "eq", "ne", "greater", "less"),
        Advice(
            "ReLU as the only comparison with a threshold",
            f"compare outside the model; {_MASK_INPUT}",
        ),
    ),
    **dict.fromkeys(
        ("where", "maskedfill", "logicaland", "logicalor", "logicalnot"),
        Advice(
            "ReLU as the only comparison with a threshold",
            f"write the mask with ReLU, or apply it outside the model; {_MASK_INPUT}",
        ),
    ),
    **dict.fromkeys(
        ("int", "long", "short", "bool", "round", "floor", "ceil", "trunc", "sign", "floordiv", "mod"),
        Advice("floating point values", "remove the rounding, or round before the network"),
    ),
    "rounding": Advice("floating point values", "remove the rounding, or round before the network"),
    "notfinite": Advice(
        "finite constants", "use a finite value; before max pooling use the padding of the pooling instead of -inf"
    ),
    "empty": Advice("layers and slices of at least one value", "give the layer outputs, or leave it out of the model"),
    "dropout": Advice(
        "dropout that is off in eval mode", "pass training=self.training, or create the module in __init__"
    ),
    "trainmode": Advice("programs that were exported in eval mode", "export the model again, after model.eval()"),
    "setitem": Advice("cat, stack and pad, which return new tensors", "use torch.cat instead of assigning to a slice"),
    "inplaceview": Advice(
        "in-place operations on tensors without other views", "use the operation that returns a new tensor"
    ),
    "hook": Advice("hooks that do not change values", "remove the hook, or do its work in forward"),
    "readsvalues": Advice(
        "tensor operations, and Python code that reads shapes only",
        "use tensor operations, or compute the value outside the model",
    ),
    "controlflow": Advice(
        "control flow that depends on shapes and constants only",
        "move the decision out of forward, or write it with tensor operations",
    ),
    "tracing": Advice(
        "a forward method that applies tensor operations to one input",
        "write this line with plain tensor operations, without tests of the type of x and without TorchScript",
    ),
    "notreproducible": Advice(
        "models whose output is the same in every call, traced or not",
        "remove random operations and branches on the type of x from forward",
    ),
    "inputs": Advice(
        "one input tensor, or several as a tuple or mapping by the names of the arguments",
        "give a tuple or mapping with an array for each of them",
    ),
    "outputs": Advice(
        "a tensor, or tensors in tuples, lists and dicts with keys of text; a single tensor for graph networks",
        "wrap the model in a module that returns only tensors",
    ),
    "constantoutput": Advice("an output that depends on the input", "return a tensor computed from the input"),
    "torchscript": Advice("torch.nn.Module in Python", "convert the module from which the TorchScript was made"),
    "lazy": Advice("modules with initialised weights", "run the model once on an example before the conversion"),
}

UNKNOWN = Advice(
    "convolution, linear, batch norm, ReLU, pooling, sums, concatenation, products with constants and of two "
    "activations, and rearrangements such as flatten and permute",
    "write it with these operations, move it out of the network, or replace it and fine-tune",
)


def advice_for(name: str) -> Advice:
    """Advice on an operation, class or topic, and general advice (`UNKNOWN`) if the table has no entry."""
    return SUPPORT.get(name.replace("_", "").lower(), UNKNOWN)
