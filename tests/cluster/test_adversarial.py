import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import softmax
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.model_selection import GridSearchCV

from sklearn_ddcl import AdversarialDeepClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import adjusted_rand_score
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.options import Discriminator, LatentMixture, NeighborContrast

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
    """Equal shares and one variance: that of a feature around the nearest prototype."""
    for model in (fitted, make(prototypes_per_cluster=1).fit(X)):
        Z, groups = model.encode(X), model.prototype_labels_
        gaps = np.square(Z[:, None] - model.prototypes_).sum(axis=2)
        variance = gaps.min(axis=1).mean() / Z.shape[1]
        assert model.temperature_ == pytest.approx(2 * variance, rel=1e-6)
        density = np.exp(-0.5 * gaps / variance) @ np.eye(4)[groups]
        expected = density / density.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-6)


def test_fitted_attributes_agree(fitted):
    gaps = np.square(fitted.encode(X)[:, None] - fitted.prototypes_).sum(axis=2)
    np.testing.assert_array_equal(fitted.prototype_labels_[gaps.argmin(axis=1)], fitted.labels_)
    assert fitted.inertia_ == pytest.approx(gaps.min(axis=1).sum())
    centers = [fitted.encode(X)[fitted.labels_ == j].mean(axis=0) for j in range(4)]
    np.testing.assert_allclose(fitted.cluster_centers_, centers)
    assert (fitted.n_iter_, fitted.n_features_in_, fitted.n_active_clusters_) == (4, 6, 4)
    assert fitted.weights_ is fitted.covariances_ is None
    assert (np.diff(np.bincount(fitted.labels_)) <= 0).all()
    phases = [record["phase"] for record in fitted.history_]
    assert set(phases[:-4]) == {"pretext"}
    assert phases[-4:] == ["clustering"] * 4
    assert fitted.score(X) > 0.3


def test_prototypes_are_as_many_as_asked_for(fitted):
    """About: restarts try 0.6 to 1.4 times as many, 20 a cluster but no fewer than 5 rows each."""
    assert 18 <= len(fitted.prototypes_) <= 42
    assert fitted.history_[-1]["n_active"] == 30
    for changes in ({"loss": "kl"}, {"mixture": "gaussian"}):
        assert make(**changes).fit(X).history_[-1]["n_active"] == 4
    assert make(loss="kl", prototypes_per_cluster=3).fit(X).history_[-1]["n_active"] == 12
    single = make(prototypes_per_cluster=1).fit(X)
    np.testing.assert_array_equal(single.prototypes_, single.cluster_centers_)
    np.testing.assert_array_equal(single.prototype_labels_, np.arange(4))
    nearest = single.transform(X).min(axis=1)
    assert single.inertia_ == pytest.approx(np.square(nearest).sum())
    assert adjusted_rand_score(Y, single.labels_) > 0.9


@pytest.mark.parametrize("mixture", ["gaussian", LatentMixture("gaussian", interval=1, n_init=2)])
def test_a_mixture_of_gaussians_decides_by_its_posterior(mixture):
    model = make(mixture=mixture, random_state=1).fit(X)
    assert adjusted_rand_score(Y, model.labels_) > 0.9
    Z = model.encode(X)
    joint = np.stack(
        [
            np.log(share) + multivariate_normal(mean, np.diag(variances)).logpdf(Z)
            for share, mean, variances in zip(
                model.weights_, model.cluster_centers_, model.covariances_, strict=True
            )
        ],
        axis=1,
    )
    np.testing.assert_allclose(model.predict_proba(X), softmax(joint, axis=1), atol=1e-9)
    np.testing.assert_array_equal(model.labels_, joint.argmax(axis=1))
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.predict(X).dtype == model.labels_.dtype == np.int32
    np.testing.assert_array_equal([model.predict(row[None])[0] for row in X], model.labels_)
    assert model.weights_.sum() == pytest.approx(1)
    with torch.no_grad():
        output = model.module_(torch.from_numpy(X))
    np.testing.assert_allclose(output.assignments.numpy(), model.predict_proba(X), atol=1e-9)
    np.testing.assert_allclose(output.distances.numpy(), model.transform(X) ** 2, atol=1e-9)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_gaussians_that_are_no_sample_s_likeliest_are_dropped():
    rows = np.repeat([[0.0, 0.0], [1.0, 0.0]], 10, axis=0)
    with pytest.warns(CollapseWarning, match=r"2 of n_clusters=3 clusters are in use"):
        model = make(3, warm_up=None, mixture="gaussian").fit(rows)
    assert model.weights_.shape == (2,)
    assert set(model.labels_) == {0, 1}


def test_the_mixtures_options_are_reached_by_name():
    search = {"mixture__interval": [1, 4], "mixture__kind": ["gaussian"]}
    found = GridSearchCV(make(), search, cv=SingleSplit()).fit(X)
    assert found.best_estimator_.covariances_ is not None
    assert found.best_estimator_.mixture.n_init == 3


def test_the_module_is_the_estimator(fitted):
    with torch.no_grad():
        output = fitted.module_(torch.from_numpy(X))
    np.testing.assert_allclose(output.z.numpy(), fitted.encode(X))
    clusters = fitted.module_.cluster_assignments(output.assignments)
    np.testing.assert_allclose(clusters.numpy(), fitted.predict_proba(X), atol=1e-9)


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
        ({"mixture": "spherical"}, "The 'mixture' parameter"),
        ({"mixture": LatentMixture}, "The 'mixture' parameter"),
        (
            {"mixture": Discriminator()},
            r"must be 'kmeans', 'gaussian' or an object such as .* Got",
        ),
        ({"mixture": LatentMixture(interval=0)}, "interval must be .* got 0"),
        ({"prototypes_per_cluster": 0}, "The 'prototypes_per_cluster' parameter"),
        (
            {"mixture": "gaussian", "prototypes_per_cluster": 2},
            "'prototypes_per_cluster' parameter .* None or 1 with a mixture of Gaussians",
        ),
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


def test_a_class_in_the_place_of_the_discriminators_options_is_named():
    with pytest.raises(TypeError, match=r"an object such as Discriminator\(\). Got <class"):
        make(discriminator=Discriminator).fit(X)


@pytest.mark.parametrize("mixture", ["kmeans", "gaussian"])
def test_samples_too_far_out_are_refused(mixture):
    model = make(mixture=mixture, warm_up=None, epochs=1).fit(X.astype("f"))
    with pytest.raises(ValueError, match="too large for the backbone"):
        model.predict_proba(np.full((1, 6), 3e38, dtype="f"))


def test_values_that_are_no_numbers_are_refused():
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="Input X contains"):
            make().fit(np.where(np.arange(6) == 3, bad, X))


def test_a_member_that_is_none_is_refused():
    with pytest.raises(ValueError, match="Invalid parameter"):
        make().set_params(discriminator__depth=3)
