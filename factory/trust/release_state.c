/* SPDX-License-Identifier: Apache-2.0 */
/* The high-water mark against replay of old Releases, and the rules of freshness. */
#include "trust/release_state.h"

#include <errno.h>
#include <fcntl.h>

#include "base/auto.h"
#include "base/date.h"
#include "io/file.h"
#include "io/lock.h"
#include "source/source.h"
#include "trust/freshness.h"

#define STATE_MAX_BYTES 65536u
#define FUTURE_MAX_SECONDS 10

static const char *mark_dir(const struct source_env *env, struct arena *arena)
{
    return arena_printf(arena, "%s/v1/seen", env->state_dir);
}

static const char *mark_name(struct arena *arena, const struct repository *repository)
{
    const char *identity = arena_printf(arena, "%s\n%s", source_bare_uri(arena, repository->uri), repository->suite);
    struct digest digest = digest_of(identity, strlen(identity));
    return arena_strdup(arena, digest_hex(&digest).chars);
}

static const char *mark_path(const struct source_env *env, struct arena *arena, const struct repository *repository)
{
    return arena_printf(arena, "%s/%s", mark_dir(env, arena), mark_name(arena, repository));
}

/* Takes the line "key value" off the front. */
static bool take_value(struct text *rest, const char *key, struct text *ret_value)
{
    struct text line;
    if (!text_next(rest, '\n', &line) || !text_has_prefix(line, key) || line.len <= strlen(key) ||
        line.ptr[strlen(key)] != ' ')
        return false;
    size_t skip = strlen(key) + 1;
    *ret_value = (struct text){line.ptr + skip, line.len - skip};
    return true;
}

/* The keys of the lines of version 2, in the order of the names. */
static const char *const name_keys[RELEASE_NAMES_COUNT] = {"origin", "label", "named", "codename"};

static bool parse_names(struct arena *arena, struct text *bytes, struct release_mark *mark)
{
    struct text value;
    for (size_t i = 0; i < RELEASE_NAMES_COUNT; i++) {
        if (!take_value(bytes, name_keys[i], &value))
            return false;
        mark->names.values[i] = value.len ? text_dup(arena, value) : NULL;
    }
    if (!take_value(bytes, "arches", &value))
        return false;
    mark->arches = value.len ? text_dup(arena, value) : NULL;
    mark->has_names = true;
    return true;
}

static bool parse_mark(struct arena *arena, struct text bytes, struct release_mark *ret_mark)
{
    struct release_mark mark = {0};
    struct text version, uri, suite, date, digest, file, signature, from;
    uint64_t seconds;
    if (!take_value(&bytes, "version", &version) || (!text_is(version, "1") && !text_is(version, "2")) ||
        !take_value(&bytes, "uri", &uri) || !take_value(&bytes, "suite", &suite) ||
        !take_value(&bytes, "date", &date) || !take_value(&bytes, "digest", &digest) ||
        !take_value(&bytes, "file", &file) || !take_value(&bytes, "signature", &signature) ||
        !take_value(&bytes, "from", &from) || (text_is(version, "2") && !parse_names(arena, &bytes, &mark)) ||
        bytes.len)
        return false;
    if (!text_parse_u64(date, &seconds) || seconds > INT64_MAX || !digest_parse(digest, &mark.digest) ||
        !digest_parse(file, &mark.file))
        return false;
    mark.is_bare = text_is(signature, "none");
    mark.has_signature = !mark.is_bare && !text_is(signature, "inline");
    if (mark.has_signature && !digest_parse(signature, &mark.signature))
        return false;
    mark.date = (int64_t)seconds;
    mark.from = text_dup(arena, from);
    *ret_mark = mark;
    return true;
}

