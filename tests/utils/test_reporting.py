import io
import sys

import pytest

from sklearn_ddcl.utils import make_reporter

RECORD = {
    "epoch": 3,
    "phase": "annealing",
    "temperature": 0.123456,
    "loss_quantization": 1234.5678,
    "n_active": 8,
}


@pytest.mark.parametrize("verbose", [0, False])
def test_silent(verbose):
    assert make_reporter(verbose, "Name") is None


@pytest.mark.parametrize("verbose", [1, True, 5])
def test_one_line_a_record(verbose, capsys):
    report = make_reporter(verbose, "DDCLClustering")
    report(RECORD)
    report(RECORD | {"phase": "finish", "temperature": 0.0})
    first, second = capsys.readouterr().out.splitlines()
    assert first == "[DDCLClustering] annealing   3  temperature 0.1235  loss 1234.57  active 8"
    assert second.startswith("[DDCLClustering] finish   3  temperature 0 ")


def test_a_warm_up_has_no_temperature_yet(capsys):
    record = {"epoch": 2, "phase": "pretext", "temperature": float("nan"), "loss_pretext": 0.25}
    make_reporter(1, "A")(record)
    assert capsys.readouterr().out == "[A] pretext   2  loss 0.25\n"


def test_standard_output_is_looked_up_at_each_line(capsys):
    """So that redirection after the report was made still works."""
    report = make_reporter(1, "A")
    with pytest.MonkeyPatch.context() as patch:
        stream = io.StringIO()
        patch.setattr(sys, "stdout", stream)
        report(RECORD)
    assert "annealing" in stream.getvalue()
    assert capsys.readouterr().out == ""


def test_incomplete_records_are_not_passed_over():
    with pytest.raises(KeyError, match="n_active"):
        make_reporter(1, "A")({key: RECORD[key] for key in RECORD if key != "n_active"})


def test_an_epoch_on_pseudo_labels_has_its_own_line(capsys):
    record = {"epoch": 2, "phase": "alternation", "temperature": float("nan"), "n_active": 3}
    make_reporter(1, "A")({**record, "loss_cross_entropy": 0.5, "nmi_previous": 0.75})
    assert capsys.readouterr().out == "[A] alternation   2  loss 0.5  nmi 0.7500  active 3\n"
