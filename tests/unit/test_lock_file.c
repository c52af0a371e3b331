/* SPDX-License-Identifier: Apache-2.0 */
/* Lock files as documents: written, read, compared (bill/lock.h). */
#include "check.h"

#include "base/auto.h"
#include "bill/lock.h"

static struct digest some(char letter)
{
    return digest_of(&letter, 1);
}

/* A lock of two images that share a package. */
static struct lock make(struct arena *arena, bool is_turned)
{
    struct lock lock = {.format = LOCK_FORMAT, .program = "1.0"};
    struct lock_source source = {.uri = "http://x/", .suite = "stable", .from = "http://x/", .date = 7};
    struct lock_index index = {"http://x/", "stable", "x86_64", "main/Packages.gz", "sha256:00", 12, {{0}}};
    struct lock_path path = {"x86_64", "/usr/sbin/a", "libc6", "the only one", {0}};
    struct lock_image a = {.image = "a", .arch = "x86_64", .manifest = some('m')}, b = a;
    struct digest data = some('d');
    static const char *const names[] = {"libc6", "zlib1g"};
    source.digest = some('g');
    source.file = some('f');
    b.image = "b";
    lock_add_data(arena, &lock, "recipes", &data);
    lock_add_source(arena, &lock, &source);
    lock_add_source(arena, &lock, &source);
    lock_add_index(arena, &lock, &index);
    lock_add_index(arena, &lock, &index);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct lock_package package = {.arch = "x86_64",
                                       .name = names[is_turned ? 1 - i : i],
                                       .version = "1-1",
                                       .architecture = "amd64",
                                       .url = "http://x/p.deb",
                                       .size_bytes = 3,
                                       .digest = some('p')};
        lock_add_package(arena, &lock, &package, is_turned ? "b" : "a");
        lock_add_package(arena, &lock, &package, is_turned ? "a" : "b");
    }
    lock_add_path(arena, &lock, &path, "a");
    list_add(arena, &lock.images, is_turned ? b : a);
    list_add(arena, &lock.images, is_turned ? a : b);
    return lock;
}

static const char *written(struct arena *arena, struct lock *lock)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, LOCK_MAX_BYTES);
    assert_true(lock_write(lock, &text));
    return arena_strndup(arena, text.bytes, text.len);
}

static void what_is_written_is_read_and_written_again_as_the_same_bytes(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct lock lock = make(&arena, false), again;
    const char *text = written(&arena, &lock);
    assert_true(lock_read(&arena, "x.lock", text_of(text), &again, &err));
    assert_string_equal(written(&arena, &again), text);
    assert_int_equal(again.packages.count, 2);
    assert_int_equal(again.packages.items[0].images.count, 2);
    assert_int_equal(again.sources.count, 1);
    assert_int_equal(again.indices.count, 1);
}

static void the_order_of_adding_is_not_seen(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct lock lock = make(&arena, false), turned = make(&arena, true);
    assert_string_equal(written(&arena, &lock), written(&arena, &turned));
}

static void any_byte_that_differs_is_noticed(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct lock lock = make(&arena, false), read;
    char *text = arena_strdup(&arena, written(&arena, &lock));
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        struct err err = {0};
        text[i] ^= 1;
        assert_false(lock_read(&arena, "x.lock", (struct text){text, len}, &read, &err));
        CHECK_ERR(&err, ERR_TRUST, "x.lock: it was changed since");
        text[i] ^= 1;
    }
    for (size_t cut = 0; cut < len; cut++) {
        struct err err = {0};
        assert_false(lock_read(&arena, "x.lock", (struct text){text, cut}, &read, &err));
        assert_int_equal(err.kind, ERR_TRUST);
    }
}

/* Gives lines before the checksum the one that they have. */
static const char *sealed(struct arena *arena, const char *lines)
{
    struct digest sum = digest_of(lines, strlen(lines));
    return arena_printf(arena, "%s\"sum\":\"sha256:%s\"\n}\n", lines, digest_hex(&sum).chars);
}

