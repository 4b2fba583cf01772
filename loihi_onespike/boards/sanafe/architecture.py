"""SANA-FE's description of Loihi, cut down to the cores in use, with units for one-spike neurons.

SANA-FE ships its description of Loihi as a YAML file (`sanafe/examples/loihi.yaml`) in which all tiles and all cores
are alike. No price is changed. Every core states its energy by itself, and the neurons of a network are either units of
the model `input`, which replays given spikes, at the prices of the unit that computes neurons, or units of the plugin
that computes one-spike neurons (`plugin.py`), at the same prices.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from loihi_onespike.boards.sanafe.availability import require
from loihi_onespike.errors import SimulatorError
from loihi_onespike.regular_files import objection

Neurons = Literal["idle", "updated", "computed"]
"""What neurons do: replay spikes, where silent neurons are charged as idle or as updated; or compute their spikes."""
REPLAY = "replay"
"""Name of the units that replay the spikes of neurons on cores."""
COMPUTED = "neuron"
"""Name of the unit that computes all neurons of a core."""
INPUT = "input"
"""Name of the units that send the spikes of the input, which cost their core nothing."""
NEURON_MODEL, INPUT_MODEL = "leaky_integrate_fire", "input"
CONVOLUTION, LISTS = "loihi_conv_synapse", "loihi_sparse_synapse"
"""Units of shared convolution kernels and of lists of targets in SANA-FE's description of Loihi."""


@dataclass(frozen=True)
class Description:
    """What the description of a chip says, where all of its tiles and cores are alike.

    Attributes:
        source: File that it was read from.
        mesh: Attributes of the whole chip: columns, rows, buffers, and times of the barrier by number of tiles.
        tile: Attributes of a tile: energy in J and time in s of a hop in each direction.
        core: Units of a core with their attributes.
        cores_per_tile: Cores of a tile.
    """

    source: Path
    mesh: Mapping[str, Any]
    tile: Mapping[str, Any]
    core: Mapping[str, Any]
    cores_per_tile: int

    @property
    def columns(self) -> int:
        """Columns of tiles."""
        return int(self.mesh["width"])

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return int(self.mesh["height"])

    @property
    def neurons_per_core(self) -> int:
        """Neurons that a core holds."""
        return int(self.core["attributes"]["max_neurons_supported"])

    def price(self, section: str, unit: str, key: str) -> float:
        """One attribute of a unit of a core, in J or s.

        Args:
            section: Kind of the unit: axon_in, synapse, dendrite, soma or axon_out.
            unit: Start of its name, or its model.
            key: Name of the attribute.
        """
        for described in self.core[section]:
            attributes = described["attributes"]
            if unit in (described["name"].split("[")[0], attributes.get("model")):
                return float(attributes[key])
        raise SimulatorError(f"architecture {self.source}: must have {unit} in {section}; take SANA-FE's loihi.yaml")

    def barrier_s(self, tiles: int) -> float:
        """Time in s that every step takes at its end to synchronise so many tiles."""
        table = self.mesh["latency_sync"]
        if not isinstance(table, Mapping):
            return float(table)
        return float(table[max((n for n in table if n <= tiles), default=min(table))])


def read_description(file: Path | None = None) -> Description:
    """The description that SANA-FE ships for Loihi, or one with the same units.

    Args:
        file: A file of the same form; None for that of SANA-FE.

    Raises:
        SimulatorError: SANA-FE is not installed, the file cannot be read or has another form, or it has several kinds
            of tiles or cores.
    """
    source = file or Path(require().__file__).parent / "examples" / "loihi.yaml"
    yaml = require("yaml")
    try:
        if against := objection(source):
            raise ValueError(against)
        tree = yaml.safe_load(source.read_text(encoding="utf-8"))["architecture"]
        tiles = tree["tile"]
        cores = tiles[0]["core"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError, yaml.YAMLError) as error:
        said = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        raise SimulatorError(
            f"architecture {source}: must be a description of a chip for SANA-FE, got {type(error).__name__}: {said}; "
            "take SANA-FE's loihi.yaml"
        ) from error
    if len(tiles) != 1 or len(cores) != 1:
        found = f"{len(tiles)} kinds of tiles and {len(cores)} kinds of cores"
        raise SimulatorError(f"architecture {source}: must have one of each, got {found}; take SANA-FE's loihi.yaml")
    return Description(source, tree["attributes"], tiles[0]["attributes"], cores[0], _length(cores[0]["name"]))


@dataclass(frozen=True)
class Units:
    """Neurons of one core of SANA-FE's chip.

    Attributes:
        neurons: Neurons of the network that replay their spikes.
        inputs: Neurons of the input population.
    """

    neurons: int = 0
    inputs: int = 0


