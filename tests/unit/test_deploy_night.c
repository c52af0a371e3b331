/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "deploy/deploy_night.h"

static const char *text_of_file(const struct deploy_files *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].name, name) == 0)
            return files->items[i].text;
    }
    fail_msg("no file %s", name);
    return "";
}

static void want(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void want_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" in:\n%s", part, text);
}

static const struct deploy_night plain = {
    .name = "imgfactory", .program = "/usr/bin/imgfactory", .config = "/etc/imgfactory/imgfactory.yaml"};

static void a_service_writes_to_its_cache_and_state_alone(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct deploy_files files = deploy_night_files(&arena, &plain, DEPLOY_TIMER);
    assert_int_equal(files.count, 3);
    const char *service = text_of_file(&files, "imgfactory.service");
    want(service,
         "\nExecStart=/usr/bin/imgfactory --quiet --summary \\\n    --config=/etc/imgfactory/imgfactory.yaml \\\n"
         "    --cache=%C/imgfactory \\\n    --state=%S/imgfactory \\\n    --output=%S/imgfactory/out\n");
    static const char *const lines[] = {"Type=oneshot",          "ProtectSystem=strict", "StateDirectory=imgfactory",
                                        "NoNewPrivileges=yes",   "ProtectHome=yes",      "CacheDirectory=imgfactory",
                                        "PrivateTmp=yes",        "UMask=0077",           "SuccessExitStatus=143",
                                        "CapabilityBoundingSet="};
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        want(service, arena_printf(&arena, "\n%s\n", lines[i]));
    /* the program confines its own readers */
    want(service, "\nSystemCallFilter=landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp\n");
    want_not(service, "ReadWritePaths");
    want_not(service, "LoadCredential");
    want(service, "# No credential is given to it");
    const char *timer = text_of_file(&files, "imgfactory.timer");
    want(timer, "\nOnCalendar=daily\nRandomizedDelaySec=1h\nPersistent=true\n");
    want(text_of_file(&files, "imgfactory.conf"), "u imgfactory - ");
}

static void a_service_that_watches_is_watched_over_and_needs_no_timer(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct deploy_night night = plain;
    night.is_watch = true;
    struct deploy_files files = deploy_night_files(&arena, &night, DEPLOY_WATCH);
    assert_int_equal(files.count, 2);
    const char *service = text_of_file(&files, "imgfactory.service");
    want(service, "\nExecStart=/usr/bin/imgfactory --watch --quiet --summary \\\n    --config=");
    want(service, "\nType=notify\nNotifyAccess=main\nWatchdogSec=5min\nRestart=on-failure\nRestartSec=1min\n"
                  "ExecReload=kill -HUP $MAINPID\n");
    want(service, "\n[Install]\nWantedBy=multi-user.target\n");
    want(service, "systemctl enable --now imgfactory.service\n# A night at once: systemctl reload imgfactory;");
    want(service, "\nProtectSystem=strict\n");
    want_not(service, "timer");
    want_not(service, "oneshot");
}

static void an_output_elsewhere_is_made_and_the_only_other_place_to_write_to(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct deploy_night night = plain;
    night.output = "/srv/images";
    struct deploy_files files = deploy_night_files(&arena, &night, DEPLOY_TIMER);
    const char *service = text_of_file(&files, "imgfactory.service");
    want(service, "\nReadWritePaths=/srv/images\n");
    want(service, " --output=/srv/images\n");
    want(service, "\nUMask=0022\n");
    want(text_of_file(&files, "imgfactory-output.conf"), "d /srv/images 0755 imgfactory imgfactory -\n");
}

static void a_credential_is_handed_over_by_the_manager(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct deploy_night night = plain;
    night.authfile = "/root/auth.json";
    struct deploy_files files = deploy_night_files(&arena, &night, DEPLOY_TIMER);
    const char *service = text_of_file(&files, "imgfactory.service");
    want(service, "\nLoadCredential=auth.json:/root/auth.json\n");
    want(service, " --authfile=${CREDENTIALS_DIRECTORY}/auth.json\n");
    want(service, "\nProtectHome=yes\n"); /* the manager reads it */
    want_not(service, "No credential");
}

static void words_with_signs_stay_one_word(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct deploy_night night = plain;
    night.config = "/etc/a b%c$d\"e/site.yaml";
    night.image = "q.io/x:\"y";
    list_add(&arena, &night.arguments, "--token-origin=https://t.example");
    struct deploy_files files = deploy_night_files(&arena, &night, DEPLOY_TIMER);
    const char *service = text_of_file(&files, "imgfactory.service");
    want(service, " --config=\"/etc/a b%%c$$d\\\"e/site.yaml\" ");
    want(service, "\nDescription=Images of /etc/a b%%c$d\"e/site.yaml\n");
    want(service, " --token-origin=https://t.example\n");
    files = deploy_night_files(&arena, &night, DEPLOY_CRONJOB);
    const char *job = text_of_file(&files, "imgfactory.yaml");
    want(job, " image: \"q.io/x:\\\"y\"\n");
    want(job, "--from-file='/etc/a b%c$d\"e'\n");
    want(job, "- \"--config=/etc/imgfactory/site.yaml\"\n");
}

static void what_lies_in_a_home_can_be_read(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct deploy_night night = plain;
    night.is_home_read = true;
    struct deploy_files files = deploy_night_files(&arena, &night, DEPLOY_TIMER);
    want(text_of_file(&files, "imgfactory.service"), "\nProtectHome=read-only\n");
}

static void a_cronjob_runs_one_night_at_a_time_without_privileges(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct deploy_night night = plain;
    night.program = "imgfactory";
    night.image = "quay.io/me/imgfactory";
    struct deploy_files files = deploy_night_files(&arena, &night, DEPLOY_CRONJOB);
    assert_int_equal(files.count, 1);
    const char *job = files.items[0].text;
    static const char *const parts[] = {"concurrencyPolicy: Forbid\n",       "runAsNonRoot: true\n",
                                        "readOnlyRootFilesystem: true\n",    "drop: [ALL]\n",
                                        "allowPrivilegeEscalation: false\n", "automountServiceAccountToken: false\n",
                                        "claimName: imgfactory}\n",          "configMap: {name: imgfactory}\n"};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        want(job, parts[i]);
    want_not(job, "secret");
    want(job, "# The site file has no source:");
    night.authfile = "/a/auth.json";
    night.has_source = true;
    files = deploy_night_files(&arena, &night, DEPLOY_CRONJOB);
    want(files.items[0].text, "secretName: imgfactory\n");
    want(files.items[0].text, "--authfile=/run/secrets/imgfactory/auth.json\n");
    want_not(files.items[0].text, "has no source");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_writes_to_its_cache_and_state_alone),
        cmocka_unit_test(a_service_that_watches_is_watched_over_and_needs_no_timer),
        cmocka_unit_test(an_output_elsewhere_is_made_and_the_only_other_place_to_write_to),
        cmocka_unit_test(a_credential_is_handed_over_by_the_manager),
        cmocka_unit_test(words_with_signs_stay_one_word),
        cmocka_unit_test(what_lies_in_a_home_can_be_read),
        cmocka_unit_test(a_cronjob_runs_one_night_at_a_time_without_privileges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
