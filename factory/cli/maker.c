/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/maker.h"

#include "base/auto.h"
#include "bill/bill.h"
#include "cli/places.h"
#include "io/file.h"
#include "package/path.h"
#include "plan/rules.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool read_format(const char *word, enum deploy_format *ret_format, struct err *err)
{
    *ret_format = DEPLOY_QUADLET;
    for (int i = 0; word && deploy_format_names[i]; i++) {
        if (strcmp(deploy_format_names[i], word) == 0) {
            *ret_format = (enum deploy_format)i;
            return true;
        }
    }
    if (word)
        err_set(err, ERR_USAGE,
                "--format is quadlet, systemd, kube, run, timer, watch, cronjob, slurm or kube-job, not \"%s\"", word);
    return !word;
}

static bool read_pin(const char *pin, struct maker *maker, struct err *err)
{
    static const char prefix[] = "sha256:";
    maker->is_pinned = pin != NULL;
    maker->has_digest = pin && *pin;
    if (!maker->has_digest)
        return true;
    if (strncmp(pin, prefix, strlen(prefix)) == 0 && digest_parse(text_of(pin + strlen(prefix)), &maker->pinned))
        return true;
    err_set(err, ERR_USAGE, "--pin=%s is no digest, such as sha256:… of `imgfactory history`", pin);
    return false;
}

bool maker_find_catalogue(struct command *command, const char **ret_dir, struct features *ret_features, struct err *err)
{
    struct arena *arena = &command->arena;
    struct strings dirs = {0};
    const char *shipped;
    struct err ignored = {0};
    *ret_dir = command->options.manifests;
    if (!*ret_dir && !places_data_dir(arena, "manifests", ret_dir, err))
        return false;
    if (places_data_dir(arena, "manifests", &shipped, &ignored))
        list_add(arena, &dirs, arena_printf(arena, "%s/features", shipped));
    const char *own = arena_printf(arena, "%s/features", *ret_dir);
    if (access(own, R_OK | X_OK) == 0)
        list_add(arena, &dirs, own);
    return features_load(arena, &dirs, ret_features, err);
}

bool maker_begin(struct command *command, struct maker *ret_maker, struct err *err)
{
    const struct options *options = &command->options;
    *ret_maker = (struct maker){.command = command, .arena = &command->arena};
    if (!read_format(options->format, &ret_maker->format, err) || !read_pin(options->pin, ret_maker, err))
        return false;
    if (!options->words.count && ret_maker->format < DEPLOY_TIMER) {
        err_set(err, ERR_USAGE, "usage: imgfactory unit [OPTIONS] NAME...|LAYOUT[:TAG]|REF");
        return false;
    }
    if (options->words.count > 1 && (options->image || ret_maker->has_digest)) {
        err_set(err, ERR_USAGE, "%s is for one image", options->image ? "--image" : "--pin=DIGEST");
        return false;
    }
    return maker_find_catalogue(command, &ret_maker->manifests_dir, &ret_maker->features, err);
}

const struct manifest *maker_find_manifest(struct arena *arena, const char *dir, const struct features *features,
                                           const char *word)
{
    struct manifest *manifest = arena_new(arena, struct manifest);
    const char *path;
    struct err ignored = {0};
    bool is_found =
        manifest_find(arena, dir, word, &path, &ignored) && manifest_load(arena, path, features, manifest, &ignored);
    return is_found ? manifest : NULL;
}

const char *maker_name_of(struct arena *arena, const struct manifest *manifest, const char *word)
{
    const char *base = path_basename(word);
    size_t len = strlen(base);
    bool is_file = text_has_suffix(text_of(base), ".yaml");
    return manifest ? manifest->name : arena_strndup(arena, base, is_file ? len - strlen(".yaml") : len);
}

/* The manifest of the catalogue that an image is of. */
static const struct manifest *manifest_of(const struct maker *maker, const char *name)
{
    return name && rule_is_image_name(name)
               ? maker_find_manifest(maker->arena, maker->manifests_dir, &maker->features, name)
               : NULL;
}

