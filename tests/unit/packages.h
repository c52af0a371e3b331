/* SPDX-License-Identifier: Apache-2.0 */
/* packages.h - packages made by hand for the tests of fileset, closure and tree: no file is read
 *
 * Add packages and entries first (pointers to entries are good until set_build()), then build the set.
 */
#ifndef IMGFACTORY_TESTS_PACKAGES_H
#define IMGFACTORY_TESTS_PACKAGES_H

#include "check.h"

#include "closure/closure.h"
#include "deb/deb_format.h"
#include "rpmmd/rpm_format.h"
#include "shipped.h"
#include "tree/tree.h"

#include <elf.h>

#define PACKAGES_MAX 12
#define ENTRIES_MAX 64

struct fixture {
    struct arena arena;
    struct package packages[PACKAGES_MAX];
    size_t package_count;
    struct arch arch;
    const struct family *deb, *rpm; /* the families */
    struct fileset set;
    struct err err;
};

/* Sets a fact of the package, in place of a former one. */
static inline void fact_set(struct fixture *fixture, struct package *package, const char *name, const char *text)
{
    for (size_t i = 0; i < package->facts.count; i++) {
        if (strcmp(package->facts.items[i].name, name) == 0) {
            package->facts.items[i].text = text;
            return;
        }
    }
    struct package_fact fact = {name, text};
    list_add(&fixture->arena, &package->facts, fact);
}

static inline struct package *package_add(struct fixture *fixture, const char *name)
{
    assert_true(fixture->package_count < PACKAGES_MAX);
    struct package *package = &fixture->packages[fixture->package_count++];
    *package = (struct package){.format = &format_deb,
                                .name = name,
                                .version = "1.0-1",
                                .architecture = "amd64",
                                .build_time = 1000,
                                .entries = arena_new_array(&fixture->arena, struct entry, ENTRIES_MAX)};
    fact_set(fixture, package, "control",
             arena_printf(&fixture->arena, "Package: %s\nVersion: 1.0-1\nArchitecture: amd64\n", name));
    return package;
}

static inline struct entry *entry_add(struct package *package, const char *path, enum entry_kind kind, uint32_t mode)
{
    assert_true(package->count < ENTRIES_MAX);
    struct entry *entry = &package->entries[package->count++];
    *entry = (struct entry){.path = path, .kind = kind, .mode = mode, .mtime = 500};
    return entry;
}

static inline struct entry *file_add(struct package *package, const char *path, const char *bytes)
{
    struct entry *entry = entry_add(package, path, ENTRY_FILE, 0644);
    entry->data = bytes;
    entry->size_bytes = strlen(bytes);
    entry->digest = digest_of(bytes, strlen(bytes));
    return entry;
}

static inline struct entry *dir_add(struct package *package, const char *path, uint32_t mode)
{
    return entry_add(package, path, ENTRY_DIRECTORY, mode);
}

static inline struct entry *link_add(struct package *package, const char *path, const char *target)
{
    struct entry *entry = entry_add(package, path, ENTRY_SYMLINK, 0777);
    entry->target = target;
    return entry;
}

static inline struct entry *hardlink_add(struct package *package, const char *path, const char *target)
{
    struct entry *entry = entry_add(package, path, ENTRY_HARDLINK, 0644);
    entry->target = target;
    return entry;
}

/* An ELF file of the fixture's architecture: `needed` are names with blanks between. The facts can be changed. */
static inline struct elf_facts *elf_add(struct fixture *fixture, struct package *package, const char *path,
                                        const char *soname, const char *needed)
{
    struct elf_facts *elf = arena_new(&fixture->arena, struct elf_facts);
    *elf = (struct elf_facts){
        .machine = EM_X86_64, .type = ET_DYN, .elf_class = 64, .has_dynamic = true, .soname = soname};
    struct text rest = text_of(needed), name;
    while (text_next_word(&rest, &name))
        list_add(&fixture->arena, &elf->needed, text_dup(&fixture->arena, name));
    struct entry *entry = file_add(package, path, path); /* the path as bytes: each file is another one */
    entry->mode = 0755;
    entry->elf = elf;
    return elf;
}

static inline int entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

/* Sorts the entries and builds the set; with is_reversed the packages are handed over in the opposite order. */
static inline void set_build(struct fixture *fixture, bool is_reversed)
{
    const struct package *packages[PACKAGES_MAX];
    size_t count = fixture->package_count;
    for (size_t i = 0; i < count; i++) {
        struct package *package = &fixture->packages[i];
        qsort(package->entries, package->count, sizeof(struct entry), entry_compare);
        packages[is_reversed ? count - 1 - i : i] = package;
    }
    bool is_rpm = count && fixture->packages[0].format == &format_rpm;
    fileset_build(&fixture->arena, is_rpm ? fixture->rpm : fixture->deb, packages, count, &fixture->set);
}

static inline int fixture_start(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    struct arch *arch = &fixture->arch;
    *arch = (struct arch){.name = "x86_64",
                          .elf_machine = EM_X86_64,
                          .elf_class = 64,
                          .triplet = "x86_64-linux-gnu",
                          .lib_token = "lib/x86_64-linux-gnu",
                          .platform_token = "x86_64",
                          .cache_flags = 0x303};
    list_add(&fixture->arena, &arch->library_dirs, "/usr/lib/x86_64-linux-gnu");
    list_add(&fixture->arena, &arch->library_dirs, "/usr/lib");
    list_add(&fixture->arena, &arch->loaders, "/lib64/ld-linux-x86-64.so.2");
    list_add(&fixture->arena, &arch->hwcaps, "x86-64-v3");
    list_add(&fixture->arena, &arch->hwcaps, "x86-64-v2");
    list_add(&fixture->arena, &arch->root_links, "bin");
    list_add(&fixture->arena, &arch->root_links, "lib");
    list_add(&fixture->arena, &arch->root_links, "lib64");
    fixture->deb = shipped_family(&fixture->arena, "deb");
    fixture->rpm = shipped_family(&fixture->arena, "rpm");
    *state = fixture;
    return 0;
}

static inline int fixture_stop(void **state)
{
    struct fixture *fixture = *state;
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_start, fixture_stop)

#endif
