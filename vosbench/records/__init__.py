"""Result files and printed numbers."""
