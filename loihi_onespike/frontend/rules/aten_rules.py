"""Rules of ATen operations whose arguments differ from those of the torch function of the same name.

`torch.export` expresses models by ATen operations. The others (relu, view, cat, mean …) use the rule of the function.
"""

from __future__ import annotations

from typing import Any

from loihi_onespike.frontend.rules.activation_rules import logsigmoid, rrelu
from loihi_onespike.frontend.rules.linear_rules import batch_norm, conv
from loihi_onespike.frontend.rules.norm_rules import group_norm, instance_norm
from loihi_onespike.frontend.rules.resize_rules import linear_upsampling, resampling
from loihi_onespike.frontend.rules.shape_rules import pad, rearrange
from loihi_onespike.frontend.rules.transposed_rules import conv_transpose
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.registry import OPERATIONS, rule
from loihi_onespike.frontend.tracing.site import Site


@rule("aten.convolution")
def convolution(
    site: Site,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Value:
    """A convolution or a transposed convolution."""
    if transposed:
        return conv_transpose(site, input, weight, bias, stride, padding, output_padding, groups, dilation)
    return conv(site, input, weight, bias, stride, padding, dilation, groups)


@rule("aten._native_batch_norm_legit_no_training")
def batch_norm_of_eval(
    site: Site, input: Any, weight: Any, bias: Any, mean: Any, var: Any, momentum: float, eps: float
) -> tuple[Value, ...]:
    """The result, and two statistics that are not used in eval mode."""
    result = batch_norm(site, input, mean, var, weight, bias, eps=eps)
    return (result, *(site.unavailable((), "batch_statistics", "statistics of the batch") for _ in range(2)))


@rule("aten.batch_norm")
def batch_norm_with_flag(
    site: Site, input: Any, weight: Any, bias: Any, mean: Any, var: Any, training: bool, *rest: Any
) -> Value:
    """rest: momentum, ε, and whether to use cuDNN."""
    if training:
        return batch_norm_of_training(site)
    return batch_norm(site, input, mean, var, weight, bias, training, eps=rest[1])


@rule("aten.instance_norm")
def instance_norm_with_flag(
    site: Site, input: Any, weight: Any, bias: Any, mean: Any, var: Any, use_input_stats: bool, *rest: Any
) -> Value:
    """rest: momentum, ε, and whether to use cuDNN."""
    return instance_norm(site, input, mean, var, weight, bias, use_input_stats, eps=rest[1])


@rule("aten._native_batch_norm_legit", "aten._native_batch_norm_legit_functional", "aten.native_batch_norm")
def batch_norm_of_training(site: Site, *_: Any) -> Value:
    """Refused: the statistics of the batch change with every batch."""
    site.refuse("train_mode", f"{site.display} with statistics of the batch: the model was exported in train mode")


@rule("aten.native_dropout")
def dropout_of_training(site: Site, *_: Any) -> Value:
    """Refused: active dropout is random."""
    site.refuse("train_mode", f"{site.display} that is active: the model was exported in train mode")


@rule("aten.dropout", "aten.feature_dropout", "aten.alpha_dropout", "aten.feature_alpha_dropout")
def dropout_with_flag(site: Site, input: Any, p: float, train: bool) -> Value:
    """y = x; refused where it is active."""
    return dropout_of_training(site) if train and p else site.activation(input)


@rule("aten.max_pool2d_with_indices", "aten.adaptive_max_pool2d", "aten.adaptive_max_pool1d")
def max_pool_with_indices(site: Site, *args: Any, **kwargs: Any) -> tuple[Value, Value]:
    """The maxima, and indices that only unpooling would use."""
    result = OPERATIONS[site.operation.removeprefix("aten.")](site, *args, **kwargs)
    return result, site.unavailable(result.shape, "return_indices", "indices of max pooling")


@rule("aten.constant_pad_nd")
def constant_pad(site: Site, input: Any, pads: Any, value: float = 0.0) -> Value:
    """Padding with a constant."""
    return pad(site, input, pads, value=value)


@rule("aten.rrelu_with_noise")
def rrelu_with_noise(site: Site, input: Any, noise: Any, *options: Any) -> Value:
    """options: lower, upper and whether in training."""
    return rrelu(site, input, *options[:3])


@rule("aten.log_sigmoid_forward")
def log_sigmoid_forward(site: Site, input: Any) -> tuple[Value, Value]:
    """The result, and a buffer for the gradient (empty beside the CPU)."""
    result = logsigmoid(site, input)
    shape = result.shape if site.device.type == "cpu" else ()
    return result, site.unavailable(shape, "unknown", "buffer of log_sigmoid")


@rule("aten.upsample_bilinear2d", "aten.upsample_linear1d")
def upsample_linear(site: Site, input: Any, size: Any, align_corners: bool, *_: Any) -> Value:
    """Linear or bilinear resizing."""
    x = site.activation(input)
    return resampling(site, x) if align_corners else linear_upsampling(site, x)


@rule("aten.upsample_bicubic2d", "aten._upsample_bilinear2d_aa", "aten._upsample_bicubic2d_aa")
def upsample_others(site: Site, input: Any, *_: Any) -> Value:
    """Bicubic resizing, and resizing that averages first (antialias)."""
    return resampling(site, site.activation(input))


@rule("as_strided")
def as_strided(site: Site, input: Any, *_: Any, **__: Any) -> Value:
    """A view of the storage, which is a rearrangement if the storage has the order of the tensor."""
    if not site.concrete_args[0].is_contiguous():
        site.refuse("unknown", f"{site.display} of a tensor whose storage has another order")
    return rearrange(site)


@rule("aten.native_group_norm")
def native_group_norm(
    site: Site, input: Any, weight: Any, bias: Any, samples: Any, channels: Any, places: Any, group: int, eps: float
) -> tuple[Value, Value, Value]:
    """The result, and mean and 1 / √variance, which nothing but a gradient reads."""
    result = group_norm(site, input, group, weight, bias, eps)
    first, second = (site.unavailable((group,), "unknown", "statistics of group norm") for _ in range(2))
    return result, first, second
