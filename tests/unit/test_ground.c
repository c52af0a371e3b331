/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of bases: their layers merged into one file system, walked without a way out, and what is refused. */
#include "check.h"

#include "base/auto.h"
#include "ground/ground_layers.h"
#include "ground/ground_merge.h"

#include "deb_maker.h"

struct fixture {
    struct store *store;
    const char *dir;
    struct arena arena;
    struct base_layers layers;
    struct ground ground;
    struct err err;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->dir = check_temporary_dir();
    CHECK_OK(store_open(fixture->dir, NULL, &fixture->store, &fixture->err), &fixture->err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ground_close(&fixture->ground);
    store_close(fixture->store);
    assert_int_equal(system(arena_printf(&fixture->arena, "rm -rf '%s'", fixture->dir)), 0);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

#define GROUND_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define DIR(path) ((struct tar_item){.name = (path), .type = '5', .mode = 0755})
#define FILE_OF(path, text) ((struct tar_item){.name = (path), .type = '0', .mode = 0644, .data = (text)})
#define LINK(path, target) ((struct tar_item){.name = (path), .type = '2', .mode = 0777, .link = (target)})
#define HARD(path, target) ((struct tar_item){.name = (path), .type = '1', .mode = 0644, .link = (target)})

/* Puts a layer of a plain tar into the store and on top of the others. */
static void put_tar(struct fixture *fixture, const struct buf *tar, const char *ending)
{
    AUTO(buf_done) struct buf packed;
    struct blob blob = {0};
    struct base_layer layer = {.diff_id = digest_of(tar->bytes, tar->len)};
    compress_as(ending, tar, &packed);
    layer.blob.size_bytes = packed.len;
    CHECK_OK(blob_begin(fixture->store, &blob, &fixture->err) &&
                 blob_write(&blob, packed.bytes, packed.len, &fixture->err) &&
                 blob_commit(&blob, NULL, &layer.blob.digest, &fixture->err),
             &fixture->err);
    list_add(&fixture->arena, &fixture->layers, layer);
}

static void put_layer(struct fixture *fixture, const char *ending, const struct tar_item *items, size_t count)
{
    AUTO(buf_done) struct buf tar;
    buf_init(&tar, MAKER_CAP_BYTES);
    for (size_t i = 0; i < count; i++)
        tar_put(&tar, items[i]);
    tar_end(&tar);
    put_tar(fixture, &tar, ending);
}

#define PUT(fixture, ...)                                                                                              \
    do {                                                                                                               \
        const struct tar_item items[] = {__VA_ARGS__};                                                                 \
        put_layer(fixture, ".gz", items, ARRAY_COUNT(items));                                                          \
    } while (0)

static bool open_ground(struct fixture *fixture)
{
    return ground_open(fixture->store, "base NAME", &fixture->layers, &fixture->ground, &fixture->err);
}

/* Opens it and checks that exactly these paths are there, with ',' between. */
static void check_paths(struct fixture *fixture, const char *wanted)
{
    struct strings paths = {0};
    CHECK_OK(open_ground(fixture), &fixture->err);
    for (size_t i = 0; i < fixture->ground.package->count; i++)
        list_add(&fixture->arena, &paths, fixture->ground.package->entries[i].path);
    assert_string_equal(strings_join(&fixture->arena, &paths, ","), wanted);
}

static void check_refused(struct fixture *fixture, enum err_kind kind, const char *words)
{
    assert_false(open_ground(fixture));
    CHECK_ERR(&fixture->err, kind, words);
    CHECK_ERR(&fixture->err, kind, "base NAME: layer sha256:");
}

static const char *content(struct fixture *fixture, const char *path)
{
    struct text bytes;
    bool is_found;
    CHECK_OK(ground_read(&fixture->ground, path, &bytes, &is_found, &fixture->err), &fixture->err);
    return is_found ? arena_strndup(&fixture->arena, bytes.ptr, bytes.len) : "nothing";
}

static void test_later_layers_replace_and_remove(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, DIR("./"), DIR("a/"), FILE_OF("a/x", "1"), FILE_OF("a/y", "1"), DIR("b/"), FILE_OF("b/x", "1"),
        DIR("c/"), FILE_OF("c/x", "1"));
    PUT(fixture, FILE_OF("a/.wh.x", ""), FILE_OF("a/y", "2"), FILE_OF("b/.wh..wh..opq", ""), FILE_OF("b/new", "2"),
        FILE_OF(".wh.c", ""));
    check_paths(fixture, "/a,/a/y,/b,/b/new");
    assert_string_equal(content(fixture, "/a/y"), "2");
    assert_int_equal(ground_layer_of(ground_find(&fixture->ground, "/a")), 1);
    assert_int_equal(ground_layer_of(ground_find(&fixture->ground, "/a/y")), 2);
}

static void test_a_whiteout_hides_nothing_of_its_own_layer(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, DIR("a/"), FILE_OF("a/x", "1"), FILE_OF("a/old", "1"));
    PUT(fixture, FILE_OF("a/x", "2"), FILE_OF("a/.wh.x", ""), FILE_OF("a/.wh..wh..opq", ""));
    check_paths(fixture, "/a,/a/x");
}

