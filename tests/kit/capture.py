# SPDX-License-Identifier: Apache-2.0
"""The other origin: a server on 127.0.0.2 that keeps every Authorization header it is sent, and ways to lead a client
there. As the target of an upload or download it does the work on the registry with the registry's own secret, as object
stores with signed URLs do."""

import base64
import json

from .faultproxy import FaultProxy
from .service import Answer, Service


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Origin(FaultProxy):
    """With `upstream` it passes requests on (with `inject`, which does not count as captured); without, everybody who
    asks gets a token."""

    def __init__(self, upstream=None, inject=None, address="127.0.0.2"):
        super().__init__(upstream, address, inject=inject)

    def answer(self, request):
        if self.upstream:
            return super().answer(request)
        return Answer(200, json.dumps({"token": "of-the-other-origin"}).encode(), {"Content-Type": "application/json"})


class RealmElsewhere(Service):
    """A registry whose challenge names a token service at `realm`."""

    def __init__(self, realm):
        super().__init__()
        self.realm = realm

    def answer(self, request):
        return Answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
                      {"WWW-Authenticate": f'Bearer realm="{self.realm}",service="kit",scope="repository:a/b:pull"',
                       "Content-Type": "application/json", "Docker-Distribution-Api-Version": "registry/2.0"})


def location_to(origin):
    """A fault's `change`: the Location of the answer leads to the other origin."""
    def change(request, answer):
        location = answer.headers.get("Location")
        if location:
            path = "/" + location.split("/", 3)[3] if "://" in location else location
            answer.headers["Location"] = origin.url + path
    return change


def redirect_to(origin, status=307):
    """A fault's `change`: a redirect to the same target at the other origin instead of the answer."""
    def change(request, answer):
        answer.status, answer.body, answer.headers = status, b"", {"Location": origin.url + request.target}
    return change
