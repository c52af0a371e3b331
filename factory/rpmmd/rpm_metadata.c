/* SPDX-License-Identifier: Apache-2.0 */
/* From a configured RPM-MD repository to a frozen struct rpm_metadata: list the mirrors, get repomd.xml from the first
 * that has one which can be accepted, check its signature and age, remember it. What was accepted last is kept by
 * release_state.h, under the repository's first URL and the name "repomd.xml". */
#include "rpmmd/rpm_metadata.h"

#include "base/auto.h"
#include "rpmmd/repomd.h"
#include "rpmmd/rpm_mirrors.h"
#include "rpmmd/rpm_stand_in.h"
#include "trust/freshness.h"
#include "trust/gpgv.h"
#include "trust/remembered_names.h"
#include "trust/small_file.h"

#define SIGNATURE_MAX_BYTES (1u << 20)

const struct freshness_rule rpm_freshness[] = {
    {NULL, "*updates*", 14},
    {NULL, "*security*", 14},
    {NULL, "fedora*", 0}, /* as it was on its first day */
    {NULL, NULL, 120},
};

/* One repository being got; all memory in the caller's arena. */
struct getting {
    const struct source_env *env;
    struct arena *arena;
    struct rpm_place place;
    struct keyrings *keyrings;       /* NULL without any check of signatures */
    struct repository remembered;    /* what release_state.h knows it by */
    const struct release_mark *mark; /* what was accepted last, or NULL */
    const struct pin *pin;           /* what a lock wants of it, or NULL */
};

/* A repomd.xml as it came; owns its bytes. */
struct fetched {
    const char *base_url; /* of the mirror */
    const char *url;      /* for messages: without user info */
    struct buf file, signature;
};

static void fetched_done(struct fetched *fetched)
{
    buf_done(&fetched->file);
    buf_done(&fetched->signature);
}

static bool fetch_from(const struct getting *getting, const char *base_url, struct small_file_haste haste,
                       struct fetched *fetched, struct err *err)
{
    struct arena *arena = getting->arena;
    const char *url = arena_printf(arena, "%srepodata/repomd.xml", base_url);
    bool is_absent;
    *fetched = (struct fetched){.base_url = base_url, .url = source_public_uri(arena, url)};
    if (!small_file_get(getting->env, url, REPOMD_MAX_BYTES, haste, &fetched->file, &is_absent, err))
        return false;
    if (!getting->place.repository->is_repo_gpg_checked)
        return true;
    const char *signature_url = arena_printf(arena, "%s.asc", url);
    if (small_file_get(getting->env, signature_url, SIGNATURE_MAX_BYTES, haste, &fetched->signature, &is_absent, err))
        return true;
    if (is_absent) {
        err_clear(err);
        err_set(err, ERR_TRUST, "%s is not signed (there is no repomd.xml.asc beside it), and repo_gpgcheck is set",
                fetched->url);
        err->detail = KEYRING_LACKS;
    }
    return false;
}

/* Checks the detached signature; *ret_signed_by stays NULL when none is wanted. */
static bool check_signature(const struct getting *getting, const struct fetched *fetched, const char **ret_signed_by,
                            struct err *err)
{
    struct gpgv_verdict verdict;
    struct strings any_key = {0};
    if (!getting->place.repository->is_repo_gpg_checked)
        return true;
    if (!gpgv_run(getting->arena, getting->keyrings, buf_text(&fetched->file), buf_text(&fetched->signature), &any_key,
                  &verdict, err))
        return false;
    *ret_signed_by = verdict.signed_by;
    if (verdict.signed_by)
        return true;
    err_set(err, ERR_TRUST, "%s is refused: %s; keys were looked for in %s", fetched->url,
            gpgv_reasons(getting->arena, &verdict), strings_join(getting->arena, &getting->keyrings->places, ", "));
    err->detail = verdict.has_bad ? 0 : KEYRING_LACKS;
    return false;
}

/* The repository as it is called whichever mirror answers. */
static const char *identity_of(const struct getting *getting)
{
    const struct rpm_place *place = &getting->place;
    const char *uri = source_public_uri(getting->arena, place->identity);
    bool is_open = place->base_urls.count && !text_has_suffix(text_of(uri), "/");
    return arena_printf(getting->arena, "%s of %s%s", place->repository->id, uri, is_open ? "/" : "");
}

