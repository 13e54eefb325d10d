"""``vosbench segment``: masks of any video, and an overlay to look at."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result

OUT = Path("masks")


@command
def segment(
    videos: Annotated[
        list[Path],
        typer.Argument(
            metavar="VIDEO...", help="Video files (mp4, mov, mkv, webm, gif, avi), images, or folders of images."
        ),
    ],
    setting_up: options.SettingUp,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help="What finds the object; see: vosbench list methods. By default f2net.lite, or motion without torch.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the masks: each video has a folder of its name in it.")
    ] = OUT,
    overlay: Annotated[
        Path | None,
        typer.Option(
            "--overlay",
            help="Also write the video with the object tinted: a file such as overlay.mp4, or a folder for the "
            "overlays of several videos.",
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", help="How sure, from 0 to 1, a pixel must be to belong to the object.")
    ] = 0.5,
    soft: Annotated[
        bool,
        typer.Option("--soft", help="Write how sure each pixel is, from black to white, instead of black and white."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace masks of another video or method, and overlays.")
    ] = False,
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Find the main moving object in videos: write a black and white mask for each frame.

    Masks are PNG images of the size of the frames, white on the object. Video files need the extra "video":
    pip install "vosbench[video]". The same command resumes after an interruption.
    """
    from vosbench import face
    from vosbench.face.segmenting import default_method

    with listening("frames", quiet=quiet) as listener:
        if method is None:
            method = default_method()
            listener.note(f"the method is {method}; --method chooses another")
        done = face.segment(
            videos,
            method,
            out=out,
            overlay=overlay,
            threshold=threshold,
            soft=soft,
            overwrite=overwrite,
            plugins=plugin or (),
            listener=listener,
            **options.setup_options(setting_up),
        )
    result(f"{done!r}\n")
