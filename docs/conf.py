"""Sphinx: ``pip install -e '.[docs]'``, then ``python -m sphinx docs docs/_build``."""

import sysim

project = "sysim"
author = "The sysim authors"
copyright = "The sysim authors, Apache License 2.0"
version = release = sysim.__version__

extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "examples"]
# The readme and the page on architecture lie outside this folder; on the site their links lead nowhere.
suppress_warnings = ["myst.xref_missing"]

html_theme = "furo"
html_title = "sysim"