static void test_a_file_in_a_directorys_place_takes_all_below_along(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, DIR("a/"), FILE_OF("a/x", "1"), DIR("b/"), FILE_OF("b/x", "1"), LINK("b", "a"));
    PUT(fixture, FILE_OF("a", "2"));
    PUT(fixture, DIR("a/"));
    check_paths(fixture, "/a,/b");
}

static void test_directories_that_no_layer_lists_are_made(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, FILE_OF("usr/lib/x", "1"));
    check_paths(fixture, "/usr,/usr/lib,/usr/lib/x");
    assert_int_equal(ground_find(&fixture->ground, "/usr")->kind, ENTRY_DIRECTORY);
    assert_int_equal(ground_find(&fixture->ground, "/usr")->mode, 0755);
}

static void test_an_entry_below_a_link_of_its_layer_is_where_that_leads(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, DIR("usr/"), DIR("usr/lib/"), LINK("lib", "usr/lib"), FILE_OF("lib/x", "1"),
        LINK("out", "../../../../../usr"), FILE_OF("out/y", "1"));
    check_paths(fixture, "/lib,/out,/usr,/usr/lib,/usr/lib/x,/usr/y");
}

static void test_an_entry_below_a_link_of_a_lower_layer_is_refused(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, DIR("usr/lib/"), LINK("lib", "usr/lib"));
    PUT(fixture, FILE_OF("lib/x", "1"));
    check_refused(fixture, ERR_MALFORMED, "entry lib/x: below a link of a lower layer");
}

static void test_a_hard_link_is_to_what_its_layer_has(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, FILE_OF("b", "text"), HARD("a", "b"), FILE_OF("c", ""), HARD("d", "c"));
    PUT(fixture, FILE_OF(".wh.a", ""), FILE_OF("x", "new"), HARD("y", "x"));
    check_paths(fixture, "/b,/c,/d,/x,/y");
    assert_string_equal(content(fixture, "/y"), "new");
    assert_string_equal(ground_find(&fixture->ground, "/y")->target, "/x");
    assert_int_equal(ground_find(&fixture->ground, "/b")->kind, ENTRY_FILE);
    ground_close(&fixture->ground);
    PUT(fixture, HARD("z", "x"));
    check_refused(fixture, ERR_MALFORMED, "entry /z: a hard link to what its layer does not have");
}

static void test_layers_are_gzip_zstd_or_plain(void **state)
{
    struct fixture *fixture = *state;
    for (const char *const *ending = (const char *const[]){"", ".gz", ".zst", NULL}; *ending; ending++) {
        struct tar_item item = FILE_OF(arena_printf(&fixture->arena, "x%s", *ending), "1");
        put_layer(fixture, *ending, &item, 1);
    }
    check_paths(fixture, "/x,/x.gz,/x.zst");
    ground_close(&fixture->ground);
    put_layer(fixture, ".xz", &FILE_OF("y", "1"), 1);
    check_refused(fixture, ERR_MALFORMED, "compressed as .xz");
}

