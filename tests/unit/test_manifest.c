/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/auto.h"
#include "formats/sources.h"
#include "io/file.h"
#include "plan/rules.h"
#include "shipped.h"

#include <fcntl.h>

static struct manifest load(struct folder *folder, const char *text)
{
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load_manifest(&folder->arena, put(folder, "good", text), &manifest, &err), &err);
    return manifest;
}

/* Fails unless the text is refused with "FILE:" and exactly `rest`. */
static void refused(struct folder *folder, const char *text, const char *rest)
{
    struct manifest manifest = {0};
    struct err err = {0};
    const char *path = put(folder, "bad", text);
    if (load_manifest(&folder->arena, path, &manifest, &err))
        fail_msg("accepted, although \"%s\" was wanted", rest);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text, arena_printf(&folder->arena, "%s:%s", path, rest));
    assert_null(manifest.name);
}

#define B "binaries: [/usr/sbin/x]\n"

static void our_manifests_are_good(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct strings names;
    struct err err = {0};
    CHECK_OK(manifest_names(&arena, SOURCE_DIR "/manifests", &names, &err), &err);
    assert_true(names.count >= 5);
    for (size_t i = 0; i < names.count; i++) {
        const char *path;
        struct manifest manifest;
        CHECK_OK(manifest_find(&arena, SOURCE_DIR "/manifests", names.items[i], &path, &err), &err);
        CHECK_OK(load_manifest(&arena, path, &manifest, &err), &err);
        assert_string_equal(manifest.name, names.items[i]);
        assert_non_null(manifest.description);
        assert_non_null(manifest.config.author);
        const struct strings *command =
            manifest.config.entrypoint.count ? &manifest.config.entrypoint : &manifest.config.cmd;
        assert_true(command->count > 0);
        assert_true(strings_has(&manifest.binaries, command->items[0]) || command->items[0][0] == '/');
    }
}

static void dhcpd_runs_without_a_shell_and_with_its_lease_file(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest;
    struct err err = {0};
    CHECK_OK(load_manifest(&arena, SOURCE_DIR "/manifests/dhcpd.yaml", &manifest, &err), &err);
    const char *command = strings_join(&arena, &manifest.config.entrypoint, " ");
    assert_non_null(strstr(command, "/usr/sbin/dhcpd -d --no-pid "));
    assert_non_null(strstr(command, "-lf /var/lib/dhcpd/dhcpd.leases"));
    assert_string_equal(strings_join(&arena, &manifest.config.ports, " "), "67/udp 68/udp");
    assert_string_equal(strings_join(&arena, &manifest.config.volumes, " "), "/etc/dhcp /var/lib/dhcpd");
    assert_string_equal(strings_join(&arena, &manifest.architectures, " "), "x86_64 aarch64");
    const struct wish_made *leases = &manifest.wishes.made.items[manifest.wishes.made.count - 1];
    assert_int_equal(leases->kind, MADE_FILE);
    assert_string_equal(leases->path, "/var/lib/dhcpd/dhcpd.leases");
    assert_string_equal(leases->content, "");
}

static void the_readmes_examples_are_good(void **state)
{
    struct folder *folder = *state;
    struct strings manifests = examples(folder, "manifests/README.md", "");
    struct strings sources = examples(folder, "manifests/README.md", "source");
    assert_int_equal(manifests.count, 16);
    assert_int_equal(sources.count, 3);
    for (size_t i = 0; i < manifests.count; i++)
        (void)load(folder, manifests.items[i]);
    for (size_t i = 0; i < sources.count; i++) {
        struct yaml_file *file;
        struct source source;
        struct err err = {0};
        CHECK_OK(yaml_parse(&folder->arena, "README.md", text_of(sources.items[i]), &file, &err), &err);
        if (strcmp(yaml_get(file->root, "kind")->scalar, "rpm") == 0)
            CHECK_OK(source_load_node(&folder->arena, file->root, "/nonexistent", &source, &err), &err);
        else
            assert_string_equal(yaml_get(file->root, "kind")->scalar, "deb");
    }
}

