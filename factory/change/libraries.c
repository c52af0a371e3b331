/* SPDX-License-Identifier: Apache-2.0 */
#include "change/libraries.h"

#include "change/packaged.h"
#include "package/elf_symbols.h"
#include "package/path.h"

#include <elf.h>
#include <stdlib.h>

#define NAME_MAX_BYTES ((size_t)16 << 10)   /* of a symbol; C++ has names of thousands of bytes */
#define NAMES_MAX_BYTES ((size_t)128 << 20) /* of all symbols of a library */

#define NOTED_MAX 3 /* packages that are named when files of them could not be looked at */

/* A library of one side. */
struct library {
    const struct bill_file *file;
    struct shelf *shelf;
};

/* One side under work. */
struct shelf {
    const struct change_side *side;
    struct map packages;   /* name → struct bill_package */
    struct map opened;     /* name → struct package, or NULL */
    struct map libraries;  /* soname → struct library */
    struct strings absent; /* packages that the cache has not */
};

struct looking {
    struct arena *arena;   /* of the result */
    struct arena *scratch; /* of all else */
    struct libraries *known;
    struct change *change;
    struct shelf before, after;
};

static void shelf_init(struct looking *looking, struct shelf *shelf, const struct change_side *side)
{
    struct arena *scratch = looking->scratch;
    *shelf = (struct shelf){.side = side};
    shelf->packages.arena = shelf->opened.arena = shelf->libraries.arena = scratch;
    for (size_t i = 0; i < side->bill->packages.count; i++)
        (void)map_add(&shelf->packages, text_of(side->bill->packages.items[i].name), &side->bill->packages.items[i]);
}

static void shelf_done(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->opened.slots.count; i++)
        package_close(shelf->opened.slots.items[i].value);
}

static const struct package *open_package(struct looking *looking, struct shelf *shelf, const char *name)
{
    const struct bill_package *package = map_get(&shelf->packages, text_of(name));
    struct package *opened = map_get(&shelf->opened, text_of(name));
    if (opened || !package || !looking->known->store || strings_has(&shelf->absent, name))
        return opened;
    opened = packaged_open(looking->known->store, package);
    if (opened)
        (void)map_add(&shelf->opened, text_of(name), opened);
    else
        list_add(looking->scratch, &shelf->absent, name);
    return opened;
}

/* Finds the bytes of a file: NULL when they are nowhere. */
static const struct entry *find_entry(struct looking *looking, struct shelf *shelf, const struct bill_file *file)
{
    const struct entry *entry = NULL;
    if (shelf->side->ground.package)
        entry = ground_find(&shelf->side->ground, file->path);
    else if (file->package) {
        const struct package *package = open_package(looking, shelf, file->package);
        entry = package ? package_find(package, file->path) : NULL;
    }
    return entry && entry->kind == ENTRY_FILE && digest_eq(&entry->digest, &file->digest) ? entry : NULL;
}

/* Returns a file's soname; NULL when it has none, or cannot be read. */
static const char *soname_of(struct looking *looking, struct shelf *shelf, const struct bill_file *file)
{
    struct arena *arena = &looking->known->arena;
    const struct digest_hex hex = digest_hex(&file->digest);
    const char *key = hex.chars, *soname = map_get(&looking->known->sonames, text_of(key));
    if (!soname) {
        const struct entry *entry = find_entry(looking, shelf, file);
        if (!entry)
            return NULL;
        soname = arena_strdup(arena, entry->elf && entry->elf->soname ? entry->elf->soname : "");
        (void)map_add(&looking->known->sonames, text_of(arena_strdup(arena, key)), (char *)soname);
    }
    return *soname ? soname : NULL;
}

/* Puts a file to the libraries of its side, when it is one. */
static void shelve(struct looking *looking, struct shelf *shelf, const struct bill_file *file)
{
    if (!file || file->kind != NODE_FILE || !strstr(path_basename(file->path), ".so"))
        return;
    const char *soname = soname_of(looking, shelf, file);
    if (!soname)
        return;
    struct library *library = arena_new(looking->scratch, struct library);
    *library = (struct library){file, shelf};
    (void)map_add(&shelf->libraries, text_of(soname), library);
}

