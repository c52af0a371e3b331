/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "layer/layer.h"
#include "oci/layout.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct arch arches[2] = {
    {.name = "x86_64", .oci_os = "linux", .oci_architecture = "amd64"},
    {.name = "aarch64", .oci_os = "linux", .oci_architecture = "arm64", .oci_variant = "v8"}};

struct fixture {
    struct store *store;
    const char *dir; /* fresh for each layout */
    unsigned layouts;
    struct arena arena;
};

/* A whole made-up image for two architectures. */
struct sample {
    struct image images[2];
    const struct image *pointers[2];
    struct document index;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};
    fixture->dir = arena_strdup(&fixture->arena, check_temporary_dir());
    CHECK_OK(store_open(arena_printf(&fixture->arena, "%s/cache", fixture->dir), NULL, &fixture->store, &err), &err);
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

static struct sample *make_sample(struct fixture *fixture, const char *content)
{
    struct sample *sample = arena_new(&fixture->arena, struct sample);
    struct manifest manifest = {.name = "sample"};
    struct err err = {0};
    struct oci_facts facts = {.name = "sample"};
    for (size_t i = 0; i < 2; i++) {
        const char *data = arena_printf(&fixture->arena, "%s for %s", content, arches[i].name);
        struct node node = {.path = "/file", .kind = NODE_FILE, .mode = 0644, .size_bytes = strlen(data), .data = data};
        struct tree tree = {.nodes = &node, .count = 1};
        struct image *image = &sample->images[i];
        image->arch = &arches[i];
        facts.arch = arches[i].name;
        struct layer layer;
        CHECK_OK(layer_build(fixture->store, &tree, LAYER_GZIP, &layer, &err), &err);
        list_add(&fixture->arena, &image->layers, layer);
        CHECK_OK(oci_build_image(&fixture->arena, &manifest, &manifest.config, &facts, image, &err), &err);
        sample->pointers[i] = image;
    }
    CHECK_OK(oci_build_index(&fixture->arena, &manifest, &facts, sample->pointers, 2, &sample->index, &err), &err);
    return sample;
}

static const char *fresh_layout(struct fixture *fixture)
{
    return arena_printf(&fixture->arena, "%s/out/%u", fixture->dir, fixture->layouts++);
}

static bool try_write(struct fixture *fixture, const char *dir, const struct sample *sample, struct strings tags,
                      bool *ret_is_unchanged, struct err *err)
{
    struct layout_request request = {.dir = dir,
                                     .store = fixture->store,
                                     .images = sample->pointers,
                                     .image_count = 2,
                                     .index = &sample->index,
                                     .tags = &tags};
    return layout_write(&request, ret_is_unchanged, err);
}

/* Writes under one tag; returns whether it was unchanged. */
static bool write_tag(struct fixture *fixture, const char *dir, const struct sample *sample, const char *tag)
{
    struct err err = {0};
    bool is_unchanged = false;
    CHECK_OK(try_write(fixture, dir, sample, (struct strings){&tag, 1, 1}, &is_unchanged, &err), &err);
    return is_unchanged;
}

/* Writes under a tag with one document beside the image, about its first manifest; returns whether it was unchanged. */
static bool write_beside(struct fixture *fixture, const char *dir, const struct sample *sample, const char *tag,
                         const char *text, struct err *err)
{
    struct layout_beside beside = {sample->images[0].manifest.digest, text_of(text)};
    struct strings tags = {&tag, 1, 1};
    struct layout_request request = {.dir = dir,
                                     .store = fixture->store,
                                     .images = sample->pointers,
                                     .image_count = 2,
                                     .index = &sample->index,
                                     .tags = &tags,
                                     .beside = &beside,
                                     .beside_count = 1};
    bool is_unchanged = false;
    return layout_write(&request, &is_unchanged, err) && is_unchanged;
}

static const char *path_in(struct fixture *fixture, const char *dir, const char *name)
{
    return arena_printf(&fixture->arena, "%s/%s", dir, name);
}

