"""A dataset that is just a folder, passed by its path: what it contains is listed from what is there.

Conventions:
    `vosbench.dataset.shapes` finds frames and annotations, and `vosbench.dataset.pairing` pairs them; ``dataset.yaml``
    in the folder may say more (`vosbench.dataset.description`). The codec of annotations is recognised from all of
    them, like that of predictions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from vosbench.dataset.dataset import Dataset, Listed
from vosbench.dataset.description import FILE, Description, read_description
from vosbench.dataset.pairing import collect_videos
from vosbench.dataset.protocol import GENERIC, IMAGES, SALIENCY
from vosbench.dataset.shapes import SHAPES, find_tree
from vosbench.dataset.video import Video
from vosbench.errors import DataError, suggest
from vosbench.images import read_packed
from vosbench.images.annotations import paths_of, stem_of
from vosbench.images.recognition import Found, Look, Looks, recognise

ALL = "all"
"""The split of a folder that names none."""
BUILT_IN = (GENERIC, *SALIENCY, IMAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderDataset(Dataset):
    """A dataset that is a folder.

    Attributes:
        description: what it says of itself.
    """

    description: Description

    def listed(self, split: str, found: Mapping[str, Video]) -> Mapping[str, Listed]:
        """The list of a split: the videos that were found, with what the description says of them."""
        del split
        said = _Said(self.description, found, self.title, every=False)  # of one split
        return {name: said.listed(video) for name, video in found.items()}


def folder_dataset(root: Path, *, masks: bool = False, codec: str | None = None) -> FolderDataset:
    """Make a dataset of a folder; its files are only looked for once its videos are.

    Args:
        root: the folder.
        masks: whether masks alone are enough, to score predictions against.
        codec: of its annotations, if it does not declare one; recognised from all of them by default.

    Raises:
        DataError: if it is not a folder, or its description is wrong.
    """
    if not root.is_dir():
        raise DataError(f'the dataset "{root}" is not a folder')
    description = read_description(root)
    name = description.name or root.resolve().name
    splits = tuple(description.splits) or (ALL,)
    own = tuple(known.protocol(protocol) for protocol, known in description.protocols.items())

    def videos(root: Path, split: str, layout: str | None = None) -> Sequence[Video]:
        return _with_codec(of_split(root, split, layout), description.codec or codec, root)

    def of_split(root: Path, split: str, layout: str | None = None) -> list[Video]:
        tree = find_tree(root, description, layout, masks=masks)
        found = {video.name: video for video in collect_videos(tree, name)}
        said = _Said(description, found, name)
        wanted = said.matching(description.splits[split], f"splits.{split}") if description.splits else set(found)
        return [said.described(video) for video in found.values() if video.name in wanted]

    def listing(split: str) -> Mapping[str, Listed]:
        return dataset.listed(split, {video.name: video for video in of_split(root, split)})

    dataset = FolderDataset(
        name=name,
        title=description.title or name,
        paper=description.paper,
        licence=description.licence,
        splits=splits,
        layouts=SHAPES,
        protocols=(*own, *(known for known in BUILT_IN if known.name not in description.protocols)),
        listing=listing,
        videos=videos,
        root=root,
        description=description,
    )
    return dataset


class _Said:
    """What a description says of videos; a name in it that no video has is an error, if these are all videos."""

    def __init__(self, description: Description, found: Mapping[str, Video], title: str, *, every: bool = True) -> None:
        self._names, self._title, self._every = tuple(found), title, every
        self._annotated = {
            video: set(frames)
            for pattern, frames in description.annotated.items()
            for video in self.matching([pattern], "annotated")
        }
        self._categories = self._by_video(description.categories, "categories")
        self._attributes = self._by_video(description.attributes, "attributes")
        self._unstable = self.matching(description.unstable, "unstable")
        several = next((video for video, names in self._categories.items() if len(names) > 1), None)
        if several is not None:
            raise self._error(f'"{several}" is in several categories: {", ".join(self._categories[several])}')

    def matching(self, patterns: Iterable[str], where: str) -> set[str]:
        """The videos with one of these names, or that match one of these patterns."""
        matched: set[str] = set()
        for pattern in patterns:
            names = {pattern} if pattern in self._names else {n for n in self._names if fnmatchcase(n, pattern)}
            if not names and self._every:
                raise self._error(f'{where}: there is no video "{pattern}"; {suggest(pattern, self._names)}')
            matched |= names
        return matched

    def described(self, video: Video) -> Video:
        """A video with its category, and only the annotations that count."""
        annotations, wanted = video.annotations, self._annotated.get(video.name)
        if wanted is not None:
            stems = {stem_of(annotation) for annotation in annotations.values()}
            absent = sorted(wanted - stems)
            if absent:
                raise self._error(f'annotated.{video.name}: there is no annotation "{absent[0]}"')
            annotations = {index: each for index, each in annotations.items() if stem_of(each) in wanted}
        category = next(iter(self._categories.get(video.name, ())), None)
        return replace(video, annotations=annotations, category=category)

    def listed(self, video: Video) -> Listed:
        """The list entry of a video: its frames and annotations are those that exist."""
        return Listed(
            frames=None,
            stable=video.name not in self._unstable,
            attributes=tuple(self._attributes.get(video.name, ())),
            category=video.category,
        )

    def _by_video(self, named: Mapping[str, Sequence[str]], where: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, patterns in named.items():
            for video in self.matching(patterns, f"{where}.{name}"):
                found.setdefault(video, []).append(name)
        return found

    def _error(self, problem: str) -> DataError:
        return DataError(f'"{FILE}" of {self._title}: {problem}')


def _with_codec(videos: Sequence[Video], codec: str | None, root: Path) -> list[Video]:
    """The videos with the codec of their annotations, which is recognised from all of them if None."""
    if codec is not None:
        return [replace(video, codec=codec) for video in videos]
    looks = {video.name: _looks(video) for video in videos}
    codecs = recognise(looks, str(root), setting=f'"codec: {{}}" in {FILE}')
    for name, of in looks.items():
        soft = next((found for look, found in of.items() if look.values is None or look.lossy), None)
        if soft is not None and codecs[name] == "map":
            raise DataError(
                f'the annotations of "{name}", such as "{soft.example}", are soft maps or JPEG images, not masks; if '
                f'the upper half of their range is the object, write "codec: map" in {FILE} of "{root}"'
            )
    codecs = {name: "binary255" if codec == "map" else codec for name, codec in codecs.items()}  # all of them empty
    return [replace(video, codec=codecs[video.name]) for video in videos]


def _looks(video: Video) -> Looks:
    """What the annotations of a video contain."""
    looks: Looks = {}

    def note(look: Look, name: str) -> None:
        before = looks.get(look, Found(0, name))
        looks[look] = Found(before.times + 1, before.example)

    for _, annotation in sorted(video.annotations.items()):
        for path in paths_of(annotation):
            read_packed(path, "map", str(path), look=note)
    return looks
