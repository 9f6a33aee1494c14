"""One spelling for a value of a schema, however it is written."""

from __future__ import annotations

import json

import graphql


def spelled(node: graphql.ValueNode) -> str:
    """Return a value with the members of objects in order and every text in one line."""
    if isinstance(node, graphql.ObjectValueNode):
        members = sorted(f"{f.name.value}: {spelled(f.value)}" for f in node.fields)
        return f"{{{', '.join(members)}}}"
    if isinstance(node, graphql.ListValueNode):
        return f"[{', '.join(map(spelled, node.values))}]"
    if isinstance(node, graphql.StringValueNode):
        return json.dumps(node.value, ensure_ascii=False)
    return graphql.print_ast(node)
