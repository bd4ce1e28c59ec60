import pytest
import torch

from sklearn_ddcl.engine._runtime import local_randomness, make_generator, resolve_device


def test_auto_takes_what_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto", torch.float64) == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("auto", torch.float32) == torch.device("mps")
    assert resolve_device("auto", torch.float64) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto", torch.float64) == torch.device("cuda")


@pytest.mark.parametrize("name", ["cpu", "cpu:0"])
def test_named_devices(name):
    assert resolve_device(name, torch.float32).type == "cpu"


@pytest.mark.parametrize("name", ["abacus", "", "cpu:x", "cuda:-2"])
def test_unknown_devices_name_the_parameter(name):
    with pytest.raises(ValueError, match="The 'device' parameter"):
        resolve_device(name, torch.float32)


@pytest.mark.parametrize("value", [None, 1.5, ["cpu"]])
def test_what_is_no_name_names_the_parameter(value):
    with pytest.raises(ValueError, match="The 'device' parameter"):
        resolve_device(value, torch.float32)


def test_the_meta_device_holds_no_data():
    with pytest.raises(ValueError, match="'device' parameter is 'meta'"):
        resolve_device("meta", torch.float32)


@pytest.mark.parametrize("name", ["cuda:63", "xpu:5"])
def test_absent_devices_name_the_parameter(name):
    with pytest.raises(ValueError, match=r"The 'device' parameter is .* does not offer"):
        resolve_device(name, torch.float32)


def test_mps_has_no_float64():
    with pytest.raises(ValueError, match="pass X as float32"):
        resolve_device("mps", torch.float64)


def test_generators_are_local_and_repeatable():
    before = torch.get_rng_state()
    first, same, other = (torch.rand(3, generator=make_generator(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())
    assert make_generator(0).device.type == "cpu"


@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_all_seeds_of_the_estimators_will_do(seed):
    assert make_generator(seed).initial_seed() == seed


def test_local_randomness_is_that_of_the_generator_and_leaves_no_trace():
    state, drawn = torch.get_rng_state(), []
    for seed in (1, 1, 2):
        with local_randomness(make_generator(seed), torch.device("cpu")):
            drawn.append(torch.rand(3))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(state, torch.get_rng_state())


def test_local_randomness_ends_with_an_error_too():
    state = torch.get_rng_state()

    def fail():
        with local_randomness(make_generator(0), torch.device("cpu")):
            raise KeyError(float(torch.rand(())))

    with pytest.raises(KeyError):
        fail()
    assert torch.equal(state, torch.get_rng_state())
