/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/build.h"

#include "cli/attesting.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/units.h"
#include "cli/confinement.h"
#include "cli/display.h"
#include "cli/in_images.h"
#include "cli/locking.h"
#include "cli/night.h"
#include "cli/night_changes.h"
#include "cli/night_metrics.h"
#include "cli/night_pages.h"
#include "cli/night_status.h"
#include "cli/places.h"
#include "cli/plan_status.h"
#include "cli/prune.h"
#include "cli/sharding_call.h"
#include "cli/signing.h"
#include "cli/terminal.h"
#include "formats/formats.h"
#include "formats/sources.h"
#include "io/program.h"
#include "line/base_rules.h"
#include "line/changes.h"
#include "line/find.h"
#include "line/names_text.h"
#include "line/published.h"
#include "line/report.h"
#include "line/standing.h"
#include "line/status_seen.h"
#include "line/summary.h"
#include "line/together.h"
#include "line/vendor.h"
#include "registry/registries_conf.h"
#include "registry/registry_shared.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define LINE_BYTES_MAX ((size_t)8192)

#define HOST_ROOT ""
/* Images that a call makes only because others stand on them. */
#define BASES_MAX 64
/* A manifest of which only what it leaves open counts: architectures and source. */
#define STAND_IN "name: image\nbinaries: [/image]\n"

/* A word that is to be looked up in the indices, and the image that it is for. */
struct asked_name {
    struct name_question question;
    size_t image;
    bool has_nearest; /* the catalogue has a name like it */
};

/* A source that the site file has for some of its images, read once. */
struct site_source {
    const char *name;
    struct source *source;
};

/* A build being planned; all memory in the command's arena. */
struct build {
    struct command *command;
    struct arena *arena;
    const struct options *options;
    const struct site *site;
    const char *arch, *source, *arches_dir, *manifests_dir; /* after the site file's defaults */
    const char *config_root;                                /* where the configuration of apt or dnf is; "": here */
    struct arches arches;
    struct features features;
    struct data_places data_places;
    struct attesting attesting;
    struct base_rules base_rules;
    struct data_folders folders;
    struct hashed *hashed; /* until a plant has it */
    struct run_options run;
    struct archive_target archive; /* which run names when the output is one */
    struct batch_image *images;
    const struct site_image **own; /* parallel to images: what the site file has for them; NULL: nothing */
    size_t image_count;
    const char *told; /* why the last image was given up: a source that cannot be read fails all */
    bool is_night;    /* no name was given: the images are those of the site file, and none of them stops another */
    LIST(struct asked_name) asked; /* words that are no manifest's name */
    struct strings names;          /* images asked for */
    struct strings explained;      /* why: paths; new: none */
    struct locking locking;        /* the lock file that is written, or built from */
    struct sharding_call call;     /* --shard and assemble … */
    struct sharding sharding;      /* … and the plan that they mean */
    bool is_new;                   /* the manifest of a name is wanted, no image */
    struct err *again;             /* build_again(): where the first failure goes; else NULL */
    struct source *shared;         /* the command's source, or the host's, once it was read: one for all images */
    LIST(struct site_source) site_sources;
    LIST(struct batch_ended) ended; /* images of the site that are not built any more */
    size_t ended_image_count;       /* of them: those that are planned, behind the others in `images` */
};

static struct build build_of(struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    return (struct build){.command = command,
                          .arena = &command->arena,
                          .options = options,
                          .site = site,
                          .arch = options->arch ? options->arch : site->arch,
                          .config_root = options->config_root ? options->config_root : HOST_ROOT,
                          .source = options->source  ? options->source
                                    : options->suite ? NULL
                                                     : site->source};
}

/* SOURCE_DATE_EPOCH (reproducible-builds.org specification): seconds, or -1 when it is not set. */
static bool read_source_date(const char *value, int64_t *ret_seconds, struct err *err)
{
    uint64_t seconds;
    *ret_seconds = -1;
    if (!value || !*value)
        return true;
    if (!text_parse_u64(text_of(value), &seconds) || seconds > 253402300799u) {
        err_set(err, ERR_USAGE, "SOURCE_DATE_EPOCH is \"%s\", not a number of seconds", value);
        return false;
    }
    *ret_seconds = (int64_t)seconds;
    return true;
}

bool build_inputs(const struct options *options, const struct site *site, const char *source_date,
                  struct inputs *ret_inputs, struct err *err)
{
    const char *compression = command_first(options->compression, site->compression, "gzip");
    const char *layers = command_first(options->layers, site->layers, "1");
    *ret_inputs = (struct inputs){.is_no_check = options->is_no_check,
                                  .is_strict = options->is_strict || site->is_strict,
                                  .is_older_fine = options->is_older_fine || site->is_older_fine};
    if (!packing_parse(compression, &ret_inputs->compression)) {
        err_set(err, ERR_USAGE, "--compression is " PACKING_WORDS ", not \"%s\"", compression);
        return false;
    }
    if (!layers_parse(layers, &ret_inputs->layers)) {
        err_set(err, ERR_USAGE, "--layers is " LAYERS_WORDS ", not \"%s\"", layers);
        return false;
    }
    return read_source_date(source_date, &ret_inputs->source_date_epoch, err);
}

/* A directory of the command line that is not there is a mistake of the command line. */
static bool check_dir(const char *option, const char *dir, struct err *err)
{
    struct stat status;
    if (!dir || (stat(dir, &status) == 0 && S_ISDIR(status.st_mode)))
        return true;
    err_set(err, ERR_USAGE, "--%s: %s is not a directory", option, dir);
    return false;
}

/* What is to be written to is made, but for a file of that name. */
static bool check_place(const char *option, const char *dir, struct err *err)
{
    struct stat status;
    return !dir || stat(dir, &status) != 0 || check_dir(option, dir, err);
}

/* Lists where the files of a folder beside the manifests are: the shipped ones, over them those of --manifests. */
static bool list_layers(struct build *build, const char *folder, struct strings *ret_dirs, struct err *err)
{
    const char *own = arena_printf(build->arena, "%s/%s", build->manifests_dir, folder), *shipped;
    struct err cause = {0};
    *ret_dirs = (struct strings){0};
    if (places_data_dir(build->arena, "manifests", &shipped, &cause))
        list_add(build->arena, ret_dirs, arena_printf(build->arena, "%s/%s", shipped, folder));
    if (!ret_dirs->count && access(own, R_OK | X_OK) != 0) {
        err_set(err, ERR_USAGE,
                "--manifests: %s has no folder %s, and none is installed; copy the folders features, families, "
                "foreground and interpreters of imgfactory's manifests there",
                build->manifests_dir, folder);
        return false;
    }
    list_add(build->arena, ret_dirs, own);
    return true;
}

/* Reads what stands beside the manifests. The features at once: a manifest may name some. */
static bool read_folders(struct build *build, struct err *err)
{
    struct run_options *run = &build->run;
    struct data_folders *folders = &build->folders;
    struct data_places *places = &build->data_places;
    struct strings features;
    *places = (struct data_places){.recipes = arena_printf(build->arena, "%s/recipes", build->manifests_dir),
                                   .formats = formats_names(build->arena)};
    if (!list_layers(build, "features", &features, err) || !list_layers(build, "families", &places->families, err) ||
        !list_layers(build, "foreground", &places->foregrounds, err) ||
        !list_layers(build, "interpreters", &places->interpreters, err) ||
        !data_folders_open(places, &run->inputs.program, build->hashed, folders, err) ||
        !features_load(build->arena, &features, &build->features, err))
        return false;
    run->folders = folders;
    run->recipes = &folders->recipes;
    run->features = &build->features;
    run->families = &folders->families;
    run->foregrounds = &folders->foregrounds;
    run->interpreters = &folders->interpreters;
    run->inputs.recipes = folders->recipes.digest;
    run->inputs.features = build->features.digest;
    run->inputs.families = folders->families.digest;
    run->inputs.foregrounds = folders->foregrounds.digest;
    run->inputs.interpreters = folders->interpreters.digest;
    return true;
}

static bool read_data(struct build *build, struct err *err)
{
    if (!check_dir("arches", build->options->arches, err) || !check_dir("manifests", build->options->manifests, err))
        return false;
    build->arches_dir = build->options->arches;
    build->manifests_dir = build->options->manifests;
    if (!build->arches_dir && !places_data_dir(build->arena, "arches", &build->arches_dir, err))
        return false;
    if (!build->manifests_dir && !places_data_dir(build->arena, "manifests", &build->manifests_dir, err))
        return false;
    struct arch_keys keys = formats_arch_keys(build->arena);
    return arches_load(build->arena, build->arches_dir, &keys, &build->arches, err) && read_folders(build, err);
}

/* Adds an architecture once. */
static void add_arch(struct build *build, struct batch_image *image, const struct arch *arch)
{
    const struct arch **items = (const struct arch **)image->arches;
    for (size_t i = 0; i < image->arch_count; i++) {
        if (items[i] == arch)
            return;
    }
    if (!items) {
        items = arena_new_array(build->arena, const struct arch *, build->arches.count);
        image->arches = items;
    }
    items[image->arch_count++] = arch;
}

static bool is_allowed(const struct manifest *manifest, const struct arches *arches, const struct arch *wanted)
{
    for (size_t i = 0; i < manifest->architectures.count; i++) {
        struct err ignored = {0};
        const struct arch *arch;
        if (arches_find(arches, manifest->architectures.items[i], &arch, &ignored) && arch == wanted)
            return true;
    }
    return false;
}

