# SPDX-License-Identifier: Apache-2.0
"""An HTTP server on loopback for test_http_call.c: what registries do with requests that have methods and bodies. It
prints three ports: plain, TLS, and TLS that wants a client certificate (both 0 without a directory of certificates as
argument), and serves until its input closes.

/echo            reads the body, answers "METHOD LENGTH SHA256" and the headers that came, one a line
/early/CODE      answers CODE after 64 KiB of the body, at once if "100 Continue" is asked for; drains what still comes
/lost            reads the body and closes without an answer     /moved     307 to /echo
/half-headers    breaks off in the middle of the headers of a 401
/answer/CODE/N   CODE with N bytes of "x"                        /hang      reads the body, never answers
/deaf            never reads the body                            /headers   103, then odd headers, then a trailer
/range           200,000 bytes, honours Range                    /broken/CODE  CODE, 400 of 1000 bytes, then closes
/drip            200 and a byte every 100 ms                     /encoded/CODE  CODE, Content-Encoding: gzip
/slow            reads the body, answers after 50 ms             /most      most at once of /slow
/count/KEY       how often requests with this path came, reset without an answer after the first on a connection
"""
import hashlib
import random
import socket
import sys
import threading
import time

import loopback

lock = threading.Lock()
stats = {"now": 0, "most": 0}
seen = {}
blob = random.Random(1).randbytes(200000)


class Handler(loopback.Handler):
    wbufsize = 65536

    def answer(self, code, body=b"", **headers):
        super().answer(code, body, **headers)
        self.wfile.flush()  # before the rest of a body is drained

    def read_body(self):
        left = int(self.headers.get("Content-Length", 0))
        digest = hashlib.sha256()
        while left:
            got = self.rfile.read(min(left, 65536))
            if not got:
                break
            left -= len(got)
            digest.update(got)
        return digest.hexdigest()

    def drain(self):
        self.close_connection = True
        self.connection.settimeout(5)
        try:
            self.connection.shutdown(socket.SHUT_WR)
            while self.connection.recv(65536):
                pass
        except OSError:
            pass

    def handle_expect_100(self):
        if not self.path.startswith("/early/"):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
            return True
        self.answer(int(self.path.split("/")[2]), b"no", WWW_Authenticate="Bearer", Connection="close")
        self.drain()
        return False

    def serve(self):
        _, kind, *rest = self.path.split("/")
        if kind == "echo":
            digest = self.read_body()
            lines = ["%s %s %s" % (self.command, self.headers.get("Content-Length"), digest)]
            lines += ["%s: %s" % item for item in self.headers.items()]
            self.answer(200, "\n".join(lines).encode())
        elif kind == "early":
            self.rfile.read(65536)
            self.answer(int(rest[0]), b"no", WWW_Authenticate="Bearer", Connection="close")
            self.drain()
        elif kind == "lost":
            self.read_body()
            self.close_connection = True
        elif kind == "half-headers":
            self.read_body()
            self.wfile.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Au")
            self.close_connection = True
        elif kind == "moved":
            self.read_body()
            self.answer(307, b"there", Location="/echo")
        elif kind == "answer":
            self.read_body()
            self.answer(int(rest[0]), b"x" * int(rest[1]), Retry_After="7")
        elif kind == "hang":
            self.read_body()
            time.sleep(5)
            self.close_connection = True
        elif kind == "deaf":
            time.sleep(5)
            self.close_connection = True
        elif kind == "headers":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n"
                             b"HTTP/1.1 201 Created\r\nLocation:   /v2/x?_state=a:b  \r\nX-Folded: one\r\n  two\r\n"
                             b"X-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: late\r\n\r\n")
        elif kind == "range":
            wanted = self.headers.get("Range")
            start = int(wanted.split("=")[1].split("-")[0]) if wanted else 0
            headers = {"Content_Range": "bytes %d-%d/%d" % (start, len(blob) - 1, len(blob))} if wanted else {}
            self.answer(206 if wanted else 200, blob[start:], **headers)
        elif kind == "broken":
            self.wfile.write(b"HTTP/1.1 %s Here\r\nContent-Length: 1000\r\n\r\n" % rest[0].encode() + b"x" * 400)
            self.close_connection = True
        elif kind == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(30):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        elif kind == "encoded":
            self.answer(int(rest[0]), b"x" * 5, Content_Encoding="gzip")
        elif kind == "slow":
            with lock:
                stats["now"] += 1
                stats["most"] = max(stats["most"], stats["now"])
            self.read_body()
            time.sleep(0.05)
            with lock:
                stats["now"] -= 1
            self.answer(201)
        elif kind == "most":
            self.answer(200, str(stats["most"]).encode())
        elif kind == "count":
            self.read_body()
            with lock:
                seen[self.path] = seen.get(self.path, 0) + 1
            if getattr(self, "is_used", False):
                self.drop(True)
            else:
                self.answer(200, str(seen[self.path]).encode())
        else:
            self.answer(404, b"not here")
        self.is_used = True


folder = sys.argv[1] if len(sys.argv) > 1 else None
keys = {"tls": (f"{folder}/server.pem", f"{folder}/server.key")}
loopback.serve_for_parent(
    loopback.Loopback(Handler), loopback.Loopback(Handler, **keys) if folder else None,
    loopback.Loopback(Handler, **keys, client_ca=f"{folder}/ca.pem") if folder else None)
