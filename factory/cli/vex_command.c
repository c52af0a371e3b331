/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vex_command.h"

#include "base/auto.h"
#include "cli/attesting.h"
#include "cli/sbom_image.h"
#include "io/file.h"

#include <unistd.h>

static bool tell(struct sbom_image *image, const struct sbom_gathered *gathered, const struct vex_data *data,
                 struct err *err)
{
    AUTO(buf_done) struct buf text;
    const struct command *command = image->opener.remote->command;
    const struct vex_request request = {.name = &image->name,
                                        .image = image->opened.image,
                                        .platforms = gathered->items,
                                        .count = gathered->count,
                                        .data = data,
                                        .author = command->options.author};
    size_t count;
    buf_init(&text, VEX_MAX_BYTES);
    if (!vex_print(image->opener.arena, &request, &text, &count, err))
        return false;
    if (!count) /* OpenVEX wants at least one */
        err_set(err, ERR_RESOLVE, "%s: nothing can be said of it%s", sbom_image_word(image),
                data->feeds.count ? "" : "; give what is known of CVEs (--tracker FILE)");
    return count && buf_add(&text, "\n", 1) &&
           file_write_all(STDOUT_FILENO, text.bytes, text.len, "standard output", err);
}

bool vex_run(struct remote *remote, struct err *err)
{
    AUTO(attesting_close) struct attesting attesting = {0};
    AUTO(sbom_gathered_done) struct sbom_gathered gathered = {0};
    AUTO(sbom_image_done) struct sbom_image image = {.opened.local.blobs_fd = -1};
    return attesting_read_data(remote->command, &attesting, err) && sbom_image_init(remote, &image, err) &&
           sbom_image_open(&image, 0, err) && sbom_image_gather_all(&image, true, &gathered, err) &&
           tell(&image, &gathered, &attesting.data, err);
}