static bool add_allowed(struct build *build, struct batch_image *image, struct err *err)
{
    for (size_t i = 0; i < image->manifest->architectures.count; i++) {
        const struct arch *arch;
        if (!arches_find(&build->arches, image->manifest->architectures.items[i], &arch, err)) {
            err_wrap(err, "%s: architectures", image->manifest->path);
            return false;
        }
        add_arch(build, image, arch);
    }
    return true;
}

/* Adds an architecture that was asked for by name, or by being this machine's. */
static bool add_wanted(struct build *build, struct batch_image *image, const struct arch *arch, struct err *err)
{
    if (image->manifest->has_architectures && !is_allowed(image->manifest, &build->arches, arch)) {
        err_set(err, ERR_USAGE, "%s allows only the architectures %s, not %s%s", image->manifest->path,
                strings_join(build->arena, &image->manifest->architectures, ", "), arch->name,
                build->arch ? "" : ", which is this machine's; choose with --arch");
        return false;
    }
    add_arch(build, image, arch);
    return true;
}

static bool add_host(struct build *build, struct batch_image *image, struct err *err)
{
    const struct arch *arch;
    struct utsname host;
    if (uname(&host) != 0) {
        err_set_errno(err, errno, "cannot tell this machine's architecture; name one with --arch");
        return false;
    }
    return arches_of_machine(&build->arches, host.machine, &arch, err) && add_wanted(build, image, arch, err);
}

/* Returns what the site file has for an image of the build alone. */
static const struct site_image *own_of(const struct build *build, const struct batch_image *image)
{
    static const struct site_image nothing = {0};
    const struct site_image *own = build->own ? build->own[image - build->images] : NULL;
    return own ? own : &nothing;
}

/* The architectures of one image: --arch, those that the site file has for it or for all, or this machine's. "all" means those that the manifest lists or, when it
 * lists none, the usual ones; when it lists some, no other can be built. */
static bool choose_arches(struct build *build, struct batch_image *image, struct err *err)
{
    const struct site_image *own = own_of(build, image);
    const char *wanted = !build->options->arch && own->arch ? own->arch : build->arch;
    if (!wanted)
        return add_host(build, image, err);
    const struct arch *arch;
    struct text rest = text_of(wanted), part;
    while (text_next(&rest, ',', &part)) {
        const char *name = text_dup(build->arena, text_trim(part));
        if (strcmp(name, "all") == 0) {
            if (!add_allowed(build, image, err))
                return false;
            continue;
        }
        if (!arches_find(&build->arches, name, &arch, err)) {
            err_wrap(err, build->options->arch ? "--arch" : own->arch ? "architectures" : "arch");
            return false;
        }
        if (!add_wanted(build, image, arch, err))
            return false;
    }
    return true;
}

/* A path in a manifest is relative to the manifest. */
static const char *beside(struct arena *arena, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || !slash)
        return path;
    return arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
}

/* Reads a source file that is named by its path, or by its name among those shipped beside the manifests. */
static bool load_named(struct build *build, const char *name, struct source *source, struct err *err)
{
    const char *dir = arena_printf(build->arena, "%s/sources", build->manifests_dir), *path;
    if (access(dir, R_OK | X_OK) != 0) {
        const char *shipped;
        if (!places_data_dir(build->arena, "manifests", &shipped, err))
            return false;
        dir = arena_printf(build->arena, "%s/sources", shipped);
    }
    return source_find(build->arena, dir, name, &path, err) &&
           source_load_file(build->arena, path, build->config_root, source, err);
}

/* A source in a manifest is a path relative to the manifest, or the name of a shipped one. */
static const char *named_beside(struct arena *arena, const char *file, const char *name)
{
    return yaml_is_path(name) ? beside(arena, file, name) : name;
}

/* Reads a source that the site file has for some of its images. */
static bool choose_site_source(struct build *build, const char *name, struct batch_image *image, struct err *err)
{
    for (size_t i = 0; i < build->site_sources.count; i++) {
        image->source = build->site_sources.items[i].source;
        if (strcmp(build->site_sources.items[i].name, name) == 0)
            return true;
    }
    struct site_source read = {name, arena_new(build->arena, struct source)};
    image->source = read.source;
    if (!load_named(build, name, read.source, err))
        return false;
    list_add(build->arena, &build->site_sources, read);
    return true;
}

/* Reads the command's source, or the host's, for all images that have none of their own. */
static bool load_shared(struct build *build, struct source *source, struct err *err)
{
    bool is_read = build->source ? load_named(build, build->source, source, err)
                                 : source_load_host(build->arena, build->config_root, source, err) &&
                                       (!build->options->suite ||
                                        source_replace_suites(build->arena, source, build->options->suite, err));
    build->shared = is_read ? source : NULL;
    return is_read;
}

/* The source of one image: the command's, else what the site file has for it or for all, else the manifest's own, else
 * the host's (read once). */
static bool choose_source(struct build *build, struct batch_image *image, struct err *err)
{
    struct arena *arena = build->arena;
    const struct options *options = build->options;
    const struct site_image *own = own_of(build, image);
    if (own->source && !options->source && !options->suite)
        return choose_site_source(build, own->source, image, err);
    const struct yaml_node *node = image->manifest->source;
    bool is_own = node && !build->source && !options->suite;
    if (!is_own && build->shared) {
        image->source = build->shared;
        return true;
    }
    struct source *source = arena_new(arena, struct source);
    image->source = source;
    if (is_own && node->kind == YAML_SCALAR)
        return load_named(build, named_beside(arena, image->manifest->path, node->scalar), source, err);
    if (is_own)
        return source_load_node(arena, node, build->config_root, source, err);
    return load_shared(build, source, err);
}

static void fail_push_of_several(const char *push, struct err *err)
{
    err_set(err, ERR_USAGE, "--push=%s is for one image; for several put registry: and namespace: into a site file",
            push);
}

/* Where one image is pushed to: --push=REF, else what the site file has for it, else the manifest, else the site file;
 * nowhere without any. */
static bool choose_destination(struct build *build, struct batch_image *image, struct err *err)
{
    const struct manifest *manifest = image->manifest;
    const struct options *options = build->options;
    const struct site_image *own = own_of(build, image);
    const char *configured = site_place(build->arena, build->site, own, manifest->destination, manifest->name);
    bool is_wanted = options->push || (site_is_pushed(build->site, own) && (configured || own->has_push));
    if (options->is_no_push || options->is_dry_run || build->run.explained || !is_wanted)
        return true;
    const char *written = options->push && *options->push ? options->push : configured;
    if (!written) {
        err_set(err, ERR_USAGE,
                "%spush: no destination for %s; write --push=REGISTRY/NAMESPACE/%s, push: in %s, or registry: "
                "in a site file",
                options->push ? "--" : "", manifest->name, manifest->name, manifest->path);
        return false;
    }
    struct reference reference;
    if (!reference_parse(build->arena, written, false, &reference, err))
        return false;
    if (reference.has_digest) {
        err_set(err, ERR_USAGE, "%s: a digest cannot be pushed to; name a repository, or a repository and a tag",
                written);
        return false;
    }
    if (options->push && *options->push && build->names.count > 1) {
        fail_push_of_several(options->push, err);
        return false;
    }
    if (reference.tag) {
        image->templates = (struct strings){0};
        list_add(build->arena, &image->templates, reference.tag);
        reference.tag = NULL;
    }
    image->destination = reference_print(build->arena, &reference);
    return true;
}

/* Finds the manifest that a word means. The first word may have been meant as a command. */
static bool find_image(const struct build *build, const char *name, const char **ret_path, struct err *err)
{
    const char *meant = build->options->meant;
    if (manifest_find(build->arena, build->manifests_dir, name, ret_path, err))
        return true;
    if (err->kind == ERR_USAGE && meant && name == build->options->words.items[0]) {
        err_clear(err);
        err_set(err, ERR_USAGE, "unknown image '%s'; did you mean %s? Images: imgfactory --list",
                text_printable(build->arena, text_of(name)), meant);
    }
    return false;
}

static bool check_twice(const struct build *build, const struct manifest *manifest, struct err *err)
{
    for (size_t i = 0; i < build->image_count; i++) {
        const struct manifest *other = build->images[i].manifest;
        if (other == manifest || strcmp(other->name, manifest->name) != 0)
            continue;
        err_set(err, ERR_USAGE, "image %s is asked for twice: %s and %s", manifest->name, other->path, manifest->path);
        return false;
    }
    return true;
}

/* Two images that set one tag would take it from each other every night. */
static bool check_tags(const struct build *build, const struct batch_image *image, struct err *err)
{
    for (size_t i = 0; i < build->image_count; i++) {
        const struct batch_image *other = &build->images[i];
        if (other == image || !image->destination || !text_same(other->destination, image->destination))
            continue;
        for (size_t j = 0; j < image->templates.count; j++) {
            const char *tag = image->templates.items[j];
            if (strchr(tag, '{') || !strings_has(&other->templates, tag))
                continue;
            err_set(
                err, ERR_USAGE,
                "%s and %s would both set the tag %s of %s: push one of them elsewhere (push:), or give it other tags",
                other->manifest->name, image->manifest->name, tag, image->destination);
            return false;
        }
    }
    return true;
}

/* How the architectures of an image are kept together: as the command line says, the site file of the image, or of all. The
 * images that a site names are kept together unless it says otherwise. */