/* Makes the metadata of what was believed. */
static struct rpm_metadata *make(const struct getting *getting, const struct fetched *fetched,
                                 const struct repomd *repomd, const struct release_names *names, const char *signed_by)
{
    const struct rpm_repository *repository = getting->place.repository;
    struct rpm_metadata *metadata = arena_new(getting->arena, struct rpm_metadata);
    *metadata = (struct rpm_metadata){.repository = repository};
    metadata->origin = (struct origin){
        .access = repository->access,
        .name = arena_printf(getting->arena, "%s of %s", repository->id,
                             source_public_uri(getting->arena, fetched->base_url)),
        .identity = identity_of(getting),
        .uri = fetched->base_url,
        .date = repomd->date,
        .digest = digest_of(fetched->file.bytes, fetched->file.len),
        .generations = getting->env->generations,
        .distribution = repomd->distribution,
        .version = repomd->version,
        .is_security = strcasestr(repository->id, "security") != NULL,
        .signed_by = signed_by,
        .keys = getting->keyrings ? getting->place.gpg_keys : (struct strings){0},
        .package_keys = repository->is_gpg_checked ? getting->keyrings : NULL,
    };
    metadata->remembered = getting->remembered;
    metadata->former = getting->mark;
    metadata->mark = (struct release_mark){.has_names = true, .names = *names};
    for (size_t i = 0; i < repomd->files.count; i++)
        list_add(getting->arena, &metadata->files, repomd->files.items[i]);
    return metadata;
}

/* What its tags say: distro, its CPE names, content, repo. */
static struct release_names names_of(struct arena *arena, const struct repomd *repomd)
{
    const struct strings *tags[] = {&repomd->distros, &repomd->cpes, &repomd->contents, &repomd->repos};
    struct release_names names = {{0}};
    for (size_t i = 0; i < RELEASE_NAMES_COUNT; i++)
        names.values[i] = tags[i]->count ? remembered_names_form(arena, strings_join(arena, tags[i], ", ")) : NULL;
    return names;
}

/* Believes, reads and checks what was fetched. */
static bool accept_repomd(const struct getting *getting, const struct fetched *fetched,
                          struct rpm_metadata **ret_metadata, struct err *err)
{
    struct repomd repomd;
    const char *signed_by = NULL;
    if (!check_signature(getting, fetched, &signed_by, err) ||
        !repomd_parse(getting->arena, fetched->url, buf_text(&fetched->file), &repomd, err))
        return false;
    static const char *const titles[RELEASE_NAMES_COUNT] = {"distro", "cpeid", "content", "repo"};
    struct dated dated = {.what = "repomd.xml", .titles = titles, .uri = fetched->base_url, .date = repomd.date};
    struct release_names names = names_of(getting->arena, &repomd);
    if ((!getting->pin &&
         !release_check_date(getting->env, getting->arena, &getting->remembered, &dated, getting->mark, err)) ||
        !remembered_names_check(getting->env, getting->arena, &getting->remembered, &dated, &names, getting->mark, err))
        return false;
    *ret_metadata = make(getting, fetched, &repomd, &names, signed_by);
    return true;
}

/* Asks one mirror. Its repomd.xml must be one that the metalink (when there is one) knows. */
static bool get_from(const struct getting *getting, const struct rpm_mirrors *mirrors, const char *base_url,
                     struct fetched *fetched, struct rpm_metadata **ret_metadata, struct err *err)
{
    size_t count = mirrors->base_urls.count;
    struct small_file_haste haste = {.is_tried_once = count > 1 || getting->place.repository->is_optional,
                                     .is_other_there = strcmp(base_url, mirrors->base_urls.items[count - 1]) != 0};
    if (!fetch_from(getting, base_url, haste, fetched, err))
        return false;
    if (mirrors->has_metalink && !metalink_has(&mirrors->metalink, buf_text(&fetched->file))) {
        err_set(err, ERR_TRUST, "%s has no hash of the metalink: the mirror is stale or broken", fetched->url);
        return false;
    }
    if (!accept_repomd(getting, fetched, ret_metadata, err))
        return false;
    if (!generations_is_lost(getting->env->generations, &(*ret_metadata)->origin.digest))
        return true;
    generations_fail(getting->place.repository->id, err);
    return false;
}

