"""Who may import whom, read from the imports of every module (nothing is executed).

nn (maths) <- engine (training) <- cluster (facade), with leaf packages beside them.
"""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = "sklearn_ddcl"
ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / PACKAGE).rglob("*.py"))

# What each layer may import beside the standard library and itself: names of other
# distributions, or of our own packages (with a dot in front).
ALLOWED = {
    "": {".cluster", ".exceptions", "._version"},
    "exceptions": {"sklearn"},
    "options": {".engine", ".nn.partition_support", ".nn.schedules"},
    "_version": set(),
    "utils": {"numpy", "scipy", "sklearn"},
    "nn": {"torch"},
    "engine": {"torch", "numpy", "scipy", ".nn", ".utils", ".exceptions"},
    "cluster": {
        *("sklearn", "numpy", "scipy"),
        *(".engine", ".utils", ".metrics", ".exceptions", ".nn.schedules", ".nn.options"),
    },
    "metrics": {"numpy", "scipy", "sklearn", ".utils", ".exceptions"},
    "diagnostics": {"numpy", ".metrics", ".utils", ".exceptions"},
    "displays": {"numpy", "matplotlib", ".diagnostics", ".metrics", ".utils"},
    "datasets": {"numpy", "sklearn", ".utils"},
    "model_selection": {"numpy", "sklearn", ".utils"},
}
# Files of one training loop's events.
CALLBACKS = [
    "engine._callbacks." + path.stem
    for path in MODULES
    if path.parent.name == "_callbacks" and path.stem != "__init__"
]
# Single modules that may import more than their layer.
EXCEPTIONS = {
    "engine._kmeans": {"sklearn.cluster", "faiss"},
    "engine._neighbors": {"pynndescent", "sklearn.neighbors"},
    **{name: {"skorch"} for name in ("engine._net", *CALLBACKS)},
}
# Families of nn that must not know each other.
FAMILIES = {"prototypes", "losses", "backbones", "partition_support"}
# Optional dependencies, to be imported inside functions only.
LAZY = {"faiss", "matplotlib", "pynndescent"}


def imports(tree):
    """Yield (line, dotted name, whether at module level) of every absolute import."""
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside.update(id(child) for child in ast.walk(node))
    for node in ast.walk(tree):
        top_level = id(node) not in inside
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, top_level) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}", top_level


def starts_with(name, prefix):
    return name == prefix or name.startswith(prefix + ".")


def is_private(name):
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def violations(module, source):
    """List what a module (dotted, without the package's name) must not import."""
    tree = ast.parse(source)
    layer = module.split(".")[0]
    found = [
        f"line {node.lineno}: relative import"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    for line, name, top_level in imports(tree):
        top = name.split(".")[0]
        if top == PACKAGE:
            found += [f"line {line}: {why}" for why in own_violations(module, name)]
            continue
        if top in sys.stdlib_module_names:
            continue
        allowed = ALLOWED.get(layer, set()) | EXCEPTIONS.get(module, set())
        if not any(starts_with(name, prefix) for prefix in allowed):
            found.append(f"line {line}: {layer or PACKAGE} must not import {name}")
        if top in LAZY and top_level:
            found.append(f"line {line}: {top} must be imported inside a function")
        if is_private(name) and layer != "utils":
            found.append(f"line {line}: private name {name} outside utils")
    return found


def own_violations(module, name):
    """Yield why a module must not import the given name of this package."""
    layer, target = module.split(".")[0], name.removeprefix(PACKAGE)
    if not target or starts_with(target, f".{layer}"):
        if layer == "nn" and module != "nn":
            yield from family_violations(module, target)
        return
    if not any(starts_with(target, prefix) for prefix in ALLOWED.get(layer, set())):
        yield f"{layer or PACKAGE} must not import {name}"


def family_violations(module, target):
    """Yield whether a family of nn imports another, or a module of nn a family."""
    own, other = module.split(".")[1], target.split(".")[2:3]
    if other and other[0] in FAMILIES and other[0] != own:
        yield f"nn.{own} must not import nn.{other[0]}"


def dotted(path):
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: dotted(path) or PACKAGE)
def test_imports_respect_the_layers(path):
    assert violations(dotted(path), path.read_text(encoding="utf-8")) == []