static void test_a_layer_that_is_not_its_diff_id_is_refused(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, FILE_OF("x", "1"));
    fixture->layers.items[0].diff_id.bytes[0] ^= 1;
    check_refused(fixture, ERR_TRUST, "it unpacks to sha256:");
}

static void test_whiteouts_that_would_remove_a_parent_are_refused(void **state)
{
    static const char *const names[] = {"a/.wh.", "a/.wh..", "a/.wh..."};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        fixture->layers.count = 0;
        PUT(fixture, DIR("a/"), FILE_OF(names[i], ""));
        check_refused(fixture, ERR_MALFORMED, "a whiteout that removes no file's name");
        err_clear(&fixture->err);
    }
}

static void test_names_that_lead_out_are_refused(void **state)
{
    static const char *const names[] = {"../x", "a/../../x", "/..", "a/.."};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        fixture->layers.count = 0;
        PUT(fixture, FILE_OF(names[i], "1"));
        check_refused(fixture, ERR_MALFORMED, "\"..\"");
        err_clear(&fixture->err);
    }
}

static void test_more_entries_than_a_base_may_have_are_refused(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf tar;
    buf_init(&tar, MAKER_CAP_BYTES);
    for (size_t i = 0; i <= GROUND_ENTRIES_MAX; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%zu", i);
        tar_put(&tar, FILE_OF(name, NULL));
    }
    tar_end(&tar);
    put_tar(fixture, &tar, ".gz");
    check_refused(fixture, ERR_MALFORMED, "more entries");
}

static void test_links_never_lead_out_of_the_base(void **state)
{
    struct fixture *fixture = *state;
    const char *path;
    PUT(fixture, DIR("etc/"), FILE_OF("etc/passwd", "inside"), LINK("out", "../../../../etc/passwd"),
        LINK("abs", "/etc"), LINK("a", "b"), LINK("b", "a"));
    CHECK_OK(open_ground(fixture), &fixture->err);
    assert_string_equal(content(fixture, "/out"), "inside");
    assert_string_equal(content(fixture, "/abs/../../abs/passwd"), "inside");
    assert_null(ground_walk(&fixture->ground, &fixture->arena, "/a/x", &path));
    assert_null(path);
    assert_null(ground_walk(&fixture->ground, &fixture->arena, "/etc/passwd/x", &path));
    assert_null(path);
    assert_null(ground_place(&fixture->ground, &fixture->arena, "/abs/new/file", &path));
    assert_string_equal(path, "/etc/new/file");
    assert_int_equal(ground_place(&fixture->ground, &fixture->arena, "/abs", &path)->kind, ENTRY_SYMLINK);
    assert_string_equal(path, "/abs");
}

static void test_what_is_below_a_directory_is_a_run_of_entries(void **state)
{
    struct fixture *fixture = *state;
    size_t first, count;
    PUT(fixture, DIR("a/"), FILE_OF("a/x", "1"), FILE_OF("a/y", "1"), FILE_OF("a-b", "1"), FILE_OF("a0", "1"));
    CHECK_OK(open_ground(fixture), &fixture->err);
    ground_below(&fixture->ground, "/a", &first, &count);
    assert_int_equal(count, 2);
    assert_string_equal(fixture->ground.package->entries[first].path, "/a/x");
    ground_below(&fixture->ground, "/", &first, &count);
    assert_int_equal(count, 5);
    ground_below(&fixture->ground, "/x", &first, &count);
    assert_int_equal(count, 0);
}

static void test_devices_are_there_and_have_no_bytes(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, ((struct tar_item){.name = "dev/null", .type = '3', .mode = 0666}));
    CHECK_OK(open_ground(fixture), &fixture->err);
    assert_true(ground_is_special(ground_find(&fixture->ground, "/dev/null")));
    assert_string_equal(content(fixture, "/dev/null"), "nothing");
}

static void test_a_base_is_merged_once(void **state)
{
    struct fixture *fixture = *state;
    PUT(fixture, FILE_OF("x", "1"));
    check_paths(fixture, "/x");
    ground_close(&fixture->ground);
    assert_int_equal(system(arena_printf(&fixture->arena, "rm -rf '%s/v1/blob'", fixture->dir)), 0);
    check_paths(fixture, "/x");
}

