/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on an image, against registry_server.py: once, before the tags, beside what others put there. */
#include "registry_kit.h"

#include "registry/attach.h"

#define TYPE "application/vnd.example.document+json"
#define SIGNATURE_TYPE "application/vnd.example.signed+json"
#define SIGNATURE_KEY "example/signature"

/* A giver whose documents say the same each time, in other bytes. */
struct giving {
    const char *says;
    int made;
    bool is_exact, has_signatures;
};

static bool is_same(const void *context, struct text there)
{
    const struct giving *giving = context;
    return text_has_prefix(there, giving->says);
}

static bool make(void *context, struct arena *arena, struct text *ret_document, struct err *err)
{
    (void)err;
    struct giving *giving = context;
    giving->made++;
    *ret_document = text_of(giving->is_exact ? giving->says : arena_printf(arena, "%s %d", giving->says, giving->made));
    return true;
}

static bool is_same_signature(const void *context, const char *there)
{
    return is_same(context, text_of(there));
}

static bool make_signature(void *context, struct arena *arena, const char **ret_signature, struct err *err)
{
    struct text text;
    bool is_made = make(context, arena, &text, err);
    *ret_signature = text.ptr;
    return is_made;
}

static bool give(void *context, struct arena *arena, const struct attach_target *target, struct attach_list *list,
                 struct err *err)
{
    (void)err;
    static const struct registry_note notes[] = {{"example.kind", "test"}};
    struct giving *giving = context;
    struct digest identity = digest_of(giving->says, strlen(giving->says));
    for (size_t i = 0; i <= target->image->manifests.count; i++)
        list_add(
            arena, &list->documents,
            (struct attach_document){.subject = i ? target->image->manifests.items[i - 1].blob : target->image->root,
                                     .type = TYPE,
                                     .notes = notes,
                                     .note_count = 1,
                                     .identity = identity,
                                     .is_same = giving->is_exact ? NULL : is_same,
                                     .make = make,
                                     .context = giving});
    for (size_t i = 0; giving->has_signatures && i < target->tag_count; i++)
        list_add(arena, &list->signatures,
                 (struct attach_signature){.subject = target->tags[i].digest,
                                           .type = SIGNATURE_TYPE,
                                           .key = SIGNATURE_KEY,
                                           .payload = text_of(target->tags[i].name),
                                           .identity = digest_of(target->tags[i].name, strlen(target->tags[i].name)),
                                           .is_passing = target->tags[i].is_passing,
                                           .is_same = is_same_signature,
                                           .make = make_signature,
                                           .context = giving});
    return true;
}

static size_t push(struct giving *giving, const struct layout_image *image, bool is_forced, const char *tag)
{
    struct err err = {0};
    struct push_result result;
    struct registry *registry = kit_open_plain(&kit);
    const char *names[] = {tag};
    struct strings tags = {names, 1, 1};
    struct attach_giver giver = {give, giving};
    struct push_request request = {
        .image = image,
        .tags = &tags,
        .givers = {&giver, 1},
        .policy = {.receipts_dir = arena_printf(&kit.arena, "%s/pushed", kit.base), .is_look_forced = is_forced}};
    CHECK_OK(push_image(registry, &kit.arena, &request, &result, &err), &err);
    registry_close(registry);
    return result.attached_count;
}

static size_t referrers_of(const struct digest *subject)
{
    struct err err = {0};
    struct registry_referrer_list list;
    struct registry *registry = kit_open_plain(&kit);
    CHECK_OK(registry_read_referrers(registry, &kit.arena, subject, &list, &err), &err);
    for (size_t i = 0; i < list.items.count; i++) {
        assert_string_equal(list.items.items[i].type, TYPE);
        assert_int_equal(list.items.items[i].notes.count, 1);
        assert_string_equal(list.items.items[i].notes.items[0].value, "test");
    }
    registry_close(registry);
    return list.items.count;
}

