"""Says whether a closed writer sends a value that its schema, as written, allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.compatibility.schemas.matching import matches
from harness.compatibility.schemas.shapes import Shape, as_object
from harness.compatibility.schemas.side import Node, Side
from harness.model.values import Json, pointer

ROUNDS_MAX = 60


class Closing:
    """Finds undeclared names in values, looking only at the branches that a value takes."""

    def __init__(self, side: Side, valid: Callable[[Node], Callable[[Json], bool] | None]) -> None:
        """Use this side; ``valid`` gives the test of a schema as written."""
        self._side = side
        self._valid = valid

    def sends(self, node: Node, value: Json) -> bool:
        """Say whether every member name in the value is one the writer declares."""
        if not isinstance(value, dict | list):
            return True
        shape = self._settled(node, value)
        if isinstance(value, list):
            return all(
                self._inside(self._side.item_node(shape, index), item)
                for index, item in enumerate(value)
            )
        declared = {n for _, s in shape.members for n in as_object(s.get("properties"))}
        spoken = any(_OPENING & s.keys() for _, s in shape.members)
        patterns = [p for _, s in shape.members for p in as_object(s.get("patternProperties"))]
        for name, member in value.items():
            known = name in declared or name in shape.required
            known = known or any(matches(p, name) for p in patterns)
            if declared and not spoken and not known:
                return False
            if not self._inside(self._side.property_node(shape, name), member):
                return False
        return True

    def _inside(self, node: Node | None, value: Json) -> bool:
        return node is None or self.sends(node, value)

    def _settled(self, node: Node, value: Json) -> Shape:
        """Return what all the schemas say that this value meets."""
        shape = self._side.shape(node)
        for _ in range(ROUNDS_MAX):
            if shape.unions:
                union = shape.unions[0]
                taken = [i for i in range(union.branches) if self._meets(union.branch(i), value)]
                for branch in taken or [-1]:
                    node = node.choosing(union.pointer, union.keyword, branch)
            else:
                met = self._met(shape, value) - set(node.pointers)
                if not met:
                    break
                node = Node(tuple(sorted({*node.pointers, *met})), node.choices)
            shape = self._side.shape(node)
        return shape

    def _met(self, shape: Shape, value: Json) -> set[str]:
        """Return the schemas that stand under a condition which the value meets."""
        found: set[str] = set()
        for where, schema in shape.members:
            if "if" in schema:
                met = self._meets(f"{where}/if", value)
                found |= {f"{where}/if"} if met else set()
                branch = "then" if met else "else"
                found |= {f"{where}/{branch}"} if branch in schema else set()
            dependent = as_object(schema.get("dependentSchemas"))
            if isinstance(value, Mapping):
                present = (n for n in dependent if n in value)
                found |= {where + pointer("dependentSchemas", n) for n in present}
        return {self._side.target(p) for p in found}

    def _meets(self, where: str, value: Json) -> bool:
        test = self._valid(self._side.node(where))
        return test is None or test(value)


_OPENING = frozenset({"additionalProperties", "unevaluatedProperties"})