/* --- which layers a base has --- */

static struct layout_manifest manifest_with(struct fixture *fixture, const char *type, const char *diff_ids)
{
    struct layout_manifest manifest = {.config.media_type = LAYOUT_MEDIA_DOCKER_CONFIG};
    manifest.config_bytes = text_of(arena_printf(&fixture->arena, "{\"rootfs\":{\"diff_ids\":[%s]}}", diff_ids));
    struct layout_blob layer = {.media_type = type, .size_bytes = 1};
    list_add(&fixture->arena, &manifest.layers, layer);
    return manifest;
}

#define ONE_ID "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\""

static void test_dockers_types_become_those_of_oci(void **state)
{
    static const char *const types[][2] = {
        {"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"},
        {"application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"},
        {"application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.oci.image.layer.v1.tar+zstd"}};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        struct layout_manifest manifest = manifest_with(fixture, types[i][0], ONE_ID);
        CHECK_OK(ground_layers_of(&fixture->arena, "b", &manifest, &fixture->layers, &fixture->err), &fixture->err);
        assert_string_equal(fixture->layers.items[0].blob.media_type, types[i][1]);
    }
}

static void test_foreign_layers_are_refused_by_name(void **state)
{
    static const char *const types[][2] = {
        {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "is a foreign one"},
        {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "is a foreign one"},
        {"application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "is encrypted"},
        {"application/x", "is of a type that is not known"}};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        struct layout_manifest manifest = manifest_with(fixture, types[i][0], ONE_ID);
        assert_false(ground_layers_of(&fixture->arena, "b", &manifest, &fixture->layers, &fixture->err));
        CHECK_ERR(&fixture->err, ERR_MALFORMED, types[i][1]);
        CHECK_ERR(&fixture->err, ERR_MALFORMED, types[i][0]);
        err_clear(&fixture->err);
    }
}

static void test_each_layer_has_a_diff_id(void **state)
{
    static const char *const ids[][2] = {{"", "0 diff_ids"}, {ONE_ID "," ONE_ID, "2 diff_ids"}, {"\"md5:1\"", "md5:1"}};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
        struct layout_manifest manifest = manifest_with(fixture, "application/vnd.oci.image.layer.v1.tar", ids[i][0]);
        assert_false(ground_layers_of(&fixture->arena, "b", &manifest, &fixture->layers, &fixture->err));
        CHECK_ERR(&fixture->err, ERR_MALFORMED, ids[i][1]);
        err_clear(&fixture->err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GROUND_TEST(test_later_layers_replace_and_remove),
        GROUND_TEST(test_a_whiteout_hides_nothing_of_its_own_layer),
        GROUND_TEST(test_a_file_in_a_directorys_place_takes_all_below_along),
        GROUND_TEST(test_directories_that_no_layer_lists_are_made),
        GROUND_TEST(test_an_entry_below_a_link_of_its_layer_is_where_that_leads),
        GROUND_TEST(test_an_entry_below_a_link_of_a_lower_layer_is_refused),
        GROUND_TEST(test_a_hard_link_is_to_what_its_layer_has),
        GROUND_TEST(test_layers_are_gzip_zstd_or_plain),
        GROUND_TEST(test_a_layer_that_is_not_its_diff_id_is_refused),
        GROUND_TEST(test_whiteouts_that_would_remove_a_parent_are_refused),
        GROUND_TEST(test_names_that_lead_out_are_refused),
        GROUND_TEST(test_more_entries_than_a_base_may_have_are_refused),
        GROUND_TEST(test_links_never_lead_out_of_the_base),
        GROUND_TEST(test_what_is_below_a_directory_is_a_run_of_entries),
        GROUND_TEST(test_devices_are_there_and_have_no_bytes),
        GROUND_TEST(test_a_base_is_merged_once),
        GROUND_TEST(test_dockers_types_become_those_of_oci),
        GROUND_TEST(test_foreign_layers_are_refused_by_name),
        GROUND_TEST(test_each_layer_has_a_diff_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
