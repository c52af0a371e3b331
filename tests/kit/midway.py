# SPDX-License-Identifier: Apache-2.0
"""Of a run against the host's mirror: which images it could not give because it is in the middle of an update.

An image is left out only when all of this holds; else it has failed:
- it failed with exit class 6 (the index is not there, or there is another one), or with 3 (as programs before 0.3.0 say of another one);
- the message names an index of the mirror;
- the mirror itself, asked here without the program, does not give the bytes that its own Release lists.
A run that built no image at all raises, whatever the reasons.
"""

import hashlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

from . import run

INDEX = re.compile(r"(\S+/(?:Contents|Packages)\S*) of (\S+) of (https?://[^\s:]+(?::\d+)?[^\s:]*)")


def fetch(url):
    """The bytes, or None when the server answers with another status than 200."""
    is_here = urllib.parse.urlsplit(url).hostname == "127.0.0.1"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(*([{}] if is_here else [])))
    try:
        with opener.open(url, timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError:
        return None


def gives(uri, suite, name):
    """Whether a mirror gives an index with the digest that its own Release lists (true also when it lists none)."""
    dists = f"{uri.rstrip('/')}/dists/{suite}"
    release = fetch(f"{dists}/InRelease")
    listed = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(name)}$", (release or b"").decode(), re.M)
    if not listed:
        return True
    places = [f"{name.rpartition('/')[0]}/by-hash/SHA256/{listed[1]}", name]
    return any(hashlib.sha256(fetch(f"{dists}/{place}") or b"").hexdigest() == listed[1] for place in places)


def is_mirrors(error):
    """Whether one error of the report names an index that the mirror itself does not give."""
    named = INDEX.search(error["text"])
    return named is not None and not gives(named[3], named[2], named[1])


def describe(errors):
    """The texts of errors, each with its class."""
    return "\n".join(f"[exit class {error['exit']}] {error['text']}" for error in errors)


def look(report):
    """(left out, failed), each {image: what the program said of it}, of what --json printed."""
    left_out, failed = {}, {}
    for image in report["images"]:
        if image["status"] != "failed":
            continue
        errors = [order["error"] for order in image["architectures"] if order.get("error")] or [image["error"]]
        is_left_out = all(error["exit"] in (run.NETWORK, run.TRUST) and is_mirrors(error) for error in errors)
        (left_out if is_left_out else failed)[image["image"]] = describe(errors)
    if len(left_out) + len(failed) == len(report["images"]):
        raise RuntimeError(f"not one image was built: {left_out | failed}")
    for name, text in left_out.items():
        print(f"left out: image {name}: the mirror is in the middle of an update: {text}", file=sys.stderr)
    return left_out, failed
