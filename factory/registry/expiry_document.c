/* SPDX-License-Identifier: Apache-2.0 */
/* What documents of a registry say, for pruning. What is missing there names nothing. */
#include "registry/expiry_parts.h"

#include "base/auto.h"
#include "base/date.h"
#include "oci/layout_read.h"
#include "oci/oci.h"

#include <jansson.h>

#define PREFIX "org.opencontainers.image."
#define SHA256 "sha256:"

static json_t *parse(struct text bytes)
{
    return bytes.len ? json_loadb(bytes.ptr, bytes.len, JSON_ALLOW_NUL, NULL) : NULL;
}

bool expiry_is_document(struct text bytes)
{
    json_auto_t *json = parse(bytes);
    return json_is_object(json);
}

static bool read_descriptor(const json_t *json, struct expiry_child *ret_child)
{
    const char *name = json_string_value(json_object_get(json, "digest"));
    const char *type = json_string_value(json_object_get(json, "mediaType"));
    ret_child->is_index = !type || layout_is_index(type);
    return name && strncmp(name, SHA256, strlen(SHA256)) == 0 &&
           digest_parse(text_of(name + strlen(SHA256)), &ret_child->digest);
}

void expiry_children_of(struct arena *arena, struct text bytes, struct expiry_children *ret_children)
{
    json_auto_t *json = parse(bytes);
    const json_t *item;
    size_t i;
    *ret_children = (struct expiry_children){0};
    json_array_foreach(json_object_get(json, "manifests"), i, item)
    {
        struct expiry_child child;
        if (read_descriptor(item, &child))
            list_add(arena, ret_children, child);
    }
}

bool expiry_subject_of(struct text bytes, struct expiry_child *ret_subject)
{
    json_auto_t *json = parse(bytes);
    return read_descriptor(json_object_get(json, "subject"), ret_subject);
}

/* The creation time as RFC 3339 has it; ours are of UTC and whole seconds. */
static bool read_created(const char *created, int64_t *ret_seconds)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct text rest = text_of(created), part;
    const char *plain = "";
    while (text_next(&rest, '-', &part))
        plain = arena_printf(&scratch, "%s%.*s", plain, (int)part.len, part.ptr);
    rest = text_of(plain);
    plain = "";
    while (text_next(&rest, ':', &part))
        plain = arena_printf(&scratch, "%s%.*s", plain, (int)part.len, part.ptr);
    return date_parse_basic(text_of(plain), ret_seconds);
}

const char *expiry_expand(struct arena *arena, const char *template, const char *name, struct text index)
{
    json_auto_t *json = parse(index);
    const json_t *annotations = json_object_get(json, "annotations");
    const char *version = json_string_value(json_object_get(annotations, PREFIX "version"));
    const char *created = json_string_value(json_object_get(annotations, PREFIX "created"));
    struct oci_facts facts = {0};
    const char *text;
    struct err ignored = {0};
    if (!version || !created || !read_created(created, &facts.created_time))
        return NULL;
    oci_split_version(arena, version, &facts);
    facts.name = name;
    return oci_expand(arena, template, &facts, &text, &ignored) ? oci_tag_safe(arena, text) : NULL;
}

struct text expiry_key(struct arena *arena, const struct digest *digest)
{
    struct digest *key = arena_new(arena, struct digest);
    *key = *digest;
    return (struct text){(const char *)key->bytes, sizeof key->bytes};
}
