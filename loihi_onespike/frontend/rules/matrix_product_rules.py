"""Matrix products of two activations: every product of two numbers is a neuron, and the sum is a linear map.

    y[…, i, j] = Σ_k a[…, i, k] · b[…, k, j]

Both sides are repeated to (…, i, j, k) by gathers, whose indices are views of small arrays. Where a is a softmax over
k, y is (e · b) · r with its parts e and r: the normalisation stands behind the sum (`softmax_rules`).
"""

from __future__ import annotations

from math import prod
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.ann import Linear, Multiply
from loihi_onespike.core.maps import Dense, Shape
from loihi_onespike.frontend.rules.elementwise_rules import add_constant, affine, sum_of
from loihi_onespike.frontend.rules.product_rules import multiply
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import repeated, reshaped
from loihi_onespike.frontend.tracing.moved_batch import Moves, moves
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site


def matrix_product(site: Site, a: Value, b: Value, part: str = "") -> Value:
    """y[…, i, j] = Σ_k a[…, i, k] · b[…, k, j], with leading axes broadcast as torch does it.

    Args:
        site: operation that is lowered.
        a, b: factors, of two axes or more for each sample.
        part: name of the node of the result.
    """
    normalised = site.builder.softmax_of(a)
    if normalised is not None and normalised.axis == len(a.shape) - 1:
        y = _product(site, normalised.exponentials, b, "weighted")
        inverse = repeated(site, normalised.reciprocal, (*a.shape[:-1], 1), "reciprocal")
        return multiply(site, y, inverse, part)
    return _product(site, a, b, part)


def _product(site: Site, a: Value, b: Value, part: str) -> Value:
    (rows, terms), columns = a.shape[-2:], b.shape[-1]
    leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    whole = (*leading, rows, columns, terms)
    left = np.broadcast_to(places(a.shape)[..., :, None, :], whole)
    right = np.broadcast_to(np.swapaxes(places(b.shape), -1, -2)[..., None, :, :], whole)
    return sum_of_products(site, (a, left), (b, right), part)


def places(shape: Shape) -> NDArray[np.int32]:
    """Flat index of every place of an array."""
    return np.arange(prod(shape), dtype=np.int32).reshape(shape)


def sum_of_products(
    site: Site, a: tuple[Value, NDArray[np.int32]], b: tuple[Value, NDArray[np.int32]], part: str = ""
) -> Value:
    """y[…] = Σ_k a[index_a[…, k]] · b[index_b[…, k]].

    Args:
        site: operation that is lowered.
        a, b: factors, each with an index into its flat values; both indices have one shape.
        part: name of the node of the result.
    """
    shape = a[1].shape
    left = site.reindex(*a, "left")
    right = site.reindex(*b, "right")
    products = site.emit(Multiply(), [left, right], shape, "products")
    total = Linear(Dense(np.ones((1, shape[-1]))), macs=prod(shape))
    return reshaped(site, site.emit(total, [products], (*shape[:-1], 1), "sum"), shape[:-1], part)


@rule("bmm")
def bmm(site: Site, input: Any, mat2: Any) -> Value:
    """y[…, i, j] = Σ_k a[…, i, k] · b[…, k, j] of two activations."""
    if not isinstance(input, Value) or not isinstance(mat2, Value):
        site.refuse("bmm", f"{site.display} with a constant factor")
    return matrix_product(site, input, mat2)


@rule("baddbmm")
def baddbmm(site: Site, input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Value:
    """y = β · c + α · a b, with two activations a and b."""
    if not isinstance(batch1, Value) or not isinstance(batch2, Value):
        site.refuse("bmm", f"{site.display} with a constant factor")
    product = affine(site, matrix_product(site, batch1, batch2, "product"), alpha, 0, "scaled")
    if isinstance(input, Value):
        return sum_of(site, product, affine(site, input, beta, 0, "added"))
    return product if beta == 0 else add_constant(site, product, beta * site.constant(input, product.shape))


def einsum_of_two(site: Site, equation: str, a: Value, b: Value) -> Value:
    """y[out] = Σ a[…] · b[…] over the letters that are not in the result; the first letter of all is the batch.

    Args:
        site: operation that is lowered.
        equation: of two operands, as `torch.einsum` takes it.
        a, b: the operands.
    """
    (left, right), out = _letters(site, equation, a, b)
    sizes = dict(zip((*left, *right), (*a.shape, *b.shape), strict=True))
    summed = [letter for letter in dict.fromkeys(left + right) if letter not in out]
    if len(set(left)) < len(left) or len(set(right)) < len(right) or any((s in left) != (s in right) for s in summed):
        site.refuse("einsum", f"{site.display}({equation!r}) with a diagonal, or a sum of one operand")
    axes = [*out, *summed]
    whole = tuple(sizes[letter] for letter in axes)
    indices = []
    for letters, value in ((left, a), (right, b)):
        ordered = [letter for letter in axes if letter in letters]
        index = np.transpose(places(value.shape), [letters.index(letter) for letter in ordered])
        index = index[tuple(slice(None) if letter in letters else None for letter in axes)]
        indices.append(np.broadcast_to(index, whole))
    if not summed:
        return multiply(site, site.reindex(a, indices[0], "left"), site.reindex(b, indices[1], "right"))
    rows = (*whole[: len(out)], prod(whole[len(out) :]))
    return sum_of_products(site, (a, indices[0].reshape(rows)), (b, indices[1].reshape(rows)))


def _letters(site: Site, equation: str, a: Value, b: Value) -> tuple[list[list[str]], list[str]]:
    """Letters of both operands and of the result without that of the batch."""
    text = equation.replace(" ", "")
    operands, _, result = text.partition("->")
    parts = operands.split(",")
    free = [letter for letter in ascii_letters if letter not in text]
    ranks = [len(value.shape) + 1 for value in (a, b)]
    named = [rank - len(part.replace("...", "")) for part, rank in zip(parts, ranks, strict=True)]
    dots = max((n for part, n in zip(parts, named, strict=True) if "..." in part), default=0)
    spelled = [part.replace("...", "".join(free[dots - n : dots])) for part, n in zip(parts, named, strict=True)]
    if "->" not in text:
        counted = "".join(spelled)
        result = "..." + "".join(sorted(c for c in set(counted) if counted.count(c) == 1 and c not in free[:dots]))
    out = list(result.replace("...", "".join(free[:dots])))
    batch = out[0] if out else ""
    if any(part[:1] != batch or batch in part[1:] for part in spelled):
        site.refuse("batch_mixed", f"{site.display}({equation!r}), whose operands do not share their first axis", True)
    return [list(part[1:]) for part in spelled], out[1:]


moves(["matmul", "bmm", "baddbmm"], Moves(broadcasts=True, last=2))
