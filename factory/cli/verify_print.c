/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify_parts.h"

#include "bill/record.h"
#include "sign/envelope.h"

#include <jansson.h>

const char *verify_key_name(const struct verifying *verifying, size_t key)
{
    const struct options *options = &verifying->remote->command->options;
    struct digest id = sign_key_id(verifying->verify->keys.items[key]);
    size_t own = verifying->verify->rules.keys.count;
    if (key >= own)
        return options->rebuilders.items[key - own];
    return options->keys.count ? options->keys.items[key]
                               : arena_printf(verifying->remote->arena, "key sha256:%.16s…", digest_hex(&id).chars);
}

static const char *word_of(const struct verifying *verifying)
{
    return verifying->verify->is_local ? verifying->remote->command->options.words.items[0]
                                       : reference_print(verifying->remote->arena, &verifying->verify->reference);
}

/* --- for people --- */

static const char *signed_by(struct arena *arena, const struct verifying *verifying, const struct found *found)
{
    struct strings parts = {0};
    for (size_t i = 0; i < found->ours.count; i++) {
        const struct found_signature *one = &found->ours.items[i];
        const char *key = verify_key_name(verifying, one->key);
        const char *part = one->is_bundle
                               ? arena_printf(arena, "%s (bundle)", key)
                               : arena_printf(arena, "%s as %s", key, text_printable(arena, text_of(one->reference)));
        if (!strings_has(&parts, part))
            list_add(arena, &parts, part);
    }
    return strings_join(arena, &parts, ", ");
}

static const char *state_of(struct arena *arena, const struct verifying *verifying,
                            const struct verify_verdict *verdict)
{
    const struct found *found = &verdict->found;
    if (verdict->why)
        return arena_printf(arena, "REFUSED: %s", verdict->why);
    if (found->ours.count)
        return arena_printf(arena, "signed by %s%s", signed_by(arena, verifying, found),
                            found->foreign_count
                                ? arena_printf(arena, "; %zu by others, or not to be read", found->foreign_count)
                                : "");
    if (!verifying->registry)
        return "in a layout, without signatures";
    return arena_printf(arena, "%zu bundles, %zu signatures in .sig; none was verified", found->bundle_count,
                        found->simple_count);
}

static void print_held(struct arena *arena, const struct verifying *verifying, const struct verify_held *held)
{
    const char *key = held->document && held->document->is_signed
                          ? arena_printf(arena, ", signed by %s", verify_key_name(verifying, held->document->key))
                          : "";
    if (!held->is_held || !held->is_counted)
        return;
    if (held->why)
        (void)printf("REFUSED: %s of %s%s: %s\n", held->kind, strings_join(arena, &held->about, ", "), key, held->why);
    else if (held->says)
        (void)printf("%s: %s of %s%s: %s\n", *key ? "verified" : "agrees, unsigned", held->kind,
                     strings_join(arena, &held->about, ", "), key, held->says);
}

void verify_print(struct verifying *verifying)
{
    struct arena *arena = verifying->remote->arena;
    const struct rules *rules = &verifying->verify->rules;
    (void)printf("%s sha256:%s\n", word_of(verifying), digest_hex(&verifying->image->root.digest).chars);
    for (size_t i = 0; i < verifying->count; i++)
        (void)printf("  %-16s sha256:%.12s  %s\n", verifying->items[i].platform,
                     digest_hex(verifying->items[i].digest).chars, state_of(arena, verifying, &verifying->items[i]));
    if (rules->scope)
        (void)printf("policy: what %s says of %s\n", verifying->remote->command->options.policy, rules->scope);
    for (size_t i = 0; i < verifying->layers.count; i++) {
        const struct verify_layers *layers = &verifying->layers.items[i];
        if (layers->why)
            (void)printf("REFUSED: layers of %s: %s\n", layers->of->platform, layers->why);
        else
            (void)printf("verified: layers of %s, by digest and diff_id: %zu files\n", layers->of->platform,
                         layers->file_count);
    }
    for (size_t i = 0; i < verifying->held.count; i++)
        print_held(arena, verifying, &verifying->held.items[i]);
    if (verifying->verify->quorum)
        (void)printf("made again by %zu of the %zu that are wanted\n", verifying->result_count,
                     verifying->verify->quorum);
    for (size_t i = 0; i < verifying->unverified.count; i++)
        (void)printf("not verified: %s\n", verifying->unverified.items[i]);
}

/* --- for programs --- */

