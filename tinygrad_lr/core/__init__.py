"""Understand this, and you understand automatic differentiation.

    shapes       which sizes fit, which axes are meant
    numerics     functions of one float that are right for every float
    array        Array: a shape and a flat list of floats
    modes        no_grad, detect_anomaly: what happens beside computing
    operation    a function, with the derivative rule of each argument
    facade       what a Value looks like to Python
    value        data, gradient, and how it was made
    deferred     a cotangent whose terms are added up once
    backward     the backward pass: reverse topological order, one vjp at a time
    typed        what operations are to a type checker
    lift         functions of numbers become operations
    fast         faster equals of plain functions, each with its measured gain

No particular operation is here (`ops`).
"""

from . import fast as fast

__all__: list[str] = []
