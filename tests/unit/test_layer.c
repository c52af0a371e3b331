/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "layer/layer.h"
#include "layer/tar.h"

#include "noise.h"

#include <ftw.h>
#include <libdeflate.h>
#include <zstd.h>

#define GOLDEN_TAR "34af391400df7c4134275f995cb3203deb9e4477840bd7ad26029f4a7975dc06"
#define GOLDEN_GZIP "92c3fcbb6dc19e430c2a81e9d8a00ea09d35aa08d6f517eeb583760e39461eed"
#define GOLDEN_ZSTD_1_5_4 "4a80ea40861a98320a202bba524f750f208b2760441b2006dacd173f1e3af11d"
#define GOLDEN_ZSTD_1_5_7 "c0c8176f5e5a2950bae046c5fc51601bf092f4d48ac6a6b26e46937e46506bf4"

struct fixture {
    struct store *store;
    const char *dir;
    struct arena arena;
    struct tree tree;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};
    char *text = arena_alloc(&fixture->arena, 300000);
    for (size_t i = 0; i < 300000; i++)
        text[i] = (char)('a' + i * i % 23);
    fixture->tree.nodes = arena_new_array(&fixture->arena, struct node, 3);
    fixture->tree.count = 3;
    fixture->tree.nodes[0] = (struct node){.path = "/usr", .kind = NODE_DIRECTORY, .mode = 0755};
    fixture->tree.nodes[1] =
        (struct node){.path = "/usr/a", .kind = NODE_FILE, .mode = 0644, .size_bytes = 300000, .data = text};
    fixture->tree.nodes[2] = (struct node){.path = "/usr/b", .kind = NODE_SYMLINK, .mode = 0777, .target = "a"};
    fixture->dir = check_temporary_dir();
    CHECK_OK(store_open(fixture->dir, NULL, &fixture->store, &err), &err);
    *state = fixture;
    return 0;
}

/* Removes what the tests wrote. */
static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    store_close(fixture->store);
    assert_int_equal(nftw(fixture->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static bool collect(void *sink, const void *bytes, size_t len, struct err *err)
{
    (void)err;
    assert_true(buf_add(sink, bytes, len));
    return true;
}

static struct layer build(struct fixture *fixture, enum layer_compression compression)
{
    struct layer layer = {0};
    struct err err = {0};
    CHECK_OK(layer_build(fixture->store, &fixture->tree, compression, &layer, &err), &err);
    assert_int_equal(layer.compression, compression);
    return layer;
}

static struct view map(struct fixture *fixture, const struct layer *layer)
{
    struct view view = {0};
    struct err err = {0};
    bool is_found = false;
    CHECK_OK(store_map_blob(fixture->store, &layer->digest, &view, &is_found, &err), &err);
    assert_true(is_found);
    assert_int_equal(view.len, layer->size_bytes);
    return view;
}

/* Checks that plain bytes are the tree's tar and what the layer says of it. */
static void expect_tar(struct fixture *fixture, const struct layer *layer, const char *bytes, size_t len)
{
    AUTO(buf_done) struct buf tar;
    struct err err = {0};
    buf_init(&tar, (size_t)256 << 20);
    CHECK_OK(tar_write(&fixture->tree, &(struct tar_receiver){.write = collect, .sink = &tar}, &err), &err);
    struct digest digest = digest_of(bytes, len);
    assert_int_equal(len, tar.len);
    assert_memory_equal(bytes, tar.bytes, len);
    assert_int_equal(layer->tar_bytes, len);
    assert_true(digest_eq(&layer->diff_id, &digest));
}

/* Decompresses all frames; returns their number. */
static size_t unzstd(const struct view *view, char *plain, size_t plain_bytes)
{
    size_t at = 0, out = 0, frames = 0;
    for (; at < view->len; frames++) {
        size_t len = ZSTD_findFrameCompressedSize(view->ptr + at, view->len - at);
        unsigned long long bytes = ZSTD_getFrameContentSize(view->ptr + at, view->len - at);
        assert_false(ZSTD_isError(len));
        assert_int_equal(ZSTD_decompress(plain + out, plain_bytes - out, view->ptr + at, len), bytes);
        at += len;
        out += bytes;
    }
    assert_int_equal(out, plain_bytes);
    return frames;
}

/* Decompresses all members; returns their number. */
static size_t gunzip(const struct view *view, char *plain, size_t plain_bytes)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    size_t at = 0, out = 0, members = 0;
    for (; at < view->len; members++) {
        static const unsigned char header[10] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255};
        size_t in_used = 0, out_used = 0;
        assert_true(view->len - at > sizeof header);
        assert_memory_equal(view->ptr + at, header, sizeof header);
        assert_int_equal(libdeflate_gzip_decompress_ex(decompressor, view->ptr + at, view->len - at, plain + out,
                                                       plain_bytes - out, &in_used, &out_used),
                         LIBDEFLATE_SUCCESS);
        at += in_used;
        out += out_used;
    }
    assert_int_equal(out, plain_bytes);
    libdeflate_free_decompressor(decompressor);
    return members;
}