static void the_shortest_manifest_gets_the_defaults(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "binaries: /usr/bin/[\n");
    assert_string_equal(manifest.name, "good");
    assert_string_equal(manifest.binaries.items[0], "/usr/bin/[");
    assert_string_equal(strings_join(&folder->arena, &manifest.architectures, " "), "x86_64 aarch64");
    assert_string_equal(strings_join(&folder->arena, &manifest.tags, " "), "latest");
    assert_false(manifest.has_architectures);
    assert_true(load(folder, B "architectures: s390x\n").has_architectures);
    assert_null(manifest.description);
    assert_null(manifest.source);
    assert_null(manifest.config.user);
    assert_int_equal(manifest.config.entrypoint.count, 0);
    struct digest digest = digest_of("binaries: /usr/bin/[\n", 21);
    assert_true(digest_eq(&digest, &manifest.digest));
    (void)load(folder, "files: [/usr/share/zoneinfo/**]\n");
    (void)load(folder, "packages: {install: tzdata}\n");
}

static void files_keep_their_packages_and_whether_they_may_be_absent(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "files:\n- /a/[!x]/*\n- {path: /b, package: [p, q], optional: true}\n"
                                            "- {path: '/c/[]]', package: r}\n");
    assert_int_equal(manifest.wishes.files.count, 3);
    assert_string_equal(manifest.wishes.files.items[0].path, "/a/[!x]/*");
    assert_int_equal(manifest.wishes.files.items[0].packages.count, 0);
    assert_false(manifest.wishes.files.items[0].is_optional);
    assert_true(manifest.wishes.files.items[1].is_optional);
    assert_string_equal(strings_join(&folder->arena, &manifest.wishes.files.items[1].packages, " "), "p q");
    assert_string_equal(manifest.wishes.files.items[2].packages.items[0], "r");
}

static void users_may_have_capitals_and_underscores(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest =
        load(folder, "binaries: [/b]\nusers: [{name: Debian-exim, uid: 100}, {name: _x, uid: 9}]\n");
    assert_string_equal(manifest.wishes.users.items[0].name, "Debian-exim");
    assert_string_equal(manifest.wishes.groups.items[1].name, "_x");
}

static void a_manifest_covers_what_scripts_do_as_a_recipe_does(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "binaries: [/b]\ncovers: [adduser, debconf]\n");
    assert_true(manifest.covers[EFFECT_USER] && manifest.covers[EFFECT_DEBCONF] && !manifest.covers[EFFECT_UCF]);
    refused(folder, "binaries: [/b]\ncovers: [adduser, rm]\n",
            "2:19: 'rm' is none of adduser, addgroup, update-alternatives, setcap, dpkg-statoverride, ucf, a2enmod, "
            "ssh-keygen, debconf, mkdir, chown, install, update-ca-certificates, other");
}

static void what_cannot_be_loaded_may_be_dropped_of_files_and_of_whole_packages(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "files: [{path: /a, optional: drop}, {path: /b, optional: false}]\n"
                                            "packages: {install: [p], optional: drop}\n");
    assert_true(manifest.wishes.files.items[0].is_lenient && !manifest.wishes.files.items[0].is_optional);
    assert_false(manifest.wishes.files.items[1].is_lenient || manifest.wishes.files.items[1].is_optional);
    assert_true(manifest.wishes.packages.items[0].is_lenient);
    assert_false(load(folder, "packages: {install: [p], optional: keep}\n").wishes.packages.items[0].is_lenient);
    assert_false(load(folder, "packages: {install: [p]}\n").wishes.packages.items[0].is_lenient);
}

static void packages_are_installed_on_a_base_or_completely_on_nothing(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "packages: {install: [p]}\n");
    assert_false(manifest_fills(&manifest));
    manifest = load(folder, "base: ./x\npackages: {install: [p], documentation: true}\nallow-unconfigured: true\n");
    assert_true(manifest_fills(&manifest));
    assert_true(manifest.has_documentation);
    assert_true(manifest.allows_unconfigured);
    manifest = load(folder, "base: ./x\nbinaries: [/usr/bin/x]\n");
    assert_false(manifest_fills(&manifest)); /* the files that the base lacks */
    manifest = load(folder, "packages: {install: [p], complete: true}\n");
    assert_true(manifest_fills(&manifest));
    refused(folder, B "packages: {complete: true}\n", "2:22: 'complete' wants packages under 'install'");
    CHECK_OK(load_manifest(&folder->arena, SOURCE_DIR "/manifests/bases/debian.yaml", &manifest, &(struct err){0}),
             &(struct err){0});
    assert_true(manifest_fills(&manifest));
}

