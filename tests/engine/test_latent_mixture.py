import numpy as np
import pytest

from sklearn_ddcl.engine import LatentMixture, resolve_mixture


@pytest.mark.parametrize("kind", ["kmeans", "gaussian"])
def test_a_name_stands_for_the_defaults(kind):
    assert resolve_mixture(kind) == LatentMixture(kind)


def test_objects_are_copied_with_plain_numbers():
    given = LatentMixture("gaussian", interval=np.int64(2))
    found = resolve_mixture(given)
    assert found is not given
    assert type(found.interval) is int
    assert type(given.interval) is np.int64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "spherical"}, "kind must be one of 'gaussian', 'kmeans', got 'spherical'"),
        ({"kind": None}, "kind must be one of .* got None"),
        ({"interval": 0}, "interval must be .* got 0"),
        ({"interval": 1.5}, "interval must be .* got 1.5"),
        ({"n_init": 0}, "n_init must be .* got 0"),
        ({"n_init": True}, "n_init must be .* got True"),
    ],
)
def test_options_that_are_not_allowed_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        resolve_mixture(LatentMixture(**options))


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="got 'mean'"):
        resolve_mixture("mean")
