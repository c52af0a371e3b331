/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include "base/auto.h"
#include "registry/credentials.h"

#include <errno.h>
#include <fcntl.h>

static void write_file(const char *name, const char *bytes, mode_t mode)
{
    write_at_home(name, bytes);
    assert_int_equal(chmod(at_home(name), mode), 0);
}

static char *read_home(const char *name)
{
    static char bytes[8192];
    FILE *file = fopen(at_home(name), "r");
    assert_non_null(file);
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
    (void)fclose(file);
    return bytes;
}

static int set_up(void **state)
{
    (void)set_up_home(state);
    char path[1024];
    const char *old = getenv("PATH");
    if (!strstr(old, "imgfactory-test-")) {
        (void)snprintf(path, sizeof path, "%s/bin:%s", home, old);
    } else {
        const char *colon = strchr(old, ':');
        (void)snprintf(path, sizeof path, "%s/bin%s", home, colon);
    }
    setenv("PATH", path, 1);
    setenv("XDG_RUNTIME_DIR", at_home("run"), 1);
    return 0;
}

#define RUNTIME "run/containers/auth.json"
#define OWN ".config/containers/auth.json"
#define DOCKER ".docker/config.json"

static bool find(struct arena *arena, const char *authfile, const char *name, struct credential *credential,
                 struct err *err)
{
    struct reference reference;
    CHECK_OK(reference_parse(arena, name, true, &reference, err), err);
    *credential = (struct credential){0};
    return credential_find(arena, authfile, &reference, credential, err);
}

/* Checks what is found for a name; user NULL: nothing. */
static void check_found(const char *authfile, const char *name, const char *user, const char *secret)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(credential_done) struct credential credential;
    struct err err = {0};
    CHECK_OK(find(&arena, authfile, name, &credential, &err), &err);
    if (!user) {
        assert_null(credential.user);
        assert_null(credential.secret);
        return;
    }
    if (!credential.user)
        fail_msg("nothing was found for %s", name);
    assert_string_equal(credential.user, user);
    assert_string_equal(credential.secret, secret);
    assert_non_null(credential.from);
}

/* Checks that finding fails, and that no text names a secret. */
static void check_refused(const char *authfile, const char *name, enum err_kind kind, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(credential_done) struct credential credential;
    struct err err = {0};
    assert_false(find(&arena, authfile, name, &credential, &err));
    CHECK_ERR(&err, kind, part);
    assert_null(strstr(err.text, "canary"));
    assert_null(strstr(err.text, "Y2FuYXJ5"));
    assert_null(credential.secret);
}

static void without_files_one_is_anonymous(void **state)
{
    (void)state;
    check_found(NULL, "quay.io/a/b", NULL, NULL);
}

/* dTpw = u:p, dTI6cDI= = u2:p2, dTM6cDM= = u3:p3 */
static void the_most_specific_key_wins(void **state)
{
    (void)state;
    write_file(RUNTIME,
               "{\"auths\": {\"quay.io\": {\"auth\": \"dTpw\"}, \"quay.io/a\": {\"auth\": \"dTI6cDI=\"},"
               " \"quay.io/a/b/c\": {\"auth\": \"dTM6cDM=\"}}}",
               0600);
    check_found(NULL, "quay.io/a/b/c:1", "u3", "p3");
    check_found(NULL, "quay.io/a/b", "u2", "p2");
    check_found(NULL, "quay.io/ab/c", "u", "p");
    check_found(NULL, "quay.io:8443/a/b", NULL, NULL);
    check_found(NULL, "evil.quay.io/a/b", NULL, NULL);
    check_found(NULL, "quay.io.evil.org/a/b", NULL, NULL);
}

