/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past_find.h"

#include "base/auto.h"
#include "base/map.h"
#include "formats/formats.h"
#include "package/path.h"
#include "past/past_hiding.h"

#define BASES_MAX 16 /* below each other */

/* --- expressions --- */

static const struct {
    const char *sign;
    enum past_relation relation;
} relations[] = {{"<=", PAST_LE}, {">=", PAST_GE}, {"==", PAST_EQ}, {"<<", PAST_LT},
                 {">>", PAST_GT}, {"<", PAST_LT},  {">", PAST_GT},  {"=", PAST_EQ}};

static enum past_relation take_relation(struct text *rest)
{
    for (size_t i = 0; i < ARRAY_COUNT(relations); i++) {
        size_t len = strlen(relations[i].sign);
        if (!text_has_prefix(*rest, relations[i].sign))
            continue;
        *rest = (struct text){rest->ptr + len, rest->len - len};
        return relations[i].relation;
    }
    return PAST_ANY;
}

bool past_version_read(struct arena *arena, const char *text, struct past_version *ret_wanted, struct err *err)
{
    size_t len = strcspn(text, "<>=");
    struct text name = text_trim((struct text){text, len}), rest = text_of(text + len);
    enum past_relation relation = take_relation(&rest);
    struct text version = text_trim(rest);
    bool is_one = !memchr(version.ptr, ' ', version.len) && !memchr(name.ptr, ' ', name.len) &&
                  strcspn(version.ptr, "<>=") >= version.len;
    bool is_good = name.len && is_one && (relation == PAST_ANY) == (version.len == 0);
    if (!is_good) {
        err_set(err, ERR_USAGE,
                "--package='%s' is neither the name of a package nor a name and a version: 'openssl < 3.0.17' (or =, "
                "<=, >, >=)",
                text_printable(arena, text_of(text)));
        return false;
    }
    *ret_wanted = (struct past_version){
        .name = text_dup(arena, name), .relation = relation, .version = version.len ? text_dup(arena, version) : NULL};
    return true;
}

static bool is_named(const char *wanted, const char *name)
{
    return path_is_glob(wanted) ? path_matches(wanted, name) : strcmp(wanted, name) == 0;
}

/* The version without what is behind its last '-'. */
static const char *without_release(struct arena *arena, const char *version)
{
    const char *dash = strrchr(version, '-');
    return dash ? arena_strndup(arena, version, (size_t)(dash - version)) : version;
}

static bool holds(const struct past_version *wanted, const char *version, const char *format_name)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct format *format = *format_name ? formats_find(format_name) : formats_at(0);
    if (wanted->relation == PAST_ANY)
        return true;
    if (!format || !*version)
        return false;
    if (format->is_release_free && !strchr(wanted->version, '-'))
        version = without_release(&scratch, version);
    int order = format->compare_versions(version, wanted->version);
    switch (wanted->relation) {
    case PAST_EQ:
        return order == 0;
    case PAST_LT:
        return order < 0;
    case PAST_LE:
        return order <= 0;
    case PAST_GT:
        return order > 0;
    case PAST_GE:
        return order >= 0;
    case PAST_ANY:
    default:
        return true;
    }
}

bool past_version_has(const struct past_version *wanted, const struct past_package *package)
{
    return (is_named(wanted->name, package->name) && holds(wanted, package->version, package->format)) ||
           (is_named(wanted->name, package->source) && holds(wanted, package->source_version, package->format));
}

/* --- one platform --- */

/* One platform under question: what its own bill has hides what its bases have. */
struct asking {
    struct arena *arena;   /* of the answer */
    struct arena *scratch; /* of the platform */
    const struct past_wanted *wanted;
    struct past_hit *hit;
    struct map packages, paths; /* of bills above the one that is looked at; empty maps where there is no base */
    struct map told;
    bool has_soname, has_package, has_file;
};

static void take(struct asking *asking, const char *what, bool *has)
{
    *has = true;
    if (map_get(&asking->told, text_of(what)) || asking->hit->what.count >= PAST_HIT_MAX)
        return;
    const char *kept = arena_strdup(asking->arena, what);
    map_set(&asking->told, text_of(kept), (void *)kept);
    list_add(asking->arena, &asking->hit->what, kept);
}

static void look_at_package(struct asking *asking, const struct past_package *package)
{
    const struct past_version *wanted = asking->wanted->package;
    if (!wanted || !package->has_given || map_get(&asking->packages, text_of(package->name)) ||
        !past_version_has(wanted, package))
        return;
    bool is_source = *package->source && strcmp(package->source, package->name) != 0;
    take(asking,
         arena_printf(asking->scratch, "%s %s%s%s%s", package->name, package->version, is_source ? " (source " : "",
                      is_source ? arena_printf(asking->scratch, "%s %s", package->source, package->source_version) : "",
                      is_source ? ")" : ""),
         &asking->has_package);
}

