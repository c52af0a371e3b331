/* SPDX-License-Identifier: Apache-2.0 */
/* The frames and members of a file in the cache: taken over as they are, made again when they are wrong; in each compression. What
 * a layer of them is is asked in test_layer.c and test_chunked.c. */
#include "check.h"

#include "base/auto.h"
#include "deb/deb_format.h"
#include "io/tree_remove.h"
#include "layer/frames.h"
#include "layer/layer.h"
#include "layer/layer_codec.h"
#include "package/pack.h"

#include "noise.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <libdeflate.h>
#include <time.h>
#include <zstd.h>

#define BIG_BYTES (((size_t)8 << 20) + 300000) /* several chunks; two members */
#define SMALL_BYTES ((size_t)20000)            /* one */

static const struct digest secret = {{7}};

static const struct kind {
    enum layer_compression compression;
    const struct codec *codec;
} gzip = {LAYER_GZIP, &codec_gzip}, zstd = {LAYER_ZSTD, &codec_zstd}, chunked = {LAYER_CHUNKED, &codec_chunked};

struct fixture {
    const struct kind *kind;
    struct store *store;
    const char *dir;
    char *bytes;
    struct digest big, small;
    struct node nodes[3];
    struct tree tree;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};
    uint64_t noise = NOISE_SEED;
    fixture->kind = *state;
    fixture->bytes = malloc(BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++)
        fixture->bytes[i] = (char)("abcdefgh"[noise_next(&noise) >> 24 & 7]);
    fixture->big = digest_of(fixture->bytes, BIG_BYTES);
    fixture->small = digest_of(fixture->bytes, SMALL_BYTES);
    fixture->nodes[0] = (struct node){.path = "/big",
                                      .kind = NODE_FILE,
                                      .mode = 0644,
                                      .size_bytes = BIG_BYTES,
                                      .data = fixture->bytes,
                                      .digest = &fixture->big};
    fixture->nodes[1] = fixture->nodes[2] = fixture->nodes[0];
    fixture->nodes[1].path = "/small";
    fixture->nodes[1].size_bytes = SMALL_BYTES;
    fixture->nodes[1].digest = &fixture->small;
    fixture->nodes[2].path = "/tiny";
    fixture->nodes[2].size_bytes = 100;
    fixture->nodes[2].digest = NULL;
    fixture->tree = (struct tree){.nodes = fixture->nodes, .count = 3};
    fixture->dir = check_temporary_dir();
    CHECK_OK(store_open(fixture->dir, NULL, &fixture->store, &err), &err);
    store_use_secret(fixture->store, &secret);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    store_close(fixture->store);
    CHECK_OK(tree_remove(AT_FDCWD, fixture->dir, &err), &err);
    free(fixture->bytes);
    free(fixture);
    return 0;
}

static struct layer build(struct fixture *fixture)
{
    struct layer layer = {0};
    struct err err = {0};
    CHECK_OK(layer_build(fixture->store, &fixture->tree, fixture->kind->compression, &layer, &err), &err);
    return layer;
}

static struct digest key_of(const struct fixture *fixture, const struct digest *content)
{
    struct layer_encoder encoder = codec_encoder(fixture->kind->codec);
    return frames_key(&encoder, content);
}

static bool is_there(struct fixture *fixture, const struct digest *content, uint64_t bytes)
{
    AUTO(frames_done) struct frames frames = {0};
    struct digest key = key_of(fixture, content);
    return frames_find(fixture->store, &key, bytes, &frames);
}

