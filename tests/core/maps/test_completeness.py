"""Every map against every registry, and the methods of every map against its explicit matrix."""

from __future__ import annotations

import importlib
import sys
import types
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loihi_onespike.core.maps
from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.targets import target_counts
from loihi_onespike.conversion.lowering.link_scales import gathered_scale
from loihi_onespike.core.gnn.adjacency import Aggregate
from loihi_onespike.core.graphs.network import Synapse
from loihi_onespike.core.graphs.stage import Link
from loihi_onespike.core.maps import MAPS, LinearMap, Shape, Sparse
from loihi_onespike.core.maps.connectivity import fan_out
from loihi_onespike.core.maps.registry import REGISTRIES, MapRegistry
from loihi_onespike.errors import MissingEntryError
from loihi_onespike.executors.fast.bounded.float_source import largest_step
from loihi_onespike.executors.lava.kernels import event_kernel, largest_sum
from loihi_onespike.executors.tensors.tensor_maps import tensor_map
from netx_export.encode import synapse_fields
from tests.support.choices import Seeded
from tests.support.contributing import ROOT, code_of
from tests.support.random_ops import OPS, random_op

HOLDERS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("loihi_onespike", "netx_export")
    for path in (ROOT / package).rglob("*.py")
    if "MapRegistry(" in path.read_text() and path.name != "registry.py"
)
for name in HOLDERS:
    importlib.import_module(name)


def concrete(base: type) -> set[type]:
    """All classes below an abstract one."""
    below: set[type] = set(base.__subclasses__())
    return below | {c for b in below for c in concrete(b)}


def unknown() -> type[LinearMap]:
    """A map that no registry knows: the example of CONTRIBUTING.md."""
    module = types.ModuleType("unknown_map")
    sys.modules["unknown_map"] = module  # dataclasses look their module up
    exec(code_of("Add a linear map")["loihi_onespike/core/maps/circulant.py"], module.__dict__)
    found: type[LinearMap] = module.Circulant
    return found


UNKNOWN = unknown()


def test_the_list_has_every_map() -> None:
    own = {c for c in concrete(LinearMap) if c.__module__.startswith(loihi_onespike.core.maps.__name__)}
    assert own == set(MAPS)


def test_all_registries_are_known() -> None:
    assert len(REGISTRIES) >= 10
    assert {registry.module for registry in REGISTRIES.values()} == set(HOLDERS)


@pytest.mark.parametrize("kind", [*MAPS, Aggregate], ids=lambda c: c.__name__)
@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES.keys())
def test_every_map_has_its_entry(registry: MapRegistry[object], kind: type[LinearMap]) -> None:
    assert registry.find(kind) is not None or registry.otherwise


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES.keys())
def test_entries_are_those_of_listed_maps(registry: MapRegistry[object]) -> None:
    assert registry.classes
    assert set(registry.classes) <= set(MAPS)
    assert registry.find(Aggregate) is registry.find(Sparse)


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES.keys())
def test_an_unknown_map_is_refused_by_name(registry: MapRegistry[object]) -> None:
    op = UNKNOWN(np.full(8, 100))  # type: ignore[call-arg]
    with pytest.raises(MissingEntryError, match=f"^Circulant: no entry for {registry.place}; "):
        registry[op]
    if registry.otherwise is None:
        with pytest.raises(MissingEntryError, match=f"^Circulant: .*register one in {registry.module}$"):
            registry.find(op)
    else:
        assert registry.find(op) is None


def test_a_second_registry_for_a_place_is_refused() -> None:
    place = next(iter(REGISTRIES))
    with pytest.raises(ValueError, match="there is a registry for it already"):
        MapRegistry(place, __name__)


def test_facts_of_an_unknown_map_are_true() -> None:
    op = UNKNOWN(np.full(8, 100, np.int16))  # type: ignore[call-arg]
    assert op.row_magnitude == largest_sum(op) == 800
    sums = op.row_sums(1)
    assert sums.positive == 800 and sums.negative == 0 and op.fan_in == 8
    assert largest_step(op, (8,)) == 800
    assert op.macs((8,)) == 64
    link = Link("before", op, None, np.ones(()))
    assert gathered_scale(link, np.full(8, 3.0), (8,)) == 3
    assert gathered_scale(link, np.arange(1.0, 9.0), (8,)) is None
    assert np.array_equal(fan_out(op, (2, 8)), np.full((2, 8), 8))


