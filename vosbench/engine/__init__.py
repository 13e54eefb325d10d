"""Processes, threads and timing."""
