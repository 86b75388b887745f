"""Everything that depends on more of marshmallow than its documentation promises.

What would break it, in a new version of marshmallow: a field keeps what was given as `validate` somewhere else than in
`validators`, or its validators begin to say no by their return value instead of ValidationError.
"""

from typing import Any

from marshmallow import fields


def validate(field: fields.Field[Any], value: Any) -> None:
    """Run the field's validators alone, without the rest of loading. Raises ValidationError."""
    for check in field.validators:
        check(value)
