"""What the pages of leaderboards, datasets, methods and videos say, as files."""

import json
import re
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from factories import davis16_record, make_record
from vosbench.dataset import DatasetProtocol
from vosbench.records.record import Record, Row, write
from vosbench.records.record import read as read_record
from vosbench.report.figures.sources import read
from vosbench.report.site.explain import explain
from vosbench.report.site.gather import gather
from vosbench.report.site.keys import key_of, slug_of
from vosbench.report.site.model import Site, SiteOptions
from vosbench.report.site.numbers import ranks

pytest.importorskip("jinja2", reason="needs the extra site")

from vosbench.report.site.build import build_site

OWN = SiteOptions(published=False)
REPOSITORY = Path(__file__).parents[2]
SIGNATURE = "davis16@1|J:inner|F:0.008|T:gt-first|avg:video"
TRAINED = "Real all + duts train without a, b (none of DAVIS-2016 val), from weights of ImageNet (x 1)"


def saved(folder: Path, *records: Record, rows: Mapping[str, Sequence[Row]] | None = None) -> Path:
    for record in records:
        path = folder / record.dataset / f"{record.name}.json"
        write(path, record, (rows or {}).get(record.method, []))
        if record.method not in (rows or {}):
            path.with_suffix(".csv.gz").unlink()
    return folder


def made(folder: Path, *records: Record, options: SiteOptions = OWN, **more: Any) -> Site:
    results = saved(folder / "results", *records, **more)
    return build_site(read([str(results)], folder), folder / "site", options)


def of_videos(method: str, values: Mapping[str, float | None], **changes: Any) -> Record:
    known = [value for value in values.values() if value is not None]
    videos = {name: {"J_mean": value} for name, value in values.items()}
    return davis16_record(method, {"J_mean": sum(known) / len(known)}, videos=videos, **changes)


def text_of(path: Path) -> str:
    """What a reader sees of a page."""
    body = path.read_text("utf-8").partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of the repository's own records and of published numbers."""
    folder = tmp_path_factory.mktemp("real")
    return build_site(read([str(REPOSITORY / "results")], folder), folder / "site", SiteOptions())