bool release_mark_load(const struct source_env *env, struct arena *arena, const struct repository *repository,
                       struct release_mark *ret_mark, bool *ret_found, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    const char *path = mark_path(env, arena, repository);
    *ret_found = false;
    if (!file_read_at(AT_FDCWD, path, STATE_MAX_BYTES, &bytes, err)) {
        if (err->kind == ERR_LOCAL && err->detail == ENOENT) {
            err_clear(err);
            return true;
        }
        err_wrap(err, "%s: what was accepted last is not readable", repository->name);
        return false;
    }
    if (!parse_mark(arena, (struct text){bytes.bytes, bytes.len}, ret_mark)) {
        err_set(err, ERR_LOCAL,
                "%s: the record of what was accepted last is damaged or of another version: %s; delete that file to "
                "accept the repository as on first use",
                repository->name, path);
        return false;
    }
    *ret_found = true;
    return true;
}

bool release_check_date(const struct source_env *env, struct arena *arena, const struct repository *repository,
                        const struct dated *dated, const struct release_mark *mark, struct err *err)
{
    struct date_chars date = date_print(dated->date);
    if (!dated->date && !repository->is_trusted) {
        err_set(err, ERR_TRUST, "%s: its %s has no date, so an old one could not be told from a new one",
                repository->name, dated->what);
        return false;
    }
    if (dated->date - FUTURE_MAX_SECONDS > env->now) {
        err_set(err, ERR_TRUST, "%s: its %s is dated %s, %s in the future; is this machine's clock (%s) right?",
                repository->name, dated->what, date.chars, date_print_span(dated->date - env->now).chars,
                date_print(env->now).chars);
        return false;
    }
    if (mark && dated->date < mark->date) {
        err_set(err, ERR_TRUST,
                "%s: its %s is dated %s, older than the last accepted one of %s: the mirror %s lags behind, or "
                "someone replays old data; try again later, or delete %s to accept it as on first use",
                repository->name, dated->what, date.chars, date_print(mark->date).chars,
                source_public_uri(arena, dated->uri), mark_path(env, arena, repository));
        err->detail = RELEASE_DETAIL_OLDER;
        return false;
    }
    return freshness_check_age(env, arena, repository, dated, err);
}