static void choose_together(const struct build *build, struct batch_image *image)
{
    const struct options *options = build->options;
    const struct site *site = build->site;
    const struct site_image *own = own_of(build, image);
    const char *parity = command_first(options->parity, command_first(own->parity, site->parity, NULL), NULL);
    bool is_of_site = own->word != NULL;
    image->together.parity = parity ? together_parity(parity) : is_of_site ? PARITY_SOURCE : PARITY_UNASKED;
    image->together.on_missing = together_missing(
        command_first(options->on_missing, command_first(own->on_missing, site->on_missing, NULL), NULL));
}

/* How long the digests of an image of the site stay: what it says of that itself, else the site, else the tags that it has. */
static void choose_keeps(const struct build *build, const struct site_image *own, struct batch_image *image)
{
    const struct site *site = build->site;
    if (!own->word)
        return;
    image->tag_rules = own->tags.count ? &own->tag_rules : &site->tag_rules;
    image->has_end = own->has_end;
    image->end_of_life = own->end_of_life;
    image->keep = own->keep.kind != KEEP_UNSAID ? own->keep : site->keep;
    image->is_stamped = image->keep.kind != KEEP_UNSAID;
    for (size_t i = 0; i < image->tag_rules->count; i++)
        image->is_stamped = image->is_stamped || image->tag_rules->items[i].keep.kind != KEEP_UNSAID;
}

/* Gives an image its manifest, and what follows from that and the site file alone. */
static void set_manifest(const struct build *build, struct manifest *manifest, struct batch_image *image)
{
    choose_together(build, image);
    const struct site_image *own = own_of(build, image);
    manifest->base = own->base ? own->base : manifest->base;
    image->manifest = manifest;
    image->templates = own->tags.count                                  ? own->tags
                       : !manifest->has_tags && build->site->tags.count ? build->site->tags
                                                                        : manifest->tags;
    choose_keeps(build, own, image);
}

/* The image that is planned next; `word` is what it is asked for by. */
static struct batch_image *next_image(struct build *build, const char *word)
{
    struct batch_image *image = &build->images[build->image_count];
    build->own[build->image_count] = site_image_find(&build->site->images, word);
    *image = (struct batch_image){.word = text_shell_word(build->arena, word)};
    return image;
}

static bool check_hwcaps(const struct build *build, const struct manifest *manifest, struct err *err)
{
    if (arches_check_hwcaps(&build->arches, &manifest->hwcaps, err))
        return true;
    err_wrap(err, "%s: hwcaps", manifest->path);
    return false;
}

static bool plan_manifest(struct build *build, const char *word, const char *path, struct err *err)
{
    struct manifest *manifest = arena_new(build->arena, struct manifest);
    struct batch_image *image = next_image(build, word);
    if (!manifest_load(build->arena, path, &build->features, manifest, err) || !check_twice(build, manifest, err))
        return false;
    if (!check_hwcaps(build, manifest, err))
        return false;
    set_manifest(build, manifest, image);
    if (!choose_arches(build, image, err) || !choose_source(build, image, err) ||
        !choose_destination(build, image, err) || !check_tags(build, image, err))
        return false;
    build->image_count++;
    return true;
}

/* Returns the path of a manifest that a word without its .yaml was perhaps meant as, "./my.yaml" of "my"; NULL when there is
 * none. */
static const char *manifest_beside(struct arena *arena, const char *word)
{
    bool is_path = strchr(word, '/') != NULL;
    const char *path = arena_printf(arena, "%s%s.yaml", is_path ? "" : "./", word);
    return access(path, R_OK) == 0 ? path : NULL;
}

/* Whoever copied a manifest of the catalogue to change it gets the catalogue's all the same, and is told so. */
static void tell_beside(const struct build *build, const char *word, const char *path)
{
    const char *beside = yaml_is_path(word) ? NULL : manifest_beside(build->arena, word);
    struct stat a, b;
    if (beside && stat(beside, &a) == 0 && stat(path, &b) == 0 && (a.st_dev != b.st_dev || a.st_ino != b.st_ino))
        log_line(build->command->log, LOG_NORMAL, "%s is the catalogue's; there is %s, too: say %s to mean that", word,
                 beside, beside);
}

/* The manifests of the catalogue; none when they cannot be listed, which is told of where they are wanted. */
static const struct strings *catalogue_names(const struct build *build)
{
    struct strings *names = arena_new(build->arena, struct strings);
    struct err none = {0};
    return manifest_names(build->arena, build->manifests_dir, names, &none) ? names : NULL;
}

/* Plans an image by a name that only the indices can tell: until then it has a manifest that stands in for its own. */
static bool plan_name(struct build *build, const char *word, struct err *err)
{
    const char *nearest = manifest_nearest(build->arena, build->manifests_dir, word), *meant = build->options->meant;
    struct manifest *manifest = arena_new(build->arena, struct manifest);
    struct batch_image *image = next_image(build, word);
    const char *path = arena_printf(build->arena, "%s (made of its name)", word);
    if (!manifest_parse(build->arena, path, STAND_IN, &build->features, manifest, err))
        return false;
    manifest->name = arena_printf(build->arena, "%s (a name)", word); /* no image's */
    set_manifest(build, manifest, image);
    if (!choose_arches(build, image, err) || !choose_source(build, image, err))
        return false;
    struct asked_name asked = {
        .question = {.word = word, .source = image->source, .arches = image->arches, .arch_count = image->arch_count},
        .image = build->image_count,
        .has_nearest = nearest != NULL};
    const char *beside = strpbrk(word, "/:") ? NULL : manifest_beside(build->arena, word);
    if (beside)
        asked.question.otherwise = arena_printf(build->arena, "there is %s: say %s to mean that", beside, beside);
    else if (meant && word == build->options->words.items[0])
        asked.question.otherwise = arena_printf(build->arena, "did you mean %s?", meant);
    else if (nearest)
        asked.question.otherwise = arena_printf(build->arena, "did you mean '%s'?", nearest);
    asked.question.manifests = catalogue_names(build);
    if (asked.question.otherwise)
        log_line(build->command->log, LOG_NORMAL, "no manifest is called %s; %s (the indices are asked, too)", word,
                 asked.question.otherwise);
    list_add(build->arena, &build->asked, asked);
    build->image_count++;
    return true;
}

/* Whether a word is for the indices once no manifest has its name: not one of a misspelt command with its arguments. */
static bool may_be_asked(const struct build *build, const char *word)
{
    const char *meant = build->options->meant;
    bool is_meant = meant && word == build->options->words.items[0];
    bool is_alone = build->options->words.count == 1 && !text_has_prefix(text_of(meant ? meant : ""), "imgfactory ");
    return names_is_word(word) && (!is_meant || is_alone);
}

/* A path is a manifest's: an image of a registry or a layout is for other commands. */
static bool check_manifest_path(struct arena *arena, const char *word, struct err *err)
{
    struct stat status;
    bool is_there = stat(word, &status) == 0, is_manifest = text_has_suffix(text_of(word), ".yaml");
    if (!strchr(word, '/') || is_manifest || text_has_suffix(text_of(word), ".yml") ||
        (is_there && !S_ISDIR(status.st_mode)) || (!is_there && errno != ENOENT))
        return true;
    const char *beside = is_there ? NULL : manifest_beside(arena, word);
    if (beside) {
        err_set(err, ERR_USAGE, "%s: no such file; there is %s: say %s", word, beside, beside);
        return false;
    }
    err_set(err, ERR_USAGE,
            "%s: %s; what is built is a manifest's name or path (./my.yaml), a program, a package or a unit", word,
            is_there ? "is a folder" : "no such file");
    return false;
}

static bool plan_image(struct build *build, const char *word, struct err *err)
{
    const char *path;
    if (!names_is_word(word) && !check_manifest_path(build->arena, word, err))
        return false;
    if (names_is_word(word) && strpbrk(word, "/:"))
        return plan_name(build, word, err);
    if (find_image(build, word, &path, err)) {
        tell_beside(build, word, path);
        return plan_manifest(build, word, path, err);
    }
    if (err->kind != ERR_USAGE || !may_be_asked(build, word))
        return false;
    err_clear(err);
    return plan_name(build, word, err);
}

/* Of an image that was given up nothing is known but what it was called by. */
static void stand_in_for(struct build *build, struct batch_image *image, const char *word)
{
    struct manifest *manifest = arena_new(build->arena, struct manifest);
    *manifest = (struct manifest){.name = word, .path = word};
    image->manifest = manifest;
}

/* An image of a night that cannot be made: it is reported with the others, which go on. Of another call's images none is
 * begun. Returns whether the build goes on. */
static bool give_up(struct build *build, struct batch_image *image, const char *word, struct err *err)
{
    if (!build->is_night || err->kind == ERR_CANCELLED)
        return false;
    image->err = *err;
    image->arch_count = 0;
    image->destination = NULL;
    err_clear(err);
    stand_in_for(build, image, word);
    bool is_told = build->told && strcmp(build->told, image->err.text) == 0;
    build->told = image->err.text;
    log_line(build->command->log, LOG_QUIET, "error: image %s: %s", word, is_told ? "the same" : image->err.text);
    return true;
}

/* Plans an image; one of a night that cannot be planned has a manifest that stands in for its own. */
static bool plan_or_give_up(struct build *build, const char *word, struct err *err)
{
    if (plan_image(build, word, err))
        return true;
    struct batch_image *image = next_image(build, word);
    build->image_count += build->is_night;
    return give_up(build, image, word, err);
}

/* With --cache-only and nothing in the cache a name of the catalogue that is like the word is all that can be said. */
static void tell_nearest(const struct build *build, struct err *err)
{
    const struct asked_name *asked = &build->asked.items[0];
    bool is_absent = err->kind == ERR_NETWORK || err->kind == ERR_LOCAL;
    if (!build->options->is_cache_only || !asked->has_nearest || !is_absent)
        return;
    struct err told = {0};
    err_set(&told, ERR_USAGE, "unknown image '%s'; %s (the indices could not be asked: %s)", asked->question.word,
            asked->question.otherwise, err->text);
    *err = told;
}