static const char *blob_path(struct fixture *fixture, const char *dir, const struct digest *digest)
{
    return arena_printf(&fixture->arena, "%s/blobs/sha256/%s", dir, digest_hex(digest).chars);
}

static char *read_text(struct fixture *fixture, const char *path)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct err err = {0};
    CHECK_OK(file_read_at(AT_FDCWD, path, (size_t)16 << 20, &bytes, &err), &err);
    return arena_strndup(&fixture->arena, bytes.bytes, bytes.len);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static size_t count_blobs(struct fixture *fixture, const char *dir)
{
    DIR *blobs = opendir(path_in(fixture, dir, "blobs/sha256"));
    size_t count = 0;
    assert_non_null(blobs);
    while (readdir(blobs))
        count++;
    (void)closedir(blobs);
    return count - 2;
}

/* Checks that every blob of the sample is there with the right bytes. */
static void expect_sample(struct fixture *fixture, const char *dir, const struct sample *sample)
{
    struct digest digests[7] = {sample->index.digest};
    for (size_t i = 0; i < 2; i++) {
        digests[1 + 3 * i] = sample->images[i].layers.items[0].digest;
        digests[2 + 3 * i] = sample->images[i].config.digest;
        digests[3 + 3 * i] = sample->images[i].manifest.digest;
    }
    for (size_t i = 0; i < 7; i++) {
        AUTO(buf_done) struct buf bytes = {0};
        struct err err = {0};
        const char *path = blob_path(fixture, dir, &digests[i]);
        CHECK_OK(file_read_at(AT_FDCWD, path, (size_t)16 << 20, &bytes, &err), &err);
        struct digest got = digest_of(bytes.bytes, bytes.len);
        assert_true(digest_eq(&got, &digests[i]));
    }
}

static const char *descriptor_of(struct fixture *fixture, const struct sample *sample, const char *tag)
{
    return arena_printf(&fixture->arena,
                        "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"sha256:%s\","
                        "\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}}",
                        digest_hex(&sample->index.digest).chars, sample->index.len, tag);
}

static void expect_index(struct fixture *fixture, const char *dir, const char *descriptors)
{
    assert_string_equal(
        read_text(fixture, path_in(fixture, dir, "index.json")),
        arena_printf(
            &fixture->arena,
            "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[%s]}",
            descriptors));
}

