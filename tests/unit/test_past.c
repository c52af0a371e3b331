/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "io/tree_remove.h"
#include "past/past_document.h"
#include "past/past_find.h"
#include "past/past_hiding.h"
#include "past/past_zstd.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

static bool has(const char *expression, const struct past_package *package)
{
    AUTO(arena_done) struct arena arena = {0};
    struct past_version wanted;
    struct err err = {0};
    bool is_read = past_version_read(&arena, expression, &wanted, &err);
    assert_true(is_read);
    return past_version_has(&wanted, package);
}

static void versions_compare_as_the_package_s_format_compares_them(void **state)
{
    (void)state;
    const struct past_package deb = {"libssl3", "3.0.15-1~deb12u1", "amd64", "openssl", "3.0.15-1~deb12u1", "deb",
                                     true};
    const struct past_package rpm = {
        "openssl-libs", "1:3.2.2-1.fc41", "x86_64", "openssl", "1:3.2.2-1.fc41", "rpm", true};
    assert_true(has("openssl < 3.0.17", &deb));
    assert_true(has("openssl<3.0.17", &deb));
    assert_true(has("libssl3", &deb));
    assert_true(has("libssl*", &deb));
    assert_true(has("libssl3 < 3.0.15-1", &deb)); /* '~' sorts before the end */
    assert_false(has("libssl3 = 3.0.15", &deb));
    assert_true(has("libssl3 = 3.0.15-1~deb12u1", &deb));
    assert_false(has("libssl3 > 3.0.15-1~deb12u1", &deb));
    assert_true(has("libssl3 >= 3.0.15-1~deb12u1", &deb));
    assert_true(has("libssl3 <= 3.0.15-1~deb12u1", &deb));
    assert_false(has("ssl", &deb));
    assert_true(has("openssl = 1:3.2.2", &rpm)); /* of any release */
    assert_true(has("openssl <= 1:3.2.2", &rpm));
    assert_false(has("openssl < 1:3.2.2", &rpm));
    assert_false(has("openssl = 1:3.2.2-2.fc41", &rpm));
    assert_false(has("openssl < 3.0.17", &rpm)); /* no epoch is epoch 0 */
}

static void an_expression_is_a_name_or_a_name_and_one_version(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", " ", "< 1", "a <", "a b", "a < 1 < 2", "a < 1 2", "a <> 1", "a < b c"};
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        struct past_version wanted;
        struct err err = {0};
        assert_false(past_version_read(&arena, wrong[i], &wanted, &err));
        CHECK_ERR(&err, ERR_USAGE, "--package");
    }
}

static struct bill make_bill(struct arena *arena, const char *path)
{
    struct bill bill = {.format = BILL_FORMAT};
    list_add(arena, &bill.packages,
             (struct bill_package){.name = "libc6",
                                   .version = "2.36-9",
                                   .architecture = "amd64",
                                   .url = "http://x/libc6.deb",
                                   .has_given = true});
    list_add(arena, &bill.files,
             (struct bill_file){.path = path, .package = "libc6", .why = "needed", .kind = NODE_FILE, .size_bytes = 7});
    list_add(arena, &bill.files, (struct bill_file){.path = "/usr/lib/x", .kind = NODE_SYMLINK});
    list_add(arena, &bill.directories, (struct bill_file){.path = "/usr", .kind = NODE_DIRECTORY});
    list_add(arena, &bill.sonames, (struct bill_soname){path, "libc.so.6"});
    return bill;
}

static void a_bill_in_brief_has_packages_files_and_sonames(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf packed = {0};
    AUTO(past_bill_close) struct past_bill brief = {0};
    struct bill bill = make_bill(&arena, "/usr/lib/a\tb\nc");
    struct past_package package;
    struct past_file file;
    assert_true(past_bill_pack(&bill, &packed));
    assert_true(past_bill_open(buf_text(&packed), &brief));
    struct text rest = brief.items;
    assert_int_equal(past_bill_next(&rest, &package, &file), PAST_PACKAGE);
    assert_string_equal(package.version, "2.36-9");
    assert_string_equal(package.format, "deb");
    assert_int_equal(past_bill_next(&rest, &package, &file), PAST_FILE);
    assert_string_equal(file.path, "/usr/lib/a\tb\nc");
    assert_string_equal(file.soname, "libc.so.6");
    assert_int_equal(file.size_bytes, 7);
    assert_int_equal(past_bill_next(&rest, &package, &file), PAST_FILE);
    assert_int_equal(file.kind, NODE_SYMLINK);
    assert_int_equal(past_bill_next(&rest, &package, &file), PAST_FILE);
    assert_int_equal(past_bill_next(&rest, &package, &file), PAST_END);
}