/* Builds the fixture's tree, unpacks it, and returns how many members or frames it has. */
static size_t pieces_of(struct fixture *fixture, enum layer_compression compression)
{
    struct layer layer = build(fixture, compression);
    AUTO(view_done) struct view view = map(fixture, &layer);
    AUTO(auto_free) char *plain = malloc(layer.tar_bytes);
    size_t count = (compression == LAYER_GZIP ? gunzip : unzstd)(&view, plain, layer.tar_bytes);
    expect_tar(fixture, &layer, plain, layer.tar_bytes);
    return count;
}

static void a_file_of_16_kib_has_a_member_or_frame_of_its_own_and_a_smaller_one_has_none(void **state)
{
    struct fixture *fixture = *state;
    struct node *node = &fixture->tree.nodes[1], former = *node;
    for (int compression = LAYER_ZSTD; compression <= LAYER_GZIP; compression++) {
        node->size_bytes = (16 << 10) - 1;
        assert_int_equal(pieces_of(fixture, (enum layer_compression)compression), 1);
        node->size_bytes = 16 << 10;
        assert_int_equal(pieces_of(fixture, (enum layer_compression)compression), 3);
        node->size_bytes = 0;
        assert_int_equal(pieces_of(fixture, (enum layer_compression)compression), 1);
        *node = former;
        assert_int_equal(pieces_of(fixture, (enum layer_compression)compression), 3);
    }
}

static void a_gzip_member_has_at_most_8_mib_of_a_file(void **state)
{
    struct fixture *fixture = *state;
    size_t most = (size_t)8 << 20;
    AUTO(auto_free) char *big = calloc(1, 2 * most + 1);
    struct node *node = &fixture->tree.nodes[1], former = *node;
    node->data = big;
    for (size_t i = 0; i < 3; i++) {
        node->size_bytes = most * i + (i ? 1 : most);
        assert_int_equal(pieces_of(fixture, LAYER_GZIP), 3 + i);
    }
    *node = former;
}

static void a_mib_between_two_files_is_a_member_or_frame(void **state)
{
    static const size_t count = 2 << 11; /* of headers: 512 bytes each, 2 MiB */
    struct fixture *fixture = *state;
    struct tree former = fixture->tree;
    fixture->tree.nodes = arena_new_array(&fixture->arena, struct node, count);
    fixture->tree.count = count;
    for (size_t i = 0; i < count; i++)
        fixture->tree.nodes[i] = (struct node){
            .path = arena_printf(&fixture->arena, "/%04zu", i), .kind = NODE_SYMLINK, .mode = 0777, .target = "a"};
    assert_int_equal(pieces_of(fixture, LAYER_GZIP), 3); /* the last one is the end of the archive */
    assert_int_equal(pieces_of(fixture, LAYER_ZSTD), 3);
    fixture->tree = former;
}

static void the_same_tree_gives_the_same_layer_and_either_compression_the_same_diff_id(void **state)
{
    struct fixture *fixture = *state;
    struct layer first = build(fixture, LAYER_ZSTD), second = build(fixture, LAYER_ZSTD);
    struct layer other = build(fixture, LAYER_GZIP);
    assert_true(digest_eq(&first.digest, &second.digest));
    assert_true(digest_eq(&first.diff_id, &other.diff_id));
    assert_false(digest_eq(&first.digest, &other.digest));
}

static void an_empty_tree_is_a_layer_too(void **state)
{
    struct fixture *fixture = *state;
    fixture->tree.count = 0;
    struct layer layer = build(fixture, LAYER_ZSTD), other = build(fixture, LAYER_GZIP);
    assert_int_equal(layer.tar_bytes, 1024);
    assert_true(digest_eq(&layer.diff_id, &other.diff_id));
    fixture->tree.count = 3;
}

static void a_damaged_cached_file_gives_no_layer(void **state)
{
    struct fixture *fixture = *state;
    struct digest wrong = {{1, 2, 3}};
    struct layer layer = {.size_bytes = 77};
    for (int compression = LAYER_ZSTD; compression <= LAYER_CHUNKED; compression++) {
        struct err err = {0};
        fixture->tree.nodes[1].digest = &wrong;
        assert_false(layer_build(fixture->store, &fixture->tree, (enum layer_compression)compression, &layer, &err));
        CHECK_ERR(&err, ERR_TRUST, "/usr/a");
        assert_int_equal(layer.size_bytes, 77);
    }
    fixture->tree.nodes[1].digest = NULL;
}

/* Text in which matches are near and far, runs, and at its end a part without a match and one that hardly shrinks. */
static void fill_golden(struct arena *arena, char *text, size_t len)
{
    static const size_t unmatched = (size_t)900 << 10, noisy = (size_t)400 << 10;
    uint64_t state = NOISE_SEED;
    for (size_t i = 0; i < len; i++) {
        uint32_t random = noise_next(&state);
        size_t back = (i >> 14) % 3 ? ((i >> 9) % 61) * 97 + 1 : ((i >> 7) % 509) * 71 + 1;
        bool is_copied = back <= i && (i >> 6) % 5 && random >> 28 < 15;
        if (i >= len - noisy)
            text[i] = (char)(i % 700 < 9 ? 'm' : random >> 24);
        else if ((i >> 16) % 7 == 6)
            text[i] = 'r';
        else
            text[i] = is_copied ? text[i - back] : (char)(random >> 24);
    }
    noise_unmatched(arena, text + len - noisy - unmatched, unmatched);
}

