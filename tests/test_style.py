"""Budgets of size, no print and no assert in the package, a test file for every module."""

import ast
from pathlib import Path

import pytest

PACKAGE = "sklearn_ddcl"
ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / PACKAGE).rglob("*.py"))

FILE_LINES = 300
FUNCTION_LINES = 40
FUNCTION_ARGUMENTS = 7
CONSTRUCTOR_PARAMETERS = 15

Function = ast.FunctionDef | ast.AsyncFunctionDef
each_module = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(ROOT / PACKAGE))
)


def docstring_lines(tree):
    """Return the numbers of all lines that belong to docstrings."""
    lines = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines.update(range(first.lineno, first.end_lineno + 1))
    return lines


def code_lines(source, tree, node=None):
    """Count lines of a file or of a node, without blanks, comments and docstrings."""
    text = source.splitlines()
    first, last = (node.lineno, node.end_lineno) if node else (1, len(text))
    skipped = docstring_lines(tree)
    return sum(
        number not in skipped and bool(text[number - 1].split("#")[0].strip())
        for number in range(first, last + 1)
    )


def argument_count(function, is_method):
    """Count named arguments, without `self` or `cls`."""
    arguments = function.args
    count = len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
    static = any(getattr(item, "id", "") == "staticmethod" for item in function.decorator_list)
    return count - (is_method and not static)


def style_errors(source):
    """List everything in a source file that breaks a budget or a ban."""
    tree = ast.parse(source)
    errors = []
    if (lines := code_lines(source, tree)) > FILE_LINES:
        errors.append(f"{lines} code lines in the file, {FILE_LINES} allowed")
    methods = {
        id(item) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for item in node.body
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            errors.append(f"line {node.lineno}: assert")
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            errors.append(f"line {node.lineno}: print")
        if not isinstance(node, Function):
            continue
        if (lines := code_lines(source, tree, node)) > FUNCTION_LINES:
            errors.append(f"{node.name}: {lines} code lines, {FUNCTION_LINES} allowed")
        allowed = CONSTRUCTOR_PARAMETERS if node.name == "__init__" else FUNCTION_ARGUMENTS
        if (count := argument_count(node, id(node) in methods)) > allowed:
            errors.append(f"{node.name}: {count} arguments, {allowed} allowed")
    return errors


def mirrored_test(path):
    """Return where the tests of a module belong."""
    relative = path.relative_to(ROOT / PACKAGE)
    return ROOT / "tests" / relative.parent / f"test_{relative.stem.lstrip('_')}.py"


def has_functions(source):
    """Tell whether there is anything to run in a module, beyond constants and protocols."""
    return any(
        isinstance(node, Function) and not all(is_stub(statement) for statement in node.body)
        for node in ast.walk(ast.parse(source))
    )


def is_stub(statement):
    """Tell whether a statement is a docstring, an ellipsis or `pass`."""
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass)


@each_module
def test_budgets_are_kept(path):
    assert style_errors(path.read_text(encoding="utf-8")) == []


@each_module
def test_every_module_has_its_test_file(path):
    if path.stem == "__init__" or not has_functions(path.read_text(encoding="utf-8")):
        return
    assert mirrored_test(path).exists(), f"{mirrored_test(path).relative_to(ROOT)} is missing"


def test_init_files_only_import():
    for path in (path for path in MODULES if path.stem == "__init__"):
        assert not has_functions(path.read_text(encoding="utf-8")), path


LONG = "\n".join(f"    x{number} = 0" for number in range(40))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("assert 1", "line 1: assert"),
        ("def f():\n    print(1)", "line 2: print"),
        ("def f(a, b, c, d, e, /, f, g, *, h):\n    pass", "f: 8 arguments, 7 allowed"),
        (f"def f():\n{LONG}", "f: 41 code lines, 40 allowed"),
        ("\n".join(["x = 0"] * 301), "301 code lines in the file, 300 allowed"),
        (
            f"class A:\n    def __init__(self, {', '.join(f'a{n}' for n in range(16))}):\n"
            "        pass",
            "__init__: 16 arguments, 15 allowed",
        ),
    ],
)
def test_a_planted_violation_is_caught(source, expected):
    assert style_errors(source) == [expected]


@pytest.mark.parametrize(
    "source",
    [
        f'def f():\n    """Doc.\n\n{LONG}\n    """\n    return 0  # comment',
        "class A:\n    def f(self, a, b, c, d, e, f, g):\n        pass",
        "class A:\n    @staticmethod\n    def f(a, b, c, d, e, f, g):\n        pass",
        "\n".join(["# comment", ""] * 301),
        "printer.print(1)",
    ],
)
def test_what_is_within_the_budgets_passes(source):
    assert style_errors(source) == []


def test_paths_of_mirrored_tests():
    path = ROOT / PACKAGE / "metrics" / "_accuracy.py"
    assert mirrored_test(path) == ROOT / "tests" / "metrics" / "test_accuracy.py"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\nclass W(Warning):\n    pass", False),
        ('class P:\n    def f(self):\n        """Doc."""\n        ...', False),
        ("def f():\n    return 1", True),
    ],
)
def test_modules_with_nothing_to_run_need_no_test_file(source, expected):
    assert has_functions(source) is expected
