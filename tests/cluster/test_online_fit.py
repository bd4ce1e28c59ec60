import pytest

from sklearn_ddcl import OnlineDeepClustering
from sklearn_ddcl.cluster._online_fit import check_unchanged, make_config


def test_parameters_become_the_configuration():
    model = OnlineDeepClustering(
        5, sigma=2, temperature=1, epochs=7, batch_size=32, learning_rate=1, random_state=0
    )
    config = make_config(model)
    assert (config.n_clusters, config.epochs, config.batch_size) == (5, 7, 32)
    assert config.support.sigma == 2.0
    assert isinstance(config.temperature, float)
    assert config.seed == make_config(model).seed
    assert config.report is None


def test_a_sigma_without_a_use_is_refused():
    with pytest.raises(ValueError, match="'sigma' parameter must be None"):
        make_config(OnlineDeepClustering(partition_support="entropy", sigma=1.0))


def test_changed_parameters_are_named_with_both_values():
    model = OnlineDeepClustering(5)
    check_unchanged(model, {"n_clusters": 5, "backbone": "mlp"})
    with pytest.raises(
        ValueError, match=r"'n_clusters' .* was 4 when training began and is 5 now"
    ):
        check_unchanged(model, {"n_clusters": 4})
