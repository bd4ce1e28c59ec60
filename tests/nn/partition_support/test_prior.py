import math

import pytest

from sklearn_ddcl.nn.partition_support._prior import check_prior, relative_prior


def test_shares_have_mean_one():
    assert relative_prior(None, 3) == [1.0, 1.0, 1.0]
    assert relative_prior((1, 1, 2), 3) == pytest.approx([0.75, 0.75, 1.5])


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e308])
def test_only_ratios_matter(size):
    assert relative_prior([size, size], 2) == pytest.approx([1.0, 1.0])


def test_a_vanishing_share_stays_positive():
    assert min(relative_prior([1e-320, 1e308], 2)) > 0.0


@pytest.mark.parametrize("prior", [[1.0], [1.0, 2.0, 3.0]])
def test_another_number_of_clusters(prior):
    with pytest.raises(ValueError, match=f"each of the 2 clusters, got {len(prior)}"):
        relative_prior(prior, 2)


@pytest.mark.parametrize("prior", ["12", 3.0, [], [0.0, 1.0], [math.nan], [True], [math.inf]])
def test_bad_priors(prior):
    with pytest.raises(ValueError, match="prior"):
        check_prior(prior)