static void what_is_made_has_modes_owners_and_places(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, B "users: [{name: u, uid: 7}]\ngroups: [{name: g, gid: 8}]\n"
                                              "directories:\n- /d\n- {path: /e, mode: \"1777\", owner: u, group: g}\n"
                                              "create: [{path: /f, content: \"x\\n\", owner: 12, group: u}, /g]\n"
                                              "symlinks: [{path: /s, target: ../f}]\n");
    const struct wish_made *made = manifest.wishes.made.items;
    assert_int_equal(manifest.wishes.made.count, 5);
    assert_int_equal(made[0].mode, 0755);
    assert_string_equal(made[0].owner, "root");
    assert_int_equal(made[1].mode, 01777);
    assert_string_equal(made[1].group, "g");
    assert_int_equal(made[2].kind, MADE_FILE);
    assert_int_equal(made[2].mode, 0644);
    assert_string_equal(made[2].owner, "12");
    assert_string_equal(made[2].group, "u"); /* the user's own group */
    assert_string_equal(made[2].content, "x\n");
    assert_string_equal(made[3].content, "");
    assert_int_equal(made[4].kind, MADE_SYMLINK);
    assert_string_equal(made[4].target, "../f");
    assert_int_equal(made[4].node->line, 8);
}

static void a_file_beside_the_manifest_is_copied_byte_by_byte(void **state)
{
    struct folder *folder = *state;
    const char *path = put(folder, "page", "");
    static const char bytes[] = "one\0two\n", text[] = B "create: [{path: /f, from: page.yaml, mode: \"0755\"}]\n";
    struct err err = {0};
    AUTO(auto_close_fd) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    CHECK_OK(file_write_all(fd, bytes, sizeof bytes - 1, path, &err), &err);
    struct manifest manifest = load(folder, text), other;
    struct text content = wish_content(&manifest.wishes.made.items[0]);
    assert_int_equal(content.len, sizeof bytes - 1);
    assert_memory_equal(content.ptr, bytes, sizeof bytes - 1);
    assert_int_equal(manifest.wishes.made.items[0].mode, 0755);
    put(folder, "page", "another");
    other = load(folder, text);
    assert_false(digest_eq(&manifest.digest, &other.digest)); /* a product is named by it */
    refused(folder, B "create: [{path: /f, from: ../page.yaml}]\n",
            "2:27: '../page.yaml' must not have a '..' component");
    refused(folder, B "create: [{path: /f, from: /etc/passwd}]\n",
            "2:27: '/etc/passwd' must be a file beside the manifest or below it, not an absolute path");
    refused(folder, B "create: [{path: /f, from: page.yaml, content: x}]\n",
            "2:27: 'content' and 'from' stand together; one of them says what is in '/f'");
    refused(
        folder, B "create: [{path: /f, from: nothing}]\n",
        arena_printf(&folder->arena, "2:27: 'from': cannot open %s/nothing: No such file or directory", folder->dir));
    const char *link = arena_printf(&folder->arena, "%s/link", folder->dir);
    list_add(&folder->arena, &folder->paths, link);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_false(
        load_manifest(&folder->arena, put(folder, "bad", B "create: [{path: /f, from: link}]\n"), &other, &err));
    CHECK_ERR(&err, ERR_USAGE, "link");
}

static void a_user_without_a_group_brings_its_own(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, B "users:\n- {name: a, uid: 5}\n- {name: b, uid: 6, group: a}\n"
                                              "- {name: c, uid: 7, groups: [a, root]}\n- {name: d, uid: 8, group: 99}\n"
                                              "groups: [{name: c, gid: 70}]\n");
    assert_int_equal(manifest.wishes.groups.count, 2);
    assert_string_equal(manifest.wishes.groups.items[1].name, "a");
    assert_int_equal(manifest.wishes.groups.items[1].gid, 5);
    assert_string_equal(manifest.wishes.users.items[0].group, "a");
    assert_string_equal(manifest.wishes.users.items[1].group, "a");
    assert_string_equal(manifest.wishes.users.items[2].group, "c");
    assert_string_equal(manifest.wishes.users.items[3].group, "99");
    assert_string_equal(manifest.wishes.users.items[0].home, "/nonexistent");
    assert_string_equal(manifest.wishes.users.items[0].shell, "/usr/sbin/nologin");
    manifest = load(folder, B "users: [{name: root, uid: 0, home: /root}, {name: z, uid: 4294967294}]\n");
    assert_string_equal(manifest.wishes.users.items[0].group, "root");
    assert_int_equal(manifest.wishes.groups.count, 1);
}

static void ports_are_written_with_their_protocol(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, B "config: {ports: [80, 67/udp, 9/sctp, 080/udp, 65535/tcp]}\n");
    assert_string_equal(strings_join(&folder->arena, &manifest.config.ports, " "),
                        "80/tcp 67/udp 9/sctp 80/udp 65535/tcp");
}