static void a_new_layout_has_all_blobs_and_its_tags_in_order(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture), *tags[] = {"latest", "1.0", "latest"};
    struct err err = {0};
    bool is_unchanged = true;
    CHECK_OK(try_write(fixture, dir, sample, (struct strings){tags, 3, 3}, &is_unchanged, &err), &err);
    assert_false(is_unchanged);
    expect_sample(fixture, dir, sample);
    assert_int_equal(count_blobs(fixture, dir), 7);
    assert_string_equal(read_text(fixture, path_in(fixture, dir, "oci-layout")), "{\"imageLayoutVersion\":\"1.0.0\"}");
    expect_index(fixture, dir,
                 arena_printf(&fixture->arena, "%s,%s", descriptor_of(fixture, sample, "latest"),
                              descriptor_of(fixture, sample, "1.0")));
    struct stat status;
    assert_int_equal(stat(path_in(fixture, dir, "index.json"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_int_equal(stat(blob_path(fixture, dir, &sample->index.digest), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
}

/* Sums up inode, times and size of all files, so that any write shows. */
static uint64_t fingerprint(struct fixture *fixture, const char *dir)
{
    static const char *const names[] = {".", "index.json", "oci-layout", ".lock", "blobs", "blobs/sha256"};
    uint64_t sum = count_blobs(fixture, dir);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct stat status;
        assert_int_equal(stat(path_in(fixture, dir, names[i]), &status), 0);
        sum = sum * 31 + (uint64_t)status.st_ino;
        sum = sum * 31 + (uint64_t)status.st_mtim.tv_nsec + (uint64_t)status.st_ctim.tv_nsec;
    }
    return sum;
}

static void the_same_image_again_is_unchanged_and_nothing_is_written(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    uint64_t before = fingerprint(fixture, dir);
    assert_true(write_tag(fixture, dir, sample, "latest"));
    assert_int_equal(fingerprint(fixture, dir), before);
    assert_false(write_tag(fixture, dir, sample, "other"));
    assert_true(write_tag(fixture, dir, sample, "other"));
    assert_true(write_tag(fixture, dir, sample, "latest"));
}

static void a_damaged_or_missing_blob_is_written_again(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture);
    const char *layer = blob_path(fixture, dir, &sample->images[0].layers.items[0].digest);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    AUTO(auto_close_fd) int fd = open(layer, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "XX", 2, 20), 2); /* the size stays */
    assert_false(write_tag(fixture, dir, sample, "latest"));
    expect_sample(fixture, dir, sample);
    write_text(layer, "short");
    assert_false(write_tag(fixture, dir, sample, "latest"));
    expect_sample(fixture, dir, sample);
    assert_int_equal(unlink(blob_path(fixture, dir, &sample->index.digest)), 0);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    assert_int_equal(unlink(layer), 0);
    assert_int_equal(symlink("/dev/zero", layer), 0);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    expect_sample(fixture, dir, sample);
    assert_int_equal(unlink(path_in(fixture, dir, "oci-layout")), 0);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    assert_true(write_tag(fixture, dir, sample, "latest"));
}

static void other_tags_and_their_unknown_fields_are_kept_as_they_are(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one"), *next = make_sample(fixture, "two");
    const char *dir = fresh_layout(fixture);
    static const char foreign[] =
        "{\"x\":[1,null,{\"y\":0.5}],\"mediaType\":\"application/other\",\"digest\":\"sha512:00\","
        "\"size\":9007199254740993,\"annotations\":{\"a\":\"\xC3\xBC\"}}";
    assert_false(write_tag(fixture, dir, sample, "old"));
    write_text(path_in(fixture, dir, "index.json"),
               arena_printf(&fixture->arena,
                            " {\"schemaVersion\": 2, \"manifests\": [%s, %s, %s], \"annotations\": {\"k\": \"v\"}}\n",
                            foreign, descriptor_of(fixture, sample, "latest"), descriptor_of(fixture, sample, "old")));
    assert_false(write_tag(fixture, dir, next, "latest"));
    assert_string_equal(
        read_text(fixture, path_in(fixture, dir, "index.json")),
        arena_printf(&fixture->arena, "{\"schemaVersion\":2,\"manifests\":[%s,%s,%s],\"annotations\":{\"k\":\"v\"}}",
                     foreign, descriptor_of(fixture, next, "latest"), descriptor_of(fixture, sample, "old")));
    expect_sample(fixture, dir, sample);
    expect_sample(fixture, dir, next);
    assert_int_equal(count_blobs(fixture, dir), 14);
}

static void a_tag_that_stands_twice_stands_once_afterwards(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one"), *next = make_sample(fixture, "two");
    const char *dir = fresh_layout(fixture);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    write_text(path_in(fixture, dir, "index.json"),
               arena_printf(&fixture->arena,
                            "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                            "\"manifests\":[%s,%s]}",
                            descriptor_of(fixture, next, "latest"), descriptor_of(fixture, sample, "latest")));
    assert_false(write_tag(fixture, dir, sample, "latest"));
    expect_index(fixture, dir, descriptor_of(fixture, sample, "latest"));
}

static void blobs_that_only_the_replaced_tag_needed_are_removed_and_no_others(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *one = make_sample(fixture, "one"), *two = make_sample(fixture, "two");
    const char *dir = fresh_layout(fixture);
    assert_false(write_tag(fixture, dir, one, "latest"));
    const char *unknown =
        path_in(fixture, dir, "blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000");
    write_text(unknown, "someone's");
    assert_false(write_tag(fixture, dir, two, "latest"));
    expect_sample(fixture, dir, two);
    assert_int_equal(count_blobs(fixture, dir), 8);
    assert_true(exists(unknown));
    assert_false(write_tag(fixture, dir, two, "kept"));
    assert_false(write_tag(fixture, dir, one, "latest"));
    expect_sample(fixture, dir, one);
    expect_sample(fixture, dir, two);
    assert_int_equal(count_blobs(fixture, dir), 15);
}

static void nothing_is_removed_when_another_tags_document_is_damaged(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *one = make_sample(fixture, "one"), *two = make_sample(fixture, "two");
    const struct sample *three = make_sample(fixture, "three");
    const char *dir = fresh_layout(fixture);
    assert_false(write_tag(fixture, dir, one, "other"));
    assert_false(write_tag(fixture, dir, two, "latest"));
    write_text(blob_path(fixture, dir, &one->index.digest), "{}");
    assert_false(write_tag(fixture, dir, three, "latest"));
    expect_sample(fixture, dir, two);
    expect_sample(fixture, dir, three);
}

static void hostile_documents_of_the_replaced_tag_remove_nothing_outside(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture);
    assert_false(write_tag(fixture, dir, sample, "good"));
    static const char *const digests[] = {"sha256:../../index.json", "sha256:", "", "sha256:zz", "../x"};
    for (size_t i = 0; i < ARRAY_COUNT(digests); i++) {
        write_text(path_in(fixture, dir, "index.json"),
                   arena_printf(&fixture->arena,
                                "{\"schemaVersion\":2,\"manifests\":[%s,{\"digest\":\"%s\",\"annotations\":"
                                "{\"org.opencontainers.image.ref.name\":\"t\"}},{\"annotations\":[]},{\"annotations\":"
                                "{\"org.opencontainers.image.ref.name\":7}}]}",
                                descriptor_of(fixture, sample, "good"), digests[i]));
        assert_false(write_tag(fixture, dir, sample, "t"));
        expect_sample(fixture, dir, sample);
        assert_true(exists(path_in(fixture, dir, "index.json")));
        assert_int_equal(count_blobs(fixture, dir), 7);
    }
}

