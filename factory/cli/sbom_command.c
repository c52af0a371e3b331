/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sbom_command.h"

#include "base/auto.h"
#include "cli/sbom_image.h"
#include "io/file.h"
#include "sbom/sbom.h"

#include <sys/utsname.h>
#include <unistd.h>

/* A call of the command. */
struct sbom_call {
    struct sbom_image image;
    enum sbom_format format;
    struct sbom_platforms chosen;
    int dir_fd; /* of --sboms, or -1 */
};

static void close_call(struct sbom_call *call)
{
    sbom_image_done(&call->image);
    auto_close_fd(&call->dir_fd);
}

static bool read_format(const struct options *options, enum sbom_format *ret_format, struct err *err)
{
    *ret_format = SBOM_SPDX;
    if (!options->format || sbom_find_format(options->format, ret_format))
        return true;
    err_set(err, ERR_USAGE, "--format=%s: sbom has spdx, cyclonedx and cyclonedx-1.5", options->format);
    return false;
}

/* --- which platforms --- */

/* Returns whether a platform is this machine's. */
static bool is_of_host(const struct sbom_call *call, const struct layout_manifest *manifest)
{
    struct platforms host = {0};
    struct utsname machine;
    const struct arch *arch;
    struct err ignored = {0};
    if (uname(&machine) != 0 || !arches_of_machine(&call->image.opener.arches.arches, machine.machine, &arch, &ignored))
        return false;
    platforms_add(call->image.opener.arena, &host, arch->oci_os, arch->oci_architecture, arch->oci_variant);
    return manifest->architecture && platforms_want(&host, manifest->os, manifest->architecture, manifest->variant);
}

/* Keeps this machine's of several, unless others were asked for. */
static bool narrow(struct sbom_call *call, struct err *err)
{
    struct sbom_platforms *chosen = &call->chosen;
    const struct options *options = &call->image.opener.remote->command->options;
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
            sbom_image_word(&call->image), chosen->count);
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
    const struct options *options = &call->image.opener.remote->command->options;
    if (call->dir_fd < 0)
        return file_write_all(STDOUT_FILENO, text.ptr, text.len, "standard output", err);
    const char *name = name_document(&scratch, call, sbom, manifest);
    if (!name) {
        err_set(err, ERR_MALFORMED, "%s: its platform is no name of a file: %s", sbom_image_word(&call->image),
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
    buf_init(&text, SBOM_MAX_BYTES);
    if (!sbom_image_gather(&call->image, &arena, manifest, false, &sbom, err))
        return false;
    if (sbom_print(&arena, &sbom, call->format, &text))
        return write_document(call, &sbom, manifest, buf_text(&text), err);
    err_set(err, ERR_MALFORMED, "%s: its SBOM would have more than %zu MB", sbom_image_word(&call->image),
            SBOM_MAX_BYTES >> 20);
    return false;
}

static bool tell_image(struct sbom_call *call, size_t word_at, struct err *err)
{
    bool is_good = sbom_image_open(&call->image, word_at, err);
    call->chosen = call->image.platforms;
    is_good = is_good && narrow(call, err);
    for (size_t i = 0; is_good && i < call->chosen.count; i++)
        is_good = tell(call, call->chosen.items[i], err);
    sbom_image_close(&call->image);
    return is_good;
}

bool sbom_run(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    const char *dir = options->sboms;
    AUTO(close_call) struct sbom_call call = {.image.opened.local.blobs_fd = -1, .dir_fd = -1};
    if (options->words.count > 1 && !dir) {
        err_set(err, ERR_USAGE, "documents of several images are written: sbom --sboms DIR %s ...",
                options->words.items[0]);
        return false;
    }
    if (!read_format(options, &call.format, err) ||
        (dir && (!file_make_dirs(dir, 0755, err) || !file_open_dir(dir, &call.dir_fd, err))) ||
        !sbom_image_init(remote, &call.image, err))
        return false;
    for (size_t i = 0; i < options->words.count; i++) {
        if (!tell_image(&call, i, err))
            return false;
    }
    return true;
}
