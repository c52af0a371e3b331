/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify.h"

#include "base/auto.h"
#include "base/each.h"
#include "bill/record.h"
#include "sign/policy.h"

#include <jansson.h>

#define REQUESTS_MAX ((size_t)12)

/* One manifest of the image. */
struct verdict {
    const struct digest *digest;
    const char *platform; /* "index", "linux/arm64" */
    struct arena arena;
    struct found found;
    const char *why; /* it does not hold; NULL: it does */
};

struct verifying {
    const struct verify *verify;
    struct registry *registry;
    struct found_keys keys;
    struct verdict *items;
    size_t count;
};

bool verify_begin(struct command *command, struct verify *verify, struct err *err)
{
    const struct options *options = &command->options;
    if (options->keys.count && options->policy) {
        err_set(err, ERR_USAGE, "--key and --policy are two ways to verify; give one of them");
        return false;
    }
    if (!reference_parse(&command->arena, options->words.items[0], true, &verify->reference, err))
        return false;
    for (size_t i = 0; i < options->keys.count; i++) {
        if (!rules_add_key(&verify->rules, &command->arena, options->keys.items[i], err))
            return false;
    }
    return !options->policy || policy_read(&verify->rules, &command->arena, options->policy, &verify->reference, err);
}

void verify_end(struct verify *verify)
{
    rules_close(&verify->rules);
}

/* --- looking --- */

static bool look(void *context, void *item, struct err *err)
{
    const struct verifying *verifying = context;
    const struct rules *rules = &verifying->verify->rules;
    struct verdict *verdict = item;
    if (!found_read(verifying->registry, &verdict->arena, verdict->digest, &verifying->keys, &verdict->found, err))
        return false;
    for (size_t i = 0; i < rules->items.count && !verdict->why; i++) {
        const char *why;
        if (!rule_holds(&rules->items.items[i], &verdict->arena, &verifying->verify->reference, &verdict->found, &why))
            verdict->why = why;
    }
    return true;
}

static const char *platform_of(struct arena *arena, const struct layout_manifest *manifest)
{
    if (!manifest->os || !manifest->architecture)
        return "manifest";
    return arena_printf(arena, "%s/%s%s%s", text_printable(arena, text_of(manifest->os)),
                        text_printable(arena, text_of(manifest->architecture)), manifest->variant ? "/" : "",
                        manifest->variant ? text_printable(arena, text_of(manifest->variant)) : "");
}

/* The index, and its children: all that it names, but platforms that were not asked for. */
static void list_manifests(struct arena *arena, const struct layout_image *image, struct verifying *verifying)
{
    struct verdict *items = arena_new_array(arena, struct verdict, image->manifests.count + 1);
    if (image->is_index)
        items[verifying->count++] = (struct verdict){.digest = &image->root.digest, .platform = "index"};
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread != LAYOUT_UNWANTED)
            items[verifying->count++] =
                (struct verdict){.digest = &manifest->blob.digest, .platform = platform_of(arena, manifest)};
    }
    verifying->items = items;
}

/* --- telling --- */

static const char *key_name(struct arena *arena, const struct options *options, const struct rules *rules, size_t key)
{
    struct digest id = sign_key_id(rules->keys.items[key]);
    return options->keys.count ? options->keys.items[key]
                               : arena_printf(arena, "key sha256:%.16s…", digest_hex(&id).chars);
}

static const char *signed_by(struct arena *arena, const struct options *options, const struct rules *rules,
                             const struct found *found)
{
    struct strings parts = {0};
    for (size_t i = 0; i < found->ours.count; i++) {
        const struct found_signature *one = &found->ours.items[i];
        const char *key = key_name(arena, options, rules, one->key);
        const char *part = one->is_bundle
                               ? arena_printf(arena, "%s (bundle)", key)
                               : arena_printf(arena, "%s as %s", key, text_printable(arena, text_of(one->reference)));
        if (!strings_has(&parts, part))
            list_add(arena, &parts, part);
    }
    return strings_join(arena, &parts, ", ");
}

static const char *state_of(struct arena *arena, const struct verifying *verifying, const struct options *options,
                            const struct verdict *verdict)
{
    const struct found *found = &verdict->found;
    const struct rules *rules = &verifying->verify->rules;
    if (verdict->why)
        return arena_printf(arena, "REFUSED: %s", verdict->why);
    if (found->ours.count)
        return arena_printf(arena, "signed by %s%s", signed_by(arena, options, rules, found),
                            found->foreign_count
                                ? arena_printf(arena, "; %zu other signatures or statements", found->foreign_count)
                                : "");
    return arena_printf(arena, "%zu bundles, %zu signatures in .sig; none was verified", found->bundle_count,
                        found->simple_count);
}

/* What is there, and was not looked into. */
static const char *not_verified(struct arena *arena, const struct verifying *verifying)
{
    struct strings predicates = {0};
    for (size_t i = 0; i < verifying->count; i++) {
        const struct strings *own = &verifying->items[i].found.predicates;
        for (size_t j = 0; j < own->count; j++) {
            const char *name = text_printable(arena, text_of(own->items[j]));
            if (!strstr(name, "sigstore.dev/cosign/sign/") && !strings_has(&predicates, name))
                list_add(arena, &predicates, name);
        }
    }
    return arena_printf(arena,
                        "layers, which were not fetched (their digests stand in the manifests; pull verifies them)%s%s",
                        predicates.count ? "; statements of the types " : "", strings_join(arena, &predicates, ", "));
}