static void a_document_that_names_itself_does_not_run_for_ever(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture);
    assert_false(write_tag(fixture, dir, sample, "good"));
    /* Nobody can make a document with its own digest, but one that nests and repeats is as good. */
    const char *inner = descriptor_of(fixture, sample, "x");
    const char *document =
        arena_printf(&fixture->arena, "{\"manifests\":[%s,%s,%s],\"layers\":{},\"config\":[7],\"subject\":%s}", inner,
                     inner, inner, inner);
    struct digest digest = digest_of(document, strlen(document));
    write_text(blob_path(fixture, dir, &digest), document);
    write_text(path_in(fixture, dir, "index.json"),
               arena_printf(&fixture->arena,
                            "{\"schemaVersion\":2,\"manifests\":[%s,{\"digest\":\"sha256:%s\",\"annotations\":"
                            "{\"org.opencontainers.image.ref.name\":\"t\"}}]}",
                            inner, digest_hex(&digest).chars));
    assert_false(write_tag(fixture, dir, sample, "t"));
    expect_sample(fixture, dir, sample);
    assert_false(exists(blob_path(fixture, dir, &digest)));
}

static void an_index_that_cannot_be_read_is_an_error_and_left_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "index.json:"},
        {"{\"schemaVersion\":2,", "index.json:1:"},
        {"[]", "not a JSON object"},
        {"{\"manifests\":[]}", "schemaVersion"},
        {"{\"schemaVersion\":1,\"manifests\":[]}", "schemaVersion"},
        {"{\"schemaVersion\":2}", "manifests"},
        {"{\"schemaVersion\":2,\"manifests\":{}}", "manifests"},
        {"{\"schemaVersion\":2,\"manifests\":[7]}", "not a JSON object"},
        {"{\"schemaVersion\":2,\"mediaType\":\"x\",\"manifests\":[]}", "mediaType"},
        {"{\"schemaVersion\":2,\"schemaVersion\":2,\"manifests\":[]}", "duplicate"},
        {"{\"schemaVersion\":2,\"manifests\":[]} x", "index.json:1:"},
        {"{\"schemaVersion\":2,\"manifests\":[\"\xFF\"]}", "index.json:1:"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *dir = fresh_layout(fixture), *tag = "t";
        struct err err = {0};
        bool is_unchanged;
        CHECK_OK(file_make_dirs(dir, 0755, &err), &err);
        write_text(path_in(fixture, dir, "index.json"), cases[i].text);
        assert_false(try_write(fixture, dir, sample, (struct strings){&tag, 1, 1}, &is_unchanged, &err));
        CHECK_ERR(&err, ERR_MALFORMED, cases[i].part);
        assert_non_null(strstr(err.text, dir));
        assert_string_equal(read_text(fixture, path_in(fixture, dir, "index.json")), cases[i].text);
        assert_false(exists(path_in(fixture, dir, "blobs")));
    }
}

