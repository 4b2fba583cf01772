"""MobileNet-style network of ReLUs without shortcuts for CIFAR-10."""