static void a_bill_in_brief_with_any_byte_changed_is_none_or_the_same(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf packed = {0};
    struct bill bill = make_bill(&arena, "/usr/lib/libc.so.6");
    assert_true(past_bill_pack(&bill, &packed));
    for (size_t i = 0; i < packed.len; i++) {
        struct past_bill brief;
        packed.bytes[i] = (char)(packed.bytes[i] ^ 0x55);
        if (past_bill_open(buf_text(&packed), &brief))
            past_bill_close(&brief);
        assert_false(past_bill_open((struct text){packed.bytes, i}, &brief));
        packed.bytes[i] = (char)(packed.bytes[i] ^ 0x55);
    }
}

static void a_document_reads_back_and_any_other_bytes_are_none(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf document = {0};
    struct bill bill = make_bill(&arena, "/usr/lib/libc.so.6");
    bill.manifest = digest_of("m", 1);
    bill.facts.name = "served";
    bill.facts.arch = "x86_64";
    bill.inputs.encoder = bill.inputs.name = "x";
    for (size_t i = 0; i < bill.packages.count; i++)
        bill.packages.items[i].digest = digest_of("p", 1);
    const struct bill *bills[] = {&bill};
    struct past_note note = {.record = {.format = PAST_FORMAT, .name = "served", .first = 1, .last = 2}}, again;
    note.record.digest = digest_of("i", 1);
    note.bills = bills;
    list_add(&arena, &note.record.platforms,
             (struct past_platform){.arch = "x86_64", .manifest = bill.manifest, .layer_bytes = 5});
    assert_true(past_document_make(&note, &document));
    assert_true(past_document_read(&arena, buf_text(&document), &again));
    assert_int_equal(again.record.platforms.items[0].layer_bytes, 5);
    assert_non_null(again.bills[0]);
    assert_string_equal(again.bills[0]->sonames.items[0].soname, "libc.so.6");
    for (size_t i = 0; i < document.len; i++)
        assert_false(past_document_read(&arena, (struct text){document.bytes, i}, &again));
    assert_false(past_document_read(&arena, TEXT("{\"format\":1}"), &again));
}

/* Keeps one night of an image. */
static void keep(struct arena *arena, const char *dir, const char *name, int64_t now, size_t number)
{
    struct bill *bill = arena_new(arena, struct bill);
    *bill = make_bill(arena, arena_printf(arena, "/usr/lib/%zu", number));
    struct past_note note = {
        .record = {.format = PAST_FORMAT, .name = name, .digest = digest_of(&number, sizeof number)}};
    struct past_platform platform = {.arch = "x86_64", .manifest = note.record.digest};
    list_add(arena, &note.record.platforms, platform);
    const struct bill *bills[] = {bill};
    note.bills = bills;
    struct err err = {0};
    bool is_more;
    CHECK_OK(past_keep(dir, &note, 1, now, &is_more, &err), &err);
    if (is_more)
        past_prune(dir);
}

