"""Writes docs/reference.md out of the OpenAPI document of the gateway: `python docs/build_reference.py`."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

Json = Mapping[str, Any]

FILE: Final = Path(__file__).with_name("reference.md")
HEAD: Final = """# Every endpoint

Made of the gateway's OpenAPI document by `python docs/build_reference.py`. [api.md](api.md) says who may call
what, and [errors.md](errors.md) what a failure looks like, which any request may get.
"""
BOUNDS: Final = {
    "minimum": "≥ {}", "maximum": "≤ {}", "exclusiveMinimum": "> {}", "exclusiveMaximum": "< {}",
    "minLength": "≥ {} characters", "maxLength": "≤ {} characters",
    "minItems": "≥ {} entries", "maxItems": "≤ {} entries",
}  # fmt: skip


def read_document() -> dict[str, Any]:
    """The OpenAPI document, as a gateway of an empty home serves it."""
    from gateway.app import create_app
    from gateway.settings import GatewaySettings

    with TemporaryDirectory() as home:
        os.environ["BOOKMESH_HOME"] = home
        return create_app(GatewaySettings()).openapi()


def render(document: Json) -> str:
    """The whole file."""
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    lines = [HEAD]
    for tag in document["tags"]:
        lines += [f"## {tag['name'].capitalize()}\n", f"{tag['description']}\n"]
        for name, operation in operations:
            if operation["tags"] == [tag["name"]]:
                lines += render_operation(name, operation)
    lines.append("## What goes in and out\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += render_schema(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def render_operation(name: str, operation: Json) -> Iterator[str]:
    """One endpoint: what it does, takes and answers."""
    yield f"### `{name}`\n"
    yield f"**{operation['summary']}.** {flatten(operation.get('description', ''))}".rstrip() + "\n"
    if parameters := operation.get("parameters"):
        yield from TABLE_HEAD
        for each in parameters:
            yield render_row(each["name"], each["schema"], each["required"], each.get("description", ""))
        yield ""
    if body := operation.get("requestBody"):
        yield f"Body: {name_content(body)}.\n"
    responses = operation["responses"].items()
    answers = [f"{status} {name_content(answer)}" for status, answer in responses if status < "300"]
    yield f"Answers: {', '.join(answers)}.\n"


TABLE_HEAD: Final = ("| name | type | | what it is |", "|---|---|---|---|")


def render_schema(name: str, schema: Json) -> Iterator[str]:
    """One object, its fields as rows; of others what they are."""
    yield f"### {name}\n"
    if about := flatten(schema.get("description", "")):
        yield f"{about}\n"
    if "properties" not in schema:
        yield f"{name_type(schema)}\n"
        return
    yield from TABLE_HEAD
    for field, part in schema["properties"].items():
        yield render_row(field, part, field in schema.get("required", ()), part.get("description", ""))
    yield ""


def render_row(name: str, schema: Json, is_required: bool, about: str) -> str:
    """A parameter or a field."""
    default = schema.get("default")
    given = "" if default is None else f"default `{default}`"
    return f"| `{name}` | {name_type(schema)} | {'required' if is_required else given} | {flatten(about)} |"


def name_content(message: Json) -> str:
    """The types of a body, or that there is none."""
    contents = message.get("content", {}).items()
    return " or ".join(f"{name_type(each['schema'])} (`{kind}`)" for kind, each in contents) or "no body"


def name_type(schema: Json) -> str:
    """What a value is, within which bounds."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    for combined in ("anyOf", "oneOf", "allOf"):
        if combined in schema:
            return " or ".join(name_type(each) for each in schema[combined])
    name = schema.get("format") or schema.get("type", "any")
    if name == "array":
        name = f"list of {name_type(schema['items'])}"
    elif isinstance(values := schema.get("additionalProperties"), Mapping):
        name = f"object of {name_type(values)}"
    bounds = [form.format(schema[bound]) for bound, form in BOUNDS.items() if bound in schema]
    return ", ".join([name, *bounds])


def flatten(text: str) -> str:
    """On one line, as a cell of a table can hold it."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(render(read_document()))
