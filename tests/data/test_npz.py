import numpy as np
import pytest

from loihi_onespike.data import Preprocessing, load_calibration, load_data
from loihi_onespike.errors import DataError


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


X = np.arange(24, dtype=np.float32).reshape(6, 4)
Y = np.arange(6) % 3


def test_arrays_are_taken_as_they_are(tmp_path):
    data = load_data(save(tmp_path / "d.npz", x=X, y=Y), calibration_images=4)
    assert np.array_equal(data.images, X) and data.images.dtype == np.float32
    assert np.array_equal(data.labels, Y) and data.name == "d.npz"


def test_without_a_part_of_their_own_calibration_images_are_drawn_and_it_is_said(tmp_path):
    path = save(tmp_path / "d.npz", x=X, y=Y)
    data = load_data(path, calibration_images=4)
    assert not data.calibration_is_separate and data.calibration.shape == (4, 4)
    assert {tuple(row) for row in data.calibration} <= {tuple(row) for row in X}
    again, other = (load_data(path, calibration_images=4, seed=s).calibration for s in (0, 1))
    assert np.array_equal(again, data.calibration) and not np.array_equal(other, data.calibration)


def test_calibration_needs_no_labels(tmp_path):
    path, x = tmp_path / "c.npz", np.arange(60.0).reshape(20, 3)
    np.savez(path, x=x)
    found = load_calibration(path, calibration_images=100)
    np.testing.assert_array_equal(found.images, x)
    assert found.name == "c.npz" and len(load_calibration(path, calibration_images=7).images) == 7
    with pytest.raises(DataError, match=r"must hold the arrays x and y, got x;.*can calibrate a conversion, but"):
        load_data(path)
    np.savez(path, x=x, x_calibration=x[:4] + 0.5)
    np.testing.assert_array_equal(load_calibration(path).images, x[:4] + 0.5)
    np.savez(path, z=x)
    with pytest.raises(DataError, match="must hold the array x"):
        load_calibration(path)
    with pytest.raises(DataError, match="resize, crop and normalize apply to pictures only"):
        load_calibration(path, preprocessing=Preprocessing(resize=4))


def test_calibration_part(tmp_path):
    data = load_data(save(tmp_path / "d.npz", x=X, y=Y, x_calibration=X + 100))
    assert data.calibration_is_separate and data.calibration.min() >= 100 and len(data.calibration) == 6


def test_integers_become_floats_of_the_same_value(tmp_path):
    data = load_data(save(tmp_path / "d.npz", x=X.astype(np.uint8), y=Y.astype(np.uint8)))
    assert data.images.dtype == np.float32 and np.array_equal(data.images, X) and data.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": X, "y": Y}, "must hold the arrays x and y, got images, y;"),
        ({}, "must hold the arrays x and y, got none;"),
        ({"x": X, "y": Y[:3]}, "y: must have 6 labels, one per input, got 3"),
        ({"x": X[0], "y": Y}, r"x: must be numbers .*, got float32 of shape \(4,\)"),
        ({"x": X[:0], "y": Y[:0]}, "N at least 1"),
        ({"x": X.astype(str), "y": Y}, "x: must be numbers .*, got text of shape"),
        ({"x": X, "y": Y.astype(float)}, "y: must be integer class numbers .*, got float64"),
        ({"x": X, "y": np.eye(6, dtype=int)}, r"y: must be integer .*, got int64 of shape \(6, 6\)"),
        (
            {"x": X, "y": Y, "x_calibration": X[:, :2]},
            r"x_calibration must be alike, got \(4,\) and \(2,\)",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, arrays, said):
    path = save(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError, match=said) as error:
        load_data(path)
    assert "d.npz" in str(error.value)


def test_pickled_objects_are_never_loaded(tmp_path):
    path = save(tmp_path / "d.npz", x=np.array([{"a": 1}, None], dtype=object), y=Y[:2])
    with pytest.raises(DataError, match="never pickled objects"):
        load_data(path)


def test_damaged_and_missing_files(tmp_path):
    path = save(tmp_path / "d.npz", x=X, y=Y)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"d\.npz: not a readable"):
        load_data(path)
    with pytest.raises(DataError, match="no such file"):
        load_data(tmp_path / "other.npz")


def test_a_single_array_is_not_a_data_set(tmp_path):
    np.save(tmp_path / "d.npy", X)
    (tmp_path / "d.npy").rename(tmp_path / "d.npz")
    with pytest.raises(DataError, match="got a single array"):
        load_data(tmp_path / "d.npz")


def test_unknown_words_and_options_that_do_not_apply(tmp_path):
    with pytest.raises(DataError, match=r"data: must be digits, .*got 'cifar'"):
        load_data("cifar")
    with pytest.raises(DataError, match="apply to pictures"):
        load_data("digits", preprocessing=Preprocessing(resize=4))
    with pytest.raises(DataError, match="calibration_images: must be at least 1, got 0"):
        load_data("digits", calibration_images=0)


def test_models_of_several_inputs_have_an_array_per_argument(tmp_path):
    left, right = X, X[:, :2] + 1
    path = save(tmp_path / "two.npz", left=left, right=right, y=Y, names=np.array(list("abcdef")), ids=Y)
    data = load_data(path, calibration_images=4)
    assert set(data.images.arrays) == {"left", "right"} and len(data) == len(data.images) == 6
    part = data.take(3)
    np.testing.assert_array_equal(part.images.arrays["right"], right[::2])
    assert len(data.calibration) == 4 and not data.calibration_is_separate
    save(path, left=left, right=right, left_calibration=left[:2], right_calibration=right[:2])
    assert len(load_calibration(path).images) == 2
    with pytest.raises(DataError, match="must hold the arrays x and y"):
        load_data(path)
    with pytest.raises(DataError, match=r"same number of samples, got \{'left': 6, 'right': 5\}"):
        load_data(save(path, left=left, right=right[:5], y=Y))


def test_further_arrays_beside_x_are_for_models_that_take_them(tmp_path):
    path = save(tmp_path / "more.npz", x=X, mask=X[:, :2], boxes=X[:5], y=Y)
    images = load_data(path).images
    assert set(images.arrays) == {"x", "mask"}
    np.testing.assert_array_equal(images.of_model("x", (), DataError), X)
    with pytest.raises(DataError, match="model of 2 inputs takes the arrays x, lengths, got x, mask; name the arrays"):
        images.of_model("calibration", ("x", "lengths"), DataError)
