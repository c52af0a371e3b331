/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/night_unit.h"

#include "base/auto.h"
#include "cli/plan_unit.h"
#include "deploy/deploy_night.h"
#include "plan/rules.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME_MAX_BYTES 40 /* a CronJob's name has at most 52, and its jobs' have more behind it */

bool night_unit_is_meant(enum deploy_format format)
{
    return format >= DEPLOY_TIMER;
}

/* A night being described. */
struct description {
    struct arena *arena;
    const struct options *options;
    const struct site *site;
    const char *folder; /* of the site file, as it was named: "" or with '/' at its end */
    bool is_cluster;
    struct deploy_night night;
};

/* Makes a path of the user's absolute. It need not be there yet. */
static bool make_absolute(struct arena *arena, const char *path, const char **ret_path, struct err *err)
{
    char here[PATH_MAX];
    AUTO(auto_free) char *real = realpath(path, NULL);
    if (!real && path[0] != '/' && !getcwd(here, sizeof here)) {
        err_set_errno(err, errno, "cannot tell the current directory");
        return false;
    }
    *ret_path = real ? arena_strdup(arena, real) : path[0] == '/' ? path : arena_printf(arena, "%s/%s", here, path);
    if (rule_is_one_line(*ret_path, false))
        return true;
    err_set(err, ERR_USAGE, "%s: a path with control characters can be in no unit",
            text_printable(arena, text_of(*ret_path)));
    return false;
}

/* Makes the path of the site file absolute. What it names lies beside it, also where it is a link to another folder's. */
static bool make_config_absolute(struct arena *arena, const char *path, const char **ret_path, struct err *err)
{
    const char *slash = strrchr(path, '/'), *folder = slash ? arena_strndup(arena, path, (size_t)(slash - path)) : ".";
    if (!make_absolute(arena, slash == path ? "/" : folder, &folder, err))
        return false;
    *ret_path = arena_printf(arena, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, slash ? slash + 1 : path);
    return true;
}

static bool is_at_home(const char *path)
{
    static const char *const homes[] = {"/home/", "/root/", "/run/user/"};
    for (size_t i = 0; i < ARRAY_COUNT(homes); i++) {
        if (text_has_prefix(text_of(path), homes[i]))
            return true;
    }
    return false;
}

/* Notes a path that nights read. Into a cluster comes only what lies in the site file's folder itself. */
static bool note_path(struct description *description, const char *path, struct err *err)
{
    const char *absolute;
    if (!make_absolute(description->arena, path, &absolute, err))
        return false;
    description->night.is_home_read = description->night.is_home_read || is_at_home(absolute);
    const char *rest = text_has_prefix(text_of(path), description->folder) ? path + strlen(description->folder) : "/";
    while (strncmp(rest, "./", 2) == 0)
        rest += 2;
    if (!description->is_cluster || !strchr(rest, '/'))
        return true;
    err_set(err, ERR_USAGE, "%s: a cluster gets what lies in the folder of the site file, and nothing else", path);
    return false;
}

/* Notes what the site's images are made from. */
static bool note_images(struct description *description, struct err *err)
{
    const struct site_images *images = &description->site->images;
    const char *source = description->site->source;
    description->night.has_source = source != NULL;
    if (source && yaml_is_path(source) && !note_path(description, source, err))
        return false;
    for (size_t i = 0; i < images->count; i++) {
        const struct site_image *image = &images->items[i];
        size_t len = strlen(image->word);
        bool is_manifest = len > 5 && strcmp(image->word + len - 5, ".yaml") == 0;
        bool is_layout = image->base && manifest_base_is_layout(image->base);
        if ((is_manifest && !note_path(description, image->word, err)) ||
            (image->source && yaml_is_path(image->source) && !note_path(description, image->source, err)) ||
            (is_layout && !note_path(description, strchr(image->base, '/'), err)))
            return false;
    }
    return true;
}

/* Returns the value of an option as it was given, or NULL. */
static const char *value_of(const struct options *options, const char *name)
{
    const struct strings *given = &options->given_to_build;
    const char *value = NULL;
    for (size_t i = 0; i < given->count; i++) {
        const char *word = given->items[i];
        size_t len = strlen(name);
        if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, len) != 0)
            continue;
        if (word[2 + len] == '=')
            value = word + 3 + len;
        else if (!word[2 + len] && i + 1 < given->count)
            value = given->items[i + 1];
    }
    return value;
}

static void add_argument(struct description *description, const char *name, const char *value)
{
    if (value)
        list_add(description->arena, &description->night.arguments,
                 arena_printf(description->arena, "--%s=%s", name, value));
}

/* Options of this call that nights have, too. */
static bool add_arguments(struct description *description, struct err *err)
{
    static const char *const values[] = {"retries", "timeout", "cache-limit"};
    const struct options *options = description->options;
    const char *const folders[][2] = {
        {"manifests", options->manifests}, {"arches", options->arches}, {"cert-dir", options->cert_dir}};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        const char *path = folders[i][1];
        if (!path)
            continue;
        if (!note_path(description, path, err) || !make_absolute(description->arena, path, &path, err))
            return false;
        add_argument(description, folders[i][0], path);
    }
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        add_argument(description, values[i], value_of(options, values[i]));
    add_argument(description, "tls-verify", options->is_tls_verify_off ? "false" : NULL);
    for (size_t i = 0; i < options->token_origins.count; i++)
        add_argument(description, "token-origin", options->token_origins.items[i]);
    return true;
}

