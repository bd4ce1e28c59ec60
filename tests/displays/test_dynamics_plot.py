"""Artists of the panels: curves, phases, points, path."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from scipy import stats

from sklearn_ddcl.diagnostics import read_history
from sklearn_ddcl.displays._dynamics_plot import (
    PANELS,
    draw_correlation,
    draw_counts,
    draw_curves,
    draw_portrait,
    panel_keys,
    pearson,
)

KINETIC = ["concentration", "separation"]


@pytest.fixture
def ax():
    return plt.figure().add_subplot()


def records(n=6, **columns):
    """Return n records, half of them of each phase, with given columns."""
    half = n // 2
    return [
        {"epoch": k + 1, "phase": "one" if k < half else "two"}
        | {name: values[k] for name, values in columns.items()}
        for k in range(n)
    ]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_curves_have_their_values_and_leave_out_what_is_not_known(ax):
    history = read_history(records(4, temperature=[np.nan, 3.0, np.nan, 1.0]))
    artists = draw_curves(history, ["temperature"], ax)
    np.testing.assert_array_equal(artists["temperature"].get_xydata(), [[2, 3], [4, 1]])
    assert ax.get_ylabel() == "temperature $T$"
    assert ax.get_legend() is None


def test_several_curves_differ_by_more_than_colour_and_stand_below_their_legend(ax):
    parts = {"loss_quantization": np.full(6, 3.0), "loss_ols": np.ones(6), "variance": np.zeros(6)}
    artists = draw_curves(read_history(records(6, **parts)), list(parts), ax)
    lines = artists.values()
    assert len({line.get_linestyle() for line in lines}) == 3
    assert len({line.get_color() for line in lines}) == 3
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == ["quantization $L_q$", "OLS part $L_{OLS}$", "variance $V$"]
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    assert not any(box.contains(*point) for line in lines
                   for point in ax.transData.transform(line.get_xydata()))  # fmt: skip


def test_phases_are_shaded_in_turn_and_named(ax):
    history = read_history(records(temperature=np.arange(6.0)))
    draw_curves(history, ["temperature"], ax)
    (band,) = ax.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == (3.5, 6.5)
    assert ax.get_xlim() == (0.5, 6.5)
    assert texts(ax) == ["1", "2"]
    assert ax.get_xlabel() == "epoch\nphases: 1 one, 2 two"


def test_phases_without_values_are_left_out_but_numbers_stay(ax):
    history = read_history(records(temperature=[np.nan] * 3 + [3.0, 2.0, 1.0]))
    draw_curves(history, ["temperature"], ax)
    assert ax.get_xlim() == (3.5, 6.5)
    assert texts(ax) == ["2"]
    assert ax.get_xlabel() == "epoch\nphases: 2 two"


def test_one_phase_is_not_marked(ax):
    history = read_history([{"temperature": 1.0}, {"temperature": 2.0}])
    draw_curves(history, ["temperature"], ax)
    assert (len(ax.patches), texts(ax), ax.get_xlabel()) == (0, [], "epoch")


def test_numbers_of_short_phases_do_not_overlap(ax):
    long = [{"phase": "long", "temperature": 1.0}] * 500
    short = [{"phase": f"short {k}", "temperature": 1.0} for k in range(12)]
    draw_curves(read_history(long + short), ["temperature"], ax)
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert 1 < len(boxes) < 13
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_counts_begin_at_zero(ax):
    artists = draw_counts(read_history(records(n_active=[5] * 6)), ["n_active"], ax)
    np.testing.assert_array_equal(artists["n_active"].get_ydata(), [5] * 6)
    assert ax.get_ylim()[0] == 0
    assert all(tick == int(tick) for tick in ax.get_yticks())


def test_separation_is_drawn_against_concentration_by_phase(ax):
    K, S = np.linspace(0.1, 1.0, 6), np.array([0.0, 1.0, 1.0, 4.0, np.nan, 7.0])
    history = read_history(records(concentration=K, separation=S))
    artists = draw_correlation(history, KINETIC, ax)
    np.testing.assert_allclose(artists["one"].get_offsets(), np.column_stack([K, S])[:3])
    np.testing.assert_allclose(artists["two"].get_offsets(), np.column_stack([K, S])[[3, 5]])
    known = np.isfinite(S)
    expected = stats.pearsonr(K[known], S[known]).statistic
    assert ax.get_title().endswith(f"r = {expected:.2f}")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]


@given(
    seed=st.integers(0, 999),
    n=st.integers(3, 20),
    scale=st.sampled_from([1e-200, 1e-3, 1.0, 1e150]),
    shift=st.floats(-5, 5),
)
def test_pearson_agrees_with_scipy_on_any_scale(seed, n, scale, shift):
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    expected = stats.pearsonr(x, y).statistic
    assert pearson(x * scale + shift * scale, y) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("n", [1, 4])
def test_a_constant_has_no_correlation(n, ax):
    assert np.isnan(pearson(np.ones(n), np.arange(n)))
    history = read_history([{"concentration": 1.0, "separation": 2.0}] * n)
    artists = draw_correlation(history, KINETIC, ax)
    assert "is not defined" in ax.get_title()
    assert ax.get_legend() is None
    assert len(artists[""].get_offsets()) == n


def test_the_path_goes_from_start_to_end(ax):
    angle = np.linspace(0, 3, 100)
    K, S = np.cos(angle), 1e6 * np.sin(angle)
    history = read_history(
        [{"concentration": k, "separation": s} for k, s in zip(K, S, strict=True)]
    )
    artists = draw_portrait(history, KINETIC, ax)
    path = np.column_stack([K, S])
    np.testing.assert_allclose(artists["path"].get_xydata(), path)
    np.testing.assert_allclose(artists["start"].get_xydata(), path[:1])
    np.testing.assert_allclose(artists["end"].get_xydata(), path[-1:])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["start", "end"]
    assert len(artists["arrows"]) == 8
    for arrow in artists["arrows"]:
        row = np.flatnonzero((path == arrow.xy).all(axis=1))[0]
        np.testing.assert_array_equal(arrow.xyann, path[row - 1])  # forward, not backward
    assert (np.diff([np.arctan2(a.xy[1] / 1e6, a.xy[0]) for a in artists["arrows"]]) > 0).all()


def test_a_path_that_does_not_move_has_no_arrows(ax):
    history = read_history([{"concentration": 1.0, "separation": 2.0}] * 3)
    assert draw_portrait(history, KINETIC, ax)["arrows"] == []


def test_a_panel_needs_its_keys():
    history = read_history([{"concentration": 1.0, "n_edges": 3}, {"separation": 1.0}])
    found = {name: panel_keys(history, name) for name in PANELS}
    # both are known, but never together
    assert {name: keys for name, keys in found.items() if keys} == {"active": ["n_edges"]}


def test_a_panel_that_does_not_exist_is_refused():
    with pytest.raises(KeyError):
        panel_keys(read_history([{}]), "accuracy")


def test_keys_that_are_not_there_are_refused(ax):
    with pytest.raises(KeyError):
        draw_curves(read_history([{"loss": 1.0}]), ["temperature"], ax)