static void the_configuration_is_read_in_the_files_order(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest =
        load(folder, B "config:\n  entrypoint: [/x, '']\n  cmd: one\n  env: {Z: '1', A: 'b=c'}\n  user: 10:20\n"
                       "  working-dir: /\n  stop-signal: SIGRTMIN+3\n  labels: {l: '{{ {name} }}'}\n"
                       "  annotations: {org.opencontainers.image.vendor: v}\n  author: me\n"
                       "source: {kind: deb}\ntags: ['{version}-{date}', '1.10']\n");
    assert_string_equal(manifest.config.entrypoint.items[1], "");
    assert_string_equal(manifest.config.cmd.items[0], "one");
    assert_string_equal(manifest.config.env.items[0].key, "Z");
    assert_string_equal(manifest.config.env.items[1].value, "b=c");
    assert_string_equal(manifest.config.user, "10:20");
    assert_string_equal(manifest.config.stop_signal, "SIGRTMIN+3");
    assert_int_equal(manifest.source->kind, YAML_MAPPING);
    assert_string_equal(manifest.tags.items[1], "1.10");
}

static void unknown_keys_suggest_the_nearest(void **state)
{
    struct folder *folder = *state;
    refused(folder, B "config:\n  entripoint: [/x]\n", "3:3: unknown key 'entripoint'; did you mean 'entrypoint'?");
    refused(folder, "binarys: /x\n", "1:1: unknown key 'binarys'; did you mean 'binaries'?");
    refused(folder, "binary: /x\n", "1:1: unknown key 'binary'; did you mean 'binaries'?");
    refused(folder, B "entrypoint: [/x]\n",
            "2:1: unknown key 'entrypoint'; did you mean 'entrypoint' below 'config:'?");
    refused(folder, B "first: [x]\n", "2:1: unknown key 'first'; did you mean 'first' below 'packages:'?");
    refused(folder, B "network: host\n", "2:1: unknown key 'network'; did you mean 'network' below 'run:'?");
    refused(folder, "packages: [x]\n",
            "1:11: 'packages' wants a mapping, not a list; did you mean packages: {install: [x]}?");
    refused(folder, "packages: x\n",
            "1:11: 'packages' wants a mapping, not a single value; did you mean packages: {install: [x]}?");
    refused(folder, "packages: [[x], y]\n",
            "1:11: 'packages' wants a mapping, not a list; did you mean packages: {install: […]}?");
    refused(folder, "binaries: [lighttpd]\n",
            "1:12: 'lighttpd' must be an absolute path, such as /usr/sbin/NAME; `imgfactory find NAME` tells it");
    refused(folder, B "users: [{name: u, id: 1}]\n", "2:19: unknown key 'id'; did you mean 'uid'?");
    refused(folder, B "files: [{path: /x, packages: y}]\n", "2:20: unknown key 'packages'; did you mean 'package'?");
    refused(folder, B "symlinks: [{path: /x, target: y, mode: \"0777\"}]\n",
            "2:34: unknown key 'mode'; known here: path, target");
    refused(folder, B "binaries: [/y]\n", "2:1: duplicate key 'binaries' (first in line 1)");
}

static void a_base_is_a_reference_a_layout_or_another_image(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = load(folder, "base: manifest:debian\ncreate: [/x]\n");
    assert_string_equal(manifest_base_image(&manifest), "debian");
    manifest = load(folder, "base: ./layouts/debian:12\nbinaries: [/x]\n");
    assert_null(manifest_base_image(&manifest));
    assert_true(manifest_base_is_layout(manifest.base));
    refused(folder, "base: manifest:A/b\nbinaries: [/x]\n",
            "1:7: 'manifest:A/b' wants an image's name behind manifest:");
    refused(folder, "base: ''\nbinaries: [/x]\n",
            "1:7: 'base' must be a reference, the path of a layout, or manifest:NAME");
    assert_true(manifest_base_is_layout("oci:debian"));
    assert_false(manifest_base_is_layout("docker.io/library/debian:12"));
    manifest = load(folder, "binaries: [/x]\n");
    assert_null(manifest_base_image(&manifest));
}

