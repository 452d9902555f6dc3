"""From a traced function to Python: terms are simplified, get names, and are written.

    bodies       what an operation computes, read from its own function
    syntax       small pieces of Python
    terms        a graph as algebra: simplified, equal terms once
    formulas     functions of numbers as terms
    tracing      a function and its gradient as terms
    writing      terms of single numbers as Python expressions
    loops        terms of tensors as Python loops
    lines        which terms have a line and a name
    notation     formulas as users write them
    remarks      the comment behind each line
    layout       the text of a module
    compiling    to_source and compile

Terms and notation serve `explain` too.
"""

__all__: list[str] = []