static void the_files_are_searched_in_podmans_order(void **state)
{
    (void)state;
    write_file(".dockercfg", "{\"https://quay.io/v1/\": {\"auth\": \"dTM6cDM=\"}}", 0600);
    check_found(NULL, "quay.io/a/b", "u3", "p3");
    write_file(DOCKER, "{\"auths\": {\"quay.io\": {\"auth\": \"dTI6cDI=\"}}}", 0600);
    check_found(NULL, "quay.io/a/b", "u2", "p2");
    write_file(OWN, "{\"auths\": {\"quay.io\": {\"auth\": \"dTpw\"}}}", 0600);
    check_found(NULL, "quay.io/a/b", "u", "p");
    write_file(RUNTIME, "{\"auths\": {\"quay.io\": {}}}", 0600);
    check_found(NULL, "quay.io/a/b", "u", "p");
    write_file(RUNTIME, "{\"auths\": {\"quay.io\": {\"auth\": \"dTM6cDM=\"}}}", 0600);
    check_found(NULL, "quay.io/a/b", "u3", "p3");
    write_file("named.json", "{\"auths\": {\"other.io\": {\"auth\": \"dTpw\"}}}", 0600);
    setenv("REGISTRY_AUTH_FILE", at_home("named.json"), 1);
    check_found(NULL, "quay.io/a/b", NULL, NULL);
    check_found(at_home(OWN), "quay.io/a/b", "u", "p");
}

static void variables_move_the_files(void **state)
{
    (void)state;
    write_file("conf/containers/auth.json", "{\"auths\": {\"quay.io\": {\"auth\": \"dTpw\"}}}", 0600);
    write_file("dock/config.json", "{\"auths\": {\"other.io\": {\"auth\": \"dTI6cDI=\"}}}", 0600);
    check_found(NULL, "quay.io/a/b", NULL, NULL);
    setenv("XDG_CONFIG_HOME", at_home("conf"), 1);
    setenv("DOCKER_CONFIG", at_home("dock"), 1);
    check_found(NULL, "quay.io/a/b", "u", "p");
    check_found(NULL, "other.io/a/b", "u2", "p2");
}

static void keys_shaped_as_urls_match_their_host(void **state)
{
    (void)state;
    write_file(DOCKER,
               "{\"auths\": {\"https://index.docker.io/v1/\": {\"auth\": \"dTpw\"},"
               " \"http://Lab.example:5000/v2/\": {\"auth\": \"dTI6cDI=\"},"
               " \"https://quay.io\": {\"auth\": \"dTM6cDM=\"}}}",
               0600);
    check_found(NULL, "docker.io/busybox", "u", "p");
    check_found(NULL, "registry-1.docker.io/library/busybox", "u", "p");
    check_found(NULL, "lab.example:5000/a", "u2", "p2");
    check_found(NULL, "lab.example/a", NULL, NULL);
    check_found(NULL, "quay.io/a", "u3", "p3");
}

static void the_forms_of_an_entry_are_all_read(void **state)
{
    (void)state;
    write_file(
        RUNTIME,
        "{\"auths\": {"
        "\"nul.io\": {\"auth\": \"dTpwAAA=\"},"
        "\"wrapped.io\": {\"auth\": \"dTp\\r\\nw\"},"
        "\"colon.io\": {\"auth\": \"dTpwOnE=\"},"
        "\"plain.io\": {\"username\": \"me\", \"password\": \"pw\"},"
        "\"odd.io\": \"text\", \"null.io\": null, \"empty.io\": {\"auth\": \"\"}, \"dots.io\": {\"auth\": \"Og==\"}}}",
        0600);
    check_found(NULL, "nul.io/a", "u", "p");
    check_found(NULL, "wrapped.io/a", "u", "p");
    check_found(NULL, "colon.io/a", "u", "p:q");
    check_found(NULL, "plain.io/a", "me", "pw");
    check_found(NULL, "odd.io/a", NULL, NULL);
    check_found(NULL, "null.io/a", NULL, NULL);
    check_found(NULL, "empty.io/a", NULL, NULL);
    check_found(NULL, "dots.io/a", NULL, NULL);
}

