"""The fast integer executor: vectorised, equal to the oracle bit for bit."""
