/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "oci/oci.h"

static const struct arch arm64 = {
    .name = "aarch64", .oci_os = "linux", .oci_architecture = "arm64", .oci_variant = "v8"};
static const struct arch amd64 = {.name = "x86_64", .oci_os = "linux", .oci_architecture = "amd64"};

static struct oci_facts some_facts(void)
{
    return (struct oci_facts){.name = "dhcpd",
                              .arch = "aarch64",
                              .package = "isc-dhcp-server",
                              .full_version = "4.4.3-P1-2",
                              .version = "4.4.3-P1",
                              .release = "2",
                              .source_package = "isc-dhcp",
                              .source_version = "4.4.3-P1-2",
                              .created_time = 1700000000};
}

static void expect_split(const char *given, const char *full, const char *version, const char *release)
{
    AUTO(arena_done) struct arena arena = {0};
    struct oci_facts facts = {.name = "kept"};
    oci_split_version(&arena, given, &facts);
    assert_string_equal(facts.full_version, full);
    assert_string_equal(facts.version, version);
    assert_string_equal(facts.release, release);
    assert_string_equal(facts.name, "kept");
}

static void versions_are_split_at_the_epoch_and_the_last_hyphen(void **state)
{
    (void)state;
    expect_split("4.4.3-P1-2", "4.4.3-P1-2", "4.4.3-P1", "2");
    expect_split("5:7.0.15-1~deb12u5", "7.0.15-1~deb12u5", "7.0.15", "1~deb12u5");
    expect_split("1.22.1", "1.22.1", "1.22.1", "");
    expect_split("0:1", "1", "1", "");
    expect_split("1:2:3-4", "2:3-4", "2:3", "4");
    expect_split("a:1-2", "a:1-2", "a:1", "2");
    expect_split("", "", "", "");
}

static void placeholders_are_expanded_and_doubled_braces_are_plain(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct oci_facts facts = some_facts();
    static const struct {
        const char *template, *expected;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"{name}/{arch} {package}={full-version}", "dhcpd/aarch64 isc-dhcp-server=4.4.3-P1-2"},
        {"{version}|{release}|{source-package}|{source-version}", "4.4.3-P1|2|isc-dhcp|4.4.3-P1-2"},
        {"{version}-{date}", "4.4.3-P1-20231114"},
        {"{{name}} {{{name}}}", "{name} {dhcpd}"},
        {"}}{{", "}{"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err err = {0};
        const char *text = NULL;
        CHECK_OK(oci_expand(&arena, cases[i].template, &facts, &text, &err), &err);
        assert_string_equal(text, cases[i].expected);
    }
}

static void expect_refused(const char *template, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct oci_facts facts = some_facts();
    struct err err = {0};
    const char *text;
    facts.source_package = NULL;
    assert_false(oci_expand(&arena, template, &facts, &text, &err));
    CHECK_ERR(&err, ERR_USAGE, part);
}

static void a_wrong_placeholder_is_refused_naming_the_known(void **state)
{
    (void)state;
    expect_refused("v{verson}", "{verson}; known are {name} {arch}");
    expect_refused("v{verson}", "{date}");
    expect_refused("{}", "unknown placeholder {}");
    expect_refused("{ name }", "{ name }");
    expect_refused("ab{name", "byte 3");
    expect_refused("a}", "byte 2");
    expect_refused("{na{name}", "byte 1");
    expect_refused("{source-package}", "{source-package} has no value");
}

static void what_expands_without_end_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct oci_facts facts = some_facts();
    struct err err = {0};
    const char *text;
    char *name = arena_alloc(&arena, 40001);
    memset(name, 'n', 40000);
    facts.name = name;
    assert_false(oci_expand(&arena, "{name}{name}", &facts, &text, &err));
    CHECK_ERR(&err, ERR_USAGE, "expands to more than");
}

static void tags_are_made_of_allowed_letters_only(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    assert_string_equal(oci_tag_safe(&arena, "4.4.3-P1-2"), "4.4.3-P1-2");
    assert_string_equal(oci_tag_safe(&arena, "1:2~rc1+b2"), "1_2_rc1_b2");
    assert_string_equal(oci_tag_safe(&arena, ".x"), "_x");
    assert_string_equal(oci_tag_safe(&arena, "-x-.-"), "_x-.-");
    assert_string_equal(oci_tag_safe(&arena, ""), "_");
    assert_string_equal(oci_tag_safe(&arena, "\xC3\xA9/"), "___");
    char longer[200] = {0};
    memset(longer, 'a', 199);
    assert_int_equal(strlen(oci_tag_safe(&arena, longer)), 128);
}

