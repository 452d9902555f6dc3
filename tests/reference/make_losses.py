"""Write losses.json: PyTorch's losses and their gradients on small fixed inputs.

    pip install torch==2.13.0 && python tests/reference/make_losses.py

A case is `{"loss", "options", "inputs", "mean", "sum", "none"}`. `loss` names the
function in `torch.nn.functional`, `inputs` its tensors by PyTorch's own names. "mean"
and "sum" hold `{"value", "gradients"}`, with the gradient for every input but class
labels; "none" holds the value alone. kl_div has "batchmean" too, which divides the sum
by the number of rows; its "mean" divides by the number of elements.

A case with a `"note"` is one where PyTorch leaves the mathematics, by clamping or by
NaN; a library may differ there on purpose. NaN and Infinity stand as Python's json
writes them.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

OUTPUT = Path(__file__).with_name("losses.json")

LOGITS = [[0.5, -1.2, 2.0], [1.5, 0.3, -0.7], [-2.0, 0.1, 0.4], [0.0, 0.0, 0.0]]
LARGE_LOGITS = [[1000.0, 0.0, -1000.0], [-50.0, 40.0, 39.0]]
LABELS = [2, 0, 1, 1]
ROWS = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.1, 0.8, 0.1], [0.25, 0.5, 0.25]]
POSITIVE_ROWS = [[0.2, 0.3, 0.5], [0.98, 0.01, 0.01], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3]]
OTHER_ROWS = [[0.3, 0.3, 0.4], [0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.2, 0.2, 0.6]]
SCORES = [-3.0, -0.5, 0.0, 0.8, 2.5, 4.0]
SOFT = [0.0, 0.3, 0.5, 1.0, 0.9, 0.25]
HARD = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
PROBABILITIES = [0.05, 0.4, 0.5, 0.7, 0.9, 0.99]
PREDICTED, MEASURED = [0.5, -1.0, 2.0, 3.5], [0.0, -1.5, 2.0, 5.0]
VARIANCE = [0.5, 1.0, 2.0, 0.1]
LOG_ROWS = torch.tensor(OTHER_ROWS, dtype=torch.float64).log().tolist()

CASES = [
    dict(loss="nll_loss", inputs=dict(input=LOG_ROWS, target=LABELS)),
    dict(loss="cross_entropy", inputs=dict(input=LOGITS, target=LABELS)),
    dict(loss="cross_entropy", inputs=dict(input=LARGE_LOGITS, target=[2, 1])),
    dict(loss="cross_entropy", inputs=dict(input=LOGITS, target=ROWS)),
    dict(loss="binary_cross_entropy", inputs=dict(input=PROBABILITIES, target=HARD)),
    dict(loss="binary_cross_entropy", inputs=dict(input=PROBABILITIES, target=SOFT)),
    dict(
        loss="binary_cross_entropy",
        inputs=dict(input=[0.0, 1.0, 0.0, 1.0], target=[0.0, 1.0, 1.0, 0.0]),
        note="PyTorch clamps each logarithm to -100, and p * (1 - p) to 1e-12",
    ),
    dict(loss="binary_cross_entropy_with_logits", inputs=dict(input=SCORES, target=HARD)),
    dict(loss="binary_cross_entropy_with_logits", inputs=dict(input=SCORES, target=SOFT)),
    dict(
        loss="binary_cross_entropy_with_logits",
        inputs=dict(
            input=[-1000.0, 1000.0, -1000.0, 1000.0, 37.0, -37.0],
            target=[1.0, 0.0, 0.0, 1.0, 0.0, 0.25],
        ),
    ),
    dict(
        loss="gaussian_nll_loss",
        options=dict(full=True),
        inputs=dict(input=PREDICTED, target=MEASURED, var=VARIANCE),
    ),
    dict(
        loss="gaussian_nll_loss",
        options=dict(full=True),
        inputs=dict(input=[0.003], target=[0.0], var=[1e-9]),
        note="PyTorch clamps the variance to eps=1e-6, yet passes its gradient on",
    ),
    dict(loss="mse_loss", inputs=dict(input=PREDICTED, target=MEASURED)),
    dict(loss="kl_div", inputs=dict(input=LOG_ROWS, target=POSITIVE_ROWS)),
    dict(
        loss="kl_div",
        inputs=dict(input=LOG_ROWS, target=ROWS),
        note="where a target is zero, PyTorch's gradient for it is NaN, the limit -inf",
    ),
]


def evaluate(loss, inputs, options, reduction):
    """Value of one loss, and unless it is reduced by "none" its gradients."""
    tensors = {name: torch.tensor(data) for name, data in inputs.items()}
    for tensor in tensors.values():
        tensor.requires_grad_(tensor.is_floating_point())
    value = getattr(F, loss)(**tensors, **options, reduction=reduction)
    if reduction == "none":
        return {"value": value.tolist()}
    value.backward()
    gradients = {k: t.grad.tolist() for k, t in tensors.items() if t.grad is not None}
    return {"value": value.item(), "gradients": gradients}


def complete(case):
    """The case with its results under the names of the reductions."""
    case = {"options": {}, **case}
    reductions = ["mean", "sum", "none"]
    if case["loss"] == "kl_div":
        reductions.append("batchmean")
    arguments = case["loss"], case["inputs"], case["options"]
    return case | {r: evaluate(*arguments, r) for r in reductions}


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    lines = ",\n".join(json.dumps(complete(case)) for case in CASES)
    version = json.dumps(torch.__version__)
    OUTPUT.write_text(f'{{\n"torch": {version},\n"cases": [\n{lines}\n]\n}}\n', "ascii")
