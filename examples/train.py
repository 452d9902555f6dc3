"""Train a logistic regression on a table, and report how good it is.

    python examples/train.py                                     the breast cancer data
    python examples/train.py data.csv --target diagnosis         your own table
    python examples/train.py --database big.db --table visits --target readmitted

The table is a CSV file with a header row, or a table of a SQLite database, which may be larger
than memory. All columns except the target are numbers. For two classes the model is logistic
regression, for more it is softmax regression.

The script prints the loss of some epochs, then the accuracy, log loss and Brier score on
held-back rows, a reliability table (did 70 % of the cases predicted with 70 % happen?) and the
largest weights. If matplotlib is installed, it saves pictures in examples/output. For a database
no rows are held back. Instead, the losses of the first epoch are losses on new rows.

With --checkpoint, a run that was interrupted can continue: run the same command with --resume.
"""

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from tinygrad_lr import metrics
from tinygrad_lr.data import (
    Dataset, SQLiteBatches, StandardScaler, load_breast_cancer, read_csv, train_test_split,
)  # fmt: skip
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.training import DivergenceError

OUTPUT = Path(__file__).parent / "output"


def share_or_rows(text):
    """Read a share such as 0.25, or a whole number of rows."""
    return int(text) if text.isdecimal() else float(text)


