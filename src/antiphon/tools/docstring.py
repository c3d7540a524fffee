"""What a function's docstring says of the function and of its parameters."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

__all__ = ["Described", "read_docstring"]

_HAS_SECTIONS = re.compile(r"^\s*([:@]\w+|\w[\w ]*:\s*$|-{3,}\s*$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Described:
    """`text` is for the tool, `parameters` for its parameters by name; all on as few lines as can be."""

    text: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def read_docstring(doc: str | None) -> Described:
    """Reads a docstring in Google, numpy, reST or epydoc style; one in no style is all `text`.

    Examples and what is said of the return value stay with the text, since they tell the model how to use the
    tool; what is said of exceptions does not.
    """
    if not doc or not doc.strip():
        return Described()
    doc = inspect.cleandoc(doc)
    if not _HAS_SECTIONS.search(doc):
        return Described(doc)
    from docstring_parser import ParseError, parse  # 10 ms, for those functions that need it

    try:
        parsed = parse(doc)
    except ParseError:
        return Described(doc)
    if not parsed.meta:
        return Described(doc)
    paragraphs = [parsed.description or ""]
    paragraphs += [
        "\n".join(["Example:", *filter(None, (example.snippet, example.description))])
        for example in parsed.examples
    ]
    if parsed.returns and parsed.returns.description:
        verb = "Yields" if parsed.returns.is_generator else "Returns"
        paragraphs.append(f"{verb}: {_on_one_line(parsed.returns.description)}")
    return Described(
        "\n\n".join(paragraph.strip() for paragraph in paragraphs if paragraph.strip()),
        {
            parameter.arg_name.lstrip("*"): _on_one_line(parameter.description)
            for parameter in parsed.params
            if parameter.description
        },
    )


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
