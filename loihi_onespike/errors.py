"""Typed errors. Each message names the object, the limit, what was found, and the remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


class OneSpikeError(Exception):
    """Base of every error that loihi-onespike raises on purpose.

    Its text can always be printed: a lone surrogate, as a JSON file or the name of a file may bring it, is escaped.
    """

    def __str__(self) -> str:
        return super().__str__().encode("utf-8", "backslashreplace").decode("utf-8")


class OneSpikeWarning(UserWarning):
    """Base of every warning of loihi-onespike; the command line prints them as lines on stderr."""


class InputRangeWarning(OneSpikeWarning):
    """Inputs lie far outside the range that the network was calibrated for, and are clipped to it."""


class CalibrationWarning(OneSpikeWarning):
    """The calibration data can be used, but hardly as they were meant."""


class MaxLossWarning(OneSpikeWarning):
    """The loss of accuracy that `max_loss` allows is smaller than what the calibration can keep."""


@dataclass(frozen=True)
class Finding:
    """One thing in a model that cannot be converted.

    Attributes:
        node: name of the node in the traced graph.
        found: the operation with the settings that matter.
        where: source line of the user's code, empty when unknown.
        supported: what the converter supports instead.
        remedy: what the user can do.
    """

    node: str
    found: str
    where: str
    supported: str
    remedy: str

    def __str__(self) -> str:
        return grouped_text([self])


NODES_SHOWN = 6
"""Names of nodes, and lines of code, that a report lists of one kind of operation."""
PLACES_SHOWN = 12
"""Kinds of operations that a report lists of those that share a remedy."""
CODE_SHOWN = 3
"""Largest number of operations with one remedy that are shown with the code of their lines."""
LINE = re.compile(r"(.+?):(\d+)(?:: |$)")
"""The file and the number of a line of the user's code."""


def grouped_text(findings: Sequence[Finding]) -> str:
    """Findings as text: those with one remedy name it once.

    A few of them are shown with the code of their lines; of many, all that are alike share one line.
    """
    groups: dict[tuple[str, str], list[Finding]] = {}
    for f in findings:
        groups.setdefault((f.supported, f.remedy), []).append(f)
    lines = []
    for (supported, remedy), alike in groups.items():
        few = len({(f.found, f.where) for f in alike}) <= CODE_SHOWN
        kinds: dict[tuple[str, str], list[Finding]] = {}
        for f in alike:
            kinds.setdefault((f.found, f.where if few else ""), []).append(f)
        for (found, where), of_kind in list(kinds.items())[:PLACES_SHOWN]:
            places = "" if few else _places([f.where for f in of_kind])
            lines.append(f"  {_listed([f.node for f in of_kind])}: {found}{places}")
            if where:
                lines.append(f"    at        {where}")
        left = sum(map(len, list(kinds.values())[PLACES_SHOWN:]))
        if left:
            lines.append(f"  and {left} more with the same remedy")
        lines += [f"    supported {supported}", f"    remedy    {remedy}"]
    return "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NODES_SHOWN
    return ", ".join(names[:NODES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _places(wheres: Sequence[str]) -> str:
    """Lines of code as one text, such as ", at net.py:8, 12 and blocks.py:3"; empty where they are not known."""
    files: dict[str, list[str]] = {}
    for match in filter(None, map(LINE.match, dict.fromkeys(wheres))):
        numbers = files.setdefault(match[1], [])
        if match[2] not in numbers:
            numbers.append(match[2])
    return ", at " + " and ".join(f"{file}:{_listed(numbers)}" for file, numbers in files.items()) if files else ""


class UnsupportedModelError(OneSpikeError):
    """The model has operations with no one-spike form.

    Attributes:
        findings: all of these operations; the message groups those that are alike.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        count = len(self.findings)
        plural = "operation has" if count == 1 else "operations have"
        super().__init__(f"{count} {plural} no one-spike form:\n{grouped_text(self.findings)}")


class HeadroomError(OneSpikeError):
    """A potential, threshold, bias or input sum does not fit into the bits that the chip or Lava has for it.

    Attributes:
        layer: population.
        quantity: what does not fit.
        found_bits: bits that it requires.
        limit_bits: bits that it may have.
    """

    def __init__(self, layer: str, quantity: str, found_bits: int, limit_bits: int, remedy: str) -> None:
        self.layer, self.quantity, self.found_bits, self.limit_bits = layer, quantity, found_bits, limit_bits
        super().__init__(f"{layer}: {quantity} requires {found_bits} bits, limit {limit_bits}; {remedy}")


class GraphError(OneSpikeError):
    """A graph breaks one of the rules that the verifiers in `core.graphs` state."""


class MissingEntryError(OneSpikeError, TypeError):
    """A map, activation or code has no entry in a registry (core/registry.py) that was asked for one.

    Attributes:
        name: class without an entry.
        place: what the registry is for.
    """

    def __init__(self, name: str, place: str, remedy: str) -> None:
        self.name, self.place, self.remedy = name, place, remedy
        super().__init__(f"{name}: no entry for {place}; {remedy}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.name, self.place, self.remedy)


class CalibrationError(OneSpikeError):
    """The calibration data cannot be used as given."""


class ConfigurationError(OneSpikeError, ValueError):
    """An option has a value outside its range."""


class FormatError(OneSpikeError):
    """A network file is damaged, incomplete, of another format or of an unknown version.

    Attributes:
        field: path of the entry that is wrong.
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


class WriteError(OneSpikeError, OSError):
    """A file cannot be written: the disk is full, the folder missing or read-only, or the path is no regular file."""


class MissingFolderError(WriteError, FileNotFoundError):
    """The folder of a file to write does not exist."""


class LavaError(OneSpikeError):
    """Lava is not installed, or a run on Lava failed, ended early or exceeded its time limit."""


class DataError(OneSpikeError):
    """A data set or a file is missing, damaged or not of the required form."""


class ModelLoadError(OneSpikeError):
    """A model or its weights cannot be loaded as given."""


@dataclass(frozen=True)
class BoardProblem:
    """One error in a board or chip file.

    Attributes:
        file: path of the file.
        key: path of the key, such as `core.synapse_words.status`; empty for the file as a whole.
        message: what is wrong.
    """

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"  {self.file}: {self.key}: {self.message}" if self.key else f"  {self.file}: {self.message}"


class BoardError(OneSpikeError):
    """A board file cannot be used.

    Attributes:
        problems: all errors in the file and the chip file that it names.
    """

    def __init__(self, problems: Sequence[BoardProblem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' * (count > 1)} in board files:\n" + "\n".join(map(str, self.problems)))


class MicrocodeError(OneSpikeError):
    """A microcode program is malformed, or a value does not fit where the program puts it."""


class DeploymentError(OneSpikeError):
    """A network cannot run on a board; the message lists what is missing with its remedy."""


class SimulatorError(OneSpikeError):
    """A simulator of another project is not installed, or the network cannot run on it."""


class NirError(OneSpikeError):
    """NIR is not installed, has no node for a part of a network, or a graph is not one of ours."""


class NeuroBenchError(OneSpikeError):
    """NeuroBench is not installed."""


class DistributedError(OneSpikeError):
    """Another rank of a group of processes failed, ended, or did not answer in time."""


class JobArrayError(OneSpikeError):
    """Jobs of an array failed or cannot be started; the message says what is missing and how to continue."""
