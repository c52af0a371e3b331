/* SPDX-License-Identifier: Apache-2.0 */
#include "line/names.h"

#include "base/auto.h"
#include "base/each.h"
#include "bill/lock.h"
#include "line/names_kept.h"
#include "line/names_program.h"
#include "line/names_text.h"
#include "package/path.h"
#include "plan/rules.h"
#include "source/choose.h"
#include "source/format.h"

#include <unistd.h>

#define WORD_MAX_BYTES 255
#define LISTED_MAX 20 /* packages that an error lists */
#define LED_MAX 4     /* metapackages of metapackages */

/* How a word can be taken. */
enum way { WAY_ANY, WAY_PATH, WAY_COMMAND, WAY_PACKAGE, WAY_UNIT };

/* One name for one architecture. */
struct finding {
    /* given */
    struct plant *plant;
    const struct name_question *question;
    const struct arch *arch;
    const char *word; /* without its prefix */
    enum way way;
    /* found */
    struct arena arena;
    struct catalog *catalog;
    enum way taken; /* WAY_ANY: nothing has the name */
    const char *path, *package, *by, *whole;
    const char *lead;     /* the package to which the one of the name leads, or NULL */
    const char *manifest; /* of the catalogue, that is called like it */
    const char *description;
    bool is_package_needed;
    const char *several; /* why a command is not taken: several packages ship it */
    bool is_path_enough; /* a command has to be in a directory of PATH */
    struct err no_paths; /* why no index of paths was asked */
};

static const struct {
    const char *prefix;
    enum way way;
} prefixes[] = {{"command:", WAY_COMMAND}, {"package:", WAY_PACKAGE}, {"unit:", WAY_UNIT}};

/* Cuts the prefix off. */
static const char *cut_prefix(const char *word, enum way *ret_way)
{
    *ret_way = word[0] == '/' ? WAY_PATH : WAY_ANY;
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        if (text_has_prefix(text_of(word), prefixes[i].prefix)) {
            *ret_way = prefixes[i].way;
            return word + strlen(prefixes[i].prefix);
        }
    }
    return word;
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._+-";
    size_t len = strlen(word);
    return len && len <= WORD_MAX_BYTES && len == strspn(word, plain) && word[0] != '-' && word[0] != '.';
}

/* Directories of packages' programs; a file elsewhere that is there on this machine is a manifest without an ending. */
static bool is_program_path(const char *path)
{
    static const char *const dirs[] = {"/usr/", "/bin/", "/sbin/", "/opt/", "/lib"};
    const char *why = rule_path(path);
    if (why || strlen(path) > PATH_MAX_BYTES)
        return false;
    if (text_has_suffix(text_of(path), ".yaml") || text_has_suffix(text_of(path), ".yml"))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(dirs); i++) {
        if (text_has_prefix(text_of(path), dirs[i]))
            return true;
    }
    return access(path, F_OK) != 0;
}

bool names_is_word(const char *word)
{
    enum way way;
    const char *name = cut_prefix(word, &way);
    return way == WAY_PATH ? is_program_path(name) : is_plain(name);
}

/* Whether the rest of the ways are tried without an index of paths: there is none, or it cannot be had now. */
static bool is_without_paths(struct finding *finding, struct err *err)
{
    bool is_fine = err->kind == ERR_RESOLVE || err->kind == ERR_NETWORK || err->kind == ERR_TRUST;
    if (is_fine) {
        finding->no_paths = *err;
        err_clear(err);
    }
    return is_fine;
}

static const char *list_some(struct arena *arena, const struct strings *names)
{
    struct strings some = *names;
    some.count = some.count > LISTED_MAX ? LISTED_MAX : some.count;
    return arena_printf(arena, "%s%s", strings_join(arena, &some, ", "), names->count > LISTED_MAX ? ", …" : "");
}

/* Without an index of paths: the package that is called like the program, if it ships it. */
static bool find_in_namesake(struct finding *finding, const char *base, struct err *err)
{
    struct names_place place = {finding->plant, finding->catalog, &finding->arena};
    const char *path;
    if (!rule_is_package_name(base) || !catalog_has(finding->catalog, base, false))
        return true;
    if (!names_program_named(&place, base, base, &path, err))
        return false;
    if (!path || (finding->way == WAY_PATH && strcmp(path, finding->path) != 0))
        return true;
    finding->taken = finding->way == WAY_PATH ? WAY_PATH : WAY_COMMAND;
    finding->path = path;
    finding->package = base;
    finding->is_package_needed = true;
    return true;
}

