"""The description of the API as one page for people, without scripts and without content from other servers."""

from __future__ import annotations

import json
from html import escape
from typing import Any

Json = dict[str, Any]

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "summary{cursor:pointer;padding:.3em 0}code,pre{font:13px monospace;background:#f4f4f4}"
    "pre{padding:.6em;overflow:auto}b{display:inline-block;width:4em}td,th{padding:.1em .8em .1em 0;text-align:left}"
)
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def reference_page(document: Json) -> str:
    """The page for an OpenAPI document."""
    calls = [
        _call(method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    title, base = escape(document["info"]["title"]), escape(document["servers"][0]["url"])
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
    intro = f"<h1>{title}</h1><p>Base path <code>{base}</code>; for machines: <a href=openapi.json>openapi.json</a></p>"
    return head + intro + "".join(calls) + "</html>"


def _call(method: str, path: str, operation: Json) -> str:
    text = escape(str(operation.get("description", operation.get("summary", ""))))
    parts = [_parameters(operation.get("parameters", [])), _content("body", operation.get("requestBody", {}))]
    parts += [_content(status, response) for status, response in operation["responses"].items()]
    head = f"<summary><b>{method}</b><code>{escape(path)}</code></summary>"
    return f"<details>{head}<p>{text}</p>{''.join(parts)}</details>"


def _parameters(parameters: list[Json]) -> str:
    if not parameters:
        return ""
    rows = [
        f"<tr><td><code>{escape(each['name'])}</code><td>{each['in']}<td>{_schema(each['schema'])}"
        for each in parameters
    ]
    return f"<table><tr><th>parameter<th>in<th>what{''.join(rows)}</table>"


def _schema(schema: Json) -> str:
    return f"<code>{escape(json.dumps(schema))}</code>"


def _content(name: str, described: Json) -> str:
    shown = [f"<h4>{escape(name)} {escape(described.get('description', ''))}</h4>"] if described else []
    for content in described.get("content", {}).values():
        examples = [each["value"] for each in content.get("examples", {}).values()] or [content.get("example")]
        shown += [f"<pre>{escape(json.dumps(each, indent=2))}</pre>" for each in examples if each is not None]
    return "".join(shown)
