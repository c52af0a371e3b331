/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/deb_maker.h"

#include "base/auto.h"
#include "deb/deb_format.h"
#include "line/supply.h"
#include "package/package_unpack.h"

#include <sys/mman.h>

#define BIG_BYTES ((size_t)4 << 20)

/* A package in a store, and who gives it out. */
struct fixture {
    const char *dir;
    struct store *store;
    struct workers *workers;
    struct supply *supply;
    struct arena arena;
    struct origin origin;
    struct selected selected;
};

static void put_into_store(struct fixture *fixture)
{
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    struct err err = {0};
    char *big = malloc(BIG_BYTES);
    memset(big, 'x', BIG_BYTES);
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_put(&tar, (struct tar_item){.name = "./", .type = '5', .mode = 0755});
    tar_put(&tar, (struct tar_item){.name = "./big", .type = '0', .mode = 0644, .data = big, .size = BIG_BYTES});
    tar_end(&tar);
    deb_make("", &tar, &deb);
    free(big);
    fixture->origin = (struct origin){.format = &format_deb, .uri = "http://mirror.invalid/"};
    fixture->selected = (struct selected){.name = "made",
                                          .version = "1.0-1",
                                          .architecture = "amd64",
                                          .url_path = "made.deb",
                                          .origin = &fixture->origin,
                                          .size_bytes = deb.len,
                                          .digest = digest_of(deb.bytes, deb.len)};
    struct package_expect expect = {.format = &format_deb, .digest = fixture->selected.digest};
    CHECK_OK(package_unpack(fixture->store, (struct text){deb.bytes, deb.len}, &expect, &err), &err);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};
    fixture->dir = check_temporary_dir();
    CHECK_OK(store_open(fixture->dir, NULL, &fixture->store, &err), &err);
    CHECK_OK(workers_start(2, &fixture->workers, &err), &err);
    put_into_store(fixture);
    fixture->supply = supply_open(fixture->store, NULL, fixture->workers); /* nothing is fetched */
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[512];
    workers_stop(fixture->workers);
    supply_close(fixture->supply);
    store_close(fixture->store);
    arena_done(&fixture->arena);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture->dir);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static const struct package *get(struct fixture *fixture, struct supply_hold *hold)
{
    struct err err = {0};
    const struct selected *selected = &fixture->selected;
    const struct package *package = NULL;
    CHECK_OK(supply_get(fixture->supply, &selected, 1, NULL, hold, &package, &err), &err);
    return package;
}

static void read_all(const struct package *package)
{
    const struct entry *big = package_find(package, "/big");
    struct digest digest = digest_of(big->data, big->size_bytes);
    assert_true(digest_eq(&digest, &big->digest));
}

/* KiB of the mapped package that are in this process's memory; -1 when it is not mapped. */
static long resident_kib(void)
{
    char line[1024];
    long kib = -1;
    bool is_it = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        if (strchr(line, '-') && strstr(line, " r") && strchr(line, '/'))
            is_it = strstr(line, "/derived/unpacked/") != NULL;
        else if (strncmp(line, "Rss:", 4) == 0 && is_it)
            kib = (kib < 0 ? 0 : kib) + strtol(line + 4, NULL, 10);
        else if (strncmp(line, "VmFlags:", 8) == 0)
            is_it = false;
    }
    (void)fclose(maps);
    return kib;
}

static void a_package_is_open_while_anybody_holds_it(void **state)
{
    struct fixture *fixture = *state;
    struct supply_hold first = {.arena = &fixture->arena}, second = {.arena = &fixture->arena};
    const struct package *package = get(fixture, &first);
    assert_ptr_equal(get(fixture, &first), package); /* twice by one who holds it */
    assert_ptr_equal(get(fixture, &second), package);
    supply_give_back(fixture->supply, &first);
    assert_in_range(resident_kib(), 0, 1 << 20);
    read_all(package);
    supply_give_back(fixture->supply, &second);
    assert_int_equal(resident_kib(), -1);
}

static void a_package_that_was_closed_is_opened_again_for_who_wants_it(void **state)
{
    struct fixture *fixture = *state;
    struct supply_hold hold = {.arena = &fixture->arena};
    for (int i = 0; i < 3; i++) {
        read_all(get(fixture, &hold));
        supply_give_back(fixture->supply, &hold);
    }
    supply_give_back(fixture->supply, &hold); /* holds nothing */
}

static void what_is_held_but_not_read_takes_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct supply_hold hold = {.arena = &fixture->arena};
    const struct package *package = get(fixture, &hold);
    read_all(package);
    assert_in_range(resident_kib(), BIG_BYTES / 1024, 2 * BIG_BYTES / 1024);
    supply_rest(&hold);
    assert_in_range(resident_kib(), 0, 256);
    read_all(package);
    const struct entry *big = package_find(package, "/big");
    package_rest_file(package, big->data, big->size_bytes);
    assert_in_range(resident_kib(), 0, 256);
    read_all(package);
    supply_give_back(fixture->supply, &hold);
}

static void bytes_that_are_not_the_packages_stay_as_they_are(void **state)
{
    struct fixture *fixture = *state;
    struct supply_hold hold = {.arena = &fixture->arena};
    const struct package *package = get(fixture, &hold);
    const ptrdiff_t away[] = {-(64 << 20), 64 << 20};
    for (size_t k = 0; k < ARRAY_COUNT(away); k++) {
        char *hint = (char *)package->view.mapping + away[k];
        char *other = mmap(hint, BIG_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(other != MAP_FAILED);
        memset(other, 'y', BIG_BYTES);
        package_rest_file(package, other, BIG_BYTES);
        for (size_t i = 0; i < BIG_BYTES; i += 1024)
            assert_int_equal(other[i], 'y');
        assert_int_equal(munmap(other, BIG_BYTES), 0);
    }
    supply_give_back(fixture->supply, &hold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_package_is_open_while_anybody_holds_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_package_that_was_closed_is_opened_again_for_who_wants_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_held_but_not_read_takes_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_not_the_packages_stay_as_they_are, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
