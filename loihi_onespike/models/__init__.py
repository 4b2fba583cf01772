"""Models by name: `load_model("file.py:callable")`, `package.module:callable`, `torchvision:name` or `digits`."""

from loihi_onespike.models.load import SUPPORTED, LoadedModel, load_model

__all__ = ["SUPPORTED", "LoadedModel", "load_model"]
