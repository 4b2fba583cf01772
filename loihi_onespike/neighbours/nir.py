"""Networks as graphs of NIR, the Neuromorphic Intermediate Representation.

    graph = nir_graph(net.network)        # nir.write("net.nir", graph) with the package `nir`, extra `nir`
    network = network_of(graph)           # equal to the first, also after nir.read("net.nir")

NIR (Pedersen et al., Nature Communications 15:8122, 2024) is a format of graphs that tools exchange. Weights,
convolutions, pooling, delays and the topology are nodes of NIR. It has no one-spike neuron: a population is
its integrate-and-fire node `IF`, a readout its integrator `I`, and what these cannot say stands in the metadata of the
node, under the names of docs/netx_format.md with dots for slashes. docs/nir.md describes the node.
"""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Synapse
from loihi_onespike.core.graphs.verify_network import MAX_WEIGHT
from loihi_onespike.core.maps import Conv, Dense, Pool, Shape
from loihi_onespike.errors import NirError
from loihi_onespike.neighbours.nir_ratings import factor_behind, nir_ratings
from loihi_onespike.regular_files import write_whole
from netx_export.decode import decode
from netx_export.encode import encode
from netx_export.values import FieldMap

LAYER, FIELD, SHAPE = "layer", "field", "weight_shape"
"""Keys of the metadata: number of the layer, path of the weights in a network file, and their shape there."""


def nir_graph(network: Network) -> Any:
    """The network as a `nir.NIRGraph`.

    Args:
        network: The network.

    Raises:
        NirError: the package `nir` is not installed, or NIR has no node for a part of the network; all such parts are
            listed.
    """
    nir = _nir()
    refused = [r for r in nir_ratings(network) if r.grade == "unsupported"]
    if refused:
        lines = "\n".join(f"  {r.name}: {r.reason}" for r in refused)
        raise NirError(f"{network.name}: NIR must have a node for every part, got {len(refused)} without:\n{lines}")
    layers = _by_layer(encode(network))
    numbers = {_text(fields["onespike/name"]): n for n, fields in layers.items() if "onespike/name" in fields}
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    for p in network.populations:
        number = numbers[p.name]
        fields = dict(layers[number])
        for j, synapse in enumerate(network.synapses_onto(p.name)):
            weight = "weight" if j == 0 else f"onespike/synapse/{j}/weight"
            made = _synapse_nodes(nir, network, synapse, fields.pop(weight), f"layer/{number}/{weight}")
            if j == 0 and number - 1 in layers and _text(layers[number - 1].get("type", np.array(b""))) == "flatten":
                made[0][1].metadata.update(_metadata(number - 1, layers[number - 1]))
            keys = [_key(p.name, j, kind) for kind, _ in made]
            nodes.update(zip(keys, (node for _, node in made), strict=True))
            path = [synapse.pre, *keys, p.name]
            edges += pairwise(path)
        nodes[p.name] = _population_node(nir, p, _metadata(number, fields))
    for number, readout in enumerate(network.readouts):
        name = f"output_{number}" if number else "output"
        nodes[name] = nir.Output(output_type={"output": np.array(readout.shape)})
        edges.append((readout.name, name))
    whole = {path: value for path, value in encode(network).items() if not path.startswith("layer/")}
    return nir.NIRGraph(nodes, edges, metadata={_dotted(k): _stored(v) for k, v in whole.items()})


def write_nir(network: Network, path: str | Path) -> Path:
    """Write the graph of a network as a file of NIR, whole or not at all; returns the path.

    Args:
        network: The network.
        path: The file, usually .nir.

    Raises:
        NirError: as `nir_graph`.
        WriteError: the file cannot be written.
    """
    graph = nir_graph(network)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.nir"
        _nir().write(str(file), graph)
        write_whole(path, file.read_bytes())
    return Path(path)


def network_of(graph: Any) -> Network:
    """The network that a graph of `nir_graph` holds, with the weights of its nodes.

    Args:
        graph: The `nir.NIRGraph`, made here or read from a file.

    Raises:
        NirError: the graph is another one, the weights of a node are not integers that the network can have, or its
            edges are not those of the network in its metadata.
        FormatError: the metadata are not those of a network.
    """
    if "onespike.name" not in graph.metadata:
        raise NirError("graph: must be one that nir_graph made, got one without its metadata")
    fields: FieldMap = {_slashed(k): _array(v) for k, v in graph.metadata.items()}
    for key, node in graph.nodes.items():
        try:
            fields |= _fields_of(key, node)
        except (AttributeError, KeyError, IndexError, OverflowError, TypeError, ValueError) as error:
            raise NirError(
                f"{key}: must have the metadata that nir_graph wrote, got {type(error).__name__}: {error}; export the "
                "network again"
            ) from error
    network = decode(fields)
    if set(nir_graph(network).edges) != {(str(a), str(b)) for a, b in graph.edges}:
        raise NirError("graph: edges must be those of the network in the metadata, got others")
    return network


def _fields_of(key: str, node: Any) -> FieldMap:
    """Fields of a network file that a node holds: its weights, and its metadata."""
    fields: FieldMap = {}
    given = dict(node.metadata)
    if FIELD in given:
        path, shape = _plain(given.pop(FIELD)), tuple(np.atleast_1d(given.pop(SHAPE)).tolist())
        fields[path] = _weights(key, node, shape)
    if LAYER in given:
        number = int(given.pop(LAYER))
        fields |= {f"layer/{number}/{_slashed(k)}": _array(v) for k, v in given.items()}
    return fields


