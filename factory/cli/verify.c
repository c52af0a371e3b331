/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rebuild_parts.h"
#include "cli/verify_parts.h"

#include "base/auto.h"
#include "base/each.h"
#include "io/file.h"
#include "sign/policy.h"

#include <fcntl.h>

#define REQUESTS_MAX ((size_t)12)

/* Whether a word means something on this machine, as image_open_word() takes it. */
static bool is_local_word(const struct remote *remote, const char *word)
{
    const char *dir, *tag;
    return strncmp(word, "oci-archive:", 12) == 0 || strncmp(word, "docker-archive:", 15) == 0 ||
           remote_is_local(word) || remote_find_layout(remote, word, &dir, &tag) ||
           remote_split_file(remote->arena, word, &tag);
}

static bool read_lock(struct command *command, struct verify *verify, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    verify->lock_path = command->options.lock_file;
    if (!verify->lock_path)
        return true;
    if (!file_read_at(AT_FDCWD, verify->lock_path, LOCK_MAX_BYTES, &text, err)) {
        err->kind = ERR_USAGE;
        return false;
    }
    verify->lock_text = (struct text){text_dup(&command->arena, buf_text(&text)), text.len};
    return lock_read(&command->arena, verify->lock_path, verify->lock_text, &verify->lock, err);
}

static bool read_rebuilders(struct command *command, struct verify *verify, struct err *err)
{
    const struct options *options = &command->options;
    struct arena *arena = &command->arena;
    for (size_t i = 0; i < options->rebuilders.count; i++) {
        if (!rules_add_public_file(&verify->rebuilders, arena, options->rebuilders.items[i], err))
            return false;
    }
    for (size_t i = 0; i < verify->rules.keys.count; i++)
        list_add(arena, &verify->keys, verify->rules.keys.items[i]);
    for (size_t i = 0; i < verify->rebuilders.keys.count; i++)
        list_add(arena, &verify->keys, verify->rebuilders.keys.items[i]);
    verify->quorum = options->quorum;
    if (verify->quorum && !verify->keys.count)
        err_set(
            err, ERR_USAGE,
            "--quorum: whose results count is said by keys: --rebuilder FILE (again for more), or --key or --policy");
    return !verify->quorum || verify->keys.count;
}

/* The policy that holds; NULL: none does. */
static const char *policy_of(struct command *command, struct verify *verify)
{
    const struct options *options = &command->options;
    if (options->policy || options->keys.count || options->is_without_policy ||
        options->command->kind == COMMAND_VERIFY)
        return options->policy;
    verify->is_standard = true;
    return policy_standard(&command->arena);
}

/* The tag, or the digest, stays what was asked for unless another tag is named: that one is wanted then. */
static bool read_named(struct command *command, struct verify *verify, struct err *err)
{
    const char *name = command->options.signed_as;
    struct reference *named = &verify->named;
    *named = verify->reference;
    if (!name)
        return true;
    if (!reference_parse(&command->arena, name, false, named, err))
        return false;
    if (named->has_digest) {
        err_set(err, ERR_USAGE, "--signed-as %s: signatures name a tag and no digest; write the digest behind REF",
                name);
        return false;
    }
    if (named->tag)
        return true;
    named->tag = verify->reference.tag;
    named->has_digest = verify->reference.has_digest;
    named->digest = verify->reference.digest;
    return true;
}

bool verify_begin_word(struct command *command, const char *word, struct verify *verify, struct err *err)
{
    const struct options *options = &command->options;
    if (!!options->keys.count + !!options->policy + options->is_without_policy > 1) {
        err_set(err, ERR_USAGE,
                options->is_without_policy
                    ? "--no-policy goes without what --key and --policy verify by; give one of them"
                    : "--key and --policy are two ways to verify; give one of them");
        return false;
    }
    if (options->signed_as && !options->keys.count) {
        err_set(err, ERR_USAGE, "--signed-as is for --key; in a policy it is \"signedIdentity\" of type remapIdentity");
        return false;
    }
    if (!verify->is_local &&
        (!reference_parse(&command->arena, word, true, &verify->reference, err) || !read_named(command, verify, err)))
        return false;
    for (size_t i = 0; i < options->keys.count; i++) {
        if (!rules_add_key(&verify->rules, &command->arena, options->keys.items[i], err))
            return false;
    }
    const char *policy = verify->is_local ? NULL : policy_of(command, verify);
    return (!policy || policy_read(&verify->rules, &command->arena, policy, &verify->reference, err)) &&
           read_rebuilders(command, verify, err);
}

bool verify_begin_maybe(struct command *command, const char *word, struct verify *verify, struct err *err)
{
    struct reference reference;
    struct err none = {0};
    return remote_is_local(word) || !reference_parse(&command->arena, word, true, &reference, &none) ||
           verify_begin_word(command, word, verify, err);
}

bool verify_begin(struct remote *remote, struct verify *verify, struct err *err)
{
    struct command *command = remote->command;
    const struct options *options = &command->options;
    const char *word = options->words.items[0];
    verify->is_local = is_local_word(remote, word);
    if (verify->is_local && options->policy) {
        err_set(err, ERR_USAGE, "--policy: podman's policy is about images of registries, and %s is none", word);
        return false;
    }
    return read_lock(command, verify, err) && verify_begin_word(command, word, verify, err);
}

void verify_end(struct verify *verify)
{
    rules_close(&verify->rules);
    rules_close(&verify->rebuilders);
}

/* --- looking --- */

