import copy

import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._dual_start import starting_dual_weights
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.engine._net import TrainingNet
from sklearn_ddcl.nn import DualMemoryBank, Objective, VanillaPrototypes, ols_term

K, SCALE, TEMPERATURE, RATE, DUAL_RATE = 4, 2.5, 0.7, 3e-3, 0.02


def make_net(x, backbone, task, stop=False, sparse=False, base=None, free=False, **changes):
    """Return a net with a memory bank, and its first weights."""
    z = backbone.eval()(x).detach()
    bank = DualMemoryBank(z, K, sparse=sparse)
    with torch.no_grad():
        bank.weight.copy_(starting_dual_weights(z, z[:K]))
    bank.refresh()
    objective = Objective() if base is None else Objective(base)
    generator = torch.Generator().manual_seed(3)
    module = JointModule(backbone, bank, objective, task, 0.5, 2.0, generator, free_scale=free)
    module.temperature, module.scale, module.stop_gradient = TEMPERATURE, SCALE, stop
    net = TrainingNet(
        module, generator=generator, lr=RATE, **{"batch_size": 25, "max_epochs": 3} | changes
    )
    net.initialize()
    net.set_rates(RATE, DUAL_RATE)
    return net


def hand_loop(x, backbone, task, stop, clip, ols=False, free=False):
    """Repeat the training in plain torch, with explicit weights and all features kept."""
    features = backbone(x).detach()
    weight = starting_dual_weights(features, features[:K])
    parameters = [*backbone.parameters(), *(task.parameters() if task else [])]
    adam = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.0)
    generator = torch.Generator().manual_seed(3)
    torch.randint(1 << 62, (), generator=generator)  # the seed for dropout
    steps = []
    for _ in range(3):
        order = torch.randperm(len(x), generator=generator)
        for rows in order.tensor_split(-(-len(x) // 25)):
            w = weight.clone().requires_grad_()
            z = backbone(x[rows])
            everything = features.clone()
            everything[rows] = z
            p = w.T @ everything
            d = (z[:, None, :] - p[None]).square().sum(2)
            q = torch.softmax(-(d.detach() if stop else d) / TEMPERATURE, dim=1)
            base = (z - q @ p).square().sum(1).mean() if ols else (q * d).sum(1).mean()
            spread = (z - z.mean(0)).square().sum(1).mean()
            unit = 1.0 if free else spread.detach() / spread
            loss = 0.5 * unit * base / SCALE
            if task:
                loss = loss + 2.0 * (task.decoder(z) - x[rows]).square().mean()
            adam.zero_grad()
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(parameters, clip)
            adam.step()
            weight[rows] -= DUAL_RATE * w.grad[rows]
            features[rows] = z.detach()
            steps.append(float(loss.detach()))
    return weight, features, steps


@pytest.mark.parametrize("stop", [True, False])
@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize(
    ("clip", "with_task", "ols", "free"), [(None, True, False, True), (0.05, False, True, False)]
)
def test_the_net_takes_the_steps_of_a_loop_written_by_hand(
    train_rows, make_backbone, make_task, stop, sparse, clip, with_task, ols, free
):
    x = train_rows(dtype=torch.float64)
    backbone = make_backbone(dtype=torch.float64)
    task = make_task(dtype=torch.float64) if with_task else None
    twin, twin_task = copy.deepcopy(backbone), copy.deepcopy(task)
    base = ols_term if ols else None
    net = make_net(x, backbone, task, stop, sparse, base, free, gradient_clip=clip)
    losses = []
    single = net.train_step
    net.train_step = lambda batch: losses.append((step := single(batch))["loss"]) or step
    net.partial_fit(x)
    weight, features, steps = hand_loop(x, twin, twin_task, stop, clip, ols, free)
    bank = net.module_.layer
    assert [float(loss) for loss in losses] == pytest.approx(steps, rel=1e-9)
    torch.testing.assert_close(bank.weight.detach(), weight, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(bank.features, features, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(bank.total, weight.T @ features, rtol=1e-8, atol=1e-10)
    for ours, theirs in zip(backbone.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


def test_only_rows_of_the_batch_move_in_a_step(train_rows, make_backbone):
    x = train_rows()
    net = make_net(x, make_backbone(), None)
    before = net.module_.layer.weight.detach().clone()
    batch = next(iter(net.get_iterator(x, training=True)))
    net.train_step(batch)
    moved = (net.module_.layer.weight != before).any(dim=1).nonzero()[:, 0]
    assert set(moved.tolist()) <= set(batch.rows.tolist())
    assert len(moved) > 0


def test_the_same_seed_gives_the_same_weights_and_global_generators_stay(
    train_rows, make_backbone, make_task
):
    x = train_rows()
    results = []
    for _ in range(2):
        torch.rand(3)  # the global state differs, and must not matter
        backbone = make_backbone(dropout=0.5)
        net = make_net(x, backbone, make_task())
        state = torch.get_rng_state()
        net.partial_fit(x)
        assert torch.equal(state, torch.get_rng_state())
        results.append(torch.cat([p.detach().flatten() for p in net.module_.parameters()]))
    assert torch.equal(*results)


def test_a_loss_that_is_not_finite_names_its_causes(train_rows, make_backbone):
    net = make_net(train_rows(), make_backbone(), None)
    net.module_.scale = float("nan")
    with pytest.raises(FloatingPointError, match=r"clustering loss became nan.*learning_rate"):
        net.partial_fit(train_rows())


def test_the_pretext_task_is_named_when_it_diverges(train_rows, make_backbone, make_task):
    task = make_task()
    with torch.no_grad():
        task.decoder.bias.fill_(float("inf"))
    net = make_net(train_rows(), make_backbone(), task)
    with pytest.raises(FloatingPointError, match="pretext task's loss became"):
        net.partial_fit(train_rows())


def test_an_interrupt_goes_through(train_rows, make_backbone):
    net = make_net(train_rows(), make_backbone(), None)

    def interrupt(batch):
        raise KeyboardInterrupt

    net.train_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        net.partial_fit(train_rows())


def test_fewer_rows_than_a_batch(train_rows, make_backbone):
    x = train_rows(n=7)
    net = make_net(x, make_backbone(), None, batch_size=256)
    net.partial_fit(x)
    assert net.summary_.quantization > 0


def test_features_without_parameters_train_the_prototypes_alone(train_rows):
    x = train_rows()
    module = JointModule(nn.Identity(), VanillaPrototypes(3, 6), Objective())
    net = TrainingNet(module, generator=torch.Generator().manual_seed(0), max_epochs=20, lr=0.3)
    first = net.fit(x).summary_.quantization
    assert net.partial_fit(x).summary_.quantization <= first
    assert not hasattr(net, "optimizer_")


def test_batch_events_reach_only_callbacks_that_have_them(train_rows, make_backbone):
    from skorch.callbacks import Callback

    class Counter(Callback):
        seen = 0

        def on_batch_end(self, net, batch=None, training=None, **kwargs):
            self.seen += len(batch.rows)

    counter = Counter()
    x = train_rows()
    make_net(x, make_backbone(), None, callbacks=[counter]).partial_fit(x)
    assert counter.seen == 3 * len(x)