/* What a manifest says of where an image comes from was not known when that was chosen. */
static bool check_led(const struct build *build, const struct manifest *manifest, const char *word, struct err *err)
{
    bool has_own = site_image_find(&build->site->images, manifest->name) != NULL;
    if (!has_own && !manifest->base && !manifest->source && !manifest->has_architectures)
        return true;
    err_set(err, ERR_USAGE, "%s leads to the manifest %s of the catalogue, %s; say %s", word, manifest->name,
            has_own ? "of which the site file says something of its own"
                    : "which has a base, a source or architectures of its own",
            manifest->name);
    return false;
}

/* Reads the manifest that an answer amounts to, or to which it leads. */
static bool read_answer(const struct build *build, const struct batch_image *image, const struct name_answer *answer,
                        struct manifest *ret_manifest, struct err *err)
{
    const char *path;
    if (!answer->manifest)
        return manifest_parse(build->arena, image->manifest->path, names_text(build->arena, answer), &build->features,
                              ret_manifest, err);
    return manifest_find(build->arena, build->manifests_dir, answer->manifest, &path, err) &&
           manifest_load(build->arena, path, &build->features, ret_manifest, err) &&
           check_hwcaps(build, ret_manifest, err) && check_led(build, ret_manifest, image->word, err);
}

/* Takes one answer for an image. */
static bool take_answer(struct build *build, const struct asked_name *asked, const struct name_answer *answer,
                        struct err *err)
{
    struct manifest *manifest = arena_new(build->arena, struct manifest);
    struct batch_image *image = &build->images[asked->image];
    if (!read_answer(build, image, answer, manifest, err))
        return false;
    manifest->named = answer->manifest ? NULL : answer->said; /* what the catalogue has is an image of its own name */
    if (!check_twice(build, manifest, err))
        return false;
    set_manifest(build, manifest, image);
    return choose_destination(build, image, err) && check_tags(build, image, err);
}

/* After an error: looks a name up for the architectures that can be asked, where the image may go out without the others. */
static bool resolve_for_some(struct build *build, struct plant *plant, const struct asked_name *asked,
                             struct name_answer *answer, struct err *err)
{
    struct batch_image *image = &build->images[asked->image];
    struct name_question question = asked->question;
    const struct arch **some = arena_new_array(build->arena, const struct arch *, question.arch_count);
    size_t count = 0;
    choose_together(build, image);
    if (image->together.on_missing == MISSING_HOLD || err->kind == ERR_USAGE || err->kind == ERR_CANCELLED)
        return false;
    for (size_t i = 0; i < asked->question.arch_count; i++) {
        struct err unasked = {0};
        question.arches = &asked->question.arches[i];
        question.arch_count = 1;
        if (names_resolve(plant, build->arena, &question, 1, answer, &unasked))
            some[count++] = asked->question.arches[i];
    }
    if (!count)
        return false;
    err_clear(err);
    question.arches = some;
    question.arch_count = count;
    return names_resolve(plant, build->arena, &question, 1, answer, err);
}

/* Looks one name up, and takes the answer. */
static bool resolve_name(struct build *build, struct plant *plant, const struct asked_name *asked,
                         struct name_answer *answer, struct err *err)
{
    if (!names_resolve(plant, build->arena, &asked->question, 1, answer, err) &&
        !resolve_for_some(build, plant, asked, answer, err))
        return false;
    return take_answer(build, asked, answer, err);
}

/* Looks the names up that are no manifests', all at once; those of a night one by one when any fails. */
static bool resolve_names(struct build *build, struct plant *plant, struct name_answer **ret_answers, struct err *err)
{
    size_t count = build->asked.count;
    struct name_question *questions = arena_new_array(build->arena, struct name_question, count);
    struct name_answer *answers = *ret_answers = arena_new_array(build->arena, struct name_answer, count);
    for (size_t i = 0; i < count; i++)
        questions[i] = build->asked.items[i].question;
    bool are_known = names_resolve(plant, build->arena, questions, count, answers, err);
    if (!are_known && (!build->is_night || err->kind == ERR_CANCELLED)) {
        tell_nearest(build, err);
        return false;
    }
    err_clear(err);
    for (size_t i = 0; i < count; i++) {
        const struct asked_name *asked = &build->asked.items[i];
        bool is_taken = are_known ? take_answer(build, asked, &answers[i], err)
                                  : resolve_name(build, plant, asked, &answers[i], err);
        if (!is_taken && !give_up(build, &build->images[asked->image], asked->question.word, err))
            return false;
    }
    return true;
}

/* Takes a place that is an archive for one. */
static bool read_archive(struct build *build, struct err *err)
{
    if (!archive_is_target(build->run.output_dir))
        return true;
    build->run.archive = &build->archive;
    return archive_target_parse(build->arena, build->run.output_dir, &build->archive, err);
}

static bool plan_options(struct build *build, struct err *err)
{
    const struct options *options = build->options;
    const struct site *site = build->site;
    struct run_options *run = &build->run;
    *run = (struct run_options){.cancel = build->command->cancel,
                                .registry = command_registry_options(build->command),
                                .base_rules = &build->base_rules,
                                .push_policy = command_push_policy(build->command),
                                .wait = &build->command->lock_wait,
                                .cache_dir = options->cache,
                                .state_dir = options->state,
                                .output_dir = command_first(options->output, site->output, "out"),
                                .tree_dir = options->tree,
                                .jobs = command_jobs(build->command),
                                .is_packing_given = options->compression != NULL,
                                .is_layers_given = options->layers != NULL,
                                .is_locking = build->locking.is_writing,
                                .is_dry_run = options->is_dry_run,
                                .is_rebuild = options->is_rebuild,
                                .is_cache_only = options->is_cache_only,
                                .is_change_accepted = options->is_change_accepted,
                                .now = clock_date(),
                                .arches = &build->arches,
                                .call_options = command_line(build->arena, &options->given),
                                .call_arch = options->arch};
    run->http = command_http_options(build->command);
    run->http.cache_from = command_cache_from(build->command); /* which what reads is let open (confine()) */
    if (!read_archive(build, err))
        return false;
    run->cache_limit = command_cache_limit(build->command);
    run->sync_wait_ms = command_sync_wait_ms(build->command);
    run->explained = build->explained.count || build->is_new || build->locking.is_writing ? &build->explained : NULL;
    if (!command_record(build->command, &run->record, err))
        return false;
    run->is_bill_told = options->is_json || run->explained || options->is_locked;
    run->is_history_pushed = site->is_history_pushed;
    run->are_changes_told = !options->is_dry_run && !run->explained;
    run->lock = options->is_locked ? &build->locking.lock : NULL;
    run->pins = build->locking.has_pins ? &build->locking.pins : NULL;
    if (!run->cache_dir &&
        !places_user_dir(build->arena, "XDG_CACHE_HOME", ".cache", "/var/cache", &run->cache_dir, err))
        return false;
    if (!run->state_dir &&
        !places_user_dir(build->arena, "XDG_STATE_HOME", ".local/state", "/var/lib", &run->state_dir, err))
        return false;
    const char *date = options->source_date_epoch ? options->source_date_epoch : getenv("SOURCE_DATE_EPOCH");
    if (!build_inputs(options, site, date, &run->inputs, err))
        return false;
    const struct layer_plan *layer_plan = &build->locking.layer_plan;
    run->layer_plan = build->locking.has_layer_plan ? layer_plan : NULL;
    run->layer_plan_path = build->locking.layer_plan_path;
    run->inputs.layer_plan = layer_plan_lines(build->arena, layer_plan);
    build->hashed = hashed_open(run->state_dir, run->is_rebuild);
    run->hashed = &build->hashed;
    run->inputs.program = program_digest(build->hashed);
    return true;
}

