"""Options of a conversion, stated once.

Each field of `ConversionOptions` carries its type, default, accepted values and help. From the fields come the checks,
signature and docstring of `convert`, the options of the command line, the settings that `tune` searches, the record in
the network file, and the reading of configuration files. CONTRIBUTING.md says how to add an option.

This module needs nothing but the standard library, so that the command line can show its help at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from functools import wraps
from textwrap import fill
from typing import Any, Literal, ParamSpec, TypeVar, cast

from loihi_onespike.conversion.method import Method
from loihi_onespike.conversion.option_values import Choices, Integers, Names, Numbers, OptionInfo, Switch
from loihi_onespike.errors import ConfigurationError

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")

DOCSTRING_WIDTH = 116
ALPHA = "alpha"
"""The account of energy that counts the additions of α, Eq. 6."""
ELASTICITIES = {"balanced": 1.25, "energy": 8.0}
"""Squared error in percent that 1 % less energy may cost, by objective."""


def option(default: Any, info: OptionInfo) -> Any:
    """Field of an option.

    Args:
        default: value where none is given.
        info: accepted values and help.
    """
    return field(default=default, metadata={"option": info})


@dataclass(frozen=True, kw_only=True)
class ConversionOptions:
    """Options of a conversion, checked; `convert` documents them (`describe` makes that text from the fields).

    Raises:
        ConfigurationError: an option out of range.
    """

    timesteps: int = option(
        16, OptionInfo(Integers(1, 256), "Steps in which a neuron may send its one spike, 1 to 256.", "T")
    )
    base: float | Literal["auto"] = option(
        "auto",
        OptionInfo(
            Numbers(1, 4),
            "A spike at phase k stands for Q^-k; above 1, up to 4. auto: levels fitted to the activations, or, by the "
            "paper's method, the base with the least mean error for T (Eq. 5).",
            "Q",
            ("auto",),
        ),
    )
    wait: int | None = option(
        None,
        OptionInfo(
            Integers(1, 256),
            "Steps before a neuron's first decision, 1 to T. Fewer: faster, less exact.",
            "N",
            (None,),
            "None is full wait: decisions on the whole input.",
            "full wait",
        ),
    )
    weight_bits: int = option(8, OptionInfo(Integers(2, 8), "Width of a weight in bits, sign included, 2 to 8.", "N"))
    input_bits: int | Literal["auto"] = option(
        "auto",
        OptionInfo(
            Integers(1, 16),
            "Width of an input value in bits, a step each, 1 to 16. auto: 8, or more where the data needs them.",
            "N|auto",
            ("auto",),
            "8 bits carry 8-bit data exactly; up to 12 are taken for values whose rounding error would be larger than "
            "1 % of their deviation.",
        ),
    )
    input_code: Literal["auto", "binary", "single"] = option(
        "auto",
        OptionInfo(
            Choices(("auto", "binary", "single")),
            "Code of the input: binary (a spike for every bit that is set, or for every digit of payload_bits bits) or "
            "single (one spike, paper Table VII). auto: binary, or for a sparse graph whose spikes have a price the "
            "code that pays best.",
            "CODE",
        ),
    )
    normalization: Literal["channel", "layer"] = option(
        "channel",
        OptionInfo(Choices(("channel", "layer")), "One scale per channel (Eq. 2) or per layer: channel, layer.", "PER"),
    )
    threshold_shift: bool = option(
        True,
        OptionInfo(
            Switch("Round down to a level (Eq. 3), not to the nearest one (Eq. 4)."),
            "Round to the nearest level (Eq. 4) instead of down (Eq. 3).",
        ),
    )
    objective: Literal["auto", "accuracy", "balanced", "energy"] = option(
        "auto",
        OptionInfo(
            Choices(("accuracy", "balanced", "energy")),
            "accuracy: codes of the least error. balanced: spikes where they save the most error at the output. "
            "energy: few spikes, and no fewer than max_loss allows. auto: balanced, or accuracy where nothing can be "
            "traded (method paper, without scales, thresholds not shifted).",
            "NAME",
            ("auto",),
        ),
    )
    price: float | None = option(
        None,
        OptionInfo(
            Numbers(0, 100),
            "Squared error in percent that 1 % less energy may cost, above 0; not with accuracy.",
            "P",
            (None,),
            "None is 1.25 for balanced and 8 for energy.",
            "that of the objective",
        ),
    )
    max_loss: float | None = option(
        None,
        OptionInfo(
            Numbers(0, 100),
            "Largest loss of accuracy in percentage points, as measured on calibration samples with 95 % confidence; "
            "not with accuracy.",
            "PP",
            (None,),
            "None is no limit.",
            "no limit",
        ),
    )
    account: str = option(
        ALPHA,
        OptionInfo(
            Names("name of a board, or the path of a .toml file of your own"),
            "Energy that price weighs against errors: alpha (additions, Eq. 6), or that of a board, by its name or a "
            ".toml file of your own; not with accuracy.",
            "NAME",
            (ALPHA,),
            "A board counts synaptic operations, messages, and the updates of all neurons in every step of the period.",
        ),
    )
    payload_bits: int | Literal["auto"] = option(
        "auto",
        OptionInfo(
            Integers(0, 4),
            "Most bits of payload by which the message of a spike refines its phase, 0 to 4; Loihi 2 sends them, "
            "Loihi 1 does not. auto: 2 for networks with depthwise convolutions, with the objective balanced and base "
            "auto, unless account is a board whose chip sends none; else 0.",
            "N|auto",
            ("auto",),
            "With b bits a neuron has 2^b times as many levels, still with one spike at most. Where spikes have a "
            "price in the account alpha, each layer takes as many bits as pay.",
        ),
    )
    method: Method | Literal["calibrated", "paper"] = option(  # noqa: RUF009
        "calibrated",
        OptionInfo(
            Choices(("calibrated", "paper")),
            "calibrated, or paper: the method of arXiv 2403.08786 alone.",
            "NAME",
            in_python="Or a `Method` with single parts on or off.",
        ),
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", Method.of(self.method))
        for name, info in option_infos().items():
            if name != "method":
                info.check(name, getattr(self, name))
        if self.wait is not None and self.wait > self.timesteps:
            limit = Integers(1, self.timesteps).described
            raise ConfigurationError(f"wait: must be None or {limit} (the timesteps), got {self.wait!r}")
        self._check_objective()
        if self.payload_bits not in ("auto", 0) and not self.parts.sequential:
            raise ConfigurationError(
                f"payload_bits: must be 0 with method='paper', whose spikes carry no payload, got {self.payload_bits}; "
                "use method='calibrated' or leave payload_bits out"
            )

    def _check_objective(self) -> None:
        """Raise ConfigurationError for an objective, price or limit that the other options leave no room for."""
        if self.objective in ELASTICITIES and not self._spikes_have_room:
            raise ConfigurationError(
                "objective: must be 'auto' or 'accuracy' with method='paper', without scales or with "
                f"threshold_shift=False, got {self.objective!r}; leave them out"
            )
        unset = {"price": None, "max_loss": None, "account": ALPHA}
        for name in unset:
            if self.chosen_objective == "accuracy" and getattr(self, name) != unset[name]:
                cause, remedy = "objective='accuracy'", "use objective='balanced' or 'energy'"
                if self.objective != "accuracy":
                    cause, remedy = "method='paper', without scales or with threshold_shift=False", "leave them out"
                raise ConfigurationError(
                    f"{name}: must be {unset[name]!r} with {cause}, got {getattr(self, name)!r}; {remedy}"
                )

    @property
    def _spikes_have_room(self) -> bool:
        """Whether scales and thresholds are fitted, so that errors can be traded for spikes."""
        return self.parts.scales and self.threshold_shift

    @property
    def chosen_objective(self) -> Literal["accuracy", "balanced", "energy"]:
        """The objective, with what "auto" comes to."""
        if self.objective != "auto":
            return self.objective
        return "balanced" if self._spikes_have_room else "accuracy"

    @property
    def elasticity(self) -> float | None:
        """Squared error in percent that 1 % less energy may cost; None where spikes have no price."""
        if self.chosen_objective == "accuracy":
            return None
        return ELASTICITIES[self.chosen_objective] if self.price is None else self.price

    @property
    def input_is_free(self) -> bool:
        """Whether the code of a sparse input is chosen by its price; with a short wait it stays as it is."""
        free = self.input_code == self.input_bits == self.base == "auto" and self.wait is None
        return free and self.elasticity is not None

    @property
    def parts(self) -> Method:
        """Parts of the calibration, each on or off; `method` as a `Method`."""
        return Method.of(self.method)

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> ConversionOptions:
        """Options from a mapping, as a configuration file gives it.

        Args:
            values: by name; texts are read as on the command line. `method` may be a mapping of its parts.

        Raises:
            ConfigurationError: a name that is no option, or a value out of range.
        """
        infos = option_infos()
        unknown = sorted(set(values) - set(infos))
        if unknown:
            raise ConfigurationError(f"options: must be among {', '.join(infos)}, got {', '.join(unknown)}")
        read: dict[str, Any] = {}
        for name, value in values.items():
            read[name] = infos[name].read(name, value) if isinstance(value, str) else value
        if isinstance(read.get("method"), Mapping):
            read["method"] = Method.from_mapping(read["method"])
        return cls(**read)


def option_fields() -> tuple[Field[Any], ...]:
    """The fields of `ConversionOptions`, in the order in which they are shown."""
    return fields(ConversionOptions)


def option_infos() -> dict[str, OptionInfo]:
    """Accepted values and help of every option by its name."""
    return {f.name: cast(OptionInfo, f.metadata["option"]) for f in option_fields()}


def check_option(name: str, value: object) -> None:
    """Raise ConfigurationError when a value is out of the range of an option.

    Args:
        name: name of the option.
        value: to be checked.
    """
    option_infos()[name].check(name, value)


def describe(indent: int = 8) -> str:
    """The `Args` lines of all options for a docstring of the Google convention.

    Args:
        indent: of the lines.
    """
    lines = []
    for name, info in option_infos().items():
        text = f"{name}: {' '.join(filter(None, (info.help, info.in_python)))}"
        lines.append(
            fill(
                text,
                DOCSTRING_WIDTH,
                initial_indent=" " * indent,
                subsequent_indent=" " * (indent + 4),
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n".join(lines)


def called_with(kind: Callable[P, C]) -> Callable[[Callable[[C], R]], Callable[P, R]]:
    """Decorator: a function of one record is called with the fields of the record, which give its signature.

    `{options}` in the docstring becomes the description of the options. Type checkers and editors see the parameters
    of the record, since the decorated function takes those of its constructor.

    Args:
        kind: dataclass, usually one that adds fields to `ConversionOptions`.
    """
    assert is_dataclass(kind)
    make = cast(Callable[P, C], kind)

    def decorated(function: Callable[[C], R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{function.__name__}() {error}") from None
            return function(make(*args, **kwargs))

        annotations = function.__annotations__
        signature = inspect.signature(kind).replace(return_annotation=annotations.get("return", Any))
        call.__signature__ = signature  # type: ignore[attr-defined]
        hints = {p.name: p.annotation for p in signature.parameters.values()}
        call.__annotations__ = {**hints, "return": signature.return_annotation}
        if call.__doc__ is not None:
            call.__doc__ = call.__doc__.replace("{options}", describe().lstrip())
        return call

    return decorated
