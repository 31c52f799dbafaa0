"""Render Block Kit as plain text, to read what a person sees."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def render_view(view: Json) -> str:
    """Return a modal or a Home: its title, its blocks, and its buttons."""
    buttons = [f"[{view[part]['text']}]" for part in ("close", "submit") if part in view]
    title = [f"== {view['title']['text']} =="] if "title" in view else []
    return "\n".join([*title, render_blocks(view["blocks"]), *([" ".join(buttons)] if buttons else [])])


def render_message(text: str, blocks: Sequence[Json]) -> str:
    """Return a message: its blocks, and the fallback text for notifications."""
    return f"{render_blocks(blocks)}\n(notification: {text})"


def render_blocks(blocks: Sequence[Json]) -> str:
    """Return blocks, each on its own lines."""
    return "\n".join(line for block in blocks for line in _block(block))


def _block(block: Json) -> Iterator[str]:
    match block["type"]:
        case "context":
            yield from (f"  ({element['text']})" for element in block["elements"])
        case "rich_text":
            yield from (line for element in block["elements"] for line in _rich(element))
        case "actions":
            yield from (line for element in block["elements"] for line in _element(element))
        case "input":
            yield block["label"]["text"] + (" (optional)" if block.get("optional") else "")
            yield from _element(block["element"])
            yield from [f"  ({block['hint']['text']})"] if "hint" in block else []
        case "data_table":
            yield f"[table] {block['caption']}"
            yield from (" | ".join(map(_cell, row)) for row in block["rows"])
        case _:
            yield _line_block(block)


def _line_block(block: Json) -> str:
    match block["type"]:
        case "header":
            return f"# {block['text']['text']}"
        case "section":
            return str(block["text"]["text"])
        case "alert":
            return f"[!] {block['text']['text']}"
        case "divider":
            return "---"
        case "data_visualization":
            axes = block["chart"]["axis_config"]
            return f"[chart] {block['title']}; {axes['x_label']}; {axes['y_label']}"
    raise ValueError(block["type"])


def _element(element: Json) -> Iterator[str]:
    match element["type"]:
        case "button":
            label = element.get("accessibility_label")
            asks_back = f" (asks: {_confirmation(element['confirm'])})" if "confirm" in element else ""
            yield f"  [{element['text']['text']}]{f' (read aloud: {label})' if label else ''}{asks_back}"
        case "plain_text_input" | "url_text_input":
            placeholder = element.get("placeholder", {"text": ""})["text"]
            yield f"  [{element.get('initial_value', placeholder)}]"
        case "datepicker" | "users_select" | "conversations_select":
            yield f"  [{element['placeholder']['text']}]"
        case _:
            if "placeholder" in element:
                yield f"  [{element['placeholder']['text']}]"
            yield from (f"  - {_option(option)}" for option in element["options"][:6])


def _confirmation(confirm: Json) -> str:
    return " ".join(confirm[part]["text"] for part in ("title", "text", "deny", "confirm"))


def _option(option: Json) -> str:
    description = option.get("description", {"text": ""})["text"]
    return f"{option['text']['text']}{f': {description}' if description else ''}"


def _rich(element: Json) -> Iterator[str]:
    if element["type"] == "rich_text_list":
        for number, item in enumerate(element["elements"], start=1):
            bullet = f"{number}." if element["style"] == "ordered" else "-"
            yield f"  {bullet} {_inline(item['elements'])}"
    elif element["type"] == "rich_text_quote":
        yield from (f"  > {line}" for line in _inline(element["elements"]).split("\n"))
    else:
        yield _inline(element["elements"])


def _inline(elements: Sequence[Json]) -> str:
    names = {"user": "@{user_id}", "channel": "#{channel_id}", "date": "{fallback}"}
    return "".join(names.get(part["type"], "{text}").format(**part) for part in elements)


def _cell(cell: Json) -> str:
    if cell["type"] == "rich_text":
        return _inline(cell["elements"][0]["elements"])
    return str(cell.get("text") or cell["value"])
