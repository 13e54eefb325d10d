"""Any network in an ONNX file; see `README.md`."""

from vosbench.method import Method, Predictor, Setup
from vosbench.method.interface import OPTIONS


def load(setup: Setup) -> Predictor:
    """Make the predictor of a file; see `vosbench.methods.onnx.predictor.load`."""
    from vosbench.methods.onnx import predictor

    return predictor.load(setup)


method = Method(
    name="onnx",
    title="a network in an ONNX file",
    paper="none: whatever the file contains",
    licence="that of the file",
    load=load,
    options=OPTIONS,
    heeds=("device", "batch"),
)