static void an_index_above_four_mib_or_of_endless_depth_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    for (size_t i = 0; i < 2; i++) {
        const char *dir = fresh_layout(fixture), *tag = "t";
        size_t len = i ? (size_t)5 << 20 : (size_t)1 << 20;
        AUTO(auto_free) char *text = calloc(1, len + 1);
        struct err err = {0};
        bool is_unchanged;
        memset(text, i ? ' ' : '[', len);
        CHECK_OK(file_make_dirs(dir, 0755, &err), &err);
        write_text(path_in(fixture, dir, "index.json"), text);
        assert_false(try_write(fixture, dir, sample, (struct strings){&tag, 1, 1}, &is_unchanged, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "index.json");
    }
}

static void a_layout_of_another_version_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture), *tag = "t";
    struct err err = {0};
    bool is_unchanged;
    CHECK_OK(file_make_dirs(dir, 0755, &err), &err);
    write_text(path_in(fixture, dir, "oci-layout"), "{\"imageLayoutVersion\":\"2.0.0\"}");
    assert_false(try_write(fixture, dir, sample, (struct strings){&tag, 1, 1}, &is_unchanged, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "1.0.0");
}

static void left_overs_of_killed_writers_are_removed_and_other_files_stay(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    const char *in_blobs = path_in(fixture, dir, "blobs/sha256/.tmp-abc");
    const char *beside = path_in(fixture, dir, ".tmp-index.json"), *other = path_in(fixture, dir, "notes.txt");
    write_text(in_blobs, "half a blob");
    write_text(beside, "{\"schemaV");
    write_text(other, "mine");
    assert_true(write_tag(fixture, dir, sample, "latest"));
    assert_false(exists(in_blobs));
    assert_false(exists(beside));
    assert_true(exists(other));
}

/* Reads what lies beside about a sample's first manifest, of at most 10 bytes; NULL when nothing does. */
static const char *beside_of(struct fixture *fixture, const char *dir, const struct sample *sample)
{
    AUTO(buf_done) struct buf bytes = {0};
    return layout_read_beside(dir, &sample->images[0].manifest.digest, 10, &bytes)
               ? arena_strndup(&fixture->arena, bytes.bytes, bytes.len)
               : NULL;
}

static const char *beside_path(struct fixture *fixture, const char *dir, const struct sample *sample)
{
    return layout_beside_path(&fixture->arena, dir, &sample->images[0].manifest.digest);
}