/* Checks that one frame is all of these plain bytes, and what is told of it. */
static void expect_frame(const struct fixture *fixture, const struct frame *frame, const char *plain,
                         const char *packed)
{
    AUTO(auto_free) char *out = malloc(frame->plain_bytes);
    struct digest digest = digest_of(plain, frame->plain_bytes), none = {0};
    if (fixture->kind == &gzip) {
        struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
        size_t used = 0, made = 0;
        assert_int_equal(libdeflate_gzip_decompress_ex(decompressor, packed, frame->packed_bytes, out,
                                                       frame->plain_bytes, &used, &made),
                         LIBDEFLATE_SUCCESS);
        libdeflate_free_decompressor(decompressor);
        assert_int_equal(used, frame->packed_bytes);
        assert_int_equal(made, frame->plain_bytes);
    } else {
        assert_int_equal(ZSTD_findFrameCompressedSize(packed, frame->packed_bytes), frame->packed_bytes);
        assert_int_equal(ZSTD_decompress(out, frame->plain_bytes, packed, frame->packed_bytes), frame->plain_bytes);
    }
    assert_memory_equal(out, plain, frame->plain_bytes);
    assert_true(digest_eq(fixture->kind == &chunked ? &digest : &none, &frame->digest)); /* others have no use for it */
}

static void the_second_layer_takes_over_what_the_first_one_made(void **state)
{
    struct fixture *fixture = *state;
    struct layer first = build(fixture), second = build(fixture);
    AUTO(frames_done) struct frames frames = {0};
    struct digest key = key_of(fixture, &fixture->big);
    assert_true(digest_eq(&first.digest, &second.digest) && digest_eq(&first.diff_id, &second.diff_id));
    assert_true(digest_eq(&first.toc.digest, &second.toc.digest));
    assert_true(is_there(fixture, &fixture->small, SMALL_BYTES));
    assert_true(frames_find(fixture->store, &key, BIG_BYTES, &frames));
    assert_true(frames.count > 1);
    uint64_t plain = 0, packed = 0;
    for (size_t i = 0; i < frames.count; i++) {
        struct frame frame = frames_at(&frames, i);
        expect_frame(fixture, &frame, fixture->bytes + plain, (const char *)frames.view.ptr + packed);
        plain += frame.plain_bytes;
        packed += frame.packed_bytes;
    }
    assert_int_equal(plain, BIG_BYTES);
    assert_int_equal(packed, frames.packed_bytes);
}

/* Puts frames into the store as if we had made them, at another level: so a layer shows where its own are from. */
static void plant(struct fixture *fixture, const struct frame *frame, size_t count)
{
    static char packed[SMALL_BYTES * 2];
    AUTO(frames_abandon) struct frames_draft draft = {0};
    struct digest key = key_of(fixture, &fixture->small);
    size_t len =
        ZSTD_compress(packed, sizeof packed, fixture->bytes, SMALL_BYTES, 1); /* a layer of it is not unpacked here */
    assert_false(ZSTD_isError(len));
    assert_true(frames_begin(fixture->store, &draft));
    for (size_t i = 0; i < count; i++) {
        struct frame one = *frame;
        one.packed_bytes = len;
        frames_add(&draft, &one, packed);
    }
    assert_true(frames_keep(&draft, &key, false, 0));
}

static void a_layer_has_the_kept_frames_and_not_others(void **state)
{
    struct fixture *fixture = *state;
    struct layer first = build(fixture);
    plant(fixture, &(struct frame){.plain_bytes = SMALL_BYTES}, 1);
    struct layer second = build(fixture);
    assert_false(digest_eq(&first.digest, &second.digest));
    assert_true(digest_eq(&first.diff_id, &second.diff_id));
}

static void records_that_do_not_add_up_are_made_again(void **state)
{
    struct fixture *fixture = *state;
    struct layer first = build(fixture);
    const struct frame wrong[] = {
        {.plain_bytes = SMALL_BYTES - 1}, {.plain_bytes = SMALL_BYTES + 1}, {.plain_bytes = 0}};
    for (size_t i = 0; i <= ARRAY_COUNT(wrong); i++) {
        plant(fixture, i < ARRAY_COUNT(wrong) ? &wrong[i] : &(struct frame){.plain_bytes = SMALL_BYTES},
              i < ARRAY_COUNT(wrong) ? 1 : 2);
        assert_false(is_there(fixture, &fixture->small, SMALL_BYTES));
        struct layer layer = build(fixture);
        assert_true(digest_eq(&layer.digest, &first.digest));
        assert_true(is_there(fixture, &fixture->small, SMALL_BYTES));
    }
}

