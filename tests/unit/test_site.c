/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include "base/auto.h"
#include "plan/site.h"

/* Standing in an empty directory, with a home beside it. */
static int set_up(void **state)
{
    return set_up_home(state) || mkdir(at_home("here"), 0700) || chdir(at_home("here"));
}

static int tear_down(void **state)
{
    return chdir("/") || tear_down_home(state);
}

static void without_a_file_nothing_is_given(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct site site;
    if (access("/etc/imgfactory/imgfactory.yaml", F_OK) == 0)
        skip();
    CHECK_OK(site_load(&arena, NULL, &site, &err), &err);
    assert_null(site.path);
    assert_null(site.registry);
    assert_true(site.is_push && !site.has_push && !site.has_retries && !site.is_tls_verify_off);
}

static void tags_may_say_how_long_they_are_kept(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct site site;
    write_at_home("s/site.yaml", "keep: 90m\ntags: [latest, {tag: '{version}', keep: 10}, {tag: x, keep: always},\n"
                                 "  {tag: '{date}', keep: 30d, immutable: true}]\nprune: true\n"
                                 "images: [a, {image: b, keep: 2, tags: one, end-of-life: 2026-12-31}]\n");
    CHECK_OK(site_load(&arena, at_home("s/site.yaml"), &site, &err), &err);
    const struct tag_rule *rules = site.tag_rules.items;
    assert_true(site.is_pruned && site.tags.count == 4 && site.tag_rules.count == 4);
    assert_string_equal(site.tags.items[1], "{version}");
    assert_true(site.keep.kind == KEEP_FOR && site.keep.seconds == 5400);
    assert_true(rules[0].keep.kind == KEEP_UNSAID && !rules[0].is_immutable && !tag_rule_is_dated(&rules[0]));
    assert_true(rules[1].keep.kind == KEEP_NEWEST && rules[1].keep.count == 10 && !tag_rule_is_dated(&rules[1]));
    assert_true(rules[2].keep.kind == KEEP_ALWAYS);
    assert_true(rules[3].keep.seconds == 30 * 24 * 3600 && rules[3].is_immutable && tag_rule_is_dated(&rules[3]));
    assert_ptr_equal(tag_rules_find(&site.tag_rules, "x"), &rules[2]);
    assert_null(tag_rules_find(&site.tag_rules, "y"));
    const struct site_image *images = site.images.items;
    assert_true(images[0].keep.kind == KEEP_UNSAID && !images[0].has_end);
    assert_true(images[1].keep.count == 2 && images[1].has_end && images[1].end_of_life == 1798675200);
    assert_string_equal(images[1].tags.items[0], "one");
}

