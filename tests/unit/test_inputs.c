/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/auto.h"
#include "cli/build.h"
#include "cli/option_table.h"
#include "plan/manifest.h"

/* A value for every option and key that takes one, other than what it is without. */
struct sample {
    const char *name, *value;
};

static const struct sample option_samples[] = {
    {"keep", "30d"},
    {"tags", "x*"},
    {"watch", "9m"}, /* of nights without end */
    {"arch", "aarch64"},
    {"source", "x.yaml"},
    {"suite", "sid"},
    {"output", "elsewhere"},
    {"config-root", "/r"},
    {"tree", "trees"},
    {"compression", "zstd"},
    {"layers", "4"},
    {"push", "h.x/y"},
    {"tag", "t"},
    {"username", "me"},
    {"authfile", "a"},
    {"cert-dir", "c"},
    {"tls-verify", "false"},
    {"jobs", "3"},
    {"program", "/p"},
    {"retries", "7"},
    {"timeout", "9h"},
    {"sync-wait", "9m"},
    {"cache-limit", "1G"},
    {"cache-from", "c"},
    {"max-rate", "1M"},
    {"max-connections", "2"},
    {"jitter", "9m"},
    {"cache", "c"},
    {"state", "s"},
    {"arches", "a"},
    {"manifests", "m"},
    {"token-origin", "https://t.example"},
    {"if-running", "end"},
    {"metrics", "m.prom"},
    {"report", "p"},
    {"soname", "s"},
    {"file", "/f"},
    {"package", "a < 1"},
    {"parity", "exact"},
    {"on-missing", "publish"},
    {"max-age", "9h"},
    {"lock-file", "l"},
    {"shard", "0/2"},
    {"plan", "l"},
    {"vendor", "v"},
    {"changes", "c.md"},
    {"color", "never"},
    {"sign", "k"},
    {"attest", "sbom"},
    {"builder", "urn:x:y"},
    {"tracker", "f"},
    {"key", "k"},
    {"policy", "p"},
    {"passphrase-fd", "0"},
    {"type", "p256"},
};

static const struct sample site_samples[] = {
    {"registry", "quay.io"},
    {"namespace", "ns"},
    {"tags", "[x]"},
    {"push", "false"},
    {"tls-verify", "false"},
    {"authfile", "a"},
    {"token-origins", "[]"},
    {"arch", "all"},
    {"source", "fedora-41"},
    {"output", "o"},
    {"compression", "zstd"},
    {"layers", "auto"},
    {"jobs", "3"},
    {"retries", "7"},
    {"strict", "true"},
    {"allow-older", "true"},
    {"sync-wait", "9m"},
    {"timeout", "9h"},
    {"cache-limit", "1G"},
    {"cache-from", "c"},
    {"max-rate", "1M"},
    {"max-connections", "2"},
    {"jitter", "9m"},
    {"keep-existing-tags", "true"},
    {"images", "[x]"},
    {"if-running", "end"},
    {"parity", "exact"},
    {"on-missing", "publish"},
    {"status", "q.io/me/status"},
    {"report", "pages"},
    {"history", "registry"},
    {"sign", "[k]"},
    {"attest", "[sbom]"},
    {"builder", "'urn:x:y'"},
    {"trackers", "[f]"},
    {"confine", "false"},
    {"keep", "30d"},
    {"prune", "true"},
};

static const char *sample_of(const struct sample *samples, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(samples[i].name, name) == 0)
            return samples[i].value;
    }
    fail_msg("%s is new: give it a value in this test, so that its statement about products is proved", name);
    return NULL;
}

/* The key of the run's inputs that a call gives. */
static struct digest key_of(struct arena *arena, const char *const *arguments, int count)
{
    struct options options;
    struct site site = {0};
    struct inputs inputs;
    struct err err = {0};
    CHECK_OK(options_parse(arena, commands_all(), count, (char **)arguments, &options, &err), &err);
    if (options.config)
        CHECK_OK(site_load(arena, options.config, &site, &err), &err);
    CHECK_OK(build_inputs(&options, &site, NULL, &inputs, &err), &err);
    return inputs_key(&inputs);
}

