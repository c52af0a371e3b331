# SPDX-License-Identifier: Apache-2.0
"""What every HTTP server of the tests is made of: HTTP/1.1 on loopback in threads of its own, which keeps still, takes
clients that go away for a part of the tests, and can end a connection badly. How a server misbehaves is its own affair:
service.py and server.py do so by rule, fault_server.py and call_server.py by path, registry_server.py by settings."""

import http.server
import os
import socket
import ssl
import struct
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection. Subclasses say in serve() what happens to a request of any method."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self):
        try:
            self.serve()
            self.wfile.flush()
        except (OSError, ValueError):  # the client is gone, or the connection was reset
            self.close_connection = True

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def drop(self, is_reset=False):
        """Closes once the request is done with: properly, or with RST."""
        self.close_connection = True
        if is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def reset(self):
        """Closes with RST, at once."""
        self.drop(True)
        os.close(self.connection.detach())


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    context = None  # of TLS; each connection shakes hands in its own thread

    def handle_error(self, request, client_address):
        pass  # a client that goes away is part of the tests

    def finish_request(self, request, client_address):
        if not self.context:
            return super().finish_request(request, client_address)
        with self.context.wrap_socket(request, server_side=True) as wrapped:
            return super().finish_request(wrapped, client_address)


class Loopback:
    """A listener with its thread. Start with start(), end with stop(), or use it as a context manager. `tls` is what
    load_cert_chain() takes; its connections know this object as server.owner."""

    def __init__(self, handler, address="127.0.0.1", tls=None, client_ca=None):
        self.stopping = threading.Event()
        self._scheme = "https" if tls else "http"
        self._listener = Listener((address, 0), handler)
        self._listener.owner = self
        if tls:
            self._listener.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._listener.context.load_cert_chain(*tls)
        if client_ca:
            self._listener.context.verify_mode = ssl.CERT_REQUIRED
            self._listener.context.load_verify_locations(client_ca)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self):
        return self._listener.server_port

    @property
    def host(self):
        """"ADDRESS:PORT", as references have it."""
        return "%s:%d" % self._listener.server_address[:2]

    @property
    def url(self):
        return f"{self._scheme}://{self.host}"

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def serve_for_parent(*servers):
    """For servers that are programs: prints the ports in one line (0 for None), and serves until the input closes."""
    ports = [server.start().port if server else 0 for server in servers]
    sys.stdout.write(" ".join(map(str, ports)) + "\n")  # one write, also where Python does not buffer
    sys.stdout.flush()
    sys.stdin.read()
