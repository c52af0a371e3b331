/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include "base/auto.h"
#include "plan/toml.h"
#include "registry/registries_conf.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Prints the places as "ref ref! ~ref": ! insecure, ~ mirror; `path` NULL: the standard files. */
static const char *places_of(struct arena *arena, const char *path, const char *name, struct err *err)
{
    struct reference reference;
    struct pull_place *places;
    size_t count;
    struct strings shown = {0};
    CHECK_OK(reference_parse(arena, name, true, &reference, err), err);
    if (!registries_conf_places(arena, path, &reference, &places, &count, err))
        return NULL;
    for (size_t i = 0; i < count; i++)
        list_add(arena, &shown,
                 arena_printf(arena, "%s%s%s", places[i].is_mirror ? "~" : "",
                              reference_print(arena, &places[i].reference), places[i].is_insecure ? "!" : ""));
    return strings_join(arena, &shown, " ");
}

static void check_places(const char *path, const char *name, const char *expected)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    const char *found = places_of(&arena, path, name, &err);
    if (!found)
        fail_msg("%s: %s", name, err.text);
    assert_string_equal(found, expected);
}

static void check_refused(const char *path, const char *name, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    if (places_of(&arena, path, name, &err))
        fail_msg("accepted, where \"%s\" was wanted", part);
    CHECK_ERR(&err, ERR_USAGE, part);
}

static void without_a_rule_the_reference_is_the_only_place(void **state)
{
    (void)state;
    write_at_home(".config/containers/registries.conf", "unqualified-search-registries = ['docker.io']\n");
    check_places(NULL, "quay.io/a/b:1", "quay.io/a/b:1");
}

static void the_example_of_the_manual_page_works_as_it_says(void **state)
{
    (void)state;
    write_at_home("r.conf",
                  "unqualified-search-registries = [\"example.com\"]\n\n[[registry]]\nprefix = \"example.com/foo\"\n"
                  "insecure = false\nblocked = false\nlocation = \"internal.example.net/bar\"\n\n"
                  "[[registry.mirror]]\nlocation = \"mirror-0.local/mirror-for-foo\"\n\n"
                  "[[registry.mirror]]\nlocation = \"mirror-1.local/mirrors/foo\" # a comment\ninsecure = true\n\n"
                  "[[registry]]\nlocation = \"registry.com\"\n\n[[registry.mirror]]\n"
                  "location = \"mirror.registry.com\"\n\n[aliases]\n\"image\" = \"registry.com/image\"\n");
    const char *path = at_home("r.conf");
    check_places(path, "example.com/foo/image:1",
                 "~mirror-0.local/mirror-for-foo/image:1 ~mirror-1.local/mirrors/foo/image:1! "
                 "internal.example.net/bar/image:1");
    check_places(path, "registry.com/image", "~mirror.registry.com/image:latest registry.com/image:latest");
    check_places(path, "example.com/foobar:1", "example.com/foobar:1");
    check_places(path, "example.com/foo:1",
                 "~mirror-0.local/mirror-for-foo:1 ~mirror-1.local/mirrors/foo:1! internal.example.net/bar:1");
}

static void the_longest_prefix_is_used_alone(void **state)
{
    (void)state;
    write_at_home("r.conf", "[[registry]]\nprefix='a.io'\nlocation='one.io'\n[[registry]]\nprefix='a.io/x/y'\n"
                            "location='two.io/z'\n[[registry]]\nprefix='a.io/x'\nlocation='three.io/'\n"
                            "[[registry]]\nprefix='a.io/x/y:old'\nblocked=true\n");
    const char *path = at_home("r.conf");
    check_places(path, "a.io/x/y/w:1", "two.io/z/w:1");
    check_places(path, "a.io/x/yy:1", "three.io/yy:1");
    check_places(path, "a.io/xx:1", "one.io/xx:1");
    check_places(path, "a.io:5000/xx:1", "a.io:5000/xx:1");
    check_places(path, "a.io/x/y:older", "two.io/z:older");
    check_refused(path, "a.io/x/y:old", "blocked");
}

static void subdomains_match_a_star(void **state)
{
    (void)state;
    write_at_home("r.conf",
                  "[[registry]]\nprefix='*.a.io'\ninsecure=true\n[[registry]]\nprefix='*.b.io'\nlocation='c.io/b'\n");
    const char *path = at_home("r.conf");
    check_places(path, "x.y.a.io:5000/z:1", "x.y.a.io:5000/z:1!");
    check_places(path, "a.io/z:1", "a.io/z:1");
    check_places(path, "xa.io/z:1", "xa.io/z:1");
    check_places(path, "x.io/y.a.io/z:1", "x.io/y.a.io/z:1");
    check_places(path, "x.b.io:80/z:1", "c.io/b/z:1");
}

