"""Every code block of README and docs runs, with small files in place of the reader's own."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.utils.data import DataLoader, TensorDataset

import loihi_onespike as los
from loihi_onespike.data.digits import load_digits_data
from loihi_onespike.executors.lava import available
from loihi_onespike.frontend.tracing.registry import OPERATIONS
from tests.docs.blocks import LANGUAGES, PAGES, ROOT, Block, blocks_of
from tests.support.graph_models import TwoLayers, adjacency

SLOW = ("docs/diagnose.md", "docs/report.md", "docs/sanafe.md", "docs/tune.md")
"""Pages whose Python takes long."""
THOROUGH = ("docs/quickstart.md",)
"""Pages that `make test` leaves to `make test-thorough`; the blocks of README.md, which it runs, are much the same."""
OPTIONAL = {
    "docs/neurobench.md": "neurobench",
    "docs/nir.md": "nir",
    "docs/report.md": "bokeh",
    "docs/sanafe.md": "sanafe",
}
"""Packages without which a page cannot run."""


def _names(folder: Path) -> dict[str, Any]:
    """What the pages call the reader's own: a model, its data and the network that was made of them."""
    (model_file,) = [b for b in blocks_of(ROOT / "docs/howto/cnn.md") if b.text.startswith("# my_model.py")]
    made: dict[str, Any] = {}
    exec(model_file.text, made)
    torch.manual_seed(0)
    model = made["build"]()
    data = load_digits_data(64)
    x, y = np.asarray(data.images)[:40], data.labels[:40]
    calibration = np.asarray(data.calibration)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(20):
        optimizer.zero_grad()
        outputs = model(torch.from_numpy(np.asarray(data.images)))
        torch.nn.functional.cross_entropy(outputs, torch.from_numpy(data.labels)).backward()
        optimizer.step()
    model.eval()
    for name in ("my_model.py", "model.py"):
        (folder / name).write_text(model_file.text)
    torch.save(model.state_dict(), folder / "weights.pt")
    save_file(model.state_dict(), folder / "weights.safetensors")
    for name in ("test.npz", "train.npz", "data.npz"):
        np.savez(folder / name, x=x, y=y, x_calibration=calibration)
    np.savez(folder / "calibration.npz", x=calibration)
    net = los.convert(model, calibration)
    net.save(folder / "net.h5")
    images = torch.from_numpy(calibration)
    loader = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=8)
    names = {"los": los, "torch": torch, "np": np, "model": model, "calibration_images": images, "calibration": images}
    return names | {"images": x, "labels": y, "x": x, "y": y, "net": net, "loader": loader} | _graph_names()


class FeaturesFirst(TwoLayers):
    """The same network with its arguments in the other order."""

    def forward(self, x: torch.Tensor, adj: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(adj, x)


def _graph_names() -> dict[str, Any]:
    """The names of graph networks: on one-hot features, and on features of its own."""
    edges = adjacency(20)
    torch.manual_seed(0)
    return {
        "gcn": TwoLayers(20, 8, 3).eval(),
        "feature_gcn": FeaturesFirst(20, 8, 3).eval(),
        "adjacency": edges,
        "features": torch.rand(20, 20),
        "node_labels": np.arange(20) % 3,
        "test_mask": np.arange(20) < 10,
    }


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    return folder, _names(folder)


@pytest.fixture
def place(reader, tmp_path, monkeypatch):
    """A folder of the reader with all files, and the names."""
    folder, names = reader
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    rules = dict(OPERATIONS)
    yield dict(names, network=names["net"].network)
    OPERATIONS.clear()  # a page adds a rule
    OPERATIONS.update(rules)


def _runs(page: list[Block], place: dict[str, Any], slow: bool) -> None:
    if page[0].page in OPTIONAL:
        pytest.importorskip(OPTIONAL[page[0].page])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", los.errors.OneSpikeWarning)  # 64 images are few
        for block in page:
            if slow or block.language != "python" or block.page not in SLOW:
                block.run(place, slow)


def _pages(slow: bool) -> list[Any]:
    pages = {str(page.relative_to(ROOT)): blocks_of(page) for page in PAGES}
    chosen = {
        name: blocks
        for name, blocks in pages.items()
        if (any(block.is_slow() for block in blocks) or name in SLOW if slow else any(b.runs() for b in blocks))
    }
    return [
        pytest.param(blocks, id=name, marks=pytest.mark.thorough if name in THOROUGH else ())
        for name, blocks in chosen.items()
    ]


@pytest.mark.parametrize("page", _pages(slow=False))
def test_the_blocks_of_a_page_run_one_after_the_other(page, place):
    _runs(page, place, slow=False)


@pytest.mark.slow
@pytest.mark.lava
@pytest.mark.skipif(not available(), reason="Lava is not installed")
@pytest.mark.parametrize("page", _pages(slow=True))
def test_the_slow_blocks_of_a_page_run_too(page, place):
    _runs(page, place, slow=True)


def test_every_block_says_what_it_is():
    blocks = [block for page in PAGES for block in blocks_of(page)]
    assert len(blocks) > 50
    unknown = [f"{b.page}:{b.line}: {b.language or 'no language'}" for b in blocks if b.language not in LANGUAGES]
    assert not unknown, "\n".join(unknown)


def test_a_block_that_fails_says_where():
    with pytest.raises(AssertionError, match=r"page\.md:3: NameError"):
        Block("page.md", 3, "python", "missing").run({})
    with pytest.raises(AssertionError, match="no such extra"):
        Block("page.md", 3, "sh", "pip install 'loihi-onespike[absent]'").run({})
    with pytest.raises(AssertionError, match=r"inspect absent\.h5"):
        Block("page.md", 3, "sh", "onespike inspect absent.h5").run({})
    with pytest.raises(AssertionError, match="mark the block as text"):
        Block("page.md", 3, "sh", "rm net.h5").run({})
