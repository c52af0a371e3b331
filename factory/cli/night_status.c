/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/night_status.h"

#include "base/auto.h"
#include "io/secret.h"
#include "line/status_post.h"

#include <stdlib.h>

#define WRITER_CHARS 16

/* Names who writes: this state directory with this site file. Nothing can be told from it but whether two are the same. */
static bool find_writer(struct arena *arena, const struct plant *plant, const char *config, const char **ret_writer,
                        struct err *err)
{
    static const char purpose[] = "writer of a status record";
    AUTO(auto_free) char *real = realpath(config, NULL);
    const char *path = real ? real : config;
    struct digest secret;
    if (!secret_open(plant->options->state_dir, &secret, err))
        return false;
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, secret.bytes, sizeof secret.bytes);
    digest_feed(&stream, purpose, sizeof purpose);
    digest_feed(&stream, path, strlen(path));
    struct digest writer = digest_end(&stream);
    *ret_writer = arena_strndup(arena, digest_hex(&writer).chars, WRITER_CHARS);
    return true;
}

void night_status_write(struct command *command, const struct plant *plant, struct batch *batch)
{
    struct err err = {0};
    struct status_night night = {.reference = plant->options->record,
                                 .site_path = command->site.path,
                                 .begun = plant->options->now,
                                 .is_proven = !plant->options->inputs.is_no_check,
                                 .is_guarded = plant->seen != NULL};
    if (batch->is_abandoned || plant_is_cancelled(plant, &err))
        return;
    if (find_writer(&command->arena, plant, command->site.path, &night.writer, &err)) {
        status_post(&command->arena, plant, &night, batch);
        command_tell_timeout(command, &batch->record.err);
        return;
    }
    batch->record = (struct batch_record){.reference = night.reference, .err = err};
    log_line(plant->log, LOG_QUIET, "error: status record %s: %s", night.reference, err.text);
}
