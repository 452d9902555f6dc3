"""The example scripts, run as a user runs them."""

import json

import lessons
import pytest

from tinygrad_lr.data import load_breast_cancer, load_iris
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression

EXAMPLES = lessons.EXAMPLES


def run(script, *arguments, ok=True):
    """Run a script: its output, or its error output if it should fail."""
    done = lessons.run(EXAMPLES / script, *arguments)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout if ok else done.stderr


def write_csv(path, data, names, target="kind"):
    lines = [",".join([*(name.replace(",", ";") for name in data.feature_names), target])]
    for row, label in zip(data.X.rows, data.y):
        lines.append(",".join([*map(repr, row), names[int(label)]]))
    path.write_text("\n".join(lines) + "\n")


def test_train_learns_the_breast_cancer_data():
    said = run("train.py", "--no-pictures")
    accuracy = float(said.split("accuracy")[1].split()[0])
    assert accuracy >= 0.95
    promised = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    assert f"accuracy on held-back rows ({accuracy:g})" in promised
    for part in "epoch", "log loss", "Brier", "reliability", "largest weights", "worst":
        assert part in said


def test_train_learns_a_users_table_and_saves_the_model(tmp_path):
    data = load_breast_cancer()
    table, model = tmp_path / "data.csv", tmp_path / "model.json"
    write_csv(table, data, ["M", "B"])
    said = run(
        "train.py", table, "--target", "kind", "--epochs", 20, "--batch-size", 16,
        "--learning-rate", 0.05, "--save", model, "--no-pictures",
    )  # fmt: skip
    assert "'M'" in said  # sorted names: B is 0, M is 1
    loaded = LogisticRegression.load(model)
    labels = [1.0 - y for y in data.y]
    assert loaded.score(data.X, labels) > 0.95  # on rows as they are in the table
    assert json.loads(model.read_text())["settings"]["lr"] == 0.05


def test_train_takes_more_than_two_classes(tmp_path):
    data = load_iris()
    table, model = tmp_path / "iris.csv", tmp_path / "iris.json"
    write_csv(table, data, data.target_names)
    said = run("train.py", table, "--target", "kind", "--save", model, "--no-pictures")
    assert "3 classes" in said and "'virginica'" in said
    assert SoftmaxRegression.load(model).score(data.X, data.y) > 0.93


@pytest.mark.parametrize(
    "content, options, message",
    [
        ("a,b,y\n1,2,0\n3,4\n", ["--target", "y"], "line 3"),
        ("a,b,y\n1,2,0\n3,x,1\n", ["--target", "y"], "line 3"),
        ("a,b,y\n1,2,0\n3,4,1\n", ["--target", "z"], "'z'"),
        ("a,b,y\n1,2,0\n3,4,1\n", [], "--target"),
        ("a,b,y\n" + "1,2,0\n3,4,0\n" * 9, ["--target", "y"], "one class missing|nothing to tell"),
        ("a,y\n" + "1,0\n2,1\n" * 9, ["--target", "y", "--optimizer", "Adamm"], "unknown"),
        ("a,y\n1,0.5\n2,1.5\n3,2.5\n", ["--target", "y"], "labels are whole numbers"),
        ("a,y\n1,no\n2,yes\n3,rare\n", ["--target", "y", "--test-size", "2"],
         "all rows of class 'no' were held back"),
        ("a,y\n" + "1,0\n2,1\n" * 9, ["--target", "y", "--learning-rate", "1e300", "--l2", "1e9"],
         "smaller learning rate"),
    ],
)  # fmt: skip
def test_train_explains_what_is_wrong(tmp_path, content, options, message):
    table = tmp_path / "data.csv"
    table.write_text(content)
    said = run("train.py", table, *options, "--no-pictures", ok=False)
    assert "Traceback" not in said
    assert any(part in said for part in message.split("|"))


def test_train_scores_classes_by_any_numbers(tmp_path):
    data = load_iris()
    table = tmp_path / "iris.csv"
    write_csv(table, data, ["3", "7", "20"])
    said = run("train.py", table, "--target", "kind", "--no-pictures", "--test-size", 60)
    assert "90 rows to learn from" in said and "on 60 rows" in said and "towards '20'" in said
    assert float(said.split("log loss")[1].split()[0]) < 0.3


@pytest.mark.parametrize(
    "options, message",
    [
        (["--epochs", 0], "--epochs must be at least 1"),
        (["--batch-size", -1], "--batch-size must be at least 1; or 0"),
        (["--database", "x.db", "--table", "t", "--target", "y", "--batch-size", 0],
         "--batch-size must be at least 1; or 0, all rows, but not of a database"),
        (["--test-size", "some"], "--test-size: invalid"),
    ],
)  # fmt: skip
def test_train_refuses_impossible_options(options, message):
    said = run("train.py", *options, "--no-pictures", ok=False)
    assert message in said and "Traceback" not in said


def test_train_explains_its_options():
    said = run("train.py", "--help")
    for option in "--target", "--epochs", "--batch-size", "--learning-rate", "--save":
        assert option in said


def test_wrong_walks_are_wrong_by_as_much_as_they_say():
    said = run("wrong_backward.py")
    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line[:2] == "  "}
    assert (rows["right"][-1], rows["overwriting"][-1], rows["hasty"][-1]) == ("4", "1", "6")
    assert "a has 12" in said and "a.grad is 4 after one pass and 8 after two" in said
    assert "How c was made" in said  # in sentences, by explain
