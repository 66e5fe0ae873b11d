"""The pages' style sheet, made of the same tokens as the desk's window (`resources/theme/tokens.json`)."""

import json
from functools import cache

from gridman.kernel.paths import resource

__all__ = ["style_sheet"]


@cache
def style_sheet() -> str:
    """CSS: the tokens as variables, light or dark as the browser likes, then the rules."""
    tokens = json.loads(resource("theme", "tokens.json").read_text(encoding="utf-8"))
    size, space = tokens["size"]["normal"], tokens["space"]
    plain = {f"space-{name}": f"{value}px" for name, value in space.items()}
    plain |= {name: f"{value / 14:.4f}rem" for name, value in size.items()} | {"radius": f"{tokens['radius']}px"}
    rules = resource("templates", "admin.css").read_text(encoding="utf-8")
    return (
        f":root{{color-scheme:light dark;{_variables(plain)}{_variables(tokens['light'])}}}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{{_variables(tokens['dark'])}}} }}\n"
        f"@media print {{ :root {{color-scheme:light;{_variables(tokens['light'])}}} }}\n{rules}"
    )


def _variables(values: dict[str, str]) -> str:
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in values.items())