def architecture_text(
    description: Description, units: Mapping[tuple[int, int], Units], neurons: Neurons, plugin: Path | None = None
) -> str:
    """The architecture as YAML, with as many units as a network needs.

    Args:
        description: The chip.
        units: Neurons by (tile, core of the tile).
        neurons: What neurons do.
        plugin: Library of the one-spike neuron, for those that compute.
    """
    used = {tile for tile, _ in units}
    tiles = []
    # Tiles that hold nothing are written once for each row of them in the order of numbers.
    for key, run in itertools.groupby(range(description.columns * description.rows), lambda n: n if n in used else -1):
        numbers = list(run)
        name = f"tile{key}" if key in used else f"idle[{numbers[0]}..{numbers[-1]}]"
        offsets = range(description.cores_per_tile) if key in used else (0,)
        cores = [_core(description, n, units.get((key, n), Units()), neurons, plugin) for n in offsets]
        if key not in used:
            cores[0]["name"] = f"core[0..{description.cores_per_tile - 1}]"
        tiles.append({"name": name, "attributes": dict(description.tile), "core": cores})
    tree = {"architecture": {"name": "loihi", "attributes": dict(description.mesh), "tile": tiles}}
    yaml = require("yaml")
    # SANA-FE's parser knows no references to a part that stands earlier in the file.
    written_out = type("WrittenOut", (yaml.SafeDumper,), {"ignore_aliases": lambda self, data: True})
    return yaml.dump(tree, Dumper=written_out, sort_keys=False, default_flow_style=False)


def load(text: str) -> Any:
    """SANA-FE's object of an architecture.

    Args:
        text: The architecture as YAML.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "architecture.yaml"
        file.write_text(text, encoding="utf-8")
        return require().load_arch(str(file))


def energy_of_core(tile: int, offset: int) -> str:
    """Name under which SANA-FE reports the energy of a core.

    Args:
        tile: Number of its tile.
        offset: Number of the core in the tile.
    """
    return f"tile{tile}[0].core{offset}[0].energy"


def _core(description: Description, offset: int, units: Units, neurons: Neurons, plugin: Path | None) -> dict[str, Any]:
    core = dict(description.core)
    core["name"] = f"core{offset}"
    core["attributes"] = {**core["attributes"], "log_energy": True}
    computing, sending = (_soma(core, model) for model in (NEURON_MODEL, INPUT_MODEL))
    inputs = {"name": f"{INPUT}[0..{max(units.inputs, 1) - 1}]", "attributes": sending}
    if plugin is None:
        replaying = _replaying(computing, neurons == "updated")
        core["soma"] = [{"name": f"{REPLAY}[0..{max(units.neurons, 1) - 1}]", "attributes": replaying}, inputs]
        return core
    # Sums are kept in the dendrite from step to step, which delays need; the price of a dendrite is 0 in any case.
    core["attributes"] |= {"buffer_position": "dendrite", "buffer_inside_unit": True}
    core["soma"] = [{"name": COMPUTED, "attributes": _plugged(computing, "one_spike_soma", plugin)}, inputs]
    core["dendrite"] = [_plugged_unit(core["dendrite"][0], "one_spike_dendrite", plugin)]
    core["synapse"] = [_plugged_unit(unit, "one_spike_synapse", plugin) for unit in core["synapse"]]
    return core


def _plugged_unit(unit: Mapping[str, Any], model: str, plugin: Path) -> dict[str, Any]:
    return {"name": unit["name"], "attributes": _plugged(unit["attributes"], model, plugin)}


def _plugged(attributes: Mapping[str, Any], model: str, plugin: Path) -> dict[str, Any]:
    """The same prices with the model of a plugin."""
    return {**attributes, "model": model, "plugin": str(plugin)}


def _soma(core: Mapping[str, Any], model: str) -> dict[str, Any]:
    return dict(next(u["attributes"] for u in core["soma"] if u["attributes"]["model"] == model))


def _replaying(computing: dict[str, Any], updated: bool) -> dict[str, Any]:
    """Prices of a neuron that is computed, for a unit that replays: this one is never `updated`, idle or fired only."""
    attributes = {**computing, "model": INPUT_MODEL}
    if updated:
        for kind in ("energy", "latency"):
            attributes[f"{kind}_access_neuron"] += attributes[f"{kind}_update_neuron"]
            attributes[f"{kind}_update_neuron"] = 0.0
    return attributes


def _length(name: str) -> int:
    """Number of units that a name such as core[0..3] stands for."""
    if "[" not in name:
        return 1
    first, last = name.split("[")[1].rstrip("]").split("..")
    return int(last) - int(first) + 1
