/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "layer/tar.h"
#include "layer/tar_header.h"

#include <archive.h>
#include <archive_entry.h>

static bool collect(void *sink, const void *bytes, size_t len, struct err *err)
{
    (void)err;
    assert_true(buf_add(sink, bytes, len));
    return true;
}

/* Writes the tree to who takes files like all else. */
static bool write_to(const struct tree *tree, tar_sink *write, void *sink, struct err *err)
{
    return tar_write(tree, &(struct tar_receiver){.write = write, .sink = sink}, err);
}

/* Writes the tree and checks that tar_size() foretold its length. */
static struct buf tar_of(const struct tree *tree)
{
    struct err err = {0};
    struct buf tar;
    uint64_t size_bytes = 0;
    buf_init(&tar, (size_t)64 << 20);
    CHECK_OK(write_to(tree, collect, &tar, &err), &err);
    CHECK_OK(tar_size(tree, &size_bytes, &err), &err);
    assert_int_equal(size_bytes, tar.len);
    assert_int_equal(tar.len % TAR_BLOCK_BYTES, 0);
    return tar;
}

static struct node a_file(const char *path, const char *data)
{
    return (struct node){
        .path = path, .kind = NODE_FILE, .mode = 0644, .mtime = 1700000000, .size_bytes = strlen(data), .data = data};
}

static struct node a_hardlink(const char *path, const char *target)
{
    return (struct node){.path = path, .kind = NODE_HARDLINK, .target = target};
}

static void expect_failure(struct node *nodes, size_t count, enum err_kind kind, const char *part)
{
    AUTO(buf_done) struct buf tar;
    struct err err = {0};
    buf_init(&tar, (size_t)1 << 20);
    assert_false(write_to(&(struct tree){.nodes = nodes, .count = count}, collect, &tar, &err));
    CHECK_ERR(&err, kind, part);
}

/* What another reader (libarchive) sees of one member. */
struct seen {
    char path[5000], link[5000];
    int64_t uid, gid, mtime, size;
    unsigned mode, type;
};

static void close_archive(struct archive **archive)
{
    (void)archive_read_free(*archive);
}

static size_t read_back(const struct buf *tar, struct seen *seen, size_t max)
{
    AUTO(close_archive) struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    size_t count = 0;
    assert_int_equal(archive_read_support_format_tar(archive), ARCHIVE_OK);
    assert_int_equal(archive_read_open_memory(archive, tar->bytes, tar->len), ARCHIVE_OK);
    for (int got; (got = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF; count++) {
        assert_true(got == ARCHIVE_OK || got == ARCHIVE_WARN);
        assert_true(count < max);
        const char *path = archive_entry_pathname_utf8(entry), *link = archive_entry_hardlink(entry);
        path = path ? path : archive_entry_pathname(entry);
        link = link ? link : archive_entry_symlink(entry);
        seen[count] = (struct seen){.uid = archive_entry_uid(entry),
                                    .gid = archive_entry_gid(entry),
                                    .mtime = archive_entry_mtime(entry),
                                    .size = archive_entry_size(entry),
                                    .mode = archive_entry_perm(entry),
                                    .type = archive_entry_hardlink(entry) ? 1 : archive_entry_filetype(entry)};
        (void)snprintf(seen[count].path, sizeof seen[count].path, "%s", path ? path : "?");
        (void)snprintf(seen[count].link, sizeof seen[count].link, "%s", link ? link : "");
    }
    return count;
}

static void an_empty_tree_is_two_zero_blocks(void **state)
{
    (void)state;
    static const char zeros[1024];
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){0});
    assert_int_equal(tar.len, sizeof zeros);
    assert_memory_equal(tar.bytes, zeros, sizeof zeros);
}

