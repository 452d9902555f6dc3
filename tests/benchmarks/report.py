"""What was measured, as a table and a picture, and what was wanted.

The targets (issues 6 and 15), on each version of Python that we support:

    step, over hand        at most 1.3 compiled, 1.8 fused, 3 composed         any batch
    (both regressions)     at most 1.1, 1.25, 1.5                              from 8 rows on
                           at most 1.05, 1.15, 1.3                             from 32 rows on
    PyTorch over fused     at least 20, 5, 2 (logistic, 30 features)           1, 8, 32 rows
    micrograd over fused   at least 25, 60 (logistic, 30 features)             1, 8 rows
    network                micrograd over composed, both of single numbers, at least 3.5
    gradient               value and gradient over the value alone, at most 3
    scalars, scalar_engine at least 1.3 over composed, 0.9 without core/fast.py, 4 over lists
    iteration              slope at most 1.2 in each way
    chain                  build and backward at most 1.0 µs, 160 bytes an operation
    import                 at most 40 ms

Everything is read from `results`, which is what `--json` writes: times in seconds.
"""

from math import exp, log

import iteration

OURS = ["compiled", "fused", "composed"]
PEERS = ["numpy", "torch", "autograd", "sklearn", "micrograd"]
TITLES = {
    "logistic": "logistic regression, breast cancer, {features} features",
    "softmax": "softmax regression, digits, {features} features, 10 classes",
    "network": "network 2-16-16-1; of single numbers: composed, compiled, micrograd",
    "scalars": "network 2-16-16-1 of single numbers, {batch} rows, forward and backward",
}
FLOORS = {
    "any_size": "hand without its short cut for one row",
    "bare": "an engine of this design without any check",
}
MOST = {  # times hand, from this many rows on
    "compiled": {1: 1.3, 8: 1.1, 32: 1.05},
    "fused": {1: 1.8, 8: 1.25, 32: 1.15},
    "composed": {1: 3.0, 8: 1.5, 32: 1.3},
}
LEAST = {  # times fused, at this many rows
    "torch": {1: 20.0, 8: 5.0, 32: 2.0},
    "micrograd": {1: 25.0, 8: 60.0},
}
SCALARS = {  # times the speed of scalar_engine; None where nothing is wanted
    "scalar_engine": ("scalar_engine: the shortest kind", None, None),
    "composed": ("composed: a node for each operation", 1.3, 0.9),
    "lists": ("lists: dot and sum make one node each", 4.0, None),
    "micrograd": ("micrograd", None, None),
}