static void documents_beside_an_image_come_and_change_while_it_stays(void **state)
{
    struct fixture *fixture = *state;
    struct sample *one = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture), *path = beside_path(fixture, dir, one);
    struct err err = {0};
    struct stat before, after;
    assert_false(write_tag(fixture, dir, one, "a"));
    assert_null(beside_of(fixture, dir, one));
    assert_true(write_beside(fixture, dir, one, "a", "bill", &err)); /* of an older layout: the image is unchanged */
    assert_string_equal(read_text(fixture, path), "bill");
    assert_int_equal(stat(path, &before), 0);
    assert_true(write_beside(fixture, dir, one, "a", "bill", &err));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    write_text(path_in(fixture, dir, "imgfactory/.tmp-x.json"), "left over");
    assert_true(write_beside(fixture, dir, one, "a", "bill 2", &err));
    assert_false(exists(path_in(fixture, dir, "imgfactory/.tmp-x.json")));
    assert_string_equal(beside_of(fixture, dir, one), "bill 2");
    write_text(path, "more than the cap");
    assert_null(beside_of(fixture, dir, one));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_null(beside_of(fixture, dir, one));
}

static void a_document_beside_an_image_goes_with_the_manifest_that_it_is_about_and_not_before(void **state)
{
    struct fixture *fixture = *state;
    struct sample *one = make_sample(fixture, "one"), *two = make_sample(fixture, "two");
    const char *dir = fresh_layout(fixture);
    struct err err = {0};
    assert_false(write_beside(fixture, dir, one, "a", "one", &err));
    assert_false(write_beside(fixture, dir, two, "b", "two", &err));
    CHECK_OK(err.kind == ERR_NONE, &err);
    assert_string_equal(beside_of(fixture, dir, one), "one");
    assert_string_equal(beside_of(fixture, dir, two), "two");
    assert_false(write_tag(fixture, dir, one, "c"));
    assert_false(write_tag(fixture, dir, two, "a")); /* "c" still is at the first */
    assert_string_equal(beside_of(fixture, dir, one), "one");
    assert_false(write_tag(fixture, dir, two, "c"));
    assert_null(beside_of(fixture, dir, one));
    assert_string_equal(beside_of(fixture, dir, two), "two");
}

static void a_link_in_the_place_of_the_folder_beside_is_not_followed(void **state)
{
    struct fixture *fixture = *state;
    struct sample *sample = make_sample(fixture, "linked"), *next = make_sample(fixture, "next");
    const char *dir = fresh_layout(fixture), *elsewhere = path_in(fixture, fixture->dir, "elsewhere");
    struct err err = {0};
    assert_false(write_beside(fixture, dir, sample, "a", "bill", &err));
    assert_int_equal(rename(path_in(fixture, dir, "imgfactory"), elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path_in(fixture, dir, "imgfactory")), 0);
    assert_null(beside_of(fixture, dir, sample));
    assert_false(write_beside(fixture, dir, sample, "a", "bill 2", &err));
    CHECK_ERR(&err, ERR_LOCAL, "imgfactory");
    assert_false(write_tag(fixture, dir, next, "a")); /* sweeps */
    assert_int_equal(unlink(path_in(fixture, dir, "imgfactory")), 0);
    assert_int_equal(rename(elsewhere, path_in(fixture, dir, "imgfactory")), 0);
    assert_string_equal(beside_of(fixture, dir, sample), "bill");
}

static void a_writer_killed_before_index_json_leaves_what_the_next_one_completes(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *dir = fresh_layout(fixture);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    const char *index = read_text(fixture, path_in(fixture, dir, "index.json"));
    assert_int_equal(unlink(path_in(fixture, dir, "index.json")), 0);
    assert_int_equal(unlink(blob_path(fixture, dir, &sample->images[1].manifest.digest)), 0);
    assert_false(write_tag(fixture, dir, sample, "latest"));
    expect_sample(fixture, dir, sample);
    assert_string_equal(read_text(fixture, path_in(fixture, dir, "index.json")), index);
}

/* Fails the write of a sample whose layer the cache has lost. */
static void a_layer_that_the_cache_lost_is_an_error_and_the_old_image_stays(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *one = make_sample(fixture, "one");
    struct sample *two = make_sample(fixture, "two");
    const char *dir = fresh_layout(fixture), *tag = "latest";
    struct err err = {0};
    bool is_unchanged;
    assert_false(write_tag(fixture, dir, one, tag));
    const char *index = read_text(fixture, path_in(fixture, dir, "index.json"));
    memset(two->images[1].layers.items[0].digest.bytes, 7, DIGEST_BYTES);
    assert_false(try_write(fixture, dir, two, (struct strings){&tag, 1, 1}, &is_unchanged, &err));
    CHECK_ERR(&err, ERR_LOCAL, "sha256:0707");
    assert_string_equal(read_text(fixture, path_in(fixture, dir, "index.json")), index);
    expect_sample(fixture, dir, one);
}

