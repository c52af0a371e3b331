/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a table of contents is asked by tests/kit/chunked.py, which reads whole images; here are the parts. */
#include "check.h"

#include "base/auto.h"
#include "io/tree_remove.h"
#include "layer/chunk_attributes.h"
#include "layer/chunk_split.h"
#include "layer/chunk_table.h"
#include "layer/crc64.h"
#include "layer/cuts.h"
#include "layer/layer.h"
#include "layer/tar.h"

#include "noise.h"

#include <fcntl.h>
#include <zstd.h>

static void the_sum_is_that_of_gos_table_iso_however_the_bytes_come(void **state)
{
    (void)state;
    static struct crc64_table table;
    crc64_init(&table);
    assert_true(crc64_add(&table, 0, "123456789", 9) == 0xb90956c775a41001u);
    assert_true(crc64_add(&table, crc64_add(&table, 0, "12345", 5), "6789", 4) == 0xb90956c775a41001u);
    assert_true(crc64_add(&table, 0, "", 0) == 0);
}

static size_t cut(struct text file, size_t *ends, size_t most)
{
    static struct cuts_table table;
    size_t count = 0;
    cuts_init(&table);
    for (size_t at = 0; at < file.len; count++) {
        assert_true(count < most);
        at += cuts_next(&table, (struct text){file.ptr + at, file.len - at}, file.len);
        ends[count] = at;
    }
    return count;
}

static void a_big_file_is_cut_within_bounds_and_a_changed_one_mostly_alike(void **state)
{
    (void)state;
    static char bytes[8 << 20];
    size_t before[200], after[200], shared = 0;
    uint64_t noise = NOISE_SEED;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(noise_next(&noise) >> 24);
    size_t count = cut((struct text){bytes + 1, sizeof bytes - 1}, before, ARRAY_COUNT(before));
    assert_true(count > 10);
    for (size_t i = 0; i + 1 < count; i++) {
        size_t len = before[i] - (i ? before[i - 1] : 0);
        assert_true(len >= CUTS_LEAST_BYTES && len <= CUTS_MOST_BYTES);
    }
    bytes[4 << 20] ^= 1;
    size_t changed = cut((struct text){bytes, sizeof bytes}, after, ARRAY_COUNT(after)); /* one byte more in front */
    for (size_t i = 0; i < changed; i++) {
        for (size_t j = 0; j < count; j++)
            shared += after[i] == before[j] + 1;
    }
    assert_true(shared + 4 >= count);
}

static void a_small_file_and_one_of_equal_bytes(void **state)
{
    (void)state;
    static char bytes[3 << 20];
    size_t ends[200];
    assert_int_equal(cut((struct text){bytes, CUTS_WHOLE_BYTES - 1}, ends, ARRAY_COUNT(ends)), 1);
    assert_int_equal(cut((struct text){bytes, sizeof bytes}, ends, ARRAY_COUNT(ends)), 3);
}

static bool collect(void *sink, const void *bytes, size_t len, struct err *err)
{
    (void)err;
    return buf_add(sink, bytes, len);
}

/* Decompresses all frames, and passes over the others. */
static void unpack(const struct view *view, struct buf *plain)
{
    for (size_t at = 0; at < view->len;) {
        size_t len = ZSTD_findFrameCompressedSize(view->ptr + at, view->len - at);
        unsigned long long size = ZSTD_getFrameContentSize(view->ptr + at, view->len - at);
        assert_false(ZSTD_isError(len));
        assert_true(buf_reserve(plain, size));
        assert_int_equal(ZSTD_decompress(plain->bytes + plain->len, size, view->ptr + at, len), size);
        plain->len += size;
        at += len;
    }
}

static void a_name_that_is_no_utf_8_leaves_the_table_out_and_the_tar_as_it_is(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf tar, plain;
    AUTO(view_done) struct view view = {0};
    struct node nodes[] = {{.path = "/a", .kind = NODE_FILE, .mode = 0644, .size_bytes = 3, .data = "abc"},
                           {.path = "/b\xff", .kind = NODE_FILE, .mode = 0644, .size_bytes = 3, .data = "abc"}};
    struct tree tree = {.nodes = nodes, .count = 1};
    struct layer layer[2];
    struct err err = {0};
    struct store *store;
    bool is_found;
    const char *dir = check_temporary_dir();
    CHECK_OK(store_open(dir, NULL, &store, &err), &err);
    CHECK_OK(layer_build(store, &tree, LAYER_CHUNKED, &layer[0], &err), &err);
    assert_true(layer[0].toc.offset > 0 && layer[0].toc.split_offset > layer[0].toc.offset);
    tree.count = 2;
    CHECK_OK(layer_build(store, &tree, LAYER_CHUNKED, &layer[1], &err), &err);
    assert_int_equal(layer[1].toc.offset, 0);
    CHECK_OK(store_map_blob(store, &layer[1].digest, &view, &is_found, &err), &err);
    buf_init(&tar, SIZE_MAX);
    buf_init(&plain, SIZE_MAX);
    CHECK_OK(tar_write(&tree, &(struct tar_receiver){.write = collect, .sink = &tar}, &err), &err);
    unpack(&view, &plain);
    assert_int_equal(plain.len, tar.len);
    assert_memory_equal(plain.bytes, tar.bytes, tar.len);
    store_close(store);
    CHECK_OK(tree_remove(AT_FDCWD, dir, &err), &err);
}

