"""Published numbers: the files, their loader, and the arithmetic that the README beside them speaks of."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from vosbench.errors import DataError
from vosbench.records import published as literature
from vosbench.records.published import Published, aliases, canonical, check_agreement, published, read, sources
from vosbench.registry import load_dataset

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "results" / "published"
SEEDS = {
    "adnet-1": "adnet_table1_ablation_davis2016",
    "adnet-2": "adnet_table2_sota_davis2016_fbms",
    "adnet-3": "adnet_table3_saliency",
    "f2net-1": "f2net_table1_ablation_davis2016",
    "f2net-2": "f2net_table2_centre_selection",
    "f2net-3": "f2net_table3_sota_davis2016",
    "f2net-4": "f2net_table4_youtube_objects",
    "f2net-5": "f2net_table5_fbms",
    "text": "text_scalars",
    "landscape": "landscape",
}
SEQUENCES = {
    "aeroplane": 6,
    "bird": 6,
    "boat": 15,
    "car": 7,
    "cat": 16,
    "cow": 20,
    "dog": 27,
    "horse": 14,
    "motorbike": 10,
    "train": 5,
}


def rows(text: Path) -> list[dict[str, str]]:
    with text.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_label(name: str, measure: str, dataset: str | None = None, group: str | None = None) -> dict[str, float]:
    """The numbers of a whole split, in the order of the table."""
    return {
        each.label: each.number
        for each in published(name)
        if each.measure == measure and not each.category
        if (dataset is None or each.dataset == dataset) and (group is None or each.group == group)
    }


def categories(label: str) -> dict[str, float]:
    return {each.category: each.number for each in published("f2net-4") if each.category and each.label == label}


def average(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known)


def test_the_package_sees_the_files_through_a_link() -> None:
    link = REPOSITORY / "vosbench" / "published"
    assert link.is_symlink()
    assert str(link.readlink()) == "../results/published"


@pytest.mark.parametrize("name", SEEDS)
def test_values_are_the_sources(real_data: Path, name: str) -> None:
    folder = real_data.parent / "published"
    if not folder.is_dir():
        pytest.skip(f"the sources of published numbers are absent: {folder}")
    theirs, ours = rows(folder / f"{SEEDS[name]}.csv"), published(name)
    assert [each["value"] for each in theirs] == [each.value for each in ours]
    printed = [re.sub(r" \[\d+\]$", "", each["method"]) for each in theirs]
    assert [canonical(each) for each in printed if each != "Ours"] == [
        canonical(each.label) for each, label in zip(ours, printed, strict=True) if label != "Ours"
    ]
    for one, other in zip(theirs, ours, strict=True):
        category = re.search(
            r"\[(\w+)\]$|^J_(aeroplane|bird|boat|car|cat|cow|dog|horse|motorbike|train)$", one["metric"]
        )
        found = (category[1] or category[2]).replace("airplane", "aeroplane") if category else ""
        assert other.category == (found if found in SEQUENCES else "")


def test_the_leaderboard_is_the_official_one(reference: Path) -> None:
    ours = {(each.label, each.measure): each.value for each in published("davis-leaderboard")}
    theirs = {
        (row["method"], {"T": "T_mean"}.get(measure, measure)): value
        for row in rows(reference / "official_davis16_val.csv")
        for measure, value in row.items()
        if measure != "method"
    }
    assert ours == theirs


MORE = {"ssav-4": "ssav_table4_vsod", "slt-net": "sltnet_moca_mask", "further": "misc_readmes"}
"""Files that have only a part of their source: the datasets and protocols that have a name here."""


@pytest.mark.parametrize("name", MORE)
def test_values_of_a_part_are_the_sources(real_data: Path, name: str) -> None:
    path = real_data.parent / "published" / "more" / f"{MORE[name]}.csv"
    if not path.is_file():
        pytest.skip(f"the sources of published numbers are absent: {path}")
    theirs = Counter((each["value"], each["unit"]) for each in rows(path))
    assert Counter((each.value, each.unit) for each in published(name)) <= theirs
    assert not [each.protocol for each in published(name) if not each.protocol]


def test_ssav_on_davsod_and_elsewhere() -> None:
    table = {each.key[:5]: each.value for each in published("ssav-4")}
    figure = {each.key[:5]: each.value for each in published("landscape") if each.source == "SSAV, comparison"}
    differing = {key for key in table.keys() & figure.keys() if table[key] != figure[key]}
    assert {dataset for dataset, *_ in differing} == {"davsod"}
    shared = Counter(dataset for dataset, *_ in table.keys() & figure.keys())
    assert shared == {"davsod": 21, "vos": 21, "segtrack2": 12}
    values = [table["davsod", "easy", "SSAV", name, ""] for name in ("maxF", "S", "MAE")]
    assert values == ["0.603", "0.724", "0.092"]


def test_all_files_are_read() -> None:
    names = (*SEEDS, *MORE, "davis-leaderboard")
    assert len(published()) == sum(len(rows(FOLDER / f"{name}.csv")) for name in names)
    assert {each.source for each in published()} == set(sources())


def test_places_and_protocols_are_those_of_the_datasets() -> None:
    more = ("segtrack2", "davsod", "vos", "longvideos", "moca", "moca-mask")
    for name in ("davis16", "fbms", "visal", "ytobj", "davis17", *more):
        protocols = {f"{each.name}@{each.version}" for each in load_dataset(name).protocols}
        assert {each.protocol for each in published() if each.dataset == name} <= protocols | {""}
    for name in ("davis16", "ytobj", "davis17", *more):
        dataset = load_dataset(name)
        assert {each.split for each in published() if each.dataset == name} <= set(dataset.splits)
    listed = {each.category for each in load_dataset("ytobj").listing("test").values()}
    assert {each.category for each in published()} == listed | {""}


def test_every_alias_is_of_a_published_method() -> None:
    methods = {each.method for each in published()}
    assert {method for meant in aliases().values() for method, _ in meant} <= methods


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("andiff", "AD-Net + I.Prun."),
        ("AnDiff", "AD-Net + I.Prun."),
        ("epo+", "EpO+"),
        ("EPO", "EpO+"),
        ("fseg", "FSEG"),
        ("sfls", "SFL-S"),
        ("sflu", "SFL"),
        ("f2net.cgad-ca", "F2Net: CGAD and CA"),
        ("nobody", "nobody"),
    ],
)
def test_aliases(name: str, method: str) -> None:
    assert canonical(name) == method


def test_options_tell_records_of_one_name_apart() -> None:
    assert canonical("adnet", {"scales": "single", "prune": ""}) == "AD-Net, single scale"
    assert canonical("adnet", {"scales": "multi", "prune": "boxes.json"}) == "AD-Net + I.Prun."
    assert canonical("adnet", {"scales": "single", "prune": "boxes.json"}) == "adnet"


def test_a_published_row_is_of_the_papers_options_only() -> None:
    ours = {"scales": "single", "prune": "", "preset": "paper", "gating": "preset", "size": "857x481"}
    ours["anchor_align"] = "anchor"
    assert canonical("adnet", ours) == "AD-Net, single scale"
    assert canonical("adnet.inter", ours) == "AD-Net: anchor diffusion"
    for name, value in {"preset": "official", "gating": "on", "size": "641x353", "anchor_align": "current"}.items():
        assert canonical("adnet", ours | {name: value}) == "adnet"
        assert canonical("adnet.inter", ours | {name: value}) == "adnet.inter"
    assert canonical("adnet.base", ours | {"scales": "multi"}) == "adnet.base"
    theirs = {"side": "473", "guidance": "pre", "sigma": "15", "peaks": "5", "history": "10", "distance": "l1"}
    assert canonical("f2net", theirs | {"previous": "mask"}) == "F2Net"
    assert canonical("f2net", theirs | {"previous": "mask", "peaks": "1"}) == "f2net"


HEADING = ",".join(Published.model_fields)
GOOD = "davis16,val,davis16@1,A,,,,,J_mean,,70.7,%,,,,,F2Net Table 3,"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("dataset,split\n", "it should have dataset,split,protocol"),
        (f"{HEADING}\n{GOOD.replace('70.7', '70,7')}\n", "line 2: it has 19 cells"),
        (f"{HEADING}\n{GOOD.replace('70.7', 'n/a')}\n", "line 2: value"),
        (f"{HEADING}\n{GOOD}\n{GOOD.replace('70.7', '170.7')}\n", "line 3: J_mean is 170.7"),
        (f"{HEADING}\n{GOOD.replace('J_mean', 'J mean')}\n", "line 2: measure"),
        (f"{HEADING}\n{GOOD.replace('F2Net Table 3', '')}\n", "line 2: source"),
        (f"{HEADING}\n{GOOD.replace('davis16@1', 'davis16')}\n", "line 2: protocol"),
    ],
)
def test_what_is_no_published_number(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=problem) as error:
        read(path)
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "a.csv")


def test_sources_must_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADING}\n{GOOD.replace('F2Net Table 3', 'hearsay')}\n")
    (tmp_path / "sources.csv").write_text("source,where\n")
    monkeypatch.setattr(literature, "FOLDER", tmp_path)
    published.cache_clear()
    sources.cache_clear()
    with pytest.raises(DataError, match='where "hearsay" is'):
        published("a")
    published.cache_clear()
    sources.cache_clear()


def test_numbers_of_one_source_must_agree(tmp_path: Path) -> None:
    def made(*lines: str) -> list[Published]:
        (tmp_path / "a.csv").write_text("\n".join([HEADING, *lines, ""]))
        return read(tmp_path / "a.csv")

    check_agreement(made(GOOD, GOOD.replace("70.7,%", "0.707,1"), GOOD.replace("70.7,%", "0.7066,1")))
    with pytest.raises(DataError, match=r"two values of J_mean .* 70\.7 and 70\.9"):
        check_agreement(made(GOOD, GOOD.replace("70.7", "70.9")))


# The numbers below are those of the list in results/published/README.md.


def test_1_the_printed_mean_of_pdb_is_over_sequences() -> None:
    mean = by_label("f2net-4", "J_mean")
    weighted = {
        label: sum(SEQUENCES[name] * value for name, value in categories(label).items()) / 126 for label in mean
    }
    assert sum(SEQUENCES.values()) == 126
    assert average(categories("PDB").values()) == pytest.approx(65.19)
    assert round(weighted["PDB"], 1) == mean["PDB"] == 65.5
    over_categories = {label for label in mean if round(average(categories(label).values()), 1) == mean[label]}
    assert over_categories == {"FSEG", "LVO", "AGS", "MAT", "Ours"}
    assert not [label for label in over_categories if round(weighted[label], 1) == mean[label]]
    amc = {
        each.category: each.number
        for each in published("landscape")
        if each.source == "AMC-Net Table 6" and each.method == "PDB"
    }
    differing = {name: (value, amc[name]) for name, value in categories("PDB").items() if amc[name] != value}
    assert differing == {"motorbike": (58.4, 58.3), "train": (35.3, 35.2)}
    assert amc[""] == 65.4


def test_2_the_printed_mean_of_cos_is_neither_mean() -> None:
    values = categories("COS")
    weighted = sum(SEQUENCES[name] * value for name, value in values.items()) / 126
    assert (round(average(values.values()), 2), round(weighted, 2)) == (70.07, 70.97)
    assert by_label("f2net-4", "J_mean")["COS"] == 70.5
    (inherited,) = [
        each.number
        for each in published("landscape")
        if (each.source, each.method, each.category) == ("AMC-Net Table 6", "COSNet", "")
    ]
    assert inherited == 70.5


def test_3_and_4_where_f2net_is_best() -> None:
    tables = {label: categories(label) for label in by_label("f2net-4", "J_mean")}
    best = {name: max(tables, key=lambda label: tables[label][name]) for name in SEQUENCES}
    assert [name for name, label in best.items() if label == "Ours"] == [
        "bird",
        "boat",
        "car",
        "cow",
        "horse",
        "motorbike",
    ]
    assert sorted((values["aeroplane"] for values in tables.values()), reverse=True)[:3] == [87.7, 86.2, 85.8]
    bold = next(each for each in published("f2net-4") if each.category == "aeroplane" and "bold" in each.note)
    assert (bold.label, best["aeroplane"]) == ("LVO", "AGS")


def test_5_halves_are_rounded_both_ways() -> None:
    region, contour, both = (by_label("f2net-3", key) for key in ("J_mean", "F_mean", "JF_mean"))
    tenths = {label: (round(10 * region[label]) + round(10 * contour[label])) for label in both}
    halves = {label: round(10 * both[label]) for label, total in tenths.items() if total % 2}
    down = {label for label, shown in halves.items() if shown == tenths[label] // 2}
    assert down == {"UOVOS", "MAT", "Ours"}
    assert halves.keys() - down == {"AGS", "EpO", "LSMO", "PDB"}
    assert all(round(10 * both[label]) * 2 == total for label, total in tenths.items() if not total % 2)


def test_5_other_methods_equal_the_leaderboard() -> None:
    official = {(each.method, each.measure): each.raw for each in published("davis-leaderboard")}
    compared = [each for each in published("f2net-3") if each.measure != "JF_mean" and each.label != "Ours"]
    assert len(compared) == 84
    assert all(round(100 * official[each.method, each.measure], 1) == each.number for each in compared)


def test_6_names() -> None:
    assert [each.label for each in published("f2net-5") if each.method == "ARP"] == ["APR"]
    assert {each.label for each in published("f2net-3") if each.method == "ARP"} == {"ARP"}


def test_7_adnet_prints_no_j_on_fbms() -> None:
    measures = {each.measure for name in ("adnet-2", "adnet-3") for each in published(name) if each.dataset == "fbms"}
    assert measures == {"F_measure", "MAE", "maxF"}


def test_8_ranks_of_adnet_in_saliency() -> None:
    def place(dataset: str, measure: str, group: str | None = None) -> int:
        values = by_label("adnet-3", measure, dataset, group)
        own, sign = values["AD-Net (ours)"], 1 if measure == "maxF" else -1
        return 1 + sum(sign * value > sign * own for value in values.values())

    assert by_label("adnet-3", "MAE", "fbms")["MSR"] == by_label("adnet-3", "MAE", "fbms")["AD-Net (ours)"] == 0.064
    assert [place("fbms", measure) for measure in ("MAE", "maxF")] == [1, 1]
    assert (place("davis16", "MAE"), place("visal", "MAE"), place("visal", "maxF")) == (4, 5, 4)
    assert [place("visal", measure, "video saliency") for measure in ("MAE", "maxF")] == [1, 1]


def test_9_to_11_adnet_and_others() -> None:
    fbms = by_label("adnet-2", "F_measure")
    assert max(fbms, key=lambda label: fbms[label]) == "PDB"
    sfl = {(each.group, each.measure): each.number for each in published("adnet-2") if each.label == "SFL"}
    official = {(each.label, each.measure): each.raw for each in published("davis-leaderboard")}
    for group, name in (("semi-supervised", "sfls"), ("unsupervised", "sflu")):
        for measure in ("J_mean", "F_mean"):
            assert round(100 * official[name, measure], 1) == sfl[group, measure]
    ours, theirs = by_label("adnet-1", "J_mean"), by_label("f2net-1", "J_mean")
    assert (ours["AD-Net (single scale)"], theirs["+ AD"]) == (78.26, 79.6)
    assert (ours["Baseline"], theirs["Baseline"]) == (75.41, 77.6)


def test_12_attention_within_the_frame_costs_contours() -> None:
    contour = by_label("adnet-1", "F_mean")
    assert contour["Baseline + intra-frame"] - contour["Baseline"] == pytest.approx(-0.20)


def test_15_the_last_learning_rate() -> None:
    assert pytest.approx(1.44e-3, abs=5e-6) == 0.005 * (1 - 30_000 / 40_000) ** 0.9


def test_what_agrees() -> None:
    for name, reference in (("adnet-1", "Baseline"), ("f2net-1", "+ CGAD&CSA")):
        for measure in ("J_mean", "F_mean"):
            values = by_label(name, measure)
            for label, difference in by_label(name, f"delta_{measure}").items():
                assert values[label] - values[reference] == pytest.approx(difference, abs=1e-9)
    full = defaultdict(set)
    for name in ("f2net-1", "f2net-2", "f2net-3"):
        for each in published(name):
            if each.method == "F2Net":
                full[each.measure].add(each.number)
    assert (full["J_mean"], full["F_mean"]) == ({83.1}, {84.4})
    pruned = {each.measure: each.number for each in published("adnet-2") if each.method == "AD-Net + I.Prun."}
    assert pruned == {key: by_label("f2net-3", key)["AnDiff"] for key in ("J_mean", "F_mean")}
    assert (
        by_label("adnet-2", "F_measure")["AD-Net (multiple scales)"]
        == by_label("adnet-3", "maxF", "fbms")["AD-Net (ours)"]
    )