static const char *one_item[] = {"/usr/sbin/dhcpd"};
static const char *two_items[] = {"-d", "--no-\"pid\""};
static const char *ports[] = {"68/udp", "67/udp"};
static const char *volumes[] = {"/var/lib/dhcpd", "/etc/dhcp"};
static struct yaml_pair env[] = {{"LANG", "C.UTF-8", NULL}, {"EMPTY", "", NULL}};
static struct yaml_pair labels[] = {{"z", "{version}", NULL}, {"a", "back\\slash\n\x01", NULL}};
static struct yaml_pair annotations[] = {{"org.opencontainers.image.licenses", "MPL-2.0 \xC3\xBC", NULL},
                                         {"org.opencontainers.image.version", "{version}", NULL},
                                         {"x.arch", "for {arch}", NULL}};

static struct manifest full_manifest(void)
{
    return (struct manifest){
        .name = "dhcpd",
        .description = "DHCP server",
        .config = {.entrypoint = {one_item, 1, 1},
                   .cmd = {two_items, 2, 2},
                   .ports = {ports, 2, 2},
                   .volumes = {volumes, 2, 2},
                   .env = {env, 2, 2},
                   .labels = {labels, 2, 2},
                   .annotations = {annotations, 3, 3},
                   .user = "101:102",
                   .working_dir = "/var",
                   .stop_signal = "SIGTERM",
                   .author = "A <a@b>"},
    };
}

/* With one layer. */
static struct image some_image(struct arena *arena, const struct arch *arch)
{
    struct image image = {.arch = arch};
    struct layer layer = {.compression = LAYER_ZSTD, .size_bytes = 5000000000, .tar_bytes = 9000000000};
    memset(layer.digest.bytes, 0xAB, DIGEST_BYTES);
    memset(layer.diff_id.bytes, 0xCD, DIGEST_BYTES);
    list_add(arena, &image.layers, layer);
    return image;
}

#define AB8 "abababababababab"
#define CD8 "cdcdcdcdcdcdcdcd"

static void expect_document(const struct document *document, const char *expected)
{
    struct digest digest = digest_of(expected, strlen(expected));
    assert_string_equal(document->bytes, expected);
    assert_int_equal(document->len, strlen(expected));
    assert_true(digest_eq(&document->digest, &digest));
}

static void an_image_has_all_that_the_manifest_says_in_a_fixed_order(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest = full_manifest();
    struct oci_facts facts = some_facts();
    struct image image = some_image(&arena, &arm64);
    struct err err = {0};
    CHECK_OK(oci_build_image(&arena, &manifest, &manifest.config, &facts, &image, &err), &err);
    expect_document(
        &image.config,
        "{\"created\":\"2023-11-14T22:13:20Z\",\"author\":\"A <a@b>\",\"architecture\":\"arm64\",\"os\":\"linux\","
        "\"variant\":\"v8\",\"config\":{\"User\":\"101:102\",\"ExposedPorts\":{\"68/udp\":{},\"67/udp\":{}},"
        "\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"LANG=C.UTF-8\",\"EMPTY=\"],"
        "\"Entrypoint\":[\"/usr/sbin/dhcpd\"],\"Cmd\":[\"-d\",\"--no-\\\"pid\\\"\"],"
        "\"Volumes\":{\"/var/lib/dhcpd\":{},\"/etc/dhcp\":{}},\"WorkingDir\":\"/var\","
        "\"Labels\":{\"org.opencontainers.image.created\":\"2023-11-14T22:13:20Z\","
        "\"org.opencontainers.image.title\":\"dhcpd\",\"org.opencontainers.image.description\":\"DHCP server\","
        "\"org.opencontainers.image.licenses\":\"MPL-2.0 \xC3\xBC\",\"org.opencontainers.image.version\":\"4.4.3-P1\","
        "\"z\":\"4.4.3-P1\",\"a\":\"back\\\\slash\\n\\u0001\"},\"StopSignal\":\"SIGTERM\"},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" CD8 CD8 CD8 CD8 "\"]},"
        "\"history\":[{\"created\":\"2023-11-14T22:13:20Z\",\"created_by\":\"imgfactory\","
        "\"comment\":\"isc-dhcp-server 4.4.3-P1-2\"}]}");
    const char *expected = arena_printf(
        &arena,
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
        "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu},"
        "\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+zstd\","
        "\"digest\":\"sha256:" AB8 AB8 AB8 AB8 "\",\"size\":5000000000}],"
        "\"annotations\":{\"org.opencontainers.image.created\":\"2023-11-14T22:13:20Z\","
        "\"org.opencontainers.image.title\":\"dhcpd\",\"org.opencontainers.image.description\":\"DHCP server\","
        "\"org.opencontainers.image.licenses\":\"MPL-2.0 \xC3\xBC\",\"org.opencontainers.image.version\":\"4.4.3-P1\","
        "\"x.arch\":\"for aarch64\"}}",
        digest_hex(&image.config.digest).chars, image.config.len);
    expect_document(&image.manifest, expected);
}

