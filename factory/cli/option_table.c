/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/option_table.h"

#include "plan/site.h"
#include "sbom/provenance.h"

#include <stddef.h>

/* A row, which cannot be without any of its statements. */
#define OPTION(letter, name, value, help, kind, field, commands, idle, least, most, alters)                            \
    {                                                                                                                  \
        letter, name, value, help, kind, offsetof(struct options, field), commands, idle, least, most, alters          \
    }

#define MAKES (COMMAND_BUILD | COMMAND_ASSEMBLE) /* make whole images, of packages or of what others made */
#define LOGINS (COMMAND_LOGIN | COMMAND_LOGOUT)
#define PACKAGES (MAKES | COMMAND_LOCK | COMMAND_WHY | COMMAND_NEW | COMMAND_FIND) /* take packages from sources */
#define ASKS (COMMAND_WHY | COMMAND_NEW | COMMAND_FIND)                          /* look into them, and build nothing */
#define TAGS (MAKES | COMMAND_PUSH | COMMAND_TAG | COMMAND_COPY)                 /* move tags in registries */
#define VERIFIES (COMMAND_VERIFY | COMMAND_PULL | COMMAND_COPY | COMMAND_SYSTEM) /* look at signatures */
#define PULLS                                                                                                          \
    (COMMAND_PULL | COMMAND_INSPECT | COMMAND_CHECK | COMMAND_UNIT | COMMAND_DIFF | COMMAND_SBOM | COMMAND_SYSTEM |    \
     COMMAND_PROVENANCE | COMMAND_VEX) /* images of registries */
#define CACHES                                                                                                         \
    (COMMAND_COPY | COMMAND_TAG | COMMAND_VERIFY | PACKAGES | PULLS | COMMAND_CLEAN | COMMAND_HISTORY |                \
     COMMAND_PRUNE) /* use the cache */
#define REGISTRIES                                                                                                     \
    (COMMAND_VERIFY | TAGS | PULLS | COMMAND_LOGIN | COMMAND_HISTORY | COMMAND_STATUS | COMMAND_LOCK |                 \
     COMMAND_PRUNE) /* talk to registries */
#define STATES                                                                                                         \
    (PACKAGES | TAGS | COMMAND_VERIFY | COMMAND_DIFF | COMMAND_SBOM | COMMAND_PROVENANCE | COMMAND_VEX |               \
     COMMAND_HISTORY | COMMAND_PRUNE | COMMAND_UNIT) /* use the state */
#define ALL                                                                                                            \
    (COMMAND_VERIFY | PACKAGES | TAGS | PULLS | LOGINS | COMMAND_CLEAN | COMMAND_HISTORY | COMMAND_STATUS |            \
     COMMAND_SHOW_CONFIG | COMMAND_PRUNE | COMMAND_KEY)

