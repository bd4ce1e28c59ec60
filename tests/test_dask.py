"""Streams inside dask_ml.wrappers.Incremental: blocks of a dask array are batches."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import IncrementalDDCL
from sklearn_ddcl.metrics import accuracy_scorer
from sklearn_ddcl.model_selection import make_incremental_pipeline

WHY = "needs dask-ml: pip install '.[dask]'"
da = pytest.importorskip("dask.array", reason=WHY)
frames = pytest.importorskip("dask.dataframe", reason=WHY)
wrappers = pytest.importorskip("dask_ml.wrappers", reason=WHY)

X, Y = make_blobs(2_000, centers=20 * np.eye(6)[:5], random_state=0)
BLOCKS = da.from_array(X, chunks=(250, 6))


def cluster():
    return IncrementalDDCL(5, random_state=0, device="cpu")


def pipeline():
    return make_incremental_pipeline(StandardScaler(), IncrementalPCA(5), cluster())


def wrap(estimator, **options):
    return wrappers.Incremental(estimator, **{"shuffle_blocks": False, **options})


@pytest.mark.parametrize("make", [cluster, pipeline])
def test_blocks_are_learned_from_in_their_order(make):
    wrapped, alone = wrap(make()).fit(BLOCKS), make()
    for start in range(0, len(X), 250):
        alone.partial_fit(X[start : start + 250])
    labels = wrapped.predict(BLOCKS)
    assert isinstance(labels, da.Array)
    np.testing.assert_array_equal(labels.compute(), alone.predict(X))
    np.testing.assert_allclose(wrapped.transform(BLOCKS).compute(), alone.transform(X))


@pytest.mark.parametrize("make", [cluster, pipeline])
def test_shuffled_blocks_and_labels_do_no_harm(make):
    wrapped = wrap(make(), shuffle_blocks=True, random_state=0, scoring=accuracy_scorer)
    wrapped.fit(BLOCKS, da.from_array(Y, chunks=250))
    assert wrapped.score(X, Y) > 0.99
    assert wrap(make()).fit(X).score(X, Y) > 0.5  # without a scorer, that of the estimator


def test_a_second_pass_goes_on_where_the_first_ended():
    wrapped = wrap(cluster()).fit(BLOCKS)
    wrapped.partial_fit(BLOCKS[:500])
    assert wrapped.estimator_.n_samples_seen_ == 2_500
    assert wrapped.estimator_.n_batches_seen_ == 10
    assert wrapped.fit(BLOCKS).estimator_.n_samples_seen_ == 2_000


def test_partitions_of_a_frame_are_batches():
    frame = frames.from_pandas(pd.DataFrame(X, columns=list("abcdef")), npartitions=8)
    wrapped = wrap(cluster()).fit(frame)
    assert wrapped.estimator_.feature_names_in_.tolist() == list("abcdef")
    labels = wrapped.predict(frame).compute()
    np.testing.assert_array_equal(labels, wrapped.estimator_.predict(frame.compute()))


def test_the_wrapped_estimator_is_left_alone():
    estimator = pipeline()
    wrap(estimator).fit(BLOCKS)
    assert not hasattr(estimator[0], "mean_")
    assert repr(clone(wrap(estimator)).estimator) == repr(estimator)


def test_what_is_frozen_stays_fitted():
    estimator = make_incremental_pipeline(FrozenEstimator(PCA(5).fit(X)), cluster())
    assert wrap(estimator).fit(BLOCKS).estimator_[-1].n_samples_seen_ == 2_000


def test_a_step_that_cannot_learn_is_named():
    with pytest.raises(TypeError, match="Step 'pca' of IncrementalPipeline"):
        wrap(make_incremental_pipeline(PCA(5), cluster())).fit(BLOCKS)


def test_a_bad_block_is_refused():
    bad = X.copy()
    bad[1_900, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        wrap(cluster()).fit(da.from_array(bad, chunks=(250, 6)))
