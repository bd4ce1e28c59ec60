"""Signs of collapse, each alone, and in fits that do or do not collapse."""

import warnings

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_digits, load_iris, make_moons
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import CompetitiveClustering, DDCLClustering, OnlineDeepClustering
from sklearn_ddcl.diagnostics import collapse_report
from sklearn_ddcl.options import ConstantTemperature, ReducedFlow

X = load_iris().data


def kinds(history):
    report = collapse_report(history)
    assert report.collapsed == bool(report.signs)
    return [sign.kind for sign in report.signs]


@pytest.mark.parametrize(
    "model",
    [
        DDCLClustering(3, backbone=None, random_state=0),
        DDCLClustering(3, random_state=0),
        CompetitiveClustering(3, random_state=0),
        OnlineDeepClustering(3, random_state=0),
        make_pipeline(StandardScaler(), DDCLClustering(3, random_state=0)),
    ],
)
def test_healthy_fits_have_no_sign(model):
    assert kinds(model.fit(X)) == []
    assert str(collapse_report(model)) == "No sign of collapse."


def test_online_clustering_without_support_collapses():
    model = OnlineDeepClustering(10, partition_support=None, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(load_digits().data / 16)
    report = collapse_report(model)
    assert {"clusters", "prototypes"} <= {sign.kind for sign in report.signs}
    assert "1 of 10 clusters is in use; ask for fewer clusters" in str(report)


@pytest.mark.parametrize("loss", ["quantization", "ols"])
def test_a_temperature_above_the_critical_one_is_seen(loss):
    flow = ReducedFlow(hard_finish=False)
    model = DDCLClustering(3, backbone=None, loss=loss, training=flow, random_state=0)
    assert kinds(model.fit(X)) == []
    model.set_params(temperature=ConstantTemperature(100.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X)
    assert {"separation", "assignments"} <= set(kinds(model))


def test_lost_duplicates_are_seen_even_without_records():
    model = DDCLClustering(3, backbone=None, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit([[0.0], [0.0], [1.0], [1.0]])
    assert "clusters" in kinds(model)
    joined = DDCLClustering(2, backbone=None, prototypes_per_cluster=10, random_state=0)
    assert kinds(joined.fit(make_moons(200, noise=0.05, random_state=0)[0])) == []


BASE = {"n_active": 8, "separation": 4.0, "loss_quantization": 2.0, "latent_variance": 1.0}
BASE |= {"concentration": 0.6, "temperature": 0.5}


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("n_active", 3, "prototypes"),
        ("n_active", 1, "prototypes"),
        ("separation", 1e-7, "separation"),
        ("latent_variance", 1e-3, "features"),
        ("concentration", 1 / 8, "assignments"),
    ],
)
def test_each_sign_is_seen_from_where_it_stays(key, value, kind):
    records = [{**BASE, "epoch": epoch} for epoch in range(1, 7)]
    assert kinds(records) == []
    records[1][key] = value  # comes and goes
    assert kinds(records) == []
    for record in records[3:]:
        record[key] = value
    (sign,) = collapse_report(records).signs
    assert (sign.kind, sign.epoch) == (kind, 4)
    assert sign.what
    assert sign.cure


def test_a_few_unused_prototypes_are_no_collapse():
    assert kinds([{**BASE, "n_active": n} for n in (8, 6, 5, 4)]) == []
    assert kinds([{**BASE, "n_active": 1}] * 3) == []


def test_evenness_counts_prototypes_that_never_held_a_sample():
    records = [{**BASE, "n_active": 5}] * 3
    assert kinds([*records, {**BASE, "n_active": 5, "concentration": 1 / 10}]) == ["assignments"]
    assert kinds([*records, {**BASE, "n_active": 5, "concentration": 0.185}]) == []


def test_missing_values_are_no_sign():
    assert kinds([{"loss": 1.0}, {"n_active": np.nan}]) == []


@pytest.mark.parametrize("model", [KMeans(2), DBSCAN(), DDCLClustering(2)])
def test_what_has_no_records_is_refused(model):
    if not isinstance(model, DDCLClustering):
        model.fit(X)
    with pytest.raises(ValueError, match="must be fitted and have history_"):
        collapse_report(model)
