"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loihi_onespike.cli.arguments.conversion_options import CONVERSION, ConversionGroup, conversion_group
from loihi_onespike.executors import registry

if TYPE_CHECKING:
    from loihi_onespike.data import CalibrationData, Dataset

DATA, OUTPUT = "Data", "Output"


def _conversion(*names: str, metavar: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=help, rich_help_panel=CONVERSION, **more)


def board_names() -> list[str]:
    """Names of the boards that come with the package, for help and for the completion of a shell."""
    folder = resources.files("hw_configs")
    return sorted(p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml"))


def _data(*names: str, metavar: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=help, rich_help_panel=DATA, **more)


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="digits, file.py:callable, package.module:callable, torchvision:name, or a file: net.onnx, or net.pt2 of "
        "torch.export. The callable takes no arguments and returns the trained torch.nn.Module (or is its class).",
    ),
]
NetFile = Annotated[Path, typer.Argument(metavar="NET.h5", help="File written by `onespike convert`.")]
BOARDS = f"{', '.join(board_names())}, or a .toml file of your own"
"""What --board takes, for help and for messages."""


def _board(more: str = "") -> Any:
    return typer.Option("--board", metavar="BOARD", help=f"Board: {BOARDS}.{more}", autocompletion=board_names)


Board = Annotated[str, _board()]
SmallestBoard = Annotated[str | None, _board(" Default: the smallest one with Loihi 2 that the network fits.")]
BoardToRun = Annotated[str | None, _board(" Must be given.")]
FillChips = Annotated[
    bool,
    typer.Option(
        "--fill-chips",
        help="Spread slow layers over cores that are idle on the chips in use: less time and static energy per image.",
    ),
]
PricesOf = Annotated[
    str | None,
    typer.Option(
        "--board",
        metavar="BOARD",
        help=f"State the energy of every population at the prices of this board: {BOARDS}.",
        autocompletion=board_names,
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Weights: safetensors, or a state_dict of torch.save; every key must match."),
]

Data = Annotated[
    str,
    _data(
        "--data",
        metavar="DATA",
        help="digits, FILE.npz (arrays x, y; optionally x_calibration; to convert x is enough), torchvision:CIFAR10 "
        "with --data-root, or a folder with one subfolder of pictures per class.",
    ),
]
DataRoot = Annotated[
    Path | None,
    _data("--data-root", metavar="FOLDER", help="Folder of a torchvision data set. Nothing is downloaded."),
]
Resize = Annotated[int | None, _data("--resize", metavar="N", help="Pictures: shorter side after scaling, in pixels.")]
Crop = Annotated[int | None, _data("--crop", metavar="N", help="Pictures: side of the centre square, in pixels.")]
Normalize = Annotated[
    str,
    _data(
        "--normalize",
        metavar="NAME",
        help="Pictures: (pixel/255 - mean)/std with those of imagenet, cifar10, cifar100 or mnist, or as numbers "
        "mean,mean,mean/std,std,std; none: pixel/255.",
    ),
]
Images = Annotated[
    int | None,
    _data("--images", metavar="N", help="Images, spread evenly over the data.", min=1, show_default="all"),
]
FewImages = Annotated[int, _data("--images", metavar="N", help="Images, spread evenly over the data.", min=1)]
Seed = Annotated[int, _data("--seed", metavar="N", help="Seed of the choice of calibration images.")]

CalibrationImages = Annotated[
    int,
    _conversion(
        "--calibration-images",
        metavar="N",
        help="Images to calibrate with, from the training part of the data where it has one.",
        min=1,
    ),
]

ExecutorName = Annotated[
    str,
    typer.Option("--executor", metavar="NAME", help=registry.description(), autocompletion=lambda: registry.names()),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="NAME",
        help=f"Where {registry.listed(registry.names_with('devices'))} run: cpu, or cuda (any device of torch); "
        "integers are the same on every device.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", help="Time limit of a run on Lava, its start included.", min=1),
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout instead of text.", rich_help_panel=OUTPUT)
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=OUTPUT)]


@conversion_group()
class Conversion(ConversionGroup):
    """All options of a conversion, for `groups.grouped`."""

    calibration_images: CalibrationImages = 512


@conversion_group("timesteps", "wait")
class DemoConversion(ConversionGroup):
    """The options of a conversion that the demonstration has, for `groups.grouped`."""


@conversion_group("weight_bits", "input_bits", "method", "objective", "price", "account", "payload_bits")
class FixedConversion(ConversionGroup):
    """The options of a conversion that a search leaves as they are, for `groups.grouped`."""

    calibration_images: CalibrationImages = 512


@dataclass(frozen=True)
class Source:
    """Options that say where data lies and how its pictures are prepared, for `groups.grouped`.

    The seed is a separate option, because it chooses calibration images, which not every command needs.

    Attributes:
        data_root: folder of a torchvision data set.
        resize: length of the shorter side of pictures after scaling, in pixels.
        crop: side of the centre square of pictures, in pixels.
        normalize: name or numbers of the normalization of pictures.
    """

    data_root: DataRoot = None
    resize: Resize = None
    crop: Crop = None
    normalize: Normalize = "none"

    def check(self, data: str, labels: bool = True) -> None:
        """Check that data of a name can be there, before anything large is imported; DataError where not.

        Args:
            data: value of --data.
            labels: whether it must have labels.
        """
        from loihi_onespike.data.load import check_labels, check_source

        check_source(data, self.data_root)
        if labels:
            check_labels(data)

    def read(self, data: str, calibration_images: int = 1, seed: int = 0) -> Dataset:
        """Load data by name, with its pictures prepared as the options say.

        Args:
            data: value of --data.
            calibration_images: number of calibration images.
            seed: seed of their choice.
        """
        from loihi_onespike.data import load_data

        return load_data(data, **self._keywords(calibration_images, seed))

    def read_calibration(self, data: str, calibration_images: int, seed: int) -> CalibrationData:
        """The calibration images of data by name; labels are not asked for.

        Args:
            data, calibration_images, seed: as for `read`.
        """
        from loihi_onespike.data import load_calibration

        return load_calibration(data, **self._keywords(calibration_images, seed))

    def _keywords(self, calibration_images: int, seed: int) -> dict[str, Any]:
        from loihi_onespike.data import Preprocessing

        pictures = Preprocessing.named(self.normalize, self.resize, self.crop)
        return {
            "root": self.data_root,
            "calibration_images": calibration_images,
            "preprocessing": pictures,
            "seed": seed,
        }
