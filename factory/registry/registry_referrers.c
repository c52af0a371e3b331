/* SPDX-License-Identifier: Apache-2.0 */
/* Making an artifact findable from its subject (distribution-spec 1.1, "Pushing Manifests with Subject"). Whether
 * there is a referrers API is decided by asking it: OCI-Subject is no sign, quay has the API and does not send it,
 * others the other way round. The tag of the fallback is shared with others who attach, so it is replaced only as it
 * was read where the registry looks at conditions, and is read again after it was written. */
#include "registry/registry_parts.h"

#include "base/auto.h"
#include "oci/oci.h"
#include "registry/registry_shared.h"

#include <jansson.h>

#define ATTEMPTS_MAX 5
#define REFERRER_PAGES_MAX ((size_t)100)
#define INDEX_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define TAG_ALGORITHM_MAX_CHARS 32
#define TAG_ENCODED_MAX_CHARS 64

/* One attaching. */
struct attaching {
    struct registry *registry;
    const char *tag;
    const json_t *descriptors;                /* an array */
    const struct registry_manifest *before;   /* what the tag was read to be at; NULL: it was not read */
    const struct registry_referrer_list *all; /* with entries that go; NULL: none does */
};

static json_t *parse_index(const char *bytes, size_t len)
{
    json_t *json = len ? json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_array(json_object_get(json, "manifests")))
        return json;
    json_decref(json);
    return NULL;
}

/* Asks the referrers API; *ret_index NULL: there is none. It notes that. */
static bool ask_referrers(struct registry *registry, struct arena *arena, const char *path, const char **ret_next,
                          json_t **ret_index, struct err *err)
{
    struct exchange get AUTO(exchange_done) = {
        .method = "GET", .path = path, .access = REGISTRY_PULL, .cap_bytes = INDEX_MAX_BYTES};
    if (!registry_exchange(registry, &get, err))
        return false;
    *ret_index = get.status == 200 ? parse_index(get.body_in.bytes, get.body_in.len) : NULL;
    *ret_next = exchange_next_query(arena, &get);
    atomic_store(&registry->referrers, *ret_index ? REFERRERS_API : REFERRERS_TAG);
    if (registry->host && get.status == 404)
        atomic_store(&registry->host->has_no_referrers, true);
    return true;
}

/* What is asked for behind a page: by the registry's mark, else by the last digest. */
static const char *next_page(struct arena *arena, const char *first, const char *mark, const struct digest *last)
{
    return mark && *mark ? arena_printf(arena, "%s?%s", first, mark)
                         : arena_printf(arena, "%s?last=%s", first, registry_digest_name(last).chars);
}

/* Asks whether there is the API. What another repository of the host has not, this one is not asked for: should it have it
 * after all, it lists what is attached by itself, and the tag is one more. Who only reads asks each repository. */
static bool learn_referrers(struct registry *registry, const char *subject, bool *ret_has_api, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    json_t *index = NULL;
    const char *next;
    int known = atomic_load(&registry->referrers);
    *ret_has_api = known == REFERRERS_API;
    if (known != REFERRERS_UNKNOWN || (registry->host && atomic_load(&registry->host->has_no_referrers)))
        return true;
    bool is_asked =
        ask_referrers(registry, &scratch, arena_printf(&scratch, "referrers/%s", subject), &next, &index, err);
    *ret_has_api = index != NULL;
    json_decref(index);
    return is_asked;
}

/* Adds the digests of an index that are not in the list; returns how many. */
static size_t add_digests(struct arena *arena, const json_t *index, struct referrers *referrers)
{
    size_t i, added = 0;
    const json_t *item;
    json_array_foreach(json_object_get(index, "manifests"), i, item)
    {
        const char *name = json_string_value(json_object_get(item, "digest"));
        struct digest digest;
        bool is_known = !name || strncmp(name, "sha256:", 7) != 0 || !digest_parse(text_of(name + 7), &digest);
        for (size_t j = 0; !is_known && j < referrers->digests.count; j++)
            is_known = digest_eq(&referrers->digests.items[j], &digest);
        if (is_known)
            continue;
        list_add(arena, &referrers->digests, digest);
        added++;
    }
    return added;
}

