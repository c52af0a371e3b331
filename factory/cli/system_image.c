/* SPDX-License-Identifier: Apache-2.0 */
/* imgfactory system: what needs an image or a tree: lint, install, update; and what inspect tells of /exports. */
#include "cli/system.h"

#include "base/auto.h"
#include "bill/record.h"
#include "change/side.h"
#include "cli/verify.h"
#include "ground/ground_layers.h"
#include "oci/document_json.h"
#include "package/path.h"
#include "system/system_lint.h"
#include "system/system_variables.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>

/* One platform of an image, opened. */
struct opened {
    struct ground ground;
    struct system_exports exports;
    const struct layout_manifest *manifest;
};

static void opened_done(struct opened *opened)
{
    if (opened->ground.package)
        ground_close(&opened->ground);
}

/* Merges the layers of a platform and reads /exports. */
static bool open_platform(struct remote *remote, const struct side_image *from, struct store *store, bool is_local,
                          struct opened *ret_opened, struct err *err)
{
    const struct layout_manifest *manifest = from->manifest;
    struct base_layers layers = {0};
    *ret_opened = (struct opened){.manifest = manifest};
    if (!ground_layers_of(remote->arena, from->name, manifest, &layers, err))
        return false;
    for (size_t i = 0; is_local && i < manifest->layers.count; i++) {
        if (!layout_blob_keep(from->image, &manifest->layers.items[i], store, err))
            return false;
    }
    const struct system_tree tree = {.ground = &ret_opened->ground};
    return ground_open(store, from->name, &layers, &ret_opened->ground, err) &&
           system_exports_read(remote->arena, &tree, &ret_opened->exports, err);
}

/* --- lint --- */

static json_t *findings_json(const struct system_findings *findings, bool is_note)
{
    json_t *array = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct system_finding *finding = &findings->items[i];
        if (finding->is_note != is_note)
            continue;
        json_t *json = json_pack("{s:s, s:o}", "file", finding->file, "text", record_text(finding->text));
        if (finding->place)
            (void)json_object_set_new(json, "place", record_text(finding->place));
        (void)json_array_append_new(array, json);
    }
    return array;
}

/* A lint under way: what it found of each platform. */
struct linting {
    struct remote *remote;
    const char *name;
    size_t platform_count, violation_count;
    json_t *report;
};

static void linting_done(struct linting *linting)
{
    json_decref(linting->report);
}

static void report(struct linting *linting, const char *platform, const struct system_findings *findings)
{
    const struct options *options = &linting->remote->command->options;
    struct arena *arena = linting->remote->arena;
    linting->platform_count++;
    linting->violation_count += findings->violation_count;
    json_t *json = json_pack("{s:s, s:b, s:I, s:o, s:o}", "platform", platform, "good", findings->violation_count == 0,
                             "violation_count", (json_int_t)findings->violation_count, "violations",
                             findings_json(findings, false), "notes", findings_json(findings, true));
    (void)json_array_append_new(linting->report, json);
    if (options->is_json)
        return;
    if (!options->is_quiet)
        (void)printf("%s %s: %s\n", text_shown(arena, linting->name), platform,
                     findings->violation_count ? "not good" : "good");
    for (size_t i = 0; i < findings->count; i++) {
        const struct system_finding *finding = &findings->items[i];
        if (finding->is_note && options->is_quiet)
            continue;
        (void)printf("  %s: %s: %s%s%s\n", finding->is_note ? "note" : "violation", finding->file,
                     finding->place ? text_shown(arena, finding->place) : "", finding->place ? ": " : "",
                     finding->text);
    }
}

static bool end_lint(struct linting *linting, struct err *err)
{
    const char *name = linting->name;
    size_t count = linting->violation_count;
    if (!linting->platform_count)
        err_set(err, ERR_RESOLVE, "%s has no image of the architectures asked for", name);
    else if (count)
        err_set(err, ERR_RESOLVE, "%s: %zu rule%s broken; what is named there has to be mended", name, count,
                count == 1 ? " is" : "s are");
    if (linting->remote->command->options.is_json) {
        json_auto_t *json = json_pack("{s:s, s:o, s:s, s:i, s:O}", "imgfactory", IMGFACTORY_VERSION, "linted",
                                      record_text(name), "outcome", err->kind ? err_kind_name(err->kind) : "ok", "exit",
                                      (int)err->kind, "platforms", linting->report);
        (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)fputc('\n', stdout);
    }
    return err->kind == ERR_NONE;
}

