/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vex_command.h"

#include "base/auto.h"
#include "cli/places.h"
#include "cli/sbom_image.h"
#include "io/decompress.h"
#include "io/file.h"
#include "sbom/vex.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What the document is made of. */
struct vex_call {
    struct sbom_image image;
    struct sbom_gathered gathered;
    struct vex_data data;
    LIST(struct buf *) files; /* bytes of the feeds */
};

static void close_call(struct vex_call *call)
{
    for (size_t i = 0; i < call->data.feeds.count; i++)
        vex_feed_done(&call->data.feeds.items[i]);
    for (size_t i = 0; i < call->files.count; i++)
        buf_done(call->files.items[i]);
    sbom_gathered_done(&call->gathered);
    sbom_image_done(&call->image);
}

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

static bool read_feeds(struct vex_call *call, struct err *err)
{
    struct arena *arena = call->image.opener.arena;
    const struct strings *paths = &call->image.opener.remote->command->options.trackers;
    for (size_t i = 0; i < paths->count; i++) {
        struct vex_feed feed;
        struct buf *bytes;
        if (!read_file(arena, paths->items[i], &bytes, err))
            return false;
        list_add(arena, &call->files, bytes);
        bool is_good = vex_feed_take(arena, paths->items[i], buf_text(bytes), &feed, err);
        list_add(arena, &call->data.feeds, feed);
        if (!is_good)
            return false;
    }
    return true;
}

struct strings vex_folders(const struct remote *remote)
{
    struct strings folders = {0};
    struct err ignored = {0};
    const char *shipped, *own = remote->command->options.manifests;
    if (places_data_dir(remote->arena, "manifests", &shipped, &ignored))
        list_add(remote->arena, &folders, arena_printf(remote->arena, "%s/vex", shipped));
    if (own)
        list_add(remote->arena, &folders, arena_printf(remote->arena, "%s/vex", own));
    return folders;
}

static bool read_records(struct vex_call *call, struct err *err)
{
    struct arena *arena = call->image.opener.arena;
    struct strings folders = vex_folders(call->image.opener.remote);
    struct data_folder folder;
    return data_folder_load(arena, &folders, "vex file", &folder, err) &&
           vex_records_read(arena, &folder, &call->data, err);
}

static bool tell(struct vex_call *call, struct err *err)
{
    AUTO(buf_done) struct buf text;
    const struct command *command = call->image.opener.remote->command;
    const struct vex_request request = {.name = &call->image.name,
                                        .image = call->image.opened.image,
                                        .platforms = call->gathered.items,
                                        .count = call->gathered.count,
                                        .data = &call->data,
                                        .author = command->options.author};
    size_t count;
    buf_init(&text, VEX_MAX_BYTES);
    if (!vex_print(call->image.opener.arena, &request, &text, &count, err))
        return false;
    if (!count) /* OpenVEX wants at least one */
        err_set(err, ERR_RESOLVE, "%s: nothing can be said of it%s", sbom_image_word(&call->image),
                call->data.feeds.count ? "" : "; give what is known of CVEs (--tracker FILE)");
    return count && buf_add(&text, "\n", 1) &&
           file_write_all(STDOUT_FILENO, text.bytes, text.len, "standard output", err);
}

bool vex_run(struct remote *remote, struct err *err)
{
    AUTO(close_call) struct vex_call call = {.image.opened.local.blobs_fd = -1};
    return sbom_image_init(remote, &call.image, err) && read_records(&call, err) && read_feeds(&call, err) &&
           sbom_image_open(&call.image, 0, err) && sbom_image_gather_all(&call.image, true, &call.gathered, err) &&
           tell(&call, err);
}
