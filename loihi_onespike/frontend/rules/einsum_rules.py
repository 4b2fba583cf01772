"""Sums of products: einsum, and matrix products of an activation with constants that are no linear layer.

    y[k, o] = Σ_c x[k, c] · W[o, c]

Let k be the axes of x that stay and that no constant has, c those that are summed over, and o those that only constants
have. The activation is brought into the order (k, c), a dense map computes the sum, and its result is brought into the
order of the output. Where a constant has an axis k too, every place has weights of its own: a sparse map of all values.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from loihi_onespike.core.graphs.ann import Linear
from loihi_onespike.core.maps import Dense, Sparse
from loihi_onespike.frontend.rules.matrix_product_rules import einsum_of_two
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import gather
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site

MOST_PRODUCTS = 2**26
"""Largest number of inputs times outputs of a sample for which the weights of a sparse map are looked for."""


@rule("einsum")
def einsum(site: Site, equation: Any, *operands: Any) -> Value:
    """Σ over the axes that the equation leaves out, of the product of two activations, or of one and constants."""
    factors = tuple(operands[0]) if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    if isinstance(equation, str) and len(factors) == 2 and all(isinstance(factor, Value) for factor in factors):
        return einsum_of_two(site, equation, *factors)
    if not isinstance(equation, str) or "." in equation or "->" not in equation:
        site.refuse("einsum", f"{site.display} without an equation of letters and '->'")
    terms, out = equation.replace(" ", "").split("->")
    letters = terms.split(",")
    activations = [i for i, factor in enumerate(factors) if isinstance(factor, Value)]
    if len(activations) != 1:
        site.refuse("einsum", f"{site.display} of several activations")
    at = activations[0]
    constants = [(text, factor) for i, (text, factor) in enumerate(zip(letters, factors, strict=True)) if i != at]
    return contracted(site, factors[at], letters[at], constants, out)


def contracted(site: Site, x: Value, letters: str, constants: Sequence[tuple[str, torch.Tensor]], out: str) -> Value:
    """The sum of products of an activation with constants, as `torch.einsum` computes it.

    Args:
        site: the operation.
        x: the activation.
        letters: a letter for every axis of x, that of the batch first.
        constants: letters and values of the other factors.
        out: letters of the result.
    """
    batch, own = letters[0], letters[1:]
    of_constants = "".join(text for text, _ in constants)
    if out[:1] != batch or batch in own or batch in of_constants or len(set(own)) < len(own):
        site.refuse(
            "einsum", f"{site.display} that moves or repeats the batch axis, or repeats an axis of the activation"
        )
    sizes = dict(zip(own, x.shape, strict=True))
    for text, values in constants:
        site.weight(values)  # refuses what is no finite constant
        sizes.update(zip(text, values.shape, strict=True))
    kept = [k for k in own if k in out]
    summed = [c for c in own if c not in out]
    new = [o for o in out[1:] if o not in own]
    shape = tuple(sizes[k] for k in out[1:])
    if any(k in of_constants for k in kept):
        return _of_all_values(site, x, own, constants, out[1:], shape)
    factors = [values.detach().to("cpu", torch.float64) for _, values in constants]
    texts = [text for text, _ in constants]
    for c in summed:  # axes that no constant has are summed with weight 1
        texts, factors = [*texts, c], [*factors, torch.ones(sizes[c], dtype=torch.float64)]
    whole = torch.einsum(f"{','.join(texts)}->{''.join(new + summed)}", *factors)
    weight = whole.reshape(prod(sizes[o] for o in new), prod(sizes[c] for c in summed)).numpy()
    order = [0, *(own.index(letter) + 1 for letter in (*kept, *summed))]
    places = tuple(sizes[k] for k in kept)
    columns = gather(site, x, lambda t: t.permute(order).reshape(len(t), *places, -1), "columns")
    op = Dense(weight.astype(np.float32) if all(v.dtype != torch.float64 for _, v in constants) else weight)
    rows = site.emit(Linear(op), [columns], op.output_shape(columns.shape), "rows")
    made = [*kept, *new]
    back = [0, *(made.index(letter) + 1 for letter in out[1:])]
    split = tuple(sizes[letter] for letter in made)
    return site.note(
        gather(site, rows, lambda t: t.reshape(len(t), *split).permute(back)), "a linear layer of the axes summed over"
    )


def _of_all_values(
    site: Site, x: Value, own: str, constants: Sequence[tuple[str, torch.Tensor]], out: str, shape: tuple[int, ...]
) -> Value:
    inputs, outputs = prod(x.shape), prod(shape)
    if inputs * outputs > MOST_PRODUCTS:
        site.refuse("einsum", f"{site.display} with weights of their own for {inputs} inputs and {outputs} outputs")
    ones = torch.eye(inputs, dtype=torch.float64).reshape(inputs, *x.shape)
    free = next(
        letter for letter in "zyxwvutsrqponmlkjihgfedcba" if letter not in own + out + "".join(c for c, _ in constants)
    )
    texts = ",".join([free + own, *(text for text, _ in constants)])
    factors = [values.detach().to("cpu", torch.float64) for _, values in constants]
    found = torch.einsum(f"{texts}->{free}{out}", ones, *factors).reshape(inputs, outputs)
    op = Sparse(sp.csr_matrix(found.T.numpy()))
    flat = gather(site, x, lambda t: t.flatten(1), "flat")
    made = site.emit(Linear(op), [flat], (outputs,), "sums")
    return site.note(gather(site, made, lambda t: t.reshape(len(t), *shape)), "a sparse map of all values")
