/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_payload.h"

#include "base/auto.h"
#include "io/decompress.h"
#include "package/capability.h"
#include "package/package_contents.h"
#include "package/path.h"
#include "rpm/rpm_cpio.h"
#include "rpm/rpm_digest.h"
#include "rpm/rpm_files.h"

#include <sys/stat.h>

#define TAG_PAYLOADFORMAT 1124u
#define TAG_PAYLOADCOMPRESSOR 1125u

/* The names of a hard-linked file that have come, while its bytes have not. */
struct link_set {
    struct unpacked *file; /* that has the bytes; NULL: has not come */
    LIST(struct unpacked *) waiting;
};

/* The payload while it is read. `file`, `draft` and `contents` are those of the current entry. */
struct reading {
    struct unpacking *unpacking;
    struct rpm_files files;
    bool *seen;            /* by number of the file */
    struct link_set *sets; /* by number of a set's last file */
    const struct rpm_file *file;
    struct unpacked *draft; /* NULL: nothing is to be added */
    struct file_contents contents;
    struct rpm_digest digest;      /* begun when the header's digests are not SHA-256 */
    char link[PATH_MAX_BYTES + 1]; /* the target of a symbolic link */
    size_t link_len;
    bool has_bytes; /* the entry carries a file's bytes */
};

static void auto_reading_done(struct reading **reading)
{
    file_contents_abandon(&(*reading)->contents);
    rpm_digest_abandon(&(*reading)->digest);
}

static bool file_fault(struct reading *reading, const char *what, struct err *err)
{
    return unpacking_fault(reading->unpacking, reading->file->path, what, err);
}

/* Finds the file that an entry's name means: "./usr/x", "/usr/x" and "usr/x" are "/usr/x" of the list. */
static struct rpm_file *find_by_name(struct reading *reading, const char *name)
{
    if (name[0] == '.' && name[1] == '/')
        name++;
    const char *path = *name == '/' ? name : arena_printf(&reading->unpacking->arena, "/%s", name);
    return map_get(&reading->files.by_path, text_of(path));
}

static bool find_file(struct reading *reading, const struct rpm_cpio_entry *entry, struct err *err)
{
    struct rpm_files *files = &reading->files;
    if (!entry->name) {
        if (entry->index >= files->count) {
            err_set(err, ERR_MALFORMED, "its payload has file number %llu, its header lists %zu files",
                    (unsigned long long)entry->index, files->count);
            return false;
        }
        reading->file = &files->items[entry->index];
    } else {
        reading->file = find_by_name(reading, entry->name);
        if (!reading->file)
            return unpacking_fault(reading->unpacking, entry->name, "in the payload, but not in the header's list",
                                   err);
    }
    size_t number = (size_t)(reading->file - files->items);
    if (reading->file->is_ghost)
        return file_fault(reading, "in the payload, but a %ghost in the header", err);
    if (reading->seen[number])
        return file_fault(reading, "twice in the payload", err);
    reading->seen[number] = true;
    return true;
}

/* Checks what the entry says against the header; in a stripped archive the header tells the size. */
static bool check_entry(struct reading *reading, struct rpm_cpio_entry *entry, struct err *err)
{
    const struct rpm_file *file = reading->file;
    uint64_t size = S_ISDIR(file->mode) ? 0 : file->size_bytes;
    bool is_linked = file->links != NULL;
    if (!entry->name) {
        bool is_bare = is_linked && file != &reading->files.items[file->links->last];
        entry->size_bytes = is_bare ? 0 : size;
        return true;
    }
    if ((entry->mode & S_IFMT) != (file->mode & S_IFMT))
        return file_fault(reading, "of another kind in the payload than in the header", err);
    if (entry->size_bytes != size && !(is_linked && entry->size_bytes == 0))
        return file_fault(reading, "of another size in the payload than in the header", err);
    return true;
}

static enum entry_kind kind_of(const struct rpm_file *file)
{
    return S_ISDIR(file->mode) ? ENTRY_DIRECTORY : S_ISLNK(file->mode) ? ENTRY_SYMLINK : ENTRY_FILE;
}

static bool take_capability(struct reading *reading, struct entry *entry, struct err *err)
{
    const struct rpm_file *file = reading->file;
    if (!*file->capability)
        return true;
    if (!S_ISREG(file->mode))
        return file_fault(reading, "a capability on what is not a regular file", err);
    char *bytes = arena_alloc(&reading->unpacking->arena, CAPABILITY_BYTES);
    if (!capability_parse(text_of(file->capability), bytes)) {
        err_set(err, ERR_MALFORMED, "entry %s: its capability \"%s\" is not understood",
                text_printable(&reading->unpacking->arena, text_of(file->path)),
                text_printable(&reading->unpacking->arena, text_of(file->capability)));
        return false;
    }
    entry->capability = (struct text){bytes, CAPABILITY_BYTES};
    return true;
}

