"""One gradient from several machines: the same training on one process and on a cluster.

    pip install 'tinygrad_lr[cluster]'
    python examples/cluster.py                          workers of its own, on this machine
    python examples/cluster.py tcp://scheduler:8786     a cluster that is running

Each worker gets its rows once. Then, with every step, the weights go out and gradients come
back. On MPI it is `mpi4py.futures.MPIPoolExecutor` in place of dask's executor.
"""

import sys

from tinygrad_lr import Value, affine, binary_cross_entropy_with_logits
from tinygrad_lr.data import Batches, StandardScaler, load_breast_cancer
from tinygrad_lr.optim import SGD
from tinygrad_lr.training import DataParallel, minimize

STEPS = 100


def loss(X, y, w, b):
    """The mean cross-entropy of some rows; it runs where the rows are."""
    return binary_cross_entropy_with_logits(affine(X, w, b), y)


def on_one_process(X, y):
    """The weights that a plain loop finds."""
    w, b = Value([0.0] * 30), Value(0.0)
    minimize(lambda X, y: loss(X, y, w, b), [w, b], Batches(X, y), SGD([w, b], lr=0.5), STEPS)
    return w


def on_a_cluster(X, y, executors):
    """The same, with the rows shared out among workers."""
    n, k = len(y), len(executors)
    ends = [(n * i // k, n * (i + 1) // k) for i in range(k)]
    shards = [(X[first:last], y[first:last]) for first, last in ends]
    parallel = DataParallel(loss, shards, executors)
    w, b = Value([0.0] * 30), Value(0.0)
    optimizer = SGD([w, b], lr=0.5)
    history = minimize(lambda X, y: parallel(w, b), [w, b], parallel.batches, optimizer, STEPS)
    print(f"{[len(y) for _, y in shards]} rows on {k} workers")
    print(f"loss {history.epoch_losses[0]:.4f} -> {history.epoch_losses[-1]:.4f}")
    return w


def main():
    """Learn twice, and compare."""
    try:
        from dask.distributed import Client
    except ImportError:
        sys.exit("cluster.py needs dask: pip install 'tinygrad_lr[cluster]'")
    data = load_breast_cancer()
    X, y = StandardScaler().fit_transform(data.X), data.y

    if sys.argv[1:]:
        client = Client(sys.argv[1])
    else:  # a LocalCluster, which ends with its client
        client = Client(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with client:
        there = on_a_cluster(
            X, y, [client.get_executor(workers=[one]) for one in client.nthreads()]
        )
    here = on_one_process(X, y)
    apart = max(abs(a - b) for a, b in zip(there.data, here.data))
    print(f"weights of the cluster and of one process differ by {apart:.1e} at most")


if __name__ == "__main__":
    main()
