/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_lint_parts.h"

struct text lint_fill_source(struct lint *lint, const struct system_template *source)
{
    struct text filled = {0};
    struct err err = {0};
    if (source->text.ptr && !system_template_fill(lint->arena, source, &lint->values, &filled, &err)) {
        size_t len = strlen(source->name);
        bool is_placed = strncmp(err.text, source->name, len) == 0 && err.text[len] == ':';
        system_find(lint->findings, false, source->name, NULL, "%s", err.text + (is_placed ? len + 1 : 0));
    }
    return filled;
}

struct text lint_fill(struct lint *lint, enum system_file file, enum system_template_kind kind)
{
    const struct system_template source = {system_file_names[file], lint->request->exports->files[file], kind};
    return lint_fill_source(lint, &source);
}
