#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs what `imgfactory unit --format kube-job` writes on a real control plane of Kubernetes on this machine, and looks at what the
registry has then.

  scripts/kube_lab.py build DIR       # etcd out of Debian's package, kube-apiserver and kube-controller-manager by Go (15 minutes)
  IMGFACTORY=build/dev/imgfactory scripts/kube_lab.py run DIR [TEST...]    # as root; tests are the names behind "test_" (none: all)

Real are the API server, the Job and CronJob controllers and etcd. The node is this program: it binds each pod, and runs its command
in a root of its own with the pod's variables, user and volumes, and tells the exit status. No image is pulled, no kubelet runs.
"""

import base64
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TOP, "tests/e2e"), os.path.join(TOP, "tests")]

from kit.case import wait_for  # noqa: E402

VERSION = "1.34.3"  # of Kubernetes; its libraries are v0.34.3
SERVERS = ("kube-apiserver", "kube-controller-manager")
JOBS, CRONS, PODS = "/apis/batch/v1/namespaces/default/jobs", "/apis/batch/v1/namespaces/default/cronjobs", "/api/v1/namespaces/default/pods"
PLACES = {"PersistentVolumeClaim": "/api/v1/namespaces/default/persistentvolumeclaims", "CronJob": CRONS}


def build(folder):
    os.makedirs(f"{folder}/bin", exist_ok=True)
    os.makedirs(f"{folder}/debs", exist_ok=True)
    subprocess.run(["apt-get", "-qq", "download", "etcd-server"], cwd=f"{folder}/debs", check=True)
    subprocess.run(["sh", "-c", "dpkg-deb -x debs/etcd-server_*.deb etcd && cp etcd/usr/bin/etcd bin/"], cwd=folder, check=True)
    env = {**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0", "GOMAXPROCS": os.environ.get("GOMAXPROCS", "1")}
    with tempfile.TemporaryDirectory(dir=folder) as empty:
        told = json.loads(subprocess.run(["go", "mod", "download", "-json", f"k8s.io/kubernetes@v{VERSION}"], cwd=empty, env=env,
                                         stdout=subprocess.PIPE, check=True).stdout)
    shutil.copytree(told["Dir"], f"{folder}/src", dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "u+w", f"{folder}/src"], check=True)
    with open(f"{folder}/src/go.mod", encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    with open(f"{folder}/src/go.mod", "w", encoding="utf-8") as stream:
        for line in lines:  # the libraries are modules of their own
            name, arrow, place = line.partition(" => ")
            stream.write(f"{name} => {name.strip()} v0{VERSION[1:]}\n" if arrow and place.startswith("./staging/") else line + "\n")
    for server in SERVERS:
        subprocess.run(["nice", "-n", "19", "go", "build", "-p", "2", "-gcflags=all=-l", "-ldflags=-s -w", "-o", f"{folder}/bin/{server}", f"./cmd/{server}"],
                       cwd=f"{folder}/src", env=env, check=True)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Plane:
    """etcd, the API server and the controllers of jobs."""

    def __init__(self, folder):
        self.folder, self.top, self.children = folder, tempfile.mkdtemp(prefix="kube-lab-"), []
        port, etcd, peer = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{port}"
        self.openssl()
        with open(f"{self.top}/tokens", "w", encoding="ascii") as stream:
            stream.write("lab,admin,admin,system:masters\n")
        with open(f"{self.top}/kubeconfig", "w", encoding="ascii") as stream:
            json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "lab", "users": [{"name": "lab", "user": {"token": "lab"}}],
                       "clusters": [{"name": "lab", "cluster": {"server": self.url, "certificate-authority": f"{self.top}/server.crt"}}],
                       "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}]}, stream)
        self.context = ssl.create_default_context(cafile=f"{self.top}/server.crt")
        self.start("etcd", f"--data-dir={self.top}/etcd", f"--listen-client-urls=http://127.0.0.1:{etcd}", f"--advertise-client-urls=http://127.0.0.1:{etcd}",
                   f"--listen-peer-urls=http://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
                   f"--initial-cluster=default=http://127.0.0.1:{peer}")
        self.start("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1", f"--secure-port={port}",
                   f"--tls-cert-file={self.top}/server.crt", f"--tls-private-key-file={self.top}/server.key", f"--token-auth-file={self.top}/tokens",
                   f"--service-account-key-file={self.top}/server.key", f"--service-account-signing-key-file={self.top}/server.key",
                   "--service-account-issuer=https://lab", "--authorization-mode=AlwaysAllow", "--disable-admission-plugins=ServiceAccount",
                   "--service-cluster-ip-range=10.0.0.0/24", f"--cert-dir={self.top}", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none")
        wait_for("the API server", self.is_ready, 180)
        self.start("kube-controller-manager", f"--kubeconfig={self.top}/kubeconfig", "--leader-elect=false", "--secure-port=0",
                   "--controllers=job-controller,cronjob-controller")

    def openssl(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", f"{self.top}/server.key", "-out", f"{self.top}/server.crt"], check=True, stderr=subprocess.DEVNULL)

    def start(self, name, *words):
        with open(f"{self.top}/{name}.log", "wb") as log:
            self.children.append(subprocess.Popen([f"{self.folder}/bin/{name}", *words], cwd=self.top, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def is_ready(self):
        try:
            return self.ask("GET", "/api/v1/namespaces/default", None) is not None
        except (OSError, AssertionError):
            return False

    def ask(self, verb, path, document=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, method=verb, data=None if document is None else json.dumps(document).encode(),
                                         headers={"Authorization": "Bearer lab", "Content-Type": kind})
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{verb} {path}: {error.code} {error.read().decode()}") from error

    def stop(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGKILL)
            child.wait()
        shutil.rmtree(self.top, ignore_errors=True)


# The root of a pod: what the image would have, from this machine, and the volumes where the pod has them.
ROOT = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$R"
for one in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$one" ]; then cp -P "/$one" "$R/$one"; elif [ -d "/$one" ]; then mkdir "$R/$one"; mount --bind "/$one" "$R/$one"; fi
done
mkdir -p "$R/usr" "$R/proc" "$R/dev" "$R/etc" "$R$TREE"
mount --bind /usr "$R/usr"; mount --rbind /proc "$R/proc"; mount --rbind /dev "$R/dev"
mount --bind "$TREE" "$R$TREE"
echo 'imgfactory:x:65532:65532::/nonexistent:/bin/false' >"$R/etc/passwd"; echo 'imgfactory:x:65532:' >"$R/etc/group"
while read -r from to mode; do
    mkdir -p "$R$to"
    if [ "$mode" = full ]; then mount -t tmpfs -o size=64k,mode=2777 none "$R$to"; else mount --bind "$from" "$R$to"; fi
    [ "$mode" != ro ] || mount -o remount,bind,ro "$R$to"
done <"$VOLUMES"
mount -o remount,ro "$R"
exec chroot "$R" setpriv --reuid="$USER_ID" --regid="$GROUP_ID" --clear-groups --no-new-privs --bounding-set=-all -- "$@"
"""


