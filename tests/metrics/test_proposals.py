import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vosbench.errors import MeasureError
from vosbench.images.files import read_pixels
from vosbench.metrics import contour_accuracy, decay, mean, recall, region_similarity
from vosbench.metrics.proposals import Proposals, SequenceScores, dataset_proposals

Frames = list[tuple[np.ndarray, np.ndarray]]
FRAMES = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
    lambda shape: st.lists(
        st.tuples(
            arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 3, 255])),
            arrays(np.uint8, shape, elements=st.integers(0, 4)),
        ),
        min_size=1,
        max_size=3,
    )
)


def score(frames: Frames, **options: float) -> SequenceScores:
    proposals = Proposals(**options)
    for annotation, prediction in frames:
        proposals.add(annotation, prediction)
    return proposals.result()


def one_pair(frames: Frames, label: int, proposal: int, tolerance: float = 0.008) -> tuple[list[float], list[float]]:
    """J and F of whole frames, by the measures for two masks."""
    J, F = [], []
    for annotation, prediction in frames:
        valid = annotation != 255
        masks = (annotation == label) & valid, (prediction == proposal) & valid
        J.append(region_similarity(*masks))
        F.append(contour_accuracy(*masks, tolerance))
    return J, F


def best_by_brute_force(frames: Frames, tolerance: float) -> float:
    first = frames[0][0]
    labels = range(1, int(first[first != 255].max(initial=0)) + 1)
    rows = max(len(labels), *(int(prediction.max()) for _, prediction in frames))
    value = {}
    for label, proposal in itertools.product(labels, range(1, rows + 1)):
        J, F = one_pair(frames, label, proposal, tolerance)
        value[label, proposal] = (mean(J) or 0.0) + (mean(F) or 0.0)
    ways = itertools.permutations(range(1, rows + 1), len(labels))
    return max(sum(value[pair] for pair in zip(labels, way, strict=True)) for way in ways)


@given(FRAMES, st.sampled_from([0.008, 2]))
def test_equals_whole_frames_and_is_the_best_pairing(frames: Frames, tolerance: float) -> None:
    scores = score(frames, tolerance=tolerance)
    total = 0.0
    for item in scores.objects:
        J, F = one_pair(frames, item.label, item.proposal or 99, tolerance)
        assert (list(item.J), list(item.F)) == (J, F)
        assert item.scores["J_mean"] == mean(J)
        assert item.scores["F_recall"] == recall(F)
        assert item.scores["J_decay"] == decay(J)
        total += 2 * (item.scores["JF_mean"] or 0.0)
        assert all(0 <= value <= 1 for value in item.J + item.F)
    assert total == pytest.approx(best_by_brute_force(frames, tolerance))
    pairs = [item.proposal for item in scores.objects if item.proposal]
    assert len(pairs) == len(set(pairs))


@given(FRAMES, st.permutations(range(1, 5)))
def test_proposal_numbers_do_not_matter(frames: Frames, numbers: list[int]) -> None:
    for _, prediction in frames:
        prediction[0] = 0
    corner = np.zeros((2, 4), np.uint8), np.array([[0] * 4, [1, 2, 3, 4]], np.uint8)  # both use all four numbers
    renamed = np.array([0, *numbers], np.uint8)
    other = [(annotation, renamed[prediction]) for annotation, prediction in [*frames, corner]]
    means = [score(sequence).scores["JF_mean"] for sequence in ([*frames, corner], other)]
    assert means[0] == (None if means[1] is None else pytest.approx(means[1]))