/* A tree whose compression takes what an encoder can do, as a layer. */
static struct layer build_golden(struct fixture *fixture, enum layer_compression compression)
{
    static const size_t len = (size_t)4 << 20;
    char *text = arena_alloc(&fixture->arena, len);
    fill_golden(&fixture->arena, text, len);
    struct node node = {.path = "/golden", .kind = NODE_FILE, .mode = 0644, .size_bytes = len, .data = text};
    struct tree tree = {.nodes = &node, .count = 1};
    struct layer layer = {0};
    struct err err = {0};
    CHECK_OK(layer_build(fixture->store, &tree, compression, &layer, &err), &err);
    assert_string_equal(digest_hex(&layer.diff_id).chars, GOLDEN_TAR);
    return layer;
}

/* Digests of images depend on these bytes. When this fails after a library's update, images have other digests on hosts
 * with it than elsewhere: factory/layer/README.md and CHANGELOG.md have to say so before the value here changes. */
static void gzip_bytes_are_those_of_all_known_versions_of_libdeflate(void **state)
{
    struct fixture *fixture = *state;
    struct layer layer = build_golden(fixture, LAYER_GZIP);
    assert_string_equal(digest_hex(&layer.digest).chars, GOLDEN_GZIP);
}

/* zstd's bytes change with its versions; one that is not known here is told, and no error. */
static void zstd_bytes_are_those_of_the_versions_that_are_known(void **state)
{
    static const struct {
        const char *version, *digest;
    } known[] = {{"1.5.4", GOLDEN_ZSTD_1_5_4}, {"1.5.7", GOLDEN_ZSTD_1_5_7}};
    struct fixture *fixture = *state;
    struct layer layer = build_golden(fixture, LAYER_ZSTD);
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (strcmp(known[i].version, ZSTD_versionString()) == 0) {
            assert_string_equal(digest_hex(&layer.digest).chars, known[i].digest);
            return;
        }
    }
    print_message("zstd %s is not known here: %s\n", ZSTD_versionString(), digest_hex(&layer.digest).chars);
}

static void an_encoder_is_named_with_version_and_level_and_known_by_its_code(void **state)
{
    (void)state;
    struct layer_encoder gzip = layer_encoder(LAYER_GZIP), zstd = layer_encoder(LAYER_ZSTD);
    struct layer_encoder again = layer_encoder(LAYER_GZIP);
    struct digest nothing = digest_of("", 0);
    assert_string_equal(gzip.name, "libdeflate " LIBDEFLATE_VERSION_STRING " level 6");
    assert_string_equal(strrchr(zstd.name, ' '), " 6");
    assert_non_null(strstr(zstd.name, ZSTD_versionString()));
    assert_true(digest_eq(&gzip.code, &again.code));
    assert_false(digest_eq(&gzip.code, &zstd.code));
    assert_false(digest_eq(&gzip.code, &nothing));
}

static void compressions_are_known_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum layer_compression compression;
        const char *suffix;
    } known[] = {
        {"gzip", LAYER_GZIP, "+gzip"}, {"zstd", LAYER_ZSTD, "+zstd"}, {"zstd:chunked", LAYER_CHUNKED, "+zstd"}};
    enum packing packing;
    enum layer_compression compressions[LAYER_COMPRESSIONS_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        assert_true(packing_parse(known[i].name, &packing));
        assert_int_equal(layer_compressions(packing, compressions), 1);
        assert_int_equal(compressions[0], known[i].compression);
        assert_string_equal(strrchr(layer_media_type(known[i].compression), '+'), known[i].suffix);
    }
    assert_true(packing_parse("both", &packing));
    assert_int_equal(layer_compressions(packing, compressions), 2);
    assert_true(compressions[0] == LAYER_GZIP && compressions[1] == LAYER_CHUNKED);
    assert_false(packing_parse("xz", &packing));
    assert_false(packing_parse("", &packing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_16_kib_has_a_member_or_frame_of_its_own_and_a_smaller_one_has_none),
        cmocka_unit_test(a_gzip_member_has_at_most_8_mib_of_a_file),
        cmocka_unit_test(a_mib_between_two_files_is_a_member_or_frame),
        cmocka_unit_test(the_same_tree_gives_the_same_layer_and_either_compression_the_same_diff_id),
        cmocka_unit_test(an_empty_tree_is_a_layer_too),
        cmocka_unit_test(a_damaged_cached_file_gives_no_layer),
        cmocka_unit_test(gzip_bytes_are_those_of_all_known_versions_of_libdeflate),
        cmocka_unit_test(zstd_bytes_are_those_of_the_versions_that_are_known),
        cmocka_unit_test(an_encoder_is_named_with_version_and_level_and_known_by_its_code),
        cmocka_unit_test(compressions_are_known_by_name),
    };
    return cmocka_run_group_tests_name("layer", tests, set_up, tear_down);
}
