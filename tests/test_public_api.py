"""The public names: declared, sorted, importable, documented, and nothing beside them."""

import importlib
import pkgutil
import types
from pathlib import Path

import pytest

PACKAGE = "sklearn_ddcl"
FOLDER = Path(__file__).resolve().parents[1] / PACKAGE


def public_modules():
    """List the package and all its modules without an underscore in their path."""
    names = [
        info.name
        for info in pkgutil.walk_packages([str(FOLDER)], prefix=f"{PACKAGE}.")
        if not any(part.startswith("_") for part in info.name.split("."))
    ]
    root = [PACKAGE] if (FOLDER / "__init__.py").exists() else []
    return [*root, *sorted(names)]


MODULES = public_modules()
each_module = pytest.mark.parametrize("name", MODULES)


def declared(module):
    return getattr(module, "__all__", [])


def api_errors(module):
    """List what is wrong with `__all__` of a module; without one, nothing is public."""
    names = declared(module)
    if not all(isinstance(name, str) for name in names):
        return ["__all__ holds something else than strings"]
    errors = [f"{name} is listed but absent" for name in names if not hasattr(module, name)]
    if list(names) != sorted(names):
        errors.append("__all__ is not sorted")
    if len(names) != len(set(names)):
        errors.append("__all__ has duplicates")
    errors += [
        f"{name} has no docstring"
        for name in names
        if callable(value := getattr(module, name, None)) and not (value.__doc__ or "").strip()
    ]
    return errors


def leaks(module):
    """List public names of a package that are neither in `__all__` nor submodules."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name not in declared(module)
        and not (isinstance(value, types.ModuleType) and value.__name__.startswith(PACKAGE))
    ]


@each_module
def test_all_is_a_sorted_list_of_documented_names(name):
    assert api_errors(importlib.import_module(name)) == []


@each_module
def test_star_import_gives_exactly_the_public_names(name):
    namespace: dict = {}
    exec(f"from {name} import *", namespace)
    namespace.pop("__builtins__")
    assert sorted(namespace) == sorted(declared(importlib.import_module(name)))


@each_module
def test_packages_leak_no_other_name(name):
    module = importlib.import_module(name)
    if hasattr(module, "__path__"):
        assert leaks(module) == []


@each_module
def test_public_objects_are_defined_in_this_package(name):
    module = importlib.import_module(name)
    for public in declared(module):
        value = getattr(module, public)
        if isinstance(value, type | types.FunctionType):
            assert value.__module__.startswith(PACKAGE), public


@each_module
def test_modules_have_a_docstring(name):
    assert (importlib.import_module(name).__doc__ or "").strip()


def test_the_leaf_packages_are_among_the_modules():
    expected = {f"{PACKAGE}.{leaf}" for leaf in ("datasets", "displays", "metrics")}
    assert expected <= set(MODULES)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([len], "strings"),
        (["b", "a"], "not sorted"),
        (["a", "a"], "duplicates"),
        (["c"], "c is listed but absent"),
        (["bare"], "bare has no docstring"),
    ],
)
def test_a_planted_error_is_caught(names, expected):
    module = types.ModuleType(f"{PACKAGE}.planted")
    module.a, module.b, module.bare = 1, 2, lambda: None
    module.__all__ = names
    (error,) = api_errors(module)
    assert expected in error


def test_a_planted_leak_is_caught():
    module = types.ModuleType(f"{PACKAGE}.planted")
    module.__all__, module.a, module.np = ["a"], 1, types.ModuleType("numpy")
    assert leaks(module) == ["np"]
