"""What an option of a conversion accepts: how its values are checked, read from text, and described."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Protocol

from loihi_onespike.errors import ConfigurationError


class Accepts(Protocol):
    """The values that an option accepts beside its words ("auto", None)."""

    @property
    def described(self) -> str:
        """Completes the sentence "timesteps: must be …"."""

    def accepts(self, value: object) -> bool:
        """Whether this is one of the values."""

    def read(self, text: str) -> object:
        """The value of a text; raises ValueError for a text that is no value."""


@dataclass(frozen=True)
class Integers:
    """Integers in [low, high]; bool is not one of them."""

    low: int
    high: int

    @property
    def described(self) -> str:
        """Completes the sentence "timesteps: must be …"."""
        return f"an integer in [{self.low}, {self.high}]"

    def accepts(self, value: object) -> bool:
        """Whether this is one of the values."""
        return not isinstance(value, bool) and isinstance(value, Integral) and self.low <= int(value) <= self.high

    def read(self, text: str) -> int:
        """The value of a text; raises ValueError for a text that is no value."""
        return int(text)


@dataclass(frozen=True)
class Numbers:
    """Real numbers in (above, high]."""

    above: float
    high: float

    @property
    def described(self) -> str:
        """Completes the sentence "base: must be …"."""
        return f"a number in ({self.above:g}, {self.high:g}]"

    def accepts(self, value: object) -> bool:
        """Whether this is one of the values."""
        return not isinstance(value, bool) and isinstance(value, Real) and self.above < float(value) <= self.high

    def read(self, text: str) -> float:
        """The value of a text; raises ValueError for a text that is no value."""
        return float(text)


@dataclass(frozen=True)
class Choices:
    """One of a few names."""

    names: tuple[str, ...]

    @property
    def described(self) -> str:
        """Completes the sentence "input_code: must be …"."""
        return f"one of {', '.join(self.names)}"

    def accepts(self, value: object) -> bool:
        """Whether this is one of the values."""
        return isinstance(value, str) and value in self.names

    def read(self, text: str) -> str:
        """The text itself."""
        return text


@dataclass(frozen=True)
class Names:
    """Any text that is not empty: the name of something that is looked up where it is used.

    Attributes:
        what: what the text names.
    """

    what: str

    @property
    def described(self) -> str:
        """Completes the sentence "account: must be …"."""
        return f"the {self.what}"

    def accepts(self, value: object) -> bool:
        """Whether this is one of the values."""
        return isinstance(value, str) and bool(value.strip())

    def read(self, text: str) -> str:
        """The text itself."""
        return text


@dataclass(frozen=True)
class Switch:
    """True or False.

    Attributes:
        off: what the option does when it is False, for the flag `--no-NAME` of the command line.
    """

    off: str

    @property
    def described(self) -> str:
        """Completes the sentence "threshold_shift: must be …"."""
        return "True or False"

    def accepts(self, value: object) -> bool:
        """Whether this is one of the values."""
        return isinstance(value, bool)

    def read(self, text: str) -> bool:
        """The value of a text; raises ValueError for a text that is no value."""
        values = {"true": True, "false": False}
        if text.lower() not in values:
            raise ValueError(text)
        return values[text.lower()]


@dataclass(frozen=True)
class OptionInfo:
    """All that is known of an option beside its type and default: the metadata of a field.

    Attributes:
        values: what it accepts.
        help: what it does, for the command line and the docstring of `convert`.
        metavar: name of the value in the help of the command line.
        words: further values with a meaning of their own: "auto", or None.
        in_python: what the docstring of `convert` says beyond `help`.
        none: what None means, where it is accepted.
    """

    values: Accepts
    help: str
    metavar: str = ""
    words: tuple[str | None, ...] = ()
    in_python: str = ""
    none: str = ""

    @property
    def described(self) -> str:
        """Completes the sentence "input_bits: must be …"."""
        return " or ".join([*(repr(word) for word in self.words), self.values.described])

    def check(self, name: str, value: object) -> None:
        """Raise ConfigurationError when the option called `name` does not accept the value."""
        if not any(value is word or (word is not None and value == word) for word in self.words) and not (
            self.values.accepts(value)
        ):
            raise ConfigurationError(f"{name}: must be {self.described}, got {value!r}")

    def read(self, name: str, text: str) -> object:
        """Read the value of a text.

        Args:
            name: name of the option, for the message.
            text: from the command line or a file.

        Raises:
            ConfigurationError: the text is no value of the option.
        """
        if text in self.words:
            return text
        try:
            value = self.values.read(text)
        except ValueError:
            value = text
        self.check(name, value)
        return value
