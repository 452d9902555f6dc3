"""The words: every public name is documented, and the interface is as it was promised."""

import inspect
from importlib import import_module
from pkgutil import walk_packages

import pytest

import tinygrad_lr

MODULES = ["tinygrad_lr", *(m.name for m in walk_packages(tinygrad_lr.__path__, "tinygrad_lr."))]
every_module = pytest.mark.parametrize("name", MODULES)

# The public interface: where a name is to be found, and how it is called.
FUNCTIONS = """exp log log1p expm1 sqrt abs sin cos tanh relu sigmoid log_sigmoid softplus
    maximum minimum clip where sum mean max min logsumexp softmax log_softmax
    reshape transpose broadcast_to concatenate stack matmul dot"""
INTERFACE = {
    "tinygrad_lr": f"""Value Array no_grad detect_anomaly {FUNCTIONS}
        grad value_and_grad jacobian hessian hessian_vector_product gradcheck
        elementwise operation""",
    "tinygrad_lr.losses": """bernoulli_log_likelihood categorical_log_likelihood
        negative_log_likelihood binary_cross_entropy binary_cross_entropy_with_logits
        cross_entropy mean_squared_error gaussian_negative_log_likelihood entropy
        kl_divergence""",
    "tinygrad_lr.optim": """SGD Adagrad Adadelta RMSprop Adam AdamW Adamax NAdam RAdam Rprop
        ASGD Newton LBFGS BacktrackingLineSearch schedules""",
    "tinygrad_lr.optim.schedules": """constant step_decay exponential_decay inverse_time_decay
        cosine_decay warmup""",
    "tinygrad_lr.training": "minimize History DivergenceError",
    "tinygrad_lr.data": """load_breast_cancer load_iris load_digits Dataset read_csv
        train_test_split StandardScaler Batches SQLiteBatches""",
    "tinygrad_lr.models": "LogisticRegression SoftmaxRegression",
    "tinygrad_lr.metrics": """accuracy log_loss brier_score confusion_matrix roc_auc
        calibration_curve expected_calibration_error""",
    "tinygrad_lr.convexity": """is_positive_semidefinite largest_eigenvalue
        smoothness_constant safe_learning_rate is_linearly_separable""",
    "tinygrad_lr.graph": "to_dot to_mermaid draw explain to_source compile",
}
PROMISED = [(module, name) for module, names in INTERFACE.items() for name in names.split()]

VALUE = """data grad shape ndim size label T item tolist backward zero_grad detach __len__
    __iter__ __getitem__ __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__
    __rtruediv__ __pow__ __rpow__ __matmul__ __rmatmul__ __neg__ __lt__ __le__ __gt__ __ge__
    _repr_mimebundle_"""
NO_METHODS = {"concatenate", "stack"}  # their first argument is no tensor

SIGNATURES = {
    "tinygrad_lr": [
        "grad(f, argnums=0)",
        "value_and_grad(f, argnums=0)",
        "jacobian(f)",
        "hessian(f)",
        "hessian_vector_product(f)",
        "gradcheck(f, *inputs, order=2)",
        "sum(x, *, axis=None, keepdims=False)",
        "mean(x, axis=None, keepdims=False)",
        "max(x, *, axis=None, keepdims=False)",
        "min(x, *, axis=None, keepdims=False)",
        "logsumexp(x, *, axis=None, keepdims=False)",
        "softmax(x, *, axis=-1)",
        "log_softmax(x, *, axis=-1)",
    ],
    "tinygrad_lr.losses": [
        "bernoulli_log_likelihood(probabilities, targets, reduction='sum')",
        "categorical_log_likelihood(probabilities, labels, reduction='sum')",
        "negative_log_likelihood(log_probabilities, labels, reduction='mean')",
        "binary_cross_entropy(probabilities, targets, reduction='mean')",
        "binary_cross_entropy_with_logits(logits, targets, *, reduction='mean')",
        "cross_entropy(logits, targets, *, reduction='mean')",
        "mean_squared_error(predictions, targets, reduction='mean')",
        "gaussian_negative_log_likelihood(mean, targets, variance, reduction='mean')",
        "entropy(p, reduction='mean')",
        "kl_divergence(p, q, reduction='mean')",
    ],
    "tinygrad_lr.optim": [
        "SGD(parameters, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, "
        "maximize=False)",
    ],
    "tinygrad_lr.training": [
        "minimize(loss, parameters, batches, optimizer, epochs, callbacks=())"
    ],
    "tinygrad_lr.data": [
        "train_test_split(X, y, test_size=0.25, seed=0)",
        "Batches(X, y, batch_size=None, shuffle=True, seed=0)",
        "read_csv(path, target)",
        "SQLiteBatches(path, table, features, target, batch_size, shuffle=True, seed=0)",
    ],
    "tinygrad_lr.graph": [
        "to_dot(value)",
        "to_mermaid(value)",
        "draw(value, path)",
        "explain(value)",
        "to_source(f, *example_inputs)",
        "compile(f, *example_inputs)",
    ],
}
CALLS = [(module, call) for module, calls in SIGNATURES.items() for call in calls]


