/* SPDX-License-Identifier: Apache-2.0 */
#include "image_maker.h"

#include "base/auto.h"
#include "oci/descriptor.h"
#include "oci/layout.h"
#include "oci/platforms.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar+gzip"
#define ONE_DIFF_ID "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:00\"]}"

/* A layer's descriptor; the layer itself need not exist. */
static const char *layer_descriptor(struct maker *maker, const char *content)
{
    struct layout_blob layer = {digest_of(content, strlen(content)), strlen(content), LAYER_TYPE};
    return make_descriptor(maker, layer, "");
}

static struct layout_blob make_config(struct maker *maker, const char *architecture)
{
    return make_document(
        maker, OCI_MEDIA_CONFIG,
        arena_printf(&maker->arena, "{\"os\":\"linux\",\"architecture\":\"%s\"," ONE_DIFF_ID "}", architecture));
}

static struct layout_blob make_one(struct maker *maker, const char *architecture)
{
    return make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, architecture),
                         layer_descriptor(maker, architecture), "");
}

/* Parses a manifest with these words instead of a good one's. */
static void check_refused(struct maker *maker, const char *media_type, const char *text, enum err_kind kind,
                          const char *part)
{
    struct layout_image image;
    struct err err = {0};
    assert_false(maker_parse(maker, make_document(maker, media_type, text), &image, &err));
    CHECK_ERR(&err, kind, part);
}

static void an_index_gives_its_manifests_in_order_with_platform_config_and_layers(void **state)
{
    struct maker *maker = *state;
    struct layout_blob first = make_one(maker, "amd64"), second = make_one(maker, "arm64");
    const char *manifests =
        arena_printf(&maker->arena, "%s,%s",
                     make_descriptor(maker, first, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}"),
                     make_descriptor(maker, second,
                                     ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}"));
    struct layout_blob root = make_index(maker, OCI_MEDIA_INDEX, manifests, "");
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, root, &image, &err), &err);
    assert_true(image.is_index && digest_eq(&image.root.digest, &root.digest));
    assert_null(image.dir);
    assert_null(image.tag);
    assert_int_equal(image.blobs_fd, -1);
    assert_int_equal(image.manifests.count, 2);
    const struct layout_manifest *manifest = &image.manifests.items[1];
    assert_true(digest_eq(&manifest->blob.digest, &second.digest));
    assert_string_equal(manifest->os, "linux");
    assert_string_equal(manifest->architecture, "arm64");
    assert_string_equal(manifest->variant, "v8");
    assert_null(image.manifests.items[0].variant);
    assert_false(manifest->is_attestation);
    assert_string_equal(manifest->config.media_type, OCI_MEDIA_CONFIG);
    assert_true(text_has_prefix(manifest->config_bytes, "{\"os\""));
    assert_int_equal(manifest->layers.count, 1);
    assert_int_equal(manifest->layers.items[0].size_bytes, 5);
    assert_string_equal(manifest->layers.items[0].media_type, LAYER_TYPE);
}

static void a_single_manifest_is_an_image_whose_platform_is_in_its_config(void **state)
{
    struct maker *maker = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, make_one(maker, "s390x"), &image, &err), &err);
    assert_false(image.is_index);
    assert_int_equal(image.manifests.count, 1);
    assert_string_equal(image.manifests.items[0].architecture, "s390x");
    assert_true(digest_eq(&image.root.digest, &image.manifests.items[0].blob.digest));
}

static void dockers_media_types_are_read_too(void **state)
{
    struct maker *maker = *state;
    struct layout_blob config =
        make_document(maker, LAYOUT_MEDIA_DOCKER_CONFIG, "{\"os\":\"linux\",\"architecture\":\"arm\"," ONE_DIFF_ID "}");
    struct layout_blob child =
        make_manifest(maker, LAYOUT_MEDIA_DOCKER_MANIFEST, config, layer_descriptor(maker, "x"), "");
    struct layout_blob root = make_index(maker, LAYOUT_MEDIA_DOCKER_LIST, make_descriptor(maker, child, ""), "");
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, root, &image, &err), &err);
    assert_true(image.is_index);
    assert_string_equal(image.manifests.items[0].architecture, "arm");
    CHECK_OK(maker_parse(maker, child, &image, &err), &err);
    assert_false(image.is_index);
}

static void a_media_type_field_may_be_missing_but_not_differ(void **state)
{
    struct maker *maker = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, make_document(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":2,\"manifests\":[]}"), &image,
                         &err),
             &err);
    assert_int_equal(image.manifests.count, 0);
    check_refused(maker, OCI_MEDIA_INDEX,
                  "{\"schemaVersion\":2,\"mediaType\":\"" LAYOUT_MEDIA_DOCKER_LIST "\",\"manifests\":[]}",
                  ERR_MALFORMED, "mediaType that differs");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":2,\"mediaType\":7,\"manifests\":[]}", ERR_MALFORMED,
                  "mediaType that differs");
}

