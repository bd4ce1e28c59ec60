"""numpydoc validation of every public object, found through `__all__`."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from numpydoc.validate import validate

PACKAGE = "sklearn_ddcl"
FOLDER = Path(__file__).resolve().parents[1] / PACKAGE

# No docstring; no summary, not capitalised, no period; parameters missing, unknown, in
# another order, without type, without description; nothing about what is returned.
EVERYWHERE = {
    *("GL08", "SS01", "SS02", "SS03"),
    *("PR01", "PR02", "PR03", "PR04", "PR07"),
    *("RT01", "RT03"),
}
# An Examples section is asked of objects, not of each of their methods.
OBJECTS_ONLY = {"EX01"}
# Hooks whose contract another library documents (torch: a string for `repr`).
FOREIGN_HOOKS = {"extra_repr"}


def public_objects():
    """Map the defining dotted name of each public class and function to itself."""
    names = [
        info.name
        for info in pkgutil.walk_packages([str(FOLDER)], prefix=f"{PACKAGE}.")
        if not any(part.startswith("_") for part in info.name.split("."))
    ]
    found = {}
    for name in names:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", []):
            value = getattr(module, public)
            if inspect.isclass(value) or inspect.isfunction(value):
                found.setdefault(f"{value.__module__}.{value.__qualname__}", value)
    return found


def public_methods(objects):
    """List the dotted names of public methods that are written in this package."""
    return sorted(
        {
            f"{cls.__module__}.{cls.__qualname__}.{name}"
            for value in objects.values()
            if inspect.isclass(value)
            for cls in value.__mro__
            if cls.__module__.startswith(PACKAGE)
            for name, member in vars(cls).items()
            if not name.startswith("_")
            and name not in FOREIGN_HOOKS
            and inspect.isfunction(inspect.unwrap(getattr(member, "__func__", member)))
            and not inherits_its_docstring(cls, name)
        }
    )


def inherits_its_docstring(cls, name):
    """Tell whether a method adds no more than a line to what a base class here says of it."""
    bases = [base for base in cls.__mro__[1:] if base.__module__.startswith(PACKAGE)]
    told = any(getattr(vars(base).get(name), "__doc__", None) for base in bases)
    return told and "\n" not in (vars(cls)[name].__doc__ or "")


OBJECTS = public_objects()


def errors_of(name, codes):
    """List the enforced errors of one object."""
    return [f"{code}: {text}" for code, text in validate(name)["errors"] if code in codes]


def enforced_codes(value):
    """Return the codes for an object: what only names a type has no arguments to show."""
    if inspect.isclass(value) and issubclass(value, Warning):
        return EVERYWHERE
    if hasattr(value, "_fields") or getattr(value, "_is_protocol", False):
        return EVERYWHERE - {"PR01"}
    return EVERYWHERE | OBJECTS_ONLY


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_public_objects_are_documented_with_an_example(name):
    assert errors_of(name, enforced_codes(OBJECTS[name])) == []


@pytest.mark.parametrize(
    "name", [name for name in sorted(OBJECTS) if hasattr(OBJECTS[name], "_fields")]
)
def test_every_field_of_a_named_tuple_is_described(name):
    text = inspect.getdoc(OBJECTS[name])
    for field in OBJECTS[name]._fields:
        assert re.search(rf"^(\w+, )*{field}(, \w+)* : ", text, re.MULTILINE), field


@pytest.mark.parametrize("name", public_methods(OBJECTS))
def test_public_methods_are_documented(name):
    assert errors_of(name, EVERYWHERE) == []


def test_a_docstring_is_inherited_from_this_package_alone():
    class Base:
        __module__ = f"{PACKAGE}.planted"

        def documented(self):
            """Do."""

        named = told = documented

        def bare(self): ...

    class Derived(Base, dict):
        __module__ = Base.__module__

        def documented(self): ...

        def named(self):
            """Do it this way."""

        def told(self):
            """Do it.

            Else not.
            """

        def bare(self): ...

        def update(self): ...

    names = ("documented", "named", "told", "bare", "update")
    found = [inherits_its_docstring(Derived, name) for name in names]
    assert found == [True, True, False, False, False]
    assert not inherits_its_docstring(Base, "documented")


def test_objects_are_found():
    assert f"{PACKAGE}.metrics._accuracy.hungarian_match" in OBJECTS


def test_a_planted_error_is_caught(tmp_path, monkeypatch):
    source = 'def planted(a, b):\n    """Do it\n\n    Parameters\n    ----------\n    b : int\n'
    source += '        Some.\n    c : int\n        More.\n    """\n    return a\n'
    (tmp_path / "planted_module.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {error[:4] for error in errors_of("planted_module.planted", EVERYWHERE | OBJECTS_ONLY)}
    assert {"SS03", "PR01", "PR02", "RT01", "EX01"} <= found
