"""Plans: methods × datasets as one queue of videos, of which what is done stays done.

`schema` reads a plan, `cases` tells what it asks for, `prepare` finds all of it before anything is computed, `state`
knows what is done, `queue` orders what is left, and `execute` does it. `scoring` scores the submissions of a plan.
"""
