/* SPDX-License-Identifier: Apache-2.0 */
/* From a configured repository to a frozen struct release: get the file (InRelease, else Release and Release.gpg, from
 * the first mirror that answers), believe it, read it, check its dates, remember it. */
#include "deb/release.h"

#include <assert.h>

#include "base/auto.h"
#include "base/date.h"
#include "deb/deb_stand_in.h"
#include "deb/release_names.h"
#include "deb/release_parse.h"
#include "deb/release_trust.h"
#include "trust/freshness.h"
#include "trust/release_state.h"
#include "trust/remembered_names.h"
#include "trust/small_file.h"

#define RELEASE_MAX_BYTES (32u << 20)
#define PACKAGES_MAX_BYTES (UINT64_C(192) << 20) /* as release_fetch.c has it of indices in memory */

const struct freshness_rule deb_freshness[] = {
    {NULL, "*-security", 14}, {NULL, "*/updates", 14}, {NULL, "*-updates", 14}, {NULL, "testing", 14},
    {NULL, "unstable", 14},   {"Ubuntu", NULL, 0}, /* a release's own suite stays as it was on its first day */
    {NULL, NULL, 120},                             /* Debian: a point release every two months */
};

/* A Release file as it came; owns its bytes. */
struct fetched {
    enum release_form form;
    const char *uri;
    const char *url; /* for messages: without user info */
    struct buf file, signature;
};

static void fetched_done(struct fetched *fetched)
{
    buf_done(&fetched->file);
    buf_done(&fetched->signature);
}

/* Returns where the file names of a Release start, seen from the repository's URI. */
static const char *suite_dir(struct arena *arena, const char *suite)
{
    if (!text_has_suffix(text_of(suite), "/"))
        return arena_printf(arena, "dists/%s/", suite);
    while (text_has_prefix(text_of(suite), "./") || suite[0] == '/')
        suite += suite[0] == '/' ? 1 : 2;
    return suite;
}

static bool get_file(const struct source_env *env, const struct deb_repository *repository, const char *url,
                     struct buf *ret_body, bool *ret_absent, struct err *err)
{
    const char *last = repository->uris.items[repository->uris.count - 1];
    struct small_file_haste haste = {.is_tried_once = repository->is_optional,
                                     .is_other_there = !text_has_prefix(text_of(url), last)};
    return small_file_get(env, url, RELEASE_MAX_BYTES, haste, ret_body, ret_absent, err);
}

/* Gets Release and, when there is one, Release.gpg from below `base`. */
static bool fetch_detached(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                           const char *base, struct fetched *fetched, struct err *err)
{
    bool is_absent;
    const char *url = arena_printf(arena, "%sRelease", base);
    fetched->url = source_public_uri(arena, url);
    fetched->form = RELEASE_DETACHED;
    if (!get_file(env, repository, url, &fetched->file, &is_absent, err)) {
        if (is_absent)
            err_wrap(err, "there is neither an InRelease nor a Release below %s (is this the suite's name?)",
                     source_public_uri(arena, base));
        return false;
    }
    const char *signature_url = arena_printf(arena, "%sRelease.gpg", base);
    if (get_file(env, repository, signature_url, &fetched->signature, &is_absent, err))
        return true;
    if (!is_absent)
        return false;
    err_clear(err);
    fetched->form = RELEASE_BARE;
    return true;
}

/* Writes what a Release would say of one file. */
static void describe_file(const char *name, const struct digest *digest, size_t len, struct buf *ret_text)
{
    buf_init(ret_text, RELEASE_MAX_BYTES);
    if (!buf_printf(ret_text, "SHA256:\n %s %zu %s\n", digest_hex(digest).chars, len, name))
        memory_abort(len);
}