/* Finds the manifest of a base: beside the one that names it, or among all; also in their folder "bases". */
static const char *find_base(const struct build *build, const struct manifest *manifest, const char *name)
{
    const char *slash = strrchr(manifest->path, '/');
    const char *own = slash ? arena_strndup(build->arena, manifest->path, (size_t)(slash - manifest->path)) : ".";
    const char *const dirs[] = {own, arena_printf(build->arena, "%s/bases", own), build->manifests_dir,
                                arena_printf(build->arena, "%s/bases", build->manifests_dir)};
    for (size_t i = 0; i < ARRAY_COUNT(dirs); i++) {
        const char *path = arena_printf(build->arena, "%s/%s.yaml", dirs[i], name);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

/* What a base that is no manifest's name was meant to be. */
static const char *near_base(const struct build *build, const struct manifest *manifest, const char *name)
{
    const char *slash = strrchr(manifest->path, '/');
    const char *own = slash ? arena_strndup(build->arena, manifest->path, (size_t)(slash - manifest->path)) : ".";
    const char *const dirs[] = {own, build->manifests_dir};
    struct strings known = {0}, found;
    for (size_t i = 0; i < 2 * ARRAY_COUNT(dirs); i++) {
        struct err ignored = {0};
        const char *dir = i % 2 ? arena_printf(build->arena, "%s/bases", dirs[i / 2]) : dirs[i / 2];
        if (!yaml_stems(build->arena, dir, &found, &ignored))
            continue;
        for (size_t j = 0; j < found.count; j++)
            list_add(build->arena, &known, found.items[j]);
    }
    const char *nearest = text_nearest(name, known.items, known.count);
    return nearest ? arena_printf(build->arena, "; did you mean manifest:%s?", nearest) : "";
}

/* Of an image whose base failed, with the base's error. */
static void fail_base(const struct err *cause, struct err *err)
{
    struct err of_base = *cause;
    err_clear(err);
    err_set(err, of_base.kind, "its base failed: %s", of_base.text);
}

/* Finds the image of the call that is a base, or plans it, too. */
static bool plan_base(struct build *build, const struct batch_image *image, const char *name,
                      const struct batch_image **ret_base, struct err *err)
{
    const struct manifest *manifest = image->manifest;
    for (size_t i = 0; i < build->image_count; i++) {
        *ret_base = &build->images[i];
        if (strcmp(build->images[i].manifest->name, name) == 0)
            return true;
    }
    const char *path = find_base(build, manifest, name);
    if (!path || build->image_count == build->names.count + BASES_MAX) {
        err_set(err, ERR_USAGE, "%s: base %s: %s%s", manifest->path, manifest->base,
                path ? "more bases than a call may have" : "no manifest has that name",
                path ? "" : near_base(build, manifest, name));
        return false;
    }
    *ret_base = &build->images[build->image_count];
    if (!plan_manifest(build, name, path, err)) {
        if (build->is_night) /* which goes on, and tells it with the name of this image */
            fail_base(err, err);
        return false;
    }
    build->images[build->image_count - 1].together = image->together; /* it is part of that */
    build->images[build->image_count - 1].is_implied = true;
    build->images[build->image_count - 1].apart = build->images[build->image_count - 1].destination;
    build->images[build->image_count - 1].destination = NULL; /* nobody asked for it to be pushed */
    return true;
}

static bool has_arch(const struct batch_image *image, const struct arch *arch)
{
    for (size_t i = 0; i < image->arch_count; i++) {
        if (image->arches[i] == arch)
            return true;
    }
    return false;
}

/* The base of an image that is another one of this call. Its own may be, too, but none stands on itself. */
static bool plan_base_of(struct build *build, struct batch_image *image, struct err *err)
{
    const struct manifest *manifest = image->manifest;
    const char *name = manifest_base_image(manifest);
    if (!name)
        return !manifest->base || manifest_base_is_layout(manifest->base) || build->options->is_without_policy ||
               base_rules_add(&build->base_rules, build->arena, manifest->base, err);
    if (!plan_base(build, image, name, &image->base, err))
        return false;
    assert(image->base);
    if (image->base->err.kind) {
        fail_base(&image->base->err, err);
        return false;
    }
    for (const struct batch_image *below = image->base; below; below = below->base) {
        if (below != image)
            continue;
        err_set(err, ERR_USAGE, "%s: base %s: it stands on this image itself", manifest->path, manifest->base);
        return false;
    }
    for (size_t i = 0; i < image->arch_count; i++) {
        if (has_arch(image->base, image->arches[i]))
            continue;
        err_set(err, ERR_USAGE, "%s: base %s is not made for %s", manifest->path, manifest->base,
                image->arches[i]->name);
        return false;
    }
    return true;
}

/* What stands on an image of a night that was given up is given up, too. */
static void give_up_children(struct build *build)
{
    struct err err = {0};
    bool is_found = true;
    while (is_found) {
        is_found = false;
        for (size_t i = 0; i < build->image_count; i++) {
            struct batch_image *image = &build->images[i];
            const struct err *cause = image->base ? &image->base->err : &err;
            if (image->err.kind || !cause->kind)
                continue;
            fail_base(cause, &err);
            is_found = give_up(build, image, image->manifest->name, &err);
        }
    }
}

/* Plans images that are not built any more behind all others, for what they are called and where they are: they are pruned. Those that
 * only the indices know are not looked up for that. */
static void plan_ended(struct build *build)
{
    size_t count = build->image_count, asked = build->asked.count;
    for (size_t i = 0; i < build->ended.count && build->is_night && build->site->is_pruned; i++) {
        struct err none = {0};
        size_t before = build->image_count;
        if (!plan_image(build, build->ended.items[i].named, &none) || build->asked.count > asked) {
            build->image_count = before;
            build->asked.count = asked;
        }
    }
    build->ended_image_count = build->image_count - count;
    build->image_count = count;
}

static bool plan_images(struct build *build, struct err *err)
{
    const struct strings *names = &build->names;
    size_t most = names->count + BASES_MAX + build->ended.count;
    build->images = arena_new_array(build->arena, struct batch_image, most);
    build->own = arena_new_array(build->arena, const struct site_image *, most);
    for (size_t i = 0; i < names->count; i++) {
        if (!plan_or_give_up(build, names->items[i], err))
            return false;
    }
    for (size_t i = 0; i < build->image_count; i++) {
        struct batch_image *image = &build->images[i];
        if (image->err.kind || plan_base_of(build, image, err))
            continue;
        image->base = NULL;
        if (!give_up(build, image, image->manifest->name, err))
            return false;
    }
    give_up_children(build);
    plan_ended(build);
    return true;
}

/* Tells when an image comes to its end, from 30 days before on. */
static void tell_end(const struct build *build, const struct site_image *image)
{
    int64_t left = image->end_of_life - clock_date();
    if (left <= BATCH_END_TOLD_SECONDS)
        log_line(build->command->log, LOG_QUIET,
                 "warning: image %s: its end of life is %.10s, in %s: it is built until then", image->word,
                 date_print(image->end_of_life).chars, date_print_span(left).chars);
}

/* Takes the names of images out that are at their end of life: a build leaves them as they are. */
static void leave_ended(struct build *build)
{
    struct strings names = {0};
    bool is_build = build->command->options.command->kind == COMMAND_BUILD;
    for (size_t i = 0; i < build->names.count; i++) {
        const struct site_image *image = site_image_find(&build->site->images, build->names.items[i]);
        bool has_end = is_build && image && image->has_end;
        if (!has_end || image->end_of_life > clock_date()) {
            list_add(build->arena, &names, build->names.items[i]);
            if (has_end)
                tell_end(build, image);
            continue;
        }
        const char *word = text_shell_word(build->arena, image->word);
        list_add(build->arena, &build->ended, (struct batch_ended){word, image->word, image->end_of_life});
        log_line(build->command->log, LOG_NORMAL, "image %s: its end of life was %.10s: it is not built any more", word,
                 date_print(image->end_of_life).chars);
    }
    build->names = names;
}

/* Returns whether the command line names the images, or the site file does. */
static bool plan_names(struct build *build, struct err *err)
{
    const struct site_images *images = &build->site->images;
    const char *push = build->options->push;
    bool is_site = !build->names.count;
    build->is_night = is_site && !build->locking.is_writing; /* a lock has all images, or is not written */
    for (size_t i = 0; is_site && i < images->count; i++)
        list_add(build->arena, &build->names, images->items[i].word);
    if (build->is_night && push && *push && images->count > 1) {
        fail_push_of_several(push, err);
        return false;
    }
    leave_ended(build);
    if (build->names.count || build->ended.count)
        return true;
    err_set(err, ERR_USAGE,
            "no image named; try imgfactory --arch all dhcpd, --list or --help, or name them in a site file (images:)");
    return false;
}

/* An archive holds one image, and one of docker's one architecture of it; and a push goes by the layout. */
static bool check_archive(const struct build *build, struct err *err)
{
    const struct archive_target *archive = build->run.archive;
    const struct batch_image *image = build->images;
    if (!archive || !build->image_count)
        return true;
    if (build->names.count != 1)
        err_set(err, ERR_USAGE, "--output: an archive is for one image, and this call has %zu; build them one by one",
                build->names.count);
    else if (archive->form == ARCHIVE_DOCKER && image->arch_count > 1)
        err_set(err, ERR_USAGE,
                "--output: a docker-archive holds one architecture, and this call has %zu; name one with --arch, or "
                "write oci-archive:%s",
                image->arch_count, archive->file);
    else if (image->destination)
        err_set(err, ERR_USAGE,
                "--output: what is pushed comes from a layout; build with --no-push, and push the archive then: "
                "imgfactory push %s %s",
                archive->file, image->destination);
    else
        return true;
    return false;
}

/* Plans everything before anything starts: all mistakes in files are told at once cost nothing. */
static bool plan(struct build *build, struct err *err)
{
    const struct options *options = build->options;
    if (!sharding_call_read(build->command, &build->call, err) ||
        !locking_words(build->command, &build->names, &build->locking, err) || !plan_names(build, err))
        return false;
    locking_begin(build->command, &build->locking);
    bool is_archive = options->output && archive_is_target(options->output);
    return (is_archive || check_place("output", options->output, err)) && check_place("tree", options->tree, err) &&
           plan_options(build, err) && read_data(build, err) && plan_images(build, err) && check_archive(build, err);
}

static bool list(struct build *build, struct err *err)
{
    struct strings names = {0}, sources = {0};
    struct err none = {0};
    if (!read_data(build, err) || !manifest_names(build->arena, build->manifests_dir, &names, err))
        return false;
    const char *sources_dir = arena_printf(build->arena, "%s/sources", build->manifests_dir);
    bool has_sources = yaml_stems(build->arena, sources_dir, &sources, &none) && sources.count;
    (void)printf("Images (%s):\n", build->manifests_dir);
    for (size_t i = 0; i < names.count; i++) {
        const char *path;
        struct manifest manifest = {0};
        struct err broken = {0};
        bool is_good = manifest_find(build->arena, build->manifests_dir, names.items[i], &path, &broken) &&
                       manifest_load(build->arena, path, &build->features, &manifest, &broken);
        (void)printf("  %-16s %s\n", names.items[i],
                     !is_good               ? broken.text
                     : manifest.description ? manifest.description
                                            : "");
    }
    (void)printf("Architectures (%s):\n", build->arches_dir);
    for (size_t i = 0; i < build->arches.count; i++) {
        const struct arch *arch = &build->arches.items[i];
        (void)printf("  %-16s %s/%s%s%s\n", arch->name, arch->oci_os, arch->oci_architecture,
                     arch->oci_variant ? "/" : "", arch->oci_variant ? arch->oci_variant : "");
    }
    if (has_sources)
        (void)printf("Sources (%s), besides the host's own:\n  %s\n", sources_dir,
                     strings_join(build->arena, &sources, "\n  "));
    return true;
}

/* Prints lines, and of a line that no terminal can want the beginning. */
static void print_lines(const char *text)
{
    struct text rest = text_of(text), line;
    while (rest.len && text_next(&rest, '\n', &line)) {
        bool is_cut = line.len > LINE_BYTES_MAX;
        for (line.len = is_cut ? LINE_BYTES_MAX : line.len; is_cut && (line.ptr[line.len] & 0xC0) == 0x80;)
            line.len--;
        AUTO(arena_done) struct arena scratch = {0};
        char *shown = text_dup(&scratch, line);
        text_flatten(shown);
        (void)printf("%s%s\n", shown, is_cut ? "…" : "");
    }
}

/* Prints what people read: names of packages and paths in it came from outside. */
static void print_text(const struct build *build, const struct batch *batch)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        memory_abort(len);
    if (build->explained.count)
        report_why(out, batch);
    else
        report_table(out, batch, build->options->is_dry_run, terminal_columns(STDOUT_FILENO));
    if (fclose(out) != 0)
        memory_abort(len);
    print_lines(text);
    free(text);
}

/* Names --timeout as the reason of what it ended. */
static void tell_timeout(const struct command *command, struct batch *batch)
{
    bool is_told = false;
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_image *image = &batch->images[i];
        is_told = is_told || image->err.kind == ERR_CANCELLED;
        command_tell_timeout(command, &image->err);
        command_tell_timeout(command, &image->publication.err);
        for (size_t j = 0; j < image->arch_count; j++)
            command_tell_timeout(command, &image->jobs[j].err);
    }
    if (is_told && signals_is_timed_out(command->signals))
        log_line(command->log, LOG_QUIET, "error: not done within --timeout %s",
                 units_duration(command_timeout_ms(command)).chars);
    else if (batch->is_abandoned)
        log_line(command->log, LOG_NORMAL, "interrupted; what is still under way is not waited for");
}

