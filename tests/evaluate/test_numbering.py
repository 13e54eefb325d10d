from pathlib import Path, PurePosixPath

import pytest

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.evaluate.numbering import Matched, agreed, match


def video(*stems: str, name: str = "cow") -> Video:
    return Video(name=name, frames=tuple(Path(f"{stem}.jpg") for stem in stems))


FROM_0, FROM_1 = video("00000", "00001", "00002"), video("00001", "00002", "00003")


def pair(of: Video, *names: str, numbering: str = "auto") -> Matched:
    return match(of, [PurePosixPath(f"cow/{name}.png") for name in names], numbering)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("of", "names", "frames", "way"),
    [
        (FROM_0, ["00000", "00001", "00002"], [0, 1, 2], "frames"),
        (FROM_0, ["1", "2", "3"], [0, 1, 2], "1"),
        (FROM_0, ["00002", "00003"], [1, 2], "1"),  # there is no frame 00003
        (FROM_0, ["00001", "00002"], [1, 2], "frames"),
        (FROM_1, ["00000", "00001", "00002"], [0, 1, 2], "0"),
        (FROM_1, ["00001", "00002", "00003"], [0, 1, 2], "frames"),
        (FROM_0, ["5", "10", "15"], [0, 1, 2], "position"),
        (FROM_0, ["a", "b", "c"], [0, 1, 2], "position"),
        (FROM_0, ["00000_mask_2", "00001_mask_2"], [0, 1], "frames"),
        (FROM_0, ["2_00000", "2_00001"], [0, 1], "frames"),
        (video("cow_07", "cow_08", "cow_09"), ["cow_08"], [1], "frames"),
        (video("0009", "0010", "0011"), ["9", "10", "11"], [0, 1, 2], "frames"),
        (video("0009", "0010", "0011"), ["10", "9"], [0, 1], "frames"),
        (video("only"), ["cow"], [0], "position"),
    ],
)
def test_numbers_are_read_in_the_first_way_that_fits_all(
    of: Video, names: list[str], frames: list[int], way: str
) -> None:
    matched = pair(of, *names)
    assert (sorted(matched.files), matched.way) == (frames, way)


@pytest.mark.parametrize(
    ("of", "names", "numbering", "said"),
    [
        (FROM_0, ["00000", "00007"], "auto", 'mask "cow/00007.png"'),
        (FROM_0, ["00000", "00001", "00002", "00003"], "auto", "4 masks"),
        (FROM_0, ["00003"], "0", 'not as counted from 0, as "--numbering 0" says'),
        (FROM_0, ["00000"], "1", 'not as counted from 1, as "--numbering 1" says'),
        (FROM_1, ["00000"], "frames", "not as numbered like the frames"),
        (FROM_0, ["00001", "1"], "auto", 'frame 1 of "cow" has two masks, "cow/00001.png" and "cow/1.png"'),
        (FROM_0, ["a", "b"], "auto", "2 masks"),
    ],
)
def test_what_fits_in_no_way_is_an_error_with_examples(of: Video, names: list[str], numbering: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        pair(of, *names, numbering=numbering)
    assert said.removeprefix("mask ") in str(caught.value)
    if "two masks" not in said:
        assert f'"{of.frames[0].name}" to "{of.frames[-1].name}"' in str(caught.value)


@pytest.mark.parametrize(("numbering", "frames"), [("auto", [1, 2]), ("frames", [1, 2]), ("0", [1, 2]), ("1", [0, 1])])
def test_numbering_can_be_chosen(numbering: str, frames: list[int]) -> None:
    assert sorted(pair(FROM_0, "00001", "00002", numbering=numbering).files) == frames


def test_two_readings_are_a_note() -> None:
    files, notes = agreed({"cow": pair(FROM_0, "00001", "00002")})
    assert sorted(files["cow"]) == [1, 2]
    assert notes == [
        (
            'masks of "cow" are read as numbered like the frames, so that "cow/00001.png" is frame 1 counted from 0; '
            "their numbers would also fit --numbering 1"
        )
    ]


def test_other_videos_settle_two_readings() -> None:
    sure, unsure = pair(FROM_0, "1", "2", "3"), pair(FROM_0, "1", "2")
    files, notes = agreed({"dog": sure, "cow": unsure})
    assert sorted(files["cow"]) == [0, 1]
    assert any("would also fit --numbering frames" in note for note in notes)


def test_frames_of_both_ends_leave_no_doubt() -> None:
    assert agreed({"cow": pair(FROM_0, "00000", "00001", "00002")})[1] == []
    assert agreed({"cow": pair(video("cow_1", "cow_2", "cow_3"), "cow_1", "cow_2")})[1] == []


def test_files_without_a_number_are_ignored_with_a_note() -> None:
    files, notes = agreed({"cow": pair(FROM_0, "00000", "00001", "00002", "mean")})
    assert len(files["cow"]) == 3
    assert notes == ['1 file has no number and is ignored, such as "cow/mean.png"']
