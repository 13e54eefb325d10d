"""Training gives the same weights even if interrupted, and reports errors in one line."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from vosbench.errors import DataError, UsageError
from vosbench.method import Material, Recipe
from vosbench.records.provenance import weights_card
from vosbench.train import Listener, Outcome, Settings, sample, train
from vosbench.train.log import read

Toy = Callable[..., Recipe]


def weights(outcome: Outcome) -> bytes:
    return outcome.last.read_bytes()


def lines(folder: Path) -> list[dict[str, str]]:
    """The log without the time, which differs from run to run."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in read(folder / "log.csv")]


def stop_after(step: int) -> Listener:
    def look(done: int, _losses: Mapping[str, float]) -> None:
        if done == step:
            raise ZeroDivisionError

    return Listener(step=look)


def test_one_seed_gives_one_network(toy: Toy, material: Material, tmp_path: Path) -> None:
    recipe = toy(dropout=0.3)
    first = train(recipe, material, tmp_path / "a", Settings(seed=3))
    torch.manual_seed(99)  # the caller's random state does not matter
    second = train(recipe, material, tmp_path / "b", Settings(seed=3))
    other = train(recipe, material, tmp_path / "c", Settings(seed=4))
    assert weights(first) == weights(second) != weights(other)
    assert lines(tmp_path / "a") == lines(tmp_path / "b") != lines(tmp_path / "c")
    assert first.steps == 12


def test_it_learns(toy: Toy, material: Material, tmp_path: Path) -> None:
    train(toy(steps=60, batch=8, horizon=100), material, tmp_path, Settings())
    losses = [float(row["loss"]) for row in lines(tmp_path)]
    assert np.mean(losses[-10:]) < 0.3 * np.mean(losses[:3])


def test_the_first_steps_are_those_of_plain_torch(toy: Toy, material: Material, tmp_path: Path) -> None:
    """Written out: examples, learning rates of both groups, momentum, decay."""
    recipe = toy(steps=3, batch=2, lr=0.05, horizon=10, weight_decay=0.01)
    outcome = train(recipe, material, tmp_path, Settings(seed=5))
    torch.manual_seed(5)
    net = recipe.build().train()
    speed: dict[str, torch.Tensor] = {}
    for step in range(3):
        examples = [recipe.example(material, step, np.random.default_rng([5, 2 * step + i])) for i in range(2)]
        batch = {name: torch.from_numpy(np.stack([example[name] for example in examples])) for name in examples[0]}
        net.zero_grad()
        sum(recipe.losses(net, batch, step).values()).backward()
        with torch.no_grad():
            for name, value in net.named_parameters():
                push = value.grad + 0.01 * value
                speed[name] = push if step == 0 else 0.9 * speed[name] + push
                rate = 0.05 * (1 - step / 10) ** 0.9 * (10 if name.startswith("head.") else 1)
                value.sub_(rate * speed[name])
    weights = load_file(outcome.last)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(weights[name], value, rtol=1e-4, atol=1e-6)