static void tokens_are_told_from_passwords(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct credential credential;
    write_file(RUNTIME,
               "{\"auths\": {\"one.io\": {\"auth\": \"dTo=\", \"identitytoken\": \"idtok\"},"
               "\"two.io\": {\"identitytoken\": \"idtok\"}, \"three.io\": {\"registrytoken\": \"regtok\"},"
               "\"four.io\": {\"identitytoken\": \"canary\\r\\nX: y\"}}}",
               0600);
    CHECK_OK(find(&arena, NULL, "one.io/a", &credential, &err), &err);
    assert_string_equal(credential.user, "u");
    assert_string_equal(credential.secret, "idtok");
    assert_true(credential.is_identity_token && !credential.is_registry_token);
    credential_done(&credential);
    CHECK_OK(find(&arena, NULL, "two.io/a", &credential, &err), &err);
    assert_string_equal(credential.user, "<token>");
    assert_true(credential.is_identity_token);
    credential_done(&credential);
    CHECK_OK(find(&arena, NULL, "three.io/a", &credential, &err), &err);
    assert_null(credential.user);
    assert_string_equal(credential.secret, "regtok");
    assert_true(credential.is_registry_token && !credential.is_identity_token);
    credential_done(&credential);
    check_refused(NULL, "four.io/a", ERR_USAGE, "identitytoken");
}

static void broken_files_are_refused_without_their_content(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *part;
    } rows[] = {
        {"{\"auths\": {\"quay.io\": {\"auth\": \"canary", "auth.json:1:"},
        {"{\"auths\": {\"quay.io\": {\"auth\": canary}}}", "auth.json:1:"},
        {"{\"auths\": {}, \"auths\": {}}", "auth.json:1:"},
        {"", "auth.json:1:"},
        {"[]", "not a JSON object"},
        {"{\"auths\": []}", "'auths' is not an object"},
        {"{\"credHelpers\": \"canary\"}", "'credHelpers' is not an object"},
        {"{\"credHelpers\": {\"quay.io\": 1}}", "name of a helper"},
        {"{\"credHelpers\": {\"quay.io\": \"../../canary\"}}", "name of a helper"},
        {"{\"auths\": {\"quay.io\": {\"auth\": \"canary!!\"}}}", "is not base64"},
        {"{\"auths\": {\"quay.io\": {\"auth\": \"dTp\"}}}", "is not base64"},
        {"{\"auths\": {\"quay.io\": {\"auth\": \"dT=w\"}}}", "is not base64"},
        {"{\"auths\": {\"quay.io\": {\"auth\": \"d===\"}}}", "is not base64"},
        {"{\"auths\": {\"quay.io\": {\"auth\": \"Y2FuYXJ5\"}}}", "USER:PASSWORD"},
        {"{\"auths\": {\"quay.io\": {\"auth\": \"dQA6cA==\"}}}", "USER:PASSWORD"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        write_file(RUNTIME, rows[i].bytes, 0600);
        check_refused(NULL, "quay.io/a", ERR_USAGE, rows[i].part);
        check_refused(NULL, "quay.io/a", ERR_USAGE, at_home(RUNTIME));
    }
}

static void a_file_must_be_regular_and_exist_when_it_is_named(void **state)
{
    (void)state;
    check_refused(at_home("absent.json"), "quay.io/a", ERR_USAGE, "no such file");
    assert_int_equal(mkfifo(at_home("fifo"), 0600), 0);
    check_refused(at_home("fifo"), "quay.io/a", ERR_USAGE, "not a regular file");
    check_refused(home, "quay.io/a", ERR_USAGE, "not a regular file");
    check_refused("/dev/null", "quay.io/a", ERR_USAGE, "not a regular file");
}

/* A helper in shell that notes what it was asked. */
static void write_helper(const char *name, const char *script)
{
    char path[128], whole[2048];
    (void)snprintf(path, sizeof path, "bin/docker-credential-%s", name);
    (void)snprintf(whole, sizeof whole, "#!/bin/sh\n%s\n", script);
    write_file(path, whole, 0700);
}

static void a_helper_is_asked_with_the_host_alone_and_before_auths(void **state)
{
    (void)state;
    write_helper("test", "printf '%s ' \"$1\" >>$HOME/asked; cat >>$HOME/asked;"
                         " echo '{\"ServerURL\":\"x\",\"Username\":\"hu\",\"Secret\":\"hs\"}'");
    write_file(RUNTIME, "{\"auths\": {\"quay.io\": {\"auth\": \"dTpw\"}}, \"credHelpers\": {\"quay.io\": \"test\"}}",
               0600);
    check_found(NULL, "quay.io/a", "hu", "hs");
    assert_string_equal(read_home("asked"), "get quay.io");
}