/* Keeps the gravest error, for when no mirror helps. */
static void note_worst(struct err *worst, const struct err *now)
{
    if (!worst->kind || err_kind_is_graver(now->kind, worst->kind))
        *worst = *now;
}

static bool get_from_mirrors(const struct getting *getting, const struct rpm_mirrors *mirrors, struct fetched *fetched,
                             struct rpm_metadata **ret_metadata, struct err *err)
{
    struct err worst = {0};
    bool is_one_lost = false;
    for (size_t i = 0; i < mirrors->base_urls.count; i++) {
        struct err now = {0};
        if (get_from(getting, mirrors, mirrors->base_urls.items[i], fetched, ret_metadata, &now)) {
            if (worst.kind)
                log_line(getting->env->log, worst.kind == ERR_NETWORK ? LOG_VERBOSE : LOG_QUIET,
                         "warning: %s: a mirror was passed over: %s", getting->place.repository->id, worst.text);
            (*ret_metadata)->origin.uris = mirrors->base_urls;
            return true;
        }
        fetched_done(fetched);
        *fetched = (struct fetched){0};
        is_one_lost = is_one_lost || now.detail == GENERATIONS_ALL_LOST;
        note_worst(&worst, &now);
        if (now.kind == ERR_LOCAL || now.kind == ERR_CANCELLED)
            break;
    }
    *err = worst;
    bool is_behind = worst.kind == ERR_TRUST && worst.detail == RELEASE_DETAIL_OLDER;
    if (is_one_lost && (worst.kind == ERR_NETWORK || is_behind))
        generations_fail(getting->place.repository->id, err);
    return false;
}

/* Takes the last accepted repomd.xml out of the store. */
static bool recall(const struct getting *getting, struct fetched *fetched, struct err *err)
{
    const struct rpm_repository *repository = getting->place.repository;
    const struct release_mark *mark = getting->mark;
    if (!mark) {
        err_set(err, ERR_NETWORK, "it was never fetched; the network is needed once");
        return false;
    }
    *fetched = (struct fetched){.base_url = arena_strdup(getting->arena, mark->from)};
    for (size_t i = 0; i < getting->place.base_urls.count; i++) {
        const char *url = getting->place.base_urls.items[i];
        const char *whole = text_has_suffix(text_of(url), "/") ? url : arena_printf(getting->arena, "%s/", url);
        if (strcmp(source_public_uri(getting->arena, whole), mark->from) == 0)
            fetched->base_url = whole;
    }
    fetched->url = arena_printf(getting->arena, "the last accepted repomd.xml of %s", mark->from);
    if (repository->is_repo_gpg_checked && !mark->has_signature) {
        err_set(err, ERR_NETWORK, "%s was taken without a signature; the network is needed once", fetched->url);
        return false;
    }
    return small_file_recall(getting->env, fetched->url, &mark->file, REPOMD_MAX_BYTES, &fetched->file, err) &&
           (!repository->is_repo_gpg_checked || small_file_recall(getting->env, fetched->url, &mark->signature,
                                                                  SIGNATURE_MAX_BYTES, &fetched->signature, err));
}

/* Keeps the files and notes what is to be remembered: the blobs first, so that the mark never names something that is
 * not there. */
static bool prepare_mark(const struct getting *getting, const struct fetched *fetched, struct rpm_metadata *metadata,
                         struct err *err)
{
    struct release_mark *mark = &metadata->mark;
    mark->date = metadata->origin.date;
    mark->digest = metadata->origin.digest;
    mark->from = source_public_uri(getting->arena, fetched->base_url);
    mark->has_signature = getting->place.repository->is_repo_gpg_checked;
    mark->is_bare = !mark->has_signature;
    if (!small_file_keep(getting->env, &fetched->file, &mark->file, err) ||
        (mark->has_signature && !small_file_keep(getting->env, &fetched->signature, &mark->signature, err)))
        return false;
    metadata->origin.pin =
        release_mark_pin(mark, source_public_uri(getting->arena, getting->place.identity), RPM_METADATA_SUITE);
    return true;
}