static void attestations_are_listed_but_marked(void **state)
{
    struct maker *maker = *state;
    struct layout_blob image_child = make_one(maker, "amd64"), other = make_one(maker, "unknown");
    const char *manifests =
        arena_printf(&maker->arena, "%s,%s,%s", make_descriptor(maker, image_child, ""),
                     make_descriptor(maker, other, ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}"),
                     make_descriptor(maker, image_child,
                                     ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}"));
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, make_index(maker, OCI_MEDIA_INDEX, manifests, ""), &image, &err), &err);
    assert_int_equal(image.manifests.count, 3);
    assert_false(image.manifests.items[0].is_attestation);
    assert_true(image.manifests.items[1].is_attestation);
    assert_true(image.manifests.items[2].is_attestation);
}

static void an_artifact_may_have_a_config_that_is_no_json_and_no_layer(void **state)
{
    struct maker *maker = *state;
    struct layout_blob config = make_document(maker, "application/vnd.example.config", "not JSON");
    struct layout_blob root = make_manifest(maker, OCI_MEDIA_MANIFEST, config, "", "");
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, root, &image, &err), &err);
    assert_true(text_is(image.manifests.items[0].config_bytes, "not JSON"));
    assert_null(image.manifests.items[0].os);
}

static void documents_that_are_index_and_manifest_are_refused(void **state)
{
    struct maker *maker = *state;
    const char *config = make_descriptor(maker, make_config(maker, "amd64"), "");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", ERR_MALFORMED,
                  "two readers would see two images");
    check_refused(maker, OCI_MEDIA_INDEX,
                  arena_printf(&maker->arena, "{\"schemaVersion\":2,\"manifests\":[],\"config\":%s}", config),
                  ERR_MALFORMED, "two readers would see two images");
    check_refused(
        maker, OCI_MEDIA_MANIFEST,
        arena_printf(&maker->arena, "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[],\"config\":%s}", config),
        ERR_MALFORMED, "two readers would see two images");
}

static void documents_of_other_kinds_are_refused(void **state)
{
    struct maker *maker = *state;
    check_refused(maker, "text/html", "<html>", ERR_MALFORMED, "neither an image index nor an image manifest");
    check_refused(maker, OCI_MEDIA_MANIFEST, "{\"schemaVersion\":1,\"fsLayers\":[]}", ERR_MALFORMED, "schema 1");
    check_refused(maker, OCI_MEDIA_MANIFEST, "{\"schemaVersion\":3,\"layers\":[]}", ERR_MALFORMED,
                  "has no schemaVersion 2");
    check_refused(maker, OCI_MEDIA_MANIFEST, "{\"schemaVersion\":2}", ERR_MALFORMED, "has no array \"layers\"");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":2,\"manifests\":{}}", ERR_MALFORMED,
                  "has no array \"manifests\"");
    check_refused(maker, OCI_MEDIA_INDEX, "[]", ERR_MALFORMED, "is not a JSON object");
}

static void json_that_two_readers_may_take_differently_is_refused(void **state)
{
    struct maker *maker = *state;
    char *deep = arena_alloc(&maker->arena, 100001);
    memset(deep, '[', 100000);
    check_refused(maker, OCI_MEDIA_INDEX, deep, ERR_MALFORMED, "maximum parsing depth");
    check_refused(maker, OCI_MEDIA_INDEX, "", ERR_MALFORMED, ":1:0: ");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":2,\"manifests\":[],\"manifests\":[]}", ERR_MALFORMED,
                  "duplicate");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":2,\"manifests\":[]} x", ERR_MALFORMED, "end of file");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":99999999999999999999}", ERR_MALFORMED, "too big");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":NaN}", ERR_MALFORMED, "invalid token");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"a\":\"\\ud800\"}", ERR_MALFORMED, "invalid Unicode");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"a\":\"\\u0000\"}", ERR_MALFORMED, "\\u0000");
    check_refused(maker, OCI_MEDIA_INDEX, "{\"a\":\"\xff\"}", ERR_MALFORMED, "unable to decode");
}

/* Parses an index with this one descriptor. */
static void check_descriptor_refused(struct maker *maker, const char *descriptor, const char *part)
{
    struct layout_image image;
    struct err err = {0};
    assert_false(maker_parse(maker, make_index(maker, OCI_MEDIA_INDEX, descriptor, ""), &image, &err));
    CHECK_ERR(&err, ERR_MALFORMED, part);
    CHECK_ERR(&err, ERR_MALFORMED, "manifests[0]");
    assert_int_equal(maker->asked_count, 0);
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OF_MANIFEST "{\"mediaType\":\"" OCI_MEDIA_MANIFEST "\","

static void bad_descriptors_are_refused_before_anything_is_fetched(void **state)
{
    struct maker *maker = *state;
    check_descriptor_refused(maker, "7", "not a JSON object");
    check_descriptor_refused(maker, "{\"digest\":\"sha256:" HEX64 "\",\"size\":3}", "\"mediaType\"");
    check_descriptor_refused(maker, "{\"mediaType\":\"a/b\\r\\nX: y\",\"digest\":\"sha256:" HEX64 "\",\"size\":3}",
                             "\"mediaType\"");
    check_descriptor_refused(maker, OF_MANIFEST "\"size\":3}", "no \"digest\"");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"sha512:" HEX64 HEX64 "\",\"size\":3}",
                             "algorithm sha256");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"md5:00\",\"size\":3}", "algorithm sha256");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"sha256:../../../../etc/passwd\",\"size\":3}", "64");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"sha256:0011\",\"size\":3}", "64 lower-case");
    check_descriptor_refused(
        maker, OF_MANIFEST "\"digest\":\"sha256:00112233445566778899AABBccddeeff00112233445566778899aabbccddeeff\"}",
        "64 lower-case");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"sha256:" HEX64 "\"}", "\"size\"");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"sha256:" HEX64 "\",\"size\":-1}", "\"size\"");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"sha256:" HEX64 "\",\"size\":1.5}", "\"size\"");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"sha256:" HEX64 "\",\"size\":\"3\"}", "\"size\"");
    check_descriptor_refused(maker, OF_MANIFEST "\"digest\":\"sha256:" HEX64 "\",\"size\":4194305}",
                             "more than the limit of 4194304");
    check_descriptor_refused(
        maker, OF_MANIFEST "\"digest\":\"sha256:" HEX64 "\",\"size\":3,\"platform\":{\"os\":\"a\\u001b[2J\"}}",
        "\"os\"");
}

