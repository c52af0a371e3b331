/* manifest.h - what one image is: manifests/NAME.yaml, neutral of distribution and architecture
 *
 * manifests/README.md describes every key; the tables in manifest_read.c are the definition.
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …").
 */
#ifndef IMGFACTORY_PLAN_MANIFEST_H
#define IMGFACTORY_PLAN_MANIFEST_H

#include "plan/arch.h"

/* A file or glob taken from packages. Globs: '*' and '?' within a component, '**' over components, [a-z] sets. */
struct manifest_file {
    const char *path;
    struct strings packages; /* only from one of these, when given */
    bool is_optional;        /* nothing matching is fine */
    const char *giver;       /* for the report, of whom it is ("the recipe chrony"); NULL: the manifest */
};

/* A directory, small file or symlink that the manifest itself creates. */
enum manifest_made_kind { MADE_DIRECTORY, MADE_FILE, MADE_SYMLINK };
struct manifest_made {
    enum manifest_made_kind kind;
    const char *path;             /* absolute, no "..", no trailing slash */
    uint32_t mode;                /* default 0755 for directories, 0644 for files */
    const char *owner, *group;    /* names of `users` and `groups`, "root", or decimal; default "root" */
    const char *content;          /* MADE_FILE */
    const char *target;           /* MADE_SYMLINK */
    const char *why;              /* for the report; NULL: "created by the manifest" */
    const struct yaml_node *node; /* for messages */
};

struct manifest_user {
    const char *name, *comment, *home, *shell; /* defaults: "", "/nonexistent", "/usr/sbin/nologin" */
    uint64_t uid;
    /* Primary: a name of `groups`, "root" or decimal. Never NULL: without the key it is the user's own name, and a
     * group of that name and number was added to `groups` unless there was one of that name. */
    const char *group;
    struct strings groups; /* further memberships */
};

struct manifest_group {
    const char *name;
    uint64_t gid;
};

/* The image's configuration (OCI image-spec config.md). Values of labels, annotations, tags may hold {placeholders}. */
struct manifest_config {
    struct strings entrypoint, cmd, ports, volumes; /* ports "67/udp" */
    struct yaml_pairs env, labels, annotations;
    const char *user, *working_dir, *stop_signal, *author;
    const struct yaml_node *node; /* the mapping, for messages; NULL without one */
};

/* The weakest priority of an ELF dlopen note (uapi-group.org, "ELF dlopen metadata") whose libraries are shipped. */
enum dlopen_policy { DLOPEN_NONE, DLOPEN_REQUIRED, DLOPEN_RECOMMENDED, DLOPEN_SUGGESTED };

struct manifest {
    const char *name; /* [a-z0-9]+([._-][a-z0-9]+)* */
    const char *path;
    const char *description; /* one line for `imgfactory list` and the annotation, or NULL */
    struct strings binaries; /* absolute paths */
    struct {
        struct manifest_file *items;
        size_t count, capacity;
    } files;
    struct strings features;       /* names of features.h and globs; their files are in `files` already */
    bool has_pam;                  /* feature pam: modules that the shipped stacks of /etc/pam.d name are roots */
    enum dlopen_policy dlopen;     /* default DLOPEN_RECOMMENDED */
    struct strings packages_whole; /* packages: install */
    struct strings packages_first; /* packages: first */
    struct strings packages_never; /* packages: never */
    bool is_weak;                  /* packages: weak */
    bool is_older_fine;            /* packages: older */
    struct {
        struct manifest_made *items;
        size_t count, capacity;
    } made;
    struct {
        struct manifest_user *items;
        size_t count, capacity;
    } users;
    struct {
        struct manifest_group *items;
        size_t count, capacity;
    } groups;
    struct strings hwcaps;        /* glibc-hwcaps directories to ship as well: "x86-64-v3" */
    struct strings architectures; /* names as written; default x86_64 and aarch64 */
    bool has_tags;                /* the manifest has the key: the site file's tags are not for it */
    const char *destination;      /* push: HOST/NAMESPACE/NAME[:TAG], or NULL */
    bool has_architectures;       /* the manifest has the key: others are refused, not only left out of "all" */
    /* NULL: the command's or the host's; scalar: a source file's path; mapping: inline. */
    const struct yaml_node *source;
    bool has_recipes; /* recipes: what packages' scripts would have done (plan/recipe.h); default true */
    bool is_strict;   /* strict: what a script would have done and no recipe covers is an error */
    struct manifest_config config;
    struct strings tags;  /* default: latest */
    struct digest digest; /* of the file's bytes */
};

struct features;

/* Loads and checks one manifest; `features` are those that it can name. */
bool manifest_load(struct arena *arena, const char *path, const struct features *features,
                   struct manifest *ret_manifest, struct err *err) MUST_CHECK;
/* Finds the file that `image` means: a path when it has a '/' or ends in ".yaml"/".yml", else DIR/image.yaml. An
 * unknown name lists the known ones (at most 20) and the nearest. */
bool manifest_find(struct arena *arena, const char *dir, const char *image, const char **ret_path,
                   struct err *err) MUST_CHECK;
/* Lists the manifest names of a directory, sorted. */
bool manifest_names(struct arena *arena, const char *dir, struct strings *ret_names, struct err *err) MUST_CHECK;

#endif
