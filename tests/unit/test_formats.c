/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of the table of package formats: what it promises to those who call through it. */
#include "check.h"

#include "base/auto.h"
#include "formats/formats.h"
#include "package/package.h"
#include "trust/freshness.h"

static void every_format_is_found_by_its_name_alone(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct strings names = formats_names(&arena);
    assert_true(names.count >= 2);
    for (size_t i = 0; i < names.count; i++) {
        assert_string_equal(formats_at(i)->name, names.items[i]);
        assert_ptr_equal(formats_find(names.items[i]), formats_at(i));
    }
    assert_null(formats_at(names.count));
    assert_null(formats_find("tar"));
}

static void every_architecture_has_a_name_under_every_key(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct arch_keys keys = formats_arch_keys(&arena);
    struct arches arches;
    struct err err = {0};
    CHECK_OK(arches_load(&arena, SOURCE_DIR "/arches", &keys, &arches, &err), &err);
    for (size_t k = 0; k < keys.count; k++) {
        for (size_t i = 0; i < arches.count; i++)
            assert_non_null(arch_name(&arches.items[i], keys.items[k]->key));
        for (size_t i = 0; i < k; i++)
            assert_string_not_equal(keys.items[i]->key, keys.items[k]->key);
    }
}

static void every_format_does_all_that_a_format_does(void **state)
{
    (void)state;
    for (size_t i = 0; formats_at(i); i++) {
        const struct format *format = formats_at(i);
        assert_non_null(format->arch_keys);
        assert_non_null(format->host_has);
        assert_non_null(format->host_place);
        assert_non_null(format->load_host);
        assert_non_null(format->load_node);
        assert_non_null(format->replace_suites);
        assert_non_null(format->freshness);
        assert_non_null(format->share);
        assert_non_null(format->open_catalog);
        assert_non_null(format->unpack);
        assert_non_null(format->package_fault);
        assert_non_null(format->identity_place);
        assert_non_null(format->install_scripts);
        assert_non_null(format->database);
    }
}

static void every_repository_has_an_age_in_every_format(void **state)
{
    (void)state;
    struct repository repository = {0};
    for (size_t i = 0; formats_at(i); i++) {
        struct freshness_subject subject = {.rules = formats_at(i)->freshness, .names = {"no-such-suite"}};
        CHECK_RANGE(freshness_days(&repository, &subject), 0, 366);
    }
}

static void a_package_without_facts_is_faulty_in_every_format(void **state)
{
    (void)state;
    struct package package = {.name = "p", .version = "1", .architecture = "a"};
    for (size_t i = 0; formats_at(i); i++)
        assert_non_null(formats_at(i)->package_fault(&package));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_found_by_its_name_alone),
        cmocka_unit_test(every_architecture_has_a_name_under_every_key),
        cmocka_unit_test(every_format_does_all_that_a_format_does),
        cmocka_unit_test(every_repository_has_an_age_in_every_format),
        cmocka_unit_test(a_package_without_facts_is_faulty_in_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
