"""An installation with rows in every table, of every kind of value; and what it holds, as text.

Run on an installation: `python -m tests.config.everything fill` or `show`. It learns the tables and
their fields from the models: what is new in them is filled and shown too.
"""

import hashlib
import json
import sys
from datetime import UTC, date, datetime
from typing import Any

import django

ROWS = 3
LEASED = {"lease_owner", "lease_until"}
# What a careless copy would change: quotes, both slashes, line ends, what is not ASCII or not in
# the first plane, what a text format of PostgreSQL means something by.
TEXT = "\\.\t\\N 'a' \"b\" \r\n\x7f ñ Ω 漢 \U0001f4e8 {1,2} \\x00 %s"
TIMES = (
    datetime(2026, 1, 31, 9, 30, 0, tzinfo=UTC),
    datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
DATES = (date(2026, 1, 31), date(1, 1, 1), date(9999, 12, 31))
OCTETS = (b"\0", bytes(range(256)) * 4, b"\\x00" + b"\xff" * 100_000)
JSON: tuple[Any, ...] = (
    {},
    {"text": TEXT, "list": [1, 2.5, None, True], "deep": {"z": {"a": []}}},
    [2**53, -1, 1e-9, "ñ"],
)
NUMBERS = (0.1, -1e300, 5e-324)
WHOLE = (0, 1, 2_147_483_647)
LARGE = (0, -1, 9_223_372_036_854_775_807)


def fill() -> None:
    """Some rows more in each table; the first has NULL wherever it may."""
    from django.contrib.sessions.models import Session

    from buzon.config.backup.tables import shapes
    from buzon.web.models import FailedTry

    made: dict[type, list[Any]] = {}
    models = {model._meta.db_table: model for model in every_model()}
    for shape in shapes():
        model, columns = models[shape.name], {column.name for column in shape.columns}
        made[model] = [_made(model, columns, number, made) for number in range(ROWS)]
    FailedTry.objects.order_by("pk").last().delete()  # its key is not to be given again
    Session.objects.create(session_key="s", session_data="{}", expire_date=TIMES[0])


def show() -> dict[str, list[dict[str, str]]]:
    """Every row of every table, by the ORM."""
    return {
        model._meta.db_table: [
            {name: _shown(value) for name, value in row.items()}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in every_model()
    }


def every_model() -> list[Any]:
    from django.apps import apps

    return [m for m in apps.get_models(include_auto_created=True) if m._meta.managed]


def _made(model: Any, columns: set[str], number: int, made: dict[type, list[Any]]) -> Any:
    """`columns`: those that are not made anew by themselves; a key is given where it must be."""
    row = model()
    for field in model._meta.local_concrete_fields:
        if field.column in columns and not field.get_internal_type().endswith("AutoField"):
            setattr(row, field.attname, _value(field, number, made))
    if model.__name__ == "Notification":  # it is for one, an agent or a login
        row.agent_id = None if number == 0 else row.agent_id
        row.user_id = (
            made[model._meta.get_field("user").related_model][0].pk if number == 0 else None
        )
    row.save_base(raw=True)  # as it is: no field makes its own value
    return row


def _value(field: Any, number: int, made: dict[type, list[Any]]) -> Any:
    if field.null and number == 0:
        return None
    if field.is_relation:
        return made[field.related_model][number].pk
    values = _VALUES[field.get_internal_type()]
    if isinstance(values, tuple):
        return values[number]
    return values(field, number)


def _text(field: Any, number: int) -> str:
    """As long as it may be; different in each row, for what has to be unique."""
    text = f"{number}{field.name}" if number == 0 else f"{number}{TEXT}"
    return (text * (field.max_length or 1000))[: field.max_length or 5000]


_VALUES: dict[str, Any] = {
    "CharField": _text,
    "TextField": _text,
    "BooleanField": (False, True, False),
    "PositiveSmallIntegerField": (0, 1, 32_767),
    "IntegerField": WHOLE,
    "PositiveIntegerField": WHOLE,
    "BigIntegerField": LARGE,
    "FloatField": NUMBERS,
    "DateTimeField": TIMES,
    "DateField": DATES,
    "JSONField": JSON,
    "BinaryField": OCTETS,
    "GenericIPAddressField": ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"),
}


def _shown(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return f"{len(value)} octets, {hashlib.sha256(bytes(value)).hexdigest()}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return repr(json.loads(json.dumps(value, sort_keys=True, default=str)))


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "fill":
        fill()
    else:
        print(json.dumps(show()))