/* An index of amd64 and arm64/v8, of which the second is not there, with an attestation that is not there either. */
static struct layout_blob make_sparse(struct maker *maker)
{
    struct layout_blob amd64 = make_one(maker, "amd64");
    const char *absent = "{\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"digest\":\"sha256:" HEX64
                         "\",\"size\":3,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}}";
    const char *attestation = "{\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"digest\":\"sha256:" HEX64
                              "\",\"size\":4,\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"},"
                              "\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}}";
    const char *first = make_descriptor(maker, amd64, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
    return make_index(maker, OCI_MEDIA_INDEX, arena_printf(&maker->arena, "%s,%s,%s", first, absent, attestation), "");
}

static void what_was_not_asked_for_need_not_be_there(void **state)
{
    struct maker *maker = *state;
    struct layout_blob root = make_sparse(maker);
    struct platform amd64 = {"linux", "amd64", NULL}, arm64 = {"linux", "arm64", "v8"};
    struct platforms platforms = {&amd64, 1, 1};
    struct layout_wanted wanted = {&platforms, false};
    struct layout_image image;
    struct err err = {0};
    maker->wanted = &wanted;
    CHECK_OK(maker_parse(maker, root, &image, &err), &err);
    assert_int_equal(image.manifests.items[0].unread, LAYOUT_READ);
    assert_int_equal(image.manifests.items[1].unread, LAYOUT_UNWANTED);
    assert_int_equal(image.manifests.items[2].unread, LAYOUT_MISSING);
    layout_image_narrow(&maker->arena, &image);
    assert_false(image.is_index);
    assert_int_equal(image.manifests.count, 1);
    assert_true(digest_eq(&image.root.digest, &image.manifests.items[0].blob.digest));
    platforms.items = &arm64;
    assert_false(maker_parse(maker, root, &image, &err));
    CHECK_ERR(&err, ERR_LOCAL, "manifests[1]");
    err_clear(&err);
    maker->wanted = NULL;
    assert_false(maker_parse(maker, root, &image, &err));
    CHECK_ERR(&err, ERR_LOCAL, "manifests[1]");
}

static void with_leave_a_child_that_is_not_there_is_listed_as_missing_and_another_fault_is_still_an_error(void **state)
{
    struct maker *maker = *state;
    struct layout_blob root = make_sparse(maker);
    struct layout_wanted wanted = {NULL, true};
    struct layout_image image;
    struct err err = {0};
    maker->wanted = &wanted;
    CHECK_OK(maker_parse(maker, root, &image, &err), &err);
    assert_int_equal(image.manifests.items[1].unread, LAYOUT_MISSING);
    assert_string_equal(image.manifests.items[1].architecture, "arm64");
    maker->is_gone = true;
    assert_false(maker_parse(maker, root, &image, &err));
    CHECK_ERR(&err, ERR_LOCAL, "manifests[1]");
    err_clear(&err);
    maker->is_gone = false;
    for (size_t i = 0; i < maker->documents.count; i++) {
        if (digest_eq(&maker->documents.items[i].blob.digest, &image.manifests.items[0].blob.digest))
            maker->documents.items[i].bytes.len--;
    }
    assert_false(maker_parse(maker, root, &image, &err));
    CHECK_ERR(&err, ERR_TRUST, "manifests[0]");
}

static void where_all_is_wanted_a_nested_index_is_read_with_its_children_before_it(void **state)
{
    struct maker *maker = *state;
    const char *child = make_descriptor(maker, make_one(maker, "amd64"), "");
    struct layout_blob nested = make_index(maker, OCI_MEDIA_INDEX, child, "");
    struct layout_blob thing = make_document(maker, "text/html", "<p>");
    const char *both =
        arena_printf(&maker->arena, "%s,%s", make_descriptor(maker, nested, ""), make_descriptor(maker, thing, ""));
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, make_index(maker, OCI_MEDIA_INDEX, both, ""), &image, &err), &err);
    assert_int_equal(image.manifests.count, 3);
    assert_string_equal(image.manifests.items[0].architecture, "amd64");
    assert_int_equal(image.manifests.items[1].unread, LAYOUT_OTHER);
    assert_int_equal(image.manifests.items[1].bytes.len, nested.size_bytes);
    assert_int_equal(image.manifests.items[2].unread, LAYOUT_OTHER);
    assert_true(text_is(image.manifests.items[2].bytes, "<p>"));
    for (int i = 0; i < 16; i++)
        nested = make_index(maker, OCI_MEDIA_INDEX, make_descriptor(maker, nested, ""), "");
    CHECK_OK(maker_parse(maker, nested, &image, &err), &err);
    nested = make_index(maker, OCI_MEDIA_INDEX, make_descriptor(maker, nested, ""), "");
    assert_false(maker_parse(maker, nested, &image, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "indexes in each other");
}

