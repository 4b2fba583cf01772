"""Mutation fuzzing of every kind of file that the toolkit reads; `python -m tests.fuzzing --help`."""
