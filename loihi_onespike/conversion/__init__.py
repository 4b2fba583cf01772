"""From a trained model to a one-spike network.

Reading order: `options` and `method` are the settings; `pipeline` is the conversion from beginning to end; `source`
holds the steps in which batches of samples and one graph differ. The steps themselves are in `lowering` (the neurons,
and what each of them sums), `calibration` (levels, scales, thresholds, weights and biases from data) and `quantization`
(integers of at most 24 bits, with a record of the head-room). Calibration imports quantization, since it rounds the
weights of a layer and checks its head-room before it calibrates the next layer.
"""
