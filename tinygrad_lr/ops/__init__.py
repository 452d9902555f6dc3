"""The rulebook: what each operation computes, and its derivative beside it.

    elementwise    arithmetic, elementary functions, kinks
    tensors        reductions, shapes, indexing, products
    probability    sigmoid and softmax
    methods        the operators and methods of Value

No losses are here (`losses`).
"""

from . import methods as methods  # the import gives them to Value

__all__: list[str] = []
