"""Activations on torch tensors: one registered function per class of activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

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
from loihi_onespike.core.registry import EntryRegistry

ACTIVATION_FUNCTIONS: EntryRegistry[Callable[[Any, torch.Tensor], torch.Tensor]] = EntryRegistry(
    "activations on torch tensors", "executors/tensors/activation_functions.py"
)
"""Entries f(activation, z), which return a tensor of the shape and type of z."""


def activate(activation: Activation, z: torch.Tensor) -> torch.Tensor:
    """f(z) for a tensor of any shape; raises MissingEntryError for an activation without an entry."""
    return ACTIVATION_FUNCTIONS[activation](activation, z)


@ACTIVATION_FUNCTIONS.register(Identity)
def _identity(activation: Identity, z: torch.Tensor) -> torch.Tensor:
    return z


@ACTIVATION_FUNCTIONS.register(Relu)
def _relu(activation: Relu, z: torch.Tensor) -> torch.Tensor:
    return torch.clamp(z, min=0)


@ACTIVATION_FUNCTIONS.register(Clip)
def _clip(activation: Clip, z: torch.Tensor) -> torch.Tensor:
    return torch.clamp(z, activation.low, activation.high)


@ACTIVATION_FUNCTIONS.register(LeakyRelu)
def _leaky_relu(activation: LeakyRelu, z: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(z, activation.slope)


@ACTIVATION_FUNCTIONS.register(Elu)
def _elu(activation: Elu, z: torch.Tensor) -> torch.Tensor:
    return F.elu(z, activation.alpha)


@ACTIVATION_FUNCTIONS.register(Sigmoid)
def _sigmoid(activation: Sigmoid, z: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(z)


@ACTIVATION_FUNCTIONS.register(Softplus)
def _softplus(activation: Softplus, z: torch.Tensor) -> torch.Tensor:
    return F.softplus(z, activation.beta)


@ACTIVATION_FUNCTIONS.register(Tanh)
def _tanh(activation: Tanh, z: torch.Tensor) -> torch.Tensor:
    return torch.tanh(z)


@ACTIVATION_FUNCTIONS.register(Erf)
def _erf(activation: Erf, z: torch.Tensor) -> torch.Tensor:
    return torch.erf(z)


@ACTIVATION_FUNCTIONS.register(Silu)
def _silu(activation: Silu, z: torch.Tensor) -> torch.Tensor:
    return F.silu(z) if activation.beta == 1 else z * torch.sigmoid(activation.beta * z)


@ACTIVATION_FUNCTIONS.register(Gelu)
def _gelu(activation: Gelu, z: torch.Tensor) -> torch.Tensor:
    return F.gelu(z, approximate=activation.approximate)


@ACTIVATION_FUNCTIONS.register(Hardswish)
def _hardswish(activation: Hardswish, z: torch.Tensor) -> torch.Tensor:
    return F.hardswish(z)


@ACTIVATION_FUNCTIONS.register(Mish)
def _mish(activation: Mish, z: torch.Tensor) -> torch.Tensor:
    return F.mish(z)


@ACTIVATION_FUNCTIONS.register(Exp)
def _exp(activation: Exp, z: torch.Tensor) -> torch.Tensor:
    return torch.exp(z)


@ACTIVATION_FUNCTIONS.register(Sqrt)
def _sqrt(activation: Sqrt, z: torch.Tensor) -> torch.Tensor:
    return torch.sqrt(torch.clamp(z, min=0))


@ACTIVATION_FUNCTIONS.register(Reciprocal)
def _reciprocal(activation: Reciprocal, z: torch.Tensor) -> torch.Tensor:
    return torch.reciprocal(torch.clamp(-z, min=activation.least))


@ACTIVATION_FUNCTIONS.register(Rsqrt)
def _rsqrt(activation: Rsqrt, z: torch.Tensor) -> torch.Tensor:
    return torch.rsqrt(torch.clamp(-z, min=activation.least))