static void mirrors_can_be_for_digests_or_tags_only(void **state)
{
    (void)state;
    write_at_home("r.conf",
                  "[[registry]]\nlocation='a.io'\nmirror=[{location='d.io',pull-from-mirror='digest-only'},\n"
                  " {location='t.io',pull-from-mirror=\"tag-only\"},{location='all.io',pull-from-mirror='all'}]\n"
                  "[[registry]]\nlocation='b.io'\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation='m.io'\n");
    const char *path = at_home("r.conf");
    check_places(path, "a.io/x:1", "~t.io/x:1 ~all.io/x:1 a.io/x:1");
    check_places(path, "a.io/x@sha256:" HEX, "~d.io/x@sha256:" HEX " ~all.io/x@sha256:" HEX " a.io/x@sha256:" HEX);
    check_places(path, "b.io/x:1", "b.io/x:1");
    check_places(path, "b.io/x:1@sha256:" HEX, "~m.io/x:1@sha256:" HEX " b.io/x:1@sha256:" HEX);
}

static void docker_hub_is_matched_with_its_library(void **state)
{
    (void)state;
    write_at_home("r.conf", "[[registry]]\nprefix='docker.io/library'\nlocation='m.io/hub'\n");
    check_places(at_home("r.conf"), "docker.io/busybox", "m.io/hub/busybox:latest");
}

static void a_blocked_registry_is_refused_with_the_place(void **state)
{
    (void)state;
    write_at_home("r.conf", "\n[[registry]]\nprefix='a.io'\nblocked=true\n");
    check_refused(at_home("r.conf"), "a.io/x", "a.io is blocked by");
    check_refused(at_home("r.conf"), "a.io/x", "r.conf:2");
}

static void own_files_are_read_and_drop_ins_replace_by_prefix(void **state)
{
    (void)state;
    write_at_home(".config/containers/registries.conf", "[[registry]]\nprefix='a.io'\nlocation='b.io'\n");
    check_places(NULL, "a.io/x:1", "b.io/x:1");
    write_at_home(".config/containers/registries.conf.d/10.conf", "[[registry]]\nprefix='a.io'\nlocation='c.io'\n");
    write_at_home(".config/containers/registries.conf.d/05.conf", "[[registry]]\nprefix='a.io'\nlocation='d.io'\n");
    write_at_home(".config/containers/registries.conf.d/20.conf~", "broken");
    check_places(NULL, "a.io/x:1", "c.io/x:1");
}

static void what_is_wrong_is_refused_with_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *part;
    } rows[] = {
        {"[[registry]]\n", "r.conf:1: 'registry' has neither"},
        {"[registry]\nlocation='a'\n", "array of tables"},
        {"registry = 1\n", "array of tables"},
        {"registry = [1]\n", "must be a table"},
        {"[[registry]]\nlocation=1\n", "r.conf:2: 'location' must be a string"},
        {"[[registry]]\nlocation='a'\ninsecure='true'\n", "r.conf:3: 'insecure' must be true or false"},
        {"[[registry]]\nlocation='https://a.io'\n", "without 'https://'"},
        {"[[registry]]\nlocation='a.io\\tb'\nprefix=\"a\\nb\"\n", "without blanks"},
        {"[[registry]]\nprefix='a.*.io'\nlocation='b.io'\n", "'*' only"},
        {"[[registry]]\nprefix='*.a.io/b'\n", "'*' only"},
        {"[[registry]]\nprefix='*'\n", "'*' only"},
        {"[[registry]]\nlocation='a.io'\n[[registry.mirror]]\n", "r.conf:3: 'mirror' has no location"},
        {"[[registry]]\nlocation='a.io'\n[registry.mirror]\nlocation='b.io'\n", "[[registry.mirror]]"},
        {"[[registry]]\nlocation='a.io'\n[[registry.mirror]]\nlocation='b'\npull-from-mirror='x'\n", "r.conf:5:"},
        {"[[registry]]\nlocation='a.io'\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation='b'\n"
         "pull-from-mirror='tag-only'\n",
         "cannot stand beside"},
        {"[[registry]]\nprefix='quay.io'\nlocation='UPPER'\n", "no host"},
        {"[registries.block]\nregistries = ['a.io']\n", "old form"},
        {"[registries.insecure]\nregistries = ['a.io']\n", "old form"},
        {"x\n", "r.conf:1: a key wants '='"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        write_at_home("r.conf", rows[i].bytes);
        check_refused(at_home("r.conf"), "quay.io/x", rows[i].part);
    }
    check_refused(at_home("absent.conf"), "quay.io/x", "no such file");
    check_refused(home, "quay.io/x", "not a regular file");
    write_at_home("r.conf", "[registries.search]\nregistries = ['a.io']\n[registries.block]\nregistries = []\n");
    check_places(at_home("r.conf"), "quay.io/x", "quay.io/x:latest");
}

