/* SPDX-License-Identifier: Apache-2.0 */
/* A repository made of any bytes is solved or refused within the bounds of solve_watch.h: what is selected has each name that
 * was asked for, each package once. Two bytes make a relation: of which package, to which one, of what kind. */
#include "fuzz.h"

#include "deb/deb_catalog.h"
#include "deb/deb_format.h"
#include "source/solve.h"

#include <stdlib.h>

#define PACKAGES 24
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct relations {
    const char *text[PACKAGES][4];
};

static const char *const kinds[] = {"Depends", "Conflicts", "Provides", "Breaks"};
static const char *const versions[] = {"", " (= 1)", " (>= 2)", " (<< 2)"};

/* Adds a relation; one kind of dependency is another choice of the last. */
static void add(struct arena *arena, struct relations *relations, uint8_t who, uint8_t what)
{
    size_t kind = who / PACKAGES % 8;
    bool is_choice = kind > 3, is_depends = kind == 0 || is_choice;
    const char **text = &relations->text[who % PACKAGES][is_depends ? 0 : kind];
    size_t version = what / PACKAGES % ARRAY_COUNT(versions);
    const char *limit = kind == 2 ? (version == 1 ? versions[1] : "") : versions[version];
    const char *target = arena_printf(arena, "%s%c%s", what / PACKAGES > 4 ? "v" : "p", 'a' + what % PACKAGES, limit);
    *text = *text ? arena_printf(arena, "%s%s%s", *text, is_choice ? " | " : ", ", target) : target;
}

static const char *packages_of(struct arena *arena, const uint8_t *bytes, size_t len)
{
    struct relations relations = {0};
    struct strings stanzas = {0};
    for (size_t i = 0; i + 1 < len && i < 1000; i += 2)
        add(arena, &relations, bytes[i], bytes[i + 1]);
    for (size_t i = 0; i < PACKAGES; i++) {
        for (int version = 1; version <= 1 + (int)(i % 3 == 0); version++) {
            list_add(arena, &stanzas,
                     arena_printf(arena, "Package: p%c\nVersion: %d\nArchitecture: amd64\n", 'a' + (int)i, version));
            for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
                if (relations.text[i][k])
                    list_add(arena, &stanzas, arena_printf(arena, "%s: %s\n", kinds[k], relations.text[i][k]));
            }
            list_add(arena, &stanzas, "Filename: p.deb\nSize: 1\nSHA256: " HASH "\n\n");
        }
    }
    return strings_join(arena, &stanzas, "");
}

static void check(const struct selection *selection)
{
    if (!selection_find(selection, "pa") || !selection_find(selection, "pb"))
        abort();
    for (size_t i = 1; i < selection->count; i++) {
        if (strcmp(selection->items[i - 1].name, selection->items[i].name) >= 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct source source = {.format = &format_deb, .name = "fuzz"};
    struct deb_repository repository = {.name = "one", .suite = "one"};
    struct release release = {.repository = &repository}, *pointer = &release;
    struct releases releases = {.source = &source, .items = &pointer, .count = 1};
    struct arch arch = {.name = "x86_64"};
    const char *text = packages_of(&arena, bytes, len);
    struct catalog *catalog;
    struct selection selection;
    struct solve_request request = {.is_older_fine = len && bytes[0] & 1};
    struct err err = {0};
    list_add(&arena, &arch.names, ((struct arch_named){format_deb.arch_keys, "amd64"}));
    if (!deb_catalog_from_texts(&releases, &arch, &text, &catalog, &err))
        abort();
    list_add(&arena, &request.names, "pa");
    list_add(&arena, &request.names, "pb");
    if (solve_packages(&arena, catalog, &request, &selection, &err))
        check(&selection);
    else if (err.kind != ERR_RESOLVE && err.kind != ERR_MALFORMED)
        abort();
    catalog_close(catalog);
    return 0;
}
