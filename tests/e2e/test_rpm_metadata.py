# SPDX-License-Identifier: Apache-2.0
"""RPM-MD repositories up to the solution (--dry-run): metalinks and mirrors, signatures, the chain of checksums, hostile
metadata, keys that are none, variables, shipped sources."""

import hashlib
import os
import re
import shutil
import unittest

from base import Case, Report, need, rpm, rpmmd, run, server

MANIFEST = "binaries: [/usr/sbin/served]\n"
PAGE = b"<!DOCTYPE html><html><title>Please log in</title></html>\n"
ARCHES = ("x86_64", "aarch64")
DRY = ("--arch", "all", "--dry-run", "served")


def stanzas(arch, version="1.0-1"):
    return [rpmmd.Stanza("served", version, arch, files=["/usr/sbin/served"], requires=["libfoo.so.1()(64bit)"]),
            rpmmd.Stanza("libfoo", "2-1", arch, files=["/usr/lib64/libfoo.so.1"], provides=["libfoo.so.1()(64bit)"])]


class Metadata(Case):
    """A served repository for each of ARCHES; source() writes a source file for it."""

    def setUp(self):
        super().setUp()
        self.publish("repo")
        self.server = self.serve("repo")
        self.write_manifest(text=MANIFEST)

    def serve(self, name):
        started = server.Server(self.path(name)).start()
        self.addCleanup(started.stop)
        return started

    def publish(self, name, version="1.0-1", **settings):
        for arch in ARCHES:
            rpmmd.write(self.path(f"{name}/{arch}"), stanzas(arch, version), **settings)

    def repodata(self, name="repo", arch="x86_64", file="repomd.xml"):
        return self.path(f"{name}/{arch}/repodata/{file}")

    def source(self, where=None, keys=None, **settings):
        """Writes a source file and uses it; settings are its further keys."""
        where = where or f"baseurl: {self.server.url}/$basearch"
        lines = ["kind: rpm", "name: kit", where, f"gpgkey: [{', '.join(keys or [self.key.armoured])}]"]
        lines += [f"{key}: {value}" for key, value in settings.items()]
        self.use(self.write("source.yaml", "\n".join(lines) + "\n"))

    def edit(self, change, name="repo", file="repomd.xml"):
        for arch in ARCHES:
            path = self.repodata(name, arch, file)
            with open(path, "rb") as stream:
                data = stream.read()
            with open(path, "wb") as stream:
                stream.write(change(data))

    def solve(self, version="1.0-1", arguments=DRY):
        result = self.run_factory(*arguments)
        self.assertEqual(result.code, run.OK, result)
        self.assertIn(version, result.stdout, result)
        return result

    def reject(self, code, *parts):
        """Wants a refusal, with the repository's place in its message."""
        return self.refuse(code, *parts, "source.yaml:1", arguments=DRY)

    def fresh(self, number):
        """A cache and a state of its own."""
        self.factory.cache, self.factory.state = self.path(f"cache{number}"), self.path(f"state{number}")


