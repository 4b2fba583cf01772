"""docs/layers.md has every rule and every remedy of the front end."""

import importlib.util
from pathlib import Path

import pytest
import torch

from loihi_onespike.frontend.tracing.support import SUPPORT

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "layers.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("layers_page", ROOT / "scripts" / "layers_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_has_every_operation_and_every_remedy(script):
    converts, refused = TEXT.split("## What is refused")
    missing = [name for name in script.shown_operations() if f"`{name}`" not in converts]
    missing += [key for key, advice in SUPPORT.items() if advice.remedy not in refused]
    assert not missing, f"python scripts/layers_page.py; missing: {', '.join(missing)}"


def test_every_layer_that_converts_is_among_the_modules(script):
    modules = TEXT.split("### Operations")[0]
    converting = [name for name, cls in script.module_classes().items() if script.converts(cls)]
    assert converting and not [name for name in converting if f"`{name}`" not in modules]


@pytest.mark.skipif(not torch.__version__.startswith("2.3."), reason="another torch has other layers")
def test_the_page_is_what_the_script_writes(script):
    assert script.page() == TEXT, "python scripts/layers_page.py"