/* Alters a byte of every file below derived/frames; returns how many there are. */
static size_t damage(const char *dir)
{
    char path[600], inner[900];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/v1/derived/frames", dir);
    DIR *kinds = opendir(path);
    assert_non_null(kinds);
    for (const struct dirent *folder; (folder = readdir(kinds));) {
        if (folder->d_name[0] == '.')
            continue;
        (void)snprintf(inner, sizeof inner, "%s/%s", path, folder->d_name);
        DIR *files = opendir(inner);
        for (const struct dirent *file; (file = readdir(files));) {
            if (file->d_name[0] == '.')
                continue;
            assert_int_equal(fchmodat(dirfd(files), file->d_name, 0600, 0), 0);
            int fd = openat(dirfd(files), file->d_name, O_RDWR);
            assert_true(fd >= 0);
            assert_int_equal(pwrite(fd, "x", 1, 60), 1);
            assert_int_equal(close(fd), 0);
            count++;
        }
        assert_int_equal(closedir(files), 0);
    }
    assert_int_equal(closedir(kinds), 0);
    return count;
}

static void damaged_frames_are_noticed_and_made_again(void **state)
{
    struct fixture *fixture = *state;
    struct layer first = build(fixture);
    assert_int_equal(damage(fixture->dir), 2);
    struct layer second = build(fixture);
    assert_true(digest_eq(&first.digest, &second.digest));
    assert_true(is_there(fixture, &fixture->small, SMALL_BYTES) && is_there(fixture, &fixture->big, BIG_BYTES));
}

static void frames_of_another_secret_are_not_believed(void **state)
{
    struct fixture *fixture = *state;
    struct layer first = build(fixture);
    plant(fixture, &(struct frame){.plain_bytes = SMALL_BYTES}, 1);
    store_use_secret(fixture->store, &(struct digest){{8}});
    assert_false(is_there(fixture, &fixture->small, SMALL_BYTES));
    struct layer second = build(fixture);
    assert_true(digest_eq(&first.digest, &second.digest));
}

static void another_encoder_has_frames_of_its_own(void **state)
{
    (void)state;
    struct layer_encoder encoder = codec_encoder(&codec_chunked), other = encoder, newer = encoder;
    const struct digest content = {{1}}, another = {{2}};
    struct digest key = frames_key(&encoder, &content);
    other.code.bytes[0] ^= 1;
    newer.name[0] ^= 1;
    struct layer_encoder members = codec_encoder(&codec_gzip), joined = codec_encoder(&codec_zstd);
    struct digest keys[] = {frames_key(&other, &content), frames_key(&newer, &content), frames_key(&encoder, &another),
                            frames_key(&members, &content)};
    struct digest same = frames_key(&joined, &content);
    assert_true(digest_eq(&key, &same)); /* zstd and zstd:chunked have the same frames */
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        assert_false(digest_eq(&key, &keys[i]));
}

static void bytes_that_are_not_those_of_the_file_leave_no_frames(void **state)
{
    struct fixture *fixture = *state;
    struct layer layer;
    struct err err = {0};
    fixture->bytes[SMALL_BYTES / 2] ^= 1; /* both files have it */
    assert_false(layer_build(fixture->store, &fixture->tree, fixture->kind->compression, &layer, &err));
    CHECK_ERR(&err, ERR_TRUST, "cached copy of /big");
    assert_false(is_there(fixture, &fixture->big, BIG_BYTES));
    fixture->bytes[SMALL_BYTES / 2] ^= 1;
    (void)build(fixture);
    fixture->bytes[SMALL_BYTES / 2] ^= 1; /* and with the frames at hand */
    err_clear(&err);
    assert_false(layer_build(fixture->store, &fixture->tree, fixture->kind->compression, &layer, &err));
    CHECK_ERR(&err, ERR_TRUST, "cached copy of /big");
}

