"""Batches from anywhere: what is sliced, what is iterated, and that nothing is read ahead."""

import queue
import threading

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from sklearn_ddcl.utils import is_table, iterate_batches

X = np.arange(40.0).reshape(20, 2)
Y = np.arange(20)


def collect(source, batch_size=8):
    return list(iterate_batches(source, batch_size))


def joined(batches):
    return np.concatenate([np.asarray(batch) for batch in batches])


class Stored:
    """Rows behind an interface like that of HDF5 and Zarr, which says how many were read."""

    shape, dtype, ndim = X.shape, X.dtype, 2

    def __init__(self):
        self.read = []

    def __getitem__(self, key):
        rows = key[0] if isinstance(key, tuple) else key
        self.read.append(len(X[rows]))
        return X[rows]


class Stream(IterableDataset):
    def __init__(self, labels=False):
        self.labels = labels

    def __iter__(self):
        rows = torch.from_numpy(X)
        return zip(rows, torch.from_numpy(Y), strict=True) if self.labels else iter(rows)


class Numbered(Dataset):
    """A map-style data set that does not say where it ends, as many do not."""

    def __len__(self):
        return 20

    def __getitem__(self, number):
        return X[number % 20], Y[number % 20]


# --- tables


@pytest.mark.parametrize(
    "table",
    [
        X,
        X.tolist(),
        pd.DataFrame(X),
        sparse.csr_array(X),
        torch.from_numpy(X),
        Stored(),
        3.0,
        "abc",
    ],
    ids=lambda table: type(table).__name__,
)
def test_what_has_rows_is_a_table(table):
    assert is_table(table)


