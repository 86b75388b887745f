"""`Age`: how old something must be, as operators write it: 90d, 12h, 4w."""

import re
from typing import Any

import click

UNITS_S = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
AGE = re.compile(r"([1-9][0-9]{0,5})([hdw])")


class Age(click.ParamType[float]):
    """In seconds. An hour at least: readers stand within the last minutes."""

    name = "AGE"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        found = AGE.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no age such as 90d, 12h or 4w.", param, context)
        return float(int(found[1]) * UNITS_S[found[2]])