static void zstd_takes_over_what_zstd_chunked_made_and_the_other_way_round(void **state)
{
    struct fixture *fixture = *state;
    struct layer first[2], second[2];
    for (int round = 0; round < 2; round++) {
        fixture->kind = round ? &chunked : &zstd;
        first[round] = build(fixture);
    }
    plant(fixture, &(struct frame){.plain_bytes = SMALL_BYTES}, 1);
    for (int round = 0; round < 2; round++) {
        fixture->kind = round ? &chunked : &zstd;
        second[round] = build(fixture);
        assert_false(digest_eq(&first[round].digest, &second[round].digest));
    }
}

static void zstd_chunked_adds_up_itself_what_zstd_did_not(void **state)
{
    struct fixture *fixture = *state;
    fixture->kind = &chunked;
    struct layer own = build(fixture);
    store_use_secret(fixture->store, &(struct digest){{9}}); /* so those frames are not there any more */
    fixture->kind = &zstd;
    (void)build(fixture);
    fixture->kind = &chunked;
    for (int round = 0; round < 2; round++) {
        struct layer taken = build(fixture);
        assert_true(digest_eq(&own.digest, &taken.digest) && digest_eq(&own.toc.digest, &taken.toc.digest));
    }
}

/* The files as a package of the cache, of this version or of an earlier one, which hashed all of it once more. */
static struct package *put_package(struct fixture *fixture, bool is_earlier)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct err err = {0};
    struct entry entry = {
        .path = "/big", .kind = ENTRY_FILE, .mode = 0644, .size_bytes = BIG_BYTES, .digest = fixture->big};
    struct package package = {.format = &format_deb,
                              .name = "p",
                              .version = "1",
                              .architecture = "all",
                              .digest = fixture->big,
                              .entries = &entry,
                              .count = 1};
    struct package_fact control = {"control", "Package: p\n"};
    package.facts.items = &control;
    package.facts.count = 1;
    const struct package_expect expect = {.format = &format_deb, .digest = fixture->big};
    struct package *opened = NULL;
    const uint64_t offset = 0;
    bool is_found;
    CHECK_OK(blob_begin(fixture->store, &blob, &err), &err);
    blob.is_apart = !is_earlier;
    CHECK_OK(blob_write(&blob, fixture->bytes, BIG_BYTES, &err), &err);
    CHECK_OK(pack_write_tables(&blob, &package, &offset, &err), &err);
    CHECK_OK(blob_commit_derived(&blob, PACK_KIND, &fixture->big, &err), &err);
    CHECK_OK(package_open(fixture->store, &expect, &opened, &is_found, &err), &err);
    assert_true(is_found);
    fixture->nodes[0].package = opened;
    fixture->nodes[0].data = opened->entries[0].data;
    return opened;
}

/* Alters a byte of the package in its file, whose times are then those of before. */
static void alter_package(const struct fixture *fixture)
{
    /* Before Linux 6.13 a change within the same tick of the clock has the same time. */
    const struct timespec ticks = {.tv_nsec = 50 * 1000 * 1000};
    char pattern[600];
    glob_t found = {0};
    struct stat before;
    (void)nanosleep(&ticks, NULL);
    (void)snprintf(pattern, sizeof pattern, "%s/v1/derived/" PACK_KIND "/*/*", fixture->dir);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(stat(found.gl_pathv[0], &before), 0);
    assert_int_equal(chmod(found.gl_pathv[0], 0600), 0);
    AUTO(auto_close_fd) int fd = open(found.gl_pathv[0], O_RDWR);
    assert_int_equal(pwrite(fd, "X", 1, BIG_BYTES - 7), 1);
    assert_int_equal(futimens(fd, (struct timespec[]){before.st_atim, before.st_mtim}), 0);
    assert_int_equal(fchmod(fd, 0444), 0);
    globfree(&found);
}