static json_t *signatures_json(const struct verifying *verifying, const struct found *found)
{
    json_t *signatures = json_array();
    for (size_t i = 0; i < found->ours.count; i++) {
        const struct found_signature *one = &found->ours.items[i];
        json_t *signature = json_pack("{s:s, s:o}", "form", one->is_bundle ? "bundle" : "simple", "key",
                                      record_text(verify_key_name(verifying, one->key)));
        if (one->reference)
            json_object_set_new(signature, "reference", record_text(one->reference));
        (void)json_array_append_new(signatures, signature);
    }
    return signatures;
}

static json_t *verdict_json(const struct verifying *verifying, const struct verify_verdict *verdict)
{
    struct arena *arena = verifying->remote->arena;
    const struct found *found = &verdict->found;
    json_t *json = json_pack("{s:s, s:s, s:b, s:o, s:I, s:I, s:I, s:o}", "digest",
                             arena_printf(arena, "sha256:%s", digest_hex(verdict->digest).chars), "platform",
                             verdict->platform, "good", verifying->verify->rules.items.count && !verdict->why,
                             "signed_by", signatures_json(verifying, found), "bundles", (json_int_t)found->bundle_count,
                             "simple", (json_int_t)found->simple_count, "foreign", (json_int_t)found->foreign_count,
                             "statements", record_strings(&found->predicates));
    if (verdict->why)
        json_object_set_new(json, "why", record_text(verdict->why));
    return json;
}

static json_t *layers_json(const struct verifying *verifying)
{
    json_t *list = json_array();
    for (size_t i = 0; i < verifying->layers.count; i++) {
        const struct verify_layers *layers = &verifying->layers.items[i];
        (void)json_array_append_new(list,
                                    json_pack("{s:o, s:b, s:I, s:o}", "platform", record_text(layers->of->platform),
                                              "good", layers->why == NULL, "files", (json_int_t)layers->file_count,
                                              "why", record_text(layers->why)));
    }
    return list;
}

static json_t *documents_json(const struct verifying *verifying)
{
    json_t *list = json_array();
    for (size_t i = 0; i < verifying->held.count; i++) {
        const struct verify_held *held = &verifying->held.items[i];
        const struct found_document *document = held->document;
        const char *form = !document                                           ? "beside"
                           : strcmp(document->type, ENVELOPE_BUNDLE_TYPE) == 0 ? "bundle"
                                                                               : "plain";
        const char *key = document && document->is_signed ? verify_key_name(verifying, document->key) : NULL;
        (void)json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:o, s:b, s:b, s:o, s:o}", "kind",
                                                    record_text(held->kind), "about", record_strings(&held->about),
                                                    "form", form, "key", record_text(key), "counts", held->is_counted,
                                                    "good", held->is_held && !held->why, "says",
                                                    record_text(held->says), "why", record_text(held->why)));
    }
    return list;
}

json_t *verify_json(struct verifying *verifying, const struct err *err)
{
    struct arena *arena = verifying->remote->arena;
    const struct options *options = &verifying->remote->command->options;
    const struct rules *rules = &verifying->verify->rules;
    json_t *manifests = json_array();
    for (size_t i = 0; i < verifying->count; i++)
        (void)json_array_append_new(manifests, verdict_json(verifying, &verifying->items[i]));
    json_t *json =
        json_pack("{s:s, s:s, s:i, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "imgfactory", IMGFACTORY_VERSION, "outcome",
                  err_kind_name(err->kind), "exit", (int)err->kind, "reference", record_text(word_of(verifying)),
                  "digest", arena_printf(arena, "sha256:%s", digest_hex(&verifying->image->root.digest).chars), "by",
                  options->policy      ? "policy"
                  : rules->items.count ? "key"
                                       : "nothing",
                  "manifests", manifests, "layers", layers_json(verifying), "documents", documents_json(verifying),
                  "not_verified", record_text(strings_join(arena, &verifying->unverified, "; ")));
    json_object_set_new(json, "unverified", record_strings(&verifying->unverified));
    if (verifying->verify->quorum)
        json_object_set_new(json, "quorum",
                            json_pack("{s:I, s:I}", "wanted", (json_int_t)verifying->verify->quorum, "results",
                                      (json_int_t)verifying->result_count));
    if (rules->scope)
        json_object_set_new(json, "scope", record_text(rules->scope));
    return json;
}

void verify_print_json(struct verifying *verifying, const struct err *err)
{
    json_auto_t *json = verify_json(verifying, err);
    (void)json_dumpf(json, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
}
