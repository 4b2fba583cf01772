"""Writes a hand-over folder (docs/handover.md)."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import netx_export
from loihi_onespike.boards.deployment.bringup.ladder import LADDER
from loihi_onespike.boards.deployment.bringup.ladder_run import FOLDER
from loihi_onespike.boards.deployment.bringup.observed import write_observed
from loihi_onespike.boards.deployment.handover.golden import golden_trace, input_table, spike_table, v_array
from loihi_onespike.boards.deployment.handover.page import BRINGUP, RUNG, page
from loihi_onespike.boards.deployment.handover.population_files import description, first_state, listing
from loihi_onespike.boards.deployment.handover.synapse_files import axon_table, synapse_table, synapses_of
from loihi_onespike.boards.mapping.placement import Placement
from loihi_onespike.core.graphs.network import InputPopulation, Network
from loihi_onespike.jobs.run_folder import claim
from loihi_onespike.json_text import json_text
from loihi_onespike.regular_files import write_whole
from netx_export.encode import encode
from netx_export.facts import FACTS
from netx_export.storage import digest

FORMAT = "onespike hand-over 1"
CLAIM = "handover.json"
OPTION = "--handover"
HANDOVER_IMAGES = 2
"""Images of the golden trace of a network."""


def write_handover(
    network: Network,
    codes: NDArray[np.integer],
    placement: Placement | None,
    folder: str | Path,
    about: str = BRINGUP,
) -> None:
    """Write all files of a network.

    A folder that holds anything but an earlier hand-over of the same network is refused.

    Args:
        network: The network.
        codes: (N, *input shape) input codes of the golden trace.
        placement: The cores; None where it was not mapped.
        folder: The folder, which is created if it does not exist.
        about: What its page says on the bring-up.

    Raises:
        ConfigurationError: the folder is that of another network.
        DataError: the folder cannot be used, or holds something else.
        WriteError: a file cannot be written.
    """
    root = Path(folder)
    facts = {"format": FORMAT, "network": network.name, "content": _content(network)}
    claim(root, CLAIM, facts, lambda name: name == FOLDER, OPTION)
    for name in ("populations", "synapses", "golden"):
        (root / name).mkdir(exist_ok=True)
    netx_export.write(network, root / "network.h5")
    populations = _write_populations(network, placement, root)
    synapses = _write_synapses(network, placement, root)
    _write_golden(network, codes, root)
    index = {
        "format": FORMAT,
        "network": network.name,
        "period_steps": network.period_steps,
        "input": {"name": network.input.name, "shape": list(network.input.shape), "spikes": "golden/input.csv"},
        "images": len(codes),
        "populations": populations,
        "synapses": synapses,
    }
    _text(root / "network.json", json_text(index) + "\n")
    _text(root / "README.md", page(network, populations, synapses, len(codes), about))


def write_ladder_handover(folder: str | Path) -> None:
    """Write a hand-over folder for every network of the bring-up ladder, with what is expected as an observation.

    Args:
        folder: The folder, which is created if it does not exist.

    Raises:
        ConfigurationError: a folder is that of another network.
        DataError: a folder cannot be used, or holds something else.
        WriteError: a file cannot be written.
    """
    root = Path(folder)
    names = [f"{i:02d}-{_safe(rung.name)}" for i, rung in enumerate(LADDER, 1)]
    claim(root, CLAIM, {"format": FORMAT, "ladder": [rung.name for rung in LADDER]}, names.__contains__, OPTION)
    for name, rung in zip(names, LADDER, strict=True):
        write_handover(rung.network, rung.codes, None, root / name, RUNG)
        write_observed({rung.name: rung.expected()}, root / name / "expected.json")


def _content(network: Network) -> str:
    """What tells two networks apart: all fields of a network file but the record of how the network was made."""
    content = sha256()
    for path, field in sorted(encode(network).items()):
        if path != FACTS:
            content.update(f"{path} {digest(field)}\n".encode())
    return content.hexdigest()[:32]


def _write_populations(network: Network, placement: Placement | None, root: Path) -> list[dict[str, object]]:
    made = []
    for i, p in enumerate(network.populations):
        if isinstance(p, InputPopulation):
            continue
        stem = f"populations/{i:02d}-{_safe(p.name)}"
        files = {"listing": f"{stem}.listing.txt", "initial_state": f"{stem}.state.csv"}
        told = {**description(network, p, placement), **files}
        _text(root / files["listing"], listing(network, p))
        _text(root / files["initial_state"], first_state(network, p))
        _text(root / f"{stem}.json", json_text(told) + "\n")
        made.append(told)
    return made


def _write_synapses(network: Network, placement: Placement | None, root: Path) -> list[dict[str, object]]:
    made = []
    for i, s in enumerate(network.synapses, 1):
        stem = f"synapses/{i:02d}-{_safe(s.name)}"
        matrix = synapses_of(network, s)
        told: dict[str, object] = {
            "name": s.name,
            "pre": s.pre,
            "post": s.post,
            "accumulator": s.factor,
            "weight_exp": s.weight_exp,
            "axon_delay": s.axon_delay,
            "synapses": None if matrix is None else int(matrix.nnz),
            "table": None,
            "axons": None,
        }
        if matrix is not None:
            told["table"] = f"{stem}.csv"
            _text(root / f"{stem}.csv", synapse_table(matrix))
        if matrix is not None and placement is not None:
            told["axons"] = f"{stem}.axons.csv"
            _text(root / f"{stem}.axons.csv", axon_table(matrix, s, placement))
        made.append(told)
    return made


def _write_golden(network: Network, codes: NDArray[np.integer], root: Path) -> None:
    trace = golden_trace(network, codes)
    _text(root / "golden" / "input.csv", input_table(network, codes))
    for i, p in enumerate(network.populations):
        stem = f"{i:02d}-{_safe(p.name)}"
        if p.name in trace.spikes:
            _text(root / "golden" / f"{stem}.spikes.csv", spike_table(network, p.name, trace.spikes[p.name]))
        if p.name in trace.v:
            write_whole(root / "golden" / f"{stem}.v.npy", v_array(trace.v[p.name]))


def _safe(name: str) -> str:
    """A name for a file: names of populations may hold any character."""
    return re.sub(r"[^\w.-]", "_", name)


def _text(path: Path, text: str) -> None:
    write_whole(path, text.encode("utf-8"))
