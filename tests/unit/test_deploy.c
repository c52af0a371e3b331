/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "deploy/deploy.h"

static struct strings strings_of(struct arena *arena, const char *words)
{
    struct strings strings = {0};
    struct text rest = text_of(words), word;
    while (text_next_word(&rest, &word))
        list_add(arena, &strings, arena_strndup(arena, word.ptr, word.len));
    return strings;
}

static void a_contract_leaves_nothing_but_what_it_names(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {.ports = strings_of(&arena, "67/udp"),
                                      .volumes = strings_of(&arena, "/etc/dhcp /var/lib/dhcpd")};
    struct contract contract = {.network = CONTRACT_HOST,
                                .has_capabilities = true,
                                .capabilities = strings_of(&arena, "NET_RAW NET_BIND_SERVICE"),
                                .is_read_only = true};
    struct contract_mount mounts[] = {
        {.host = "/etc/dhcp", .path = "/etc/dhcp", .is_read_only = true},
        {.host = "/var/lib/dhcpd", .path = "/var/lib/dhcpd"},
        {.host = "/var/lib/dhcpd/dhcpd.leases", .path = "/var/lib/dhcpd/dhcpd.leases", .kind = CONTRACT_FILE},
        {.host = "/etc/localtime", .path = "/etc/localtime", .is_shared = true, .is_read_only = true},
        {.host = "/srv/wanted", .path = "/srv", .is_optional = true}};
    for (size_t i = 0; i < ARRAY_COUNT(mounts); i++)
        list_add(&arena, &contract.host, mounts[i]);
    struct deployment deployment = {
        .name = "dhcpd", .reference = "oci:out/dhcpd:latest", .process = &process, .contract = &contract};
    assert_string_equal(deploy_command(&arena, &deployment),
                        "podman run --network=host --cap-drop=all --cap-add=NET_RAW --cap-add=NET_BIND_SERVICE "
                        "--security-opt=no-new-privileges --read-only --volume=/etc/dhcp:/etc/dhcp:ro,Z "
                        "--volume=/var/lib/dhcpd:/var/lib/dhcpd:rw,Z --volume=/etc/localtime:/etc/localtime:ro "
                        "oci:out/dhcpd:latest");
}

static void what_nobody_knows_stays_as_the_engine_has_it(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {.ports = strings_of(&arena, "80/tcp"),
                                      .volumes = strings_of(&arena, "/var/lib/x /srv/x /data /bad:path")};
    struct deployment deployment = {.name = "x", .reference = "r.x/x", .process = &process};
    assert_string_equal(deploy_command(&arena, &deployment),
                        "podman run --publish=80:80/tcp --volume=x-var-lib-x:/var/lib/x --volume=x-srv-x:/srv/x "
                        "--volume=x-data:/data r.x/x");
}

static void systemd_behind_a_start_program_is_told_to_podman(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {.entrypoint =
                                          strings_of(&arena, "/usr/lib/imgfactory/start /usr/lib/systemd/systemd")};
    struct deployment deployment = {.name = "x", .reference = "r", .process = &process};
    assert_string_equal(deploy_command(&arena, &deployment), "podman run --systemd=always r");
    process.entrypoint = strings_of(&arena, "/usr/lib/systemd/systemd");
    assert_string_equal(deploy_command(&arena, &deployment), "podman run r");
}

static void a_read_only_root_has_the_folders_in_memory_that_the_engine_does_not_make(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {.volumes = strings_of(&arena, "/var/cache/x")};
    struct contract contract = {.is_read_only = true, .tmpfs = strings_of(&arena, "/run/x /runner /var/cache/x")};
    struct deployment deployment = {.name = "x", .reference = "r", .process = &process, .contract = &contract};
    assert_string_equal(deploy_command(&arena, &deployment),
                        "podman run --security-opt=no-new-privileges --read-only --tmpfs=/runner --tmpfs=/var/cache/x "
                        "r");
    contract.is_read_only = false;
    assert_string_equal(deploy_command(&arena, &deployment),
                        "podman run --security-opt=no-new-privileges --tmpfs=/run/x --tmpfs=/runner "
                        "--tmpfs=/var/cache/x r");
}

