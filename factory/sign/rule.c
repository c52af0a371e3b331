/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/rule.h"

#include "base/auto.h"
#include "io/file.h"

#include <fcntl.h>

bool rules_add_public(struct rules *rules, struct arena *arena, const char *name, struct text pem, struct err *err)
{
    struct sign_key *key;
    if (rules->keys.count == RULES_MAX_COUNT) {
        err_set(err, ERR_USAGE, "%s: more than %zu keys", name, RULES_MAX_COUNT);
        return false;
    }
    if (!sign_key_read_public(name, pem, &key, err))
        return false;
    list_add(arena, &rules->keys, key);
    return true;
}

bool rules_add_public_file(struct rules *rules, struct arena *arena, const char *path, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (!file_read_at(AT_FDCWD, path, SIGN_KEY_FILE_MAX_BYTES, &bytes, err)) {
        err->kind = ERR_USAGE;
        return false;
    }
    return rules_add_public(rules, arena, path, buf_text(&bytes), err);
}

bool rules_add_key(struct rules *rules, struct arena *arena, const char *path, struct err *err)
{
    if (!rules_add_public_file(rules, arena, path, err))
        return false;
    if (!rules->items.count)
        list_add(arena, &rules->items, (struct rule){.kind = RULE_KEY, .what = arena_strdup(arena, path)});
    rules->items.items[0].key_count++;
    return true;
}

struct found_keys rules_keys(const struct rules *rules)
{
    return (struct found_keys){(const struct sign_key *const *)rules->keys.items, rules->keys.count};
}

void rules_close(struct rules *rules)
{
    for (size_t i = 0; i < rules->keys.count; i++)
        sign_key_close(rules->keys.items[i]);
    *rules = (struct rules){0};
}

/* --- names --- */

/* "host/repository" and, where there is one, the tag. */
static bool split(struct arena *arena, const char *name, const char **ret_repository, const char **ret_tag)
{
    struct reference reference;
    struct err none = {0};
    if (!reference_parse(arena, name, false, &reference, &none) || reference.has_digest)
        return false;
    *ret_tag = reference.tag;
    *ret_repository = arena_printf(arena, "%s/%s", reference.host, reference.repository);
    return true;
}

static bool is_named(struct arena *arena, const struct rule *rule, const struct reference *asked, const char *said)
{
    const char *repository, *tag, *wanted, *wanted_tag = asked->has_digest ? NULL : asked->tag;
    if (!split(arena, said, &repository, &tag))
        return false;
    wanted = arena_printf(arena, "%s/%s", asked->host, asked->repository);
    switch (rule->identity_kind) {
    case RULE_EXACT_REFERENCE:
        return strcmp(said, rule->identity) == 0;
    case RULE_EXACT_REPOSITORY:
        return strcmp(repository, rule->identity) == 0;
    case RULE_REPOSITORY:
        return strcmp(repository, wanted) == 0;
    case RULE_REMAP: {
        size_t len = strlen(rule->identity);
        if (text_has_prefix(text_of(wanted), rule->identity) && strchr("/", wanted[len])) /* whole components */
            wanted = arena_printf(arena, "%s%s", rule->signed_prefix, wanted + len);
        break;
    }
    case RULE_EXACT:
        return strcmp(repository, wanted) == 0 && tag && wanted_tag && strcmp(tag, wanted_tag) == 0;
    case RULE_REPO_DIGEST_OR_EXACT:
        break;
    }
    if (strcmp(repository, wanted) != 0)
        return false;
    return asked->has_digest || (tag && wanted_tag && strcmp(tag, wanted_tag) == 0);
}

/* --- holding --- */

static const char *names_of(struct arena *arena, const struct rule *rule, const struct found *found)
{
    struct strings names = {0};
    for (size_t i = 0; i < found->ours.count; i++) {
        const struct found_signature *one = &found->ours.items[i];
        bool is_of_rule = one->key >= rule->keys_from && one->key < rule->keys_from + rule->key_count;
        if (is_of_rule && one->reference && !strings_has(&names, one->reference))
            list_add(arena, &names, text_printable(arena, text_of(one->reference)));
    }
    return strings_join(arena, &names, ", ");
}

/* Whether a key's signature says nothing of the name that is not so: cosign's own names no tag. */
static bool is_named_for_key(struct arena *arena, const struct rule *rule, const struct reference *asked,
                             const char *said)
{
    const char *repository, *tag;
    struct rule of_repository = {.identity_kind = RULE_REPOSITORY};
    if (split(arena, said, &repository, &tag) && !tag)
        return is_named(arena, &of_repository, asked, said);
    return is_named(arena, rule, asked, said);
}

static bool is_signed(const struct rule *rule, struct arena *arena, const struct reference *reference,
                      const struct found *found, const char **ret_why)
{
    bool has_bundle = false, has_simple = false, has_name = false;
    for (size_t i = 0; i < found->ours.count; i++) {
        const struct found_signature *one = &found->ours.items[i];
        if (one->key < rule->keys_from || one->key >= rule->keys_from + rule->key_count)
            continue;
        has_bundle = has_bundle || one->is_bundle;
        has_simple = has_simple || !one->is_bundle;
        has_name = has_name || (!one->is_bundle &&
                                (rule->kind == RULE_KEY ? is_named_for_key(arena, rule, reference, one->reference)
                                                        : is_named(arena, rule, reference, one->reference)));
    }
    if (has_name || (rule->kind == RULE_KEY && has_bundle && !has_simple))
        return true;
    if (has_simple)
        *ret_why = arena_printf(arena, "it is signed under another name (%s)", names_of(arena, rule, found));
    else if (has_bundle)
        *ret_why = "it has a bundle by the key, and no signature of the form that the policy asks for (.sig)";
    else if (found->bundle_count + found->simple_count)
        *ret_why = arena_printf(arena, "none of its %zu signatures and statements is a signature of it by the key",
                                found->bundle_count + found->simple_count);
    else
        *ret_why = "it is not signed";
    return false;
}

bool rule_holds(const struct rule *rule, struct arena *arena, const struct reference *reference,
                const struct found *found, const char **ret_why)
{
    switch (rule->kind) {
    case RULE_ACCEPT:
        return true;
    case RULE_REJECT:
        *ret_why = "the policy rejects it";
        return false;
    case RULE_UNKNOWN:
        *ret_why = arena_printf(arena, "the policy asks for %s, which imgfactory cannot verify", rule->what);
        return false;
    case RULE_KEY:
    case RULE_SIGSTORE:
        break;
    }
    return is_signed(rule, arena, reference, found, ret_why);
}

bool rules_ask(const struct rules *rules)
{
    for (size_t i = 0; i < rules->items.count; i++) {
        if (rules->items.items[i].kind != RULE_ACCEPT)
            return true;
    }
    return false;
}

bool rules_judge(const struct rules *rules, struct registry *registry, struct arena *arena,
                 const struct reference *reference, const struct digest *subject, const char **ret_why, struct err *err)
{
    struct found_wish wish = {.keys = rules_keys(rules)};
    struct found found;
    *ret_why = NULL;
    if (!found_read(registry, arena, subject, &wish, &found, err))
        return false;
    for (size_t i = 0; i < rules->items.count && !*ret_why; i++) {
        const char *why;
        if (!rule_holds(&rules->items.items[i], arena, reference, &found, &why))
            *ret_why = why;
    }
    return true;
}
