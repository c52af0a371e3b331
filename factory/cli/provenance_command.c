/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provenance_command.h"

#include "base/auto.h"
#include "cli/attesting.h"
#include "cli/sbom_image.h"
#include "cli/versions.h"
#include "io/file.h"
#include "io/program.h"
#include "sbom/provenance.h"

#include <unistd.h>

#define STATEMENT_MAX_BYTES ((size_t)64 << 20)

static bool state(struct sbom_image *image, const struct sbom_gathered *gathered, struct err *err)
{
    AUTO(buf_done) struct buf text;
    struct arena *arena = image->opener.arena;
    struct hashed *hashed = hashed_open(NULL, false);
    const struct provenance_program program = {.digest = program_digest(hashed), .versions = versions_list(arena)};
    const struct provenance_request request = {.name = &image->name,
                                               .image = image->opened.image,
                                               .platforms = gathered->items,
                                               .count = gathered->count,
                                               .builder = image->opener.remote->command->options.builder,
                                               .program = &program};
    const struct sbom *lacking = provenance_lacks(&request);
    hashed_close(hashed);
    buf_init(&text, STATEMENT_MAX_BYTES);
    if (lacking) {
        err_set(err, ERR_RESOLVE, "%s has no bill for %s: how an image was made is known where it was built",
                sbom_image_word(image), lacking->side.platform ? lacking->side.platform : "its platform");
        return false;
    }
    if (provenance_print(arena, &request, &text) && buf_add(&text, "\n", 1))
        return file_write_all(STDOUT_FILENO, text.bytes, text.len, "standard output", err);
    err_set(err, ERR_MALFORMED, "%s: its provenance would have more than %zu MB", sbom_image_word(image),
            STATEMENT_MAX_BYTES >> 20);
    return false;
}

bool provenance_run(struct remote *remote, struct err *err)
{
    const char *builder = remote->command->options.builder;
    AUTO(sbom_gathered_done) struct sbom_gathered gathered = {0};
    AUTO(sbom_image_done) struct sbom_image image = {.opened.local.blobs_fd = -1};
    if (!attesting_check_builder("--builder", builder, err))
        return false;
    return sbom_image_init(remote, &image, err) && sbom_image_open(&image, 0, err) &&
           sbom_image_gather_all(&image, false, &gathered, err) && state(&image, &gathered, err);
}
