# SPDX-License-Identifier: Apache-2.0
"""A reverse proxy in front of a real registry, with the faults of service.py."""

import http.client
import urllib.parse

from .service import Answer, Service

_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection", "expect"}


class FaultProxy(Service):
    """Passes requests to `upstream` (a URL), or to the first of `routes` [(path prefix, URL)] that fits. The Host is
    passed on, so that the registry's Locations lead through the proxy again. `inject` replaces request headers."""

    def __init__(self, upstream=None, address="127.0.0.1", tls=None, routes=(), inject=None):
        super().__init__(address, tls)
        self.upstream, self.routes, self.inject = upstream, list(routes), dict(inject or {})

    def _connect(self, request):
        base = next((url for prefix, url in self.routes if request.path.startswith(prefix)), self.upstream)
        return http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=60)

    def _head(self, connection, request):
        connection.putrequest(request.verb, request.target, skip_host=True, skip_accept_encoding=True)
        headers = {name: value for name, value in request.headers.items()
                   if name.lower() not in _HOP and name.lower() not in {injected.lower() for injected in self.inject}}
        if "Content-Length" not in headers and request.body:
            headers["Content-Length"] = str(len(request.body))
        for name, value in {**headers, **self.inject}.items():
            connection.putheader(name, value)
        connection.endheaders()

    def answer(self, request):
        connection = self._connect(request)
        try:
            self._head(connection, request)
            if request.body:
                connection.send(request.body)
            got = connection.getresponse()
            return Answer(got.status, got.read(), {name: value for name, value in got.getheaders()
                                                   if name.lower() not in _HOP})
        finally:
            connection.close()

    def partly(self, request, handler, body):
        connection = self._connect(request)
        try:
            self._head(connection, request)
            connection.send(body)
        finally:
            connection.close()