static void a_probe_is_handed_on_in_words_that_no_shell_splits(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {0};
    struct contract contract = {.may_gain = true,
                                .health = {.command = strings_of(&arena, "/ask now"),
                                           .interval = "1s",
                                           .timeout = "2s",
                                           .start_for = "3s",
                                           .retries = 4}};
    struct deployment deployment = {.name = "x", .reference = "r", .process = &process, .contract = &contract};
    assert_string_equal(deploy_command(&arena, &deployment),
                        "podman run --health-cmd='CMD /ask now' --health-interval=1s --health-timeout=2s "
                        "--health-start-period=3s --health-retries=4 r");
    contract.health.command.items[1] = "a \"b\"";
    assert_non_null(strstr(deploy_command(&arena, &deployment), "--health-cmd='[\"/ask\", \"a \\\"b\\\"\"]'"));
}

static void limits_secrets_and_terminals_are_in_podman_s_words(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {0};
    struct contract contract = {.may_gain = true, .is_interactive = true, .secrets = strings_of(&arena, "PASSWORD")};
    struct yaml_pair limits[] = {
        {"nofile", "10", NULL}, {"shm", "9m", NULL}, {"pids", "7", NULL}, {"memory", "1g", NULL}};
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++)
        list_add(&arena, &contract.limits, limits[i]);
    list_add(&arena, &contract.sysctls, ((struct yaml_pair){"net.x", "0 0", NULL}));
    struct deployment deployment = {.name = "x", .reference = "r", .process = &process, .contract = &contract};
    assert_string_equal(deploy_command(&arena, &deployment),
                        "podman run --interactive --tty --ulimit=nofile=10 --shm-size=9m --pids-limit=7 --memory=1g "
                        "--sysctl='net.x=0 0' --secret=x-PASSWORD,type=env,target=PASSWORD r");
}

/* Returns the text of the file of that name. */
static const char *made(struct arena *arena, const struct deployment *deployment, enum deploy_format format,
                        const char *name)
{
    struct deployments deployments = {0};
    list_add(arena, &deployments, *deployment);
    struct deploy_files files = deploy_files_of(arena, &deployments, format);
    for (size_t i = 0; i < files.count; i++) {
        if (strcmp(files.items[i].name, name) == 0)
            return files.items[i].text;
    }
    fail_msg("no file is called %s", name);
    return NULL;
}

/* Descriptions, probes and values of sysctls come from anywhere. */
static void no_value_ends_its_line_or_begins_another_word(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {0};
    struct contract contract = {.may_gain = true, .needs = strings_of(&arena, "a\\")};
    list_add(&arena, &contract.sysctls, ((struct yaml_pair){"net.x", "0 0", NULL}));
    contract.health.command = strings_of(&arena, "/ask $HOME%n");
    contract.health.interval = contract.health.timeout = contract.health.start_for = "1s";
    struct deployment deployment = {.name = "x",
                                    .description = "100% \"safe\"\nExecStart=/bin/sh\\",
                                    .reference = "r.x/x:1",
                                    .process = &process,
                                    .contract = &contract,
                                    .origin = "me"};
    const char *unit = made(&arena, &deployment, DEPLOY_QUADLET, "x.container");
    assert_non_null(strstr(unit, "\nDescription=100%% \"safe\"/u000aExecStart=/bin/sh/\n"));
    assert_non_null(strstr(unit, "\nSysctl=\"net.x=0 0\"\n"));
    assert_non_null(strstr(unit, "\nHealthCmd=CMD /ask $HOME%%n\n"));
    assert_non_null(strstr(unit, "# Needs a/.\n"));
    const char *service = made(&arena, &deployment, DEPLOY_SYSTEMD, "x.service");
    assert_non_null(strstr(service, "\"--health-cmd=CMD /ask $$HOME%%n\""));
    assert_null(strstr(service, "\nExecStart=/bin/sh"));
    const char *kube = made(&arena, &deployment, DEPLOY_KUBE, "x.yaml");
    assert_null(strstr(kube, "\nExecStart"));
    assert_non_null(strstr(kube, "- \"$HOME%n\"\n"));
}

static void optional_paths_are_offered_in_comments_and_made_by_nobody(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {.volumes = strings_of(&arena, "/srv/x")};
    struct contract contract = {.may_gain = true};
    list_add(
        &arena, &contract.host,
        ((struct contract_mount){
            .host = "/srv/mine", .path = "/srv/x", .is_optional = true, .is_read_only = true, .purpose = "pages"}));
    struct deployment deployment = {
        .name = "x", .reference = "r", .process = &process, .contract = &contract, .origin = "me"};
    struct deployments deployments = {0};
    list_add(&arena, &deployments, deployment);
    struct deploy_files files = deploy_files_of(&arena, &deployments, DEPLOY_QUADLET);
    assert_int_equal(files.count, 1); /* no tmpfiles.d, and no volume that would hide what a new image brings */
    assert_non_null(
        strstr(files.items[0].text, "\n# In place of what the image has, pages:\n# Volume=/srv/mine:/srv/x:ro,Z\n"));
}

