/* SPDX-License-Identifier: Apache-2.0 */
/* release: which Releases are believed, which are refused and in what words, and what is remembered. Rows of the list
 * of faults: unsigned, unknown, expired, revoked, weak, altered, text outside, stale, future, older than before. */
#include "signed_repo.h"

#include "deb/deb_format.h"
#include "rpmmd/rpm_format.h"
#include "trust/freshness.h"

#include <pthread.h>

static void trust_only(struct world *world, const char *key)
{
    world->repository.keyrings = (struct strings){0};
    list_add(&world->arena, &world->repository.keyrings, key_path(world, key));
}

/* Refuses whatever stands in InRelease, and leaves no mark. */
static void check_signature_refused(struct world *world, const char *part)
{
    check_get_refused(world, ERR_TRUST, part);
    shell(world->keys, world->dir, "test ! -e state/v1/seen || test -z \"$(ls state/v1/seen)\"");
}

static void a_release_signed_by_the_right_key_is_read(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    put_release(world, GOOD_DATE, "Version: 12.15\nAcquire-By-Hash: yes\nNo-Support-for-Architecture-all: Packages\n",
                listed(world, "main/binary-amd64/Packages", PACKAGES, strlen(PACKAGES)));
    sign(world, "-u good@test");
    const struct release *release = get(world);
    assert_string_equal(release->origin, "Test");
    assert_string_equal(release->codename, "c");
    assert_string_equal(release->version, "12.15");
    assert_int_equal(release->date, GOOD_SECONDS);
    assert_int_equal(release->architectures.count, 3);
    assert_true(release->has_by_hash && release->has_all_in_arch);
    assert_string_equal(release->dir, arena_printf(&world->arena, "file://%s/repo/dists/s/", world->dir));
    const char *name;
    const struct release_file *file = release_find(release, &world->arena, "main/binary-amd64/Packages", &name);
    assert_non_null(file);
    assert_int_equal(file->size_bytes, strlen(PACKAGES));
    assert_int_equal(strlen(release->signed_by), 40);
    shell(world->keys, world->dir, "grep -q '^date 1783764997$' state/v1/seen/*");
}

static void keys_may_be_armoured_or_inline_or_among_several(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    trust_only(world, "good.asc");
    assert_non_null(get(world)->signed_by);
    AUTO(buf_done) struct buf key = {0};
    CHECK_OK(file_read_at(AT_FDCWD, key_path(world, "good.asc"), 65536, &key, &world->err), &world->err);
    trust_only(world, "other.gpg");
    list_add(&world->arena, &world->repository.keyrings, "/nonexistent/key.gpg");
    list_add(&world->arena, &world->repository.inline_keys, key.bytes);
    assert_non_null(get(world)->signed_by);
}

static void a_flat_repository_lies_below_its_uri(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    shell(world->keys, world->dir,
          "mkdir repo/flat; cp repo/dists/s/InRelease repo/; mv repo/dists/s/InRelease repo/flat");
    world->repository.suite = "./";
    assert_string_equal(get(world)->dir, world->repository.uris.items[0]);
    world->repository.suite = "flat/";
    assert_string_equal(get(world)->dir, arena_printf(&world->arena, "%sflat/", world->repository.uris.items[0]));
}

static void a_detached_signature_counts_when_there_is_no_inrelease(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    put_release(world, GOOD_DATE, "", "");
    shell(world->keys, world->dir, "cd repo/dists/s; g -u good@test --armor --detach-sign -o Release.gpg Release");
    assert_non_null(get(world)->signed_by);
    world->env.is_cache_only = true;
    assert_int_equal(get(world)->date, GOOD_SECONDS);
    world->env.is_cache_only = false;
    shell(world->keys, world->dir, "echo 'X: y' >> repo/dists/s/Release");
    check_get_refused(world, ERR_TRUST, "altered");
}

static void one_good_signature_beside_an_unknown_one_is_enough(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    put_release(world, GOOD_DATE, "", "");
    sign(world, "-u other@test -u good@test");
    assert_non_null(get(world)->signed_by);
}

