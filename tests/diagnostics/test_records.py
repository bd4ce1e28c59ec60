"""Records as columns: what is missing, what is no number, which epochs and phases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering, IncrementalDDCL
from sklearn_ddcl.diagnostics import read_history

RECORDS = [
    {"epoch": 1, "phase": "pretext", "temperature": np.nan, "loss": 3.0},
    {"epoch": 2, "phase": "joint", "temperature": np.float32(0.5), "n_active": np.int64(4)},
    {"epoch": 3, "phase": "joint", "temperature": np.inf, "n_active": 3},
]


def test_what_a_record_does_not_have_is_nan():
    history = read_history(RECORDS)
    np.testing.assert_array_equal(history.epochs, [1, 2, 3])
    np.testing.assert_array_equal(history.phases, [0, 1, 1])
    assert history.phase_names == ["pretext", "joint"]
    assert list(history.columns) == ["temperature", "loss", "n_active"]
    np.testing.assert_array_equal(history.columns["temperature"], [np.nan, 0.5, np.nan])
    np.testing.assert_array_equal(history.where("n_active"), [False, True, True])
    np.testing.assert_array_equal(history.where("n_active", "temperature"), [False, True, False])


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.floats() | st.none()), min_size=1))
def test_columns_hold_the_finite_values_of_the_records(records):
    history = read_history(records)
    for name in "abc":
        column = history.columns.get(name, np.full(len(records), np.nan))
        expected = [np.nan if record.get(name) is None else record[name] for record in records]
        known = np.isfinite(expected)
        np.testing.assert_array_equal(column[known], np.array(expected)[known])
        assert np.isnan(column[~known]).all()
        assert (name in history.columns) == known.any()


@pytest.mark.parametrize("epochs", [[1, 2, 1], [1, 1, 2], [3, np.nan, 5], [None] * 3])
def test_epochs_that_do_not_increase_are_numbered(epochs):
    history = read_history([{"epoch": epoch, "loss": 1.0} for epoch in epochs])
    np.testing.assert_array_equal(history.epochs, [1, 2, 3])
    assert history.phase_names == [""]


def test_records_of_estimators_and_pipelines():
    X = np.random.default_rng(0).normal(size=(40, 2))
    model = DDCLClustering(2, backbone=None, random_state=0)
    pipeline = make_pipeline(StandardScaler(), model).fit(X)
    expected = read_history(pipeline[-1].history_)
    for history in (read_history(pipeline), read_history(pipeline[-1])):
        assert history.columns.keys() == expected.columns.keys()
        np.testing.assert_array_equal(history.epochs, expected.epochs)


def test_rows_that_have_all_keys():
    history = read_history(RECORDS)
    epochs, (temperature, n_active) = history.rows("temperature", "n_active")
    np.testing.assert_array_equal(epochs, [2])
    np.testing.assert_array_equal([temperature, n_active], [[0.5], [4]])
    with pytest.raises(ValueError, match="records with speed, got records with temperature, loss"):
        history.rows("speed")
    with pytest.raises(ValueError, match="records with loss, n_active, got"):
        history.rows("loss", "n_active")


def test_columns_without_a_value_are_not_offered():
    history = read_history(RECORDS)
    empty = {**history.columns, "loss": np.full(len(RECORDS), np.nan)}
    with pytest.raises(ValueError, match=r"speed, got records with temperature, n_active\.$"):
        history._replace(columns=empty).rows("speed")


def test_flags_are_numbers():
    assert read_history([{"n": np.bool_(True)}, {"n": False}]).columns["n"].tolist() == [1, 0]


@pytest.mark.parametrize("model", [KMeans(), DDCLClustering(), IncrementalDDCL()])
def test_an_estimator_without_records_is_named(model):
    with pytest.raises(ValueError, match=f"fitted and have history_, got {type(model).__name__}"):
        read_history(model)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "history must have at least one record, got none: a fit that trains nothing"),
        ({"loss": [1.0]}, "history must be a list of records, got dict"),
        (None, "history must be a list of records, got NoneType"),
        ([{"loss": 1.0}, 2.0], r"history\[1\] must be a record \(dict\), got float"),
        ([{"loss": "low"}], r"history\[0\]\['loss'\] must be a number, got 'low'"),
        ([{"loss": 1j}], r"history\[0\]\['loss'\] must be a number, got 1j"),
    ],
)
def test_bad_records_are_named(records, message):
    with pytest.raises(ValueError, match=message):
        read_history(records)