static void what_no_keep_can_be_is_refused_with_its_place(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const struct {
        const char *text, *told;
    } wrong[] = {
        {"keep: soon\n", "site.yaml:1:7: 'soon' is not how long"},
        {"keep: 0\n", "'0' is not how long"},
        {"keep: 59m\n", "'59m' is not how long"},
        {"keep: 30\ntags: [{tag: x, keep: 100001}]\n", "site.yaml:2:23: '100001' is not how long"},
        {"keep: [1d]\n", "'keep' wants a single value"},
        {"prune: true\n", "'prune' wants a 'keep'"},
        {"prune: true\nimages: [a, {image: b, tags: [x]}]\n", "'prune' wants a 'keep'"},
        {"tags: [{keep: 1d}]\n", "tag"},
        {"tags: [{tag: x, keeps: 1d}]\n", "did you mean 'keep'"},
        {"tags: [{tag: x}, x]\n", "comes twice"},
        {"tags: {tag: x}\n", "'tags' wants a list, not a mapping"},
        {"tags: [[x]]\n", "wants a single value"},
        {"tags: ['{arch}-{date}', {tag: '{arch}', keep: 1d}]\n", "single platform"},
        {"tags: [{tag: x, immutable: 1}]\n", "wants true or false"},
        {"images: [{image: a, end-of-life: 2026-02-30}]\n", "is not a day"},
        {"images: [{image: a, end-of-life: 1.1.2027}]\n", "is not a day"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        struct err err = {0};
        struct site site;
        write_at_home("s/site.yaml", wrong[i].text);
        assert_false(site_load(&arena, at_home("s/site.yaml"), &site, &err));
        CHECK_ERR(&err, ERR_USAGE, wrong[i].told);
    }
}

static void every_key_is_read(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct site site;
    write_at_home("s/site.yaml", "registry: quay.io\nnamespace: example/net\ntags: [latest, '{version}-{release}']\n"
                                 "push: false\ntls-verify: false\nauthfile: auth.json\n"
                                 "token-origins: 'https://auth.example.org:8443'\narch: [amd64, arm64]\n"
                                 "source: /etc/source.yaml\noutput: ../out\ncompression: gzip\njobs: 3\nretries: 0\n");
    CHECK_OK(site_load(&arena, at_home("s/site.yaml"), &site, &err), &err);
    assert_string_equal(site.path, at_home("s/site.yaml"));
    assert_string_equal(site.registry, "quay.io");
    assert_string_equal(site.namespace, "example/net");
    assert_int_equal(site.tags.count, 2);
    assert_string_equal(site.tags.items[1], "{version}-{release}");
    assert_true(site.has_push && !site.is_push && site.is_tls_verify_off);
    assert_string_equal(site.authfile, at_home("s/auth.json"));
    assert_string_equal(site.source, "/etc/source.yaml");
    assert_string_equal(site.output, at_home("s/../out"));
    assert_string_equal(site.arch, "amd64,arm64");
    assert_string_equal(site.compression, "gzip");
    assert_string_equal(site.token_origins.items[0], "https://auth.example.org:8443");
    assert_true(site.jobs == 3 && site.has_retries && site.retries == 0);
}

static void the_first_file_is_used_alone(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct site site;
    write_at_home(".config/imgfactory/imgfactory.yaml", "registry: one.io\njobs: 2\n");
    CHECK_OK(site_load(&arena, NULL, &site, &err), &err);
    assert_string_equal(site.registry, "one.io");
    write_at_home("xdg/imgfactory/imgfactory.yaml", "registry: two.io\noutput: out\n");
    setenv("XDG_CONFIG_HOME", at_home("xdg"), 1);
    CHECK_OK(site_load(&arena, NULL, &site, &err), &err);
    assert_string_equal(site.registry, "two.io");
    assert_string_equal(site.output, at_home("xdg/imgfactory/out"));
    write_at_home("here/imgfactory.yaml", "output: out\n");
    CHECK_OK(site_load(&arena, NULL, &site, &err), &err);
    assert_null(site.registry);
    assert_true(site.jobs == 0);
    assert_string_equal(site.output, "out");
    write_at_home("other.yaml", "registry: localhost\n");
    CHECK_OK(site_load(&arena, at_home("other.yaml"), &site, &err), &err);
    assert_string_equal(site.registry, "localhost");
}

static void an_empty_file_gives_nothing_but_its_path(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct site site;
    write_at_home("s.yaml", "# nothing\n");
    CHECK_OK(site_load(&arena, at_home("s.yaml"), &site, &err), &err);
    assert_string_equal(site.path, at_home("s.yaml"));
    assert_true(site.is_push && !site.has_push && !site.is_tls_verify_off);
    assert_null(site.registry);
}

static void a_named_file_must_exist(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct site site;
    assert_false(site_load(&arena, at_home("absent.yaml"), &site, &err));
    CHECK_ERR(&err, ERR_USAGE, "absent.yaml: no such file");
}

static void good_registries_are_accepted(void **state)
{
    (void)state;
    static const char *const registries[] = {"quay.io",  "localhost",      "localhost:5000",
                                             "lab:5000", "127.0.0.1:5000", "'[::1]:5000'"};
    for (size_t i = 0; i < ARRAY_COUNT(registries); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        struct site site;
        char bytes[100];
        (void)snprintf(bytes, sizeof bytes, "registry: %s\n", registries[i]);
        write_at_home("s.yaml", bytes);
        CHECK_OK(site_load(&arena, at_home("s.yaml"), &site, &err), &err);
    }
}

static void images_have_the_words_of_a_command_line_and_what_is_their_own(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct site site;
    write_at_home("s/site.yaml", "images:\n  - dhcpd\n  - ./own.yaml\n  - command:/usr/sbin/nsd\n  - /usr/sbin/x\n"
                                 "  - image: nginx\n    source: ./other.yaml\n    base: manifest:debian\n"
                                 "    tags: [night]\n    push: false\n    architectures: [amd64, arm64]\n"
                                 "  - images: [a, b]\n    source: fedora-41\n    base: ./layout\n    push: q.io/g/\n"
                                 "    parity: exact\n    on-missing: keep-previous\n"
                                 "if-running: end\nparity: off\non-missing: publish\nstatus: q.io/me/status\n");
    CHECK_OK(site_load(&arena, at_home("s/site.yaml"), &site, &err), &err);
    static const char *const words[] = {"dhcpd", NULL, "command:/usr/sbin/nsd", "/usr/sbin/x", "nginx", "a", "b"};
    assert_int_equal(site.images.count, ARRAY_COUNT(words));
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        assert_string_equal(site.images.items[i].word, words[i] ? words[i] : at_home("s/./own.yaml"));
    const struct site_image *nginx = site_image_find(&site.images, "nginx"), *b = site_image_find(&site.images, "b");
    assert_string_equal(nginx->source, at_home("s/./other.yaml"));
    assert_string_equal(nginx->base, "manifest:debian");
    assert_string_equal(nginx->arch, "amd64,arm64");
    assert_string_equal(nginx->tags.items[0], "night");
    assert_true(nginx->has_push && !nginx->is_push && !site_image_push(&arena, nginx, "nginx"));
    assert_string_equal(b->source, "fedora-41");
    assert_true(b->base[0] == '/' && strstr(b->base, "/s/./layout"));
    assert_string_equal(site_image_push(&arena, b, "bee"), "q.io/g/bee");
    assert_true(b->has_push && b->is_push && !b->arch);
    assert_null(site_image_find(&site.images, "own.yaml"));
    assert_string_equal(site.if_running, "end");
    assert_string_equal(site.parity, "off");
    assert_string_equal(site.on_missing, "publish");
    assert_string_equal(b->parity, "exact");
    assert_string_equal(b->on_missing, "keep-previous");
    assert_true(!nginx->parity && !nginx->on_missing);
    assert_string_equal(site.status, "q.io/me/status");
}

static void an_images_place_is_where_it_is_pushed_to_and_nothing_is_made_of_none(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    const struct site_image plain = {.push = "q.io/x/y:t"};
    assert_string_equal(site_image_push(&arena, &plain, "name"), "q.io/x/y:t");
    assert_null(site_image_push(&arena, NULL, "name"));
    const struct site with = {.registry = "q.io", .namespace = "n"}, bare = {.registry = "q.io"}, none = {0};
    assert_string_equal(site_destination(&arena, &with, "name"), "q.io/n/name");
    assert_string_equal(site_destination(&arena, &bare, "name"), "q.io/name");
    assert_null(site_destination(&arena, &none, "name"));
    const struct site_image off = {.has_push = true}, folder = {.has_push = true, .is_push = true, .push = "q.io/x/"};
    assert_string_equal(site_place(&arena, &with, &folder, "m.io/name", "name"), "q.io/x/name");
    assert_string_equal(site_place(&arena, &with, NULL, "m.io/name", "name"), "m.io/name");
    assert_string_equal(site_place(&arena, &with, &off, NULL, "name"), "q.io/n/name");
    assert_null(site_place(&arena, &none, NULL, NULL, "name"));
    const struct site quiet = {.has_push = true};
    assert_true(site_is_pushed(&with, NULL) && site_is_pushed(&quiet, &folder));
    assert_false(site_is_pushed(&quiet, NULL) || site_is_pushed(&with, &off));
}

/* A file, and a part of what it is refused with. */
struct refusal {
    const char *bytes, *part;
};

static void check_refusals(const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        struct site site;
        write_at_home("s.yaml", rows[i].bytes);
        if (site_load(&arena, at_home("s.yaml"), &site, &err))
            fail_msg("accepted: %s", rows[i].bytes);
        CHECK_ERR(&err, ERR_USAGE, rows[i].part);
    }
}

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"registri: quay.io\n", "s.yaml:1:1: unknown key 'registri'; did you mean 'registry'?"},
        {"registries: [quay.io]\n", "s.yaml:1:1: unknown key 'registries'; did you mean 'registry'?"},
        {"image: dhcpd\n", "s.yaml:1:1: unknown key 'image'; did you mean 'images'?"},
        {"architectures: [amd64]\n", "s.yaml:1:1: unknown key 'architectures'; did you mean 'arch'?"},
        {"repository: quay.io/me\n",
         "s.yaml:1:1: unknown key 'repository'; did you mean 'registry' (quay.io) and 'namespace'"},
        {"services: [dhcpd]\n", "unknown key 'services'; did you mean 'images'?"},
        {"base: debian:12\n", "unknown key 'base'; did you mean that of an image"},
        {"push: quay.io/me\n", "s.yaml:1:7: 'push' wants true or false; 'registry' and 'namespace' say where to"},
        {"registry: https://quay.io\n", "s.yaml:1:11: 'https://quay.io' is not a registry"},
        {"registry: quay.io/me\n", "is not a registry"},
        {"registry: Quay.io\n", "is not a registry"},
        {"registry: quay\n", "no '.'"},
        {"registry: quay.io:0\n", "is not a registry"},
        {"registry: quay.io:99999\n", "is not a registry"},
        {"registry: me:pw@quay.io\n", "is not a registry"},
        {"registry: ''\n", "is not a registry"},
        {"namespace: me\n", "wants a 'registry'"},
        {"registry: quay.io\nnamespace: Me\n", "s.yaml:2:12: 'Me' is not a namespace"},
        {"registry: quay.io\nnamespace: me/\n", "is not a namespace"},
        {"registry: quay.io\nnamespace: ../me\n", "is not a namespace"},
        {"registry: quay.io\nnamespace: ''\n", "is not a namespace"},
        {"tags: []\n", "at least one"},
        {"tags: [a, a]\n", "s.yaml:1:11: 'a' comes twice"},
        {"tags: [a/b]\n", "letters, digits"},
        {"tags: '{versoin}'\n", "unknown placeholder {versoin}"},
        {"push: yes\n", "true or false"},
        {"tls-verify: 'false'\n", "true or false"},
        {"token-origins: [http://auth.example.org]\n", "is not an origin"},
        {"token-origins: [https://auth.example.org/token]\n", "is not an origin"},
        {"token-origins: [https://]\n", "is not an origin"},
        {"token-origins: ['https://a.io@evil.org']\n", "is not an origin"},
        {"compression: xz\n", "is not a compression"},
        {"jobs: 0\n", "from 1 to 256"},
        {"jobs: 257\n", "from 1 to 256"},
        {"retries: 21\n", "from 0 to 20"},
        {"retries: '1'\n", "decimal number"},
        {"authfile: ''\n", "'authfile' must not be empty"},
        {"arch: []\n", "'arch' must not be empty"},
        {"registry: quay.io\nregistry: quay.io\n", "s.yaml:2:"},
        {"- registry\n", "a mapping"},
    };
    check_refusals(rows, ARRAY_COUNT(rows));
}

