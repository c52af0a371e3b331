/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/diff_parts.h"

#include "base/auto.h"

/* --- the cache --- */

/* Opens it, for changelogs and for what is not in layouts. */
static bool open_store(struct differ *differ, struct err *err)
{
    if (!image_opener_open_store(&differ->opener, err))
        return false;
    differ->store = differ->stories.store = differ->libraries.store = differ->opener.store;
    differ->stories.http = differ->stories.metadata_http = differ->options->is_cache_only ? NULL : differ->remote->http;
    return true;
}

/* Compares and prints. */
static bool compare(struct differ *differ, struct compared *compared, struct err *err)
{
    bool is_good = diff_compare(differ, compared, err);
    if (is_good)
        diff_report(differ, compared);
    diff_compare_done(compared);
    return is_good;
}

static bool diff_words(struct differ *differ, struct err *err)
{
    const char *const *words = differ->options->words.items;
    AUTO(image_opened_close) struct image_opened before = {.local.blobs_fd = -1}, after = {.local.blobs_fd = -1};
    if (!image_open_word(&differ->opener, 0, &before, err) || !image_open_word(&differ->opener, 1, &after, err))
        return false;
    struct compared compared = {.before = {words[0], before.image, &before.image->root.digest, before.remote.registry},
                                .after = {words[1], after.image, &after.image->root.digest, after.remote.registry}};
    return compare(differ, &compared, err);
}

/* --- two folders of layouts --- */

/* Opens the image of one name in a folder, if there is one. */
static bool open_in(struct differ *differ, const struct strings *names, const char *name, struct layout_image *opened,
                    struct diff_end *end, struct err *err)
{
    struct layout_choice choice = {
        .dir = end->name, .wait = &differ->remote->command->lock_wait, .wanted = &differ->opener.wanted};
    if (!strings_has(names, name))
        return true;
    if (!layout_image_open(differ->arena, &choice, opened, err))
        return false;
    end->image = opened;
    end->digest = &opened->root.digest;
    return true;
}

/* Compares one image of both folders; its memory is given back. */
static bool diff_in_folders(struct differ *differ, const struct strings names[2], const char *name, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(layout_image_close) struct layout_image before = {.blobs_fd = -1}, after = {.blobs_fd = -1};
    const char *const *folders = differ->options->words.items;
    struct compared compared = {.name = name};
    struct arena *whole = differ->arena;
    differ->arena = &arena;
    compared.before.name = arena_printf(&arena, "%s/%s", folders[0], name);
    compared.after.name = arena_printf(&arena, "%s/%s", folders[1], name);
    bool is_good = open_in(differ, &names[0], name, &before, &compared.before, err) &&
                   open_in(differ, &names[1], name, &after, &compared.after, err) && compare(differ, &compared, err);
    differ->arena = whole;
    return is_good;
}

static bool diff_folders(struct differ *differ, const struct strings names[2], struct err *err)
{
    struct strings all = {0};
    for (size_t i = 0; i < names[0].count; i++)
        list_add(differ->arena, &all, names[0].items[i]);
    for (size_t i = 0; i < names[1].count; i++) {
        if (!strings_has(&names[0], names[1].items[i]))
            list_add(differ->arena, &all, names[1].items[i]);
    }
    for (size_t i = 0; i < all.count; i++) {
        if (!diff_in_folders(differ, names, all.items[i], err))
            return false;
    }
    if (differ->form == DIFF_TEXT && !differ->options->is_quiet)
        (void)printf("%zu images differ, %zu are the same\n", differ->other_count, differ->same_count);
    return true;
}

/* Returns whether a word is a folder of layouts, and lists them. */
static bool find_folder(struct differ *differ, const char *word, struct strings *ret_names)
{
    const char *dir, *tag;
    if (!remote_is_dir(word) || remote_find_layout(differ->remote, word, &dir, &tag))
        return false;
    *ret_names = layout_names(differ->arena, word);
    return true;
}

/* --- the command --- */

static bool read_form(struct differ *differ, struct err *err)
{
    const char *format = differ->options->format;
    if (differ->options->is_json && format) {
        err_set(err, ERR_USAGE, "--json and --format=%s exclude each other", format);
        return false;
    }
    differ->form = differ->options->is_json ? DIFF_JSON : DIFF_TEXT;
    if (!format || strcmp(format, "text") == 0)
        return true;
    differ->form = DIFF_MARKDOWN;
    if (strcmp(format, "markdown") == 0)
        return true;
    err_set(err, ERR_USAGE, "--format=%s: diff has text and markdown", format);
    return false;
}

static void close_differ(struct differ *differ)
{
    stories_done(&differ->stories);
    libraries_done(&differ->libraries);
    store_close(differ->opener.store);
}

bool diff_run(struct remote *remote, struct err *err)
{
    json_auto_t *images = json_array();
    struct err no_cache = {0};
    AUTO(close_differ)
    struct differ differ = {
        .remote = remote, .arena = remote->arena, .options = &remote->command->options, .report = images};
    const struct strings *words = &differ.options->words;
    struct strings names[2] = {{0}, {0}};
    if (!read_form(&differ, err) || !image_opener_init(remote, &differ.opener, err))
        return false;
    if (!open_store(&differ, &no_cache))
        log_line(remote->command->log, LOG_QUIET, "warning: no changelog is read: %s", no_cache.text);
    bool are_folders =
        find_folder(&differ, words->items[0], &names[0]) && find_folder(&differ, words->items[1], &names[1]);
    bool are_locks = diff_is_lock(words->items[0]) || diff_is_lock(words->items[1]);
    if (are_locks     ? !diff_locks(&differ, err)
        : are_folders ? !diff_folders(&differ, names, err)
                      : !diff_words(&differ, err))
        return false;
    if (differ.form == DIFF_JSON)
        diff_print_json(&differ);
    if (differ.other_count && differ.options->is_exit_code)
        remote->command->outcome = ERR_DIFFERS;
    return true;
}