class Node(threading.Thread):
    """Binds the pods that wait, and runs them."""

    def __init__(self, plane, top):
        super().__init__(daemon=True)
        self.plane, self.top, self.seen, self.running, self.is_ending = plane, top, set(), [], False
        self.log = []  # (job, index, exit status, what it said)
        self.faults = []  # why the node itself failed
        self.full = set()  # indices whose pods find no room in an emptyDir

    def run(self):
        self.attempt(self.watch)

    def attempt(self, action, *words):
        """A thread of the node that fails is told by check(), where the test waits."""
        try:
            action(*words)
        except Exception as error:  # pylint: disable=broad-exception-caught
            self.faults.append(error)

    def check(self):
        if self.faults:
            raise AssertionError("the node failed") from self.faults[0]

    def watch(self):
        while not self.is_ending:
            for pod in self.plane.ask("GET", PODS)["items"]:
                if pod["metadata"]["name"] not in self.seen and "deletionTimestamp" not in pod["metadata"]:
                    self.seen.add(pod["metadata"]["name"])
                    thread = threading.Thread(target=self.attempt, args=(self.run_pod, pod), daemon=True)
                    self.running.append(thread)
                    thread.start()
            time.sleep(0.3)

    def end(self):
        self.is_ending = True
        for thread in [self, *self.running]:
            thread.join()

    def folder(self, pod, volume):
        """What a volume is on this node, with owner and modes as kubelet gives them."""
        path = os.path.join(self.top, "pods", pod["metadata"]["name"], volume["name"])
        if "persistentVolumeClaim" in volume:
            claim = volume["persistentVolumeClaim"]["claimName"]
            self.plane.ask("GET", f"{PLACES['PersistentVolumeClaim']}/{claim}")
            path = os.path.join(self.top, "claims", claim)
        os.makedirs(path, exist_ok=True)
        group = pod["spec"]["securityContext"]["fsGroup"]
        os.chown(path, 0, group)
        os.chmod(path, 0o2777 if "emptyDir" in volume else 0o2775)
        given = volume.get("configMap") or volume.get("secret")
        if not given:
            return path
        kind, name = ("configmaps", given["name"]) if "configMap" in volume else ("secrets", given["secretName"])
        held = self.plane.ask("GET", f"/api/v1/namespaces/default/{kind}/{name}")
        files = {key: text.encode() for key, text in held.get("data", {}).items()} if kind == "configmaps" else \
            {key: base64.b64decode(text) for key, text in held.get("data", {}).items()}
        files.update({key: base64.b64decode(text) for key, text in held.get("binaryData", {}).items()})
        names = {item["key"]: item["path"] for item in given.get("items", [])} or {key: key for key in files}
        for key, to in names.items():
            with open(os.path.join(path, to), "wb") as stream:
                stream.write(files[key])
            os.chown(stream.name, 0, group)
            os.chmod(stream.name, given.get("defaultMode", 0o644) | 0o040)
        return path

    def words(self, pod, container):
        env = {}
        for variable in container.get("env", []):
            field = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
            env[variable["name"]] = pod["metadata"]["annotations"][field.split("'")[1]] if field else variable["value"]
        words = [*container["command"], *container.get("args", [])]
        for name, value in env.items():
            words = [word.replace(f"$({name})", value) for word in words]
        return words, env

    def bind(self, pod):
        """False: it is gone, as a job that ended takes its pods along."""
        name = pod["metadata"]["name"]
        try:
            self.plane.ask("POST", f"{PODS}/{name}/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
                                                              "target": {"apiVersion": "v1", "kind": "Node", "name": "lab"}})
        except AssertionError as error:
            if not any(code in str(error) for code in (" 404 ", " 409 ")):
                raise
            return False
        return True

    def run_pod(self, pod):
        name = pod["metadata"]["name"]
        if not self.bind(pod):
            return
        container = pod["spec"]["containers"][0]
        own = os.path.join(self.top, "pods", name)
        os.makedirs(own + "/.root")
        volumes = {volume["name"]: self.folder(pod, volume) for volume in pod["spec"]["volumes"]}
        index = pod["metadata"]["labels"].get("batch.kubernetes.io/job-completion-index")
        full = {volume["name"] for volume in pod["spec"]["volumes"] if "emptyDir" in volume} if index in self.full else set()
        with open(own + "/.volumes", "w", encoding="utf-8") as stream:
            for mount in container["volumeMounts"]:
                mode = "full" if mount["name"] in full else "ro" if mount.get("readOnly") else "rw"
                stream.write(f"{volumes[mount['name']]} {mount['mountPath']} {mode}\n")
        words, env = self.words(pod, container)
        context = pod["spec"]["securityContext"]
        env.update(R=own + "/.root", VOLUMES=own + "/.volumes", TREE=TOP,
                   USER_ID=str(context["runAsUser"]), GROUP_ID=str(context["runAsGroup"]), PATH=f"{os.path.dirname(os.path.realpath(os.environ['IMGFACTORY']))}:/usr/bin:/bin:/usr/sbin:/sbin",
                   no_proxy="127.0.0.1")
        self.tell(pod, "Running", {"running": {}})
        with open(own + "/.log", "wb") as log:
            status = subprocess.run(["unshare", "--mount", "sh", "-c", ROOT, "sh", *words], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    check=False).returncode
        labels = pod["metadata"]["labels"]
        with open(own + "/.log", encoding="utf-8", errors="replace") as stream:
            self.log.append((labels["batch.kubernetes.io/job-name"], labels.get("batch.kubernetes.io/job-completion-index"), status, stream.read()))
        self.tell(pod, "Failed" if status else "Succeeded", {"terminated": {"exitCode": status if status >= 0 else 128 - status}})

    def tell(self, pod, phase, state):
        container = pod["spec"]["containers"][0]
        status = {"phase": phase, "containerStatuses": [{"name": container["name"], "image": container["image"], "imageID": "", "ready": False,
                                                         "restartCount": 0, "state": state}]}
        try:
            self.plane.ask("PATCH", f"{PODS}/{pod['metadata']['name']}/status", {"status": status}, "application/strategic-merge-patch+json")
        except AssertionError as error:  # a job that ended takes its pods along
            if " 404 " not in str(error):
                raise


