/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing as a transaction, against registry_server.py. In every case a tag is at the old index or the new one, the
 * index it is at is complete, and the result agrees with the registry. */
#include "registry_kit.h"

static const char *digest_name(const struct digest *digest)
{
    return arena_printf(&kit.arena, "sha256:%s", digest_hex(digest).chars);
}

static const char *tag_at(const char *tag)
{
    return kit_ask(&kit, "GET", arena_printf(&kit.arena, "tag/%s", tag), "");
}

static bool push(struct registry *registry, const struct layout_image *image, const char *tags_text,
                 struct push_result *ret_result, struct err *err)
{
    struct strings *tags = arena_new(&kit.arena, struct strings);
    struct text rest = text_of(tags_text), tag;
    while (text_next_word(&rest, &tag))
        list_add(&kit.arena, tags, text_dup(&kit.arena, tag));
    struct push_request request = {
        .image = image, .tags = tags, .policy.receipts_dir = arena_printf(&kit.arena, "%s/pushed", kit.base)};
    return push_image(registry, &kit.arena, &request, ret_result, err);
}

/* Everything that the index under the tag reaches is there: asked of the registry itself. */
static void check_complete(const char *tag)
{
    struct err err = {0};
    struct registry *registry = kit_open_login(&kit);
    struct registry_manifest root, child;
    CHECK_OK(registry_get_manifest(registry, &kit.arena, tag, &root, &err), &err);
    assert_true(root.is_found);
    for (const char *at = strstr(root.bytes, "sha256:"); at; at = strstr(at + 1, "sha256:")) {
        const char *name = arena_strndup(&kit.arena, at, 71);
        CHECK_OK(registry_get_manifest(registry, &kit.arena, name, &child, &err), &err);
        assert_true(child.is_found);
    }
    registry_close(registry);
}

/* Checks each tag of a result against the registry: moved or already there means ours. */
static void check_agrees(const struct push_result *result)
{
    for (size_t i = 0; i < result->tags.count; i++) {
        const struct push_tag *tag = &result->tags.items[i];
        bool was_ours = tag->had_old && digest_eq(&tag->old_digest, &result->digest);
        bool is_ours = strcmp(tag_at(tag->name), digest_name(&result->digest)) == 0;
        assert_int_equal(is_ours, tag->is_moved || was_ours);
        if (is_ours)
            check_complete(tag->name);
    }
}

/* Pushes image "b" over "a" under these settings' faults; it must succeed. */
static void check_absorbed(const char *settings)
{
    struct err err = {0};
    struct push_result result;
    struct registry *registry = kit_open_login(&kit);
    struct layout_image image = kit_image(&kit, "b");
    kit_set(&kit, settings);
    CHECK_OK(push(registry, &image, "latest v1", &result, &err), &err);
    assert_false(result.is_unchanged);
    assert_string_equal(tag_at("latest"), digest_name(&image.root.digest));
    check_agrees(&result);
    registry_close(registry);
    layout_image_close(&image);
}

/* The old image is under both tags, then a push of another one fails; both tags stay where they were. */
static void check_fails(const char *faults, enum err_kind kind, const char *part)
{
    struct err err = {0};
    struct push_result result;
    struct registry_options options = kit_options(&kit);
    options.retries = 2;
    struct registry *registry = kit_open(&kit, &options);
    struct layout_image old = kit_image(&kit, "a"), image = kit_image(&kit, "b");
    kit_set(&kit, faults);
    CHECK_OK(push(registry, &old, "latest v1", &result, &err), &err);
    assert_false(push(registry, &image, "latest v1", &result, &err));
    CHECK_ERR(&err, kind, part);
    assert_string_equal(tag_at("latest"), digest_name(&old.root.digest));
    assert_string_equal(tag_at("v1"), digest_name(&old.root.digest));
    check_agrees(&result);
    registry_close(registry);
    layout_image_close(&old);
    layout_image_close(&image);
}

static void an_image_is_pushed_and_its_tags_moved_in_order(void **state)
{
    (void)state;
    struct err err = {0};
    struct push_result result;
    struct registry *registry = kit_open_plain(&kit);
    struct layout_image image = kit_image(&kit, "a");
    kit_set(&kit, "");
    CHECK_OK(push(registry, &image, "latest 4.4 4.4.3-2 latest", &result, &err), &err);
    assert_int_equal(result.tags.count, 3);
    assert_string_equal(result.tags.items[0].name, "4.4.3-2");
    assert_string_equal(result.tags.items[1].name, "latest");
    assert_string_equal(result.tags.items[2].name, "4.4");
    assert_int_equal(result.blob_count, 4);
    assert_true(result.sent_bytes > KIT_BIG_BYTES);
    check_agrees(&result);
    registry_close(registry);
    layout_image_close(&image);
}

