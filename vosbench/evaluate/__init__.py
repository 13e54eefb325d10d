"""Score predictions against annotations: files in, rows out, and rows into averages.

A row is one number: (video, frame, measure, value). Nothing is averaged before all rows are there.
"""