static void plain_members_are_bare_ustar_with_numeric_owners(void **state)
{
    (void)state;
    struct node nodes[] = {
        {.path = "/etc", .kind = NODE_DIRECTORY, .mode = 0755, .uid = 1, .gid = 2, .mtime = 3},
        {.path = "/etc/a", .kind = NODE_FILE, .mode = 04711, .uid = 7, .gid = 8, .size_bytes = 5, .data = "hello"},
        {.path = "/etc/l", .kind = NODE_SYMLINK, .mode = 0777, .target = "../x"},
    };
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = nodes, .count = 3});
    assert_int_equal(tar.len, 512 + 1024 + 512 + 1024);
    const char *directory = tar.bytes, *file = tar.bytes + 512, *link = tar.bytes + 512 + 1024;
    assert_string_equal(directory, "etc/");
    assert_int_equal(directory[156], '5');
    assert_memory_equal(directory + 100, "0000755\0000000001\0000000002\00000000000000\00000000000003\0", 48);
    assert_memory_equal(directory + 257, "ustar\00000", 8);
    assert_int_equal(directory[265], 0); /* uname */
    assert_int_equal(directory[297], 0); /* gname */
    assert_string_equal(file, "etc/a");
    assert_int_equal(file[156], '0');
    assert_string_equal(file + 100, "0004711");
    assert_string_equal(file + 124, "00000000005");
    assert_memory_equal(file + 512, "hello\0\0\0", 8);
    assert_string_equal(link, "etc/l");
    assert_int_equal(link[156], '2');
    assert_string_equal(link + 157, "../x");
    struct seen seen[3];
    assert_int_equal(read_back(&tar, seen, 3), 3);
    assert_int_equal(seen[1].mode, 04711);
    assert_int_equal(seen[1].uid, 7);
    assert_int_equal(seen[1].gid, 8);
}

static char *repeat(struct arena *arena, const char *part, size_t count)
{
    char *result = arena_alloc(arena, strlen(part) * count + 1);
    for (size_t i = 0; i < count; i++)
        strcat(result, part);
    return result;
}

static bool has_pax(const struct buf *tar)
{
    return tar->bytes[156] == 'x';
}

static void expect_path(const char *path, enum node_kind kind, bool with_pax)
{
    struct node node = {.path = path, .kind = kind, .mode = 0755, .data = "", .mtime = 1};
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = &node, .count = 1});
    AUTO(arena_done) struct arena arena = {0};
    struct seen seen;
    assert_int_equal(has_pax(&tar), with_pax);
    assert_int_equal(read_back(&tar, &seen, 1), 1);
    assert_string_equal(seen.path, arena_printf(&arena, "%s%s", path + 1, kind == NODE_DIRECTORY ? "/" : ""));
}

static void names_are_split_where_ustar_allows_and_go_to_pax_elsewhere(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    const char *long100 = repeat(&arena, "x", 100), *long155 = repeat(&arena, "p", 155);
    expect_path(arena_printf(&arena, "/%s", long100), NODE_FILE, false);
    expect_path(arena_printf(&arena, "/%sx", long100), NODE_FILE, true);
    expect_path(arena_printf(&arena, "/%s", long100), NODE_DIRECTORY, true);
    expect_path(arena_printf(&arena, "/%.99s", long100), NODE_DIRECTORY, false);
    expect_path(arena_printf(&arena, "/%s/%s", long155, long100), NODE_FILE, false);
    expect_path(arena_printf(&arena, "/%sp/%s", long155, long100), NODE_FILE, true);
    expect_path(arena_printf(&arena, "/%s/%sx", long155, long100), NODE_FILE, true);
    expect_path(arena_printf(&arena, "/%s/%.99s", long155, long100), NODE_DIRECTORY, false);
    expect_path(arena_printf(&arena, "/a%s", repeat(&arena, "/bc", 84)), NODE_FILE, false);
    expect_path(arena_printf(&arena, "/a%s", repeat(&arena, "/bc", 1300)), NODE_FILE, true);
}

static void pax_records_count_their_own_length(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    /* Around 99, 999 bytes the length gains a digit by counting itself. */
    for (size_t len = 70; len < 110; len++)
        expect_path(arena_printf(&arena, "/\xC3\xA9%s", repeat(&arena, "n", len)), NODE_FILE, true);
    for (size_t len = 970; len < 1000; len++)
        expect_path(arena_printf(&arena, "/\xC3\xA9%s", repeat(&arena, "n", len)), NODE_FILE, true);
}