static json_t *parse(struct text bytes)
{
    return bytes.len ? json_loadb(bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

/* A string of a document of anybody's, if it is a line of text. */
static const char *line_of(struct arena *arena, const json_t *json)
{
    const char *string = json_string_value(json);
    return string && *string && rule_is_one_line(string, false) ? arena_strdup(arena, string) : NULL;
}

static const char *annotation_of(struct arena *arena, struct text bytes, const char *name)
{
    json_auto_t *json = parse(bytes);
    const char *key = arena_printf(arena, "org.opencontainers.image.%s", name);
    return line_of(arena, json_object_get(json_object_get(json, "annotations"), key));
}

/* The first image for a machine of an index, not an attestation; or the one that is pinned. */
static const struct layout_manifest *first_of(const struct maker *maker, const struct layout_image *image)
{
    const struct layout_manifest *first = NULL;
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread != LAYOUT_READ || manifest->is_attestation ||
            !layout_is_config(manifest->config.media_type))
            continue;
        if (maker->has_digest && digest_eq(&manifest->blob.digest, &maker->pinned))
            return manifest;
        first = first ? first : manifest;
    }
    return first;
}

/* What a configuration of anybody's says of volumes, ports and the signal; what no engine would take is left out. */
static struct manifest_config *process_of(struct arena *arena, struct text bytes)
{
    struct manifest_config *process = arena_new(arena, struct manifest_config);
    json_auto_t *json = parse(bytes);
    const json_t *config = json_object_get(json, "config");
    const char *key, *port, *signal = line_of(arena, json_object_get(config, "StopSignal"));
    json_t *value;
    json_object_foreach(json_object_get(config, "Volumes"), key, value)
    {
        if (!contract_why_not_mount(key))
            list_add(arena, &process->volumes, arena_strdup(arena, key));
    }
    json_object_foreach(json_object_get(config, "ExposedPorts"), key, value)
    {
        if (!rule_port(arena, key, &port))
            list_add(arena, &process->ports, arena_strdup(arena, port));
    }
    process->stop_signal = signal && rule_is_signal(signal) ? signal : NULL;
    return process;
}

/* Takes what the bill beside a layout says. */
static void take_bill(const struct maker *maker, const struct layout_image *image,
                      const struct layout_manifest *manifest, struct deployment *deployment)
{
    struct bill *bill = arena_new(maker->arena, struct bill);
    if (!image->dir || !bill_read_beside(maker->arena, image->dir, &manifest->blob.digest, bill))
        return;
    const struct strings *volumes = &bill->process.volumes;
    for (size_t i = 0; i < volumes->count && !deployment->volume_gid; i++) {
        const struct bill_file *folder = bill_find(bill, volumes->items[i]);
        deployment->volume_gid = folder ? folder->gid : 0;
    }
    deployment->contract = bill->contract;
    deployment->origin = "the bill beside the layout";
}

/* Where an image goes that is no registry's yet: --image, the manifest, the site file. */
static const char *destination_of(const struct maker *maker, const char *name, const struct manifest *manifest)
{
    const struct site *site = &maker->command->site;
    const struct site_image *own = site_image_find(&site->images, name);
    if (maker->command->options.image)
        return maker->command->options.image;
    if (own && own->has_push && !own->is_push)
        return NULL;
    return site_place(maker->arena, site, own, manifest ? manifest->destination : NULL, name);
}

/* Writes what the engine is to run: a tag, or with --pin a digest. */
static bool refer(const struct maker *maker, const struct reference *reference, const struct digest *digest,
                  struct deployment *deployment, struct err *err)
{
    struct reference written = *reference;
    if (maker->is_pinned && !maker->has_digest && !digest && !written.has_digest) {
        err_set(err, ERR_USAGE, "%s was not built here: no digest of it is known; write --pin=sha256:…",
                deployment->name);
        return false;
    }
    if (maker->is_pinned || written.has_digest) {
        written.digest = maker->has_digest ? maker->pinned : written.has_digest ? written.digest : *digest;
        written.has_digest = true;
        written.tag = NULL;
    }
    deployment->is_pinned = written.has_digest;
    deployment->reference = reference_print(maker->arena, &written);
    return true;
}

