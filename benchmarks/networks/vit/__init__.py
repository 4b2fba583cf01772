"""Vision transformer for CIFAR-10."""
