/* SPDX-License-Identifier: Apache-2.0 */
/* release_fetch: a listed file comes from any mirror, by-hash first, and every byte is checked. */
#include "signed_repo.h"

#define NAME "main/binary-amd64/Packages"

/* Publishes a Release that lists NAME and NAME.gz as they are in D/repo/dists/s, made by `command` there. */
static struct release *publish_index(struct world *world, const char *fields, const char *command)
{
    put(world, "repo/dists/s/" NAME, PACKAGES, strlen(PACKAGES));
    shell(world->keys, world->dir, "cd repo/dists/s/main/binary-amd64; gzip -9nk Packages");
    AUTO(buf_done) struct buf packed = {0};
    const char *path = arena_printf(&world->arena, "%s/repo/dists/s/" NAME ".gz", world->dir);
    CHECK_OK(file_read_at(AT_FDCWD, path, 65536, &packed, &world->err), &world->err);
    const char *lists = arena_printf(&world->arena, "%s%s", listed(world, NAME ".gz", packed.bytes, packed.len),
                                     listed(world, NAME, PACKAGES, strlen(PACKAGES)));
    put_release(world, GOOD_DATE, fields, lists);
    sign(world, "-u good@test");
    shell(world->keys, world->dir, arena_printf(&world->arena, "cd repo/dists/s/main/binary-amd64; %s", command));
    return get(world);
}

static void check_fetched(struct world *world, const struct release *release, const char *name)
{
    AUTO(buf_done) struct buf plain = {0};
    CHECK_OK(release_fetch(&world->env, release, name, &plain, &world->err), &world->err);
    assert_int_equal(plain.len, strlen(PACKAGES));
    assert_memory_equal(plain.bytes, PACKAGES, plain.len);
}

static void check_fetch_refused(struct world *world, const struct release *release, const char *name,
                                enum err_kind kind, const char *part)
{
    AUTO(buf_done) struct buf plain = {0};
    err_clear(&world->err);
    assert_false(release_fetch(&world->env, release, name, &plain, &world->err));
    CHECK_ERR(&world->err, kind, part);
}

static void the_cheapest_listed_form_is_found_and_decompressed(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    const struct release *release = publish_index(world, "", "rm Packages");
    const char *name = NULL;
    assert_non_null(release_find(release, &world->arena, NAME, &name));
    assert_string_equal(name, NAME ".gz");
    assert_null(release_find(release, &world->arena, "main/binary-s390x/Packages", &name));
    check_fetched(world, release, name);
}

static void a_fetched_file_is_taken_from_the_store_later(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    const struct release *release = publish_index(world, "", ":");
    check_fetched(world, release, NAME ".gz");
    shell(world->keys, world->dir, "rm -rf repo");
    world->env.is_cache_only = true;
    check_fetched(world, release, NAME ".gz");
    check_fetch_refused(world, release, NAME, ERR_NETWORK, "not in the cache");
}

static void by_hash_comes_first_and_the_plain_name_is_the_fallback(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    const struct release *release =
        publish_index(world, "Acquire-By-Hash: yes\n",
                      "mkdir -p by-hash/SHA256; mv Packages.gz by-hash/SHA256/$(sha256sum Packages.gz | cut -c1-64)");
    check_fetched(world, release, NAME ".gz");
    check_fetched(world, release, NAME);
    shell(world->keys, world->dir, "find cache -type f -delete");
    world->repository.is_by_hash_off = true;
    check_fetch_refused(world, release, NAME ".gz", ERR_NETWORK, "Packages.gz");
}

static void another_mirror_helps_out(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    list_add(&world->arena, &world->repository.uris, arena_printf(&world->arena, "file://%s/second/", world->dir));
    const struct release *release = publish_index(world, "", "cp -r \"$D/repo\" \"$D/second\"; echo bad > Packages.gz");
    check_fetched(world, release, NAME ".gz");
}

