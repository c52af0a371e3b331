# SPDX-License-Identifier: Apache-2.0
"""A slow way to a server: passes bytes of TCP connections on, in either direction so many a second for all of them together."""

import socket
import threading
import time


class SlowWay:
    def __init__(self, host, rate):
        self.target, self.rate = host, rate
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096) # what it holds has not come to an end for who sends
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.turn, self.sockets, self.due = threading.Lock(), [], 0

    def start(self):
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()
        for each in self.sockets:
            each.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                name, port = self.target.split(":")
                server = socket.create_connection((name, int(port)))
            except OSError:
                return
            self.sockets += [client, server]
            for way in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=way, daemon=True).start()

    def _pass(self, source, sink):
        try:
            while piece := source.recv(8192):
                with self.turn: # until a point in time: what a busy machine sleeps too long does not add up
                    self.due = max(self.due, time.monotonic() - 0.1) + len(piece) / self.rate
                    time.sleep(max(0, self.due - time.monotonic()))
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
