/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of tree/tree: merging kept files, the manifest's own entries and the package database; export. */
#include "planting.h"

#include <fcntl.h>
#include <sys/stat.h>

/* /etc, /etc/group, /etc/passwd, /run, /run/lock, /tmp, /var, and of /var cache, lib, lock, log, run, spool, tmp */
#define SKELETON_NODES 14

static void kept_files_have_their_parents_as_packaged(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a"), *b = package_add(*state, "b");
    dir_add(a, "/var/lib/x", 0700)->uid = 7;
    dir_add(b, "/var/lib/x", 0750)->uid = 8;
    dir_add(a, "/var/lib", 02775);
    file_add(b, "/var/lib/x/y/f", "bytes")->mode = 04755;
    root_add(&planting, "/var/lib/x/y/f");
    const struct tree *tree = grow(&planting);
    check_node(tree, "/var", NODE_DIRECTORY, 0755, 0);
    check_node(tree, "/var/lib", NODE_DIRECTORY, 02775, 0);  /* of another package */
    check_node(tree, "/var/lib/x", NODE_DIRECTORY, 0750, 8); /* of the package that gives the file */
    check_node(tree, "/var/lib/x/y", NODE_DIRECTORY, 0755, 0);
    check_node(tree, "/var/lib/x/y/f", NODE_FILE, 04755, 0);
    assert_ptr_equal(node_at(tree, "/var/lib/x/y/f")->digest,
                     &sourced_content(fileset_find(&planting.fixture->set, "/var/lib/x/y/f"))->digest);
    assert_null(node_at(tree, "/"));
    assert_string_equal(node_at(tree, "/var/lib/x/y/f")->why, "asked for");
    check_content(tree, "/var/lib/x/y/f", "bytes");
}

static void root_links_never_dangle(void **state)
{
    struct planting planting = plant(*state);
    dir_add(package_add(*state, "a"), "/usr/lib", 0711);
    const struct tree *tree = grow(&planting);
    assert_int_equal(tree->count, 7 + SKELETON_NODES);
    check_node(tree, "/lib64", NODE_SYMLINK, 0777, 0);
    assert_string_equal(node_at(tree, "/lib64")->target, "usr/lib64");
    check_node(tree, "/usr/lib64", NODE_DIRECTORY, 0755, 0);
    check_node(tree, "/usr/lib", NODE_DIRECTORY, 0711, 0);
    assert_int_equal(tree->package_count, 0);
}

static void different_bytes_of_two_packages_are_a_conflict(void **state)
{
    struct planting planting = plant(*state);
    file_add(package_add(*state, "a"), "/etc/x", "one");
    struct package *b = package_add(*state, "b");
    file_add(b, "/etc/x", "two");
    root_add(&planting, "/etc/x");
    check_error(&planting, ERR_RESOLVE, "/etc/x: packages a 1.0-1 and b 1.0-1 both have it");
    b->provides_files_replaced = "a (<< 1)";
    check_content(grow(&planting), "/etc/x", "two");
}

static void equal_bytes_and_unkept_paths_are_no_conflict(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a"), *b = package_add(*state, "b");
    file_add(a, "/etc/x", "same");
    file_add(b, "/etc/x", "same");
    file_add(a, "/etc/y", "one");
    link_add(b, "/etc/y", "two");
    root_add(&planting, "/etc/x");
    check_content(grow(&planting), "/etc/x", "same");
    assert_string_equal(node_at(&planting.tree, "/etc/x")->package->name, "a");
    root_add(&planting, "/etc/y");
    check_error(&planting, ERR_RESOLVE, "/etc/y: packages a 1.0-1 and b 1.0-1");
}