/* imgfactory.yaml: "imgfactory"; lab.yaml: "imgfactory-lab". */
static const char *name_of(struct arena *arena, const char *config)
{
    const char *base = strrchr(config, '/') + 1, *dot = strrchr(base, '.');
    size_t len = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    char *stem = arena_strndup(arena, base, len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES);
    if (strcmp(stem, "imgfactory") == 0)
        return stem;
    char *name = arena_printf(arena, "imgfactory-%s", stem);
    for (char *at = name; *at; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
        *at = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') ? *at : '-';
    }
    for (size_t end = strlen(name); end && name[end - 1] == '-';)
        name[--end] = '\0';
    return name;
}

/* The program of a machine is this one, of a cluster that of an image. */
static bool describe_program(struct description *description, struct err *err)
{
    char path[PATH_MAX];
    const struct options *options = description->options;
    struct deploy_night *night = &description->night;
    if (description->is_cluster) {
        night->program = "imgfactory";
        night->image = options->image;
        if (!night->image || !rule_is_one_line(night->image, false))
            err_set(err, ERR_USAGE, "--format=%s wants --image=REF, an image that has the program imgfactory",
                    options->format);
        return err->kind == ERR_NONE;
    }
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);
    if (len < 0 || (size_t)len == sizeof path) {
        err_set_errno(err, len < 0 ? errno : ENAMETOOLONG, "cannot tell where this program is");
        return false;
    }
    night->program = arena_strndup(description->arena, path, (size_t)len);
    return note_path(description, night->program, err);
}

/* A cluster's keys are files' names of these letters. */
static bool is_key(const char *config)
{
    static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    const char *base = strrchr(config, '/') + 1;
    return !base[strspn(base, letters)];
}

/* A folder of the site file that nights write to, if it has one. */
static bool describe_folder(struct description *description, const char *key, const char *folder,
                            const char **ret_folder, struct err *err)
{
    struct deploy_night *night = &description->night;
    if (!folder)
        return true;
    if (!make_absolute(description->arena, folder, ret_folder, err))
        return false;
    night->is_home_read = night->is_home_read || is_at_home(*ret_folder);
    const char *why = contract_why_not_mount(*ret_folder);
    if (why)
        err_set(err, ERR_USAGE, "%s: %s: %s %s", description->site->path, key, *ret_folder, why);
    return !why;
}

static bool describe_places(struct description *description, struct err *err)
{
    const struct site *site = description->site;
    struct deploy_night *night = &description->night;
    const char *slash = strrchr(site->path, '/');
    const char *authfile = description->options->authfile ? description->options->authfile : site->authfile;
    description->folder = slash ? arena_strndup(description->arena, site->path, (size_t)(slash + 1 - site->path)) : "";
    if (!note_path(description, site->path, err) ||
        !make_config_absolute(description->arena, site->path, &night->config, err) ||
        (site->sign.count && !make_absolute(description->arena, site->sign.items[0], &night->key, err)) ||
        (authfile && !make_absolute(description->arena, authfile, &night->authfile, err)))
        return false;
    if (!description->is_cluster && authfile && strchr(night->authfile, '\\')) {
        err_set(err, ERR_USAGE, "%s: a path with a backslash can be in no unit", authfile);
        return false;
    }
    night->name = name_of(description->arena, night->config);
    if (description->is_cluster && !is_key(night->config))
        err_set(err, ERR_USAGE, "%s: a cluster takes names of files of letters, digits and \"-._\"", night->config);
    if (err->kind || description->is_cluster) {
        night->report = site->report;
        return err->kind == ERR_NONE;
    }
    return describe_folder(description, "output", site->output, &night->output, err) &&
           describe_folder(description, "report", site->report, &night->report, err);
}

bool night_unit_make(struct maker *maker, struct err *err)
{
    const struct options *options = &maker->command->options;
    const struct site *site = &maker->command->site;
    struct description description = {.arena = maker->arena,
                                      .options = options,
                                      .site = site,
                                      .is_cluster =
                                          maker->format == DEPLOY_CRONJOB || maker->format == DEPLOY_KUBE_JOB};
    const char *format = deploy_format_names[maker->format];
    if (options->words.count || options->pin || (options->image && !description.is_cluster))
        err_set(err, ERR_USAGE, "--format=%s is for all images of the site file; it takes no %s", format,
                options->words.count ? "names"
                : options->pin       ? "--pin"
                                     : "--image");
    else if (!site->path || !site->images.count)
        err_set(err, ERR_USAGE, "--format=%s is for a site that names its images: %s", format,
                site->path ? arena_printf(maker->arena, "%s has no images:", site->path) : "no site file is there");
    if (err->kind || !site->path || !describe_places(&description, err) || !describe_program(&description, err) ||
        !note_images(&description, err) || !add_arguments(&description, err))
        return false;
    description.night.is_watch = maker->format == DEPLOY_WATCH;
    struct deploy_files files;
    if (maker->format == DEPLOY_SLURM || maker->format == DEPLOY_KUBE_JOB) {
        if (!plan_unit_files(maker, &description.night, &files, err))
            return false;
    } else {
        files = deploy_night_files(maker->arena, &description.night, maker->format);
    }
    return maker_print_files(maker, &files, err);
}
