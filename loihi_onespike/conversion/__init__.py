"""From a trained model to a one-spike network: lowering, calibration, quantization."""
