"""Every check of scikit-learn, for every public estimator: none skipped.

Two are expected to fail, and only where a network is trained on batches.
"""

import os
import subprocess
import sys

import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import sklearn_ddcl
from sklearn_ddcl import (
    AdversarialDeepClustering,
    CompetitiveClustering,
    DDCLClustering,
    DeepClusterBaseline,
    OnlineDeepClustering,
)
from sklearn_ddcl.options import (
    Autoencoding,
    ConstantTemperature,
    JointTraining,
    NeighborContrast,
    ReducedFlow,
    SimCLR,
    SinkhornAssignment,
)


class Small(torch.nn.Module):
    """What a user may write."""

    def __init__(self, n_features):
        super().__init__()
        self.first = torch.nn.Linear(n_features, 16)
        self.second = torch.nn.Linear(16, 3)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


PUBLIC = [getattr(sklearn_ddcl, name) for name in sklearn_ddcl.__all__ if name[0].isupper()]
SHORT = {"warm_up": NeighborContrast(n_steps=50), "training": JointTraining(epochs=2)}
EVEN = JointTraining(epochs=2, partition_support="combination")
DEEP = [
    {**SHORT, "warm_up": Autoencoding(n_steps=50)},
    {**SHORT, "warm_up": SimCLR(n_steps=50)},
    {"training": EVEN, "warm_up": None, "n_clusters": None},
    {**SHORT, "backbone": Small, "output": "embedding"},
    {**SHORT, "prototypes_per_cluster": 1, "loss": "cross_entropy", "output": "assignments"},
]
GIVEN = [
    # Not 3 to 7: check_sample_weight_equivalence has several optima there and compares soft
    # assignments to 1e-7. A seeded second start depends on the order of the rows (KMeans
    # fails the check for that), and a relative temperature has the accuracy of float32.
    {},
    {"n_clusters": 2},
    {"n_clusters": 2, "prototypes_per_cluster": 5},
    {"output": "embedding"},
    {"output": "assignments"},
    {"loss": "ols"},
    {
        "n_clusters": 3,
        "training": ReducedFlow(hard_finish=False),
        "temperature": ConstantTemperature(0.3),
        "output": "assignments",
    },
]
TURNS = {"epochs": 3, "n_init": 3}
ALTERNATING = [
    {**TURNS, "warm_up": NeighborContrast(n_steps=50), "output": "assignments"},
    {**TURNS, "backbone": Small, "n_components": 2, "output": "embedding"},
]
PASSES = {"epochs": 30}
ONLINE = [
    {**PASSES, "partition_support": SinkhornAssignment(hard=False), "output": "embedding"},
    {**PASSES, "partition_support": "entropy", "backbone": Small, "output": "assignments"},
    {**PASSES, "partition_support": "sum_of_squares", "n_clusters": 2},
]
GAME = {"warm_up": NeighborContrast(n_steps=50), "epochs": 4}
ADVERSARIAL = [
    {**GAME, "loss": "euclidean", "warm_up": None, "output": "embedding"},
    {**GAME, "loss": "kl", "backbone": Small, "output": "assignments"},
    {**GAME, "mixture": "gaussian", "output": "assignments"},
    {**GAME, "prototypes_per_cluster": 1},
]
COMPETITIVE = [
    {"layer": "vanilla", "init": "random", "epochs": 20, "output": "embedding"},
    {"layer": "deep_dual", "epochs": 20, "output": "assignments"},
    {"batch_size": 16, "n_prototypes": 8, "epochs": 20, "topology": "literal"},
]
CONFIGURED = {
    AdversarialDeepClustering: ADVERSARIAL,
    CompetitiveClustering: COMPETITIVE,
    DDCLClustering: [*DEEP, *({"backbone": None, **params} for params in GIVEN)],
    DeepClusterBaseline: ALTERNATING,
    OnlineDeepClustering: ONLINE,
}
# all defaults first: the one deep configuration that is trained to the end
SHORTENED = {
    AdversarialDeepClustering: GAME,
    DeepClusterBaseline: TURNS,
    OnlineDeepClustering: PASSES,
}
ESTIMATORS = [
    cls(**params)
    for cls in PUBLIC
    for params in [SHORTENED.get(cls, {}), *CONFIGURED.get(cls, [])]
]

# scipy must know about the array API before it is imported, so this one has its own process.
ARRAY_API = "check_array_api_input"


def expected_failures(estimator):
    """Name the checks that drawn rows or batches cannot pass, as scikit-learn does for KMeans."""
    if isinstance(estimator, DDCLClustering) and estimator.backbone is None:
        return {}
    reason = "batches, schedules and the graph of neighbours depend on the number of rows"
    checks = ("dense", "sparse")
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in checks}


def needs_array_api(pair):
    """Tell whether scikit-learn would skip the check in this process."""
    _, check = getattr(pair, "values", pair)
    return check.func.__name__ == ARRAY_API and not os.environ.get("SCIPY_ARRAY_API")


def checks_to_run():
    """Return scikit-learn's parametrization without what runs in a process of its own."""
    mark = parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures).mark
    pairs = [pair for pair in mark.args[1] if not needs_array_api(pair)]
    return pytest.mark.parametrize(mark.args[0], pairs, ids=mark.kwargs["ids"])


def test_all_public_estimators_are_checked():
    assert PUBLIC
    assert all(issubclass(cls, BaseEstimator) for cls in PUBLIC)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # k > distinct rows
@checks_to_run()
def test_scikit_learn_checks(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        pytest.fail(f"skipped: {skipped}")
    except BaseException as error:
        if type(error).__name__ == "SkipTest":
            pytest.fail(f"skipped: {error}")
        raise


SCRIPT = f"""
import torch
torch.set_num_threads(1)
from sklearn.utils.estimator_checks import estimator_checks_generator
import sklearn_ddcl
ran = 0
for name in sklearn_ddcl.__all__:
    if name[0].isupper():
        for estimator, check in estimator_checks_generator(getattr(sklearn_ddcl, name)()):
            if check.func.__name__ == "{ARRAY_API}":
                check(estimator)
                ran += 1
print(ran)
"""


def test_array_api_check_in_a_process_with_scipy_prepared():
    estimators = [cls() for cls in PUBLIC]
    expected = sum(
        check.func.__name__ == ARRAY_API
        for estimator in estimators
        for _, check in estimator_checks_generator(estimator)
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == expected
