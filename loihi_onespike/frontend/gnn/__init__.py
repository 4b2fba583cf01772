"""Front end of graph neural networks: arguments, aggregation rules, the form of the input."""