/* Of several packages that ship the path, the one that a manifest would take (source/choose.h). */
static bool choose_owner(struct finding *finding, struct err *err)
{
    struct strings none = {0};
    struct choice choice;
    struct choose_request request = {.path = finding->path,
                                     .image_name = path_basename(finding->path),
                                     .first = &none,
                                     .never = &none,
                                     .is_service = true};
    if (!choose_package(&finding->arena, finding->plant->workers, finding->catalog, &request, &choice, err))
        return false;
    finding->package = choice.package;
    finding->by = arena_printf(&finding->arena, "%s; also shipped by %s, which a manifest takes with packages: first",
                               choice.why, list_some(&finding->arena, &choice.others));
    finding->is_package_needed = true;
    return true;
}

static bool find_path(struct finding *finding, struct err *err)
{
    const char *why, *hint;
    struct strings owners = {0};
    finding->path = path_canonical(&finding->arena, text_of(finding->word), &why);
    if (!catalog_owners(finding->catalog, &finding->arena, finding->path, &owners, &hint, err))
        return is_without_paths(finding, err) && find_in_namesake(finding, path_basename(finding->path), err);
    if (!owners.count) {
        finding->several = hint;
        return true;
    }
    finding->taken = WAY_PATH;
    finding->package = owners.items[0];
    return owners.count == 1 || choose_owner(finding, err);
}

/* The packages of all places, each once. */
static struct strings packages_of(struct arena *arena, const struct locations *locations)
{
    struct strings names = {0};
    for (size_t i = 0; i < locations->count; i++) {
        for (size_t k = 0; k < locations->items[i].packages.count && names.count < 1000; k++) {
            if (!strings_has(&names, locations->items[i].packages.items[k]))
                list_add(arena, &names, locations->items[i].packages.items[k]);
        }
    }
    return names;
}

static bool find_command(struct finding *finding, struct err *err)
{
    struct locations locations = {0};
    if (!catalog_locate(finding->catalog, &finding->arena, finding->word, LOCATED_PROGRAMS, &locations, err))
        return is_without_paths(finding, err) && find_in_namesake(finding, finding->word, err);
    if (finding->is_path_enough && locations.count && !locations.items[0].is_in_path)
        return true;
    struct strings packages = packages_of(&finding->arena, &locations);
    if (packages.count > 1)
        finding->several = arena_printf(&finding->arena, "the command %s is shipped by %s; name one: package:NAME",
                                        finding->word, list_some(&finding->arena, &packages));
    if (packages.count != 1)
        return true;
    struct names_place place = {finding->plant, finding->catalog, &finding->arena};
    struct strings paths = {0};
    for (size_t i = 0; i < locations.count; i++)
        list_add(&finding->arena, &paths, locations.items[i].path);
    bool is_sure = paths.count == 1 && locations.items[0].is_in_path;
    if (!is_sure && !names_program_settle(&place, packages.items[0], &paths, err))
        return false;
    if (!paths.count) /* no program after all */
        return true;
    finding->taken = WAY_COMMAND;
    finding->path = paths.items[0];
    finding->package = packages.items[0];
    return true;
}

/* Whether others ship the program too, so that the package has to be named. */
static bool settle_owner(struct finding *finding, struct err *err)
{
    struct strings owners = {0};
    struct err why = {0};
    finding->is_package_needed = true;
    if (catalog_owners(finding->catalog, &finding->arena, finding->path, &owners, NULL, &why))
        finding->is_package_needed = owners.count != 1;
    else if (!is_without_paths(finding, &why))
        *err = why;
    return err->kind == ERR_NONE;
}

static bool take_program(struct finding *finding, enum way way, const char *package, const char *unit, struct err *err)
{
    struct names_place place = {finding->plant, finding->catalog, &finding->arena};
    struct names_program program = {0};
    if (!names_program_find(&place, package, unit, &program, err))
        return false;
    finding->taken = way;
    finding->path = program.path;
    finding->package = program.package;
    finding->by = program.by;
    finding->whole = program.whole;
    return settle_owner(finding, err);
}