static const struct option_row rows[] = {
    OPTION('a', "arch", "LIST",
           "architectures: names separated by commas, or \"all\" that the manifest allows (default: this machine's)",
           OPTION_STRING, arch, PACKAGES | (PULLS & ~(COMMAND_UNIT | COMMAND_PROVENANCE | COMMAND_VEX)), 0, 0, 0,
           ALTERS_ORDER),
    OPTION('s', "source", "FILE",
           "take packages from this source, a file or the name of a shipped one (fedora-41), instead of the host's own "
           "configuration",
           OPTION_STRING, source, PACKAGES | COMMAND_VERIFY, 0, 0, 0, ALTERS_ORDER),
    OPTION(0, "suite", "NAME", "take these suites of the host's main repository, as in \"trixie\"", OPTION_STRING,
           suite, PACKAGES | COMMAND_VERIFY, 0, 0, 0, ALTERS_ORDER),
    OPTION(0, "config-root", "DIR",
           "read apt's or dnf's configuration of the system below DIR, instead of the host's own", OPTION_STRING,
           config_root, PACKAGES | COMMAND_VERIFY, 0, 0, 0, ALTERS_ORDER),
    OPTION('o', "output", "DIR",
           "write OCI layouts to DIR/IMAGE (default: out), or one image to a file: oci-archive:FILE[:NAME:TAG], "
           "docker-archive:FILE[:NAME:TAG]",
           OPTION_STRING, output, MAKES | COMMAND_PUSH | PULLS | COMMAND_COPY, COMMAND_LOCK, 0, 0, ALTERS_NOTHING),
    OPTION('t', "tree", "DIR", "also write each file tree to DIR/IMAGE/ARCH", OPTION_STRING, tree, COMMAND_BUILD, 0, 0,
           0, ALTERS_NOTHING),
    OPTION('c', "compression", "NAME",
           "of layers: gzip (default), zstd, or zstd:chunked, of which podman pulls only the files that it lacks; "
           "both: gzip and zstd:chunked in one image",
           OPTION_STRING, compression, MAKES, 0, 0, 0, ALTERS_INPUTS),
    OPTION(0, "layers", NULL, "read packages and files out of the layers, whatever bills say", OPTION_FLAG, is_layers,
           COMMAND_DIFF, 0, 0, 0, ALTERS_NOTHING),
    OPTION(
        0, "layers", "N",
        "layers of an image, at most: 1 (default), auto or a number; above 2 imgfactory lock makes the plan of which "
        "packages get one",
        OPTION_STRING, layers, MAKES | COMMAND_LOCK, 0, 0, 0, ALTERS_INPUTS),
    OPTION(0, "push", "[=REF]",
           "push each image when it is built: to REF, or where manifest or site file say; with a destination there "
           "this is "
           "the default",
           OPTION_MAYBE_STRING, push, MAKES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "no-push", NULL, "do not push, whatever manifest and site file say", OPTION_FLAG, is_no_push,
           COMMAND_BUILD, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "allow-fewer-platforms", NULL, "let a tag lose platforms that it has", OPTION_FLAG, may_lose_platforms,
           TAGS, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "parity", "WORD",
           "move no tag while the architectures of an image differ: exact (versions), source (versions of source "
           "packages; default of the site's images) or off (tell only)",
           OPTION_STRING, parity, MAKES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "on-missing", "WORD",
           "when an architecture of an image fails: hold (default: no tag moves), keep-previous (what the tag has for "
           "it in the registry goes in), or publish (without it)",
           OPTION_STRING, on_missing, MAKES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "keep-existing-tags", NULL,
           "leave tags with a version where they are when they are at another image (they may be immutable), and move "
           "the others",
           OPTION_FLAG, are_tags_kept, MAKES | COMMAND_PUSH | COMMAND_COPY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "verify-remote", NULL, "ask the registry for every blob, although it had them all less than a week ago",
           OPTION_FLAG, is_look_forced, TAGS, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "tag", "TAG",
           "push under this tag (again for more; default: the tag of REF, else all that the layout has for the image)",
           OPTION_STRINGS, tags, COMMAND_PUSH | COMMAND_COPY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(
        0, "sign", "FILE",
        "sign what is pushed with this key, or by the command that the file names (again for more; default: the site "
        "file's)",
        OPTION_STRINGS, sign, MAKES | COMMAND_PUSH | COMMAND_VERIFY | COMMAND_TAG, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "key", "FILE", "a public key; index and children must be signed by it (again for more: by any of them)",
           OPTION_STRINGS, keys, VERIFIES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "quorum", "N",
           "want results of N who made the image again and found it the very same, by distinct keys: those of "
           "--rebuilder, "
           "else of --key or --policy",
           OPTION_NUMBER, quorum, COMMAND_VERIFY, 0, 1, 64, ALTERS_NOTHING),
    OPTION(0, "rebuilder", "FILE",
           "a public key of who makes images again; it signs results, and no image (again for more)", OPTION_STRINGS,
           rebuilders, COMMAND_VERIFY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "publish-result", NULL,
           "with --rebuild: attach to the image that it came out the same, signed (--sign), for others' --quorum",
           OPTION_FLAG, is_result_published, COMMAND_VERIFY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "policy", "FILE",
           "a policy as podman reads it (/etc/containers/policy.json): what it asks of the image must hold",
           OPTION_STRING, policy, VERIFIES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "signed-as", "REF",
           "with --key: the name that it was signed under, where it was copied from there (quay.io/me/dhcpd)",
           OPTION_STRING, signed_as, VERIFIES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "no-policy", NULL,
           "take images of registries, and bases, whatever the policy.json that podman goes by says of them",
           OPTION_FLAG, is_without_policy, PACKAGES | (VERIFIES & ~COMMAND_VERIFY), 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "to-dir", "DIR",
           "copy the images, with all that hangs on them, into this folder, for a machine without network; --key, "
           "--lock-file and --vendor go along",
           OPTION_STRING, to_dir, COMMAND_COPY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "from-dir", "DIR", "check a folder of --to-dir, and copy all of its images to HOST/NAMESPACE/NAME",
           OPTION_STRING, from_dir, COMMAND_COPY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "attest", "LIST",
           "attach these to what is pushed, before tags move: sbom (SPDX), cyclonedx, provenance, vex (default: the "
           "site file's)",
           OPTION_STRINGS, attest, MAKES | COMMAND_PUSH, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "passphrase-fd", "N",
           "read passphrases of keys from this file descriptor, a line for each key (the last one is for the rest)",
           OPTION_NUMBER, passphrase_fd, MAKES | COMMAND_PUSH | COMMAND_KEY | COMMAND_VERIFY | COMMAND_TAG, 0, 0, 1023,
           ALTERS_NOTHING),
    OPTION(0, "type", "NAME", "of a new key: ed25519 (default) or p256 (ECDSA)", OPTION_STRING, key_type, COMMAND_KEY,
           0, 0, 0, ALTERS_NOTHING),
    OPTION(
        0, "format", "NAME",
        "quadlet (default), systemd, kube or run; of the site file's nights timer, watch, cronjob, slurm or kube-job",
        OPTION_STRING, format, COMMAND_UNIT | COMMAND_DIFF | COMMAND_SBOM | COMMAND_KEY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "exit-code", NULL, "end with status 1 when the two differ, as git diff does (default: 0)", OPTION_FLAG,
           is_exit_code, COMMAND_DIFF, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "image", "REF",
           "what is run (default: where manifest or site file push the image to); with --format cronjob or kube-job "
           "what has "
           "imgfactory",
           OPTION_STRING, image, COMMAND_UNIT, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "pin", "[=DIGEST]", "run this digest, or the one that the image has now, and nothing newer",
           OPTION_MAYBE_STRING, pin, COMMAND_UNIT, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "units", "DIR", "write the files to DIR instead of printing them", OPTION_STRING, units, COMMAND_UNIT, 0,
           0, 0, ALTERS_NOTHING),
    OPTION(0, "sboms", "DIR",
           "write the document of each platform to DIR/IMAGE-ARCH.spdx.json (cdx.json) instead of printing one",
           OPTION_STRING, sboms, COMMAND_SBOM, 0, 0, 0, ALTERS_NOTHING),
    OPTION(
        0, "tracker", "FILE",
        "what is known of CVEs: Debian's security tracker (JSON), OSV (JSON) or updateinfo.xml, also compressed; again "
        "for more",
        OPTION_STRINGS, trackers, COMMAND_VEX | MAKES | COMMAND_PUSH, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "author", "NAME", "who says it (default: imgfactory)", OPTION_STRING, author, COMMAND_VEX, 0, 0, 0,
           ALTERS_NOTHING),
    OPTION(0, "builder", "URI", "who builds, as those who verify know it (default: " PROVENANCE_BUILDER ")",
           OPTION_STRING, builder, COMMAND_PROVENANCE | MAKES | COMMAND_PUSH | COMMAND_VERIFY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "name", "NAME",
           "what the container is called on the host, and its unit (default: the last word of IMAGE)", OPTION_STRING,
           name, COMMAND_SYSTEM, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "set", "NAME=VALUE", "give a variable of the templates a value (again for more); updates keep it",
           OPTION_STRINGS, set, COMMAND_SYSTEM, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "rootfs", "DIR", "run the tree that is in DIR of the host (NFS, say); nothing is unpacked", OPTION_STRING,
           rootfs, COMMAND_SYSTEM, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "host-root", "DIR", "the host's root folder (default: /); nothing is written outside of it",
           OPTION_STRING, host_root, COMMAND_SYSTEM, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "runtime", "PATH", "what runs the container (default: runc or crun, what the host has)", OPTION_STRING,
           runtime, COMMAND_SYSTEM, 0, 0, 0, ALTERS_NOTHING),
    OPTION('u', "username", "NAME", "user or robot account (default: asked for)", OPTION_STRING, username,
           COMMAND_LOGIN, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "password-stdin", NULL, "read the password or token from standard input", OPTION_FLAG, is_password_stdin,
           COMMAND_LOGIN, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "authfile", "FILE", "credentials, as podman and docker keep them (default: theirs)", OPTION_STRING,
           authfile, REGISTRIES | COMMAND_LOGOUT, COMMAND_WHY, 0, 0, ALTERS_NOTHING),
    OPTION(0, "cert-dir", "DIR", "CA and client certificates of the registry (default: certs.d)", OPTION_STRING,
           cert_dir, REGISTRIES, COMMAND_WHY | COMMAND_LOGOUT, 0, 0, ALTERS_NOTHING),
    OPTION(0, "tls-verify", "BOOL", "false: for a lab registry with a bad certificate or plain http", OPTION_BOOL,
           is_tls_verify_off, REGISTRIES, COMMAND_WHY | COMMAND_LOGOUT, 0, 0, ALTERS_NOTHING),
    OPTION(0, "token-origin", "URL",
           "https://HOST[:PORT] of a registry's token service that is on another host; it gets the credential (again "
           "for more)",
           OPTION_STRINGS, token_origins, REGISTRIES, COMMAND_WHY | COMMAND_LOGOUT, 0, 0, ALTERS_NOTHING),
    OPTION(0, "config", "FILE", "site file (default: imgfactory.yaml here, in ~/.config/imgfactory or /etc/imgfactory)",
           OPTION_STRING, config, ALL, COMMANDS_OF_ITSELF, 0, 0, ALTERS_INPUTS),
    OPTION('j', "jobs", "N", "compute on N threads (default: one per processor)", OPTION_NUMBER, jobs,
           PACKAGES | COMMAND_VERIFY | COMMAND_CHECK | COMMAND_SYSTEM, 0, 1, 256, ALTERS_NOTHING),
    OPTION(0, "if-running", "WORD",
           "when another night (a call without names) is at work on this machine: wait for its end (default), or end "
           "with status 8",
           OPTION_STRING, if_running, MAKES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(
        0,
        "watch", "[=DURATION]",
        "make nights without end: ask for signed metadata again and again (default: every 10m), and make a night when "
        "they are others than at the last one",
        OPTION_MAYBE_STRING, watch, COMMAND_BUILD, 0, 0, 0, ALTERS_NOTHING),
    OPTION('n', "dry-run", NULL, "print which packages would be used, and stop", OPTION_FLAG, is_dry_run,
           COMMAND_BUILD | COMMAND_CLEAN | COMMAND_PRUNE, 0, 0, 0, ALTERS_NOTHING),
    OPTION('y', "yes", NULL, "delete; without it what would go is told, unless the site file says prune: true",
           OPTION_FLAG, is_yes, COMMAND_PRUNE, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "keep", "HOW",
           "of a repository: for how long digests are kept after they were last current (30d), or how many (10)",
           OPTION_STRING, keep, COMMAND_PRUNE, 0, 0, 0, ALTERS_NOTHING),
    OPTION(
        0,
        "tags", "GLOB",
        "of a repository: tags like that are ours, and keep nothing (again for more; default: any tag but the stamps "
        "keeps what it is at)",
        OPTION_STRINGS, patterns, COMMAND_PRUNE, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "program", "PATH",
           "of a directory: must be there and start (again for more; an image's entry point is known)", OPTION_STRINGS,
           programs, COMMAND_CHECK, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "no-check", NULL, "do not prove that everything in the image can start", OPTION_FLAG, is_no_check,
           MAKES | COMMAND_LOCK, 0, 0, 0, ALTERS_INPUTS),
    OPTION(0, "locked", NULL, "take exactly what the lock file says, verified as ever, whatever is newer", OPTION_FLAG,
           is_locked, MAKES, 0, 0, 0, ALTERS_ORDER),
    OPTION(0, "lock-vouches", NULL,
           "with --locked: where the signed index of then is gone everywhere, take a package by its digest in the lock "
           "alone; a warning tells",
           OPTION_FLAG, is_lock_vouching, MAKES, 0, 0, 0, ALTERS_ORDER),
    OPTION(0, "shard", "I/N", "make part I (0 to N-1) of the lock, for assemble", OPTION_STRING, shard,
           MAKES | COMMAND_STATUS | COMMAND_UNIT, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "plan", "FILE", "tell of a plan that several machines share what of it is there: its lock file",
           OPTION_STRING, plan, COMMAND_STATUS, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "keep-plan", NULL, "leave the tags of the plan in the registry", OPTION_FLAG, is_plan_kept,
           COMMAND_ASSEMBLE, 0, 0, 0, ALTERS_NOTHING),
    OPTION(
        0,
        "lock-file", "FILE",
        "the lock file (default: imgfactory.lock beside the manifest that is named by its path, else beside the site "
        "file, else here)",
        OPTION_STRING, lock_file, MAKES | COMMAND_LOCK | COMMAND_VERIFY | COMMAND_COPY, 0, 0, 0, ALTERS_ORDER),
    OPTION(0, "vendor", "DIR", "with --locked: take packages and indices out of a folder that lock --vendor made",
           OPTION_STRING, vendor, MAKES | COMMAND_LOCK | COMMAND_VERIFY | COMMAND_COPY, 0, 0, 0, ALTERS_ORDER),
    OPTION(0, "update", "[=PACKAGES]",
           "take what is newest now; with PACKAGES, names separated by commas (or as words behind it), of these alone, "
           "and "
           "what they need of others",
           OPTION_MAYBE_STRING, update, COMMAND_LOCK, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "check", NULL, "write nothing, and end with status 5 when something newer would be taken: it is printed",
           OPTION_FLAG, is_lock_check, COMMAND_LOCK, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "strict", NULL,
           "fail when a package's script would have done something that no recipe and no manifest does instead",
           OPTION_FLAG, is_strict, MAKES | COMMAND_LOCK | COMMAND_STATUS, 0, 0, 0, ALTERS_INPUTS),
    OPTION(0, "allow-older", NULL,
           "when the newest version of a package cannot be installed, take another that can, with a note, instead of "
           "failing",
           OPTION_FLAG, is_older_fine, PACKAGES, 0, 0, 0, ALTERS_INPUTS),
    OPTION(0, "rebuild", NULL, "do not use finished layers of an earlier run", OPTION_FLAG, is_rebuild,
           PACKAGES | COMMAND_HISTORY | COMMAND_VERIFY, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "cache-only", NULL, "do not ask the network for newer indices; use the last verified ones", OPTION_FLAG,
           is_cache_only, PACKAGES | COMMAND_DIFF, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "accept-release-change", NULL,
           "accept once that a repository calls itself otherwise than before or than it was asked for (a new stable "
           "release)",
           OPTION_FLAG, is_change_accepted, PACKAGES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "retries", "N", "try a failed transfer N more times (default: 4)", OPTION_NUMBER, retries,
           REGISTRIES | ASKS, COMMAND_LOGOUT, 0, 20, ALTERS_NOTHING),
    OPTION(0, "timeout", "DURATION", "end the run when it is not done by then (90s, 10m, 2h), with status 6",
           OPTION_DURATION, timeout_ms, REGISTRIES | ASKS | COMMAND_LOGOUT, 0, 1, 0, ALTERS_NOTHING),
    OPTION(0, "sync-wait", "DURATION",
           "when a mirror is in the middle of an update, wait so long for its end (default: 0; with a site file 10m)",
           OPTION_DURATION, sync_wait_ms, PACKAGES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "max-age", "DURATION", "what was last found current longer ago than this is stale (default: 36h)",
           OPTION_DURATION, max_age_ms, COMMAND_STATUS, 0, 1, 0, ALTERS_NOTHING),
    OPTION(0, "no-confine", NULL,
           "let what reads packages and images open any file and socket, beside network, credentials and keys",
           OPTION_FLAG, is_unconfined, ALL & ~(LOGINS | COMMAND_CLEAN), LOGINS | COMMAND_CLEAN, 0, 0, ALTERS_NOTHING),
    OPTION(0, "cache-limit", "SIZE",
           "remove what was not used for longest when the cache is larger (500M, 8G; none; default: 8G)", OPTION_SIZE,
           cache_limit, CACHES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "cache", "DIR", "downloads and unpacked packages (default: ~/.cache/imgfactory)", OPTION_STRING, cache,
           CACHES, (ALL & ~CACHES) | COMMANDS_OF_ITSELF, 0, 0, ALTERS_NOTHING),
    OPTION(0, "cache-from", "DIR", "another cache, read before files are fetched", OPTION_STRING, cache_from, PACKAGES,
           0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "max-rate", "SIZE", "receive SIZE a second of a host at most (20M)", OPTION_SIZE, max_rate, PACKAGES, 0,
           SITE_RATE_LEAST, 0, ALTERS_NOTHING),
    OPTION(0, "max-connections", "N", "connections to one host (default: 12)", OPTION_NUMBER, max_connections, PACKAGES,
           0, 1, 64, ALTERS_NOTHING),
    OPTION(0, "jitter", "DURATION", "begin after a random time up to DURATION", OPTION_DURATION, jitter_ms,
           MAKES | COMMAND_LOCK, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "state", "DIR", "what was last accepted of each repository (default: ~/.local/state/imgfactory)",
           OPTION_STRING, state, STATES, (ALL & ~STATES) | COMMANDS_OF_ITSELF, 0, 0, ALTERS_NOTHING),
    OPTION(0, "arches", "DIR", "architecture files (default: as installed)", OPTION_STRING, arches,
           PACKAGES | COMMAND_VERIFY | PULLS | COMMAND_PRUNE | COMMAND_STATUS, 0, 0, 0, ALTERS_ORDER),
    OPTION(0, "manifests", "DIR", "manifests (default: as installed)", OPTION_STRING, manifests,
           PACKAGES | COMMAND_VERIFY | COMMAND_UNIT | COMMAND_PRUNE | COMMAND_HISTORY | COMMAND_VEX | COMMAND_PUSH |
               COMMAND_STATUS,
           0, 0, 0, ALTERS_ORDER),
    OPTION(0, "json", NULL, "print the report as JSON", OPTION_FLAG, is_json,
           ALL & ~(LOGINS | COMMAND_NEW | COMMAND_LOCK | COMMAND_SBOM | COMMAND_PROVENANCE | COMMAND_VEX), LOGINS, 0, 0,
           ALTERS_NOTHING),
    OPTION(0, "summary", NULL,
           "print a line for each image and one for all instead of the table, or with --json beside the report, to "
           "standard error",
           OPTION_FLAG, is_summary, MAKES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "metrics", "FILE", "write what the run did to FILE, for node_exporter's textfile collector",
           OPTION_STRING, metrics, MAKES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "changes", "FILE",
           "write what changed to FILE, as Markdown: of each image against the one that the output had", OPTION_STRING,
           changes, MAKES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(
        0,
        "report", "DIR",
        "write pages to look at to DIR: one of the run (index.html), and one of each image (default: the site file's)",
        OPTION_STRING, report, MAKES, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "in-images", NULL, "look into published images, not into indices", OPTION_FLAG, is_in_images,
           COMMAND_FIND, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "soname", "SONAME", "with --in-images: which have a library of this soname (libssl.so.3)", OPTION_STRING,
           soname, COMMAND_FIND, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "package", "EXPRESSION",
           "with --in-images: which have a package, or packages of a source, of this name, and of a version "
           "('openssl < 3.0.17'; =, <, <=, >, >=)",
           OPTION_STRING, package, COMMAND_FIND, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "file", "PATH", "with --in-images: which have this path, or one that a glob stands for", OPTION_STRING,
           file, COMMAND_FIND, 0, 0, 0, ALTERS_NOTHING),
    OPTION(0, "past", NULL, "with --in-images: ask what was published in past nights, too", OPTION_FLAG, is_past,
           COMMAND_FIND, 0, 0, 0, ALTERS_NOTHING),
    OPTION('l', "list", NULL, "list images, architectures and sources that are known, and stop", OPTION_FLAG, is_list,
           COMMAND_BUILD, 0, 0, 0, ALTERS_NOTHING),
    OPTION('q', "quiet", NULL, "print errors and warnings only", OPTION_FLAG, is_quiet, ALL, COMMANDS_OF_ITSELF, 0, 0,
           ALTERS_NOTHING),
    OPTION('v', "verbose", NULL, "tell each step", OPTION_FLAG, is_verbose, ALL, COMMANDS_OF_ITSELF, 0, 0,
           ALTERS_NOTHING),
    OPTION(0, "color", "WHEN", "colours: auto (default: on a terminal, unless NO_COLOR is set), always or never",
           OPTION_STRING, color, ALL | COMMANDS_OF_ITSELF, 0, 0, 0, ALTERS_NOTHING),
    OPTION('h', "help", NULL, "print this help (-h: in brief), and stop", OPTION_FLAG, is_help,
           ALL | COMMANDS_OF_ITSELF, 0, 0, 0, ALTERS_NOTHING),
    OPTION('V', "version", NULL, "print the version, with -v those of the libraries, too, and stop", OPTION_FLAG,
           is_version, ALL | COMMANDS_OF_ITSELF, 0, 0, 0, ALTERS_NOTHING),
};

/* What an option means to commands to which it means something else than its row says. */
struct option_text {
    const char *name;
    unsigned commands;
    const char *help;
};

static const struct option_text texts[] = {
    {"arch", COMMAND_CHECK, "check only these architectures: names separated by commas (default: all that are found)"},
    {"shard", COMMAND_ASSEMBLE | COMMAND_STATUS,
     "how many shards there were, N, so that what is missing is told with its shard"},
    {"shard", COMMAND_UNIT, "with --format slurm or kube-job: N shards, or N%M of which M run at a time (default: 4)"},
    {"cache-only", COMMAND_DIFF, "fetch no package for its changelog; read those that the cache has"},
    {"format", COMMAND_DIFF, "text (default) or markdown"},
    {"format", COMMAND_SBOM, "spdx (default: SPDX 2.3), cyclonedx (1.6) or cyclonedx-1.5"},
    {"format", COMMAND_KEY, "of a private key's file: pem (default: PKCS#8) or cosign"},
    {"arch", COMMAND_SBOM,
     "of these architectures: names separated by commas (default: this machine's; with --sboms all)"},
    {"arch", COMMAND_PULL | COMMAND_INSPECT | COMMAND_DIFF,
     "only these architectures: names separated by commas (default: all)"},
    {"manifests", COMMAND_VERIFY,
     "with --rebuild: folder of the image's manifest and recipes, or the manifest's file (default: as installed)"},
    {"manifests", COMMAND_VEX, "maintained claims in DIR/vex, over the shipped ones"},
    {"manifests", COMMAND_PUSH, "with --attest vex: maintained claims in DIR/vex, over the shipped ones"},
    {"output", COMMAND_PULL,
     "write the image to DIR/NAME, as a layout, or to oci-archive:FILE[:NAME:TAG] or docker-archive:FILE[:NAME:TAG]"},
    {"output", COMMAND_PUSH | COMMAND_COPY | (PULLS & ~COMMAND_PULL), "look for layouts in DIR, too (default: out)"},
    {"arch", COMMAND_SYSTEM, "the architecture to install (default: this machine's), or those to lint (default: all)"},
    {"authfile", COMMAND_LOGIN, "where to keep the credential (default: as podman and docker do)"},
    {"authfile", COMMAND_LOGOUT, "where the credential is kept (default: as podman and docker do)"},
    {"dry-run", COMMAND_PRUNE, "tell what would go, and delete nothing, also where the site file says prune: true"},
    {"state", COMMAND_PRUNE,
     "where is noted what images of registries consist of (default: ~/.local/state/imgfactory)"},
    {"dry-run", COMMAND_CLEAN, "tell what would be removed, and remove nothing"},
    {"rebuild", COMMAND_HISTORY,
     "read what was published into the state, from registries where images have their bills (history: registry)"},
    {"rebuild", COMMAND_VERIFY,
     "make the image again, for all platforms, out of exactly what its lock names, and compare; manifests and sources "
     "are those of "
     "this machine, unless given"},
    {"sign", COMMAND_TAG, "sign the image for the tag with this key before it moves (again for more)"},
    {"sign", COMMAND_VERIFY, "sign the result with this key, or by the command that the file names (again for more)"},
    {"builder", COMMAND_VERIFY,
     "URI of who makes the image again, for its result (default: urn:imgfactory:verifier:local)"},
    {"vendor", COMMAND_VERIFY,
     "take indices, and with --rebuild packages, out of a folder that lock --vendor made, first"},
    {"source", COMMAND_VERIFY,
     "the source of the lock's indices and packages, a file or the name of a shipped one (default: made of the lock; "
     "of RPMs the one that the image names, or the host's)"},
    {"rebuild", COMMAND_WHY | COMMAND_NEW, "do not use what an earlier run found; look at the packages again"},
    {"cache-limit", COMMAND_CLEAN,
     "remove only what was not used for longest, until no more than this is left (500M, 8G)"},
    {"cache", PULLS | COMMAND_HISTORY | COMMAND_COPY, "what registries gave (default: ~/.cache/imgfactory)"},
    {"cache", COMMAND_CLEAN, "where to make room (default: ~/.cache/imgfactory)"},
    {"lock-file", COMMAND_VERIFY,
     "hold the image against this lock, too: packages and signed indices of its provenance; and it against the "
     "indices"},
    {"state", COMMAND_DIFF | COMMAND_VERIFY | COMMAND_SBOM | COMMAND_PROVENANCE | COMMAND_VEX,
     "whose secret marks what is in the cache (default: ~/.local/state/imgfactory)"},
    {"state", COMMAND_PUSH | COMMAND_COPY | COMMAND_TAG,
     "what registries were seen to have (default: ~/.local/state/imgfactory)"},
    {"state", COMMAND_HISTORY, "what builds took down of past nights (default: ~/.local/state/imgfactory)"},
    {"json", COMMAND_SHOW_CONFIG | COMMAND_STATUS | COMMAND_PRUNE | PULLS | COMMAND_WHY | COMMAND_FIND | COMMAND_CLEAN,
     "print the answer as JSON"},
    {"vendor", COMMAND_COPY, "with --to-dir: take this folder of lock --vendor along"},
    {"lock-file", COMMAND_COPY, "with --to-dir: take this lock along"},
    {"key", COMMAND_COPY,
     "a public key; images of registries must be signed by it before they are copied; with --to-dir it goes along "
     "(again "
     "for more)"},
    {"vendor", COMMAND_LOCK, "also write all that the lock names (packages, indices, keys) into this folder"},
    {"quiet", COMMAND_CHECK, "print violations, errors and warnings only"},
    {"quiet", COMMAND_INSPECT | COMMAND_DIFF | ASKS, "print the answer, errors and warnings only"},
};

struct option_rows option_table(void)
{
    return (struct option_rows){rows, ARRAY_COUNT(rows)};
}

const struct option_row *option_of_letter(char letter)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (rows[i].letter && rows[i].letter == letter)
            return &rows[i];
    }
    return NULL;
}

const struct option_row *option_of_name(struct text name, unsigned commands)
{
    const struct option_row *found = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (!text_is(name, rows[i].name))
            continue;
        if ((rows[i].commands | rows[i].idle) & commands)
            return &rows[i];
        found = found ? found : &rows[i];
    }
    return found;
}

bool option_takes_next(const struct option_row *row)
{
    return row->kind != OPTION_FLAG && row->kind != OPTION_MAYBE_STRING;
}

const char *option_help(const struct option_row *row, enum command_kind command)
{
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        if (strcmp(texts[i].name, row->name) == 0 && (texts[i].commands & command))
            return texts[i].help;
    }
    return row->help;
}
