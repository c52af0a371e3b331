/* SPDX-License-Identifier: Apache-2.0 */
/* The status record of a site: read strictly, put together from several writers, judged. */
#include "check.h"

#include "base/auto.h"
#include "line/status_record.h"

#define NOW ((int64_t)1000000000)
#define DAY ((int64_t)86400)

static struct arena arena;

static int stop(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct status_image made(const char *name, const char *writer, int64_t night)
{
    return (struct status_image){.name = name,
                                 .asked = name,
                                 .destination = arena_printf(&arena, "q.io/me/%s", name),
                                 .writer = writer,
                                 .outcome = STATUS_BUILT,
                                 .night = night,
                                 .good = night,
                                 .digest = digest_of(name, strlen(name)),
                                 .is_proven = true};
}

/* A failed one is known by its word alone. */
static struct status_image failed(const char *name, const char *writer, int64_t night)
{
    static const struct status_error error = {"network", 6, "no answer"};
    return (struct status_image){
        .name = name, .asked = name, .writer = writer, .outcome = STATUS_FAILED, .error = &error, .night = night};
}

static void add(struct status_record *record, struct status_image image)
{
    list_add(&arena, &record->images, image);
}

static struct status_record record_of(struct status_image image)
{
    struct status_record record = {
        .format = STATUS_FORMAT, .program = "1", .night = image.night, .writer = image.writer};
    add(&record, image);
    return record;
}

static struct status_record merge(const struct status_record *there, const struct status_record *ours)
{
    struct status_record merged;
    status_record_merge(&arena, there, ours, NOW, &merged);
    return merged;
}

static struct text text_of_record(const struct status_record *record)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_true(status_record_write(record, &text));
    struct text copy = {arena_strndup(&arena, text.bytes, text.len), text.len};
    buf_done(&text);
    return copy;
}

static void what_is_written_is_read_as_it_was(void **state)
{
    (void)state;
    struct status_record record = record_of(made("a", "w", NOW)), read;
    add(&record, failed("b", "w", NOW));
    struct text text = text_of_record(&record);
    assert_int_equal(status_record_read(&arena, text, &read), STATUS_IS_READ);
    struct text again = text_of_record(&read);
    assert_true(text_eq(text, again));
    assert_string_equal(read.images.items[1].error->text, "no answer");
}

static void every_cut_and_every_changed_byte_is_read_or_refused(void **state)
{
    (void)state;
    struct status_record record = record_of(made("a", "w", NOW)), read;
    struct text text = text_of_record(&record);
    for (size_t i = 0; i < text.len; i++) {
        struct arena scratch = {0};
        assert_int_equal(status_record_read(&scratch, (struct text){text.ptr, i}, &read), STATUS_IS_BROKEN);
        char *changed = arena_strndup(&scratch, text.ptr, text.len);
        for (int byte = 0; byte < 256; byte += 5) {
            changed[i] = (char)byte;
            (void)status_record_read(&scratch, (struct text){changed, text.len}, &read);
        }
        arena_done(&scratch);
    }
}

static void times_out_of_all_bounds_are_refused(void **state)
{
    (void)state;
    static const int64_t times[] = {-1, INT64_MAX, INT64_MIN};
    struct status_record read;
    for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
        struct status_record record = record_of(made("a", "w", NOW));
        record.images.items[0].night = times[i];
        assert_int_equal(status_record_read(&arena, text_of_record(&record), &read), STATUS_IS_BROKEN);
        record = record_of(made("a", "w", NOW));
        list_add(&arena, &record.moves, (struct status_move){.image = "a", .released = times[i]});
        assert_int_equal(status_record_read(&arena, text_of_record(&record), &read), STATUS_IS_BROKEN);
    }
}

static void a_newer_format_is_told_apart_from_nonsense(void **state)
{
    (void)state;
    struct status_record read;
    assert_int_equal(status_record_read(&arena, text_of("{\"format\":2,\"other\":[]}"), &read), STATUS_IS_NEWER);
    assert_int_equal(status_record_read(&arena, text_of("{\"format\":0}"), &read), STATUS_IS_BROKEN);
    assert_int_equal(status_record_read(&arena, text_of("{\"format\":\"2\"}"), &read), STATUS_IS_BROKEN);
    assert_int_equal(status_record_read(&arena, text_of("\"format\""), &read), STATUS_IS_BROKEN);
}

