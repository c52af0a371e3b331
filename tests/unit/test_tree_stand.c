/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of a tree that is put on a base: what is left out, where things go, what is refused. */
#include "check.h"

#include "tree/tree_stand.h"

struct fixture {
    struct arena arena;
    struct ground ground;
    struct package base;
    LIST(struct entry) there;
    LIST(struct node) nodes;
    struct tree layer, root;
    struct strings removed;
    const char *owned; /* a path that the package "owner" has */
    struct strings replaced;
    bool sets_rights;
    struct err err;
};

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

/* Entries of the base, in the order of their paths. */
static void has(struct fixture *fixture, const char *path, enum entry_kind kind, const char *text)
{
    struct entry entry = {.path = path, .kind = kind, .mode = kind == ENTRY_DIRECTORY ? 0755 : 0644};
    if (kind == ENTRY_SYMLINK || kind == ENTRY_HARDLINK)
        entry.target = text;
    if (kind == ENTRY_FILE) {
        entry.data = text;
        entry.size_bytes = strlen(text);
        entry.digest = digest_of(text, strlen(text));
    }
    list_add(&fixture->arena, &fixture->there, entry);
}

/* Nodes of the tree, in the order of their paths. */
static struct node *wants(struct fixture *fixture, const char *path, enum node_kind kind, const char *text,
                          enum node_claim claim)
{
    static struct package package = {.name = "package"};
    struct node node = {
        .path = path, .kind = kind, .mode = kind == NODE_DIRECTORY ? 0755 : 0644, .claim = claim, .why = "test"};
    if (kind == NODE_SYMLINK || kind == NODE_HARDLINK)
        node.target = text;
    if (kind == NODE_FILE) {
        node.data = text;
        node.size_bytes = strlen(text);
    }
    node.package = claim == CLAIM_PACKAGED ? &package : NULL;
    list_add(&fixture->arena, &fixture->nodes, node);
    return &fixture->nodes.items[fixture->nodes.count - 1];
}

static const char *owner(const void *self, const char *path)
{
    const struct fixture *fixture = self;
    return fixture->owned && strcmp(fixture->owned, path) == 0 ? "owner" : NULL;
}

static bool stand(struct fixture *fixture)
{
    struct tree tree = {.nodes = fixture->nodes.items, .count = fixture->nodes.count};
    fixture->base = (struct package){.entries = fixture->there.items, .count = fixture->there.count};
    fixture->ground.package = &fixture->base;
    struct stand_request request = {.ground = &fixture->ground,
                                    .tree = &tree,
                                    .manifest_path = "image.yaml",
                                    .owner = owner,
                                    .owner_self = fixture,
                                    .replaced = &fixture->replaced,
                                    .sets_rights = fixture->sets_rights,
                                    .removed = &fixture->removed};
    return tree_stand(&fixture->arena, &request, &fixture->layer, &fixture->root, &fixture->err);
}

static const char *paths_of(struct fixture *fixture, const struct tree *tree)
{
    struct strings paths = {0};
    for (size_t i = 0; i < tree->count; i++)
        list_add(&fixture->arena, &paths, tree->nodes[i].path);
    return paths.count ? strings_join(&fixture->arena, &paths, ",") : "";
}

static void check_layer(struct fixture *fixture, const char *wanted)
{
    CHECK_OK(stand(fixture), &fixture->err);
    assert_string_equal(paths_of(fixture, &fixture->layer), wanted);
}

static void test_what_the_base_has_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/usr", ENTRY_DIRECTORY, NULL);
    has(fixture, "/usr/x", ENTRY_FILE, "same");
    wants(fixture, "/usr", NODE_DIRECTORY, NULL, CLAIM_PACKAGED);
    wants(fixture, "/usr/x", NODE_FILE, "same", CLAIM_PACKAGED);
    wants(fixture, "/usr/y", NODE_FILE, "new", CLAIM_PACKAGED);
    check_layer(fixture, "/usr,/usr/y");
    assert_string_equal(paths_of(fixture, &fixture->root), "/usr,/usr/x,/usr/y");
    assert_true(fixture->root.nodes[1].is_given);
    assert_false(fixture->root.nodes[2].is_given);
}

