# SPDX-License-Identifier: Apache-2.0
"""Plays nights by a seed: what changes in the repositories, what goes wrong, and what has to hold after it."""

import os
import random
import shutil
import sys
import tempfile
import threading
import time

from kit import run

from . import outside, upstream
from .machine import ROOM
from .place import Wrong, want
from .site import Site, Watch

CHANGES = ("update", "update", "library", "rpm", "lag", "lag rpm", "fix", "late fix", "overdue fix", "idle", "hints", "date", "several")


class Play:
    """A run of nights."""

    def __init__(self, top, seed, nights=60, out=sys.stderr):
        self.random, self.seed, self.out = random.Random(seed), seed, out
        self.site = Site(top, nights)
        self.later = {}     # night → what levels then
        self.story = []

    def close(self):
        self.site.close()

    def say(self, text):
        self.story.append(f"night {self.site.night}: {text}")
        if self.out:
            print(self.story[-1], file=self.out, flush=True)

    # What changes.

    def change(self, kind):
        """Changes the repositories, not yet what is served; returns which kinds of repositories have to be written."""
        made, programs = self.site.upstream, sorted(upstream.PROGRAMS)
        pick, arch = self.random.choice, self.random.choice(sorted(upstream.ARCHES))
        if kind == "update":
            made.bump(pick(programs))
        elif kind == "library":
            made.bump(pick(sorted(upstream.LIBRARIES)))
        elif kind == "several":
            for name in self.random.sample(programs + sorted(upstream.LIBRARIES), 3):
                made.bump(name)
            made.bump("rho")
        elif kind == "rpm":
            made.bump(pick(("rho", "sigma")))
        elif kind in ("lag", "lag rpm"):
            name = pick(programs + sorted(upstream.LIBRARIES)) if kind == "lag" else pick(("rho", "sigma"))
            made.bump(name, [arch])
            self.later.setdefault(self.site.night + 1, []).append(name)
        elif kind in ("fix", "late fix", "overdue fix"):
            name = pick(programs + sorted(upstream.LIBRARIES))
            made.fix(name, sorted(upstream.ARCHES) if kind == "fix" else [arch])
            self.later.setdefault(self.site.night + (4 if kind == "overdue fix" else 2), []).append(name if kind != "fix" else None)
        elif kind in ("idle", "hints"):
            made.bump({"idle": pick(("idle", "rpm-idle"))}.get(kind, kind))
        return {"rpm": ("rpm",), "lag rpm": ("rpm",), "several": ("deb", "rpm"), "date": ("deb", "rpm"),
                "idle": ("deb", "rpm")}.get(kind, ("deb",))

    def level(self):
        """What lagged arrives."""
        names = [name for name in self.later.pop(self.site.night, []) if name]
        for name in names:
            if name in upstream.RPM:
                number = max(self.site.upstream.rpms[arch, name] for arch in upstream.ARCHES.values())
                self.site.upstream.rpms.update({(arch, name): number for arch in upstream.ARCHES.values()})
                continue
            for table in (self.site.upstream.versions, self.site.upstream.fixes):
                numbers = [table[arch, name] for arch in upstream.ARCHES if (arch, name) in table]
                table.update({(arch, name): max(numbers) for arch in upstream.ARCHES if numbers})
        return names

    # A night.

    def play(self, change=None, trouble="none"):
        """One night: (what changed, what goes wrong)."""
        site = self.site
        arrived = self.level()
        self.say(f"{change or 'no change'}{', arrived: ' + ' '.join(arrived) if arrived else ''}; trouble: {trouble}")
        kinds = set(self.change(change)) if change else set()
        kinds |= {"rpm" if name in upstream.RPM else "deb" for name in arrived}
        if not site.mirrors:
            kinds = {"deb", "rpm"}
        self.old = site.generation if site.mirrors else None
        if kinds:
            site.publish(tuple(sorted(kinds)))
        self.kinds = kinds
        for machine in site.machines:
            for image in outside.IMAGES:
                for name in site.lagging(image):
                    machine.appeared.setdefault((image, name), site.night)
        site.forget_requests()
        try:
            getattr(self, "night_" + trouble.replace(" ", "_"))()
        except Exception as error:
            raise Wrong(f"seed {self.seed}, night {site.night}: {error}\n" + "\n".join(self.story[-12:])) from error
        site.heal()
        site.night += 1

    def ensure_change(self, kind="several"):
        """Troubles that need something to do."""
        if not self.kinds:
            self.old = self.site.generation
            self.kinds = set(self.change(kind))
            self.site.publish(tuple(sorted(self.kinds)))
            self.site.forget_requests()

    def good(self, machine, *options, counts=True, **settings):
        """A night that has to end well, whatever was before it."""
        site = self.site
        is_calm = machine.accepted is site.generation and not self.site.mirror.faults and not self.site.proxy.faults
        site.forget_requests()
        with Watch(site):
            outcome = machine.run(site.days_back, *options, **settings)
        self.want_good(machine, outcome)
        moved = site.look(lambda image: True, lambda image: not is_calm)
        site.check_report(outcome, moved if counts else None)
        if is_calm and counts:
            site.check_requests(machine)
        self.note_looks(machine)
        site.heal()
        site.check_record(machine)
        machine.accepted = site.generation
        return outcome

    def want_good(self, machine, outcome):
        """The exit status is 0, or 9 when a security update waits for an architecture for more than two nights: of the clock, since
        this machine saw it first, which was not before it was there (`appeared`) and not after its first good night (`seen`)."""
        site, least, most = self.site, 0, 0
        held = {image: [name for name in site.lagging(image) if name in site.mirrors[-1].fixes()] for image in outside.IMAGES}
        lags = {(image, name) for image, names in held.items() for name in names}
        for table in (machine.seen, machine.appeared):
            for key in set(table) - lags:
                del table[key]
        for key in lags:
            least = max(least, site.night - machine.seen.setdefault(key, site.night))
            most = max(most, site.night - machine.appeared.get(key, site.night))
        codes = {run.PARTLY} if least >= 2 else {run.OK, run.PARTLY} if most >= 2 else {run.OK}
        want(outcome.code in codes, f"the exit status is {outcome.code}, not one of {codes} ({held}): {outcome}")
        for name, image in outcome.report.images().items():
            is_common = (image.get("together") or {}).get("common", False)
            want(is_common == site.mirrors[-1].is_common(name), f"{name} is {'' if is_common else 'not '}made of what all architectures have")
        told = {name for name, image in outcome.report.images().items() if image["status"] == "held"}
        wanted = {image for image in outside.IMAGES if site.lagging(image)}
        want(told == wanted, f"{told} are held, {wanted} have architectures that differ")

    def note_looks(self, machine):
        """Of which images a good night asked the registry for more than what their tags name: not again for a week."""
        for image in outside.IMAGES:
            if any(f"/{image}/" in request.target and "/manifests/" + request.target.rpartition("/")[2] not in
                   {f"/manifests/{tag}" for tag in self.site.tags_now(image)} for request in self.site.proxy.requests):
                machine.asked[image] = self.site.night

    def bad(self, outcome, codes, may_move=lambda image: True, current=lambda image: False, partly=()):
        """A night that may have ended badly: all tags are whole, old or new, and it says so."""
        want(outcome.code in codes, f"the exit status is {outcome.code}, not one of {codes}: {outcome}")
        moved = self.site.look(lambda image: outcome.code == run.OK or current(image), may_move)
        self.site.check_report(outcome, moved)
        self.site.machines[0].accepted = None
        if (outcome.report.json.get("status_record") or {}).get("error") is None:
            self.site.heal()
            self.site.check_record(self.site.machines[0], {
                name.split(":")[-1] for name, image in outcome.report.images().items()
                if image["status"] == "failed" or (image.get("push") or {}).get("status") == "failed" or name in partly})
        return outcome

    def night_none(self):
        self.good(self.site.machines[0])

    def night_lost_state(self):
        self.site.machines[0].lose("state")
        self.good(self.site.machines[0])

    def night_lost_cache(self):
        self.site.machines[0].lose("cache")
        self.good(self.site.machines[0])

    def night_lost_all(self):
        self.site.machines[0].lose("state", "cache", "out")
        self.good(self.site.machines[0])

    def night_back_in_time(self):
        """The mirror shows an older generation of one kind than the one that was accepted."""
        site, machine = self.site, self.site.machines[0]
        kind = self.random.choice(("deb", "rpm"))
        if machine.accepted is None:
            self.good(machine)
        if not any(made.parts[kind] < machine.accepted.parts[kind] for made in site.upstream.generations):
            self.kinds = set(self.change("date"))
            site.publish(("deb", "rpm"))
            self.good(machine)
        older = self.random.choice([made for made in site.upstream.generations if made.parts[kind] < machine.accepted.parts[kind]])
        folder = os.path.join(site.top, f"back-{site.night}")
        other = "rpm" if kind == "deb" else "deb"
        os.makedirs(folder)
        os.symlink(os.path.join(older.folder, kind), os.path.join(folder, kind))
        os.symlink(os.path.join(site.generation.folder, other), os.path.join(folder, other))
        site.serve(folder)
        is_hit = lambda image: outside.IMAGES[image][0] == kind
        with Watch(site):
            outcome = machine.run(site.days_back)
        self.bad(outcome, (run.PARTLY,), may_move=lambda image: not is_hit(image), current=lambda image: not is_hit(image))
        for name, image in outcome.report.images().items():
            want(image["status"] != "failed" or image["error"]["exit"] == run.TRUST, f"{name}: {image.get('error')}")

    def night_mid_update(self):
        self.ensure_change()
        site = self.site
        kind, what = self.random.choice(sorted(self.kinds)), self.random.choice(("index", "one", "pool"))
        self.say(f"in the middle of the update of {kind}: {what}")
        site.serve(upstream.mixed(os.path.join(site.top, f"mixed-{site.night}"), site.generation, self.old, kind, what))
        with Watch(site):
            outcome = site.machines[0].run(site.days_back)
        self.bad(outcome, (run.OK, run.NETWORK, run.PARTLY), current=lambda image: outside.IMAGES[image][0] != kind)

    def night_mid_update_that_ends(self):
        """The mirror becomes whole while the night waits for it."""
        self.ensure_change()
        site = self.site
        kind = self.random.choice(sorted(self.kinds))
        site.serve(upstream.mixed(os.path.join(site.top, f"mixed-{site.night}"), site.generation, self.old, kind, "index"))
        timer = threading.Timer(1, site.serve, [site.generation.folder])
        timer.start()
        self.good(site.machines[0], "--sync-wait", "60s", counts=False)
        timer.join()

    def night_full_disk(self):
        """The room that there is ends at any point."""
        self.ensure_change()
        site, machine = self.site, self.site.machines[0]
        room = self.random.choice((0, 4, 12, 24, 48, 96, 200)) << 10
        self.say(f"{room} bytes of room")
        if machine.is_mounted:
            machine.resize(max(4096, machine.used_bytes() + room))
        with Watch(site):
            outcome = machine.run(site.days_back, file_max=None if machine.is_mounted else max(512, room // 16))
        if machine.is_mounted:
            machine.resize(ROOM)
        machine.accepted = None
        want(outcome.code in (run.OK, run.LOCAL, run.PARTLY), f"the exit status is {outcome.code}: {outcome}")
        site.look(lambda image: outcome.code == run.OK)
        if outcome.report and outcome.metrics.get("last_run_exit_status") == outcome.code:
            site.check_report(outcome, None)
        self.good(machine, counts=False)

    REGISTRY_FAULTS = ({"status": 500}, {"status": 503, "headers": {"Retry-After": "0"}}, {"status": 429, "headers": {"Retry-After": "1"}},
                       {"reset": True}, {"lost": True}, {"truncated": True}, {"cut": True}, {"status": 502})

    def night_registry_faults(self):
        """Faults that pass: none is seen."""
        self.ensure_change()
        for _ in range(2):
            fault = self.random.choice(self.REGISTRY_FAULTS)
            verbs, pattern = self.random.choice((("PUT", "/manifests/"), ("POST", "/uploads/"), ("PUT", "/uploads/"), ("HEAD GET", "/manifests/"),
                                                 ("HEAD", "/blobs/"), ("PATCH", "/uploads/"), ("GET", "/v2/")))
            self.say(f"{fault} at {verbs} {pattern}")
            self.site.proxy.fault(verbs, pattern, nth=self.random.randint(1, 6), **fault)
        self.good(self.site.machines[0])

    def night_registry_down(self):
        """And some that stay."""
        self.ensure_change()
        site = self.site
        verbs, pattern = self.random.choice((("*", ""), ("PUT", "/manifests/latest"), ("PUT", "/manifests/sha256"), ("POST", "/uploads/"),
                                             ("PUT", "/uploads/"), ("PUT", "/manifests/[0-9]")))
        fault = self.random.choice(({"status": 500}, {"reset": True}, {"status": 403}, {"status": 507}))
        self.say(f"{fault} at each {verbs} {pattern}")
        site.proxy.fault(verbs, pattern, times=None, nth=self.random.randint(1, 4), **fault)
        with Watch(site):
            outcome = site.machines[0].run(site.days_back)
        self.bad(outcome, (run.OK, run.NETWORK, run.PUBLISH, run.PARTLY))

    def night_mirror_faults(self):
        self.ensure_change()
        for _ in range(2):
            fault = self.random.choice(({"status": 503}, {"cut": 20}, {"delay": 0.2}, {"status": 429, "retry_after": 1}, {"status": 500}))
            self.say(f"{fault} of the mirror")
            self.site.mirror.fault("*", times=1, after=self.random.randint(0, 6), **fault)
        self.good(self.site.machines[0], counts=False)
        self.site.machines[0].accepted = None  # such answers told no version

    def night_mirror_down(self):
        site = self.site
        site.mirror.fault(self.random.choice(("*", "*/deb/*", "*.rpm", "*Packages*", "*repomd.xml")), status=self.random.choice((404, 500)))
        with Watch(site):
            outcome = site.machines[0].run(site.days_back)
        self.bad(outcome, (run.OK, run.NETWORK, run.PARTLY))

    def night_two_machines(self):
        """Both make the same, at the same time."""
        self.ensure_change()
        site = self.site
        begun = time.time()
        with Watch(site):
            children = [machine.start(site.days_back) for machine in site.machines]
            outcomes = [machine.end(child, begun) for machine, child in zip(site.machines, children)]
        for machine, outcome in zip(site.machines, outcomes):
            self.want_good(machine, outcome)
        site.look(lambda image: True)
        for machine, outcome in zip(site.machines, outcomes):
            site.check_report(outcome, None)
            machine.accepted = site.generation
        self.note_looks(site.machines[1])  # which of them looked cannot be told

    def night_behind(self):
        """A machine that knows nothing, and whose mirror is behind, comes after one that is not."""
        site, (ahead, behind) = self.site, self.site.machines
        self.ensure_change()
        self.good(ahead, counts=False)
        before = {image: site.outside.tags(image) for image in outside.IMAGES}
        older = self.random.choice(site.upstream.generations[:-1])
        self.say(f"the other machine's mirror is at generation {older.number}")
        site.serve(older.folder)
        behind.lose("state", "cache", "out")
        with Watch(site):
            outcome = behind.run(site.days_back)
        want(outcome.code == run.OK, f"the exit status is {outcome.code}: {outcome}")
        site.look(lambda image: True, lambda image: False)
        site.check_report(outcome, None)
        for name, image in outcome.report.images().items():
            tags, push = before[name], image.get("push")
            want(image["status"] == "held" or image.get("newer", {"digest": push["digest"]})["digest"] == tags["latest"],
                 f"{name}: {image.get('newer')}, the registry has {tags}")
        site.heal()
        site.check_record(ahead)
        behind.lose("state", "cache", "out")

    def night_overtaken(self):
        """While one machine pushes, the repository gets newer and another machine is done with it."""
        self.ensure_change()
        site, (slow, fast) = self.site, self.site.machines
        go_on = threading.Event()
        held = site.proxy.fault("PUT", "/manifests/sha256", change=lambda *_: go_on.wait(60))
        begun = time.time()
        with Watch(site):
            child = slow.start(site.days_back)
            while child.poll() is None and not held.hits:
                time.sleep(0.02)
            for name in (*upstream.PROGRAMS, "rho", "sigma"):
                site.upstream.bump(name)
            site.publish()
            overtook = fast.run(site.days_back)
            site.look(lambda image: overtook.code == run.OK)
            self.want_good(fast, overtook)
            go_on.set()
            outcome = slow.end(child, begun)
        want(outcome.code in (run.OK, run.PUBLISH, run.PARTLY), f"the exit status is {outcome.code}: {outcome}")
        site.look(lambda image: True)
        slow.accepted, fast.accepted = None, site.generation
        self.note_looks(fast)
        self.good(slow, counts=False)

    def missing(self, word):
        """What one architecture needs is not there: `on-missing` says what becomes of the images."""
        self.ensure_change()
        site, machine = self.site, self.site.machines[0]
        kind = self.random.choice(("deb", "rpm"))
        site.upstream.bump("gamma" if kind == "deb" else "rho")
        site.publish((kind,))
        self.say(f"{kind} is not there for aarch64")
        site.mirror.fault("*binary-arm64/*" if kind == "deb" else "*/rpm/aarch64/*", status=404, times=None)
        hit = [image for image in outside.IMAGES if outside.IMAGES[image][0] == kind]
        before = {image: site.outside.tags(image) for image in outside.IMAGES}
        site.forget_requests()
        site.may_differ, site.outside.may_lack = word == "keep-previous", word == "publish"
        with Watch(site):
            outcome = machine.run(site.days_back, f"--on-missing={word}")
        fails = lambda image: word == "hold"
        self.bad(outcome, (run.PARTLY,), lambda image: image not in hit or not fails(image), lambda image: image not in hit, partly=hit)
        told = {name.split(":")[-1]: image for name, image in outcome.report.images().items()}
        for image in hit:
            tags = site.outside.tags(image)
            want((told[image]["status"] == "failed") == fails(image), f"{image} is {told[image]['status']} with {word}")
            if fails(image):
                continue
            there, was = site.outside.platforms(tags["latest"]), site.outside.platforms(before[image]["latest"])
            want(there.get("arm64") == (was["arm64"] if word == "keep-previous" else None), f"{image} has {there} with {word}, before {was}")
            fault = site.outside.unlike(image, tags["latest"], site.mirrors[-1], "amd64")
            want(not fault, f"with {word} {fault}")
        site.heal()
        self.good(machine, counts=False)
        site.may_differ = site.outside.may_lack = False

    def night_missing_hold(self):
        self.missing("hold")

    def night_missing_keep_previous(self):
        self.missing("keep-previous")

    def night_missing_publish(self):
        self.missing("publish")

    def wait_for(self, machine, child, condition, what):
        end = time.monotonic() + 60
        while not condition(machine.said(child)):
            want(child.poll() is None and time.monotonic() < end, f"{what}: {machine.said(child)[-2000:]}")
            time.sleep(0.05)

    def night_watch(self):
        """The machine watches: it asks for nothing but signed metadata, and makes a night when these change."""
        site, machine = self.site, self.site.machines[0]
        if any(map(site.lagging, outside.IMAGES)):  # an overdue update would make nights without end
            self.good(machine)
            return
        begun, idle = time.time(), "signed metadata are the same"
        command = ["--verbose" if word == "--quiet" else word for word in machine.command("--watch=200ms")]
        with Watch(site):
            child = machine.start(site.days_back, command=command)
            try:
                self.wait_for(machine, child, lambda said: idle in said, "the first poll")
                site.forget_requests()
                polls = machine.said(child).count(idle)
                self.wait_for(machine, child, lambda said: said.count(idle) > polls + 5, "polls")
                asked, polls = list(site.mirror.requests), machine.said(child).count(idle) - polls
                indices = len(upstream.SUITES) + len(upstream.ARCHES)
                want(len(asked) <= indices * (polls + 1) and len(site.mirror.not_modified) >= len(asked) - indices,
                     f"{polls} polls asked {asked[:9]} … ({len(asked)})")
                want(not site.proxy.requests, f"polls asked the registry {site.proxy.requests[:3]}")
                site.publish(self.change("several"))
                self.wait_for(machine, child, lambda said: said.count("ok      6 of 6") >= 2 and idle in said.rpartition("6 of 6")[2], "a night")
            finally:
                child.terminate()
                outcome = machine.end(child, begun)
        want(outcome.code == -15, f"ended by SIGTERM with {outcome.code}: {outcome}")
        want(len(outcome.reports) == 2, f"{len(outcome.reports)} nights: {outcome}")
        site.look(lambda image: True)
        site.check_record(machine)
        machine.accepted = site.generation
        self.note_looks(machine)

    def night_locked(self):
        """What a lock names is built, whatever newer there is; a machine that has nothing of it cannot."""
        site, (machine, other) = self.site, self.site.machines
        self.good(machine, counts=False)
        if any(map(site.lagging, outside.IMAGES)):
            return
        begun, lock = time.time(), machine.path("night.lock")
        command = [run.program(), "lock", "--config", machine.site_file, "--cache", machine.path("cache"), "--state", machine.path("state"),
                   "--lock-file", lock, "--quiet"]
        made = machine.end(machine.start(site.days_back, command=command), begun)
        want(made.code == run.OK, f"lock: {made}")
        self.change("rpm")
        site.publish(self.change("several"))
        other.lose("state", "cache", "out")
        for of, codes in ((machine, (run.OK,)), (other, (run.NETWORK,))):
            with Watch(site):
                outcome = of.run(site.days_back, "--locked", "--lock-file", lock)
            want(outcome.code in codes, f"with --locked the exit status is {outcome.code}, not one of {codes}: {outcome}")
            site.look(lambda image: False, lambda image: False)
            site.check_report(outcome, None)
        other.lose("state", "cache", "out")
        os.unlink(lock)
        self.good(machine, counts=False)

    def night_kill(self):
        """SIGKILL at any instant, some times; then the timer's next call."""
        self.ensure_change()
        site, machine = self.site, self.site.machines[0]
        for _ in range(self.random.randint(1, 3)):
            begun = time.time()
            with Watch(site):
                child = machine.start(site.days_back)
                time.sleep(self.random.uniform(0, machine.seconds))
                outcome = machine.kill(child, begun)
            site.look(lambda image: False)
            self.say(f"killed: {outcome.code}")
        machine.accepted = None
        begun = time.time()
        self.good(machine, counts=False)
        machine.seconds = 0.5 * machine.seconds + 0.75 * (time.time() - begun)

    def night_kill_in_a_request(self):
        """SIGKILL while the registry does something."""
        self.ensure_change()
        site, machine = self.site, self.site.machines[0]
        verbs, pattern = self.random.choice((("PUT", "/manifests/latest"), ("PUT", "/manifests/sha256"), ("PUT", "/uploads/"), ("POST", "/uploads/"),
                                             ("PUT", "/manifests/[0-9]")))
        fault = site.proxy.fault(verbs, pattern, nth=self.random.randint(1, 3), hold=self.random.choice(("before", "after")))
        begun = time.time()
        with Watch(site):
            child = machine.start(site.days_back)
            while child.poll() is None and not fault.reached.wait(0.02):
                pass
            outcome = machine.kill(child, begun)
        self.say(f"killed in {verbs} {pattern}: {outcome.code}")
        site.look(lambda image: False)
        site.heal()
        machine.accepted = None
        self.good(machine, counts=False)

    def all(self, plan):
        for change, trouble in plan:
            self.play(change, trouble)


TROUBLES = tuple(name.removeprefix("night_").replace("_", " ") for name in vars(Play) if name.startswith("night_") and name != "night_none")


def plan(seed, nights, changes):
    """[(change, trouble)]: each kind of both at least once when there is room; a night without trouble follows most of those with."""
    chance = random.Random(f"plan {seed}")
    when = sorted(chance.sample(range(1, nights), min(changes, nights - 1)))
    kinds = (list(CHANGES) * (1 + changes // len(CHANGES)))[:len(when)]
    chance.shuffle(kinds)
    changed = dict(zip(when, kinds))
    troubles = list(TROUBLES)
    chance.shuffle(troubles)
    found, is_first_round = [(None, "none")], True
    for night in range(1, nights):
        is_hurried = is_first_round and 2 * len(troubles) > nights - night - 2
        is_troubled = found[-1][1] == "none" and (is_hurried or chance.random() < 0.7) or chance.random() < 0.15 \
            or is_first_round and len(troubles) >= nights - night
        if is_troubled and not troubles:
            troubles, is_first_round = chance.sample(TROUBLES, len(TROUBLES)), False
        found.append((changed.get(night), troubles.pop() if is_troubled else "none"))
    return found


def main(nights, seed, changes):
    """What scripts/nights does."""
    top = tempfile.mkdtemp(prefix="imgfactory-nights-")
    play = Play(top, seed, nights)
    try:
        play.all(plan(seed, nights, changes))
        print(f"{nights} nights of seed {seed}: all promises held")
    finally:
        play.close()
        shutil.rmtree(top, ignore_errors=True)