static void names_beyond_ascii_are_written_as_utf8_or_said_to_be_binary(void **state)
{
    (void)state;
    struct node utf8 = a_file("/caf\xC3\xA9", "");
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = &utf8, .count = 1});
    assert_string_equal(tar.bytes, "PaxHeaders/caf\xC3\xA9");
    assert_string_equal(tar.bytes + 100, "0000644");
    assert_string_equal(tar.bytes + 136, "14524770400"); /* the member's own time */
    assert_string_equal(tar.bytes + 512, "14 path=caf\xC3\xA9\n");
    static const char *const others[] = {"/caf\xE9",      "/\xC0\xAF",         "/\xED\xA0\x80", "/\xF4\x90\x80\x80",
                                         "/\xE0\x80\x80", "/\xF5\x80\x80\x80", "/\xC3",         "/x\x80"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        struct node node = a_file(others[i], "");
        AUTO(buf_done) struct buf binary = tar_of(&(struct tree){.nodes = &node, .count = 1});
        assert_memory_equal(binary.bytes + 512, "21 hdrcharset=BINARY\n", 21);
        assert_non_null(strstr(binary.bytes + 512 + 21, others[i] + 1));
    }
}

static void links_above_a_hundred_bytes_go_to_pax(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    for (size_t len = 99; len < 103; len++) {
        struct node node = {.path = "/l", .kind = NODE_SYMLINK, .mode = 0777, .target = repeat(&arena, "t", len)};
        AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = &node, .count = 1});
        struct seen seen;
        assert_int_equal(has_pax(&tar), len > 100);
        assert_int_equal(read_back(&tar, &seen, 1), 1);
        assert_string_equal(seen.link, node.target);
    }
}

static void numbers_that_ustar_cannot_hold_go_to_pax(void **state)
{
    (void)state;
    struct node nodes[] = {
        {.path = "/a", .kind = NODE_FILE, .data = "", .uid = 2097151, .gid = 2097151, .mtime = 8589934591},
        {.path = "/b", .kind = NODE_FILE, .data = "", .uid = 2097152, .gid = UINT32_MAX, .mtime = -1},
        {.path = "/c", .kind = NODE_FILE, .data = "", .mtime = 8589934592},
    };
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = nodes, .count = 3});
    struct seen seen[3];
    assert_false(has_pax(&tar));
    assert_int_equal(tar.bytes[512 + 156], 'x');
    assert_int_equal(read_back(&tar, seen, 3), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(seen[i].uid, nodes[i].uid);
        assert_int_equal(seen[i].gid, nodes[i].gid);
        assert_int_equal(seen[i].mtime, nodes[i].mtime);
    }
}

static void sizes_of_eight_gib_and_more_go_to_pax(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf headers;
    buf_init(&headers, 65536);
    struct tar_member member = {.type = TAR_TYPE_FILE, .name = "big", .link = "", .size_bytes = 077777777777};
    assert_true(tar_header_add(&member, &headers));
    assert_int_equal(headers.len, 512);
    member.size_bytes++;
    headers.len = 0;
    assert_true(tar_header_add(&member, &headers));
    assert_int_equal(headers.len, 1536);
    assert_string_equal(headers.bytes + 512, "19 size=8589934592\n");
    struct node nodes[] = {{.path = "/a", .kind = NODE_FILE, .size_bytes = UINT64_MAX - 5},
                           {.path = "/b", .kind = NODE_FILE, .size_bytes = UINT64_MAX - 5}};
    struct err err = {0};
    uint64_t size_bytes;
    assert_false(tar_size(&(struct tree){.nodes = nodes, .count = 2}, &size_bytes, &err));
    CHECK_ERR(&err, ERR_INTERNAL, "2^64");
}