static void every_layer_is_in_manifest_diff_ids_and_history_the_lowest_first(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest = {.name = "x"};
    struct oci_facts facts = {.name = "x", .arch = "aarch64", .created_time = 0};
    struct image image = some_image(&arena, &arm64);
    struct layer upper = {.compression = LAYER_GZIP, .size_bytes = 7};
    struct err err = {0};
    memset(upper.digest.bytes, 0xEF, DIGEST_BYTES);
    memset(upper.diff_id.bytes, 0x12, DIGEST_BYTES);
    list_add(&arena, &image.layers, upper);
    CHECK_OK(oci_build_image(&arena, &manifest, &manifest.config, &facts, &image, &err), &err);
    assert_non_null(strstr(image.config.bytes, "\"diff_ids\":[\"sha256:" CD8 CD8 CD8 CD8 "\",\"sha256:1212"));
    assert_non_null(strstr(image.config.bytes, "\"created_by\":\"imgfactory\"},{\"created\":"));
    assert_non_null(strstr(image.manifest.bytes, "\"size\":5000000000},{\"mediaType\":"
                                                 "\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":"
                                                 "\"sha256:efef"));
}

static void what_the_manifest_does_not_say_is_absent(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct yaml_pair path[] = {{"PATH", "/bin", NULL}};
    struct manifest manifest = {.name = "x", .config = {.env = {path, 1, 1}}};
    struct oci_facts facts = {.name = "x", .arch = "x86_64", .created_time = 0};
    struct image image = some_image(&arena, &amd64);
    struct err err = {0};
    CHECK_OK(oci_build_image(&arena, &manifest, &manifest.config, &facts, &image, &err), &err);
    expect_document(&image.config,
                    "{\"created\":\"1970-01-01T00:00:00Z\",\"architecture\":\"amd64\",\"os\":\"linux\","
                    "\"config\":{\"Env\":[\"PATH=/bin\"],"
                    "\"Labels\":{\"org.opencontainers.image.created\":\"1970-01-01T00:00:00Z\","
                    "\"org.opencontainers.image.title\":\"x\"}},"
                    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" CD8 CD8 CD8 CD8 "\"]},"
                    "\"history\":[{\"created\":\"1970-01-01T00:00:00Z\",\"created_by\":\"imgfactory\"}]}");
    assert_null(strstr(image.manifest.bytes, "null"));
    assert_non_null(strstr(image.manifest.bytes, "\"annotations\":{\"org.opencontainers.image.created\":"
                                                 "\"1970-01-01T00:00:00Z\",\"org.opencontainers.image.title\":\"x\"}"));
}

static void keys_of_the_image_spec_are_the_same_in_labels_and_annotations(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct yaml_pair label[] = {{"org.opencontainers.image.title", "L", NULL},
                                {"org.opencontainers.image.source", "{arch}", NULL},
                                {"org.opencontainers.image.url", "lurl", NULL},
                                {"a.b", "own", NULL}};
    struct yaml_pair annotation[] = {{"org.opencontainers.image.created", "A", NULL},
                                     {"org.opencontainers.image.url", "aurl", NULL},
                                     {"c.d", "own", NULL}};
    struct manifest manifest = {.name = "x", .config = {.labels = {label, 4, 4}, .annotations = {annotation, 3, 3}}};
    struct oci_facts facts = {.name = "x", .arch = "x86_64", .created_time = 0};
    struct image image = some_image(&arena, &amd64);
    const struct image *images[] = {&image};
    struct document index;
    struct err err = {0};
    CHECK_OK(oci_build_image(&arena, &manifest, &manifest.config, &facts, &image, &err), &err);
    assert_non_null(strstr(image.config.bytes, "\"Labels\":{\"org.opencontainers.image.created\":\"A\","
                                               "\"org.opencontainers.image.title\":\"L\","
                                               "\"org.opencontainers.image.source\":\"x86_64\","
                                               "\"org.opencontainers.image.url\":\"lurl\",\"a.b\":\"own\"}"));
    assert_non_null(strstr(image.manifest.bytes, "\"annotations\":{\"org.opencontainers.image.title\":\"L\","
                                                 "\"org.opencontainers.image.source\":\"x86_64\","
                                                 "\"org.opencontainers.image.created\":\"A\","
                                                 "\"org.opencontainers.image.url\":\"aurl\",\"c.d\":\"own\"}"));
    facts.arch = NULL;
    CHECK_OK(oci_build_index(&arena, &manifest, &facts, images, 1, &index, &err), &err);
    assert_null(strstr(index.bytes, "image.source"));
    assert_non_null(strstr(index.bytes, "image.title\":\"L\""));
}

