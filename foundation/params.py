"""The base of all parameters: what a result depends on besides data and code."""

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Goes by value into the digest that a step's result is kept under."""

    model_config = ConfigDict(frozen=True, extra="forbid")