static void children_that_are_no_manifests_are_listed_and_not_read(void **state)
{
    struct maker *maker = *state;
    static const struct layout_wanted all_platforms;
    maker->wanted = &all_platforms;
    static const char *const types[] = {"application/vnd.oci.image.index.v2+json", "text/html"};
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        const char *other =
            arena_printf(&maker->arena, "{\"mediaType\":\"%s\",\"digest\":\"sha256:" HEX64 "\",\"size\":3}", types[i]);
        const char *both =
            arena_printf(&maker->arena, "%s,%s", other, make_descriptor(maker, make_one(maker, "amd64"), ""));
        struct layout_image image;
        struct err err = {0};
        CHECK_OK(maker_parse(maker, make_index(maker, OCI_MEDIA_INDEX, both, ""), &image, &err), &err);
        assert_int_equal(image.manifests.count, 2);
        assert_int_equal(image.manifests.items[0].unread, LAYOUT_OTHER);
        assert_string_equal(image.manifests.items[0].blob.media_type, types[i]);
        assert_null(image.manifests.items[0].bytes.ptr);
        assert_int_equal(image.manifests.items[1].unread, LAYOUT_READ);
        assert_string_equal(image.manifests.items[1].architecture, "amd64");
    }
}

/* Returns what is understood of the annotations of a layer. */
static const struct layer_toc *toc_of(struct maker *maker, const char *digest, const char *table, const char *split)
{
    struct layout_blob layer = {digest_of("x", 1), 1, LAYER_TYPE};
    struct layout_image image;
    struct err err = {0};
    const char *notes = arena_printf(
        &maker->arena,
        ",\"annotations\":{\"" OCI_CHUNKED_ANNOTATION("manifest-checksum") "\":%s,\"" OCI_CHUNKED_ANNOTATION(
            "manifest-position") "\":%s,\"" OCI_CHUNKED_ANNOTATION("tarsplit-position") "\":%s}",
        digest, table, split);
    CHECK_OK(maker_parse(maker,
                         make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, "amd64"),
                                       make_descriptor(maker, layer, notes), ""),
                         &image, &err),
             &err);
    assert_int_equal(image.manifests.items[0].tocs.count, 1);
    return image.manifests.items[0].tocs.items[0];
}

static void a_layer_tells_where_its_table_is_or_that_it_is_told_wrongly(void **state)
{
    struct maker *maker = *state;
    const char *digest = arena_printf(&maker->arena, "\"sha256:%064d\"", 7);
    const struct layer_toc *toc = toc_of(maker, digest, "\"10:20:30:1\"", "\"40:50:60\"");
    assert_non_null(toc);
    assert_int_equal(toc->digest.bytes[DIGEST_BYTES - 1], 7);
    assert_true(toc->offset == 10 && toc->packed_bytes == 20 && toc->plain_bytes == 30 && toc->split_offset == 40 &&
                toc->split_packed_bytes == 50 && toc->split_plain_bytes == 60);
    const char *const bad[][3] = {{"\"sha256:07\"", "\"10:20:30:1\"", "\"40:50:60\""},
                                  {"7", "\"10:20:30:1\"", "\"40:50:60\""},
                                  {digest, "\"10:20:30:2\"", "\"40:50:60\""},
                                  {digest, "\"10:20:30\"", "\"40:50:60\""},
                                  {digest, "\"10:20:30:1:1\"", "\"40:50:60\""},
                                  {digest, "\"10:20:-3:1\"", "\"40:50:60\""},
                                  {digest, "[]", "\"40:50:60\""},
                                  {digest, "\"10:20:30:1\"", "null"},
                                  {digest, "\"10:20:30:1\"", "\"40:50:\""},
                                  {digest, "\"10:20:30:1\"", "\"\""},
                                  {digest, "\"10:20:30:1\"", "\"40:50:99999999999999999999\""}};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_true(toc_of(maker, bad[i][0], bad[i][1], bad[i][2])->is_malformed);
    const char *old =
        arena_printf(&maker->arena, "%s,\"" OCI_OLD_CHUNKED_ANNOTATION("manifest-checksum") "\":%s", digest, digest);
    assert_true(
        toc_of(maker, old, "\"10:20:30:1\"", "\"40:50:60\"")->is_malformed); /* which of the two would a client take? */
}

static void null_is_an_empty_list(void **state)
{
    struct maker *maker = *state;
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, make_document(maker, OCI_MEDIA_INDEX, "{\"schemaVersion\":2,\"manifests\":null}"),
                         &image, &err),
             &err);
    assert_int_equal(image.manifests.count, 0);
}

