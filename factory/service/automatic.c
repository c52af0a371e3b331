/* SPDX-License-Identifier: Apache-2.0 */
#include "service/automatic.h"

#include "effect/script_wishes.h"
#include "service/configuration.h"
#include "service/module_data.h"
#include "service/references.h"
#include "service/running.h"
#include "service/shells.h"
#include "service/signs.h"
#include "service/unmet.h"
#include "source/catalog.h"

#define SIBLINGS_LISTED_MAX 50

/* What all parts work on. */
struct finding {
    struct arena *arena;
    const struct automatic_request *request;
    struct own own;
    struct automatic *found;
};

/* The configuration as it is packaged, and the places for state. */
static bool find_configuration(struct finding *finding, struct err *err)
{
    (void)err;
    configuration_find(finding->arena, finding->request, &finding->own, &finding->found->wishes);
    return true;
}

/* How the first binary is run, as its unit or init script says it. */
static bool find_unit(struct finding *finding, struct err *err)
{
    const struct automatic_request *request = finding->request;
    struct automatic *found = finding->found;
    struct running running;
    if (!finding->own.main)
        return true;
    struct running_question question = {
        .packaged = {request->set, finding->own.packages.items, finding->own.packages.count},
        .program = request->manifest->binaries.items[0],
        .source = own_source(request, finding->own.main->name),
        .foregrounds = request->foregrounds,
        .made = request->wishes};
    if (!running_find(finding->arena, &question, &running, err))
        return false;
    found->config = running.config;
    found->wishes = wishes_merge(finding->arena, &found->wishes, &running.wishes);
    for (size_t i = 0; i < running.notes.count; i++)
        list_add(finding->arena, &found->notes, running.notes.items[i]);
    return true;
}

/* Returns whether a package gives files to the image, and is none that describes a whole system. */
static bool gives(const struct finding *finding, const struct package *package)
{
    const struct keep *keep = finding->request->keep;
    const struct family *family = finding->request->set->family;
    bool is_giver = false;
    for (size_t i = 0; i < keep->count && !is_giver; i++)
        is_giver = keep->items[i].file->package == package && keep->items[i].file->entry->kind != ENTRY_DIRECTORY;
    return is_giver && !(family && strings_has(&family->whole_system, package->name));
}

/* What scripts would have done: of other packages that give files, then of the own ones, which are installed last. */
static bool find_scripts(struct finding *finding, struct err *err)
{
    (void)err;
    struct arena *arena = finding->arena;
    struct automatic *found = finding->found;
    const struct fileset *set = finding->request->set;
    const struct package **packages = arena_new_array(arena, const struct package *, set->package_count + 1);
    struct script_wishes_request request = {.packages = packages, .set = set};
    struct wishes wishes;
    struct strings notes;
    for (size_t i = 0; i < set->package_count; i++) {
        if (!own_has(&finding->own, set->packages[i]) && gives(finding, set->packages[i]))
            packages[request.other_count++] = set->packages[i];
    }
    for (size_t i = 0; i < set->package_count; i++) {
        if (own_has(&finding->own, set->packages[i]))
            packages[request.other_count + request.own_count++] = set->packages[i];
    }
    script_wishes_find(arena, &request, &wishes, &notes);
    found->wishes = wishes_merge(arena, &found->wishes, &wishes);
    for (size_t i = 0; i < notes.count; i++)
        list_add(arena, &found->notes, notes.items[i]);
    return true;
}

/* Plug-ins, helpers and data that the service's files name, and features whose signs they show. */
static bool find_plugins(struct finding *finding, struct err *err)
{
    const struct manifest_config *config = &finding->found->config;
    struct strings command = {0};
    for (size_t i = 0; i < config->entrypoint.count; i++)
        list_add(finding->arena, &command, config->entrypoint.items[i]);
    for (size_t i = 0; i < config->cmd.count; i++)
        list_add(finding->arena, &command, config->cmd.items[i]);
    const struct wishes *wishes = &finding->found->wishes;
    for (size_t i = 0; i < wishes->env.count; i++)
        list_add(finding->arena, &command, wishes->env.items[i].value);
    struct modest own, others;
    modest_prepare(finding->arena, finding->request, &finding->own, false, &own);
    modest_prepare(finding->arena, finding->request, &finding->own, true, &others);
    if (!references_find(&own, &command, finding->found, err))
        return false;
    signs_find(&others, finding->found);
    return true;
}

