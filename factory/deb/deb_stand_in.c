/* SPDX-License-Identifier: Apache-2.0 */
/* One Packages and one Contents file for each architecture, in the first component; of a flat repository one Packages file. */
#include "deb/deb_stand_in.h"

#include "base/auto.h"
#include "base/url.h"
#include "deb/deb_archive.h"
#include "deb/deb_tar.h"
#include "deb/package_control.h"
#include "trust/small_file.h"

#define ARCHES_MAX 64
#define NAMES_MAX 8 /* of one architecture: amd64, x86_64, i686, noarch */
#define INDEX_MAX_BYTES ((size_t)256 << 20)
#define UNPACKED_MAX_BYTES ((uint64_t)8 << 30) /* only read through */

/* The indices of one architecture, or of all of a flat repository. */
struct index {
    const char *arch;          /* "aarch64"; of all "" */
    struct strings deb_arches; /* "arm64", and what packages of other formats in the lock call it */
    struct map taken;          /* by their digests: what is for all architectures comes with each */
    struct buf packages, contents;
};

struct making {
    const struct stand_in *stand_in;
    struct arena arena;
    bool is_trusted, is_flat;
    LIST(struct index) indices;
    struct strings refused;
};

static struct index *find_index(struct making *making, const char *arch)
{
    for (size_t i = 0; i < making->indices.count; i++) {
        if (making->is_flat || strcmp(making->indices.items[i].arch, arch) == 0)
            return &making->indices.items[i];
    }
    return NULL;
}

static void add_index(struct making *making, const char *arch)
{
    struct index index = {.arch = arch, .taken.arena = &making->arena};
    buf_init(&index.packages, INDEX_MAX_BYTES);
    buf_init(&index.contents, INDEX_MAX_BYTES);
    list_add(&making->arena, &making->indices, index);
}

/* What Debian calls the architectures of orders is seen in packages that are not for all. A repository need not have one of these
 * (updates of time zones alone), so that those of others count, too: an index has each name that one of them has. */
static void find_arches(struct making *making)
{
    const struct pins *pins = making->stand_in->env->pins;
    for (size_t i = 0; i < pins->packages.count; i++) {
        const struct pin_package *package = &pins->packages.items[i];
        if (strcmp(package->architecture, "all") == 0)
            continue;
        if (!find_index(making, package->arch) && making->indices.count < ARCHES_MAX)
            add_index(making, package->arch);
        struct index *index = find_index(making, package->arch);
        if (index && index->deb_arches.count < NAMES_MAX && !strings_has(&index->deb_arches, package->architecture))
            list_add(&making->arena, &index->deb_arches, package->architecture);
    }
}

static bool fail_large(const struct stand_in_package *given, struct err *err)
{
    err_set(err, ERR_MALFORMED, "package %s: with it an index would be larger than %zu bytes", given->package->name,
            INDEX_MAX_BYTES);
    return false;
}

/* The one paragraph of a control file, without empty lines. */
static struct text first_paragraph(struct text control)
{
    struct text rest = control, line;
    while (rest.len) {
        const char *begin = rest.ptr;
        if (!text_next(&rest, '\n', &line) || !text_trim(line).len)
            return (struct text){control.ptr, (size_t)(begin - control.ptr)};
    }
    return control;
}

/* A path as a Packages file has it, of one in a URL. */
static const char *plain_path(struct arena *arena, const char *path)
{
    char *plain = arena_strdup(arena, path), *to = plain;
    for (const char *at = path; *at; at++, to++) {
        char byte;
        bool is_escape = url_read_escape(text_of(at), &byte) && byte;
        *to = is_escape ? byte : *at;
        at += is_escape ? 2 : 0;
    }
    *to = '\0';
    return plain;
}

static bool add_stanza(const struct stand_in_package *given, struct arena *arena, const struct deb_member *control,
                       struct index *index, struct err *err)
{
    const struct pin_package *wanted = given->package;
    struct package package = {0};
    if (!package_read_control(arena, control, UNPACKED_MAX_BYTES, &package, err))
        return false;
    if (strcmp(package.name, wanted->name) != 0 || strcmp(package.version, wanted->version) != 0 ||
        strcmp(package.architecture, wanted->architecture) != 0) {
        err_set(err, ERR_TRUST, "the lock says %s %s for %s of it; it is %s %s for %s", wanted->name, wanted->version,
                wanted->architecture, text_printable(arena, text_of(package.name)),
                text_printable(arena, text_of(package.version)), text_printable(arena, text_of(package.architecture)));
        return false;
    }
    struct text fields = first_paragraph(text_of(package_fact(&package, DEB_CONTROL)));
    bool is_ended = fields.len && fields.ptr[fields.len - 1] == '\n';
    return buf_printf(&index->packages, "%.*s%sFilename: %s\nSize: %zu\nSHA256: %s\n\n", (int)fields.len, fields.ptr,
                      is_ended ? "" : "\n", plain_path(arena, given->path), given->bytes.len,
                      digest_hex(&wanted->digest).chars) ||
           fail_large(given, err);
}

