"""MobileNetV3-style network for CIFAR-10."""
