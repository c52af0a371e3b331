/* SPDX-License-Identifier: Apache-2.0 */
/* metalink: which repomd.xml counts and which mirrors are asked, in which order. */
#include "check.h"

#include "base/auto.h"
#include "rpmmd/metalink.h"

#define ABC256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC512                                                                                                         \
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e" \
    "2a9ac94fa54ca49f"
#define OLD256 "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" /* "foo" */
#define HEAD                                                                                                           \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\" "      \
    "xmlns:mm0=\"http://fedorahosted.org/mirrormanager\"><files>"
#define TAIL "</files></metalink>"
#define HASH(type, hex) "<verification><hash type=\"" type "\">" hex "</hash></verification>"
#define FILE_(inside) "<file name=\"repomd.xml\">" inside "</file>"
#define URL(scheme, host, preference)                                                                                  \
    "<url protocol=\"" scheme "\" type=\"" scheme "\" location=\"XX\" preference=\"" preference "\">" scheme           \
    "://" host "/os/repodata/repomd.xml</url>"
#define MIRROR "<resources>" URL("https", "a.test", "100") "</resources>"

static void parse(struct arena *arena, const char *text, struct metalink *metalink)
{
    struct err err = {0};
    CHECK_OK(metalink_parse(arena, "https://m.test/metalink", text_of(text), metalink, &err), &err);
}

static void check_refused(const char *text, enum err_kind kind, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct metalink metalink;
    struct err err = {0};
    if (metalink_parse(&arena, "https://m.test/metalink", text_of(text), &metalink, &err))
        fail_msg("taken: %s", text);
    CHECK_ERR(&err, kind, part);
    assert_non_null(strstr(err.text, "https://m.test/metalink"));
}

static void https_comes_first_then_preference_then_the_order_given(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct metalink metalink;
    parse(&arena,
          HEAD FILE_(HASH("sha256", ABC256) "<resources>" URL("http", "plain.test", "100") URL("https", "far.test", "5")
                         URL("rsync", "r.test", "100") URL("ftp", "f.test", "100") URL("file", "/etc", "100")
                             URL("https", "near.test", "90") URL("https", "too.test", "90")
                                 URL("https", "near.test", "80") "</resources>") TAIL,
          &metalink);
    assert_string_equal(strings_join(&arena, &metalink.base_urls, " "),
                        "https://near.test/os/ https://too.test/os/ https://far.test/os/ http://plain.test/os/");
}

static void the_newest_and_its_alternates_count(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct metalink metalink;
    parse(&arena,
          HEAD FILE_("<mm0:timestamp>20</mm0:timestamp><size>3</size>" HASH(
              "sha512", ABC512) "<mm0:alternates><mm0:alternate><mm0:timestamp>10</mm0:timestamp><size>3</"
                                "size>" HASH("sha256", OLD256) "</mm0:alternate></mm0:alternates>" MIRROR) TAIL,
          &metalink);
    assert_true(metalink_has(&metalink, TEXT("abc")));
    assert_true(metalink_has(&metalink, TEXT("foo")));
    assert_false(metalink_has(&metalink, TEXT("bar")));
    assert_false(metalink_has(&metalink, TEXT("")));
}

static void a_wrong_size_does_not_count(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct metalink metalink;
    parse(&arena, HEAD FILE_("<size>4</size>" HASH("sha256", ABC256) MIRROR) TAIL, &metalink);
    assert_false(metalink_has(&metalink, TEXT("abc")));
}