/* Puts a list of so many numbers between two texts. */
static struct text with_numbers(struct buf *buf, const char *before, size_t count, const char *behind)
{
    buf_init(buf, SIZE_MAX);
    assert_true(buf_printf(buf, "%s[1", before));
    for (size_t i = 1; i < count; i++)
        assert_true(buf_add(buf, ",1", 2));
    assert_true(buf_printf(buf, "]%s", behind));
    return buf_text(buf);
}

static bool reads_table(struct text json)
{
    struct chunk_table table;
    const char *why;
    bool is_end = false, is_good = chunk_table_open(&table, json, &why);
    while (is_good && !is_end) {
        struct chunk_entry entry;
        is_good = chunk_table_next(&table, &entry, &is_end, &why);
        chunk_entry_done(&entry);
    }
    chunk_table_done(&table);
    return is_good;
}

static bool reads_split(struct text lines)
{
    struct chunk_split split;
    const char *why;
    chunk_split_begin(&split, lines);
    bool is_good = chunk_split_end(&split, &why);
    chunk_split_done(&split);
    return is_good;
}

static void a_part_that_would_take_far_more_memory_than_its_text_is_refused(void **state)
{
    static const struct {
        bool (*reads)(struct text text);
        const char *before, *behind;
    } parts[] = {{reads_table, "{\"version\":1,\"x\":", ",\"entries\":[]}"},
                 {reads_table, "{\"version\":1,\"entries\":[{\"x\":", "}]}"},
                 {reads_split, "{\"type\":2,\"payload\":\"\",\"position\":0,\"x\":", "}\n"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        AUTO(buf_done) struct buf some, many;
        assert_true(parts[i].reads(with_numbers(&some, parts[i].before, 400000, parts[i].behind)));
        assert_false(parts[i].reads(with_numbers(&many, parts[i].before, 600000, parts[i].behind)));
    }
    AUTO(arena_done) struct arena arena = {0};
    char *name = arena_alloc(&arena, 3000001);
    memset(name, ',', 3000000);
    name[3000000] = '\0'; /* within a string nothing is counted */
    assert_true(reads_table(text_of(arena_printf(&arena, "{\"version\":1,\"entries\":[{\"name\":\"%s\"}]}", name))));
}

/* Compares an entry of a table with a member that has such a pax header. */
static bool is_same_time(const char *records, const char *modified, const char *accessed)
{
    AUTO(buf_done) struct buf header;
    const struct tar_member written = {.type = TAR_TYPE_FILE, .name = "a", .link = "", .mode = 0644, .mtime = 7};
    const char *what;
    buf_init(&header, SIZE_MAX);
    assert_true(tar_header_add(&written, &header));
    const struct tar_entry member = {
        .path = "a", .kind = TAR_FILE, .mode = 0644, .mtime = 7, .header = header.bytes, .records = text_of(records)};
    const struct chunk_entry entry = {.type = "reg",
                                      .name = "a",
                                      .link = "",
                                      .mode = 0644,
                                      .modified = modified,
                                      .accessed = accessed,
                                      .changed = "",
                                      .digest = "",
                                      .chunk_digest = "",
                                      .chunk_type = ""};
    return chunk_attributes_same(&entry, &member, &what);
}

static void times_are_those_that_go_reads_in_a_header(void **state)
{
    (void)state;
    assert_true(is_same_time("", "1970-01-01T00:00:07Z", ""));
    assert_false(is_same_time("", "1970-01-01T00:00:08Z", ""));
    assert_true(is_same_time("15 mtime=-1.25\n", "1969-12-31T23:59:58.75Z", ""));
    assert_true(is_same_time("11 atime=9\n", "1970-01-01T00:00:07Z", "1970-01-01T00:00:09Z"));
    assert_true(is_same_time("9 atime=\n", "1970-01-01T00:00:07Z", "")); /* an empty one is none */
    assert_true(is_same_time("11 atime=9\n9 atime=\n", "1970-01-01T00:00:07Z", ""));
    assert_false(is_same_time("9 atime=\n", "1970-01-01T00:00:07Z", "1970-01-01T00:00:00Z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_that_of_gos_table_iso_however_the_bytes_come),
        cmocka_unit_test(a_big_file_is_cut_within_bounds_and_a_changed_one_mostly_alike),
        cmocka_unit_test(a_small_file_and_one_of_equal_bytes),
        cmocka_unit_test(a_name_that_is_no_utf_8_leaves_the_table_out_and_the_tar_as_it_is),
        cmocka_unit_test(times_are_those_that_go_reads_in_a_header),
        cmocka_unit_test(a_part_that_would_take_far_more_memory_than_its_text_is_refused),
    };
    return cmocka_run_group_tests_name("chunked", tests, NULL, NULL);
}