static bool look(void *context, void *item, struct err *err)
{
    const struct verifying *verifying = context;
    const struct rules *rules = &verifying->verify->rules;
    struct verify_verdict *verdict = item;
    if (!verifying->registry) {
        verdict->why = rules->items.count ? "a layout has no signatures; they hang on an image in its registry" : NULL;
        return true;
    }
    if (!found_read(verifying->registry, &verdict->arena, verdict->digest, &verifying->wish, &verdict->found, err))
        return false;
    for (size_t i = 0; i < rules->items.count && !verdict->why; i++) {
        const char *why;
        if (!rule_holds(&rules->items.items[i], &verdict->arena, &verifying->verify->named, &verdict->found, &why))
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
    struct verify_verdict *items = arena_new_array(arena, struct verify_verdict, image->manifests.count + 1);
    if (image->is_index)
        items[verifying->count++] = (struct verify_verdict){.digest = &image->root.digest, .platform = "index"};
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread != LAYOUT_UNWANTED)
            items[verifying->count++] = (struct verify_verdict){
                .digest = &manifest->blob.digest, .manifest = manifest, .platform = platform_of(arena, manifest)};
    }
    verifying->items = items;
}

/* Asks for the signatures of all, and with `has_documents` for what else is said; the caller calls forget(). */
static bool look_at_all(struct remote *remote, struct registry *registry, const struct layout_image *image,
                        bool has_documents, struct verifying *verifying, struct err *err)
{
    verifying->verify = remote->verify;
    verifying->remote = remote;
    verifying->image = image;
    verifying->registry = registry;
    atomic_init(&verifying->room, FOUND_ROOM_BYTES);
    verifying->wish = (struct found_wish){{remote->verify->keys.items, remote->verify->keys.count},
                                          has_documents ? &verifying->room : NULL};
    list_manifests(remote->arena, image, verifying);
    struct each_items all = {verifying->items, verifying->count, sizeof *verifying->items, REQUESTS_MAX,
                             .is_stopping = true};
    return each_run(all, look, verifying, err);
}

static void forget(struct verifying *verifying)
{
    for (size_t i = 0; i < verifying->count; i++)
        arena_done(&verifying->items[i].arena);
}

/* --- the command --- */

/* Sets err to the first manifest of which a rule does not hold. */
static bool conclude_rules(const struct verifying *verifying, struct err *err)
{
    for (size_t i = 0; i < verifying->count; i++) {
        const struct verify_verdict *verdict = &verifying->items[i];
        if (!verdict->why)
            continue;
        const struct verify *verify = verifying->verify;
        struct arena *arena = verifying->remote->arena;
        err_set(err, ERR_TRUST, "%s: %s (sha256:%s): %s%s",
                verify->is_local ? verifying->remote->command->options.words.items[0]
                                 : reference_print(arena, &verify->reference),
                verdict->platform, digest_hex(verdict->digest).chars, verdict->why,
                verify->is_standard ? arena_printf(arena,
                                                   "; so %s wants it for %s (--policy FILE names another, --key FILE "
                                                   "verifies by a key, --no-policy goes without)",
                                                   verify->rules.path, verify->rules.scope)
                                    : "");
        return false;
    }
    return true;
}

/* Sets err to the first thing that is not so. */
static bool conclude(const struct verifying *verifying, struct err *err)
{
    const char *word = verifying->remote->command->options.words.items[0];
    if (!conclude_rules(verifying, err))
        return false;
    for (size_t i = 0; i < verifying->layers.count; i++) {
        const struct verify_layers *layers = &verifying->layers.items[i];
        if (!layers->why)
            continue;
        err_set(err, layers->kind, "%s: layers of %s: %s", word, layers->of->platform, layers->why);
        return false;
    }
    for (size_t i = 0; i < verifying->held.count; i++) {
        const struct verify_held *held = &verifying->held.items[i];
        if (!held->why || !held->is_counted)
            continue;
        err_set(err, ERR_TRUST, "%s: %s: %s", word, held->kind, held->why);
        return false;
    }
    if (verifying->result_count < verifying->verify->quorum) {
        err_set(err, ERR_TRUST,
                "%s: %zu of the %zu results by distinct keys that are wanted (--quorum) say that it was made again, "
                "and was the "
                "very same",
                word, verifying->result_count, verifying->verify->quorum);
        return false;
    }
    return true;
}

bool verify_image(struct remote *remote, const struct remote_image *image, struct err *err)
{
    AUTO(forget) struct verifying verifying = {0};
    if (!remote->verify || !rules_ask(&remote->verify->rules))
        return true;
    return look_at_all(remote, image->registry, &image->image, false, &verifying, err) &&
           conclude_rules(&verifying, err);
}

static void close_store(struct image_opener *opener)
{
    store_close(opener->store);
}

bool verify_run(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    AUTO(close_store) struct image_opener opener = {0};
    AUTO(image_opened_close) struct image_opened opened = {.local.blobs_fd = -1};
    AUTO(forget) struct verifying verifying = {0};
    if (!image_opener_init(remote, &opener, err) || !image_opener_open_store(&opener, err) ||
        !image_open_word(&opener, 0, &opened, err) ||
        !look_at_all(remote, opened.remote.registry, opened.image, true, &verifying, err) ||
        !verify_hold(&verifying, &opener, err))
        return false;
    bool is_good = conclude(&verifying, err);
    if (is_good)
        verify_plan(&verifying, remote->verify->plan);
    if (options->is_json && is_good)
        remote->verify->plan->told = verify_json(&verifying, err);
    else if (options->is_json)
        verify_print_json(&verifying, err);
    else if (!options->is_quiet)
        verify_print(&verifying);
    return is_good;
}