class Chain(Metadata):
    def setUp(self):
        super().setUp()
        self.source()

    def test_variables_lead_each_architecture_to_its_own(self):
        self.solve()
        for arch in ARCHES:
            self.assertEqual(self.server.asked(f"/{arch}/repodata/repomd.xml"), 1)

    def test_the_mirror_that_answers_is_in_the_key(self):
        def key(answering):
            self.source(f"baseurl: [http://127.0.0.1:1/$basearch, {answering.url}/$basearch]")
            return Report(self.solve(arguments=("--json", *DRY)).stdout).order("served", "x86_64")["key"]

        keys = [key(answering) for answering in (self.server, self.server, self.serve("repo"))]
        self.assertEqual((keys[0] == keys[1], keys[0] == keys[2]), (True, False), keys)

    def test_a_second_run_needs_no_network_with_cache_only(self):
        self.solve()
        self.server.fault("*", status=503)
        self.refuse(run.NETWORK, "(--cache-only uses the repomd.xml of ", arguments=(*DRY, "--retries", "0"))
        self.solve(arguments=("--cache-only", *DRY))

    def test_cache_only_says_what_was_never_fetched(self):
        result = self.refuse(run.NETWORK, "never fetched", arguments=("--cache-only", *DRY))
        self.assertIn("repository kit for", result.stderr)
        self.assertEqual(self.server.asked(), 0)

    def test_another_byte_in_primary(self):
        self.edit(lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:], file="primary.xml.gz")
        self.refuse(run.NETWORK, "expected sha256:", "primary.xml.gz", arguments=DRY)

    def test_a_truncated_primary(self):
        self.edit(lambda data: data[:-7], file="primary.xml.gz")
        self.refuse(run.NETWORK, "bytes, got", "primary.xml.gz", arguments=DRY)

    def test_a_primary_that_is_cut_on_its_way_is_tried_again(self):
        self.server.fault("*/primary.xml.gz", times=1, cut=30)
        self.solve()

    def test_a_primary_that_is_not_there(self):
        self.server.fault("*/primary.xml.gz", status=404)
        self.refuse(run.NETWORK, "primary.xml.gz", "404", arguments=DRY)

    def test_a_login_page_instead_of_repomd(self):
        self.server.fault("*/repomd.xml", body=PAGE)
        self.reject(run.MALFORMED, "repomd.xml:1")

    def test_malformed_primary_with_true_checksums(self):
        for number, text in enumerate((b"<metadata><package>", b"<metadata packages='1'/>junk", b"", b"\xff\xfe<a/>",
                                       b"<!DOCTYPE m [<!ENTITY a 'b'>]><metadata>&a;</metadata>")):
            with self.subTest(text):
                self.fresh(number)
                self.publish("repo", texts={"primary": text})
                self.refuse(run.MALFORMED, "primary", arguments=DRY)

    def test_hostile_repomd(self):
        cases = (
            (run.MALFORMED, b'href="repodata/primary', b'href="../../primary', 'it has ".."'),
            (run.MALFORMED, b'href="repodata/primary', b'href="https://evil.test/primary', "is refused"),
            (run.MALFORMED, b'href="repodata/primary', b'href="/etc/primary', "absolute"),
            (run.MALFORMED, b'href="repodata/primary', b'href="repodata/%2e%2e/primary', 'it has ".."'),
            (run.MALFORMED, b'href="repodata/primary', b'href="repodata/&#10;primary', "control bytes"),
            (run.MALFORMED, b"<location ", b'<location xml:base="http://evil.test/" ', "another base"),
            (run.MALFORMED, b"<repomd ", b"<repomd><repomd ", "well-formed"),
            (run.MALFORMED, b"</repomd>", b"", "well-formed"),
            (run.MALFORMED, b"<size>", b"<size>x", "not a number"),
            (run.MALFORMED, b'type="filelists"', b'type="primary"', "twice"),
            (run.TRUST, b'type="sha256"', b'type="sha1"', "sha1"),
            (run.TRUST, b'type="sha256"', b'type="md5"', "md5"),
        )
        with open(self.repodata(), "rb") as stream:
            good = stream.read()
        for code, old, new, word in cases:
            with self.subTest(new):
                self.assertIn(old, good)
                self.edit(lambda _, old=old, new=new: good.replace(old, new))
                self.reject(code, word, "repomd.xml")

    def test_a_bomb_is_stopped_at_what_repomd_says(self):
        self.publish("repo", texts={"primary": b"<metadata>" + b" " * (8 << 20) + b"</metadata>"})
        self.edit(lambda data: re.sub(rb"<open-size>\d{7}", b"<open-size>1000", data))
        self.refuse(run.MALFORMED, "primary", arguments=DRY)

    def test_an_endless_answer_ends_at_the_cap(self):
        self.server.fault("*/repomd.xml", endless=True)
        self.reject(run.MALFORMED, "larger than")

    def test_an_older_generation_is_refused(self):
        self.solve()
        self.publish("repo", "0.9-1", timestamp=rpmmd.EPOCH - 100)
        self.reject(run.TRUST, "older than the last accepted one", "delete ")
        shutil.rmtree(self.factory.cache)
        self.reject(run.TRUST, "older than the last accepted one")
        shutil.rmtree(self.factory.state)
        self.solve("0.9-1")

    def test_only_zchunk_is_refused_in_words(self):
        self.edit(lambda data: data.replace(b'type="primary"', b'type="primary_zck"'))
        self.refuse(run.MALFORMED, "zchunk", arguments=DRY)