bool registry_list_referrers(struct registry *registry, struct arena *arena, const struct digest *subject,
                             struct referrers *ret_referrers, struct err *err)
{
    const char *first = arena_printf(arena, "referrers/%s", registry_digest_name(subject).chars), *path = first, *next;
    struct referrers referrers = {0};
    *ret_referrers = referrers;
    for (size_t page = 0; page < REFERRER_PAGES_MAX && atomic_load(&registry->referrers) != REFERRERS_TAG; page++) {
        json_t *index = NULL;
        if (!ask_referrers(registry, arena, path, &next, &index, err))
            return false;
        referrers.has_api = referrers.has_api || index;
        size_t added = add_digests(arena, index, &referrers);
        json_decref(index);
        if (!next || !added)
            break;
        path = next_page(arena, first, next, &referrers.digests.items[referrers.digests.count - 1]);
    }
    *ret_referrers = referrers;
    return true;
}

static bool has_descriptor(const json_t *index, const json_t *descriptor)
{
    size_t i;
    const json_t *item, *manifests = json_object_get(index, "manifests");
    json_array_foreach((json_t *)manifests, i, item)
    {
        if (json_equal(json_object_get(item, "digest"), json_object_get(descriptor, "digest")))
            return true;
    }
    return false;
}

/* Gets the fallback index, an empty one when the tag is absent, and the condition under which it may be replaced. */
static bool get_fallback(const struct attaching *attaching, struct arena *arena, json_t **ret_index,
                         const char **ret_condition, struct err *err)
{
    struct registry_manifest manifest;
    if (attaching->before)
        manifest = *attaching->before;
    else if (!registry_get_manifest(attaching->registry, arena, attaching->tag, &manifest, err))
        return false;
    if (!manifest.is_found) {
        *ret_index = json_pack("{s:i,s:s,s:[]}", "schemaVersion", 2, "mediaType", OCI_MEDIA_INDEX, "manifests");
        *ret_condition = "If-None-Match: *";
        return true;
    }
    *ret_index = strcmp(manifest.media_type, OCI_MEDIA_INDEX) == 0
                     ? parse_index(manifest.bytes, (size_t)manifest.size_bytes)
                     : NULL;
    *ret_condition = arena_printf(arena, "If-Match: \"%s\"", registry_digest_name(&manifest.digest).chars);
    if (!*ret_index)
        err_set(err, ERR_PUBLISH, "%s:%s is not an index of referrers; it is left as it is", attaching->registry->name,
                attaching->tag);
    return *ret_index != NULL;
}

/* Adds those that are not in the index; returns how many. */
static size_t add_descriptors(json_t *index, const json_t *descriptors)
{
    size_t i, added = 0;
    const json_t *descriptor;
    json_array_foreach(descriptors, i, descriptor)
    {
        if (has_descriptor(index, descriptor))
            continue;
        (void)json_array_append_new(json_object_get(index, "manifests"), json_deep_copy(descriptor));
        added++;
    }
    return added;
}

/* Takes out those that go; returns how many. */
static size_t drop_descriptors(json_t *index, const struct registry_referrer_list *all)
{
    json_t *manifests = json_object_get(index, "manifests");
    size_t dropped = 0;
    for (size_t i = json_array_size(manifests); all && i-- > 0;) {
        const char *name = json_string_value(json_object_get(json_array_get(manifests, i), "digest"));
        for (size_t j = 0; name && j < all->gone.count; j++) {
            if (strcmp(registry_digest_name(&all->gone.items[j]).chars, name) != 0)
                continue;
            (void)json_array_remove(manifests, i);
            dropped++;
            break;
        }
    }
    return dropped;
}

