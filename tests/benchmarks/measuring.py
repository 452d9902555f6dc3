"""Fair stopwatches: contenders take turns, in many short bursts; each frees its own memory.

A machine is slow for a while and fast again. Contenders that run one after the other within
some hundredths of a second meet the same machine, so each round gives one ratio that can be
trusted, and many rounds a median. The clock is that of the processor: it stands still while
other programs have their turn. (All contenders compute in one thread and wait for nothing,
so on an idle machine it is the clock on the wall.) The collector of cycles runs as it does for
users, but is asked to clean up between the bursts, so that none pays for another.
"""

import gc
import os
import subprocess
import sys
import tracemalloc
from contextlib import contextmanager
from itertools import repeat
from statistics import median
from time import perf_counter, process_time


class Sample:
    """The times of one contender, in seconds, one a round."""

    def __init__(self, times):
        self.times = times
        self.median, self.minimum = median(times), min(times)

    def over(self, other):
        """How many times as long as the other: the median of the rounds, each compared alone."""
        return median(a / b for a, b in zip(self.times, other.times))


def take_turns(steps, burst, rounds, seconds):
    """Samples by name of what `steps` (functions by name) take, `burst` seconds at a time.

    As many rounds as wanted, or as many as fit into `seconds`, but at least five.
    """
    counts = {name: steps_in_a_burst(step, burst) for name, step in steps.items()}
    times = {name: [] for name in steps}
    names, end = list(steps), perf_counter() + seconds
    with settled():
        for turn in range(rounds):
            if turn >= 5 and perf_counter() > end:
                break
            for name in names:
                times[name].append(timed(steps[name], counts[name]))
            names.append(names.pop(0))  # another one begins
    return {name: Sample(taken) for name, taken in times.items()}


def timed(step, count):
    """Seconds a step, on average over this many."""
    gc.collect()
    start = process_time()
    for _ in repeat(None, count):
        step()
    return (process_time() - start) / count


def steps_in_a_burst(step, burst):
    """How many steps fill a burst. They warm the caches as well."""
    count = 1
    while (taken := timed(step, count) * count) < burst / 4:
        count *= 2
    return max(1, round(count * burst / taken))


@contextmanager
def settled():
    """Inside, the collector does not look at what was there before: modules, data, peers.

    Otherwise who makes many objects would pay for looking through those of PyTorch.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def progress(what):
    """Print what is being measured, on a line that the next one overwrites."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def chain_times(chains, length, rounds):
    """Samples of seconds an operation to build, walk back and free a chain: {name: {phase: ...}}.

    `chains` are pairs of functions, build() and backward(what it built), by name.
    """
    phases = ["build", "backward", "free"]
    times = {name: {phase: [] for phase in phases} for name in chains}
    with settled():
        for _ in range(rounds):
            for name, (build, backward) in chains.items():
                gc.collect()
                moments = [process_time()]
                y = build()
                moments.append(process_time())
                backward(y)
                moments.append(process_time())
                del y
                moments.append(process_time())
                for phase, start, end in zip(phases, moments, moments[1:]):
                    times[name][phase].append((end - start) / length)
    return {
        name: {phase: Sample(taken) for phase, taken in of_one.items()}
        for name, of_one in times.items()
    }


def chain_bytes(build, length):
    """Bytes of Python's memory that a chain holds, an operation."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    y = build()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del y
    return (after - before) / length


def import_time(root, rounds):
    """Sample of the seconds that a fresh Python takes for `import tinygrad_lr`."""
    command = (
        "from time import process_time; start = process_time(); import tinygrad_lr; "
        "print(process_time() - start)"
    )
    environment = {**os.environ, "PYTHONPATH": str(root)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: with .pyc files
    times = []
    for _ in range(rounds + 1):  # the first writes them
        done = subprocess.run(
            [sys.executable, "-c", command], check=True, env=environment, capture_output=True
        )
        times.append(float(done.stdout))
    return Sample(times[1:])