static void what_is_no_lock_is_refused_although_its_checksum_is_right(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const lines[] = {"",
                                        "{",
                                        "[",
                                        "{\"imgfactory_lock\":1,",
                                        "{\"imgfactory_lock\":\"1\",",
                                        "{\"imgfactory_lock\":1,\"imgfactory_lock\":1,"};
    struct lock read;
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        struct err err = {0};
        assert_false(lock_read(&arena, "x.lock", text_of(sealed(&arena, lines[i])), &read, &err));
        CHECK_ERR(&err, ERR_TRUST, "x.lock: it is no lock file");
    }
    struct err err = {0};
    assert_false(lock_read(&arena, "x.lock", text_of(sealed(&arena, "{\"imgfactory_lock\":3,")), &read, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "newer imgfactory");
}

static void differences_are_named(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct lock_part all = {0}, only_b = {.image = "b", .arch = "x86_64"};
    struct lock locked = make(&arena, false), now = make(&arena, true);
    struct strings lines;
    lock_differences(&arena, &locked, &now, all, &lines);
    assert_int_equal(lines.count, 0);
    lock_source_differences(&arena, &locked, &now, &lines);
    assert_int_equal(lines.count, 0);
    now.packages.items[0].version = "1-2"; /* zlib1g of both */
    now.images.items[1].manifest = some('n');
    lock_differences(&arena, &locked, &now, all, &lines);
    assert_int_equal(lines.count, 3);
    assert_string_equal(lines.items[0], "b for x86_64: package zlib1g 1-1 is 1-2");
    lock_differences(&arena, &locked, &now, only_b, &lines);
    assert_int_equal(lines.count, 1);
    now.images.count = 1;
    lock_differences(&arena, &locked, &now, all, &lines);
    assert_string_equal(lines.items[lines.count - 1], "a for x86_64: it is not made any more");
    now.indices.items[0].checksum = "sha256:01";
    now.sources.items[0].date++;
    lock_source_differences(&arena, &locked, &now, &lines);
    assert_int_equal(lines.count, 2);
    assert_non_null(strstr(lines.items[1], "main/Packages.gz of stable of http://x/: sha256:00"));
}

static void each_name_of_a_later_generation_is_found(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct pin pin = {.is_extra = true};
    static const char *const names[] = {"b", "d", "f", "h", "j", "l", "n"};
    for (size_t i = ARRAY_COUNT(names); i-- > 0;) {
        list_add(&arena, &pin.names, ((struct pin_name){"amd64", names[i]}));
        list_add(&arena, &pin.names, ((struct pin_name){"s390x", "s"}));
    }
    pin_sort_names(&pin);
    struct pin_view view = {&pin, "amd64"};
    for (char letter = 'a'; letter <= 'o'; letter++) {
        bool is_named = strchr("bdfhjln", letter);
        pin.is_extra = true;
        assert_int_equal(pin_view_shows(&view, (struct text){&letter, 1}), is_named);
        pin.is_extra = false;
        assert_int_equal(pin_view_shows(&view, (struct text){&letter, 1}), !is_named);
    }
    assert_true(pin_view_shows(&view, TEXT("s")));
    assert_true(pin_view_shows(&view, TEXT("bb")));
}

static void snapshots_are_looked_for_from_the_date_on(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct strings uris = pins_snapshots(&arena, "http://s/{time}", 1764411397);
    assert_int_equal(uris.count, 4);
    assert_string_equal(uris.items[0], "http://s/20251129T101637Z/");
    assert_string_equal(uris.items[1], "http://s/20251129T161637Z/");
    assert_string_equal(uris.items[2], "http://s/20251130T101637Z/");
    assert_string_equal(uris.items[3], "http://s/20251202T101637Z/");
    uris = pins_snapshots(&arena, "http://s/{date}/x/", 1764411397);
    assert_int_equal(uris.count, 3);
    assert_string_equal(uris.items[1], "http://s/20251130/x/");
    assert_int_equal(pins_snapshots(&arena, NULL, 1).count, 0);
    assert_non_null(pins_snapshot_fault("http://s/"));
    assert_non_null(pins_snapshot_fault("{time}"));
    assert_null(pins_snapshot_fault("file:///s/{time}/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_and_written_again_as_the_same_bytes),
        cmocka_unit_test(the_order_of_adding_is_not_seen),
        cmocka_unit_test(any_byte_that_differs_is_noticed),
        cmocka_unit_test(what_is_no_lock_is_refused_although_its_checksum_is_right),
        cmocka_unit_test(differences_are_named),
        cmocka_unit_test(each_name_of_a_later_generation_is_found),
        cmocka_unit_test(snapshots_are_looked_for_from_the_date_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