/* A flat repository that is trusted need not have a Release: its Packages, in whatever compression, stands for one. */
static bool fetch_packages(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                           const char *base, struct fetched *fetched, struct err *err)
{
    static const char *const endings[] = {".xz", ".zst", ".gz", ".bz2", ".lzma", ".lz4", ""};
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        AUTO(buf_done) struct buf body = {0};
        struct digest digest;
        struct small_file_haste haste = {.is_tried_once = true};
        bool is_absent = false;
        const char *name = arena_printf(arena, "Packages%s", endings[i]),
                   *url = arena_printf(arena, "%s%s", base, name);
        err_clear(err);
        if (!small_file_get(env, url, PACKAGES_MAX_BYTES, haste, &body, &is_absent, err)) {
            if (!is_absent)
                return false;
            continue;
        }
        if (!small_file_keep(env, &body, &digest, err))
            return false;
        describe_file(name, &digest, body.len, &fetched->file);
        fetched->form = RELEASE_BARE;
        fetched->url = source_public_uri(arena, url);
        log_line(env->log, LOG_VERBOSE, "%s has no Release; it is taken as it is", repository->name);
        return true;
    }
    return false;
}

static bool is_flat(const struct deb_repository *repository)
{
    return text_has_suffix(text_of(repository->suite), "/");
}

static bool fetch_from(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                       const char *uri, struct fetched *fetched, struct err *err)
{
    const char *base = arena_printf(arena, "%s%s", uri, suite_dir(arena, repository->suite));
    bool is_absent;
    *fetched = (struct fetched){.form = RELEASE_INLINE, .uri = uri};
    const char *url = arena_printf(arena, "%sInRelease", base);
    fetched->url = source_public_uri(arena, url);
    if (get_file(env, repository, url, &fetched->file, &is_absent, err))
        return true;
    if (!is_absent)
        return false;
    const char *first = arena_strdup(arena, err->text); /* it names the target of a redirect */
    err_clear(err);
    if (fetch_detached(env, arena, repository, base, fetched, err))
        return true;
    struct err missing = *err, other = {0};
    if (repository->is_trusted && is_flat(repository) && missing.kind == ERR_NETWORK &&
        fetch_packages(env, arena, repository, base, fetched, &other)) {
        err_clear(err);
        return true;
    }
    err_wrap(err, "%s; then", first);
    return false;
}

static bool load_blob(const struct source_env *env, const struct deb_repository *repository,
                      const struct digest *digest, struct buf *ret_bytes, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *name = arena_printf(&scratch, "%s: its last accepted Release", repository->name);
    return small_file_recall(env, name, digest, RELEASE_MAX_BYTES, ret_bytes, err);
}

/* Takes the last accepted Release out of the store. */
static bool recall(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                   const struct release_mark *mark, struct fetched *fetched, struct err *err)
{
    if (!mark) {
        err_set(err, ERR_NETWORK, "%s: it was never fetched; the network is needed once", repository->name);
        return false;
    }
    *fetched = (struct fetched){.uri = repository->uris.items[0]};
    for (size_t i = 0; i < repository->uris.count; i++) {
        if (strcmp(source_public_uri(arena, repository->uris.items[i]), mark->from) == 0)
            fetched->uri = repository->uris.items[i];
    }
    fetched->form = mark->is_bare ? RELEASE_BARE : mark->has_signature ? RELEASE_DETACHED : RELEASE_INLINE;
    fetched->url = arena_printf(arena, "the last accepted Release of %s", mark->from);
    return load_blob(env, repository, &mark->file, &fetched->file, err) &&
           (!mark->has_signature || load_blob(env, repository, &mark->signature, &fetched->signature, err));
}

/* Prepares what is to be recorded: the blobs first, so that the mark never names something that is not there. */
static bool prepare_mark(const struct source_env *env, struct arena *arena, struct release *release,
                         const struct fetched *fetched, struct err *err)
{
    struct release_mark *mark = &release->mark;
    *mark = (struct release_mark){.date = release->date, .digest = release->digest};
    mark->from = source_public_uri(arena, fetched->uri);
    mark->is_bare = fetched->form == RELEASE_BARE;
    mark->has_signature = fetched->form == RELEASE_DETACHED;
    mark->names = release_names_of(arena, release);
    mark->has_names = true;
    return small_file_keep(env, &fetched->file, &mark->file, err) &&
           (!mark->has_signature || small_file_keep(env, &fetched->signature, &mark->signature, err));
}