/* Libraries and modules of what runs the service's scripts. */
static bool find_interpreters(struct finding *finding, struct err *err)
{
    (void)err;
    interpreted_find(finding->arena, finding->request, &finding->own, &finding->found->wishes, &finding->found->notes);
    module_data_find(finding->arena, finding->request, &finding->own, &finding->found->wishes);
    return true;
}

/* The tools of its shell scripts. */
static bool find_shells(struct finding *finding, struct err *err)
{
    (void)err;
    shells_find(finding->arena, finding->request, &finding->own, &finding->found->wishes, &finding->found->names,
                &finding->found->notes);
    return true;
}

/* Whether every system of the distribution has the user, who then is as it says. */
static bool family_has_user(const struct family *family, const char *name)
{
    return strcmp(name, "nobody") == 0 || (family && wishes_has_user(&family->skeleton, name));
}

static bool wants_group(const struct wishes *wishes, const char *name)
{
    for (size_t i = 0; i < wishes->groups.count; i++) {
        if (strcmp(wishes->groups.items[i].name, name) == 0)
            return true;
    }
    return false;
}

/* The home of a user whom nobody describes: that of a person, who writes there. */
static void make_home(struct finding *finding, const char *name, const char *primary, const char *home,
                      const char *giver)
{
    list_add(finding->arena, &finding->found->wishes.made,
             ((struct wish_made){.kind = MADE_DIRECTORY,
                                 .path = home,
                                 .mode = 0700,
                                 .owner = name,
                                 .group = primary,
                                 .is_automatic = true,
                                 .giver = giver}));
}

/* Whom the service runs as is an account of the image even when the package that makes it is not selected, as postgres is
 * for pgbouncer, or when it is the administrator's (User=%i). Everybody who knows the account wins. */
static void complete_user(struct finding *finding)
{
    struct arena *arena = finding->arena;
    struct wishes *wishes = &finding->found->wishes;
    struct text group = text_of(finding->found->config.user ? finding->found->config.user : ""), user;
    uint64_t number;
    if (!text_next(&group, ':', &user) || !user.len || text_parse_u64(user, &number) || text_is(user, "root"))
        return;
    const char *name = text_dup(arena, user), *primary = group.len ? text_dup(arena, group) : name;
    static const char giver[] = "the user that the service runs as";
    if (!wants_group(wishes, primary) && !text_parse_u64(text_of(primary), &number) && strcmp(primary, "root") != 0)
        list_add(arena, &wishes->groups,
                 ((struct wish_group){.name = primary, .gid = WISH_NUMBER_FREE, .is_automatic = true, .giver = giver}));
    if (wishes_has_user(wishes, name))
        return;
    const char *home = arena_printf(arena, "/home/%s", name);
    list_add(arena, &wishes->users,
             ((struct wish_user){.name = name,
                                 .comment = "",
                                 .home = home,
                                 .shell = "/usr/sbin/nologin",
                                 .uid = WISH_NUMBER_FREE,
                                 .group = primary,
                                 .is_automatic = true,
                                 .giver = giver}));
    if (!family_has_user(finding->request->set->family, name))
        make_home(finding, name, primary, home, giver);
}

/* Whether a package is for those who build or debug programs, or read: by the endings that Debian and Fedora give them. */
static bool is_for_people(const char *name)
{
    static const char *const endings[] = {"-dev", "-devel", "-doc", "-dbg", "-debuginfo"};
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        if (text_has_suffix(text_of(name), endings[i]))
            return true;
    }
    return false;
}

/* Names the packages that build on the service's and that nobody asked for: a plug-in of one of them may be what the
 * administrator's configuration wants, and nothing in the service's own packages says so. */
