/* SPDX-License-Identifier: Apache-2.0 */
#include "package/package.h"

#include "package/pack.h"
#include "package/package_unpack.h"
#include "source/format.h"
#include "trust/keyring.h"

#include <stdlib.h>

const char *package_fact(const struct package *package, const char *name)
{
    for (size_t i = 0; i < package->facts.count; i++) {
        if (strcmp(package->facts.items[i].name, name) == 0)
            return package->facts.items[i].text;
    }
    return NULL;
}

const struct package_script *package_script_find(const struct package *package, const char *name)
{
    for (size_t i = 0; i < package->scripts.count; i++) {
        if (strcmp(package->scripts.items[i].name, name) == 0)
            return &package->scripts.items[i];
    }
    return NULL;
}

bool package_runs_at_install(const struct package *package, const char *name)
{
    for (const char *const *known = package->format->install_scripts; *known; known++) {
        if (strcmp(name, *known) == 0)
            return true;
    }
    return false;
}

static bool check_field(const struct package *package, const char *field, const char *got, const char *expected,
                        struct err *err)
{
    if (!expected || strcmp(got, expected) == 0)
        return true;
    err_set(err, ERR_TRUST, "wrong package: its %s says %s %s, the index says %s", package->format->identity_place,
            field, got, expected);
    return false;
}

bool package_check_expect(const struct package *package, const struct package_expect *expect, struct err *err)
{
    return check_field(package, "Package", package->name, expect->name, err) &&
           check_field(package, "Version", package->version, expect->version, err) &&
           check_field(package, "Architecture", package->architecture, expect->architecture, err);
}

struct digest package_key(const struct package_expect *expect)
{
    static const char purpose[] = "imgfactory: signed package";
    if (!expect->keys)
        return expect->digest;
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, purpose, sizeof purpose);
    digest_feed(&stream, expect->digest.bytes, sizeof expect->digest.bytes);
    digest_feed(&stream, expect->keys->digest.bytes, sizeof expect->keys->digest.bytes);
    return digest_end(&stream);
}

bool package_open(struct store *store, const struct package_expect *expect, struct package **ret_package,
                  bool *ret_found, struct err *err)
{
    struct view view = {0};
    struct digest key = package_key(expect);
    *ret_package = NULL;
    struct store_place place = {.store = store, .kind = PACK_KIND, .key = key};
    if (!store_map_checked(&place, pack_is_right, &view, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    struct package *package = calloc(1, sizeof *package);
    if (!package)
        memory_abort(sizeof *package);
    package->view = view;
    package->place = place;
    package->format = expect->format;
    if (pack_read_tables(package) || !digest_eq(&package->digest, &expect->digest)) {
        package_close(package);
        store_drop_derived(store, PACK_KIND, &key);
        *ret_found = false;
        return true;
    }
    if (!package_check_expect(package, expect, err)) {
        package_close(package);
        return false;
    }
    *ret_package = package;
    return true;
}

static int compare_path(const void *path, const void *entry)
{
    return strcmp(path, ((const struct entry *)entry)->path);
}

const struct entry *package_find(const struct package *package, const char *path)
{
    if (package->count == 0)
        return NULL;
    return bsearch(path, package->entries, package->count, sizeof *package->entries, compare_path);
}

size_t package_first_from(const struct package *package, const char *path)
{
    size_t low = 0, high = package->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(package->entries[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What is smaller is not worth a system call. */
#define REST_MIN_BYTES ((size_t)128 << 10)

void package_rest(const struct package *package)
{
    if (package->view.len >= REST_MIN_BYTES)
        view_give_back(&package->view);
}

bool package_vouches(const struct package *package, const char *data, uint64_t len)
{
    uintptr_t begin = (uintptr_t)package->view.mapping, offset = (uintptr_t)data - begin;
    return begin && (uintptr_t)data >= begin && offset <= package->view.mapping_len &&
           len <= package->view.mapping_len - offset;
}

bool package_is_unchanged(const struct package *package)
{
    return package->place.store && store_is_unchanged(&package->place);
}

void package_rest_file(const struct package *package, const char *data, uint64_t len)
{
    if (len >= REST_MIN_BYTES && package_vouches(package, data, len))
        view_give_back_part(&package->view, (size_t)(data - (const char *)package->view.mapping), (size_t)len);
}

void package_close(struct package *package)
{
    if (!package)
        return;
    view_done(&package->view);
    arena_done(&package->arena);
    free(package);
}
