"""Preprocessing of pictures: from a PIL image to the array that the model takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

NAMED_NORMALIZATION: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "none": ((0.0,), (1.0,)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    "mnist": ((0.1307,), (0.3081,)),
}
"""Mean and standard deviation per channel of pixels in 0..1, as published with the models trained on them."""


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing x = (pixel / 255 - mean) / std, after resizing and cropping.

    Attributes:
        resize: length of the shorter side in pixels after bilinear scaling; None keeps the size.
        crop: side in pixels of the square that is cut from the centre; None keeps the whole picture.
        mean: mean per channel, or one for all channels.
        std: standard deviation per channel, or one for all channels.
    """

    resize: int | None = None
    crop: int | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        for name, value in (("resize", self.resize), ("crop", self.crop)):
            if value is not None and value < 1:
                raise DataError(f"{name}: must be at least 1 pixel, got {value}")
        if min(self.std) <= 0:
            raise DataError(f"std: must be numbers above 0, got {self.std}")

    @classmethod
    def named(cls, normalize: str = "none", resize: int | None = None, crop: int | None = None) -> Preprocessing:
        """Preprocessing with a named normalization.

        Args:
            normalize: a name of NAMED_NORMALIZATION, or means and standard deviations as "m,m,m/s,s,s".
            resize: length of the shorter side in pixels.
            crop: side of the centre square in pixels.

        Raises:
            DataError: the name is unknown and not of the form of numbers, or a number is out of range.
        """
        if normalize in NAMED_NORMALIZATION:
            mean, std = NAMED_NORMALIZATION[normalize]
            return cls(resize, crop, mean, std)
        try:
            mean, std = (tuple(float(v) for v in part.split(",")) for part in normalize.split("/"))
        except ValueError:
            raise DataError(
                f"normalize: must be one of {', '.join(NAMED_NORMALIZATION)}, or means/standard deviations per channel "
                f"such as 0.5,0.5,0.5/0.25,0.25,0.25, got {normalize!r}"
            ) from None
        return cls(resize, crop, mean, std)

    def __call__(self, picture: Image) -> NDArray[np.float32]:
        """The array (C, height, width) of a PIL image, float32."""
        return self.normalized(to_chw(self._cut(self._scaled(picture))))

    def normalized(self, pixels_chw: NDArray[np.float32]) -> NDArray[np.float32]:
        """(x - mean) / std of pixels in 0..1 of shape (C, height, width)."""
        channels = len(pixels_chw)
        mean, std = (_per_channel(v, channels) for v in (self.mean, self.std))
        return ((pixels_chw - mean) / std).astype(np.float32)

    def _scaled(self, picture: Image) -> Image:
        if self.resize is None:
            return picture
        short = min(picture.size)
        width, height = (n * self.resize // short for n in picture.size)  # truncated, not rounded, as torchvision does
        return picture.resize((width, height), resample=2)  # 2: bilinear, as torchvision's default

    def _cut(self, picture: Image) -> Image:
        if self.crop is None:
            return picture
        if min(picture.size) < self.crop:
            raise DataError(
                f"crop: must be at most the side of the image, got {self.crop} for an image of {picture.size[0]} x "
                f"{picture.size[1]} pixels; resize to at least {self.crop} first (--resize)"
            )
        left, top = (round((n - self.crop) / 2) for n in picture.size)
        return picture.crop((left, top, left + self.crop, top + self.crop))


def to_chw(picture: Image) -> NDArray[np.float32]:
    """The pixels of a picture in 0..1, (C, height, width), with one channel for grey pictures and three for others."""
    if picture.mode not in ("L", "1", "RGB"):
        picture = picture.convert("RGB")
    pixels = np.asarray(picture.convert("L") if picture.mode == "1" else picture, dtype=np.float32) / 255
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _per_channel(values: Sequence[float], channels: int) -> NDArray[np.float64]:
    if len(values) not in (1, channels):
        raise DataError(
            f"mean and std: must have one value or one per channel, got {len(values)} for images of {channels} channels"
        )
    return np.array(values).reshape(-1, 1, 1)