static size_t count_files(struct arena *arena, const char *dir)
{
    size_t count = 0;
    DIR *open = opendir(arena_printf(arena, "%s/v1/past/bills", dir));
    assert_non_null(open);
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static void nights_are_kept_up_to_their_number_with_their_bills_alone(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *dir = *state;
    struct past_images images;
    for (size_t i = 0; i < PAST_NIGHTS_MAX + 5; i++)
        keep(&arena, dir, "served", (int64_t)(i + 1) * 86400, i);
    past_read(&arena, dir, "served", false, &images);
    assert_int_equal(images.count, 1);
    assert_int_equal(images.items[0].nights.count, PAST_NIGHTS_MAX);
    assert_int_equal(images.items[0].nights.items[0].first, (PAST_NIGHTS_MAX + 5) * 86400);
    assert_int_equal(count_files(&arena, dir), PAST_NIGHTS_MAX);
}

static void a_night_that_found_the_same_only_moves_the_last_date(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    struct past_images images;
    keep(&arena, *state, "same", 86400, 7);
    keep(&arena, *state, "same", 3 * 86400, 7);
    past_read(&arena, *state, "same", false, &images);
    assert_int_equal(images.items[0].nights.count, 1);
    assert_int_equal(images.items[0].nights.items[0].first, 86400);
    assert_int_equal(images.items[0].nights.items[0].last, 3 * 86400);
    keep(&arena, *state, "same", 2 * 86400, 7); /* a clock that went back */
    past_read(&arena, *state, "same", false, &images);
    assert_int_equal(images.items[0].nights.items[0].last, 3 * 86400);
}

static void a_tag_that_goes_back_makes_the_past_image_the_one_that_is_published(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    struct past_images images;
    struct err err = {0};
    size_t old = 1, new = 2;
    struct past_return given = {"r.example/me/back", NULL, "latest", digest_of(&old, sizeof old)};
    bool is_lost;
    for (size_t i = old; i <= new; i++) {
        bool is_more;
        struct past_note note = {.record = {.name = "back", .destination = given.destination}};
        note.record.digest = digest_of(&i, sizeof i);
        list_add(&arena, &note.record.tags, "latest");
        list_add(&arena, &note.record.changes, (struct past_change){.package = "libc6"});
        CHECK_OK(past_keep(*state, &note, 1, (int64_t)i * 86400, &is_more, &err), &err);
    }
    given.tag = "other"; /* no tag of what is published */
    CHECK_OK(past_keep_return(*state, &given, 3 * 86400, &is_lost, &err), &err);
    past_read(&arena, *state, "back", false, &images);
    assert_int_equal(images.items[0].nights.count, 2);
    given.tag = "latest";
    for (int again = 0; again < 2; again++)
        CHECK_OK(past_keep_return(*state, &given, 3 * 86400, &is_lost, &err), &err);
    past_read(&arena, *state, "back", false, &images);
    const struct past_records *nights = &images.items[0].nights;
    assert_int_equal(nights->count, 3);
    assert_true(digest_eq(&nights->items[0].digest, &given.digest));
    assert_true(digest_eq(&nights->items[0].before, &nights->items[1].digest));
    assert_int_equal(nights->items[0].first, 3 * 86400);
    assert_int_equal(nights->items[0].changes.count, 0);
    assert_false(is_lost);
    given.digest = digest_of("x", 1); /* of another machine: nothing is kept of it */
    CHECK_OK(past_keep_return(*state, &given, 4 * 86400, &is_lost, &err), &err);
    assert_true(is_lost);
    given.destination = "r.example/me/other"; /* of which nothing is kept at all */
    CHECK_OK(past_keep_return(*state, &given, 4 * 86400, &is_lost, &err), &err);
    assert_false(is_lost);
}

static void an_image_whose_place_and_tag_another_has_by_now_is_replaced(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    static const struct {
        const char *name, *destination, *tag;
        bool is_replaced;
    } cases[] = {{"a", "r.example/me/x", "latest", true},
                 {"b", "r.example/me/x", "latest", false},
                 {"c", "r.example/me/x", "beside", false},
                 {"d", "r.example/me/y", "latest", false},
                 {"e", NULL, "latest", false}};
    static const int64_t days[] = {1, 5, 2, 3, 4};
    struct past_images images;
    struct err err = {0};
    bool is_more;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct past_note note = {.record = {.name = cases[i].name, .destination = cases[i].destination}};
        note.record.digest = digest_of(&i, sizeof i);
        list_add(&arena, &note.record.tags, cases[i].tag);
        CHECK_OK(past_keep(*state, &note, 1, days[i] * 86400, &is_more, &err), &err);
    }
    past_read(&arena, *state, NULL, true, &images);
    assert_int_equal(images.count, ARRAY_COUNT(cases));
    for (size_t i = 0; i < images.count; i++)
        assert_int_equal(images.items[i].is_replaced, cases[i].is_replaced);
}

