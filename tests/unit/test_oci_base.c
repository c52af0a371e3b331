/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of what an image inherits from its base. */
#include "check.h"

#include "oci/oci_base.h"

#define CONFIG                                                                                                         \
    "{\"config\":{\"User\":\"7\",\"Env\":[\"PATH=/x\",\"A=1\"],\"Entrypoint\":[\"/in\"],\"cmd\":[\"-a\"],"             \
    "\"WorkingDir\":\"/w\",\"Volumes\":{\"/v\":{}},\"ExposedPorts\":{\"1/tcp\":{}},\"StopSignal\":\"SIGHUP\","         \
    "\"OnBuild\":[\"RUN x\"],\"Healthcheck\":{\"Test\":[\"x\"]},\"labels\":{\"l\":\"1\"}},\"history\":HISTORY}"

struct fixture {
    struct arena arena;
    struct oci_base base;
    struct manifest_config given, got;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    static const char config[] = CONFIG;
    fixture->base.config = TEXT(config);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static void use(struct fixture *fixture, const char *history)
{
    const char *config = CONFIG, *at = strstr(config, "HISTORY");
    fixture->base.config = text_of(arena_printf(&fixture->arena, "%.*s%s}", (int)(at - config), config, history));
}

static void inherit(struct fixture *fixture)
{
    use(fixture, "null");
    fixture->got = oci_base_inherit(&fixture->arena, &fixture->base, &fixture->given);
}

static void test_what_is_not_given_is_the_bases(void **state)
{
    struct fixture *fixture = *state;
    inherit(fixture);
    assert_string_equal(fixture->got.user, "7");
    assert_string_equal(fixture->got.working_dir, "/w");
    assert_string_equal(fixture->got.stop_signal, "SIGHUP");
    assert_string_equal(fixture->got.entrypoint.items[0], "/in");
    assert_string_equal(fixture->got.cmd.items[0], "-a");
    assert_string_equal(fixture->got.env.items[0].value, "/x");
}

static void test_an_entrypoint_drops_the_bases_command(void **state)
{
    struct fixture *fixture = *state;
    list_add(&fixture->arena, &fixture->given.entrypoint, "/ours");
    inherit(fixture);
    assert_string_equal(fixture->got.entrypoint.items[0], "/ours");
    assert_int_equal(fixture->got.cmd.count, 0);
}

static void test_a_command_alone_is_for_the_bases_entrypoint(void **state)
{
    struct fixture *fixture = *state;
    list_add(&fixture->arena, &fixture->given.cmd, "-b");
    inherit(fixture);
    assert_string_equal(fixture->got.entrypoint.items[0], "/in");
    assert_int_equal(fixture->got.cmd.count, 1);
    assert_string_equal(fixture->got.cmd.items[0], "-b");
}

static void test_variables_volumes_and_ports_are_merged(void **state)
{
    struct fixture *fixture = *state;
    struct yaml_pair a = {.key = "A", .value = "2"}, b = {.key = "B", .value = "3"};
    list_add(&fixture->arena, &fixture->given.env, b);
    list_add(&fixture->arena, &fixture->given.env, a);
    list_add(&fixture->arena, &fixture->given.volumes, "/ours");
    list_add(&fixture->arena, &fixture->given.volumes, "/v");
    list_add(&fixture->arena, &fixture->given.ports, "2/udp");
    inherit(fixture);
    assert_int_equal(fixture->got.env.count, 3);
    assert_string_equal(fixture->got.env.items[1].key, "A");
    assert_string_equal(fixture->got.env.items[1].value, "2");
    assert_string_equal(fixture->got.env.items[2].key, "B");
    assert_string_equal(strings_join(&fixture->arena, &fixture->got.volumes, " "), "/v /ours");
    assert_string_equal(strings_join(&fixture->arena, &fixture->got.ports, " "), "1/tcp 2/udp");
}

static void test_other_keys_stay_but_what_is_for_builders(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, "null");
    json_auto_t *process = oci_base_process(&fixture->base);
    assert_int_equal(json_object_size(process), 2);
    assert_non_null(json_object_get(process, "Healthcheck"));
    assert_non_null(json_object_get(process, "Labels"));
}

static void check_history(struct fixture *fixture, const char *history, size_t layers, size_t wanted)
{
    use(fixture, history);
    fixture->base.layers = (struct base_layers){0};
    for (size_t i = 0; i < layers; i++)
        list_add(&fixture->arena, &fixture->base.layers, (struct base_layer){0});
    json_auto_t *made = oci_base_history(&fixture->base);
    assert_int_equal(json_array_size(made), wanted);
}

static void test_a_history_has_an_entry_for_each_layer(void **state)
{
    struct fixture *fixture = *state;
    check_history(fixture, "[{},{\"empty_layer\":true}]", 1, 2);
    check_history(fixture, "[{}]", 2, 2);
    check_history(fixture, "[null]", 1, 1);
    check_history(fixture, "null", 3, 3);
    check_history(fixture, "[]", 0, 0);
}

#define BASE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BASE_TEST(test_what_is_not_given_is_the_bases),
        BASE_TEST(test_an_entrypoint_drops_the_bases_command),
        BASE_TEST(test_a_command_alone_is_for_the_bases_entrypoint),
        BASE_TEST(test_variables_volumes_and_ports_are_merged),
        BASE_TEST(test_other_keys_stay_but_what_is_for_builders),
        BASE_TEST(test_a_history_has_an_entry_for_each_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
