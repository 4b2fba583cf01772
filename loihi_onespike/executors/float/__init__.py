"""The float executor: the arithmetic of the paper with real numbers and full wait."""
