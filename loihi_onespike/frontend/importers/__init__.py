"""Other sources of models: programs of torch.export and ONNX files."""
