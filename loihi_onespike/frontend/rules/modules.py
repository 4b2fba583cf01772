"""Rules of torch.nn modules: the function that a module calls, and the attributes that are its arguments."""

from __future__ import annotations

from typing import Any

from torch import nn

from loihi_onespike.frontend.rules.activation_rules import gelu
from loihi_onespike.frontend.rules.elementwise_rules import dropout
from loihi_onespike.frontend.rules.shape_rules import pad, rearrange
from loihi_onespike.frontend.tracing.moved_batch import apply_rule
from loihi_onespike.frontend.tracing.registry import MODULES, OPERATIONS, ModuleRule, module_rule, takes_moved_batch
from loihi_onespike.frontend.tracing.site import Site

_POOL = ("kernel_size", "stride", "padding")

_CALLS: dict[type[nn.Module], tuple[str, tuple[str, ...]]] = {
    nn.Linear: ("linear", ("weight", "bias")),
    nn.ReLU: ("relu", ()),
    nn.ReLU6: ("relu6", ()),
    nn.Hardtanh: ("hardtanh", ("min_val", "max_val")),
    nn.Threshold: ("threshold", ("threshold", "value")),
    nn.LeakyReLU: ("leaky_relu", ("negative_slope",)),
    nn.PReLU: ("prelu", ("weight",)),
    nn.RReLU: ("rrelu", ("lower", "upper", "training")),
    nn.ELU: ("elu", ("alpha",)),
    nn.SELU: ("selu", ()),
    nn.CELU: ("celu", ("alpha",)),
    nn.Softplus: ("softplus", ("beta", "threshold")),
    nn.Softshrink: ("softshrink", ("lambd",)),
    nn.Hardsigmoid: ("hardsigmoid", ()),
    nn.LogSigmoid: ("logsigmoid", ()),
    nn.SiLU: ("silu", ()),
    nn.Hardswish: ("hardswish", ()),
    nn.Mish: ("mish", ()),
    nn.MaxPool1d: ("max_pool1d", (*_POOL, "dilation", "ceil_mode", "return_indices")),
    nn.MaxPool2d: ("max_pool2d", (*_POOL, "dilation", "ceil_mode", "return_indices")),
    nn.MaxPool3d: ("max_pool3d", (*_POOL, "dilation", "ceil_mode", "return_indices")),
    nn.AvgPool1d: ("avg_pool1d", (*_POOL, "ceil_mode", "count_include_pad")),
    nn.AvgPool2d: ("avg_pool2d", (*_POOL, "ceil_mode", "count_include_pad", "divisor_override")),
    nn.AvgPool3d: ("avg_pool3d", (*_POOL, "ceil_mode", "count_include_pad", "divisor_override")),
    nn.AdaptiveAvgPool1d: ("adaptive_avg_pool1d", ("output_size",)),
    nn.AdaptiveAvgPool2d: ("adaptive_avg_pool2d", ("output_size",)),
    nn.AdaptiveAvgPool3d: ("adaptive_avg_pool3d", ("output_size",)),
    nn.AdaptiveMaxPool1d: ("adaptive_max_pool1d", ("output_size", "return_indices")),
    nn.AdaptiveMaxPool2d: ("adaptive_max_pool2d", ("output_size", "return_indices")),
    nn.AdaptiveMaxPool3d: ("adaptive_max_pool3d", ("output_size", "return_indices")),
    nn.Upsample: ("interpolate", ("size", "scale_factor", "mode", "align_corners")),
    nn.Softmax: ("softmax", ("dim",)),
    nn.LogSoftmax: ("log_softmax", ("dim",)),
    nn.Sigmoid: ("sigmoid", ()),
    nn.Tanh: ("tanh", ()),
    nn.GLU: ("glu", ("dim",)),
}


def _calling(operation: str, attributes: tuple[str, ...]) -> ModuleRule:
    @takes_moved_batch
    def call(site: Site, module: nn.Module, input: Any) -> Any:
        site.operation = operation
        settings = [getattr(module, name) for name in attributes]
        return apply_rule(site, operation, OPERATIONS[operation], input, *settings)

    return call


MODULES.update({cls: _calling(*entry) for cls, entry in _CALLS.items()})


@takes_moved_batch
@module_rule(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
def dropout_module(site: Site, module: nn.Dropout, input: Any) -> Any:
    """y = x in eval mode."""
    return apply_rule(site, "dropout", dropout, input, module.p, module.training)


@takes_moved_batch
@module_rule(nn.Identity)
def identity(site: Site, module: nn.Identity, input: Any) -> Any:
    """y = x."""
    return input


@takes_moved_batch
@module_rule(nn.GELU)
def gelu_module(site: Site, module: nn.GELU, input: Any) -> Any:
    """GELU, exact or with tanh."""
    site.operation = "gelu"
    return apply_rule(site, "gelu", gelu, input, approximate=module.approximate)


@module_rule(nn.Softmax2d)
def softmax2d(site: Site, module: nn.Softmax2d, input: Any) -> Any:
    """Softmax over the channels."""
    site.operation = "softmax"
    return OPERATIONS["softmax"](site, input, 1)


@module_rule(nn.ConstantPad1d, nn.ConstantPad2d)
def constant_pad(site: Site, module: nn.ConstantPad2d, input: Any) -> Any:
    """Padding with the constant of the module."""
    return pad(site, input, module.padding, value=module.value)


@takes_moved_batch
@module_rule(nn.Flatten, nn.Unflatten, nn.ChannelShuffle, nn.PixelShuffle, nn.PixelUnshuffle, nn.Unfold)
@module_rule(nn.ZeroPad1d, nn.ZeroPad2d, nn.ReflectionPad1d, nn.ReflectionPad2d)
@module_rule(nn.ReplicationPad1d, nn.ReplicationPad2d, nn.CircularPad1d, nn.CircularPad2d)
def rearranging(site: Site, module: nn.Module, input: Any) -> Any:
    """A gather of the input's places."""
    return rearrange(site)