static void a_file_below_another_packages_symlink_is_a_conflict(void **state)
{
    struct planting planting = plant(*state);
    link_add(package_add(*state, "b"), "/opt/dir", "/srv"); /* which nobody has: it is not followed */
    struct package *a = package_add(*state, "a");
    file_add(a, "/opt/dir/f", "x");
    set_build(*state, false);
    struct kept kept[] = {{fileset_find(&planting.fixture->set, "/opt/dir"), "w", NULL, UNLOADABLE_REFUSED},
                          {fileset_find(&planting.fixture->set, "/opt/dir/f"), "w", NULL, UNLOADABLE_REFUSED}};
    struct keep keep = {.items = kept, .count = 2};
    struct tree_request request = {.arch = &planting.fixture->arch,
                                   .manifest = &planting.manifest,
                                   .wishes = &planting.wishes,
                                   .keep = &keep,
                                   .set = &planting.fixture->set,
                                   .created_override = -1};
    assert_false(tree_build(&planting.fixture->arena, &request, &planting.tree, &planting.fixture->err));
    CHECK_ERR(&planting.fixture->err, ERR_RESOLVE,
              "/opt/dir/f of package a lies below /opt/dir, which is a symlink of package b");
}

static void names_of_one_inode_are_a_file_and_hard_links_to_it(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    file_add(a, "/usr/bin/m", "bytes")->mode = 0755;
    hardlink_add(a, "/usr/bin/a", "/usr/bin/m")->mode = 0600;
    hardlink_add(a, "/usr/bin/z", "/usr/bin/m");
    root_add(&planting, "/usr/bin/z");
    check_content(grow(&planting), "/usr/bin/z", "bytes"); /* alone: a file of its own */
    root_add(&planting, "/usr/bin/a");
    root_add(&planting, "/usr/bin/m");
    const struct tree *tree = grow(&planting);
    check_node(tree, "/usr/bin/a", NODE_FILE, 0755, 0);
    check_node(tree, "/usr/bin/m", NODE_HARDLINK, 0755, 0);
    check_node(tree, "/usr/bin/z", NODE_HARDLINK, 0755, 0);
    assert_string_equal(node_at(tree, "/usr/bin/z")->target, "/usr/bin/a");
    made_add(&planting, MADE_FILE, "/usr/bin/m");
    tree = grow(&planting);
    check_content(tree, "/usr/bin/a", "bytes");
    check_content(tree, "/usr/bin/m", "made\n");
    assert_string_equal(node_at(tree, "/usr/bin/z")->target, "/usr/bin/a");
}

static void times_are_clamped_to_the_newest_giving_package(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a"), *b = package_add(*state, "b"), *c = package_add(*state, "c");
    a->build_time = 2000;
    b->build_time = 3000;
    c->build_time = 9000; /* gives nothing */
    file_add(a, "/etc/new", "x")->mtime = 5000;
    file_add(b, "/etc/old", "x")->mtime = -5;
    file_add(b, "/etc/mid", "x")->mtime = 2500;
    file_add(c, "/etc/c", "x");
    root_add(&planting, "/etc/new");
    root_add(&planting, "/etc/old");
    root_add(&planting, "/etc/mid");
    const struct tree *tree = grow(&planting);
    assert_int_equal(tree->created_time, 3000);
    assert_int_equal(tree->package_count, 2);
    assert_int_equal(node_at(tree, "/etc/new")->mtime, 3000);
    assert_int_equal(node_at(tree, "/etc/old")->mtime, 0);
    assert_int_equal(node_at(tree, "/etc/mid")->mtime, 2500);
    assert_int_equal(node_at(tree, "/bin")->mtime, 3000);
    planting.created_override = 100;
    tree = grow(&planting);
    assert_int_equal(tree->created_time, 100);
    assert_int_equal(node_at(tree, "/etc/mid")->mtime, 100);
}