/* The value has zeros and a newline in it, which the record's length must cover. */
static void a_files_capability_goes_to_pax_as_the_attributes_bytes(void **state)
{
    static const char capability[20] = {1, 0, 0, 2, 0, 0x24, 0, 0, '\n', 0};
    (void)state;
    struct node nodes[] = {a_file("/ping", "x"), a_file("/plain", "y"), a_hardlink("/zing", "/ping")};
    nodes[0].capability = (struct text){capability, sizeof capability};
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = nodes, .count = 3});
    AUTO(close_archive) struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    size_t with_capability = 0, count = 0;
    assert_int_equal(archive_read_support_format_tar(archive), ARCHIVE_OK);
    assert_int_equal(archive_read_open_memory(archive, tar.bytes, tar.len), ARCHIVE_OK);
    for (; archive_read_next_header(archive, &entry) == ARCHIVE_OK; count++) {
        const char *name;
        const void *value;
        size_t len;
        (void)archive_entry_xattr_reset(entry);
        if (archive_entry_xattr_next(entry, &name, &value, &len) != ARCHIVE_OK)
            continue;
        with_capability++;
        assert_string_equal(archive_entry_pathname(entry), "ping");
        assert_string_equal(name, "security.capability");
        assert_int_equal(len, sizeof capability);
        assert_memory_equal(value, capability, len);
    }
    assert_int_equal(count, 3);
    assert_int_equal(with_capability, 1);
}

static void the_first_name_of_a_file_has_its_bytes_whichever_is_the_link(void **state)
{
    (void)state;
    struct node nodes[] = {a_hardlink("/a", "/m"), a_file("/m", "bytes"), a_hardlink("/z", "/m"),
                           a_file("/zz", "other"), a_hardlink("/zzz", "/zz")};
    nodes[1].uid = 5;
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = nodes, .count = 5});
    struct seen seen[5];
    assert_int_equal(read_back(&tar, seen, 5), 5);
    assert_string_equal(seen[0].path, "a");
    assert_int_equal(seen[0].size, 5);
    assert_int_equal(seen[0].uid, 5);
    assert_memory_equal(tar.bytes + 512, "bytes", 5);
    static const struct {
        const char *path, *link;
    } expected[] = {{"a", ""}, {"m", "a"}, {"z", "a"}, {"zz", ""}, {"zzz", "zz"}};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(seen[i].path, expected[i].path);
        assert_string_equal(seen[i].link, expected[i].link);
    }
    assert_string_equal(tar.bytes + 1024 + 124, "00000000000"); /* a link has no size */
}

static void a_tree_that_is_none_is_refused(void **state)
{
    (void)state;
    struct node lost[] = {a_hardlink("/a", "/nowhere")};
    expect_failure(lost, 1, ERR_INTERNAL, "/nowhere");
    struct node chain[] = {a_hardlink("/a", "/b"), a_hardlink("/b", "/c"), a_file("/c", "")};
    expect_failure(chain, 3, ERR_INTERNAL, "/b");
    struct node twice[] = {a_file("/a", ""), a_file("/a", "")};
    expect_failure(twice, 2, ERR_INTERNAL, "/a twice");
    struct node relative[] = {a_file("a", "")};
    expect_failure(relative, 1, ERR_INTERNAL, "\"a\"");
    struct node root[] = {a_file("/", "")};
    expect_failure(root, 1, ERR_INTERNAL, "\"/\"");
}

static void a_whiteout_name_is_refused(void **state)
{
    (void)state;
    struct node nodes[] = {a_file("/etc/.wh.passwd", "")};
    expect_failure(nodes, 1, ERR_MALFORMED, "/etc/.wh.passwd");
    struct node fine[] = {a_file("/etc/x.wh.y", ""), a_file("/etc/.whx", "")};
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = fine, .count = 2});
    assert_int_equal(tar.len, 2048);
}

static void a_damaged_cached_file_is_refused_by_name_and_package(void **state)
{
    (void)state;
    char *big = calloc(1, 700000);
    struct digest digest = digest_of(big, 700000);
    struct package package = {.name = "dhcpd-pkg"};
    struct node node = {.path = "/usr/sbin/dhcpd",
                        .kind = NODE_FILE,
                        .size_bytes = 700000,
                        .data = big,
                        .digest = &digest,
                        .package = &package};
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = &node, .count = 1});
    assert_memory_equal(tar.bytes + 512, big, 700000);
    big[699999] = 1;
    expect_failure(&node, 1, ERR_TRUST, "cached copy of /usr/sbin/dhcpd (package dhcpd-pkg) is damaged");
    node.size_bytes = 0;
    expect_failure(&node, 1, ERR_TRUST, "/usr/sbin/dhcpd");
    free(big);
}