bool release_check_fresh(const struct source_env *env, struct arena *arena, const struct repository *repository,
                         const struct dated *dated, int64_t valid_until, const struct release_mark *mark,
                         struct err *err)
{
    if (valid_until && valid_until < env->now && !repository->is_valid_until_ignored) {
        err_set(
            err, ERR_TRUST,
            "%s: its %s (dated %s) was valid until %s, which is %s ago: the mirror %s is not updated any more, "
            "someone replays old data, or this machine's clock (%s) is ahead (Check-Valid-Until: no accepts it all the "
            "same)",
            repository->name, dated->what, date_print(dated->date).chars, date_print(valid_until).chars,
            date_print_span(env->now - valid_until).chars, source_public_uri(arena, dated->uri),
            date_print(env->now).chars);
        return false;
    }
    return release_check_date(env, arena, repository, dated, mark, err);
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool has_same_names(const struct release_mark *a, const struct release_mark *b)
{
    for (size_t i = 0; i < RELEASE_NAMES_COUNT; i++) {
        if (!is_same_text(a->names.values[i], b->names.values[i]))
            return false;
    }
    return a->has_names == b->has_names && is_same_text(a->arches, b->arches);
}

static bool is_same_mark(const struct release_mark *a, const struct release_mark *b)
{
    return a->date == b->date && digest_eq(&a->digest, &b->digest) && digest_eq(&a->file, &b->file) &&
           a->is_bare == b->is_bare && a->has_signature == b->has_signature &&
           (!a->has_signature || digest_eq(&a->signature, &b->signature)) && strcmp(a->from, b->from) == 0 &&
           has_same_names(a, b);
}

static const char *print_mark(struct arena *arena, const struct repository *repository, const struct release_mark *mark)
{
    const char *signature = mark->is_bare ? "none" : "inline";
    struct digest_hex hex = digest_hex(&mark->signature), digest = digest_hex(&mark->digest);
    const char *text = arena_printf(
        arena, "version %d\nuri %s\nsuite %s\ndate %lld\ndigest %s\nfile %s\nsignature %s\nfrom %s\n",
        mark->has_names ? 2 : 1, source_public_uri(arena, repository->uri), repository->suite, (long long)mark->date,
        digest.chars, digest_hex(&mark->file).chars, mark->has_signature ? hex.chars : signature, mark->from);
    if (!mark->has_names)
        return text;
    for (size_t i = 0; i < RELEASE_NAMES_COUNT; i++)
        text = arena_printf(arena, "%s%s %s\n", text, name_keys[i], mark->names.values[i] ? mark->names.values[i] : "");
    return arena_printf(arena, "%sarches %s\n", text, mark->arches ? mark->arches : "");
}

void release_tell_first_use(struct arena *arena, const struct source_env *env, const struct strings *names)
{
    if (names->count)
        log_line(env->log, LOG_NORMAL,
                 "first use of %s: there is nothing yet to compare with; from now on older or other data is refused "
                 "(remembered in %s)",
                 strings_join(arena, names, ", "), env->state_dir);
}

/* Writes the mark unless the one on disk is newer; the directory is locked meanwhile, until dir_fd is closed. */
static bool write_locked(const struct source_env *env, struct arena *arena, const struct repository *repository,
                         int dir_fd, const struct release_mark *mark, struct err *err)
{
    struct release_mark now_there;
    bool is_found;
    if (!lock_take(dir_fd, false, mark_dir(env, arena), env->wait, err) ||
        !release_mark_load(env, arena, repository, &now_there, &is_found, err))
        return false;
    if (is_found && (now_there.date > mark->date || is_same_mark(&now_there, mark)))
        return true;
    file_remove_left_overs(dir_fd);
    const char *text = print_mark(arena, repository, mark);
    return file_write_atomic_at(dir_fd, mark_name(arena, repository), text, strlen(text), 0600, true, err);
}

bool release_mark_raise(const struct source_env *env, struct arena *arena, const struct repository *repository,
                        const struct release_mark *mark, struct err *err)
{
    struct release_mark capped = *mark, known;
    bool is_found;
    if (capped.date > env->now)
        capped.date = env->now;
    if (capped.date < 0)
        capped.date = 0;
    if (!release_mark_load(env, arena, repository, &known, &is_found, err))
        return false;
    if (is_found && is_same_mark(&known, &capped))
        return true;
    AUTO(auto_close_fd) int dir_fd = -1;
    return file_make_dirs(mark_dir(env, arena), 0700, err) && file_open_dir(mark_dir(env, arena), &dir_fd, err) &&
           write_locked(env, arena, repository, dir_fd, &capped, err);
}

struct pin release_mark_pin(const struct release_mark *mark, const char *uri, const char *suite)
{
    return (struct pin){.uri = uri,
                        .suite = suite,
                        .from = mark->from,
                        .date = mark->date,
                        .digest = mark->digest,
                        .file = mark->file,
                        .signature = mark->signature,
                        .has_signature = mark->has_signature,
                        .is_bare = mark->is_bare};
}

struct release_mark release_mark_of_pin(const struct pin *pin)
{
    return (struct release_mark){.date = pin->date,
                                 .digest = pin->digest,
                                 .file = pin->file,
                                 .signature = pin->signature,
                                 .has_signature = pin->has_signature,
                                 .is_bare = pin->is_bare,
                                 .from = pin->from};
}

void release_mark_hint(const struct source_env *env, const struct release_mark *mark, const char *what, struct err *err)
{
    if (err->kind != ERR_NETWORK || !mark || env->is_cache_only || !store_has(env->store, &mark->file))
        return;
    struct err hinted = {.kind = ERR_NONE};
    int detail = err->detail;
    err_set(&hinted, ERR_NETWORK, "%s (--cache-only uses the %s of %s, which is in the cache)", err->text, what,
            date_print(mark->date).chars);
    *err = hinted;
    err->detail = detail;
}
