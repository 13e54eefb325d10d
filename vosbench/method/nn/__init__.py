"""The library that torch methods share; third-party methods may use it as well.

Stable (changes are listed in the changelog):

* `views`: from a frame to a network's input, and from its logits to a map;
* `predictor`: `Network`, `NetworkPredictor`, `FramePredictor`, `choose` and `ready`;
* `tta`: `Views` and `map_predictor`, for maps that are averaged over several views;
* `weights`: `load`, `fill`, `write` and `digest`; `checkpoint`: `read`; `backbone`: `fill_backbone`;
* `layers`: `attend` and `resize`;
* `losses`, and `augment`, which samples training examples.

Not stable, since they follow the papers and released weights of the methods here: `deeplab`, `recipes` and the rest of
`layers`. `precision` serves `ready`, and `convert` the command line.
"""
