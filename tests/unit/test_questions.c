/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of line/questions: whatever an answer has is in the digest of the answers. The plain answers below name all
 * members in order, so that one which is added does not compile (-Wmissing-field-initializers) until somebody comes here: it
 * belongs into the digest, and into the changes below. */
#include "check.h"

#include "base/auto.h"
#include "deb/deb_format.h"
#include "line/questions.h"

static const struct strings no_strings;
static const char *one_word = "one";
static const struct strings one_string = {&one_word, 1, 1};

static const struct sibling plain_sibling = {"name", false, false, false, false, false, SIBLING_UNKNOWN, {NULL, 0, 0}};
static const struct catalog_package plain_package = {"1", "amd64", "source", NULL, {NULL, 0, 0}, {NULL, 0, 0}};
static const struct location plain_location = {"/usr/bin/x", {NULL, 0, 0}, false, 0};
static const struct origin origin = {.format = &format_deb, .name = "r", .uri = "http://r/"};
static const struct selected plain_selected = {"name",       "1",     "amd64", "source", "1",         NULL,
                                               "pool/x.deb", &origin, 10,      NULL,     {{1}},       NULL,
                                               false,        NULL,    NULL,    NULL,     {NULL, 0, 0}};

/* A catalog that gives one answer to each question. */
struct telling {
    struct catalog catalog; /* comes first */
    struct sibling sibling;
    struct catalog_package package;
    struct location location;
    struct selected selected;
    struct strings owners;
    bool has;
};

static bool tell_owners(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                        const char **ret_hint, struct err *err)
{
    (void)arena;
    (void)path;
    (void)ret_hint;
    (void)err;
    *ret_names = ((struct telling *)catalog)->owners;
    return true;
}

static bool tell_has(const struct catalog *catalog, const char *name, bool is_virtual_fine)
{
    (void)name;
    (void)is_virtual_fine;
    return ((const struct telling *)catalog)->has;
}

static bool tell_siblings(struct catalog *catalog, struct arena *arena, const char *package,
                          struct siblings *ret_siblings, struct err *err)
{
    (void)arena;
    (void)package;
    (void)err;
    *ret_siblings = (struct siblings){&((struct telling *)catalog)->sibling, 1, 1};
    return true;
}

static bool tell_locations(struct catalog *catalog, struct arena *arena, const char *base, enum located_kind kind,
                           struct locations *ret_locations, struct err *err)
{
    (void)arena;
    (void)base;
    (void)kind;
    (void)err;
    *ret_locations = (struct locations){&((struct telling *)catalog)->location, 1, 1};
    return true;
}

static bool tell_package(const struct catalog *catalog, struct arena *arena, const char *package,
                         struct catalog_package *ret_package, bool *ret_found, struct err *err)
{
    (void)arena;
    (void)package;
    (void)err;
    *ret_package = ((const struct telling *)catalog)->package;
    *ret_found = true;
    return true;
}

static bool tell_selection(struct arena *arena, const struct catalog *catalog, const struct solve_request *request,
                           struct selection *ret_selection, struct err *err)
{
    (void)request;
    (void)err;
    struct selected *selected = arena_new(arena, struct selected);
    *selected = ((const struct telling *)catalog)->selected;
    *ret_selection = (struct selection){selected, 1};
    return true;
}

static bool tell_identity(struct arena *arena, const struct catalog *catalog, const struct selection *selection,
                          struct selected *ret_selected, bool *ret_found, struct err *err)
{
    (void)arena;
    (void)selection;
    (void)err;
    *ret_selected = ((const struct telling *)catalog)->selected;
    *ret_found = true;
    return true;
}

static const struct catalog_kind telling_kind = {.owners = tell_owners,
                                                 .has = tell_has,
                                                 .siblings = tell_siblings,
                                                 .locate = tell_locations,
                                                 .describe = tell_package,
                                                 .solve = tell_selection,
                                                 .identity = tell_identity};

static struct telling plain(void)
{
    static const struct source source = {.format = &format_deb, .name = "s"};
    return (struct telling){.catalog = {.kind = &telling_kind, .origins = {.source = &source}},
                            .sibling = plain_sibling,
                            .package = plain_package,
                            .location = plain_location,
                            .selected = plain_selected};
}