static void contents_are_checked(void **state)
{
    struct folder *folder = *state;
    refused(folder, "", "1:1: the manifest is empty");
    refused(folder, "- x\n", "1:1: a mapping (key: value) is wanted here, not a list");
    refused(folder, "name: x\n", "1:1: nothing to put in: give 'binaries', 'files' or 'packages: install'");
    refused(folder, "binaries: []\npackages: {first: [x]}\n",
            "1:1: nothing to put in: give 'binaries', 'files' or 'packages: install'");
    refused(folder, "binaries: [sbin/x]\n", "1:12: 'sbin/x' must be an absolute path");
    refused(folder, "binaries: [/a/../b]\n", "1:12: '/a/../b' must not have a '..' component");
    refused(folder, "binaries: [/a//b]\n", "1:12: '/a//b' must not have an empty or '.' component");
    refused(folder, "binaries: [/a/./b]\n", "1:12: '/a/./b' must not have an empty or '.' component");
    refused(folder, "binaries: [/a/]\n", "1:12: '/a/' must not end in '/'");
    refused(folder, "binaries: [/]\n", "1:12: '/' must not be the root");
    refused(folder, "binaries: [/a, \"/b\\nc\"]\n", "1:16: '/b\\x0Ac' has a control character");
    refused(folder, "binaries: ['/usr/*/[x']\n", "1:12: '/usr/*/[x' has a '[' without its ']'");
    refused(folder, "binaries: [/a, /a]\n", "1:16: '/a' comes twice");
    refused(folder, "files: [/a/[x]\n", "1:12: did not find expected ',' or ']' (while parsing a flow sequence)");
    refused(folder, "files:\n- /a/[x\n", "2:3: '/a/[x' has a '[' without its ']'");
    refused(folder, "files:\n- {path: '/a/[]'}\n", "2:10: '/a/[]' has a '[' without its ']'");
    refused(folder, "files:\n- {optional: true}\n", "2:3: key 'path' is missing");
    refused(folder, "files:\n- {path: /x, optional: yes}\n",
            "2:24: 'optional' wants true, false or drop (without quotes)");
    refused(folder, "files:\n- {path: /x, optional: \"drop\"}\n",
            "2:24: 'optional' wants true, false or drop (without quotes)");
    refused(folder, "packages: {install: [x], optional: true}\n", "1:36: 'true' is neither keep nor drop");
    refused(folder, "files: /a\n", "1:8: 'files' wants a list (lines that begin with '- '), not a single value");
    refused(folder, "files: [/a, /a]\n", "1:13: '/a' comes twice under 'files'");
    refused(folder, "files: [{path: /a, package: 'x y'}]\n", "1:29: 'x y' is not a package's name");
    refused(folder, "packages: {install: [-x]}\n", "1:22: '-x' is not a package's name");
    refused(folder, "packages: {install: [x], never: [y, x]}\n", "1:33: 'x' stands under 'install' and 'never'");
    refused(folder, B "name: A\n", "2:7: 'A' cannot be an image's name: [a-z0-9]+([._-][a-z0-9]+)*");
    refused(folder, B "name: ../x\n", "2:7: '../x' cannot be an image's name: [a-z0-9]+([._-][a-z0-9]+)*");
    refused(folder, B "description: \"a\\nb\"\n", "2:14: 'description' must be one line");
    refused(folder, B "architectures: []\n", "2:16: 'architectures' must name at least one");
    refused(folder, B "architectures: [a, b, a]\n", "2:23: 'a' comes twice");
    refused(folder, B "source: [x]\n", "2:9: 'source' wants a file's path or a mapping, not a list");
    refused(folder, B "config: x\n", "2:9: a mapping (key: value) is wanted here, not a single value");
}

static void what_is_made_is_checked(void **state)
{
    struct folder *folder = *state;
    refused(folder, B "directories: [/a, {path: /b, mode: 0755}]\n",
            "2:36: 'mode' wants an octal mode in quotes, such as \"0644\", not 0755 without quotes");
    refused(folder, B "directories: [/a/../b]\n", "2:15: '/a/../b' must not have a '..' component");
    refused(folder, B "create: [/]\n", "2:10: '/' must not be the root");
    refused(folder, B "directories: [/a]\ncreate:\n- /a\n", "4:3: '/a' is made twice (first in line 2)");
    refused(folder, B "directories: [{path: /a, owner: nobody}]\nrecipes: false\n",
            "2:33: 'nobody' is not root, one of 'users', or a number");
    refused(folder, B "users: [{name: u, uid: 1, group: 0}]\ndirectories: [{path: /a, group: u}]\nrecipes: false\n",
            "3:33: 'u' is not root, one of 'groups', or a number");
    refused(folder, B "directories: [{path: /a, owner: 4294967295}]\n",
            "2:33: '4294967295' is not root, one of 'users', or a number");
    refused(folder, B "symlinks: [/a]\n", "2:12: a mapping (key: value) is wanted here, not a single value");
    refused(folder, B "symlinks: [{path: /a}]\n", "2:12: key 'target' is missing");
    refused(folder, B "symlinks: [{path: /a, target: ''}]\n", "2:31: the target of '/a' must be a path");
}