static void the_package_database_names_exactly_the_givers(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a"), *b = package_add(*state, "b");
    package_add(*state, "whole");
    fact_set(*state, a, "control", "Package: a\nVersion: 1\nDescription: x\n y");
    fact_set(*state, a, "md5sums",
             "0123  lib/kept\n4567  usr/share/doc/a/copyright\n89ab  etc/a.conf\nbad\ncdef  ../x\n");
    file_add(a, "/usr/lib/kept", "x");
    file_add(a, "/usr/share/doc/a/copyright", "x");
    file_add(a, "/etc/a.conf", "x");
    dir_add(b, "/usr/lib/b", 0755);
    root_add(&planting, "/usr/lib/kept");
    root_add(&planting, "/etc/a.conf");
    root_add(&planting, "/usr/lib/b");
    made_add(&planting, MADE_FILE, "/etc/a.conf"); /* no longer the package's */
    list_add(&planting.fixture->arena, &planting.wishes.packages, (struct wish_package){.name = "whole"});
    const struct tree *tree = grow(&planting);
    check_content(tree, "/var/lib/dpkg/status.d/a",
                  "Package: a\nStatus: install ok installed\nVersion: 1\nDescription: x\n y\n");
    check_content(tree, "/var/lib/dpkg/status.d/a.md5sums", "0123  lib/kept\n");
    assert_null(node_at(tree, "/var/lib/dpkg/status.d/b")); /* gave only a directory */
    assert_non_null(node_at(tree, "/var/lib/dpkg/status.d/whole"));
    assert_null(node_at(tree, "/var/lib/dpkg/status.d/whole.md5sums"));
    assert_int_equal(tree->package_count, 2);
    check_node(tree, "/var/lib/dpkg", NODE_DIRECTORY, 0755, 0);
}

static void a_package_name_cannot_leave_the_database(void **state)
{
    struct planting planting = plant(*state);
    file_add(package_add(*state, "../../etc/x"), "/usr/f", "x");
    root_add(&planting, "/usr/f");
    check_error(&planting, ERR_MALFORMED, "../../etc/x");
}

static void os_release_is_made_only_when_nothing_gives_it(void **state)
{
    struct planting planting = plant(*state);
    planting.os_release = "ID=debian\n";
    const struct tree *tree = grow(&planting);
    check_content(tree, "/usr/lib/os-release", "ID=debian\n");
    assert_string_equal(node_at(tree, "/etc/os-release")->target, "../usr/lib/os-release");
    file_add(package_add(*state, "base-files"), "/usr/lib/os-release", "ID=packaged\n");
    root_add(&planting, "/usr/lib/os-release");
    tree = grow(&planting);
    check_content(tree, "/usr/lib/os-release", "ID=packaged\n");
    assert_null(node_at(tree, "/etc/os-release"));
}

static void the_manifest_overrides_files_and_directory_modes(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    dir_add(a, "/etc/a", 0755);
    file_add(a, "/etc/a/conf", "packaged");
    file_add(a, "/etc/a/other", "packaged");
    root_add(&planting, "/etc/a/conf");
    root_add(&planting, "/etc/a/other");
    struct wish_user user = {.name = "svc", .uid = 200};
    list_add(&planting.fixture->arena, &planting.wishes.users, user);
    struct wish_made *made = made_add(&planting, MADE_DIRECTORY, "/etc/a");
    made->mode = 0700;
    made->owner = "svc";
    made->group = "svc";
    made_add(&planting, MADE_FILE, "/etc/a/conf");
    made_add(&planting, MADE_SYMLINK, "/etc/a/other");
    made_add(&planting, MADE_DIRECTORY, "/lib/svc/deep"); /* canonical: below /usr */
    made_add(&planting, MADE_FILE, "/etc/empty")->content = NULL;
    made_add(&planting, MADE_FILE, "/etc/numbered")->owner = "4711";
    const struct tree *tree = grow(&planting);
    check_node(tree, "/etc/a", NODE_DIRECTORY, 0700, 200);
    assert_int_equal(node_at(tree, "/etc/a")->gid, 200);
    check_content(tree, "/etc/a/conf", "made\n");
    assert_string_equal(node_at(tree, "/etc/a/other")->target, "elsewhere");
    check_node(tree, "/usr/lib/svc/deep", NODE_DIRECTORY, 0755, 0);
    check_content(tree, "/etc/empty", "");
    check_node(tree, "/etc/numbered", NODE_FILE, 0644, 4711);
    assert_int_equal(tree->package_count, 0); /* nothing of the package is left */
}