def test_names_that_look_alike_have_keys_of_their_own() -> None:
    names = ["epo+", "EpO+", "epo", "é", "e\u0301", "../x", "A/B", "CON", "con", " ", "", "a" * 200, "雪", "\udcff"]
    keys = [key_of(name) for name in names]
    assert len({*keys}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{1,60}", key) for key in keys)
    assert [slug_of(name) for name in ("davis16", "car-roundabout")] == ["davis16", "car-roundabout"]
    assert all(slug_of(name) != name for name in ("con", "a.b", "A", "-a", "nul", "a" * 61))


def test_every_page_has_a_citation_a_permanent_link_and_raw_data(real: Site) -> None:
    for page in real.out.rglob("*.html"):
        text = page.read_text("utf-8")
        cited = re.search(r'<textarea id="bibtex"[^>]*>([^<]*)</textarea>', text)
        assert cited is not None
        entries = unescape(cited[1])
        assert entries.count("{") == entries.count("}") > 2
        assert "data-permalink" in text
        assert re.search(r'href="[^"]*records/[^"]*" download', text)


def test_addresses_become_permanent_links(tmp_path: Path) -> None:
    made(tmp_path, of_videos("a", {"cows": 0.5}), options=SiteOptions(url="https://example.org/b", published=False))
    text = (tmp_path / "site" / "dataset" / "davis16.html").read_text("utf-8")
    assert '<link rel="canonical" href="https://example.org/b/dataset/davis16.html">' in text
    assert "url = {https://example.org/b/dataset/davis16.html}" in text


def test_published_numbers_of_a_known_protocol_have_its_signature(real: Site) -> None:
    rows = [row for row in real.rows if row.dataset == "davis16"]
    assert {row.signature for row in rows if row.protocol == "davis16@1"} == {SIGNATURE}
    assert {row.signature for row in rows if not row.protocol} == {""}


def test_ranks_are_within_signature_and_task_and_count_a_method_once(real: Site) -> None:
    rows = [row for row in real.rows if row.dataset == "davis16"]
    places = ranks(rows, "J_mean")
    ranked = [row for row in rows if row.key in places]
    assert all(row.signature and row.task != "unknown" for row in ranked)
    names = {row.title: row for row in rows if row.kind == "measured"}
    printed = [row for row in ranked if row.kind == "published" and row.method == names["osvos"].method]
    assert printed
    assert {places[row.key] for row in printed} == {places[names["osvos"].key]}
    assert names["osvos"].task == "semi-supervised"
    assert names["ags"].task == "unsupervised"


def test_ties_share_a_rank_and_incomplete_records_have_none(tmp_path: Path) -> None:
    values = {"a": 0.7, "b": 0.5, "c": 0.7, "d": 0.9}
    records = [of_videos(name, {"cows": value}) for name, value in values.items() if name != "d"]
    records.append(of_videos("d", {"cows": values["d"]}, provenance={"limit": 3}))
    site = gather(read([str(saved(tmp_path, *records))], tmp_path), tmp_path / "site", OWN)
    places = ranks(site.rows, "J_mean")
    assert {row.title: places.get(row.key) for row in site.rows} == {"a": 1, "b": 3, "c": 1, "d": None}
    lower = ranks(site.rows, "unknown")
    assert not lower


def test_unknown_numbers_are_not_zero(tmp_path: Path) -> None:
    record = of_videos("a", {"cows": 0.5, "goat": None}, missing=["goat/00001"])
    site = made(tmp_path, record.model_copy(update={"scores": {"J_mean": None, "F_mean": 0.0}}))
    (row,) = site.rows
    assert row.values == {"F_mean": 0.0}
    text = (site.out / "data" / "davis16.js").read_text("utf-8")
    data = json.loads(text.removeprefix("VB.dataset(").removesuffix(");\n"))
    places = [video["name"] for video in data["videos"]]
    assert data["perVideo"][row.key][places.index("goat")] == [None]
    assert data["perVideo"][row.key][places.index("dog")] is None


def test_training_stands_wherever_a_method_does(tmp_path: Path) -> None:
    site = made(tmp_path, of_videos("adnet.lite", {"cows": 0.5}, provenance={"training": TRAINED}))
    (row,) = site.rows
    short = "trained on Real + part of duts, none of DAVIS-2016 val; from ImageNet weights"
    assert row.training.tags == ("Real", "duts", "ImageNet")
    for page in (f"method/{row.method}.html", "dataset/davis16.html", "video/davis16/cows.html"):
        assert short in text_of(site.out / page), page
    assert f"Trained on {TRAINED}." in text_of(site.out / f"method/{row.method}.html")
    assert row.training.short in (site.out / "data" / "board.js").read_text("utf-8")


def test_a_method_shows_measured_next_to_published_and_their_difference(real: Site) -> None:
    row = next(row for row in real.rows if row.title == "osvos")
    text = text_of(real.out / f"method/{row.method}.html")
    assert "OSVOS" in text
    assert SIGNATURE in text
    assert re.search(r"measured osvos\.json 0\.802 0\.744 – 0\.850", text)
    assert "published AD-Net Table 2; DAVIS leaderboard, val 2016 0.802" in text
    assert re.search(r"measured − published AD-Net Table 2; DAVIS leaderboard, val 2016 0\.0000 −0\.0003", text)
    assert "rank 14 of 30 semi-supervised by J&F" in text


def test_weaknesses_by_attribute_are_those_of_the_table(real: Site) -> None:
    row = next(row for row in real.rows if row.title == "osvos")
    record = read_record(REPOSITORY / "results" / "davis16" / "osvos.json")
    known = real.datasets["davis16"].known
    assert known is not None
    having = {name for name, listed in known.listing("val").items() if "HO" in listed.attributes}
    means = [
        sum(scores["J_mean"] or 0 for name, scores in record.videos.items() if (name in having) is has)
        / sum((name in having) is has for name in record.videos)
        for has in (True, False)
    ]
    text = text_of(real.out / f"method/{row.method}.html")
    assert f"HO heterogeneous object {len(having)} {means[0]:.3f} +{means[1] - means[0]:.3f}" in text


def test_a_dataset_explains_its_protocols_and_sorts_videos_by_difficulty(tmp_path: Path) -> None:
    hard = {"cows": 0.2, "dog": 0.9, "goat": 0.5}
    site = made(tmp_path, of_videos("a", hard), of_videos("b", {name: value + 0.1 for name, value in hard.items()}))
    text = text_of(site.out / "dataset" / "davis16.html")
    assert [text.index(f"{name} ") for name in ("cows", "goat", "dog")] == sorted(
        text.index(f"{name} ") for name in hard
    )
    assert "0.250 0.200 to 0.300, best b" in text
    assert "Counts frames 1…N−2" in text
    assert "region similarity, |M ∩ G| / |M ∪ G|" in text
    assert SIGNATURE in text


def test_a_dataset_without_records_shows_published_numbers(real: Site) -> None:
    text = text_of(real.out / "dataset" / "visal.html")
    assert "Nothing is measured here yet. visal test, best first by maxF. vsod-davsod@1|MAE," in text
    assert "SSAV SSAV, comparison 0.939" in text
    assert "1 of 7 video-saliency" in text


def test_only_choices_that_concern_a_protocol_are_explained() -> None:
    usual = DatasetProtocol(name="usual", measures=("J", "F", "T"), frames="inner")
    other = DatasetProtocol(name="other", measures=("MAE",), saliency="davsod", resize="prediction")
    labels = [label for label, _ in explain(other, usual).choices]
    assert "Saliency follows" in labels
    assert not [label for label in labels if label.startswith(("F tolerates", "T starts", "T splits"))]
    assert explain(other, usual).apart.startswith("counts all annotated frames, not frames 1…N−2")
    assert "Saliency follows" not in [label for label, _ in explain(usual, None).choices]


def test_values_over_time_come_from_the_file_next_to_the_record(tmp_path: Path) -> None:
    rows = [Row("cows", frame, "J", value) for frame, value in ((1, 0.25), (2, 0.75))]
    site = made(tmp_path, of_videos("a", {"cows": 0.5}), of_videos("b", {"cows": 0.5}), rows={"a": rows})
    (row, other) = sorted(site.rows, key=lambda row: row.title)
    text = (site.out / "data" / "davis16" / "cows.js").read_text("utf-8")
    data = json.loads(text.removeprefix("VB.video(").removesuffix(");\n"))
    assert data["J"][row.key][:4] == [None, 0.25, 0.75, None]
    assert len(data["J"][row.key]) == data["length"] == 104
    assert other.key not in data["J"]
    page = text_of(site.out / "video" / "davis16" / "cows.html")
    assert "J and F over time" in page
    assert "not kept" in page
    assert "J and F over time" not in text_of(site.out / "video" / "davis16" / "dog.html")


def test_values_of_other_masks_are_left_out_with_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    rows = {"a": [Row("cows", 1, "J", 0.9)]}
    site = made(
        tmp_path, of_videos("a", {"cows": 0.5}), rows=rows, options=SiteOptions(published=False, warn=said.append)
    )
    assert not site.frames
    assert len(said) == 1
    assert said[0].endswith('J of "cows" differs; its curves over time are left out')


def test_datasets_that_vosbench_does_not_know_have_pages(tmp_path: Path) -> None:
    record = make_record("x", {"J_mean": 0.5}, {"A/B": {"J_mean": 0.4}, "a/b": {"J_mean": 0.6}}, dataset="My Set")
    folder = tmp_path / "results" / "My Set"
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(record.to_json(), "utf-8")
    site = build_site(read([str(tmp_path / "results")], tmp_path), tmp_path / "site", OWN)
    (dataset,) = site.datasets.values()
    assert len({video.key for video in dataset.videos}) == 2
    assert all((site.out / "video" / dataset.key / f"{video.key}.html").is_file() for video in dataset.videos)
    assert "A/B" in text_of(site.out / "dataset" / f"{dataset.key}.html")


def test_ten_thousand_rows_stay_small() -> None:
    from vosbench.report.site.data import board
    from vosbench.report.site.model import Row as SiteRow
    from vosbench.report.site.model import SiteDataset, SiteMethod, Training

    names = ("J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay", "T_mean", "JF_mean")
    methods = {f"method-{at}-0123ab": SiteMethod(key=f"method-{at}-0123ab", title=f"method {at}") for at in range(500)}
    rows = [
        SiteRow(
            key=method,
            title=of.title,
            kind="published",
            method=method,
            dataset=f"set-{dataset}",
            split="val",
            protocol=f"set{dataset}@1",
            signature=f"set{dataset}@1|{SIGNATURE}",
            task="unsupervised",
            year=2026,
            venue="",
            training=Training(),
            values=dict.fromkeys(names, 0.123456789),
            ends=dict.fromkeys(("J_mean", "F_mean", "T_mean", "JF_mean"), (0.123456789, 0.234567891)),
        )
        for dataset in range(20)
        for method, of in methods.items()
    ]
    datasets = {
        f"set-{at}": SiteDataset(
            key=f"set-{at}",
            name=f"set {at}",
            title=f"set {at}",
            known=None,
            split="val",
            videos=(),
            usual=f"set{at}@1|{SIGNATURE}",
        )
        for at in range(20)
    }
    site = Site(out=Path("site"), options=OWN, datasets=datasets, methods=methods, rows=rows, date="2026-01-01")
    made_board = board(site)
    assert len(made_board["rows"]) == 10_000
    assert len(json.dumps(made_board, separators=(",", ":"))) < 5_000_000