static void a_package_that_changed_while_it_was_open_gives_no_layer_and_no_frames(void **state)
{
    struct fixture *fixture = *state;
    struct layer layer;
    struct err err = {0};
    struct package *package = put_package(fixture, false);
    alter_package(fixture);
    for (int round = 0; round < 2; round++) { /* without frames at hand, and with them */
        assert_false(layer_build(fixture->store, &fixture->tree, fixture->kind->compression, &layer, &err));
        CHECK_ERR(&err, ERR_TRUST, "cached copy of /big");
        err_clear(&err);
        if (round)
            break;
        assert_false(is_there(fixture, &fixture->big, BIG_BYTES));
        fixture->nodes[0].package = NULL;
        fixture->nodes[0].data = fixture->bytes;
        (void)build(fixture);
        fixture->nodes[0].package = package;
        fixture->nodes[0].data = package->entries[0].data;
    }
    package_close(package);
}

static void a_package_that_was_altered_is_found_neither_by_us_nor_as_one_of_an_earlier_version(void **state)
{
    struct fixture *fixture = *state;
    const struct package_expect expect = {.format = &format_deb, .digest = fixture->big};
    struct layer first = build(fixture);
    for (int is_earlier = 0; is_earlier < 2; is_earlier++) {
        struct err err = {0};
        bool is_found;
        struct package *package = put_package(fixture, is_earlier);
        struct layer layer = build(fixture);
        assert_true(digest_eq(&first.digest, &layer.digest) && digest_eq(&first.diff_id, &layer.diff_id));
        package_close(package);
        alter_package(fixture);
        CHECK_OK(package_open(fixture->store, &expect, &package, &is_found, &err), &err);
        assert_false(is_found);
    }
}

static void a_file_whose_digest_is_not_known_has_the_same_pieces_and_leaves_none(void **state)
{
    struct fixture *fixture = *state;
    fixture->nodes[0].digest = fixture->nodes[1].digest = NULL;
    struct layer first = build(fixture);
    fixture->nodes[0].digest = &fixture->big;
    fixture->nodes[1].digest = &fixture->small;
    assert_false(is_there(fixture, &fixture->small, SMALL_BYTES));
    for (int round = 0; round < 2; round++) { /* made, and taken over */
        struct layer layer = build(fixture);
        assert_true(digest_eq(&first.digest, &layer.digest) && digest_eq(&first.diff_id, &layer.diff_id));
    }
}

#define IN(kind, test)                                                                                                 \
    {                                                                                                                  \
#test " (" #kind ")", test, set_up, tear_down, (void *)&(kind)                                                 \
    }
#define IN_ALL(test) IN(gzip, test), IN(zstd, test), IN(chunked, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ALL(the_second_layer_takes_over_what_the_first_one_made),
        IN_ALL(a_layer_has_the_kept_frames_and_not_others),
        IN_ALL(records_that_do_not_add_up_are_made_again),
        IN_ALL(damaged_frames_are_noticed_and_made_again),
        IN_ALL(frames_of_another_secret_are_not_believed),
        cmocka_unit_test(another_encoder_has_frames_of_its_own),
        IN_ALL(bytes_that_are_not_those_of_the_file_leave_no_frames),
        IN(zstd, zstd_takes_over_what_zstd_chunked_made_and_the_other_way_round),
        IN(chunked, zstd_chunked_adds_up_itself_what_zstd_did_not),
        IN(zstd, a_package_that_changed_while_it_was_open_gives_no_layer_and_no_frames),
        IN(zstd, a_package_that_was_altered_is_found_neither_by_us_nor_as_one_of_an_earlier_version),
        IN_ALL(a_file_whose_digest_is_not_known_has_the_same_pieces_and_leaves_none),
    };
    return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