static bool get_recalled(const struct getting *getting, struct fetched *fetched, struct rpm_metadata **ret_metadata,
                         struct err *err)
{
    if (!recall(getting, fetched, err) || !accept_repomd(getting, fetched, ret_metadata, err))
        return false;
    list_add(getting->arena, &(*ret_metadata)->origin.uris, fetched->base_url);
    (*ret_metadata)->is_recalled = true;
    return prepare_mark(getting, fetched, *ret_metadata, err);
}

/* Warns when nothing newer came for long. */
static void warn_of_age(const struct getting *getting, const struct rpm_metadata *metadata)
{
    struct freshness_subject subject = {
        .rules = rpm_freshness,
        .what = "repomd.xml",
        .uri = metadata->origin.uri,
        .names = {getting->place.repository->id},
        .date = metadata->origin.date,
    };
    freshness_warn(getting->env, &getting->remembered, &subject);
}

static bool load_keys(struct getting *getting, struct err *err)
{
    const struct rpm_repository *repository = getting->place.repository;
    if (!repository->is_gpg_checked && !repository->is_repo_gpg_checked) {
        log_line(getting->env->log, LOG_QUIET,
                 "warning: %s (%s): neither packages nor metadata are checked by signatures (gpgcheck and "
                 "repo_gpgcheck are off)",
                 repository->id, repository->place);
        return true;
    }
    getting->keyrings = arena_new(getting->arena, struct keyrings);
    return keyrings_load_keys(getting->env, getting->arena, &getting->place.gpg_keys, getting->keyrings, err);
}

/* Lists where the files of a pinned generation may be. That a list of mirrors cannot be had is no error: the cache may have all. */
static bool list_pinned(const struct getting *getting, struct strings *ret_uris, struct err *err)
{
    const struct rpm_place *place = &getting->place;
    struct rpm_mirrors mirrors = {0};
    struct strings snapshots = pins_snapshots(getting->arena, place->snapshot, getting->pin->date);
    if (!getting->env->is_cache_only && !rpm_mirrors_get(getting->env, getting->arena, place, &mirrors, err)) {
        if (err->kind != ERR_NETWORK)
            return false;
        log_line(getting->env->log, LOG_VERBOSE, "%s: %s", place->repository->id, err->text);
        err_clear(err);
    }
    *ret_uris = mirrors.base_urls.count ? mirrors.base_urls : place->base_urls;
    for (size_t i = 0; i < snapshots.count; i++)
        list_add(getting->arena, ret_uris, snapshots.items[i]);
    return true;
}

/* Finds the place that a lock says a generation came from. Of configured places it is one; a list of mirrors may not have it any
 * more: then it is a name, and another place is asked. */
static bool find_base(const struct getting *getting, const struct strings *uris, const char **ret_base, struct err *err)
{
    const struct rpm_place *place = &getting->place;
    const struct pin *pin = getting->pin;
    const char *first = uris->count ? uris->items[0] : place->identity;
    *ret_base = text_has_suffix(text_of(first), "/") ? first : arena_printf(getting->arena, "%s/", first);
    for (size_t i = 0; i < uris->count; i++) {
        const char *uri = uris->items[i];
        const char *whole = text_has_suffix(text_of(uri), "/") ? uri : arena_printf(getting->arena, "%s/", uri);
        if (strcmp(source_public_uri(getting->arena, whole), pin->from) != 0)
            continue;
        *ret_base = whole;
        return true;
    }
    if (place->metalink || place->mirrorlist)
        return true;
    err_set(err, ERR_TRUST, "%s says that it came from %s, which is no place of it", getting->env->pins->place,
            pin->from);
    return false;
}

