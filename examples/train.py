"""Learn a logistic regression from a table, and say how good it is.

    python examples/train.py                                     the breast cancer data
    python examples/train.py data.csv --target diagnosis         your own table

A table is a CSV file with a header row; all columns but the target are numbers. Two
classes are learned by a sigmoid, more by softmax. Printed are the loss by epoch, accuracy,
log loss and Brier score on rows that were held back, a reliability table (of the cases
called "70 %", did 70 % happen?) and the largest weights. Where matplotlib is installed,
pictures go to examples/output.
"""

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from tinygrad_lr import metrics
from tinygrad_lr.data import StandardScaler, load_breast_cancer, read_csv, train_test_split
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.training import DivergenceError

OUTPUT = Path(__file__).parent / "output"


def arguments(argv=None):
    """What the user asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="Example: examples/train.py data.csv --target diagnosis --epochs 50 "
        "--batch-size 32 --learning-rate 0.1 --save model.json",
    )
    add = parser.add_argument
    add("table", nargs="?", help="a CSV file with a header row (default: the breast cancer data)")
    add("--target", help="the column to predict; needed with a table of your own")
    add("--epochs", type=int, default=100, help="passes over the training rows (%(default)s)")
    add("--batch-size", type=int, default=32, help="rows a step; 0: all of them (%(default)s)")
    add("--learning-rate", type=float, default=0.1, help="length of a step (%(default)s)")
    add("--l2", type=float, default=1e-3, help="penalty of large weights (%(default)s)")
    add("--optimizer", default="SGD", help="a name from tinygrad_lr.optim (%(default)s)")
    add("--test-size", type=float, default=0.25, help="share of rows held back (%(default)s)")
    add("--seed", type=int, default=0, help="of the split, the start and the shuffling (%(default)s)")
    add("--save", metavar="PATH", help="write the model, for rows as they are in the table, as JSON")
    add("--no-pictures", action="store_true", help="draw nothing")
    asked = parser.parse_args(argv)
    if asked.table and not asked.target:
        parser.error("a table needs --target, the name of the column to predict")
    return asked


@contextmanager
def progress(epochs):
    """A callback that shows how far long work is: a bar with rich, a line a second without it."""
    try:
        from rich.progress import Progress
    except ImportError:
        Progress = None
    if Progress is None or not sys.stdout.isatty():
        said = perf_counter()

        def say(history):
            nonlocal said
            if perf_counter() - said > 1.0:
                said = perf_counter()
                loss = history.epoch_losses[-1]
                print(f"  epoch {history.epochs} of {epochs}: loss {loss:.4f}", flush=True)

        yield say
        return
    with Progress(transient=True) as bar:
        task = bar.add_task("learning", total=epochs)

        def show(history):
            bar.update(task, advance=1, description=f"loss {history.epoch_losses[-1]:.4f}")

        yield show


def learn(asked, X, y, classes):
    """The model, fitted to standardised rows."""
    kind = LogisticRegression if classes == 2 else SoftmaxRegression
    model = kind(
        optimizer=asked.optimizer,
        lr=asked.learning_rate,
        epochs=asked.epochs,
        batch_size=asked.batch_size or None,
        l2=asked.l2,
        seed=asked.seed,
    )
    with progress(asked.epochs) as show:
        return model.fit(X, y, callbacks=[show])


def print_losses(history, lines=8):
    """The loss of some epochs, evenly spread: it falls fast at first, then slowly."""
    last = history.epochs - 1
    print("\nepoch   loss (mean over the epoch)")
    for epoch in sorted({round(last * (i / (lines - 1)) ** 2) for i in range(lines)}):
        print(f"{epoch + 1:5}   {history.epoch_losses[epoch]:.4f}")


def print_scores(model, X, y):
    """How good the probabilities are on rows the model has not seen."""
    probabilities = model.predict_proba(X)
    if len(model.classes_) == 2:
        probabilities = probabilities[:, 1]
    print(f"\non {len(y)} rows that were held back")
    print(f"  accuracy     {model.score(X, y):.3f}    share of right decisions; it only counts")
    print(f"  log loss     {metrics.log_loss(y, probabilities):.3f}    rewards calibrated confidence")
    print(f"  Brier score  {metrics.brier_score(y, probabilities):.3f}    so does this, more mildly")
    return probabilities


def print_reliability(y, probabilities, name):
    """Of the cases that were given a probability of about p, did a share of p happen?"""
    curve = metrics.calibration_curve(y, probabilities, n_bins=5)
    print(f"\nreliability: probability of {name!r}")
    print("  predicted   happened   rows")
    for happened, predicted, count in zip(*curve):
        print(f"  {predicted:9.2f}   {happened:8.2f}   {int(count):4}")


def print_weights(model, names, target_names, most=8):
    """Which features move the score most, one standard deviation each."""
    rows = [model.coef_] if len(model.classes_) == 2 else list(model.coef_)
    for k, row in enumerate(rows):
        towards = target_names[1 if len(rows) == 1 else k] if target_names else "1"
        print(f"\nlargest weights towards {towards!r} (features in standard deviations)")
        ranked = sorted(zip(names, row), key=lambda pair: -abs(pair[1]))
        for name, weight in ranked[: most if len(rows) == 1 else 3]:
            print(f"  {weight:+7.3f}   {name}")


def draw(model, history, scores, y, probabilities):
    """Loss curve, scores of both classes, reliability diagram."""
    try:
        import matplotlib
    except ImportError:
        print("\nno pictures: matplotlib is not installed (pip install 'tinygrad_lr[examples]')")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    OUTPUT.mkdir(exist_ok=True)
    figure, axes = plt.subplots()
    axes.plot(range(1, history.epochs + 1), history.epoch_losses)
    axes.set(xlabel="epoch", ylabel="mean loss", yscale="log", title="The loss falls")
    figure.savefig(OUTPUT / "loss.png", dpi=120)
    paths = [OUTPUT / "loss.png"]
    if len(model.classes_) == 2:
        figure, axes = plt.subplots()
        for label in 0, 1:
            axes.hist([z for z, t in zip(scores, y) if t == label], bins=30, alpha=0.6, label=label)
        axes.axvline(0.0, color="black", linewidth=1)
        axes.set(xlabel="score w.x + b", ylabel="rows", title="Decision scores; the line is at 0")
        axes.legend(title="label")
        figure.savefig(OUTPUT / "scores.png", dpi=120)

        happened, predicted, counts = metrics.calibration_curve(y, probabilities, n_bins=5)
        figure, axes = plt.subplots()
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
        axes.scatter(list(predicted), list(happened), s=[20 + 5 * n for n in counts], alpha=0.6)
        for x, y_, n in zip(predicted, happened, counts):
            axes.annotate(f"{n:.0f} rows", (x, y_), textcoords="offset points", xytext=(14, -4))
        axes.set(xlabel="predicted probability", ylabel="share that happened", xlim=(-0.05, 1.2))
        axes.set_title("Reliability: on the line is perfectly calibrated")
        figure.savefig(OUTPUT / "reliability.png", dpi=120)
        paths += [OUTPUT / "scores.png", OUTPUT / "reliability.png"]
    plt.close("all")
    print("\npictures: " + ", ".join(str(path) for path in paths))


def main(argv=None):
    """Read, learn, report."""
    asked = arguments(argv)
    if asked.table:
        dataset = read_csv(asked.table, target=asked.target)
    else:
        dataset = load_breast_cancer()
    classes = len(set(dataset.y))
    X_train, X_test, y_train, y_test = train_test_split(
        dataset.X, dataset.y, test_size=asked.test_size, seed=asked.seed
    )
    scaler = StandardScaler()
    X_train, X_test = scaler.fit_transform(X_train), scaler.transform(X_test)
    print(f"{len(X_train)} rows to learn from, {X_train.shape[1]} features, {classes} classes")

    start = perf_counter()
    model = learn(asked, X_train, y_train, classes)
    print(f"learned in {perf_counter() - start:.1f} s, {model.history_.steps} steps")
    print_losses(model.history_)
    probabilities = print_scores(model, X_test, y_test)
    if classes == 2:
        name = dataset.target_names[1] if dataset.target_names else "1"
        print_reliability(y_test, probabilities, name)
    print_weights(model, dataset.feature_names, dataset.target_names)
    if asked.save:
        model.for_raw_rows(scaler).save(asked.save)
        print(f"\nsaved to {asked.save}: {type(model).__name__}.load({asked.save!r}) reads it")
    if not asked.no_pictures:
        draw(model, model.history_, model.decision_function(X_test), y_test, probabilities)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, DivergenceError) as error:
        sys.exit(f"train.py: {error}")
