"""The stability scorer: its value, its seeds, its place in a search, and collapse."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import StabilityScorer, stability_scorer


@pytest.fixture(scope="module")
def blobs():
    X, _ = make_blobs(120, centers=[[0, 0], [0, 9], [9, 0]], random_state=0)
    return X


def test_clear_clusters_are_stable_and_noise_is_not(blobs):
    noise = np.random.default_rng(0).uniform(size=(120, 2))
    assert stability_scorer(KMeans(3, n_init=5, random_state=0).fit(blobs), blobs) == 1.0
    assert stability_scorer(KMeans(9, n_init=1, random_state=0).fit(noise), noise) < 0.8


def test_the_score_repeats_whatever_the_estimators_seed(blobs):
    model = make_pipeline(StandardScaler(), KMeans(6, n_init=1, random_state=None)).fit(blobs)
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - it must stay untouched
    assert stability_scorer(model, blobs) == stability_scorer(model, blobs)
    assert stability_scorer(model, blobs) != StabilityScorer(random_state=7)(model, blobs)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert model[-1].random_state is None


@pytest.mark.parametrize("kind", [pd.DataFrame, sparse.csr_matrix, list])
def test_any_container_gives_the_same_score(blobs, kind):
    expected = stability_scorer(KMeans(5, n_init=1, random_state=0).fit(blobs), blobs)
    X = kind(blobs) if kind is not list else blobs.tolist()
    found = stability_scorer(KMeans(5, n_init=1, random_state=0).fit(X), X)
    # k-means on sparse rows sums in another order.
    assert found == pytest.approx(expected, abs=0.15 if kind is sparse.csr_matrix else 1e-9)


def test_search_without_classes(blobs):
    search = GridSearchCV(
        KMeans(n_init=2, random_state=0),
        {"n_clusters": [3, 8]},
        scoring={"stability": StabilityScorer(2)},
        refit="stability",
        cv=2,
        n_jobs=2,
    ).fit(blobs)
    assert search.best_params_ == {"n_clusters": 3}


def test_it_pickles_and_shows_its_parameters(blobs):
    scorer = StabilityScorer(2, fraction=0.7, random_state=3)
    copy = pickle.loads(pickle.dumps(scorer))
    assert repr(copy) == "StabilityScorer(n_repeats=2, fraction=0.7, random_state=3)"
    model = KMeans(4, n_init=1, random_state=0).fit(blobs)
    assert copy(model, blobs) == scorer(model, blobs)


def test_a_single_cluster_scores_worst(blobs):
    with pytest.warns(CollapseWarning, match="at least 2 clusters in use"):
        assert stability_scorer(KMeans(1).fit(blobs), blobs) == -1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_repeats": 0}, "n_repeats must be an integer >= 1, got 0"),
        ({"n_repeats": 2.5}, "n_repeats must be an integer >= 1, got 2.5"),
        ({"n_repeats": True}, "n_repeats must be an integer >= 1, got True"),
        ({"fraction": 0}, r"fraction must be a number in \(0, 1\], got 0"),
        ({"fraction": 1.5}, r"fraction must be a number in \(0, 1\], got 1.5"),
        ({"fraction": "half"}, "fraction must be a number"),
        ({"random_state": None}, "random_state must be an integer, got None"),
    ],
)
def test_bad_parameters_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        StabilityScorer(**arguments)


def test_a_clusterer_without_predict_is_refused():
    with pytest.raises(TypeError, match="must have a predict method to be scored, got DBSCAN"):
        stability_scorer(DBSCAN(), [[0.0], [1.0]])
