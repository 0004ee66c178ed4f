#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints docs/api.md, made from the docstrings and field tables of the installed package.

With --write it writes the page. A test fails where the page and the docstrings differ. Run it on
Linux: a docstring names the system that it describes.
"""

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import netioapi
from netioapi import _native

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
ROWS = ("IpForwardRow", "UnicastIpAddressRow", "IpInterfaceRow")
HEAD = """\
# API

Made from the docstrings by `tools/api_page.py --write`; `help(netioapi.NAME)` prints the same.
Everything is importable from `netioapi`. The names are those of Microsoft's `netioapi.h` in
snake_case, so Microsoft's page of a function or struct describes it too.
"""


def block(text: str) -> str:
    return f"```text\n{text.strip()}\n```\n" if text.strip() else ""


def signature(name: str, value: Any) -> str:
    text = getattr(value, "__text_signature__", None)
    if text is None:
        try:
            text = str(inspect.signature(value))
        except (TypeError, ValueError):
            return name
    flat = " ".join(text.split()).replace("$module, /, ", "").replace("($module, ", "(")
    flat = re.sub(r"\(\$?self(, /)?(?:, |(?=\)))", "(", flat)
    # Annotations without quotes.
    return name + re.sub(r"""(: |-> )(['"])(.*?)\2(?=[,) ]|$)""", r"\1\3", flat)


def heading(name: str, kind: type) -> str:
    """The name of a class, and how a program makes one, if it can."""
    made = "" if issubclass(kind, int) else signature(name, kind).removesuffix(" -> None")
    made = made.replace("netioapi.enums.", "")
    return f"### {name}\n\n" + (f"`{made}`\n\n" if made not in ("", name, f"{name}()") else "")


def members(kind: type) -> list[str]:
    """The public methods and properties that the class itself defines, with their docstrings."""
    parts = []
    for name, value in vars(kind).items():
        doc = inspect.getdoc(value)
        if name.startswith("_") or not doc:
            continue
        shown = signature(name, value) if callable(value) else name
        parts.append(f"`{shown}`\n\n{block(doc)}")
    return parts


def row_page(name: str, fields: list[dict[str, Any]]) -> str:
    kind = getattr(netioapi, name)
    lines = [heading(name, kind) + block(inspect.getdoc(kind) or "")]
    lines.append("| field | type | unit | system | source | meaning |")
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for field in fields:
        meaning, _, rest = inspect.getdoc(getattr(kind, field["name"])).partition("\n\nUnit: ")
        unit, _, source = rest.partition("\nSource: ")
        systems = field["systems"]
        cells = [
            f"`{field['name']}`" + (" (key)" if field["key"] else ""),
            field["enum"] or field["type"],
            unit.rstrip(".").replace("no unit", ""),
            "both" if len(systems) == 2 else systems[0].capitalize().replace("-ipv6", ", IPv6"),
            re.split(r"\n(?:Linux|Windows) only", source)[0].rstrip("."),
            meaning,
        ]
        lines.append(
            "| " + " | ".join(" ".join(c.split()).replace("|", "\\|") for c in cells) + " |"
        )
    return "\n".join(lines) + "\n"


def page() -> str:
    public = {name: getattr(netioapi, name) for name in netioapi.__all__}
    functions = {n: v for n, v in public.items() if callable(v) and not isinstance(v, type)}
    classes = {n: v for n, v in public.items() if isinstance(v, type) and n not in ROWS}
    parts = [HEAD, "## Functions\n"]
    for name in sorted(functions):
        value = functions[name]
        parts.append(f"### {name}\n\n`{signature(name, value)}`\n\n{block(inspect.getdoc(value))}")
    parts.append(
        "## Rows\n\nImmutable. A field that this system does not provide is None. Fields marked\n"
        "(key) are those of a row with `details=False`, and of a row that a program creates.\n"
    )
    parts += [row_page(name, _native._fields()[name]) for name in ROWS]
    parts.append("## Classes\n")
    for name in sorted(classes):
        kind = classes[name]
        parts.append(heading(name, kind) + block(inspect.getdoc(kind) or ""))
        if issubclass(kind, int):  # an enum
            parts.append(", ".join(f"`{m.name}` {m.value}" for m in kind) + "\n")
        else:
            parts += members(kind)
    return "\n".join(part for part in parts if part)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        sys.stdout.write(page())
