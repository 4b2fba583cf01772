"""Folders of pictures and torchvision's data sets, all made on the spot."""

import os
import pickle
import struct
import sys
from hashlib import md5

import numpy as np
import pytest
from PIL import Image

from loihi_onespike.data import Preprocessing, load_data
from loihi_onespike.data.dataset import LazyImages
from loihi_onespike.errors import DataError

torchvision = pytest.importorskip("torchvision")


def picture(path, size=(6, 4), color=(255, 0, 51), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


@pytest.fixture
def folder(tmp_path):
    for part, count in (("train", 5), ("test", 3)):
        for name, red in (("cat", 0), ("dog", 255)):
            for i in range(count):
                picture(tmp_path / part / name / f"{i}.png", color=(red, 10 * i, 0 if part == "train" else 255))
    return tmp_path


def test_folder_with_parts(folder):
    data = load_data(folder, calibration_images=6)
    assert data.classes == ("cat", "dog") and data.labels.tolist() == [0] * 3 + [1] * 3
    assert data.images.shape == (6, 3, 4, 6) and data.calibration.shape == (6, 3, 4, 6)
    assert data.calibration_is_separate
    assert np.all(data.calibration[:, 2] == 0) and np.all(data.images[:][:, 2] == 1)  # blue tells the parts apart
    assert np.all(data.images[3:][:, 0] == 1)  # red tells the classes apart


def test_folder_without_parts(folder):
    data = load_data(folder / "train", calibration_images=4)
    assert len(data) == 10 and len(data.calibration) == 4 and not data.calibration_is_separate


def test_taking_some_keeps_every_class(folder):
    part = load_data(folder).take(2)
    assert part.labels.tolist() == [0, 1] and part.images[:].shape == (2, 3, 4, 6)


def test_images_are_read_slice_by_slice(folder):
    images = load_data(folder).images
    assert isinstance(images, LazyImages)
    read: list[int] = []
    inner = images.read

    def counted(i: int) -> np.ndarray:
        read.append(i)
        return inner(i)

    images.read = counted
    assert images[1:3].shape == (2, 3, 4, 6) and read == [1, 2]
    assert np.array_equal(np.asarray(images), images[:]) and images.dtype == np.float32 and images.ndim == 4


def test_preprocessing_is_torchvisions(folder):
    from torchvision import transforms

    path = folder / "p.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(path)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    with Image.open(path) as loaded:
        ours = Preprocessing.named("imagenet", resize=32, crop=28)(loaded)
        theirs = transforms.Compose(
            [transforms.Resize(32), transforms.CenterCrop(28), transforms.ToTensor(), transforms.Normalize(mean, std)]
        )(loaded)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-6)


def test_grey_pictures_have_one_channel_and_palettes_three():
    assert Preprocessing()(Image.new("L", (3, 2), 128)).shape == (1, 2, 3)
    assert Preprocessing()(Image.new("P", (3, 2))).shape == (3, 2, 3)
    assert Preprocessing()(Image.new("1", (3, 2), 1)).max() == 1


def test_normalization_as_numbers():
    made = Preprocessing.named("0.5,0.5,0.5/0.25,0.25,0.25")
    assert made.mean == (0.5, 0.5, 0.5) and made.std == (0.25, 0.25, 0.25)
    assert made(Image.new("RGB", (1, 1), (255, 255, 255))).ravel().tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("text", ["imagnet", "0.5", "a/b", "0.5/0"])
def test_normalization_that_is_none(text):
    with pytest.raises(DataError, match=r"normalize: must be .*, got|std: must be .*, got"):
        Preprocessing.named(text)


def test_pictures_of_several_sizes_need_a_crop(folder):
    picture(folder / "test" / "dog" / "large.png", size=(12, 12))
    data = load_data(folder)
    with pytest.raises(DataError, match=r"same shape, got .*--crop"):
        data.images[:]
    assert load_data(folder, preprocessing=Preprocessing(resize=4, crop=4)).images[:].shape == (7, 3, 4, 4)


