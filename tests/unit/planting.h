/* SPDX-License-Identifier: Apache-2.0 */
/* planting.h - a tree of packages made by hand: for the tests of everything that tree/tree does
 *
 * plant(), package_add() and so on, root_add() for what is kept, then grow() or check_error().
 */
#ifndef IMGFACTORY_TESTS_PLANTING_H
#define IMGFACTORY_TESTS_PLANTING_H

#include "packages.h"

struct planting {
    struct fixture *fixture;
    struct manifest manifest;
    struct wishes wishes;
    struct closure_root roots[16];
    size_t root_count;
    const char *os_release;
    int64_t created_override;
    bool is_partial, wants_base;
    struct tree tree;
};

static inline void root_add(struct planting *planting, const char *path)
{
    assert_true(planting->root_count < ARRAY_COUNT(planting->roots));
    planting->roots[planting->root_count++] = (struct closure_root){.path = path, .why = "asked for", .is_alone = true};
}

static inline struct planting plant(struct fixture *fixture)
{
    return (struct planting){.fixture = fixture, .manifest = {.name = "t", .path = "t.yaml"}, .created_override = -1};
}

static inline bool try_grow(struct planting *planting, bool is_reversed)
{
    struct fixture *fixture = planting->fixture;
    set_build(fixture, is_reversed);
    struct closure_request closure = {
        .arch = &fixture->arch, .roots = planting->roots, .root_count = planting->root_count};
    struct keep keep;
    CHECK_OK(closure_find(&fixture->arena, &fixture->set, &closure, &keep, &fixture->err), &fixture->err);
    assert_int_equal(keep.missing_count, 0);
    struct tree_request request = {.arch = &fixture->arch,
                                   .manifest = &planting->manifest,
                                   .wishes = &planting->wishes,
                                   .keep = &keep,
                                   .set = &fixture->set,
                                   .created_override = planting->created_override,
                                   .is_partial = planting->is_partial,
                                   .has_base_accounts = planting->wants_base,
                                   .os_release = planting->os_release};
    return tree_build(&fixture->arena, &request, &planting->tree, &fixture->err);
}

static inline const struct tree *grow(struct planting *planting)
{
    CHECK_OK(try_grow(planting, false), &planting->fixture->err);
    const struct tree *tree = &planting->tree;
    for (size_t i = 1; i < tree->count; i++)
        assert_true(strcmp(tree->nodes[i - 1].path, tree->nodes[i].path) < 0);
    return tree;
}

static inline const struct node *node_at(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (strcmp(tree->nodes[i].path, path) == 0)
            return &tree->nodes[i];
    }
    return NULL;
}

static inline void check_node(const struct tree *tree, const char *path, enum node_kind kind, uint32_t mode,
                              uint32_t uid)
{
    const struct node *node = node_at(tree, path);
    if (!node)
        fail_msg("no %s", path);
    if (node->kind != kind || node->mode != mode || node->uid != uid)
        fail_msg("%s: kind %d, mode %o, uid %u", path, (int)node->kind, node->mode, node->uid);
}

static inline void check_content(const struct tree *tree, const char *path, const char *content)
{
    const struct node *node = node_at(tree, path);
    if (!node)
        fail_msg("no %s", path);
    assert_int_equal(node->kind, NODE_FILE);
    assert_int_equal(node->size_bytes, strlen(content));
    assert_memory_equal(node->data, content, strlen(content));
}

static inline struct wish_made *made_add(struct planting *planting, enum wish_made_kind kind, const char *path)
{
    struct wish_made made = {.kind = kind,
                             .path = path,
                             .mode = kind == MADE_DIRECTORY ? 0755 : 0644,
                             .owner = "root",
                             .group = "root",
                             .content = "made\n",
                             .target = "elsewhere"};
    list_add(&planting->fixture->arena, &planting->wishes.made, made);
    return &planting->wishes.made.items[planting->wishes.made.count - 1];
}

static inline void check_error(struct planting *planting, enum err_kind kind, const char *part)
{
    assert_false(try_grow(planting, false));
    CHECK_ERR(&planting->fixture->err, kind, part);
    err_clear(&planting->fixture->err);
}

/* What every image has of these files at least, with a Debian package first, and with an .rpm. */
#define ROOT_LINE "root:x:0:0:root:/root:/usr/sbin/nologin\n"
#define DEB_NOBODY "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
#define RPM_NOBODY "nobody:x:65534:65534:Kernel Overflow User:/:/usr/sbin/nologin\n"
#define DEB_NOGROUP "nogroup:x:65534:\n"
#define RPM_NOGROUP "nobody:x:65534:\n"

static inline bool has_note(const struct tree *tree, const char *part)
{
    for (size_t i = 0; i < tree->notes.count; i++) {
        if (strstr(tree->notes.items[i], part))
            return true;
    }
    return false;
}

#endif
