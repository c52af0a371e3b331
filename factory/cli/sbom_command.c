/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sbom_command.h"

#include "base/auto.h"
#include "cli/image_word.h"
#include "io/file.h"
#include "sbom/sbom.h"

#include <sys/utsname.h>
#include <unistd.h>

struct chosen_platforms {
    const struct layout_manifest **items;
    size_t count, capacity;
};

/* A call of the command. */
struct sbom_call {
    struct image_opener opener;
    size_t word_at;
    struct image_opened opened;
    enum sbom_format format;
    struct sbom_name name;
    struct chosen_platforms chosen;
    int dir_fd; /* of --sboms, or -1 */
};

static void close_call(struct sbom_call *call)
{
    store_close(call->opener.store);
    auto_close_fd(&call->dir_fd);
}

static const char *word_of(const struct sbom_call *call)
{
    return call->opener.remote->command->options.words.items[call->word_at];
}

static bool read_format(struct sbom_call *call, struct err *err)
{
    const char *format = call->opener.remote->command->options.format;
    call->format = SBOM_SPDX;
    if (!format || sbom_find_format(format, &call->format))
        return true;
    err_set(err, ERR_USAGE, "--format=%s: sbom has spdx, cyclonedx and cyclonedx-1.5", format);
    return false;
}

/* The last component of a path, or of a reference's repository. */
static const char *last_part(struct arena *arena, const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    const char *trimmed = arena_strndup(arena, path, len), *slash = strrchr(trimmed, '/');
    return slash && slash[1] ? slash + 1 : trimmed;
}

/* An archive is unpacked somewhere: its name is the word. */
static bool name_image(struct sbom_call *call, struct err *err)
{
    struct remote *remote = call->opener.remote;
    struct arena *arena = remote->arena;
    const char *word = word_of(call), *dir = call->opened.image->dir;
    struct reference reference;
    if (!call->opened.remote.registry) {
        call->name.name = last_part(
            arena, dir && !(call->word_at < REMOTE_ARCHIVES && remote->archives[call->word_at].layout) ? dir : word);
        return true;
    }
    if (!reference_parse(arena, word, false, &reference, err))
        return false;
    call->name = (struct sbom_name){.name = last_part(arena, reference.repository),
                                    .repository = arena_printf(arena, "%s/%s", reference.host, reference.repository),
                                    .tag = reference.tag};
    return true;
}

/* --- which platforms --- */

/* Returns whether a platform is this machine's. */
static bool is_of_host(const struct sbom_call *call, const struct layout_manifest *manifest)
{
    struct platforms host = {0};
    struct utsname machine;
    const struct arch *arch;
    struct err ignored = {0};
    if (uname(&machine) != 0 || !arches_of_machine(&call->opener.arches.arches, machine.machine, &arch, &ignored))
        return false;
    platforms_add(call->opener.arena, &host, arch->oci_os, arch->oci_architecture, arch->oci_variant);
    return manifest->architecture && platforms_want(&host, manifest->os, manifest->architecture, manifest->variant);
}

/* Keeps this machine's of several, unless others were asked for. */
static bool narrow(struct sbom_call *call, struct err *err)
{
    struct chosen_platforms *chosen = &call->chosen;
    const struct options *options = &call->opener.remote->command->options;
    if (chosen->count < 2 || call->dir_fd >= 0)
        return true;
    for (size_t i = 0; !options->arch && i < chosen->count; i++) {
        if (!is_of_host(call, chosen->items[i]))
            continue;
        chosen->items[0] = chosen->items[i];
        chosen->count = 1;
        return true;
    }
    err_set(err, ERR_USAGE, "%s has %zu platforms: choose one (--arch), or write a document for each (--sboms DIR)",
            word_of(call), chosen->count);
    return false;
}

/* Lists the platforms that are meant. */
static bool choose(struct sbom_call *call, struct err *err)
{
    struct chosen_platforms *chosen = &call->chosen;
    const struct layout_image *image = call->opened.image;
    for (size_t i = 0; i < image->manifests.count; i++) {
        if (side_is_platform(&image->manifests.items[i]))
            list_add(call->opener.arena, chosen, &image->manifests.items[i]);
    }
    if (chosen->count)
        return narrow(call, err);
    err_set(err, ERR_RESOLVE, "%s has no image of a platform", word_of(call));
    return false;
}

