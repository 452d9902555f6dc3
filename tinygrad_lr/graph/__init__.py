"""The graph, looked at: draw it, explain it, print the derivative as Python.

    to_dot, to_mermaid, draw     a picture: Values, operations, gradients
    explain                      the backward pass in sentences, with its numbers
    to_source, compile           the derivative as straight-line Python, to read or to run
    named_scope                  what belongs together in the picture of a large graph

>>> from tinygrad_lr import binary_cross_entropy_with_logits
>>> def loss(w, b, x, y):
...     return binary_cross_entropy_with_logits(w * x + b, y)
>>> fast = compile(loss, 0.5, 0.0, 2.0, 1.0, argnums=(0, 1))
>>> value, (d_w, d_b) = fast(0.0, 0.0, 3.0, 1.0)
>>> round(value, 6), d_w, d_b                     # log 2, and (p - y) x = (1/2 - 1) 3
(0.693147, -1.5, -0.5)

All of them read graphs and rules as they are in `core`. There is no second set of rules here,
and nothing that is looked at is changed. In reading order:

    walk        the backward pass step by step
    source      the derivative as Python
    explain     the backward pass in sentences
    draw        drawings as text and images
"""

from .draw import draw, mimebundle, named_scope, to_dot, to_mermaid
from .explain import explain
from .source.compiling import compile, to_source

__all__ = [
    "compile", "draw", "explain", "mimebundle", "named_scope", "to_dot", "to_mermaid", "to_source",
]  # fmt: skip
