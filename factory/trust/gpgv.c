/* SPDX-License-Identifier: Apache-2.0 */
/* Everything gpgv reads and writes is memory: keyrings, message and output are anonymous files named /proc/self/fd/N.
 */
#include "trust/gpgv.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/auto.h"
#include "io/child.h"
#include "io/file.h"

#define STATUS_MAX_BYTES (1u << 20)
#define GPGV_TIMEOUT_MS 60000u
#define WORDS_MAX 12
#define GPGV_DESCRIPTORS 12 /* standard streams, its log, the resources of a keyring */

struct status_line {
    struct text words[WORDS_MAX];
    size_t count;
};

static struct status_line split(struct text line)
{
    struct status_line result = {0};
    while (result.count < WORDS_MAX && text_next_word(&line, &result.words[result.count]))
        result.count++;
    return result;
}

/* Returns whether a hash algorithm (RFC 9580, section 9.5) is SHA-256 or better. */
static bool is_strong_hash(struct text algorithm)
{
    static const char *const strong[] = {"8", "9", "10", "12", "14"};
    for (size_t i = 0; i < ARRAY_COUNT(strong); i++) {
        if (text_is(algorithm, strong[i]))
            return true;
    }
    return false;
}

static bool is_allowed(const struct strings *fingerprints, struct text key, struct text primary)
{
    for (size_t i = 0; i < fingerprints->count; i++) {
        struct text wanted = text_of(fingerprints->items[i]);
        bool is_exact = text_has_suffix(wanted, "!");
        wanted.len -= is_exact;
        if (text_eq(wanted, key) || (!is_exact && text_eq(wanted, primary)))
            return true;
    }
    return fingerprints->count == 0;
}

/* VALIDSIG fpr date timestamp expires version reserved pkalgo hashalgo class primary-fpr, after GOODSIG. */
static void judge_valid(struct arena *arena, const struct status_line *line, const struct strings *fingerprints,
                        struct gpgv_verdict *verdict)
{
    if (line->count < 11)
        return;
    struct text key = line->words[1], hash = line->words[8], primary = line->words[10];
    const char *name = text_dup(arena, key);
    if (!is_strong_hash(hash))
        list_add(arena, &verdict->weak, name);
    else if (!is_allowed(fingerprints, key, primary))
        list_add(arena, &verdict->not_allowed, name);
    else if (!verdict->signed_by)
        verdict->signed_by = name;
}

/* Notes what is wrong with a signature. ERRSIG with reason 9 is told again as NO_PUBKEY. */
static void note_fault(struct arena *arena, const struct status_line *line, struct gpgv_verdict *verdict)
{
    struct {
        const char *word;
        struct strings *list;
    } table[] = {
        {"BADSIG", &verdict->bad},
        {"NO_PUBKEY", &verdict->unknown},
        {"EXPKEYSIG", &verdict->expired_keys},
        {"EXPSIG", &verdict->expired_signatures},
        {"REVKEYSIG", &verdict->revoked},
    };
    const char *key = line->count > 1 ? text_dup(arena, line->words[1]) : "?";
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (text_is(line->words[0], table[i].word))
            list_add(arena, table[i].list, key);
    }
    if (text_is(line->words[0], "ERRSIG") && !(line->count > 6 && text_is(line->words[6], "9")))
        list_add(arena, &verdict->unchecked, key);
}

static bool is_between_good_and_valid(struct text word)
{
    return text_has_prefix(word, "NOTATION_") || text_is(word, "POLICY_URL") || text_is(word, "KEY_CONSIDERED");
}

void gpgv_judge(struct arena *arena, struct text status, const struct strings *fingerprints,
                struct gpgv_verdict *ret_verdict)
{
    struct gpgv_verdict verdict = {0};
    bool is_after_good = false;
    struct text text_line;
    while (text_next(&status, '\n', &text_line)) {
        if (!text_has_prefix(text_line, "[GNUPG:] "))
            continue;
        text_line.ptr += 9;
        text_line.len -= 9;
        struct status_line line = split(text_line);
        if (!line.count || is_between_good_and_valid(line.words[0]))
            continue;
        if (is_after_good && text_is(line.words[0], "VALIDSIG"))
            judge_valid(arena, &line, fingerprints, &verdict);
        note_fault(arena, &line, &verdict);
        is_after_good = text_is(line.words[0], "GOODSIG");
    }
    verdict.has_bad = verdict.bad.count > 0;
    if (verdict.has_bad)
        verdict.signed_by = NULL;
    *ret_verdict = verdict;
}

const char *gpgv_reasons(struct arena *arena, const struct gpgv_verdict *verdict)
{
    const struct {
        const struct strings *keys;
        const char *what;
    } table[] = {
        {&verdict->bad, "the signature does not fit the text, so it was altered (bad signature by %s)"},
        {&verdict->revoked, "the key is revoked (%s)"},
        {&verdict->expired_keys, "the key has expired (%s)"},
        {&verdict->expired_signatures, "the signature has expired (by %s)"},
        {&verdict->weak, "the signature uses a weak digest such as SHA-1 or MD5 (by %s)"},
        {&verdict->not_allowed, "it is signed by a key that Signed-By does not name (%s)"},
        {&verdict->unknown, "it is signed by an unknown key (%s); if you trust that key, add its file to Signed-By, "
                            "keys or gpgkey"},
        {&verdict->unchecked, "gpgv cannot check the signature (by %s: algorithm not supported, or damaged)"},
    };
    struct strings reasons = {0};
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (!table[i].keys->count)
            continue;
        const char *keys = strings_join(arena, table[i].keys, ", "), *key_at = strstr(table[i].what, "%s");
        list_add(arena, &reasons,
                 arena_printf(arena, "%.*s%s%s", (int)(key_at - table[i].what), table[i].what, keys, key_at + 2));
    }
    return reasons.count ? strings_join(arena, &reasons, "; ") : "it has no signature that gpgv can read";
}