/* Fails unless the option changes the key when its row says so, and only then. */
static void check_statement(struct folder *folder, const char *argument, const char *name, enum alters alters)
{
    const char *plain[] = {"imgfactory", "x"}, *changed[] = {"imgfactory", argument, "x"};
    struct digest before = key_of(&folder->arena, plain, 2), after = key_of(&folder->arena, changed, 3);
    CHECK_RANGE(alters, ALTERS_NOTHING, ALTERS_ORDER);
    if (digest_eq(&before, &after) == (alters == ALTERS_INPUTS))
        fail_msg("%s: the key of products %s, but its row states %d", name,
                 digest_eq(&before, &after) ? "stays" : "changes", (int)alters);
}

static void an_option_changes_the_key_of_products_if_and_only_if_its_row_says_so(void **state)
{
    struct folder *folder = *state;
    struct option_rows rows = option_table();
    const char *config = put(folder, "site", "compression: zstd\n");
    for (size_t i = 0; i < rows.count; i++) {
        const struct option_row *row = &rows.items[i];
        if (!(row->commands & COMMAND_BUILD)) {
            assert_int_equal(row->alters, ALTERS_NOTHING);
            continue;
        }
        const char *value = row->kind == OPTION_FLAG ? ""
                            : strcmp(row->name, "config") == 0
                                ? config
                                : sample_of(option_samples, ARRAY_COUNT(option_samples), row->name);
        const char *equals = row->kind == OPTION_FLAG ? "" : "=";
        check_statement(folder, arena_printf(&folder->arena, "--%s%s%s", row->name, equals, value), row->name,
                        row->alters);
    }
}

static void a_key_of_the_site_file_changes_the_key_of_products_if_and_only_if_its_row_says_so(void **state)
{
    struct folder *folder = *state;
    size_t count;
    const struct yaml_field *keys = site_keys(&count);
    for (size_t i = 0; i < count; i++) {
        const char *value = sample_of(site_samples, ARRAY_COUNT(site_samples), keys[i].key);
        bool is_prune = strcmp(keys[i].key, "prune") == 0;
        const char *registry = strcmp(keys[i].key, "namespace") == 0 ? "registry: h.x\n" : is_prune ? "keep: 9d\n" : "";
        const char *path =
            put(folder, "site", arena_printf(&folder->arena, "%s%s: %s\n", registry, keys[i].key, value));
        check_statement(folder, arena_printf(&folder->arena, "--config=%s", path), keys[i].key, keys[i].alters);
    }
}

static void the_date_of_the_environment_changes_the_key_of_products(void **state)
{
    (void)state;
    struct options options = {0};
    struct site site = {0};
    struct inputs without, with;
    struct err err = {0};
    CHECK_OK(build_inputs(&options, &site, NULL, &without, &err), &err);
    CHECK_OK(build_inputs(&options, &site, "0", &with, &err), &err);
    struct digest a = inputs_key(&without), b = inputs_key(&with);
    assert_false(digest_eq(&a, &b));
    assert_false(build_inputs(&options, &site, "today", &with, &err));
    CHECK_ERR(&err, ERR_USAGE, "SOURCE_DATE_EPOCH");
}

/* Changes one field to any other value. */
static void change(const struct record_field *field, struct inputs *inputs)
{
    static const char *other = "other";
    const struct strings others = {&other, 1, 1};
    char *at = (char *)inputs + field->offset;
    if (field->kind == RECORD_TEXT || field->kind == RECORD_MAYBE_TEXT)
        memcpy(at, &other, sizeof other);
    else if (field->kind == RECORD_TEXTS)
        memcpy(at, &others, sizeof others);
    else
        *at = (char)(*at + 1); /* of a digest, a number, a flag, a word: the first byte */
}