static void an_unknown_key_is_named_with_the_places_searched(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    put_release(world, GOOD_DATE, "", "");
    sign(world, "-u other@test");
    check_signature_refused(world, "signed by an unknown key (");
    check_signature_refused(world, "keys were looked for in ");
    check_signature_refused(world, "/good.gpg");
}

static void missing_and_broken_keyrings_are_named(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    world->repository.keyrings = (struct strings){0};
    check_signature_refused(world, "no public key to check its signature with; looked at: nothing");
    list_add(&world->arena, &world->repository.keyrings, "/nonexistent/key.gpg");
    put(world, "key.asc", "hello\n", 6);
    list_add(&world->arena, &world->repository.keyrings, arena_printf(&world->arena, "%s/key.asc", world->dir));
    check_signature_refused(world, "/nonexistent/key.gpg (No such file or directory)");
    check_signature_refused(world, "/key.asc (not a public key file)");
}

static void expired_revoked_and_weak_signatures_are_refused_each_in_its_words(void **state)
{
    static const struct {
        const char *key, *how, *part;
    } cases[] = {
        {"expired.gpg", "--faked-system-time 20200101T120000 -u expired@test", "the key has expired ("},
        {"revoked.gpg", "-u revoked@test", "the key is revoked ("},
        {"weak.gpg", "--digest-algo SHA1 -u weak@test", "weak digest"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO(world_done) struct world *world = world_new(state);
        put_release(world, GOOD_DATE, "", "");
        sign(world, cases[i].how);
        trust_only(world, cases[i].key);
        check_signature_refused(world, cases[i].part);
    }
}

static void an_expired_signature_is_refused(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    put_release(world, GOOD_DATE, "", "");
    sign(world, "-u good@test --default-sig-expire seconds=1");
    (void)sleep(2);
    check_signature_refused(world, "the signature has expired (");
}

static void an_altered_text_is_refused(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    shell(world->keys, world->dir, "sed -i 's/^Codename: c$/Codename: d/' repo/dists/s/InRelease");
    check_signature_refused(world, "it was altered");
}

static void anything_outside_the_signed_block_is_refused(void **state)
{
    static const struct {
        const char *command, *part;
    } cases[] = {
        {"{ echo 'Suite: evil'; cat I; } > J", "does not begin with a signed message"},
        {"{ echo; cat I; } > J", "does not begin with a signed message"},
        {"{ cat I; echo 'Suite: evil'; } > J", "behind the signature"},
        {"cat I I > J", "behind the signature"},
        {"sed '2a Suite: evil' I > J", "before the signed text"},
        {"sed 's/^-----BEGIN PGP SIGN.*TURE-----/-----BEGIN PGP MESSAGE-----/' I > J", "dashes"},
        {"sed '/END PGP/d' I > J", "ends before"},
        {"head -c 200 I > J", "ends before"},
        {": > J", "is empty"},
        {"echo '<html>please log in</html>' > J", "login page"},
        {"{ cat I; printf '\\000'; } > J", "NUL"},
    };
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        shell(world->keys, world->dir,
              arena_printf(&world->arena, "cd repo/dists/s; test -e I || cp InRelease I; %s; mv J InRelease",
                           cases[i].command));
        check_signature_refused(world, cases[i].part);
    }
    shell(world->keys, world->dir, "cd repo/dists/s; { cat I; echo; } > InRelease");
    assert_non_null(get(world)->signed_by);
}

static void an_unsigned_release_needs_trusted(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    check_get_refused(world, ERR_NETWORK, "neither an InRelease nor a Release");
    put_release(world, GOOD_DATE, "", "");
    check_signature_refused(world, "is not signed");
    shell(world->keys, world->dir, "mv repo/dists/s/Release repo/dists/s/InRelease");
    check_signature_refused(world, "does not begin with a signed message");
    shell(world->keys, world->dir, "mv repo/dists/s/InRelease repo/dists/s/Release");
    world->repository.is_trusted = true;
    assert_null(get(world)->signed_by);
    sign(world, "-u other@test");
    assert_int_equal(get(world)->date, GOOD_SECONDS);
}

