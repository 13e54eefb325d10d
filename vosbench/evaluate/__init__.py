"""Score predictions against annotations: files in, rows out, and rows into averages.

A row is one number: (video, frame, measure, value). Nothing is averaged before all rows are there.
"""

from vosbench.evaluate.averages import by_measure, video_scores
from vosbench.evaluate.dataset import dataset_scores
from vosbench.evaluate.rows import Row, Scored, Scores
from vosbench.evaluate.task import Task
from vosbench.evaluate.videos import score_video

__all__ = ["Row", "Scored", "Scores", "Task", "by_measure", "dataset_scores", "score_video", "video_scores"]
