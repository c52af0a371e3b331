/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/openers.h"

#include "base/map.h"
#include "package/elf.h"
#include "package/elf_dlopen.h"
#include "package/elf_symbols.h"
#include "package/path.h"

#include <elf.h>

#define ABSENT_MAX 8

/* What the tree has: ELF files by name, and the directories above them. */
struct covered {
    struct arena *arena;
    const struct features *features;
    struct map names, dirs;
};

static bool is_elf_file(const struct node *node)
{
    return node->kind == NODE_FILE && node->data && elf_is((struct text){node->data, (size_t)node->size_bytes});
}

static void cover(struct covered *covered, const struct node *node)
{
    (void)map_add(&covered->names, text_of(path_basename(node->path)), (void *)node);
    const char *dir = path_dirname(covered->arena, node->path);
    while (strcmp(dir, "/") != 0 && map_add(&covered->dirs, text_of(dir), (void *)node))
        dir = path_dirname(covered->arena, dir);
}

static bool imports_dlopen(struct arena *arena, struct text bytes)
{
    struct elf_symbols symbols;
    elf_symbols_read(arena, bytes, &symbols);
    for (size_t i = 1; !symbols.broken && i < symbols.count; i++) {
        struct elf_symbol symbol = elf_symbols_get(&symbols, i);
        if (symbol.section == SHN_UNDEF && (strcmp(symbol.name, "dlopen") == 0 || strcmp(symbol.name, "dlmopen") == 0))
            return true;
    }
    return false;
}

/* Returns whether the tree has what a string means. A path may be a directory, a file, or the begin of names. */
static bool is_covered(const struct covered *covered, const char *string)
{
    const char *why;
    if (string[0] != '/')
        return map_get(&covered->names, text_of(string)) != NULL;
    const char *path = path_canonical(covered->arena, text_of(string), &why);
    return path && (map_get(&covered->dirs, text_of(path)) ||
                    (map_get(&covered->dirs, text_of(path_dirname(covered->arena, path))) &&
                     map_get(&covered->names, text_of(path_basename(path)))));
}

static void look(const struct covered *covered, const struct node *node, struct openers *openers)
{
    struct text bytes = {node->data, (size_t)node->size_bytes};
    struct opener opener = {.path = node->path};
    struct strings strings;
    if (!imports_dlopen(covered->arena, bytes))
        return;
    elf_plugin_strings(covered->arena, bytes, &strings);
    for (size_t i = 0; i < strings.count && opener.absent.count < ABSENT_MAX; i++) {
        if (is_covered(covered, strings.items[i]))
            continue;
        list_add(covered->arena, &opener.absent, strings.items[i]);
        opener.feature = opener.feature ? opener.feature : features_of_path(covered->features, strings.items[i]);
    }
    if (opener.absent.count || !strings.count)
        list_add(covered->arena, openers, opener);
}

void openers_find(struct arena *arena, const struct features *features, const struct tree *tree,
                  struct openers *ret_openers)
{
    struct covered covered = {
        .arena = arena, .features = features, .names = {.arena = arena}, .dirs = {.arena = arena}};
    *ret_openers = (struct openers){0};
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        if (node->kind == NODE_SYMLINK || is_elf_file(node))
            cover(&covered, node);
    }
    for (size_t i = 0; i < tree->count; i++) {
        if (is_elf_file(&tree->nodes[i]))
            look(&covered, &tree->nodes[i], ret_openers);
    }
}