def show(results):
    """Print all tables."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    print(f"Python {machine['python']}; {versions or 'no peers installed'}; {machine['system']}")
    print("Medians; a step is forward, backward and update, in float64; ✓ target met, ✗ missed")
    targets = Targets()
    show_steps([s for s in results["steps"] if s["kind"] != "scalars"], targets)
    show_scalars(results, targets)
    show_iteration(results.get("iteration", {}), targets)
    show_crossings(results["steps"])
    show_gradients(results["gradients"], targets)
    show_chains(results["chains"], targets)
    if "import" in results:
        show_import(results["import"], targets)
    print(f"\nTargets: {targets.met} met, {targets.missed} missed.")


class Targets:
    """Marks numbers, and counts the marks."""

    met = missed = 0

    def marked(self, number, most=None, least=None):
        """The number with ✓ or ✗ behind it, or nothing where nothing is wanted of it."""
        if most is None and least is None:
            return f"{brief(number)}  "
        good = number <= most if least is None else number >= least
        self.met += good
        self.missed += not good
        return f"{brief(number)} {'✓' if good else '✗'}"

    def over(self, times, name, other, **wanted):
        """How many times as long as the other, marked."""
        if name not in times or other not in times:
            return "-  "
        ratio = 1.0 if name == other else times[name]["over"][other]
        return self.marked(ratio, **wanted)


# ---- the tables --------------------------------------------------------------------------


def show_steps(steps, targets):
    title = None
    for step in steps:
        times, (most, least) = step["times"], wanted_of(step)
        if title != (title := TITLES[step["kind"]].format(**step)):
            print(f"\nA step of {title}\n")
            heads = f"{' times hand ':─^27}{'µs':>11}   {' times fused ':─^47}"
            print(f"{'':9}{'µs':>8}   {heads}")
            print(row("rows", [f"{name}  " for name in ["hand", *OURS, "fused", *PEERS]]))
        ours = [targets.over(times, name, "hand", most=most.get(name)) for name in OURS]
        peers = [targets.over(times, name, "fused", least=least.get(name)) for name in PEERS]
        print(row(step["batch"], [micro(times, "hand"), *ours, micro(times, "fused"), *peers]))
        for name, told in FLOORS.items():
            if name in times:
                ratio = targets.over(times, name, "hand")
                print(f"{'':9} {told}: {ratio.strip()} times hand")
        if step["kind"] == "network" and {"micrograd", "composed"} <= set(times):
            ratio = targets.over(times, "micrograd", "composed", least=3.5)
            print(f"{'':9} micrograd over composed: {ratio}")


def show_scalars(results, targets):
    """How many times as fast as `scalar_engine`; in the second pair without core/fast.py."""
    for step in results["steps"]:
        if step["kind"] != "scalars":
            continue
        print(f"\nThe {TITLES['scalars'].format(**step)}\n")
        print(row("", ["ms  ", "speed  ", "plain ms  ", "speed  "], 40))
        runs = [step["times"], results.get("plain", {})]
        for name, (label, *least) in SCALARS.items():
            cells = []
            for times, wanted in zip(runs, least):
                cells.append(milli(times, name))
                cells.append(targets.over(times, "scalar_engine", name, least=wanted))
            print(row(label, cells, 40))


def show_iteration(found, targets):
    if found:
        print("\nBackward pass through the elements of a Value: ms by their number\n")
        print(row("", [f"{n:,}  " for n in iteration.SIZES] + ["slope  "], 12))
    for way, times in found.items():
        by_size = {int(n): taken for n, taken in times.items()}
        cells = [f"{brief(by_size[n] * 1e3)}  " if n in by_size else "-  " for n in iteration.SIZES]
        slope = iteration.slope(by_size)
        print(row(way, [*cells, "-  " if slope is None else targets.marked(slope, most=1.2)], 12))


def show_crossings(steps):
    lines = [
        f"    {kind}: {one} at {rows:.0f} rows"
        for kind in ("logistic", "softmax")
        for one in ("hand", "compiled", "fused", "composed")
        for rows in crossings(of_size(steps, kind), one, "torch")
    ]
    if lines:
        print("\nThe batch at which PyTorch overtakes", *lines, sep="\n")


def wanted_of(step):
    """The most that each may take over hand, and the least over fused, by name."""
    kind, rows = step["kind"], step["batch"]
    if kind == "network":
        return {}, {}
    most = {name: min(v for n, v in by.items() if n <= rows) for name, by in MOST.items()}
    counts = kind == "logistic" and step["features"] == 30
    return most, {name: by.get(rows) for name, by in LEAST.items() if counts}


def show_gradients(gradients, targets):
    if gradients:
        print("\nThe price of a gradient: the fused loss alone, and with its backward pass\n")
        print(row("", ["rows  ", "value µs  ", "both µs  ", "times  "], 21))
    for found in gradients:
        times, both = found["times"], "value and gradient"
        ratio = targets.over(times, both, "value", most=3.0)
        cells = [f"{found['batch']}  ", micro(times, "value"), micro(times, both), ratio]
        print(row(f"{found['kind']}, {found['features']} inputs", cells, 21))


def show_chains(chains, targets):
    if chains:
        print("\nChains of single numbers: µs an operation, and bytes of Python's memory\n")
        heads = ["build", "backward", "together", "free", "bytes"]
        print(row("", [f"{head}  " for head in heads], 21))
    for chain in chains:
        for name, found in chain["times"].items():
            most = (1.0, 160.0) if name == "composed" else (None, None)
            build, back, free = (found[phase] * 1e6 for phase in ("build", "backward", "free"))
            size = targets.marked(found["bytes"], most[1]) if found["bytes"] else "-  "
            together = targets.marked(build + back, most[0])
            three = [f"{v:.3f}  " for v in (build, back, free)]
            cells = [*three[:2], together, three[2], size]
            print(row(f"{chain['length']:9,} {name:8}", cells, 21))


def show_import(found, targets):
    print(f"\nimport tinygrad_lr: {targets.marked(found['median'] * 1e3, most=40.0)} ms")


def row(label, cells, width=9):
    """One line; each cell ends with two characters for its mark."""
    return (f"{label!s:>{width}}" + "".join(f"{cell:>10}" for cell in cells)).rstrip()


def micro(times, name):
    """The median in microseconds."""
    return f"{times[name]['median'] * 1e6:.1f}  " if name in times else "-  "


def milli(times, name):
    """The median in milliseconds."""
    return f"{times[name]['median'] * 1e3:.2f}  " if name in times else "-  "


def brief(number):
    """About three digits."""
    digits = 3 if number < 0.1 else 2 if number < 10.0 else 1 if number < 100.0 else 0
    return f"{number:.{digits}f}"


# ---- over the batch size ---------------------------------------------------------------------


def of_size(steps, kind):
    """The steps of one curve: one kind of problem, the batch size growing."""
    features = {"logistic": 30, "softmax": 64}[kind]
    return [s for s in steps if (s["kind"], s["features"]) == (kind, features)]


def crossings(steps, one, other):
    """The batch sizes at which two curves cross, straight lines in logarithms between them."""
    points = [
        (log(s["batch"]), log(s["times"][one]["over"][other]))
        for s in steps
        if one in s["times"] and other in s["times"]
    ]
    for (x, y), (next_x, next_y) in zip(points, points[1:]):
        if y < 0.0 <= next_y or next_y < 0.0 <= y:
            yield exp(x - y * (next_x - x) / (next_y - y))


def draw(results, path):
    """A picture of step time over batch size, both logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(12, 5), layout="constrained")
    for panel, kind in zip(panels, ["logistic", "softmax"]):
        steps = of_size(results["steps"], kind)
        for name in ["hand", *OURS, *PEERS]:
            known = [s for s in steps if name in s["times"]]
            rows = [s["batch"] for s in known]
            micros = [s["times"][name]["median"] * 1e6 for s in known]
            style = "k:" if name == "hand" else "o-" if name in OURS else ".--"
            panel.loglog(rows, micros, style, label=name)
        panel.set(
            title=TITLES[kind].format(features=30 if kind == "logistic" else 64),
            xlabel="rows a step",
            ylabel="microseconds a step (float64)",
        )
        panel.grid(alpha=0.3)
        panel.legend()
    figure.savefig(path)