static const char *platform_of(struct arena *arena, const struct layout_manifest *manifest)
{
    return arena_printf(arena, "%s/%s%s%s", manifest->os ? manifest->os : "linux",
                        manifest->architecture ? manifest->architecture : "unknown", manifest->variant ? "/" : "",
                        manifest->variant ? manifest->variant : "");
}

static bool lint_image(struct linting *linting, const struct layout_image *image, struct store *store, bool is_local,
                       struct err *err)
{
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        AUTO(opened_done) struct opened opened = {0};
        struct system_findings findings = {.arena = linting->remote->arena};
        if (manifest->unread || manifest->is_attestation)
            continue;
        const struct side_image platform = {linting->name, image, manifest};
        if (!open_platform(linting->remote, &platform, store, is_local, &opened, err))
            return false;
        const struct lint_request request = {&opened.exports, &opened.ground, manifest->config_bytes};
        system_lint(&request, &findings);
        report(linting, platform_of(linting->remote->arena, manifest), &findings);
    }
    return end_lint(linting, err);
}

/* The folder with the templates: itself, or exports in it, or in its rootfs; NULL when there is none. */
static const char *find_exports(const struct system_host *host, struct arena *arena, const char *folder)
{
    static const char *const places[] = {"/exports", "/rootfs/exports", ""};
    struct stat status;
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        const char *path = arena_printf(arena, "%s%s", folder, places[i]);
        for (size_t j = 0; j < SYSTEM_FILE_COUNT && !*places[i]; j++) {
            if (system_host_stat(host, arena_printf(arena, "%s/%s", path, path_basename(system_file_names[j])),
                                 &status))
                return path;
        }
        if (*places[i] && system_host_stat(host, path, &status) && S_ISDIR(status.st_mode))
            return path;
    }
    return NULL;
}

static bool lint_folder(struct linting *linting, const char *dir, struct err *err)
{
    struct arena *arena = linting->remote->arena;
    AUTO(system_host_close) struct system_host host = {.root = -1};
    struct system_exports exports = {0};
    struct system_findings findings = {.arena = arena};
    if (!system_host_open(arena, dir, &host, err))
        return false;
    const char *folder = find_exports(&host, arena, "");
    const struct system_tree tree = {.host = &host, .folder = folder};
    if (folder && !system_exports_read(arena, &tree, &exports, err))
        return false;
    const struct lint_request request = {.exports = &exports};
    system_lint(&request, &findings);
    report(linting, "folder", &findings);
    return end_lint(linting, err);
}

/* --- install and update --- */

/* The architecture that is installed: that of --arch, else this machine's. */
static bool find_arch(struct remote *remote, struct wanted *wanted, struct err *err)
{
    struct utsname host;
    if (wanted->count == 1)
        return true;
    if (wanted->count || remote->command->options.arch) {
        err_set(err, ERR_USAGE, "--arch: one architecture is installed on a host");
        return false;
    }
    const struct arch *arch;
    if (uname(&host) != 0) {
        err_set_errno(err, errno, "asking for the machine type of this host");
        return false;
    }
    if (!arches_of_machine(&wanted->arches, host.machine, &arch, err))
        return false;
    wanted->items = arena_new_array(remote->arena, const struct arch *, 1);
    wanted->items[0] = arch;
    wanted->count = 1;
    platforms_add(remote->arena, &wanted->platforms, arch->oci_os, arch->oci_architecture, arch->oci_variant);
    return true;
}

static const struct layout_manifest *find_manifest(const struct layout_image *image)
{
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (!manifest->unread && !manifest->is_attestation)
            return manifest;
    }
    return NULL;
}

