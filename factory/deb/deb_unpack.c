/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "deb/deb_format_parts.h"
#include "deb/deb_tar.h"
#include "deb/package_control.h"
#include "package/pack.h"
#include "package/package_contents.h"
#include "package/unpacking.h"

/* Resolves a hard link to the entry that has the bytes. */
static bool take_link(struct unpacking *unpacking, const struct tar_entry *header, struct unpacked *draft,
                      struct err *err)
{
    const char *target = unpacking_path(unpacking, header->target, err);
    if (!target) {
        err_wrap(err, "hard link %s", text_printable(&unpacking->arena, text_of(header->path)));
        return false;
    }
    const struct unpacked *aim = map_get(&unpacking->by_path, text_of(target));
    if (!aim || (aim->entry.kind != ENTRY_FILE && aim->entry.kind != ENTRY_HARDLINK)) {
        err_set(err, ERR_MALFORMED, "entry %s: a hard link to %s, which is not an earlier regular file of the package",
                text_printable(&unpacking->arena, text_of(header->path)),
                text_printable(&unpacking->arena, text_of(target)));
        return false;
    }
    draft->entry.target = aim->entry.kind == ENTRY_HARDLINK ? aim->entry.target : aim->entry.path;
    return true;
}

static enum entry_kind kind_of(const struct tar_entry *header)
{
    static const enum entry_kind kinds[] = {[TAR_FILE] = ENTRY_FILE,
                                            [TAR_DIRECTORY] = ENTRY_DIRECTORY,
                                            [TAR_SYMLINK] = ENTRY_SYMLINK,
                                            [TAR_HARDLINK] = ENTRY_HARDLINK};
    return kinds[header->kind];
}

/* Streams the bytes of the tar's current entry into the pack and fills the entry's digest, ELF facts and interpreter. */
static bool copy_contents(struct unpacking *unpacking, struct deb_tar *tar, struct unpacked *draft, struct err *err)
{
    AUTO(file_contents_abandon) struct file_contents contents = {0};
    struct text run;
    if (!file_contents_begin(&contents, &unpacking->arena, &unpacking->blob, &draft->entry, err))
        return false;
    do {
        if (!deb_tar_read(tar, &run, err) || !file_contents_feed(&contents, run, err))
            return false;
    } while (run.len);
    draft->data_offset = contents.offset;
    file_contents_end(&contents);
    return true;
}

/* Fills the draft from the header, and reads the bytes of a regular file. */
static bool take_entry(struct unpacking *unpacking, struct deb_tar *tar, const struct tar_entry *header,
                       struct unpacked *draft, struct err *err)
{
    struct entry *entry = &draft->entry;
    entry->mode = header->mode;
    entry->uid = header->uid;
    entry->gid = header->gid;
    entry->mtime = header->mtime;
    if (entry->kind == ENTRY_HARDLINK)
        return take_link(unpacking, header, draft, err);
    if (entry->kind != ENTRY_FILE)
        return true;
    entry->size_bytes = header->size_bytes;
    return copy_contents(unpacking, tar, draft, err);
}

static bool read_entry(struct unpacking *unpacking, struct deb_tar *tar, const struct tar_entry *header,
                       struct err *err)
{
    struct unpacked *draft;
    const char *link = header->kind == TAR_SYMLINK ? header->target : NULL;
    if (!unpacking_count(unpacking, header->path, header->target, err) ||
        !unpacking_begin(unpacking, header->path, kind_of(header), link, &draft, err))
        return false;
    return !draft || (take_entry(unpacking, tar, header, draft, err) && unpacking_add(unpacking, draft, err));
}

static bool read_entries(struct unpacking *unpacking, const struct deb_member *member, struct err *err)
{
    AUTO(deb_tar_auto_close) struct deb_tar *tar = NULL;
    if (!deb_tar_open(member, unpacking->limits->unpacked_bytes, &tar, err))
        return false;
    for (;;) {
        struct tar_entry header;
        bool is_end;
        if (!deb_tar_next(tar, &header, &is_end, err))
            return false;
        if (is_end)
            return true;
        if (!read_entry(unpacking, tar, &header, err))
            return false;
    }
}

bool deb_unpack(struct store *store, struct text deb, const struct package_expect *expect,
                const struct unpack_limits *limits, struct err *err)
{
    AUTO(unpacking_done) struct unpacking unpacking;
    struct deb_archive archive;
    unpacking_init(&unpacking, limits);
    unpacking.package.format = expect->format;
    unpacking.package.digest = expect->digest;
    if (!deb_archive_read(deb, &archive, err) ||
        !package_read_control(&unpacking.arena, &archive.control, limits->unpacked_bytes, &unpacking.package, err) ||
        !package_check_expect(&unpacking.package, expect, err))
        return false;
    unpacking.package.build_time = archive.build_time;
    struct digest key = package_key(expect);
    return blob_begin(store, &unpacking.blob, err) && read_entries(&unpacking, &archive.data, err) &&
           unpacking_finish(&unpacking, err) && blob_commit_derived(&unpacking.blob, PACK_KIND, &key, err);
}