/* A recipe may bring the user: only the job knows. */
static void with_recipes_a_user_may_be_somebody_elses(void **state)
{
    struct manifest manifest = load(*state, B "directories: [{path: /a, owner: u, group: g}]\nconfig: {user: u:g}\n");
    assert_true(manifest.has_recipes);
    assert_false(manifest.is_strict);
    assert_string_equal(manifest.wishes.made.items[0].owner, "u");
    refused(*state, B "directories: [{path: /a, owner: -u}]\n", "2:33: '-u' is not root, one of 'users', or a number");
    manifest = load(*state, B "recipes: false\nstrict: true\n");
    assert_false(manifest.has_recipes);
    assert_true(manifest.is_strict);
}

static void users_and_groups_are_checked(void **state)
{
    struct folder *folder = *state;
    refused(folder, B "users: [{name: -u, uid: 1}]\n",
            "2:16: '-u' is not a name: [A-Za-z_][A-Za-z0-9_.-]*, at most 32");
    refused(folder, B "users: [{name: 'a:b', uid: 1}]\n",
            "2:16: 'a:b' is not a name: [A-Za-z_][A-Za-z0-9_.-]*, at most 32");
    refused(folder, B "users: [{name: u}]\n", "2:9: key 'uid' is missing");
    refused(folder, B "users: [{name: u, uid: \"1\"}]\n", "2:24: 'uid' wants a decimal number without quotes, not '1'");
    refused(folder, B "users: [{name: u, uid: 4294967295}]\n", "2:24: user 'u': uid must be at most 4294967294");
    refused(folder, B "users: [{name: u, uid: 0}]\n", "2:24: user 'u': number 0 is root's, and root's alone");
    refused(folder, B "groups: [{name: root, gid: 1}]\n", "2:28: group 'root': number 0 is root's, and root's alone");
    refused(folder, B "users: [{name: u, uid: 1}, {name: u, uid: 2}]\n", "2:35: user 'u' comes twice");
    refused(folder, B "users: [{name: u, uid: 1}, {name: v, uid: 1}]\n", "2:43: user 'v' has the uid of 'u' (1)");
    refused(folder, B "groups: [{name: g, gid: 1}, {name: h, gid: 1}]\n", "2:44: group 'h' has the gid of 'g' (1)");
    refused(folder, B "groups: [{name: g, gid: 1}]\nusers: [{name: u, uid: 1}]\n",
            "3:24: the default group 'u' has the uid of 'g' (1)");
    refused(folder, B "users: [{name: u, uid: 1, group: g}]\nrecipes: false\n",
            "2:34: 'g' is not root, one of 'groups', or a number");
    refused(folder, B "users: [{name: u, uid: 1, groups: [u, g]}]\nrecipes: false\n",
            "2:39: 'g' is not root or one of 'groups'");
    refused(folder, B "users: [{name: u, uid: 1, groups: [7]}]\n", "2:36: '7' is not root or one of 'groups'");
    refused(folder, B "users: [{name: u, uid: 1, home: x}]\n",
            "2:33: home of 'u' must be an absolute path without ':'");
    refused(folder, B "users: [{name: u, uid: 1, shell: \"/b:/c\"}]\n",
            "2:34: shell of 'u' must be an absolute path without ':'");
    refused(folder, B "users: [{name: u, uid: 1, comment: \"a\\nroot::0:0:\"}]\n",
            "2:36: comment of 'u' must be one line without ':'");
}