/* A layout that goes nowhere is run from where it lies, by engines of this machine. */
static bool refer_layout(const struct maker *maker, const struct layout_image *image, struct deployment *deployment,
                         struct err *err)
{
    AUTO(auto_free) char *dir = image->dir ? realpath(image->dir, NULL) : NULL;
    if (maker->format == DEPLOY_KUBE || maker->is_pinned || !dir || contract_why_not_mount(dir)) {
        err_set(
            err, ERR_USAGE,
            "%s: no registry is known for it; write --image=REGISTRY/NAMESPACE/%s, or registry: and namespace: in a "
            "site file",
            deployment->name, deployment->name);
        return false;
    }
    deployment->reference =
        arena_printf(maker->arena, "oci:%s%s%s", dir, image->tag ? ":" : "", image->tag ? image->tag : "");
    deployment->is_local = true;
    return true;
}

static bool add(struct maker *maker, const struct deployment *deployment, struct err *err)
{
    for (size_t i = 0; i < maker->deployments.count; i++) {
        if (strcmp(maker->deployments.items[i].name, deployment->name) == 0) {
            err_set(err, ERR_USAGE, "two of the images are called %s", deployment->name);
            return false;
        }
    }
    list_add(maker->arena, &maker->deployments, *deployment);
    return true;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool maker_add_image(struct maker *maker, const struct layout_image *image, const struct reference *reference,
                     struct err *err)
{
    struct arena *arena = maker->arena;
    const struct layout_manifest *first = first_of(maker, image);
    if (!first) {
        err_set(err, ERR_RESOLVE, "nothing of the image can be run: it has no configuration for any machine");
        return false;
    }
    const char *title = annotation_of(arena, first->bytes, "title");
    const struct manifest *manifest = manifest_of(maker, title);
    struct deployment deployment = {.description = annotation_of(arena, first->bytes, "description"),
                                    .process = process_of(arena, first->config_bytes)};
    deployment.name = title && rule_is_image_name(title) ? title
                      : reference                        ? last_part(reference->repository)
                                                         : last_part(image->dir);
    take_bill(maker, image, first, &deployment);
    if (!deployment.contract && manifest && manifest->config.contract) {
        deployment.contract = manifest->config.contract;
        deployment.origin = arena_printf(arena, "the manifest %s of its title", manifest->name);
    }
    if (reference)
        return refer(maker, reference, &image->root.digest, &deployment, err) && add(maker, &deployment, err);
    const char *destination = destination_of(maker, deployment.name, manifest);
    if (!destination)
        return refer_layout(maker, image, &deployment, err) && add(maker, &deployment, err);
    struct reference target;
    if (!reference_parse(arena, destination, false, &target, err))
        return false;
    if (!target.tag && !target.has_digest)
        target.tag = image->tag ? image->tag : "latest";
    return refer(maker, &target, &image->root.digest, &deployment, err) && add(maker, &deployment, err);
}

bool maker_add_manifest(struct maker *maker, const char *word, bool *ret_is_found, struct err *err)
{
    struct arena *arena = maker->arena;
    struct manifest *manifest = arena_new(arena, struct manifest);
    struct reference target;
    struct err unknown = {0};
    const char *path;
    bool may_be =
        !strchr(word, '/') || text_has_suffix(text_of(word), ".yaml") || text_has_suffix(text_of(word), ".yml");
    *ret_is_found = may_be && manifest_find(arena, maker->manifests_dir, word, &path, &unknown);
    if (!*ret_is_found)
        return true;
    if (!manifest_load(arena, path, &maker->features, manifest, err))
        return false;
    const char *destination = destination_of(maker, manifest->name, manifest);
    struct deployment deployment = {.name = manifest->name,
                                    .description = manifest->description,
                                    .process = &manifest->config,
                                    .contract = manifest->config.contract,
                                    .origin = arena_printf(arena, "the manifest %s", manifest->name)};
    if (!destination) {
        err_set(err, ERR_USAGE,
                "%s: it was not built here, and no registry is known for it; write --image=REGISTRY/NAMESPACE/%s",
                manifest->name, manifest->name);
        return false;
    }
    if (!reference_parse(arena, destination, true, &target, err))
        return false;
    return refer(maker, &target, NULL, &deployment, err) && add(maker, &deployment, err);
}

/* Images with networks of their own find each other on one that is called after the first of them. */
static void join(struct maker *maker)
{
    struct deployments *deployments = &maker->deployments;
    const char *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < deployments->count; i++) {
        bool is_joined = deploy_has_own_network(&deployments->items[i]);
        first = is_joined && !first ? deployments->items[i].name : first;
        count += is_joined;
    }
    for (size_t i = 0; count > 1 && i < deployments->count; i++) {
        if (deploy_has_own_network(&deployments->items[i]))
            deployments->items[i].network = first;
    }
}

