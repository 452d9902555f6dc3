"""The rulebook: what each operation computes, and its derivative beside it.

    elementwise    arithmetic, elementary functions, kinks
    tensors        reductions, shapes, indexing, products
    probability    sigmoid and softmax

These operations become operators and methods of `Value`.
"""

__all__: list[str] = []
