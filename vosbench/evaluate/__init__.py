"""Score predictions against annotations: read files, measure frames as rows, and average the rows.

A row is one number: (video, frame, measure, value). Averages are computed once all rows of a video or split are known.
"""
