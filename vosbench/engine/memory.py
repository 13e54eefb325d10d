"""What memory says when there is none left."""

import gc
import sys

SAID = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "insufficient memory",
    "failed to allocate memory",
)
"""In errors of torch, OpenCV and ONNX Runtime, which are of no kind of their own."""
NAMES = ("MemoryError", "OutOfMemoryError")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that it was made of, says that memory ran out.

    >>> out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."))
    True
    >>> out_of_memory(ValueError("a wrong size"))
    False
    """
    found: BaseException | None = error
    while found is not None:
        names = {kind.__name__ for kind in type(found).__mro__}
        if names.intersection(NAMES) or any(said in str(found).lower() for said in SAID):
            return True
        found = found.__cause__
    return False


def released() -> None:
    """Give back what nobody uses any more, also that of a GPU."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
