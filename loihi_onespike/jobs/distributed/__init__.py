"""Work that several processes do together, by torch.distributed (docs/scale.md)."""

from loihi_onespike.jobs.distributed.ranks import Ranks

__all__ = ["Ranks"]