static bool refuse_second(void *sink, const void *bytes, size_t len, struct err *err)
{
    (void)bytes;
    (void)len;
    if (++*(int *)sink < 2)
        return true;
    err_set(err, ERR_LOCAL, "disk full");
    return false;
}

static void a_failing_sink_ends_the_stream_with_its_own_error(void **state)
{
    (void)state;
    char *big = calloc(1, 1 << 20);
    struct node node = {.path = "/a", .kind = NODE_FILE, .size_bytes = 1 << 20, .data = big};
    struct err err = {0};
    int calls = 0;
    assert_false(write_to(&(struct tree){.nodes = &node, .count = 1}, refuse_second, &calls, &err));
    CHECK_ERR(&err, ERR_LOCAL, "disk full");
    assert_int_equal(calls, 2);
    free(big);
}

static bool count_calls(void *sink, const void *bytes, size_t len, struct err *err)
{
    (void)bytes;
    (void)len;
    (void)err;
    ++*(size_t *)sink;
    return true;
}

static void small_members_reach_the_sink_in_large_pieces(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct tree tree = {.nodes = arena_new_array(&arena, struct node, 3000), .count = 3000};
    for (size_t i = 0; i < tree.count; i++)
        tree.nodes[i] = a_file(arena_printf(&arena, "/f%05zu", i), "some bytes");
    struct err err = {0};
    size_t calls = 0;
    CHECK_OK(write_to(&tree, count_calls, &calls, &err), &err);
    CHECK_RANGE(calls, 1, 3000 * 1024 / 65536 + 1);
}

static void the_same_tree_gives_these_bytes_for_ever(void **state)
{
    (void)state;
    struct node nodes[] = {
        {.path = "/etc", .kind = NODE_DIRECTORY, .mode = 0755, .mtime = 1700000000},
        {.path = "/etc/\xC3\xBC", .kind = NODE_FILE, .mode = 0640, .uid = 3000000, .size_bytes = 3, .data = "abc"},
        {.path = "/lib", .kind = NODE_SYMLINK, .mode = 0777, .mtime = -5, .target = "usr/lib"},
    };
    AUTO(buf_done) struct buf tar = tar_of(&(struct tree){.nodes = nodes, .count = 3});
    struct digest digest = digest_of(tar.bytes, tar.len);
    assert_string_equal(digest_hex(&digest).chars, "2b0c96635d6db67fee2cfcce4a68a8cf512dd2ff4c558f829bcdfeac117d96c1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_tree_is_two_zero_blocks),
        cmocka_unit_test(plain_members_are_bare_ustar_with_numeric_owners),
        cmocka_unit_test(names_are_split_where_ustar_allows_and_go_to_pax_elsewhere),
        cmocka_unit_test(pax_records_count_their_own_length),
        cmocka_unit_test(names_beyond_ascii_are_written_as_utf8_or_said_to_be_binary),
        cmocka_unit_test(links_above_a_hundred_bytes_go_to_pax),
        cmocka_unit_test(numbers_that_ustar_cannot_hold_go_to_pax),
        cmocka_unit_test(sizes_of_eight_gib_and_more_go_to_pax),
        cmocka_unit_test(a_files_capability_goes_to_pax_as_the_attributes_bytes),
        cmocka_unit_test(the_first_name_of_a_file_has_its_bytes_whichever_is_the_link),
        cmocka_unit_test(a_tree_that_is_none_is_refused),
        cmocka_unit_test(a_whiteout_name_is_refused),
        cmocka_unit_test(a_damaged_cached_file_is_refused_by_name_and_package),
        cmocka_unit_test(a_failing_sink_ends_the_stream_with_its_own_error),
        cmocka_unit_test(small_members_reach_the_sink_in_large_pieces),
        cmocka_unit_test(the_same_tree_gives_these_bytes_for_ever),
    };
    return cmocka_run_group_tests_name("tar", tests, NULL, NULL);
}
