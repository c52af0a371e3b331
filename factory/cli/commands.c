/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "base/list.h"
#include "cli/build.h"
#include "cli/clean.h"
#include "cli/complete.h"
#include "cli/exits.h"
#include "cli/help.h"
#include "cli/key.h"
#include "cli/manual.h"
#include "cli/rebuild.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "cli/watch.h"

#include <stdint.h>

static const struct command_row rows[] = {
    {COMMAND_BUILD, "build", "[IMAGE...]", "0.1.0", "build images (the word may be left out)",
     "Builds minimal multi-architecture OCI images of distribution services. IMAGE is the name of a\n"
     "manifest (see --list) or a path to one (./my.yaml); or, with no manifest, a program (nsd or\n"
     "/usr/sbin/nsd), a package or a systemd unit (nsd.service) of the source; command:, package: or\n"
     "unit: in front settles which. The word \"build\" may be left out. Without any IMAGE all images are\n"
     "built that the site file names (images:).",
     0, SIZE_MAX, SIZE_MAX, watch_build},
    {COMMAND_PUSH, "push", "LAYOUT[:TAG]|NAME REF", "0.1.0", "push what was built before",
     "Pushes what was built before: all blobs, the manifests, the index, then the tags.\n"
     "LAYOUT is an OCI layout's folder or an archive (podman save), NAME one below the output folder,\n"
     "REF as in quay.io/me/dhcpd:1. Without a tag in REF and without --tag all tags that the layout has\n"
     "for the image are pushed, also when LAYOUT:TAG names it by one of them.",
     2, 2, 0, remote_push},
    {COMMAND_PULL, "pull", "REF", "0.1.0", "get an image from a registry, verified",
     "Gets an image into the cache, verified, and writes it to DIR/NAME with --output.", 1, 1, 0, remote_pull},
    {COMMAND_COPY, "copy", "REF|LAYOUT[:TAG]... [REF]", "0.3.0",
     "copy an image with all that hangs on it to a registry",
     "Copies an image to a registry: all platforms, and what hangs on index and platforms (signatures, SBOM,\n"
     "provenance, VEX), as it is: no digest changes. What hangs on it is there before the first tag moves. Copied\n"
     "again, only what is missing is sent. Without a tag in the target it gets that of the source. With --to-dir\n"
     "several images go into a folder, which --from-dir takes to another registry, HOST/NAMESPACE.",
     1, SIZE_MAX, 0, remote_copy},
    {COMMAND_INSPECT, "inspect", "REF|LAYOUT[:TAG]", "0.1.0", "show platforms, layers, sizes and configuration",
     "Shows the platforms, layers, sizes and configuration of an image in a registry, a layout or an\n"
     "archive (podman save, docker save).",
     1, 1, 0, remote_inspect},
    {COMMAND_DIFF, "diff", "A B", "0.3.0", "tell what differs between two images",
     "Tells what differs between two images, platform by platform: packages, files and their sizes, sonames\n"
     "and symbols, configuration, changelogs with CVE numbers. A and B are layouts or archives\n"
     "(LAYOUT[:TAG]), REFs of registries, digests, or two folders of layouts, of which all images are\n"
     "compared by name, as are those of two lock files (FILE.lock). Packages that give no file are\n"
     "called selected.",
     2, 2, 0, remote_diff},
    {COMMAND_SBOM, "sbom", "REF|LAYOUT[:TAG]...", "0.3.0", "print what is in an image, for scanners (SPDX, CycloneDX)",
     "Prints an SBOM of one platform of an image: SPDX 2.3 or CycloneDX, with every file, its package, the\n"
     "package's source and signed repository, as scanners match them. Of an image of ours it is made of its bill\n"
     "and its layers, of any other of the package database in it. The same image has the same document.\n"
     "Of several images they are written (--sboms).",
     1, SIZE_MAX, 0, remote_sbom},
    {COMMAND_PROVENANCE, "provenance", "REF|LAYOUT[:TAG]", "0.3.0", "print how an image was made, for those who verify",
     "Prints the provenance of an image that was built here: an in-toto statement with SLSA's predicate about the\n"
     "index and each platform. It names manifest, recipes, options, every signed index and every package with its\n"
     "digest, and the program. The same image has the same statement: it has no clock in it.",
     1, 1, 0, remote_provenance},
    {COMMAND_VEX, "vex", "REF|LAYOUT[:TAG]", "0.3.0", "print which CVEs an image has and has not, for scanners",
     "Prints an OpenVEX document of an image, for trivy and grype: what the files given with --tracker say of the\n"
     "versions in it (fixed, affected), packages of which nothing is shipped, and defective code that is not\n"
     "there, as maintained files say where it is. What cannot be concluded is not claimed.",
     1, 1, 0, remote_vex},
    {COMMAND_CHECK, "check", "DIR...|LAYOUT[:TAG]|REF", "0.1.0", "prove that everything in a root or image can start",
     "Proves of any image or root directory that everything in it can start: each program's\n"
     "loader, libraries, symbol versions and symbols, as its own dynamic loader would find them.\n"
     "Nothing of it is run. Exit status 5 when something is missing.",
     1, SIZE_MAX, 0, remote_check},
    {COMMAND_WHY, "why", "IMAGE PATH|GLOB...", "0.1.0", "tell why a file is in an image, or why not",
     "Tells why a file is in an image: the chain from the manifest to it, with packages and repository;\n"
     "or why not: which package ships it. A glob ('/etc/nsd/**') stands for the files of the image and of\n"
     "the selected packages.",
     2, SIZE_MAX, 1, build_why},
    {COMMAND_NEW, "new", "NAME", "0.3.0", "print the manifest that a name amounts to, to go on from",
     "Prints the manifest that a program, package or unit amounts to, with what is found in its packages\n"
     "in comments. Of an image of the catalogue it prints that manifest.",
     1, 1, 1, build_new},
    {COMMAND_FIND, "find", "[PACKAGE|PATH|GLOB...]", "0.3.0", "tell what a package ships, or who ships a path",
     "Tells which files a package ships, or which packages ship a path or all that a glob stands for\n"
     "('/usr/sbin/*dns*'; ** crosses folders). A word that is no package is the name of files.\n"
     "From the indices alone: no package is fetched. With --in-images it tells which published images have\n"
     "a soname, a package or a file, as builds on this machine took it down; words are then images' names.",
     0, SIZE_MAX, 0, build_find},
    {COMMAND_UNIT, "unit", "[NAME...|LAYOUT[:TAG]|REF]", "0.3.0", "make the units that run images on a machine",
     "Makes what runs images on a machine: quadlet units, systemd units for older hosts, Kubernetes\n"
     "objects or the command line; and a tmpfiles.d file for the paths of the host. NAME is an image of\n"
     "the catalogue or one that was built. Several images share a network. With --format timer, watch or\n"
     "cronjob, and no NAME, what makes all images of the site file every night; with slurm or kube-job what\n"
     "makes them on several machines (--shard).",
     0, SIZE_MAX, 0, remote_unit},
    {COMMAND_LOCK, "lock", "[IMAGE...]", "0.3.0", "write down what is taken, for builds with --locked",
     "Writes imgfactory.lock: of all images and architectures the signed indices, the packages with their\n"
     "digests, and which package ships what. With --locked a build takes exactly that, as long as it is to be\n"
     "had. Where there is a lock already, what it says of repositories stays, unless --update is given.",
     0, SIZE_MAX, SIZE_MAX, build_lock},
    {COMMAND_ASSEMBLE, "assemble", "[IMAGE...]", "0.3.0", "put images together that several machines made in shards",
     "Puts images together whose platforms other machines made and pushed with --shard: finds those of this very\n"
     "plan (lock file and options, which have to be the same), checks them, and publishes index, signatures and tags\n"
     "as a build does. Then it deletes the tags of the plan. Called twice it changes nothing, nor does it after one "
     "of\n"
     "newer sources.",
     0, SIZE_MAX, SIZE_MAX, build_run},
    {COMMAND_HISTORY, "history", "[NAME|REF...]", "0.3.0", "list past nights of an image, and what changed",
     "Lists what a repository of a registry (REF) has under its tags, the newest first: dates, versions, digests;\n"
     "or of an image that was built here (NAME) all nights that are kept. Beside each: what changed.\n"
     "Without a word: all images that were built here.\n"
     "With --rebuild it reads what was published from registries, REFs or where the site file's images go.\n"
     "A digest of it is what `tag REF@DIGEST TAG` and `unit --pin=DIGEST` go back to.",
     0, SIZE_MAX, 0, remote_history},
    {COMMAND_STATUS, "status", "[SITE|REF]", "0.3.0", "tell whether a site's images are still current",
     "Tells whether the images of a site are still current, by the status record that its nights write (status:\n"
     "in the site file), without any state of this machine. SITE is a site file (default: the one that is\n"
     "found), REF a record, or an image that names its record. Exit status 9 when the last night of an image\n"
     "failed or is too old.",
     0, 1, 0, remote_status},
    {COMMAND_PRUNE, "prune", "[SITE|REF]", "0.3.0", "delete from registries what nothing keeps any more",
     "Deletes what no 'keep' of the site file keeps any more: digests that the site published, were superseded\n"
     "long enough ago, and are needed by no other tag, index or artifact; with what is about them. Without --yes,\n"
     "and without prune: true in the site file, it only tells. SITE is a site file (default: the one that is\n"
     "found), REF a repository, of which --keep says what stays.",
     0, 1, 0, remote_prune},
    {COMMAND_SYSTEM, "system", "VERB [NAME|IMAGE]...", "0.3.0", "install images on a host as system containers",
     "Works with system containers: images that bring their own unit, and are run by runc or crun without an\n"
     "engine. IMAGE is one of a registry, a layout or an archive (oci-archive, docker-archive).",
     0, 3, 0, remote_system},
    {COMMAND_KEY, "key", "VERB FILE [FILE]", "0.3.0", "make, take over and show keys that images are signed with",
     "Makes keys to sign with (--sign), takes them over from other programs, and shows public ones. A private key\n"
     "lies in a file that only its owner can read, encrypted by a passphrase, as OpenSSL (--format pem) or cosign\n"
     "(--format cosign) reads it. The passphrase is asked for, or comes from --passphrase-fd, the variable\n"
     "IMGFACTORY_KEY_PASSPHRASE or a systemd credential.",
     2, 3, 0, key_run},
    {COMMAND_VERIFY, "verify", "REF|LAYOUT[:TAG]", "0.3.0", "verify an image: signatures, and what is said of it",
     "Verifies that the index of an image and all that it names are signed: by a key (--key FILE), or as podman's\n"
     "policy.json asks for it (--policy FILE); that its provenance is about these digests; that its SBOMs have\n"
     "every file of its layers with its SHA-256, and no other; and that a lock (--lock-file) names what was taken.\n"
     "Exit status 3 when anything is not so. It tells what it could not verify: without a key, who says it all.\n"
     "With --rebuild the image is made again out of what it was made of, and compared; --publish-result attaches a\n"
     "signed result to it, and --quorum wants those of several.",
     1, 1, 0, rebuild_verify},
    {COMMAND_TAG, "tag", "REF@DIGEST TAG", "0.1.0", "point a tag at an image that is in the registry",
     "Points a tag at an image that is in the registry: to publish again what was\n"
     "published before.",
     2, 2, 0, remote_tag},
    {COMMAND_CLEAN, "clean", "", "0.2.0", "make room in the cache",
     "Removes from the cache what no running process may need: all of it, or with --cache-limit what was\n"
     "not used for longest until the rest is that small. What is remembered of repositories stays.",
     0, 0, 0, clean_run},
    {COMMAND_LOGIN, "login", "REGISTRY[/NAMESPACE]", "0.1.0", "try a registry's credential and keep it",
     "Tries a credential and keeps it where podman and skopeo find it, too.", 1, 1, 0, remote_login},
    {COMMAND_LOGOUT, "logout", "REGISTRY[/NAMESPACE]", "0.1.0", "forget a registry's credential",
     "Removes the credential of a registry.", 1, 1, 0, remote_logout},
    {COMMAND_SHOW_CONFIG, "show-config", "", "0.3.0", "show which options hold, and where each comes from",
     "Shows what holds of all options and keys of the site file, and where each comes from: the command line (every "
     "option of every command is taken), the site file, or the default; and which variables of the environment are "
     "set that mean something. Passwords in URLs are left out.",
     0, 0, 0, settings_run},
    {COMMAND_HELP, "help", "[COMMAND]", "0.3.0", "print the help of a command, or of the program",
     "Prints what a command does and all of its options; without COMMAND the program's own.", 0, 1, 0, help_run},
    {COMMAND_EXPLAIN, "explain", "[STATUS...]", "0.3.0", "tell what an exit status means, and what to look at",
     "Tells of an exit status (3), or of a kind of error as the report names it (trust), what it means and what to "
     "look at. Without STATUS it lists all.",
     0, SIZE_MAX, 0, exits_run},
    {COMMAND_COMPLETION, "completion", "SHELL", "0.3.0", "print what completes words in bash, zsh or fish",
     "Prints the script by which bash, zsh or fish completes commands, options, images, architectures, "
     "sources, packages, layouts and their tags. Where imgfactory is installed with its distribution's folders "
     "shells find it by themselves; else: source <(imgfactory completion bash)",
     1, SIZE_MAX, 0, complete_run},
    {COMMAND_MANUAL, "manual", "[COMMAND|FORMAT]", "0.3.0", "print a manual page, for man -l -",
     "Prints the manual page of a command, or of the program, as man reads it: imgfactory manual push | man -l -. "
     "Installed, it is imgfactory-push(1). FORMAT is manifest, source, site or report: imgfactory-manifest(5) "
     "tells what can stand in a manifest.",
     0, 1, 0, manual_run},
};

struct commands commands_all(void)
{
    return (struct commands){rows, ARRAY_COUNT(rows)};
}
