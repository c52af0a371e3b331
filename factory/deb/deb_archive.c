/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_archive.h"

#include <stdio.h>

#define AR_MAGIC "!<arch>\n"
#define AR_HEADER_BYTES 60

/* One member as the ar header tells. */
struct member {
    char name[17];
    int64_t time;
    struct text bytes;
};

/* The walk: what is left of the file, and where that begins. */
struct walk {
    struct text rest;
    size_t offset;
};

static void walk_skip(struct walk *walk, size_t len)
{
    walk->rest.ptr += len;
    walk->rest.len -= len;
    walk->offset += len;
}

/* Parses a field of an ar header: decimal digits, then spaces. */
static bool parse_number(const char *field, size_t len, uint64_t *ret_value)
{
    while (len && field[len - 1] == ' ')
        len--;
    return text_parse_u64((struct text){field, len}, ret_value);
}

/* Takes the name's padding and the '/' that some archivers add off; false when it is empty or not printable. */
static bool parse_name(const char *field, char name[17])
{
    size_t len = 16;
    while (len && field[len - 1] == ' ')
        len--;
    if (len > 1 && field[len - 1] == '/')
        len--;
    for (size_t i = 0; i < len; i++) {
        if (field[i] <= ' ' || field[i] > '~')
            return false;
    }
    memcpy(name, field, len);
    name[len] = '\0';
    return len > 0;
}

static bool header_fault(const struct walk *walk, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "not a valid Debian package: ar header at byte %zu: %s", walk->offset, what);
    return false;
}

/* Takes the next member off the front of the walk. */
static bool next_member(struct walk *walk, struct member *ret_member, struct err *err)
{
    const char *header = walk->rest.ptr;
    uint64_t size, seconds = 0;
    if (walk->rest.len < AR_HEADER_BYTES)
        return header_fault(walk, "the file ends inside it", err);
    if (header[58] != '`' || header[59] != '\n')
        return header_fault(walk, "it does not end in \"`\\n\"", err);
    if (!parse_name(header, ret_member->name))
        return header_fault(walk, "its name is empty or not printable", err);
    /* Some archivers leave the time blank. */
    if (memcmp(header + 16, "            ", 12) != 0 && !parse_number(header + 16, 12, &seconds))
        return header_fault(walk, "its time is not a number", err);
    if (!parse_number(header + 48, 10, &size))
        return header_fault(walk, "its size is not a number", err);
    size_t room = walk->rest.len - AR_HEADER_BYTES;
    if (size > room) {
        err_set(
            err, ERR_MALFORMED,
            "not a valid Debian package: ar header at byte %zu: member %s has %llu bytes, but the file only %zu more",
            walk->offset, ret_member->name, (unsigned long long)size, room);
        return false;
    }
    ret_member->time = (int64_t)seconds;
    ret_member->bytes = (struct text){header + AR_HEADER_BYTES, (size_t)size};
    walk_skip(walk, AR_HEADER_BYTES + (size_t)size);
    if (size % 2 == 0 || walk->rest.len == 0)
        return true;
    if (walk->rest.ptr[0] != '\n')
        return header_fault(walk, "the padding before it is not a newline", err);
    walk_skip(walk, 1);
    return true;
}

static bool check_version(const struct member *member, struct err *err)
{
    struct text rest = member->bytes, line;
    uint64_t minor;
    if (strcmp(member->name, "debian-binary") != 0) {
        err_set(err, ERR_MALFORMED, "not a valid Debian package: its first member is %s, not debian-binary",
                member->name);
        return false;
    }
    if (!memchr(rest.ptr, '\n', rest.len) || !text_next(&rest, '\n', &line) || !text_has_prefix(line, "2.") ||
        !text_parse_u64((struct text){line.ptr + 2, line.len - 2}, &minor)) {
        err_set(err, ERR_MALFORMED, "not a valid Debian package: debian-binary does not say version 2.x");
        return false;
    }
    return true;
}

/* Takes a member as `stem`.tar with one of the allowed compressions. */
static bool take_tar(const struct member *member, const char *stem, bool may_be_old, struct deb_member *ret_tar,
                     struct err *err)
{
    enum compression compression = compression_of_name(member->name);
    bool is_old = compression == COMPRESSION_BZIP2 || compression == COMPRESSION_LZMA;
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, "%s.tar%s", stem, compression_ending(compression));
    if (strcmp(member->name, wanted) != 0 || (is_old && !may_be_old) || compression == COMPRESSION_LZ4) {
        err_set(err, ERR_MALFORMED, "not a valid Debian package: member %s where %s.tar{,.gz,.xz,.zst%s} should be",
                member->name, stem, may_be_old ? ",.bz2,.lzma" : "");
        return false;
    }
    memcpy(ret_tar->name, member->name, sizeof ret_tar->name);
    ret_tar->compression = compression;
    ret_tar->bytes = member->bytes;
    return true;
}

/* Puts the member to its place by its number among those that count. */
static bool take_member(const struct member *member, int number, struct deb_archive *archive, struct err *err)
{
    if (member->time > archive->build_time)
        archive->build_time = member->time;
    switch (number) {
    case 0:
        return check_version(member, err);
    case 1:
        return take_tar(member, "control", false, &archive->control, err);
    case 2:
        return take_tar(member, "data", true, &archive->data, err);
    default:
        err_set(err, ERR_MALFORMED, "not a valid Debian package: member %s after the data", member->name);
        return false;
    }
}

bool deb_archive_read(struct text deb, struct deb_archive *ret_archive, struct err *err)
{
    static const char *const wanted[] = {"debian-binary", "control.tar", "data.tar"};
    struct walk walk = {.rest = deb};
    int number = 0;
    *ret_archive = (struct deb_archive){0};
    if (!text_has_prefix(deb, AR_MAGIC)) {
        err_set(err, ERR_MALFORMED, "not a valid Debian package: no ar archive");
        return false;
    }
    walk_skip(&walk, strlen(AR_MAGIC));
    while (walk.rest.len) {
        struct member member;
        if (!next_member(&walk, &member, err))
            return false;
        if (member.name[0] == '_' && number > 0)
            continue;
        if (!take_member(&member, number, ret_archive, err))
            return false;
        number++;
    }
    if (number < 3) {
        err_set(err, ERR_MALFORMED, "not a valid Debian package: no member %s", wanted[number]);
        return false;
    }
    return true;
}