def cases(plane):
    from base import run  # pylint: disable=import-outside-toplevel
    from test_shard import ShardCase  # pylint: disable=import-outside-toplevel
    import yaml  # pylint: disable=import-outside-toplevel

    class Kube(ShardCase):
        def setUp(self):
            super().setUp()
            os.makedirs(self.path("site"))
            for name in ("one", "two", "three"):
                shutil.copy(self.path(f"manifests/{name}.yaml"), self.path("site"))
            shutil.copy(self.key.keyring, self.path("site/archive.gpg"))
            with open(self.path("source.yaml"), encoding="utf-8") as stream:
                self.write("site/source.yaml", stream.read().replace(self.key.keyring, "archive.gpg"))
            subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.path("secret.pem")], check=True)
            self.write("auth.json", "{}")
            self.write_site("me", "sign: ../secret.pem\nauthfile: ../auth.json\n")
            result = self.call("unit", "--config", self.path("site/site.yaml"), "--format", "kube-job", "--image", "localhost/imgfactory", "--shard", "4%2",
                               "--units", self.path("units"))
            self.assertEqual(result.code, run.OK, result)
            with open(self.path("units/imgfactory-site.yaml"), encoding="utf-8") as stream:
                self.documents = list(yaml.safe_load_all(stream))
            self.node = Node(plane, self.path("node"))
            self.node.start()
            self.addCleanup(self.clear)

        def write_site(self, namespace, more=""):
            self.write("site/site.yaml", f"registry: {self.proxy.host}\nnamespace: {namespace}\ntls-verify: false\nsource: source.yaml\narch: all\n{more}"
                       "images:\n  - ./one.yaml\n  - ./two.yaml\n  - ./three.yaml\n")

        def clear(self):
            for place in (CRONS, JOBS, PODS):
                for item in plane.ask("GET", place)["items"]:
                    if place == PODS:  # nobody else takes the mark of the job's controller away
                        plane.ask("PATCH", f"{place}/{item['metadata']['name']}", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
                    plane.ask("DELETE", f"{place}/{item['metadata']['name']}?gracePeriodSeconds=0&propagationPolicy=Background")
            self.node.end()
            for kind in ("configmaps", "secrets"):
                plane.ask("DELETE", f"/api/v1/namespaces/default/{kind}")

        def give(self):
            """As the first lines of the file say."""
            files = {}
            for name in sorted(os.listdir(self.path("site"))):
                with open(self.path(f"site/{name}"), "rb") as stream:
                    files[name] = base64.b64encode(stream.read()).decode()
            self.put("configmaps", {"kind": "ConfigMap", "metadata": {"name": "imgfactory-site"}, "binaryData": files})
            for name, key, path in (("imgfactory-site", ".dockerconfigjson", "auth.json"), ("imgfactory-site-key", "sign.key", "secret.pem")):
                with open(self.path(path), "rb") as stream:
                    self.put("secrets", {"kind": "Secret", "metadata": {"name": name}, "data": {key: base64.b64encode(stream.read()).decode()}})
            for document in self.documents:
                try:
                    plane.ask("POST", PLACES[document["kind"]] + "?fieldValidation=Strict", document)
                except AssertionError as error:  # a claim is protected, and stays
                    if " 409 " not in str(error):
                        raise

        def put(self, kind, document):
            plane.ask("POST", f"/api/v1/namespaces/default/{kind}", {"apiVersion": "v1", **document})

        def job(self, name, wanted="Complete", seconds=300):
            """As `kubectl create job --from=cronjob/…` does; its status when it ended."""
            template = plane.ask("GET", f"{CRONS}/imgfactory-site-{name}")["spec"]["jobTemplate"]
            made = f"{name}-{time.monotonic_ns()}"
            plane.ask("POST", JOBS, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": made}, "spec": template["spec"]})
            wait_for(f"job {name}", lambda: self.ended(made), seconds)
            status = plane.ask("GET", f"{JOBS}/{made}")["status"]
            ends = [one["type"] for one in status["conditions"] if one["status"] == "True" and one["type"] in ("Complete", "Failed")]
            self.assertEqual(ends, [wanted], f"{status}\n{self.node.log}")
            return status, [(index, code) for job, index, code, _ in self.node.log if job == made]

        def ended(self, name):
            self.node.check()
            conditions = plane.ask("GET", f"{JOBS}/{name}")["status"].get("conditions", [])
            return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)

        def test_objects(self):
            """The server takes each of them, strictly; one that has a word too much it does not."""
            for document in self.documents:
                document["metadata"]["name"] += "-dry"  # the claim of a test before is protected, and stays
                plane.ask("POST", PLACES[document["kind"]] + "?dryRun=All&fieldValidation=Strict", document)
            self.documents[2]["spec"]["jobTemplate"]["spec"]["backoffLimitPerIndx"] = 3
            with self.assertRaisesRegex(AssertionError, "unknown field.*backoffLimitPerIndx"):
                plane.ask("POST", CRONS + "?dryRun=All&fieldValidation=Strict", self.documents[2])

        def test_night(self):
            """Lock, shards, and putting together: what one machine pushes, signed by the last job alone."""
            self.give()
            self.job("lock")
            status, ran = self.job("shards")
            self.assertEqual((status["completedIndexes"], status["succeeded"]), ("0-3", 4))
            self.assertEqual(sorted(ran), [(str(index), 0) for index in range(4)])
            self.assertEqual(self.own(), {})
            self.job("assemble")
            self.write_site("alone", "sign: ../secret.pem\n")
            self.options = []
            self.on("alone", "--config", self.path("site/site.yaml"), "--locked", "--lock-file", self.path("node/claims/imgfactory-site-plan/imgfactory.lock"))
            for name in ("one", "two", "three"):
                self.assertTrue(self.own(name)["latest"])
                self.assertEqual({tag: at for tag, at in self.own(name).items() if not tag.startswith("sha256-")},
                                 {tag: at for tag, at in self.tags(name, "alone").items() if not tag.startswith("sha256-")})
            before = self.tags()
            self.job("assemble")
            self.assertEqual(self.tags(), before)

        def test_exits(self):
            """What ends with 2 to 5 ends its index at once; what ends with 6 to 8 is tried again."""
            self.give()
            status, ran = self.job("shards", "Failed")  # no lock: 2
            self.assertEqual(sorted(ran), [(str(index), run.USAGE) for index in range(4)])
            self.assertEqual(status["failedIndexes"], "0-3")
            self.job("lock")
            self.proxy.fault("*", "/v2/", times=None, reset=True)
            threading.Timer(20, self.proxy.heal).start()
            status, ran = self.job("shards")
            self.assertEqual(status["completedIndexes"], "0-3")
            self.assertIn(run.NETWORK, {code for _, code in ran})
            lock = self.path("node/claims/imgfactory-site-plan/imgfactory.lock")
            with open(lock, encoding="utf-8") as stream:
                text = stream.read()
            with open(lock, "w", encoding="utf-8") as stream:
                stream.write(text.replace("sha256", "sha265", 1))
            status, ran = self.job("shards", "Failed")
            self.assertEqual(len(ran), 4)
            self.assertLessEqual({code for _, code in ran}, {run.USAGE, run.TRUST, run.MALFORMED})

        def test_full_disk(self):
            """An index whose pod has no room ends with 8 and is tried again, elsewhere where there is a scheduler."""
            self.give()
            self.job("lock")
            self.node.full = {"1"}
            threading.Timer(20, self.node.full.clear).start()
            status, ran = self.job("shards")
            self.assertEqual(status["completedIndexes"], "0-3")
            self.assertIn(("1", run.LOCAL), ran)

        def test_refused(self):
            """What the registry refuses (7), or of several images in an index (9), is tried three times more; other indices complete."""
            self.give()
            self.job("lock")
            self.proxy.fault("PUT POST PATCH", "/v2/me/two/", times=None, status=403)
            status, ran = self.job("shards", "Failed")
            codes = {index: {code for at, code in ran if at == index} for index in "0123"}
            failed = [index for index in codes if 0 not in codes[index]]
            self.assertEqual(status["failedIndexes"], ",".join(failed))
            self.assertLess(len(failed), 4)
            for index in codes:
                self.assertEqual(len([at for at, _ in ran if at == index]), 4 if index in failed else 1)
                self.assertLessEqual(codes[index], {run.PUBLISH, run.PARTLY} if index in failed else {run.OK})

        def test_schedule(self):
            """The CronJob makes its Job by itself."""
            self.give()
            plane.ask("PATCH", f"{CRONS}/imgfactory-site-lock", {"spec": {"schedule": "* * * * *"}}, "application/merge-patch+json")
            wait_for("a lock", lambda: self.node.check() or any(code == 0 for _, _, code, _ in self.node.log), 180)

    return Kube


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("build", "run"):
        sys.exit(__doc__.strip())
    folder = os.path.abspath(sys.argv[2])
    if sys.argv[1] == "build":
        build(folder)
        return
    plane = Plane(folder)
    try:
        globals()["Kube"] = cases(plane)
        unittest.main(argv=["kube_lab.py", *(f"Kube.test_{name}" for name in sys.argv[3:])], verbosity=2)
    finally:
        plane.stop()


if __name__ == "__main__":
    main()
