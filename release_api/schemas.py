"""Shapes that every part of the release API shares."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from django.contrib.auth.models import User
from ninja import Path, Query, Schema
from pydantic import BeforeValidator, ConfigDict, Field

from deployments.policy.text import PLAIN_PATTERN

if TYPE_CHECKING:
    from django.db.models import QuerySet

MAX_LIMIT = 100
# What a database's whole numbers and positions can hold.
_MAX_ID = 2**63 - 1
_MAX_OFFSET = 2**31 - 1

ObjectId = Annotated[int, Path(ge=1, le=_MAX_ID)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items at most.")]
Offset = Annotated[int, Query(ge=0, le=_MAX_OFFSET, description="How many items to leave out from the front.")]

_NUMBER = "(0|[1-9][0-9]{0,14})"
_IDENTIFIER = "(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_TAIL = rf"(-{_IDENTIFIER}(\.{_IDENTIFIER})*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
# Leaves out what is no version at all. Which versions can be taken is for the services to say.
VERSION = rf"^{_NUMBER}(\.{_NUMBER}(\.{_NUMBER})?{_TAIL})?$"


def _read_whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# JSON has one kind of number: 50.0 is a whole one.
WHOLE = BeforeValidator(_read_whole)
# In the document only: services refuse the same, and say where it stands.
Text = Annotated[str, Field(json_schema_extra={"pattern": PLAIN_PATTERN})]
PlatformName = Literal["ios", "android", "huawei"]
BuildTargetName = Literal["production", "staging"]
BuildStatusName = Literal["pending", "running", "success", "failed", "canceled"]
StoreStatusName = Literal["none", "approved", "live"]
RoleName = Literal["viewer", "release_manager", "admin"]


class Input(Schema):
    """A JSON body. Values of another type are refused, not converted; so are fields that are not of the request."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)


class ErrorDetail(Schema):
    code: str = Field(description="What kind of refusal it is, for programs.", examples=["invalid_input"])
    message: str = Field(description="What is wrong, with which value, and what to do.")
    fields: dict[str, str] = Field({}, description="Input → what is wrong with it. Absent where it is about none.")


class ErrorOut(Schema):
    """Every refusal and failure looks like this."""

    error: ErrorDetail


def describe_error(code: str, message: str, fields: dict[str, str] | None = None) -> dict[str, Any]:
    """The body of an `ErrorOut`."""
    return {"error": {"code": code, "message": message, **({"fields": fields} if fields else {})}}


class Page(Schema):
    """One part of a list. `items` stands in each page's own class."""

    count: int = Field(description="How many there are in all.")


def cut(rows: "QuerySet[Any]", limit: int, offset: int) -> tuple[list[Any], int]:
    """The rows of one page, and how many there are in all. Two queries."""
    return list(rows[offset : offset + limit]), rows.order_by().count()


def read_name(user: User | None) -> str | None:
    """The name that a person signs in with; None for one who is gone, or was none."""
    return user.get_username() if user else None
