"""TrainingDynamicsDisplay: the histories of all estimators, panels, bad input."""

import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_moons

from sklearn_ddcl import (
    CompetitiveClustering,
    DDCLClustering,
    DeepClusterBaseline,
    IncrementalDDCL,
)
from sklearn_ddcl.displays import TrainingDynamicsDisplay
from sklearn_ddcl.options import JointTraining, NeighborContrast

KINETIC = ("correlation", "phase_portrait", "temperature", "active")
RECORDS = [{"epoch": k, "temperature": 1 / k, "n_active": 3} for k in (1, 2, 3)]


@pytest.fixture(scope="module")
def digits():
    return load_digits().data[:300] / 16


@pytest.fixture(scope="module")
def given(digits):
    return DDCLClustering(5, backbone=None, random_state=0).fit(digits)


def finite(model, key):
    values = np.array([record.get(key, np.nan) for record in model.history_], dtype=float)
    return values[np.isfinite(values)]


def assert_curves_are_the_records(display, model):
    """All curves hold all finite values of their keys."""
    for name in set(display.panels_) - {"correlation", "phase_portrait"}:
        for key, line in display.artists_[name].items():
            np.testing.assert_array_equal(line.get_ydata(), finite(model, key))


def test_given_features(given):
    display = TrainingDynamicsDisplay.from_estimator(given)
    assert isinstance(display, TrainingDynamicsDisplay)
    assert display.panels_ == ("loss", *KINETIC)
    assert list(display.artists_["loss"]) == ["loss_quantization", "loss_ols", "variance"]
    assert_curves_are_the_records(display, given)
    path = np.column_stack([finite(given, "concentration"), finite(given, "separation")])
    np.testing.assert_array_equal(display.artists_["phase_portrait"]["path"].get_xydata(), path)
    points = [part.get_offsets() for part in display.artists_["correlation"].values()]
    np.testing.assert_allclose(np.concatenate(points), path)
    assert {ax.figure for ax in display.axes_} == {display.figure_}


def test_deep_features_have_phases(digits):
    model = DDCLClustering(
        3, warm_up=NeighborContrast(n_steps=20), training=JointTraining(epochs=8), random_state=0
    ).fit(digits)
    display = TrainingDynamicsDisplay.from_estimator(model)
    assert display.panels_ == ("loss", "pretext", *KINETIC, "change")
    assert_curves_are_the_records(display, model)
    phases = list(dict.fromkeys(record["phase"] for record in model.history_))
    assert set(display.artists_["correlation"]) == set(phases) - {"pretext"}
    names = dict(zip(display.panels_, display.axes_, strict=True))
    assert "1 pretext" in names["pretext"].get_xlabel()
    assert "1 pretext" not in names["temperature"].get_xlabel()
    assert "2 warm_up" in names["temperature"].get_xlabel()


def test_streams(digits):
    model = IncrementalDDCL(3, random_state=0)
    for start in range(0, 300, 100):
        model.partial_fit(digits[start : start + 100])
    display = TrainingDynamicsDisplay.from_estimator(model)
    assert display.panels_ == ("loss", *KINETIC)
    assert_curves_are_the_records(display, model)


def test_the_baseline_without_temperature(digits):
    model = DeepClusterBaseline(3, epochs=3, n_init=1, random_state=0).fit(digits)
    display = TrainingDynamicsDisplay.from_estimator(model)
    assert display.panels_ == ("loss", "active", "change")
    assert list(display.artists_["loss"]) == ["loss_cross_entropy"]
    assert list(display.artists_["change"]) == ["nmi_previous", "label_change"]
    assert_curves_are_the_records(display, model)


def test_competition_with_edges():
    X, _ = make_moons(100, noise=0.05, random_state=0)
    model = CompetitiveClustering(8, random_state=0).fit(X)
    display = TrainingDynamicsDisplay.from_estimator(model)
    assert display.panels_ == ("loss", "temperature", "active")
    assert list(display.artists_["active"]) == ["n_active", "n_edges"]
    assert_curves_are_the_records(display, model)


def test_chosen_panels_keep_their_order_and_go_to_given_axes(given):
    figure, axes = plt.subplots(1, 2)
    panels = ["temperature", "loss"]
    display = TrainingDynamicsDisplay.from_estimator(given, panels=panels, ax=axes)
    assert display.panels_ == tuple(panels)
    assert list(display.axes_) == list(axes)
    assert display.figure_ is figure
    one = TrainingDynamicsDisplay(given.history_).plot(axes[0], panels="loss")
    assert list(one.axes_) == [axes[0]]
    assert axes[0].get_title() == "Loss"


def test_titles_and_labels_of_one_figure_do_not_meet(given):
    display = TrainingDynamicsDisplay.from_estimator(given)
    display.figure_.canvas.draw()
    boxes = [ax.get_tightbbox() for ax in display.axes_]
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_the_records_are_left_alone():
    before = [dict(record) for record in RECORDS]
    assert not hasattr(TrainingDynamicsDisplay(RECORDS), "axes_")
    TrainingDynamicsDisplay(RECORDS).plot()
    assert before == RECORDS


@pytest.mark.parametrize("panels", [["loss"], ["temperature", "accuracy"], [], "correlation"])
def test_a_panel_without_records_is_refused_with_those_there_are(panels):
    with pytest.raises(ValueError, match=r"panels must be some of \['temperature', 'active'\]"):
        TrainingDynamicsDisplay(RECORDS).plot(panels=panels)


def test_one_axes_for_two_panels_is_refused():
    message = r"one Axes for each of the 2 panels \['temperature', 'active'\], got 1"
    with pytest.raises(ValueError, match=message):
        TrainingDynamicsDisplay(RECORDS).plot(plt.figure().add_subplot())


@pytest.mark.parametrize("records", [[{}], [{"temperature": np.nan}], [{"phase": "final"}]])
def test_records_without_any_panel_are_refused(records):
    with pytest.raises(ValueError, match="records for at least one panel"):
        TrainingDynamicsDisplay(records).plot()


def test_bad_estimators_and_records_are_named():
    with pytest.raises(ValueError, match="fitted and have history_, got KMeans"):
        TrainingDynamicsDisplay.from_estimator(KMeans())
    joined = DDCLClustering(2, backbone=None, prototypes_per_cluster=5, random_state=0)
    joined.fit(np.random.default_rng(0).normal(size=(60, 2)))
    with pytest.raises(ValueError, match="at least one record, got none: a fit that trains"):
        TrainingDynamicsDisplay.from_estimator(joined)
    with pytest.raises(ValueError, match="must be a number, got 'low'"):
        TrainingDynamicsDisplay([{"temperature": "low"}]).plot()


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"TrainingDynamicsDisplay.plot needs matplotlib"):
        TrainingDynamicsDisplay(RECORDS).plot()
