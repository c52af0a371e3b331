/* SPDX-License-Identifier: Apache-2.0 */
#include "service/configuration.h"

#include "package/path.h"

#define ETC "/etc/"

/* What is added for one package; each path comes once. */
struct adding {
    struct arena *arena;
    const struct package *package;
    struct map wanted;
    struct wishes *wishes;
};

static void want(struct adding *adding, const char *path, const char *what)
{
    if (!map_add(&adding->wanted, text_of(path), (void *)path))
        return;
    struct wish_file file = {.path = path,
                             .is_optional = true,
                             .giver = arena_printf(adding->arena, "%s of %s", what, adding->package->name)};
    list_add(adding->arena, &file.packages, adding->package->name);
    list_add(adding->arena, &adding->wishes->files, file);
}

/* Whether something of the host's lies below a directory, which is not taken as a whole then. */
static bool holds_host(const struct family *family, const char *directory)
{
    for (size_t i = 0; i < family->for_host.count; i++) {
        if (path_is_within(family->for_host.items[i], directory))
            return true;
    }
    return false;
}

/* What lies directly in /etc, with all below it, where nothing of the host's is: few wishes for many files. */
static void want_configuration(struct adding *adding, const struct family *family, const char *path)
{
    size_t len = strlen(ETC) + strcspn(path + strlen(ETC), "/");
    if (strncmp(path, ETC, strlen(ETC)) != 0 || path_is_within_any(path, &family->for_host))
        return;
    if (path[len] && !holds_host(family, arena_strndup(adding->arena, path, len)))
        path = arena_printf(adding->arena, "%.*s/**", (int)len, path);
    want(adding, path, "configuration");
}

/* Directories of the distribution, where nothing else is. */
static void want_directories(struct arena *arena, const struct family *family, struct wishes *wishes)
{
    for (size_t i = 0; i < family->for_service.made.count; i++) {
        struct wish_made made = family->for_service.made.items[i];
        made.is_automatic = true;
        made.giver = arena_printf(arena, "the family %s", family->name);
        list_add(arena, &wishes->made, made);
    }
}

void configuration_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                        struct wishes *wishes)
{
    for (size_t i = 0; i < own->packages.count; i++) {
        const struct package *package = own->packages.items[i];
        struct adding adding = {.arena = arena, .package = package, .wanted = {.arena = arena}, .wishes = wishes};
        for (size_t j = 0; j < package->count; j++)
            want_configuration(&adding, request->set->family, package->entries[j].path);
        want(&adding, "/var/**", "state");
        want(&adding, "/srv/**", "state");
    }
    want_directories(arena, request->set->family, wishes);
}
