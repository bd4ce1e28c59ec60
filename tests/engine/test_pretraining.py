import copy

import pytest
import torch

from sklearn_ddcl.engine import fit_pretext


def test_the_loss_falls_and_the_steps_are_counted(train_rows, make_backbone, make_task):
    x, backbone, task, seen = train_rows(), make_backbone(), make_task(), []
    history = fit_pretext(
        backbone,
        task,
        x,
        steps=40,
        batch_size=25,
        learning_rate=1e-2,
        device="cpu",
        report=seen.append,
    )
    assert len(history) == 14  # 13 epochs of 3 steps, and 1 of 1
    assert history == seen
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert not backbone.training


def test_steps_match_a_loop_written_by_hand(train_rows, make_backbone, make_task):
    x = train_rows(dtype=torch.float64)
    backbone, task = make_backbone(dtype=torch.float64), make_task(dtype=torch.float64)
    twin, twin_task = copy.deepcopy((backbone, task))
    fit_pretext(
        backbone, task, x, steps=5, batch_size=30, device="cpu",
        generator=torch.Generator().manual_seed(4),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(4)
    torch.randint(1 << 62, (), generator=generator)
    adam = torch.optim.Adam([*twin.parameters(), *twin_task.parameters()], lr=1e-3)
    steps = [r for _ in range(3) for r in torch.randperm(60, generator=generator).tensor_split(2)]
    for step, rows in enumerate(steps[:5]):
        # a rise over the first steps, here all five, times a line down to zero
        adam.param_groups[0]["lr"] = 1e-3 * (step + 1) / 5 * (1 - step / 5)
        adam.zero_grad()
        (twin_task.decoder(twin(x[rows])) - x[rows]).square().mean().backward()
        adam.step()
    for ours, theirs in zip(backbone.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be an integer >= 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"batchsize": 3}, r"settings must be among .*, got \['batchsize'\]"),
    ],
)
def test_settings_that_are_not_allowed_are_named(
    train_rows, make_backbone, make_task, changes, message
):
    with pytest.raises(ValueError, match=message):
        fit_pretext(make_backbone(), make_task(), train_rows(), **{"steps": 3} | changes)