bool release_remember(const struct source_env *env, const struct release *release, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct repository known = deb_repository_known(release->repository);
    return env->is_cache_only || release->pin || release_mark_raise(env, &scratch, &known, &release->mark, err);
}

/* Warns when nothing newer came for long. */
static void warn_of_age(const struct source_env *env, const struct release *release)
{
    struct freshness_subject subject = {
        .rules = deb_freshness,
        .what = "Release",
        .uri = release->uri,
        .origin = release->origin,
        .names = {release->repository->suite, release->suite, release->codename, release->label},
        .date = release->date,
    };
    struct repository known = deb_repository_known(release->repository);
    freshness_warn(env, &known, &subject);
}

static struct dated dated_of(const struct release *release)
{
    static const char *const titles[RELEASE_NAMES_COUNT] = {"Origin", "Label", "Suite", "Codename"};
    return (struct dated){.what = "Release", .titles = titles, .uri = release->uri, .date = release->date};
}

/* Checks that it is of the repository that was asked for, and of the one that it was. */
static bool check_names(const struct source_env *env, struct arena *scratch, const struct release *release,
                        const struct release_mark *mark, struct err *err)
{
    struct release_names names = release_names_of(scratch, release);
    struct repository known = deb_repository_known(release->repository);
    struct dated dated = dated_of(release);
    return remembered_names_check(env, scratch, &known, &dated, &names, mark, err) &&
           release_names_check_asked(env, scratch, release, mark, err);
}

/* Believes, reads and checks what was fetched. */
static bool accept_release(const struct source_env *env, struct arena *arena, const struct fetched *fetched,
                           const struct release_mark *mark, struct release *release, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct release_bytes bytes = {
        .form = fetched->form,
        .url = fetched->url,
        .file = {fetched->file.bytes, fetched->file.len},
        .signature = {fetched->signature.bytes, fetched->signature.len},
    };
    const struct deb_repository *repository = release->repository;
    struct text text;
    const char *signed_by;
    int64_t valid_until;
    if (!release_trust(env, &scratch, repository, &bytes, &text, &signed_by, err) ||
        !release_parse(arena, fetched->url, text, release, &valid_until, err))
        return false;
    release->signed_by = arena_strdup(arena, signed_by);
    release->uri = arena_strdup(arena, fetched->uri);
    release->dir = arena_printf(arena, "%s%s", fetched->uri, suite_dir(arena, repository->suite));
    struct repository known = deb_repository_known(repository);
    struct dated dated = dated_of(release);
    return (release->pin || release_check_fresh(env, &scratch, &known, &dated, valid_until, mark, err)) &&
           check_names(env, &scratch, release, mark, err);
}

/* Puts the repository's name before an error; always returns false. */
static bool fail_named(const struct deb_repository *repository, struct err *err)
{
    err_wrap(err, "%s (%s)", repository->name, repository->place);
    return false;
}

/* Fetches from one mirror, and believes it or not. */
static bool get_from(const struct source_env *env, struct arena *arena, const char *uri,
                     const struct release_mark *mark, struct fetched *fetched, struct release *release, struct err *err)
{
    const struct deb_repository *repository = release->repository;
    if (!fetch_from(env, arena, repository, uri, fetched, err))
        return fail_named(repository, err);
    if (!accept_release(env, arena, fetched, mark, release, err))
        return false;
    if (!generations_is_lost(env->generations, &release->digest))
        return true;
    generations_fail(repository->name, err);
    return false;
}

/* Asks the mirrors in order until one has a Release that can be accepted: one may be down, lag behind or lie. When none
 * has, the gravest error is the one to tell. */
