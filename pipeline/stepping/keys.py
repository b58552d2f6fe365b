"""Names results by what they follow from: code, parameters, and the keys of the results that went in."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from foundation.tools import Tools
from pipeline.stepping.code_digest import digest_code


class ValueWithoutKey(TypeError):
    """A step was given something that no step has left, so that its result would have no name."""

    def __init__(self, value: object) -> None:
        super().__init__(
            f"a {type(value).__qualname__} has no key: give a step what another step returned, "
            "a record in such a result, or plain parameters"
        )


class Keys:
    """Remembers the key of every result of a run, and of the records inside it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, str]] = {}

    def remember(self, result: object, key: str) -> None:
        """From now on the result, and each record in it, goes into the keys of what follows from it."""
        # The value is kept too: once it is gone, another one could have its id.
        self._known.setdefault(id(result), (result, key))
        for each in fields(result) if is_dataclass(result) else ():
            if is_dataclass(value := getattr(result, each.name)):
                self.remember(value, f"{key}/{each.name}")

    def build(
        self, function: Callable[..., object], inputs: Sequence[Any], options: Mapping[str, Any]
    ) -> str:
        """A digest of what a function returns, before it is called; ValueWithoutKey names what hinders that.

        Tools change no result, and are left out.
        """
        facts = {
            "code": [digest_code(function.__module__), function.__qualname__],
            "inputs": [self._describe(value) for value in inputs],
            "options": {
                name: self._describe(value) for name, value in options.items() if not isinstance(value, Tools)
            },
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]

    def _describe(self, value: Any) -> Any:
        """The key of a result, or what else tells a value from others."""
        if id(value) in self._known:
            return {"key": self._known[id(value)][1]}
        match value:
            case None | bool() | int() | float() | str():
                return value
            case BaseModel():
                return value.model_dump(mode="json")
            case dict():
                return {name: self._describe(each) for name, each in value.items()}
            case _ if is_dataclass(value):
                return {each.name: self._describe(getattr(value, each.name)) for each in fields(value)}
            case _:
                raise ValueWithoutKey(value)