static void test_directories_above_are_as_the_base_has_them(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/tmp", ENTRY_DIRECTORY, NULL);
    fixture->there.items[0].mode = 01777;
    fixture->there.items[0].gid = 7;
    wants(fixture, "/tmp", NODE_DIRECTORY, NULL, CLAIM_PACKAGED);
    wants(fixture, "/tmp/x", NODE_FILE, "new", CLAIM_PACKAGED);
    check_layer(fixture, "/tmp,/tmp/x");
    assert_int_equal(fixture->layer.nodes[0].mode, 01777);
    assert_int_equal(fixture->layer.nodes[0].gid, 7);
}

static void test_the_bases_links_decide_where_files_go(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/opt", ENTRY_SYMLINK, "../../../var/opt"); /* leads out of a host's directory, not of the base */
    has(fixture, "/srv", ENTRY_SYMLINK, "/nowhere");
    has(fixture, "/var", ENTRY_DIRECTORY, NULL);
    has(fixture, "/var/opt", ENTRY_DIRECTORY, NULL);
    wants(fixture, "/opt", NODE_DIRECTORY, NULL, CLAIM_PACKAGED);
    wants(fixture, "/opt/x", NODE_FILE, "1", CLAIM_PACKAGED);
    wants(fixture, "/srv", NODE_DIRECTORY, NULL, CLAIM_PACKAGED);
    wants(fixture, "/srv/y", NODE_FILE, "2", CLAIM_PACKAGED);
    check_layer(fixture, "/nowhere,/nowhere/y,/var,/var/opt,/var/opt/x");
}

static void test_a_link_in_a_circle_is_in_the_way(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/opt", ENTRY_SYMLINK, "opt");
    wants(fixture, "/opt/x", NODE_FILE, "1", CLAIM_PACKAGED);
    assert_false(stand(fixture));
    CHECK_ERR(&fixture->err, ERR_RESOLVE, "/opt/x: in the base a file, or links that lead nowhere");
}

static void test_another_file_of_a_package_is_refused(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/x", ENTRY_FILE, "theirs");
    wants(fixture, "/x", NODE_FILE, "ours", CLAIM_PACKAGED);
    assert_false(stand(fixture));
    CHECK_ERR(&fixture->err, ERR_RESOLVE, "/x of package package: the base has another file there");
}

static void test_what_is_weak_gives_way(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/lib", ENTRY_DIRECTORY, NULL);
    has(fixture, "/x", ENTRY_FILE, "theirs");
    wants(fixture, "/lib", NODE_SYMLINK, "usr/lib", CLAIM_WEAK);
    wants(fixture, "/x", NODE_FILE, "ours", CLAIM_WEAK);
    check_layer(fixture, "");
}

static void test_the_manifest_replaces_what_no_package_owns(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/x", ENTRY_FILE, "theirs");
    wants(fixture, "/x", NODE_FILE, "ours", CLAIM_OWN);
    check_layer(fixture, "/x");
    assert_int_equal(fixture->root.count, 1);
    fixture->owned = "/x";
    assert_false(stand(fixture));
    CHECK_ERR(&fixture->err, ERR_RESOLVE, "image.yaml: /x is a file of its package owner of the base");
}

static void test_the_same_bytes_with_other_rights_are_another_file_of_the_manifest(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/x", ENTRY_FILE, "same");
    wants(fixture, "/x", NODE_FILE, "same", CLAIM_OWN)->mode = 0600;
    check_layer(fixture, "/x");
    fixture->owned = "/x";
    assert_false(stand(fixture));
}

