/* SPDX-License-Identifier: Apache-2.0 */
#include "image_maker.h"

#include "base/auto.h"
#include "cli/inspect.h"

#include <jansson.h>

/* Adds an image with two platforms and an attestation, with all that can be shown. */
static struct layout_image make_image(struct maker *maker)
{
    struct layout_blob layers[2] = {{digest_of("1", 1), 4200000, "application/vnd.oci.image.layer.v1.tar+zstd"},
                                    {digest_of("2", 1), 500, "application/vnd.oci.image.layer.v1.tar+gzip"}};
    const char *both = arena_printf(&maker->arena, "%s,%s", make_descriptor(maker, layers[0], ""),
                                    make_descriptor(maker, layers[1], ",\"urls\":[\"http://example.com/\"]"));
    struct layout_blob config = make_document(
        maker, OCI_MEDIA_CONFIG,
        "{\"created\":\"2023-11-14T22:13:20Z\",\"author\":\"A. U. Thor\",\"os\":\"linux\",\"architecture\":\"arm64\","
        "\"config\":{\"Entrypoint\":[\"/usr/sbin/dhcpd\",\"-f\"],\"Cmd\":[\"a b\"],\"Env\":[\"PATH=/bin\",\"A=b\"],"
        "\"User\":\"1000:1000\",\"WorkingDir\":\"/work\",\"ExposedPorts\":{\"67/udp\":{}},\"Volumes\":{\"/var/"
        "lib\":{}},"
        "\"StopSignal\":\"SIGINT\",\"Labels\":{\"owner\":\"one\\u001b[2J\\u009b\\ntwo\",\"number\":7}},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:1\",\"sha256:2\"]}}");
    struct layout_blob bare = make_document(maker, "application/vnd.oci.empty.v1+json", "{}");
    struct layout_blob arm = make_manifest(maker, OCI_MEDIA_MANIFEST, config, both,
                                           ",\"annotations\":{\"org.opencontainers.image.title\":\"dhcpd\"}");
    struct layout_blob proof =
        make_manifest(maker, OCI_MEDIA_MANIFEST, bare, make_descriptor(maker, bare, ""), ",\"artifactType\":\"a/b\"");
    const char *manifests =
        arena_printf(&maker->arena, "%s,%s",
                     make_descriptor(maker, arm,
                                     ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"},"
                                     "\"annotations\":{\"of\":\"descriptor\"}"),
                     make_descriptor(maker, proof, ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}"));
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker,
                         make_index(maker, OCI_MEDIA_INDEX, manifests,
                                    ",\"annotations\":{\"org.opencontainers.image.version\":\"4.4\"}"),
                         &image, &err),
             &err);
    return image;
}

/* Prints into the arena. */
static char *print(struct maker *maker, const struct layout_image *image, bool is_json)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);
    assert_non_null(out);
    inspect_print(out, image, "quay.io/ns/dhcpd:1", is_json, NULL, NULL);
    assert_int_equal(fclose(out), 0);
    char *copy = arena_strndup(&maker->arena, bytes, len);
    free(bytes);
    return copy;
}

