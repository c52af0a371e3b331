/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/auto.h"
#include "plan/manifest.h"
#include "shipped.h"

#define B "binaries: [/usr/sbin/x]\nusers: [{name: u, uid: 77}]\nrun:\n"

static struct contract load(struct folder *folder, const char *text)
{
    struct manifest manifest = {0};
    struct err err = {0};
    const char *path = put(folder, "good", arena_printf(&folder->arena, B "%s", text));
    CHECK_OK(load_manifest(&folder->arena, path, &manifest, &err), &err);
    assert_non_null(manifest.config.contract);
    return *manifest.config.contract;
}

static void every_key_of_run_is_read(void **state)
{
    struct contract contract = load(*state, "  network: private\n"
                                            "  capabilities: [NET_RAW]\n"
                                            "  gains: true\n"
                                            "  devices: [/dev/net/tun]\n"
                                            "  tmpfs: [/run/x]\n"
                                            "  writes: [/etc/x]\n"
                                            "  sysctls: {net.ipv4.ip_forward: \"1\"}\n"
                                            "  limits: {nofile: 10:20, memory: 1g}\n"
                                            "  dns: [192.0.2.1, \"2001:db8::1\"]\n"
                                            "  secrets: [PASSWORD]\n"
                                            "  needs: [an address]\n"
                                            "  health: {command: [/bin/ask, now], interval: 1m, retries: 5}\n"
                                            "  host: [{path: /var/lib/x, owner: u, group: u, mode: \"0700\"}]\n");
    assert_int_equal(contract.network, CONTRACT_PRIVATE);
    assert_true(contract.has_capabilities && contract.may_gain && !contract.is_read_only);
    assert_string_equal(contract.capabilities.items[0], "NET_RAW");
    assert_string_equal(contract.limits.items[1].value, "1g");
    assert_string_equal(contract.dns.items[1], "2001:db8::1");
    assert_string_equal(contract.health.interval, "1m");
    assert_string_equal(contract.health.timeout, "5s");
    assert_int_equal(contract.health.retries, 5);
    const struct contract_mount *mount = &contract.host.items[0];
    assert_string_equal(mount->path, "/var/lib/x");
    assert_int_equal(mount->uid, 77);
    assert_int_equal(mount->gid, 77);
    assert_int_equal(mount->mode, 0700);
}

static void what_engines_take_is_taken(void **state)
{
    struct contract contract = load(*state, "  capabilities: [CAP_NET_RAW, setuid]\n"
                                            "  devices: [\"/dev/a:/dev/b\", \"/dev/c:rw\", \"/dev/d:/dev/e:rwm\"]\n"
                                            "  limits: {nofile: \"1:-1\", nproc: -1, pids: -1, memory: 512M, core: 0}\n"
                                            "  health: {command: /ask, start: 0s}\n"
                                            "  sysctls: {kernel.sem: 1 2, fs.mqueue.msg_max: 3, net.a/b.c: 4}\n");
    assert_string_equal(contract.capabilities.items[0], "NET_RAW");
    assert_string_equal(contract.capabilities.items[1], "SETUID");
    assert_int_equal(contract.devices.count, 3);
    assert_int_equal(contract.sysctls.count, 3);
}

static void a_root_is_read_only_unless_something_is_written_to(void **state)
{
    assert_true(load(*state, "  network: host\n").is_read_only);
    assert_true(load(*state, "  tmpfs: [/run/x]\n").is_read_only);
    assert_false(load(*state, "  writes: [/etc/x]\n").is_read_only);
    assert_false(load(*state, "  read-only: false\n").is_read_only);
}

static void ports_are_published_with_both_numbers_and_their_protocol(void **state)
{
    struct contract contract = load(*state, "  publish: [\"80:8080\", 53/udp, \"514:1514/udp\"]\n");
    assert_string_equal(contract.publish.items[0], "80:8080/tcp");
    assert_string_equal(contract.publish.items[1], "53:53/udp");
    assert_string_equal(contract.publish.items[2], "514:1514/udp");
}

static void a_manifest_without_it_says_nothing(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load_manifest(&folder->arena, put(folder, "x", "binaries: [/x]\n"), &manifest, &err), &err);
    assert_null(manifest.config.contract);
}