@given(FRAMES, st.permutations(range(1, 4)))
def test_the_annotation_itself_is_perfect(frames: Frames, numbers: list[int]) -> None:
    """If used as proposals, with any numbers. Labels that appear later are background, so they are left out of both."""
    renamed = np.zeros(256, np.uint8)
    renamed[1:4] = numbers
    first = frames[0][0]
    count = int(first[first != 255].max(initial=0))
    annotations = [np.where((frame <= count) | (frame == 255), frame, 0) for frame, _ in frames]
    scores = score([(annotation, renamed[annotation]) for annotation in annotations])
    assert len(scores.objects) == count
    for item in scores.objects:
        assert item.J == item.F == (1.0,) * len(frames)
        assert item.scores == {
            **dict.fromkeys(("J_mean", "J_recall", "F_mean", "F_recall", "JF_mean"), 1.0),
            **dict.fromkeys(("J_decay", "F_decay"), 0.0),
        }


def squares(*places: tuple[int, int, int]) -> np.ndarray:
    """Squares of 6 pixels: label, row, column."""
    frame = np.zeros((32, 48), np.uint8)
    for label, row, column in places:
        frame[row : row + 6, column : column + 6] = label
    return frame


def test_by_hand() -> None:
    """Proposal 7 equals the second of two objects; proposal 3 covers half of the first in the second frame."""
    first, second = squares((1, 4, 4), (2, 20, 30)), squares((1, 4, 10), (2, 20, 36))
    half = squares((7, 20, 36))
    half[4:10, 10:13] = 3
    scores = score([(first, squares((3, 4, 4), (7, 20, 30))), (second, half)])
    assert [(item.label, item.proposal, item.J) for item in scores.objects] == [
        (1, 3, (1.0, 0.5)),
        (2, 7, (1.0, 1.0)),
    ]
    assert scores.objects[0].scores["J_mean"] == 0.75
    assert scores.objects[0].scores["J_recall"] == 0.5
    assert scores.objects[0].scores["J_decay"] == 0.5
    assert scores.scores["J_mean"] == 0.875
    assert scores.scores["F_mean"] == (1.0 + (1.0 + scores.objects[0].F[1]) / 2) / 2


def test_pairing_uses_all_frames() -> None:
    """A proposal that jumps between objects is paired with the one that it covers in more frames."""
    both = squares((1, 4, 4), (2, 20, 30))
    scores = score([(both, squares((1, 4, 4))), (both, squares((1, 20, 30))), (both, squares((1, 20, 30)))])
    assert [(item.proposal, item.J) for item in scores.objects] == [(None, (0.0, 0.0, 0.0)), (1, (0.0, 1.0, 1.0))]


def test_an_object_without_a_proposal_scores_0_where_it_is_visible() -> None:
    scores = score([(squares((1, 4, 4)), squares()), (squares(), squares())])
    assert (scores.objects[0].proposal, scores.objects[0].J, scores.objects[0].F) == (None, (0.0, 1.0), (0.0, 1.0))


def test_all_frames_count() -> None:
    frames = [(squares((1, 4, 4)), squares((1, 4, 4 + shift))) for shift in (3, 0, 0, 3)]
    assert score(frames).objects[0].J == (1 / 3, 1.0, 1.0, 1 / 3)


def test_void_is_ignored_in_both() -> None:
    annotation, prediction = squares((1, 4, 4), (255, 4, 7)), squares((1, 4, 4))
    both = score([(annotation, prediction)]).objects[0]
    assert (both.J, both.F) == ((1.0,), (1.0,))
    prediction[4:10, 7:13] = 1
    assert score([(annotation, prediction)]).objects[0].J == (1.0,)
    prediction[20, 20] = 1
    assert score([(annotation, prediction)]).objects[0].J == (18 / 19,)


def test_void_is_not_an_object() -> None:
    scores = score([(squares((255, 4, 4)), squares((1, 4, 4)))])
    assert scores.objects == ()
    assert set(scores.scores.values()) == {None}


def test_objects_are_those_of_the_first_frame() -> None:
    """A label that appears later is background, so a proposal for it is a false positive."""
    later = squares((1, 4, 4), (2, 20, 30))
    scores = score([(squares((1, 4, 4)), squares((1, 4, 4))), (later, np.minimum(later, 1))])
    assert [(item.label, item.J) for item in scores.objects] == [(1, (1.0, 0.5))]