static void files_and_directories_do_not_replace_each_other(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    file_add(a, "/etc/a/conf", "x");
    root_add(&planting, "/etc/a/conf");
    made_add(&planting, MADE_FILE, "/etc/a");
    check_error(&planting, ERR_USAGE, "t.yaml: /etc/a is to be a file, but it is a directory");
    planting.wishes.made.count = 0;
    made_add(&planting, MADE_DIRECTORY, "/etc/a/conf");
    check_error(&planting, ERR_USAGE, "/etc/a/conf is to be a directory, but package a has something else there");
    planting.wishes.made.count = 0;
    made_add(&planting, MADE_FILE, "/etc/a/conf/below");
    check_error(&planting, ERR_USAGE, "/etc/a/conf/below lies below /etc/a/conf, which is a file of package a");
    planting.wishes.made.count = 0;
    made_add(&planting, MADE_SYMLINK, "/link");
    made_add(&planting, MADE_FILE, "/link/f");
    check_error(&planting, ERR_USAGE, "/link/f lies below /link, which is a symlink of the manifest");
    planting.wishes.made.count = 0;
    made_add(&planting, MADE_FILE, "/bin/x");
    made_add(&planting, MADE_FILE, "/usr/bin/x");
    check_error(&planting, ERR_USAGE, "/usr/bin/x is created twice");
    planting.wishes.made.count = 0;
    made_add(&planting, MADE_FILE, "/etc/../x");
    check_error(&planting, ERR_USAGE, "/etc/../x");
}

static void unknown_owners_are_refused_with_the_place(void **state)
{
    struct planting planting = plant(*state);
    struct yaml_file file = {.path = "t.yaml"};
    struct yaml_node node = {.file = &file, .line = 12, .column = 5};
    struct wish_made *made = made_add(&planting, MADE_FILE, "/etc/x");
    made->owner = "nobody";
    made->node = &node;
    check_error(&planting, ERR_USAGE, "t.yaml:12:5: /etc/x: owner \"nobody\"");
    made->owner = "4294967295";
    check_error(&planting, ERR_USAGE, "owner \"4294967295\"");
    made->owner = "0";
    made->group = "wheel";
    check_error(&planting, ERR_USAGE, "group \"wheel\"");
}

static void users_and_groups_are_written_in_order(void **state)
{
    struct planting planting = plant(*state);
    struct arena *arena = &planting.fixture->arena;
    struct wish_user www = {.name = "www", .comment = "Web", .home = "/var/www", .shell = "/bin/sh", .uid = 33};
    list_add(arena, &www.groups, "tls");
    struct wish_user app = {.name = "app", .uid = 1000, .group = "tls"};
    struct wish_user raw = {.name = "raw", .uid = 1001, .group = "77"};
    list_add(arena, &raw.groups, "tls");
    list_add(arena, &planting.wishes.users, www);
    list_add(arena, &planting.wishes.users, app);
    list_add(arena, &planting.wishes.users, raw);
    list_add(arena, &planting.wishes.groups, (struct wish_group){.name = "tls", .gid = 500});
    const struct tree *tree = grow(&planting);
    check_content(
        tree, "/etc/passwd",
        "root:x:0:0:root:/root:/usr/sbin/nologin\nwww:x:33:33:Web:/var/www:/bin/sh\n"
        "app:x:1000:500::/nonexistent:/usr/sbin/nologin\nraw:x:1001:77::/nonexistent:/usr/sbin/nologin\n" DEB_NOBODY);
    check_content(tree, "/etc/group", "root:x:0:\ntls:x:500:www,raw\nwww:x:33:\n" DEB_NOGROUP);
    check_node(tree, "/etc/passwd", NODE_FILE, 0644, 0);
    made_add(&planting, MADE_FILE, "/etc/group");
    check_error(&planting, ERR_USAGE, "/etc/group is created");
}

