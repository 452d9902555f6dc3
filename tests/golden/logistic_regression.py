"""regression and its derivatives, written by tinygrad_lr.graph.to_source."""

from tinygrad_lr.core.array import from_flat, numerics, sumprod

log_sigmoid = numerics.log_sigmoid
sigmoid = numerics.sigmoid


def regression(w, b, X, y):
    """loss and its derivatives; d_v is the derivative of loss by v."""
    if w.shape != (30,) or X.shape != (32, 30) or y.shape != (32,):
        raise ValueError("made for the shapes (30,), (32, 30), (32,)")
    z = [sumprod(row, w.flat) + b for row in X.rows]  # X @ w + b
    # binary_cross_entropy_with_logits(z, y)
    loss = sum([
        -(y_i * log_sigmoid(z_i) + (1.0 - y_i) * log_sigmoid(-z_i))
        for y_i, z_i in zip(y.flat, z)
    ]) / 32.0
    # The derivatives, from the value back to the inputs.
    # binary_cross_entropy_with_logits: (sigmoid(z) - y) * 0.03125
    d_z = [(sigmoid(z_i) - y_i) * 0.03125 for z_i, y_i in zip(z, y.flat)]
    d_b = sum(d_z)                      # broadcast_to: sum(d_z)
    d_w = [sumprod(d_z, column) for column in X.columns]  # matmul: d_z @ X
    return loss, (from_flat(d_w, (30,)), d_b)