static struct toml_node *parse(struct arena *arena, const char *string, struct err *err)
{
    struct toml_node *root;
    return toml_parse(arena, "t", text_of(string), &root, err) ? root : NULL;
}

static void toml_strings_are_read_in_all_four_forms(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct toml_node *root =
        parse(&arena,
              "a = \"x\\t\\\"\\u00e9\\U0001F600\" # c\r\nb = 'c:\\d'\nc = \"\"\"\n1\\\n   2\n\"3\"\"\"\"\n"
              "d = '''\n''x''\n'''\n'e f' = \"\"\n\"g\\u002Eh\".i = ''\n",
              &err);
    if (!root)
        fail_msg("%s", err.text);
    assert_string_equal(toml_get(root, "a")->string, "x\t\"é😀");
    assert_string_equal(toml_get(root, "b")->string, "c:\\d");
    assert_string_equal(toml_get(root, "c")->string, "12\n\"3\"");
    assert_string_equal(toml_get(root, "d")->string, "''x''\n");
    assert_string_equal(toml_get(root, "e f")->string, "");
    assert_string_equal(toml_get(toml_get(root, "g.h"), "i")->string, "");
    assert_int_equal(toml_get(root, "d")->line, 7);
    assert_int_equal(toml_get(root, "e f")->line, 10);
}

static void toml_tables_and_other_values_are_read(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct toml_node *root = parse(&arena,
                                   "n=+1_000\nf=-1e5\nt=1979-05-27 07:32:00Z\ni=inf\nb=true\n"
                                   "l=[ 1, # one\n [true], {x=1, y.z='w'},\n]\n"
                                   "[a.b]\nx=1\n[a]\ny.z=2\n[[q]]\n[q.r]\nx='1'\n[[q]]\n[q.r]\nx='2'\n[[q.s]]\n[[q.s]]",
                                   &err);
    if (!root)
        fail_msg("%s", err.text);
    assert_string_equal(toml_get(root, "t")->string, "1979-05-27 07:32:00Z");
    assert_int_equal(toml_get(root, "n")->kind, TOML_OTHER);
    assert_true(toml_get(root, "b")->is_true);
    assert_string_equal(toml_get(toml_get(toml_get(root, "l")->last, "y"), "z")->string, "w");
    assert_string_equal(toml_get(toml_get(toml_get(root, "a"), "y"), "z")->string, "2");
    assert_string_equal(toml_get(toml_get(toml_get(root, "q")->first, "r"), "x")->string, "1");
    assert_string_equal(toml_get(toml_get(toml_get(root, "q")->last, "r"), "x")->string, "2");
    assert_ptr_equal(toml_get(toml_get(root, "q")->last, "s")->first->next,
                     toml_get(toml_get(root, "q")->last, "s")->last);
}

static void toml_that_is_wrong_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "a=1\na=2",
        "a=1\n[a]",
        "[a]\n[a]",
        "[a]\n[[a]]",
        "[[a]]\n[a]",
        "a=[]\n[[a]]",
        "a={}\n[a.b]",
        "a.b=1\n[a]",
        "a.b=1\na.b.c=2",
        "[a.b]\n[a]\nb.c=1",
        "\na",
        "\na=",
        "\na=b",
        "\na=\"x",
        "\na='x\n'",
        "\na=\"\\x\"",
        "\na=\"\\u12\"",
        "\na=\"\\ud800\"",
        "\na=\"\\u0000\"",
        "\na=\"\"\"x\"\"",
        "\na=[1",
        "\na=[1 2]",
        "\na={x=1",
        "\na={x=1,}",
        "\na={x=1\n}",
        "\na=1 b=2",
        "\n[a",
        "\n[]",
        "\n[[a]",
        "\n[a]]",
        "\n=1",
        "\na..b=1",
        "\n\"\"\"a\"\"\"=1",
        "\na=tru",
        "\na=nonsense",
        "\na=\001",
        "\na='\xff'",
        "\na=+",
        "\na=\"\\",
        "\na=.5",
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        if (parse(&arena, rows[i], &err))
            fail_msg("accepted: %s", rows[i]);
        CHECK_ERR(&err, ERR_USAGE, "t:");
        if (!strstr(err.text, "t:2: ") && !strstr(err.text, "t:3: "))
            fail_msg("wrong line for %s: %s", rows[i], err.text);
    }
}