@pytest.mark.parametrize(
    ("place", "use"),
    [
        ("the tensor map", lambda op: tensor_map(op, None, None)),  # type: ignore[arg-type]
        ("the Lava event kernel", lambda op: event_kernel(op, (8,))),
        ("the targets in a block", lambda op: target_counts(op, (8,), Block((0,), (8,)))),
        ("the fields of a NetX file", lambda op: synapse_fields(Synapse("s", "a", "b", op), (8,))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_users_of_the_registries_pass_the_error_on(place: str, use: types.FunctionType) -> None:
    with pytest.raises(MissingEntryError, match=f"^Circulant: no entry for {place}"):
        use(UNKNOWN(np.full(8, 100)))  # type: ignore[call-arg]


def test_a_map_that_lacks_a_method_cannot_be_made() -> None:
    class Half(LinearMap):
        def output_shape(self, shape: Shape) -> Shape:
            return shape

    with pytest.raises(TypeError, match="abstract"):
        Half()  # type: ignore[abstract]


@st.composite
def drawn(draw: st.DrawFn) -> tuple[LinearMap, Shape, np.random.Generator]:
    """A map with float weights, a shape that it goes over, and a generator for factors."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 6, draw(st.integers(1, 3))))
    if draw(st.integers(0, len(OPS))) == 0:
        return UNKNOWN(rng.integers(-9, 10, shape[-1]).astype(float)), shape, rng  # type: ignore[call-arg]
    op = random_op(Seeded(seed), shape, OPS)
    return op.with_weight_values(op.weight_values.astype(np.float64)), shape, rng


def ones(op: LinearMap, shape: Shape) -> np.ndarray:
    """Number of stored weights between each pair of neurons."""
    return op.with_weight_values(np.ones_like(op.weight_values)).matrix(shape).toarray()


def full(op: LinearMap, shape: Shape) -> np.ndarray:
    """Which rows of the matrix have all weights of their neuron: no border cuts their window."""
    counts = ones(op, shape).sum(axis=1)
    return counts == op.fan_in if hasattr(op, "window") else np.ones(len(counts), bool)


def factor_of(rng: np.random.Generator, shape: Shape, shared: tuple[int, ...]) -> np.ndarray:
    """Powers of two, of length 1 along some axes and along all that are shared."""
    kept = tuple(1 if a in shared or rng.random() < 0.3 else n for a, n in enumerate(shape))
    return 2.0 ** rng.integers(-3, 4, kept)


@settings(max_examples=120, deadline=None)
@given(drawn())
def test_sums_and_counts(case: tuple[LinearMap, Shape, np.random.Generator]) -> None:
    op, shape, rng = case
    matrix, stored, out = op.matrix(shape).toarray(), ones(op, shape), op.output_shape(shape)
    whole = full(op, shape)
    assert matrix.shape == (prod(out), prod(shape))
    assert set(matrix[matrix != 0]) <= set(op.weight_values.ravel())
    sums, largest = op.row_sums(len(out)), op.largest_weights(len(out))
    exact = (np.maximum(matrix, 0).sum(1), np.maximum(-matrix, 0).sum(1), np.abs(matrix).sum(1), np.abs(matrix).max(1))
    stated = (sums.positive, sums.negative, sums.magnitude, largest)
    for said, true in zip(stated, exact, strict=True):
        said = np.broadcast_to(said, out).ravel()
        assert np.all(said >= true)
        assert np.array_equal(said[whole], true[whole])
    assert op.row_magnitude == sums.magnitude.max(initial=0) >= exact[2].max()
    assert op.fan_in >= stored.sum(1).max()
    if not hasattr(op, "window"):
        assert op.fan_in == stored.sum(1).max()
        assert op.macs(shape) in (0, stored.sum())
    assert np.array_equal(np.broadcast_to(op.fan_out(shape), shape).ravel(), stored.sum(0))
    assert op.uniform_fan_out is None or set(stored.sum(0)) == {op.uniform_fan_out}
    assert op.macs(shape) == 0 or op.macs(shape) >= stored.sum()
    x = rng.integers(-5, 6, shape).astype(float)
    assert np.array_equal(op.apply(x).ravel(), matrix @ x.ravel())
    assert op.elementwise == (op.elementwise and np.array_equal(matrix, np.diag(np.diag(matrix))))
    assert op.single_weight == (op.weight_values.ndim == 0 and hasattr(op, "window"))


@settings(max_examples=120, deadline=None)
@given(drawn())
def test_scales(case: tuple[LinearMap, Shape, np.random.Generator]) -> None:
    op, shape, rng = case
    matrix, out = op.matrix(shape).toarray(), op.output_shape(shape)
    of_input = np.broadcast_to(factor_of(rng, shape, op.input_shared_axes(len(shape))), shape)
    seen = op.input_scale(of_input)
    assert seen is not None
    found = op.input_factor(seen, len(out))
    scaled = op if found.on_weights is None else op.with_weight_values(op.weight_values * found.on_weights)
    behind = np.ones(()) if found.behind is None else found.behind
    result = np.broadcast_to(behind, out).ravel()[:, None] * scaled.matrix(shape).toarray()
    assert np.array_equal(result, matrix * of_input.ravel())

    of_output = factor_of(rng, out, op.output_shared_axes(len(out)))
    scaled = op.with_weight_values(op.weight_values * op.output_factor(of_output))
    assert np.array_equal(scaled.matrix(shape).toarray(), matrix * np.broadcast_to(of_output, out).reshape(-1, 1))

    shared = [a for a in op.input_shared_axes(len(shape)) if shape[a] > 1]
    if shared:  # λ that differ where weights are shared
        uneven = np.ones(shape)
        uneven[tuple(0 if a == shared[0] else slice(None) for a in range(len(shape)))] = 2.0
        assert op.input_scale(uneven) is None
    silent = of_input.copy()
    silent.flat[rng.integers(silent.size)] = np.nan
    seen = op.input_scale(silent)
    assert seen is not None and not np.isnan(seen).any()

    wide = op.with_row_weights(out[0]).matrix(shape).toarray()
    assert np.array_equal(wide, matrix)


@settings(max_examples=120, deadline=None)
@given(drawn())
def test_factors_fold(case: tuple[LinearMap, Shape, np.random.Generator]) -> None:
    op, shape, rng = case
    out = op.output_shape(shape)
    in_front, behind = factor_of(rng, shape, ()), factor_of(rng, out, ())
    x = rng.integers(-5, 6, shape).astype(float)
    expected = behind * op.apply(in_front * x)
    new, front, rest = op.folded(in_front, behind)
    result = new.apply(x if front is None else front * x)
    assert np.array_equal(result if rest is None else rest * result, expected)


@settings(max_examples=100, deadline=None)
@given(drawn())
def test_axes(case: tuple[LinearMap, Shape, np.random.Generator]) -> None:
    op, shape, rng = case
    matrix, rank = op.matrix(shape).toarray(), len(op.output_shape(shape))
    assert op.channel_axis in (0, -1)
    assert set(op.scale_axes(rank)) <= set(range(rank))
    if op.takes_leading_axis:
        both = np.kron(np.eye(2), matrix)
        assert np.array_equal(op.matrix((2, *shape)).toarray(), both)
    if op.column_axis is not None:
        axis = op.column_axis % len(shape)
        kept = rng.random(shape[axis]) < 0.5
        if kept.any():
            chosen = np.compress(kept, np.arange(prod(shape)).reshape(shape), axis)
            fewer = op.with_weight(op.weight[:, kept])
            assert np.array_equal(fewer.matrix(chosen.shape).toarray(), matrix[:, chosen.ravel()])
    same = op.with_weight_values(op.weight_values)
    assert type(same) is type(op) and np.array_equal(same.matrix(shape).toarray(), matrix)
