"""A streaming PNG reader."""
