"""Networks in files that cannot be run, or do not give what they are said to."""

from pathlib import Path

import numpy as np
import pytest

from injected import Lab, fault

networks = pytest.importorskip("networks", reason="needs the extra onnx", exc_type=ImportError)
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def run(lab: Lab, *more: str) -> None:
    """Run the network of the file."""
    lab.inject(*lab.run("--weights", "toy/net.onnx", "--measures", "J", *more, method="onnx"))


def network(lab: Lab) -> Path:
    """A network of images of 96x64."""
    return Path(networks.saliency(lab.root / "net.onnx"))


@fault("`--method onnx`: a file that is not one")
def test_text(lab: Lab) -> None:
    (lab.root / "net.onnx").write_text("once upon a time", "utf-8")
    run(lab)


@fault("`--method onnx`: a file that is cut off")
def test_cut(lab: Lab) -> None:
    path = network(lab)
    path.write_bytes(path.read_bytes()[:-70])
    run(lab)


@fault("`--method onnx`: a file that keeps tensors elsewhere")
def test_elsewhere(lab: Lab) -> None:
    model = onnx.load(str(network(lab)))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../../etc/passwd"
    (lab.root / "net.onnx").write_bytes(model.SerializeToString())
    run(lab)


@fault("`--method onnx`: an unknown operator")
def test_operator(lab: Lab) -> None:
    model = onnx.load(str(network(lab)))
    model.graph.node[0].domain, model.graph.node[0].op_type = "evil", "Evil"
    (lab.root / "net.onnx").write_bytes(model.SerializeToString())
    run(lab)


@fault("`--method onnx`: a network that wants no frames")
def test_no_frames(lab: Lab) -> None:
    networks.absolute(lab.root / "net.onnx", [1, 4, 8, 9])
    run(lab)


@fault("`--method onnx`: a size that the network does not take")
def test_size(lab: Lab) -> None:
    network(lab)
    run(lab, "--set", "size=320x320")


@fault("`--method onnx`: a size that the file does not tell")
def test_no_size(lab: Lab) -> None:
    networks.plain(lab.root / "net.onnx", sides=("height", "width"))
    run(lab)


@fault("`--method onnx`: a number of frames that the network does not take")
def test_batch(lab: Lab) -> None:
    networks.plain(lab.root / "net.onnx", batch=4)
    run(lab, "--batch", "3")


@fault("`--method onnx`: outputs that are not what they are said to be")
def test_outputs(lab: Lab) -> None:
    network(lab)
    run(lab, "--set", "output=sigmoid")


@pytest.mark.slow
@pytest.mark.torch
@fault("`--method torchscript`: a file that is not one")
def test_no_torchscript(lab: Lab) -> None:
    pytest.importorskip("torch")
    (lab.root / "net.pt").write_bytes(np.arange(99, dtype=np.uint8).tobytes())
    lab.inject(*lab.run("--weights", "toy/net.pt", method="torchscript"))


@pytest.mark.slow
@pytest.mark.torch
@fault("`--method torchscript`: a file of torch.export")
def test_exported(lab: Lab) -> None:
    torch = pytest.importorskip("torch")
    program = torch.export.export(torch.nn.Identity(), (torch.zeros(1, 3, 48, 64),))
    torch.export.save(program, lab.root / "net.pt2")
    lab.inject(*lab.run("--weights", "toy/net.pt2", "--set", "size=64x48", method="torchscript"))


@pytest.mark.torch
@fault("`export` of a method that does more than run a network")
def test_state(lab: Lab) -> None:
    lab.inject("export", "f2net.tiny", "--out", "net.onnx")


@pytest.mark.torch
@fault("`export` of a method without a network")
def test_no_network(lab: Lab) -> None:
    lab.inject("export", "brightness", *lab.data[4:], "--out", "net.onnx")
