/* The functions of catalog.h and solve.h, by the kind of the source. */
#include "source/catalog.h"

#include "source/solve.h"

bool catalog_owners(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                    const char **ret_hint, struct err *err)
{
    return catalog->kind->owners(catalog, arena, path, ret_names, ret_hint, err);
}

bool catalog_has(const struct catalog *catalog, const char *name, bool is_virtual_fine)
{
    return catalog->kind->has(catalog, name, is_virtual_fine);
}

bool solve_packages(struct arena *arena, const struct catalog *catalog, const struct solve_request *request,
                    struct selection *ret_selection, struct err *err)
{
    return catalog->kind->solve(arena, catalog, request, ret_selection, err);
}

bool solve_identity(struct arena *arena, const struct catalog *catalog, const struct selection *selection,
                    struct selected *ret_selected, bool *ret_found, struct err *err)
{
    return catalog->kind->identity(arena, catalog, selection, ret_selected, ret_found, err);
}

void catalog_close(struct catalog *catalog)
{
    if (catalog)
        catalog->kind->close(catalog);
}