/* The key of a product does not depend on the indices, but on what they answered; what leads from the indices to the answers
 * on both apart; what is asked again on none of the two. */
static void every_field_of_the_inputs_is_in_the_keys(void **state)
{
    (void)state;
    static const struct {
        struct digest (*key)(const struct inputs *inputs);
        const char *but[2];
    } keys[] = {
        {inputs_key, {"catalog"}}, {inputs_key_asking, {"answers"}}, {inputs_key_apart, {"catalog", "answers"}}};
    const struct inputs plain = {.encoder = "e", .name = "n", .source_date_epoch = 5};
    for (size_t i = 0; i < inputs_table.count * ARRAY_COUNT(keys); i++) {
        struct inputs inputs = plain;
        const struct record_field *field = &inputs_table.fields[i % inputs_table.count];
        const char *const *but = keys[i / inputs_table.count].but;
        bool is_in = strcmp(field->key, but[0]) != 0 && (!but[1] || strcmp(field->key, but[1]) != 0);
        change(field, &inputs);
        struct digest before = keys[i / inputs_table.count].key(&plain);
        struct digest after = keys[i / inputs_table.count].key(&inputs);
        if (digest_eq(&before, &after) == is_in)
            fail_msg("%s is %s key %zu", field->key, is_in ? "not in" : "in", i / inputs_table.count);
    }
    assert_true(inputs_table.count >= 19);
}

/* It was read with its Release, of which the bound is larger than any of one text would be. */
static void what_a_repository_calls_itself_may_be_of_any_length(void **state)
{
    struct folder *folder = *state;
    size_t len = (size_t)1 << 20;
    char *release = arena_alloc(&folder->arena, len + 1);
    memset(release, '\1', len); /* six bytes each, as JSON has them */
    release[len] = '\0';
    struct inputs inputs = {.encoder = "e", .name = "n", .release = release};
    struct digest before = inputs_key(&inputs);
    release[len - 1] = 'x';
    struct digest after = inputs_key(&inputs);
    assert_false(digest_eq(&before, &after));
}

static void a_manifest_that_differs_in_anything_has_another_digest(void **state)
{
    struct folder *folder = *state;
    struct manifest a, b;
    struct err err = {0};
    CHECK_OK(manifest_load(&folder->arena, put(folder, "a", "binaries: [/x]\n"), NULL, &a, &err), &err);
    CHECK_OK(manifest_load(&folder->arena, put(folder, "a", "binaries: [/x]\nhwcaps: [x86-64-v3]\n"), NULL, &b, &err),
             &err);
    assert_false(digest_eq(&a.digest, &b.digest));
}

/* The macros of plan/yaml.h cannot be used without the statement; in bare braces a row may lack it. */
static void no_row_of_a_table_of_keys_stands_in_bare_braces(void **state)
{
    (void)state;
    static const char command[] =
        "grep -rnE '\\{[^{}]*, YAML_[A-Z]+,|struct yaml_field\\)\\{' --include='*.c' '" SOURCE_DIR "/factory'";
    assert_int_equal(WEXITSTATUS(system(command)), 1); /* 1: nothing was found, 2: no such folder */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(an_option_changes_the_key_of_products_if_and_only_if_its_row_says_so),
        IN_FOLDER(a_key_of_the_site_file_changes_the_key_of_products_if_and_only_if_its_row_says_so),
        cmocka_unit_test(the_date_of_the_environment_changes_the_key_of_products),
        cmocka_unit_test(every_field_of_the_inputs_is_in_the_keys),
        cmocka_unit_test(no_row_of_a_table_of_keys_stands_in_bare_braces),
        IN_FOLDER(what_a_repository_calls_itself_may_be_of_any_length),
        IN_FOLDER(a_manifest_that_differs_in_anything_has_another_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