static void a_wrong_or_truncated_index_is_refused_with_a_hint(void **state)
{
    static const struct {
        const char *command, *part;
    } cases[] = {
        {"printf x | dd of=Packages.gz bs=1 seek=4 conv=notrunc 2>/dev/null", "expected sha256:"},
        {"truncate -s -1 Packages.gz", "Packages.gz"},
        {"echo >> Packages.gz", "Packages.gz"},
        {"echo x > Packages.gz", "the mirror may be in the middle of an update"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO(world_done) struct world *world = world_new(state);
        const struct release *release = publish_index(world, "", cases[i].command);
        AUTO(buf_done) struct buf plain = {0};
        assert_false(release_fetch(&world->env, release, NAME ".gz", &plain, &world->err));
        assert_true(world->err.kind == ERR_NETWORK && generations_is_race(&world->err));
        assert_non_null(strstr(world->err.text, cases[i].part));
        assert_non_null(strstr(world->err.text, "file://"));
    }
}

/* Lists `packed` (hex for printf) as NAME.gz beside a plain entry that says something else. */
static void check_unpacking_refused(void **state, const char *plain_line, const char *part)
{
    AUTO(world_done) struct world *world = world_new(state);
    (void)publish_index(world, "", "cp Packages.gz \"$D\"");
    AUTO(buf_done) struct buf packed = {0};
    const char *path = arena_printf(&world->arena, "%s/Packages.gz", world->dir);
    CHECK_OK(file_read_at(AT_FDCWD, path, 65536, &packed, &world->err), &world->err);
    put_release(world, GOOD_DATE, "",
                arena_printf(&world->arena, "%s%s", listed(world, NAME ".gz", packed.bytes, packed.len), plain_line));
    sign(world, "-u good@test");
    const struct release *release = get(world);
    AUTO(buf_done) struct buf plain = {0};
    assert_false(release_fetch(&world->env, release, NAME ".gz", &plain, &world->err));
    assert_true(world->err.kind == ERR_TRUST || world->err.kind == ERR_MALFORMED);
    assert_non_null(strstr(world->err.text, part));
    assert_null(plain.bytes);
}

static void what_unpacks_to_other_bytes_than_listed_is_refused(void **state)
{
    char line[256];
    (void)snprintf(line, sizeof line, " %064d %zu %s\n", 1, strlen(PACKAGES), NAME);
    check_unpacking_refused(state, line, "when unpacked, expected sha256:");
    (void)snprintf(line, sizeof line, " %064d 5 %s\n", 1, NAME);
    check_unpacking_refused(state, line, "Packages.gz");
    (void)snprintf(line, sizeof line, " %064d 2000000000000 %s\n", 1, NAME);
    check_unpacking_refused(state, line, "at most 201326592 are read");
}

static void an_empty_plain_index_needs_no_file(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    put_release(world, GOOD_DATE, "", listed(world, "contrib/binary-all/Packages", "", 0));
    sign(world, "-u good@test");
    const struct release *release = get(world);
    const char *name;
    AUTO(buf_done) struct buf plain = {0};
    assert_non_null(release_find(release, &world->arena, "contrib/binary-all/Packages", &name));
    CHECK_OK(release_fetch(&world->env, release, name, &plain, &world->err), &world->err);
    assert_int_equal(plain.len, 0);
}

static void what_is_not_listed_or_too_big_or_absent_is_refused(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    char lists[512];
    (void)snprintf(lists, sizeof lists, " %064d 1073741825 big\n %064d 10 a/gone+%%41.gz\n", 1, 2);
    put_release(world, GOOD_DATE, "", lists);
    sign(world, "-u good@test");
    const struct release *release = get(world);
    check_fetch_refused(world, release, "other", ERR_MALFORMED, "does not list other");
    check_fetch_refused(world, release, "big", ERR_MALFORMED, "1073741825 bytes; at most");
    check_fetch_refused(world, release, "a/gone+%41.gz", ERR_NETWORK, "a/gone+%2541.gz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_listed_form_is_found_and_decompressed),
        cmocka_unit_test(a_fetched_file_is_taken_from_the_store_later),
        cmocka_unit_test(by_hash_comes_first_and_the_plain_name_is_the_fallback),
        cmocka_unit_test(another_mirror_helps_out),
        cmocka_unit_test(a_wrong_or_truncated_index_is_refused_with_a_hint),
        cmocka_unit_test(what_unpacks_to_other_bytes_than_listed_is_refused),
        cmocka_unit_test(an_empty_plain_index_needs_no_file),
        cmocka_unit_test(what_is_not_listed_or_too_big_or_absent_is_refused),
    };
    return cmocka_run_group_tests(tests, keys_make, keys_drop);
}