static void test_installing_sets_mode_owner_and_time_where_the_format_does(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 4; i++)
        has(fixture, (const char *const[]){"/a", "/b", "/c", "/d"}[i], ENTRY_FILE, "same");
    has(fixture, "/dir", ENTRY_DIRECTORY, NULL);
    has(fixture, "/l", ENTRY_SYMLINK, "a");
    wants(fixture, "/a", NODE_FILE, "same", CLAIM_PACKAGED);
    wants(fixture, "/b", NODE_FILE, "same", CLAIM_PACKAGED)->mode = 0600;
    wants(fixture, "/c", NODE_FILE, "same", CLAIM_PACKAGED)->mtime = 1;
    wants(fixture, "/d", NODE_FILE, "same", CLAIM_PACKAGED)->capability = TEXT("x");
    wants(fixture, "/dir", NODE_DIRECTORY, NULL, CLAIM_PACKAGED)->mode = 0700;
    wants(fixture, "/l", NODE_SYMLINK, "a", CLAIM_PACKAGED)->mtime = 1;
    check_layer(fixture, "");
    fixture->sets_rights = true;
    check_layer(fixture, "/b,/c,/d,/dir");
    list_add(&fixture->arena, &fixture->replaced,
             "package"); /* who knows what its former version's capabilities were */
    check_layer(fixture, "/a,/b,/c,/d,/dir");
    fixture->sets_rights = false;
    check_layer(fixture, "/b");
}

static void test_a_file_of_a_package_that_stays_has_its_rights(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/x", ENTRY_FILE, "same");
    fixture->owned = "/x";
    fixture->sets_rights = true;
    struct node *node = wants(fixture, "/x", NODE_FILE, "same", CLAIM_PACKAGED);
    node->mtime = 1;
    check_layer(fixture, "");
    node->mode = 0600;
    assert_false(stand(fixture));
    CHECK_ERR(&fixture->err, ERR_RESOLVE,
              "/x of package package: the base has another file of its package owner there");
}

static void test_a_file_of_an_upgraded_package_may_become_another_packages(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/x", ENTRY_FILE, "theirs");
    fixture->owned = "/x";
    wants(fixture, "/x", NODE_FILE, "ours", CLAIM_PACKAGED);
    list_add(&fixture->arena, &fixture->replaced, "owner");
    check_layer(fixture, "/x");
}

static void test_a_link_in_place_of_a_directory_is_left_out_or_refused(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/x", ENTRY_DIRECTORY, NULL);
    wants(fixture, "/x", NODE_SYMLINK, "y", CLAIM_PACKAGED);
    check_layer(fixture, "");
    fixture->sets_rights = true;
    assert_false(stand(fixture));
    CHECK_ERR(&fixture->err, ERR_RESOLVE, "/x of package package: the base has another directory there");
}

static void test_databases_are_continued_whoever_owns_them(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/x", ENTRY_FILE, "theirs");
    fixture->owned = "/x";
    wants(fixture, "/x", NODE_FILE, "theirs and ours", CLAIM_DATABASE);
    check_layer(fixture, "/x");
}

static void test_no_directory_becomes_a_file(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/x", ENTRY_DIRECTORY, NULL);
    wants(fixture, "/x", NODE_FILE, "ours", CLAIM_OWN);
    assert_false(stand(fixture));
    CHECK_ERR(&fixture->err, ERR_USAGE, "/x is a directory of the base");
}

static void test_a_hard_link_to_what_is_left_out_is_a_file(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/a", ENTRY_FILE, "same");
    wants(fixture, "/a", NODE_FILE, "same", CLAIM_PACKAGED);
    wants(fixture, "/b", NODE_HARDLINK, "/a", CLAIM_PACKAGED);
    check_layer(fixture, "/b");
    assert_int_equal(fixture->layer.nodes[0].kind, NODE_FILE);
    assert_string_equal(fixture->layer.nodes[0].data, "same");
}