static void users_that_would_forge_lines_are_refused(void **state)
{
    struct planting planting = plant(*state);
    struct wish_user user = {.name = "a", .uid = 1, .comment = "x\nevil:x:0:0::/:/bin/sh"};
    list_add(&planting.fixture->arena, &planting.wishes.users, user);
    struct wish_user *first = planting.wishes.users.items;
    check_error(&planting, ERR_USAGE, "user \"a\"");
    *first = (struct wish_user){.name = "a", .uid = 1, .group = "none"};
    check_error(&planting, ERR_USAGE, "its group is no group");
    *first = (struct wish_user){.name = "a", .uid = (uint64_t)1 << 32};
    check_error(&planting, ERR_USAGE, "the number is too big");
    *first = (struct wish_user){.name = "a", .uid = 1};
    list_add(&planting.fixture->arena, &first->groups, "none");
    check_error(&planting, ERR_USAGE, "\"none\" is no group");
}

static void the_tree_does_not_depend_on_the_packages_order(void **state)
{
    struct planting planting = plant(*state);
    struct package *b = package_add(*state, "b"), *a = package_add(*state, "a");
    file_add(a, "/etc/x", "same");
    file_add(b, "/etc/x", "same");
    file_add(b, "/etc/y", "y");
    dir_add(a, "/etc", 0700);
    dir_add(b, "/etc", 0711);
    root_add(&planting, "/etc/x");
    root_add(&planting, "/etc/y");
    CHECK_OK(try_grow(&planting, false), &planting.fixture->err);
    struct tree first = planting.tree;
    CHECK_OK(try_grow(&planting, true), &planting.fixture->err);
    assert_int_equal(first.count, planting.tree.count);
    for (size_t i = 0; i < first.count; i++) {
        assert_string_equal(first.nodes[i].path, planting.tree.nodes[i].path);
        assert_int_equal(first.nodes[i].mode, planting.tree.nodes[i].mode);
        assert_ptr_equal(first.nodes[i].package, planting.tree.nodes[i].package);
    }
}

static struct stat stat_below(const char *dir, const char *path)
{
    char full[2048];
    struct stat status;
    (void)snprintf(full, sizeof full, "%s/t/arch/%s", dir, path);
    if (lstat(full, &status) != 0)
        fail_msg("no %s", full);
    return status;
}

static void a_lasting_copy_shares_only_the_bytes_of_packaged_files(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    struct entry *file = file_add(a, "/usr/bin/one", "1");
    file->capability = TEXT("cap");
    hardlink_add(a, "/usr/bin/two", "/usr/bin/one");
    root_add(&planting, "/usr/bin/one");
    root_add(&planting, "/usr/bin/two");
    const struct tree *tree = grow(&planting);
    struct arena arena = {0};
    struct tree lasting;
    tree_copy_lasting(&arena, tree, &lasting);
    assert_int_equal(lasting.count, tree->count);
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i], *copy = &lasting.nodes[i];
        assert_string_equal(copy->path, node->path);
        assert_ptr_not_equal(copy->path, node->path);
        assert_true(!node->target || (copy->target != node->target && strcmp(copy->target, node->target) == 0));
        assert_true(!node->digest || (copy->digest != node->digest && digest_eq(copy->digest, node->digest)));
        assert_true(!node->data || (copy->data == node->data) == (node->digest != NULL));
        assert_int_equal(copy->size_bytes, node->size_bytes);
        assert_null(copy->why);
    }
    check_content(&lasting, "/etc/passwd", node_at(tree, "/etc/passwd")->data);
    check_content(&lasting, "/usr/bin/one", "1");
    assert_ptr_not_equal(node_at(&lasting, "/usr/bin/one")->capability.ptr, file->capability.ptr);
    assert_true(text_is(node_at(&lasting, "/usr/bin/one")->capability, "cap"));
    arena_done(&arena);
}

