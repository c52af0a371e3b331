/* SPDX-License-Identifier: Apache-2.0 */
/* The registry is played by this program: it defines the two functions of registry.h that pulling calls. How the real
 * ones talk to a server is proved elsewhere. */
#include "image_maker.h"

#include "base/auto.h"
#include "oci/layout.h"
#include "registry/pull.h"

#include <ftw.h>
#include <stdatomic.h>

#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar+gzip"
#define LAYER_COUNT 9

struct registry {
    struct maker maker;
    const char *dir;
    struct store *store;
    struct layout_blob root;
    struct layout_blob absent;              /* this blob is not there; zero: all are */
    const char *answered_type;              /* instead of the true media type; NULL: none */
    atomic_uint manifest_count, blob_count; /* asked for */
    atomic_uint running, running_max;       /* blobs at a time */
};

static const struct made *find(struct registry *registry, const struct digest *digest)
{
    for (size_t i = 0; i < registry->maker.documents.count; i++) {
        if (digest_eq(&registry->maker.documents.items[i].blob.digest, digest))
            return &registry->maker.documents.items[i];
    }
    return NULL;
}

bool registry_get_manifest(struct registry *registry, struct arena *arena, const char *name,
                           struct registry_manifest *ret_manifest, struct err *err)
{
    struct digest digest = registry->root.digest;
    (void)err;
    atomic_fetch_add(&registry->manifest_count, 1);
    *ret_manifest = (struct registry_manifest){0};
    if (text_has_prefix(text_of(name), "sha256:"))
        assert_true(digest_parse(text_of(name + 7), &digest));
    else if (strcmp(name, "latest") != 0 && strcmp(name, "v1") != 0)
        return true;
    const struct made *made = find(registry, &digest);
    if (!made || digest_eq(&digest, &registry->absent.digest))
        return true;
    bool is_root = digest_eq(&digest, &registry->root.digest);
    *ret_manifest = (struct registry_manifest){
        .is_found = true,
        .media_type = registry->answered_type && !is_root ? registry->answered_type : made->blob.media_type,
        .digest = digest,
        .size_bytes = made->bytes.len,
        .bytes = arena_strndup(arena, made->bytes.ptr, made->bytes.len),
    };
    return true;
}

