/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "proof/root_layers.h"

#include <archive.h>
#include <archive_entry.h>

#include "deb_maker.h"

#define LAYER_BYTES ((size_t)8 << 20)

struct fixture {
    struct arena arena;
    struct root_layers layers;
    struct archive *writer;
    char *bytes;
    size_t used;
    struct root_budget budget;
    struct digest diff_id;
    struct err err;
};

static void fixture_done(struct fixture *fixture)
{
    root_layers_done(&fixture->layers);
    arena_done(&fixture->arena);
}

static void begin_layer(struct fixture *fixture)
{
    fixture->budget = root_budget_of_call();
    fixture->layers =
        (struct root_layers){.arena = &fixture->arena, .items.arena = &fixture->arena, .budget = &fixture->budget};
    fixture->bytes = arena_alloc(&fixture->arena, LAYER_BYTES);
    fixture->writer = archive_write_new();
    archive_write_set_format_pax_restricted(fixture->writer);
    assert_int_equal(archive_write_open_memory(fixture->writer, fixture->bytes, LAYER_BYTES, &fixture->used),
                     ARCHIVE_OK);
}

/* An entry: a symlink when there is a target, else a directory. */
static void put(struct fixture *fixture, const char *path, const char *target)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, target ? AE_IFLNK : AE_IFDIR);
    archive_entry_set_perm(entry, 0755);
    archive_entry_set_size(entry, 0);
    if (target)
        archive_entry_set_symlink(entry, target);
    assert_int_equal(archive_write_header(fixture->writer, entry), ARCHIVE_OK);
    archive_entry_free(entry);
}

static bool end_layer(struct fixture *fixture)
{
    assert_int_equal(archive_write_close(fixture->writer), ARCHIVE_OK);
    archive_write_free(fixture->writer);
    return root_layers_add(&fixture->layers, (struct text){fixture->bytes, fixture->used}, "layer", &fixture->diff_id,
                           &fixture->err);
}

/* A layer whose entries "a/x" each go 800 times through a symlink before they are in the root. */
static void put_detours(struct fixture *fixture, size_t count)
{
    char detour[4001];
    for (size_t i = 0; i < 800; i++)
        memcpy(detour + i * 5, "b/../", 5);
    detour[4000] = '\0';
    begin_layer(fixture);
    put(fixture, "d", NULL);
    put(fixture, "b", "d");
    put(fixture, "a", detour);
    for (size_t i = 0; i < count; i++)
        put(fixture, "a/x", NULL);
}

static void test_an_entry_below_a_symlink_is_where_that_leads(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture = {0};
    struct tree tree;
    put_detours(&fixture, 1);
    CHECK_OK(end_layer(&fixture), &fixture.err);
    CHECK_OK(root_layers_tree(&fixture.layers, &tree, &fixture.err), &fixture.err);
    assert_int_equal(tree.count, 4);
    assert_string_equal(tree.nodes[3].path, "/x");
}

static void test_entries_through_symlinks_cost_no_memory_that_stays(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture = {0};
    put_detours(&fixture, 100);
    size_t before = fixture.arena.used_bytes;
    CHECK_OK(end_layer(&fixture), &fixture.err);
    assert_true(fixture.arena.used_bytes - before < (size_t)1 << 20);
}

static void test_entries_may_not_lead_through_symlinks_without_end(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture = {0};
    put_detours(&fixture, 1000);
    assert_false(end_layer(&fixture));
    CHECK_ERR(&fixture.err, ERR_MALFORMED, "more symlinks than an image may have");
}

/* Adds these items as one layer, compressed as the ending says; with the end mark unless `tail` replaces it. */
static bool add_layer(struct fixture *fixture, const char *ending, const struct tar_item *items, size_t count,
                      const char *tail)
{
    AUTO(buf_done) struct buf tar;
    struct buf packed;
    buf_init(&tar, MAKER_CAP_BYTES);
    for (size_t i = 0; i < count; i++)
        tar_put(&tar, items[i]);
    if (tail)
        maker_add(&tar, tail, strlen(tail));
    else
        tar_end(&tar);
    compress_as(ending, &tar, &packed);
    struct text bytes = {arena_strndup(&fixture->arena, packed.bytes ? packed.bytes : "", packed.len), packed.len};
    buf_done(&packed);
    fixture->budget = root_budget_of_call();
    fixture->layers.arena = fixture->layers.items.arena = &fixture->arena;
    fixture->layers.budget = &fixture->budget;
    return root_layers_add(&fixture->layers, bytes, "layer", &fixture->diff_id, &fixture->err);
}

static void test_layers_without_entries_are_no_error(void **state)
{
    (void)state;
    for (const char *const *ending = (const char *const[]){"", ".gz", ".zst", NULL}; *ending; ending++) {
        AUTO(fixture_done) struct fixture fixture = {0};
        CHECK_OK(add_layer(&fixture, *ending, NULL, 0, NULL), &fixture.err);
        CHECK_OK(add_layer(&fixture, *ending, NULL, 0, ""), &fixture.err);
    }
}

static void test_a_layer_that_readers_could_read_in_two_ways_is_refused(void **state)
{
    (void)state;
    const struct tar_item file = {.name = "a", .type = '0', .data = "x"};
    const struct {
        const char *what, *tail;
        struct tar_item items[2];
    } cases[] = {{"empty long name", NULL, {{.name = "l", .type = 'L'}, file}},
                 {"without an entry", NULL, {file, {.name = "l", .type = 'L', .data = "b"}}},
                 {"sparse", NULL, {file, {.name = "s", .type = 'S'}}},
                 {"type is unknown", NULL, {file, {.name = "d", .type = 'D', .data = "Yfile"}}},
                 {"not a file", NULL, {file, {.name = "h", .type = '1', .link = "a", .data = "x"}}},
                 {"cut off", "", {file, {.name = "b", .type = '0', .size_field = "00000001000"}}}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (const char *const *ending = (const char *const[]){"", ".gz", ".zst", NULL}; *ending; ending++) {
            AUTO(fixture_done) struct fixture fixture = {0};
            assert_false(add_layer(&fixture, *ending, cases[i].items, 2, cases[i].tail));
            CHECK_ERR(&fixture.err, ERR_MALFORMED, cases[i].what);
            assert_non_null(strstr(fixture.err.text, "layer: "));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_entry_below_a_symlink_is_where_that_leads),
        cmocka_unit_test(test_entries_through_symlinks_cost_no_memory_that_stays),
        cmocka_unit_test(test_entries_may_not_lead_through_symlinks_without_end),
        cmocka_unit_test(test_layers_without_entries_are_no_error),
        cmocka_unit_test(test_a_layer_that_readers_could_read_in_two_ways_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
