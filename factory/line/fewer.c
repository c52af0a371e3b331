/* SPDX-License-Identifier: Apache-2.0 */
#include "line/fewer.h"

#include "base/auto.h"

/* What --arch takes for a platform: the architecture's own name; an OCI name where there is no such architecture. */
static const char *arch_of(struct arena *arena, const struct arches *arches, const struct platform *platform)
{
    struct platform one = *platform;
    struct platforms alone = {&one, 1, 1};
    struct err ignored = {0};
    const struct arch *arch;
    const char *name = platforms_print(arena, &alone);
    return arches && arches_find(arches, name, &arch, &ignored) ? arch->name : name;
}

static const char *list_arches(struct arena *arena, const struct arches *arches, const struct platforms *platforms)
{
    struct strings names = {0};
    for (size_t i = 0; i < platforms->count; i++) {
        const char *name = arch_of(arena, arches, &platforms->items[i]);
        if (!strings_has(&names, name))
            list_add(arena, &names, name);
    }
    return strings_join(arena, &names, ",");
}

void fewer_advise(const struct arches *arches, const struct platforms_loss *loss, const struct fewer_call *call,
                  const char *build_options, const char *image, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err advised = {0};
    if (!loss->lost.count || err->kind != ERR_USAGE)
        return;
    const char *all = list_arches(&arena, arches, &loss->all);
    const char *arch = call->arch ? arena_printf(&arena, " --arch %s", call->arch) : "";
    err_set(&advised, ERR_USAGE,
            "%s. To have all of them: imgfactory --arch %s%s %s. To leave them out: %s%s%s "
            "--allow-fewer-platforms %s",
            err->text, all, build_options, image, call->program, arch, call->options, call->words);
    *err = advised;
}
