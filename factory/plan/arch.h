/* SPDX-License-Identifier: Apache-2.0 */
/* arch.h - what a machine type is called, and where its loader looks: arches/NAME.yaml
 *
 * Adding an architecture is adding a file. arches/README.md describes the keys.
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …" for what is wrong in a file), ERR_LOCAL.
 */
#ifndef IMGFACTORY_PLAN_ARCH_H
#define IMGFACTORY_PLAN_ARCH_H

#include "plan/yaml.h"

/* A key of arch files whose value is what a package format calls the architecture. The formats have the tables
 * (source/format.h). */
struct arch_key {
    const char *key;       /* "deb"; NULL ends a table */
    const char *otherwise; /* the key whose name it is where a file lacks this one; NULL: every file must have it */
    bool is_alias;         /* the name can stand for the architecture's own, as in --arch arm64 */
};

/* Pointers into the tables, which must live as long as the architectures that are loaded with them. */
struct arch_keys {
    const struct arch_key **items;
    size_t count, capacity;
};

struct arch {
    const char *name;             /* "aarch64": the file's stem */
    const char *oci_os;           /* "linux" */
    const char *oci_architecture; /* "arm64" (GOARCH, OCI image-spec config.md) */
    const char *oci_variant;      /* "v8" or NULL */
    uint16_t elf_machine;         /* e_machine; written by name (EM_AARCH64) or number in the file */
    uint8_t elf_class;            /* 32 or 64 */
    bool is_big_endian;
    struct arch_names {
        struct arch_named {
            const struct arch_key *key;
            const char *name; /* "arm64" */
        } * items;
        size_t count, capacity;
    } names;                     /* one for each key of the formats */
    const char *triplet;         /* "aarch64-linux-gnu" (Debian multiarch) */
    struct strings loaders;      /* PT_INTERP paths: "/lib/ld-linux-aarch64.so.1" */
    struct strings library_dirs; /* the loader's built-in directories, in its order, canonical (below /usr) */
    const char *lib_token;       /* $LIB of ld.so: "lib/aarch64-linux-gnu" */
    const char *platform_token; /* $PLATFORM of ld.so: "aarch64", on the oldest machine that the distribution runs on */
    struct strings hwcaps;      /* glibc-hwcaps directories, in the loader's order: "x86-64-v4", "x86-64-v3"; or none */
    uint32_t cache_flags;       /* of the architecture's libraries in /etc/ld.so.cache: glibc's ldconfig.h */
    struct strings root_links;  /* names in / that link into usr: "bin", "sbin", "lib", "lib64" */
    struct strings machine_names; /* uname -m values of this architecture: for "the host's own" */
    struct digest digest;         /* of the file's bytes */
};

struct arches {
    struct arch *items; /* sorted by name */
    size_t count;
};

/* Loads every *.yaml of a directory, in which `keys` are known beside those that every architecture has; two with one
 * OCI platform or one machine name are refused. ERR_LOCAL when it cannot be listed. */
bool arches_load(struct arena *arena, const char *dir, const struct arch_keys *keys, struct arches *ret_arches,
                 struct err *err) MUST_CHECK;
/* Returns what the architecture is called under a key of a format's; NULL when it was loaded without that key. */
const char *arch_name(const struct arch *arch, const char *key);
/* Finds by name, also by a format's or the OCI name when that is unambiguous (amd64, arm64, linux/arm64/v8); ERR_USAGE lists
 * the known ones and the nearest. */
bool arches_find(const struct arches *arches, const char *name, const struct arch **ret_arch,
                 struct err *err) MUST_CHECK;
/* Finds the architecture whose machine_names has `machine` (uname's). */
bool arches_of_machine(const struct arches *arches, const char *machine, const struct arch **ret_arch,
                       struct err *err) MUST_CHECK;
/* Checks that each name is a glibc-hwcaps directory of some architecture; ERR_USAGE lists the known ones and the
 * nearest. */
bool arches_check_hwcaps(const struct arches *arches, const struct strings *names, struct err *err) MUST_CHECK;

#endif