/* --- documents --- */

/* "IMAGE-ARCH.spdx.json"; the variant, too, where several platforms have that architecture. NULL: what the image says is no part of
 * a name. */
static const char *name_document(struct arena *arena, const struct sbom_call *call, const struct sbom *sbom,
                                 const struct layout_manifest *manifest)
{
    const char *platform = sbom->architecture;
    size_t count = 0;
    for (size_t i = 0; i < call->chosen.count; i++)
        count += text_same(call->chosen.items[i]->architecture, manifest->architecture);
    if (count > 1)
        platform = arena_printf(arena, "%s%s%s%s%s", manifest->os ? manifest->os : "", manifest->os ? "-" : "",
                                platform, manifest->variant ? "-" : "", manifest->variant ? manifest->variant : "");
    if (platform[strspn(platform, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
        return NULL;
    return arena_printf(arena, "%s-%s.%s", sbom->image.name, platform, sbom_file_ending(call->format));
}

static bool write_document(const struct sbom_call *call, const struct sbom *sbom,
                           const struct layout_manifest *manifest, struct text text, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct options *options = &call->opener.remote->command->options;
    if (call->dir_fd < 0)
        return file_write_all(STDOUT_FILENO, text.ptr, text.len, "standard output", err);
    const char *name = name_document(&scratch, call, sbom, manifest);
    if (!name) {
        err_set(err, ERR_MALFORMED, "%s: its platform is no name of a file: %s", word_of(call),
                text_printable(&scratch, text_of(sbom->architecture)));
        return false;
    }
    if (!file_write_atomic_at(call->dir_fd, name, text.ptr, text.len, 0644, true, err))
        return false;
    if (!options->is_quiet)
        (void)printf("%s/%s\n", options->sboms, name);
    return true;
}

static bool tell(struct sbom_call *call, const struct layout_manifest *manifest, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text;
    AUTO(sbom_done) struct sbom sbom = {0};
    const struct command *command = call->opener.remote->command;
    const struct sbom_request request = {
        call->opener.store, &call->name, {word_of(call), call->opened.image, manifest}};
    buf_init(&text, SBOM_MAX_BYTES);
    if (!image_word_fetch(&call->opener, call->opened.remote.registry, manifest, err) ||
        !sbom_gather(&arena, &request, &sbom, err))
        return false;
    if (sbom.note)
        log_line(command->log, LOG_QUIET, "warning: %s: %s", request.image.name, sbom.note);
    if (sbom_print(&arena, &sbom, call->format, &text))
        return write_document(call, &sbom, manifest, buf_text(&text), err);
    err_set(err, ERR_MALFORMED, "%s: its SBOM would have more than %zu MB", request.image.name, SBOM_MAX_BYTES >> 20);
    return false;
}

static void close_image(struct sbom_call *call)
{
    image_opened_close(&call->opened);
    call->opened = (struct image_opened){.local.blobs_fd = -1};
    call->chosen.count = 0;
}

static bool tell_image(struct sbom_call *call, struct err *err)
{
    bool is_good =
        image_open_word(&call->opener, call->word_at, &call->opened, err) && name_image(call, err) && choose(call, err);
    for (size_t i = 0; is_good && i < call->chosen.count; i++)
        is_good = tell(call, call->chosen.items[i], err);
    close_image(call);
    return is_good;
}

bool sbom_run(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    const char *dir = options->sboms;
    AUTO(close_call) struct sbom_call call = {.opened.local.blobs_fd = -1, .dir_fd = -1};
    if (options->words.count > 1 && !dir) {
        err_set(err, ERR_USAGE, "documents of several images are written: sbom --sboms DIR %s ...",
                options->words.items[0]);
        return false;
    }
    if (!image_opener_init(remote, &call.opener, err) || !read_format(&call, err) ||
        (dir && (!file_make_dirs(dir, 0755, err) || !file_open_dir(dir, &call.dir_fd, err))) ||
        !image_opener_open_store(&call.opener, err))
        return false;
    for (; call.word_at < options->words.count; call.word_at++) {
        if (!tell_image(&call, err))
            return false;
    }
    return true;
}
