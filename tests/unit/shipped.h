/* SPDX-License-Identifier: Apache-2.0 */
/* shipped.h - the features and families that are shipped, for tests of what reads them */
#ifndef IMGFACTORY_TESTS_SHIPPED_H
#define IMGFACTORY_TESTS_SHIPPED_H

#include "check.h"

#include "formats/formats.h"
#include "plan/family.h"
#include "plan/features.h"

static inline struct features shipped_features(struct arena *arena)
{
    struct features features;
    struct strings dirs = {0};
    struct err err = {0};
    list_add(arena, &dirs, SOURCE_DIR "/manifests/features");
    CHECK_OK(features_load(arena, &dirs, &features, &err), &err);
    return features;
}

/* Loads a manifest that may name them. */
static inline bool load_manifest(struct arena *arena, const char *path, struct manifest *ret_manifest, struct err *err)
{
    struct features features = shipped_features(arena);
    return manifest_load(arena, path, &features, ret_manifest, err);
}

static inline const struct family *shipped_family(struct arena *arena, const char *kind)
{
    struct families families;
    const struct family *family;
    struct strings dirs = {0}, formats = formats_names(arena);
    struct err err = {0};
    list_add(arena, &dirs, SOURCE_DIR "/manifests/families");
    CHECK_OK(families_load(arena, &dirs, &formats, &families, &err), &err);
    CHECK_OK(families_find(&families, kind, &family, &err), &err);
    return family;
}

#endif
