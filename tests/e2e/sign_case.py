# SPDX-License-Identifier: Apache-2.0
"""The base class of the tests of signatures: a registry, keys, and what hangs on an image there, read by hand."""

import base64
import json
import subprocess
import urllib.request

from base import PushCase, run

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ACCEPT = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
SECRET = "a secret kept"


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


class SignCase(PushCase):
    def setUp(self):
        super().setUp()
        self.env["IMGFACTORY_KEY_PASSPHRASE"] = SECRET
        self.registry = self.make_registry()
        self.reference = f"{self.registry.host}/ns/image"

    def new_key(self, name, *options):
        result = self.call("key", "generate", *options, self.path(f"{name}.key"))
        self.assertEqual(result.code, run.OK, result)
        return self.path(f"{name}.key")

    def call(self, name, *arguments, **settings):
        if name != "key":
            return super().call(name, *arguments, **settings)
        done = subprocess.run([run.program(), name, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.top,
                              env=run.Factory.environment(self.env), check=False)
        return run.Result([name], done.returncode, done.stdout.decode(), done.stderr.decode())

    def get(self, kind, name):
        request = urllib.request.Request(f"{self.registry.url}/v2/ns/image/{kind}/{name}", headers={"Accept": ACCEPT})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def tags(self):
        return self.registry.tags("ns/image")

    def is_by(self, key, signed, signature):
        files = [self.write(name, content) for name, content in (("signed", signed), ("signature", signature))]
        kind = openssl("pkey", "-pubin", "-in", key.replace(".key", ".pub"), "-noout", "-text").decode()
        command = (["pkeyutl", "-verify", "-pubin", "-inkey", key.replace(".key", ".pub"), "-rawin", "-in", files[0], "-sigfile", files[1]]
                   if "ED25519" in kind else ["dgst", "-sha256", "-verify", key.replace(".key", ".pub"), "-signature", files[1], files[0]])
        return subprocess.run(["openssl", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def write(self, name, content):
        if isinstance(content, str):
            return super().write(name, content)
        with open(self.path(name), "wb") as stream:
            stream.write(content)
        return self.path(name)

    def bundles(self, digest):
        """What the fallback tag lists: statements with what was signed and the signature."""
        found = []
        for entry in json.loads(self.get("manifests", digest.replace(":", "-")))["manifests"]:
            manifest = json.loads(self.get("manifests", entry["digest"]))
            self.assertEqual(entry["artifactType"], BUNDLE)
            self.assertEqual(entry["annotations"], manifest["annotations"])
            self.assertEqual(manifest["subject"]["digest"], digest)
            bundle = json.loads(self.get("blobs", manifest["layers"][0]["digest"]))
            envelope = bundle["dsseEnvelope"]
            payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
            signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
            found.append((json.loads(payload), signed, base64.b64decode(envelope["signatures"][0]["sig"])))
        return found

    def signatures(self, digest):
        """The older form: payloads with signatures."""
        found = []
        for entry in json.loads(self.get("manifests", digest.replace(":", "-") + ".sig"))["layers"]:
            found.append((self.get("blobs", entry["digest"]), base64.b64decode(entry["annotations"]["dev.cosignproject.cosign/signature"])))
        return found