static bool make_draft(struct reading *reading, struct err *err)
{
    const struct rpm_file *file = reading->file;
    const char *link = S_ISLNK(file->mode) ? file->link : NULL;
    if (!unpacking_count(reading->unpacking, file->path, link, err) ||
        !unpacking_begin(reading->unpacking, file->path, kind_of(file), link, &reading->draft, err))
        return false;
    if (!reading->draft)
        return true;
    struct entry *entry = &reading->draft->entry;
    entry->mode = file->mode & 07777;
    entry->mtime = file->mtime;
    entry->owner = file->owner;
    entry->group = file->group;
    entry->is_documentation = file->is_documentation;
    entry->configuration = file->configuration;
    return take_capability(reading, entry, err);
}

/* The carrier of the bytes is the file, with its mode, owner and capability as after an installation, since it comes
 * last; the other names link to it. */
static bool add_link(struct reading *reading, struct unpacked *draft, const struct unpacked *file, struct err *err)
{
    const char *path = draft->entry.path;
    bool is_documentation = draft->entry.is_documentation;
    draft->entry = file->entry;
    draft->entry.path = path;
    draft->entry.kind = ENTRY_HARDLINK;
    draft->entry.target = file->entry.path;
    draft->entry.is_documentation = is_documentation;
    draft->entry.size_bytes = 0;
    draft->entry.elf = NULL;
    draft->entry.interpreter = NULL;
    draft->entry.digest = (struct digest){{0}};
    draft->entry.capability = (struct text){0};
    return unpacking_add(reading->unpacking, draft, err);
}

/* Tells what a name of a hard-linked file is: the one with the bytes, a link to it, or one that waits for it. */
static bool begin_linked(struct reading *reading, const struct rpm_cpio_entry *entry, struct err *err)
{
    const struct rpm_file *file = reading->file;
    struct link_set *set = &reading->sets[file->links->last];
    if (!set->file && entry->size_bytes == file->size_bytes) {
        reading->has_bytes = true;
        set->file = reading->draft;
        return true;
    }
    if (set->file && entry->size_bytes)
        return file_fault(reading, "a hard link with bytes, where another of its names has them already", err);
    if (set->file)
        return add_link(reading, reading->draft, set->file, err);
    list_add(&reading->unpacking->arena, &set->waiting, reading->draft);
    return true;
}

static bool begin_contents(struct reading *reading, struct err *err)
{
    struct entry *entry = &reading->draft->entry;
    entry->size_bytes = reading->file->size_bytes;
    if (reading->files.digest_algorithm != RPM_SHA256 &&
        !rpm_digest_begin(&reading->digest, reading->files.digest_algorithm) &&
        rpm_digest_is_strong(reading->files.digest_algorithm)) {
        err_set(err, ERR_LOCAL, "this host's libcrypto does not offer the digest of the package's files");
        return false;
    }
    return file_contents_begin(&reading->contents, &reading->unpacking->arena, &reading->unpacking->blob, entry, err);
}

static bool begin_entry(void *user, struct rpm_cpio_entry *entry, struct err *err)
{
    struct reading *reading = user;
    reading->link_len = 0;
    reading->has_bytes = false;
    if (!find_file(reading, entry, err) || !check_entry(reading, entry, err) || !make_draft(reading, err))
        return false;
    if (!S_ISREG(reading->file->mode))
        return true;
    if (!reading->file->links)
        reading->has_bytes = true;
    else if (!begin_linked(reading, entry, err))
        return false;
    return !reading->has_bytes || begin_contents(reading, err);
}

static bool take_bytes(void *user, struct text piece, struct err *err)
{
    struct reading *reading = user;
    if (reading->has_bytes) {
        rpm_digest_feed(&reading->digest, piece);
        return file_contents_feed(&reading->contents, piece, err);
    }
    if (piece.len > PATH_MAX_BYTES - reading->link_len)
        return file_fault(reading, "its target is longer than 4095 bytes", err);
    memcpy(reading->link + reading->link_len, piece.ptr, piece.len);
    reading->link_len += piece.len;
    return true;
}

static bool check_digest(struct reading *reading, struct err *err)
{
    const char *expected = reading->file->digest;
    bool is_same = true;
    if (reading->digest.context)
        is_same = rpm_digest_end(&reading->digest, expected);
    else if (reading->files.digest_algorithm == RPM_SHA256)
        is_same = text_is_nocase(text_of(digest_hex(&reading->draft->entry.digest).chars), expected);
    if (is_same)
        return true;
    err_set(err, ERR_TRUST, "entry %s: its bytes have another digest than the package's header says",
            text_printable(&reading->unpacking->arena, text_of(reading->file->path)));
    return false;
}