class Signatures(Metadata):
    def setUp(self):
        super().setUp()
        self.source(repo_gpgcheck="true")

    def test_signed_by_the_right_key(self):
        self.publish("repo", repo_key=self.key)
        self.solve()

    def test_not_signed(self):
        self.reject(run.TRUST, "is not signed", "repomd.xml.asc")

    def test_signed_by_another_key(self):
        self.publish("repo", repo_key=self.ring.get("other"))
        self.reject(run.TRUST, "unknown key", self.key.armoured)

    def test_another_byte_behind_the_signature(self):
        self.publish("repo", repo_key=self.key)
        self.edit(lambda data: data.replace(b"<revision>1", b"<revision>2"))
        self.reject(run.TRUST, "does not fit the text")

    def test_a_signature_that_is_none(self):
        self.publish("repo", repo_key=self.key)
        self.edit(lambda _: PAGE, file="repomd.xml.asc")
        self.reject(run.TRUST, "no signature that gpgv can read")

    def test_without_any_check_it_needs_the_operators_word(self):
        path = self.write("source.yaml", f"kind: rpm\nbaseurl: {self.server.url}/$basearch\ngpgcheck: false\n")
        self.use(path)
        self.refuse(run.USAGE, "trusted: true", "source.yaml:1", arguments=DRY)
        self.write("source.yaml", f"kind: rpm\nbaseurl: {self.server.url}/$basearch\ntrusted: true\n")
        result = self.solve()
        self.assertIn("neither packages nor metadata are checked", result.stderr)


class Keys(Metadata):
    def test_a_key_by_url_is_fetched_once_a_day(self):
        shutil.copy(self.key.armoured, self.path("repo/KEY"))
        self.source(keys=[f"{self.server.url}/KEY"])
        self.solve()
        self.solve()
        self.assertLessEqual(self.server.asked("/KEY"), len(ARCHES))
        self.server.fault("*", status=503)
        self.solve(arguments=("--cache-only", *DRY))

    def test_a_key_in_the_clear_proves_nothing(self):
        self.source(keys=["http://keys.example.org/KEY"])
        self.reject(run.TRUST, "http://keys.example.org/KEY", "in the clear")

    def test_files_that_are_not_keys_are_named(self):
        with open(self.key.keyring, "rb") as stream:
            good = stream.read()
        with open(self.key.armoured, "rb") as stream:
            armoured = stream.read()
        cases = {"page": PAGE, "empty": b"", "cut": good[:-9], "cut.asc": armoured[:200], "noise": bytes(range(256)),
                 "signature.asc": self.key.detach(b"x"), "long": good + b"\xc6\xff\xff\xff\xff\xff"}
        for name, data in cases.items():
            with self.subTest(name):
                path = self.write(name, data)
                self.source(keys=[self.key.armoured, path])
                self.reject(run.TRUST, f"{path} is not a file of public keys")

    def test_a_key_file_that_is_not_there(self):
        self.source(keys=[self.path("absent.asc")])
        self.reject(run.USAGE, "absent.asc", "No such file")

    def test_a_key_url_that_answers_with_a_page(self):
        self.server.fault("/KEY", body=PAGE)
        self.source(keys=[f"{self.server.url}/KEY"])
        self.reject(run.TRUST, f"{self.server.url}/KEY is not a file of public keys")
        self.server.heal()
        shutil.copy(self.key.armoured, self.path("repo/KEY"))
        self.solve()