def _nir() -> Any:
    try:
        return import_module("nir")
    except ImportError as error:
        raise NirError(f"nir: must be installed, got {error}; pip install 'loihi-onespike[nir]'") from error


def _synapse_nodes(
    nir: Any, network: Network, synapse: Synapse, stored: NDArray[Any], path: str
) -> list[tuple[str, Any]]:
    """(kind, node) along the way from the presynaptic population to the postsynaptic one."""
    op, pre, post = synapse.op, network.by_name[synapse.pre].shape, network.by_name[synapse.post].shape
    mark = {FIELD: path, SHAPE: np.array(stored.shape, np.int64)}
    made: list[tuple[str, Any]] = []
    if synapse.index is not None:
        made.append(("flatten", nir.Flatten(input_type={"input": np.array(pre)}, start_dim=0, end_dim=-1)))
    if isinstance(op, Conv):
        made.append(("map", _convolution(nir, op, pre, mark)))
    elif isinstance(op, Pool):
        window = op.window
        arguments = (window.kernel, window.stride, tuple(low for low, _ in window.padding))
        made.append(("map", nir.SumPool2d(*(np.array(a) for a in arguments))))
    elif isinstance(op, Dense):
        made.append(("map", nir.Linear(op.weight.astype(np.float32), metadata=mark)))
    else:
        full = np.broadcast_to(op.weight_values, post).astype(np.float32)
        made.append(("map", nir.Scale(full, metadata=mark)))
    factor = factor_behind(synapse)
    if factor is not None:
        # The weight of a pooling is read from here, so that the exponent is not in it.
        of_pool = {**mark, "exponent": synapse.weight_exp} if isinstance(op, Pool) else {}
        made.append(("factor", nir.Scale(np.full(post, factor, np.float32), metadata=of_pool)))
    if synapse.axon_delay:
        made.append(("delay", nir.Delay(np.full(post, synapse.axon_delay, np.float32))))
    return made


def _convolution(nir: Any, op: Conv, pre: Shape, mark: dict[str, Any]) -> Any:
    window, bias = op.window, np.zeros(len(op.weight), np.float32)
    weight = op.weight.astype(np.float32)
    padding = tuple(low for low, _ in window.padding)
    if len(window.kernel) == 1:
        (stride,), (before,), (dilation,) = window.stride, padding, window.dilation
        return nir.Conv1d(pre[1], weight, stride, before, dilation, 1, bias, metadata=mark)
    return nir.Conv2d(pre[1:], weight, window.stride, padding, window.dilation, 1, bias, metadata=mark)


def _population_node(nir: Any, p: Any, metadata: dict[str, Any]) -> Any:
    if isinstance(p, InputPopulation):
        return nir.Input(input_type={"input": np.array(p.shape)}, metadata=metadata)
    r = np.full(p.shape, 2.0**p.membrane.input_shift, np.float32)
    if not isinstance(p, Population):
        return nir.I(r, metadata=metadata)
    first = p.table.thresholds(np.broadcast_to(p.threshold, p.shape).astype(np.int64))[0]
    return nir.IF(r, first.astype(np.float32), metadata=metadata)


def _weights(key: str, node: Any, shape: Shape) -> NDArray[Any]:
    """Weights of a node in their shape in a network file, where places that share a weight have it once."""
    values = np.asarray(node.scale if hasattr(node, "scale") else node.weight, np.float64)
    whole = values
    if "exponent" in node.metadata:
        values = np.full(shape, values.flat[0] / 2.0 ** int(node.metadata["exponent"]))
        shared = bool(np.all(whole == whole.flat[0]))
    elif hasattr(node, "scale"):
        values = values[(0,) * (values.ndim - len(shape))]
        for axis in (n for n, size in enumerate(shape) if size == 1):
            values = values.take([0], axis)
        shared = bool(np.all(whole == values))
    else:
        shared = True
    if not shared:
        raise NirError(f"{key}: must have one weight for all places that share it in the network, got several")
    # Comparisons with NaN are false.
    if not np.all((np.abs(values) <= MAX_WEIGHT) & (values == np.rint(values))):
        raise NirError(
            f"{key}: weights must be integers of at most {MAX_WEIGHT} in magnitude, got {values.min():g} to "
            f"{values.max():g}; quantize what was changed"
        )
    return values.astype(np.int16).reshape(shape)


def _by_layer(fields: FieldMap) -> dict[int, FieldMap]:
    layers: dict[int, FieldMap] = {}
    for path, value in fields.items():
        if path.startswith("layer/"):
            _, number, rest = path.split("/", 2)
            layers.setdefault(int(number), {})[rest] = value
    return layers


def _metadata(number: int, fields: FieldMap) -> dict[str, Any]:
    return {LAYER: number, **{_dotted(k): _stored(v) for k, v in fields.items()}}


def _key(population: str, group: int, kind: str) -> str:
    return f"{population}.{group}.{kind}"


def _dotted(path: str) -> str:
    """A slash is a group of its own in a file."""
    return path.replace("/", ".")


def _slashed(key: str) -> str:
    return key.replace(".", "/")


def _stored(value: NDArray[Any]) -> Any:
    """NIR compresses arrays, which HDF5 refuses for single values."""
    return value if value.ndim else value[()]


def _array(value: Any) -> NDArray[Any]:
    """NIR reads a text as str."""
    return np.array(value.encode()) if isinstance(value, str) else np.asarray(value)


def _plain(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _text(value: NDArray[Any]) -> str:
    return bytes(value.ravel()[0]).decode()
