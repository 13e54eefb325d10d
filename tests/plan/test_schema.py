"""What a plan may say: keys, names, combinations, rules, and folders of results."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from documented import fenced
from factories import write_toy
from in_process import call
from vosbench.errors import DataError, UsageError
from vosbench.plan import cases
from vosbench.plan.prepare import Source
from vosbench.plan.schema import Plan, json_schema, read_plan

PLUGIN = Path(__file__).parents[1] / "plugins" / "planned.py"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(text, "utf-8")
    return path


def labels(tmp_path: Path, methods: str, datasets: str = "[toy]", more: str = "") -> list[str]:
    source = Source(written(tmp_path, f"plugins: ['{PLUGIN}']\nmethods: {methods}\ndatasets: {datasets}\n{more}"))
    methods_of = cases.method_cases(source.plan, source.base)
    every = [(method, dataset) for method in methods_of for dataset in source.datasets]
    return [f"{method.label} on {dataset.label}" for method, dataset in cases.pairs(source.plan, every)[0]]


def test_alternatives_have_folders_of_their_own(tmp_path: Path) -> None:
    assert labels(tmp_path, "[level, {method: level, variants: [dim, bright], folder: x}]") == [
        *("level on toy", "x/level.dim on toy", "x/level.bright on toy")
    ]
    weights, settings = "{a: 'a-{seed}.pt', b: 'b-{seed}.pt'}", "{low: {gain: 1}, high: {gain: 2}}"
    found = labels(tmp_path, f"[{{method: level, weights: {weights}, seeds: [0, 3], settings: {settings}}}]")
    assert len(found) == len(set(found)) == 8
    assert found[0] == "a-low-seed0/level on toy"
    assert found[-1] == "b-high-seed3/level on toy"
    source = Source(tmp_path / "plan.yaml")
    last = cases.method_cases(source.plan, source.base)[-1]
    assert (last.setup.weights, last.setup.seed, last.setup.options) == (tmp_path / "b-3.pt", 3, {"gain": "2"})


def test_datasets_are_chosen_by_split_and_protocol(tmp_path: Path) -> None:
    some = "{dataset: toy, limit: 2, videos: [v0], measures: J}"
    datasets = f"[toy, {{dataset: toy, protocols: [toy-inner, toy-saliency]}}, {some}]"
    found = [each.removeprefix("level on ") for each in labels(tmp_path, "[level]", datasets)]
    assert found == ["toy", "toy (toy-inner)", "toy (toy-saliency)", "toy (v0, first 2 frames, J)"]


def test_rules_include_and_exclude(tmp_path: Path) -> None:
    methods, datasets = "[level, level.dim]", "[toy, other, third]"
    assert labels(
        tmp_path, methods, datasets, "include: [{dataset: t*}, {method: level.*}]\nexclude: [{dataset: third}]"
    ) == [*("level on toy", "level.dim on toy", "level.dim on other")]
    with pytest.raises(UsageError, match=r"exclude\.1 \(method: levle\) matches nothing of this plan"):
        labels(tmp_path, methods, datasets, "exclude: [{method: levle}]")
    with pytest.raises(UsageError, match="nothing is left of this plan"):
        labels(tmp_path, methods, datasets, "exclude: [{method: '*'}]")


@pytest.mark.parametrize(
    ("methods", "datasets", "said"),
    [
        (
            "[level, {method: level, weights: x}]",
            "[toy]",
            'two records of "level" on toy would be one file, of methods 1 and 2; give one',
        ),
        (
            "[{method: level, folder: A}, {method: level, folder: a}]",
            "[toy]",
            "of methods 1 and 2; give one of them a folder of its own",
        ),
        ("[level]", "[toy, {dataset: toy, root: x}]", "datasets 1 and 2 are the same; leave one out"),
        ("[{method: level, folder: toy}]", "[toy]", 'the folder "toy" is that of records of a dataset'),
    ],
)
def test_records_that_would_be_one_file_are_refused(tmp_path: Path, methods: str, datasets: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        labels(tmp_path, methods, datasets)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "datasets: Field required"),
        ("datasets: [toy]", "there are neither methods nor submissions"),
        ("methods: [a]\ndatasets: []", "datasets: List should have at least 1 item"),
        ("method: [a]\ndatasets: [toy]", 'there is no key "method"; did you mean "methods"?'),
        (
            "methods: [{method: a, wieghts: x}]\ndatasets: [toy]",
            'there is no key "methods.1.wieghts"; did you mean "weights"?',
        ),
        (
            "methods: [{method: a, batch: 0}]\ndatasets: [toy]",
            "methods.1.batch: Input should be greater than or equal to 1",
        ),
        (
            "methods: [{method: a, seeds: [0, 1]}]\ndatasets: [toy]",
            "methods.1: seeds change nothing unless weights has {seed}",
        ),
        ("methods: [{method: a, seeds: [1, 1], untrained: yes}]\ndatasets: [toy]", "methods.1: a seed is given twice"),
        (
            "methods: [{method: a.b, variants: [c]}]\ndatasets: [toy]",
            'methods.1: variants contradicts the variant of "a.b"',
        ),
        (
            "methods: [{method: a, folder: x/y}]\ndatasets: [toy]",
            'methods.1.folder: the folder name "x/y" cannot name a file',
        ),
        (
            "methods: [{method: a, folder: train}]\ndatasets: [toy]",
            'methods.1.folder: "train" has a meaning of its own',
        ),
        ("methods: [{method: a, weights: {}}]\ndatasets: [toy]", "methods.1"),
        ("methods: [a]\ndatasets: [{dataset: toy, suite: uvos}]", "datasets.1: either dataset or suite is needed"),
        ("methods: [a]\ndatasets: [{suite: uvos, splits: val}]", "datasets.1: splits is for a dataset, not a suite"),
        ("methods: [a]\ndatasets: [toy]\nchanged: maybe", "changed: Input should be 'refuse' or 'replace'"),
        (
            "methods: [a]\ndatasets: [toy]\nexclude: [{metod: x}]",
            'there is no key "exclude.1.metod"; did you mean "method"?',
        ),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as error:
        read_plan(path)
    assert str(error.value).startswith(f'"{path}": ')
    assert said in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x", "a: 1\na: 2", "a: [", "a: \x01"])
def test_what_is_not_plain_yaml_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"plan\.yaml"):
        read_plan(written(tmp_path, text))


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    for words in (("plan", "check"), ("status",), ("run", "--plan")):
        done = call(*words, tmp_path / "none.yaml")
        assert (done.returncode, done.stderr.count("\n")) == (3, 1)
        assert "none.yaml" in done.stderr


def test_the_schema_describes_what_is_read(tmp_path: Path) -> None:
    schema = json.loads(json_schema())
    text = (
        "methods: [a, {method: b, variants: c, weights: {x: y}, options: {k: 1, z: yes}, seeds: [1]}]\n"
        "datasets: [toy, {dataset: d, protocols: p, splits: [s, t]}]\nexclude: [{dataset: d}]\n"
        "submissions: [x, {masks: y, name: z}]"
    )
    jsonschema.validate(yaml.safe_load(text), schema)
    assert isinstance(read_plan(written(tmp_path, text.replace("seeds: [1]", "untrained: yes, seeds: [1]"))), Plan)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"methods": [{"methd": "a"}], "datasets": ["toy"]}, schema)


@pytest.mark.parametrize("number", range(3))
def test_plans_of_the_guide_are_valid(tmp_path: Path, number: int) -> None:
    text = [*fenced("docs/plans.md", "yaml")][number]
    jsonschema.validate(yaml.safe_load(text), json.loads(json_schema()))
    assert isinstance(read_plan(written(tmp_path, text)), Plan)


@pytest.mark.parametrize(
    ("methods", "datasets", "code", "said"),
    [
        ("[levle]", "[toy]", 2, 'method 1 of the plan, levle: there is no method "levle"; did you mean "level"?'),
        ("[level]", "[toy]", 2, '"level" comes without weights; pass a file with --weights, or --untrained'),
        ("[{method: level, weights: no.pt}]", "[toy]", 2, "no.pt"),
        (
            "[{method: level, weights: w, options: {gian: 2}}]",
            "[toy]",
            2,
            'level has no option "gian"; available: gain=…',
        ),
        ("[{method: level, weights: w, device: cuda}]", "[toy]", 2, '"level" does not act on --device cuda'),
        ("[{method: level, weights: w}]", "[tyo]", 2, 'there is no dataset "tyo"; did you mean "toy"?'),
        ("[{method: level, weights: w}]", "[{dataset: toy, protocols: x}]", 2, 'toy has no protocol "x"'),
        ("[{method: level, weights: w}]", "[{dataset: toy, splits: x}]", 2, 'toy has no split "x"'),
        ("[{method: level, weights: w}]", "[{dataset: toy, videos: x}]", 2, 'toy val has no video "x"'),
        ("[{method: level, weights: w}]", "[{dataset: toy, root: x}]", 3, "x"),
        ("[{method: level, weights: w}]", "[third]", 2, "third: not found; name its root in the plan"),
    ],
)
def test_what_a_plan_names_is_checked_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, methods: str, datasets: str, code: int, said: str
) -> None:
    write_toy(tmp_path / "data" / "toy")
    (tmp_path / "w").write_text("1", "utf-8")
    monkeypatch.setenv("VOSBENCH_DATA", str(tmp_path / "data"))
    path = written(tmp_path, f"plugins: ['{PLUGIN}']\nmethods: {methods}\ndatasets: {datasets}\n")
    for words in (("plan", "check"), ("run", "--plan")):
        done = call(*words, path)
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert said in done.stderr
    assert not (tmp_path / "results").exists()


def test_all_problems_are_named_by_check(tmp_path: Path) -> None:
    path = written(tmp_path, f"plugins: ['{PLUGIN}']\nmethods: [a, b, level]\ndatasets: [toy, third]\n")
    done = call("plan", "check", path)
    assert (done.returncode, done.stderr.count("error: ")) == (2, 4)
    assert done.stdout == "3 methods × 2 datasets: 6 records; 0 videos with 0 frames here\n"