/* The descriptors handed to one gpgv, closed together. */
struct hand {
    int fds[64];
    size_t count;
};

static void hand_done(struct hand *hand)
{
    for (size_t i = 0; i < hand->count; i++)
        (void)close(hand->fds[i]);
}

/* Hands bytes over and returns their path in the child. */
static bool hand_bytes(struct arena *arena, struct hand *hand, const char *name, struct text bytes,
                       const char **ret_path, struct err *err)
{
    int fd;
    if (hand->count == ARRAY_COUNT(hand->fds)) {
        err_set(err, ERR_MALFORMED, "more than %zu keyrings for one repository", ARRAY_COUNT(hand->fds) - 3);
        return false;
    }
    if (!child_memory_file(name, bytes.ptr, bytes.len, &fd, err))
        return false;
    hand->fds[hand->count++] = fd;
    *ret_path = arena_printf(arena, "/proc/self/fd/%d", fd);
    return true;
}

/* Makes the empty file that gpgv writes the signed text to. */
static bool hand_output(struct arena *arena, struct hand *hand, const char **ret_path, int *ret_fd, struct err *err)
{
    int fd = memfd_create("signed text", MFD_CLOEXEC);
    if (fd < 0) {
        err_set_errno(err, errno, "cannot make a file in memory for gpgv's output");
        return false;
    }
    hand->fds[hand->count++] = fd;
    *ret_path = arena_printf(arena, "/proc/self/fd/%d", fd);
    *ret_fd = fd;
    return true;
}

/* gpgv that cannot open a keyring says that it has no key. It opens files by the names of what it inherits, so it needs as
 * many again, and some of its own. */
static bool check_room(const struct hand *hand, struct err *err)
{
    struct rlimit limit;
    size_t needed = 2 * hand->count + GPGV_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return true;
    err_set_errno(err, EMFILE, "gpgv needs %zu files at once", needed);
    return false;
}

static bool run(const struct strings *argv, const struct hand *hand, struct buf *ret_status, struct err *err)
{
    int exit_status;
    struct child_fds inherit = {.fds = hand->fds, .count = hand->count};
    if (!check_room(hand, err))
        return false;
    if (child_run(argv->items, inherit, STATUS_MAX_BYTES, GPGV_TIMEOUT_MS, ret_status, &exit_status, err))
        return true;
    if (err->kind == ERR_LOCAL && err->detail == ENOENT)
        err_wrap(err, "gpgv, which checks the repositories' signatures, is not installed (package gpgv, or gnupg2 on "
                      "Fedora)");
    return false;
}

static bool read_output(struct arena *arena, int fd, struct text *ret_text, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    if (!file_map_fd(fd, "gpgv's output", &view, err))
        return false;
    *ret_text = (struct text){arena_strndup(arena, view.ptr, view.len), view.len};
    return true;
}

bool gpgv_run(struct arena *arena, const struct keyrings *keyrings, struct text message, struct text signature,
              const struct strings *fingerprints, struct gpgv_verdict *ret_verdict, struct err *err)
{
    AUTO(hand_done) struct hand hand = {0};
    struct strings argv = {0};
    const char *path, *output_path;
    int output_fd;
    static const char *const first[] = {"gpgv", "--homedir", "/nonexistent", "--status-fd", "1"};
    for (size_t i = 0; i < ARRAY_COUNT(first); i++)
        list_add(arena, &argv, first[i]);
    if (!hand_output(arena, &hand, &output_path, &output_fd, err))
        return false;
    for (size_t i = 0; i < keyrings->parts.count; i++) {
        if (!hand_bytes(arena, &hand, "keyring", keyrings->parts.items[i], &path, err))
            return false;
        list_add(arena, &argv, "--keyring");
        list_add(arena, &argv, path);
    }
    if (!signature.ptr) {
        list_add(arena, &argv, "--output");
        list_add(arena, &argv, output_path);
    } else {
        if (!hand_bytes(arena, &hand, "signature", signature, &path, err))
            return false;
        list_add(arena, &argv, path);
    }
    if (!hand_bytes(arena, &hand, "message", message, &path, err))
        return false;
    list_add(arena, &argv, path);
    list_add(arena, &argv, NULL);
    AUTO(buf_done) struct buf status = {0};
    if (!run(&argv, &hand, &status, err))
        return false;
    gpgv_judge(arena, (struct text){status.bytes, status.len}, fingerprints, ret_verdict);
    if (!ret_verdict->signed_by)
        return true;
    ret_verdict->text = message;
    return signature.ptr || read_output(arena, output_fd, &ret_verdict->text, err);
}
