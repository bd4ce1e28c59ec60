"""One split: its rows, its use as `cv`, its seeds, and what it refuses."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklearn_ddcl.metrics import silhouette_scorer
from sklearn_ddcl.model_selection import SingleSplit


@pytest.mark.parametrize("X", [np.ones((5, 2)), sparse.csr_matrix(np.ones((5, 2))), [[1]] * 5])
def test_default_trains_and_tests_on_all_rows(X):
    ((train, test),) = SingleSplit().split(X)
    np.testing.assert_array_equal(train, np.arange(5))
    np.testing.assert_array_equal(test, np.arange(5))
    assert SingleSplit().get_n_splits(X) == 1


@pytest.mark.parametrize(("test_size", "n_test"), [(0.25, 5), (3, 3), (0.5, 10)])
def test_held_out_rows_are_disjoint_fixed_and_complete(test_size, n_test):
    X = np.ones((20, 1))
    ((train, test),) = SingleSplit(test_size).split(X)
    assert len(test) == n_test
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(20))
    ((again, _),) = SingleSplit(test_size).split(X)
    np.testing.assert_array_equal(train, again)
    ((other, _),) = SingleSplit(test_size, random_state=1).split(X)
    assert not np.array_equal(train, other)


@pytest.mark.parametrize("test_size", [None, 0.3])
def test_it_serves_as_cv_in_a_search(test_size):
    X, _ = make_blobs(90, centers=[[0, 0], [0, 9], [9, 0]], random_state=0)
    search = GridSearchCV(
        KMeans(n_init=2, random_state=0),
        {"n_clusters": [2, 3, 5]},
        scoring=silhouette_scorer,
        cv=SingleSplit(test_size),
        n_jobs=2,
    ).fit(X)
    assert search.n_splits_ == 1
    assert search.best_params_ == {"n_clusters": 3}


def test_the_score_on_all_rows_is_the_score_of_a_plain_fit():
    X, y = make_blobs(40, centers=2, random_state=0)
    model = KMeans(2, n_init=1, random_state=0)
    scores = cross_val_score(model, X, y, scoring=silhouette_scorer, cv=SingleSplit())
    assert scores == pytest.approx([silhouette_scorer(model.fit(X), X)])


def test_it_pickles_and_shows_its_parameters():
    copy = pickle.loads(pickle.dumps(SingleSplit(0.2, random_state=4)))
    assert repr(copy) == "SingleSplit(random_state=4, test_size=0.2)"


@pytest.mark.parametrize(
    ("test_size", "X", "y", "message"),
    [
        (None, np.ones((0, 2)), None, "X must hold at least 1 sample to be split, got 0"),
        (None, np.ones((3, 2)), [0, 1], "inconsistent numbers of samples"),
        (1.5, np.ones((3, 2)), None, "test_size=1.5 should be"),
        (3, np.ones((3, 2)), None, "test_size=3 should be"),
        (0.5, np.ones((1, 2)), None, "train set will be empty"),
    ],
)
def test_impossible_splits_are_refused(test_size, X, y, message):
    with pytest.raises(ValueError, match=message):
        list(SingleSplit(test_size).split(X, y))
