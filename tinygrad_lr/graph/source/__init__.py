"""From a traced function to Python: terms are simplified, get names, and are written.

    syntax       pieces of Python as text
    bodies       what an operation computes, from the text of its function; imports and helpers
    formulas     functions of numbers, called on terms
    terms        a graph as algebra: simplified, equal terms once
    tracing      a function and its gradient as terms
    writing      terms as Python expressions and loops
    lines        which terms have a line and a name
    notation     formulas as users write them
    remarks      the comment behind each line
    layout       the text of a module
    compiling    to_source and compile

Terms and notation serve `explain` too.
"""

__all__: list[str] = []