static void look_at_file(struct asking *asking, const struct past_file *file)
{
    const struct past_wanted *wanted = asking->wanted;
    bool is_library = wanted->soname && *file->soname && is_named(wanted->soname, file->soname);
    bool is_file = wanted->file && (path_is_glob(wanted->file) ? path_matches(wanted->file, file->path)
                                                               : strcmp(wanted->file, file->path) == 0);
    if ((!is_library && !is_file) || past_is_whiteout(file->path) ||
        past_is_hidden(asking->scratch, &asking->paths, file->path, file->kind))
        return;
    if (is_library)
        take(asking, arena_printf(asking->scratch, "%s %s", file->soname, file->path), &asking->has_soname);
    if (is_file)
        take(asking, file->path, &asking->has_file);
}

/* Goes through one bill, then notes what hides the bases' of it. */
static void look_at_bill(struct asking *asking, const struct past_bill *bill)
{
    struct past_package package;
    struct past_file file;
    enum past_item item;
    for (struct text rest = bill->items; (item = past_bill_next(&rest, &package, &file)) != PAST_END;)
        item == PAST_PACKAGE ? look_at_package(asking, &package) : look_at_file(asking, &file);
    for (struct text rest = bill->items;
         bill->base_name && (item = past_bill_next(&rest, &package, &file)) != PAST_END;) {
        if (item == PAST_FILE)
            past_hide(&asking->paths, arena_strdup(asking->scratch, file.path), file.kind);
        else if (package.has_given)
            map_set(&asking->packages, text_of(arena_strdup(asking->scratch, package.name)), asking);
    }
}

/* Notes that something could not be looked at. */
static void note_unknown(struct asking *asking, const char *image, const char *base, struct strings *unknown)
{
    list_add(asking->arena, unknown,
             base ? arena_printf(asking->arena, "%s: what it stands on, %s", image, base) : image);
}

/* Asks a platform and what it stands on; returns whether it has all that is wanted. */
static bool ask_platform(struct asking *asking, const char *state_dir, const struct past_record *record,
                         const struct past_platform *platform, struct strings *unknown)
{
    const char *image = arena_printf(asking->arena, "%s for %s", record->name, platform->arch), *base = NULL;
    struct digest manifest = platform->manifest;
    bool has_base = true;
    for (int depth = 0; has_base && depth < BASES_MAX; depth++) {
        AUTO(past_bill_close) struct past_bill bill = {0};
        has_base = past_open_bill(state_dir, &manifest, &bill);
        if (!has_base) {
            note_unknown(asking, image, base, unknown);
            break;
        }
        look_at_bill(asking, &bill);
        has_base = bill.base_name != NULL;
        base = has_base ? arena_strdup(asking->arena, bill.base_name) : NULL;
        manifest = bill.base;
    }
    const struct past_wanted *wanted = asking->wanted;
    return (!wanted->soname || asking->has_soname) && (!wanted->package || asking->has_package) &&
           (!wanted->file || asking->has_file);
}

static void ask_record(struct arena *arena, const char *state_dir, const struct past_record *record, bool is_newest,
                       const struct past_wanted *wanted, struct past_answer *answer)
{
    struct past_found found = {.record = record, .is_newest = is_newest};
    for (size_t i = 0; i < record->platforms.count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        struct past_hit hit = {.platform = &record->platforms.items[i]};
        struct asking asking = {.arena = arena, .scratch = &scratch, .wanted = wanted, .hit = &hit};
        asking.packages.arena = asking.paths.arena = asking.told.arena = &scratch;
        if (ask_platform(&asking, state_dir, record, hit.platform, &answer->unknown))
            list_add(arena, &found.hits, hit);
    }
    answer->asked++;
    if (found.hits.count)
        list_add(arena, &answer->found, found);
}

void past_find(struct arena *arena, const char *state_dir, const struct past_images *images,
               const struct past_wanted *wanted, struct past_answer *ret_answer)
{
    *ret_answer = (struct past_answer){0};
    for (size_t i = 0; i < images->count; i++) {
        for (size_t k = 0; k < images->items[i].nights.count; k++)
            ask_record(arena, state_dir, &images->items[i].nights.items[k], k == 0 && !images->items[i].is_replaced,
                       wanted, ret_answer);
    }
}