@pytest.mark.parametrize("format", ["GIF", "ICO", "TGA"])
def test_other_formats_under_the_name_of_a_picture_are_refused(folder, format):
    Image.new("RGB", (6, 4)).save(folder / "test" / "cat" / "0.png", format=format)
    with pytest.raises(DataError, match=r"0\.png: must be a picture \(JPEG, PNG, .*\), got UnidentifiedImageError"):
        load_data(folder).images[:]


def test_a_damaged_picture_is_named(folder):
    path = folder / "test" / "dog" / "1.png"
    whole = path.read_bytes()
    for end in (0, 8, 30, len(whole) - 20):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError, match=r"1\.png: must be a picture"):
            load_data(folder).images[:]
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"1\.png: must be a regular file, got a named pipe"):
        load_data(folder).images[:]


def test_what_does_not_fit_is_said(folder, tmp_path):
    with pytest.raises(DataError, match=r"crop: must be at most .*, got 5 for an image of 6 x 4 pixels"):
        load_data(folder, preprocessing=Preprocessing(crop=5))
    with pytest.raises(DataError, match="got 2 for images of 3 channels"):
        load_data(folder, preprocessing=Preprocessing(mean=(0.1, 0.2), std=(1, 1)))
    picture(folder / "test" / "cow" / "0.png")
    with pytest.raises(DataError, match=r"the same classes, got \['cat', 'dog'\] and \['cat', 'cow', 'dog'\]"):
        load_data(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="one subfolder of pictures per class"):
        load_data(tmp_path / "empty")


def mnist_root(root):
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, images in (("train", 20), ("t10k", 8)):
        pixels = np.full((images, 28, 28), 255 if name == "train" else 0, np.uint8)
        header = struct.pack(">IIII", 0x803, images, 28, 28)
        (raw / f"{name}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        labels = np.arange(images, dtype=np.uint8) % 10
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, images) + labels.tobytes())
    return root


def test_torchvision_data_with_a_train_flag(tmp_path):
    data = load_data("torchvision:MNIST", root=mnist_root(tmp_path), calibration_images=5)
    assert data.images.shape == (8, 1, 28, 28) and data.labels.tolist() == list(range(8))
    assert data.calibration.shape == (5, 1, 28, 28) and data.calibration.min() == 1 and data.images[:].max() == 0
    assert data.calibration_is_separate and data.name == "torchvision:MNIST"


def test_cifar10_in_its_own_format(tmp_path, monkeypatch):
    """Ten images of each part; only the checksums that torchvision compares are those of these files."""
    base = tmp_path / "cifar-10-batches-py"
    base.mkdir()

    def write(name, content):
        (base / name).write_bytes(pickle.dumps(content))
        return [name, md5((base / name).read_bytes()).hexdigest()]

    def batch(value):
        return {"data": np.full((10, 3072), value, np.uint8), "labels": list(range(10))}

    cifar = torchvision.datasets.CIFAR10
    monkeypatch.setattr(cifar, "train_list", [write("data_batch_1", batch(255))])
    monkeypatch.setattr(cifar, "test_list", [write("test_batch", batch(0))])
    filename, checksum = write("batches.meta", {"label_names": list("abcdefghij")})
    monkeypatch.setattr(cifar, "meta", {"filename": filename, "key": "label_names", "md5": checksum})
    data = load_data("torchvision:CIFAR10", root=tmp_path, preprocessing=Preprocessing.named("cifar10"))
    assert data.images.shape == (10, 3, 32, 32) and data.classes == tuple("abcdefghij")
    np.testing.assert_allclose(data.images[0:1][0, 0, 0, 0], -0.4914 / 0.2470, rtol=1e-6)
    np.testing.assert_allclose(data.calibration[0, 0, 0, 0], (1 - 0.4914) / 0.2470, rtol=1e-6)


