"""A stream at the ends of what is allowed: decay, units, weights, far samples."""

import numpy as np
import pytest

from sklearn_ddcl import IncrementalDDCL
from sklearn_ddcl.engine import _learning_stream

RNG = np.random.default_rng(0)
Y = RNG.integers(3, size=1_200)
X = 9.0 * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1]])[Y] + RNG.normal(size=(1_200, 3))


def feed(X, weight=None, **options):
    model = IncrementalDDCL(3, random_state=0, batch_size=50, **options)
    return model.fit(X, sample_weight=weight)


@pytest.mark.parametrize("decay", [0.5, 0.999, 1 - 1e-16])
@pytest.mark.parametrize("assignment", ["softmax", "widrow_hoff"])
@pytest.mark.parametrize("standardize", [False, True])
def test_any_decay_leaves_finite_prototypes(decay, assignment, standardize):
    model = feed(X, decay=decay, assignment=assignment, standardize=standardize)
    assert np.isfinite(model.cluster_centers_).all()


def test_first_weights_may_be_far_lighter_than_later_ones():
    weight = np.where(np.arange(len(X)) < 500, 1e-300, 1.0)
    centers = feed(X, weight).cluster_centers_
    alone = feed(X[500:]).cluster_centers_
    gaps = np.linalg.norm(centers[:, None] - alone, axis=2).min(axis=1)
    assert gaps.max() < 0.5


@pytest.mark.parametrize("size", [1e153, 1e200, 1e307])
@pytest.mark.parametrize("standardize", [False, True])
def test_first_samples_whose_squares_overflow_are_refused(size, standardize):
    with pytest.raises(ValueError, match="overflow"):
        feed(X * size, standardize=standardize)


@pytest.mark.parametrize("size", [1e-30, 1e17, 1e30])
def test_float32_of_any_unit_has_a_finite_inertia(size):
    model = feed((X * size).astype(np.float32))
    assert model.inertia_ == pytest.approx(feed(X).inertia_ * size**2, rel=1e-3)
    feed((X * size).astype(np.float32), standardize=True)


def test_one_sample_in_the_distance_does_not_blur_the_others():
    far = X.copy()
    far[300] = 1e20
    model = IncrementalDDCL(4, random_state=0)
    for start in range(0, len(X), 50):
        model.partial_fit(far[start : start + 50])
    assert len(np.unique(model.predict(X))) == 3


def test_labels_are_those_of_all_samples_of_the_batch():
    model = feed(X)
    weight = np.arange(50) % 2
    model.partial_fit(X[:50], sample_weight=weight)
    np.testing.assert_array_equal(model.labels_, model.predict(X[:50]))
    squares = model.transform(X[:50]).min(axis=1) ** 2
    assert model.inertia_ == pytest.approx(squares @ weight)
    assert model.n_samples_seen_ == len(X) + 25


def test_labels_after_a_lesson_are_those_of_the_batch(monkeypatch):
    monkeypatch.setattr(_learning_stream, "_FIRST_LESSON", 100)
    model = IncrementalDDCL(3, backbone="mlp", train_backbone=True, random_state=0)
    model.partial_fit(X[:90])
    weight = np.arange(50) % 2
    model.partial_fit(X[90:140], sample_weight=weight)
    np.testing.assert_array_equal(model.labels_, model.predict(X[90:140]))
    assert model.n_samples_seen_ == 115