static void a_helper_that_has_nothing_sends_on_to_the_next_file(void **state)
{
    (void)state;
    write_helper("test", "echo 'credentials not found in native keychain'; exit 1");
    write_file(RUNTIME, "{\"auths\": {\"quay.io\": {\"auth\": \"dTpw\"}}, \"credHelpers\": {\"quay.io\": \"test\"}}",
               0600);
    check_found(NULL, "quay.io/a", NULL, NULL);
    write_file(OWN, "{\"auths\": {\"quay.io\": {\"auth\": \"dTI6cDI=\"}}}", 0600);
    check_found(NULL, "quay.io/a", "u2", "p2");
}

static void a_helper_is_asked_for_docker_hub_by_both_names(void **state)
{
    (void)state;
    write_helper("test", "[ \"$(cat)\" = docker.io ] || { echo 'credentials not found'; exit 1; };"
                         " echo '{\"Username\":\"<token>\",\"Secret\":\"idtok\"}'");
    write_file(DOCKER, "{\"credHelpers\": {\"https://index.docker.io/v1/\": \"test\"}}", 0600);
    AUTO(arena_done) struct arena arena = {0};
    AUTO(credential_done) struct credential credential;
    struct err err = {0};
    CHECK_OK(find(&arena, NULL, "docker.io/busybox", &credential, &err), &err);
    assert_true(credential.is_identity_token);
    assert_string_equal(credential.secret, "idtok");
    assert_string_equal(credential.from, "docker-credential-test");
}

static void a_helper_that_fails_is_an_error_that_repeats_nothing(void **state)
{
    (void)state;
    write_file(RUNTIME, "{\"credHelpers\": {\"quay.io\": \"test\"}}", 0600);
    check_refused(NULL, "quay.io/a", ERR_LOCAL, "docker-credential-test");
    write_helper("test", "echo 'canary is locked'; exit 1");
    check_refused(NULL, "quay.io/a", ERR_LOCAL, "exit status 1");
    write_helper("test", "echo '{\"Username\": \"u\", canary'");
    check_refused(NULL, "quay.io/a", ERR_USAGE, "docker-credential-test");
    write_helper("test", "echo '{\"Username\": \"u\", \"Secret\": 1}'");
    check_refused(NULL, "quay.io/a", ERR_USAGE, "docker-credential-test");
    write_helper("test", "true");
    check_refused(NULL, "quay.io/a", ERR_USAGE, "docker-credential-test");
}

static void the_store_counts_in_dockers_file_only_and_may_be_missing(void **state)
{
    (void)state;
    write_helper("test", "echo '{\"Username\":\"su\",\"Secret\":\"ss\"}'");
    write_file(RUNTIME, "{\"credsStore\": \"test\"}", 0600);
    check_found(NULL, "quay.io/a", NULL, NULL);
    write_file(DOCKER, "{\"auths\": {\"quay.io\": {}, \"other.io\": {\"auth\": \"dTpw\"}}, \"credsStore\": \"test\"}",
               0600);
    check_found(NULL, "quay.io/a", "su", "ss");
    check_found(NULL, "other.io/a", "u", "p");
    check_found(at_home(DOCKER), "quay.io/a", "su", "ss");
    write_file(DOCKER, "{\"auths\": {\"other.io\": {\"auth\": \"dTpw\"}}, \"credsStore\": \"absent\"}", 0600);
    check_found(NULL, "quay.io/a", NULL, NULL);
}

static void store(const char *authfile, const char *host, char *user, char *secret, bool is_token)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct credential credential = {.user = user, .secret = secret, .is_identity_token = is_token};
    const char *path;
    CHECK_OK(credential_store(&arena, authfile, NULL, host, &credential, &path, &err), &err);
    assert_true(access(path, F_OK) == 0);
}

