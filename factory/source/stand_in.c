/* SPDX-License-Identifier: Apache-2.0 */
#include "source/stand_in.h"

#include "base/auto.h"
#include "source/listed_file.h"

#define PACKAGE_MAX_BYTES ((uint64_t)4 << 30)
#define TOLD_MAX 8

static bool is_of(const struct stand_in *stand_in, const struct pin_package *package)
{
    static const struct digest first;
    const struct digest *generation = stand_in->pin->is_extra ? &stand_in->pin->digest : &first;
    return (!stand_in->arch || strcmp(stand_in->arch, package->arch) == 0) &&
           (!package->suite || strcmp(package->suite, stand_in->pin->suite) == 0) &&
           digest_eq(&package->generation, generation) && text_has_prefix(text_of(package->url), stand_in->pin->from);
}

/* A path below the repository, that leads nowhere else. Flat repositories have "./" in front of all of theirs. */
static bool is_safe(const char *path)
{
    struct text rest = text_of(path), part;
    if (!*path || *path == '/' || strpbrk(path, ":\\?#"))
        return false;
    while (text_next(&rest, '/', &part)) {
        if (text_is(part, ".."))
            return false;
    }
    return true;
}

static bool get(const struct stand_in *stand_in, const struct pin_package *package, const char *path,
                struct view *ret_view, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    static const struct digest unknown;
    struct strings paths = {0};
    struct err lost = {0};
    list_add(&scratch, &paths, path);
    struct listed_file file = {.name = arena_printf(&scratch, "package %s %s", package->name, package->version),
                               .path = path,
                               .urls = listed_file_urls(&scratch, stand_in->uris->items[0], stand_in->uris, &paths),
                               .checksum = checksum_of_digest(&package->digest),
                               .is_size_known = true,
                               .size_bytes = package->size_bytes,
                               .max_bytes = PACKAGE_MAX_BYTES};
    if (digest_eq(&package->digest, &unknown) || package->size_bytes > PACKAGE_MAX_BYTES) {
        err_set(err, ERR_TRUST, "%s names no bytes of package %s %s", stand_in->env->pins->place,
                text_printable(&scratch, text_of(package->name)), text_printable(&scratch, text_of(package->version)));
        return false;
    }
    if (listed_file_map(stand_in->env, &file, ret_view, &lost))
        return true;
    if (lost.kind != ERR_NETWORK) {
        *err = lost;
        return false;
    }
    if (lost.detail == HTTP_DETAIL_MOVED) { /* nothing else says which bytes are right */
        err_set(err, ERR_TRUST, "%s; what is there of %s, which it takes, has other bytes: %s", stand_in->gone->text,
                text_printable(&scratch, text_of(file.name)), lost.text);
        return false;
    }
    err_set(err, ERR_NETWORK, "%s; %s, which it takes, cannot be had either: %s", stand_in->gone->text,
            text_printable(&scratch, text_of(file.name)), lost.text);
    err->detail = PINS_GONE;
    return false;
}

bool stand_in_each(const struct stand_in *stand_in, stand_in_take *take, void *taker, struct err *err)
{
    const struct pins *pins = stand_in->env->pins;
    for (size_t i = 0; i < pins->packages.count; i++) {
        AUTO(view_done) struct view view = {0};
        const struct pin_package *package = &pins->packages.items[i];
        if (!is_of(stand_in, package))
            continue;
        const char *path = package->url + strlen(stand_in->pin->from);
        if (!is_safe(path)) {
            AUTO(arena_done) struct arena scratch = {0};
            err_set(err, ERR_TRUST, "%s: %s is no place in the repository", pins->place,
                    text_printable(&scratch, text_of(package->url)));
            return false;
        }
        if (!get(stand_in, package, path, &view, err))
            return false;
        struct stand_in_package given = {package, path, {view.ptr ? view.ptr : "", view.len}};
        if (!take(taker, &given, err))
            return false;
    }
    return true;
}

void stand_in_note(struct arena *arena, const struct pin_package *package, struct strings *packages)
{
    if (packages->count > TOLD_MAX)
        return;
    const char *name = arena_printf(arena, "%s %s", package->name, package->version);
    if (!strings_has(packages, name))
        list_add(arena, packages, name);
}

void stand_in_refuse(const struct stand_in *stand_in, const struct strings *packages, const char *why, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings told = {0};
    for (size_t i = 0; i < packages->count && i < TOLD_MAX; i++)
        list_add(&scratch, &told, text_printable(&scratch, text_of(packages->items[i])));
    err_set(err, ERR_TRUST, "%s; nothing vouches for what it takes of it: %s%s (%s)", stand_in->gone->text,
            strings_join(&scratch, &told, ", "), packages->count > TOLD_MAX ? ", …" : "", why);
}