/* A regular file is complete: adds it and the names that wait for it. */
static bool end_contents(struct reading *reading, struct err *err)
{
    struct unpacked *draft = reading->draft;
    draft->data_offset = reading->contents.offset;
    file_contents_end(&reading->contents);
    if (!check_digest(reading, err) || !unpacking_add(reading->unpacking, draft, err))
        return false;
    if (!reading->file->links)
        return true;
    struct link_set *set = &reading->sets[reading->file->links->last];
    for (size_t i = 0; i < set->waiting.count; i++) {
        if (!add_link(reading, set->waiting.items[i], draft, err))
            return false;
    }
    return true;
}

static bool end_entry(void *user, struct err *err)
{
    struct reading *reading = user;
    const struct rpm_file *file = reading->file;
    if (reading->has_bytes)
        return end_contents(reading, err);
    if (S_ISLNK(file->mode) && !text_is((struct text){reading->link, reading->link_len}, file->link))
        return file_fault(reading, "its target differs between payload and header", err);
    return S_ISREG(file->mode) || !reading->draft || unpacking_add(reading->unpacking, reading->draft, err);
}

/* All files of the list must have come, and of hard-linked ones the bytes. */
static bool check_complete(struct reading *reading, struct err *err)
{
    for (size_t i = 0; i < reading->files.count; i++) {
        reading->file = &reading->files.items[i];
        if (reading->file->is_ghost)
            continue;
        if (!reading->seen[i])
            return file_fault(reading, "in the header's list, but not in the payload", err);
        if (reading->file->links && !reading->sets[reading->file->links->last].file)
            return file_fault(reading, "a hard link of which no name has the bytes", err);
    }
    return true;
}

/* Tells the compression; where the header does not, the payload's first bytes do (as in rpm itself). */
static bool find_compression(const struct rpm_header *header, struct text payload, enum compression *ret_compression,
                             struct err *err)
{
    static const struct {
        const char *name;
        enum compression compression;
    } known[] = {{"gzip", COMPRESSION_GZIP}, {"bzip2", COMPRESSION_BZIP2}, {"xz", COMPRESSION_XZ},
                 {"zstd", COMPRESSION_ZSTD}, {"lzma", COMPRESSION_LZMA},   {"none", COMPRESSION_NONE}};
    const char *format, *name;
    if (!rpm_header_string(header, TAG_PAYLOADFORMAT, &format, err) ||
        !rpm_header_string(header, TAG_PAYLOADCOMPRESSOR, &name, err))
        return false;
    if (format && strcmp(format, "cpio") != 0) {
        err_set(err, ERR_MALFORMED, "its payload is of a format that is not supported (only cpio is)");
        return false;
    }
    if (!name) {
        *ret_compression = text_has_prefix(payload, "0707") ? COMPRESSION_NONE : COMPRESSION_GZIP;
        return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (strcmp(name, known[i].name) == 0) {
            *ret_compression = known[i].compression;
            return true;
        }
    }
    err_set(err, ERR_MALFORMED,
            "its payload is compressed in a way that is not supported (gzip, xz, zstd, bzip2, none are)");
    return false;
}

static bool feed_cpio(void *user, struct text piece, struct err *err)
{
    return rpm_cpio_feed(user, piece, err);
}

bool rpm_payload_read(struct unpacking *unpacking, const struct rpm_header *header, struct text payload,
                      struct err *err)
{
    AUTO(auto_reading_done) struct reading *reading = arena_new(&unpacking->arena, struct reading);
    struct rpm_cpio *cpio = arena_new(&unpacking->arena, struct rpm_cpio);
    enum compression compression;
    reading->unpacking = unpacking;
    cpio->calls = (struct rpm_cpio_calls){begin_entry, take_bytes, end_entry, reading};
    if (!rpm_files_read(&unpacking->arena, header, unpacking->limits->entries, &reading->files, err) ||
        !find_compression(header, payload, &compression, err))
        return false;
    reading->seen = arena_new_array(&unpacking->arena, bool, reading->files.count);
    reading->sets = arena_new_array(&unpacking->arena, struct link_set, reading->files.count);
    return decompress_pieces(compression, payload, unpacking->limits->unpacked_bytes, "payload", feed_cpio, cpio,
                             err) &&
           rpm_cpio_finish(cpio, err) && check_complete(reading, err);
}