static bool add_files(const struct stand_in_package *given, const struct deb_member *data, struct index *index,
                      struct err *err)
{
    AUTO(deb_tar_auto_close) struct deb_tar *tar = NULL;
    if (!deb_tar_open(data, UNPACKED_MAX_BYTES, &tar, err))
        return false;
    for (;;) {
        struct tar_entry entry;
        bool is_end;
        if (!deb_tar_next(tar, &entry, &is_end, err))
            return false;
        if (is_end)
            return true;
        if (entry.kind == TAR_DIRECTORY || strchr(entry.path, '\n'))
            continue;
        if (!buf_printf(&index->contents, "%s %s\n", entry.path, given->package->name))
            return fail_large(given, err);
    }
}

static bool take(void *taker, const struct stand_in_package *given, struct err *err)
{
    struct making *making = taker;
    AUTO(arena_done) struct arena scratch = {0};
    struct deb_archive archive;
    struct index *index = find_index(making, given->package->arch);
    if (!making->is_trusted || !index) {
        stand_in_note(&making->arena, given->package, &making->refused);
        return true;
    }
    const char *hex = arena_strdup(&making->arena, digest_hex(&given->package->digest).chars);
    if (!map_add(&index->taken, text_of(hex), making))
        return true;
    if (deb_archive_read(given->bytes, &archive, err) && add_stanza(given, &scratch, &archive.control, index, err) &&
        add_files(given, &archive.data, index, err))
        return true;
    err_wrap(err, "package %s %s", text_printable(&scratch, text_of(given->package->name)),
             text_printable(&scratch, text_of(given->package->version)));
    return false;
}

/* Keeps an index, and lists it under its names. */
static bool list_file(const struct making *making, struct arena *arena, const struct buf *bytes,
                      const struct strings *names, struct release *release, struct err *err)
{
    struct release_file *file = arena_new(arena, struct release_file);
    *file = (struct release_file){.size_bytes = bytes->len};
    if (!small_file_keep(making->stand_in->env, bytes, &file->digest, err))
        return false;
    for (size_t i = 0; i < names->count; i++)
        (void)map_add(&release->files, text_of(names->items[i]), file);
    return true;
}

static bool list_files(struct making *making, struct arena *arena, struct release *release, struct err *err)
{
    const struct strings *components = &release->repository->components;
    for (size_t i = 0; i < making->indices.count; i++) {
        const struct index *index = &making->indices.items[i];
        struct strings packages = {0}, contents = {0};
        if (making->is_flat)
            list_add(arena, &packages, "Packages"); /* and flat ones have no Contents */
        for (size_t j = 0; j < index->deb_arches.count && !making->is_flat; j++) {
            const char *component = components->items[0], *arch = index->deb_arches.items[j];
            list_add(arena, &packages, arena_printf(arena, "%s/binary-%s/Packages", component, arch));
            list_add(arena, &contents, arena_printf(arena, "%s/Contents-%s", component, arch));
        }
        if (!list_file(making, arena, &index->packages, &packages, release, err) ||
            !list_file(making, arena, &index->contents, &contents, release, err))
            return false;
    }
    return true;
}

static bool make(struct making *making, struct arena *arena, struct release *release, struct err *err)
{
    const struct stand_in *stand_in = making->stand_in;
    const struct pin *pin = stand_in->pin;
    if (making->is_flat)
        add_index(making, "");
    else
        find_arches(making);
    if (!stand_in_each(stand_in, take, making, err))
        return false;
    if (making->refused.count) {
        stand_in_refuse(stand_in, &making->refused,
                        "a .deb has no signature of its own; `trusted: true` of the source takes what the lock names "
                        "without one",
                        err);
        return false;
    }
    release->uri = release->dir = release->repository->uris.items[0];
    release->origin = pin->distribution;
    release->version = pin->version;
    release->codename = pin->codename;
    release->date = pin->date;
    release->digest = pin->digest;
    release->has_all_in_arch = true;
    release->is_stand_in = true;
    release->files = (struct map){.arena = arena};
    release->mark = release_mark_of_pin(pin);
    return list_files(making, arena, release, err);
}

bool deb_stand_in_make(const struct stand_in *stand_in, struct arena *arena, struct release *release, struct err *err)
{
    struct making making = {.stand_in = stand_in,
                            .is_trusted = release->repository->is_trusted || stand_in->env->pins->is_vouching,
                            .is_flat = !release->repository->components.count};
    bool is_good = make(&making, arena, release, err);
    for (size_t i = 0; i < making.indices.count; i++) {
        buf_done(&making.indices.items[i].packages);
        buf_done(&making.indices.items[i].contents);
    }
    arena_done(&making.arena);
    return is_good;
}
