"""TensorBoard: event files in a folder, written without torch or TensorFlow."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.records.record import Row
from vosbench.track.tracking import About

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

EVENTS = "events.out.tfevents.*"


class TensorBoard:
    """Event files; the files of earlier numbers under the same name are replaced, but for those of a resumed training.

    Args:
        place: a folder.
        about: what is tracked; steps behind ``about.step`` that were written before are hidden.
    """

    def __init__(self, place: str, about: About) -> None:
        self._folder = Path(place, about.folder)
        self._about = about
        self._writer: EventFileWriter | None = None

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Each is a chart."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add([Summary.Value(tag=name, simple_value=value) for name, value in values.items()], step)

    def rows(self, rows: Sequence[Row]) -> None:
        """A chart for each video and measure, over its frames."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        frames: dict[int, list[Summary.Value]] = {}
        for row in rows:
            value = Summary.Value(tag=f"rows/{row.video}/{row.measure}", simple_value=row.value)
            frames.setdefault(row.frame, []).append(value)
        for frame in sorted(frames):
            self._add(frames[frame], frame)

    def text(self, name: str, text: str) -> None:
        """As code, in the tab of texts."""
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

        code = "\n".join(f"    {line}" for line in text.splitlines())
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype="DT_STRING", string_val=[code.encode()], tensor_shape=shape)
        metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        self._add([Summary.Value(tag=name, metadata=metadata, tensor=tensor)], 0)

    def figure(self, name: str, path: Path) -> None:
        """In the tab of images."""
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        with Image.open(path) as opened:
            width, height = opened.size
            image = Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=path.read_bytes())
        self._add([Summary.Value(tag=name, image=image)], 0)

    def close(self) -> None:
        """Write what is waiting."""
        if self._writer is not None:
            self._writer.close()

    def _add(self, values: "list[Summary.Value]", step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        if self._writer is None:
            self._writer = self._begun()
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def _begun(self) -> "EventFileWriter":
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if not self._about.step:
            clear(self._folder)
        writer = EventFileWriter(str(self._folder))
        start = SessionLog(status=SessionLog.START)  # hides what was written of this step and those behind it
        writer.add_event(Event(wall_time=time.time(), step=self._about.step + 1, session_log=start))
        return writer


def clear(folder: Path) -> None:
    """Remove the event files of a folder."""
    for path in folder.glob(EVENTS):
        path.unlink()
