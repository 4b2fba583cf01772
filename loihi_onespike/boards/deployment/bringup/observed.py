"""Observations of the bring-up ladder as a file, which may as well be written by hand or by other tools.

    {"format": "onespike bring-up trace 1",
     "networks": {"relay": {"spikes": {"relay": [[[0, 1, 0], …], …]},
                            "v":      {"relay": …, "relay_readout": …}}}}

The lists are [image][step of the population's window][neuron]; neurons of several axes are flat, the last axis fastest.
A spike is the message that was sent in the step, 0 for none; v is the potential after the step, with its sign. Networks
and populations that were not read are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.bringup.ladder import LADDER, Rung, rung_of
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.errors import DataError
from loihi_onespike.jobs.run_folder import write_object
from loihi_onespike.json_text import plain
from loihi_onespike.regular_files import objection

FORMAT = "onespike bring-up trace 1"


def document_of(observed: Mapping[str, StepTrace]) -> dict[str, object]:
    """The document of observations.

    Args:
        observed: Spikes and potentials by name of the rung.
    """

    def flat(part: Mapping[str, NDArray[np.int32]]) -> dict[str, object]:
        return {name: plain(a.reshape(*a.shape[:2], -1)) for name, a in part.items()}

    networks = {name: {"spikes": flat(t.spikes), "v": flat(t.v)} for name, t in observed.items()}
    return {"format": FORMAT, "networks": networks}


def write_observed(observed: Mapping[str, StepTrace], path: Path) -> None:
    """Write observations as a file, the whole file or none.

    Args:
        observed: Spikes and potentials by name of the rung.
        path: File to write.
    """
    write_object(path, document_of(observed))


def read_observed(path: Path) -> dict[str, StepTrace]:
    """Read observations.

    Args:
        path: File to read.

    Raises:
        DataError: the file is missing or of another format, or an entry does not belong to its network.
    """
    document = _document(path)
    if document.get("format") != FORMAT:
        raise DataError(f"{path}: format must be {FORMAT!r}, got {document.get('format')!r}")
    networks = document.get("networks")
    known = [rung.name for rung in LADDER]
    if not isinstance(networks, dict) or not networks:
        raise DataError(f"{path}: networks must be an object with at least one of {', '.join(known)}")
    strange = [name for name in networks if name not in known]
    if strange:
        raise DataError(f"{path}: networks must be among {', '.join(known)}, got {', '.join(strange)}")
    return {name: _trace(path, rung_of(name), entry) for name, entry in networks.items()}


def _document(path: Path) -> dict[str, Any]:
    try:
        if against := objection(path):
            raise ValueError(against)
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; `onespike bringup -o FILE` writes one") from None
    except (OSError, ValueError, RecursionError) as error:
        said = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: must be a JSON file as `onespike bringup -o FILE` writes it, got: {said}") from error
    if not isinstance(found, dict):
        raise DataError(f"{path}: must be a JSON object, got {type(found).__name__}")
    return found


def _trace(path: Path, rung: Rung, entry: Any) -> StepTrace:
    expected = rung.expected()

    def part(quantity: str, whole: Mapping[str, NDArray[np.int32]]) -> dict[str, NDArray[np.int32]]:
        given = entry.get(quantity, {}) if isinstance(entry, dict) else None
        where = f"{path}: networks.{rung.name}.{quantity}"
        if not isinstance(given, dict):
            raise DataError(f"{where}: must be an object with populations, got {type(given).__name__}")
        strange = [name for name in given if name not in whole]
        if strange:
            raise DataError(f"{where}: must be among {', '.join(whole)}, got {', '.join(strange)}")
        return {name: _values(f"{where}.{name}", values, whole[name].shape) for name, values in given.items()}

    trace = StepTrace(part("spikes", expected.spikes), part("v", expected.v))
    if not trace.spikes and not trace.v:
        raise DataError(f"{path}: networks.{rung.name}: must hold spikes or v of at least one population, got none")
    return trace


def _values(where: str, values: Any, shape: tuple[int, ...]) -> NDArray[np.int32]:
    wanted = (*shape[:2], int(np.prod(shape[2:])))
    try:
        found = np.array(values)
    except ValueError:  # lists of different lengths
        found = np.array(None)
    if found.shape != wanted or not np.issubdtype(found.dtype, np.integer):
        got = f"shape {found.shape}" if found.shape != wanted else f"values of type {found.dtype}"
        raise DataError(f"{where}: must be integers of shape {wanted} (images, steps, neurons), got {got}")
    if found.size and max(abs(int(found.min())), abs(int(found.max()))) >= 2**31:
        raise DataError(f"{where}: must fit into 32 bits, got {found.min()}..{found.max()}")
    return found.astype(np.int32).reshape(shape)