/* Asks everything, and asks it again by the list; both times the answers are the same. */
static struct digest ask_all(struct telling *telling)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(questions_close) struct questions *questions = questions_open(&telling->catalog);
    AUTO(questions_close) struct questions *again = questions_open(&telling->catalog);
    struct catalog *catalog = questions_catalog(questions);
    struct err err = {0};
    struct strings names;
    struct siblings siblings;
    struct locations locations;
    struct catalog_package package;
    struct selection selection;
    struct selected identity;
    bool is_found;
    CHECK_OK(catalog_owners(catalog, &arena, "/usr/bin/x", &names, NULL, &err), &err);
    (void)catalog_has(catalog, "x", true);
    CHECK_OK(catalog_siblings(catalog, &arena, "x", &siblings, &err), &err);
    CHECK_OK(catalog_locate(catalog, &arena, "x", LOCATED_PROGRAMS, &locations, &err), &err);
    CHECK_OK(catalog_describe(catalog, &arena, "x", &package, &is_found, &err), &err);
    struct solve_request request = {.names = one_string, .never = no_strings};
    CHECK_OK(solve_packages(&arena, catalog, &request, &selection, &err), &err);
    CHECK_OK(solve_identity(&arena, catalog, &selection, &identity, &is_found, &err), &err);
    struct digest answers = questions_answers(questions);
    struct text list = questions_list(&arena, questions);
    assert_true(questions_repeat(again, list, true));
    assert_true(questions_repeat(again, list, false));
    struct digest repeated = questions_answers(again);
    assert_true(digest_eq(&answers, &repeated));
    return answers;
}

#define CHANGE(member, value)                                                                                          \
    do {                                                                                                               \
        struct telling before = plain(), after = plain();                                                              \
        after.member = value;                                                                                          \
        struct digest old = ask_all(&before), new = ask_all(&after);                                                   \
        if (digest_eq(&old, &new))                                                                                     \
            fail_msg("another %s, and the answers are the same", #member);                                             \
    } while (0)

static void each_thing_that_a_catalog_tells_is_in_the_answers(void **state)
{
    (void)state;
    static const struct checksum sha512 = {.kind = CHECKSUM_SHA512};
    static const struct origin elsewhere = {.format = &format_deb, .name = "r", .uri = "http://other/"};
    CHANGE(owners, one_string);
    CHANGE(has, true);
    CHANGE(sibling.name, "other");
    CHANGE(sibling.is_given, true);
    CHANGE(sibling.is_dependent, true);
    CHANGE(sibling.is_needed, true);
    CHANGE(sibling.is_recommended, true);
    CHANGE(sibling.is_for_all, true);
    CHANGE(sibling.holds, SIBLING_HAS_SERVICE);
    CHANGE(sibling.services, one_string);
    CHANGE(package.version, "2");
    CHANGE(package.architecture, "all");
    CHANGE(package.source, "other");
    CHANGE(package.description, "");
    CHANGE(package.depends, one_string);
    CHANGE(package.recommends, one_string);
    CHANGE(location.path, "/usr/sbin/x");
    CHANGE(location.packages, one_string);
    CHANGE(location.is_in_path, true);
    CHANGE(selected.name, "other");
    CHANGE(selected.version, "2");
    CHANGE(selected.architecture, "all");
    CHANGE(selected.source_package, "other");
    CHANGE(selected.source_version, "2");
    CHANGE(selected.section, "libs");
    CHANGE(selected.url_path, "pool/y.deb");
    CHANGE(selected.origin, &elsewhere);
    CHANGE(selected.size_bytes, 11);
    CHANGE(selected.candidate_version, "3");
    CHANGE(selected.other_origin, &elsewhere);
    CHANGE(selected.other_version, "4");
    CHANGE(selected.digest.bytes[31], 1);
    CHANGE(selected.sha512, &sha512);
    CHANGE(selected.is_likely, true);
    CHANGE(selected.replaces_version, "0");
}

static void a_list_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "x",    "5:",          "3:3:a", "99999999999:", "8:6:nobody", "9:6:owners", "10:6:owners", "16:5:solve1:01:0",
        "2:1:", "5:solve2:99", "1:"};
    struct telling telling = plain();
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        AUTO(questions_close) struct questions *questions = questions_open(&telling.catalog);
        bool is_list = questions_repeat(questions, text_of(lists[i]), true) &&
                       questions_repeat(questions, text_of(lists[i]), false);
        if (is_list)
            fail_msg("'%s' counts as a list", lists[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thing_that_a_catalog_tells_is_in_the_answers),
        cmocka_unit_test(a_list_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
