"""`load_data`: a data set by the name that the command line gives."""

from __future__ import annotations

from pathlib import Path

from loihi_onespike.data.dataset import Dataset
from loihi_onespike.data.preprocessing import Preprocessing
from loihi_onespike.errors import DataError

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
    if path.suffix == ".npz":
        _refuse_preprocessing(text, preprocessing)
        from loihi_onespike.data.npz import load_npz

        return load_npz(path, calibration_images, seed)
    raise DataError(f"data: must be {SUPPORTED}; got {text!r}, which is no file or folder")


def _refuse_preprocessing(spec: str, preprocessing: Preprocessing | None) -> None:
    if preprocessing is not None and preprocessing != Preprocessing():
        raise DataError(f"{spec}: resize, crop and normalize apply to pictures only; arrays are used as they are")