/* Adds the descriptors once and puts the index. A lost race (412) is no failure: the next attempt sees what is there. */
static bool add_once(const struct attaching *attaching, bool *ret_is_there, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_free) char *text = NULL;
    json_auto_t *index = NULL;
    const char *condition;
    bool is_missing;
    if (!get_fallback(attaching, &scratch, &index, &condition, err))
        return false;
    size_t changed = drop_descriptors(index, attaching->all);
    *ret_is_there = changed + add_descriptors(index, attaching->descriptors) == 0;
    if (*ret_is_there)
        return true;
    text = json_dumps(index, JSON_COMPACT);
    if (!text)
        memory_abort(0);
    if (registry_put_if(attaching->registry, attaching->tag, OCI_MEDIA_INDEX, text_of(text), condition, &is_missing,
                        err))
        return true;
    if (err->detail != 412 && err->kind != ERR_TRUST) /* ERR_TRUST: another writer was between PUT and reading back */
        return false;
    err_clear(err);
    return true;
}

static bool attach_by_tag(struct attaching *attaching, struct err *err)
{
    bool is_there = false;
    for (int i = 0; i <= ATTEMPTS_MAX && !is_there && err->kind == ERR_NONE; i++) {
        if (!add_once(attaching, &is_there, err))
            break;
        attaching->before = NULL;
    }
    if (!is_there && err->kind == ERR_NONE)
        err_set(err, ERR_PUBLISH, "%s:%s: others change it again and again", attaching->registry->name, attaching->tag);
    return is_there;
}

/* The tag of a subject: "sha256-…", both parts cut (distribution-spec, "Referrers Tag Schema"). NULL when it is no
 * digest (image-spec, descriptor.md): so neither tag nor path can become anything else. */
static const char *tag_of(struct arena *arena, struct text subject)
{
    struct text encoded = subject, algorithm;
    if (!text_next(&encoded, ':', &algorithm) || !algorithm.len || !encoded.len)
        return NULL;
    for (size_t i = 0; i < subject.len; i++) {
        char c = subject.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool is_in_encoded = subject.ptr + i >= encoded.ptr && ((c >= 'A' && c <= 'Z') || strchr("=_-", c));
        bool is_between = i && i + 1 < subject.len && (subject.ptr + i == encoded.ptr - 1 || strchr("+._-", c));
        if (!c || (!is_plain && !is_in_encoded && !is_between))
            return NULL;
    }
    int algorithm_len = algorithm.len < TAG_ALGORITHM_MAX_CHARS ? (int)algorithm.len : TAG_ALGORITHM_MAX_CHARS;
    int encoded_len = encoded.len < TAG_ENCODED_MAX_CHARS ? (int)encoded.len : TAG_ENCODED_MAX_CHARS;
    char *tag = arena_printf(arena, "%.*s-%.*s", algorithm_len, algorithm.ptr, encoded_len, encoded.ptr);
    for (char *at = tag; *at; at++) {
        if (strchr("+=", *at))
            *at = '-';
    }
    return tag;
}

/* What an index of referrers says of a manifest: its artifactType, or where it has none the type of its config, and its
 * annotations. */
static json_t *describe(const json_t *manifest, const char *media_type, struct text bytes)
{
    struct digest digest = digest_of(bytes.ptr, bytes.len);
    json_t *type = json_object_get(manifest, "artifactType"), *annotations = json_object_get(manifest, "annotations");
    json_t *descriptor = json_pack("{s:s,s:s,s:I}", "mediaType", media_type, "digest",
                                   registry_digest_name(&digest).chars, "size", (json_int_t)bytes.len);
    if (!json_string_length(type))
        type = json_object_get(json_object_get(manifest, "config"), "mediaType");
    if (json_string_length(type))
        json_object_set(descriptor, "artifactType", type);
    if (json_object_size(annotations))
        json_object_set(descriptor, "annotations", annotations);
    return descriptor;
}

