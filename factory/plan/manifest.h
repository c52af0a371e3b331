/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h - what one image is: manifests/NAME.yaml, neutral of distribution and architecture
 *
 * manifests/README.md describes every key; the tables in manifest_read.c are the definition.
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …").
 */
#ifndef IMGFACTORY_PLAN_MANIFEST_H
#define IMGFACTORY_PLAN_MANIFEST_H

#include "plan/arch.h"
#include "plan/contract.h"
#include "plan/effect.h"
#include "plan/system_container.h"
#include "plan/volumes.h"
#include "plan/wishes.h"

/* The image's configuration (OCI image-spec config.md). Values of labels, annotations, tags may hold {placeholders}. */
struct manifest_config {
    struct strings entrypoint, cmd, ports, volumes; /* ports "67/udp" */
    struct yaml_pairs env, labels, annotations;
    const char *user, *working_dir, *stop_signal, *author;
    const struct contract *contract; /* run: how it is run; NULL: not said. No byte of the image depends on it */
    const struct yaml_node *node;    /* the mapping, for messages; NULL without one */
};

/* The weakest priority of an ELF dlopen note (uapi-group.org, "ELF dlopen metadata") whose libraries are shipped. */
enum dlopen_policy { DLOPEN_NONE, DLOPEN_REQUIRED, DLOPEN_RECOMMENDED, DLOPEN_SUGGESTED };

/* What `automatic` looks for in the packages of a service (factory/service/automatic.h); each part can be turned off. */
enum automatic_part {
    AUTOMATIC_UNIT,          /* unit: the systemd unit or init script, and ports */
    AUTOMATIC_SCRIPTS,       /* scripts: what maintainer scripts would have done */
    AUTOMATIC_CONFIGURATION, /* configuration: files below /etc and directories below /var */
    AUTOMATIC_ACCOUNTS,      /* accounts: those that every system of the distribution has */
    AUTOMATIC_PLUGINS,       /* plug-ins: what programs of the service open, and further files that they name */
    AUTOMATIC_INTERPRETERS,  /* interpreters: their libraries */
    AUTOMATIC_SHELLS,        /* shells: of the service's shell scripts, with the tools that these call */
    AUTOMATIC_PACKAGES,      /* packages: the one that holds the service */
    AUTOMATIC_COUNT
};

struct manifest {
    const char *name; /* [a-z0-9]+([._-][a-z0-9]+)* */
    const char *path;
    const char *description; /* one line for `imgfactory list` and the annotation, or NULL */
    const char *base; /* base: a reference, a layout's path, or "manifest:NAME" (manifest_base_image()); or NULL */
    struct strings binaries;   /* absolute paths */
    struct wishes wishes;      /* what the manifest says by itself, then what its features bring */
    struct strings features;   /* names of features.h and globs */
    const char *compression;   /* of its layers (plan/packing.h), or NULL */
    const char *layers;        /* how many at most (plan/layer_plan.h), or NULL */
    const char *shell;         /* the name of a static shell (plan/family.h) in place of sh and its tools, or NULL */
    enum dlopen_policy dlopen; /* default DLOPEN_RECOMMENDED */
    struct strings packages_first; /* packages: first */
    struct strings packages_never; /* packages: never */
    bool is_weak;                  /* packages: weak */
    bool is_older_fine;            /* packages: older */
    bool has_documentation;        /* packages: documentation: whole packages have theirs */
    bool is_complete;              /* packages: complete: what `install` depends on comes whole, too, as on a base */
    bool installs;                 /* the manifest has packages: install */
    bool allows_unconfigured;      /* allow-unconfigured: a package whose scripts would do more is half-configured */
    struct strings hwcaps;         /* glibc-hwcaps directories to ship as well: "x86-64-v3" */
    struct strings architectures;  /* names as written; default x86_64 and aarch64 */
    bool has_tags;                 /* the manifest has the key: the site file's tags are not for it */
    struct strings
        sign; /* files of keys (sign/signer.h) that it is signed with when it is pushed; relative to its file */
    const char *destination; /* push: HOST/NAMESPACE/NAME[:TAG], or NULL */
    bool has_architectures;  /* the manifest has the key: others are refused, not only left out of "all" */
    /* NULL: the command's or the host's; scalar: a source file's path; mapping: inline. */
    const struct yaml_node *source;
    bool has_recipes;                /* recipes: what packages' scripts would have done (plan/recipe.h); default true */
    bool automatic[AUTOMATIC_COUNT]; /* automatic: which parts; none by default */
    bool covers[EFFECT_COUNT];       /* what scripts do and the manifest takes care of, or the image has no use for */
    bool is_strict;                  /* strict: what a script would have done and no recipe covers is an error */
    struct manifest_config config;
    const struct system_container *system; /* system-container: it can be installed as a service; NULL: not said */
    const struct volumes *volumes;         /* data: paths that live in volumes (plan/volumes.h); NULL: none */
    const char *named;    /* how a word of the command line was taken of which it was made; NULL: it is a file */
    struct strings tags;  /* default: latest */
    struct digest digest; /* of the file's bytes */
};

struct features;

/* Returns the tables of a manifest's keys, but for those under `run` (contract.h). The first is that of the top. */
struct yaml_tables manifest_tables(void);
/* Loads and checks one manifest; `features` are those that it can name. */
bool manifest_load(struct arena *arena, const char *path, const struct features *features,
                   struct manifest *ret_manifest, struct err *err) MUST_CHECK;
/* The same of a text; `path` is what messages call it. */
bool manifest_parse(struct arena *arena, const char *path, const char *text, const struct features *features,
                    struct manifest *ret_manifest, struct err *err) MUST_CHECK;
/* Finds the file that `image` means: a path when it has a '/' or ends in ".yaml"/".yml", else DIR/image.yaml. An
 * unknown name lists the known ones (at most 20) and the nearest. */
bool manifest_find(struct arena *arena, const char *dir, const char *image, const char **ret_path,
                   struct err *err) MUST_CHECK;
/* Returns whether packages are installed as the distribution's package manager does it: with all that they depend on, and
 * with its database; so it is with a base and packages: install, and with packages: complete. */
bool manifest_fills(const struct manifest *manifest);
/* Returns NAME of a base "manifest:NAME"; NULL when the manifest has no base, or another one. */
const char *manifest_base_image(const struct manifest *manifest);
/* Returns whether a base is the path of a layout: one that begins with "/", "./", "../" or "oci:". */
bool manifest_base_is_layout(const char *base);
/* Returns the manifest name of a directory that is most like one, or NULL. */
const char *manifest_nearest(struct arena *arena, const char *dir, const char *image);
/* Returns whether the path of a binary is a glob: one with '*' or '?'. "/usr/bin/[" is a program. */
bool manifest_is_glob(const char *binary);
/* Lists the manifest names of a directory, sorted. */
bool manifest_names(struct arena *arena, const char *dir, struct strings *ret_names, struct err *err) MUST_CHECK;

#endif