static void test_a_hard_link_follows_its_file_through_a_link_of_the_base(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/opt", ENTRY_SYMLINK, "var");
    has(fixture, "/var", ENTRY_DIRECTORY, NULL);
    wants(fixture, "/opt/a", NODE_FILE, "1", CLAIM_PACKAGED);
    wants(fixture, "/opt/b", NODE_HARDLINK, "/opt/a", CLAIM_PACKAGED);
    check_layer(fixture, "/var,/var/a,/var/b");
    assert_string_equal(fixture->layer.nodes[2].target, "/var/a");
}

static void test_a_hard_link_to_another_name_of_the_same_place_is_a_file(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/lib", ENTRY_SYMLINK, "usr/lib");
    has(fixture, "/usr", ENTRY_DIRECTORY, NULL);
    has(fixture, "/usr/lib", ENTRY_DIRECTORY, NULL);
    wants(fixture, "/lib/a", NODE_HARDLINK, "/usr/lib/a", CLAIM_PACKAGED);
    wants(fixture, "/usr/lib/a", NODE_FILE, "bytes", CLAIM_PACKAGED);
    wants(fixture, "/usr/lib/b", NODE_HARDLINK, "/usr/lib/a", CLAIM_PACKAGED);
    check_layer(fixture, "/usr,/usr/lib,/usr/lib/a,/usr/lib/b");
    assert_int_equal(fixture->layer.nodes[2].kind, NODE_FILE);
    assert_string_equal(fixture->layer.nodes[2].data, "bytes");
    assert_string_equal(fixture->layer.nodes[3].target, "/usr/lib/a");
}

static void test_what_is_removed_is_a_whiteout(void **state)
{
    struct fixture *fixture = *state;
    has(fixture, "/d", ENTRY_DIRECTORY, NULL);
    has(fixture, "/d/x", ENTRY_FILE, "1");
    has(fixture, "/e", ENTRY_DIRECTORY, NULL);
    has(fixture, "/e/y", ENTRY_FILE, "1");
    list_add(&fixture->arena, &fixture->removed, "/d/x");
    list_add(&fixture->arena, &fixture->removed, "/e");
    list_add(&fixture->arena, &fixture->removed, "/never/there");
    check_layer(fixture, "/.wh.e,/d,/d/.wh.x");
    assert_string_equal(paths_of(fixture, &fixture->root), "/d");
    assert_true(fixture->layer.nodes[0].is_whiteout);
}

#define STAND_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAND_TEST(test_what_the_base_has_is_left_out),
        STAND_TEST(test_directories_above_are_as_the_base_has_them),
        STAND_TEST(test_the_bases_links_decide_where_files_go),
        STAND_TEST(test_a_link_in_a_circle_is_in_the_way),
        STAND_TEST(test_another_file_of_a_package_is_refused),
        STAND_TEST(test_what_is_weak_gives_way),
        STAND_TEST(test_the_manifest_replaces_what_no_package_owns),
        STAND_TEST(test_the_same_bytes_with_other_rights_are_another_file_of_the_manifest),
        STAND_TEST(test_installing_sets_mode_owner_and_time_where_the_format_does),
        STAND_TEST(test_a_file_of_a_package_that_stays_has_its_rights),
        STAND_TEST(test_a_file_of_an_upgraded_package_may_become_another_packages),
        STAND_TEST(test_a_link_in_place_of_a_directory_is_left_out_or_refused),
        STAND_TEST(test_databases_are_continued_whoever_owns_them),
        STAND_TEST(test_no_directory_becomes_a_file),
        STAND_TEST(test_a_hard_link_to_what_is_left_out_is_a_file),
        STAND_TEST(test_a_hard_link_follows_its_file_through_a_link_of_the_base),
        STAND_TEST(test_a_hard_link_to_another_name_of_the_same_place_is_a_file),
        STAND_TEST(test_what_is_removed_is_a_whiteout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
