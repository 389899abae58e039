"""The JSON schema of recipes, as editors read it: with the options that each step knows."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from recipes.schema import KINDS_OF_STEPS, Recipe
from recipes.steps import KINDS
from recipes.steps.shared import usable_options

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """What ``recipes/recipe.schema.json`` holds."""
    schema = Recipe.model_json_schema()
    for do, step in KINDS_OF_STEPS.items():
        schema["$defs"][step.__name__]["properties"]["options"] = _options(do)
    return json.dumps({"$schema": _DIALECT, **schema}, indent=2) + "\n"


def _options(do: str) -> dict[str, Any]:
    """What a step's ``options`` may say: a value, or a setting by ``@name``."""
    kind = KINDS[do]
    properties: dict[str, Any] = {}
    if hasattr(kind, "options"):
        options = kind.options()
        known = TypeAdapter(options).json_schema()["properties"]
        setting = {"type": "string", "pattern": "^@[a-z][a-z0-9_]{0,31}$"}
        for name in usable_options(options):
            told = {key: value for key, value in known[name].items() if key != "title"}
            default = {"default": told.pop("default")} if "default" in told else {}
            properties[name] = {"anyOf": [told, setting], **default}
    return {"type": "object", "properties": properties, "additionalProperties": False}