static void check_line(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void people_read_every_part_of_the_image(void **state)
{
    struct maker *maker = *state;
    struct layout_image image = make_image(maker);
    const char *text = print(maker, &image, false);
    check_line(text, "quay.io/ns/dhcpd:1\n");
    check_line(text, arena_printf(&maker->arena, "  digest      sha256:%s\n", digest_hex(&image.root.digest).chars));
    check_line(text, arena_printf(&maker->arena, "  digest      sha256:%s\n",
                                  digest_hex(&image.manifests.items[0].blob.digest).chars));
    check_line(text, "  annotation  org.opencontainers.image.version=4.4\n");
    check_line(text, "\nlinux/arm64/v8\n");
    check_line(text, "  size        4.2 MB in 2 layers\n");
    check_line(text, "  4.2 MB  application/vnd.oci.image.layer.v1.tar+zstd\n");
    check_line(text, "  500 B  application/vnd.oci.image.layer.v1.tar+gzip\n");
    check_line(text, "  created     2023-11-14T22:13:20Z\n");
    check_line(text, "  author      A. U. Thor\n");
    check_line(text, "  entrypoint  [\"/usr/sbin/dhcpd\",\"-f\"]\n");
    check_line(text, "  cmd         [\"a b\"]\n");
    check_line(text, "  env         PATH=/bin\n  env         A=b\n");
    check_line(text, "  user        1000:1000\n");
    check_line(text, "  workdir     /work\n");
    check_line(text, "  port        67/udp\n");
    check_line(text, "  volume      /var/lib\n");
    check_line(text, "  stop signal SIGINT\n");
    check_line(text, "  annotation  org.opencontainers.image.title=dhcpd\n");
    check_line(text, "  in index    of=descriptor\n");
    check_line(text, "\nunknown/unknown (attestation, not for running)\n");
    check_line(text, "  artifact    a/b\n");
    check_line(text, "  size        2 B in 1 layer\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    struct maker *maker = *state;
    struct layout_image image = make_image(maker);
    const char *text = print(maker, &image, false);
    check_line(text, "  label       owner=one?[2J??two\n");
    text = print(maker, &image, true);
    for (const char *at = text; *at; at++)
        assert_true((*at >= ' ' && *at <= '~') || *at == '\n');
}

static const char *string_at(const json_t *object, const char *key)
{
    const char *string = json_string_value(json_object_get(object, key));
    if (!string)
        fail_msg("no string \"%s\"", key);
    return string;
}

static void programs_read_the_same_as_one_json_object(void **state)
{
    struct maker *maker = *state;
    struct layout_image image = make_image(maker);
    json_auto_t *json = json_loads(print(maker, &image, true), JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(string_at(json, "name"), "quay.io/ns/dhcpd:1");
    assert_string_equal(string_at(json, "media_type"), OCI_MEDIA_INDEX);
    assert_string_equal(string_at(json_object_get(json, "annotations"), "org.opencontainers.image.version"), "4.4");
    assert_int_equal(json_integer_value(json_object_get(json, "size")), image.root.size_bytes);
    const json_t *platforms = json_object_get(json, "platforms"), *platform = json_array_get(platforms, 0);
    assert_int_equal(json_array_size(platforms), 2);
    assert_string_equal(string_at(platform, "platform"), "linux/arm64/v8");
    assert_string_equal(string_at(platform, "variant"), "v8");
    assert_true(json_is_false(json_object_get(platform, "attestation")));
    assert_int_equal(json_integer_value(json_object_get(platform, "total_size")), 4200500);
    const json_t *layers = json_object_get(platform, "layers");
    assert_int_equal(json_array_size(layers), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(layers, 0), "size")), 4200000);
    assert_null(json_object_get(json_array_get(layers, 1), "urls"));
    const json_t *config = json_object_get(platform, "config");
    assert_string_equal(string_at(config, "stop_signal"), "SIGINT");
    assert_string_equal(json_string_value(json_array_get(json_object_get(config, "entrypoint"), 1)), "-f");
    assert_string_equal(json_string_value(json_array_get(json_object_get(config, "ports"), 0)), "67/udp");
    assert_string_equal(string_at(json_object_get(config, "labels"), "owner"), "one\x1b[2J\xC2\x9B\ntwo");
    assert_null(json_object_get(json_object_get(config, "labels"), "number"));
    platform = json_array_get(platforms, 1);
    assert_true(json_is_true(json_object_get(platform, "attestation")));
    assert_string_equal(string_at(platform, "artifact_type"), "a/b");
    assert_null(json_object_get(json_object_get(platform, "config"), "entrypoint"));
}

static void members_of_wrong_types_are_left_out(void **state)
{
    struct maker *maker = *state;
    struct layout_blob config = make_document(maker, OCI_MEDIA_CONFIG,
                                              "{\"created\":7,\"author\":null,\"config\":{\"Entrypoint\":\"/bin/"
                                              "x\",\"Cmd\":[1,\"two\"],\"Env\":{},\"User\":[],"
                                              "\"ExposedPorts\":[\"67\"],\"Volumes\":null,\"Labels\":[]}}");
    struct layout_image image;
    struct err err = {0};
    CHECK_OK(maker_parse(maker, make_manifest(maker, OCI_MEDIA_MANIFEST, config, "", ",\"annotations\":\"none\""),
                         &image, &err),
             &err);
    const char *text = print(maker, &image, false);
    check_line(text, "\nno platform\n");
    check_line(text, "  cmd         [\"two\"]\n");
    static const char *const absent[] = {"entrypoint", "env",   "user",    "port",
                                         "volume",     "label", "created", "annotation"};
    for (size_t i = 0; i < ARRAY_COUNT(absent); i++) {
        if (strstr(text, arena_printf(&maker->arena, "  %s ", absent[i])))
            fail_msg("%s is shown in:\n%s", absent[i], text);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, maker_set_up, maker_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(people_read_every_part_of_the_image),
        TEST(control_characters_do_not_reach_the_terminal),
        TEST(programs_read_the_same_as_one_json_object),
        TEST(members_of_wrong_types_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
