/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "service/unit_contract.h"

/* Makes a unit of lines "Key=value" of its section [Service]. */
static struct unit_file unit_of(struct arena *arena, const char *lines)
{
    struct unit_file unit = {.name = "x.service"};
    struct text rest = text_of(lines), line;
    while (rest.len && text_next(&rest, '\n', &line)) {
        const char *string = arena_strndup(arena, line.ptr, line.len), *equals = strchr(string, '=');
        struct unit_directive directive = {
            .section = "Service", .key = arena_strndup(arena, string, (size_t)(equals - string)), .value = equals + 1};
        list_add(arena, &unit.directives, directive);
    }
    return unit;
}

static const struct contract *contract_of(struct arena *arena, const char *lines, const struct manifest_config *config,
                                          const struct wishes *wishes)
{
    struct unit_file unit = unit_of(arena, lines);
    static const struct manifest_config no_config;
    static const struct wishes no_wishes;
    return unit_contract(arena, &unit, config ? config : &no_config, wishes ? wishes : &no_wishes);
}

static void rights_that_a_unit_bounds_are_all_that_there_are(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    const struct contract *contract = contract_of(
        &arena, "CapabilityBoundingSet=CAP_CHOWN cap_net_raw\nAmbientCapabilities=CAP_KILL CAP_CHOWN", NULL, NULL);
    assert_true(contract->has_capabilities);
    assert_string_equal(strings_join(&arena, &contract->capabilities, " "), "CHOWN NET_RAW KILL");
    struct manifest_config config = {0};
    list_add(&arena, &config.ports, "53/udp");
    contract = contract_of(&arena, "CapabilityBoundingSet=", &config, NULL);
    assert_false(contract->has_capabilities); /* an empty line takes the bound away */
    contract = contract_of(&arena, "CapabilityBoundingSet=CAP_SETUID", &config, NULL);
    assert_string_equal(strings_join(&arena, &contract->capabilities, " "), "SETUID NET_BIND_SERVICE");
}

static void rights_that_it_only_adds_or_takes_away_say_nothing_of_the_rest(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    const struct contract *contract = contract_of(&arena, "AmbientCapabilities=CAP_NET_ADMIN", NULL, NULL);
    assert_false(contract->has_capabilities);
    assert_string_equal(strings_join(&arena, &contract->capabilities, " "), "NET_ADMIN");
    contract = contract_of(&arena, "CapabilityBoundingSet=~CAP_SYS_ADMIN", NULL, NULL);
    assert_false(contract->has_capabilities);
    assert_int_equal(contract->capabilities.count, 0);
    contract = contract_of(&arena, "CapabilityBoundingSet=CAP_NEVER_HEARD_OF", NULL, NULL);
    assert_false(contract->has_capabilities);
}

static void no_new_privileges_hold_unless_a_program_s_file_gives_some(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct wishes wishes = {0};
    assert_false(contract_of(&arena, "NoNewPrivileges=yes", NULL, NULL)->may_gain);
    assert_true(contract_of(&arena, "NoNewPrivileges=no", NULL, NULL)->may_gain);
    assert_true(contract_of(&arena, "User=x", NULL, NULL)->may_gain);
    list_add(&arena, &wishes.owners, ((struct wish_owner){.path = "/usr/sbin/x", .capabilities = 1}));
    assert_true(contract_of(&arena, "NoNewPrivileges=yes", NULL, &wishes)->may_gain);
}

static void a_strict_system_is_a_read_only_root_with_the_unit_s_own_folders_in_memory(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config config = {0};
    struct wishes wishes = {0};
    static const char *const paths[] = {"/run/x", "/var/cache/x", "/var/lib/x", "/var/log/x", "/etc/x"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        list_add(&arena, &wishes.made, ((struct wish_made){.kind = MADE_DIRECTORY, .path = paths[i]}));
    list_add(&arena, &config.volumes, "/var/cache/x");
    const struct contract *contract = contract_of(&arena, "ProtectSystem=strict", &config, &wishes);
    assert_true(contract->is_read_only);
    assert_string_equal(strings_join(&arena, &contract->tmpfs, " "), "/run/x /var/log/x");
    assert_false(contract_of(&arena, "ProtectSystem=full", &config, &wishes)->is_read_only);
    assert_false(contract_of(&arena, "ProtectSystem=strict\nReadWritePaths=/srv", &config, &wishes)->is_read_only);
}

static void devices_and_limits_are_handed_on(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    const struct contract *contract = contract_of(
        &arena,
        "DeviceAllow=/dev/net/tun rw\nDeviceAllow=char-pts\nDeviceAllow=/dev/null rw\nDeviceAllow=/dev/a:b\n"
        "LimitNOFILE=1024:4096\nLimitMEMLOCK=infinity\nLimitCORE=8M",
        NULL, NULL);
    assert_string_equal(strings_join(&arena, &contract->devices, " "), "/dev/net/tun");
    assert_int_equal(contract->limits.count, 3);
    assert_string_equal(contract->limits.items[0].value, "1024:4096");
    assert_string_equal(contract->limits.items[1].key, "memlock");
    assert_string_equal(contract->limits.items[1].value, "-1");
    assert_string_equal(contract->limits.items[2].value, "8388608");
}

static void a_limit_that_no_process_could_be_given_says_nothing(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const bad[] = {"::", ":", "", "1:", ":1", "2:1", "K", "1KK", "infinity:1", "9E", "1:2:3", "-1"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        const char *lines = arena_printf(&arena, "LimitNOFILE=%s", bad[i]);
        if (contract_of(&arena, lines, NULL, NULL)->limits.count)
            fail_msg("taken: %s", bad[i]);
    }
    const struct contract *contract = contract_of(&arena, "LimitNOFILE=1K:infinity", NULL, NULL);
    assert_string_equal(contract->limits.items[0].value, "1024:-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_that_a_unit_bounds_are_all_that_there_are),
        cmocka_unit_test(rights_that_it_only_adds_or_takes_away_say_nothing_of_the_rest),
        cmocka_unit_test(no_new_privileges_hold_unless_a_program_s_file_gives_some),
        cmocka_unit_test(a_strict_system_is_a_read_only_root_with_the_unit_s_own_folders_in_memory),
        cmocka_unit_test(devices_and_limits_are_handed_on),
        cmocka_unit_test(a_limit_that_no_process_could_be_given_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
