/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "plan/manifest.h"
#include "shipped.h"

#define COMMAND "config: {entrypoint: [/sbin/a, -f]}\n"

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
    if (!strstr(err.text, part))
        fail_msg("wanted '%s' in '%s'", part, err.text);
}

static void volumes_are_read_with_their_paths_and_the_command_is_started_by_the_program(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "files: [/etc/a/x]\n" COMMAND "data:\n"
                                            "  - {volume: /data, paths: [/etc/a/, /etc/b]}\n"
                                            "  - {volume: /lost, paths: [/var/cache/a/], keep: false}\n"
                                            "run: {capabilities: [CHOWN, DAC_OVERRIDE, FOWNER]}\n");
    assert_int_equal(manifest.volumes->list.count, 2);
    const struct volume *volume = &manifest.volumes->list.items[0];
    assert_string_equal(volume->paths.items[0].path, "/etc/a");
    assert_true(volume->paths.items[0].is_directory && !volume->paths.items[1].is_directory);
    assert_string_equal(strings_join(&folder->arena, &manifest.config.entrypoint, " "),
                        "/usr/lib/imgfactory/start /sbin/a -f");
    assert_int_equal(manifest.config.volumes.count, 1);
    assert_true(strings_has(&manifest.config.contract->tmpfs, "/lost"));
    assert_true(strings_has(&manifest.binaries, "/sbin/a"));
    assert_string_equal(wishes_made(&manifest.wishes, "/usr/lib/imgfactory/volumes")->content, "/data\n/lost\n");
    assert_int_equal(wishes_made(&manifest.wishes, "/data")->kind, MADE_DIRECTORY);
}

static void services_are_behind_it_too(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "services: [{name: a, command: [/sbin/a]}, {name: b, command: [/sbin/b]}]\n"
                                            "data: [{volume: /data, paths: [/etc/a]}]\n");
    assert_string_equal(strings_join(&folder->arena, &manifest.config.entrypoint, " "),
                        "/usr/lib/imgfactory/start /usr/lib/imgfactory/supervise");
}

static void under_systemd_a_unit_runs_the_set_up_programs(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "services: [{unit: a.service}]\ndata: [{volume: /data, paths: [/etc/a]}]\n"
                                            "configure: {command: [/sbin/set], variables: [A, B]}\n");
    const struct wish_made *unit = wishes_made(&manifest.wishes, "/etc/systemd/system/imgfactory-setup.service");
    assert_non_null(unit);
    assert_non_null(strstr(unit->content, "PassEnvironment=A B\n"));
    assert_non_null(strstr(unit->content, "ExecStart=/usr/lib/imgfactory/setup /data\n"));
    assert_non_null(wishes_made(&manifest.wishes, "/usr/lib/imgfactory/late"));
    assert_string_equal(wishes_made(&manifest.wishes, "/usr/lib/imgfactory/variables")->content, "A\nB\n");
}

static void what_cannot_be_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {COMMAND "data: {}\n", "1 to 16 volumes"},
        {COMMAND "data: [{volume: /data}]\n", "paths"},
        {COMMAND "data: [{volume: /data, paths: []}]\n", "1 to 1000 paths"},
        {COMMAND "data: [{volume: data, paths: [/a]}]\n", "'data' must"},
        {COMMAND "data: [{volume: \"/a:b\", paths: [/a]}]\n", "colon"},
        {COMMAND "data: [{volume: /data, paths: [/a/../b]}]\n", "'/a/../b'"},
        {COMMAND "data: [{volume: /data, paths: [/]}]\n", "'/'"},
        {COMMAND "data: [{volume: /data, paths: [/etc]}]\n", "needed before"},
        {COMMAND "data: [{volume: /data, paths: [/etc/passwd]}]\n", "needed before"},
        {COMMAND "data: [{volume: /data, paths: [/run/x]}]\n", "made anew"},
        {COMMAND "data: [{volume: /data, paths: [/data/x]}]\n", "is in a volume"},
        {COMMAND "data: [{volume: /data, paths: [/data-template]}]\n", "is in a volume"},
        {COMMAND "data: [{volume: /data, paths: [/a, /a/b]}]\n", "in one another"},
        {COMMAND "data: [{volume: /d, paths: [/a]}, {volume: /e, paths: [/a/]}]\n", "in one another"},
        {COMMAND "data: [{volume: /d, paths: [/a]}, {volume: /d, paths: [/b]}]\n", "is in a volume"},
        {COMMAND "data: [{volume: /d, paths: [/a], keep: false}]\n", "first volume is kept"},
        {"binaries: [/a]\ndata: [{volume: /data, paths: [/a]}]\n", "wants to know the command"},
        {"binaries: [/a]\nconfig: {cmd: [a]}\ndata: [{volume: /data, paths: [/a]}]\n", "absolute path"},
        {"config: {entrypoint: [/a], user: nobody}\ndata: [{volume: /data, paths: [/b]}]\n", "filled by root"},
        {COMMAND "data: [{volume: /d, paths: [/b]}]\nrun: {capabilities: [CHOWN]}\n", "DAC_OVERRIDE"},
        {COMMAND "configure: {command: [/x]}\n", "wants 'data'"},
        {COMMAND "data: [{volume: /d, paths: [/b]}]\nconfigure: {command: [x]}\n", "'x' must"},
        {COMMAND "data: [{volume: /d, paths: [/b]}]\nconfigure: {command: []}\n", "must name a program"},
        {COMMAND "data: [{volume: /d, paths: [/b]}]\nconfigure: {command: [/x], variables: [\"A;B\"]}\n",
         "no name of a variable"},
        {COMMAND "data: [{volume: /d, paths: [/b]}]\nupgrade: {command: [/x], variables: [A]}\n", "variables"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        refuse(*state, arena_printf(&((struct folder *)*state)->arena, "files: [/sbin/a]\n%s", rows[i][0]), rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(volumes_are_read_with_their_paths_and_the_command_is_started_by_the_program),
        IN_FOLDER(services_are_behind_it_too),
        IN_FOLDER(under_systemd_a_unit_runs_the_set_up_programs),
        IN_FOLDER(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