static const char *label_of(struct arena *arena, const struct layout_manifest *manifest, const char *name)
{
    json_auto_t *config = json_object();
    document_config(config, manifest->config_bytes);
    return arena_strdup(arena, json_string_value(json_object_get(json_object_get(config, "labels"), name)));
}

/* Reads a small file of the image; none when it is not there. */
static struct text small_file(const struct ground *ground, const char *path)
{
    struct text bytes = {0};
    struct err ignored = {0};
    bool is_found;
    return ground_read(ground, path, &bytes, &is_found, &ignored) && is_found ? bytes : TEXT("");
}

/* What is left to do on the host. */
static const char *next_step(const struct system_call *call, const struct system_info *info, bool is_update)
{
    struct arena *arena = &call->command->arena;
    if (info->is_active)
        return "; it runs";
    if (call->place.is_live)
        return arena_printf(arena, "; start it: systemctl start %s", call->name);
    return arena_printf(arena, "; on that host: systemctl %s %s",
                        is_update ? "daemon-reload && systemctl restart" : "enable --now", call->name);
}

static bool install(struct remote *remote, struct install_request *request, struct err *err)
{
    struct system_call *call = remote->system;
    const struct options *options = &remote->command->options;
    struct system_info info;
    bool is_unchanged;
    request->place = &call->place;
    request->name = call->name;
    request->is_update = call->verb == SYSTEM_UPDATE;
    request->set = &call->set;
    request->rootfs = call->rootfs;
    request->thread_count = command_jobs(remote->command);
    request->cancel = remote->command->cancel;
    request->keeper = remote->command->keeper;
    if (!system_install(remote->arena, request, &call->versions, &info, &is_unchanged, err))
        return false;
    if (options->is_json) {
        json_auto_t *json =
            json_pack("{s:s, s:s, s:o, s:o, s:b, s:o}", "imgfactory", IMGFACTORY_VERSION, "name", call->name, "image",
                      record_text(info.image), "digest", info.revision ? record_text(info.revision) : json_null(),
                      "changed", !is_unchanged, "files", json_array());
        for (size_t i = 0; i < info.files.count; i++) {
            if (info.files.items[i].is_installed)
                (void)json_array_append_new(json_object_get(json, "files"), record_text(info.files.items[i].path));
        }
        (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)fputc('\n', stdout);
    } else if (!options->is_quiet && is_unchanged) {
        (void)printf("%s has this image and these values already\n", call->name);
    } else if (!options->is_quiet) {
        for (size_t i = 0; i < info.files.count; i++) {
            if (info.files.items[i].is_installed)
                (void)printf("host file %s\n", text_shown(remote->arena, info.files.items[i].path));
        }
        (void)printf("%s is %s%s%s%s\n", call->name, request->is_update ? "updated" : "installed",
                     info.version ? " in version " : "", info.version ? text_shown(remote->arena, info.version) : "",
                     info.has_service ? next_step(call, &info, request->is_update) : "");
    }
    return true;
}

/* From a tree that is there; of an image, when one is named, only documents are read. */
static bool install_rootfs(struct remote *remote, struct install_request *request, struct err *err)
{
    struct system_call *call = remote->system;
    const char *path = arena_printf(remote->arena, "%s%s", call->place.host.shown, call->rootfs);
    /* Below the host's root where it is there, as find_rootfs() found it. */
    AUTO(system_host_close)
    struct system_host host = {system_host_open_at(&call->place.host, call->rootfs, O_RDONLY | O_DIRECTORY), path};
    struct system_exports exports = {0};
    struct stat link;
    if (host.root < 0 && system_host_stat(&call->place.host, call->rootfs, &link)) {
        err_set_errno(err, ENOTDIR, "%s", path);
        return false;
    }
    if (host.root < 0 && !system_host_open(remote->arena, call->rootfs, &host, err))
        return false;
    const char *folder = find_exports(&host, remote->arena, "");
    struct stat status;
    if (system_host_stat(&host, "/rootfs", &status) && S_ISDIR(status.st_mode) &&
        !system_host_stat(&host, "/usr", &status))
        call->rootfs = arena_printf(remote->arena, "%s/rootfs", call->rootfs); /* a version's folder was named */
    const struct system_tree tree = {.host = &host, .folder = folder};
    if (folder && !system_exports_read(remote->arena, &tree, &exports, err))
        return false;
    request->exports = &exports;
    request->passwd = request->group = TEXT("");
    request->image = request->image ? request->image : call->rootfs;
    request->revision = request->revision ? request->revision : "";
    bool is_good = install(remote, request, err);
    request->exports = NULL; /* it lives here */
    return is_good;
}

