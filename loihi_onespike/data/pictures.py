"""Data that torchvision reads: its own classification data sets, and folders of pictures. Nothing is downloaded."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.data.dataset import Dataset, LazyImages, draw
from loihi_onespike.data.preprocessing import Preprocessing
from loihi_onespike.errors import DataError
from loihi_onespike.regular_files import check_readable

if TYPE_CHECKING:
    from PIL.Image import Image

EVALUATED_FOLDERS = ("test", "val", "valid", "validation")
"""Names of the subfolder that is evaluated where there is also one named `train`; the first that exists is used."""
FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP")
"""Formats of pictures in a folder: those of the endings that torchvision's ImageFolder lists."""
EVALUATED_SPLITS = ("test", "val", "valid", "validation")


def torchvision_datasets() -> ModuleType:
    """The module torchvision.datasets; DataError with the way to install it where it is missing."""
    try:
        import torchvision.datasets
    except ImportError as error:
        raise DataError(
            f"torchvision is needed to read this data and cannot be imported ({error}); "
            'install it with: pip install "loihi-onespike[vision]"'
        ) from error
    return torchvision.datasets


def load_torchvision(
    name: str, root: Path | None, preprocessing: Preprocessing, calibration_images: int, seed: int
) -> Dataset:
    """Load a classification data set of torchvision: its test or validation part, and its training part to calibrate.

    Args:
        name: name of the class in torchvision.datasets.
        root: folder that holds the data set.
        preprocessing: from a picture to the array that the model takes.
        calibration_images: number of calibration images.
        seed: seed of their choice.

    Raises:
        DataError: torchvision has no such data set, or it is missing or damaged in the folder.
    """
    kind: Callable[..., Any] | None = getattr(torchvision_datasets(), name, None)
    if not isinstance(kind, type):
        raise DataError(f"torchvision:{name}: torchvision.datasets has no such data set; give a name such as CIFAR10")
    if root is None:
        raise DataError(
            f"torchvision:{name}: no folder given; give the folder of the data set with --data-root (root=)"
        )
    options = inspect.signature(kind).parameters
    if "train" in options:
        parts: dict[str, dict[str, Any]] = {"train": {"train": True}, "test": {"train": False}}
    elif "split" in options:
        parts = {"train": {"split": "train"}} | {s: {"split": s} for s in EVALUATED_SPLITS}
    else:
        raise DataError(f"torchvision:{name}: has no training and test part; only data sets with both can be used")
    fixed = {"download": False} if "download" in options else {}

    make: Callable[..., Any] = kind

    def open_part(arguments: dict[str, Any]) -> Any:
        try:
            return make(str(root), **arguments, **fixed)
        except (RuntimeError, OSError, TypeError) as error:
            raise DataError(
                f"torchvision:{name}: not found or damaged in {root} ({error}); nothing is downloaded: "
                f"fetch it once with torchvision.datasets.{name}({str(root)!r}, download=True), or by hand"
            ) from error

    evaluated = open_part(parts["test"]) if "train" in options else _first_split(open_part, parts)
    return _dataset(
        f"torchvision:{name}", evaluated, open_part(parts["train"]), preprocessing, calibration_images, seed
    )


def _first_split(open_part: Callable[[dict[str, Any]], Any], parts: dict[str, dict[str, Any]]) -> Any:
    """The first of EVALUATED_SPLITS that the data set has."""
    refusal: DataError | None = None
    for split in EVALUATED_SPLITS:
        try:
            return open_part(parts[split])
        except ValueError:  # torchvision's answer to a split that the data set does not have
            continue
        except DataError as error:
            refusal = refusal or error
    raise refusal or DataError(f"has none of the splits {', '.join(EVALUATED_SPLITS)}")


def read_picture(path: str) -> Image:
    """A picture of a folder in RGB.

    The format is one of FORMATS whatever the name of the file says, so that decoders of rare formats never see it.

    Raises:
        DataError: it is no regular file, of another format, or damaged.
    """
    import PIL.Image

    check_readable(path, DataError)
    try:
        with PIL.Image.open(path, formats=FORMATS) as picture:
            return picture.convert("RGB")
    except Exception as error:  # a decoder may raise anything
        said = ascii(f"{type(error).__name__}: {error}"[:200])[1:-1]
        raise DataError(f"{path}: must be a picture ({', '.join(FORMATS)}), got {said}; save it again") from error


def load_folder(root: Path, preprocessing: Preprocessing, calibration_images: int, seed: int) -> Dataset:
    """Load a folder with one subfolder of pictures per class, or with subfolders train and test (or val) of that form.

    Args:
        root: the folder.
        preprocessing: from a picture to the array that the model takes.
        calibration_images: number of calibration images.
        seed: seed of their choice.

    Raises:
        DataError: the folder is not of this form, or its parts have different classes.
    """
    folder = torchvision_datasets().ImageFolder
    evaluated = next((root / n for n in EVALUATED_FOLDERS if (root / n).is_dir()), None)

    def open_part(path: Path) -> Any:
        try:
            return folder(str(path), loader=read_picture)
        except FileNotFoundError as error:
            raise DataError(
                f"{path}: {error}; it must have one subfolder of pictures per class, "
                "directly or below the subfolders train and test"
            ) from error

    if evaluated is not None and (root / "train").is_dir():
        train = open_part(root / "train")
        test = open_part(evaluated)
        if train.classes != test.classes:
            raise DataError(
                f"{root}: train and {evaluated.name} must have the same classes, got {train.classes[:8]} and "
                f"{test.classes[:8]}"
            )
        return _dataset(root.name, test, train, preprocessing, calibration_images, seed)
    return _dataset(root.name, open_part(root), None, preprocessing, calibration_images, seed)


def _dataset(
    name: str, evaluated: Any, train: Any, preprocessing: Preprocessing, calibration_images: int, seed: int
) -> Dataset:
    def reader(source: Any) -> Callable[[int], NDArray[np.float32]]:
        return lambda i: preprocessing(source[i][0])

    images = LazyImages(reader(evaluated), np.arange(len(evaluated)))
    source = evaluated if train is None else train
    calibration = LazyImages(reader(source), draw(len(source), calibration_images, seed))
    classes = tuple(str(c) for c in getattr(evaluated, "classes", ()))
    return Dataset(name, images, _labels(name, evaluated), calibration[:], classes, train is not None)


def _labels(name: str, source: Any) -> NDArray[np.int64]:
    """Class numbers, which torchvision's data sets keep as `targets` or `labels`, or return with each picture only."""
    for attribute in ("targets", "labels", "_labels"):
        if hasattr(source, attribute):
            labels = np.asarray(getattr(source, attribute))
            break
    else:
        labels = np.asarray([source[i][1] for i in range(len(source))])
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(f"{name}: labels must be integer class numbers, got {labels.dtype} of shape {labels.shape}")
    return labels.astype(np.int64)