/* Goes from a metapackage to the last package that it leads to, or the first that a manifest is called like. */
static bool follow_lead(struct finding *finding, struct err *err)
{
    struct names_place place = {finding->plant, finding->catalog, &finding->arena};
    const char *at = finding->word;
    for (size_t i = 0; i < LED_MAX && !finding->manifest; i++) {
        const char *next;
        if (!names_program_lead(&place, at, &next, err))
            return false;
        if (!next || !catalog_has(finding->catalog, next, false))
            break;
        at = next;
        if (finding->question->manifests && strings_has(finding->question->manifests, next))
            finding->manifest = next;
    }
    finding->lead = strcmp(at, finding->word) != 0 ? at : NULL;
    return true;
}

/* No package of a metapackage's own stands for a program: the command that is called like the one to which it leads (php:
 * php8.2), or that one's program. */
static bool find_led(struct finding *finding, struct err *err)
{
    const char *word = finding->word;
    struct err why = *err;
    if (!finding->lead)
        return false;
    err_clear(err);
    finding->word = finding->lead;
    bool is_good = find_command(finding, err);
    finding->word = word;
    finding->several = NULL;
    if (!is_good)
        return false;
    if (finding->taken) {
        finding->taken = WAY_PACKAGE;
        return true;
    }
    if (take_program(finding, WAY_PACKAGE, finding->lead, NULL, err))
        return true;
    if (err->kind == ERR_USAGE)
        *err = why;
    return false;
}

static bool find_package(struct finding *finding, struct err *err)
{
    if (!rule_is_package_name(finding->word) || !catalog_has(finding->catalog, finding->word, false))
        return true;
    if (take_program(finding, WAY_PACKAGE, finding->word, NULL, err))
        return true;
    struct err unfollowed = {0};
    if (err->kind != ERR_USAGE)
        return false;
    if (!follow_lead(finding, &unfollowed)) {
        *err = unfollowed;
        return false;
    }
    if (!finding->manifest)
        return find_led(finding, err);
    finding->taken = WAY_PACKAGE;
    err_clear(err);
    return true;
}

/* "nsd.service", its template "nsd@.service" (also for "nsd@main.service"), or with the prefix "nsd" alone, and a script. */
static void list_units(struct finding *finding, struct strings *units)
{
    const char *word = finding->word, *dot = strrchr(word, '.'), *at = strchr(word, '@');
    bool is_unit = dot && strcmp(dot, ".service") == 0;
    if (is_unit)
        list_add(&finding->arena, units, word);
    else if (finding->way == WAY_UNIT)
        list_add(&finding->arena, units, arena_printf(&finding->arena, "%s.service", word));
    if ((is_unit || finding->way == WAY_UNIT)) {
        size_t len = at ? (size_t)(at - word) : is_unit ? (size_t)(dot - word) : strlen(word);
        list_add(&finding->arena, units, arena_printf(&finding->arena, "%.*s@.service", (int)len, word));
        list_add(&finding->arena, units, arena_printf(&finding->arena, "%.*s", (int)len, word));
    }
}

static bool find_unit(struct finding *finding, struct err *err)
{
    struct strings units = {0};
    list_units(finding, &units);
    for (size_t i = 0; i < units.count; i++) {
        struct locations locations = {0};
        if (!catalog_locate(finding->catalog, &finding->arena, units.items[i], LOCATED_SERVICES, &locations, err))
            return is_without_paths(finding, err);
        struct strings packages = packages_of(&finding->arena, &locations);
        if (packages.count > 1)
            finding->several = arena_printf(&finding->arena, "the unit %s is shipped by %s; name one: package:NAME",
                                            units.items[i], list_some(&finding->arena, &packages));
        if (packages.count == 1)
            return take_program(finding, WAY_UNIT, packages.items[0], units.items[i], err);
    }
    return true;
}

static bool describe(struct finding *finding, struct err *err)
{
    struct catalog_package package = {0};
    bool is_found;
    if (!catalog_describe(finding->catalog, &finding->arena, finding->package, &package, &is_found, err))
        return false;
    if (is_found)
        finding->description = package.description;
    return true;
}

static const struct {
    enum way way;
    bool (*find)(struct finding *finding, struct err *err);
} ways[] = {{WAY_PATH, find_path}, {WAY_COMMAND, find_command}, {WAY_PACKAGE, find_package}, {WAY_UNIT, find_unit}};

static const char *way_name(enum way way)
{
    static const char *const names[] = {"", "the program", "the command", "the package", "the unit"};
    return names[way];
}