/* Brings a pinned repomd.xml into the store, from the first place that has it. */
static bool find_pinned(const struct getting *getting, const struct strings *uris, struct err *err)
{
    const struct pin *pin = getting->pin;
    struct small_file_haste haste = {.is_tried_once = uris->count > 1};
    struct err worst = {0};
    int64_t seen_date = 0;
    bool is_any_seen = false;
    for (size_t i = 0; i < uris->count && !getting->env->is_cache_only; i++) {
        AUTO(fetched_done) struct fetched fetched = {0};
        struct err now = {0};
        struct repomd repomd;
        if (!fetch_from(getting, uris->items[i], haste, &fetched, &now)) {
            worst = worst.kind ? worst : now;
            continue;
        }
        struct digest file = digest_of(fetched.file.bytes, fetched.file.len);
        struct digest signature = digest_of(fetched.signature.bytes, fetched.signature.len);
        if (digest_eq(&file, &pin->file) && (!pin->has_signature || digest_eq(&signature, &pin->signature)))
            return small_file_keep(getting->env, &fetched.file, &file, err) &&
                   (!pin->has_signature || small_file_keep(getting->env, &fetched.signature, &signature, err));
        if (!is_any_seen && repomd_parse(getting->arena, fetched.url, buf_text(&fetched.file), &repomd, &now))
            seen_date = repomd.date;
        is_any_seen = true;
    }
    if (getting->env->is_cache_only)
        pins_fail_uncached(getting->env->pins, pin, RPM_METADATA_SUITE, err);
    else if (is_any_seen || !worst.kind || worst.detail == 404)
        pins_fail_gone(getting->env->pins, pin, RPM_METADATA_SUITE, seen_date, err);
    else
        *err = worst;
    return false;
}

/* After an error: where no place has a pinned repomd.xml any more, makes metadata of its packages, if something vouches for them. */
static bool stand_in(const struct getting *getting, const char *base, const struct strings *uris,
                     struct rpm_metadata **ret_metadata, struct err *err)
{
    const struct rpm_repository *repository = getting->place.repository;
    const struct pin *pin = getting->pin;
    if (!getting->env->pins->is_exact || getting->env->pins->is_audit || err->kind != ERR_NETWORK ||
        err->detail != PINS_GONE)
        return false;
    struct err gone = *err;
    struct rpm_stand_in stand_in = {.base = {getting->env, pin, getting->place.arch->name, uris, &gone},
                                    .keys = repository->is_gpg_checked ? getting->keyrings : NULL,
                                    .is_trusted = getting->remembered.is_trusted || getting->env->pins->is_vouching};
    struct fetched fetched = {.base_url = base};
    struct repomd repomd = {.date = pin->date, .distribution = pin->distribution, .version = pin->version};
    struct release_names names = {{0}};
    struct rpm_metadata_file files[2];
    err_clear(err);
    if (!rpm_stand_in_make(&stand_in, getting->arena, files, err))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        list_add(getting->arena, &repomd.files, files[i]);
    struct rpm_metadata *metadata = make(getting, &fetched, &repomd, &names, NULL);
    metadata->origin.digest = pin->digest;
    metadata->origin.pin = *pin;
    metadata->origin.uris = *uris;
    metadata->origin.is_stand_in = true;
    metadata->pin = pin;
    metadata->is_recalled = true;
    *ret_metadata = metadata;
    log_line(getting->env->log, LOG_QUIET, "warning: %s for %s: %s; its packages are taken as the lock names them%s",
             repository->id, getting->place.arch->name, gone.text,
             stand_in.keys ? ", each by its own signature" : " (trusted: true)");
    return true;
}

/* Takes the repomd.xml that a lock names. */
static bool get_pinned(struct getting *getting, struct rpm_metadata **ret_metadata, struct err *err)
{
    AUTO(fetched_done) struct fetched fetched = {0};
    const struct pin *pin = getting->pin;
    struct release_mark *mark = arena_new(getting->arena, struct release_mark);
    struct store *store = getting->env->store;
    struct strings uris = {0};
    const char *base;
    bool is_here = store_has(store, &pin->file) && (!pin->has_signature || store_has(store, &pin->signature));
    if (!list_pinned(getting, &uris, err) || !find_base(getting, &uris, &base, err))
        return false;
    if (!is_here && !find_pinned(getting, &uris, err))
        return stand_in(getting, base, &uris, ret_metadata, err);
    *mark = release_mark_of_pin(pin);
    getting->mark = mark;
    bool is_recalled = recall(getting, &fetched, err);
    fetched.url =
        arena_printf(getting->arena, "the repomd.xml of %s that %s names", pin->from, getting->env->pins->place);
    fetched.base_url = base;
    getting->mark = NULL; /* nothing is compared with what was accepted */
    if (!is_recalled || !accept_repomd(getting, &fetched, ret_metadata, err) ||
        !pins_check(getting->env->pins, pin, &(*ret_metadata)->origin.digest, (*ret_metadata)->origin.date, err))
        return false;
    (*ret_metadata)->is_recalled = true;
    (*ret_metadata)->pin = pin;
    (*ret_metadata)->origin.uris = uris;
    if (!prepare_mark(getting, &fetched, *ret_metadata, err))
        return false;
    (*ret_metadata)->origin.pin.from = pin->from;
    return true;
}

