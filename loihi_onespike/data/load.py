"""`load_data` and `load_calibration`: data by the name that the command line gives."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from loihi_onespike.data.dataset import Dataset, Samples
from loihi_onespike.data.preprocessing import Preprocessing
from loihi_onespike.errors import DataError
from loihi_onespike.regular_files import check_readable

SUPPORTED = "digits, FILE.npz, torchvision:NAME with a root, or a folder with one subfolder of pictures per class"
CALIBRATION_IMAGES = 512


def load_data(
    spec: str | Path,
    *,
    root: str | Path | None = None,
    calibration_images: int = CALIBRATION_IMAGES,
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> Dataset:
    """A data set by name.

    Args:
        spec: "digits", the path of an .npz file with arrays x and y, "torchvision:NAME", or a folder of pictures.
        root: folder of a torchvision data set.
        calibration_images: number of calibration images; fewer where the data has fewer.
        preprocessing: resizing, cropping and normalization of pictures; arrays are used as they are.
        seed: seed of the choice of calibration images.

    Raises:
        DataError: the data does not exist or is damaged; nothing is ever downloaded.
    """
    check_source(spec, root)
    if calibration_images < 1:
        raise DataError(f"calibration_images: must be at least 1, got {calibration_images}")
    text, path = str(spec), Path(spec).expanduser()
    folder = None if root is None else Path(root).expanduser()
    for_pictures = preprocessing or Preprocessing()
    if text == "digits":
        _refuse_preprocessing(text, preprocessing)
        from loihi_onespike.data.digits import load_digits_data

        return load_digits_data(calibration_images)
    if text.startswith("torchvision:"):
        from loihi_onespike.data.pictures import load_torchvision

        return load_torchvision(text.removeprefix("torchvision:"), folder, for_pictures, calibration_images, seed)
    if path.is_dir():
        from loihi_onespike.data.pictures import load_folder

        return load_folder(path, for_pictures, calibration_images, seed)
    _refuse_preprocessing(text, preprocessing)
    from loihi_onespike.data.npz import load_npz

    return load_npz(path, calibration_images, seed)


@dataclass(frozen=True, eq=False)
class CalibrationData:
    """Inputs that calibrate a conversion, without labels.

    Attributes:
        name: name for reports.
        images: (M, …) float, as the model takes them; of a model of several inputs one array for each.
    """

    name: str
    images: Samples


def load_calibration(
    spec: str | Path,
    *,
    root: str | Path | None = None,
    calibration_images: int = CALIBRATION_IMAGES,
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> CalibrationData:
    """The calibration images of a data set, which needs no labels.

    Args:
        spec, root, calibration_images, preprocessing, seed: as for `load_data`; an .npz file needs the array x alone.

    Raises:
        DataError: the data does not exist or is damaged.
    """
    path = Path(spec).expanduser()
    if path.suffix != ".npz" or path.is_dir():
        found = load_data(
            spec, root=root, calibration_images=calibration_images, preprocessing=preprocessing, seed=seed
        )
        return CalibrationData(found.name, found.calibration)
    check_source(spec, root)
    _refuse_preprocessing(str(spec), preprocessing)
    from loihi_onespike.data.npz import load_npz_calibration

    return CalibrationData(path.name, load_npz_calibration(path, calibration_images, seed))


def check_source(spec: str | Path, root: str | Path | None = None) -> None:
    """Check that data of a name can be there, without reading it: what costs no time is found before long work.

    Args:
        spec: as for `load_data`.
        root: folder of a torchvision data set.

    Raises:
        DataError: it is no name of data, or its file or folder is missing.
    """
    text, path = str(spec), Path(spec).expanduser()
    if text.startswith("torchvision:") and root is not None and not Path(root).expanduser().is_dir():
        raise DataError(f"{root}: no such folder; --data-root names that of {text}")
    if text == "digits" or text.startswith("torchvision:") or path.is_dir():
        return
    if path.suffix != ".npz":
        raise DataError(f"data: must be {SUPPORTED}; got {text!r}, which is no file or folder")
    check_readable(path, DataError)


def has_labels(spec: str | Path) -> bool:
    """Whether data of a name has labels, told without reading it; True where only reading tells."""
    path = Path(spec).expanduser()
    if path.suffix != ".npz" or not path.is_file():
        return True
    from loihi_onespike.data.archive import ARCHIVE_ERRORS, LABELS, SUFFIX

    try:
        with zipfile.ZipFile(path) as archive:
            return f"{LABELS}{SUFFIX}" in archive.namelist()
    except ARCHIVE_ERRORS:  # reading it says what is wrong
        return True


def check_labels(spec: str | Path) -> None:
    """Check that data of a name can be evaluated, before long work; DataError where it has no labels."""
    if not has_labels(spec):
        raise DataError(
            f"{spec}: must hold labels, the array y, got none; write it with numpy.savez(path, x=inputs, y=labels); "
            "without labels it can calibrate a conversion, but not be evaluated"
        )


def _refuse_preprocessing(spec: str, preprocessing: Preprocessing | None) -> None:
    if preprocessing is not None and preprocessing != Preprocessing():
        raise DataError(f"{spec}: resize, crop and normalize apply to pictures only; arrays are used as they are")