static void only_the_fingerprints_of_signed_by_count(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    const char *good = get(world)->signed_by;
    list_add(&world->arena, &world->repository.fingerprints, "0123456789ABCDEF0123456789ABCDEF01234567");
    check_get_refused(world, ERR_TRUST, "a key that Signed-By does not name");
    list_add(&world->arena, &world->repository.fingerprints, good);
    assert_string_equal(get(world)->signed_by, good);
    world->repository.fingerprints.items[1] = arena_printf(&world->arena, "%s!", good);
    assert_string_equal(get(world)->signed_by, good);
}

static void gpgv_is_run_once_a_day_for_an_unchanged_release(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    assert_non_null(get(world)->signed_by);
    const char *path = arena_strdup(&world->arena, getenv("PATH"));
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    struct release *release = NULL;
    bool is_kept =
        release_get(&world->env, &world->arena, &world->repository, (struct pin_wish){0}, &release, &world->err);
    world->env.now += 2 * 86400;
    struct err late = {0};
    bool is_late = release_get(&world->env, &world->arena, &world->repository, (struct pin_wish){0}, &release, &late);
    assert_int_equal(setenv("PATH", path, 1), 0);
    CHECK_OK(is_kept, &world->err);
    assert_non_null(release->signed_by);
    assert_false(is_late);
    CHECK_ERR(&late, ERR_LOCAL, "gpgv, which checks the repositories' signatures, is not installed");
}

static void a_release_past_its_valid_until_is_refused_unless_ignored(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    put_release(world, GOOD_DATE, "Valid-Until: Sat, 11 Jul 2026 20:00:00 UTC\n", "");
    sign(world, "-u good@test");
    check_signature_refused(world, "14 hours ago");
    world->repository.is_valid_until_ignored = true;
    assert_non_null(get(world));
}

static void a_release_from_the_future_is_refused(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    world->env.now = GOOD_SECONDS - 11;
    check_signature_refused(world, "11 seconds in the future; is this machine's clock");
    world->env.now = GOOD_SECONDS - 10;
    assert_non_null(get(world));
    shell(world->keys, world->dir, "grep -q '^date 1783764987$' state/v1/seen/*"); /* the mark never passes now */
}

static void a_release_older_than_the_last_accepted_one_is_refused(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    assert_non_null(get(world));
    assert_non_null(get(world));
    publish(world, "Sat, 11 Jul 2026 10:16:36 UTC");
    check_get_refused(world, ERR_TRUST, "older than the last accepted one of 2026-07-11 10:16:37 UTC");
    shell(world->keys, world->dir, "find cache -type f -delete"); /* emptying the cache does not help the attacker */
    check_get_refused(world, ERR_TRUST, "older than the last accepted one");
    publish(world, "Sat, 11 Jul 2026 10:16:38 UTC");
    assert_non_null(get(world));
    publish(world, GOOD_DATE);
    check_get_refused(world, ERR_TRUST, "older than the last accepted one");
}

static void the_mark_never_goes_down_whoever_writes_last(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    struct release_mark newer = {.date = 2000, .from = "here", .is_bare = true}, older = newer, known;
    bool is_found;
    older.date = 1000;
    older.digest.bytes[0] = 1;
    struct repository known_as = deb_repository_known(&world->repository);
    CHECK_OK(release_mark_raise(&world->env, &world->arena, &known_as, &newer, &world->err), &world->err);
    CHECK_OK(release_mark_raise(&world->env, &world->arena, &known_as, &older, &world->err), &world->err);
    CHECK_OK(release_mark_load(&world->env, &world->arena, &known_as, &known, &is_found, &world->err), &world->err);
    assert_true(is_found);
    assert_int_equal(known.date, 2000);
    assert_int_equal(known.digest.bytes[0], 0);
}

/* Publishes a Release of these names, newer with each call. */
static void publish_named(struct world *world, const char *names)
{
    static const char *const days[] = {"Sat, 11 Jul 2026 10:16:37 UTC", "Sat, 11 Jul 2026 11:16:37 UTC"};
    const char *text = arena_printf(&world->arena, "%sDate: %s\nArchitectures: amd64\nComponents: main\nSHA256:\n%s",
                                    names, days[strstr(names, "New") != NULL],
                                    listed(world, "main/binary-amd64/Packages", PACKAGES, strlen(PACKAGES)));
    put(world, arena_printf(&world->arena, "repo/dists/%s/Release", world->repository.suite), text, strlen(text));
    shell(world->keys, world->dir,
          arena_printf(&world->arena, "cd repo/dists/%s; g -u good@test --clearsign -o InRelease Release; rm Release",
                       world->repository.suite));
}