static void an_unchanged_image_costs_at_most_three_requests(void **state)
{
    (void)state;
    static const char *const settings[] = {"", "\"auth\":\"basic\"", "\"auth\":\"bearer\""};
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        struct err err = {0};
        struct push_result result;
        struct layout_image image = kit_image(&kit, "a");
        struct registry *first = kit_open_login(&kit), *second = kit_open_login(&kit);
        kit_set(&kit, settings[i]);
        CHECK_OK(push(first, &image, "latest", &result, &err), &err);
        unsigned before = kit_count(&kit, "");
        CHECK_OK(push(second, &image, "latest", &result, &err), &err);
        assert_true(result.is_unchanged);
        CHECK_RANGE(kit_count(&kit, "") - before, 1, 3);
        registry_close(first);
        registry_close(second);
        layout_image_close(&image);
    }
}

static void what_is_there_is_not_sent_again(void **state)
{
    (void)state;
    struct err err = {0};
    struct push_result result;
    struct registry *registry = kit_open_plain(&kit);
    struct layout_image image = kit_image(&kit, "a"), other = kit_image(&kit, "b");
    kit_set(&kit, "");
    CHECK_OK(push(registry, &image, "v1", &result, &err), &err);
    CHECK_OK(push(registry, &image, "v1 v2", &result, &err), &err); /* only a tag */
    assert_int_equal(result.sent_bytes, 0);
    assert_int_equal(result.tags.items[0].is_moved, false);
    assert_int_equal(result.tags.items[1].is_moved, true);
    CHECK_OK(push(registry, &image, "v3", &result, &err), &err);
    assert_int_equal(result.sent_bytes, 0);
    assert_int_equal(result.present_count, 4);
    CHECK_OK(push(registry, &other, "v1", &result, &err), &err);
    assert_true(result.tags.items[0].had_old);
    assert_true(digest_eq(&result.tags.items[0].old_digest, &image.root.digest));
    check_agrees(&result);
    registry_close(registry);
    layout_image_close(&image);
    layout_image_close(&other);
}

static void a_single_manifest_is_pushed_as_well(void **state)
{
    (void)state;
    struct err err = {0};
    struct push_result result;
    struct registry *registry = kit_open_plain(&kit);
    struct layout_image image = kit_image(&kit, "a");
    image.manifests.count = 1;
    image.is_index = false;
    image.root = image.manifests.items[0].blob;
    image.root_bytes = image.manifests.items[0].bytes;
    kit_set(&kit, "");
    CHECK_OK(push(registry, &image, "amd64", &result, &err), &err);
    assert_string_equal(tag_at("amd64"), digest_name(&image.root.digest));
    registry_close(registry);
    layout_image_close(&image);
}

static void every_transient_fault_of_every_request_is_absorbed(void **state)
{
    (void)state;
    static const char *const requests[] = {"\"method\":\"HEAD\",\"path\":\"manifests/(latest|v1)\"",
                                           "\"method\":\"GET\",\"path\":\"manifests/(latest|v1)\"",
                                           "\"method\":\"POST\",\"path\":\"uploads\"",
                                           "\"method\":\"PUT\",\"path\":\"uploads\"",
                                           "\"method\":\"PUT\",\"path\":\"manifests/sha\"",
                                           "\"method\":\"HEAD\",\"path\":\"manifests/sha\"",
                                           "\"method\":\"PUT\",\"path\":\"manifests/(latest|v1)\"",
                                           "\"path\":\"/token\""};
    static const char *const kinds[] = {"\"do\":\"status\",\"code\":503",
                                        "\"do\":\"status\",\"code\":429",
                                        "\"do\":\"status\",\"code\":401",
                                        "\"do\":\"reset\"",
                                        "\"do\":\"lose\"",
                                        "\"do\":\"digest\",\"value\":null",
                                        "\"do\":\"digest\",\"value\":\"sha256:0000\""};
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(kinds); j++) {
            for (int at = 1; at <= 2; at++) {
                if (i == 7 && j == 2)
                    continue; /* 401 of the token service is a refusal */
                check_absorbed(arena_printf(&kit.arena, "\"auth\":\"%s\",\"faults\":[{%s,%s,\"at\":%d}]",
                                            i == 7 ? "bearer" : "none", requests[i], kinds[j], at));
            }
        }
    }
}

