/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "cli/copy.h"
#include "cli/copy_dir.h"
#include "cli/verify.h"
#include "package/path.h"

/* Whether two of them would be one file in the folder. */
static bool has_doubles(const struct strings *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(paths->items[i], paths->items[j]) != 0 &&
                strcmp(path_basename(paths->items[i]), path_basename(paths->items[j])) == 0)
                return true;
        }
    }
    return false;
}

static bool check_call(const struct options *options, struct err *err)
{
    size_t count = options->words.count;
    if (options->to_dir && options->from_dir)
        err_set(err, ERR_USAGE, "--to-dir and --from-dir are two directions; give one of them");
    else if (options->to_dir && !count)
        err_set(err, ERR_USAGE,
                "--to-dir: which images? as in: copy --to-dir DIR quay.io/me/dhcpd:1 quay.io/me/nginx:1");
    else if (options->from_dir && count != 1)
        err_set(err, ERR_USAGE,
                "--from-dir takes one word, where all images go, as in: copy --from-dir DIR HOST/NAMESPACE");
    else if (options->from_dir && (options->keys.count || options->policy || options->signed_as))
        err_set(
            err, ERR_USAGE,
            "--key, --policy and --signed-as verify images of registries, and a folder is none; take it there, then: "
            "imgfactory verify REF");
    else if (!options->to_dir && !options->from_dir && count != 2)
        err_set(err, ERR_USAGE, "copy takes a source and a target, as in: copy quay.io/me/dhcpd:1 other.example/dhcpd");
    else if (!options->to_dir && (options->lock_file || options->vendor))
        err_set(err, ERR_USAGE, "--lock-file and --vendor are for --to-dir: they go along into the folder");
    else if (options->to_dir && has_doubles(&options->keys))
        err_set(err, ERR_USAGE, "two files of --key have one name, and all go into one folder; rename one of them");
    else if (options->to_dir && options->tags.count)
        err_set(err, ERR_USAGE, "--tag is for a registry; into a folder images go with the tags that they have");
    return err->kind == ERR_NONE;
}

bool copy_begin(struct command *command, struct copy_verifies *ret_verifies, struct err *err)
{
    const struct options *options = &command->options;
    size_t count = options->from_dir ? 0 : options->to_dir ? options->words.count : 1;
    if (!check_call(options, err))
        return false;
    ret_verifies->items = arena_new_array(&command->arena, struct verify, count + 1);
    for (; ret_verifies->count < count; ret_verifies->count++) {
        const char *word = options->words.items[ret_verifies->count];
        if (!verify_begin_maybe(command, word, &ret_verifies->items[ret_verifies->count], err)) {
            ret_verifies->count++;
            return false;
        }
    }
    return true;
}

void copy_end(struct copy_verifies *verifies)
{
    for (size_t i = 0; i < verifies->count; i++)
        verify_end(&verifies->items[i]);
}

bool copy_run(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    AUTO(remote_close_store) struct store *store = NULL;
    AUTO(copy_close) struct copy_source source = {.local.blobs_fd = -1};
    if (!remote_open_store(remote, &store, err))
        return false;
    if (options->to_dir)
        return copy_to_dir(remote, store, err);
    return options->from_dir
               ? copy_from_dir(remote, store, err)
               : copy_open(remote, store, 0, &source, err) && copy_push(remote, &source, options->words.items[1], err);
}