static bool write_files(const struct maker *maker, const struct deploy_files *files, const char *dir, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    if (!file_make_dirs(dir, 0755, err) || !file_open_dir(dir, &fd, err))
        return false;
    for (size_t i = 0; i < files->count; i++) {
        const struct deploy_file *file = &files->items[i];
        if (!file_write_atomic_at(fd, file->name, file->text, strlen(file->text), 0644, true, err))
            return false;
        if (!maker->command->options.is_quiet && !maker->command->options.is_json)
            (void)printf("%s/%s%s%s\n", dir, file->name, *file->folder ? "  belongs to " : "", file->folder);
    }
    return true;
}

static void print_json(const struct maker *maker, const struct deploy_files *files)
{
    json_t *images = json_array(), *list = json_array();
    for (size_t i = 0; i < maker->deployments.count; i++) {
        const struct deployment *deployment = &maker->deployments.items[i];
        json_array_append_new(images,
                              json_pack("{s:o, s:o, s:b, s:o}", "image", record_text(deployment->name), "reference",
                                        record_text(deployment->reference), "pinned", deployment->is_pinned, "contract",
                                        record_text(deployment->contract ? deployment->origin : NULL)));
    }
    for (size_t i = 0; i < files->count; i++) {
        const struct deploy_file *file = &files->items[i];
        json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "name", record_text(file->name), "folder",
                                              file->folder, "text", record_text(file->text)));
    }
    json_auto_t *json =
        json_pack("{s:s, s:o, s:o}", "format", deploy_format_names[maker->format], "images", images, "files", list);
    (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)putchar('\n');
}

bool maker_print(struct maker *maker, struct err *err)
{
    join(maker);
    struct deploy_files files = deploy_files_of(maker->arena, &maker->deployments, maker->format);
    return maker_print_files(maker, &files, err);
}

bool maker_print_files(struct maker *maker, const struct deploy_files *files, struct err *err)
{
    const struct options *options = &maker->command->options;
    if (options->units && !write_files(maker, files, options->units, err))
        return false;
    if (options->is_json)
        print_json(maker, files);
    for (size_t i = 0; !options->units && !options->is_json && i < files->count; i++) {
        const struct deploy_file *file = &files->items[i];
        if (files->count > 1 && maker->format == DEPLOY_KUBE)
            (void)printf("%s", i ? "---\n" : "");
        else if (files->count > 1)
            (void)printf("%s# ---- %s%s%s\n", i ? "\n" : "", file->folder, *file->folder ? "/" : "", file->name);
        (void)fputs(file->text, stdout);
    }
    return true;
}