/* Takes what was found in an earlier run. */
static bool take_kept(struct finding *finding)
{
    struct names_kept kept;
    if (!names_kept_find(finding->plant, finding->catalog, finding->question, &finding->arena, &kept))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        if (strcmp(way_name(ways[i].way), kept.way) == 0)
            finding->taken = ways[i].way;
    }
    finding->path = kept.path;
    finding->package = kept.package;
    finding->by = kept.by;
    finding->whole = kept.whole;
    finding->description = kept.description;
    finding->is_package_needed = *kept.is_package_needed == 'y';
    return finding->taken != WAY_ANY;
}

/* Keeps what was found, unless an index could not be asked that says more. */
static void keep(const struct finding *finding)
{
    struct names_kept kept = {.way = way_name(finding->taken),
                              .path = finding->path,
                              .package = finding->package,
                              .by = finding->by,
                              .whole = finding->whole,
                              .description = finding->description,
                              .is_package_needed = finding->is_package_needed ? "yes" : "no"};
    if (!finding->no_paths.kind)
        names_kept_store(finding->plant, finding->catalog, finding->question, &kept);
}

/* Whether packages of a lock stand in for a repository (source/stand_in.h): others that it had are not known. */
static bool is_blind(const struct finding *finding)
{
    const struct origins *origins = &finding->catalog->origins;
    for (size_t i = 0; finding->plant->options->lock && i < origins->count; i++) {
        if (origins->items[i].is_stand_in)
            return true;
    }
    return false;
}

/* How the word was taken when the lock was written: with others that had the name it could be taken for less then. */
static enum way locked_way(const struct finding *finding)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct lock *lock = finding->plant->options->lock;
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        const char *begin = arena_printf(&scratch, "%s is %s ", finding->question->word, way_name(ways[i].way));
        for (size_t j = 0; j < lock->images.count; j++) {
            if (lock->images.items[j].named && text_has_prefix(text_of(lock->images.items[j].named), begin))
                return ways[i].way;
        }
    }
    return WAY_ANY;
}

/* Goes through the ways. A path is nothing else. */
static bool go_through(struct finding *finding, struct err *err)
{
    if (finding->way == WAY_ANY && is_blind(finding))
        finding->way = locked_way(finding);
    finding->is_path_enough = finding->way == WAY_ANY;
    for (size_t i = 0; i < ARRAY_COUNT(ways) && !finding->taken; i++) {
        bool is_asked = finding->way == WAY_ANY ? ways[i].way != WAY_PATH : finding->way == ways[i].way;
        if (is_asked && !ways[i].find(finding, err))
            return false;
    }
    finding->is_path_enough = false; /* what packages have for themselves comes last */
    return finding->way != WAY_ANY || finding->taken || finding->several || find_command(finding, err);
}

static bool find(void *context, void *item, struct err *err)
{
    struct finding *finding = item;
    (void)context;
    if (plant_is_cancelled(finding->plant, err) ||
        !plant_catalog(finding->plant, finding->question->source, finding->arch, &finding->catalog, err))
        return false;
    if (take_kept(finding))
        return true;
    if (!go_through(finding, err)) {
        err_wrap(err, "%s", finding->question->word);
        return false;
    }
    if (!finding->taken || finding->manifest)
        return true;
    if (!describe(finding, err))
        return false;
    keep(finding);
    return true;
}

/* "the command /usr/sbin/nsd of the package nsd", "the package dbus, whose dbus.service starts /usr/bin/dbus-daemon of the
 * package dbus-daemon". */
static const char *say(struct arena *arena, const struct finding *finding)
{
    const char *package = finding->package;
    if (finding->taken == WAY_ANY)
        return "nothing";
    if (finding->manifest)
        return arena_printf(arena, "%s %s, which leads to the manifest %s of the catalogue", way_name(finding->taken),
                            finding->word, finding->manifest);
    if (finding->taken == WAY_PATH || finding->taken == WAY_COMMAND)
        return arena_printf(arena, "%s %s of the package %s%s%s%s", way_name(finding->taken), finding->path, package,
                            finding->by ? " (" : "", finding->by ? finding->by : "", finding->by ? ")" : "");
    const char *how = finding->taken == WAY_UNIT ? ", which starts"
                      : finding->by              ? arena_printf(arena, ", whose %s starts", finding->by)
                                                 : ", whose program is";
    bool is_own = strcmp(package, finding->word) == 0;
    return arena_printf(arena, "%s %s%s %s%s%s%s%s", way_name(finding->taken), finding->word, how, finding->path,
                        is_own ? "" : " of the package ", is_own ? "" : package, finding->whole ? ", with all of " : "",
                        finding->whole ? finding->whole : "");
}

