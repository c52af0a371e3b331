/* SPDX-License-Identifier: Apache-2.0 */
#include "line/order.h"

#include "base/auto.h"
#include "effect/shell_links.h"

#include <stdarg.h>
#include <stdio.h>

void order_log(const struct order *order, enum log_level level, const char *format, ...)
{
    char text[5000];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_line(order->plant->log, level, "%s %s: %s", order->manifest->name, order->arch->name, text);
}

void order_enter(const struct order *order, enum stage stage)
{
    progress_stage(order->progress, stage);
    order_log(order, LOG_VERBOSE, "%s", progress_stage_name(stage));
}

bool order_compute(const struct order *order, workers_function *function, void *argument, struct err *err)
{
    bool is_good = workers_call(order->plant->workers, function, argument, err);
    supply_rest(order->hold); /* until the next stage others compute */
    return is_good && !plant_is_cancelled(order->plant, err);
}

bool order_takes_older(const struct order *order)
{
    return order->manifest->is_older_fine || order->plant->inputs.is_older_fine;
}

bool order_take_shell(struct order *order, struct err *err)
{
    const struct family *family = order->catalog->family;
    const struct strings *packages = &family->static_shell.packages;
    const char *wanted = order->manifest->shell, *name = family->static_shell.name;
    if (!name || strcmp(name, wanted) != 0) {
        err_set(err, ERR_RESOLVE, "shell: %s: the family %s knows %s%s", wanted, family->name,
                name ? "only " : "no static shell", name ? name : "");
        return false;
    }
    for (size_t i = 0; i < packages->count; i++) {
        if (!catalog_has(order->catalog, packages->items[i], false) ||
            strings_has(&order->manifest->packages_never, packages->items[i]))
            continue;
        struct manifest *manifest = arena_new(order->arena, struct manifest);
        static const struct wishes none;
        *manifest = *order->manifest;
        manifest->wishes = wishes_join(order->arena, &order->manifest->wishes, &none); /* a copy that may grow */
        shell_links_wish(order->arena, family, packages->items[i], &manifest->wishes);
        order->manifest = manifest;
        return true;
    }
    err_set(err, ERR_RESOLVE, "shell: %s: the source has no package %s", wanted,
            strings_join(order->arena, packages, " or "));
    return false;
}

bool order_has(const struct order *order, const char *path)
{
    const struct entry *entry = order->ground ? ground_walk(order->ground, order->arena, path, NULL) : NULL;
    return entry && entry->kind != ENTRY_DIRECTORY;
}

bool order_has_library(const struct order *order, const char *soname)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct strings *dirs = &order->arch->library_dirs;
    for (size_t i = 0; order->ground && i < dirs->count; i++) {
        if (ground_walk(order->ground, &scratch, arena_printf(&scratch, "%s/%s", dirs->items[i], soname), NULL))
            return true;
    }
    return false;
}

bool order_is_automatic(const struct order *order)
{
    bool is_any = false;
    for (size_t i = 0; i < AUTOMATIC_COUNT; i++)
        is_any = is_any || order->manifest->automatic[i];
    return is_any;
}