static void a_layer_above_the_limit_is_refused(void **state)
{
    struct maker *maker = *state;
    struct layout_blob layer = {digest_of("x", 1), LAYOUT_LAYER_MAX_BYTES, LAYER_TYPE};
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker,
                         make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, "a"),
                                       make_descriptor(maker, layer, ""), ""),
                         &image, &err),
             &err);
    layer.size_bytes++;
    assert_false(maker_parse(
        maker, make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, "a"), make_descriptor(maker, layer, ""), ""),
        &image, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "layers[0]: sha256:");
}

static void counts_above_the_limits_are_refused(void **state)
{
    struct maker *maker = *state;
    AUTO(buf_done) struct buf many = {0};
    buf_init(&many, (size_t)4 << 20);
    const char *layer = layer_descriptor(maker, "x");
    for (size_t i = 0; i <= LAYOUT_LAYERS_MAX_COUNT; i++)
        assert_true(buf_printf(&many, "%s%s", i ? "," : "", layer));
    struct layout_image image;
    struct err err = {0};
    assert_false(maker_parse(maker, make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, "a"), many.bytes, ""),
                             &image, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "513 layers");
    err_clear(&err);
    assert_false(maker_parse(maker, make_index(maker, OCI_MEDIA_INDEX, many.bytes, ""), &image, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "513 manifests");
}

static void documents_that_are_too_much_together_are_refused(void **state)
{
    struct maker *maker = *state;
    AUTO(buf_done) struct buf many = {0};
    AUTO(auto_free) char *padding = malloc(4000001);
    assert_non_null(padding);
    memset(padding, ' ', 4000000);
    padding[4000000] = 0;
    struct layout_blob child =
        make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, "a"), layer_descriptor(maker, "x"), padding);
    buf_init(&many, (size_t)4 << 20);
    for (size_t i = 0; i < 17; i++)
        assert_true(buf_printf(&many, "%s%s", i ? "," : "", make_descriptor(maker, child, "")));
    struct layout_image image;
    struct err err = {0};
    assert_false(maker_parse(maker, make_index(maker, OCI_MEDIA_INDEX, many.bytes, ""), &image, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "together");
    assert_true(maker->asked_count <= 2 * 16);
}

static void wrong_bytes_and_wrong_sizes_of_documents_are_found(void **state)
{
    struct maker *maker = *state;
    struct layout_blob child = make_one(maker, "amd64");
    struct layout_image image;
    struct err err = {0};
    child.size_bytes++;
    assert_false(
        maker_parse(maker, make_index(maker, OCI_MEDIA_INDEX, make_descriptor(maker, child, ""), ""), &image, &err));
    CHECK_ERR(&err, ERR_TRUST, "expected ");
    err_clear(&err);
    child.size_bytes--;
    struct text *bytes = NULL;
    for (size_t i = 0; i < maker->documents.count; i++) {
        if (digest_eq(&maker->documents.items[i].blob.digest, &child.digest))
            bytes = &maker->documents.items[i].bytes;
    }
    assert_non_null(bytes);
    *bytes = text_of(arena_strndup(&maker->arena, bytes->ptr, bytes->len));
    ((char *)bytes->ptr)[bytes->len - 2] = ' ';
    assert_false(
        maker_parse(maker, make_index(maker, OCI_MEDIA_INDEX, make_descriptor(maker, child, ""), ""), &image, &err));
    CHECK_ERR(&err, ERR_TRUST, ", got sha256:");
    err_clear(&err);
    assert_false(maker_parse(maker, child, &image, &err));
    CHECK_ERR(&err, ERR_TRUST, ", got sha256:");
}

static void a_config_with_another_number_of_layers_is_refused(void **state)
{
    struct maker *maker = *state;
    const char *layer = layer_descriptor(maker, "x");
    struct layout_image image;
    struct err err = {0};
    assert_false(maker_parse(maker,
                             make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, "a"),
                                           arena_printf(&maker->arena, "%s,%s", layer, layer), ""),
                             &image, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "1 diff_ids for 2 layers");
}

/* --- layouts on disk --- */

struct disk {
    struct maker maker;
    const char *dir, *layout; /* layout: fresh for each test */
    struct store *store;
    unsigned layouts;
};

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static int disk_set_up(void **state)
{
    struct disk *disk = calloc(1, sizeof *disk);
    struct err err = {0};
    disk->dir = arena_strdup(&disk->maker.arena, check_temporary_dir());
    disk->layout = arena_printf(&disk->maker.arena, "%s/layout", disk->dir);
    CHECK_OK(store_open(arena_printf(&disk->maker.arena, "%s/cache", disk->dir), NULL, &disk->store, &err), &err);
    *state = disk;
    return 0;
}

