"""Networks trained for the benchmarks, a folder each: `model.py` with `load()`, and the weights beside it.

`benchmarks.train_cifar10` trains them; `benchmarks.cifar10 --network` measures them converted.
"""