static void eight_writers_at_once_leave_eight_tags(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *samples[8];
    const char *dir = fresh_layout(fixture);
    for (size_t i = 0; i < 8; i++)
        samples[i] = make_sample(fixture, arena_printf(&fixture->arena, "content %zu", i));
    for (size_t i = 0; i < 8; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            const char *tag = arena_printf(&fixture->arena, "t%zu", i);
            struct err err = {0};
            bool is_unchanged;
            _exit(try_write(fixture, dir, samples[i], (struct strings){&tag, 1, 1}, &is_unchanged, &err) ? 0 : 1);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    json_auto_t *index = json_load_file(path_in(fixture, dir, "index.json"), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(index, "manifests")), 8);
    for (size_t i = 0; i < 8; i++)
        expect_sample(fixture, dir, samples[i]);
}

static void a_directory_that_cannot_be_is_a_local_error(void **state)
{
    struct fixture *fixture = *state;
    const struct sample *sample = make_sample(fixture, "one");
    const char *file = path_in(fixture, fixture->dir, "a-file"), *tag = "t";
    struct err err = {0};
    bool is_unchanged;
    write_text(file, "");
    assert_false(
        try_write(fixture, path_in(fixture, file, "x"), sample, (struct strings){&tag, 1, 1}, &is_unchanged, &err));
    CHECK_ERR(&err, ERR_LOCAL, "a-file");
    err_clear(&err);
    assert_false(try_write(fixture, fresh_layout(fixture), sample, (struct strings){0}, &is_unchanged, &err));
    CHECK_ERR(&err, ERR_USAGE, "without a tag");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_layout_has_all_blobs_and_its_tags_in_order),
        cmocka_unit_test(the_same_image_again_is_unchanged_and_nothing_is_written),
        cmocka_unit_test(a_damaged_or_missing_blob_is_written_again),
        cmocka_unit_test(other_tags_and_their_unknown_fields_are_kept_as_they_are),
        cmocka_unit_test(a_tag_that_stands_twice_stands_once_afterwards),
        cmocka_unit_test(blobs_that_only_the_replaced_tag_needed_are_removed_and_no_others),
        cmocka_unit_test(nothing_is_removed_when_another_tags_document_is_damaged),
        cmocka_unit_test(hostile_documents_of_the_replaced_tag_remove_nothing_outside),
        cmocka_unit_test(a_document_that_names_itself_does_not_run_for_ever),
        cmocka_unit_test(an_index_that_cannot_be_read_is_an_error_and_left_alone),
        cmocka_unit_test(an_index_above_four_mib_or_of_endless_depth_is_refused),
        cmocka_unit_test(a_layout_of_another_version_is_refused),
        cmocka_unit_test(left_overs_of_killed_writers_are_removed_and_other_files_stay),
        cmocka_unit_test(documents_beside_an_image_come_and_change_while_it_stays),
        cmocka_unit_test(a_document_beside_an_image_goes_with_the_manifest_that_it_is_about_and_not_before),
        cmocka_unit_test(a_link_in_the_place_of_the_folder_beside_is_not_followed),
        cmocka_unit_test(a_writer_killed_before_index_json_leaves_what_the_next_one_completes),
        cmocka_unit_test(a_layer_that_the_cache_lost_is_an_error_and_the_old_image_stays),
        cmocka_unit_test(eight_writers_at_once_leave_eight_tags),
        cmocka_unit_test(a_directory_that_cannot_be_is_a_local_error),
    };
    return cmocka_run_group_tests_name("layout", tests, set_up, tear_down);
}
