"""From a trained model to a one-spike network.

Reading order: `options` and `method` say what may be asked for; `pipeline` is the conversion from beginning to end;
`source` holds the steps in which batches of samples and one graph differ. Then the work itself: `lowering` (which
neurons there are, and what each of them sums), `calibration` (levels, scales, thresholds, weights and biases from data)
and `quantization` (integers of at most 24 bits, with proof of head-room).
Calibration imports quantization and not the other way round, since it rounds the weights of a layer, and tries its
head-room, before it goes on to the next.
"""
