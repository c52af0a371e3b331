/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "plan/manifest.h"
#include "shipped.h"

static struct manifest load(struct folder *folder, const char *text)
{
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load_manifest(&folder->arena, put(folder, "good", text), &manifest, &err), &err);
    return manifest;
}

static void refuse(struct folder *folder, const char *text, const char *part)
{
    struct manifest manifest = {0};
    struct err err = {0};
    assert_false(load_manifest(&folder->arena, put(folder, "bad", text), &manifest, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, part));
}

static const char *content(const struct manifest *manifest, const char *path)
{
    const struct wish_made *made = wishes_made(&manifest->wishes, path);
    assert_non_null(made);
    return made->kind == MADE_SYMLINK ? made->target : made->content;
}

static bool wants_file(const struct manifest *manifest, const char *path)
{
    for (size_t i = 0; i < manifest->wishes.files.count; i++) {
        if (strcmp(manifest->wishes.files.items[i].path, path) == 0)
            return true;
    }
    return false;
}

#define TWO                                                                                                            \
    "services:\n"                                                                                                      \
    "  - {name: b, command: [/sbin/b, \"it's\"], after: [a], user: nobody, restart: \"no\"}\n"                         \
    "  - {name: a, command: [/sbin/a], ready: [/bin/ask, a]}\n"

static void several_commands_are_folders_of_runit(void **state)
{
    struct manifest manifest = load(*state, TWO);
    assert_string_equal(manifest.config.entrypoint.items[0], "/usr/lib/imgfactory/supervise");
    assert_int_equal(manifest.config.entrypoint.count, 1);
    assert_string_equal(content(&manifest, "/usr/lib/imgfactory/services"), "a\nb\n");
    assert_non_null(strstr(content(&manifest, "/etc/service/b/run"), "exec chpst -u nobody /sbin/b 'it'\\''s'\n"));
    assert_non_null(strstr(content(&manifest, "/etc/service/b/run"), "\n/usr/lib/imgfactory/await b a\n"));
    assert_non_null(strstr(content(&manifest, "/etc/service/b/finish"), "kill -TERM"));
    assert_non_null(strstr(content(&manifest, "/etc/service/a/check"), "\nexec /bin/ask a\n"));
    assert_string_equal(content(&manifest, "/etc/service/a/supervise"), "/run/services/a");
    assert_null(wishes_made(&manifest.wishes, "/etc/service/a/finish"));
    assert_true(strings_has(&manifest.binaries, "/sbin/b") && strings_has(&manifest.binaries, "/bin/ask"));
    assert_true(strings_has(&manifest.binaries, "/usr/bin/runsvdir") && wants_file(&manifest, "/bin/sh"));
}

static void what_the_manifest_makes_itself_stays_and_its_static_shell_brings_the_tools(void **state)
{
    struct manifest manifest =
        load(*state, "shell: busybox\ncreate: [{path: /etc/service/a/run, mode: \"0755\", content: mine}]\n" TWO);
    assert_string_equal(content(&manifest, "/etc/service/a/run"), "mine");
    assert_false(wants_file(&manifest, "/bin/sh") || wants_file(&manifest, "/usr/bin/rm"));
}

static void one_command_with_a_key_of_runit_has_runit(void **state)
{
    static const char *const keys[] = {"restart: always", "user: root", "ready: [/sbin/b]"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const char *text =
            arena_printf(&((struct folder *)*state)->arena, "services: [{name: a, command: [/sbin/a], %s}]\n", keys[i]);
        struct manifest manifest = load(*state, text);
        assert_string_equal(manifest.config.entrypoint.items[0], "/usr/lib/imgfactory/supervise");
    }
}

static void one_command_is_started_by_tini(void **state)
{
    struct manifest manifest = load(*state, "services: [{name: a, command: [/sbin/a, -f]}]\nrun: {}\n");
    const struct strings *words = &manifest.config.entrypoint;
    assert_string_equal(strings_join(&((struct folder *)*state)->arena, words, " "), "/usr/bin/tini -- /sbin/a -f");
    assert_int_equal(manifest.config.contract->tmpfs.count, 0);
    assert_null(manifest.config.stop_signal);
}