static bool install_image(struct remote *remote, const struct layout_image *image, struct store *store, bool is_local,
                          struct err *err)
{
    struct system_call *call = remote->system;
    const struct layout_manifest *manifest = find_manifest(image);
    AUTO(opened_done) struct opened opened = {0};
    if (!manifest) {
        err_set(err, ERR_RESOLVE, "%s has no image of this architecture", call->image);
        return false;
    }
    struct install_request request = {
        .image = call->image,
        .revision = arena_printf(remote->arena, "sha256:%s", digest_hex(&manifest->blob.digest).chars),
        .version = label_of(remote->arena, manifest, "version"),
        .image_config = manifest->config_bytes};
    if (call->rootfs)
        return install_rootfs(remote, &request, err);
    const struct side_image platform = {call->image, image, manifest};
    if (!open_platform(remote, &platform, store, is_local, &opened, err))
        return false;
    if (!opened.exports.is_there)
        list_add(remote->arena, &call->place.said,
                 arena_printf(remote->arena, "%s has no /exports: unit and config.json are made of its configuration",
                              call->image));
    request.ground = &opened.ground;
    request.exports = &opened.exports;
    request.passwd = small_file(&opened.ground, "/etc/passwd");
    request.group = small_file(&opened.ground, "/etc/group");
    return install(remote, &request, err);
}

/* --- both --- */

/* Only what a registry has is verified by keys. */
static bool check_unsigned(const struct remote *remote, const char *shown, struct err *err)
{
    const struct options *options = &remote->command->options;
    if (!options->keys.count && !options->policy && !options->signed_as)
        return true;
    err_set(err, ERR_USAGE, "%s is no image of a registry, so --key, --policy and --signed-as verify nothing of it",
            shown);
    return false;
}

/* Opens the image that the second word means. */
static bool with_image(struct remote *remote, struct wanted *arches, struct linting *linting, struct err *err)
{
    const char *word = remote->command->options.words.items[1];
    AUTO(layout_image_close) struct layout_image opened = {.blobs_fd = -1};
    AUTO(remote_close_store) struct store *store = NULL;
    struct layout_wanted wanted = wanted_of_index(arches, false);
    bool has_layers = linting || !remote->system->rootfs;
    AUTO(remote_close_image) struct remote_image image = {.word = word, .wanted = &wanted, .has_layers = has_layers};
    struct local local;
    if (!remote_find_local(remote, 1, &local, err) ||
        ((local.is_found || remote_is_local(word)) && !check_unsigned(remote, word, err)))
        return false;
    if (!local.is_found && linting && remote_is_dir(word))
        return lint_folder(linting, word, err);
    if (!local.is_found && remote_is_local(word))
        return remote_fail_no_layout(remote, word, err);
    if (!remote_open_store(remote, &store, err))
        return false;
    if (local.is_found) {
        struct layout_choice choice = remote_local_choice(remote, &local, &wanted);
        if (!layout_image_open(remote->arena, &choice, &opened, err))
            return false;
    } else if (!remote_open_image(remote, store, &image, err) || !verify_image(remote, &image, err)) {
        return false;
    }
    const struct layout_image *found = local.is_found ? &opened : &image.image;
    if (!remote_check_offered(remote->arena, arches, found, word, err))
        return false;
    return linting ? lint_image(linting, found, store, local.is_found, err)
                   : install_image(remote, found, store, local.is_found, err);
}

