"""The site of results: a folder of static pages that opens from disk and from any server.

jinja2 makes the pages; data lie in classic scripts, since browsers do not let pages on disk fetch files.
"""
