"""The trees that FBMS-59 is found in."""

from dataclasses import replace

from vosbench.dataset.layout import Layout
from vosbench.dataset.shared_layouts import repacks

ANTONILO = "fbms-official-antonilo"
LEVELS = {name: f"fbms_antonilo_{name}" for name in ("marple2", "marple7")}
BELOW = ("", "FBMS", "FBMS-59", "FBMS59")
SETS = "t*set"  # Trainingset and Testset, by any spelling
PLACES = (f"{SETS}/", f"{SETS}/Data/", "", "Data/")

# In either family the annotation has its frame's number. Videos of BMS-26 have grey labels (.pgm); the others have
# colours on white (.ppm), beside which .pgm and PROB files hold weights of pixels and no labels.
OFFICIAL = Layout(
    name="fbms-official",
    frames="|".join(f"{place}{{video}}" for place in PLACES),
    annotations="|".join(f"{place}{{video}}/GroundTruth" for place in PLACES),
    codec={".ppm": "ppm_nonwhite", ".pgm": "nonzero"},
    markers=("|".join(f"{place}*/GroundTruth" for place in PLACES),),
    without=("inst",),
    below=BELOW,
    pair="number",
    ignored="*prob*",
)
COPY = Layout(
    name="fbms-mg",
    frames="JPEGImages/{video}",
    annotations="Annotations/{video}",
    codec="luma127",
    markers=("JPEGImages", "Annotations"),
    without=("JPEGImages/480p", "*_ann.txt"),
    below=BELOW,
    pair="number",
)
DAVIS_LIKE = replace(
    COPY,
    name="fbms-davis-like",
    frames="JPEGImages/480p/{video}",
    annotations="Annotations/480p/{video}",
    codec="inverted255",
    markers=("JPEGImages/480p", "Annotations/480p"),
    without=(),
)
LAYOUTS = (
    OFFICIAL,
    replace(OFFICIAL, name=ANTONILO, codec=dict.fromkeys((".ppm", ".pgm"), "fbms_antonilo"), without=(), forced=True),
    replace(
        COPY,
        name="fbms-3dc",
        frames=f"{SETS}/{{video}}",
        annotations="inst/*/{video}",
        codec="nonzero",
        markers=(SETS, "inst"),
    ),
    replace(
        COPY,
        name="fbms-tmo",
        frames=f"{SETS}/JPEGImages/{{video}}",
        annotations=f"{SETS}/Annotations/{{video}}",
        markers=(f"{SETS}/JPEGImages", f"{SETS}/Annotations"),
        labelled_only=True,
    ),
    COPY,
    replace(COPY, name="fbms-rcf", markers=("*_ann.txt", "JPEGImages"), without=()),
    replace(
        COPY,
        name="fbms-xseg",
        frames="*/frame/{video}",
        annotations="*/mask/{video}",
        markers=("*/frame", "*/mask"),
        labelled_only=True,
    ),
    DAVIS_LIKE,
    replace(DAVIS_LIKE, name="fbms-davis-like-flipped", codec="binary255", forced=True),
    *repacks(("FBMS", "FBMS-59"), "FBMS", codec="luma127", labelled_only=True),
)