/* Lower case, digits, and one separator between: what images may be called. */
static const char *image_name(struct arena *arena, const char *path)
{
    const char *base = path_basename(path);
    char *name = arena_alloc(arena, strlen(base) + 1), *to = name;
    for (; *base; base++) {
        char c = *base >= 'A' && *base <= 'Z' ? (char)(*base - 'A' + 'a') : *base;
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (is_letter)
            *to++ = c;
        else if (to > name && to[-1] != '-' && to[-1] != '.' && to[-1] != '_')
            *to++ = c == '.' || c == '_' ? c : '-';
    }
    while (to > name && (to[-1] == '-' || to[-1] == '.' || to[-1] == '_'))
        to--;
    *to = '\0';
    return *name ? name : "image";
}

static const char *places_of(struct arena *arena, const struct name_question *question)
{
    struct strings names = {0};
    for (size_t i = 0; i < question->arch_count; i++)
        list_add(arena, &names, question->arches[i]->name);
    return arena_printf(arena, "%s (%s)", question->source->name, strings_join(arena, &names, ", "));
}

/* Whether others shipped the program, too, when the lock was written: its manifest says so. */
static bool was_package_needed(const struct finding *finding, const struct name_answer *answer)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct lock_image *locked = lock_find_image(finding->plant->options->lock, answer->image, NULL);
    struct name_answer other = *answer;
    other.is_package_needed = true;
    const char *text = names_text(&scratch, &other);
    struct digest digest = digest_of(text, strlen(text));
    return locked && digest_eq(&digest, &locked->manifest);
}

/* Nothing has the name any more that a lock has: the package that had it gave no file, and so is not in the lock. */
static bool fail_gone(struct arena *arena, const struct finding *finding, struct err *err)
{
    const struct run_options *options = finding->plant->options;
    const char *word = finding->question->word, *begin = arena_printf(arena, "%s is ", word);
    for (size_t i = 0; i < options->lock->images.count; i++) {
        const char *named = options->lock->images.items[i].named;
        if (!named || !text_has_prefix(text_of(named), begin))
            continue;
        err_set(err, ERR_NETWORK,
                "%s: what it means cannot be looked up: the index that told it is gone, and no package that %s takes "
                "tells it. It "
                "says: %s (a manifest, as `imgfactory new` prints it, needs no index)",
                word, options->pins->place, text_printable(arena, text_of(named)));
        return false;
    }
    return true;
}

/* Packages whose names have the word as a part of their own, or with a version behind it: default-mysql-server, tomcat10. */
struct alike {
    struct arena *arena;
    struct text word;
    struct strings names;
};

static void take_alike(void *taker, struct text name)
{
    struct alike *alike = taker;
    struct text word = alike->word;
    for (size_t at = 0; at + word.len <= name.len; at++) {
        bool is_begin = !at || name.ptr[at - 1] == '-';
        size_t end = at + word.len;
        while (is_begin && end < name.len && strchr("0123456789.", name.ptr[end]))
            end++;
        if (!is_begin || end < name.len || memcmp(name.ptr + at, word.ptr, word.len) != 0)
            continue;
        const char *found = text_dup(alike->arena, name);
        if (alike->names.count <= LISTED_MAX && !strings_has(&alike->names, found))
            list_add(alike->arena, &alike->names, found);
        return;
    }
}

/* Says what packages could be meant by a name that none has, nor anything else; "" when none is alike. */
static const char *say_alike(struct arena *arena, const struct finding *finding)
{
    struct alike alike = {.arena = arena, .word = text_of(finding->word)};
    bool is_virtual = rule_is_package_name(finding->word) && catalog_has(finding->catalog, finding->word, true);
    if (alike.word.len > 2 && finding->way != WAY_PATH)
        catalog_names(finding->catalog, take_alike, &alike);
    if (is_virtual)
        return arena_printf(arena,
                            "; it is what other packages provide: name one of them (apt-cache showpkg %s or dnf "
                            "repoquery --whatprovides %s lists them)%s%s",
                            finding->word, finding->word, alike.names.count ? ", or of those of like names: " : "",
                            alike.names.count ? list_some(arena, &alike.names) : "");
    return alike.names.count
               ? arena_printf(arena, "; there are packages of like names: %s", list_some(arena, &alike.names))
               : "";
}