def test_cifar100_in_its_own_format(tmp_path, monkeypatch):
    """As for CIFAR-10; the classes are the hundred fine ones, not the twenty coarse ones beside them."""
    base = tmp_path / "cifar-100-python"
    base.mkdir()

    def write(name, content):
        (base / name).write_bytes(pickle.dumps(content))
        return [name, md5((base / name).read_bytes()).hexdigest()]

    def part(value):
        pixels = np.full((100, 3072), value, np.uint8)
        return {"data": pixels, "fine_labels": list(range(100)), "coarse_labels": [i // 5 for i in range(100)]}

    cifar = torchvision.datasets.CIFAR100
    names = [f"class {i}" for i in range(100)]
    monkeypatch.setattr(cifar, "train_list", [write("train", part(255))])
    monkeypatch.setattr(cifar, "test_list", [write("test", part(0))])
    filename, checksum = write("meta", {"fine_label_names": names, "coarse_label_names": ["coarse"] * 20})
    monkeypatch.setattr(cifar, "meta", {"filename": filename, "key": "fine_label_names", "md5": checksum})
    pictures = Preprocessing.named("cifar100")
    data = load_data("torchvision:CIFAR100", root=tmp_path, preprocessing=pictures, calibration_images=7)
    assert data.labels.tolist() == list(range(100)) and data.classes == tuple(names)
    assert data.calibration.shape == (7, 3, 32, 32) and data.calibration_is_separate
    np.testing.assert_allclose(data.images[0:1][0, 2, 0, 0], -0.4409 / 0.2762, rtol=1e-6)


def test_a_damaged_cifar_file_is_said(tmp_path, monkeypatch):
    base = tmp_path / "cifar-10-batches-py"
    base.mkdir()
    (base / "data_batch_1").write_bytes(b"cut off")
    with pytest.raises(DataError, match=r"torchvision:CIFAR10: not found or damaged"):
        load_data("torchvision:CIFAR10", root=tmp_path)


def test_imagenet_folders_with_its_preprocessing(tmp_path):
    """Folders named by WordNet, JPEGs of several sizes, one of them grey: 256, centre 224, mean and deviation."""
    from torchvision import transforms

    rng = np.random.default_rng(0)
    for part, synsets in (("train", ("n01440764", "n01443537")), ("val", ("n01440764", "n01443537"))):
        for synset in synsets:
            folder = tmp_path / part / synset
            folder.mkdir(parents=True)
            for i, (width, height) in enumerate(((300, 260), (280, 340))):
                pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{synset}_{i}.JPEG", quality=90)
    Image.new("L", (300, 300), 90).save(tmp_path / "val" / "n01443537" / "grey.JPEG")
    data = load_data(tmp_path, preprocessing=Preprocessing.named("imagenet", 256, 224), calibration_images=3)
    assert data.classes == ("n01440764", "n01443537") and data.labels.tolist() == [0, 0, 1, 1, 1]
    assert data.images[:].shape == (5, 3, 224, 224) and data.calibration.shape == (3, 3, 224, 224)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    standard = transforms.Compose(
        [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), transforms.Normalize(mean, std)]
    )
    with Image.open(tmp_path / "val" / "n01440764" / "n01440764_1.JPEG") as loaded:
        theirs = standard(loaded.convert("RGB")).numpy()
    np.testing.assert_allclose(data.images[1:2][0], theirs, atol=1e-6)


class SplitData:
    """A data set that calls its parts by name and knows no `test`."""

    def __init__(self, root, split="train"):
        if split not in ("train", "val"):
            raise ValueError(f"unknown split {split}")
        self.shade = 200 if split == "train" else 100

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return Image.new("L", (2, 2), self.shade), i


def test_torchvision_data_with_named_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "SplitData", SplitData, raising=False)
    data = load_data("torchvision:SplitData", root=tmp_path)
    assert data.labels.tolist() == [0, 1, 2]
    assert np.all(data.images[:] == np.float32(100 / 255)) and np.all(data.calibration == np.float32(200 / 255))


def test_nothing_is_downloaded(tmp_path):
    with pytest.raises(DataError, match=r"nothing is downloaded.*CIFAR10\(.*download=True"):
        load_data("torchvision:CIFAR10", root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_torchvision_names_and_roots(tmp_path):
    with pytest.raises(DataError, match="--data-root"):
        load_data("torchvision:CIFAR10")
    with pytest.raises(DataError, match="no such data set"):
        load_data("torchvision:CIFAR11", root=tmp_path)
    with pytest.raises(DataError, match="no training and test part"):
        load_data("torchvision:FakeData", root=tmp_path)


def test_without_torchvision_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    with pytest.raises(DataError, match=r'pip install "loihi-onespike\[vision\]"'):
        load_data("torchvision:CIFAR10", root=tmp_path)