/* Prints a manifest's file. */
static bool print_file(const char *path, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    if (!file_map_at(AT_FDCWD, path, &view, err))
        return false;
    (void)fwrite(view.ptr, 1, view.len, stdout);
    return true;
}

/* Prints the manifest of a name, with what the first architecture's packages told. */
static bool print_new(const struct batch *batch, const struct name_answer *answer, struct err *err)
{
    const struct batch_image *image = &batch->images[0];
    const struct bill *bill = NULL;
    assert(answer); /* a word that no manifest has was asked for */
    if (answer->manifest)
        return print_file(image->manifest->path, err);
    for (size_t i = 0; i < image->arch_count && !bill; i++)
        bill = image->jobs[i].is_good ? &image->jobs[i].bill : NULL;
    names_print(stdout, answer, bill);
    return true;
}

/* Prints what the run was for. */
static void print_report(const struct build *build, const struct batch *batch)
{
    enum err_kind outcome = build->command->outcome;
    bool is_dry_run = build->options->is_dry_run, is_why = build->explained.count > 0;
    if (is_why && build->options->is_json)
        report_why_json(stdout, batch);
    else if (build->options->is_json)
        report_json(stdout, batch, is_dry_run);
    else if (is_why || (!build->options->is_quiet && !build->options->is_summary && outcome != ERR_CANCELLED))
        print_text(build, batch);
    if (build->options->is_summary)
        summary_print(build->options->is_json ? stderr : stdout, batch, clock_seconds() - build->command->begun);
}

/* Notes the repository of a base: its layers are mounted from there. */
static void share_base(struct arena *arena, struct registry_shared *shared, const struct manifest *manifest)
{
    struct reference reference;
    struct err none = {0}; /* what is wrong is told when it is asked for */
    bool is_remote = manifest->base && !manifest_base_image(manifest) && !manifest_base_is_layout(manifest->base);
    if (is_remote && reference_parse(arena, manifest->base, true, &reference, &none))
        registry_shared_add(shared, &reference);
}

/* Returns whether the run makes a shard of a plan, and leaves all else to who puts the images together. */
static bool is_shard(const struct build *build)
{
    return build->call.is_given && !build->call.is_assembling;
}

/* Returns whether the run is a night that writes the site's status record: one that may push. */
static bool has_record(const struct build *build)
{
    return build->is_night && build->run.record && !build->options->is_dry_run && !build->options->is_no_push &&
           !is_shard(build);
}

/* Returns whether good images are where they were to go. */
static bool run_publishes(const struct build *build)
{
    return !build->run.is_dry_run && !build->run.explained && !build->options->is_no_push;
}

/* Returns whether the record is asked before tags leave what another machine may have made. What a lock says is wanted, however
 * old it is. */
static bool is_guarded(const struct build *build)
{
    return build->run.record && !build->run.lock && !build->locking.is_writing && run_publishes(build);
}

/* Notes the repository of the record. */
static void share_record(struct arena *arena, struct registry_shared *shared, const char *record)
{
    struct reference reference;
    struct err none = {0}; /* it was parsed before */
    if (reference_parse(arena, record, true, &reference, &none))
        registry_shared_add(shared, &reference);
}

/* Notes where the images go: what is asked of a registry is asked for all of them. */
static struct registry_shared *share_registries(struct build *build)
{
    struct registry_shared *shared = registry_shared_new();
    struct registry_options *options = arena_new(build->arena, struct registry_options);
    *options = *build->run.registry;
    options->shared = shared;
    build->run.registry = options;
    for (size_t i = 0; i < build->image_count; i++) {
        struct reference reference;
        struct err none = {0}; /* it was parsed before */
        if (build->images[i].destination &&
            reference_parse(build->arena, build->images[i].destination, false, &reference, &none))
            registry_shared_add(shared, &reference);
        share_base(build->arena, shared, build->images[i].manifest);
    }
    if (has_record(build))
        share_record(build->arena, shared, build->run.record);
    return shared;
}

/* Allows what the planned images are made of, and where they go. */
static void confine(struct build *build)
{
    struct command *command = build->command;
    const struct data_places *places = &build->data_places;
    const struct strings *const folders[] = {&places->families, &places->foregrounds, &places->interpreters};
    struct strings files;
    confinement_read_linked(command, build->arches_dir);
    confinement_read_linked(command, build->manifests_dir);
    confinement_read_linked(command, places->recipes);
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        for (size_t j = 0; j < folders[i]->count; j++)
            confinement_read_linked(command, folders[i]->items[j]);
    }
    for (size_t i = 0; i < build->image_count; i++) {
        const struct batch_image *image = &build->images[i];
        if (!image->source) /* it could not be planned */
            continue;
        const char *base = image->manifest->base, *tag;
        image->source->format->list_files(build->arena, image->source, &files);
        for (size_t j = 0; j < files.count; j++)
            confinement_read_source(command, files.items[j]);
        if (base && !manifest_base_image(image->manifest) && manifest_base_is_layout(base))
            confinement_read(command, standing_layout(build->arena, image->manifest, &tag));
    }
    registries_conf_files(build->arena, &files);
    for (size_t i = 0; i < files.count; i++)
        confinement_read_linked(command, files.items[i]);
    if (!build->run.is_dry_run && !build->run.explained && build->image_count)
        confinement_write(command,
                          build->run.archive ? archive_folder(build->arena, build->run.archive) : build->run.output_dir,
                          0755);
    if (!build->run.is_dry_run)
        confinement_write(command, build->run.tree_dir, 0755);
    if (build->locking.is_writing) {
        confinement_write(command, command->options.vendor, 0755);
        confinement_keep(command, build->locking.path);
    } else {
        confinement_read(command, command->options.vendor);
    }
    confinement_read(command, command_cache_from(command));
    list_add(build->arena, &command->confined.writable, build->run.cache_dir);
    list_add(build->arena, &command->confined.writable, build->run.state_dir);
    list_add(build->arena, &command->confined.programs, "gpgv");
    build->run.confined = confinement_places(command);
    confinement_close(command);
}

/* From here on all threads are confined. */
static bool open_plant(struct build *build, struct plant *plant, struct err *err)
{
    if (!plant_open(&build->run, build->command->log, plant, err))
        return false;
    confinement_settle(build->command);
    return true;
}

/* Feeds the generations of the metadata of one order; NULL: it needed none. */
static void feed_metadata(const struct origins *origins, struct digest_stream *stream)
{
    for (size_t i = 0; origins && i < origins->count; i++) {
        const char *name = origin_identity(&origins->items[i]);
        digest_feed(stream, name, strlen(name) + 1);
        digest_feed(stream, origins->items[i].digest.bytes, sizeof origins->items[i].digest.bytes);
    }
}

/* All metadata that a night was made from; all of its orders are good. */
static struct digest metadata_of(const struct batch *batch)
{
    struct digest_stream stream;
    digest_begin(&stream);
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t j = 0; j < batch->images[i].arch_count; j++)
            feed_metadata(batch->images[i].jobs[j].origins, &stream);
    }
    return digest_end(&stream);
}

