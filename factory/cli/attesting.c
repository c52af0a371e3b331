/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attesting.h"

#include "base/auto.h"
#include "cli/places.h"
#include "cli/versions.h"
#include "io/decompress.h"
#include "io/file.h"
#include "io/program.h"

#include <errno.h>
#include <fcntl.h>

/* Reads a file into memory, unpacked as its name says. */
static bool read_file(struct arena *arena, const char *path, struct buf **ret_bytes, struct err *err)
{
    AUTO(buf_done) struct buf packed;
    enum compression compression = compression_of_name(path);
    buf_init(&packed, VEX_FEED_MAX_BYTES);
    if (!file_read_at(AT_FDCWD, path, VEX_FEED_MAX_BYTES, &packed, err)) {
        if (err->detail == ENOENT)
            err->kind = ERR_USAGE;
        return false;
    }
    *ret_bytes = arena_new(arena, struct buf);
    if (compression != COMPRESSION_NONE)
        return decompress(compression, buf_text(&packed), false, VEX_FEED_MAX_BYTES, path, *ret_bytes, err);
    **ret_bytes = packed;
    packed = (struct buf){0};
    return true;
}

static bool read_feeds(struct command *command, struct attesting *attesting, struct err *err)
{
    struct arena *arena = &command->arena;
    const struct strings *own = &command->options.trackers, *paths = own->count ? own : &command->site.trackers;
    for (size_t i = 0; i < paths->count; i++) {
        struct vex_feed feed;
        struct buf *bytes;
        if (!read_file(arena, paths->items[i], &bytes, err))
            return false;
        list_add(arena, &attesting->files, bytes);
        bool is_good = vex_feed_take(arena, paths->items[i], buf_text(bytes), &feed, err);
        list_add(arena, &attesting->data.feeds, feed);
        if (!is_good)
            return false;
    }
    return true;
}

bool attesting_read_data(struct command *command, struct attesting *attesting, struct err *err)
{
    struct arena *arena = &command->arena;
    struct strings folders = {0};
    struct data_folder folder;
    struct err ignored = {0};
    const char *shipped, *own = command->options.manifests;
    if (places_data_dir(arena, "manifests", &shipped, &ignored))
        list_add(arena, &folders, arena_printf(arena, "%s/vex", shipped));
    if (own)
        list_add(arena, &folders, arena_printf(arena, "%s/vex", own));
    if (!data_folder_load(arena, &folders, "vex file", &folder, err) ||
        !vex_records_read(arena, &folder, &attesting->data, err) || !read_feeds(command, attesting, err))
        return false;
    vex_data_seal(&attesting->data, &folder.digest);
    return true;
}

/* Takes "sbom,vex" and several of these apart. */
static struct strings split(struct arena *arena, const struct strings *lists)
{
    struct strings words = {0};
    for (size_t i = 0; i < lists->count; i++) {
        const char *at = lists->items[i];
        for (size_t len; *at; at += len + (at[len] == ',')) {
            len = strcspn(at, ",");
            list_add(arena, &words, arena_strndup(arena, at, len));
        }
    }
    return words;
}

bool attesting_check_builder(const char *what, const char *builder, struct err *err)
{
    if (!builder || provenance_is_uri(builder))
        return true;
    err_set(err, ERR_USAGE, "%s=%s: no URI (https://ci.example.org/imgfactory, urn:…)", what, builder);
    return false;
}

bool attesting_open(struct command *command, struct attesting *ret_attesting, struct err *err)
{
    struct arena *arena = &command->arena;
    const struct options *options = &command->options;
    const struct strings own = split(arena, &options->attest), *site = &command->site.attest;
    const char *builder = options->builder ? options->builder : command->site.builder;
    struct attesting *attesting = ret_attesting;
    *attesting = (struct attesting){.attest = {.builder = builder}};
    if (!attest_read(arena, own.count ? "--attest" : "attest", own.count ? &own : site, &attesting->attest.kinds,
                     err) ||
        !attesting_check_builder(options->builder ? "--builder" : "builder", builder, err))
        return false;
    if (attesting->attest.kinds & ATTEST_PROVENANCE) {
        struct hashed *hashed = hashed_open(NULL, false);
        attesting->program =
            (struct provenance_program){.digest = program_digest(hashed), .versions = versions_list(arena)};
        attesting->attest.program = &attesting->program;
        hashed_close(hashed);
    }
    attesting->attest.data = &attesting->data;
    return !(attesting->attest.kinds & ATTEST_VEX) || attesting_read_data(command, attesting, err);
}

void attesting_close(struct attesting *attesting)
{
    for (size_t i = 0; i < attesting->data.feeds.count; i++)
        vex_feed_done(&attesting->data.feeds.items[i]);
    for (size_t i = 0; i < attesting->files.count; i++)
        buf_done(attesting->files.items[i]);
}