@pytest.mark.parametrize(
    "source",
    [iter([X]), (X for _ in range(2)), map(np.asarray, [X]), Stream(), DataLoader(Stream()), None],
    ids=lambda source: type(source).__name__,
)
def test_what_can_only_be_gone_through_is_none(source):
    assert not is_table(source)


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 30), batch_size=st.integers(1, 40))
def test_a_table_is_cut_into_slices_of_itself(n, batch_size):
    table = np.arange(2.0 * n).reshape(n, 2)
    batches = collect(table, batch_size)
    np.testing.assert_array_equal(joined(batches), table)
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * ((n - 1) // batch_size)
    assert all(np.shares_memory(batch, table) for batch in batches)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_are_cut_into_frames(library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    batches = collect(frame)
    assert all(type(batch) is type(frame) for batch in batches)
    assert all(list(batch.columns) == ["a", "b"] for batch in batches)
    np.testing.assert_array_equal(joined(batches), X)
    assert collect(frame, 100)[0] is frame


@pytest.mark.parametrize("make", [list, np.ndarray.tolist, torch.from_numpy, sparse.csr_array])
def test_other_tables_are_cut_too(make):
    batches = collect(make(X))
    assert [batch.shape[0] for batch in batches] == [8, 8, 4]
    rows = [batch.toarray() if sparse.issparse(batch) else batch for batch in batches]
    np.testing.assert_array_equal(joined(rows), X)


def test_a_memory_map_stays_one(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    stored = np.load(tmp_path / "rows.npy", mmap_mode="r")
    batches = collect(stored)
    assert all(isinstance(batch, np.memmap) for batch in batches)
    assert all(np.shares_memory(batch, stored) for batch in batches)
    np.testing.assert_array_equal(joined(batches), X)


def test_a_table_on_disk_is_read_a_slice_at_a_time():
    stored = Stored()
    batches = iterate_batches(stored, 8)
    assert stored.read == []
    next(batches)
    assert stored.read == [8]
    np.testing.assert_array_equal(joined(batches), X[8:])
    assert stored.read == [8, 8, 4]


def test_images_are_cut_along_their_first_axis():
    images = np.arange(5 * 3 * 2 * 2).reshape(5, 3, 2, 2)
    assert [batch.shape for batch in collect(images, 2)] == [(2, 3, 2, 2)] * 2 + [(1, 3, 2, 2)]


def test_a_table_without_rows_has_no_batch():
    assert collect(X[:0]) == []


# --- iterables


@pytest.mark.parametrize("cuts", [[20], [1, 19], [7, 7, 6], [5, 0, 15]])
@pytest.mark.parametrize("labels", [None, "array", "nothing"])
def test_batches_of_an_iterable_are_passed_on_as_they_are(cuts, labels):
    given = np.split(X, np.cumsum(cuts)[:-1])
    own = {"array": lambda part: (part, part[:, 0]), "nothing": lambda part: [part, None]}
    source = (own[labels](part) if labels else part for part in given)
    found = collect(source)
    assert len(found) == len(given)
    assert all(one is other for one, other in zip(found, given, strict=True))


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("labels", [False, True])
def test_chunks_of_frames_are_passed_on(library, labels):
    frames = pytest.importorskip(library)
    chunks = [frames.DataFrame({"a": part[:, 0], "b": part[:, 1]}) for part in np.split(X, 4)]
    found = collect((chunk, frames.Series([0] * 5)) if labels else chunk for chunk in chunks)
    assert all(one is other for one, other in zip(found, chunks, strict=True))


@pytest.mark.parametrize(
    "source",
    [
        lambda: iter(X),
        lambda: iter(X.tolist()),
        lambda: (tuple(row) for row in X.tolist()),
        lambda: (row for _, row in pd.DataFrame(X).iterrows()),
        lambda: zip(X, Y, strict=True),
        lambda: zip(X, Y.tolist(), strict=True),
        lambda: ((row,) for row in X),
        lambda: zip(X, np.eye(20), strict=True),
        lambda: Stream(),
        lambda: Stream(labels=True),
        lambda: Numbered(),
        lambda: TensorDataset(torch.from_numpy(X)),
        lambda: TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)),
        lambda: DataLoader(Stream(labels=True), batch_size=None),
    ],
)
def test_single_samples_are_collected(source):
    batches = collect(source())
    assert [len(batch) for batch in batches] == [8, 8, 4]
    np.testing.assert_array_equal(joined(batches), X)


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("dataset", [Stream, None])
def test_loaders_of_torch_keep_their_own_batches(dataset, labels):
    tensors = (torch.from_numpy(X), torch.from_numpy(Y))[: 1 + labels]
    loader = DataLoader(dataset(labels) if dataset else TensorDataset(*tensors), batch_size=6)
    batches = collect(loader, batch_size=4)
    assert [batch.shape for batch in batches] == [(6, 2)] * 3 + [(2, 2)]
    np.testing.assert_array_equal(joined(batches), X)


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("make", [np.asarray, torch.from_numpy])
def test_a_list_of_rows_is_a_batch_of_all_of_them(kind, make):
    messages = [kind(make(row) for row in part) for part in np.split(X, 4)]
    batches = collect(iter(messages))
    assert [batch.shape for batch in batches] == [(5, 2)] * 4
    np.testing.assert_array_equal(joined(batches), X)


def test_samples_before_a_batch_do_not_wait_for_more():
    batches = collect(iter([X[0], X[1], X[2:10], X[10]]))
    assert [len(batch) for batch in batches] == [2, 8, 1]
    np.testing.assert_array_equal(joined(batches), X[:11])


def test_nothing_is_read_ahead():
    taken = []

    def source():
        for part in np.split(X, 4):
            taken.append(len(part))
            yield part

    batches = iterate_batches(source(), 8)
    assert taken == []
    for number in range(1, 5):
        next(batches)
        assert len(taken) == number


def test_a_source_that_blocks_gives_each_batch_when_it_comes():
    arriving, came = queue.Queue(), queue.Queue()

    def messages():
        while (message := arriving.get()) is not None:
            yield message

    def consume():
        for batch in iterate_batches(messages(), 8):
            came.put(batch)

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    for part in np.split(X, 4):
        arriving.put(part)
        assert came.get(timeout=20) is part
    arriving.put(None)
    consumer.join(timeout=20)
    assert not consumer.is_alive()


def test_an_endless_source_can_be_left():
    def endless():
        while True:
            yield X

    batches = iterate_batches(endless(), 8)
    assert all(next(batches) is X for _ in range(3))


# --- refusals


@pytest.mark.parametrize(
    "source", [iter([]), (row for row in ()), DataLoader(TensorDataset(torch.ones(0, 2)))]
)
def test_an_empty_source_is_refused(source):
    with pytest.raises(ValueError, match="at least one batch of samples, got an empty source"):
        collect(source)


@pytest.mark.parametrize("source", [None, object(), np.ones])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(TypeError, match="must be a table of samples or an iterable of batches"):
        collect(source)


def test_an_error_of_the_source_arrives_after_the_batches_before_it():
    def breaks():
        yield X
        raise OSError("the network went away")

    batches = iterate_batches(breaks(), 8)
    assert next(batches) is X
    with pytest.raises(OSError, match="went away"):
        next(batches)


def test_samples_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        collect(iter([[1.0, 2.0], [1.0]]))