static void what_is_stored_is_found_again_in_a_private_file(void **state)
{
    (void)state;
    struct stat status;
    char user[] = "me+robot", secret[] = "pass:wörd \" \\", other[] = "x";
    store(NULL, "quay.io", user, secret, false);
    check_found(NULL, "quay.io/a/b", user, secret);
    assert_int_equal(stat(at_home(RUNTIME), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(stat(at_home("run/containers"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    store(NULL, "quay.io", user, other, false);
    check_found(NULL, "quay.io/a/b", user, other);
    assert_null(strstr(read_home(RUNTIME), "password"));
}

static void storing_keeps_all_else_and_narrows_the_mode(void **state)
{
    (void)state;
    struct stat status;
    char user[] = "me", secret[] = "pw";
    write_file("named.json",
               "{\"HttpHeaders\": {\"X\": \"y\"}, \"auths\": {\"other.io\": {\"auth\": \"dTpw\", \"email\": \"e\"}},"
               " \"psFormat\": \"table\", \"n\": 12345678901}",
               0644);
    assert_int_equal(symlink("named.json", at_home("link.json")), 0);
    store(at_home("link.json"), "quay.io", user, secret, false);
    const char *bytes = read_home("named.json");
    static const char *const kept[] = {"HttpHeaders", "\"X\": \"y\"", "\"email\": \"e\"",
                                       "psFormat",    "12345678901",  "quay.io"};
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
        assert_non_null(strstr(bytes, kept[i]));
    assert_true(strstr(bytes, "HttpHeaders") < strstr(bytes, "psFormat"));
    assert_int_equal(lstat(at_home("named.json"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(lstat(at_home("link.json"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    check_found(at_home("named.json"), "other.io/a", "u", "p");
    check_found(at_home("named.json"), "quay.io/a", user, secret);
}

static void an_identity_token_is_stored_as_docker_does(void **state)
{
    (void)state;
    char user[] = "u", secret[] = "idtok";
    store(at_home("auth.json"), "quay.io", user, secret, true);
    assert_non_null(strstr(read_home("auth.json"), "\"identitytoken\": \"idtok\""));
    check_found(at_home("auth.json"), "quay.io/a", "u", "idtok");
}

static void a_broken_file_is_not_overwritten(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    char user[] = "u", secret[] = "canary";
    struct credential credential = {.user = user, .secret = secret};
    const char *path;
    write_file(RUNTIME, "{broken", 0600);
    assert_false(credential_store(&arena, NULL, NULL, "quay.io", &credential, &path, &err));
    CHECK_ERR(&err, ERR_USAGE, "auth.json:1:");
    assert_string_equal(read_home(RUNTIME), "{broken");
}

static void users_and_secrets_that_cannot_be_kept_are_refused(void **state)
{
    (void)state;
    char empty[] = "", colon[] = "a:b", line[] = "canary\n", good[] = "u";
    struct credential rows[] = {{.user = empty, .secret = good}, {.user = colon, .secret = good},
                                {.user = line, .secret = good},  {.user = good, .secret = empty},
                                {.user = good, .secret = line},  {.user = good}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        const char *path;
        assert_false(credential_store(&arena, NULL, NULL, "quay.io", &rows[i], &path, &err));
        CHECK_ERR(&err, ERR_USAGE, "quay.io");
        assert_null(strstr(err.text, "canary"));
    }
}

static void a_helper_of_the_host_keeps_and_forgets_instead_of_the_file(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    bool is_found;
    char user[] = "me", secret[] = "canary";
    write_helper("test", "case $1 in store) cat >$HOME/kept;; get) cat $HOME/kept || { echo 'not found'; exit 1; };;"
                         " erase) rm $HOME/kept;; esac");
    write_file(RUNTIME, "{\"credHelpers\": {\"quay.io\": \"test\"}}", 0600);
    store(NULL, "quay.io", user, secret, false);
    assert_null(strstr(read_home(RUNTIME), "auths"));
    assert_string_equal(read_home("kept"), "{\"ServerURL\":\"quay.io\",\"Username\":\"me\",\"Secret\":\"canary\"}");
    check_found(NULL, "quay.io/a", user, secret);
    CHECK_OK(credential_remove(&arena, NULL, NULL, "quay.io", &is_found, &err), &err);
    assert_true(is_found);
    check_found(NULL, "quay.io/a", NULL, NULL);
    CHECK_OK(credential_remove(&arena, NULL, NULL, "quay.io", &is_found, &err), &err);
    assert_false(is_found);
}

static void a_login_whose_helper_cannot_have_it_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    char user[] = "me", secret[] = "canary";
    static const char before[] = "{\"credHelpers\": {\"quay.io\": \"../x\"}}";
    struct credential credential = {.user = user, .secret = secret};
    const char *path;
    write_file(RUNTIME, before, 0600);
    assert_false(credential_store(&arena, NULL, NULL, "quay.io", &credential, &path, &err));
    CHECK_ERR(&err, ERR_USAGE, "credHelpers");
    assert_string_equal(read_home(RUNTIME), before);
    err_clear(&err);
    write_file(RUNTIME, "{\"credHelpers\": {\"quay.io\": \"test\"}}", 0600);
    assert_false(credential_store(&arena, NULL, NULL, "quay.io/ns", &credential, &path, &err));
    CHECK_ERR(&err, ERR_USAGE, "helpers keep no namespaces");
}

static void removing_from_what_is_not_there_makes_nothing(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    bool is_found = true;
    CHECK_OK(credential_remove(&arena, at_home("none/auth.json"), NULL, "quay.io", &is_found, &err), &err);
    assert_false(is_found);
    assert_int_not_equal(access(at_home("none"), F_OK), 0);
}

static void removing_takes_one_host_out_in_all_its_spellings(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    bool is_found = true;
    CHECK_OK(credential_remove(&arena, NULL, NULL, "docker.io", &is_found, &err), &err);
    assert_false(is_found);
    write_file(
        RUNTIME,
        "{\"auths\": {\"docker.io\": {\"auth\": \"dTpw\"}, \"https://index.docker.io/v1/\": {\"auth\": \"dTpw\"},"
        " \"docker.io/me\": {\"auth\": \"dTI6cDI=\"}, \"quay.io\": {\"auth\": \"dTM6cDM=\"}}}",
        0600);
    CHECK_OK(credential_remove(&arena, NULL, NULL, "docker.io", &is_found, &err), &err);
    assert_true(is_found);
    check_found(NULL, "docker.io/busybox", NULL, NULL);
    check_found(NULL, "docker.io/me/a", "u2", "p2");
    check_found(NULL, "quay.io/a", "u3", "p3");
    CHECK_OK(credential_remove(&arena, NULL, NULL, "docker.io", &is_found, &err), &err);
    assert_false(is_found);
}

static void done_wipes_and_may_be_repeated(void **state)
{
    (void)state;
    struct credential credential = {.user = strdup("u"), .secret = strdup("s")};
    credential_done(&credential);
    assert_null(credential.user);
    assert_null(credential.secret);
    credential_done(&credential);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_files_one_is_anonymous),
        TEST(the_most_specific_key_wins),
        TEST(the_files_are_searched_in_podmans_order),
        TEST(variables_move_the_files),
        TEST(keys_shaped_as_urls_match_their_host),
        TEST(the_forms_of_an_entry_are_all_read),
        TEST(tokens_are_told_from_passwords),
        TEST(broken_files_are_refused_without_their_content),
        TEST(a_file_must_be_regular_and_exist_when_it_is_named),
        TEST(a_helper_is_asked_with_the_host_alone_and_before_auths),
        TEST(a_helper_that_has_nothing_sends_on_to_the_next_file),
        TEST(a_helper_is_asked_for_docker_hub_by_both_names),
        TEST(a_helper_that_fails_is_an_error_that_repeats_nothing),
        TEST(the_store_counts_in_dockers_file_only_and_may_be_missing),
        TEST(what_is_stored_is_found_again_in_a_private_file),
        TEST(storing_keeps_all_else_and_narrows_the_mode),
        TEST(an_identity_token_is_stored_as_docker_does),
        TEST(a_broken_file_is_not_overwritten),
        TEST(users_and_secrets_that_cannot_be_kept_are_refused),
        TEST(a_helper_of_the_host_keeps_and_forgets_instead_of_the_file),
        TEST(a_login_whose_helper_cannot_have_it_is_refused),
        TEST(removing_from_what_is_not_there_makes_nothing),
        TEST(removing_takes_one_host_out_in_all_its_spellings),
        TEST(done_wipes_and_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