def test_every_package_has_its_rule():
    folders = {path.name for path in (ROOT / PACKAGE).iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(ALLOWED)


def test_the_packages_import_each_other_in_one_direction_only():
    graph = {
        layer: {dep[1:].split(".")[0] for dep in ALLOWED[layer] if dep[0] == "."}
        for layer in ALLOWED
    }
    while graph:
        leaves = {layer for layer, needs in graph.items() if not needs & set(graph)}
        assert leaves, f"cycle among {sorted(graph)}"
        graph = {layer: needs for layer, needs in graph.items() if layer not in leaves}


@pytest.mark.parametrize(
    ("module", "line", "expected"),
    [
        ("nn.distances", "import numpy as np", "nn must not import numpy"),
        ("nn.losses._x", "from sklearn_ddcl.nn.prototypes import V", "nn.losses must not import"),
        ("nn.distances", "from sklearn_ddcl.nn import losses", "nn.distances must not import"),
        ("nn.distances", "from sklearn_ddcl.engine import fit", "nn must not import"),
        ("engine._net", "from sklearn.cluster import KMeans", "must not import sklearn.cluster"),
        ("engine._joint", "from skorch import NeuralNet", "engine must not import skorch"),
        ("engine._net", "from sklearn_ddcl.metrics import x", "engine must not import"),
        ("engine._kmeans", "import faiss", "inside a function"),
        ("engine._kmeans", "from sklearn.svm import SVC", "must not import sklearn.svm"),
        ("cluster._base", "def f():\n    import torch", "cluster must not import torch"),
        ("cluster._base", "from sklearn_ddcl.nn.distances import d", "cluster must not import"),
        ("cluster._base", "from sklearn_ddcl.nn import distances", "cluster must not import"),
        ("metrics._x", "import torch.nn as nn", "metrics must not import torch"),
        ("displays._x", "from sklearn_ddcl.engine import x", "displays must not import"),
        ("displays._x", "import matplotlib.pyplot as plt", "inside a function"),
        ("displays._x", "class A:\n    import matplotlib", "inside a function"),
        ("metrics._x", "def f():\n    import matplotlib", "metrics must not import matplotlib"),
        ("datasets._x", "from . import _y", "relative import"),
        ("datasets._x", "from sklearn.utils._x import y", "private name sklearn.utils._x.y"),
        ("datasets._x", "from sklearn.utils.validation import _check", "private name"),
        ("utils._x", "from sklearn_ddcl.exceptions import W", "utils must not import"),
        ("", "from sklearn_ddcl.metrics import x", f"{PACKAGE} must not import"),
        ("strange._x", "import numpy", "strange must not import numpy"),
    ],
)
def test_a_planted_violation_is_caught(module, line, expected):
    found = violations(module, line)
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("nn.losses._x", "import math\nimport torch\nfrom sklearn_ddcl.nn.outputs import O"),
        ("nn", "from sklearn_ddcl.nn.losses import L"),
        ("nn.losses", "from sklearn_ddcl.nn.losses._x import L"),
        ("engine._kmeans", "from sklearn.cluster import KMeans"),
        ("engine._net", "from skorch import NeuralNet"),
        ("engine._callbacks._record", "from skorch.callbacks import Callback"),
        ("engine._net", "from sklearn_ddcl.nn.losses._x import L"),
        ("cluster._base", "from sklearn_ddcl.nn.schedules import Constant"),
        ("cluster._base", "from sklearn_ddcl.nn import schedules"),
        ("displays._x", "def f():\n    import matplotlib.pyplot as plt"),
        ("utils._x", "from sklearn.utils._param_validation import Interval"),
        ("metrics._x", "from sklearn_ddcl.metrics import _validity"),
        ("", "from sklearn_ddcl._version import __version__"),
    ],
)
def test_allowed_imports_pass(module, line):
    assert violations(module, line) == []
