"""The layout of a network file as one table: every field with its type, its axes and its meaning.

Paths are written with `#` for the number of a layer and `@` for the number of a synapse group. Fields with `netx=True`
are NetX's own, with the name, axis order and meaning that they have in the files of lava-dl 0.6.0. All others belong to
the extension for one-spike networks. docs/netx_format.md says the same in prose; a test keeps the two consistent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

FORMAT = "onespike-netx"
VERSION = 7
"""Version of the format, raised when a field changes its meaning or is added; older versions stay readable."""
BEFORE_PAYLOADS = 2
"""Version of files without payloads, whose bytes are those of earlier releases."""

EXTENSION = "onespike"
"""Name of the groups that hold the fields of the extension."""
MANIFEST = "onespike/manifest"
"""Digest of every field, as JSON."""

SPIKING, READOUT = "ONESPIKE", "READOUT"
"""Neuron types."""
GATHERS = ("none", "flatten", "index")


@dataclass(frozen=True)
class FieldSpec:
    """One field of the file.

    Attributes:
        dtype: numpy type as stored, little-endian; "S" is a string of any length in UTF-8.
        axes: Names of the axes, or a fixed length; () for a scalar, None where the rank is free.
        meaning: Meaning, for the documentation.
        netx: A field of NetX itself, always a data set.
        attribute: Stored as an attribute of its group, which takes a tenth of the bytes of a small data set.
        since: First version of the format in which a file may have it.
    """

    dtype: str
    axes: tuple[str, ...] | None
    meaning: str
    netx: bool = False
    attribute: bool = False
    since: int = 1


def _scalar(meaning: str, since: int = 1) -> FieldSpec:
    return FieldSpec("<i8", (), meaning, attribute=True, since=since)


def _text(meaning: str) -> FieldSpec:
    return FieldSpec("S", (), meaning, attribute=True)


def _table(meaning: str, since: int = 1) -> FieldSpec:
    return FieldSpec("<i4", ("word",), meaning, attribute=True, since=since)


_TYPE = FieldSpec("S10", ("1",), "kind of the layer", netx=True)

_SYNAPSE = {
    "type": _TYPE,
    "inFeatures": FieldSpec("<i8", (), "inputs of a dense or sparse map", netx=True),
    "outFeatures": FieldSpec("<i8", (), "outputs of a dense or sparse map", netx=True),
    "inChannels": FieldSpec("<i8", (), "input channels of a convolution, of all groups", netx=True),
    "outChannels": FieldSpec("<i8", (), "output channels of a convolution", netx=True),
    "kernelSize": FieldSpec("<i8", ("spatial",), "window (H, W)", netx=True),
    "stride": FieldSpec("<i8", ("spatial",), "(H, W)", netx=True),
    "padding": FieldSpec("<i8", ("spatial",), "(H, W) on both sides; absent where the sides differ", netx=True),
    "dilation": FieldSpec("<i8", ("spatial",), "(H, W)", netx=True),
    "groups": FieldSpec("<i8", (), "channel groups of a convolution", netx=True),
    "weight": FieldSpec(
        "<i2", None, "even integers -254..254: (O, I/groups, H, W), (O, I), pool (1, 1, H, W)", netx=True
    ),
    "delay": FieldSpec("<i8", (), "steps beyond the one step of every synapse, 1..62; absent for none", netx=True),
    "wgtExp": FieldSpec("<i8", (), "left shift of the sum of this group, 1..7; absent for none", netx=True),
}

_WIRING = {
    "name": _text("unique name of the synapse group"),
    "pre": _text("name of the presynaptic population"),
    "gather": _text("what the map sees: none (pre as it is), flatten (row-major), index"),
    "index": FieldSpec("<i4", None, "flat presynaptic neuron seen at each place, -1 for nothing; with gather = index"),
    "padding": FieldSpec("<i8", ("axis", "2"), "(before, after) per true spatial axis of a window", attribute=True),
    "indices": FieldSpec("<i4", ("nnz",), "column of each weight of a sparse map (CSR)"),
    "indptr": FieldSpec("<i4", ("rows + 1",), "first weight of each row of a sparse map (CSR)"),
    "factor": _scalar("1: reaches the membrane of the second factor of a product; absent for the first", 5),
}

_CODE = {
    "base": _scalar("base of the phase code times 4096; absent where levelGains says the levels"),
    "levelGains": FieldSpec(
        "<i4", ("phase",), "level of phase k-1 over that of phase k, times 4096; absent with a base"
    ),
    "messages": FieldSpec(
        "<i4", ("word",), "message of each code word, 1..127; absent where every message is 1", since=3
    ),
    "timesteps": _scalar("phases of the code"),
    "thresholdShift": _scalar("1: rounds to the nearest level, 0: floors"),
}

_MEMBRANE = {
    "gainMant": _scalar("gain of v per input step times 4096; absent where gains says one per step"),
    "gains": FieldSpec("<i4", ("step",), "gain of v at every input step times 4096; absent where all are gainMant"),
    "inputSteps": _scalar("steps during which input arrives and the gain applies"),
    "inputShift": _scalar("left shift of the synaptic input, 0..16"),
    "vInit": FieldSpec("<i4", None, "v at the start of a window, 24 bits, broadcastable (the bias)"),
    "unit": FieldSpec("<f8", None, "real value of v = 1 before any gain, broadcastable; not part of the arithmetic"),
}

_NEURON = {
    "type": FieldSpec("S10", ("1",), "ONESPIKE or READOUT", netx=True),
    "vThMant": FieldSpec("<i4", None, "threshold of 24 bits, broadcastable to the population", netx=True),
    **_MEMBRANE,
    "wait": _scalar("steps before the first decision"),
    **_CODE,
    "tableMant": _table("threshold factor of each code word (phase without messages), mantissa of 15 bits and sign"),
    "tableShift": _table("right shift of each threshold factor, 0..30"),
    "negativeMant": _table("as tableMant, for negative spikes; absent in unsigned populations"),
    "negativeShift": _table("as tableShift, for negative spikes"),
    "farMant": _table("as tableMant, for the far thresholds of negative spikes; absent where they have no far end", 4),
    "farShift": _table("as tableShift, for the far thresholds", 4),
    "oneSided": FieldSpec(
        "u1", None, "1: the neuron sends no negative spike, 0: it may; broadcastable; absent where all may", since=7
    ),
    "scale": FieldSpec("<f8", None, "λ, the unit of the levels, broadcastable; not part of the arithmetic"),
    "offset": FieldSpec("<f8", None, "real value of no spike, broadcastable; absent for 0; not part of the arithmetic"),
    "productShift": _scalar("right shift of the product of both factors, 0..46; absent where v is no product", 5),
    "productBias": FieldSpec(
        "<i4", None, "added to the shifted product, 24 bits, broadcastable; with productShift", since=5
    ),
    **{
        f"second/{name}": replace(field, meaning=f"the same of the second factor: {field.meaning}", since=5)
        for name, field in _MEMBRANE.items()
    },
}

_POPULATION = {
    "name": _text("unique name of the population"),
    "shape": FieldSpec("<i8", ("axis",), "true shape of one sample", attribute=True),
    "kind": _text("input, readout, or what a hidden population computes: relu, max_pool, …"),
    "finish": _text(
        "readout: what the host applies to the values: `identity`, `relu`, `sigmoid`, `tanh`, `softmax` or "
        "`log_softmax` over the first axis of a sample, or with the endings `_2`, `_3` and `_last` over another axis "
        "of the batch"
    ),
    "order": FieldSpec(
        "<i4", None, "readout: output[i] = value number order[i], 0 where -1; absent where nothing moves"
    ),
    "output": _scalar("readout: number of the output, from 0; absent where there is one readout", 5),
    "code": _text("input: binary, digits or phase"),
    "bits": _scalar("input in binary or larger digits: bits of its values, 1..16"),
    "digitBits": _scalar("input in larger digits: bits of a digit, 2..4", 4),
    **_CODE,
    "scale": FieldSpec("<f8", None, "input: real value of level 1, broadcastable"),
    "offset": FieldSpec("<f8", None, "input: real value of no spike, broadcastable"),
    "dithered": _scalar("input: 1 where values are rounded up or down by their place; absent for the nearest level", 6),
}


def _under(prefix: str, fields: dict[str, FieldSpec]) -> dict[str, FieldSpec]:
    return {f"{prefix}/{name}": field for name, field in fields.items()}


FIELDS: dict[str, FieldSpec] = {
    "simulation/Ts": FieldSpec("<i8", (), "length of a step, always 1", netx=True),
    "simulation/tSample": FieldSpec("<i8", (), "steps from the first input phase to the readout's last", netx=True),
    "onespike/name": _text("name of the network"),
    "onespike/facts": FieldSpec("S", (), "JSON record of how the network was made"),
    "layer/#/shape": FieldSpec("<i8", ("axis",), "(C, H, W) or (features); rank 2 (C, L) as (C, 1, L)", netx=True),
    **_under("layer/#", _SYNAPSE),
    **_under("layer/#/neuron", _NEURON),
    **_under("layer/#/onespike", _POPULATION),
    **_under("layer/#/onespike/synapse/@", {**_SYNAPSE, **_WIRING, "padding": _WIRING["padding"]}),
    "layer/#/onespike/synapse/@/netxPadding": _SYNAPSE["padding"],
}
"""Every field by its pattern. A second and further group of synapses onto a population keeps all its fields under
`layer/#/onespike/synapse/@`; there NetX's `padding` is called `netxPadding`, beside the full `padding`."""


def pattern(path: str) -> str:
    """The key of FIELDS for a path: layer/12/onespike/synapse/0/index → layer/#/onespike/synapse/@/index."""
    path = re.sub(r"^layer/(0|[1-9][0-9]*)(?=/)", "layer/#", path)
    return re.sub(r"^layer/#/onespike/synapse/(0|[1-9][0-9]*)(?=/)", "layer/#/onespike/synapse/@", path)


def table() -> str:
    """The fields as a table in Markdown; `python -m netx_export.layout` prints it for docs/netx_format.md."""
    rows = ["| field | type | axes | of | meaning |", "|---|---|---|---|---|"]
    for path, field in FIELDS.items():
        parent, _, name = path.rpartition("/")
        if parent.endswith("@") and field.netx and name in _SYNAPSE:
            continue  # said once, at the layer
        axes = "any" if field.axes is None else "scalar" if not field.axes else f"({', '.join(field.axes)})"
        kind = field.dtype if field.dtype != "S" else "string"
        place = f"{parent}@{name}" if field.attribute else path
        rows.append(f"| `{place}` | {kind} | {axes} | {'NetX' if field.netx else 'extension'} | {field.meaning} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
