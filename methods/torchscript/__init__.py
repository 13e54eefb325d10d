"""Any network in a TorchScript file, or one of torch.export; see `README.md`."""

from vosbench.method import Method, Option, Predictor, Setup
from vosbench.method.interface import OPTIONS


def load(setup: Setup) -> Predictor:
    """Make the predictor of a file; see `vosbench.methods.torchscript.predictor.load`."""
    from vosbench.methods.torchscript import predictor

    return predictor.load(setup)


method = Method(
    name="torchscript",
    title="a network in a TorchScript file",
    paper="none: whatever the file contains",
    licence="that of the file",
    load=load,
    options={
        **OPTIONS,
        "trust": Option("no", "yes to load a file of torch.export, which can run any code", ("no", "yes")),
    },
    heeds=("device", "batch"),
)
