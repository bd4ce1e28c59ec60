import pytest

from sklearn_ddcl.engine import JointConfig, fit_joint, fit_pretext
from sklearn_ddcl.options import JointTraining

KEYS = {
    *("epoch", "phase", "temperature", "seconds", "loss", "loss_pretext", "loss_quantization"),
    *("loss_ols", "variance", "separation", "concentration", "force", "n_active", "label_change"),
    *("latent_variance", "learning_rate", "learning_rate_dual", "rate_ratio", "rate_bound"),
    "n_revived",
}


def test_every_record_has_what_the_theory_says_to_watch(train_rows, make_backbone):
    x, backbone = train_rows(), make_backbone()
    start = backbone(x).detach()[:4]
    config = JointConfig(JointTraining(epochs=3, batch_size=20), device="cpu")
    history = fit_joint(backbone, None, x, start, config).history
    assert all(set(record) == KEYS for record in history)
    assert [record["epoch"] for record in history] == [1, 2, 3]
    assert all(1 <= record["n_active"] <= 4 for record in history)
    assert all(record["rate_bound"] > 1 for record in history)


def test_a_warm_up_records_the_rate_of_each_epochs_last_step(train_rows, make_backbone, make_task):
    history = fit_pretext(
        make_backbone(), make_task(), train_rows(), steps=100, batch_size=10, device="cpu",
        learning_rate=2.0**-9,
    )  # fmt: skip
    last = [min(len(train_rows()) // 10 * epoch, 100) - 1 for epoch in range(1, len(history) + 1)]
    expected = [2.0**-9 * min((step + 1) / 50, 1) * (1 - step / 100) for step in last]
    assert [record["learning_rate"] for record in history] == pytest.approx(expected)
