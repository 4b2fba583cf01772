"""Linear maps and sums over synapse groups as torch operations, shared by the executors that work on batches."""