static void the_strongest_hash_decides_and_weak_ones_never(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct metalink metalink;
    parse(&arena,
          HEAD FILE_("<verification><hash type=\"md5\">x</hash><hash type=\"sha512\">" ABC512 "</hash><hash "
                     "type=\"sha256\">" OLD256 "</hash></verification>" MIRROR) TAIL,
          &metalink);
    assert_true(metalink_has(&metalink, TEXT("abc")));
    assert_false(metalink_has(&metalink, TEXT("foo")));
    check_refused(HEAD FILE_(HASH("sha1", "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33") MIRROR) TAIL, ERR_TRUST,
                  "no SHA-256 or SHA-512");
    check_refused(HEAD FILE_(MIRROR) TAIL, ERR_TRUST, "no SHA-256 or SHA-512");
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } table[] = {
        {"# repo = x arch = y error\n", "not well-formed"},
        {"<repomd/>", "not a metalink"},
        {HEAD TAIL, "not one of repomd.xml"},
        {HEAD "<file name=\"x.iso\">" HASH("sha256", ABC256) MIRROR "</file>" TAIL, "not one of repomd.xml"},
        {HEAD FILE_(HASH("sha256", ABC256)) TAIL, "no mirror that can be used"},
        {HEAD FILE_(HASH("sha256", ABC256) "<resources>" URL("file", "/etc", "1") "</resources>") TAIL,
         "no mirror that can be used"},
        {HEAD FILE_(HASH("sha256", ABC256) "<resources><url>https://a.test/os/</url></resources>") TAIL,
         "no mirror that can be used"},
        {HEAD FILE_(HASH("sha256", ABC256) "<resources><url>https://a.t/ x/repodata/repomd.xml</url></resources>") TAIL,
         "no mirror that can be used"},
        {HEAD FILE_(HASH("sha256", "abc") MIRROR) TAIL, "not a hash of its type"},
        {HEAD FILE_("<size>many</size>" HASH("sha256", ABC256) MIRROR) TAIL, "not a size"},
        {HEAD FILE_(HASH("sha256", ABC256) MIRROR) FILE_(HASH("sha256", OLD256) MIRROR) TAIL, "twice"},
        {"<!DOCTYPE m [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;&a;\">]><metalink>&b;</metalink>", "document type"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        check_refused(table[i].text, ERR_MALFORMED, table[i].part);
}

static void a_file_metalink_may_name_files(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct metalink metalink;
    struct err err = {0};
    static const char text[] =
        HEAD FILE_(HASH("sha256", ABC256) "<resources>" URL("file", "/srv", "1") "</resources>") TAIL;
    CHECK_OK(metalink_parse(&arena, "file:///srv/metalink", text_of(text), &metalink, &err), &err);
    assert_string_equal(metalink.base_urls.items[0], "file:///srv/os/");
}

static void only_the_first_mirrors_are_asked(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text;
    struct metalink metalink;
    buf_init(&text, 1u << 20);
    assert_true(buf_printf(&text, HEAD "<file name=\"repomd.xml\">" HASH("sha256", ABC256) "<resources>"));
    for (int i = 0; i < 100; i++)
        assert_true(buf_printf(&text, "<url preference=\"%d\">https://m%d.test/repodata/repomd.xml</url>", i, i));
    assert_true(buf_printf(&text, "</resources></file>" TAIL));
    parse(&arena, text.bytes, &metalink);
    assert_int_equal(metalink.base_urls.count, METALINK_MIRRORS_MAX);
    assert_string_equal(metalink.base_urls.items[0], "https://m99.test/");
}

static void a_mirror_list_is_a_url_on_each_line(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct strings urls;
    struct err err = {0};
    CHECK_OK(mirrorlist_parse(&arena, "https://m.test/list",
                              TEXT("# comment\r\n\nhttps://a.test/os\r\nrsync://r.test/os/\nhttp://b.test/os/\n"
                                   "https://a.test/os/\n"),
                              &urls, &err),
             &err);
    assert_string_equal(strings_join(&arena, &urls, " "), "https://a.test/os/ http://b.test/os/");
    static const struct {
        const char *text, *part;
    } bad[] = {{"", "empty"},
               {"# Bad arch\n", "empty"},
               {"Bad Request\n", "list:1: not the URL of a mirror: \"Bad Request\""},
               {"https://a.test/\nfile:///etc/\n", "list:2: not the URL"},
               {"gopher://a.test/\n", "not the URL"}};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        err_clear(&err);
        assert_false(mirrorlist_parse(&arena, "https://m.test/list", text_of(bad[i].text), &urls, &err));
        CHECK_ERR(&err, ERR_MALFORMED, bad[i].part);
    }
    assert_true(metalink_is(TEXT("\n<?xml version=\"1.0\"?><metalink/>")));
    assert_false(metalink_is(TEXT("https://a.test/metalink\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(https_comes_first_then_preference_then_the_order_given),
        cmocka_unit_test(the_newest_and_its_alternates_count),
        cmocka_unit_test(a_wrong_size_does_not_count),
        cmocka_unit_test(the_strongest_hash_decides_and_weak_ones_never),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(a_file_metalink_may_name_files),
        cmocka_unit_test(only_the_first_mirrors_are_asked),
        cmocka_unit_test(a_mirror_list_is_a_url_on_each_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