def test_adamw_written_out(toy: Toy, material: Material, tmp_path: Path) -> None:
    """Loshchilov and Hutter, 2019, algorithm 2: the decay is subtracted from the weights, not added to the gradient."""
    recipe = toy(optimiser="adamw", steps=2, batch=2, lr=0.01, horizon=10, weight_decay=0.1, momentum=0.8)
    outcome = train(recipe, material, tmp_path, Settings(seed=5))
    torch.manual_seed(5)
    net = recipe.build().train()
    moments = {name: (torch.zeros_like(x), torch.zeros_like(x)) for name, x in net.named_parameters()}
    for step in range(2):
        examples = [recipe.example(material, step, np.random.default_rng([5, 2 * step + i])) for i in range(2)]
        batch = {name: torch.from_numpy(np.stack([example[name] for example in examples])) for name in examples[0]}
        net.zero_grad()
        sum(recipe.losses(net, batch, step).values()).backward()
        with torch.no_grad():
            for name, value in net.named_parameters():
                first, second = moments[name]
                first, second = 0.8 * first + 0.2 * value.grad, 0.999 * second + 0.001 * value.grad**2
                moments[name] = first, second
                rate = 0.01 * (1 - step / 10) ** 0.9 * (10 if name.startswith("head.") else 1)
                push = (first / (1 - 0.8 ** (step + 1))) / ((second / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8)
                value.sub_(rate * (push + 0.1 * value))
    weights = load_file(outcome.last)
    for name, value in net.named_parameters():
        if name != "body.bias":  # its gradient is 0 because of the normalisation, so Adam follows the rounding
            torch.testing.assert_close(weights[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("optimiser", "workers"), [("sgd", 0), ("sgd", 2), ("adamw", 0)])
def test_stopped_and_resumed_is_uninterrupted(
    toy: Toy, material: Material, tmp_path: Path, optimiser: str, workers: int
) -> None:
    recipe = toy(dropout=0.3, optimiser=optimiser)
    settings = Settings(save_every=3, workers=workers)
    whole = train(recipe, material, tmp_path / "whole", settings)
    for step in (2, 5, 10):
        with pytest.raises(ZeroDivisionError):
            train(recipe, material, tmp_path / "parts", settings, listener=stop_after(step))
    notes: list[str] = []
    parts = train(recipe, material, tmp_path / "parts", settings, listener=Listener(note=notes.append))
    assert notes == ["resumes from step 9 of 12"]
    assert weights(parts) == weights(whole)
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    again = train(recipe, material, tmp_path / "parts", settings)
    assert (again.steps, weights(again)) == (12, weights(whole))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_average_clipping_and_warm_up_are_resumed_too(
    toy: Toy, material: Material, tmp_path: Path, precision: str
) -> None:
    recipe = toy(dropout=0.3, ema=0.9, clip=0.5, warmup=4)
    settings = Settings(save_every=3, precision=precision)
    whole = train(recipe, material, tmp_path / "whole", settings)
    for step in (2, 7):
        with pytest.raises(ZeroDivisionError):
            train(recipe, material, tmp_path / "parts", settings, listener=stop_after(step))
    assert weights(train(recipe, material, tmp_path / "parts", settings)) == weights(whole)
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    assert weights(train(toy(dropout=0.3), material, tmp_path / "plain", settings)) != weights(whole)


def test_the_rate_grows_before_it_decays(toy: Toy, material: Material, tmp_path: Path) -> None:
    train(toy(warmup=4, horizon=20, lr=0.1), material, tmp_path, Settings())
    rates = [float(row["lr"]) for row in lines(tmp_path)]
    expected = [0.1 * min(1, (step + 1) / 4) * (1 - step / 20) ** 0.9 for step in range(12)]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_the_average_follows_the_weights(toy: Toy, material: Material, tmp_path: Path) -> None:
    """Written out, from the weights of every single step."""
    steps = [load_file(train(toy(steps=n), material, tmp_path / str(n), Settings()).last) for n in (1, 2, 3)]
    torch.manual_seed(0)
    average = {name: values.clone() for name, values in toy().build().state_dict().items()}
    for step, found in enumerate(steps):
        decay = min(0.9, (1 + step) / (10 + step))
        for name, values in found.items():
            average[name] = decay * average[name] + (1 - decay) * values if values.is_floating_point() else values
    found = load_file(train(toy(steps=3, ema=0.9), material, tmp_path / "ema", Settings()).last)
    for name, values in found.items():
        torch.testing.assert_close(values, average[name])


def test_the_gradient_is_clipped_to_its_norm(toy: Toy, material: Material, tmp_path: Path) -> None:
    recipe = toy(steps=1, lr=1.0, momentum=0, weight_decay=0, clip=1e-3)
    found = load_file(train(recipe, material, tmp_path / "clip", Settings()).last)
    torch.manual_seed(0)
    before = dict(recipe.build().named_parameters())
    moved = [(before[name].detach() - found[name]) / (10 if name.startswith("head.") else 1) for name in before]
    assert float(torch.cat([x.flatten() for x in moved]).norm()) == pytest.approx(1e-3, rel=1e-3)


def test_cards_have_only_what_is_used(toy: Toy, material: Material, tmp_path: Path) -> None:
    """So that trainings from before these hyper-parameters existed can still be resumed."""

    def card(**changes: object) -> set[str]:
        last = train(toy(steps=1, **changes), material, tmp_path, Settings(overwrite=True)).last
        return set(weights_card(last))

    assert card(clip=1.0, ema=0.5) - card() == {"plan clip", "plan ema"}


def test_events_for_tensorboard(toy: Toy, material: Material, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    settings = Settings(save_every=3, track=("tensorboard",))
    with pytest.raises(ZeroDivisionError):
        train(toy(), material, tmp_path, settings, listener=stop_after(5))
    logged = train(toy(), material, tmp_path, settings)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("loss")] == list(range(1, 13))
    rows = lines(tmp_path)
    assert [event.value for event in events.Scalars("loss")] == pytest.approx([float(row["loss"]) for row in rows])
    assert weights(train(toy(), material, tmp_path / "without", Settings())) == weights(logged)
    train(toy(steps=1), material, tmp_path, Settings(overwrite=True))
    assert not list((tmp_path / "tensorboard").glob("*"))


def test_a_missing_tensorboard_is_named(
    toy: Toy, material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UsageError, match=r'tensorboard is not installed; run: pip install "vosbench\[tensorboard\]"'):
        train(toy(), material, tmp_path / "out", Settings(track=("tensorboard",)))
    assert list((tmp_path / "out").iterdir()) == []


def test_workers_change_nothing(toy: Toy, material: Material, tmp_path: Path) -> None:
    one = train(toy(dropout=0.3), material, tmp_path / "one", Settings())
    two = train(toy(dropout=0.3), material, tmp_path / "two", Settings(workers=2))
    assert weights(one) == weights(two)


def test_accumulated_gradients_are_those_of_the_whole_step(toy: Toy, material: Material, tmp_path: Path) -> None:
    """Except for batch normalisation, which sees one part at a time and is disabled here."""

    def frozen() -> Recipe:
        recipe = toy(steps=4)
        losses = recipe.losses

        def without(net: torch.nn.Module, *rest: object) -> Mapping[str, torch.Tensor]:
            return losses(net.eval(), *rest)

        recipe.losses = without
        return recipe

    whole = load_file(train(frozen(), material, tmp_path / "1", Settings()).last)
    parts = load_file(train(frozen(), material, tmp_path / "4", Settings(accumulate=4)).last)
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precision_trains_and_resumes(toy: Toy, material: Material, tmp_path: Path, precision: str) -> None:
    settings = Settings(precision=precision, save_every=4)
    whole = train(toy(), material, tmp_path / "whole", settings)
    with pytest.raises(ZeroDivisionError):
        train(toy(), material, tmp_path / "parts", settings, listener=stop_after(6))
    assert weights(train(toy(), material, tmp_path / "parts", settings)) == weights(whole)
    full = load_file(train(toy(), material, tmp_path / "full", Settings()).last)
    lower = load_file(whole.last)
    assert all(value.dtype == full[name].dtype for name, value in lower.items())
    difference = max(float((full[name].float() - value.float()).abs().max()) for name, value in lower.items())
    assert 0 < difference < 0.1


def test_training_without_data_is_refused(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to train on"):
        train(toy(), Material(), tmp_path / "out", Settings())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_example_that_cannot_be_sampled(toy: Toy, material: Material, tmp_path: Path, workers: int) -> None:
    broken = Material(images=material.videos)
    with pytest.raises(DataError, match=r"^the toy needs videos$"):
        train(toy(), broken, tmp_path, Settings(workers=workers))


def test_a_loss_that_is_nan_names_its_examples(toy: Toy, material: Material, tmp_path: Path) -> None:
    recipe = toy(broken=7)
    with pytest.raises(DataError, match=r"not finite at step 7 .*examples 30, 31; of these 30 hold"):
        train(recipe, material, tmp_path, Settings(save_every=2, accumulate=2))
    saved = torch.load(tmp_path / "last.pt", weights_only=True)
    assert saved["step"] == 6
    assert all(value.isfinite().all() for value in saved["weights"].values())
    assert [row["step"] for row in lines(tmp_path)] == [str(step) for step in range(1, 8)]
    assert np.isnan(sample(recipe, material, 0, (7, 30))["pixels"]).any()
    assert not np.isnan(sample(recipe, material, 0, (7, 31))["pixels"]).any()


def test_a_loss_that_diverges(toy: Toy, material: Material, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"step \d+ \(bce nan.*; the examples themselves are finite; try a smaller --set lr="
    ):
        train(toy(lr=1e30), material, tmp_path, Settings())


def test_a_step_that_does_not_fit_suggests_accumulation(toy: Toy, material: Material, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"4 examples at a time do not fit.* try --accumulate 2"):
        train(toy(hungry=True), material, tmp_path, Settings())
    with pytest.raises(UsageError, match=r"1 examples at a time .* cannot be divided further"):
        train(toy(hungry=True), material, tmp_path, Settings(accumulate=4))


def test_a_worker_that_dies(toy: Toy, material: Material, tmp_path: Path) -> None:
    """As under a full /dev/shm, or when the system kills for memory."""
    with pytest.raises(DataError, match=r"a worker process died, .*use fewer --workers"):
        train(toy(deadly=True), material, tmp_path, Settings(workers=1))


def test_a_batch_that_cannot_be_divided(toy: Toy, material: Material, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="4 examples cannot be divided evenly into --accumulate 3"):
        train(toy(), material, tmp_path, Settings(accumulate=3))


def test_another_training_in_the_folder_is_refused(toy: Toy, material: Material, tmp_path: Path) -> None:
    first = train(toy(steps=2), material, tmp_path, Settings())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(UsageError, match=r"another training \(plan lr was 0.1, now 0.2\)"):
        train(toy(steps=2, lr=0.2), material, tmp_path, Settings())
    with pytest.raises(UsageError, match=r"seed was 0, now 1"):
        train(toy(steps=2), material, tmp_path, Settings(seed=1))
    fewer = replace(material, videos=material.videos[:1])
    with pytest.raises(UsageError, match=r"data was \w{8}…, now "):
        train(toy(steps=2), fewer, tmp_path, Settings())
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    old = weights(first)
    second = train(toy(steps=2), material, tmp_path, Settings(seed=1, overwrite=True))
    assert weights(second) != old
    assert len(lines(tmp_path)) == 2


def test_a_damaged_checkpoint_is_reported(toy: Toy, material: Material, tmp_path: Path) -> None:
    whole = weights(train(toy(steps=2), material, tmp_path, Settings()))
    path = tmp_path / "last.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="cannot be read; restart with --overwrite"):
        train(toy(steps=2), material, tmp_path, Settings())
    assert weights(train(toy(steps=2), material, tmp_path, Settings(overwrite=True))) == whole


def test_the_best_is_kept(toy: Toy, material: Material, tmp_path: Path) -> None:
    """Also if training is interrupted; the last step is always validated."""
    scores = {2: 0.5, 4: 0.75, 6: 0.25, 7: 0.125}
    seen: list[int] = []

    def validate(path: Path) -> Mapping[str, float]:
        with safe_open(path, "pt") as file:
            step = json.loads(file.metadata()["vosbench"])["step"]
        seen.append(step)
        return {"F_mean": 1.0, "J_mean": scores[step]}

    settings = Settings(validate_every=2, save_every=5)
    with pytest.raises(ZeroDivisionError):
        train(toy(steps=7), material, tmp_path, settings, validate, stop_after(6))
    outcome = train(toy(steps=7), material, tmp_path, settings, validate)
    assert seen == [2, 4, 6, 6, 7]
    assert outcome.score == 0.75
    with safe_open(outcome.best, "pt") as file:
        assert json.loads(file.metadata()["vosbench"])["step"] == 4
    assert [row.get("val J_mean") for row in lines(tmp_path)] == [None, "0.5", None, "0.75", None, "0.25", "0.125"]
    assert sorted(path.name for path in tmp_path.glob("*.*") if path.is_file()) == [
        "best.safetensors",
        "last.pt",
        "last.safetensors",
        "log.csv",
    ]


def test_validation_without_a_criterion(toy: Toy, material: Material, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="validation gives none of J_mean"):
        train(toy(steps=1), material, tmp_path, Settings(), lambda _path: {"MAE": 0.1})


def test_training_starts_from_weights(toy: Toy, material: Material, tmp_path: Path) -> None:
    first = train(toy(steps=3), material, tmp_path / "a", Settings())
    notes: list[str] = []
    listener = Listener(note=notes.append)
    second = train(toy(steps=1, lr=1e-9), material, tmp_path / "b", Settings(weights=first.last), listener=listener)
    assert notes == [f'starts from all weights of "{first.last}"']
    torch.testing.assert_close(load_file(second.last)["head.weight"], load_file(first.last)["head.weight"])
    with pytest.raises(UsageError, match="contradict each other"):
        train(toy(), material, tmp_path / "c", Settings(weights=first.last, backbone=first.last))