class Mirrors(Metadata):
    """`self.server` has what the metalink wants; others lag or lie."""

    def metalink(self, servers, wanted="repo", alternates=(), kind="sha256"):
        """Writes a metalink for each architecture where the first server can serve it."""
        def verification(name, arch):
            with open(self.repodata(name, arch), "rb") as stream:
                data = stream.read()
            return (f"<size>{len(data)}</size><verification><hash type='{kind}'>"
                    f"{hashlib.new(kind, data).hexdigest()}</hash></verification>")
        for arch in ARCHES:
            older = "".join(f"<mm0:alternate>{verification(name, arch)}</mm0:alternate>" for name in alternates)
            urls = "".join(f"<url protocol='http' type='http' location='XX' preference='{100 - number}'>"
                           f"{one.url}/{arch}/repodata/repomd.xml</url>" for number, one in enumerate(servers))
            self.write(f"lists/metalink-{arch}",
                       "<?xml version='1.0' encoding='utf-8'?>\n<metalink version='3.0' "
                       "xmlns='http://www.metalinker.org/' xmlns:mm0='http://fedorahosted.org/mirrormanager'><files>"
                       f"<file name='repomd.xml'>{verification(wanted, arch)}<mm0:alternates>{older}</mm0:alternates>"
                       f"<resources maxconnections='1'>{urls}</resources></file></files></metalink>\n")
        if not hasattr(self, "lists"):
            self.lists = self.serve("lists")
        self.source(f"metalink: {self.lists.url}/metalink-$basearch")

    def second(self, version="0.9-1", timestamp=rpmmd.EPOCH - 100):
        self.publish("second", version, timestamp=timestamp)
        return self.serve("second")

    def test_a_stale_mirror_is_passed_over(self):
        stale = self.second()
        self.metalink([stale, self.server])
        self.assertIn("has no hash of the metalink", self.solve().stderr)
        self.assertEqual(stale.asked("*primary*"), 0)

    def test_an_alternate_is_as_good(self):
        self.metalink([self.second(), self.server], alternates=["second"])
        self.solve("0.9-1")

    def test_a_broken_mirror_is_passed_over(self):
        bad = self.second()
        self.metalink([bad, self.server], kind="sha512")
        for number, fault in enumerate(({"status": 503}, {"status": 404}, {"body": PAGE}, {"body": b""}, {"cut": 50},
                                        {"extra": b" "}, {"endless": True}, {"redirect": "ftp://127.0.0.1/x"})):
            with self.subTest(fault):
                self.fresh(number)
                bad.heal()
                bad.fault("*", **fault)
                self.solve()

    def test_a_file_that_a_mirror_lost_comes_from_the_next(self):
        shutil.copytree(self.path("repo"), self.path("second"))
        first = self.serve("second")
        self.metalink([first, self.server])
        first.fault("*/primary.xml.gz", status=404)
        first.fault("*/filelists.xml.gz", body=b"other bytes")
        self.solve()

    def test_all_stale_is_refused(self):
        self.metalink([self.second()])
        self.reject(run.TRUST, "has no hash of the metalink: the mirror is stale or broken")

    def test_a_metalink_that_is_none(self):
        self.metalink([self.server])
        for code, data, word in ((run.MALFORMED, PAGE, "metalink"), (run.MALFORMED, b"", "well-formed"),
                                 (run.MALFORMED, b"<metalink><files/></metalink>", "not one of repomd.xml"),
                                 (run.MALFORMED, b"<!DOCTYPE a><metalink/>", "document type")):
            with self.subTest(data):
                self.lists.heal()
                self.lists.fault("*", body=data)
                self.reject(code, word)
        self.lists.heal()
        self.lists.fault("*", status=404)
        self.reject(run.NETWORK, "the list of mirrors", "404")

    def test_weak_hashes_do_not_count(self):
        self.metalink([self.server], kind="sha1")
        self.reject(run.TRUST, "no SHA-256 or SHA-512")

    def test_a_mirror_list_with_variables(self):
        self.write("lists/list", f"# mirrors\n{self.second().url}/gone/$basearch\n{self.server.url}/$basearch\n")
        self.source(f"mirrorlist: {self.serve('lists').url}/list")
        self.solve()

    def test_a_list_on_this_machine_may_name_a_folder_that_only_we_may_read(self):
        os.chmod(self.path("repo"), 0o700)
        self.write("lists/list", f"file://{self.path('repo')}/$basearch\n")
        self.source(f"mirrorlist: file://{self.path('lists')}/list")
        self.solve()

    def test_a_mirror_list_must_not_name_files(self):
        self.write("lists/list", f"file://{self.path('repo')}/x86_64\n")
        self.source(f"mirrorlist: {self.serve('lists').url}/list")
        self.reject(run.MALFORMED, "not the URL of a mirror")

    def test_several_base_urls_are_mirrors(self):
        stale = self.second()
        stale.fault("*", status=503)
        self.source(f'baseurl: ["{stale.url}/$basearch", "{self.server.url}/${{basearch}}"]')
        self.solve()


class Optional(Metadata):
    def write_two(self, url, optional):
        self.use(self.write("source.yaml", f"""kind: rpm
repositories:
  - {{name: kit, baseurl: "{self.server.url}/$basearch", gpgkey: {self.key.armoured}}}
  - {{name: more, baseurl: "{url}", gpgkey: {self.key.armoured}, skip_if_unavailable: {optional}}}
"""))

    def test_an_unreachable_one_is_left_out_only_when_it_may_be(self):
        self.write_two(f"{self.server.url}/absent", "true")
        self.assertIn("left out an optional repository", self.solve().stderr)
        self.write_two(f"{self.server.url}/absent", "false")
        self.refuse(run.NETWORK, "repository more", "404", arguments=DRY)

    def test_a_bad_one_is_not_left_out(self):
        self.write_two(f"{self.server.url}/bad", "true")
        self.write("repo/bad/repodata/repomd.xml", PAGE)
        self.refuse(run.MALFORMED, "repository more", arguments=DRY)