static void of_two_nights_the_newer_one_stays_whatever_the_order(void **state)
{
    (void)state;
    struct status_record older = record_of(made("a", "w", NOW - DAY)), newer = record_of(made("a", "v", NOW));
    struct status_record one = merge(&older, &newer), other = merge(&newer, &older);
    assert_int_equal(one.images.count, 1);
    assert_int_equal(one.images.items[0].night, NOW);
    assert_true(text_eq(text_of_record(&one), text_of_record(&other)));
    assert_true(status_record_has(&other, &older, NOW));
    assert_false(status_record_has(&older, &newer, NOW));
    assert_false(status_record_has(&other, &older, NOW - DAY)); /* by our clock that night is still to come */
}

static void two_machines_agree_on_nights_of_one_second(void **state)
{
    (void)state;
    struct status_record one = record_of(made("a", "v", NOW)), other = record_of(made("a", "w", NOW));
    other.images.items[0].outcome = STATUS_UNCHANGED;
    struct status_record first = merge(&one, &other), second = merge(&other, &one);
    assert_true(text_eq(text_of_record(&first), text_of_record(&second)));
    assert_true(status_record_has(&first, &one, NOW) && status_record_has(&first, &other, NOW));
}

static void what_others_wrote_stays_and_what_we_no_longer_have_goes(void **state)
{
    (void)state;
    struct status_record there = record_of(made("a", "w", NOW - DAY)), ours = record_of(made("b", "w", NOW));
    add(&there, made("c", "v", NOW - DAY));
    add(&there, made("d", "u", NOW - 31 * DAY));
    struct status_record merged = merge(&there, &ours);
    assert_int_equal(merged.images.count, 2);
    assert_string_equal(merged.images.items[0].name, "b");
    assert_string_equal(merged.images.items[1].name, "c");
    assert_true(status_record_is_shared(&merged, "w"));
    assert_false(status_record_is_shared(&ours, "w"));
}

static void the_same_name_in_two_places_is_two_images(void **state)
{
    (void)state;
    struct status_image other = made("a", "v", NOW);
    other.destination = "q.io/you/a";
    struct status_record there = record_of(other), ours = record_of(made("a", "w", NOW));
    assert_int_equal(merge(&there, &ours).images.count, 2);
}

static void a_failure_keeps_what_is_known_and_since_when_it_fails(void **state)
{
    (void)state;
    struct status_record there = record_of(made("a", "w", NOW - 2 * DAY)),
                         first = record_of(failed("a", "w", NOW - DAY));
    struct status_record once = merge(&there, &first), second = record_of(failed("a", "w", NOW));
    struct status_record twice = merge(&once, &second);
    const struct status_image *image = &twice.images.items[0];
    assert_int_equal(twice.images.count, 1);
    assert_int_equal(image->failing_since, NOW - DAY);
    assert_int_equal(image->good, NOW - 2 * DAY);
    assert_string_equal(image->destination, "q.io/me/a");
    assert_true(digest_eq(&image->digest, &there.images.items[0].digest));
    struct status_record mended = record_of(made("a", "w", NOW + 1));
    assert_int_equal(merge(&twice, &mended).images.items[0].failing_since, 0);
}

static void an_image_that_was_known_by_its_word_alone_gets_its_name(void **state)
{
    (void)state;
    struct status_image own = made("own", "w", NOW);
    own.asked = "own.yaml";
    struct status_record there = record_of(failed("own.yaml", "w", NOW - DAY)), ours = record_of(own);
    struct status_record merged = merge(&there, &ours);
    assert_int_equal(merged.images.count, 1);
    assert_string_equal(merged.images.items[0].name, "own");
}

static void a_word_that_failed_for_a_lost_machine_goes_when_another_one_makes_it(void **state)
{
    (void)state;
    struct status_image own = made("nsd", "w", NOW);
    own.asked = "command:nsd";
    struct status_record there = record_of(failed("command:nsd", "v", NOW - DAY)), ours = record_of(own);
    add(&there, failed("command:other", "v", NOW - DAY));
    struct status_record merged = merge(&there, &ours);
    assert_int_equal(merged.images.count, 2);
    assert_string_equal(merged.images.items[0].name, "command:other");
    assert_string_equal(merged.images.items[1].name, "nsd");
    ours.images.items[0].good = 0; /* it fails here, too */
    assert_int_equal(merge(&there, &ours).images.count, 3);
}

