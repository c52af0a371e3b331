/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/plan_tag.h"

#include "oci/oci.h"
#include "registry/stamp.h"

#define PREFIX "imgfactory-"
#define NAME_MAX_CHARS ((size_t)48) /* of the 128 of a tag, so that an architecture with a depth has room behind it */
#define PLAN_CHARS (strlen("20261129T021311Z-") + STAMP_DIGEST_CHARS)

/* What an image is called in a tag. */
static const char *name_of(struct arena *arena, const char *image)
{
    const char *safe = oci_tag_safe(arena, image);
    if (strcmp(safe, image) == 0 && strlen(safe) <= NAME_MAX_CHARS)
        return safe;
    struct digest digest = digest_of(image, strlen(image));
    return arena_printf(arena, "%.*s-%s", (int)NAME_MAX_CHARS, safe, stamp_digest_of(&digest).chars);
}

const char *plan_tag(struct arena *arena, const char *plan, const char *image, const char *arch)
{
    return arena_printf(arena, PREFIX "%s-%s-%s", plan, name_of(arena, image), arch);
}

const char *plan_tag_below(struct arena *arena, const char *plan, const char *image, const char *arch, size_t depth)
{
    return plan_tag(arena, plan, image, depth ? arena_printf(arena, "%s.%zu", arch, depth) : arch);
}

size_t plan_tag_arch_len(const char *arch)
{
    const char *dot = strrchr(arch, '.');
    uint64_t depth;
    return dot && text_parse_u64(text_of(dot + 1), &depth) ? (size_t)(dot - arch) : strlen(arch);
}

bool plan_tag_split(struct arena *arena, const char *tag, const char *image, const char **ret_plan, int64_t *ret_date,
                    const char **ret_arch)
{
    const char *name = name_of(arena, image);
    struct stamp_digest digest;
    if (!text_has_prefix(text_of(tag), PREFIX) || strlen(tag) <= strlen(PREFIX) + PLAN_CHARS)
        return false;
    const char *plan = arena_strndup(arena, tag + strlen(PREFIX), PLAN_CHARS),
               *rest = tag + strlen(PREFIX) + PLAN_CHARS;
    size_t len = strlen(name);
    if (!stamp_parse(plan, ret_date, &digest) || rest[0] != '-' || strncmp(rest + 1, name, len) != 0 ||
        rest[1 + len] != '-' || !rest[2 + len])
        return false;
    *ret_plan = plan;
    *ret_arch = arena_strdup(arena, rest + 2 + len);
    return true;
}