/* Asks for the metadata of all orders: one request for each repository, whatever their number. */
static bool ask_metadata(struct build *build, struct plant *plant, struct digest *ret_metadata, struct err *err)
{
    struct digest_stream stream;
    struct catalog *catalog;
    bool is_good = true;
    digest_begin(&stream);
    for (size_t i = 0; is_good && i < build->image_count; i++) {
        const struct batch_image *image = &build->images[i];
        for (size_t j = 0; is_good && j < image->arch_count; j++) {
            is_good = plant_find_catalog(plant, image->source, image->arches[j], &catalog, err);
            if (is_good)
                feed_metadata(&catalog->origins, &stream);
        }
    }
    *ret_metadata = digest_end(&stream);
    return is_good;
}

static bool poll_metadata(struct build *build, struct digest *ret_metadata, struct err *err)
{
    struct plant plant;
    confine(build);
    if (!open_plant(build, &plant, err))
        return false;
    bool is_good = ask_metadata(build, &plant, ret_metadata, err);
    plant_close(&plant);
    return is_good;
}

/* Returns whether what became of libraries is shown to anybody: in the JSON report, in --changes or on pages. */
static bool are_libraries_told(const struct build *build)
{
    return build->options->is_json || build->options->changes || night_pages_folder(build->command);
}

/* Returns whether lists of advisories are worth being asked for: somebody is told of them, or a night is taken down. */
static bool are_advisories_fetched(const struct build *build)
{
    return !build->run.is_cache_only && (are_libraries_told(build) || build->is_night);
}

/* Returns whether the run is a night that deletes what its images left behind: one that may push, and came to its end. */
static bool is_pruning(const struct build *build, const struct batch *batch)
{
    return build->is_night && !is_shard(build) && build->site->is_pruned && run_publishes(build) &&
           !batch->is_abandoned && !atomic_load(build->command->cancel);
}

/* Opens the keys, and what is attached, when something may be pushed, before anything is confined. */
static bool open_signers(struct build *build, struct err *err)
{
    bool is_pushed = build->options->push != NULL;
    if (is_shard(build))
        return true;
    for (size_t i = 0; i < build->image_count; i++) {
        struct batch_image *image = &build->images[i];
        is_pushed = is_pushed || image->destination;
        if (image->destination && image->manifest && run_publishes(build) &&
            !signing_open_own(build->command, image->manifest->path, &image->manifest->sign, &image->signers, err))
            return false;
    }
    if (!is_pushed || !run_publishes(build))
        return true;
    build->run.attest = &build->attesting.attest;
    return signing_open(build->command, &build->run.signers, err) &&
           attesting_open(build->command, &build->attesting, err);
}

/* Takes the error of the first image or architecture that failed; false when there is one. */
static bool take_failure(const struct batch *batch, struct err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        for (size_t j = 0; j < image->arch_count && err->kind == ERR_NONE; j++) {
            if (image->jobs[j].err.kind == ERR_NONE)
                continue;
            *err = image->jobs[j].err;
        }
        if (err->kind == ERR_NONE && image->err.kind != ERR_NONE)
            *err = image->err;
        if (err->kind != ERR_NONE)
            return false;
    }
    return true;
}

/* Writes the lock, takes the first failure of what is made again, or prints the report. */
static bool conclude(struct build *build, const struct batch *batch, struct plant *plant,
                     const struct name_answer *answers, struct err *err)
{
    if (build->locking.is_writing)
        return locking_end(build->command, &build->locking, batch, plant, err);
    if (build->again)
        return take_failure(batch, build->again);
    if (build->is_new)
        return print_new(batch, answers, err);
    print_report(build, batch);
    return true;
}

/* Machines that share a plan meet in a registry. */
static bool check_destinations(const struct build *build, struct err *err)
{
    for (size_t i = 0; i < build->image_count; i++) {
        const struct batch_image *image = &build->images[i];
        if (image->err.kind || image->is_implied || image->destination || build->options->is_dry_run)
            continue;
        err_set(
            err, ERR_USAGE,
            "%s is pushed nowhere, and machines that share a plan meet in a registry: --push=REF, or registry: in a "
            "site file",
            image->manifest->name);
        return false;
    }
    return true;
}

/* Whether the run has anything to do with an image. */
static bool is_part(const struct build *build, const struct batch_image *image)
{
    return image->err.kind || build->call.is_assembling || image->arch_count > 0;
}

/* Leaves those images that the run has to do with. */
static void keep_parts(struct build *build)
{
    size_t *places = arena_new_array(build->arena, size_t, build->image_count + 1), kept = 0;
    for (size_t i = 0; i < build->image_count; i++) {
        struct batch_image *image = &build->images[i];
        if (image->base && !is_part(build, image->base))
            image->base = NULL;
        places[i] = kept;
        kept += is_part(build, image);
    }
    for (size_t i = 0; i < build->image_count; i++) {
        struct batch_image image = build->images[i];
        if (!is_part(build, &image))
            continue;
        image.base = image.base ? &build->images[places[image.base - build->images]] : NULL;
        build->own[places[i]] = build->own[i];
        build->images[places[i]] = image;
    }
    build->image_count = kept;
}

/* Names the plan, and leaves of it what this run makes or puts together. */
static bool take_part(struct build *build, struct err *err)
{
    struct sharding *sharding = &build->sharding;
    if (!build->call.is_given)
        return true;
    if (!check_destinations(build, err))
        return false;
    sharding_call_plan(build->arena, &build->call, &build->locking.lock, &build->run, build->images, build->image_count,
                       sharding);
    sharding->is_plan_kept = build->options->is_plan_kept;
    build->run.sharding = sharding;
    for (size_t i = 0; i < build->image_count; i++)
        sharding_call_places(build->arena, &build->call, build->images, build->image_count, &build->images[i]);
    for (size_t i = 0; i < build->image_count && is_shard(build); i++)
        sharding_call_narrow(build->arena, &build->call, sharding, &build->images[i]);
    keep_parts(build);
    log_line(build->command->log, LOG_VERBOSE, "plan %s", sharding->plan);
    if (is_shard(build) && !build->image_count)
        log_line(build->command->log, LOG_NORMAL, "shard %zu/%zu has nothing to make: there are more shards than work",
                 build->call.index, build->call.count);
    return true;
}

/* Runs the planned batch and prints its report. */
static bool run_batch(struct build *build, struct err *err)
{
    struct log *log = build->command->log;
    struct plant *plant = arena_new(build->arena, struct plant); /* threads that are left alone still use it */
    struct batch *batch = arena_new(build->arena, struct batch);
    struct name_answer *answers = NULL;
    if (!open_signers(build, err))
        return false;
    command_jitter(build->command, build->is_night && !build->options->is_dry_run && !build->sharding.is_assembling);
    confine(build);
    if (!open_plant(build, plant, err))
        return false;
    if (!locking_take(build->command, &build->locking, plant, err) ||
        (build->asked.count && !resolve_names(build, plant, &answers, err)) || !take_part(build, err)) {
        plant_close(plant);
        return false;
    }
    struct registry_shared *shared = share_registries(build);
    batch_init(batch, build->images, build->image_count);
    plant->seen = is_guarded(build) ? status_seen_new(build->run.record) : NULL;
    batch->ended = build->ended.items;
    batch->ended_count = build->ended.count;
    struct display *display = build->options->is_quiet ? NULL : display_start(&batch->progress, log);
    AUTO(libraries_done) struct libraries libraries = {.store = plant->store};
    AUTO(stories_done)
    struct stories stories = {/* packages that are not in the cache are not fetched */
                              .store = plant->store,
                              .metadata_http = are_advisories_fetched(build) ? plant->http : NULL};
    bool is_run = batch_run(batch, plant, err);
    display_stop(display);
    if (is_run) {
        tell_timeout(build->command, batch);
        together_note(batch, &build->run, log);
        together_log(batch, log);
        if (has_record(build))
            night_status_write(build->command, plant, batch);
        if (is_pruning(build, batch))
            prune_night(build->command, plant->http, build->run.registry, batch, build->ended_image_count);
        build->command->outcome = batch_outcome(batch);
        if (build->is_night && build->command->outcome == ERR_NONE)
            build->command->metadata = metadata_of(batch);
        if (!batch->is_abandoned && !atomic_load(build->command->cancel))
            changes_tell(batch, are_libraries_told(build) ? &libraries : NULL, &stories);
        if (!batch->is_abandoned && run_publishes(build) && !is_shard(build))
            published_keep(batch, &build->run, log);
        is_run = conclude(build, batch, plant, answers, err);
        night_metrics_note(build->command, batch);
        night_changes_note(build->command, batch);
        night_pages_note(build->command, batch, &build->run, build->is_night);
    }
    build->command->is_abandoned = batch->is_abandoned;
    if (batch->is_abandoned)
        return is_run;
    batch_done(batch);
    status_seen_free(plant->seen);
    plant_close(plant);
    registry_shared_free(shared);
    return is_run;
}

/* Starts a build; all memory in the command's arena, since threads that are left alone still use it. */
static struct build *begin(struct command *command)
{
    struct build *build = arena_new(&command->arena, struct build);
    *build = build_of(command);
    build->names = command->options.words;
    return build;
}

/* Ends it, but for what such threads use. */
static bool end(struct build *build, bool is_good)
{
    if (build->command->is_abandoned)
        return is_good;
    hashed_close(build->hashed);
    base_rules_close(&build->base_rules);
    attesting_close(&build->attesting);
    data_folders_close(&build->folders);
    return is_good;
}

