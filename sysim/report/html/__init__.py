"""The report: one HTML file that tells a run or a study, complete in itself.

`page` makes the text from a `Content`, which `content` builds from results or from a stored JSON object. Nothing
is loaded from anywhere: style, script and pictures (SVG) are in the file.
"""

from sysim.report.html.content import Content, of_json, of_result, of_study
from sysim.report.html.page import page

__all__ = ["Content", "of_json", "of_result", "of_study", "page"]
