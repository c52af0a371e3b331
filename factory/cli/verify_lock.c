/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify_lock.h"

#include "base/date.h"
#include "bill/bill.h"
#include "bill/lock_bill.h"
#include "cli/build.h"
#include "io/http.h"
#include "sbom/hold.h"
#include "trust/keyring.h"

/* A lock, while it is held. */
struct lock_holding {
    struct arena *arena;
    const struct rebuild_plan *plan;
    struct verify_lock *result;
};

static void note(const struct lock_holding *holding, const char *sentence)
{
    if (!strings_has(&holding->result->unverified, sentence))
        list_add(holding->arena, &holding->result->unverified, sentence);
}

/* Notes whose signature holds of a generation, or that none does. */
static void note_origin(const struct lock_holding *holding, const struct origin *origin)
{
    struct arena *arena = holding->arena;
    const char *name = text_printable(arena, text_of(origin_identity(origin)));
    const char *line = arena_printf(arena, "%s (%s), signed by %s", name, date_print(origin->date).chars,
                                    origin->signed_by ? origin->signed_by : "");
    if (!origin->signed_by)
        note(holding, arena_printf(arena, "metadata of %s, which have no signature that is asked for", name));
    else if (!strings_has(&holding->result->repositories, line))
        list_add(arena, &holding->result->repositories, line);
}

static bool has_origin(const struct catalog *catalog, struct arena *arena, const struct lock_source *source)
{
    for (size_t i = 0; i < catalog->origins.count; i++) {
        const struct pin *pin = &catalog->origins.items[i].pin;
        if (pin->uri && strcmp(source_public_uri(arena, pin->uri), source->uri) == 0 &&
            strcmp(pin->suite, source->suite) == 0)
            return true;
    }
    return false;
}

/* Whether anything of it is for the architecture: RPM repositories have often one for each. */
static bool is_for(const struct lock *lock, const struct lock_source *source, const char *arch)
{
    for (size_t i = 0; i < lock->indices.count; i++) {
        const struct lock_index *index = &lock->indices.items[i];
        if (strcmp(index->arch, arch) == 0 && strcmp(index->uri, source->uri) == 0 &&
            strcmp(index->suite, source->suite) == 0)
            return true;
    }
    return false;
}

/* Whether the source has all repositories of the lock that packages for this architecture can be from. */
static bool has_all(const struct lock_holding *holding, const struct lock *lock, const struct catalog *catalog)
{
    bool are_there = true;
    for (size_t i = 0; i < lock->sources.count; i++) {
        const struct lock_source *source = &lock->sources.items[i];
        if (!*source->from || !is_for(lock, source, catalog->arch->name) || has_origin(catalog, holding->arena, source))
            continue;
        are_there = false;
        note(holding, arena_printf(holding->arena,
                                   "packages of %s of %s against its indices: the source that is used here does not "
                                   "have it (--source names another)",
                                   text_printable(holding->arena, text_of(source->suite)),
                                   text_printable(holding->arena, text_of(source->uri))));
    }
    return are_there;
}

static void hold_listed(const struct lock_holding *holding, const struct lock *lock, const struct catalog *catalog,
                        struct hold_faults *faults)
{
    for (size_t i = 0; i < lock->packages.count; i++) {
        const struct lock_package *package = &lock->packages.items[i];
        if (strcmp(package->arch, catalog->arch->name) != 0 ||
            !strings_has(&package->images, holding->plan->made.image))
            continue;
        const struct pin_package wanted = {.name = package->name,
                                           .version = package->version,
                                           .architecture = package->architecture,
                                           .digest = package->digest};
        if (catalog_lists(catalog, &wanted))
            holding->result->package_count++;
        else
            hold_add(holding->arena, faults,
                     arena_printf(holding->arena,
                                  "package %s %s for %s is in none of the indices that it names, with "
                                  "these bytes",
                                  text_printable(holding->arena, text_of(package->name)),
                                  text_printable(holding->arena, text_of(package->version)), package->arch));
    }
}

/* What was not looked at. */
static void drop_left_out(struct lock *now)
{
    size_t kept = 0;
    for (size_t i = 0; i < now->sources.count; i++) {
        if (*now->sources.items[i].from)
            now->sources.items[kept++] = now->sources.items[i];
    }
    now->sources.count = kept;
}

static bool take(void *taker, const struct lock *lock, struct catalog *catalog, struct err *err)
{
    const struct lock_holding *holding = taker;
    struct arena *arena = holding->arena;
    struct lock now = {0};
    struct strings lines;
    struct hold_faults faults = {0};
    lock_add_bill_source(arena, &now, bill_source_of(arena, &catalog->origins), catalog->arch->name);
    drop_left_out(&now);
    lock_source_differences(arena, lock, &now, &lines);
    for (size_t i = 0; i < lines.count; i++)
        hold_add(arena, &faults, lines.items[i]);
    for (size_t i = 0; i < catalog->origins.count; i++)
        note_origin(holding, &catalog->origins.items[i]);
    if (has_all(holding, lock, catalog))
        hold_listed(holding, lock, catalog, &faults);
    if (faults.count)
        err_set(err, ERR_TRUST, "%s", hold_print(arena, &faults));
    return !faults.count;
}

/* What was not to be had, or read, says nothing about the lock. */
static bool is_lie(const struct err *err)
{
    bool is_silent = err->detail == KEYRING_LACKS || err->detail == HTTP_DETAIL_PLACE;
    return (err->kind == ERR_TRUST && !is_silent) || err->kind == ERR_MALFORMED;
}

bool verify_lock(struct command *command, struct rebuild_plan *plan, const char *dir, struct verify_lock *ret_result,
                 struct err *err)
{
    struct lock_holding holding = {&command->arena, plan, ret_result};
    *ret_result = (struct verify_lock){.from = plan->lock.len ? plan->lock_of : NULL};
    if (!plan->lock.len) {
        if (plan->is_known)
            note(&holding, "its packages against signed indices: there is no lock");
        return true;
    }
    const struct options *options = &command->options;
    if (plan->is_stranger && !options->source && !options->suite && !options->config_root) {
        /* A stranger's document must not make this machine ask whatever it names. */
        note(&holding,
             arena_printf(&command->arena,
                          "%s against signed indices: nobody that is known says what it names, so that is not "
                          "asked for (--key, or --source)",
                          plan->lock_of));
        return true;
    }
    if (rebuild_prepare_lock(command, plan, dir, err) && build_locked_catalogs(command, take, &holding, err))
        return true;
    if (err->kind == ERR_CANCELLED)
        return false;
    if (is_lie(err))
        ret_result->why = arena_strdup(&command->arena, err->text);
    else
        note(&holding, arena_printf(&command->arena, "%s against the signed indices that it names: %s", plan->lock_of,
                                    err->text));
    err_clear(err);
    return true;
}
