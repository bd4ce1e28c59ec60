"""DDCLClustering with a backbone, and with several prototypes a cluster on given features."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.cluster._ddcl_fit import train
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.nn import ClusterOutput
from sklearn_ddcl.options import (
    Autoencoding,
    CombinationAssignment,
    ConstantTemperature,
    FourPhases,
    GeometricTemperature,
    JointTraining,
    NeighborContrast,
    ReducedFlow,
    Regularization,
    SimCLR,
)

LABELS = np.repeat([0, 1, 2], [50, 40, 30])
X = np.random.default_rng(0).normal(size=(120, 5)) + 6 * np.eye(5)[LABELS]
MOONS, MOON = make_moons(300, noise=0.05, random_state=0)
SHORT = {"warm_up": NeighborContrast(n_steps=60), "training": JointTraining(epochs=2)}
JOINT_KEYS = {
    *("epoch", "phase", "temperature", "seconds", "loss", "loss_pretext", "loss_quantization"),
    *("loss_ols", "variance", "separation", "concentration", "force", "n_active", "label_change"),
    *("latent_variance", "learning_rate", "learning_rate_dual", "rate_ratio", "rate_bound"),
    "n_revived",
}


def make(n_clusters=3, **params):
    return DDCLClustering(n_clusters, **{**SHORT, "random_state": 0, **params})


def joined(n_clusters=3, **params):
    return DDCLClustering(n_clusters, backbone=None, random_state=0, **params)


LINEAR = nn.Linear(5, 5)
with torch.no_grad():
    LINEAR.weight.copy_(torch.eye(5))

DEEP = {
    "neighbors": {},
    "autoencoder": {"warm_up": Autoencoding(n_steps=60)},
    "simclr": {"warm_up": SimCLR(n_steps=60)},
    "one each": {"prototypes_per_cluster": 1},
    "ols": {"loss": "ols"},
    "cross entropy": {"loss": "cross_entropy", "warm_up": NeighborContrast(n_steps=100)},
    "module": {"backbone": LINEAR},
    "constant": {"temperature": ConstantTemperature(0.05)},
    "balance": {"regularization": Regularization(balance=0.1)},
    "supported": {"partition_support": "sinkhorn"},
    "schedule": {"training": JointTraining(epochs=2, schedule=FourPhases(final=0.05))},
}
each_deep = pytest.mark.parametrize("name", DEEP)


# --- fitted attributes


@each_deep
def test_deep_configurations_find_clear_clusters_and_document_themselves(name):
    model = make(**DEEP[name])
    assert model.fit(X) is model
    assert adjusted_rand_score(LABELS, model.labels_) == 1.0
    assert np.bincount(model.labels_).tolist() == [50, 40, 30], "the heaviest cluster is 0"
    assert model.labels_.dtype == model.prototype_labels_.dtype == np.int32
    assert model.n_active_clusters_ == len(model.cluster_centers_) == 3
    assert model.prototypes_.shape == (len(model.prototype_labels_), model.encode(X).shape[1])
    assert model.n_iter_ == 2
    assert model.temperature_ > 0
    assert 0 < model.agreement_ <= 1
    Z, near = model.encode(X), model.transform(X)
    own = near[np.arange(len(X)), model.labels_]
    assert model.inertia_ == pytest.approx(np.square(own).sum(), rel=1e-6)
    means = [Z[model.labels_ == j].mean(0) for j in range(3)]
    np.testing.assert_allclose(model.cluster_centers_, means, rtol=1e-6)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    joint = [record for record in model.history_ if record["phase"] != "pretext"]
    assert all(set(record) == JOINT_KEYS for record in joint)
    if name == "one each":
        assert model.agreement_ == 1.0
        assert model.cluster_gaps_ == model.cluster_agreements_ == {}
    else:
        assert model.cluster_agreements_ == {3: model.agreement_}
        assert max(model.cluster_gaps_, key=model.cluster_gaps_.get) == 3


def test_the_number_of_clusters_can_be_left_to_the_topology():
    assert make(None).fit(X).n_active_clusters_ == 3
    model = joined(None).fit(MOONS)
    assert adjusted_rand_score(MOON, model.labels_) == 1.0


def test_the_number_of_digits_is_about_ten():
    digits, names = load_digits(return_X_y=True)
    model = DDCLClustering(None, random_state=0).fit(digits / 16)
    assert 9 <= model.n_active_clusters_ <= 13
    assert adjusted_rand_score(names, model.labels_) > 0.8
    assert model.agreement_ == model.cluster_agreements_[model.n_active_clusters_] > 0.85
    assert model.cluster_agreements_[2] < 0.6


def test_joined_prototypes_of_given_features():
    model = joined(2, prototypes_per_cluster=15).fit(MOONS)
    assert adjusted_rand_score(MOON, model.labels_) == 1.0
    assert model.encode(MOONS).shape == MOONS.shape
    assert model.temperature_ == 0.0
    assert model.history_ == []
    assert set(np.unique(model.predict_proba(MOONS))) == {0.0, 1.0}


def test_the_module_says_what_the_methods_say():
    model = make().fit(X)
    output = model.module_(torch.from_numpy(X))
    assert isinstance(output, ClusterOutput)
    q = model.module_.cluster_assignments(output.assignments).detach().numpy()
    np.testing.assert_allclose(q, model.predict_proba(X), atol=1e-9)
    assert not model.module_.training


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("build", [make, lambda: joined(prototypes_per_cluster=4)])
def test_types_are_those_of_the_samples(dtype, build):
    model = build().fit(X.astype(dtype))
    for value in (model.prototypes_, model.cluster_centers_, model.transform(X.astype(dtype))):
        assert value.dtype == dtype
    assert {part.dtype for part in model.module_.parameters()} <= {getattr(torch, dtype)}


def test_images_and_other_arrays_of_more_dimensions():
    images = np.repeat(X[:, :, None], 4, axis=2).reshape(120, 5, 4, 1)
    for backbone in ("mlp", "cnn"):
        model = make(backbone=backbone).fit(images)
        assert model.predict(images).shape == (120,)
        with pytest.raises(ValueError, match="shape"):
            model.predict(images[:, :4])
    with pytest.raises(ValueError, match="dim 4"):
        joined().fit(images)


# --- randomness and the caller's objects


@each_deep
def test_the_seed_decides_and_global_states_stay(name):
    states = torch.get_rng_state(), pickle.dumps(np.random.get_state())  # noqa: NPY002
    runs = [make(**DEEP[name]).set_params(random_state=seed).fit(X) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0].prototypes_, runs[1].prototypes_)
    assert not np.array_equal(runs[0].prototypes_, runs[2].prototypes_)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert pickle.dumps(np.random.get_state()) == states[1]  # noqa: NPY002


def test_parameters_and_samples_stay_as_they_are():
    module = nn.Linear(5, 3)
    options = {"backbone": module, "warm_up": NeighborContrast(n_steps=20)}
    options |= {"training": JointTraining(epochs=2), "regularization": Regularization()}
    before = copy.deepcopy({key: vars(value) for key, value in options.items()})
    weight, data = module.weight.detach().clone(), X.copy()
    model = make(**options).fit(data)
    for key, value in options.items():
        assert getattr(model, key) is value
        assert vars(value).keys() == before[key].keys()
    assert torch.equal(module.weight, weight)
    np.testing.assert_array_equal(data, X)


def test_a_fitted_warm_up_serves_any_number_of_fits_and_clones():
    warm_up = NeighborContrast(n_steps=60).fit(X, n_clusters=3)
    start = copy.deepcopy(warm_up.backbone_.state_dict())
    first = make(warm_up=warm_up).fit(X)
    second = clone(first).fit(X)
    assert second.warm_up is warm_up
    np.testing.assert_array_equal(first.prototypes_, second.prototypes_)
    assert all(record["phase"] != "pretext" for record in first.history_)
    for key, value in warm_up.backbone_.state_dict().items():
        assert torch.equal(value, start[key])
    halves = make(warm_up=warm_up).fit(X[::2].astype(np.float32))
    assert adjusted_rand_score(LABELS[::2], halves.labels_) == 1.0
    np.testing.assert_array_equal(make(warm_up=warm_up).fit(X).prototypes_, first.prototypes_)


@each_deep
def test_a_pickled_model_says_the_same(name):
    model = make(**DEEP[name]).fit(X)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(X), model.transform(X))
    np.testing.assert_array_equal(again.fit(X).prototypes_, model.prototypes_)


def test_verbose_writes_a_line_for_each_record(capsys):
    model = make(verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    for line, record in zip(lines, model.history_, strict=True):
        assert line.split()[:3] == ["[DDCLClustering]", record["phase"], str(record["epoch"])]
    make().fit(X)
    assert capsys.readouterr() == ("", "")


def test_pipelines_and_searches():
    grid = {"ddclclustering__n_clusters": [2, 3], "ddclclustering__warm_up__n_neighbors": [5]}
    search = GridSearchCV(make_pipeline(StandardScaler(), make()), grid, cv=SingleSplit()).fit(X)
    assert search.best_estimator_[-1].warm_up.n_neighbors == 5
    assert make().warm_up.n_neighbors is None


# --- containers, weights, extremes


def frozen(data):
    data = data.copy()
    data.flags.writeable = False
    return data


@pytest.mark.parametrize(
    "change", [frozen, np.asfortranarray, pd.DataFrame, lambda x: x.tolist(), sparse.csr_matrix]
)
def test_containers_make_no_difference(change):
    expected, data = make().fit(X), change(X)
    found = make().fit(data)
    np.testing.assert_allclose(found.prototypes_, expected.prototypes_, rtol=1e-6)
    np.testing.assert_array_equal(found.predict(data), found.labels_)
    if not sparse.issparse(data):
        given = joined(prototypes_per_cluster=4)
        np.testing.assert_array_equal(given.fit_predict(data), given.fit_predict(X))


def test_rows_of_weight_zero_get_labels_only():
    noise = np.random.default_rng(1).normal(size=(30, 5)) * 20
    weight = np.r_[np.ones(120), np.zeros(30)]
    for model in (make(), joined(prototypes_per_cluster=4)):
        model.fit(np.r_[X, noise], sample_weight=weight)
        assert adjusted_rand_score(LABELS, model.labels_[:120]) == 1.0
        assert len(model.labels_) == 150


@pytest.mark.parametrize("factor", [1e-30, 7.0, 1e30])
def test_the_scale_of_weights_makes_no_difference(factor):
    weight = np.random.default_rng(0).integers(1, 4, 120).astype(float)
    first, second = (make().fit(X, sample_weight=w) for w in (weight, factor * weight))
    np.testing.assert_array_equal(first.labels_, second.labels_)
    assert second.inertia_ == pytest.approx(factor * first.inertia_, rel=1e-3)


@pytest.mark.parametrize("change", [lambda x: x + 1e8, lambda x: x * 1e-8, lambda x: x * 1e8])
@pytest.mark.parametrize("build", [make, lambda: joined(prototypes_per_cluster=4)])
def test_offset_and_scale_make_no_difference(change, build):
    assert adjusted_rand_score(LABELS, build().fit_predict(change(X))) == 1.0


@pytest.mark.parametrize("build", [make, lambda: joined(prototypes_per_cluster=4)])
def test_constant_samples_are_one_cluster_with_a_warning(build):
    with pytest.warns(CollapseWarning, match="1 of n_clusters=3"):
        model = build().fit(np.full((40, 5), 7.1))
    assert not model.labels_.any()
    assert np.isfinite(model.prototypes_).all()


class Deaf(nn.Linear):
    """A module that gives all samples the same features."""

    def forward(self, x):
        return 0.0 * super().forward(x)


def test_a_backbone_that_loses_the_samples_is_named_as_the_cause():
    told = "the backbone gives different samples the same features.*what it learns"
    with pytest.warns(CollapseWarning, match=told) as caught:
        make(backbone=Deaf(5, 2), warm_up=None).fit(X)
    assert "ReducedFlow" not in str(caught[0].message)
    assert caught[0].filename == __file__


def test_features_drawn_onto_a_line_are_told_with_cause_and_cure():
    cloud = np.random.default_rng(0).normal(size=(300, 8))
    told = "features onto a line.*warm_up=None or pretext_weight=0.*choose a warm_up"
    with pytest.warns(CollapseWarning, match=told) as caught:
        model = make(warm_up=None, training=None).fit(cloud)
    assert [warning.filename for warning in caught] == [__file__]
    spread = np.linalg.eigvalsh(np.cov(model.encode(cloud).T))
    assert spread[-1] > 0.99 * spread.sum()
    make(training=None).fit(cloud)  # with a warm-up they stay apart, and nothing is said
    make().fit(cloud[:3])  # three features on a line have not collapsed


def test_features_that_were_on_a_line_before_are_the_users_choice():
    make(backbone=nn.Linear(5, 1)).fit(X)
    with torch.no_grad():
        line = nn.Linear(5, 2)
        line.weight[1] = line.weight[0]
    make(backbone=line, warm_up=None).fit(X)


@pytest.mark.parametrize("n", range(2, 11))
def test_very_few_rows(n):
    for model in (make(2), make(None), joined(2, prototypes_per_cluster=3), joined(None)):
        assert len(model.fit(X[:n]).labels_) == n


def test_a_support_is_that_of_the_joint_training():
    own = CombinationAssignment(sigma=0.5)
    direct = make(partition_support=own).fit(X)
    nested = make(training=JointTraining(epochs=2, partition_support=own)).fit(X)
    np.testing.assert_array_equal(direct.prototypes_, nested.prototypes_)
    assert not np.array_equal(direct.prototypes_, make().fit(X).prototypes_)
    named = make(partition_support="combination").set_params(partition_support__sigma=0.5)
    assert named.partition_support == own
    search = GridSearchCV(make(), {"partition_support": ["entropy", None]}, cv=SingleSplit())
    assert search.fit(X).best_params_["partition_support"] in ("entropy", None)


# --- what is refused


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"loss": "cross_entropy", "backbone": None}, ValueError, "trains a classifier"),
        ({"training": ReducedFlow()}, ValueError, r"None or JointTraining\(\) with backbone"),
        (
            {"training": JointTraining(), "backbone": None},
            ValueError,
            r"None or ReducedFlow\(\) with backbone=None",
        ),
        ({"training": JointTraining(epochs=0)}, ValueError, "epochs"),
        ({"warm_up": NeighborContrast(n_neighbors=0)}, ValueError, "n_neighbors"),
        ({"warm_up": NeighborContrast}, TypeError, r"an object such as NeighborContrast\(\)"),
        ({"backbone": nn.Unflatten(1, (5, 1))}, ValueError, "must return floating point"),
        ({"backbone": nn.Identity()}, ValueError, "no parameters to train"),
        ({"backbone": lambda n: n}, TypeError, "made 5, which is no torch"),
        ({"backbone": "cnn"}, ValueError, "5 features are none"),
        ({"n_clusters": 121}, ValueError, "n_samples=120 should be >= n_clusters=121"),
        ({"partition_support": "even"}, ValueError, "'partition_support' parameter .* must be"),
        ({"partition_support": CombinationAssignment(sigma=-1.0)}, ValueError, "sigma must be"),
        (
            {"partition_support": CombinationAssignment(prior=[0.5, 0.5, 1.0])},
            ValueError,
            "each of the .* prototypes, got 3.* prototypes_per_cluster=1 each is a cluster",
        ),
        (
            {"partition_support": "combination", "backbone": None},
            ValueError,
            "'partition_support' .* must be None with backbone=None",
        ),
        (
            {
                "partition_support": "combination",
                "training": JointTraining(partition_support="sinkhorn"),
            },
            ValueError,
            "'partition_support' parameter must be None where JointTraining has one, 'sinkhorn'",
        ),
        ({"device": "nonsense"}, ValueError, "'device' parameter"),
        (
            {"regularization": Regularization(separation=1.0, quadratic=0.01)},
            ValueError,
            "quadratic must be >",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(params, error, message):
    params = {"training": None, **params} if params.get("backbone", 0) is None else params
    with pytest.raises(error, match=message):
        make(**params).fit(X)


@pytest.mark.parametrize("several", [{"prototypes_per_cluster": 2}, {"n_clusters": None}])
@pytest.mark.parametrize(
    ("name", "value", "same"),
    [
        ("loss", "ols", "quantization"),
        ("temperature", "paper", GeometricTemperature(1.1, 0.8, 0.02)),
        ("temperature", GeometricTemperature(minimum=0.1), "auto"),
        ("regularization", Regularization(balance=0.1), Regularization()),
        ("training", ReducedFlow(n_init=7), ReducedFlow()),
    ],
)
def test_options_of_an_objective_are_refused_where_there_is_none(several, name, value, same):
    told = rf"'{name}' parameter of DDCLClustering must be .* with backbone=None and several"
    with pytest.raises(ValueError, match=told) as caught:
        joined(**several, **{name: value}).fit(X)
    assert f"Got {value!r} instead" in str(caught.value)
    found = joined(**several, **{name: same}).fit_predict(X)
    np.testing.assert_array_equal(found, joined(**several).fit_predict(X))
    joined(**{name: value}).fit(X)  # one prototype a cluster: it acts


@pytest.mark.parametrize("params", [{"prototypes_per_cluster": 2}, {"n_clusters": None}])
def test_sparse_given_features_have_one_prototype_a_cluster(params):
    with pytest.raises(ValueError, match=r"take dense X: pass X.toarray\(\), or choose backbone"):
        joined(**params).fit(sparse.csr_array(X))
    assert not joined(**params).__sklearn_tags__().input_tags.sparse
    assert joined().__sklearn_tags__().input_tags.sparse
    assert make(**params).__sklearn_tags__().input_tags.sparse


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value):
    data = X.copy()
    data[3, 2] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        make().fit(data)


def test_train_needs_no_estimator_but_its_parameters():
    fitted = train(make(), X, None)
    assert fitted.converged
    assert len(fitted.prototypes) == len(fitted.groups)
    assert train(joined(), X, None).gaps == {}
