# SPDX-License-Identifier: Apache-2.0
"""Where nights are played: a folder with repositories that change, their mirror, a registry with a proxy before it, and the files of
a site."""

import contextlib
import os
import time

from kit import faultproxy, gpg, registry, server

from . import upstream


class Wrong(AssertionError):
    """A promise that did not hold."""


def want(condition, text):
    if not condition:
        raise Wrong(text)


def gpg_time(days_back):
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() - days_back * upstream.DAY))


class Place:
    """close() ends it."""

    def __init__(self, top, nights):
        self.top, self.nights = top, nights
        self.ring = gpg.Ring()
        self.ring.get("main", created=gpg_time(nights + 2))
        self._stack = contextlib.ExitStack()
        self._stack.callback(self.ring.close)
        self.upstream = upstream.Upstream(os.path.join(top, "upstream"), self.ring.get("main"))
        self.mirror = self._serve(server.Server(top))
        self.registry = self._serve(registry.Registry(os.path.join(top, "registry")))
        self.proxy = self._serve(faultproxy.FaultProxy(self.registry.url))
        os.makedirs(os.path.join(top, "home"))
        self.write("deb.yaml", f"kind: deb\nuris: [{self.mirror.url}/deb]\nsuites: [{', '.join(upstream.SUITES)}]\n"
                               f"components: [main]\nkeys: [{self.ring.get('main').keyring}]\n")

    def close(self):
        self._stack.close()

    def _serve(self, service):
        service.start()
        self._stack.callback(service.stop)
        return service

    def write(self, name, text):
        """A file of the site."""
        path = os.path.join(self.top, "site", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return path

    def make(self, days_back, kinds):
        """A new generation of the repositories, of one hour before a night (each some seconds after the one before)."""
        self.ring.get("main").now = gpg_time(days_back)
        return self.upstream.publish(time.time() - days_back * upstream.DAY - 3600 + len(self.upstream.generations), kinds)