static void print(struct arena *arena, const struct verifying *verifying, const struct options *options,
                  const struct layout_image *image)
{
    const struct rules *rules = &verifying->verify->rules;
    (void)printf("%s sha256:%s\n", reference_print(arena, &verifying->verify->reference),
                 digest_hex(&image->root.digest).chars);
    for (size_t i = 0; i < verifying->count; i++)
        (void)printf("  %-16s sha256:%.12s  %s\n", verifying->items[i].platform,
                     digest_hex(verifying->items[i].digest).chars,
                     state_of(arena, verifying, options, &verifying->items[i]));
    if (rules->scope)
        (void)printf("policy: what %s says of %s\n", options->policy, rules->scope);
    if (!rules->items.count)
        (void)printf("not verified: who made it, since neither --key nor --policy was given\n");
    (void)printf("not verified: %s\n", not_verified(arena, verifying));
}

static json_t *verdict_json(struct arena *arena, const struct options *options, const struct rules *rules,
                            const struct verdict *verdict)
{
    const struct found *found = &verdict->found;
    json_t *signatures = json_array(), *predicates = json_array();
    for (size_t i = 0; i < found->ours.count; i++) {
        const struct found_signature *one = &found->ours.items[i];
        json_t *signature = json_pack("{s:s, s:o}", "form", one->is_bundle ? "bundle" : "simple", "key",
                                      record_text(key_name(arena, options, rules, one->key)));
        if (one->reference)
            json_object_set_new(signature, "reference", record_text(one->reference));
        (void)json_array_append_new(signatures, signature);
    }
    for (size_t i = 0; i < found->predicates.count; i++)
        (void)json_array_append_new(predicates, record_text(found->predicates.items[i]));
    json_t *json = json_pack("{s:s, s:s, s:b, s:o, s:I, s:I, s:I, s:o}", "digest",
                             arena_printf(arena, "sha256:%s", digest_hex(verdict->digest).chars), "platform",
                             verdict->platform, "good", rules->items.count && !verdict->why, "signed_by", signatures,
                             "bundles", (json_int_t)found->bundle_count, "simple", (json_int_t)found->simple_count,
                             "foreign", (json_int_t)found->foreign_count, "statements", predicates);
    if (verdict->why)
        json_object_set_new(json, "why", record_text(verdict->why));
    return json;
}

static void print_json(struct arena *arena, const struct verifying *verifying, const struct options *options,
                       const struct layout_image *image, const struct err *err)
{
    const struct rules *rules = &verifying->verify->rules;
    json_t *manifests = json_array();
    for (size_t i = 0; i < verifying->count; i++)
        (void)json_array_append_new(manifests, verdict_json(arena, options, rules, &verifying->items[i]));
    json_auto_t *json = json_pack("{s:s, s:s, s:i, s:o, s:s, s:s, s:o, s:o}", "imgfactory", IMGFACTORY_VERSION,
                                  "outcome", err_kind_name(err->kind), "exit", (int)err->kind, "reference",
                                  record_text(reference_print(arena, &verifying->verify->reference)), "digest",
                                  arena_printf(arena, "sha256:%s", digest_hex(&image->root.digest).chars), "by",
                                  options->policy      ? "policy"
                                  : rules->items.count ? "key"
                                                       : "nothing",
                                  "manifests", manifests, "not_verified", record_text(not_verified(arena, verifying)));
    if (rules->scope)
        json_object_set_new(json, "scope", record_text(rules->scope));
    (void)json_dumpf(json, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
}

/* --- the command --- */

/* Sets err to the first manifest of which a rule does not hold. */
static bool conclude(struct arena *arena, const struct verifying *verifying, struct err *err)
{
    for (size_t i = 0; i < verifying->count; i++) {
        const struct verdict *verdict = &verifying->items[i];
        if (!verdict->why)
            continue;
        err_set(err, ERR_TRUST, "%s: %s (sha256:%s): %s", reference_print(arena, &verifying->verify->reference),
                verdict->platform, digest_hex(verdict->digest).chars, verdict->why);
        return false;
    }
    return true;
}

/* Asks for the signatures of all; the caller calls forget(). */
static bool look_at_all(struct remote *remote, const struct remote_image *image, struct verifying *ret_verifying,
                        struct err *err)
{
    *ret_verifying = (struct verifying){
        .verify = remote->verify, .registry = image->registry, .keys = rules_keys(&remote->verify->rules)};
    list_manifests(remote->arena, &image->image, ret_verifying);
    struct each_items all = {ret_verifying->items, ret_verifying->count, sizeof *ret_verifying->items, REQUESTS_MAX,
                             .is_stopping = true};
    return each_run(all, look, ret_verifying, err);
}

static void forget(struct verifying *verifying)
{
    for (size_t i = 0; i < verifying->count; i++)
        arena_done(&verifying->items[i].arena);
}

bool verify_image(struct remote *remote, const struct remote_image *image, struct err *err)
{
    AUTO(forget) struct verifying verifying = {0};
    if (!remote->verify->rules.items.count)
        return true;
    return look_at_all(remote, image, &verifying, err) && conclude(remote->arena, &verifying, err);
}

bool verify_run(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    struct layout_wanted wanted = {.is_sparse_fine = true};
    AUTO(remote_close_image) struct remote_image image = {.word = options->words.items[0], .wanted = &wanted};
    AUTO(remote_close_store) struct store *store = NULL;
    AUTO(forget) struct verifying verifying = {0};
    if (!remote_open_store(remote, &store, err) || !remote_open_image(remote, store, &image, err) ||
        !look_at_all(remote, &image, &verifying, err))
        return false;
    bool is_good = conclude(remote->arena, &verifying, err);
    if (options->is_json)
        print_json(remote->arena, &verifying, options, &image.image, err);
    else if (!options->is_quiet)
        print(remote->arena, &verifying, options, &image.image);
    return is_good;
}