bool registry_attach(struct registry *registry, const char *media_type, struct text bytes, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    json_auto_t *manifest = json_loadb(bytes.ptr, bytes.len, JSON_ALLOW_NUL, NULL);
    const json_t *subject = json_object_get(manifest, "subject");
    bool has_api;
    if (!subject || json_is_null(subject))
        return true;
    const char *digest = json_string_value(json_object_get(subject, "digest"));
    const char *tag = digest ? tag_of(&scratch, text_of(digest)) : NULL;
    if (!tag) {
        err_set(err, ERR_MALFORMED, "a manifest has a subject without a digest");
        return false;
    }
    if (!learn_referrers(registry, digest, &has_api, err))
        return false;
    if (has_api)
        return true;
    json_auto_t *descriptors = json_pack("[o]", describe(manifest, media_type, bytes));
    struct attaching attaching = {.registry = registry, .tag = tag, .descriptors = descriptors};
    pthread_mutex_lock(&registry->attach_lock);
    bool is_done = attach_by_tag(&attaching, err);
    pthread_mutex_unlock(&registry->attach_lock);
    return is_done;
}

bool registry_attach_all(struct registry *registry, const struct digest *subject, const struct text *manifests,
                         size_t count, const struct registry_referrer_list *before, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct digest_name name = registry_digest_name(subject);
    if (!before->is_of_tag)
        return true; /* there is the API */
    json_auto_t *descriptors = json_array();
    for (size_t i = 0; i < count; i++) {
        json_auto_t *manifest = json_loadb(manifests[i].ptr, manifests[i].len, JSON_ALLOW_NUL, NULL);
        const char *type = json_string_value(json_object_get(manifest, "mediaType"));
        (void)json_array_append_new(descriptors, describe(manifest, type ? type : OCI_MEDIA_MANIFEST, manifests[i]));
    }
    struct attaching attaching = {.registry = registry,
                                  .tag = tag_of(&scratch, text_of(name.chars)),
                                  .descriptors = descriptors,
                                  .before = &before->tag,
                                  .all = before};
    return attach_by_tag(&attaching, err);
}

/* The last descriptor of a type: it was added last where that is known. */
static const char *last_of_type(struct arena *arena, const json_t *index, const char *type)
{
    size_t i;
    const json_t *item, *manifests = json_object_get(index, "manifests");
    const char *found = NULL;
    json_array_foreach((json_t *)manifests, i, item)
    {
        const char *said = json_string_value(json_object_get(item, "artifactType"));
        const char *digest = json_string_value(json_object_get(item, "digest"));
        struct digest parsed;
        if (said && digest && strcmp(said, type) == 0 && text_has_prefix(text_of(digest), "sha256:") &&
            digest_parse(text_of(digest + strlen("sha256:")), &parsed))
            found = digest;
    }
    return arena_strdup(arena, found);
}

bool registry_find_referrer(struct registry *registry, struct arena *arena, const struct digest *subject,
                            const char *type, const char **ret_name, struct err *err)
{
    struct digest_name name = registry_digest_name(subject);
    json_auto_t *index = NULL;
    const char *next;
    *ret_name = NULL;
    if (atomic_load(&registry->referrers) != REFERRERS_TAG &&
        !ask_referrers(registry, arena, arena_printf(arena, "referrers/%s", name.chars), &next, &index, err))
        return false;
    if (!index) {
        struct registry_manifest manifest;
        if (!registry_get_manifest(registry, arena, tag_of(arena, text_of(name.chars)), &manifest, err))
            return false;
        index = manifest.is_found ? parse_index(manifest.bytes, (size_t)manifest.size_bytes) : NULL;
    }
    *ret_name = last_of_type(arena, index, type);
    return true;
}

/* --- reading --- */