static void check_once(const char *settings, bool is_exact)
{
    struct giving giving = {.says = arena_printf(&kit.arena, "said %s %d", settings, is_exact),
                            .is_exact = is_exact,
                            .has_signatures = true};
    struct layout_image image = kit_image(&kit, "a");
    size_t all = image.manifests.count + 2;
    kit_set(&kit, settings);
    assert_int_equal(push(&giving, &image, false, "v1"), all);
    assert_int_equal(giving.made, all);
    unsigned puts = kit_count(&kit, "PUT");
    assert_int_equal(push(&giving, &image, false, "v1"), 0);
    assert_int_equal(kit_count(&kit, "PUT"), puts);
    assert_int_equal(giving.made, all);
    assert_int_equal(push(&giving, &image, true, "v1"), 0); /* looks at all of it */
    assert_int_equal(kit_count(&kit, "PUT"), puts);
    assert_int_equal(referrers_of(&image.root.digest), 1);
    for (size_t i = 0; i < image.manifests.count; i++)
        assert_int_equal(referrers_of(&image.manifests.items[i].blob.digest), 1);
    layout_image_close(&image);
}

static void documents_are_attached_once_to_the_index_and_each_child(void **state)
{
    (void)state;
    check_once("", false);
    check_once("", true);
    check_once("\"referrers\":true", false);
    check_once("\"referrers\":true", true);
    check_once("\"conditions\":true", false);
}

/* Looked at by is_seen() alone it would count as done. */
static void what_is_wanted_anew_of_an_unchanged_image_is_brought(void **state)
{
    (void)state;
    struct giving first = {.says = "first"}, second = {.says = "second", .has_signatures = true};
    struct layout_image image = kit_image(&kit, "a");
    kit_set(&kit, "");
    (void)push(&first, &image, false, "v1");
    assert_int_equal(push(&second, &image, false, "v1"), image.manifests.count + 2);
    assert_int_equal(referrers_of(&image.root.digest), 2); /* that of the first stays */
    layout_image_close(&image);
}

static void signatures_of_others_and_of_other_tags_stay(void **state)
{
    (void)state;
    struct err err = {0};
    struct giving ours = {.says = "ours", .has_signatures = true}, theirs = {.says = "theirs", .has_signatures = true};
    struct layout_image image = kit_image(&kit, "b");
    struct registry *registry = kit_open_plain(&kit);
    struct registry_manifest manifest;
    kit_set(&kit, "");
    (void)push(&theirs, &image, false, "v1");
    (void)push(&ours, &image, false, "v1");
    (void)push(&ours, &image, false, "v2");
    const char *tag = attach_signature_tag(&kit.arena, &image.root.digest);
    CHECK_OK(registry_get_manifest(registry, &kit.arena, tag, &manifest, &err), &err);
    assert_true(manifest.is_found);
    size_t layers = 0;
    for (const char *at = manifest.bytes; (at = strstr(at, SIGNATURE_KEY)); at++)
        layers++;
    assert_int_equal(layers, 3);
    assert_non_null(strstr(manifest.bytes, "theirs"));
    registry_close(registry);
    layout_image_close(&image);
}

static void nothing_is_moved_when_something_cannot_be_attached(void **state)
{
    (void)state;
    struct err err = {0};
    struct push_result result;
    struct giving giving = {.says = "said", .has_signatures = true};
    struct layout_image image = kit_image(&kit, "a");
    struct registry *registry = kit_open_plain(&kit);
    const char *names[] = {"v9"};
    struct strings tags = {names, 1, 1};
    struct attach_giver giver = {give, &giving};
    struct push_request request = {.image = &image, .tags = &tags, .givers = {&giver, 1}};
    const char *sig = attach_signature_tag(&kit.arena, &image.root.digest);
    kit_set(&kit,
            arena_printf(&kit.arena, "\"faults\":[{\"method\":\"PUT\",\"path\":\"%s\",\"do\":\"status\",\"code\":403}]",
                         sig));
    assert_false(push_image(registry, &kit.arena, &request, &result, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "what hangs on the image");
    assert_false(result.tags.items[0].is_moved);
    registry_close(registry);
    layout_image_close(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_attached_once_to_the_index_and_each_child),
        cmocka_unit_test(what_is_wanted_anew_of_an_unchanged_image_is_brought),
        cmocka_unit_test(signatures_of_others_and_of_other_tags_stay),
        cmocka_unit_test(nothing_is_moved_when_something_cannot_be_attached),
    };
    return cmocka_run_group_tests(tests, kit_set_up, kit_tear_down);
}
