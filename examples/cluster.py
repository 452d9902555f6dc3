"""Compute one gradient on several machines: the same training in one process and on a cluster.

    pip install 'tinygrad_lr[cluster]'
    python examples/cluster.py                          starts two workers on this machine
    python examples/cluster.py tcp://scheduler:8786     uses a running cluster

Each worker gets its rows once. In each step it receives the weights and returns a gradient. With
MPI, use `mpi4py.futures.MPIPoolExecutor` instead of dask's executor.
"""

import sys

from tinygrad_lr import Value, affine, binary_cross_entropy_with_logits
from tinygrad_lr.data import Batches, StandardScaler, load_breast_cancer
from tinygrad_lr.optim import SGD
from tinygrad_lr.training import DataParallel, minimize

STEPS = 100


def loss(X, y, w, b):
    """The mean cross-entropy of the rows of one worker. It is computed by that worker."""
    return binary_cross_entropy_with_logits(affine(X, w, b), y)


def on_one_process(X, y):
    """The weights after training in this process."""
    w, b = Value([0.0] * 30), Value(0.0)
    minimize(lambda X, y: loss(X, y, w, b), [w, b], Batches(X, y), SGD([w, b], lr=0.5), STEPS)
    return w


def on_a_cluster(X, y, executors):
    """The weights after the same training, with the rows split among the workers."""
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
    """Train in both ways and compare the weights."""
    try:
        from dask.distributed import Client
    except ImportError:
        sys.exit("cluster.py needs dask: pip install 'tinygrad_lr[cluster]'")
    data = load_breast_cancer()
    X, y = StandardScaler().fit_transform(data.X), data.y

    if sys.argv[1:]:
        client = Client(sys.argv[1])
    else:  # a local cluster, which stops when the client is closed
        client = Client(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with client:
        executors = [client.get_executor(workers=[worker]) for worker in client.nthreads()]
        by_cluster = on_a_cluster(X, y, executors)
    by_one = on_one_process(X, y)
    apart = max(abs(a - b) for a, b in zip(by_cluster.data, by_one.data))
    print(f"the weights of the cluster and of one process differ by at most {apart:.1e}")


if __name__ == "__main__":
    main()
