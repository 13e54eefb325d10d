"""What methods on torch share; a method of a third party may use it as ours do.

Stable (a change is noted in the changelog):

* `views`: from a frame to a network's input, and from its logits to a map;
* `predictor`: `Network`, `FramePredictor`, `choose`, `ready` and `batches`;
* `weights`: `read`, `fill`, `fill_backbone` and `write`;
* `layers`: `attend` and `resize`;
* `losses`, and `augment`, which samples training examples.

Not stable, since they follow the papers and the released weights of the methods here: `deeplab`, `pair_recipe`,
`square_recipe` and the rest of `layers`. `precision` serves `ready`, and `convert` the command line.
"""
