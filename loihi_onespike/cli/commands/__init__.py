"""The commands of `onespike`, one per module."""