static void children_that_vanish_are_pushed_again(void **state)
{
    (void)state;
    check_absorbed("\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests/sha\",\"do\":\"forget\"}]");
    check_absorbed("\"quay\":true,\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests/sha\",\"do\":\"forget\"}]");
    check_absorbed("\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests/sha\",\"do\":\"pretend\"}]");
    check_absorbed("\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests/sha\",\"at\":3,\"do\":\"pretend\"}]");
    check_absorbed("\"quay\":true,\"faults\":[{\"method\":\"PUT\",\"path\":\"uploads/s\",\"do\":\"pretend\"}]");
}

static void permanent_failures_leave_the_tags_where_they_were(void **state)
{
    (void)state;
    check_fails("\"faults\":[{\"method\":\"PUT\",\"path\":\"uploads\",\"at\":5,\"do\":\"status\",\"code\":403}]",
                ERR_PUBLISH, "HTTP status 403");
    check_fails("\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests/sha\",\"at\":4,\"do\":\"status\",\"code\":400,"
                "\"body\":\"{\\\"errors\\\":[{\\\"code\\\":\\\"MANIFEST_INVALID\\\",\\\"message\\\":\\\"no\\\","
                "\\\"detail\\\":{\\\"message\\\":\\\"schema says no\\\"}}]}\"}]",
                ERR_PUBLISH, "schema says no");
    check_fails("\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests/sha\",\"at\":6,\"do\":\"status\",\"code\":413}]",
                ERR_PUBLISH, "413");
    check_fails("\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests/v1\",\"at\":2,\"do\":\"status\",\"code\":409}]",
                ERR_PUBLISH, "409");
}

static void a_tag_that_fails_after_another_is_told_apart(void **state)
{
    (void)state;
    struct err err = {0};
    struct push_result result;
    struct registry *registry = kit_open_plain(&kit);
    struct layout_image image = kit_image(&kit, "a");
    kit_set(&kit,
            "\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests/latest\",\"at\":0,\"do\":\"status\",\"code\":403}]");
    assert_false(push(registry, &image, "latest v1", &result, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "manifests/latest");
    assert_true(result.tags.items[0].is_moved);
    assert_false(result.tags.items[1].is_moved);
    check_agrees(&result);
    registry_close(registry);
    layout_image_close(&image);
}

static void cancelling_ends_a_push(void **state)
{
    (void)state;
    struct err err = {0};
    struct push_result result;
    struct registry *registry = kit_open_plain(&kit);
    struct layout_image image = kit_image(&kit, "a");
    kit_set(&kit, "");
    kit.is_cancelled = true;
    assert_false(push(registry, &image, "latest", &result, &err));
    kit.is_cancelled = false;
    CHECK_ERR(&err, ERR_CANCELLED, "cancelled");
    registry_close(registry);
    layout_image_close(&image);
}

static void a_tag_is_pointed_at_what_is_there(void **state)
{
    (void)state;
    struct err err = {0};
    struct push_result result;
    struct push_policy policy = {0};
    struct registry *registry = kit_open_plain(&kit);
    struct layout_image old = kit_image(&kit, "a"), image = kit_image(&kit, "b");
    kit_set(&kit, "");
    CHECK_OK(push(registry, &old, "v1", &result, &err), &err);
    CHECK_OK(push(registry, &image, "v1", &result, &err), &err);
    CHECK_OK(push_tag(registry, &kit.arena, &old.root.digest, "v1", &policy, &result, &err), &err); /* the rollback */
    assert_true(result.tags.items[0].is_moved && digest_eq(&result.tags.items[0].old_digest, &image.root.digest));
    assert_string_equal(tag_at("v1"), digest_name(&old.root.digest));
    struct digest unknown = digest_of("x", 1);
    assert_false(push_tag(registry, &kit.arena, &unknown, "v1", &policy, &result, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "no such manifest");
    err_clear(&err);
    assert_false(push(registry, &image, "not/a/tag", &result, &err));
    CHECK_ERR(&err, ERR_USAGE, "not a valid tag");
    registry_close(registry);
    layout_image_close(&old);
    layout_image_close(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_pushed_and_its_tags_moved_in_order),
        cmocka_unit_test(an_unchanged_image_costs_at_most_three_requests),
        cmocka_unit_test(what_is_there_is_not_sent_again),
        cmocka_unit_test(a_single_manifest_is_pushed_as_well),
        cmocka_unit_test(every_transient_fault_of_every_request_is_absorbed),
        cmocka_unit_test(children_that_vanish_are_pushed_again),
        cmocka_unit_test(permanent_failures_leave_the_tags_where_they_were),
        cmocka_unit_test(a_tag_that_fails_after_another_is_told_apart),
        cmocka_unit_test(cancelling_ends_a_push),
        cmocka_unit_test(a_tag_is_pointed_at_what_is_there),
    };
    return cmocka_run_group_tests(tests, kit_set_up, kit_tear_down);
}