static void an_index_names_the_images_in_the_order_given_without_what_is_for_one_architecture(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest = full_manifest();
    struct oci_facts facts = some_facts();
    struct image arm = some_image(&arena, &arm64), amd = some_image(&arena, &amd64);
    struct err err = {0};
    struct document index;
    amd.layers.items[0].compression = LAYER_GZIP;
    CHECK_OK(oci_build_image(&arena, &manifest, &manifest.config, &facts, &arm, &err), &err);
    CHECK_OK(oci_build_image(&arena, &manifest, &manifest.config, &facts, &amd, &err), &err);
    const struct image *images[] = {&arm, &amd};
    facts.arch = NULL;
    CHECK_OK(oci_build_index(&arena, &manifest, &facts, images, 2, &index, &err), &err);
    expect_document(
        &index, arena_printf(&arena,
                             "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                             "\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                             "\"digest\":\"sha256:%s\",\"size\":%zu,"
                             "\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":\"v8\"},"
                             "\"annotations\":{\"io.github.containers.compression.zstd\":\"true\"}},"
                             "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\","
                             "\"size\":%zu,\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}}],"
                             "\"annotations\":{\"org.opencontainers.image.created\":\"2023-11-14T22:13:20Z\","
                             "\"org.opencontainers.image.title\":\"dhcpd\","
                             "\"org.opencontainers.image.description\":\"DHCP server\","
                             "\"org.opencontainers.image.licenses\":\"MPL-2.0 \xC3\xBC\","
                             "\"org.opencontainers.image.version\":\"4.4.3-P1\"}}",
                             digest_hex(&arm.manifest.digest).chars, arm.manifest.len,
                             digest_hex(&amd.manifest.digest).chars, amd.manifest.len));
}

static void expect_build_refused(const struct manifest *manifest, int64_t created_time, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct oci_facts facts = some_facts();
    struct image image = some_image(&arena, &amd64);
    struct err err = {0};
    facts.created_time = created_time;
    assert_false(oci_build_image(&arena, manifest, &manifest->config, &facts, &image, &err));
    CHECK_ERR(&err, ERR_USAGE, part);
    assert_null(image.manifest.bytes);
}

static void what_json_cannot_hold_is_refused_naming_the_image(void **state)
{
    (void)state;
    struct manifest manifest = full_manifest();
    manifest.config.author = "caf\xE9";
    expect_build_refused(&manifest, 0, "image dhcpd: \"author\" is not UTF-8");
    manifest = full_manifest();
    struct yaml_pair wrong[] = {{"good", "{nonsense}", NULL}};
    manifest.config.labels.items = wrong;
    manifest.config.labels.count = 1;
    expect_build_refused(&manifest, 0, "image dhcpd: \"{nonsense}\"");
    manifest = full_manifest();
    expect_build_refused(&manifest, INT64_MAX, "creation time");
    expect_build_refused(&manifest, 253402300800, "creation time 253402300800");
    AUTO(auto_free) char *big = calloc(1, (size_t)5 << 20);
    memset(big, 'x', ((size_t)5 << 20) - 1);
    manifest.config.author = big;
    expect_build_refused(&manifest, 0, "registries take at most 4194304");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_split_at_the_epoch_and_the_last_hyphen),
        cmocka_unit_test(placeholders_are_expanded_and_doubled_braces_are_plain),
        cmocka_unit_test(a_wrong_placeholder_is_refused_naming_the_known),
        cmocka_unit_test(what_expands_without_end_is_refused),
        cmocka_unit_test(tags_are_made_of_allowed_letters_only),
        cmocka_unit_test(an_image_has_all_that_the_manifest_says_in_a_fixed_order),
        cmocka_unit_test(every_layer_is_in_manifest_diff_ids_and_history_the_lowest_first),
        cmocka_unit_test(what_the_manifest_does_not_say_is_absent),
        cmocka_unit_test(keys_of_the_image_spec_are_the_same_in_labels_and_annotations),
        cmocka_unit_test(an_index_names_the_images_in_the_order_given_without_what_is_for_one_architecture),
        cmocka_unit_test(what_json_cannot_hold_is_refused_naming_the_image),
    };
    return cmocka_run_group_tests_name("oci", tests, NULL, NULL);
}
