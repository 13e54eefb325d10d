"""What moves unlike the background: the method `motion`, and a stage of networks.

Start reading at `predictor`.
"""
