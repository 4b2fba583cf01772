"""What an executor is: the protocol that all of them follow, its capabilities, and its typed options.

    executor = entry.make(subject)                  # an `Executor` for one network
    trace = executor.trace(inputs, options)         # code words and potentials of every population, and the output

An executor with exact integers takes input codes (N, *input shape), one with real numbers takes inputs as the ANN
takes them. Importing this module imports neither torch nor Lava, so that the command line can list the executors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from loihi_onespike.core.graphs.network import Network
    from loihi_onespike.core.graphs.stage import StageGraph
    from loihi_onespike.core.trace import Trace


@dataclass(frozen=True)
class Capabilities:
    """What an executor can run, and how exact it is.

    Attributes:
        exact: it computes with the integers of the network and equals the reference executor bit for bit; otherwise
            it computes with real numbers, from the inputs instead of their codes.
        full_wait: it runs networks whose neurons decide after their whole input has arrived.
        short_wait: it runs networks whose neurons decide earlier. "as full wait" means that it runs them, but as if
            they waited for the whole input.
        graph_networks: it runs graph networks (GNNs), whose one sample is a whole graph.
        sparse_input: it runs a graph network on an input that is too large to be a dense array.
        devices: it runs on any torch device, otherwise on the CPU only.
        needs_stages: it needs the network in real numbers (the stage graph) beside the integer network.
    """

    exact: bool
    full_wait: bool = True
    short_wait: bool | Literal["as full wait"] = True
    graph_networks: bool = True
    sparse_input: bool = False
    devices: bool = False
    needs_stages: bool = False


@dataclass(frozen=True)
class Subject:
    """What an executor is made for.

    Attributes:
        network: the integer network.
        stages: returns the same network in real numbers; called only by executors that need it.
        device: torch device for executors that run on any.
    """

    network: Network
    stages: Callable[[], StageGraph]
    device: str = "cpu"


def option(
    help: str,
    *,
    choices: tuple[str, ...] = (),
    above: float | None = None,
    changes_counts: bool = False,
    function: bool = False,
) -> Mapping[str, object]:
    """What a field of an executor's options means: the `metadata` of its dataclass field.

    Args:
        help: what it does, one sentence.
        choices: the values that it may have.
        above: its values are numbers greater than this.
        changes_counts: spikes and outputs depend on it, so that runs with different values must not be mixed.
        function: its values are functions.
    """
    return {
        "help": help, "choices": choices, "above": above, "changes_counts": changes_counts, "function": function,
    }  # fmt: skip


@dataclass(frozen=True)
class ExecutorOptions:
    """Options of an executor, checked when they are made: the base of every executor's own options.

    A field whose default is a bool is a switch; where the default is an integer, the values are; where it is None,
    None is always allowed.

    Raises:
        ConfigurationError: a value out of range; names the option.
    """

    def __post_init__(self) -> None:
        """Check every field against what its `option` allows."""
        for declared in fields(self):
            value, allowed = getattr(self, declared.name), declared.metadata
            if value is None and declared.default is None:
                continue
            if isinstance(declared.default, bool) and not isinstance(value, bool):
                raise ConfigurationError(f"{declared.name}: must be True or False, got {value!r}")
            if allowed["choices"] and value not in allowed["choices"]:
                raise ConfigurationError(f"{declared.name}: must be {' or '.join(allowed['choices'])}, got {value!r}")
            if allowed["function"] and not callable(value):
                raise ConfigurationError(f"{declared.name}: must be a function or None, got {type(value).__name__}")
            low, numbers = allowed["above"], (Integral if isinstance(declared.default, int) else Real)
            if low is not None and (isinstance(value, bool) or not isinstance(value, numbers) or not value > low):
                kind = "an integer" if numbers is Integral else "a number"
                raise ConfigurationError(f"{declared.name}: must be {kind} greater than {low:g}, got {value!r}")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the options."""
        return tuple(declared.name for declared in fields(cls))

    def counted_with(self) -> dict[str, object]:
        """The options that are not at their defaults and that change spikes or outputs."""
        changing = (f for f in fields(self) if f.metadata["changes_counts"])
        return {f.name: getattr(self, f.name) for f in changing if getattr(self, f.name) != f.default}


OptionsT = TypeVar("OptionsT", bound=ExecutorOptions)
ContravariantOptionsT = TypeVar("ContravariantOptionsT", bound=ExecutorOptions, contravariant=True)


class Executor(Protocol[ContravariantOptionsT]):
    """Runs one network. Only `trace` must be written by those that derive from this class."""

    def trace(self, inputs: Any, options: ContravariantOptionsT) -> Trace:
        """Code words and potentials of every population, and the output in the units of the ANN.

        Args:
            inputs: input codes for an exact executor, inputs of the ANN otherwise; (N, *input shape), or a sparse
                sample where `Capabilities.sparse_input` says so.
            options: options of the run.
        """
        ...

    def count_trace(self, inputs: Any, options: ContravariantOptionsT) -> Trace:
        """A trace for counting spikes: the potentials of hidden populations may be left out where that is faster.

        Args:
            inputs: as of `trace`.
            options: options of the run.
        """
        return self.trace(inputs, options)

    def predict(self, inputs: Any, options: ContravariantOptionsT) -> NDArray[np.float64]:
        """The output (N, …) alone, in the units of the ANN.

        Args:
            inputs: as of `trace`.
            options: options of the run.
        """
        return self.trace(inputs, options).output

    def images_per_run(self, options: ContravariantOptionsT) -> int | None:
        """The most samples that one call should get, for want of memory; None for no limit."""
        return None


@dataclass(frozen=True)
class ExecutorEntry(Generic[OptionsT]):
    """One executor as the registry lists it.

    Attributes:
        name: what `executor=` and `--executor` take.
        summary: one line for the help.
        capabilities: what it can run.
        options: class of its options.
        make: makes the executor for a network. It imports what the executor needs, so that the list itself is cheap.
    """

    name: str
    summary: str
    capabilities: Capabilities
    options: type[OptionsT]
    make: Callable[[Subject], Executor[OptionsT]]

    def options_of(self, given: Mapping[str, object]) -> OptionsT:
        """The options as this executor takes them.

        Raises:
            ConfigurationError: an option that it does not have, or a value out of range.
        """
        unknown = [name for name in given if name not in self.options.names()]
        if unknown:
            supported = ", ".join(self.options.names()) or "none"
            raise ConfigurationError(
                f"executor {self.name!r}: does not take the option {', '.join(unknown)}; supported: {supported}"
            )
        return self.options(**given)
