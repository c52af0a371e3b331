#include "cli/command.h"

#include "base/auto.h"
#include "cli/display.h"
#include "cli/options.h"
#include "cli/places.h"
#include "cli/signals.h"
#include "content/elf.h"
#include "line/report.h"
#include "plan/manifest.h"

#include <errno.h>
#include <sched.h>
#include <sys/utsname.h>
#include <time.h>

#define APT_DIR "/etc/apt"

/* What one call works with; all memory in `arena`. */
struct command {
    struct arena arena;
    struct options options;
    struct log *log;
    struct arches arches;
    struct plant_options plant_options;
    struct batch_image *images;
    size_t image_count;
    struct source *shared; /* the command's source, or the host's, once it was read: one for all images */
};

static size_t processor_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > 256 ? 256 : (size_t)count;
}

/* SOURCE_DATE_EPOCH (reproducible-builds.org specification): seconds, or -1 when it is not set. */
static bool read_source_date(int64_t *ret_seconds, struct err *err)
{
    const char *value = getenv("SOURCE_DATE_EPOCH");
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

static bool read_data(struct command *command, struct err *err)
{
    struct options *options = &command->options;
    if (!options->arches && !places_data_dir(&command->arena, "arches", &options->arches, err))
        return false;
    if (!options->manifests && !places_data_dir(&command->arena, "manifests", &options->manifests, err))
        return false;
    return arches_load(&command->arena, options->arches, &command->arches, err);
}

/* Adds an architecture once. */
static void add_arch(struct command *command, struct batch_image *image, const struct arch *arch)
{
    const struct arch **items = (const struct arch **)image->arches;
    for (size_t i = 0; i < image->arch_count; i++) {
        if (items[i] == arch)
            return;
    }
    if (!items) {
        items = arena_new_array(&command->arena, const struct arch *, command->arches.count);
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

static bool add_allowed(struct command *command, struct batch_image *image, struct err *err)
{
    for (size_t i = 0; i < image->manifest->architectures.count; i++) {
        const struct arch *arch;
        if (!arches_find(&command->arches, image->manifest->architectures.items[i], &arch, err)) {
            err_wrap(err, "%s: architectures", image->manifest->path);
            return false;
        }
        add_arch(command, image, arch);
    }
    return true;
}

/* The architectures of one image: --arch, or this machine's. A manifest that lists architectures allows only these by
 * "all"; naming another one is an error only when the manifest itself restricts them. */
static bool choose_arches(struct command *command, struct batch_image *image, struct err *err)
{
    const struct arch *arch;
    if (!command->options.arch) {
        struct utsname host;
        if (uname(&host) != 0) {
            err_set_errno(err, errno, "cannot tell this machine's architecture; name one with --arch");
            return false;
        }
        if (!arches_of_machine(&command->arches, host.machine, &arch, err))
            return false;
        add_arch(command, image, arch);
        return true;
    }
    struct text rest = text_of(command->options.arch), part;
    while (text_next(&rest, ',', &part)) {
        const char *name = text_dup(&command->arena, text_trim(part));
        if (strcmp(name, "all") == 0) {
            if (!add_allowed(command, image, err))
                return false;
            continue;
        }
        if (!arches_find(&command->arches, name, &arch, err)) {
            err_wrap(err, "--arch");
            return false;
        }
        if (image->manifest->has_architectures && !is_allowed(image->manifest, &command->arches, arch)) {
            err_set(err, ERR_USAGE, "%s allows only the architectures %s, not %s", image->manifest->path,
                    strings_join(&command->arena, &image->manifest->architectures, ", "), arch->name);
            return false;
        }
        add_arch(command, image, arch);
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

/* The source of one image: the command's, else the manifest's own, else the host's (read once). */
static bool choose_source(struct command *command, struct batch_image *image, struct err *err)
{
    struct arena *arena = &command->arena;
    const struct yaml_node *node = image->manifest->source;
    bool is_own = node && !command->options.source && !command->options.suite;
    if (!is_own && command->shared) {
        image->source = command->shared;
        return true;
    }
    struct source *source = arena_new(arena, struct source);
    image->source = source;
    if (is_own && node->kind == YAML_SCALAR)
        return source_load_file(arena, beside(arena, image->manifest->path, node->scalar), APT_DIR, source, err);
    if (is_own)
        return source_load_node(arena, node, APT_DIR, source, err);
    command->shared = source;
    if (command->options.source)
        return source_load_file(arena, command->options.source, APT_DIR, source, err);
    return source_load_host(arena, APT_DIR, source, err) &&
           (!command->options.suite || source_replace_suites(arena, source, command->options.suite, err));
}

static bool plan_image(struct command *command, const char *name, struct err *err)
{
    const char *path;
    struct manifest *manifest = arena_new(&command->arena, struct manifest);
    if (!manifest_find(&command->arena, command->options.manifests, name, &path, err) ||
        !manifest_load(&command->arena, path, manifest, err))
        return false;
    for (size_t i = 0; i < command->image_count; i++) {
        if (strcmp(command->images[i].manifest->name, manifest->name) == 0) {
            err_set(err, ERR_USAGE, "image %s is asked for twice: %s and %s", manifest->name,
                    command->images[i].manifest->path, path);
            return false;
        }
    }
    struct batch_image *image = &command->images[command->image_count];
    image->manifest = manifest;
    if (!choose_arches(command, image, err) || !choose_source(command, image, err))
        return false;
    command->image_count++;
    return true;
}

static bool plan_options(struct command *command, struct err *err)
{
    const struct options *options = &command->options;
    struct plant_options *plant = &command->plant_options;
    *plant = (struct plant_options){.cancel = plant->cancel,
                                    .cache_dir = options->cache,
                                    .state_dir = options->state,
                                    .output_dir = options->output,
                                    .tree_dir = options->tree,
                                    .jobs = options->jobs ? (size_t)options->jobs : processor_count(),
                                    .retries = (unsigned)options->retries,
                                    .is_dry_run = options->is_dry_run,
                                    .is_rebuild = options->is_rebuild,
                                    .is_cache_only = options->is_cache_only,
                                    .now = (int64_t)time(NULL)};
    if (!layer_compression_parse(options->compression, &plant->compression)) {
        err_set(err, ERR_USAGE, "--compression is zstd or gzip, not \"%s\"", options->compression);
        return false;
    }
    if (!plant->cache_dir &&
        !places_user_dir(&command->arena, "XDG_CACHE_HOME", ".cache", "/var/cache", &plant->cache_dir, err))
        return false;
    if (!plant->state_dir &&
        !places_user_dir(&command->arena, "XDG_STATE_HOME", ".local/state", "/var/lib", &plant->state_dir, err))
        return false;
    return read_source_date(&plant->source_date_epoch, err);
}

/* Plans everything before anything starts: all mistakes in files are told at once cost nothing. */
static bool plan(struct command *command, struct err *err)
{
    const struct strings *names = &command->options.images;
    if (!names->count) {
        err_set(err, ERR_USAGE, "no image named; try imgfactory --arch all dhcpd, --list or --help");
        return false;
    }
    command->images = arena_new_array(&command->arena, struct batch_image, names->count);
    if (!plan_options(command, err) || !read_data(command, err))
        return false;
    for (size_t i = 0; i < names->count; i++) {
        if (!plan_image(command, names->items[i], err))
            return false;
    }
    return true;
}

static bool list_known(struct command *command, struct err *err)
{
    struct strings names = {0};
    if (!read_data(command, err) || !manifest_names(&command->arena, command->options.manifests, &names, err))
        return false;
    (void)printf("Images (%s):\n", command->options.manifests);
    for (size_t i = 0; i < names.count; i++) {
        const char *path;
        struct manifest manifest = {0};
        struct err broken = {0};
        bool is_good = manifest_find(&command->arena, command->options.manifests, names.items[i], &path, &broken) &&
                       manifest_load(&command->arena, path, &manifest, &broken);
        (void)printf("  %-16s %s\n", names.items[i],
                     !is_good               ? broken.text
                     : manifest.description ? manifest.description
                                            : "");
    }
    (void)printf("Architectures (%s):\n", command->options.arches);
    for (size_t i = 0; i < command->arches.count; i++) {
        const struct arch *arch = &command->arches.items[i];
        (void)printf("  %-16s %s/%s%s%s\n", arch->name, arch->oci_os, arch->oci_architecture,
                     arch->oci_variant ? "/" : "", arch->oci_variant ? arch->oci_variant : "");
    }
    return true;
}

/* Runs the planned batch and prints its report. */
static bool build(struct command *command, enum err_kind *ret_outcome, struct err *err)
{
    struct plant plant;
    struct batch batch;
    if (!plant_open(&command->plant_options, command->log, &plant, err))
        return false;
    batch_init(&batch, command->images, command->image_count);
    struct display *display = command->options.is_quiet ? NULL : display_start(&batch.progress, command->log);
    bool is_run = batch_run(&batch, &plant, err);
    display_stop(display);
    if (is_run) {
        *ret_outcome = batch_outcome(&batch);
        bool is_dry_run = command->options.is_dry_run;
        if (command->options.is_json)
            report_json(stdout, &batch, is_dry_run);
        else if (!command->options.is_quiet && *ret_outcome != ERR_CANCELLED)
            report_table(stdout, &batch, is_dry_run);
    }
    batch_done(&batch);
    plant_close(&plant);
    return is_run;
}

/* Does the work of the call; on false err says why. */
static bool run(struct command *command, int argc, char **argv, enum err_kind *ret_outcome, struct err *err)
{
    if (!options_parse(&command->arena, argc, argv, &command->options, err))
        return false;
    const struct options *options = &command->options;
    if (options->is_help) {
        options_print_help(stdout);
        return true;
    }
    if (options->is_version) {
        (void)printf("imgfactory %s\n", IMGFACTORY_VERSION);
        return true;
    }
    if (options->is_list)
        return list_known(command, err);
    log_close(command->log);
    command->log = log_open(options->is_quiet ? LOG_QUIET : options->is_verbose ? LOG_VERBOSE : LOG_NORMAL);
    return plan(command, err) && build(command, ret_outcome, err);
}

int command_run(int argc, char **argv)
{
    struct command command = {.log = log_open(LOG_NORMAL)};
    struct err err = {0};
    struct signals *signals = NULL;
    enum err_kind outcome = ERR_NONE;
    elf_init();
    bool is_good = signals_start(&signals, &err);
    if (is_good) {
        command.plant_options.cancel = signals_cancel(signals);
        is_good = run(&command, argc, argv, &outcome, &err);
    }
    if (!is_good) {
        outcome = err.kind;
        log_line(command.log, LOG_QUIET, "error: %s", err.text);
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && outcome == ERR_NONE) {
        log_line(command.log, LOG_QUIET, "error: the report could not be written to standard output");
        outcome = ERR_LOCAL;
    }
    int caught = signals_stop(signals);
    log_close(command.log);
    arena_done(&command.arena);
    if (caught && outcome == ERR_CANCELLED)
        signals_die(caught);
    return (int)outcome;
}