static void toml_that_is_deep_or_huge_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    size_t len = 1 << 20;
    char *bytes = arena_alloc(&arena, len + 2);
    memset(bytes, '[', 1000);
    memcpy(bytes, "a=", 2);
    assert_null(parse(&arena, bytes, &err));
    CHECK_ERR(&err, ERR_USAGE, "deeper than 32");
    err_clear(&err);
    /* A key of 32 parts is one, a key of 33 is none. */
    memset(bytes, 0, 1000);
    for (size_t i = 0; i < 32; i++)
        memcpy(bytes + 2 * i, "k.", 2);
    memcpy(bytes + 63, "=1", 2);
    assert_non_null(parse(&arena, bytes, &err));
    memcpy(bytes + 63, ".k=1", 4);
    assert_null(parse(&arena, bytes, &err));
    CHECK_ERR(&err, ERR_USAGE, "a key of more than 32 parts");
    err_clear(&err);
    memset(bytes, ' ', len + 1);
    assert_null(parse(&arena, bytes, &err));
    CHECK_ERR(&err, ERR_USAGE, "1 MiB");
    err_clear(&err);
    for (size_t i = 0; i < len; i++)
        bytes[i] = "'',"[i % 3];
    memcpy(bytes, "a=[", 3);
    bytes[len] = '\0';
    assert_null(parse(&arena, bytes, &err));
    CHECK_ERR(&err, ERR_USAGE, "20,000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_home, tear_down_home)

static void insecure_is_what_an_entry_says_of_a_place_or_leads_to(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_insecure;
    } cases[] = {
        {"lab.example/a:1", true},           {"lab.example/safe/a:1", false}, {"pushed.example/a:1", true},
        {"there.example/x/a:1", true},       {"there.example/y/a:1", false},  {"mirror.example/m/a:1", true},
        {"mirror.example/other/a:1", false}, {"else.example/a:1", false},
    };
    write_at_home(".config/containers/registries.conf",
                  "[[registry]]\nlocation = 'lab.example'\ninsecure = true\n\n"
                  "[[registry]]\nlocation = 'lab.example/safe'\n\n"
                  "[[registry]]\nprefix = 'pushed.example'\nlocation = 'there.example/x'\ninsecure = true\n\n"
                  "[[registry]]\nlocation = 'quay.io'\n\n"
                  "[[registry.mirror]]\nlocation = 'mirror.example/m'\ninsecure = true\n");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        struct reference reference;
        bool is_insecure;
        CHECK_OK(reference_parse(&arena, cases[i].name, true, &reference, &err), &err);
        CHECK_OK(registries_conf_is_insecure(&arena, &reference, &is_insecure, &err), &err);
        if (is_insecure != cases[i].is_insecure)
            fail_msg("%s", cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_rule_the_reference_is_the_only_place),
        TEST(the_example_of_the_manual_page_works_as_it_says),
        TEST(the_longest_prefix_is_used_alone),
        TEST(subdomains_match_a_star),
        TEST(mirrors_can_be_for_digests_or_tags_only),
        TEST(docker_hub_is_matched_with_its_library),
        TEST(a_blocked_registry_is_refused_with_the_place),
        TEST(own_files_are_read_and_drop_ins_replace_by_prefix),
        TEST(insecure_is_what_an_entry_says_of_a_place_or_leads_to),
        TEST(what_is_wrong_is_refused_with_file_and_line),
        cmocka_unit_test(toml_strings_are_read_in_all_four_forms),
        cmocka_unit_test(toml_tables_and_other_values_are_read),
        cmocka_unit_test(toml_that_is_wrong_is_refused_with_its_line),
        cmocka_unit_test(toml_that_is_deep_or_huge_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