def public(module):
    """The names that a module offers, with what they stand for."""
    return {name: getattr(module, name) for name in getattr(module, "__all__", [])}


# ---- documentation ---------------------------------------------------------------------------


@every_module
def test_a_module_says_what_it_is_and_what_it_offers(name):
    module = import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    first = module.__doc__.splitlines()[0]
    assert first.endswith((".", "?")), f"{name}: the first line is no sentence: {first}"
    assert len(first) < 100
    names = getattr(module, "__all__", None)
    assert names is not None, f"{name} has no __all__"
    assert len(names) == len(set(names))
    assert [n for n in names if not hasattr(module, n)] == []


@every_module
def test_every_public_name_has_a_docstring(name):
    module = import_module(name)
    named = {}
    for label, thing in public(module).items():
        if inspect.isclass(thing) or inspect.isroutine(thing):
            named[label] = thing.__doc__
        if inspect.isclass(thing):
            methods = inspect.getmembers(
                thing, lambda m: inspect.isroutine(m) or isinstance(m, property)
            )
            ours = [(k, m) for k, m in methods if k in vars(thing) and not k.startswith("_")]
            named.update({f"{label}.{k}": inspect.getdoc(m) for k, m in ours})
    assert [label for label, words in named.items() if not words] == []


def test_every_operation_has_a_docstring():
    from tinygrad_lr.core.operation import OPERATIONS

    assert [name for name, op in OPERATIONS.items() if not op.public.__doc__] == []


# ---- the interface ---------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "name"), PROMISED)
def test_what_was_promised_is_there(module, name):
    assert hasattr(import_module(module), name), f"from {module} import {name}"


@pytest.mark.parametrize("name", INTERFACE["tinygrad_lr.losses"].split())
def test_losses_are_importable_from_the_top(name):
    assert getattr(tinygrad_lr, name) is getattr(tinygrad_lr.losses, name)


def test_a_star_import_hides_nothing_of_python():
    import builtins

    assert set(tinygrad_lr.__all__) & set(vars(builtins)) == set()
    with pytest.raises(AttributeError, match="no attribute 'tensor'"):
        tinygrad_lr.tensor


def test_modules_come_when_they_are_named():
    for module in INTERFACE:
        _, _, name = module.partition(".")
        if name and "." not in name:
            assert getattr(tinygrad_lr, name) is import_module(module)


def test_a_value_has_what_was_promised():
    missing = [name for name in VALUE.split() if not hasattr(tinygrad_lr.Value, name)]
    methods = set(FUNCTIONS.split()) - NO_METHODS
    missing += [name for name in sorted(methods) if not hasattr(tinygrad_lr.Value, name)]
    assert missing == []


@pytest.mark.parametrize(("module", "call"), CALLS)
def test_functions_are_called_as_promised(module, call):
    """Names, order and defaults; beyond them only options that may be left out."""
    name, _, arguments = call.partition("(")
    promised = eval(f"lambda {arguments[:-1]}: 0")
    found = inspect.signature(getattr(import_module(module), name)).parameters
    expected = inspect.signature(promised).parameters
    assert set(expected) <= set(found)
    positional = lambda ps: [
        p.name for p in ps.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)
    ]
    assert positional(found)[: len(positional(expected))] == positional(expected)
    for parameter in expected.values():
        if parameter.default is not parameter.empty:
            assert found[parameter.name].default == parameter.default
    for extra in list(set(found) - set(expected)):
        assert found[extra].default is not inspect.Parameter.empty or found[extra].kind in (
            inspect.Parameter.VAR_POSITIONAL,
            inspect.Parameter.VAR_KEYWORD,
        ), f"{name} also needs {extra}"