static int compare_strings(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Lists what a library defines for others, sorted. False when its bytes or tables are not right. */
static bool list_symbols(struct looking *looking, struct arena *arena, const struct library *library,
                         struct strings *ret_symbols)
{
    const struct entry *entry = find_entry(looking, library->shelf, library->file);
    struct text bytes = {entry ? entry->data : "", entry ? (size_t)entry->size_bytes : 0};
    struct digest digest = digest_of(bytes.ptr, bytes.len);
    struct elf_symbols symbols;
    *ret_symbols = (struct strings){0};
    if (!entry || !digest_eq(&digest, &entry->digest))
        return false;
    size_t name_bytes = 0; /* names may lie in each other: together they can be larger than the file */
    elf_symbols_read(arena, bytes, &symbols);
    for (size_t i = 1; !symbols.broken && i < symbols.count; i++) {
        struct elf_symbol symbol = elf_symbols_get(&symbols, i);
        size_t len = strnlen(symbol.name, NAME_MAX_BYTES + 1);
        name_bytes += len;
        if (len > NAME_MAX_BYTES || name_bytes > NAMES_MAX_BYTES)
            return false;
        bool is_usable = symbol.section != SHN_UNDEF && symbol.binding != STB_LOCAL && *symbol.name &&
                         (symbol.visibility == STV_DEFAULT || symbol.visibility == STV_PROTECTED);
        bool is_version = symbol.section == SHN_ABS && symbol.version && strcmp(symbol.version->name, symbol.name) == 0;
        if (!is_usable || is_version)
            continue;
        const char *name = symbol.version && !symbol.version->is_base
                               ? arena_printf(arena, "%s@%s", symbol.name, symbol.version->name)
                               : arena_strdup(arena, symbol.name);
        list_add(arena, ret_symbols, name);
    }
    if (ret_symbols->count)
        qsort(ret_symbols->items, ret_symbols->count, sizeof *ret_symbols->items, compare_strings);
    return !symbols.broken;
}

static void take(struct arena *arena, const char *symbol, struct strings *list, size_t *count)
{
    if ((*count)++ < LIBRARY_SYMBOLS_MAX)
        list_add(arena, list, arena_strdup(arena, symbol));
}

/* Fills what came and went; both lists are sorted, and may have a name twice. */
static void compare_symbols(struct arena *arena, const struct strings *before, const struct strings *after,
                            struct library_change *change)
{
    for (size_t i = 0, j = 0; i < before->count || j < after->count;) {
        int order = i == before->count ? 1 : j == after->count ? -1 : strcmp(before->items[i], after->items[j]);
        const char *name = order <= 0 ? before->items[i] : after->items[j];
        if (order < 0)
            take(arena, name, &change->symbols_went, &change->went_count);
        else if (order > 0)
            take(arena, name, &change->symbols_came, &change->came_count);
        bool had = order <= 0, has = order >= 0;
        while (had && i < before->count && strcmp(before->items[i], name) == 0)
            i++;
        while (has && j < after->count && strcmp(after->items[j], name) == 0)
            j++;
    }
}

/* Compares what two libraries define, once; NULL when they cannot be read. */
static const struct library_change *symbols_of(struct looking *looking, const struct library *before,
                                               const struct library *after)
{
    struct arena scratch = {0}, *arena = &looking->known->arena;
    struct digest_hex old_hex = digest_hex(&before->file->digest), new_hex = digest_hex(&after->file->digest);
    const char *key = arena_printf(arena, "%s %s", old_hex.chars, new_hex.chars);
    struct library_change *found = map_get(&looking->known->pairs, text_of(key));
    struct strings old, new;
    if (!found && list_symbols(looking, &scratch, before, &old) && list_symbols(looking, &scratch, after, &new)) {
        found = arena_new(arena, struct library_change);
        compare_symbols(arena, &old, &new, found);
        (void)map_add(&looking->known->pairs, text_of(key), found);
    }
    arena_done(&scratch);
    return found;
}

static void compare(struct looking *looking, const char *soname, const struct library *before,
                    const struct library *after)
{
    struct library_change found = {0};
    if (before && after) {
        const struct library_change *symbols = symbols_of(looking, before, after);
        if (!symbols)
            change_note(looking->arena, looking->change,
                        arena_printf(looking->scratch, "the symbols of %s cannot be read", soname));
        if (!symbols || (!symbols->came_count && !symbols->went_count))
            return;
        found = *symbols;
    }
    found.kind = !before ? CHANGE_CAME : !after ? CHANGE_WENT : CHANGE_CHANGED;
    found.soname = soname;
    found.before = before ? before->file->path : NULL;
    found.after = after ? after->file->path : NULL;
    list_add(looking->arena, &looking->change->libraries, found);
}

/* Names packages whose libraries could not be looked at. */
static void note_absent(struct looking *looking, const struct shelf *shelf)
{
    struct strings named = shelf->absent;
    named.count = named.count < NOTED_MAX ? named.count : NOTED_MAX;
    if (named.count)
        change_note(looking->arena, looking->change,
                    arena_printf(looking->arena,
                                 "sonames and symbols were not read of %s%s: the cache has them not; "
                                 "--layers reads them out of the layers",
                                 strings_join(looking->scratch, &named, ", "),
                                 shelf->absent.count > named.count ? " and others" : ""));
}

void libraries_tell(struct arena *arena, struct libraries *libraries, struct change *change)
{
    struct arena scratch = {0};
    struct looking looking = {.arena = arena, .scratch = &scratch, .known = libraries, .change = change};
    libraries->sonames.arena = libraries->pairs.arena = &libraries->arena;
    shelf_init(&looking, &looking.before, change->before);
    shelf_init(&looking, &looking.after, change->after);
    for (size_t i = 0; i < change->files.count; i++) {
        shelve(&looking, &looking.before, change->files.items[i].before);
        shelve(&looking, &looking.after, change->files.items[i].after);
    }
    const struct map *before = &looking.before.libraries, *after = &looking.after.libraries;
    for (size_t i = 0; i < before->slots.count; i++) {
        const struct map_slot *slot = &before->slots.items[i];
        compare(&looking, slot->key.ptr, slot->value, map_get(after, slot->key));
    }
    for (size_t i = 0; i < after->slots.count; i++) {
        const struct map_slot *slot = &after->slots.items[i];
        if (!map_get(before, slot->key))
            compare(&looking, slot->key.ptr, NULL, slot->value);
    }
    note_absent(&looking, &looking.before);
    note_absent(&looking, &looking.after);
    shelf_done(&looking.before);
    shelf_done(&looking.after);
    arena_done(&scratch);
}

void libraries_done(struct libraries *libraries)
{
    arena_done(&libraries->arena);
    *libraries = (struct libraries){0};
}