def test_a_proposal_for_a_later_label_is_wrong() -> None:
    """Object 1 is never visible, and no empty proposal is left for it: one is object 2, the other a later label."""
    frames = [(np.array([[label, 0]]), np.array([[proposal, 0]])) for label, proposal in ((2, 2), (3, 1))]
    scores = score(frames)
    assert [(item.label, item.proposal, item.J) for item in scores.objects] == [
        (1, 1, (1.0, 0.0)),
        (2, 2, (1.0, 1.0)),
    ]


def test_more_objects_than_the_limit() -> None:
    many = np.arange(24, dtype=np.uint16).reshape(4, 6).repeat(5, axis=0).repeat(5, axis=1)
    scores = score([(many, np.where(many <= 20, many, 0))])
    assert [item.proposal for item in scores.objects] == [*range(1, 21), None, None, None]
    assert scores.scores["J_mean"] == pytest.approx(20 / 23)


def test_too_many_proposals() -> None:
    annotation = squares((1, 4, 4))
    score([(annotation, squares((20, 4, 4)))])
    with pytest.raises(MeasureError, match="label 21; the highest allowed is 20"):
        score([(annotation, squares((21, 4, 4)))])
    with pytest.raises(MeasureError, match="label 255"):
        score([(annotation, squares((255, 4, 4)))])


def test_a_dataset_is_the_mean_over_objects() -> None:
    pair, single = squares((1, 4, 4), (2, 20, 30)), squares((1, 4, 4))
    sequences = [score([(pair, pair)]), score([(single, squares())])]
    assert dataset_proposals(sequences)["J_mean"] == pytest.approx(2 / 3)
    assert dataset_proposals(sequences)["JF_mean"] == pytest.approx(2 / 3)
    assert set(dataset_proposals([]).values()) == {None}


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64, np.uint64])
def test_any_integer_dtype(dtype: type[np.integer]) -> None:
    labels = squares((1, 4, 4), (2, 20, 30)).astype(dtype)
    labels.flags.writeable = False
    assert score([(labels[::-1], np.asfortranarray(labels)[::-1])]).scores["JF_mean"] == 1.0


@pytest.mark.parametrize(
    ("annotation", "prediction"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int)),
        (np.zeros((2, 3), int), np.zeros((2, 3))),
        (np.zeros((2, 3), bool), np.zeros((2, 3), int)),
        (np.zeros(3, int), np.zeros(3, int)),
        (np.zeros((0, 3), int), np.zeros((0, 3), int)),
        (np.full((2, 3), -1), np.zeros((2, 3), int)),
        (np.zeros((2, 3), int), np.full((2, 3), -1)),
    ],
)
def test_invalid_label_maps(annotation: np.ndarray, prediction: np.ndarray) -> None:
    with pytest.raises(MeasureError):
        Proposals().add(annotation, prediction)


def test_no_frames_have_no_score() -> None:
    with pytest.raises(MeasureError, match="no frame"):
        Proposals().result()


def test_real_label_maps(real_data: Path) -> None:
    """Objects of FBMS as proposals for themselves, renumbered and shifted by a few pixels."""
    frames = []
    for path in sorted((real_data / "FBMS/Testset/marple12/GroundTruth").glob("*.pgm"))[:4]:
        pixels, _ = read_pixels(path, path.name)
        annotation = np.searchsorted([0, 77, 179, 255], pixels).astype(np.uint8)
        frames.append((annotation, np.roll(np.array([0, 5, 2, 9], np.uint8)[annotation], (3, -4), (0, 1))))
    scores = score(frames)
    assert [item.proposal for item in scores.objects] == [5, 2, 9]
    for item in scores.objects:
        assert (list(item.J), list(item.F)) == one_pair(frames, item.label, item.proposal or 0)
        assert 0.5 < (item.scores["JF_mean"] or 0) < 1