def arguments(argv=None):
    """Parse the command line; exit with a message if the options do not fit together."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="Example: examples/train.py data.csv --target diagnosis --epochs 50 "
        "--batch-size 32 --learning-rate 0.1 --save model.json",
    )
    add = parser.add_argument
    add("csv", nargs="?", help="a CSV file with a header row (default: the breast cancer data)")
    add("--database", metavar="PATH", help="a SQLite database instead, of any size")
    add("--table", help="the table of the database")
    add("--target", help="the column to predict; needed with a table of your own")
    add("--epochs", type=int, default=100, help="passes over the training rows (%(default)s)")
    add(
        "--batch-size",
        type=int,
        default=32,
        help="rows per step; 0 means all rows, not possible with a database (%(default)s)",
    )
    add("--learning-rate", type=float, default=0.1, help="factor of the gradient (%(default)s)")
    add("--l2", type=float, default=1e-3, help="penalty on large weights (%(default)s)")
    add("--optimizer", default="SGD", help="a name from tinygrad_lr.optim (%(default)s)")
    add(
        "--test-size",
        type=share_or_rows,
        default=0.25,
        help="held-back rows, as a share or as a number (%(default)s)",
    )
    add("--seed", type=int, default=0, help="seed of all random choices (%(default)s)")
    add("--checkpoint", metavar="PATH", help="save the state of the training in this file")
    add("--resume", action="store_true", help="continue from the checkpoint, if there is one")
    add("--save", metavar="PATH", help="save the model as JSON; it takes rows in raw units")
    add("--no-pictures", action="store_true", help="draw no pictures")
    asked = parser.parse_args(argv)
    if (asked.csv or asked.database) and not asked.target:
        parser.error("a table needs --target, the name of the column to predict")
    if bool(asked.database) != bool(asked.table) or (asked.csv and asked.database):
        parser.error("--database PATH and --table NAME go together, and without a CSV file")
    if asked.epochs < 1:
        parser.error("--epochs must be at least 1, or nothing is learned")
    if asked.batch_size < (1 if asked.database else 0):
        parser.error("--batch-size must be at least 1; or 0, all rows, but not of a database")
    if asked.resume and not asked.checkpoint:
        parser.error("--resume needs --checkpoint, the file to continue from")
    return asked


@contextmanager
def progress(epochs):
    """A callback that shows the progress: a bar if rich is installed, otherwise a line a second."""
    try:
        from rich.progress import Progress
    except ImportError:
        Progress = None
    if Progress is None or not sys.stdout.isatty():
        last_line = perf_counter()

        def print_line(history):
            nonlocal last_line
            if perf_counter() - last_line > 1.0:
                last_line = perf_counter()
                loss = history.epoch_losses[-1]
                print(f"  epoch {history.epochs} of {epochs}: loss {loss:.4f}", flush=True)

        yield print_line
        return
    with Progress(transient=True) as bar:
        task = bar.add_task("training", total=epochs)

        def show(history):
            loss = history.epoch_losses[-1]
            bar.update(task, completed=history.epochs, description=f"loss {loss:.4f}")

        yield show


def new_model(asked, classes):
    """A new, untrained model with the settings of the command line."""
    kind = LogisticRegression if classes == 2 else SoftmaxRegression
    return kind(
        optimizer=asked.optimizer,
        lr=asked.learning_rate,
        epochs=asked.epochs,
        batch_size=asked.batch_size or None,
        l2=asked.l2,
        seed=asked.seed,
    )


def learn_table(asked):
    """Train on a CSV file: the model, the scaler of its features, and the held-back rows."""
    dataset = read_csv(asked.csv, target=asked.target) if asked.csv else load_breast_cancer()
    X_train, X_test, y_train, y_test = train_test_split(
        dataset.X, dataset.y, test_size=asked.test_size, seed=asked.seed
    )
    classes = sorted(set(dataset.y))
    for label, name in zip(classes, dataset.target_names):
        if label not in y_train.flat:
            raise ValueError(
                f"all rows of class {name!r} were held back, so the model cannot learn it; hold "
                "back fewer rows (--test-size), or other rows (--seed)"
            )
    scaler = StandardScaler()
    X_train, X_test = scaler.fit_transform(X_train), scaler.transform(X_test)
    print(f"{len(X_train)} rows to learn from, {X_train.shape[1]} features, {len(classes)} classes")

    model = new_model(asked, len(classes))
    with progress(asked.epochs) as show:
        model.fit(X_train, y_train, [show], checkpoint=asked.checkpoint, resume=asked.resume)
    unseen = dataset._replace(X=X_test, y=y_test, description="rows that were held back")
    return model, scaler, unseen


def learn_database(asked):
    """Train on a database: the model, the scaler, and some of the rows.

    One pass computes means and classes; each epoch is one more pass. No more than some thousand
    rows are in memory at a time.
    """
    table = asked.database, asked.table, None, asked.target
    scaler, classes = StandardScaler(), set()
    for X, y in SQLiteBatches(*table, batch_size=5000, shuffle=False):
        scaler.partial_fit(X)
        classes.update(y)
        if len(classes) > 100:
            raise ValueError(f"column {asked.target!r} has over 100 values; are these classes?")
    if not classes:
        raise ValueError(f"table {asked.table!r} has no rows, nothing to learn from")
    rows, width = scaler.n_samples_seen_, len(scaler.mean_)
    print(f"{rows} rows to learn from, {width} features, {len(classes)} classes")

    model = new_model(asked, len(classes))
    batches = SQLiteBatches(*table, asked.batch_size, seed=asked.seed, transform=scaler.transform)
    with progress(asked.epochs) as show:
        model.fit_batches(
            batches, classes, [show], checkpoint=asked.checkpoint, resume=asked.resume
        )
    steps_per_epoch = -(-rows // asked.batch_size)  # rounded up
    first_epoch = model.history_.losses[:steps_per_epoch]
    later_half = first_epoch[len(first_epoch) // 2 :]  # losses on rows that are new to the model
    print(f"loss on new rows, late in epoch 1: {sum(later_half) / len(later_half):.4f}")
    X, y = next(iter(SQLiteBatches(*table, 5000, seed=asked.seed, transform=scaler.transform)))
    names = tuple(f"{label:g}" for label in sorted(classes))
    seen = Dataset(X, y, batches.features, names, "of the training rows")
    return model, scaler, seen


def print_losses(history, lines=8):
    """Print the loss of some epochs, more of them at the beginning, where it falls fast."""
    last = history.epochs - 1
    print("\nepoch   loss (mean over the epoch)")
    for epoch in sorted({round(last * (i / (lines - 1)) ** 2) for i in range(lines)}):
        print(f"{epoch + 1:5}   {history.epoch_losses[epoch]:.4f}")


def print_scores(model, X, y, which):
    """Print accuracy, log loss and Brier score, and return the predicted probabilities."""
    probabilities = model.predict_proba(X)
    if len(model.classes_) == 2:
        probabilities = probabilities[:, 1]
    places = [model.classes_.index(label) for label in y]  # labels as 0, 1, 2, ...
    print(f"\non {len(y)} {which}")
    log_loss = metrics.log_loss(places, probabilities)
    brier_score = metrics.brier_score(places, probabilities)
    print(f"  accuracy     {model.score(X, y):.3f}    share of correct decisions")
    print(f"  log loss     {log_loss:.3f}    lower with calibrated probabilities")
    print(f"  Brier score  {brier_score:.3f}    also lower with calibrated probabilities")
    return probabilities


def print_reliability(y, probabilities, name):
    """Print a table: did a share p of the cases predicted with about p happen?"""
    curve = metrics.calibration_curve(y, probabilities, n_bins=5)
    print(f"\nreliability: probability of {name!r}")
    print("  predicted   happened   rows")
    for happened, predicted, count in zip(*curve):
        print(f"  {predicted:9.2f}   {happened:8.2f}   {int(count):4}")


def print_weights(model, names, target_names, most=8):
    """Print the largest weights. The features are standardised, so the weights are comparable."""
    rows = [model.coef_] if len(model.classes_) == 2 else list(model.coef_)
    for k, row in enumerate(rows):
        towards = target_names[1 if len(rows) == 1 else k] if target_names else "1"
        print(f"\nlargest weights towards {towards!r} (features in standard deviations)")
        ranked = sorted(zip(names, row), key=lambda pair: -abs(pair[1]))
        for name, weight in ranked[: most if len(rows) == 1 else 3]:
            print(f"  {weight:+7.3f}   {name}")


def draw(model, history, scores, y, probabilities):
    """Save pictures: the loss by epoch, the scores of both classes, the reliability diagram."""
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
    axes.set(xlabel="epoch", ylabel="mean loss", yscale="log", title="Training loss")
    figure.savefig(OUTPUT / "loss.png", dpi=120)
    paths = [OUTPUT / "loss.png"]
    if len(model.classes_) == 2:
        figure, axes = plt.subplots()
        for label in 0, 1:
            axes.hist([z for z, t in zip(scores, y) if t == label], bins=30, alpha=0.6, label=label)
        axes.axvline(0.0, color="black", linewidth=1)
        axes.set(xlabel="score w.x + b", ylabel="rows", title="Scores; the decision is at 0")
        axes.legend(title="label")
        figure.savefig(OUTPUT / "scores.png", dpi=120)

        happened, predicted, counts = metrics.calibration_curve(y, probabilities, n_bins=5)
        figure, axes = plt.subplots()
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
        axes.scatter(list(predicted), list(happened), s=[20 + 5 * n for n in counts], alpha=0.6)
        for x, y_, n in zip(predicted, happened, counts):
            axes.annotate(f"{n:.0f} rows", (x, y_), textcoords="offset points", xytext=(14, -4))
        axes.set(xlabel="predicted probability", ylabel="share that happened", xlim=(-0.05, 1.2))
        axes.set_title("Reliability: points on the line are calibrated")
        figure.savefig(OUTPUT / "reliability.png", dpi=120)
        paths += [OUTPUT / "scores.png", OUTPUT / "reliability.png"]
    plt.close("all")
    print("\npictures: " + ", ".join(str(path) for path in paths))


def main(argv=None):
    """Read the table, train the model, report."""
    asked = arguments(argv)
    start = perf_counter()
    model, scaler, judged = learn_database(asked) if asked.database else learn_table(asked)
    print(f"trained in {perf_counter() - start:.1f} s, {model.history_.steps} steps")
    print_losses(model.history_)
    X, y, feature_names, target_names, which = judged
    probabilities = print_scores(model, X, y, which)
    if len(model.classes_) == 2:
        print_reliability(y, probabilities, target_names[1] if target_names else "1")
    print_weights(model, feature_names, target_names)
    if asked.save:
        model.for_raw_rows(scaler).save(asked.save)
        print(f"\nsaved to {asked.save}; load it with {type(model).__name__}.load({asked.save!r})")
    if not asked.no_pictures:
        draw(model, model.history_, model.decision_function(X), y, probabilities)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, DivergenceError) as error:
        sys.exit(f"train.py: {error}")
