"""Commands as the jobs of an array: through SLURM, or as processes of this machine (docs/scale.md)."""

from loihi_onespike.jobs.array import ArrayJob, Cluster, Ended, run_array, submit

__all__ = ["ArrayJob", "Cluster", "Ended", "run_array", "submit"]
