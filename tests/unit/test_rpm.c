/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "package/capability.h"
#include "package/package_unpack.h"
#include "rpm/rpm_cpio.h"
#include "rpm/rpm_facts.h"
#include "rpm/rpm_header.h"
#include "rpm/rpm_signature.h"
#include "rpmmd/rpm_format.h"

#include <endian.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Packages are made once by rpmbuild (rpm_packages.py); rpm itself tells what is in them. */
struct fixture {
    struct store *store;
    const char *dir;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};
    char command[1024];
    fixture->dir = check_temporary_dir();
    elf_init();
    (void)snprintf(command, sizeof command, "python3 '%s/tests/unit/rpm_packages.py' '%s'", SOURCE_DIR, fixture->dir);
    assert_int_equal(system(command), 0);
    CHECK_OK(store_open(arena_printf(&fixture->arena, "%s/store", fixture->dir), NULL, &fixture->store, &err), &err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[512];
    store_close(fixture->store);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture->dir);
    assert_int_equal(system(command), 0);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static struct buf read_file(struct fixture *fixture, const char *name)
{
    struct buf bytes = {0};
    struct err err = {0};
    CHECK_OK(file_read_at(AT_FDCWD, arena_printf(&fixture->arena, "%s/%s", fixture->dir, name), 64 << 20, &bytes, &err),
             &err);
    return bytes;
}

static void auto_package_close(struct package **package)
{
    package_close(*package);
}

static struct keyrings load_keys(struct fixture *fixture, const char *name)
{
    struct keyrings keys;
    struct err err = {0};
    struct strings paths = {0}, none = {0};
    struct key_lists lists = {
        .name = "kit", .place = "kit", .paths = &paths, .inline_keys = &none, .fingerprints = &none};
    list_add(&fixture->arena, &paths, arena_printf(&fixture->arena, "%s/%s", fixture->dir, name));
    CHECK_OK(keyrings_load(&fixture->arena, &lists, &keys, &err), &err);
    return keys;
}

static struct package_expect expect_of(const struct buf *rpm, const struct keyrings *keys)
{
    return (struct package_expect){.format = &format_rpm, .digest = digest_of(rpm->bytes, rpm->len), .keys = keys};
}

/* Unpacks and opens. */
static bool take(struct fixture *fixture, const struct buf *rpm, const struct keyrings *keys,
                 struct package **ret_package, struct err *err)
{
    struct package_expect expect = expect_of(rpm, keys);
    bool is_found = false;
    *ret_package = NULL;
    /* An exact copy, so that a sanitizer sees every step beyond the end. */
    AUTO(auto_free) char *copy = malloc(rpm->len ? rpm->len : 1);
    memcpy(copy, rpm->bytes, rpm->len);
    if (!package_unpack(fixture->store, (struct text){copy, rpm->len}, &expect, err))
        return false;
    CHECK_OK(package_open(fixture->store, &expect, ret_package, &is_found, err), err);
    assert_true(is_found);
    return true;
}

static char entry_type(const struct entry *entry)
{
    return entry->kind == ENTRY_DIRECTORY ? 'd' : entry->kind == ENTRY_SYMLINK ? 'l' : '-';
}

/* Compares one line of rpm's own list with the package; false for a %ghost, which must not be there. */
static bool compare_line(const struct package *package, struct text line, bool has_sha256)
{
    struct text field[10];
    AUTO(arena_done) struct arena arena = {0};
    uint64_t flags, size, mtime;
    for (size_t i = 0; i < 10; i++)
        assert_true(text_next(&line, '|', &field[i]) || i == 9);
    const char *path = text_dup(&arena, field[0]);
    const struct entry *entry = package_find(package, path);
    assert_true(text_parse_u64(field[8], &flags) && text_parse_u64(field[4], &size) &&
                text_parse_u64(field[5], &mtime));
    if (flags & 64) {
        assert_null(entry);
        return false;
    }
    if (!entry)
        fail_msg("%s is not there", path);
    unsigned mode = (unsigned)strtoul(text_dup(&arena, field[1]), NULL, 8);
    const struct entry *content = entry->kind == ENTRY_HARDLINK ? package_find(package, entry->target) : entry;
    assert_int_equal(entry_type(entry), S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : '-');
    assert_int_equal(entry->mode, mode & 07777);
    assert_true(text_is(field[2], entry->owner));
    assert_true(text_is(field[3], entry->group));
    assert_int_equal(entry->mtime, mtime);
    assert_int_equal(entry->is_documentation, (flags & 2) != 0);
    if (S_ISREG(mode)) {
        struct digest digest = digest_of(content->data, content->size_bytes);
        assert_int_equal(content->size_bytes, size);
        assert_true(digest_eq(&digest, &content->digest));
        assert_true(!has_sha256 || text_is(field[6], digest_hex(&digest).chars));
        assert_int_equal(content->capability.len != 0, field[9].len != 0 && !text_is(field[9], "(none)"));
    } else if (S_ISLNK(mode)) {
        assert_true(text_is(field[7], entry->target));
    }
    return true;
}