static void a_repository_that_calls_itself_otherwise_is_refused_until_it_is_accepted_and_the_mark_stays(void **state)
{
    static const char *const changes[] = {
        "Origin: New\nLabel: L\nSuite: s\nCodename: c\n", "Origin: O\nLabel: New\nSuite: s\nCodename: c\n",
        "Origin: O\nLabel: L\nSuite: New\nCodename: c\n", "Origin: O\nLabel: L\nSuite: s\nCodename: New\n",
        "Origin: O New\nSuite: s\nCodename: c\n",
    };
    static const char *const words[] = {"Origin was \"O\"", "Label was \"L\" and is \"New\"", "Suite was \"s\"",
                                        "Codename was \"c\"", "Label was \"L\" and is (none)"};
    for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
        AUTO(world_done) struct world *world = world_new(state);
        publish_named(world, "Origin: O\nLabel: L\nSuite: s\nCodename: c\n");
        assert_true(get(world)->is_first_use);
        publish_named(world, changes[i]);
        check_get_refused(world, ERR_TRUST, words[i]);
        check_get_refused(world, ERR_TRUST, "--accept-release-change");
        publish_named(world, "Origin: O\nLabel: L\nSuite: s\nCodename: c\n");
        assert_false(get(world)->is_first_use);
        publish_named(world, changes[i]);
        world->env.is_change_accepted = true;
        get(world);
        world->env.is_change_accepted = false;
        get(world);
    }
}

static void at_first_sight_suite_or_codename_is_what_was_asked_for(void **state)
{
    static const struct {
        const char *asked, *names;
        bool is_good;
    } table[] = {
        {"bookworm", "Suite: stable\nCodename: bookworm\n", true},
        {"stable", "Suite: stable\nCodename: bookworm\n", true},
        {"bookworm-updates", "Suite: stable-updates\nCodename: bookworm-updates\n", true},
        {"bookworm-security", "Suite: stable-security\nCodename: bookworm-security\n", true},
        {"stable-security", "Suite: stable-security\nCodename: bookworm-security\n", true},
        {"stretch/updates", "Suite: oldstable\nCodename: stretch\n", true},
        {"stable-proposed-updates", "Suite: proposed-updates\nCodename: bookworm-proposed-updates\n", true},
        {"bookworm", "Codename: bookworm\n", true},
        {"bookworm", "Origin: no names\n", true},
        {"bookworm", "Suite: stable\nCodename: trixie\n", false},
        {"bookworm", "Suite: testing\n", false},
        {"bookworm-updates", "Suite: stable\nCodename: bookworm\n", false},
        {"bookworm-security", "Suite: stable-security\nCodename: trixie-security\n", false},
        {"buster/updates", "Suite: stretch/updates\nCodename: stretch\n", false},
        {"bookworm-proposed-updates", "Suite: proposed-updates\nCodename: trixie-proposed-updates\n", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO(world_done) struct world *world = world_new(state);
        world->repository.suite = table[i].asked;
        publish_named(world, table[i].names);
        if (table[i].is_good) {
            get(world);
            continue;
        }
        check_get_refused(world, ERR_TRUST, "was asked for, the Release says");
        check_get_refused(world, ERR_TRUST, "release-names");
        world->repository.is_optional = true;
        get(world);
        get(world);
    }
}

static void release_names_of_a_source_file_are_asked_for_always(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish_named(world, "Suite: main\nCodename: own\n");
    check_get_refused(world, ERR_TRUST, "the suite \"s\" was asked for");
    list_add(&world->arena, &world->repository.release_names, "other");
    check_get_refused(world, ERR_TRUST, "the suite \"other\" was asked for");
    list_add(&world->arena, &world->repository.release_names, "own");
    get(world);
    world->repository.release_names.count = 1;
    check_get_refused(world, ERR_TRUST, "the suite \"other\" was asked for");
}

static void a_state_file_of_version_1_is_read_and_gets_the_names(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    get(world);
    shell(world->keys, world->dir,
          "f=$(echo state/v1/seen/*); grep -q '^version 2$' $f; grep -q '^codename c$' $f; "
          "sed -i -e 's/^version 2/version 1/' -e '/^origin/d;/^label/d;/^named/d;/^codename/d;/^arches/d' $f");
    assert_false(get(world)->is_first_use);
    shell(world->keys, world->dir, "grep -q '^codename c$' state/v1/seen/*");
}

static void max_age_refuses_what_is_older_and_the_clock_is_mentioned(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    world->repository.max_age_days = 1;
    world->env.now = GOOD_SECONDS + 86400 - 1;
    get(world);
    world->env.now = GOOD_SECONDS + 86400;
    check_get_refused(world, ERR_TRUST, "max-age in test:1 allows 1");
    check_get_refused(world, ERR_TRUST, "this machine's clock (2026-07-12 10:16:37 UTC)");
}

static void each_kind_of_suite_has_its_own_age(void **state)
{
    (void)state;
    static const struct {
        const struct format *format;
        const char *origin, *name;
        unsigned days;
    } table[] = {
        {&format_deb, "Debian", "bookworm", 120},
        {&format_deb, "Debian", "bookworm-security", 14},
        {&format_deb, "Debian", "bookworm/updates", 14},
        {&format_deb, "Debian", "bookworm-updates", 14},
        {&format_deb, "Debian", "unstable", 14},
        {&format_deb, "Ubuntu", "noble", 0},
        {&format_deb, "Ubuntu", "noble-updates", 14},
        {&format_deb, NULL, "own", 120},
        {&format_rpm, NULL, "fedora", 0},
        {&format_rpm, NULL, "updates", 14},
        {&format_rpm, NULL, "baseos", 120},
    };
    struct repository repository = {0};
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct freshness_subject subject = {
            .rules = table[i].format->freshness, .origin = table[i].origin, .names = {table[i].name}};
        assert_int_equal(freshness_days(&repository, &subject), table[i].days);
    }
}

