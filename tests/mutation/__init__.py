"""Mutation testing: whether the tests of a module notice a change of its code. `make mutants` runs it."""