static void an_export_has_the_trees_files_modes_and_times(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    dir_add(a, "/etc/closed", 0500);
    file_add(a, "/etc/closed/conf", "bytes")->mode = 0604;
    file_add(a, "/usr/bin/one", "1")->mode = 01755;
    hardlink_add(a, "/usr/bin/two", "/usr/bin/one");
    link_add(a, "/usr/far", "/../../../../../../tmp");
    root_add(&planting, "/etc/closed/conf");
    root_add(&planting, "/usr/bin/one");
    root_add(&planting, "/usr/bin/two");
    root_add(&planting, "/usr/far");
    made_add(&planting, MADE_DIRECTORY, "/none")->mode = 0;
    const char *dir = check_temporary_dir();
    struct err *err = &planting.fixture->err;
    const struct tree *tree = grow(&planting);
    mode_t old_mask = umask(0777);
    bool is_done = tree_export(tree, dir, "t", "arch", err);
    umask(old_mask);
    CHECK_OK(is_done, err);
    struct stat conf = stat_below(dir, "etc/closed/conf"), one = stat_below(dir, "usr/bin/one");
    assert_int_equal(conf.st_mode, S_IFREG | 0604);
    assert_int_equal(conf.st_mtime, 500);
    assert_int_equal(conf.st_size, 5);
    assert_int_equal(stat_below(dir, "etc/closed").st_mode, S_IFDIR | 0500);
    assert_int_equal(stat_below(dir, "etc/closed").st_mtime, 500);
    assert_int_equal(one.st_nlink, 2);
    assert_int_equal(one.st_ino, stat_below(dir, "usr/bin/two").st_ino);
    assert_int_equal(stat_below(dir, "usr/far").st_mode & S_IFMT, S_IFLNK);
    assert_int_equal(stat_below(dir, "none").st_mode, S_IFDIR);
    /* once more over it, smaller: nothing of the former tree is left, and no temporary directory */
    planting.root_count = 1;
    CHECK_OK(tree_export(grow(&planting), dir, "t", "arch", err), err);
    char full[2048];
    (void)snprintf(full, sizeof full, "%s/t/arch/usr/bin/one", dir);
    assert_int_not_equal(access(full, F_OK), 0);
    (void)snprintf(full, sizeof full,
                   "test \"$(ls -A %s/t | tr -d '\\n')\" = .arch.imgfactoryarch && chmod -R u+rwx %s && rm -r %s", dir,
                   dir, dir);
    assert_int_equal(system(full), 0);
}

/* Runs a command in the directory, then exports again and returns whether that was refused with these words. */
static bool is_refused_after(struct planting *planting, const char *dir, const char *command, const char *part)
{
    char line[2048];
    struct err *err = &planting->fixture->err;
    (void)snprintf(line, sizeof line, "cd '%s/t' && %s", dir, command);
    assert_int_equal(system(line), 0);
    if (tree_export(grow(planting), dir, "t", "arch", err))
        return false;
    bool is_right = err->kind == ERR_LOCAL && strstr(err->text, part);
    if (!is_right)
        print_error("%s\n", err->text);
    err_clear(err);
    return is_right;
}

