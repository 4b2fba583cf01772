"""Data sets by name: `load_data("digits")`, an .npz file, `torchvision:CIFAR10`, or a folder of images."""

from loihi_onespike.data.dataset import Dataset, LazyImages
from loihi_onespike.data.load import SUPPORTED, CalibrationData, load_calibration, load_data
from loihi_onespike.data.preprocessing import Preprocessing

__all__ = [
    "SUPPORTED",
    "CalibrationData",
    "Dataset",
    "LazyImages",
    "Preprocessing",
    "load_calibration",
    "load_data",
]
