"""Graph convolutional networks: one whole graph is one sample of shape (nodes, features).

    aggregate first:  A · (X · W) = (A · X) · W

Every spiking stage then carries values that are not negative, and A · X, which is made of constants, is computed by
the host and is the input of the network. Without features the adjacency itself, sparse, is the input.
"""
