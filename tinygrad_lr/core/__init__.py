"""Understand this, and you understand automatic differentiation.

    shapes      which sizes fit, which axes are meant
    numerics    functions of one float that are right for every float
    array       Array: a shape and a flat list of floats
    modes       no_grad, detect_anomaly: what happens beside computing
    value       Value: a number that remembers how it was made; the backward walk
    lift        how an operation is made: value and rules in one place

No particular operation is here (`ops`).
"""

__all__: list[str] = []