static void note_siblings(struct finding *finding)
{
    struct arena *arena = finding->arena;
    const struct siblings *siblings = finding->request->siblings;
    struct strings names = {0};
    for (size_t i = 0; siblings && i < siblings->count; i++) {
        const struct sibling *sibling = &siblings->items[i];
        if (sibling->is_dependent && !own_source(finding->request, sibling->name) && !is_for_people(sibling->name))
            list_add(arena, &names, sibling->name);
    }
    size_t more = names.count > SIBLINGS_LISTED_MAX ? names.count - SIBLINGS_LISTED_MAX : 0;
    names.count -= more;
    if (names.count)
        list_add(
            arena, &finding->found->notes,
            arena_printf(arena,
                         "packages of the same source that build on it and are not in the image: %s%s; what one of "
                         "them adds comes with `packages: {install: [NAME]}`",
                         strings_join(arena, &names, ", "), more ? arena_printf(arena, " and %zu more", more) : ""));
}

/* What an image starts when nothing says more: the first binary. */
static void complete_config(struct finding *finding)
{
    const struct strings *binaries = &finding->request->manifest->binaries;
    struct manifest_config *config = &finding->found->config;
    if (!config->entrypoint.count && binaries->count)
        list_add(finding->arena, &config->entrypoint, binaries->items[0]);
}

bool automatic_find(struct arena *arena, const struct automatic_request *request, struct automatic *ret_found,
                    struct err *err)
{
    static const struct {
        enum automatic_part part;
        bool (*find)(struct finding *finding, struct err *err);
    } parts[] = {
        {AUTOMATIC_CONFIGURATION, find_configuration},
        {AUTOMATIC_UNIT, find_unit},
        {AUTOMATIC_SCRIPTS, find_scripts},
        {AUTOMATIC_PLUGINS, find_plugins},
        {AUTOMATIC_INTERPRETERS, find_interpreters},
        {AUTOMATIC_SHELLS, find_shells},
    };
    *ret_found = (struct automatic){0};
    struct finding finding = {.arena = arena, .request = request, .found = ret_found};
    own_find(arena, request, &finding.own);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (request->manifest->automatic[parts[i].part] && !parts[i].find(&finding, err))
            return false;
    }
    if (request->manifest->automatic[AUTOMATIC_UNIT]) {
        complete_config(&finding);
        complete_user(&finding);
    }
    if (request->manifest->automatic[AUTOMATIC_PACKAGES])
        note_siblings(&finding);
    if (request->manifest->automatic[AUTOMATIC_PLUGINS])
        unmet_find(arena, request, &finding.own, ret_found);
    return true;
}

static bool same_config(const struct manifest_config *a, const struct manifest_config *b)
{
    return strings_same(&a->entrypoint, &b->entrypoint) && strings_same(&a->cmd, &b->cmd) &&
           strings_same(&a->ports, &b->ports) && strings_same(&a->volumes, &b->volumes) &&
           text_same(a->user, b->user) && text_same(a->working_dir, b->working_dir) &&
           text_same(a->stop_signal, b->stop_signal);
}

bool automatic_same(const struct automatic *a, const struct automatic *b)
{
    return wishes_same(&a->wishes, &b->wishes) && same_config(&a->config, &b->config) &&
           strings_same(&a->libraries, &b->libraries) && strings_same(&a->notes, &b->notes);
}

struct manifest_config automatic_config(const struct manifest_config *manifest, const struct manifest_config *found)
{
    struct manifest_config config = *manifest;
    if (!config.entrypoint.count && !config.cmd.count) {
        config.entrypoint = found->entrypoint;
        config.cmd = found->cmd;
    }
    config.contract = config.contract ? config.contract : found->contract;
    config.user = config.user ? config.user : found->user;
    config.working_dir = config.working_dir ? config.working_dir : found->working_dir;
    config.stop_signal = config.stop_signal ? config.stop_signal : found->stop_signal;
    config.ports = config.ports.count ? config.ports : found->ports;
    config.volumes = config.volumes.count ? config.volumes : found->volumes;
    return config;
}
