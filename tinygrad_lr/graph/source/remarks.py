"""The comment behind a line: which rule made it.

    d_w = d_z * x          # multiply: d(w * x)/d w = x, so d_w = (p - y) * x
    p = sigmoid(z)         # 1 / (1 + exp(-z))

A derivative is text by the local derivative, which is the rule read with g = 1; a tensor by
its formula; a function by the first words of its docstring.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from .lines import Lines, needed
from .notation import formula
from .terms import Term
from .tracing import Reason

__all__ = ["remark", "remark_on_gradient"]

LONGEST = 48  # characters of a formula within a comment
MOST = 3  # contributions written one by one
ARITHMETIC = ("+", "-", "*", "/", "**")


def remark(term: Term, lines: Lines) -> str:
    """What is said of the line of a term."""
    if term in lines.derivative_of:
        return remark_on_gradient(lines.derivative_of[term], term, lines)
    if term in lines.traced.table.spelled_out:
        operation, inputs = lines.traced.table.spelled_out[term]
        return f"{operation.name}({', '.join(formula(x, lines.names) for x in inputs)})"
    inside = [t.operation for t in needed([term], lines.names) if t.operation]
    is_function = inside[0].is_elementwise and inside[0].symbol not in ARITHMETIC
    if len(inside) == 1 and is_function and not term.shape:
        return _first_words(term, lines.names)
    if lines.needs.of_numbers:
        return ", ".join(dict.fromkeys(operation.name for operation in inside))
    return formula(term, lines.names, without={term})


def remark_on_gradient(x: Term, gradient: Term, lines: Lines) -> str:
    """Why x has this gradient."""
    reasons = lines.traced.reasons.get(x, [])
    if not reasons:
        return "nothing depends on it"
    if len(reasons) > MOST:
        kinds = dict.fromkeys(reason.operation.name for reason in reasons)
        return f"{len(reasons)} contributions: {', '.join(kinds)}"
    text = "; ".join(_because(reason, lines.names) for reason in reasons)
    others = {g for g in gradient.inputs if g in lines.derivative_of}
    further = {g for other in others for g in other.inputs if g in lines.derivative_of}
    whole = formula(gradient, lines.names, without={gradient, *others})
    if others and not further and lines.needs.of_numbers and len(whole) <= LONGEST:
        return f"{text}, so d_{lines.names[x]} = {whole}"
    return text


def _because(reason: Reason, names: Mapping[Term, str]) -> str:
    """`multiply: d(w * x)/d w = x`, or by what rule, if that is too long."""
    if reason.slope is None:
        text = formula(reason.product, names, without={reason.product})
    else:
        slope = formula(reason.slope, names, without={reason.slope})
        text = f"{_d(reason.output, names)}/{_d(reason.input, names)} = {slope}"
    return f"{reason.operation.name}: {text}" if len(text) <= LONGEST else reason.operation.name


def _d(term: Term, names: Mapping[Term, str]) -> str:
    text = formula(term, names)
    return f"d {text}" if text.isidentifier() else f"d({text})"


def _first_words(term: Term, names: Mapping[Term, str]) -> str:
    """The first words of the operation's docstring, with the operands for the arguments."""
    operation = term.operation
    assert operation is not None
    words = re.split(r"[:;]\s|\.(?:\s|$)", inspect.getdoc(operation.function) or "")[0]
    operands = dict(zip(operation.arguments, (formula(x, names) for x in term.inputs)))
    pattern = rf"\b({'|'.join(operands)})\b"
    return re.sub(pattern, lambda found: operands[found[0]], words)