static void what_kubernetes_has_no_word_for_is_said(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {0};
    struct contract contract = {.has_capabilities = true, .is_read_only = true, .secrets = strings_of(&arena, "TOKEN")};
    struct yaml_pair limits[] = {{"nofile", "1:2", NULL}, {"memory", "1g", NULL}, {"pids", "7", NULL}};
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++)
        list_add(&arena, &contract.limits, limits[i]);
    struct contract_mount mounts[] = {
        {.host = "/var/lib/x", .path = "/var/lib/x", .mode = 0750, .uid = 3, .gid = 4},
        {.host = "/var/lib/x/file", .path = "/var/lib/x/file", .mode = 0644, .kind = CONTRACT_FILE},
        {.host = "/etc/x", .path = "/etc/x", .mode = 0755, .is_optional = true}};
    for (size_t i = 0; i < ARRAY_COUNT(mounts); i++)
        list_add(&arena, &contract.host, mounts[i]);
    struct deployment deployment = {
        .name = "x_y", .reference = "r", .process = &process, .contract = &contract, .origin = "me"};
    const char *kube = made(&arena, &deployment, DEPLOY_KUBE, "x-y.yaml");
    static const char *const said[] = {
        "# Needs the secret x-y with the key TOKEN.\n",
        "# No port is known: it has no Service, and others reach it by the pod's address alone.\n",
        "# Make the folder /var/lib/x on each node, mode 0750, user 3, group 4: Kubernetes would make it root's.\n",
        "# Kubernetes has no word for the limits nofile=1:2, pids=7: nodes and their engine set them.\n",
        "# SELinux: /var/lib/x keeps its label; the policy has to allow it.\n",
        "# In place of what the image has in /etc/x, that path of the host can be mounted.\n",
        "secretKeyRef: {name: x-y, key: TOKEN}"};
    for (size_t i = 0; i < ARRAY_COUNT(said); i++) {
        if (!strstr(kube, said[i]))
            fail_msg("not said: %s", said[i]);
    }
    assert_null(strstr(kube, "Z labels"));
    assert_null(strstr(kube, "file /var/lib/x/file on each node"));
    const char *unit = made(&arena, &deployment, DEPLOY_QUADLET, "x_y.container");
    assert_non_null(strstr(unit, "# Needs the secret x_y-TOKEN.\n"));
    assert_non_null(strstr(unit, "# SELinux: Z labels the mounted paths"));
    assert_null(strstr(unit, "Kubernetes"));
}

static void a_unit_says_that_no_port_is_known(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config process = {0};
    struct contract contract = {0};
    struct deployment deployment = {.name = "x", .reference = "r", .process = &process, .origin = "me"};
    static const struct {
        enum deploy_format format;
        const char *name;
    } files[] = {{DEPLOY_QUADLET, "x.container"}, {DEPLOY_SYSTEMD, "x.service"}, {DEPLOY_RUN, "x.sh"}};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        deployment.contract = i % 2 ? &contract : NULL;
        assert_non_null(
            strstr(made(&arena, &deployment, files[i].format, files[i].name), "# No port is known: none is"));
    }
    deployment.contract = &contract;
    contract.network = CONTRACT_HOST;
    assert_null(strstr(made(&arena, &deployment, DEPLOY_QUADLET, "x.container"), "No port is known"));
    contract.network = CONTRACT_PRIVATE;
    process.ports = strings_of(&arena, "80/tcp");
    assert_null(strstr(made(&arena, &deployment, DEPLOY_QUADLET, "x.container"), "No port is known"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contract_leaves_nothing_but_what_it_names),
        cmocka_unit_test(what_nobody_knows_stays_as_the_engine_has_it),
        cmocka_unit_test(systemd_behind_a_start_program_is_told_to_podman),
        cmocka_unit_test(a_read_only_root_has_the_folders_in_memory_that_the_engine_does_not_make),
        cmocka_unit_test(a_probe_is_handed_on_in_words_that_no_shell_splits),
        cmocka_unit_test(limits_secrets_and_terminals_are_in_podman_s_words),
        cmocka_unit_test(no_value_ends_its_line_or_begins_another_word),
        cmocka_unit_test(optional_paths_are_offered_in_comments_and_made_by_nobody),
        cmocka_unit_test(what_kubernetes_has_no_word_for_is_said),
        cmocka_unit_test(a_unit_says_that_no_port_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
