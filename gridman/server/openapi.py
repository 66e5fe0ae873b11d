"""The server's own description as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), made from what each address declares."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from gridman import __version__
from gridman.server.answers import Refused, status_of_code
from gridman.server.api import JSON, Address, Body, Caller, Said
from gridman.server.limits import Limits

__all__ = ["document"]

_REFERENCE = "#/components/schemas/{name}"
_TOKEN = {Caller.DESK: "desk", Caller.LEAVING: "desk", Caller.MONITOR: "monitor"}
_SCHEMES = {
    "desk": {"type": "http", "scheme": "bearer", "description": "The token that an enrolled desk was given."},
    "monitor": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token that `gridman street monitor` gives; not needed on the server's own computer.",
    },
}


def document(addresses: Iterable[Address], limits: Limits) -> dict[str, Any]:
    """The document of a server with these addresses and limits."""
    addresses = tuple(addresses)
    shapes = [s for a in addresses for s in (a.body.shape if a.body else None, *(said.shape for said in a.says)) if s]
    _schemas, components = msgspec.json.schema_components([*shapes, Refused], ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for address in addresses:
        paths[address.path][address.method.lower()] = _operation(address, limits)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gridman street server",
            "version": __version__,
            "description": "What desks, office scripts and monitors ask of a street server. Its pages for people are not listed.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(paths),
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def _operation(address: Address, limits: Limits) -> dict[str, Any]:
    described = (address.handler.__doc__ or "").strip()
    made: dict[str, Any] = {
        "operationId": address.handler.__name__,
        "description": " ".join(described.split()),
        "responses": _responses(address),
    }
    if address.params:
        made["parameters"] = [
            {"name": p.name, "in": p.place, "description": p.meaning, "required": p.is_required, "schema": dict(p.schema)}
            for p in address.params
        ]  # fmt: skip
    if address.body is not None:
        made["requestBody"] = _body(address.body, limits)
    if address.caller in _TOKEN:
        named: dict[str, list[str]] = {_TOKEN[address.caller]: []}
        made["security"] = [named] if address.caller is not Caller.MONITOR else [named, {}]
    return made


def _body(body: Body, limits: Limits) -> dict[str, Any]:
    most = getattr(limits, body.limit)
    schema = (
        _schema(body.shape) if body.shape is not None else {"type": "string", "format": "binary", "maxLength": most}
    )
    if body.rule:
        schema = {"allOf": [schema, dict(body.rule)]}
    return {
        "required": True,
        "description": f"{body.meaning} At most {most} bytes.".strip(),
        "content": {body.media_type: {"schema": schema}},
    }


def _responses(address: Address) -> dict[str, Any]:
    answers: dict[str, Any] = {str(said.status): _answer(said) for said in address.says}
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in sorted(address.codes):
        by_status[status_of_code(code)].append(code)
    for status, codes in sorted(by_status.items()):
        answers[str(status)] = _refused(address, "Refused: " + ", ".join(f"`{code}`" for code in codes))
        if status in (429, 503):
            answers[str(status)]["headers"] = {
                "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
            }
    answers["5XX"] = _refused(address, "The server is in trouble: `server.trouble`, `server.bug`.")
    return answers


def _refused(address: Address, meaning: str) -> dict[str, Any]:
    if address.method == "HEAD":
        return {"description": meaning}
    return {"description": meaning, "content": {JSON: {"schema": _schema(Refused)}}}


def _answer(said: Said) -> dict[str, Any]:
    made: dict[str, Any] = {"description": said.meaning}
    if said.shape is not None:
        made["content"] = {JSON: {"schema": _schema(said.shape)}}
    elif said.media_type:
        is_text = said.media_type.startswith("text/")
        made["content"] = {said.media_type: {"schema": dict(said.schema) or ({"type": "string"} if is_text else {})}}
    if said.headers:
        made["headers"] = {
            n: {"description": meaning, "schema": {"type": "string"}} for n, meaning in said.headers.items()
        }
    return made


def _schema(shape: Any) -> dict[str, Any]:
    (schema,), _components = msgspec.json.schema_components([shape], ref_template=_REFERENCE)
    return schema
