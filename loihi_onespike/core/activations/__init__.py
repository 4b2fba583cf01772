"""Activations, one class per file.

A new activation is a subclass of `Activation` in a file of its own, a line in `ACTIVATIONS`, and its entry in the
registry of executors/tensors/activation_functions.py; CONTRIBUTING.md shows one from beginning to end.
"""

from loihi_onespike.core.activations.base import Activation
from loihi_onespike.core.activations.clip import Clip
from loihi_onespike.core.activations.dipped import DippedActivation
from loihi_onespike.core.activations.elu import Elu
from loihi_onespike.core.activations.erf import Erf
from loihi_onespike.core.activations.exp import Exp
from loihi_onespike.core.activations.falling import FallingActivation, Reciprocal, Rsqrt
from loihi_onespike.core.activations.gelu import Gelu
from loihi_onespike.core.activations.hardswish import Hardswish
from loihi_onespike.core.activations.identity import Identity
from loihi_onespike.core.activations.leaky_relu import LeakyRelu
from loihi_onespike.core.activations.mish import Mish
from loihi_onespike.core.activations.relu import Relu
from loihi_onespike.core.activations.sigmoid import Sigmoid
from loihi_onespike.core.activations.silu import Silu
from loihi_onespike.core.activations.softplus import Softplus
from loihi_onespike.core.activations.sqrt import Sqrt
from loihi_onespike.core.activations.tanh import Tanh

ACTIVATIONS: tuple[type[Activation], ...] = (
    Identity,
    Relu,
    Clip,
    LeakyRelu,
    Elu,
    Sigmoid,
    Softplus,
    Tanh,
    Erf,
    Silu,
    Gelu,
    Hardswish,
    Mish,
    Exp,
    Sqrt,
    Reciprocal,
    Rsqrt,
)
"""Every activation that a population can compute."""

IDENTITY = Identity()
RELU = Relu()

__all__ = [
    "ACTIVATIONS",
    "IDENTITY",
    "RELU",
    "Activation",
    "Clip",
    "DippedActivation",
    "Elu",
    "Erf",
    "Exp",
    "FallingActivation",
    "Gelu",
    "Hardswish",
    "Identity",
    "LeakyRelu",
    "Mish",
    "Reciprocal",
    "Relu",
    "Rsqrt",
    "Sigmoid",
    "Silu",
    "Softplus",
    "Sqrt",
    "Tanh",
]
