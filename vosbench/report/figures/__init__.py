"""Figures for papers, from records, masks and networks; a module for each family.

matplotlib is imported in these modules alone, and only when something is drawn.
"""
