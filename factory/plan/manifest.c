/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/manifest.h"

#include "plan/features.h"
#include "plan/manifest_parts.h"

#define NAMES_SHOWN 20

bool manifest_fills(const struct manifest *manifest)
{
    return manifest->installs && (manifest->base || manifest->is_complete);
}

/* Adds what the features bring, now that all the rest is read. */
static bool add_features(struct arena *arena, const struct features *features, struct manifest_form *form,
                         struct err *err)
{
    struct wishes wishes;
    struct manifest *manifest = &form->manifest;
    if (!features_wishes(arena, features, yaml_get(form->root, "features"), manifest, &wishes, err))
        return false;
    manifest->wishes = wishes_join(arena, &manifest->wishes, &wishes);
    return true;
}

static bool read_file(struct arena *arena, const struct yaml_file *file, const struct features *features,
                      struct manifest *ret_manifest, struct err *err)
{
    struct manifest_form form;
    if (!manifest_read(arena, file, &form, err) || !manifest_check(arena, &form, err) ||
        !add_features(arena, features, &form, err))
        return false;
    *ret_manifest = form.manifest;
    return true;
}

bool manifest_load(struct arena *arena, const char *path, const struct features *features,
                   struct manifest *ret_manifest, struct err *err)
{
    struct yaml_file *file;
    return yaml_load(arena, path, &file, err) && read_file(arena, file, features, ret_manifest, err);
}

bool manifest_parse(struct arena *arena, const char *path, const char *text, const struct features *features,
                    struct manifest *ret_manifest, struct err *err)
{
    struct yaml_file *file;
    return yaml_parse(arena, path, text_of(text), &file, err) && read_file(arena, file, features, ret_manifest, err);
}

bool manifest_names(struct arena *arena, const char *dir, struct strings *ret_names, struct err *err)
{
    return yaml_stems(arena, dir, ret_names, err);
}

static bool fail_unknown(struct arena *arena, const char *dir, const char *image, const struct strings *names,
                         struct err *err)
{
    struct strings some = *names;
    some.count = names->count > NAMES_SHOWN ? NAMES_SHOWN : names->count;
    const char *shown = text_printable(arena, text_of(image));
    const char *nearest = text_nearest(image, names->items, names->count);
    const char *more = names->count > NAMES_SHOWN ? ", …" : "";
    const char *list = some.count ? strings_join(arena, &some, ", ") : "none";
    if (nearest)
        err_set(err, ERR_USAGE, "unknown image '%s'; did you mean '%s'? Known in %s: %s%s", shown, nearest, dir, list,
                more);
    else
        err_set(err, ERR_USAGE, "unknown image '%s'; known in %s: %s%s", shown, dir, list, more);
    return false;
}

const char *manifest_nearest(struct arena *arena, const char *dir, const char *image)
{
    struct strings names;
    struct err ignored = {0};
    return manifest_names(arena, dir, &names, &ignored) ? text_nearest(image, names.items, names.count) : NULL;
}

bool manifest_find(struct arena *arena, const char *dir, const char *image, const char **ret_path, struct err *err)
{
    if (yaml_is_path(image)) {
        *ret_path = arena_strdup(arena, image);
        return true;
    }
    struct strings names;
    if (!manifest_names(arena, dir, &names, err))
        return false;
    if (!strings_has(&names, image))
        return fail_unknown(arena, dir, image, &names, err);
    *ret_path = arena_printf(arena, "%s/%s.yaml", dir, image);
    return true;
}