static void a_damaged_or_foreign_state_file_is_an_error_that_says_what_to_do(void **state)
{
    static const char *const damages[] = {": > \"$f\"", "sed -i 's/version 2/version 3/' \"$f\"",
                                          "sed -i 's/^date .*/date -1/' \"$f\"", "sed -i '$d' \"$f\"",
                                          "echo more >> \"$f\""};
    for (size_t i = 0; i < ARRAY_COUNT(damages); i++) {
        AUTO(world_done) struct world *world = world_new(state);
        publish(world, GOOD_DATE);
        assert_non_null(get(world));
        shell(world->keys, world->dir, arena_printf(&world->arena, "f=$(echo state/v1/seen/*); %s", damages[i]));
        check_get_refused(world, ERR_LOCAL, "delete that file");
    }
}

static void the_last_accepted_release_is_read_without_the_network(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    world->env.is_cache_only = true;
    check_get_refused(world, ERR_NETWORK, "never fetched");
    world->env.is_cache_only = false;
    publish(world, GOOD_DATE);
    assert_non_null(get(world));
    shell(world->keys, world->dir, "rm -rf repo");
    check_get_refused(world, ERR_NETWORK, "neither an InRelease");
    world->env.is_cache_only = true;
    assert_int_equal(get(world)->date, GOOD_SECONDS);
    shell(world->keys, world->dir, "find cache -type f -delete");
    check_get_refused(world, ERR_NETWORK, "not in the cache");
}

static void an_unreachable_optional_repository_is_left_out_unless_it_was_accepted_before(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    world->repository.is_optional = true;
    assert_null(get(world));
    publish(world, GOOD_DATE);
    assert_non_null(get(world));
    shell(world->keys, world->dir, "rm -rf repo");
    check_get_refused(world, ERR_NETWORK, "was accepted before");
}

static void an_optional_repository_with_a_wrong_signature_is_an_error(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    world->repository.is_optional = true;
    put_release(world, GOOD_DATE, "", "");
    sign(world, "-u other@test");
    check_signature_refused(world, "unknown key");
}

