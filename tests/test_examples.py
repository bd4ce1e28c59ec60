"""The examples run as users run them: alone, elsewhere, without warnings, in seconds."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
SECONDS = 60  # a user waits a third of that; the rest is for machines that are busy with tests
PNG = b"\x89PNG\r\n\x1a\n"


def run(path, folder):
    """Run a script in a folder, as by hand, and return what it printed."""
    settings = {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def private_imports(source):
    """List the imports of private names of this package."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found += [name for name in names if name.startswith("sklearn_ddcl") and "._" in name]
    return found


def table(text):
    """Read the demo's rows: name to ACC, NMI, ARI, seconds."""
    row = re.compile(r"^(\S+\(.*?\)) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+)$", re.M)
    return {
        match[1]: [float(value) for value in match.groups()[1:]] for match in row.finditer(text)
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demo once: its folder, its text and its table."""
    folder = tmp_path_factory.mktemp("demo")
    text = run(ROOT / "examples" / "plot_digits_demo.py", folder)
    return folder, text, table(text)


def test_the_demo_prints_its_table(demo):
    rows = demo[2]
    assert [name.partition("(")[0] for name in rows] == ["DDCLClustering"] * 2 + ["KMeans"]
    for accuracy, nmi, ari, seconds in rows.values():
        assert 0.7 < accuracy < 1
        assert 0.7 < nmi < 1
        assert 0.6 < ari < 1
        assert 0 < seconds < SECONDS


def test_the_demo_writes_the_picture_that_it_names(demo):
    picture = demo[0] / "demo_prototypes.png"
    assert picture.read_bytes().startswith(PNG)
    assert str(picture) in demo[1]


def test_the_demo_clusters_digits_better_than_kmeans(demo):
    learned, given, kmeans = demo[2].values()
    assert learned[0] > kmeans[0] + 0.05
    assert given[0] > kmeans[0] - 0.02


def test_the_search_prints_its_scores_and_writes_the_picture(tmp_path):
    text = run(ROOT / "examples" / "plot_pipeline_search.py", tmp_path)
    assert len(re.findall(r"^ +0\.\d{3}  .*n_clusters=\d+", text, re.M)) == 3
    for output in ("distances", "assignments", "embedding"):
        assert float(re.search(rf"{output} +([\d.]+)", text)[1]) > 0.85
    assert (tmp_path / "pipeline_prototypes.png").read_bytes().startswith(PNG)


BACKBONES = {
    "plot_backbone_resnet.py": [r"KMeans on pixels: ", r"DDCLClustering: +"],
    "plot_backbone_recurrent.py": [r"KMeans on values: ", r"DDCLClustering: +"],
    "plot_backbone_transformer.py": [r"KMeans on values +", r"(?:class|mean) token +"],
}


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_of_ones_own_beats_kmeans_on_values(tmp_path, name):
    text = run(ROOT / "examples" / name, tmp_path)
    kmeans, ours = (
        [float(found) for found in re.findall(rf"{line}ACC ([\d.]+)", text)]
        for line in BACKBONES[name]
    )
    assert ours
    assert min(ours) > max(kmeans)
    assert min(ours) > 0.9
    assert picture_named_in(text, tmp_path).startswith(PNG)


def test_prototypes_at_two_depths_find_clusters_and_their_groups(tmp_path):
    text = run(ROOT / "examples" / "plot_multi_scale.py", tmp_path)
    found = re.findall(r"^(early|late) .*?: ACC ([\d.]+)", text, re.M)
    assert [name for name, _ in found] == ["early", "late"]
    assert all(float(accuracy) > 0.9 for _, accuracy in found)
    first, last = re.search(r"depths: (.*) at first, (.*) at last", text).groups()
    for before, after in zip(first.split(", "), last.split(", "), strict=True):
        assert float(after) < float(before)
    assert float(re.search(r"early features: ACC ([\d.]+)", text)[1]) > 0.9
    assert picture_named_in(text, tmp_path).startswith(PNG)


def test_a_stream_that_drifts_is_followed_with_decay_alone(tmp_path):
    text = run(ROOT / "examples" / "plot_drifting_stream.py", tmp_path)
    alone, decays, keeps, theirs = map(float, re.findall(r"^\w.*? ([\d.]+)$", text, re.M)[:4])
    assert decays >= alone - 0.03
    assert keeps < alone - 0.1
    assert theirs < alone - 0.1
    assert picture_named_in(text, tmp_path).startswith(PNG)


def test_without_support_all_collapses_and_combination_assignment_is_even(tmp_path):
    text = run(ROOT / "examples" / "plot_online_collapse.py", tmp_path)
    rows = [line.split()[-5:] for line in text.splitlines() if re.search(r" \d+ +[\d.]+ ", line)]
    alone, _, even = ([float(cell) for cell in row] for row in rows[-3:])
    assert alone[0] == 1
    assert alone[1] > 1600
    assert alone[2] == 0.0
    assert even[0] == 10
    assert even[1] < 20
    assert even[2] > 3.3
    assert picture_named_in(text, tmp_path).startswith(PNG)


def test_the_game_makes_clusters_denser_and_joining_keeps_digits_whole(tmp_path):
    text = run(ROOT / "examples" / "plot_adversarial.py", tmp_path)
    pixels, kmeans, single, joined, several = map(float, re.findall(r"ACC ([\d.]+)$", text, re.M))
    assert kmeans > pixels + 0.05
    assert abs(single - kmeans) < 0.03
    assert min(joined, several) > 0.92  # k-means on the same features: 0.91 or 0.95
    warm, first, second = map(float, re.findall(r"variance within ([\d.]+)$", text, re.M))
    assert first < warm
    assert first < second
    assert picture_named_in(text, tmp_path).startswith(PNG)


def test_deep_cluster_gains_from_the_warm_up_and_comes_to_rest(tmp_path):
    text = run(ROOT / "examples" / "plot_deep_cluster.py", tmp_path)
    rows = re.findall(r"^\w.*? +([\d.]+) +([\d.]+) +([\d.]+)$", text, re.M)
    (cold, _, first), (warm, _, second) = [[float(value) for value in row] for row in rows]
    assert warm > cold > 0.7
    assert min(first, second) > 0.9
    assert picture_named_in(text, tmp_path).startswith(PNG)


def test_competitive_layers_find_the_shapes_and_show_how_they_learn(tmp_path):
    text = run(ROOT / "examples" / "plot_competitive.py", tmp_path)
    assert re.search(r"^ +spiral +moons +circles$", text, re.M)
    rows = [re.findall(r"(\d) of 3, ([\d.]+)", line) for line in text.splitlines()]
    for cells in zip(
        *(row for row in rows if row), strict=True
    ):  # a shape each, the ways in order
        counts, errors = zip(*cells, strict=True)
        assert len(cells) == 4
        assert int(counts[-1]) >= 2  # the defaults, on most seeds
        assert float(errors[-1]) < min(map(float, errors[:-1]))
    assert picture_named_in(text, tmp_path).startswith(PNG)


def test_a_fit_is_read_in_three_pictures(tmp_path):
    text = run(ROOT / "examples" / "plot_reading_a_fit.py", tmp_path)
    kmeans, ours = map(float, re.findall(r"ACC ([\d.]+)", text))
    assert ours > kmeans + 0.05
    assert float(re.search(r"last epoch: ([\d.]+)%", text)[1]) < 10
    assert picture_named_in(text, tmp_path).startswith(PNG)


def picture_named_in(text, folder):
    """Read the file that a script says it has written."""
    return (folder / re.search(r"^Picture: (\S+)$", text, re.M)[1]).read_bytes()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_use_public_names_only(path):
    assert private_imports(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_begin_with_a_title(path):
    lines = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=True).splitlines()
    assert set(lines[0]) == {"="}
    assert lines[1]
    assert lines[2] == lines[0]
    assert len(lines[0]) >= len(lines[1])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_say_what_they_do_and_draw(path):
    source = path.read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source)).split("\n", 3)[3]
    assert len(text.split()) > 20
    assert len(re.findall(r"^# %%$", source, re.M)) >= 3
    assert "savefig" in source


def test_every_example_has_a_test():
    source = Path(__file__).read_text(encoding="utf-8")
    assert EXAMPLES
    assert [path.name for path in EXAMPLES if f'"{path.name}"' not in source] == []


@pytest.mark.parametrize(
    "source",
    ["from sklearn_ddcl.metrics._nearest import f", "import sklearn_ddcl.engine._net"],
)
def test_a_planted_private_import_is_caught(source):
    assert len(private_imports(source)) == 1


@pytest.mark.parametrize("script", ["1 / 0", "import warnings; warnings.warn('x')"])
def test_a_failing_script_is_caught(tmp_path, script):
    path = tmp_path / "plot_planted.py"
    path.write_text(script, encoding="utf-8")
    with pytest.raises(AssertionError):
        run(path, tmp_path)


def test_a_table_without_rows_is_empty():
    assert table("ACC NMI ARI\nDDCLClustering(10)  nan  0.1  0.2  3.0  0.1\n") == {}
