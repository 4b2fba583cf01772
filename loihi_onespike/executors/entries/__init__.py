"""The executors as the registry lists them: one module for each, cheap to import."""
