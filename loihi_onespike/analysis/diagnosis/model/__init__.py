"""The integer network in real numbers, with every error that it makes on a switch."""
