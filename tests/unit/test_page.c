/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of runs that nobody can make by hand: very many images, hostile words. */
#include "check.h"

#include "base/auto.h"
#include "page/page.h"

#include <string.h>

#define IMAGES 12000u

static const char *page_of(const struct page_files *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].name, name) == 0)
            return files->items[i].bytes.ptr;
    }
    fail_msg("no page %s", name);
    return NULL;
}

static void the_page_of_very_many_images_has_as_many_rows_as_fit_and_says_so(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    char words[300];
    struct page_run run = {.program = "1", .is_night = true, .date = 1700000000, .count = IMAGES};
    struct page_files files = {0};
    (void)state;
    memset(words, '"', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    run.images = arena_new_array(&arena, struct page_image, IMAGES);
    for (size_t i = 0; i < IMAGES; i++) {
        run.images[i] = (struct page_image){.name = arena_printf(&arena, "image%zu", i),
                                            .status = i == IMAGES - 1 ? PAGE_FAILED : PAGE_BUILT};
        for (int tag = 0; tag < 3; tag++)
            list_add(&arena, &run.images[i].tags, words);
        run.images[i].error = i == IMAGES - 1 ? words : NULL;
    }
    page_make_run(&arena, &run, &files);
    const char *page = page_of(&files, "index.html");
    assert_in_range(strlen(page), 1000000, PAGE_MAX_BYTES);
    assert_non_null(strstr(page, PAGE_MARK));
    assert_non_null(strstr(page, ">image11999<")); /* what failed comes first, wherever it stands */
    assert_non_null(strstr(page, " more images</p>"));
    assert_non_null(strstr(page, "</html>"));
}

static void what_did_not_change_is_told_as_what_it_is(void **state)
{
    static const struct {
        enum page_status status;
        const char *told;
    } cases[] = {
        {PAGE_FAILED, "It was not made"}, {PAGE_HELD, "No tag moved"}, {PAGE_BUILT, "nothing was there before"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct page_image image = {.name = "one", .status = cases[i].status, .error = "it broke"};
        struct page_run run = {.program = "1", .date = 1700000000, .images = &image, .count = 1};
        struct page_files files = {0};
        list_add(&arena, &image.platforms, (struct page_platform){.arch = "x86_64", .error = "it broke"});
        page_make_image(&arena, &run, &image, &files);
        const char *page = page_of(&files, "image/one.html");
        assert_non_null(strstr(page, cases[i].told));
        if (cases[i].status != PAGE_BUILT) { /* an error is told once, with its architecture */
            const char *first = strstr(page, "it broke");
            assert_non_null(first);
            assert_null(strstr(first + 1, "it broke"));
        }
    }
}

static void a_size_that_never_changed_is_told_once_and_the_axis_has_thirty_days(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    struct past_record record = {.name = "one", .first = 1699900000, .last = 1700000000};
    struct past_records nights = {0};
    struct page_image image = {.name = "one", .status = PAGE_BUILT, .nights = &nights};
    struct page_run run = {.program = "1", .date = 1700000000, .images = &image, .count = 1};
    struct page_files files = {0};
    (void)state;
    list_add(&arena, &record.platforms, (struct past_platform){.arch = "x86_64", .layer_bytes = 4200});
    list_add(&arena, &nights, record);
    page_make_image(&arena, &run, &image, &files);
    const char *page = page_of(&files, "image/one.html");
    assert_non_null(strstr(page, "4.2 kB since 2023-11-13."));
    assert_non_null(strstr(page, "<text x=\"4\" y=\"136\">2023-10-16</text>"));
    assert_non_null(strstr(page, "text-anchor=\"end\">2023-11-14</text>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_of_very_many_images_has_as_many_rows_as_fit_and_says_so),
        cmocka_unit_test(what_did_not_change_is_told_as_what_it_is),
        cmocka_unit_test(a_size_that_never_changed_is_told_once_and_the_axis_has_thirty_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