static bool parse_digest(const char *name, struct digest *ret_digest)
{
    return name && text_has_prefix(text_of(name), "sha256:") &&
           digest_parse(text_of(name + strlen("sha256:")), ret_digest);
}

static struct registry_referrer read_referrer(struct arena *arena, const json_t *item, const struct digest *digest)
{
    const char *type = json_string_value(json_object_get(item, "artifactType"));
    struct registry_referrer referrer = {.digest = *digest, .type = arena_strdup(arena, type ? type : "")};
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(item, "annotations"), key, value)
    {
        if (json_is_string(value))
            list_add(arena, &referrer.notes,
                     (struct registry_note){arena_strdup(arena, key), arena_strdup(arena, json_string_value(value))});
    }
    return referrer;
}

/* Adds what is not in the list yet. */
static bool add_referrers(struct registry *registry, struct arena *arena, const json_t *index,
                          struct registry_referrer_list *referrers, size_t *ret_added, struct err *err)
{
    size_t i, before = referrers->items.count;
    const json_t *item;
    json_array_foreach(json_object_get(index, "manifests"), i, item)
    {
        struct digest digest;
        bool is_known = !parse_digest(json_string_value(json_object_get(item, "digest")), &digest);
        for (size_t j = 0; !is_known && j < referrers->items.count; j++)
            is_known = digest_eq(&referrers->items.items[j].digest, &digest);
        if (is_known)
            continue;
        if (referrers->items.count >= REGISTRY_REFERRERS_MAX_COUNT) {
            err_set(err, ERR_MALFORMED, "%s: more than %zu manifests are about one", registry->name,
                    REGISTRY_REFERRERS_MAX_COUNT);
            return false;
        }
        list_add(arena, &referrers->items, read_referrer(arena, item, &digest));
    }
    *ret_added = referrers->items.count - before;
    return true;
}

/* By the tag: what is there and is no index tells of nothing. */
static bool read_fallback(struct registry *registry, struct arena *arena, const char *subject,
                          struct registry_referrer_list *referrers, struct err *err)
{
    struct registry_manifest manifest;
    size_t added;
    if (!registry_get_manifest(registry, arena, tag_of(arena, text_of(subject)), &manifest, err))
        return false;
    referrers->is_of_tag = true;
    referrers->tag = manifest;
    json_auto_t *index = manifest.is_found ? parse_index(manifest.bytes, (size_t)manifest.size_bytes) : NULL;
    return add_referrers(registry, arena, index, referrers, &added, err);
}

/* Whether the API need not be asked for. Who only reads asks each repository (learn_referrers()). */
static bool is_without_api(const struct registry *registry)
{
    return atomic_load(&registry->referrers) == REFERRERS_TAG ||
           (registry->access != REGISTRY_PULL && registry->host && atomic_load(&registry->host->has_no_referrers));
}

bool registry_read_referrers(struct registry *registry, struct arena *arena, const struct digest *subject,
                             struct registry_referrer_list *ret_referrers, struct err *err)
{
    struct digest_name name = registry_digest_name(subject);
    const char *first = arena_printf(arena, "referrers/%s", name.chars), *path = first, *next;
    *ret_referrers = (struct registry_referrer_list){0};
    for (size_t page = 0; page < REFERRER_PAGES_MAX && !is_without_api(registry); page++) {
        json_t *index = NULL;
        size_t added;
        if (!ask_referrers(registry, arena, path, &next, &index, err))
            return false;
        bool is_added = add_referrers(registry, arena, index, ret_referrers, &added, err);
        json_decref(index);
        if (!is_added || (atomic_load(&registry->referrers) == REFERRERS_API && (!next || !added)))
            return is_added;
        if (added)
            path = next_page(arena, first, next, &ret_referrers->items.items[ret_referrers->items.count - 1].digest);
    }
    return !is_without_api(registry) || read_fallback(registry, arena, name.chars, ret_referrers, err);
}