class Createrepo(Metadata):
    """Repositories by createrepo_c of packages by rpmbuild."""

    def test_its_compressions_and_checksums(self):
        need("createrepo_c", "rpmbuild")
        packages = [rpm.Package("served", [rpm.File("/usr/sbin/served", "x")], arch=arch) for arch in ARCHES]
        made = rpm.Repository(self.path("made"), packages)
        made.publish()
        self.source(f"baseurl: {made.root}", repo_gpgcheck="true")
        for number, (kind, checksum) in enumerate((("gz", "sha256"), ("xz", "sha512"), ("bz2", "sha256"),
                                                   ("zstd", "sha512"))):
            with self.subTest(kind=kind, checksum=checksum):
                self.fresh(number)
                made.index(self.key, kind, checksum)
                self.solve()
                shutil.move(made.root, made.root + ".away")
                os.mkdir(made.root)
                self.solve(arguments=("--cache-only", *DRY))
                os.rmdir(made.root)
                shutil.move(made.root + ".away", made.root)


class Swapped(Metadata):
    """A mirror puts another repository, signed by the same keys, under the URL of the one that was asked for."""

    X86 = ("--arch", "x86_64", "--dry-run", "served")

    def put(self, arch, timestamp, tags=""):
        """Metadata of that architecture's packages where those of x86_64 are looked for."""
        rpmmd.write(self.path("repo/x86_64"), stanzas(arch), timestamp=timestamp)
        self.edit(lambda data: data.replace(b"</revision>", b"</revision>" + tags.encode()))

    def test_another_architectures_repository_is_refused_and_the_honest_one_still_taken(self):
        for number, honest_first in enumerate((True, False)):
            with self.subTest(honest_first=honest_first):
                self.fresh(number)
                self.source()
                self.put("x86_64", rpmmd.EPOCH)
                if honest_first:
                    self.solve(arguments=self.X86)
                self.put("aarch64", rpmmd.EPOCH + 1000)
                self.refuse(run.TRUST, "its packages are of aarch64, none is of x86_64", self.server.url,
                            arguments=self.X86)
                self.put("x86_64", rpmmd.EPOCH + 500)
                self.solve(arguments=self.X86)

    def test_without_basearch_in_the_url_it_is_noticed_when_it_had_packages_before(self):
        self.source(f"baseurl: {self.server.url}/x86_64")
        self.put("x86_64", rpmmd.EPOCH)
        self.solve(arguments=self.X86)
        self.put("aarch64", rpmmd.EPOCH + 1000)
        self.refuse(run.TRUST, "as they were before", arguments=self.X86)

    def test_other_tags_are_refused_until_they_are_accepted(self):
        tags = '<tags><distro cpeid="cpe:/o:kit:kit:{0}">Kit {0}</distro></tags>'
        self.source()
        self.put("x86_64", rpmmd.EPOCH, tags.format(41))
        self.solve(arguments=self.X86)
        self.put("x86_64", rpmmd.EPOCH + 1000, tags.format(40))
        self.refuse(run.TRUST, 'distro was "Kit 41" and is "Kit 40"', "cpe:/o:kit:kit:40", "--accept-release-change",
                    arguments=self.X86)
        self.put("x86_64", rpmmd.EPOCH + 500, tags.format(41))
        self.solve(arguments=self.X86)
        self.put("x86_64", rpmmd.EPOCH + 1000, tags.format(42))
        self.solve(arguments=("--accept-release-change", *self.X86))
        self.solve(arguments=self.X86)
        self.put("x86_64", rpmmd.EPOCH + 2000, tags.format(42).replace("<tags>", "<tags><content>debug</content>"))
        self.refuse(run.TRUST, 'content was (none) and is "debug"', arguments=self.X86)

    def test_max_age_refuses_and_names_the_clock(self):
        self.source(**{"max-age": 30})
        self.refuse(run.TRUST, "max-age in", "allows 30", "this machine's clock", arguments=self.X86)
        self.source(**{"max-age": 0})
        self.refuse(run.USAGE, "max-age is a number of days from 1", arguments=self.X86)


class Shipped(Case):
    def setUp(self):
        super().setUp()
        self.write("manifests/served.yaml", MANIFEST)
        self.factory.options = ["--manifests", self.path("manifests"), "--retries", "0"]

    def test_an_unknown_name_lists_the_known_and_the_nearest(self):
        self.refuse(run.USAGE, "unknown source 'fedora-40'", "did you mean 'fedora-4", "centos-stream-9", "rocky-9",
                    arguments=("--source", "fedora-40", *DRY))

    def test_sources_beside_the_manifests_are_found_by_name(self):
        self.write("manifests/sources/ours.yaml", "kind: rpm\nbaseurl: /nonexistent\n")
        self.refuse(run.USAGE, "sources/ours.yaml:1", arguments=("--source", "ours", *DRY))
        self.write("manifests/served.yaml", MANIFEST + "source: ours\n")
        self.refuse(run.USAGE, "sources/ours.yaml:1", arguments=DRY)


if __name__ == "__main__":
    unittest.main()
