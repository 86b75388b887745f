"""`Documents`: both documents of an application, made once in each worker, when they are first asked for."""

from functools import cached_property
from typing import Any

from flask import Flask
from flask import Request

from chatapp.web.documents.asyncapi import asyncapi
from chatapp.web.documents.openapi import ROOT
from chatapp.web.documents.openapi import openapi


class Documents:
    """It takes a twentieth of a second. Where the service stands is told by each request: proxies may say it."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def _openapi(self) -> dict[str, Any]:
        return openapi(self._app)

    @cached_property
    def _asyncapi(self) -> dict[str, Any]:
        return asyncapi()

    def openapi(self, request: Request) -> dict[str, Any]:
        return {**self._openapi, "servers": [{"url": f"{request.root_path}{ROOT}"}]}

    def asyncapi(self, request: Request) -> dict[str, Any]:
        here = {"host": request.host, "protocol": request.scheme, "pathname": request.root_path or "/"}
        return {**self._asyncapi, "servers": {"here": here}}