bool registry_get_blob(struct registry *registry, struct store *store, const struct digest *digest, uint64_t size_bytes,
                       _Atomic uint64_t *counter, struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    const struct made *made = find(registry, digest);
    unsigned running = atomic_fetch_add(&registry->running, 1) + 1, most = atomic_load(&registry->running_max);
    while (running > most && !atomic_compare_exchange_weak(&registry->running_max, &most, running))
        continue;
    atomic_fetch_add(&registry->blob_count, 1);
    (void)usleep(2000);
    atomic_fetch_sub(&registry->running, 1);
    if (!made || digest_eq(digest, &registry->absent.digest)) {
        err_set(err, ERR_PUBLISH, "blob unknown");
        return false;
    }
    if (made->bytes.len != size_bytes) {
        err_set(err, ERR_TRUST, "wrong size");
        return false;
    }
    if (counter)
        atomic_fetch_add(counter, size_bytes);
    return blob_begin(store, &blob, err) && blob_write(&blob, made->bytes.ptr, made->bytes.len, err) &&
           blob_commit(&blob, digest, NULL, err);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static struct layout_blob make_platform(struct registry *registry, const char *architecture)
{
    struct maker *maker = &registry->maker;
    AUTO(buf_done) struct buf layers = {0}, ids = {0};
    buf_init(&layers, 1 << 16);
    buf_init(&ids, 1 << 16);
    for (int i = 0; i < LAYER_COUNT; i++) {
        struct layout_blob layer =
            make_document(maker, LAYER_TYPE, arena_printf(&maker->arena, "layer %0*d", i + 1, i));
        assert_true(buf_printf(&layers, "%s%s", i ? "," : "", make_descriptor(maker, layer, "")));
        assert_true(buf_printf(&ids, "%s\"%d\"", i ? "," : "", i));
    }
    struct layout_blob config = make_document(
        maker, OCI_MEDIA_CONFIG,
        arena_printf(&maker->arena, "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"diff_ids\":[%s]}}",
                     architecture, ids.bytes));
    return make_manifest(maker, OCI_MEDIA_MANIFEST, config, layers.bytes, "");
}

static int set_up(void **state)
{
    struct registry *registry = calloc(1, sizeof *registry);
    struct maker *maker = &registry->maker;
    struct err err = {0};
    registry->dir = arena_strdup(&maker->arena, check_temporary_dir());
    CHECK_OK(store_open(arena_printf(&maker->arena, "%s/cache", registry->dir), NULL, &registry->store, &err), &err);
    struct layout_blob first = make_platform(registry, "amd64"), second = make_platform(registry, "arm64");
    registry->root = make_index(
        maker, OCI_MEDIA_INDEX,
        arena_printf(&maker->arena, "%s,%s", make_descriptor(maker, first, ""), make_descriptor(maker, second, "")),
        "");
    *state = registry;
    return 0;
}

static int tear_down(void **state)
{
    struct registry *registry = *state;
    store_close(registry->store);
    assert_int_equal(nftw(registry->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    arena_done(&registry->maker.arena);
    free(registry);
    return 0;
}

static bool pull(struct registry *registry, const char *tag, const struct digest *digest,
                 struct layout_image *ret_image, struct err *err)
{
    struct reference reference = {.host = "quay.io", .api_host = "quay.io", .repository = "ns/dhcpd", .tag = tag};
    if (digest) {
        reference.has_digest = true;
        reference.digest = *digest;
    }
    struct pull_request request = {&reference, registry->maker.wanted, false};
    return pull_documents(registry, registry->store, &registry->maker.arena, &request, ret_image, err);
}

static void a_tag_is_pinned_and_all_documents_are_read(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    assert_true(digest_eq(&image.root.digest, &registry->root.digest));
    assert_string_equal(image.tag, "v1");
    assert_int_equal(image.manifests.count, 2);
    assert_string_equal(image.manifests.items[1].architecture, "arm64");
    assert_int_equal(image.manifests.items[1].layers.count, LAYER_COUNT);
    assert_int_equal(atomic_load(&registry->manifest_count), 3);
    assert_int_equal(atomic_load(&registry->blob_count), 2);
}

static void a_digest_goes_before_a_tag_and_no_tag_is_latest(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(pull(registry, "gone", &registry->root.digest, &image, &err), &err);
    assert_true(digest_eq(&image.root.digest, &registry->root.digest));
    CHECK_OK(pull(registry, NULL, NULL, &image, &err), &err);
    assert_null(image.tag);
}

static void documents_that_were_pulled_before_are_not_asked_for_again(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    atomic_store(&registry->manifest_count, 0);
    atomic_store(&registry->blob_count, 0);
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    assert_int_equal(atomic_load(&registry->manifest_count), 1);
    assert_int_equal(atomic_load(&registry->blob_count), 0);
}

static void what_the_registry_does_not_have_is_named(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    assert_false(pull(registry, "gone", NULL, &image, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "quay.io/ns/dhcpd:gone: the registry does not have it");
    err_clear(&err);
    struct layout_image whole;
    CHECK_OK(pull(registry, "v1", NULL, &whole, &err), &err);
    store_close(registry->store);
    CHECK_OK(store_open(arena_printf(&registry->maker.arena, "%s/other", registry->dir), NULL, &registry->store, &err),
             &err);
    registry->absent = whole.manifests.items[1].blob;
    assert_false(pull(registry, "v1", NULL, &image, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "that the index names");
    err_clear(&err);
    registry->absent = whole.manifests.items[1].config;
    assert_false(pull(registry, "v1", NULL, &image, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "blob unknown");
}

static void what_an_index_says_of_a_childs_type_counts_not_the_content_type_that_it_comes_with(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    registry->answered_type = LAYOUT_MEDIA_DOCKER_MANIFEST;
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    assert_string_equal(image.manifests.items[0].blob.media_type, OCI_MEDIA_MANIFEST);
}

static void other_bytes_than_the_digest_says_are_refused(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    struct digest wrong = digest_of("x", 1);
    for (size_t i = 0; i < registry->maker.documents.count; i++) {
        if (digest_eq(&registry->maker.documents.items[i].blob.digest, &registry->root.digest))
            registry->maker.documents.items[i].blob.digest = wrong;
    }
    assert_false(pull(registry, "v1", &wrong, &image, &err));
    CHECK_ERR(&err, ERR_TRUST, "got sha256:");
}

static void layers_come_once_each_at_most_four_at_a_time(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    _Atomic uint64_t received = 0;
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    atomic_store(&registry->blob_count, 0);
    atomic_store(&registry->running_max, 0);
    CHECK_OK(pull_layers(registry, registry->store, &image, &received, &err), &err);
    assert_int_equal(atomic_load(&registry->blob_count), LAYER_COUNT);
    CHECK_RANGE(atomic_load(&registry->running_max), 1, 4);
    uint64_t total = 0;
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        const struct layout_blob *layer = &image.manifests.items[0].layers.items[i];
        assert_true(store_has_blob(registry->store, &layer->digest, layer->size_bytes));
        total += layer->size_bytes;
    }
    assert_int_equal(atomic_load(&received), total);
}

static void a_pull_that_was_cut_off_fetches_the_rest_alone(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    registry->absent = image.manifests.items[0].layers.items[0]; /* the smallest: it is begun last */
    assert_false(pull_layers(registry, registry->store, &image, NULL, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "blob unknown");
    CHECK_ERR(&err, ERR_PUBLISH, digest_hex(&registry->absent.digest).chars);
    err_clear(&err);
    registry->absent = (struct layout_blob){0};
    atomic_store(&registry->blob_count, 0);
    CHECK_OK(pull_layers(registry, registry->store, &image, NULL, &err), &err);
    CHECK_RANGE(atomic_load(&registry->blob_count), 1, 4);
}

static void layers_of_the_images_manifests_alone_are_fetched(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    /* What stands in memory behind the last manifest, and behind the last layer, is none of the image's. */
    struct layout_manifest manifests[2] = {image.manifests.items[0], image.manifests.items[1]};
    struct layout_blob layers[2] = {manifests[0].layers.items[0], {.size_bytes = 1, .media_type = LAYER_TYPE}};
    manifests[0].layers.items = layers;
    manifests[0].layers.count = 1;
    manifests[1].layers.items = &layers[1];
    manifests[1].layers.count = 1;
    image.manifests.items = manifests;
    image.manifests.count = 1;
    atomic_store(&registry->blob_count, 0);
    CHECK_OK(pull_layers(registry, registry->store, &image, NULL, &err), &err);
    assert_int_equal(atomic_load(&registry->blob_count), 1);
}

static void the_same_layer_with_two_sizes_is_refused(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    image.manifests.items[1].layers.items[3].size_bytes++;
    assert_false(pull_layers(registry, registry->store, &image, NULL, &err));
    CHECK_ERR(&err, ERR_TRUST, "wrong size");
}

static void a_pulled_image_becomes_a_layout(void **state)
{
    struct registry *registry = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(pull(registry, "v1", NULL, &image, &err), &err);
    CHECK_OK(pull_layers(registry, registry->store, &image, NULL, &err), &err);
    const char *dir = arena_printf(&registry->maker.arena, "%s/layout", registry->dir);
    struct strings tags = {(const char *[]){"v1"}, 1, 1};
    struct layout_import_request request = {.dir = dir, .store = registry->store, .image = &image, .tags = &tags};
    bool is_unchanged = true;
    CHECK_OK(layout_import(&request, &is_unchanged, &err), &err);
    assert_false(is_unchanged);
    AUTO(layout_image_close) struct layout_image got = {.blobs_fd = -1};
    CHECK_OK(layout_image_open(&registry->maker.arena, &(struct layout_choice){.dir = dir, .tag = "v1"}, &got, &err),
             &err);
    assert_true(text_eq(got.root_bytes, image.root_bytes));
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        AUTO(auto_close_fd) int fd = -1;
        CHECK_OK(layout_blob_open(&got, &got.manifests.items[1].layers.items[i], &fd, &err), &err);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tag_is_pinned_and_all_documents_are_read),
        TEST(a_digest_goes_before_a_tag_and_no_tag_is_latest),
        TEST(documents_that_were_pulled_before_are_not_asked_for_again),
        TEST(what_the_registry_does_not_have_is_named),
        TEST(what_an_index_says_of_a_childs_type_counts_not_the_content_type_that_it_comes_with),
        TEST(other_bytes_than_the_digest_says_are_refused),
        TEST(layers_come_once_each_at_most_four_at_a_time),
        TEST(a_pull_that_was_cut_off_fetches_the_rest_alone),
        TEST(layers_of_the_images_manifests_alone_are_fetched),
        TEST(the_same_layer_with_two_sizes_is_refused),
        TEST(a_pulled_image_becomes_a_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