static void what_is_wrong_with_images_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"images: []\n", "s.yaml:1:9: 'images' wants a list"},
        {"images: dhcpd\n", "wants a list of images: images: [dhcpd]"},
        {"images: {dhcpd: {tags: [x]}}\n", "wants a list of images: images: [dhcpd]"},
        {"images: [{dhcpd: {tags: [x]}}]\n", "s.yaml:1:11: unknown key 'dhcpd'; did you mean image: dhcpd?"},
        {"images: [{name: dhcpd, tags: [x]}]\n", "unknown key 'name'; did you mean image: dhcpd?"},
        {"images: [{imag: dhcpd}]\n", "unknown key 'imag'; did you mean 'image'?"},
        {"images: ['']\n", "an image is named by"},
        {"images: [[a]]\n", "s.yaml:1:10: an image is a word, or a mapping"},
        {"images: [a, {images: [b, a]}]\n", "s.yaml:1:26: 'a' comes twice in 'images'"},
        {"images: [{image: a, images: [b]}]\n", "has either 'image' or 'images'"},
        {"images: [{tags: [x]}]\n", "has either 'image' or 'images'"},
        {"images: [{images: []}]\n", "'images' must not be empty"},
        {"images: [{image: a, arch: amd64}]\n", "unknown key 'arch'; did you mean 'architectures'?"},
        {"images: [{image: a, base-image: b}]\n", "unknown key 'base-image'; did you mean 'base'?"},
        {"images: [{image: a, architectures: []}]\n", "'architectures' must not be empty"},
        {"images: [{image: a, source: ''}]\n", "'source' must not be empty"},
        {"images: [{image: a, tags: []}]\n", "at least one"},
        {"images: [{image: a, tags: ['{x}']}]\n", "unknown placeholder {x}"},
        {"images: [{image: a, base: 'manifest:A b'}]\n", "'base' must be"},
        {"images: [{image: a, base: ''}]\n", "'base' must be"},
        {"images: [{image: a, push: [x]}]\n", "'push' must be true, false, or where to"},
        {"images: [{image: a, push: ''}]\n", "'push' must be true, false, or where to"},
        {"images: [{images: [a, b], push: q.io/a}]\n", "s.yaml:1:33: 'push' is one repository for several images"},
        {"if-running: never\n", "s.yaml:1:13: 'never' is neither wait nor end"},
    };
    check_refusals(rows, ARRAY_COUNT(rows));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_file_nothing_is_given),
        TEST(tags_may_say_how_long_they_are_kept),
        TEST(what_no_keep_can_be_is_refused_with_its_place),
        TEST(every_key_is_read),
        TEST(the_first_file_is_used_alone),
        TEST(an_empty_file_gives_nothing_but_its_path),
        TEST(a_named_file_must_exist),
        TEST(good_registries_are_accepted),
        TEST(images_have_the_words_of_a_command_line_and_what_is_their_own),
        TEST(an_images_place_is_where_it_is_pushed_to_and_nothing_is_made_of_none),
        TEST(what_is_wrong_is_refused_with_its_place),
        TEST(what_is_wrong_with_images_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