static int disk_tear_down(void **state)
{
    struct disk *disk = *state;
    store_close(disk->store);
    assert_int_equal(nftw(disk->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    arena_done(&disk->maker.arena);
    free(disk);
    return 0;
}

static struct layout_blob keep_layer(struct disk *disk, const char *content)
{
    struct blob blob = {0};
    struct err err = {0};
    CHECK_OK(blob_begin(disk->store, &blob, &err), &err);
    CHECK_OK(blob_write(&blob, content, strlen(content), &err), &err);
    CHECK_OK(blob_commit(&blob, NULL, NULL, &err), &err);
    return (struct layout_blob){digest_of(content, strlen(content)), strlen(content), LAYER_TYPE};
}

/* An image of two platforms whose layers are in the store. */
static struct layout_image make_image(struct disk *disk, const char *content, const char *index_type)
{
    struct maker *maker = &disk->maker;
    struct layout_blob layer = keep_layer(disk, content);
    const char *descriptor = make_descriptor(maker, layer, "");
    struct layout_blob first = make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, "amd64"), descriptor, "");
    struct layout_blob second = make_manifest(maker, OCI_MEDIA_MANIFEST, make_config(maker, "arm64"), descriptor, "");
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker,
                         make_index(maker, index_type,
                                    arena_printf(&maker->arena, "%s, %s", make_descriptor(maker, first, ""),
                                                 make_descriptor(maker, second, "")),
                                    ""),
                         &image, &err),
             &err);
    return image;
}

static bool import(struct disk *disk, const struct layout_image *image, const char *tag)
{
    struct err err = {0};
    struct strings tags = {&tag, 1, 1};
    struct layout_import_request request = {.dir = disk->layout, .store = disk->store, .image = image, .tags = &tags};
    bool is_unchanged = false;
    CHECK_OK(layout_import(&request, &is_unchanged, &err), &err);
    return is_unchanged;
}

static bool disk_open(struct disk *disk, const char *tag, struct layout_image *ret_image, struct err *err)
{
    struct layout_choice choice = {.dir = disk->layout, .tag = tag, .wanted = disk->maker.wanted};
    return layout_image_open(&disk->maker.arena, &choice, ret_image, err);
}

static void check_open_fails(struct disk *disk, const char *tag, enum err_kind kind, const char *part)
{
    struct layout_image image;
    struct err err = {0};
    assert_false(disk_open(disk, tag, &image, &err));
    CHECK_ERR(&err, kind, part);
}

