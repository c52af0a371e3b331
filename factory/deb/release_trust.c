/* SPDX-License-Identifier: Apache-2.0 */
/* Shape first (clearsign), then signature (gpgv), then a verdict in words that say what to do. A verdict is kept for a
 * day only, because a key may expire while the file it signed stays the same. */
#include "deb/release_trust.h"

#include "base/auto.h"
#include "trust/clearsign.h"
#include "trust/gpgv.h"

#define VERDICT_KIND "release"
#define VERDICT_MAX_AGE_SECONDS 86400

static struct digest verdict_key(const struct release_bytes *bytes, const struct keyrings *keyrings)
{
    struct digest file = digest_of(bytes->file.ptr, bytes->file.len);
    struct digest signature = digest_of(bytes->signature.ptr, bytes->signature.len);
    struct digest_stream stream;
    static const char purpose[] = "verdict of gpgv, version 1";
    digest_begin(&stream);
    digest_feed(&stream, purpose, sizeof purpose);
    digest_feed(&stream, file.bytes, sizeof file.bytes);
    digest_feed(&stream, signature.bytes, sizeof signature.bytes);
    digest_feed(&stream, keyrings->digest.bytes, sizeof keyrings->digest.bytes);
    return digest_end(&stream);
}

/* Reads a kept verdict: a line with its time, a line with the fingerprint, the signed text. */
static bool read_verdict(const struct source_env *env, struct arena *arena, struct text kept, struct text *ret_text,
                         const char **ret_signed_by)
{
    struct text made, fingerprint;
    uint64_t seconds;
    if (!text_next(&kept, '\n', &made) || !text_parse_u64(made, &seconds) || !text_next(&kept, '\n', &fingerprint) ||
        !fingerprint.len || !kept.ptr)
        return false;
    if (seconds > INT64_MAX || (int64_t)seconds > env->now || env->now - (int64_t)seconds > VERDICT_MAX_AGE_SECONDS)
        return false;
    *ret_text = (struct text){text_dup(arena, kept), kept.len};
    *ret_signed_by = text_dup(arena, fingerprint);
    return true;
}

static bool find_verdict(const struct source_env *env, struct arena *arena, const struct digest *key, bool *ret_found,
                         struct text *ret_text, const char **ret_signed_by, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    if (!store_map_derived(env->store, VERDICT_KIND, key, &view, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    *ret_found = read_verdict(env, arena, (struct text){view.ptr, view.len}, ret_text, ret_signed_by);
    if (!*ret_found)
        store_drop_derived(env->store, VERDICT_KIND, key);
    return true;
}

static bool keep_verdict(const struct source_env *env, struct arena *arena, const struct digest *key, struct text text,
                         const char *signed_by, struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    const char *head = arena_printf(arena, "%lld\n%s\n", (long long)(env->now > 0 ? env->now : 0), signed_by);
    return blob_begin(env->store, &blob, err) && blob_write(&blob, head, strlen(head), err) &&
           blob_write(&blob, text.ptr, text.len, err) && blob_commit_derived(&blob, VERDICT_KIND, key, err);
}

/* Sets the error that tells why no signature counts. */
static bool refuse(struct arena *arena, const struct deb_repository *repository, const struct release_bytes *bytes,
                   const struct keyrings *keyrings, const struct gpgv_verdict *verdict, struct err *err)
{
    bool is_expired = verdict->expired_keys.count || verdict->expired_signatures.count;
    err_set(err, ERR_TRUST, "%s (%s): %s is refused: %s%s; keys were looked for in %s%s%s", repository->name,
            repository->place, bytes->url, gpgv_reasons(arena, verdict),
            is_expired ? " (is this machine's clock right?)" : "", strings_join(arena, &keyrings->places, ", "),
            keyrings->unfit.count ? "; not usable: " : "", strings_join(arena, &keyrings->unfit, ", "));
    err->detail = verdict->has_bad ? 0 : KEYRING_LACKS;
    return false;
}

static bool verify(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                   const struct release_bytes *bytes, struct text *ret_text, const char **ret_signed_by,
                   struct err *err)
{
    struct keyrings keyrings;
    struct key_lists lists = {repository->name, repository->place, &repository->keyrings, &repository->inline_keys,
                              &repository->fingerprints};
    if (!keyrings_load(arena, &lists, &keyrings, err))
        return false;
    keyrings_warn_unfit(env->log, arena, repository->name, &keyrings);
    struct digest key = verdict_key(bytes, &keyrings);
    bool is_found;
    if (!find_verdict(env, arena, &key, &is_found, ret_text, ret_signed_by, err))
        return false;
    if (is_found)
        return true;
    struct gpgv_verdict verdict;
    struct text signature = bytes->form == RELEASE_DETACHED ? bytes->signature : (struct text){0};
    if (!gpgv_run(arena, &keyrings, bytes->file, signature, &repository->fingerprints, &verdict, err)) {
        err_wrap(err, "%s", repository->name);
        return false;
    }
    if (!verdict.signed_by)
        return refuse(arena, repository, bytes, &keyrings, &verdict, err);
    *ret_signed_by = verdict.signed_by;
    *ret_text = verdict.text;
    return keep_verdict(env, arena, &key, verdict.text, verdict.signed_by, err);
}

bool release_trust(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                   const struct release_bytes *bytes, struct text *ret_text, const char **ret_signed_by,
                   struct err *err)
{
    struct text text = bytes->file;
    if (bytes->form == RELEASE_INLINE && !clearsign_open(arena, bytes->url, bytes->file, &text, err)) {
        err_wrap(err, "%s", repository->name);
        return false;
    }
    if (repository->is_trusted) {
        *ret_signed_by = NULL;
        *ret_text = (struct text){text_dup(arena, text), text.len};
        log_line(env->log, LOG_QUIET, "warning: %s (%s) is marked as trusted: its signature is not checked",
                 repository->name, repository->place);
        return true;
    }
    if (bytes->form == RELEASE_BARE) {
        err_set(err, ERR_TRUST,
                "%s (%s): %s is not signed (there is no InRelease and no Release.gpg); \"trusted: true\" accepts a "
                "repository without signatures",
                repository->name, repository->place, bytes->url);
        err->detail = KEYRING_LACKS;
        return false;
    }
    return verify(env, arena, repository, bytes, ret_text, ret_signed_by, err);
}