static void a_path_is_called_as_it_is_seen_from_the_site_file(void **state)
{
    (void)state;
    static const struct {
        const char *word, *site, *asked;
    } cases[] = {{"dhcpd", "imgfactory.yaml", "dhcpd"},
                 {"./own.yaml", "imgfactory.yaml", "own.yaml"},
                 {"a/own.yaml", "imgfactory.yaml", "a/own.yaml"},
                 {"/etc/x/./a/own.yaml", "/etc/x/site.yaml", "a/own.yaml"},
                 {"/srv/own.yaml", "/etc/x/site.yaml", "own.yaml"},
                 {"/usr/sbin/nsd", "imgfactory.yaml", "nsd"},
                 {"command:nsd", "/etc/x/site.yaml", "command:nsd"},
                 {"sub/./own.yaml", "sub/site.yaml", "own.yaml"},
                 {"/", "x.yaml", "/"}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(status_asked(&arena, cases[i].word, cases[i].site), cases[i].asked);
}

static void more_than_any_night_writes_is_refused(void **state)
{
    (void)state;
    struct status_record record = record_of(made("a", "w", NOW)), read;
    for (size_t i = 0; i < STATUS_MOVES_MAX; i++)
        list_add(&arena, &record.moves, (struct status_move){.image = "a", .released = 1, .moved = 2});
    assert_int_equal(status_record_read(&arena, text_of_record(&record), &read), STATUS_IS_READ);
    list_add(&arena, &record.moves, (struct status_move){.image = "a", .released = 1, .moved = 2});
    assert_int_equal(status_record_read(&arena, text_of_record(&record), &read), STATUS_IS_BROKEN);
}

static void a_night_from_the_future_holds_nobody_up(void **state)
{
    (void)state;
    struct status_record there = record_of(made("a", "v", NOW + DAY)), ours = record_of(made("a", "w", NOW));
    add(&there, made("b", "v", NOW + DAY));
    struct status_record merged = merge(&there, &ours);
    assert_int_equal(merged.images.count, 1);
    assert_int_equal(merged.images.items[0].night, NOW);
    there.images.items[0].night = NOW + 60; /* clocks differ a little */
    assert_int_equal(merge(&there, &ours).images.items[0].night, NOW + 60);
}

static struct status_image dated(const char *name, int64_t night, int64_t first, int64_t second)
{
    struct status_image image = made(name, "w", night);
    list_add(&arena, &image.repositories, (struct status_repository){"main", first});
    list_add(&arena, &image.repositories, (struct status_repository){"security", second});
    return image;
}

/* Of two architectures, with these dates of the repository "main", one for both or one for each. */
static struct status_image made_of(const char *writer, int64_t night, int64_t first, int64_t second)
{
    struct status_image image = made("a", writer, night);
    list_add(&arena, &image.architectures, "x86_64");
    list_add(&arena, &image.architectures, "aarch64");
    list_add(&arena, &image.repositories, (struct status_repository){"main", first});
    if (second)
        list_add(&arena, &image.repositories, (struct status_repository){"main", second});
    image.digest = digest_of(&first, sizeof first);
    return image;
}

static void newer_is_what_has_no_older_repository_and_a_newer_one(void **state)
{
    (void)state;
    static const struct {
        int64_t there[2], ours[2];
        bool is_newer;
    } cases[] = {{{200, 0}, {100, 0}, true},      {{100, 0}, {100, 0}, false},    {{100, 0}, {200, 0}, false},
                 {{200, 300}, {100, 250}, true},  {{200, 100}, {150, 100}, true}, {{200, 100}, {150, 101}, false},
                 {{100, 200}, {200, 100}, false}, {{200, 250}, {200, 0}, true},   {{200, 250}, {201, 0}, false},
                 {{200, 0}, {100, 200}, true},    {{200, 0}, {100, 201}, false}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct status_image there = made_of("v", NOW, cases[i].there[0], cases[i].there[1]),
                            ours = made_of("w", NOW, cases[i].ours[0], cases[i].ours[1]);
        struct status_newer by;
        assert_int_equal(status_is_newer(&there, &ours, NOW, &by), cases[i].is_newer);
        assert_true(!cases[i].is_newer || (strcmp(by.name, "main") == 0 && by.there > by.ours));
    }
}

static void what_cannot_be_compared_is_not_newer(void **state)
{
    (void)state;
    struct status_newer by;
    struct status_image ours = made_of("w", NOW, 100, 0), there = made_of("v", NOW, 200, 0), other = there;
    assert_true(status_is_newer(&there, &ours, NOW, &by));
    list_add(&arena, &other.repositories, (struct status_repository){"more", 200});
    assert_false(status_is_newer(&other, &ours, NOW, &by) || status_is_newer(&there, &other, NOW, &by));
    other = made_of("v", NOW, 200, 0);
    other.architectures.count = 1;
    assert_false(status_is_newer(&other, &ours, NOW, &by));
    other = made_of("v", NOW, NOW + STATUS_AHEAD_SECONDS, 0);
    assert_true(status_is_newer(&other, &ours, NOW, &by));
    assert_false(status_is_newer(&other, &ours, NOW - 1, &by)); /* nobody has such a date yet */
    other.repositories.count = 0;
    assert_false(status_is_newer(&other, &ours, NOW, &by));
}

static void of_a_guarded_night_newer_repositories_stay_before_newer_nights(void **state)
{
    (void)state;
    struct status_record behind = record_of(made_of("w", NOW, 100, 0)),
                         ahead = record_of(made_of("v", NOW - DAY, 200, 0));
    assert_int_equal(merge(&ahead, &behind).images.items[0].repositories.items[0].date, 100);
    behind.is_guarded = ahead.is_guarded = true;
    struct status_record one = merge(&ahead, &behind), other = merge(&behind, &ahead);
    assert_int_equal(one.images.items[0].repositories.items[0].date, 200);
    assert_int_equal(other.images.items[0].repositories.items[0].date, 200);
    assert_true(status_record_has(&one, &behind, NOW));
    assert_false(status_record_has(&behind, &ahead, NOW));
}

static void what_was_left_as_anothers_stays_that_ones(void **state)
{
    (void)state;
    struct status_record there = record_of(made("a", "v", NOW - DAY)), ours = record_of(made("b", "w", NOW));
    add(&there, made("c", "v", NOW - DAY));
    add(&ours, there.images.items[0]);
    assert_int_equal(merge(&there, &ours).images.count, 3);
    assert_int_equal(merge(NULL, &ours).images.count, 2);
}

static void a_record_that_is_too_big_loses_the_oldest_images_of_others(void **state)
{
    (void)state;
    struct status_record record = record_of(made("a", "w", 1));
    for (int64_t i = 0; i < 5; i++)
        add(&record, made("b", "v", NOW + i % 3));
    assert_int_equal(status_record_shed(&arena, &record, "w"), 3);
    assert_int_equal(record.images.count, 3);
    assert_string_equal(record.images.items[0].name, "a");
    assert_int_equal(record.images.items[1].night, NOW + 2);
    assert_int_equal(record.images.items[2].night, NOW + 1);
    assert_int_equal(status_record_shed(&arena, &record, "w"), 1);
    assert_int_equal(status_record_shed(&arena, &record, "w"), 1);
    assert_int_equal(status_record_shed(&arena, &record, "w"), 0);
    assert_int_equal(record.images.count, 1);
}

static void move(struct status_record *record, const char *name, int64_t moved)
{
    list_add(&arena, &record->moves,
             (struct status_move){
                 .image = name, .destination = arena_printf(&arena, "q.io/me/%s", name), .moved = moved, .seconds = 3});
}

static void a_move_is_timed_from_the_oldest_metadata_that_changed(void **state)
{
    (void)state;
    struct status_record there = record_of(dated("a", NOW - DAY, 100, 200)), ours;
    const struct {
        int64_t first, second, released;
    } cases[] = {{100, 300, 300}, {250, 300, 250}, {100, 200, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        ours = record_of(dated("a", NOW, cases[i].first, cases[i].second));
        move(&ours, "a", NOW + 60);
        struct status_record merged = merge(&there, &ours);
        assert_int_equal(merged.moves.count, cases[i].released != 0);
        if (cases[i].released)
            assert_int_equal(merged.moves.items[0].released, cases[i].released);
        assert_int_equal(merge(NULL, &ours).moves.count, 0);
        assert_int_equal(merge(&merged, &ours).moves.count, merged.moves.count); /* put again: not told twice */
    }
}

static void the_last_thirty_moves_stay_and_give_median_and_worst(void **state)
{
    (void)state;
    struct status_record there = record_of(made("a", "w", NOW)), ours = record_of(made("a", "w", NOW + 1));
    for (int64_t i = 0; i < 40; i++)
        list_add(&arena, &there.moves,
                 (struct status_move){.image = "a", .released = 1000 * i, .moved = 1000 * i + i, .seconds = 2});
    struct status_record merged = merge(&there, &ours);
    assert_int_equal(merged.moves.count, STATUS_MOVES_MAX);
    assert_int_equal(merged.moves.items[0].released, 39000);
    struct status_delays delays = status_delays_of(&arena, &merged);
    assert_int_equal(delays.count, 30);
    assert_int_equal(delays.worst_seconds, 39);
    assert_int_equal(delays.median_seconds, (24 + 25) / 2);
    assert_int_equal(delays.worst_own_seconds, 2);
    merged.moves.count = 0;
    assert_int_equal(status_delays_of(&arena, &merged).count, 0);
}

static void images_are_current_stale_failing_or_ahead(void **state)
{
    (void)state;
    struct status_image held = made("a", "w", NOW);
    held.outcome = STATUS_HELD;
    assert_int_equal(status_state_of(&held, NOW + 100, 100), STATUS_WAITING);
    assert_int_equal(status_state_of(&held, NOW + 101, 100), STATUS_STALE);
    struct status_image good = made("a", "w", NOW), bad = failed("a", "w", NOW), never = made("a", "w", NOW);
    never.good = 0;
    assert_int_equal(status_state_of(&good, NOW + 100, 100), STATUS_CURRENT);
    assert_int_equal(status_state_of(&good, NOW + 101, 100), STATUS_STALE);
    assert_int_equal(status_state_of(&bad, NOW, 100), STATUS_FAILING);
    assert_int_equal(status_state_of(&never, NOW, 100), STATUS_STALE);
    assert_int_equal(status_state_of(&good, NOW - STATUS_AHEAD_SECONDS, 100), STATUS_CURRENT);
    assert_int_equal(status_state_of(&good, NOW - STATUS_AHEAD_SECONDS - 1, 100), STATUS_AHEAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_as_it_was),
        cmocka_unit_test(every_cut_and_every_changed_byte_is_read_or_refused),
        cmocka_unit_test(times_out_of_all_bounds_are_refused),
        cmocka_unit_test(a_newer_format_is_told_apart_from_nonsense),
        cmocka_unit_test(of_two_nights_the_newer_one_stays_whatever_the_order),
        cmocka_unit_test(two_machines_agree_on_nights_of_one_second),
        cmocka_unit_test(what_others_wrote_stays_and_what_we_no_longer_have_goes),
        cmocka_unit_test(the_same_name_in_two_places_is_two_images),
        cmocka_unit_test(a_failure_keeps_what_is_known_and_since_when_it_fails),
        cmocka_unit_test(an_image_that_was_known_by_its_word_alone_gets_its_name),
        cmocka_unit_test(a_word_that_failed_for_a_lost_machine_goes_when_another_one_makes_it),
        cmocka_unit_test(a_path_is_called_as_it_is_seen_from_the_site_file),
        cmocka_unit_test(more_than_any_night_writes_is_refused),
        cmocka_unit_test(a_night_from_the_future_holds_nobody_up),
        cmocka_unit_test(newer_is_what_has_no_older_repository_and_a_newer_one),
        cmocka_unit_test(what_cannot_be_compared_is_not_newer),
        cmocka_unit_test(of_a_guarded_night_newer_repositories_stay_before_newer_nights),
        cmocka_unit_test(what_was_left_as_anothers_stays_that_ones),
        cmocka_unit_test(a_record_that_is_too_big_loses_the_oldest_images_of_others),
        cmocka_unit_test(a_move_is_timed_from_the_oldest_metadata_that_changed),
        cmocka_unit_test(the_last_thirty_moves_stay_and_give_median_and_worst),
        cmocka_unit_test(images_are_current_stale_failing_or_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
