"""``driftgate rules`` and ``driftgate explain``: what can be reported, and why."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typing_extensions import override

from harness.model.errors import UsageError
from harness.model.finding import Category, Verdict
from harness.model.values import Json

if TYPE_CHECKING:
    from harness.compatibility.rules import Rule
    from harness.compatibility.rules.fixtures import Example
    from harness.conformance import ObservedRule

_RULES_EPILOG = """Examples:

  driftgate rules

  driftgate rules --category data-loss

  driftgate rules --traffic    (what a scan reports of live answers)

  driftgate rules --format markdown > RULES.md
"""
_EXPLAIN_EPILOG = """Examples:

  driftgate explain response-enum-value-added

  driftgate explain request-default-changed --format json
"""
_FORMATS = ("text", "json", "markdown")
_FormatOption = Annotated[
    str,
    typer.Option("--format", "-f", help="text, json or markdown.", metavar="FORMAT"),
]
_ADVICE = {
    Category.WIRE_REQUEST: "Go on accepting what old calls send, or publish a new version.",
    Category.WIRE_RESPONSE: "Go on sending what old clients read, or publish a new version.",
    Category.SDK_SOURCE: "Keep it, or tell the users of generated clients to generate them again.",
    Category.POLICY: "Ask the owner of the contract; where it is meant, accept it with a reason.",
    Category.DATA_LOSS: "Find out who sends or reads the value before it is gone.",
    Category.DOCS: "Read the words if they matter to you.",
}
_HARMLESS = "Nothing: old clients go on as before."


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("rules", epilog=_RULES_EPILOG)(rules)
    app.command("explain", epilog=_EXPLAIN_EPILOG)(explain)


def rules(
    category: Annotated[
        str | None,
        typer.Option(
            "--category", "-c", help=f"Only this one: {', '.join(c.value for c in Category)}."
        ),
    ] = None,
    traffic: Annotated[
        bool,
        typer.Option("--traffic", help="The rules of scan, which judge live traffic, instead."),
    ] = False,
    fmt: _FormatOption = "text",
) -> None:
    """List the rules of diff and gate: id, category, direction and why."""
    _checked_format(fmt)
    picked = _category(category)
    if traffic and picked is not None:
        msg = "--traffic takes no --category."
        raise UsageError(msg, remedy="What a scan finds is about the request or the answer it saw.")
    listed: list[dict[str, Any]]
    if traffic:
        from harness.conformance import RULES

        listed = [_observed_json(RULES[name]) for name in sorted(RULES)]
        head = ("id", "verdict", "severity", "why")
    else:
        rules = {**_gate_rules(), **_comparison_rules()}
        listed = [_rule_json(rules[name]) for name in sorted(rules)]
        listed = [r for r in listed if picked is None or r["category"] == picked.value]
        head = ("id", "category", "direction", "why")
    if fmt == "json":
        _write(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    rows = [tuple(str(rule[name] or "both") for name in head) for rule in listed]
    head = ("rule", *head[1:])
    _write(_markdown_table(head, rows) if fmt == "markdown" else _text_table(head, rows))


def explain(
    rule: Annotated[str, typer.Argument(help="The id of a rule, as a finding names it.")],
    fmt: _FormatOption = "text",
) -> None:
    """Explain one rule: why it matters, an example, a near miss and what to do."""
    from harness.compatibility.rules.fixtures import load_example
    from harness.conformance import RULES

    _checked_format(fmt)
    compared, gate = _comparison_rules(), _gate_rules()
    if rule in compared:
        found, example = compared[rule], load_example(rule)
        width = shutil.get_terminal_size((100, 24)).columns
        if fmt == "json":
            shown = json.dumps(_explained_json(found, example), indent=2, ensure_ascii=False)
        elif fmt == "markdown":
            shown = _explained_markdown(found, example)
        else:
            shown = _explained_text(found, example, width)
    elif rule in gate:
        known = _rule_json(gate[rule])
        shown = _plain({**known, "action": _ADVICE[gate[rule].category]}, fmt)
    elif rule in RULES:
        shown = _plain(_observed_json(RULES[rule]), fmt)
    else:
        raise _unknown(rule, sorted((*compared, *gate, *RULES)))
    _write(shown)


def _comparison_rules() -> dict[str, Rule]:
    from harness.compatibility.rules import catalogue

    return {rule.id: rule for rule in catalogue()}


def _gate_rules() -> dict[str, Rule]:
    from harness.gate.rules import RULES

    return dict(RULES)


def _checked_format(fmt: str) -> None:
    if fmt not in _FORMATS:
        msg = f"There is no format {fmt!r} here."
        raise UsageError(msg, remedy=f"Use {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}.")


def _category(text: str | None) -> Category | None:
    if text is None:
        return None
    try:
        return Category(text)
    except ValueError:
        names = [c.value for c in Category]
        msg = f"There is no category {text!r}."
        raise UsageError(msg, remedy=f"Use {', '.join(names[:-1])} or {names[-1]}.") from None


def _unknown(rule: str, known: Sequence[str]) -> UsageError:
    near = get_close_matches(rule, known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return UsageError(f"There is no rule {rule!r}.", remedy=f"{hint}driftgate rules lists all.")


def _write(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")


def _direction(rule: Rule) -> str:
    return rule.direction.value if rule.direction else "both"


def _action(rule: Rule, example: Example) -> str:
    harmless = example.verdict is Verdict.COMPATIBLE and rule.category is not Category.DOCS
    return example.action or (_HARMLESS if harmless else _ADVICE[rule.category])


def _rule_json(rule: Rule) -> dict[str, Any]:
    mirror = {"reason": rule.mirror} if rule.mirror.endswith(".") else {"rule": rule.mirror}
    return {
        "id": rule.id,
        "category": rule.category.value,
        "direction": rule.direction.value if rule.direction else None,
        "why": rule.why,
        "mirror": mirror,
    }


def _observed_json(rule: ObservedRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "verdict": rule.verdict.value,
        "severity": rule.severity.value,
        "why": rule.why,
        "action": rule.action,
    }


def _plain(rule: dict[str, Any], fmt: str) -> str:
    """Explain a rule that is not about two texts, so that there is no example to show."""
    if fmt == "json":
        return json.dumps(rule, indent=2, ensure_ascii=False)
    mirror = rule.pop("mirror", None)
    told = [(name, value) for name, value in rule.items() if name != "id" and value]
    told += [("mirror", text) for text in (mirror or {}).values()]
    if fmt == "markdown":
        return "\n".join([f"# `{rule['id']}`", "", *(f"- **{n}** {v}" for n, v in told)])
    return "\n".join([rule["id"], "", *(f"{n.capitalize():<12}{v}" for n, v in told)])


def _explained_json(rule: Rule, example: Example) -> dict[str, Any]:
    return {
        **_rule_json(rule),
        "action": _action(rule, example),
        "verdict": example.verdict.value,
        "example": {
            "around": example.around,
            "old": example.example.old,
            "new": example.example.new,
            **({"components": example.components} if example.components else {}),
            **({"settings": example.settings} if example.settings else {}),
        },
        "near_miss": {
            "old": example.near_miss.old,
            "new": example.near_miss.new,
            "why": example.near_miss_why,
        },
    }


def _fragment(value: Json) -> list[str]:
    import yaml

    if value is None:
        return ["(nothing)"]
    if isinstance(value, str):  # a GraphQL schema
        return value.splitlines()

    class _Plain(yaml.SafeDumper):
        """Writes what stands twice twice: an example is read, not stored."""

        @override
        def ignore_aliases(self, data: Any) -> bool:
            return True

    text: str = yaml.dump(
        value, Dumper=_Plain, sort_keys=False, default_flow_style=False, allow_unicode=True
    )
    return [line for line in text.splitlines() if line != "..."]


def _text_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head) - 1)]
    lines = [
        "  ".join((*(c.ljust(w) for c, w in zip(row[:-1], widths, strict=True)), row[-1]))
        for row in (head, *rows)
    ]
    count = "1 rule" if len(rows) == 1 else f"{len(rows)} rules"
    return "\n".join([*lines, "", f"{count}. driftgate explain RULE shows an example of one."])


def _markdown_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| `{name}` | {' | '.join(rest)} |" for name, *rest in rows]
    return "\n".join(lines)


def _explained_text(rule: Rule, example: Example, width: int) -> str:
    def told(title: str, text: str) -> list[str]:
        return wrap(f"{title}{text}", width, subsequent_indent=" " * len(title))

    lines = [
        f"{rule.id}  ({rule.category.value}, {_direction(rule)})",
        "",
        *told("Why         ", rule.why),
        *told("What to do  ", _action(rule, example)),
        *told("Mirror      ", rule.mirror),
        "",
        f"Example: {example.around}, {example.verdict.value}{_settings(example)}",
        *_side_by_side(_fragment(example.example.old), _fragment(example.example.new), width),
        "",
        *told("Near miss: ", example.near_miss_why),
        *_side_by_side(_fragment(example.near_miss.old), _fragment(example.near_miss.new), width),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _settings(example: Example) -> str:
    return "".join(f", {k.replace('_', ' ')} {v}" for k, v in example.settings.items())


def _side_by_side(old: list[str], new: list[str], width: int) -> list[str]:
    """Put the sides into two columns, or below each other where the terminal is too narrow."""
    column = max(map(len, (*old, "old")))
    if column + max(map(len, new)) + 6 > width:
        return ["  old", *(f"    {x}" for x in old), "  new", *(f"    {x}" for x in new)]
    return [
        f"  {left.ljust(column)}    {right}"
        for left, right in (("old", "new"), *zip_longest(old, new, fillvalue=""))
    ]


def _explained_markdown(rule: Rule, example: Example) -> str:
    mirror = rule.mirror if rule.mirror.endswith(".") else f"`{rule.mirror}`"
    lines = [
        f"# `{rule.id}`",
        "",
        rule.why,
        "",
        f"- **Category** {rule.category.value}",
        f"- **Direction** {_direction(rule)}",
        f"- **What to do** {_action(rule, example)}",
        f"- **Mirror** {mirror}",
        "",
        f"## Example: {example.around}, {example.verdict.value}{_settings(example)}",
        "",
        *_fenced("Old", example.example.old),
        *_fenced("New", example.example.new),
        f"## Near miss: {example.near_miss_why}",
        "",
        *_fenced("Old", example.near_miss.old),
        *_fenced("New", example.near_miss.new),
    ]
    return "\n".join(lines)


def _fenced(title: str, value: Json) -> list[str]:
    return [f"{title}:", "", "```yaml", *_fragment(value), "```", ""]