static void the_configuration_is_checked(void **state)
{
    struct folder *folder = *state;
    refused(folder, B "config: {entrypoint: /x -d}\n",
            "2:22: 'entrypoint' is one word for each item: write [\"/path\", \"argument\"]");
    refused(folder, B "config: {entrypoint: ['']}\n", "2:23: 'entrypoint' must begin with a program");
    refused(folder, B "config: {entrypoint: ''}\n", "2:22: 'entrypoint' must begin with a program");
    refused(folder, B "config: {ports: [0]}\n", "2:18: '0' wants a port from 1 to 65535");
    refused(folder, B "config: {ports: [65536]}\n", "2:18: '65536' wants a port from 1 to 65535");
    refused(folder, B "config: {ports: [80, 18446744073709551617/tcp]}\n",
            "2:22: '18446744073709551617/tcp' wants a port from 1 to 65535");
    refused(folder, B "config: {ports: [80/icmp]}\n",
            "2:18: '80/icmp' wants the protocol tcp, udp or sctp after the '/'");
    refused(folder, B "config: {ports: [80, 80/tcp]}\n", "2:22: '80/tcp' comes twice");
    refused(folder, B "config: {volumes: [x]}\n", "2:20: 'x' must be an absolute path");
    refused(folder, B "config: {volumes: [/x, /x]}\n", "2:24: '/x' comes twice");
    refused(folder, B "config: {working-dir: x}\n", "2:23: 'x' must be an absolute path");
    refused(folder, B "config: {env: {\"A=B\": c}}\n", "2:23: 'A=B' cannot be a variable's name");
    refused(folder, B "config: {env: {\"\": c}}\n", "2:20: '' cannot be a variable's name");
    refused(folder, B "config: {env: [A=B]}\n", "2:15: 'env' wants a mapping of names to values, not a list");
    refused(folder, B "config: {user: nobody}\nrecipes: false\n",
            "2:16: 'nobody' is not root, one of 'users', or a number");
    refused(folder, B "config: {user: 'root:'}\n", "2:16: '' is not root, one of 'groups', or a number");
    refused(folder, B "config: {stop-signal: SIGFOO}\n", "2:23: 'SIGFOO' is not a signal, such as SIGTERM or 15");
    refused(folder, B "config: {stop-signal: TERM}\n", "2:23: 'TERM' is not a signal, such as SIGTERM or 15");
    refused(folder, B "config: {stop-signal: 65}\n", "2:23: '65' is not a signal, such as SIGTERM or 15");
    refused(folder, B "config: {author: \"\"}\n", "2:18: 'author' must be one line of text");
    refused(folder, B "config: {labels: {\"\": c}}\n", "2:23: 'labels' has an empty or unprintable key");
    refused(folder, B "config: {annotations: {org.opencontainers.image.license: MIT}}\n",
            "2:58: 'org.opencontainers.image.license' is not in the image-spec, which reserves the prefix "
            "org.opencontainers.");
    refused(folder, B "config: {annotations: {a: \"{verson}\"}}\n",
            "2:27: unknown placeholder {verson}; did you mean {version}?");
    refused(folder, B "config: {annotations: {a: \"{}\"}}\n",
            "2:27: unknown placeholder {}; known: name, arch, package, version, release, full-version, "
            "source-package, source-version, date");
    refused(folder, B "config: {labels: {a: \"x}\"}}\n",
            "2:22: a brace that begins no {placeholder} is written twice: {{ or }}");
}

static void tags_are_checked(void **state)
{
    struct folder *folder = *state;
    refused(folder, B "tags: []\n", "2:7: 'tags' must have at least one");
    refused(folder, B "tags: [a b]\n", "2:8: 'a b' may hold only letters, digits, '.', '_', '-' and {placeholders}");
    refused(folder, B "tags: ['{{x}}']\n",
            "2:8: '{{x}}' may hold only letters, digits, '.', '_', '-' and {placeholders}");
    refused(folder, B "tags: ['a{']\n", "2:8: 'a{' may hold only letters, digits, '.', '_', '-' and {placeholders}");
    refused(folder, B "tags: [.a]\n", "2:8: '.a' must not begin with '.' or '-'");
    refused(folder, B "tags: [{version}]\n",
            "2:8: 'tags' wants a single value here, not a mapping (quote a value that begins with '{')");
    refused(folder, B "tags: [latest, '{tag}']\n",
            "2:16: unknown placeholder {tag}; known: name, arch, package, version, release, full-version, "
            "source-package, source-version, date");
    refused(folder, B "tags: [a, b, a]\n", "2:14: 'a' comes twice");
}

