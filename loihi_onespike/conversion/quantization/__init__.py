"""Quantization of planned stages to the integer network, with a record of its head-room."""