static bool get_from_mirrors(const struct source_env *env, struct arena *arena, const struct release_mark *mark,
                             struct fetched *fetched, struct release *release, struct err *err)
{
    const struct deb_repository *repository = release->repository;
    struct err worst = {0};
    bool is_one_lost = false;
    for (size_t i = 0; i < repository->uris.count; i++) {
        struct err now = {0};
        *release = (struct release){.repository = repository};
        if (get_from(env, arena, repository->uris.items[i], mark, fetched, release, &now)) {
            if (worst.kind != ERR_NONE && worst.kind != ERR_NETWORK)
                log_line(env->log, LOG_QUIET, "warning: a mirror was passed over: %s", worst.text);
            return true;
        }
        fetched_done(fetched);
        is_one_lost = is_one_lost || now.detail == GENERATIONS_ALL_LOST;
        bool is_mirrors_fault = now.kind == ERR_NETWORK || now.kind == ERR_TRUST || now.kind == ERR_MALFORMED;
        if (worst.kind == ERR_NONE || !is_mirrors_fault || err_kind_is_graver(now.kind, worst.kind))
            worst = now;
        if (!is_mirrors_fault)
            break;
    }
    assert(worst.kind != ERR_NONE);
    *err = worst;
    bool is_behind = worst.kind == ERR_TRUST && worst.detail == RELEASE_DETAIL_OLDER;
    if (is_one_lost && (worst.kind == ERR_NETWORK || is_behind)) /* whoever lags behind it is no liar for that */
        generations_fail(repository->name, err);
    return false;
}

static bool get(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                const struct release_mark *mark, struct release **ret_release, struct err *err)
{
    AUTO(fetched_done) struct fetched fetched = {0};
    struct release *release = arena_new(arena, struct release);
    release->repository = repository;
    bool is_good = env->is_cache_only ? recall(env, arena, repository, mark, &fetched, err) &&
                                            accept_release(env, arena, &fetched, mark, release, err)
                                      : get_from_mirrors(env, arena, mark, &fetched, release, err);
    if (!is_good)
        return false;
    release->is_first_use = !mark;
    warn_of_age(env, release);
    if (!prepare_mark(env, arena, release, &fetched, err))
        return false;
    *ret_release = release;
    return true;
}

/* The Date of what a mirror has in place of a pinned Release; 0 when it cannot be read. Nothing is believed for it. */
static int64_t date_seen(const struct fetched *fetched)
{
    int64_t date = 0;
    struct text rest = {fetched->file.bytes, fetched->file.len}, line;
    while (fetched->file.len && text_next(&rest, '\n', &line)) {
        if (text_has_prefix(line, "Date:") &&
            date_parse(text_trim((struct text){line.ptr + strlen("Date:"), line.len - strlen("Date:")}), &date))
            return date;
    }
    return 0;
}

/* Brings the file of a pinned Release into the store, from the first place that has it. */
static bool find_pinned(const struct source_env *env, struct arena *arena, const struct release *release,
                        struct err *err)
{
    const struct pin *pin = release->pin;
    struct err worst = {0};
    int64_t seen_date = 0;
    bool is_any_seen = false;
    for (size_t i = 0; i < release->uris.count && !env->is_cache_only; i++) {
        AUTO(fetched_done) struct fetched fetched = {0};
        struct err now = {0};
        struct digest file, signature;
        if (!fetch_from(env, arena, release->repository, release->uris.items[i], &fetched, &now)) {
            worst = worst.kind ? worst : now;
            if (now.kind == ERR_NETWORK || now.kind == ERR_TRUST || now.kind == ERR_MALFORMED)
                continue;
            *err = now;
            return false;
        }
        file = digest_of(fetched.file.bytes, fetched.file.len);
        signature = digest_of(fetched.signature.bytes, fetched.signature.len);
        if (digest_eq(&file, &pin->file) && (!pin->has_signature || digest_eq(&signature, &pin->signature)))
            return small_file_keep(env, &fetched.file, &file, err) &&
                   (!pin->has_signature || small_file_keep(env, &fetched.signature, &signature, err));
        seen_date = is_any_seen ? seen_date : date_seen(&fetched);
        is_any_seen = true;
    }
    if (env->is_cache_only)
        pins_fail_uncached(env->pins, pin, "Release", err);
    else if (is_any_seen || !worst.kind || worst.detail == 404)
        pins_fail_gone(env->pins, pin, "Release", seen_date, err);
    else
        *err = worst;
    return false;
}

