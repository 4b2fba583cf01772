"""Registries of maps: one per place, with a general form only where it is stated."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.maps import Dense, Diagonal, registry
from loihi_onespike.core.maps.registry import MapRegistry
from loihi_onespike.errors import MissingEntryError


class Transposed(Dense):
    """A map of a subclass."""


@pytest.fixture(autouse=True)
def no_other_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "REGISTRIES", {})


def test_every_map_needs_an_entry_where_there_is_no_general_form() -> None:
    strict: MapRegistry[str] = MapRegistry("the kitchen", "some.module")
    strict.add(Dense, "dense")
    assert strict.find(Transposed(np.ones((1, 1)))) == strict[Dense] == "dense"
    with pytest.raises(MissingEntryError, match=r"^Diagonal: no entry for the kitchen; register one in some\.module"):
        strict.find(Diagonal(np.ones(1)))


def test_a_general_form_answers_for_all_others() -> None:
    lenient: MapRegistry[str] = MapRegistry("the cellar", "some.module", otherwise="stored as it is")
    lenient.add(Dense, "dense")
    assert lenient.find(Diagonal(np.ones(1))) is None
    assert lenient.find(Dense) == "dense"


def test_a_place_has_one_registry() -> None:
    first: MapRegistry[str] = MapRegistry("the attic", "some.module")
    assert {"the attic": first} == registry.REGISTRIES
    with pytest.raises(ValueError, match="the attic: there is a registry for it already"):
        MapRegistry("the attic", "another.module")