static void what_no_engine_could_take_is_refused_with_its_place(void **state)
{
    struct folder *folder = *state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"  network: bridge\n", ":4:12: 'bridge' is none of private, host, none"},
        {"  capabilities: [NET_ROW]\n", "did you mean NET_RAW?"},
        {"  capabilities: [EVERYTHING]\n", ":4:18: 'EVERYTHING' is none of"},
        {"  capabilities: [cap_net_ray]\n", "'NET_RAY' is not known; did you mean NET_RAW?"},
        {"  capabilities: [KILL, CAP_KILL]\n", ":4:24: 'CAP_KILL' comes twice"},
        {"  devices: [/etc/x]\n", "'/etc/x' is no device, such as"},
        {"  devices: [\"/dev/x:/dev/y:rwx\"]\n", "is no device"},
        {"  devices: [\"/dev/x:rr\"]\n", "is no device"},
        {"  devices: [\"/dev/x:\"]\n", "is no device"},
        {"  devices: [\"/dev/x:rw:/dev/y\"]\n", "is no device"},
        {"  tmpfs: [run]\n", "'run' must be an absolute path"},
        {"  tmpfs: [/a, /a]\n", "'/a' comes twice"},
        {"  writes: [\"/a:b\"]\n", "split paths at"},
        {"  writes: [/a]\n  read-only: true\n", "a read-only image has nothing that is written to"},
        {"  network: host\n  publish: [80]\n", "without a network of its own cannot be published"},
        {"  publish: [\"x:80\"]\n", ":4:13: 'x:80' "},
        {"  publish: [80, \"80:8080\"]\n", ":4:17: '80:8080' takes a port of the host that is taken already"},
        {"  sysctls: {x: \"1\"}\n", "'x' is no name of a sysctl"},
        {"  sysctls: {kernel.hostname: \"1\"}\n", "'kernel.hostname' is the whole machine's"},
        {"  sysctls: {vm.swappiness: \"1\"}\n", "'vm.swappiness' is the whole machine's"},
        {"  sysctls: {kernel.semaphore: \"1\"}\n", "'kernel.semaphore' is the whole machine's"},
        {"  sysctls: {net.x: \"1\"}\n  network: host\n", "belongs to the host"},
        {"  limits: {nofiles: 1}\n", "did you mean nofile?"},
        {"  limits: {memory: lots}\n", "'lots' is no size"},
        {"  limits: {memory: 1kk}\n", "'1kk' is no size, such as 256m"},
        {"  limits: {memory: m}\n", "'m' is no size"},
        {"  limits: {memory: 0}\n", "'0' is no size"},
        {"  limits: {pids: 1k}\n", "'1k' is no number, or -1 for any"},
        {"  limits: {nofile: \"4096:1024\"}\n", "'4096:1024' has a soft limit above the hard one"},
        {"  limits: {nofile: \"-1:1024\"}\n", "'-1:1024' has a soft limit above the hard one"},
        {"  limits: {nofile: \"::\"}\n", "'::' is no limit: N, SOFT:HARD"},
        {"  limits: {nofile: \"1:2:3\"}\n", "'1:2:3' is no limit"},
        {"  limits: {nofile: \"1-2\"}\n", "'1-2' is no limit"},
        {"  dns: [localhost]\n", "is no address of a name server"},
        {"  dns: [1.2.3]\n", "'1.2.3' is no address of a name server"},
        {"  dns: [192.0.2.1]\n  network: none\n", ":4:8: without a network no name server can be asked"},
        {"  secrets: [\"A B\"]\n", "'A B' cannot be a variable's name"},
        {"  health: {command: [ask]}\n", "must begin with the path of a program"},
        {"  health: {command: /ask the service}\n", "'/ask the service' is one word, and no shell splits it: write ["},
        {"  health: {command: [\"/ask the service\"]}\n", "is one word, and no shell splits it"},
        {"  health: {command: [/ask], interval: soon}\n", "'soon' is no duration"},
        {"  health: {command: [/ask], timeout: 0s}\n", "'0s' is no time at all"},
        {"  health: {command: [/ask], retries: 0}\n", "'retries' must be 1 to 100"},
        {"  host: /x\n", "'host' wants a list"},
        {"  host: [{path: /etc}]\n", "'/etc' is the whole system's"},
        {"  host: [{path: /usr/share/x}]\n", "is the whole system's"},
        {"  host: [{path: /a/b, owner: nobody-knows}]\n", "is not root, one of 'users', or a number"},
        {"  host: [{path: /a/b}, {path: /c/d, mount: /a/b}]\n", "'/a/b' is mounted twice"},
        {"  host: [{path: /a/b, kind: pipe}]\n", "'pipe' is none of directory, file"},
        {"  ports: [80]\n", "unknown key 'ports'"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct manifest manifest = {0};
        struct err err = {0};
        const char *path = put(folder, "bad", arena_printf(&folder->arena, B "%s", cases[i].text));
        if (load_manifest(&folder->arena, path, &manifest, &err))
            fail_msg("accepted: %s", cases[i].text);
        CHECK_ERR(&err, ERR_USAGE, cases[i].said);
    }
}

static void a_copy_is_no_part_of_what_it_was_made_from(void **state)
{
    struct contract contract = load(*state, "  capabilities: [NET_RAW]\n  limits: {nofile: \"5\"}\n"
                                            "  health: {command: [/ask, x]}\n  host: [{path: /a/b, purpose: p}]\n");
    AUTO(arena_done) struct arena arena = {0};
    const struct contract *copy = contract_copy(&arena, &contract);
    assert_string_equal(copy->capabilities.items[0], "NET_RAW");
    assert_ptr_not_equal(copy->capabilities.items, contract.capabilities.items);
    assert_ptr_not_equal(copy->limits.items, contract.limits.items);
    assert_string_equal(copy->health.command.items[1], "x");
    assert_ptr_not_equal(copy->host.items, contract.host.items);
    assert_string_equal(copy->host.items[0].purpose, "p");
}

static void every_manifest_of_the_catalogue_has_its_contract(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct strings names;
    struct err err = {0};
    CHECK_OK(manifest_names(&arena, SOURCE_DIR "/manifests", &names, &err), &err);
    for (size_t i = 0; i < names.count; i++) {
        const char *path;
        struct manifest manifest = {0};
        CHECK_OK(manifest_find(&arena, SOURCE_DIR "/manifests", names.items[i], &path, &err), &err);
        CHECK_OK(load_manifest(&arena, path, &manifest, &err), &err);
        if (!manifest.config.contract)
            fail_msg("%s does not say how it is run", names.items[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_key_of_run_is_read),
        IN_FOLDER(what_engines_take_is_taken),
        IN_FOLDER(a_root_is_read_only_unless_something_is_written_to),
        IN_FOLDER(ports_are_published_with_both_numbers_and_their_protocol),
        IN_FOLDER(a_manifest_without_it_says_nothing),
        IN_FOLDER(what_no_engine_could_take_is_refused_with_its_place),
        IN_FOLDER(a_copy_is_no_part_of_what_it_was_made_from),
        cmocka_unit_test(every_manifest_of_the_catalogue_has_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