static bool get(struct getting *getting, struct rpm_metadata **ret_metadata, struct err *err)
{
    AUTO(fetched_done) struct fetched fetched = {0};
    struct rpm_mirrors mirrors;
    if (!load_keys(getting, err))
        return false;
    if (getting->pin)
        return get_pinned(getting, ret_metadata, err);
    if (getting->env->is_cache_only)
        return get_recalled(getting, &fetched, ret_metadata, err);
    return rpm_mirrors_get(getting->env, getting->arena, &getting->place, &mirrors, err) &&
           get_from_mirrors(getting, &mirrors, &fetched, ret_metadata, err) &&
           prepare_mark(getting, &fetched, *ret_metadata, err);
}

static struct getting getting_of(const struct source_env *env, struct arena *arena,
                                 const struct rpm_repository *repository, const struct arch *arch)
{
    struct getting getting = {.env = env, .arena = arena, .place = rpm_place_of(arena, repository, arch)};
    getting.remembered = (struct repository){
        .name = repository->id,
        .uri = getting.place.identity,
        .suite = RPM_METADATA_SUITE,
        .place = repository->place,
        .is_trusted = !repository->is_gpg_checked && !repository->is_repo_gpg_checked,
        .max_age_days = repository->max_age_days,
    };
    return getting;
}

/* What a lock says alone counts. */
static bool get_locked(struct getting *getting, struct rpm_metadata **ret_metadata, struct err *err)
{
    const struct rpm_repository *repository = getting->place.repository;
    if (!getting->pin)
        pins_fail_unknown(getting->env->pins, repository->id, err);
    else if (get(getting, ret_metadata, err))
        return true;
    err_wrap(err, "repository %s for %s (%s)", repository->id, getting->place.arch->name, repository->place);
    return false;
}

bool rpm_metadata_get(const struct source_env *env, struct arena *arena, const struct rpm_repository *repository,
                      const struct arch *arch, struct pin_wish wish, struct rpm_metadata **ret_metadata,
                      struct err *err)
{
    struct source_env own = *env;
    own.access = repository->access;
    struct getting getting = getting_of(&own, arena, repository, arch);
    struct release_mark *mark = arena_new(arena, struct release_mark);
    bool is_known;
    getting.pin = wish.pin || wish.is_newest
                      ? wish.pin
                      : pins_find(env->pins, source_public_uri(arena, getting.place.identity), RPM_METADATA_SUITE);
    if (getting.pin ? getting.pin->is_left_out : env->pins && env->pins->is_audit) {
        *ret_metadata = NULL;
        return true;
    }
    if (getting.pin || (env->pins && env->pins->is_exact && !wish.is_newest))
        return get_locked(&getting, ret_metadata, err);
    if (!release_mark_load(env, arena, &getting.remembered, mark, &is_known, err))
        return false;
    getting.mark = is_known ? mark : NULL;
    if (get(&getting, ret_metadata, err)) {
        warn_of_age(&getting, *ret_metadata);
        return true;
    }
    generations_no_race(err);
    release_mark_hint(env, getting.mark, "repomd.xml", err);
    err_wrap(err, "repository %s for %s (%s)", repository->id, arch->name, repository->place);
    if (!repository->is_optional || err->kind != ERR_NETWORK)
        return false;
    if (is_known) {
        err_wrap(err, "an optional repository that was accepted before cannot be reached now (disable it to go on "
                      "without it)");
        return false;
    }
    log_line(env->log, LOG_QUIET, "warning: left out an optional repository that cannot be reached: %s", err->text);
    err_clear(err);
    *ret_metadata = NULL;
    return true;
}
