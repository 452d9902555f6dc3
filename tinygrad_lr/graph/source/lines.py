"""Which terms get a name and a line of their own, and in which order the lines stand.

A term has a name if it is asked for, if the user labelled it, if it is used more than once
(so that it is computed once), if textbooks have a letter for it, or if the line that it
would stand in grew too long. All others are written where they are used. Terms that nothing
asks for are not written at all.

The order is that of birth: each line after the lines whose names it uses. d_w is the
derivative of the value by w; what has no better name is numbered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence

from ...core.array import Array
from .bodies import References
from .syntax import identifier
from .terms import Term
from .tracing import Trace
from .writing import Writer, is_product, is_total, through

__all__ = ["LETTERS", "Lines", "needed"]

LETTERS = {
    "sigmoid": "z p", "softmax": "z p", "log_softmax": "z ",
    "binary_cross_entropy_with_logits": "z loss", "cross_entropy": "z loss",
    "linear_binary_cross_entropy": " loss", "linear_cross_entropy": " loss",
}  # fmt: skip
"""What an operation is given first, and what it gives, as textbooks call them."""


class Lines:
    """The lines of a traced function, for its value and some of its gradients.

    terms           what is needed for the outputs, each term after its inputs
    forward         what is needed for the value
    needs           the imports and helpers that they need
    writer          writes expressions, with these names
    names           the names of terms
    derivative_of   for a term that is called d_z: the term that is called z
    """

    def __init__(self, traced: Trace, gradients: Sequence[Term], title: str) -> None:
        self.traced = traced
        self.terms = needed([*traced.values, *gradients])
        self.forward = set(needed(traced.values))
        of_numbers = not any(
            t.shape or (t.operation and not t.operation.is_elementwise) for t in self.terms
        )
        # With formulas `math` raises where a limit is in reach.
        self.needs = References(of_numbers, limits=not of_numbers and not traced.table.formulas)
        self.writer = Writer(self.needs)
        self.names = self.writer.names
        self.derivative_of: dict[Term, Term] = {}
        self._letters = self._textbook_letters()
        self._chosen = self._choose([*traced.values, *gradients])
        self.title = self._free(title)
        for term in traced.inputs:
            self.names[term] = self._free(term.label)
        self._give_names()

    # ---- which terms have a name -------------------------------------------------------------

    def _choose(self, outputs: Sequence[Term]) -> set[Term]:
        chosen = {t for t in self.terms if isinstance(t.data, Array)}
        uses = Counter(outputs)
        for term in self.terms:
            operation = term.operation
            if operation is None or through(term) is not term:
                continue
            if term.label or (not term.shape and self._letters.get(term)):
                chosen.add(term)
            operands = [x for x in map(through, term.inputs) if x.operation]
            uses.update(operands)
            if operation.is_elementwise:
                if term.shape:  # what stands still in a loop is computed before it
                    chosen.update(x for x in operands if not x.shape)
            elif not is_total(term):  # a function of whole Arrays
                chosen.update(operands)
                if term.shape and not is_product(term):
                    chosen.add(term)
        for term in self.terms:
            if uses[term] > 1 or term in outputs:
                is_minus = term.name == "negative" and not term.shape
                below = through(term.inputs[0]) if is_minus else term
                if below.operation and not (is_minus and below in chosen):  # -x is as short as x
                    chosen.add(term)
        self._break_long_lines(chosen)
        return chosen

    def _break_long_lines(self, chosen: set[Term]) -> None:
        """Names the longest part of what would be too long, by a rough count of characters."""
        of_a_name, most = (2, 64) if self.needs.of_numbers else (4, 80)
        width: dict[Term, int] = {}
        for term in self.terms:
            named_by_word = term.operation and term.operation.symbol == term.operation.name
            own = len(term.name) + 2 if named_by_word else 3
            operands = list(map(through, term.inputs))
            parts = [x for x in reversed(operands) if x.operation and x not in chosen]
            parts.sort(key=lambda x: width[x])
            while parts and own + sum(width[x] for x in parts) > most:
                chosen.add(parts.pop())
            names = len(operands) - len(parts)
            width[term] = own + sum(width[x] for x in parts) + of_a_name * names

    # ---- the names -------------------------------------------------------------------------------

    def _give_names(self) -> None:
        traced = self.traced
        for term in self.terms:
            if term in self.forward:
                last = "value" if term in traced.values else "" if term.operation else "c1"
                self._name(term, term.label or self._letters.get(term, last))
        cotangents = [(x, g) for x, g in traced.cotangents.items() if x in self.names]
        for x, gradient in [*cotangents, *zip(traced.inputs, traced.gradients)]:
            if self._name(gradient, f"d_{self.names[x]}"):
                self.derivative_of[gradient] = x
        for term in self.terms:
            self._name(term, term.label or self._letters.get(term, ""))

    def _name(self, term: Term, name: str) -> bool:
        """Name a term, if it was chosen and has no name yet."""
        if term not in self._chosen or term in self.names:
            return False
        self.names[term] = self._free(name or "v1")
        return True

    def _free(self, text: str) -> str:
        """A name that nothing else has, as near to a text as Python allows."""
        return self.needs.unique(identifier(text))

    def _textbook_letters(self) -> dict[Term, str]:
        found: dict[Term, str] = {}
        uses = [(t.name, t, t.inputs) for t in self.terms]
        uses += [(op.name, t, xs) for t, (op, xs) in self.traced.table.spelled_out.items()]
        for name, term, inputs in uses:
            if name in LETTERS:
                given, gives = LETTERS[name].split(" ")
                found.setdefault(through(inputs[0]), given)
                found.setdefault(term, gives)
        return found


def needed(outputs: Iterable[Term], known: Container[Term] = ()) -> list[Term]:
    """The terms that these are made of, themselves included, each after its inputs.

    Terms in `known`, and what only they are made of, are left out.
    """
    found = list(dict.fromkeys(outputs))
    seen = set(found)
    for term in found:  # grows as it is read
        for x in term.inputs:
            if x not in seen and x not in known:
                seen.add(x)
                found.append(x)
    return sorted(found, key=lambda term: term.place)
