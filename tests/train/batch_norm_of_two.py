"""Started by ``torchrun``: half a batch in synchronised layers, checked against the whole batch in torch's."""

import copy
import sys
from pathlib import Path

import torch
from torch import nn

from vosbench.registry import load_method
from vosbench.train import distributed

PLUGINS = Path(__file__).parents[1] / "plugins"


def main() -> None:
    group = distributed.join("cpu")
    torch.manual_seed(0)
    method, _ = load_method("toynet", [PLUGINS / "toy_training.py"])
    alone = method.recipe("", {}).build().double().train()
    for norm in (alone.norm, alone.plain):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    shared = copy.deepcopy(alone)
    distributed.synchronise(shared, group)
    assert isinstance(shared.norm, type(alone.norm))
    assert list(shared.state_dict()) == list(alone.state_dict())
    for _ in range(3):
        whole = 3 + 2 * torch.randn(6, 3, 5, 7, dtype=torch.float64)
        own = whole[3 * group.rank : 3 * group.rank + 3].clone().requires_grad_()
        whole.requires_grad_()
        alone.zero_grad()
        shared.zero_grad()
        expected, actual = alone(whole), shared(own)
        torch.testing.assert_close(actual, expected[3 * group.rank :][:3], rtol=1e-9, atol=1e-12)
        (expected.sin() * torch.arange(1.0, 7).view(6, 1, 1, 1)).mean().backward()
        factors = torch.arange(1.0, 7)[3 * group.rank :][:3].view(3, 1, 1, 1)
        (actual.sin() * factors).mean().backward()
        distributed.average_gradients(shared.parameters(), group)
        for (name, wanted), value in zip(alone.named_parameters(), shared.parameters(), strict=True):
            torch.testing.assert_close(
                value.grad, wanted.grad, rtol=1e-9, atol=1e-12, msg=lambda m, n=name: f"{n}: {m}"
            )
        # Each process's loss is a mean over its half: twice the weight of an example in the whole.
        torch.testing.assert_close(own.grad / 2, whole.grad[3 * group.rank :][:3], rtol=1e-9, atol=1e-12)
        for wanted, value in zip(alone.buffers(), shared.buffers(), strict=True):
            torch.testing.assert_close(value, wanted, rtol=1e-9, atol=1e-12)
    alone.eval()
    shared.eval()
    probe = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(shared(probe), alone(probe), rtol=1e-9, atol=1e-12)
    distributed.leave(group)
    sys.stdout.write("equal\n")


if __name__ == "__main__":
    main()