bool build_run(struct command *command, struct err *err)
{
    struct build *build = begin(command);
    bool is_shard =
        command->options.shard && command->options.command->kind == COMMAND_BUILD; /* these go side by side */
    bool is_night = !build->names.count && command->site.images.count && !is_shard;
    AUTO(auto_close_fd) int lock_fd = -1; /* the kernel ends it with the process */
    if (is_night && !command->options.is_dry_run && !night_begin(command, &lock_fd, err)) {
        command->is_told = false; /* the files tell of the night that is at work, or was */
        return false;
    }
    return end(build, plan(build, err) && run_batch(build, err));
}

/* Of images that could not be planned it is not known where they go; each was told. */
static bool check_planned(const struct build *build, struct err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < build->image_count; i++)
        count += build->images[i].err.kind != ERR_NONE;
    if (count)
        err_set(err, ERR_PARTLY, "%zu of %zu images could not be planned; what they published was not pruned", count,
                build->image_count);
    return !count;
}

/* Plans the images of the site for what they are called and where they go, and prunes there. */
static bool prune_site(struct build *build, const char *only, struct err *err)
{
    struct plant plant;
    struct name_answer *answers;
    struct command *command = build->command;
    bool is_dry_run = command->options.is_dry_run;
    if (!build->site->images.count) {
        err_set(err, ERR_USAGE, "%s%s; say what is kept with --keep, such as --keep=30d, or name images in a site file",
                only ? only : "no site file names images", only ? ": no image of a site goes there" : "");
        return false;
    }
    build->names = (struct strings){0};
    command->options.is_dry_run = false; /* of the deletions: a dry run of a build goes nowhere */
    if (!plan(build, err))
        return false;
    command->options.is_dry_run = is_dry_run;
    confine(build);
    if (!open_plant(build, &plant, err))
        return false;
    bool is_good = (!build->asked.count || resolve_names(build, &plant, &answers, err)) &&
                   prune_images(command, build->images, build->image_count, only, plant.http, err);
    plant_close(&plant);
    return is_good && check_planned(build, err);
}

bool build_prune(struct command *command, const char *only, struct err *err)
{
    struct build *build = begin(command);
    return end(build, prune_site(build, only, err));
}

static bool ask_plan(struct build *build, struct err *err)
{
    struct plant plant;
    struct name_answer *answers;
    struct command *command = build->command;
    build->names = (struct strings){0};
    command->options.lock_file = command->options.plan;
    if (!plan(build, err))
        return false;
    confine(build);
    if (!open_plant(build, &plant, err))
        return false;
    bool is_good = (!build->asked.count || resolve_names(build, &plant, &answers, err)) && take_part(build, err);
    struct plan_status status = {.command = command,
                                 .sharding = &build->sharding,
                                 .images = build->images,
                                 .count = build->image_count,
                                 .registry = build->run.registry,
                                 .http = plant.http};
    is_good = is_good && plan_status_run(&status, err);
    plant_close(&plant);
    return is_good && check_planned(build, err);
}

bool build_plan_status(struct command *command, struct err *err)
{
    struct build *build = begin(command);
    return end(build, ask_plan(build, err));
}

bool build_lock(struct command *command, struct err *err)
{
    struct build *build = begin(command);
    build->locking.is_writing = true;
    return end(build, plan(build, err) && run_batch(build, err));
}

bool build_again(struct command *command, struct err *err)
{
    struct build *build = begin(command);
    build->again = err;
    bool is_good = end(build, plan(build, err) && run_batch(build, err));
    command->outcome = ERR_NONE; /* what is told of it is the caller's */
    return is_good;
}

bool build_poll(struct command *command, struct digest *ret_metadata, struct err *err)
{
    struct build *build = begin(command);
    return end(build, plan(build, err) && poll_metadata(build, ret_metadata, err));
}

/* A word without any '/' is the name of files, wherever they are. */
static const char *explained_path(struct arena *arena, const char *word)
{
    return strchr(word, '/') ? word : arena_printf(arena, "/**/%s", word);
}

bool build_why(struct command *command, struct err *err)
{
    struct build *build = begin(command);
    for (size_t i = 1; i < build->names.count; i++)
        list_add(build->arena, &build->explained, explained_path(build->arena, build->names.items[i]));
    build->names.count = 1;
    return end(build, plan(build, err) && run_batch(build, err));
}

static bool print_or_make_new(struct build *build, struct err *err)
{
    const char *word = build->names.items[0], *path;
    struct err none = {0};
    build->is_new = true;
    if (!plan_options(build, err) || !read_data(build, err))
        return false;
    if (!(names_is_word(word) && strpbrk(word, "/:")) &&
        manifest_find(build->arena, build->manifests_dir, word, &path, &none))
        return print_file(path, err);
    return plan_images(build, err) && run_batch(build, err);
}

bool build_new(struct command *command, struct err *err)
{
    struct build *build = begin(command);
    return end(build, print_or_make_new(build, err));
}

/* Asks the indices, and prints what was found. */
static bool print_found(struct build *build, struct plant *plant, const struct batch_image *image, struct err *err)
{
    struct found_paths found;
    struct find_request request = {
        .words = &build->names, .source = image->source, .arches = image->arches, .arch_count = image->arch_count};
    if (!find_paths(plant, build->arena, &request, &found, err))
        return false;
    find_print(stdout, &request, &found, build->options->is_json);
    return true;
}

/* Plans an image that only stands for a source and architectures. */
static bool plan_stand_in(struct build *build, struct batch_image **ret_image, struct err *err)
{
    struct batch_image *image = *ret_image = build->images = arena_new(build->arena, struct batch_image);
    struct manifest *manifest = arena_new(build->arena, struct manifest);
    if (!plan_options(build, err) || !read_data(build, err) ||
        !manifest_parse(build->arena, "find", STAND_IN, &build->features, manifest, err))
        return false;
    image->manifest = manifest;
    if (!choose_arches(build, image, err) || !choose_source(build, image, err))
        return false;
    build->image_count = 1;
    build->run.is_dry_run = true;
    confine(build);
    return true;
}

static bool find(struct build *build, struct err *err)
{
    struct batch_image *image;
    struct plant plant;
    if (!plan_stand_in(build, &image, err) || !open_plant(build, &plant, err))
        return false;
    bool is_good = print_found(build, &plant, image, err);
    plant_close(&plant);
    return is_good;
}

bool build_find(struct command *command, struct err *err)
{
    const struct options *options = &command->options;
    if (options->is_in_images)
        return in_images_run(command, err);
    if (options->soname || options->package || options->file || options->is_past || !options->words.count) {
        err_set(err, ERR_USAGE,
                !options->words.count
                    ? "find wants a package, a path or a glob; or --in-images and --soname, --package "
                      "or --file"
                    : "--soname, --package, --file and --past are for find --in-images");
        return false;
    }
    struct build *build = begin(command);
    return end(build, find(build, err));
}

/* Tells the names of packages, as catalog_names(). */
struct names_wish {
    catalog_take_name *take;
    void *taker;
};

static bool tell_packages(struct build *build, const struct names_wish *wish, struct err *err)
{
    struct batch_image *image;
    struct plant plant;
    struct catalog *catalog;
    if (!plan_stand_in(build, &image, err))
        return false;
    build->run.is_cache_only = true;
    if (access(build->run.cache_dir, R_OK | X_OK) != 0)
        return true; /* nothing is in it, and it is not made for that */
    if (!open_plant(build, &plant, err))
        return false;
    bool is_good = plant_catalog(&plant, image->source, image->arches[0], &catalog, err);
    if (is_good)
        catalog_names(catalog, wish->take, wish->taker);
    plant_close(&plant);
    return is_good;
}

bool build_packages(struct command *command, catalog_take_name *take, void *taker, struct err *err)
{
    struct build *build = begin(command);
    struct names_wish wish = {take, taker};
    return end(build, tell_packages(build, &wish, err));
}

/* Who is told of catalogs. */
struct catalogs_wish {
    build_take_catalog *take;
    void *taker;
};

static bool take_locked(struct build *build, struct plant *plant, const struct batch_image *image,
                        const struct catalogs_wish *wish, struct err *err)
{
    struct lock indices = build->locking.lock;
    struct catalog *catalog;
    indices.packages.count = 0; /* no package is looked into */
    bool is_good = !build->locking.pins.vendor || vendor_take(plant, &indices, build->locking.pins.vendor, err);
    for (size_t i = 0; is_good && i < image->arch_count; i++)
        is_good = plant_find_catalog(plant, image->source, image->arches[i], &catalog, err) &&
                  plant_prepare(plant, catalog, err) && wish->take(wish->taker, &build->locking.lock, catalog, err);
    return is_good;
}

static bool ask_locked(struct build *build, const struct catalogs_wish *wish, struct err *err)
{
    struct batch_image *image;
    struct plant plant;
    if (!locking_words(build->command, &build->names, &build->locking, err))
        return false;
    locking_begin(build->command, &build->locking);
    build->locking.pins.is_audit = true;
    if (!plan_stand_in(build, &image, err) || !open_plant(build, &plant, err))
        return false;
    bool is_good = take_locked(build, &plant, image, wish, err);
    plant_close(&plant);
    return is_good;
}

bool build_locked_catalogs(struct command *command, build_take_catalog *take, void *taker, struct err *err)
{
    struct build *build = begin(command);
    const struct catalogs_wish wish = {take, taker};
    return end(build, ask_locked(build, &wish, err));
}

bool build_list(struct command *command, struct err *err)
{
    struct build *build = begin(command);
    return end(build, list(build, err));
}