bool system_call_image(struct remote *remote, struct err *err)
{
    const struct strings *words = &remote->command->options.words;
    bool is_lint = remote->system->verb == SYSTEM_LINT;
    struct wanted arches;
    if (words->count < 2) {
        struct install_request request = {.image = NULL};
        return check_unsigned(remote, "a root folder", err) && install_rootfs(remote, &request, err);
    }
    if (!wanted_read(remote->command, &arches, err) || (!is_lint && !find_arch(remote, &arches, err)))
        return false;
    AUTO(linting_done)
    struct linting linting = {.remote = remote, .name = words->items[1], .report = json_array()};
    return with_image(remote, &arches, is_lint ? &linting : NULL, err);
}

/* --- inspect --- */

static json_t *variables_json(struct arena *arena, const struct system_exports *exports, struct err *err)
{
    struct system_findings findings = {.arena = arena};
    struct system_manifest manifest;
    struct system_variables used;
    struct system_values values = {0};
    json_t *json = json_array();
    system_manifest_read(arena, exports, &findings, &manifest);
    for (size_t i = 0; i < manifest.defaults.count; i++)
        list_add(arena, &values, manifest.defaults.items[i]);
    if (!system_variables_list(arena, exports, &manifest, &used, err))
        err_clear(err); /* lint tells it */
    for (size_t i = 0; i < used.count; i++) {
        if (!system_values_get(&manifest.defaults, used.items[i].name))
            list_add(arena, &values, ((struct system_value){used.items[i].name, NULL}));
    }
    for (size_t i = 0; i < values.count; i++) {
        const struct system_value *value = &values.items[i];
        enum value_giver giver = value_giver_of(value->name);
        (void)json_array_append_new(json, json_pack("{s:s, s:o, s:b, s:b}", "name", value->name, "default",
                                                    value->value ? record_text(value->value) : json_null(), "set",
                                                    giver != VALUE_FORCED, "given", giver != VALUE_FREE));
    }
    return json;
}

static json_t *exports_json(struct arena *arena, const struct system_exports *exports, struct err *err)
{
    json_t *files = json_array(), *host = json_array();
    for (size_t i = 0; i < SYSTEM_FILE_COUNT; i++) {
        if (exports->files[i].ptr)
            (void)json_array_append_new(files, json_string(system_file_names[i]));
    }
    for (size_t i = 0; i < exports->hostfs_count; i++) {
        if (exports->hostfs[i]->kind != ENTRY_DIRECTORY)
            (void)json_array_append_new(host, record_text(exports->hostfs[i]->path));
    }
    return json_pack("{s:o, s:o, s:o}", "files", files, "hostfs", host, "variables",
                     variables_json(arena, exports, err));
}

static bool is_system(struct arena *arena, const struct layout_manifest *manifest)
{
    return !manifest->unread && !manifest->is_attestation && layout_is_config(manifest->config.media_type) &&
           text_same(label_of(arena, manifest, "atomic.type"), "system");
}

bool system_describe(struct remote *remote, const struct layout_image *image, const struct remote_image *from,
                     json_t ***ret_exports, struct err *err)
{
    AUTO(remote_close_store) struct store *store = NULL;
    json_t **exports = arena_new_array(remote->arena, json_t *, image->manifests.count + 1);
    bool is_any = false;
    *ret_exports = exports;
    for (size_t i = 0; i < image->manifests.count; i++)
        is_any = is_any || is_system(remote->arena, &image->manifests.items[i]);
    if (!is_any)
        return true;
    AUTO(remote_close_image) struct remote_image again = {.has_layers = true};
    if (from) {
        again.word = from->word;
        again.wanted = from->wanted;
    }
    if (!remote_open_store(remote, &store, err) || (from && !remote_open_image(remote, store, &again, err)))
        return false;
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        AUTO(opened_done) struct opened opened = {0};
        if (!is_system(remote->arena, manifest))
            continue;
        const struct side_image platform = {"the image", image, manifest};
        if (!open_platform(remote, &platform, store, !from, &opened, err))
            return false;
        if (opened.exports.is_there)
            exports[i] = exports_json(remote->arena, &opened.exports, err);
    }
    return true;
}
