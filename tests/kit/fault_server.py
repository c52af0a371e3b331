# SPDX-License-Identifier: Apache-2.0
"""An HTTP server on loopback with faults on request, for test_http.c. It prints its port and, when a file with
certificate and key is given, that of the same over TLS (else 0), and serves until its input closes.

/ok/BYTES            BYTES bytes of "x"               /status/CODE          that status
/flaky/CODE/N/KEY    CODE for the first N requests    /cut/N/KEY            cuts the first N answers in the middle
/after/S/KEY         503 with Retry-After: S once     /chunked/BYTES        a chunked answer, endless for 0
/redirect/N          N redirects, then /ok/5          /to?URL               redirects to URL
/encoded             claims Content-Encoding: gzip    /headers              sends headers without end
/html                a page with status 200           /hang                 never answers
/slow/MS             answers after MS milliseconds    /stats                "most at once, connections"
/reset/N/KEY         resets the first N connections   /order                the paths below /ok and /slow, in order
/tell                the headers that came            /tries/PATH           how often PATH was asked for
/loop                redirects to itself              /ranges/PATH          the Range headers of PATH's requests
/part/B/CUT/N/KEY    B bytes, ranges obeyed, the first N answers cut after CUT bytes
/bad/B/CUT/KEY       B bytes "y", cut after CUT       /drip/B/RATE          B bytes, ranges obeyed, RATE bytes a second
anything else: 404
"""
import os
import sys
import threading
import time
import urllib.parse

import loopback

lock = threading.Lock()
seen = {}
order = []
ranges = {}
stats = {"now": 0, "most": 0, "connections": 0}


def count(key):
    with lock:
        seen[key] = seen.get(key, 0) + 1
        return seen[key]


class Handler(loopback.Handler):
    wbufsize = 65536

    def setup(self):
        with lock:
            stats["connections"] += 1
        super().setup()

    def cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 400)
        self.drop()

    def note_range(self, path):
        with lock:
            ranges.setdefault(path, []).append(self.headers.get("Range", "none"))

    def begin_part(self, total):
        """The head of an answer to a request that may ask for a range; gives how many bytes are to follow."""
        asked = self.headers.get("Range", "")
        start = int(asked[len("bytes="):-1]) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        return total - start

    def part(self, path, total, cut, times):
        self.note_range(path)
        left = self.begin_part(total)
        if count(path) <= times:
            self.wfile.write(b"x" * min(cut, left))
            self.drop()
        else:
            self.wfile.write(b"x" * left)

    def bad(self, path, total, cut):
        self.note_range(path)
        self.begin_part(total)
        self.wfile.write(b"y" * cut)
        self.drop()

    def drip(self, path, total, rate):
        self.note_range(path)
        left = self.begin_part(total)
        while left:
            piece = min(left, max(1, rate // 50))
            self.wfile.write(b"x" * piece)
            self.wfile.flush()
            left -= piece
            time.sleep(piece / rate)

    def chunked(self, total):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        while not total or sent < total:
            size = min(4096, total - sent) if total else 4096
            self.wfile.write(b"%x\r\n" % size + b"x" * size + b"\r\n")
            sent += size
        self.wfile.write(b"0\r\n\r\n")

    def endless_headers(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-Filler: " + b"y" * 1000 + b"\r\n")

    def serve(self):
        with lock:
            stats["now"] += 1
            stats["most"] = max(stats["most"], stats["now"])
        try:
            self.serve_path()
            self.wfile.flush()
        finally:
            with lock:
                stats["now"] -= 1

    def serve_path(self):
        path, _, query = self.path.partition("?")
        kind, *rest = path.strip("/").split("/")
        if kind in ("ok", "slow"):
            with lock:
                order.append(path)
        if kind == "ok":
            self.answer(200, b"x" * int(rest[0]))
        elif kind == "status":
            self.answer(int(rest[0]), b"the reason")
        elif kind == "flaky":
            failed = count(path) <= int(rest[1])
            self.answer(int(rest[0]) if failed else 200, b"x" * 5)
        elif kind == "cut":
            self.cut() if count(path) <= int(rest[0]) else self.answer(200, b"x" * 1000)
        elif kind == "reset":
            self.drop(True) if count(path) <= int(rest[0]) else self.answer(200, b"x" * 5)
        elif kind == "after":
            if count(path) == 1:
                self.answer(503, Retry_After=rest[0])
            else:
                self.answer(200, b"x" * 5)
        elif kind == "chunked":
            self.chunked(int(rest[0]))
        elif kind == "redirect":
            left = int(rest[0])
            self.answer(302, b"moved", Location="/redirect/%d" % (left - 1) if left else "/ok/5")
        elif kind == "to":
            self.answer(302, b"moved", Location=urllib.parse.unquote(query))
        elif kind == "loop":
            self.answer(302, Location="/loop")
        elif kind == "encoded":
            self.answer(200, b"x" * 5, Content_Encoding="gzip")
        elif kind == "headers":
            self.endless_headers()
        elif kind == "html":
            self.answer(200, b"\n<!DOCTYPE html><html>log in</html>")
        elif kind == "hang":
            time.sleep(60)
        elif kind == "slow":
            time.sleep(int(rest[0]) / 1000)
            self.answer(200, b"x" * 5)
        elif kind == "part":
            self.part(path, int(rest[0]), int(rest[1]), int(rest[2]))
        elif kind == "bad":
            self.bad(path, int(rest[0]), int(rest[1]))
        elif kind == "drip":
            self.drip(path, int(rest[0]), int(rest[1]))
        elif kind == "ranges":
            with lock:
                self.answer(200, " ".join(ranges.get("/" + "/".join(rest), [])).encode())
        elif kind == "tell":
            self.answer(200, "\n".join("%s: %s" % item for item in self.headers.items()).encode())
        elif kind == "tries":
            with lock:
                self.answer(200, str(seen.get("/" + "/".join(rest), 0)).encode())
        elif kind == "stats":
            with lock:
                self.answer(200, ("%(most)d %(connections)d" % stats).encode())
        elif kind == "order":
            with lock:
                self.answer(200, " ".join(order).encode())
        else:
            self.answer(404, b"not here")


certificate = [sys.argv[1]] if len(sys.argv) > 1 and os.path.exists(sys.argv[1]) else None
loopback.serve_for_parent(loopback.Loopback(Handler), loopback.Loopback(Handler, tls=certificate) if certificate else None)
