import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.model_selection import GridSearchCV

from sklearn_ddcl import AdversarialDeepClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import adjusted_rand_score
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.options import Discriminator, NeighborContrast

X, Y = make_blobs(150, centers=4, n_features=6, random_state=0)
SHORT = {
    "warm_up": NeighborContrast(n_steps=60),
    "epochs": 4,
    "random_state": 0,
    "device": "cpu",
}


def make(n_clusters=4, **changes):
    return AdversarialDeepClustering(n_clusters, **{**SHORT, **changes})


@pytest.fixture(scope="module")
def fitted():
    return make().fit(X)


def test_blobs_are_found_and_predict_gives_the_labels(fitted):
    assert adjusted_rand_score(Y, fitted.labels_) > 0.9
    np.testing.assert_array_equal(fitted.predict(X), fitted.labels_)
    np.testing.assert_array_equal(fitted.transform(X).argmin(axis=1), fitted.labels_)
    np.testing.assert_array_equal(fitted.predict_proba(X).argmax(axis=1), fitted.labels_)


def test_probabilities_are_the_posterior_of_the_mixture(fitted):
    """Equal shares and one variance: that of a feature within the clusters."""
    Z, centers = fitted.encode(X), fitted.cluster_centers_
    gaps = np.square(Z[:, None] - centers).sum(axis=2)
    variance = gaps.min(axis=1).mean() / Z.shape[1]
    assert fitted.temperature_ == pytest.approx(2 * variance, rel=1e-6)
    density = np.exp(-0.5 * gaps / variance)
    expected = density / density.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(X), expected, atol=1e-6)


def test_fitted_attributes_agree(fitted):
    nearest = fitted.transform(X).min(axis=1)
    assert fitted.inertia_ == pytest.approx(np.square(nearest).sum())
    assert fitted.cluster_centers_.shape == (4, fitted.encode(X).shape[1])
    assert (fitted.n_iter_, fitted.n_features_in_, fitted.n_active_clusters_) == (4, 6, 4)
    assert (np.diff(np.bincount(fitted.labels_)) <= 0).all()
    phases = [record["phase"] for record in fitted.history_]
    assert set(phases[:-4]) == {"pretext"}
    assert phases[-4:] == ["clustering"] * 4
    assert fitted.score(X) > 0.3


def test_the_module_is_the_estimator(fitted):
    with torch.no_grad():
        output = fitted.module_(torch.from_numpy(X))
    np.testing.assert_allclose(output.z.numpy(), fitted.encode(X))
    np.testing.assert_allclose(output.assignments.numpy(), fitted.predict_proba(X))


def test_one_row_is_predicted_as_many_are(fitted):
    np.testing.assert_array_equal([fitted.predict(row[None])[0] for row in X], fitted.labels_)


@pytest.mark.parametrize("loss", ["adversarial", "euclidean", "kl"])
@pytest.mark.parametrize("warm_up", ["neighbors", "autoencoder", "simclr", None])
def test_every_loss_takes_every_warm_up(loss, warm_up):
    model = make(loss=loss, warm_up=warm_up)
    if warm_up is not None:
        model.set_params(warm_up__n_steps=20)
    model.fit(X)
    assert model.history_[-1]["phase"] == "clustering"
    assert 1 <= model.n_active_clusters_ <= 4


def test_the_discriminators_options_are_reached_by_name_and_stay_as_they_are():
    options = Discriminator(hidden=(16,), spectral_norm=True, instance_noise=0.1)
    model = clone(make(discriminator=options)).fit(X)
    assert adjusted_rand_score(Y, model.labels_) > 0.9
    search = GridSearchCV(make(), {"discriminator__width": [0.25, 1.0]}, cv=SingleSplit()).fit(X)
    assert search.best_params_["discriminator__width"] in (0.25, 1.0)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict(X), search.best_estimator_.predict(X))


def test_images_and_frames_and_sparse_rows():
    images = load_digits().images[:200, :, :, None]
    assert make(backbone="cnn").fit(images).predict(images[:3]).shape == (3,)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    assert make().fit(frame).feature_names_in_.tolist() == list("abcdef")
    loose = make().fit(sparse.csr_matrix(X))
    np.testing.assert_array_equal(loose.predict(sparse.csr_matrix(X)), loose.labels_)


def test_the_type_of_the_samples_is_kept():
    model = make().fit(X.astype("f"))
    assert model.cluster_centers_.dtype == model.predict_proba(X.astype("f")).dtype == np.float32


@pytest.mark.parametrize("factor", [1e-200, 1.0, 1e200])
def test_the_scale_of_the_weights_is_that_of_the_inertia(factor):
    weight = np.arange(1.0, 151.0)
    one, other = make().fit(X, sample_weight=weight), make().fit(X, sample_weight=weight * factor)
    np.testing.assert_array_equal(one.labels_, other.labels_)
    assert other.inertia_ == pytest.approx(one.inertia_ * factor, rel=1e-6)


def test_verbose_writes_a_line_an_epoch(capsys):
    make(verbose=1, warm_up=None).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("[AdversarialDeepClustering] clustering   1  ")


def test_lost_clusters_are_named():
    rows = np.repeat([[0.0, 0.0], [1.0, 0.0]], 10, axis=0)
    with pytest.warns(CollapseWarning, match=r"2 of n_clusters=3 clusters are in use") as caught:
        model = make(3, warm_up=None).fit(rows)
    assert model.n_active_clusters_ == len(model.cluster_centers_) == 2
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "hinge"}, "The 'loss' parameter of AdversarialDeepClustering must be a str"),
        ({"warm_up": "pca"}, "The 'warm_up' parameter"),
        ({"interval": 0}, "The 'interval' parameter"),
        ({"pretext_weight": -1.0}, "The 'pretext_weight' parameter"),
        ({"n_clusters": 151}, "n_samples=150 should be >= n_clusters=151"),
        ({"discriminator": Discriminator(width=-1.0)}, "width must be .* got -1.0"),
        ({"discriminator": "small"}, "The 'discriminator' parameter"),
        ({"batch_size": 1}, "The 'batch_size' parameter"),
    ],
)
def test_parameters_that_are_not_allowed_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**{"n_clusters": 4, **changes}).fit(X)


def test_values_that_are_no_numbers_are_refused():
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="Input X contains"):
            make().fit(np.where(np.arange(6) == 3, bad, X))


def test_a_member_that_is_none_is_refused():
    with pytest.raises(ValueError, match="Invalid parameter"):
        make().set_params(discriminator__depth=3)