/* Nothing has the name, for any architecture. */
static bool fail_unknown(struct arena *arena, const struct name_question *question, const struct finding *finding,
                         struct err *err)
{
    const char *otherwise = question->otherwise ? arena_printf(arena, "; %s", question->otherwise) : "";
    if (is_blind(finding) && !fail_gone(arena, finding, err))
        return false;
    if (finding->several)
        err_set(err, ERR_USAGE, "%s: %s%s", question->word, finding->several, otherwise);
    else if (finding->no_paths.kind)
        err_set(err, ERR_USAGE,
                "unknown image '%s': no manifest and no package has that name, and what ships it cannot be told (%s)%s",
                question->word, finding->no_paths.text, otherwise);
    else
        err_set(err, ERR_USAGE,
                "unknown image '%s': no manifest has that name, and no program, package or unit of %s%s%s",
                question->word, places_of(arena, question), say_alike(arena, finding), otherwise);
    return false;
}

static bool is_same(const struct finding *a, const struct finding *b)
{
    if (!a->taken || !b->taken)
        return a->taken == b->taken;
    if (a->manifest || b->manifest)
        return a->manifest && b->manifest && strcmp(a->manifest, b->manifest) == 0;
    return strcmp(a->path, b->path) == 0 && strcmp(a->package, b->package) == 0 &&
           strcmp(a->whole ? a->whole : "", b->whole ? b->whole : "") == 0;
}

/* Makes one answer of those for all architectures. */
static bool settle(struct arena *arena, const struct name_question *question, const struct finding *findings,
                   struct name_answer *ret_answer, struct err *err)
{
    const struct finding *first = &findings[0];
    bool is_needed = first->is_package_needed;
    for (size_t i = 1; i < question->arch_count; i++) {
        is_needed = is_needed || findings[i].is_package_needed;
        if (is_same(first, &findings[i]))
            continue;
        err_set(err, ERR_RESOLVE, "%s is %s for %s, but %s for %s; one image is the same for all architectures",
                question->word, say(arena, first), first->arch->name, say(arena, &findings[i]), findings[i].arch->name);
        return false;
    }
    if (!first->taken)
        return fail_unknown(arena, question, first, err);
    if (first->manifest) {
        *ret_answer = (struct name_answer){.manifest = arena_strdup(arena, first->manifest),
                                           .said = arena_printf(arena, "%s is %s", question->word, say(arena, first))};
        return true;
    }
    if (!rule_is_package_name(first->package) || (first->whole && !rule_is_package_name(first->whole)) ||
        rule_path(first->path)) {
        err_set(err, ERR_MALFORMED, "%s: an index names the package \"%s\" and the path \"%s\"", question->word,
                text_printable(arena, text_of(first->package)), text_printable(arena, text_of(first->path)));
        return false;
    }
    const char *name = image_name(arena, first->path);
    const char *description = first->description;
    *ret_answer =
        (struct name_answer){.image = name,
                             .said = arena_printf(arena, "%s is %s", question->word, say(arena, first)),
                             .path = arena_strdup(arena, first->path),
                             .package = arena_strdup(arena, first->package),
                             .whole = first->whole ? arena_strdup(arena, first->whole) : NULL,
                             .description = description ? text_shown(arena, description)
                                                        : arena_printf(arena, "%s of the package %s",
                                                                       path_basename(first->path), first->package),
                             .is_package_needed = is_needed};
    if (is_blind(first) && was_package_needed(first, ret_answer))
        ret_answer->is_package_needed = true;
    return true;
}

bool names_resolve(struct plant *plant, struct arena *arena, const struct name_question *questions, size_t count,
                   struct name_answer *answers, struct err *err)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        total += questions[i].arch_count;
    struct finding *findings = arena_new_array(arena, struct finding, total);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < questions[i].arch_count; k++, at++) {
            findings[at] = (struct finding){.plant = plant, .question = &questions[i], .arch = questions[i].arches[k]};
            findings[at].word = cut_prefix(questions[i].word, &findings[at].way);
        }
    }
    struct each_items items = {.items = findings, .count = total, .each_bytes = sizeof *findings};
    bool is_good = each_run(items, find, NULL, err);
    for (size_t i = 0, first = 0; is_good && i < count; first += questions[i].arch_count, i++) {
        is_good = settle(arena, &questions[i], &findings[first], &answers[i], err);
        if (is_good)
            log_line(plant->log, LOG_NORMAL, "%s", answers[i].said);
    }
    for (size_t i = 0; i < total; i++)
        arena_done(&findings[i].arena);
    return is_good;
}
