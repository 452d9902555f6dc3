"""Data-parallel gradients: the loss is a mean over rows, so processes can share the rows.

                       ┌── worker 1: rows 1 ── loss 1, gradient 1 ──┐
    parameters w, b ───┼── worker 2: rows 2 ── loss 2, gradient 2 ──┼── weighted sum ── step
                       └── worker 3: rows 3 ── loss 3, gradient 3 ──┘

    gradient over all rows = sum over shards of  rows of shard / all rows * gradient over shard

The rows travel to a worker once and stay there. In each step the parameters travel to the workers,
and gradients of the same size travel back. Gradients are added in the order of the shards,
whichever worker is done first, so a run can be repeated bit for bit.

It uses Python's `concurrent.futures`, and works with any executor of that interface: processes on
this machine (the default), or a cluster, by `Client.get_executor()` of dask.distributed or by
`mpi4py.futures.MPIPoolExecutor` (`mpiexec -n 3 python -m mpi4py.futures script.py`: two workers,
and the script itself).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from typing import Any, Self, overload
from uuid import uuid4

from ..core.array import Array, Data
from ..core.lift import data_of
from ..core.operation import Operation
from ..core.typed import ArrayLike, DataLike
from ..core.value import Value, record
from ..losses.checks import check_data

__all__ = ["DataParallel"]

Shard = tuple[Array, Array]
Answer = tuple[float, list[Data]]  # the loss of a shard, and its gradient by each parameter


class DataParallel:
    """The mean loss over all shards, as a function of the parameters that has a gradient.

    `loss(X, y, *parameters)`: the mean over the rows of a shard, a scalar Value.
    `shards`: pairs (X, y), of any numbers of rows.
    `executor`: where the work is done. By default in one process a shard, which ends by `close` or
    at the end of a `with`. These processes import your program to find the loss, so the loss must
    be a function with a name, and a script must work under `if __name__ == "__main__":`. Or an
    executor; if it has several workers, each may end up with all shards. Or a list, one executor
    a shard.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from tinygrad_lr import binary_cross_entropy_with_logits
    >>> from tinygrad_lr.optim import SGD
    >>> from tinygrad_lr.training import minimize
    >>> def loss(X, y, w, b):
    ...     return binary_cross_entropy_with_logits(X @ w + b, y)
    >>> shards = [([[1.0], [2.0]], [0, 1]), ([[3.0], [4.0]], [0, 1])]
    >>> w, b = Value([0.0]), Value(0.0)
    >>> with ThreadPoolExecutor() as executor:
    ...     parallel = DataParallel(loss, shards, executor)
    ...     history = minimize(
    ...         lambda X, y: parallel(w, b), [w, b], parallel.batches, SGD([w, b], lr=0.5), 200
    ...     )
    >>> f"{history.epoch_losses[0]:.4f} -> {history.epoch_losses[-1]:.4f}"
    '0.6931 -> 0.5871'

    An epoch is one step on all rows. `batches` is what `minimize` needs for that: one batch, whose
    X and y the loss ignores, because the workers have the rows. Terms without rows are added
    outside: `parallel(w, b) + 0.01 * (w @ w)`.

    Raises what the loss raises, and BrokenExecutor if a worker dies; the parameters are then those
    of the last step. There are first derivatives only.
    """

    def __init__(
        self,
        loss: Callable[..., Value],
        shards: Iterable[tuple[DataLike, DataLike]],
        executor: Executor | Sequence[Executor] | None = None,
    ) -> None:
        self.loss = loss
        self.shards = [check_data(X, y) for X, y in shards]
        if not self.shards:
            raise ValueError("DataParallel: there are no shards, nothing to learn from")
        rows = sum(len(y) for _, y in self.shards)
        self.shares = [len(y) / rows for _, y in self.shards]
        self.batches = [(None, range(rows))]
        self._names = [uuid4().hex for _ in self.shards]  # by which the workers know them
        self._own: list[Executor] = []
        if executor is None:
            # One pool of one process for each shard, because a larger pool gives a task to any
            # free process. Spawned, because a forked process inherits locks of threads that it
            # does not have.
            fresh = multiprocessing.get_context("spawn")
            executor = self._own = [ProcessPoolExecutor(1, fresh) for _ in self.shards]
        count = len(self.shards)
        self._executors = executor if isinstance(executor, Sequence) else [executor] * count
        if len(self._executors) != count:
            raise ValueError(f"DataParallel: {len(self._executors)} executors for {count} shards")

    @overload
    def __call__(self, *parameters: DataLike) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *parameters: ArrayLike) -> Value: ...
    def __call__(self, *parameters: Any) -> Any:
        """The mean loss: a Value where one of the parameters is, otherwise a float."""
        datas = [data_of(p) for p in parameters]
        places = range(len(self.shards))
        answers = self._ask(dict.fromkeys(places), datas)
        answers |= self._ask({i: self.shards[i] for i in places if answers[i] is None}, datas)
        loss: float = 0.0
        gradients: list[Data] = [0.0] * len(datas)
        for i in places:
            value, slopes = answers[i]
            loss += self.shares[i] * value
            gradients = [g + self.shares[i] * slope for g, slope in zip(gradients, slopes)]
        if not any(isinstance(p, Value) for p in parameters):
            return loss
        inputs = tuple(p if isinstance(p, Value) else data for p, data in zip(parameters, datas))
        return record(OPERATION, loss, inputs, {"gradients": gradients})

    def _ask(self, shards: dict[int, Shard | None], datas: list[Data]) -> dict[int, Any]:
        """The answer for each of these shards; None where a worker does not have the shard."""
        i, count = 0, len(self.shards)
        try:
            futures = {}
            for i, shard in shards.items():
                futures[i] = self._executors[i].submit(
                    answer, self._names[i], shard, count, self.loss, datas
                )
            answers = {}
            for i, future in futures.items():
                answers[i] = future.result()
            return answers
        except BrokenExecutor as error:
            raise BrokenExecutor(
                f"DataParallel: the worker of shard {i + 1} of {count} has died (was it killed, or "
                "out of memory?); the parameters are those of the last step. Make a new "
                "DataParallel to go on"
            ) from error

    def close(self) -> None:
        """End the processes that were started here. An executor that was passed in stays open."""
        for executor in self._own:
            executor.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# ---- in the worker ---------------------------------------------------------------------------

_held: dict[str, Shard] = {}  # the shards that were sent to this process, oldest first


def answer(
    name: str, shard: Shard | None, most: int, loss: Callable[..., Value], datas: list[Data]
) -> Answer | None:
    """The loss and its gradients on a shard; None if the shard must be sent first.

    A process keeps at most `most` shards, so that those of an earlier DataParallel are dropped.
    """
    if shard is None:
        shard = _held.get(name)
        if shard is None:
            return None
    else:
        _held[name] = shard
        for oldest in list(_held)[:-most]:
            _held.pop(oldest, None)
    parameters = [Value(data) for data in datas]
    value = loss(*shard, *parameters)
    if not isinstance(value, Value) or value.shape != ():
        raise ValueError(f"DataParallel: the loss must be a scalar Value, not {value!r}")
    value.backward()
    return value.data, [p.data * 0.0 if p.grad is None else p.grad for p in parameters]


# ---- in the main process: one node of the graph, with known gradients -----------------------


def data_parallel(*parameters: Data, gradients: list[Data]) -> Any:
    """The mean loss over all shards, computed elsewhere."""


def _known(g: Any, out: Any, *parameters: Any, gradients: list[Data]) -> list[Any]:
    if isinstance(out, Value):
        raise TypeError(
            "DataParallel has first derivatives alone; use an optimizer that needs no more, such "
            "as LBFGS"
        )
    return [g * gradient for gradient in gradients]


OPERATION = Operation(data_parallel, {"parameters": _known}, is_elementwise=False)