static void the_second_mirror_is_asked_when_the_first_has_nothing(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    publish(world, GOOD_DATE);
    const char *there = world->repository.uris.items[0];
    world->repository.uris = (struct strings){0};
    list_add(&world->arena, &world->repository.uris, "file:///nonexistent/mirror/");
    list_add(&world->arena, &world->repository.uris, there);
    assert_string_equal(get(world)->uri, there);
    shell(world->keys, world->dir, "rm -rf repo");
    check_get_refused(world, ERR_NETWORK, "/nonexistent/mirror/");
}

struct getting {
    struct world *world;
    struct arena arena;
    bool is_good;
    struct err err;
};

static void *get_in_thread(void *argument)
{
    struct getting *getting = argument;
    struct release *release = NULL;
    getting->is_good = release_get(&getting->world->env, &getting->arena, &getting->world->repository,
                                   (struct pin_wish){0}, &release, &getting->err) &&
                       release && release->date == GOOD_SECONDS;
    return NULL;
}

static void several_threads_may_get_releases_at_once(void **state)
{
    AUTO(world_done) struct world *world = world_new(state);
    struct getting gettings[6] = {0};
    pthread_t threads[6];
    publish(world, GOOD_DATE);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        gettings[i].world = world;
        assert_int_equal(pthread_create(&threads[i], NULL, get_in_thread, &gettings[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        CHECK_OK(gettings[i].is_good, &gettings[i].err);
        arena_done(&gettings[i].arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_signed_by_the_right_key_is_read),
        cmocka_unit_test(keys_may_be_armoured_or_inline_or_among_several),
        cmocka_unit_test(a_flat_repository_lies_below_its_uri),
        cmocka_unit_test(a_detached_signature_counts_when_there_is_no_inrelease),
        cmocka_unit_test(one_good_signature_beside_an_unknown_one_is_enough),
        cmocka_unit_test(an_unknown_key_is_named_with_the_places_searched),
        cmocka_unit_test(missing_and_broken_keyrings_are_named),
        cmocka_unit_test(expired_revoked_and_weak_signatures_are_refused_each_in_its_words),
        cmocka_unit_test(an_expired_signature_is_refused),
        cmocka_unit_test(an_altered_text_is_refused),
        cmocka_unit_test(anything_outside_the_signed_block_is_refused),
        cmocka_unit_test(an_unsigned_release_needs_trusted),
        cmocka_unit_test(only_the_fingerprints_of_signed_by_count),
        cmocka_unit_test(gpgv_is_run_once_a_day_for_an_unchanged_release),
        cmocka_unit_test(a_release_past_its_valid_until_is_refused_unless_ignored),
        cmocka_unit_test(a_release_from_the_future_is_refused),
        cmocka_unit_test(a_release_older_than_the_last_accepted_one_is_refused),
        cmocka_unit_test(the_mark_never_goes_down_whoever_writes_last),
        cmocka_unit_test(a_repository_that_calls_itself_otherwise_is_refused_until_it_is_accepted_and_the_mark_stays),
        cmocka_unit_test(at_first_sight_suite_or_codename_is_what_was_asked_for),
        cmocka_unit_test(release_names_of_a_source_file_are_asked_for_always),
        cmocka_unit_test(a_state_file_of_version_1_is_read_and_gets_the_names),
        cmocka_unit_test(max_age_refuses_what_is_older_and_the_clock_is_mentioned),
        cmocka_unit_test(each_kind_of_suite_has_its_own_age),
        cmocka_unit_test(a_damaged_or_foreign_state_file_is_an_error_that_says_what_to_do),
        cmocka_unit_test(the_last_accepted_release_is_read_without_the_network),
        cmocka_unit_test(an_unreachable_optional_repository_is_left_out_unless_it_was_accepted_before),
        cmocka_unit_test(an_optional_repository_with_a_wrong_signature_is_an_error),
        cmocka_unit_test(the_second_mirror_is_asked_when_the_first_has_nothing),
        cmocka_unit_test(several_threads_may_get_releases_at_once),
    };
    return cmocka_run_group_tests(tests, keys_make, keys_drop);
}