/* After an error: where no place has a pinned Release any more, makes one of its packages, if they may be taken without. */
static bool stand_in(const struct source_env *env, struct arena *arena, struct release *release, struct err *err)
{
    assert(env->pins); /* they have the pin */
    if (!env->pins->is_exact || env->pins->is_audit || err->kind != ERR_NETWORK || err->detail != PINS_GONE)
        return fail_named(release->repository, err);
    struct err gone = *err;
    struct stand_in stand_in = {.env = env, .pin = release->pin, .uris = &release->uris, .gone = &gone};
    err_clear(err);
    (void)fail_named(release->repository, &gone);
    if (!deb_stand_in_make(&stand_in, arena, release, err))
        return false;
    log_line(env->log, LOG_QUIET, "warning: %s; its packages are taken as the lock names them (%s)", gone.text,
             release->repository->is_trusted ? "trusted: true" : "--lock-vouches");
    return true;
}

/* Takes the Release that a lock names. */
static bool get_pinned(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                       const struct pin *pin, struct release **ret_release, struct err *err)
{
    AUTO(fetched_done) struct fetched fetched = {0};
    struct release_mark mark = release_mark_of_pin(pin);
    assert(env->pins); /* they have the pin */
    struct release *release = arena_new(arena, struct release);
    struct strings snapshots = pins_snapshots(arena, repository->snapshot, pin->date);
    *release = (struct release){.repository = repository, .pin = pin};
    for (size_t i = 0; i < repository->uris.count; i++)
        list_add(arena, &release->uris, repository->uris.items[i]);
    for (size_t i = 0; i < snapshots.count; i++)
        list_add(arena, &release->uris, snapshots.items[i]);
    bool is_here = store_has(env->store, &pin->file) && (!pin->has_signature || store_has(env->store, &pin->signature));
    *ret_release = release;
    if (!is_here && !find_pinned(env, arena, release, err))
        return stand_in(env, arena, release, err);
    if (!recall(env, arena, repository, &mark, &fetched, err))
        return fail_named(repository, err);
    fetched.url = arena_printf(arena, "the Release of %s that %s names", pin->from, env->pins->place);
    if (!accept_release(env, arena, &fetched, NULL, release, err))
        return false;
    if (!pins_check(env->pins, pin, &release->digest, release->date, err) ||
        !prepare_mark(env, arena, release, &fetched, err))
        return fail_named(repository, err);
    return true;
}

/* Takes what a lock says of the repository, when there is a lock; *ret_decided is false when there is none, or it says nothing and
 * need not. */
static bool get_locked(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                       struct pin_wish wish, struct release **ret_release, bool *ret_decided, struct err *err)
{
    const char *uri = env->pins ? source_public_uri(arena, repository->uris.items[0]) : NULL;
    const struct pin *pin = uri && !wish.pin ? pins_find(env->pins, uri, repository->suite) : wish.pin;
    *ret_decided = pin || (env->pins && env->pins->is_exact);
    if (!*ret_decided)
        return true;
    if (pin ? pin->is_left_out : env->pins->is_audit) {
        *ret_release = NULL;
        return true;
    }
    if (pin)
        return get_pinned(env, arena, repository, pin, ret_release, err);
    pins_fail_unknown(env->pins, repository->name, err);
    return false;
}

bool release_get(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                 struct pin_wish wish, struct release **ret_release, struct err *err)
{
    struct repository known = deb_repository_known(repository);
    struct release_mark mark;
    bool is_known, is_decided = false;
    if (!wish.is_newest && !get_locked(env, arena, repository, wish, ret_release, &is_decided, err))
        return false;
    if (is_decided)
        return true;
    if (!release_mark_load(env, arena, &known, &mark, &is_known, err))
        return false;
    if (get(env, arena, repository, is_known ? &mark : NULL, ret_release, err))
        return true;
    generations_no_race(err);
    release_mark_hint(env, is_known ? &mark : NULL, "Release", err);
    if (!repository->is_optional || err->kind != ERR_NETWORK || err->detail == GENERATIONS_ALL_LOST)
        return false;
    if (is_known) {
        err_wrap(err, "an optional repository that was accepted before cannot be reached now (disable its entry to go "
                      "on without it)");
        return false;
    }
    log_line(env->log, LOG_QUIET, "warning: left out an optional repository that cannot be reached: %s", err->text);
    err_clear(err);
    *ret_release = NULL;
    return true;
}
