"""Tables of entries per class: lookup over base classes, and a typed error where an entry is missing."""

import pickle

import pytest

from loihi_onespike.core.registry import EntryRegistry
from loihi_onespike.errors import MissingEntryError


class Shape:
    pass


class Square(Shape):
    pass


class Circle(Shape):
    pass


def registry() -> EntryRegistry[str]:
    return EntryRegistry("areas", "shapes/areas.py")


def test_lookup_by_object_class_and_base():
    areas = registry()
    areas.register(Shape)("any")
    areas.register(Square)("side squared")
    assert areas[Square()] == areas[Square] == "side squared"
    assert areas[Circle()] == "any"
    assert areas.classes == (Shape, Square)


def test_missing_entry_names_class_place_and_remedy():
    areas = registry()
    areas.add(Square, "side squared")
    with pytest.raises(MissingEntryError, match=r"^Circle: no entry for areas; register one in shapes/areas\.py$"):
        areas[Circle()]
    with pytest.raises(MissingEntryError, match="Circle"):
        areas.find(Circle)


def test_declared_omission_is_none_and_an_error_where_an_entry_is_needed():
    areas = registry()
    areas.omit(Circle)
    assert areas.find(Circle()) is None
    with pytest.raises(MissingEntryError, match="Circle: no entry for areas; it is declared to have none there"):
        areas[Circle()]


def test_second_entry_for_a_class_is_refused():
    areas = registry()
    areas.add(Square, "side squared")
    with pytest.raises(ValueError, match="Square is registered already"):
        areas.add(Square, "again")
    with pytest.raises(ValueError, match="Square is registered already"):
        areas.omit(Square)


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(MissingEntryError("Circle", "areas", "register one")))
    assert str(error) == "Circle: no entry for areas; register one"
    assert (error.name, error.place) == ("Circle", "areas")
