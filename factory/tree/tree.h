/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - the merged, sorted, frozen file system of one image
 *
 * Made of: root links (bin → usr/bin …) of the architecture; kept files with their parent directories (modes and
 * owners as packaged); what the manifest creates; the skeleton (tree_skeleton.c), where nothing else is; /etc/passwd
 * and /etc/group; the package database for scanners, which the packages' format makes for exactly the packages that gave
 * files (format.h). Conflicts (one path from two packages with different bytes or kinds, a manifest file over
 * a package's directory, a file below a symlink, …) are errors naming both sides. The manifest's own entries win over
 * a package's: its files and symlinks replace files and symlinks (configuration can be overridden), its directories
 * set mode and owner of existing ones; but never a directory over something else or the other way round. What is automatic
 * gives way instead; its owners' names and numbers are settled when all other accounts are known. /etc/passwd
 * and /etc/group made here replace a package's. Of several kept names of one inode the first by path is the file and
 * the others are hard links to it, so a hard link never comes before its target. A root link ("/bin") is the only node
 * whose path is not canonical; the directory that it leads to is always there. Times are clamped to created_time;
 * nodes that we make have it.
 * Threads: built by one thread, then const.
 * Fails with: ERR_RESOLVE (conflict), ERR_USAGE (manifest's own entries: place first), ERR_MALFORMED (a package name
 * that is no file name), ERR_LOCAL (export), ERR_TRUST (export: bytes differ from their digest).
 */
#ifndef IMGFACTORY_TREE_TREE_H
#define IMGFACTORY_TREE_TREE_H

#include "closure/closure.h"
#include "ground/ground.h"
#include "plan/manifest.h"

enum node_kind { NODE_DIRECTORY, NODE_FILE, NODE_SYMLINK, NODE_HARDLINK };

/* What becomes of a node where a base has something else (tree_stand.h). */
enum node_claim {
    CLAIM_PACKAGED, /* a package's: two files cannot have one place */
    CLAIM_WEAK,     /* skeleton, recipes and the like: what is there stays */
    CLAIM_OWN,      /* the manifest's: replaces what no package of the base owns */
    CLAIM_DATABASE, /* accounts, packages: continues what is there, so it replaces it */
};

struct node {
    const char *path; /* canonical, never "/" */
    enum node_kind kind;
    uint32_t mode, uid, gid;
    int64_t mtime;
    uint64_t size_bytes;           /* NODE_FILE */
    const char *data;              /* NODE_FILE: bytes in a package's mapping or the arena */
    const struct digest *digest;   /* NODE_FILE from a package: to be checked as the bytes are used; else NULL */
    const struct elf_facts *elf;   /* NODE_FILE: of the bytes, when somebody read them already; or NULL */
    const char *target;            /* NODE_SYMLINK verbatim; NODE_HARDLINK: path of a NODE_FILE of the tree */
    struct text capability;        /* NODE_FILE: value of security.capability, mostly empty */
    const struct package *package; /* that gave it, or NULL */
    const char *why;
    const char *by; /* path of the file because of which it is kept (closure.h), or NULL */
    enum node_claim claim;
    bool is_whiteout;        /* removes a file of the base: the name says which (tree_stand.h) */
    bool is_given;           /* of the base: only in the root that is proved, see tree_stand.h */
    const char *interpreter; /* of a script of the base, as entry.interpreter */
};

struct tree {
    struct node *nodes;              /* sorted by path bytes with parents before children */
    size_t count, file_count;        /* file_count: files, symlinks and hard links */
    uint64_t unpacked_bytes;         /* sum of file sizes */
    const struct package **packages; /* that gave files, sorted by name, each once */
    size_t package_count;
    int64_t created_time; /* newest build_time of those, or the override */
    bool wants_all;       /* of a partial set: do it again with all packages, an owner's name is unknown */
    struct strings notes; /* what the tree cannot be as the packages wanted it: sentences for the report */
};

struct tree_request {
    const struct arch *arch;
    const struct manifest *manifest;
    const struct manifest_config *config; /* NULL: the manifest's; else with what others gave to it */
    const struct wishes *wishes;          /* of the manifest and of all others */
    const struct keep *keep;
    const struct fileset *set;
    int64_t created_override; /* SOURCE_DATE_EPOCH, or -1 */
    bool has_base_accounts;   /* all accounts that the distribution has by itself are in /etc/passwd and /etc/group */
    bool is_partial;          /* the set has not all packages of the selection yet */
    const struct ground
        *ground;            /* NULL: from scratch. Else accounts are continued, and there is no skeleton: the tree is
                                  * to be put on it by tree_stand() */
    bool has_database;      /* whoever installs packages writes their database (tree_add_files()) */
    const char *os_release; /* text for /usr/lib/os-release (and its /etc link) when no package gives it, or NULL */
};

/* Builds the tree. Results live in the arena and point into packages and manifest. */
bool tree_build(struct arena *arena, const struct tree_request *request, struct tree *ret_tree,
                struct err *err) MUST_CHECK;
/* Puts further files into a built tree, in place of what it has at their paths, with the directories above that it lacks. */
void tree_add_files(struct arena *arena, struct tree *tree, const struct node *files, size_t count);
/* Copies a tree into an arena of its own, so that it can outlive the one that it was built in: small, since the bytes of
 * packaged files stay where they are, in packages, which must stay open. Left out are reasons (why, by) and notes. */
void tree_copy_lasting(struct arena *arena, const struct tree *tree, struct tree *ret_tree);
/* Writes the tree for people to `dir`/`name`/`sub` with openat below a new directory, which then replaces a former one;
 * owners and setuid bits only when run as root. */
bool tree_export(const struct tree *tree, const char *dir, const char *name, const char *sub,
                 struct err *err) MUST_CHECK;

#endif