static void units_are_links_and_drop_ins_of_systemd(void **state)
{
    struct manifest manifest = load(*state, "create: [{path: /etc/systemd/system/own.service, content: x}]\n"
                                            "services:\n"
                                            "  - {unit: tor@default.service, after: [web], restart: \"no\"}\n"
                                            "  - {unit: apache2.service, name: web, restart: always}\n"
                                            "  - {unit: own.service}\n"
                                            "  - {unit: cups.socket}\n"
                                            "run: {capabilities: []}\n");
    assert_string_equal(manifest.config.entrypoint.items[0], "/usr/lib/systemd/systemd");
    assert_string_equal(manifest.config.stop_signal, "SIGRTMIN+3");
    assert_string_equal(content(&manifest, "/etc/systemd/system/multi-user.target.wants/tor@default.service"),
                        "/usr/lib/systemd/system/tor@.service");
    assert_string_equal(content(&manifest, "/etc/systemd/system/multi-user.target.wants/own.service"),
                        "/etc/systemd/system/own.service");
    assert_string_equal(content(&manifest, "/etc/systemd/system/sockets.target.wants/cups.socket"),
                        "/usr/lib/systemd/system/cups.socket");
    assert_string_equal(content(&manifest, "/etc/systemd/system/tor@default.service.d/imgfactory.conf"),
                        "[Unit]\nAfter=apache2.service\nRequires=apache2.service\nFailureAction=exit\n\n"
                        "[Service]\nRestart=no\n");
    assert_string_equal(content(&manifest, "/etc/systemd/system/apache2.service.d/imgfactory.conf"),
                        "[Unit]\n\n[Service]\nRestart=always\n");
    assert_true(wants_file(&manifest, "/usr/lib/systemd/system/tor@.service"));
    assert_false(wants_file(&manifest, "/usr/lib/systemd/system/own.service"));
    assert_non_null(wishes_package(&manifest.wishes, "systemd"));
    assert_true(strings_has(&manifest.config.contract->tmpfs, "/run"));
    assert_true(strings_has(&manifest.config.contract->tmpfs, "/tmp"));
}

static void what_cannot_be_meant_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {"binaries: [/b]\ninit: runit\n", "'init' is for 'services'"},
        {"services: []\n", "1 to 64 services"},
        {"services: [{name: a}]\n", "one of 'command' and 'unit'"},
        {"services: [{name: a, command: [/a], unit: a.service}]\n", "one of 'command' and 'unit'"},
        {"services: [{command: [/a]}]\n", "wants a 'name'"},
        {"services: [{name: ../a, command: [/a]}]\n", "is no name"},
        {"services: [{name: a, command: [a]}]\n", "'a' must"},
        {"services: [{name: a, command: [/a, \"x\\ny\"]}]\n", "one line"},
        {"services: [{name: a, command: [/a]}, {name: a, command: [/b]}]\n", "comes twice"},
        {"services: [{name: alpha, command: [/a]}, {name: b, command: [/b], after: [alpa]}]\n", "did you mean 'alpha'"},
        {"services: [{name: a, command: [/a], after: [b]}, {name: b, command: [/b], after: [a]}]\n", "wait for itself"},
        {"services: [{name: a, command: [/a], restart: maybe}]\n", "neither always nor no"},
        {"services: [{name: a, command: [/a], user: u-1}]\nrecipes: false\n", "'u-1' is not root"},
        {"services: [{name: a, command: [/a], user: \"x;reboot\"}]\n", "is not root"},
        {"services: [{unit: ../a.service}]\n", "is no unit's name"},
        {"services: [{unit: a}]\n", "is no unit's name"},
        {"services: [{unit: a.service, user: nobody}]\n", "for commands"},
        {"services: [{unit: a.service}]\ninit: runit\n", "want systemd"},
        {"services: [{name: a, command: [/a]}]\ninit: systemd\n", "systemd starts units"},
        {"services: [{name: a, command: [/a]}]\ninit: sysv\n", "none of tini, runit and systemd"},
        {"services: [{name: a, command: [/a]}, {name: b, command: [/b]}]\ninit: tini\n", "tini starts one"},
        {"services: [{name: a, command: [/a], restart: always}]\ninit: tini\n", "tini starts nothing again"},
        {"services: [{name: a, command: [/a]}]\nconfig: {cmd: [/a]}\n", "neither 'entrypoint' nor 'cmd'"},
        {"services: [{name: a, command: [/a], ready: [/b]}]\ninit: tini\n", "are for runit"},
        {"init: runit\nservices: [{name: a, command: [/a], user: nobody}]\nrun: {capabilities: [KILL]}\n", "SETUID"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        refuse(*state, rows[i][0], rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(several_commands_are_folders_of_runit),
        IN_FOLDER(what_the_manifest_makes_itself_stays_and_its_static_shell_brings_the_tools),
        IN_FOLDER(one_command_is_started_by_tini),
        IN_FOLDER(one_command_with_a_key_of_runit_has_runit),
        IN_FOLDER(units_are_links_and_drop_ins_of_systemd),
        IN_FOLDER(what_cannot_be_meant_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