static const char *blob_path(struct disk *disk, const struct digest *digest)
{
    return arena_printf(&disk->maker.arena, "%s/blobs/sha256/%s", disk->layout, digest_hex(digest).chars);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void an_imported_image_is_read_back_byte_by_byte(void **state)
{
    struct disk *disk = *state;
    struct layout_image image = make_image(disk, "layer", LAYOUT_MEDIA_DOCKER_LIST);
    assert_false(import(disk, &image, "v1"));
    assert_true(import(disk, &image, "v1"));
    AUTO(layout_image_close) struct layout_image got = {.blobs_fd = -1};
    AUTO(auto_close_fd) int fd = -1;
    struct err err = {0};
    CHECK_OK(disk_open(disk, "v1", &got, &err), &err);
    assert_string_equal(got.dir, disk->layout);
    assert_string_equal(got.tag, "v1");
    assert_string_equal(got.root.media_type, LAYOUT_MEDIA_DOCKER_LIST);
    assert_true(text_eq(got.root_bytes, image.root_bytes));
    assert_int_equal(got.manifests.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(text_eq(got.manifests.items[i].bytes, image.manifests.items[i].bytes));
        assert_true(text_eq(got.manifests.items[i].config_bytes, image.manifests.items[i].config_bytes));
    }
    char bytes[6] = {0};
    CHECK_OK(layout_blob_open(&got, &got.manifests.items[0].layers.items[0], &fd, &err), &err);
    assert_int_equal(read(fd, bytes, sizeof bytes), 5);
    assert_string_equal(bytes, "layer");
}

static void an_image_of_a_layout_is_found_by_its_digest(void **state)
{
    struct disk *disk = *state;
    struct layout_image first = make_image(disk, "first", OCI_MEDIA_INDEX);
    struct layout_image second = make_image(disk, "second", OCI_MEDIA_INDEX);
    assert_false(import(disk, &first, "v1"));
    assert_false(import(disk, &second, "latest"));
    AUTO(layout_image_close) struct layout_image got = {.blobs_fd = -1};
    struct layout_choice choice = {.dir = disk->layout, .digest = &first.root.digest};
    struct err err = {0};
    CHECK_OK(layout_image_open(&disk->maker.arena, &choice, &got, &err), &err);
    assert_string_equal(got.tag, "v1");
    assert_true(layout_image_has(&got, &first.root.digest));
    assert_true(layout_image_has(&got, &first.manifests.items[1].blob.digest));
    assert_false(layout_image_has(&got, &second.root.digest));
    struct layout_image none;
    struct digest other = digest_of("x", 1);
    choice.digest = &other;
    assert_false(layout_image_open(&disk->maker.arena, &choice, &none, &err));
    CHECK_ERR(&err, ERR_RESOLVE,
              "has no image sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881; it has: ");
}

static void a_single_manifest_is_imported_too(void **state)
{
    struct disk *disk = *state;
    struct layout_blob layer = keep_layer(disk, "single");
    struct layout_image image;
    AUTO(layout_image_close) struct layout_image got = {.blobs_fd = -1};
    struct err err = {0};
    CHECK_OK(maker_parse(&disk->maker,
                         make_manifest(&disk->maker, OCI_MEDIA_MANIFEST, make_config(&disk->maker, "riscv64"),
                                       make_descriptor(&disk->maker, layer, ""), ""),
                         &image, &err),
             &err);
    assert_false(import(disk, &image, "latest"));
    CHECK_OK(disk_open(disk, NULL, &got, &err), &err);
    assert_false(got.is_index);
    assert_string_equal(got.manifests.items[0].architecture, "riscv64");
}

static void a_replaced_tag_takes_its_blobs_away_and_leaves_those_of_others(void **state)
{
    struct disk *disk = *state;
    struct layout_image old = make_image(disk, "old layer", OCI_MEDIA_INDEX);
    struct layout_image new = make_image(disk, "new layer", OCI_MEDIA_INDEX);
    struct layout_image other = make_image(disk, "other layer", OCI_MEDIA_INDEX);
    assert_false(import(disk, &old, "a"));
    assert_false(import(disk, &other, "b"));
    assert_false(import(disk, &new, "a"));
    assert_int_not_equal(access(blob_path(disk, &old.root.digest), F_OK), 0);
    AUTO(layout_image_close) struct layout_image got = {.blobs_fd = -1}, got_other = {.blobs_fd = -1};
    struct err err = {0};
    CHECK_OK(disk_open(disk, "a", &got, &err), &err);
    CHECK_OK(disk_open(disk, "b", &got_other, &err), &err);
    assert_true(digest_eq(&got.root.digest, &new.root.digest));
    assert_true(digest_eq(&got_other.root.digest, &other.root.digest));
}

static void importing_without_a_layer_in_the_store_leaves_the_tag_alone(void **state)
{
    struct disk *disk = *state;
    struct layout_image image = make_image(disk, "first", OCI_MEDIA_INDEX), broken = image;
    assert_false(import(disk, &image, "v1"));
    struct err err = {0};
    CHECK_OK(maker_parse(&disk->maker, make_one(&disk->maker, "amd64"), &broken, &err), &err);
    struct strings tags = {(const char *[]){"v1"}, 1, 1};
    struct layout_import_request request = {.dir = disk->layout, .store = disk->store, .image = &broken, .tags = &tags};
    bool is_unchanged;
    assert_false(layout_import(&request, &is_unchanged, &err));
    CHECK_ERR(&err, ERR_LOCAL, "not in the cache");
    err_clear(&err);
    AUTO(layout_image_close) struct layout_image got = {.blobs_fd = -1};
    CHECK_OK(disk_open(disk, "v1", &got, &err), &err);
    assert_true(digest_eq(&got.root.digest, &image.root.digest));
}

static void without_a_tag_the_only_image_or_latest_is_opened(void **state)
{
    struct disk *disk = *state;
    struct layout_image first = make_image(disk, "1", OCI_MEDIA_INDEX), second = make_image(disk, "2", OCI_MEDIA_INDEX);
    struct err err = {0};
    assert_false(import(disk, &first, "v1"));
    assert_false(import(disk, &first, "v1.0"));
    AUTO(layout_image_close) struct layout_image only = {.blobs_fd = -1}, latest = {.blobs_fd = -1};
    CHECK_OK(disk_open(disk, NULL, &only, &err), &err);
    assert_string_equal(only.tag, "v1");
    assert_false(import(disk, &second, "v2"));
    check_open_fails(disk, NULL, ERR_USAGE, "none is tagged latest; it has: v1, v1.0, v2");
    assert_false(import(disk, &second, "latest"));
    CHECK_OK(disk_open(disk, NULL, &latest, &err), &err);
    assert_string_equal(latest.tag, "latest");
    assert_true(digest_eq(&latest.root.digest, &second.root.digest));
    check_open_fails(disk, "v3", ERR_USAGE, "has no tag \"v3\"; it has: v1, v1.0, v2, latest");
}

static void what_is_no_layout_is_said_to_be_none(void **state)
{
    struct disk *disk = *state;
    check_open_fails(disk, NULL, ERR_USAGE, "there is no image layout");
    assert_int_equal(mkdir(disk->layout, 0700), 0);
    check_open_fails(disk, NULL, ERR_USAGE, "has no file oci-layout");
    write_text(arena_printf(&disk->maker.arena, "%s/oci-layout", disk->layout), "{\"imageLayoutVersion\":\"1.0.0\"}");
    check_open_fails(disk, NULL, ERR_LOCAL, "blobs/sha256");
    assert_int_equal(mkdir(arena_printf(&disk->maker.arena, "%s/blobs", disk->layout), 0700), 0);
    assert_int_equal(mkdir(arena_printf(&disk->maker.arena, "%s/blobs/sha256", disk->layout), 0700), 0);
    check_open_fails(disk, NULL, ERR_USAGE, "holds no image");
}

static void damaged_missing_and_linked_blobs_are_found(void **state)
{
    struct disk *disk = *state;
    struct layout_image image = make_image(disk, "layer", OCI_MEDIA_INDEX);
    assert_false(import(disk, &image, "v1"));
    const char *path = blob_path(disk, &image.manifests.items[0].blob.digest);
    const char *same_size = arena_printf(&disk->maker.arena, "%*s", (int)image.manifests.items[0].bytes.len, "{}");
    write_text(path, same_size);
    check_open_fails(disk, "v1", ERR_TRUST, ", got sha256:");
    write_text(path, "{}");
    check_open_fails(disk, "v1", ERR_TRUST, "bytes, got 2");
    assert_int_equal(unlink(path), 0);
    check_open_fails(disk, "v1", ERR_MALFORMED, "is missing");
    assert_int_equal(symlink("/etc/passwd", path), 0);
    check_open_fails(disk, "v1", ERR_LOCAL, "cannot open");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    check_open_fails(disk, "v1", ERR_MALFORMED, "not a regular file");
}

static void a_tag_of_two_images_is_refused(void **state)
{
    struct disk *disk = *state;
    struct layout_image first = make_image(disk, "1", OCI_MEDIA_INDEX), second = make_image(disk, "2", OCI_MEDIA_INDEX);
    static const char named[] = ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}";
    assert_false(import(disk, &first, "v1"));
    write_text(arena_printf(&disk->maker.arena, "%s/index.json", disk->layout),
               arena_printf(&disk->maker.arena, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}",
                            make_descriptor(&disk->maker, first.root, named),
                            make_descriptor(&disk->maker, second.root, named)));
    check_open_fails(disk, "v1", ERR_MALFORMED, "to several images");
}

