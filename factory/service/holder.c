/* SPDX-License-Identifier: Apache-2.0 */
#include "service/holder.h"

#include "package/path.h"

/* Whether a service's file is of that name: "x.service", "x@.service", "x". */
static bool is_named(const char *path, struct text name)
{
    const char *base = path_basename(path);
    if (strncmp(base, name.ptr, name.len) != 0)
        return false;
    const char *rest = base + name.len;
    return !*rest || *rest == '.' || *rest == '@';
}

/* Whether a sibling is about the binary: by its own name, which the binary's package goes on from, or by the name of a
 * service of its: the binary's, also without the 'd' of daemons. */
static bool is_about(const struct holder_request *request, const struct sibling *sibling, const char *given)
{
    size_t len = strlen(sibling->name);
    struct text base = text_of(path_basename(request->binary)), short_base = base;
    short_base.len -= short_base.len > 1 && base.ptr[base.len - 1] == 'd';
    if (strncmp(given, sibling->name, len) == 0 && given[len] == '-')
        return true;
    for (size_t i = 0; i < sibling->services.count; i++) {
        if (is_named(sibling->services.items[i], base) || is_named(sibling->services.items[i], short_base) ||
            is_named(sibling->services.items[i], text_of(given)))
            return true;
    }
    return false;
}

static bool is_better(const struct sibling *sibling, const struct sibling *best)
{
    if (!best || sibling->is_dependent != best->is_dependent)
        return !best || sibling->is_dependent;
    return strlen(sibling->name) < strlen(best->name);
}

/* The name of the service that a selected sibling ships, NULL when none does: "collectd" of collectd.service. */
static const char *selected_service(const struct holder_request *request)
{
    for (size_t i = 0; i < request->siblings->count; i++) {
        const struct sibling *sibling = &request->siblings->items[i];
        if (sibling->holds == SIBLING_HAS_SERVICE && selection_find(request->selection, sibling->name))
            return sibling->services.count ? path_basename(sibling->services.items[0]) : "";
    }
    return NULL;
}

/* Whether a sibling may have the service: its unit, or, when another has that, the configuration, by its very name. */
static bool may_hold(const struct holder_request *request, const struct sibling *sibling, const char *given,
                     const char *service)
{
    if (selection_find(request->selection, sibling->name) || strings_has(request->never, sibling->name))
        return false;
    if (service)
        return sibling->is_dependent && is_named(service, text_of(sibling->name));
    return (sibling->holds == SIBLING_HAS_SERVICE || (sibling->holds == SIBLING_UNKNOWN && sibling->is_dependent)) &&
           is_about(request, sibling, given);
}

const char *holder_find(const struct holder_request *request)
{
    const struct siblings *siblings = request->siblings;
    const struct sibling *best = NULL;
    const char *given = "", *service = selected_service(request);
    for (size_t i = 0; i < siblings->count; i++)
        given = siblings->items[i].is_given ? siblings->items[i].name : given;
    for (size_t i = 0; i < siblings->count; i++) {
        const struct sibling *sibling = &siblings->items[i];
        if (may_hold(request, sibling, given, service) && is_better(sibling, best))
            best = sibling;
    }
    return best ? best->name : NULL;
}
