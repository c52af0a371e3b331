# SPDX-License-Identifier: Apache-2.0
"""Holds values against a JSON Schema: the keywords that factory/bill/report.schema.json uses, and no value it does not tell of."""

import json
import os
import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
         "number": (int, float)}
KEYWORDS = {"$ref", "additionalProperties", "anyOf", "description", "enum", "items", "pattern", "properties", "required",
            "type"}


class Schema:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = json.load(file)

    def faults(self, value, name):
        """What is wrong with a value that has to be "#/$defs/NAME": sentences with the place."""
        return list(self._faults(value, self.root["$defs"][name], name))

    def _faults(self, value, schema, place):
        unknown = set(schema) - KEYWORDS
        assert not unknown, f"{place}: the kit does not know {unknown}"
        if "$ref" in schema:
            yield from self._faults(value, self.root["$defs"][schema["$ref"].removeprefix("#/$defs/")], place)
        if "anyOf" in schema:
            tried = [list(self._faults(value, choice, place)) for choice in schema["anyOf"]]
            if all(tried):
                yield from min(tried, key=len)
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place}: {value!r} is none of {schema['enum']}"
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
                             for kind in kinds):
            yield f"{place}: {value!r} is no {' or '.join(kinds)}"
        elif isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
            yield f"{place}: {value!r} is not like {schema['pattern']}"
        elif isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                yield from self._faults(item, schema["items"], f"{place}[{index}]")
        elif isinstance(value, dict) and kinds:
            yield from self._faults_of_members(value, schema, place)

    def _faults_of_members(self, value, schema, place):
        for key in set(schema.get("required", [])) - set(value):
            yield f"{place}: {key} is missing"
        for key, member in value.items():
            described = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if described is None:
                yield f"{place}: {key} is told nowhere"
            else:
                yield from self._faults(member, described, f"{place}.{key}")


REPORT = Schema(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "factory", "bill", "report.schema.json"))