static void an_index_json_of_platforms_without_names_is_the_image_itself(void **state)
{
    struct disk *disk = *state;
    struct maker *maker = &disk->maker;
    struct layout_image image = make_image(disk, "layer", OCI_MEDIA_INDEX);
    struct layout_blob child = image.manifests.items[0].blob;
    AUTO(layout_image_close) struct layout_image got = {.blobs_fd = -1};
    struct err err = {0};
    assert_false(import(disk, &image, "v1"));
    const char *amd64 = make_descriptor(maker, child, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
    const char *arm64 = make_descriptor(maker, child, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}");
    const char *text = arena_printf(&maker->arena, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", amd64, arm64);
    const char *path = arena_printf(&maker->arena, "%s/index.json", disk->layout);
    write_text(path, text);
    CHECK_OK(disk_open(disk, NULL, &got, &err), &err);
    struct digest digest = digest_of(text, strlen(text));
    assert_true(got.is_index && digest_eq(&got.root.digest, &digest));
    assert_int_equal(got.manifests.count, 2);
    assert_string_equal(got.manifests.items[1].architecture, "arm64");
    check_open_fails(disk, "v1", ERR_USAGE, "has no tag \"v1\"");
    /* one without a platform: these are several images */
    write_text(path, arena_printf(&maker->arena, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", amd64,
                                  make_descriptor(maker, image.root, "")));
    check_open_fails(disk, NULL, ERR_USAGE, "several images");
}

#define IN_MEMORY(test) cmocka_unit_test_setup_teardown(test, maker_set_up, maker_tear_down)
#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, disk_set_up, disk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MEMORY(an_index_gives_its_manifests_in_order_with_platform_config_and_layers),
        IN_MEMORY(a_single_manifest_is_an_image_whose_platform_is_in_its_config),
        IN_MEMORY(dockers_media_types_are_read_too),
        IN_MEMORY(a_media_type_field_may_be_missing_but_not_differ),
        IN_MEMORY(attestations_are_listed_but_marked),
        IN_MEMORY(an_artifact_may_have_a_config_that_is_no_json_and_no_layer),
        IN_MEMORY(documents_that_are_index_and_manifest_are_refused),
        IN_MEMORY(documents_of_other_kinds_are_refused),
        IN_MEMORY(json_that_two_readers_may_take_differently_is_refused),
        IN_MEMORY(children_that_are_no_manifests_are_listed_and_not_read),
        IN_MEMORY(where_all_is_wanted_a_nested_index_is_read_with_its_children_before_it),
        IN_MEMORY(what_was_not_asked_for_need_not_be_there),
        IN_MEMORY(with_leave_a_child_that_is_not_there_is_listed_as_missing_and_another_fault_is_still_an_error),
        IN_MEMORY(a_layer_tells_where_its_table_is_or_that_it_is_told_wrongly),
        IN_MEMORY(null_is_an_empty_list),
        IN_MEMORY(bad_descriptors_are_refused_before_anything_is_fetched),
        IN_MEMORY(a_layer_above_the_limit_is_refused),
        IN_MEMORY(counts_above_the_limits_are_refused),
        IN_MEMORY(documents_that_are_too_much_together_are_refused),
        IN_MEMORY(wrong_bytes_and_wrong_sizes_of_documents_are_found),
        IN_MEMORY(a_config_with_another_number_of_layers_is_refused),
        ON_DISK(an_imported_image_is_read_back_byte_by_byte),
        ON_DISK(an_image_of_a_layout_is_found_by_its_digest),
        ON_DISK(a_single_manifest_is_imported_too),
        ON_DISK(a_replaced_tag_takes_its_blobs_away_and_leaves_those_of_others),
        ON_DISK(importing_without_a_layer_in_the_store_leaves_the_tag_alone),
        ON_DISK(without_a_tag_the_only_image_or_latest_is_opened),
        ON_DISK(what_is_no_layout_is_said_to_be_none),
        ON_DISK(damaged_missing_and_linked_blobs_are_found),
        ON_DISK(a_tag_of_two_images_is_refused),
        ON_DISK(an_index_json_of_platforms_without_names_is_the_image_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