static void compare_with_rpm(struct fixture *fixture, const char *name)
{
    AUTO(buf_done) struct buf rpm = read_file(fixture, arena_printf(&fixture->arena, "%s.rpm", name));
    AUTO(buf_done) struct buf list = read_file(fixture, arena_printf(&fixture->arena, "%s.list", name));
    AUTO(auto_package_close) struct package *package = NULL;
    struct err err = {0};
    struct text rest = {list.bytes, list.len}, line;
    size_t count = 0;
    CHECK_OK(take(fixture, &rpm, NULL, &package, &err), &err);
    while (text_next(&rest, '\n', &line)) {
        if (line.len)
            count += compare_line(package, line, strcmp(name, "md5") != 0 && strcmp(name, "sha512") != 0);
    }
    assert_int_equal(count, package->count);
    assert_int_equal(count, 12);
}

static void modes_owners_times_links_and_digests_equal_rpms_own_list_for_every_compression(void **state)
{
    static const char *const names[] = {"gzip", "xz", "zstd", "bzip2", "none", "sha512", "md5"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        compare_with_rpm(*state, names[i]);
}

/* rpm 6 makes format 6 unless told otherwise; the older ones know format 4 only. */
static void the_same_holds_for_every_format_that_this_rpm_makes(void **state)
{
    static const char *const names[] = {"format4", "format6"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (access(arena_printf(&fixture->arena, "%s/%s.rpm", fixture->dir, names[i]), F_OK) == 0)
            compare_with_rpm(fixture, names[i]);
    }
}

static void a_package_without_files_is_one(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf rpm = read_file(fixture, "empty.rpm");
    AUTO(auto_package_close) struct package *package = NULL;
    struct keyrings keys = load_keys(fixture, "rsa.gpg");
    struct err err = {0};
    CHECK_OK(take(fixture, &rpm, &keys, &package, &err), &err);
    assert_int_equal(package->count, 0);
}

static void what_the_header_says_of_the_package_is_kept(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf rpm = read_file(fixture, "zstd.rpm");
    AUTO(auto_package_close) struct package *package = NULL;
    struct err err = {0};
    CHECK_OK(take(fixture, &rpm, NULL, &package, &err), &err);
    assert_ptr_equal(package->format, &format_rpm);
    assert_string_equal(package->name, "made");
    assert_string_equal(package->version, "2:1.0-1");
    assert_string_equal(package->architecture, "aarch64");
    assert_string_equal(package_fact(package, RPM_EPOCH), "2");
    assert_string_equal(package_fact(package, RPM_VENDOR), "Kit");
    assert_string_equal(package_fact(package, RPM_LICENSE), "MIT");
    assert_string_equal(package_fact(package, RPM_SOURCE), "made-1.0-1.src.rpm");
    assert_int_equal(package->build_time, 1700000000);
    assert_int_equal(package->scripts.count, 2);
    assert_string_equal(package->scripts.items[1].name, "postin");
    assert_string_equal(package->scripts.items[1].text, "#!/bin/sh\nldconfig\nmkdir /var/cache/made");
    assert_string_equal(package_find(package, "/usr/bin/made")->interpreter, "/usr/bin/python3 -s");
    static const unsigned char caps[] = {1, 0, 0, 2, 0, 0x24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct text capability = package_find(package, "/usr/bin/ping")->capability;
    assert_int_equal(capability.len, sizeof caps);
    assert_memory_equal(capability.ptr, caps, sizeof caps);
}

static void a_package_that_is_not_the_one_of_the_index_is_refused(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf rpm = read_file(fixture, "small.rpm");
    struct package_expect expect = expect_of(&rpm, NULL);
    struct err err = {0};
    expect.version = "1.0-2";
    assert_false(package_unpack(fixture->store, (struct text){rpm.bytes, rpm.len}, &expect, &err));
    CHECK_ERR(&err, ERR_TRUST, "wrong package: its header says Version 1.0-1, the index says 1.0-2");
}

static void refuse(struct fixture *fixture, const char *name, const char *keys_name, const char *part)
{
    AUTO(buf_done) struct buf rpm = read_file(fixture, name);
    struct keyrings keys = load_keys(fixture, keys_name);
    struct package *package;
    struct err err = {0};
    assert_false(take(fixture, &rpm, &keys, &package, &err));
    CHECK_ERR(&err, ERR_TRUST, part);
}

static void a_signature_counts_only_with_its_own_key(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"rsa", "eddsa"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        AUTO(buf_done) struct buf rpm = read_file(fixture, arena_printf(&fixture->arena, "small-%s.rpm", names[i]));
        AUTO(auto_package_close) struct package *package = NULL;
        struct keyrings keys = load_keys(fixture, arena_printf(&fixture->arena, "%s.gpg", names[i]));
        struct err err = {0};
        CHECK_OK(take(fixture, &rpm, &keys, &package, &err), &err);
        refuse(fixture, arena_printf(&fixture->arena, "small-%s.rpm", names[i]), "other.gpg", "unknown key (");
    }
    refuse(fixture, "small.rpm", "rsa.gpg", "it is not signed");
}

static void what_was_unpacked_without_keys_is_not_taken_for_signed(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf rpm = read_file(fixture, "small.rpm");
    AUTO(auto_package_close) struct package *package = NULL;
    struct keyrings keys = load_keys(fixture, "rsa.gpg");
    struct package_expect expect = expect_of(&rpm, &keys);
    struct package *other;
    struct err err = {0};
    bool is_found = true;
    CHECK_OK(take(fixture, &rpm, NULL, &package, &err), &err);
    CHECK_OK(package_open(fixture->store, &expect, &other, &is_found, &err), &err);
    assert_false(is_found);
}

static uint32_t number_at(const struct buf *rpm, size_t at)
{
    uint32_t number;
    memcpy(&number, rpm->bytes + at, sizeof number);
    return be32toh(number);
}

/* Bytes of the header that begins at `at`. */
static size_t header_len(const struct buf *rpm, size_t at)
{
    return 16 + (size_t)16 * number_at(rpm, at + 8) + number_at(rpm, at + 12);
}

static const struct rpm_tag *find_tag(const struct rpm_header *header, uint32_t tag)
{
    for (size_t i = 0; i < header->count; i++) {
        if (header->tags[i].tag == tag)
            return &header->tags[i];
    }
    return NULL;
}

/* Rewrites the signature header to hold one tag only, with the signature that is there, without any digest: 268, or 278
 * in what rpm 6 makes. */
static void keep_signature_only(struct fixture *fixture, const struct buf *rpm, struct buf *ret)
{
    size_t len = header_len(rpm, 96), main_at = 96 + (len + 7) / 8 * 8;
    struct rpm_header signature;
    struct err err = {0};
    CHECK_OK(
        rpm_header_read(&fixture->arena, (struct text){rpm->bytes + 96, len}, RPM_HEADER_SIGNATURE, &signature, &err),
        &err);
    const struct rpm_tag *tag = find_tag(&signature, 268) ? find_tag(&signature, 268) : find_tag(&signature, 278);
    assert_non_null(tag);
    struct text bytes = tag->bytes;
    uint32_t index[] = {htobe32(tag->tag), htobe32(tag->type), 0, htobe32(tag->count)};
    uint32_t counts[] = {htobe32(1), htobe32((uint32_t)bytes.len)};
    static const char zeros[8];
    buf_init(ret, rpm->len);
    assert_true(buf_add(ret, rpm->bytes, 96 + 8) && buf_add(ret, counts, sizeof counts) &&
                buf_add(ret, index, sizeof index) && buf_add(ret, bytes.ptr, bytes.len) &&
                buf_add(ret, zeros, -(32 + bytes.len) % 8) && buf_add(ret, rpm->bytes + main_at, rpm->len - main_at));
}

/* With every digest of the signature header gone, only gpgv and the signed payload digest are left to notice. */
static void no_change_behind_the_signature_header_survives_the_signature(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf rpm = read_file(fixture, "small-rsa.rpm");
    AUTO(buf_done) struct buf bare;
    AUTO(auto_package_close) struct package *package = NULL;
    struct keyrings keys = load_keys(fixture, "rsa.gpg");
    struct err err = {0};
    keep_signature_only(fixture, &rpm, &bare);
    CHECK_OK(take(fixture, &bare, &keys, &package, &err), &err);
    size_t main_at = 96 + (header_len(&bare, 96) + 7) / 8 * 8;
    for (size_t at = main_at + 16; at < bare.len; at += 29) {
        struct package *changed;
        bare.bytes[at] ^= 4;
        if (take(fixture, &bare, &keys, &changed, &err))
            fail_msg("byte %zu was changed, and nobody noticed", at);
        assert_true(err.kind == ERR_TRUST || err.kind == ERR_MALFORMED);
        err_clear(&err);
        bare.bytes[at] ^= 4;
    }
}

static bool has_same_content(const struct package *a, const struct package *b)
{
    if (strcmp(a->name, b->name) != 0 || strcmp(a->version, b->version) != 0 || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct entry *left = &a->entries[i], *right = &b->entries[i];
        if (strcmp(left->path, right->path) != 0 || left->kind != right->kind || left->mode != right->mode ||
            left->size_bytes != right->size_bytes || !digest_eq(&left->digest, &right->digest) ||
            strcmp(left->owner, right->owner) != 0)
            return false;
    }
    return true;
}

static void a_change_of_any_byte_never_gives_other_content(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf rpm = read_file(fixture, "small.rpm");
    AUTO(auto_package_close) struct package *package = NULL;
    struct err err = {0};
    size_t refused = 0;
    CHECK_OK(take(fixture, &rpm, NULL, &package, &err), &err);
    for (size_t at = 0; at < rpm.len; at++) {
        AUTO(auto_package_close) struct package *changed = NULL;
        rpm.bytes[at] ^= (char)(1 << at % 8);
        if (!take(fixture, &rpm, NULL, &changed, &err))
            refused++;
        else if (!has_same_content(package, changed))
            fail_msg("byte %zu was changed, and the content with it", at);
        err_clear(&err);
        rpm.bytes[at] ^= (char)(1 << at % 8);
    }
    /* All but the lead and the reserved space of the signature header. */
    assert_true(refused > 1000);
}

static void a_package_that_ends_anywhere_too_early_is_refused(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf rpm = read_file(fixture, "small.rpm");
    size_t whole = rpm.len;
    for (rpm.len = 0; rpm.len < whole; rpm.len += 7) {
        struct package *package;
        struct err err = {0};
        assert_false(take(fixture, &rpm, NULL, &package, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "");
    }
}

/* One file of a package that is made byte by byte. */
struct made_file {
    const char *dir, *name;
    unsigned mode;
    const char *data; /* of a regular file, or the link's target */
    unsigned flags, inode;
};

/* Adds one tag to index and data, aligned as its type asks for. */
static void put_tag(struct buf *index, struct buf *data, uint32_t tag, uint32_t type, uint32_t count, struct text bytes)
{
    static const char zeros[8];
    size_t align = type == 3 ? 2 : type == 4 ? 4 : type == 5 ? 8 : 1;
    assert_true(buf_add(data, zeros, -data->len % align));
    uint32_t entry[] = {htobe32(tag), htobe32(type), htobe32((uint32_t)data->len), htobe32(count)};
    assert_true(buf_add(index, entry, sizeof entry) && buf_add(data, bytes.ptr, bytes.len));
}

static void put_header(struct buf *rpm, const struct buf *index, const struct buf *data)
{
    uint32_t counts[] = {htobe32((uint32_t)(index->len / 16)), htobe32((uint32_t)data->len)};
    assert_true(buf_add(rpm, "\x8e\xad\xe8\x01\0\0\0\0", 8) && buf_add(rpm, counts, sizeof counts) &&
                buf_add(rpm, index->bytes, index->len) && buf_add(rpm, data->bytes, data->len));
}

/* The arrays of the file list, each in the form that the header has. */
struct made_arrays {
    struct buf dirs, names, indexes, modes, sizes, times, digests, links, flags, users, devices, inodes;
};

static void add_number(struct buf *buf, uint32_t number)
{
    uint32_t stored = htobe32(number);
    assert_true(buf_add(buf, &stored, sizeof stored));
}

static void add_string(struct buf *buf, const char *string)
{
    assert_true(buf_add(buf, string, strlen(string) + 1));
}

static void add_made_file(struct made_arrays *arrays, const struct made_file *file, uint32_t number)
{
    bool is_file = S_ISREG(file->mode);
    struct digest digest = digest_of(file->data, strlen(file->data));
    uint16_t mode = htobe16((uint16_t)file->mode);
    assert_true(buf_add(&arrays->modes, &mode, sizeof mode));
    add_string(&arrays->dirs, file->dir);
    add_string(&arrays->names, file->name);
    add_number(&arrays->indexes, number);
    add_number(&arrays->sizes, (uint32_t)strlen(file->data));
    add_number(&arrays->times, 1);
    add_string(&arrays->digests, is_file ? digest_hex(&digest).chars : "");
    add_string(&arrays->links, S_ISLNK(file->mode) ? file->data : "");
    add_number(&arrays->flags, file->flags);
    add_string(&arrays->users, "root");
    add_number(&arrays->devices, 1);
    add_number(&arrays->inodes, file->inode ? file->inode : 1000 + number);
}

/* Makes a package of rpm 3's form (no region, no digests) around a payload, with its size as rpm 6 notes it. */
static void make_rpm(const struct made_file *files, uint32_t count, struct text payload, struct buf *ret)
{
    static char lead[96] = "\xed\xab\xee\xdb\3";
    struct made_arrays arrays;
    struct buf *all = &arrays.dirs, index, data, no_index, no_data;
    lead[79] = 5;
    for (size_t i = 0; i < sizeof arrays / sizeof *all; i++)
        buf_init(&all[i], 1 << 20);
    for (uint32_t i = 0; i < count; i++)
        add_made_file(&arrays, &files[i], i);
    buf_init(&index, 1 << 20);
    buf_init(&data, 1 << 20);
    buf_init(&no_index, 1 << 20);
    buf_init(&no_data, 1 << 20);
    buf_init(ret, 1 << 20);
    put_tag(&no_index, &no_data, 999, 7, 8, TEXT("reserved"));
    put_tag(&index, &data, 1000, 6, 1, TEXT("made\0"));
    put_tag(&index, &data, 1001, 6, 1, TEXT("1\0"));
    put_tag(&index, &data, 1002, 6, 1, TEXT("2\0"));
    put_tag(&index, &data, 1022, 6, 1, TEXT("noarch\0"));
    put_tag(&index, &data, 1125, 6, 1, TEXT("none\0"));
    put_tag(&index, &data, 5011, 4, 1, TEXT("\0\0\0\10"));
    uint64_t payload_len = htobe64(payload.len);
    put_tag(&index, &data, 5112, 5, 1, (struct text){(const char *)&payload_len, sizeof payload_len});
    const struct {
        uint32_t tag, type;
        const struct buf *bytes;
    } table[] = {{1028, 4, &arrays.sizes},   {1030, 3, &arrays.modes},   {1034, 4, &arrays.times},
                 {1035, 8, &arrays.digests}, {1036, 8, &arrays.links},   {1037, 4, &arrays.flags},
                 {1039, 8, &arrays.users},   {1040, 8, &arrays.users},   {1095, 4, &arrays.devices},
                 {1096, 4, &arrays.inodes},  {1116, 4, &arrays.indexes}, {1117, 8, &arrays.names},
                 {1118, 8, &arrays.dirs}};
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        put_tag(&index, &data, table[i].tag, table[i].type, count,
                (struct text){table[i].bytes->bytes, table[i].bytes->len});
    assert_true(buf_add(ret, lead, sizeof lead));
    put_header(ret, &no_index, &no_data);
    put_header(ret, &index, &data);
    assert_true(buf_add(ret, payload.ptr, payload.len));
    for (size_t i = 0; i < sizeof arrays / sizeof *all; i++)
        buf_done(&all[i]);
    buf_done(&index);
    buf_done(&data);
    buf_done(&no_index);
    buf_done(&no_data);
}

static void a_payload_of_another_size_than_the_header_says_is_malformed(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf rpm;
    struct package *package;
    struct err err = {0};
    const struct made_file file = {"/usr/", "a", S_IFREG | 0644, "x", 0, 0};
    make_rpm(&file, 1, TEXT("payload"), &rpm);
    for (rpm.len -= 7; rpm.bytes[rpm.len - 1] != 'd'; rpm.len++) {
        assert_false(take(fixture, &rpm, NULL, &package, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "bytes, its header says 7");
        err_clear(&err);
    }
}

/* A header of index entries and data, made to be wrong. */
struct made_tag {
    uint32_t tag, type, offset, count;
};

static bool read_made(const struct made_tag *tags, uint32_t count, struct text data, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf bytes;
    struct rpm_header header;
    uint32_t counts[] = {htobe32(count), htobe32((uint32_t)data.len)};
    buf_init(&bytes, 1 << 20);
    assert_true(buf_add(&bytes, "\x8e\xad\xe8\x01\0\0\0\0", 8) && buf_add(&bytes, counts, sizeof counts));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry[] = {htobe32(tags[i].tag), htobe32(tags[i].type), htobe32(tags[i].offset),
                            htobe32(tags[i].count)};
        assert_true(buf_add(&bytes, entry, sizeof entry));
    }
    assert_true(buf_add(&bytes, data.ptr, data.len));
    return rpm_header_read(&arena, (struct text){bytes.bytes, bytes.len}, RPM_HEADER_MAIN, &header, err);
}

static void headers_that_lie_are_refused(void **state)
{
    static const struct {
        struct made_tag tags[2];
        uint32_t count;
        const char *part;
    } table[] = {
        {{{1000, 6, 0, 1}, {1001, 6, 2, 1}}, 2, NULL},
        {{{1000, 6, 0, 1}, {1001, 6, 1, 1}}, 2, "overlaps"},
        {{{1000, 6, 0, 2}}, 1, "its count is wrong"},
        {{{1000, 6, 0, 0}}, 1, "its count is wrong"},
        {{{1000, 6, 17, 1}}, 1, "outside the data"},
        {{{1000, 6, 0xfffffff0, 1}}, 1, "outside the data"},
        {{{1000, 8, 0, 0xffffffff}}, 1, "a string without end"},
        {{{1000, 8, 0, 4}}, 1, "a string without end"},
        {{{1000, 4, 2, 1}}, 1, "not aligned"},
        {{{1000, 4, 8, 0x40000000}}, 1, "longer than the data"},
        {{{1000, 5, 8, 0x20000000}}, 1, "longer than the data"},
        {{{1000, 5, 8, 2}}, 1, "longer than the data"},
        {{{1000, 0, 0, 1}}, 1, "of unknown type"},
        {{{1000, 10, 0, 1}}, 1, "of unknown type"},
        {{{61, 7, 0, 16}}, 1, "a region where data should be"},
        {{{1000, 2, 0, 1}, {1000, 2, 1, 1}}, 2, "is there twice"},
        {{{63, 7, 0, 16}}, 1, "end mark is wrong"},
        {{{63, 7, 8, 16}}, 1, "ends outside the data"},
        {{{63, 7, 0x80000000, 16}}, 1, "ends outside the data"},
        {{{63, 6, 0, 1}}, 1, "not a region"},
    };
    static const char data[] = "a\0b\0c\0xxxxxxxxxx";
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct err err = {0};
        bool is_good = read_made(table[i].tags, table[i].count, TEXT(data), &err);
        if (is_good != !table[i].part)
            fail_msg("case %zu: %s", i, err.text);
        if (table[i].part)
            CHECK_ERR(&err, ERR_MALFORMED, table[i].part);
    }
}

static void what_lies_outside_the_signed_region_is_refused(void **state)
{
    /* The region's end mark says that it covers one entry (itself), or both. */
    char data[20] = {0, 0, 0, 63, 0, 0, 0, 7, (char)0xff, (char)0xff, (char)0xff, (char)0xf0, 0, 0, 0, 16};
    const struct made_tag tags[] = {{63, 7, 0, 16}, {1000, 6, 16, 1}};
    struct err err = {0};
    (void)state;
    assert_false(read_made(tags, 2, (struct text){data, 16}, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "outside the signed region");
    err_clear(&err);
    assert_false(read_made(tags, 1, (struct text){data, 20}, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "outside the signed region");
    err_clear(&err);
    CHECK_OK(read_made(tags, 1, (struct text){data, 16}, &err), &err);
    data[10] = (char)0xfe;
    assert_false(read_made(tags, 1, (struct text){data, 16}, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "covers more entries than there are");
}

static void counts_above_the_caps_are_refused_before_anything_is_allocated(void **state)
{
    size_t len;
    struct err err = {0};
    (void)state;
    assert_false(rpm_header_measure(TEXT("\x8e\xad\xe8\x01\0\0\0\0\0\1\0\0\0\0\0\0"), RPM_HEADER_MAIN, &len, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "65536 tags");
    err_clear(&err);
    assert_false(
        rpm_header_measure(TEXT("\x8e\xad\xe8\x01\0\0\0\0\0\0\0\1\xff\xff\xff\xff"), RPM_HEADER_MAIN, &len, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "4294967295 bytes");
    err_clear(&err);
    assert_false(rpm_header_measure(TEXT("\x8e\xad\xe8\x01\0\0\0\0\0\0\xff\xff\0\0\0\0"), RPM_HEADER_MAIN, &len, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "more tags or bytes than the file has");
}

static void capabilities_become_the_bytes_that_setcap_writes(void **state)
{
    static const struct {
        const char *text;
        uint32_t words[5];
    } good[] = {
        {"cap_net_raw=ep", {0x02000001, 0x2000, 0, 0, 0}},
        {"= cap_net_raw+ep", {0x02000001, 0x2000, 0, 0, 0}},
        {"cap_net_bind_service,cap_net_raw=eip", {0x02000001, 0x2400, 0x2400, 0, 0}},
        {"cap_net_raw=p", {0x02000000, 0x2000, 0, 0, 0}},
        {"cap_net_raw=ep cap_bpf=ep", {0x02000001, 0x2000, 0, 0x80, 0}},
        {"=ep cap_chown-ep", {0x02000001, 0xfffffffe, 0, 0x1ff, 0}},
        {"=", {0x02000000, 0, 0, 0, 0}},
        {"13=ip", {0x02000000, 0x2000, 0x2000, 0, 0}},
    };
    static const char *const bad[] = {"",
                                      "cap_net_raw",
                                      "cap_net=ep",
                                      "cap_net_raw=x",
                                      "+ep",
                                      "cap_chown=p cap_kill=ep",
                                      "64=p",
                                      "cap_net_raw,=p",
                                      "cap_chown=ep cap_kill=p"};
    char bytes[CAPABILITY_BYTES];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        uint32_t words[5];
        assert_true(capability_parse(text_of(good[i].text), bytes));
        memcpy(words, bytes, sizeof words);
        for (size_t j = 0; j < 5; j++)
            assert_int_equal(le32toh(words[j]), good[i].words[j]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(capability_parse(text_of(bad[i]), bytes));
}

static bool note_begin(void *user, struct rpm_cpio_entry *entry, struct err *err)
{
    (void)err;
    if (!entry->name)
        entry->size_bytes = 4;
    return buf_printf(user, "[%s %llu]", entry->name ? entry->name : "#", (unsigned long long)entry->size_bytes);
}

static bool note_bytes(void *user, struct text piece, struct err *err)
{
    (void)err;
    return buf_add(user, piece.ptr, piece.len);
}

static bool note_end(void *user, struct err *err)
{
    (void)err;
    return buf_add(user, ";", 1);
}

/* Reads a cpio stream in pieces of one size. */
static bool read_cpio(struct text stream, size_t piece, struct buf *notes, struct err *err)
{
    struct rpm_cpio cpio = {.calls = {note_begin, note_bytes, note_end, notes}};
    buf_init(notes, 1 << 20);
    while (stream.len) {
        size_t len = piece < stream.len ? piece : stream.len;
        if (!rpm_cpio_feed(&cpio, (struct text){stream.ptr, len}, err))
            return false;
        stream.ptr += len;
        stream.len -= len;
    }
    return rpm_cpio_finish(&cpio, err);
}

#define ZERO8 "00000000"
#define NEWC(magic, mode, size, namesize, check)                                                                       \
    magic ZERO8 mode ZERO8 ZERO8 ZERO8 ZERO8 size ZERO8 ZERO8 ZERO8 ZERO8 namesize check
#define TRAILER NEWC("070701", ZERO8, ZERO8, "0000000b", ZERO8) "TRAILER!!!\0\0\0\0"
#define ENTRY_X NEWC("070701", "000081a4", "00000003", "00000004", ZERO8) "./x\0\0\0abc\0"

static void cpio_is_read_the_same_in_pieces_of_any_size(void **state)
{
    static const struct text newc =
        TEXT(ENTRY_X NEWC("070702", "000081a4", "00000002", "00000002", "000000c3") "y\0ab\0\0" TRAILER);
    static const struct text stripped = TEXT("07070X00000001\0\0abcd07070X00000000\0\0efgh" TRAILER);
    (void)state;
    for (size_t piece = 1; piece < 300; piece++) {
        AUTO(buf_done) struct buf notes = {0};
        AUTO(buf_done) struct buf stripped_notes = {0};
        struct err err = {0};
        CHECK_OK(read_cpio(newc, piece, &notes, &err), &err);
        assert_string_equal(notes.bytes, "[./x 3]abc;[y 2]ab;");
        CHECK_OK(read_cpio(stripped, piece, &stripped_notes, &err), &err);
        assert_string_equal(stripped_notes.bytes, "[# 4]abcd;[# 4]efgh;");
    }
}

static void cpio_streams_that_are_not_exact_are_refused(void **state)
{
    static const struct {
        struct text stream;
        const char *part;
    } table[] = {
        {TEXT(""), "cut off"},
        {TEXT(ENTRY_X), "cut off"},
        {TEXT(TRAILER "x"), "only zeros"},
        {TEXT(TRAILER "\0\0\0\0"), NULL},
        {TEXT("070707" ENTRY_X), "no entry of format"},
        {TEXT(NEWC("070701", ZERO8, ZERO8, ZERO8, ZERO8)), "name of the entry before it is empty"},
        {TEXT(NEWC("070701", ZERO8, ZERO8, "ffffffff", ZERO8)), "longer than 4095"},
        {TEXT(NEWC("070701", ZERO8, "0000000g", "00000004", ZERO8) "./x\0"), "not hexadecimal"},
        {TEXT(NEWC("070701", ZERO8, ZERO8, "00000004", ZERO8) "./xy"), "does not end where"},
        {TEXT(NEWC("070701", ZERO8, ZERO8, "00000004", ZERO8) "./\0\0"), "does not end where"},
        {TEXT(NEWC("070701", "000081a4", "00000003", "00000004", ZERO8) "./x\0\0\0abcX"), "only zeros"},
        {TEXT(NEWC("070702", "000081a4", "00000003", "00000004", "00000001") "./x\0\0\0abc\0" TRAILER), "checksum"},
        {TEXT(ENTRY_X "07070X00000001\0\0abcd" TRAILER), "two formats"},
        {TEXT(NEWC("070701", ZERO8, "00000001", "0000000b", ZERO8) "TRAILER!!!\0\0\0\0"), "trailer has bytes"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO(buf_done) struct buf notes = {0};
        struct err err = {0};
        bool is_good = read_cpio(table[i].stream, 64, &notes, &err);
        if (is_good != !table[i].part)
            fail_msg("case %zu: %s", i, err.text);
        if (table[i].part)
            CHECK_ERR(&err, ERR_MALFORMED, table[i].part);
    }
}

#define FILE_ENTRY(name, namesize, size) NEWC("070701", "000081a4", size, namesize, ZERO8) name
#define X_BARE FILE_ENTRY("./x\0\0\0", "00000004", ZERO8)
#define Y_FULL FILE_ENTRY("./y\0\0\0", "00000004", "00000003") "abc\0"

static void payload_and_list_of_files_must_agree(void **state)
{
    static const struct made_file x = {"/", "x", 0100644, "abc", 0, 0}, y = {"/", "y", 0100644, "abc", 0, 0},
                                  x_linked = {"/", "x", 0100644, "abc", 0, 7},
                                  y_linked = {"/", "y", 0100644, "abc", 0, 7},
                                  ghost = {"/", "y", 0100644, "abc", 64, 0}, other = {"/", "x", 0100644, "abd", 0, 0},
                                  longer = {"/", "x", 0100644, "abcd", 0, 0}, link = {"/", "x", 0120777, "abc", 0, 0},
                                  up = {"/../", "x", 0100644, "abc", 0, 0}, near = {"usr/", "x", 0100644, "abc", 0, 0},
                                  device = {"/", "x", 0020644, "", 0, 0}, directory = {"/", "x", 0040755, "", 0, 0},
                                  slash = {"/", "a/x", 0100644, "abc", 0, 0},
                                  below = {"/x/", "z", 0100644, "abc", 0, 0},
                                  whiteout = {"/", ".wh.x", 0100644, "abc", 0, 0};
    const struct { /* not static: a constant struct is no constant expression before C23, and clang 14 insists */
        struct made_file files[2];
        uint32_t count;
        struct text payload;
        const char *part;
    } table[] = {
        {{x}, 1, TEXT(ENTRY_X TRAILER), NULL},
        {{x, ghost}, 2, TEXT(ENTRY_X TRAILER), NULL},
        {{x}, 1, TEXT("07070X00000000\0\0abc\0" TRAILER), NULL},
        {{x_linked, y_linked}, 2, TEXT(X_BARE Y_FULL TRAILER), NULL},
        {{x_linked, y_linked},
         2,
         TEXT("07070X00000000\0\0"
              "07070X00000001\0\0abc\0" TRAILER),
         NULL},
        {{x}, 1, TEXT("07070X00000001\0\0abc\0" TRAILER), "file number 1"},
        {{x}, 1, TEXT("07070Xffffffff\0\0abc\0" TRAILER), "file number 4294967295"},
        {{x}, 1, TEXT(TRAILER), "not in the payload"},
        {{x, y}, 2, TEXT(ENTRY_X TRAILER), "not in the payload"},
        {{x}, 1, TEXT(ENTRY_X Y_FULL TRAILER), "not in the header's list"},
        {{x}, 1, TEXT(ENTRY_X ENTRY_X TRAILER), "twice in the payload"},
        {{x, ghost}, 2, TEXT(ENTRY_X Y_FULL TRAILER), "a %ghost in the header"},
        {{x}, 1, TEXT(FILE_ENTRY("../x\0\0", "00000005", "00000003") "abc\0" TRAILER), "not in the header's list"},
        {{other}, 1, TEXT(ENTRY_X TRAILER), "another digest"},
        {{longer}, 1, TEXT(ENTRY_X TRAILER), "of another size"},
        {{link}, 1, TEXT(ENTRY_X TRAILER), "of another kind"},
        {{directory}, 1, TEXT(ENTRY_X TRAILER), "of another kind"},
        {{link},
         1,
         TEXT(NEWC("070701", "0000a1ff", "00000003", "00000004", ZERO8) "./x\0\0\0abd\0" TRAILER),
         "target differs"},
        {{up}, 1, TEXT(FILE_ENTRY("./../x\0\0\0\0", "00000007", "00000003") "abc\0" TRAILER), ".."},
        {{near}, 1, TEXT(ENTRY_X TRAILER), "not absolute"},
        {{slash}, 1, TEXT(ENTRY_X TRAILER), "not one"},
        {{device}, 1, TEXT(TRAILER), "may not ship"},
        {{x, x}, 2, TEXT(ENTRY_X TRAILER), "there twice"},
        {{x_linked, y_linked},
         2,
         TEXT(X_BARE FILE_ENTRY("./y\0\0\0", "00000004", ZERO8) TRAILER),
         "no name has the bytes"},
        {{x_linked, y_linked}, 2, TEXT(ENTRY_X Y_FULL TRAILER), "has them already"},
        {{x_linked, longer}, 1, TEXT(X_BARE TRAILER), "of another size"},
        {{x, below},
         2,
         TEXT(ENTRY_X FILE_ENTRY("./x/z\0", "00000006", "00000003") "abc\0" TRAILER),
         "below an entry that is not a directory"},
        {{whiteout}, 1, TEXT(FILE_ENTRY("./.wh.x\0\0\0", "00000008", "00000003") "abc\0" TRAILER), "removed file"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO(buf_done) struct buf rpm;
        AUTO(auto_package_close) struct package *package = NULL;
        struct err err = {0};
        make_rpm(table[i].files, table[i].count, table[i].payload, &rpm);
        bool is_good = take(*state, &rpm, NULL, &package, &err);
        if (is_good != !table[i].part)
            fail_msg("case %zu: %s", i, err.text);
        if (table[i].part && !strstr(err.text, table[i].part))
            fail_msg("case %zu: wanted \"%s\", got %s", i, table[i].part, err.text);
    }
}

static void signature_packets_are_taken_only_whole_and_alone(void **state)
{
    static const char version_4[] = "\x88\x1d\4\0\1\10\0\0\0\12\11\20\1\2\3\4\5\6\7\10xxxxxxxxxxx";
    struct rpm_signature_packet packet;
    (void)state;
    size_t len = sizeof version_4 - 1;
    assert_int_equal(len, 31);
    assert_true(rpm_signature_parse((struct text){version_4, len}, &packet));
    assert_int_equal(packet.key_algorithm, 1);
    assert_int_equal(packet.hash_algorithm, 8);
    assert_string_equal(packet.issuer, "0102030405060708");
    for (size_t i = 0; i < len; i++)
        assert_false(rpm_signature_parse((struct text){version_4, i}, &packet));
    assert_false(rpm_signature_parse(TEXT("\x88\2\4\0x"), &packet));
    assert_false(rpm_signature_parse(TEXT("\x8b\4\0"), &packet));
    assert_false(rpm_signature_parse(TEXT("\xb4\2\4\0"), &packet));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_owners_times_links_and_digests_equal_rpms_own_list_for_every_compression),
        cmocka_unit_test(the_same_holds_for_every_format_that_this_rpm_makes),
        cmocka_unit_test(a_package_without_files_is_one),
        cmocka_unit_test(what_the_header_says_of_the_package_is_kept),
        cmocka_unit_test(a_package_that_is_not_the_one_of_the_index_is_refused),
        cmocka_unit_test(a_signature_counts_only_with_its_own_key),
        cmocka_unit_test(what_was_unpacked_without_keys_is_not_taken_for_signed),
        cmocka_unit_test(no_change_behind_the_signature_header_survives_the_signature),
        cmocka_unit_test(a_change_of_any_byte_never_gives_other_content),
        cmocka_unit_test(a_package_that_ends_anywhere_too_early_is_refused),
        cmocka_unit_test(a_payload_of_another_size_than_the_header_says_is_malformed),
        cmocka_unit_test(headers_that_lie_are_refused),
        cmocka_unit_test(what_lies_outside_the_signed_region_is_refused),
        cmocka_unit_test(counts_above_the_caps_are_refused_before_anything_is_allocated),
        cmocka_unit_test(capabilities_become_the_bytes_that_setcap_writes),
        cmocka_unit_test(cpio_is_read_the_same_in_pieces_of_any_size),
        cmocka_unit_test(cpio_streams_that_are_not_exact_are_refused),
        cmocka_unit_test(payload_and_list_of_files_must_agree),
        cmocka_unit_test(signature_packets_are_taken_only_whole_and_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
