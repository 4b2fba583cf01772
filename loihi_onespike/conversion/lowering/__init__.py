"""Lowering of an ANN graph to stages: the neurons of every population and what they sum."""
