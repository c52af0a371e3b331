/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credentials_helper.h"
#include "base/auto.h"
#include "io/child.h"
#include "registry/credentials_file.h"
#include "registry/credentials_secret.h"

#define HELPER_TIMEOUT_MS 30000
#define ANSWER_BYTES_MAX (1u << 16)

/* What the well-known helpers (pass, secretservice, ecr-login, gcloud, acr-env, …) read. */
static const char *const passed_on[] = {"HOME",
                                        "USER",
                                        "LOGNAME",
                                        "LANG",
                                        "TMPDIR",
                                        "XDG_*",
                                        "DBUS_SESSION_BUS_ADDRESS",
                                        "DISPLAY",
                                        "WAYLAND_DISPLAY",
                                        "GNUPGHOME",
                                        "GPG_TTY",
                                        "PASSWORD_STORE_*",
                                        "AWS_*",
                                        "AZURE_*",
                                        "CLOUDSDK_*",
                                        "GOOGLE_*",
                                        "GCR_*",
                                        "GITHUB_TOKEN",
                                        "GITLAB_TOKEN",
                                        "SSL_CERT_*",
                                        "http_proxy",
                                        "https_proxy",
                                        "no_proxy",
                                        "HTTP_PROXY",
                                        "HTTPS_PROXY",
                                        "NO_PROXY"};

/* Runs the helper; what it says on failure may quote a secret and is shown to nobody. */
static bool run(struct arena *arena, const char *helper, const char *verb, struct text input, struct buf *ret_answer,
                int *ret_exit, struct err *err)
{
    const char *program = arena_printf(arena, "docker-credential-%s", helper);
    const char *const argv[] = {program, verb, NULL};
    struct child_input given = {input, passed_on, ARRAY_COUNT(passed_on)};
    return child_run_with_input(argv, &given, ANSWER_BYTES_MAX, HELPER_TIMEOUT_MS, ret_answer, ret_exit, err);
}

static bool fail_answer(const char *helper, const char *host, struct err *err)
{
    err_set(err, ERR_USAGE, "docker-credential-%s gave an answer for %s that is not {\"Username\", \"Secret\"}", helper,
            host);
    return false;
}

static bool read_answer(const char *helper, const char *host, const struct buf *answer, struct credential *credential,
                        struct err *err)
{
    json_error_t place;
    AUTO(auth_json_done) json_t *root = json_loadb(answer->bytes, answer->len, JSON_REJECT_DUPLICATES, &place);
    explicit_bzero(place.text, sizeof place.text);
    const char *user = json_string_value(json_object_get(root, "Username"));
    const char *secret = json_string_value(json_object_get(root, "Secret"));
    if (!user || !secret)
        return fail_answer(helper, host, err);
    if (!user[0] && !secret[0])
        return true;
    credential->user = secret_dup(user);
    credential->secret = secret_dup(secret);
    credential->is_identity_token = strcmp(user, "<token>") == 0;
    return true;
}

/* The words of docker-credential-helpers, and of some that translate or prefix them. */
static bool says_none(const struct buf *answer)
{
    return answer->len && (strcasestr(answer->bytes, "not found") || strcasestr(answer->bytes, "no credentials"));
}

static bool get(struct arena *arena, const char *helper, const char *server, struct credential *credential,
                struct err *err)
{
    AUTO(secret_buf_done) struct buf answer = {0};
    int status = 0;
    if (!run(arena, helper, "get", text_of(server), &answer, &status, err))
        return false;
    if (status == 0)
        return read_answer(helper, server, &answer, credential, err);
    if (says_none(&answer))
        return true;
    err_set(err, ERR_LOCAL, "docker-credential-%s failed for %s (exit status %d)", helper, server, status);
    return false;
}

bool credential_helper_get(struct arena *arena, const char *helper, const char *host, struct credential *ret_credential,
                           struct err *err)
{
    if (strcmp(host, DOCKER_HUB_HOST) == 0 && !get(arena, helper, DOCKER_HUB_KEY, ret_credential, err))
        return false;
    if (!ret_credential->secret && !get(arena, helper, host, ret_credential, err))
        return false;
    if (ret_credential->secret)
        ret_credential->from = arena_printf(arena, "docker-credential-%s", helper);
    return true;
}

static bool want_success(const char *helper, const char *verb, const char *host, int status, struct err *err)
{
    if (status == 0)
        return true;
    err_set(err, ERR_LOCAL, "docker-credential-%s could not %s the credential of %s (exit status %d)", helper, verb,
            host, status);
    return false;
}

bool credential_helper_store(struct arena *arena, const char *helper, const char *host,
                             const struct credential *credential, struct err *err)
{
    AUTO(secret_buf_done) struct buf answer = {0}, input;
    AUTO(auth_json_done)
    json_t *root =
        json_pack("{s:s,s:s,s:s}", "ServerURL", host, "Username",
                  credential->is_identity_token ? "<token>" : credential->user, "Secret", credential->secret);
    size_t len = root ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
    int status = 0;
    buf_init(&input, len + 1);
    if (!len || !buf_reserve(&input, len + 1) || json_dumpb(root, input.bytes, len, JSON_COMPACT) != len) {
        err_set(err, ERR_USAGE, "user or secret for %s is not UTF-8", host);
        return false;
    }
    return run(arena, helper, "store", (struct text){input.bytes, len}, &answer, &status, err) &&
           want_success(helper, "store", host, status, err);
}

/* Docker's own name and its URL are two servers to a helper: one of them must be known to it. */
bool credential_helper_erase(struct arena *arena, const char *helper, const char *host, struct err *err)
{
    const char *const servers[] = {host, DOCKER_HUB_KEY};
    size_t count = strcmp(host, DOCKER_HUB_HOST) == 0 ? 2 : 1;
    int status = 0;
    bool is_erased = false;
    for (size_t i = 0; i < count; i++) {
        AUTO(secret_buf_done) struct buf answer = {0};
        if (!run(arena, helper, "erase", text_of(servers[i]), &answer, &status, err))
            return false;
        is_erased = is_erased || status == 0;
    }
    return is_erased || want_success(helper, "erase", host, status, err);
}