static void what_a_layer_removes_or_replaces_is_hidden_with_all_that_is_below_it(void **state)
{
    static const char *const above[] = {"/opt/.wh.old", "/srv/.wh..wh..opq", "/usr/share/doc", "/etc/a"};
    static const char *const hidden[] = {"/opt/old", "/opt/old/b/c",     "/srv/x",
                                         "/srv/x/y", "/usr/share/doc/z", "/etc/a"};
    static const char *const seen[] = {"/opt/older", "/opt", "/srv", "/usr/share/docs/z", "/etc/ab", "/"};
    AUTO(arena_done) struct arena arena = {0};
    struct map paths = {.arena = &arena};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(above); i++)
        past_hide(&paths, above[i], NODE_FILE);
    for (size_t i = 0; i < ARRAY_COUNT(hidden); i++)
        assert_true(past_is_hidden(&arena, &paths, hidden[i], NODE_FILE));
    for (size_t i = 0; i < ARRAY_COUNT(seen); i++)
        assert_false(past_is_hidden(&arena, &paths, seen[i], NODE_FILE));
    assert_true(past_is_whiteout("/opt/.wh.old"));
    assert_false(past_is_whiteout("/opt/old.wh."));
}

static void a_directory_hides_what_is_none_at_its_path_and_nothing_within_one(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    struct map paths = {.arena = &arena};
    (void)state;
    past_hide(&paths, "/srv/a", NODE_DIRECTORY);
    assert_true(past_is_hidden(&arena, &paths, "/srv/a", NODE_FILE));
    assert_true(past_is_hidden(&arena, &paths, "/srv/a", NODE_SYMLINK));
    assert_false(past_is_hidden(&arena, &paths, "/srv/a", NODE_DIRECTORY));
    assert_false(past_is_hidden(&arena, &paths, "/srv/a/b", NODE_FILE));
    past_hide(&paths, "/srv/a", NODE_SYMLINK); /* of a layer between them */
    assert_true(past_is_hidden(&arena, &paths, "/srv/a", NODE_DIRECTORY));
    assert_true(past_is_hidden(&arena, &paths, "/srv/a/b", NODE_FILE));
    past_hide(&paths, "/srv/a", NODE_DIRECTORY);
    assert_true(past_is_hidden(&arena, &paths, "/srv/a/b", NODE_FILE));
}

/* Whether a document is one whose first line is that of a record, with so many blanks behind it. */
static bool reads(struct arena *arena, const struct past_record *record, size_t blanks)
{
    AUTO(buf_done) struct buf plain, packed = {0};
    struct past_note note;
    buf_init(&plain, PAST_RECORD_MAX_BYTES * 2);
    assert_true(past_record_write(record, &plain));
    plain.len--; /* the line's end */
    for (size_t i = 0; i < blanks; i++)
        assert_true(buf_add(&plain, " ", 1));
    assert_true(buf_add(&plain, "\n", 1));
    past_zstd_pack(buf_text(&plain), &packed);
    return past_document_read(arena, buf_text(&packed), &note);
}

static void a_hostile_document_is_none(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    struct past_record record = {.format = PAST_FORMAT, .name = "x", .first = 1, .last = 1};
    (void)state;
    assert_true(reads(&arena, &record, 9));
    assert_false(reads(&arena, &record, PAST_RECORD_MAX_BYTES)); /* of as many brackets a parser makes gigabytes */
    record.first = 0;                                            /* it would count as of this very run */
    assert_false(reads(&arena, &record, 9));
}

static int make_folder(void **state)
{
    *state = strdup(check_temporary_dir());
    return 0;
}

static int remove_folder(void **state)
{
    struct err err = {0};
    bool is_removed = tree_remove(AT_FDCWD, *state, &err);
    assert_true(is_removed);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_compare_as_the_package_s_format_compares_them),
        cmocka_unit_test(an_expression_is_a_name_or_a_name_and_one_version),
        cmocka_unit_test(a_bill_in_brief_has_packages_files_and_sonames),
        cmocka_unit_test(a_bill_in_brief_with_any_byte_changed_is_none_or_the_same),
        cmocka_unit_test(a_document_reads_back_and_any_other_bytes_are_none),
        cmocka_unit_test_setup_teardown(nights_are_kept_up_to_their_number_with_their_bills_alone, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_night_that_found_the_same_only_moves_the_last_date, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_tag_that_goes_back_makes_the_past_image_the_one_that_is_published,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(an_image_whose_place_and_tag_another_has_by_now_is_replaced, make_folder,
                                        remove_folder),
        cmocka_unit_test(what_a_layer_removes_or_replaces_is_hidden_with_all_that_is_below_it),
        cmocka_unit_test(a_directory_hides_what_is_none_at_its_path_and_nothing_within_one),
        cmocka_unit_test(a_hostile_document_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