static void an_export_replaces_only_what_an_export_wrote(void **state)
{
    struct planting planting = plant(*state);
    file_add(package_add(*state, "a"), "/etc/x", "bytes");
    root_add(&planting, "/etc/x");
    const char *dir = check_temporary_dir();
    char full[2048];
    (void)snprintf(full, sizeof full, "mkdir -p '%s/t/arch'", dir);
    assert_int_equal(system(full), 0);
    assert_false(is_refused_after(&planting, dir, "true", "")); /* an empty directory holds nothing to lose */
    assert_false(is_refused_after(&planting, dir, "true", ""));
    assert_true(is_refused_after(&planting, dir, "echo mine > arch/etc/note", "/etc/note is not of an earlier --tree"));
    assert_true(is_refused_after(&planting, dir, "rm arch/etc/note && mkdir arch/mine", "/mine is not of"));
    assert_true(is_refused_after(&planting, dir, "rmdir arch/mine && echo edit > arch/etc/x", "/etc/x was changed"));
    assert_true(is_refused_after(&planting, dir,
                                 "grep -q edit arch/etc/x && ls -A | grep -c . | grep -qx 2 && "
                                 "rm -r arch && mkdir arch && echo precious > arch/file",
                                 "/file is not of"));
    assert_true(is_refused_after(&planting, dir,
                                 "rm arch/file && mv .arch.imgfactory m && ln -s m .arch.imgfactory && "
                                 "mkdir -p arch/etc",
                                 "/etc is not of"));
    assert_false(is_refused_after(&planting, dir, "rm -r arch m .arch.imgfactory", ""));
    /* killed between the two names: the new tree is there, its mark still has its first name */
    assert_false(is_refused_after(&planting, dir,
                                  "cp .arch.imgfactory .arch.imgfactory.new && "
                                  "printf 'imgfactory tree 1\\0' > .arch.imgfactory",
                                  ""));
    (void)snprintf(full, sizeof full, "rm -r '%s'", dir);
    assert_int_equal(system(full), 0);
}

static void an_export_that_fails_leaves_nothing_and_the_former_tree(void **state)
{
    struct planting planting = plant(*state);
    struct entry *entry = file_add(package_add(*state, "a"), "/etc/x", "bytes");
    root_add(&planting, "/etc/x");
    const char *dir = check_temporary_dir();
    struct err *err = &planting.fixture->err;
    CHECK_OK(tree_export(grow(&planting), dir, "t", "arch", err), err);
    entry->data = "bytez"; /* the store's bytes rotted */
    assert_false(tree_export(grow(&planting), dir, "t", "arch", err));
    CHECK_ERR(err, ERR_TRUST, "/etc/x");
    err_clear(err);
    assert_int_equal(stat_below(dir, "etc/x").st_size, 5);
    char full[2048];
    (void)snprintf(
        full, sizeof full,
        "test \"$(ls -A %s/t | tr -d '\\n')\" = .arch.imgfactoryarch && rm -r %s/t/arch && ln -s / %s/t/arch", dir, dir,
        dir);
    assert_int_equal(system(full), 0);
    entry->data = "bytes";
    assert_false(tree_export(grow(&planting), dir, "t", "arch", err));
    CHECK_ERR(err, ERR_LOCAL, "not a directory");
    err_clear(err);
    assert_false(tree_export(&planting.tree, dir, "t", "../x", err));
    CHECK_ERR(err, ERR_USAGE, "../x");
    err_clear(err);
    (void)snprintf(full, sizeof full, "test \"$(ls -A %s/t | tr -d '\\n')\" = .arch.imgfactoryarch && rm -r %s", dir,
                   dir);
    assert_int_equal(system(full), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kept_files_have_their_parents_as_packaged),
        TEST(root_links_never_dangle),
        TEST(different_bytes_of_two_packages_are_a_conflict),
        TEST(equal_bytes_and_unkept_paths_are_no_conflict),
        TEST(a_file_below_another_packages_symlink_is_a_conflict),
        TEST(names_of_one_inode_are_a_file_and_hard_links_to_it),
        TEST(times_are_clamped_to_the_newest_giving_package),
        TEST(the_package_database_names_exactly_the_givers),
        TEST(a_package_name_cannot_leave_the_database),
        TEST(os_release_is_made_only_when_nothing_gives_it),
        TEST(the_manifest_overrides_files_and_directory_modes),
        TEST(files_and_directories_do_not_replace_each_other),
        TEST(unknown_owners_are_refused_with_the_place),
        TEST(users_and_groups_are_written_in_order),
        TEST(users_that_would_forge_lines_are_refused),
        TEST(the_tree_does_not_depend_on_the_packages_order),
        TEST(a_lasting_copy_shares_only_the_bytes_of_packaged_files),
        TEST(an_export_has_the_trees_files_modes_and_times),
        TEST(an_export_replaces_only_what_an_export_wrote),
        TEST(an_export_that_fails_leaves_nothing_and_the_former_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