static void images_are_found_by_name_or_by_path(void **state)
{
    struct folder *folder = *state;
    struct err err = {0};
    const char *path, *made = put(folder, "one", B);
    (void)put(folder, "two", B);
    CHECK_OK(manifest_find(&folder->arena, folder->dir, "one", &path, &err), &err);
    assert_string_equal(path, made);
    CHECK_OK(manifest_find(&folder->arena, "/nonexistent", "./x/one", &path, &err), &err);
    assert_string_equal(path, "./x/one");
    CHECK_OK(manifest_find(&folder->arena, "/nonexistent", "my.yaml", &path, &err), &err);
    assert_string_equal(path, "my.yaml");
    CHECK_OK(manifest_find(&folder->arena, "/nonexistent", "my.yml", &path, &err), &err);
    assert_false(manifest_find(&folder->arena, folder->dir, "onw", &path, &err));
    CHECK_ERR(&err, ERR_USAGE, "unknown image 'onw'; did you mean 'one'?");
    CHECK_ERR(&err, ERR_USAGE, ": one, two");
    static const char *const unknown[] = {"", "..", "three", "\x1B[2J"};
    for (size_t i = 0; i < ARRAY_COUNT(unknown); i++) {
        err_clear(&err);
        assert_false(manifest_find(&folder->arena, folder->dir, unknown[i], &path, &err));
        CHECK_ERR(&err, ERR_USAGE, "unknown image");
        assert_null(strchr(err.text, '\x1B'));
    }
    err_clear(&err);
    assert_false(manifest_find(&folder->arena, "/nonexistent", "one", &path, &err));
    CHECK_ERR(&err, ERR_LOCAL, "/nonexistent");
}

static void an_unknown_image_lists_at_most_twenty(void **state)
{
    struct folder *folder = *state;
    struct err err = {0};
    const char *path;
    for (int i = 10; i < 35; i++)
        (void)put(folder, arena_printf(&folder->arena, "image%d", i), B);
    assert_false(manifest_find(&folder->arena, folder->dir, "other", &path, &err));
    CHECK_ERR(&err, ERR_USAGE, "image29, …");
    assert_null(strstr(err.text, "image30"));
}

static void signals_paths_and_globs_follow_their_rules(void **state)
{
    (void)state;
    static const char *const signals[] = {"SIGTERM", "SIGQUIT", "SIGWINCH", "SIGRTMAX", "SIGRTMAX-14", "1", "64"};
    for (size_t i = 0; i < ARRAY_COUNT(signals); i++)
        assert_true(rule_is_signal(signals[i]));
    static const char *const wrong[] = {"", "SIG", "0", "SIGterm", "SIGRTMIN-1", "SIGRTMIN+31", "SIGRTMINX", "-9"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        assert_false(rule_is_signal(wrong[i]));
    char component[300] = "/";
    memset(component + 1, 'a', 255);
    assert_null(rule_path(component));
    component[256] = 'a';
    assert_non_null(rule_path(component));
    assert_non_null(rule_path(""));
    assert_null(rule_path_or_root("/"));
    assert_null(rule_path("/...")); /* three dots are a name */
    assert_true(rule_is_image_name("a0.b-c_d"));
    assert_false(rule_is_image_name("a..b"));
    assert_false(rule_is_image_name("a-"));
    assert_false(rule_is_image_name(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_manifests_are_good),
        cmocka_unit_test(dhcpd_runs_without_a_shell_and_with_its_lease_file),
        IN_FOLDER(the_readmes_examples_are_good),
        IN_FOLDER(a_base_is_a_reference_a_layout_or_another_image),
        IN_FOLDER(the_shortest_manifest_gets_the_defaults),
        IN_FOLDER(files_keep_their_packages_and_whether_they_may_be_absent),
        IN_FOLDER(users_may_have_capitals_and_underscores),
        IN_FOLDER(a_manifest_covers_what_scripts_do_as_a_recipe_does),
        IN_FOLDER(what_cannot_be_loaded_may_be_dropped_of_files_and_of_whole_packages),
        IN_FOLDER(packages_are_installed_on_a_base_or_completely_on_nothing),
        IN_FOLDER(what_is_made_has_modes_owners_and_places),
        IN_FOLDER(a_file_beside_the_manifest_is_copied_byte_by_byte),
        IN_FOLDER(a_user_without_a_group_brings_its_own),
        IN_FOLDER(ports_are_written_with_their_protocol),
        IN_FOLDER(the_configuration_is_read_in_the_files_order),
        IN_FOLDER(unknown_keys_suggest_the_nearest),
        IN_FOLDER(contents_are_checked),
        IN_FOLDER(what_is_made_is_checked),
        IN_FOLDER(with_recipes_a_user_may_be_somebody_elses),
        IN_FOLDER(users_and_groups_are_checked),
        IN_FOLDER(the_configuration_is_checked),
        IN_FOLDER(tags_are_checked),
        IN_FOLDER(images_are_found_by_name_or_by_path),
        IN_FOLDER(an_unknown_image_lists_at_most_twenty),
        cmocka_unit_test(signals_paths_and_globs_follow_their_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
