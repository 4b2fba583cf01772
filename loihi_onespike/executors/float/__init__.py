"""The float executor: the paper's own arithmetic, no integers, full wait."""
