"""Products of an activation with a function of itself, which are activations: x · sigmoid(x) is SiLU.

Models write SiLU, GELU, Hardswish and Mish as such products, and exporters of ONNX replace the modules by them. Both
factors are elementwise functions of one value, so their product is one too. It is compared with the known activations
at many values; nothing depends on the order or the constants with which it was written.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.activations import DippedActivation, Gelu, Hardswish, Mish, Sigmoid, Silu
from loihi_onespike.core.graphs.ann import Activate, Affine, AnnOp
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.site import Site

PROBES = np.linspace(-9.0, 9.0, 361)
"""Values at which functions are compared."""
ALIKE = 1e-6
"""Largest difference of functions that count as equal, relative to the largest value at the probes."""
DIGITS = 12
"""Decimals of a factor; those behind them are rounding errors of the comparison."""
DIPPED: tuple[DippedActivation, ...] = (Gelu(), Gelu("tanh"), Hardswish(), Mish())
"""Functions that are looked for besides SiLU, whose beta is that of the sigmoid in the product."""


def self_gated(site: Site, a: Value, b: Value) -> tuple[Value, float, DippedActivation] | None:
    """x, c and f with a · b = c · f(x), or None where the product is not of this form.

    Args:
        site: operation that is lowered.
        a, b: the factors.
    """
    if a.shape != b.shape:
        return None
    chain_a, chain_b = (site.builder.chain(value, _elementwise) for value in (a, b))
    at = {value: i for i, (value, _) in enumerate(chain_a)}
    common = next(((at[value], j) for j, (value, _) in enumerate(chain_b) if value in at), None)
    if common is None:
        return None
    root = chain_a[common[0]][0]
    behind = [[op for _, op in chain[:end]] for chain, end in zip((chain_a, chain_b), common, strict=True)]
    product = _composed(behind[0]) * _composed(behind[1])
    for function in (*_silus(behind[0]), *_silus(behind[1]), *DIPPED):
        wanted = function.value(PROBES)
        factor = float(product[-1] / wanted[-1])
        if factor and np.abs(product - factor * wanted).max() <= ALIKE * np.abs(product).max():
            return root, round(factor, DIGITS), function
    return None


def _elementwise(op: AnnOp | None) -> bool:
    """Whether an operation applies one function of one number to every place."""
    if isinstance(op, Affine):
        return all(bool((part == part.flat[0]).all()) for part in (op.scale, op.shift))
    return isinstance(op, Activate)


def _composed(backwards: list[AnnOp | None]) -> NDArray[np.float64]:
    """The probes behind a chain of elementwise operations, of which the last comes first."""
    z = PROBES
    for op in reversed(backwards):
        z = op.function.value(z) if isinstance(op, Activate) else op.scale.flat[0] * z + op.shift.flat[0]  # type: ignore[union-attr]
    return z


def _silus(ops: list[AnnOp | None]) -> list[Silu]:
    """SiLU with the factors that stand in front of the sigmoids of a chain, of which the last operation comes first."""
    found = []
    for place, op in enumerate(ops, start=1):
        behind = ops[place] if place < len(ops) else None
        if isinstance(op, Activate) and isinstance(op.function, Sigmoid):
            beta = float(behind.scale.flat[0]) if isinstance(behind, Affine) else 1.0
            found += [Silu(beta)] if beta > 0 else []
    return found
