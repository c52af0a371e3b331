/* SPDX-License-Identifier: Apache-2.0 */
/* Two layers of any bytes are put over one another and give a tree, or are refused: of a tree the paths are sorted, and none
 * leads out. */
#include "fuzz.h"

#include "package/elf.h"
#include "proof/root_layers.h"

#include <stdlib.h>

static void check(const struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        const char *path = tree->nodes[i].path;
        if (path[0] != '/' || strstr(path, "/../") || (i && strcmp(tree->nodes[i - 1].path, path) >= 0))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct root_budget budget = root_budget_of_call();
    AUTO(root_layers_done)
    struct root_layers layers = {.arena = &arena, .items = {.arena = &arena}, .budget = &budget};
    struct digest diff_id;
    struct err err = {0};
    struct tree tree;
    elf_init();
    size_t half = len ? len * bytes[0] / 255 / 512 * 512 : 0;
    const struct text parts[] = {{(const char *)bytes, half}, {(const char *)bytes + half, len - half}};
    for (size_t i = half ? 0 : 1; i < ARRAY_COUNT(parts); i++) {
        root_budget_add(&budget, parts[i].len);
        if (!root_layers_add(&layers, parts[i], "layer", &diff_id, &err))
            return 0;
    }
    if (root_layers_tree(&layers, &tree, &err))
        check(&tree);
    return 0;
}
