/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "base/workers.h"
#include "io/store_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char base[256];

/* A store of its own for each test, in base/<number>. */
struct place {
    char path[300];
    struct store *store;
};

static const struct digest secret = {{1, 2, 3}};

static struct place open_place(int number)
{
    struct err err = {0};
    struct place place = {0};
    (void)snprintf(place.path, sizeof place.path, "%s/%d/cache", base, number);
    CHECK_OK(store_open(place.path, NULL, &place.store, &err), &err);
    store_use_secret(place.store, &secret);
    return place;
}

static void close_place(struct place *place)
{
    store_close(place->store);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(base, sizeof base, "%s", check_temporary_dir());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

static struct digest add(struct store *store, const char *text)
{
    struct err err = {0};
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest digest;
    CHECK_OK(blob_begin(store, &blob, &err), &err);
    CHECK_OK(blob_write(&blob, text, strlen(text), &err), &err);
    CHECK_OK(blob_commit(&blob, NULL, &digest, &err), &err);
    return digest;
}

static void add_derived(struct store *store, const char *kind, const struct digest *key, const char *text)
{
    struct err err = {0};
    AUTO(blob_abandon) struct blob blob = {0};
    CHECK_OK(blob_begin(store, &blob, &err), &err);
    CHECK_OK(blob_write(&blob, text, strlen(text), &err), &err);
    CHECK_OK(blob_commit_derived(&blob, kind, key, &err), &err);
}

static bool has_text(struct store *store, const struct digest *digest, const char *text)
{
    struct err err = {0};
    AUTO(view_done) struct view view = {0};
    bool is_found = false;
    CHECK_OK(store_map_blob(store, digest, &view, &is_found, &err), &err);
    return is_found && view.len == strlen(text) && memcmp(view.ptr, text, view.len) == 0;
}

static bool has_derived(struct store *store, const char *kind, const struct digest *key, const char *text)
{
    struct err err = {0};
    AUTO(view_done) struct view view = {0};
    bool is_found = false;
    CHECK_OK(store_map_derived(store, kind, key, &view, &is_found, &err), &err);
    return is_found && view.len == strlen(text) && memcmp(view.ptr, text, view.len) == 0;
}

static void blob_path(const struct place *place, const struct digest *digest, char *path, size_t len)
{
    struct digest_hex hex = digest_hex(digest);
    (void)snprintf(path, len, "%s/v1/blob/sha256/%.2s/%s", place->path, hex.chars, hex.chars);
}

static void derived_path(const struct place *place, const char *kind, const struct digest *key, char *path, size_t len)
{
    struct digest name = digest_keyed(&secret, key->bytes, sizeof key->bytes);
    struct digest_hex hex = digest_hex(&name);
    (void)snprintf(path, len, "%s/v1/derived/%s/%.2s/%s", place->path, kind, hex.chars, hex.chars);
}

static size_t count_temporaries(const struct place *place)
{
    char path[400];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/v1/tmp", place->path);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

/* Overwrites a file in place, as a broken disk would. */
static void overwrite(const char *path, off_t offset, const char *text, off_t new_len)
{
    assert_int_equal(chmod(path, 0600), 0);
    AUTO(auto_close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    if (text)
        assert_int_equal(pwrite(fd, text, strlen(text), offset), strlen(text));
    if (new_len >= 0)
        assert_int_equal(ftruncate(fd, new_len), 0);
}

static void a_blob_is_found_under_its_digest_with_private_modes(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(1);
    struct stat status;
    char path[500];
    struct digest digest = add(place.store, "hello");
    struct digest expected = digest_of("hello", 5);
    assert_true(digest_eq(&digest, &expected));
    assert_true(has_text(place.store, &digest, "hello"));
    assert_true(store_has_blob(place.store, &digest, 5));
    assert_false(store_has_blob(place.store, &digest, 4));
    blob_path(&place, &digest, path, sizeof path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0444);
    assert_int_equal(stat(place.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(count_temporaries(&place), 0);
}

static void the_disk_has_room_for_a_byte_and_not_for_all_there_are(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(90);
    assert_true(store_has_room(place.store, 1));
    assert_false(store_has_room(place.store, UINT64_MAX));
}

static void an_absent_blob_is_not_an_error(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(2);
    struct digest digest = digest_of("never", 5);
    assert_false(has_text(place.store, &digest, "never"));
    assert_false(store_has_blob(place.store, &digest, 5));
    assert_false(has_derived(place.store, "kind", &digest, ""));
}

static void other_bytes_than_expected_are_refused_and_nothing_appears(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(3);
    struct err err = {0};
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest wanted = digest_of("good", 4), came = digest_of("evil", 4);
    char text[200];
    CHECK_OK(blob_begin(place.store, &blob, &err), &err);
    CHECK_OK(blob_write(&blob, "evil", 4, &err), &err);
    assert_false(blob_commit(&blob, &wanted, NULL, &err));
    (void)snprintf(text, sizeof text, "expected sha256:%s, got sha256:%s", digest_hex(&wanted).chars,
                   digest_hex(&came).chars);
    CHECK_ERR(&err, ERR_TRUST, text);
    assert_false(store_has_blob(place.store, &wanted, 4));
    assert_false(store_has_blob(place.store, &came, 4));
    blob_abandon(&blob);
}

static void the_same_blob_twice_is_fine(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(4);
    add(place.store, "twice");
    struct digest digest = add(place.store, "twice");
    assert_true(has_text(place.store, &digest, "twice"));
}

static void an_empty_blob_can_be_kept(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(5);
    struct digest digest = add(place.store, "");
    assert_true(has_text(place.store, &digest, ""));
    assert_true(store_has_blob(place.store, &digest, 0));
}

static void an_altered_blob_is_removed_and_can_be_made_again(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(6);
    char path[500];
    struct digest digest = add(place.store, "precious");
    blob_path(&place, &digest, path, sizeof path);
    overwrite(path, 3, "X", -1);
    assert_false(has_text(place.store, &digest, "precious"));
    assert_int_equal(access(path, F_OK), -1);
    add(place.store, "precious");
    assert_true(has_text(place.store, &digest, "precious"));
}

static void a_blob_cut_by_a_power_failure_is_replaced_by_the_next_commit(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(7);
    char path[500];
    struct digest digest = add(place.store, "precious");
    blob_path(&place, &digest, path, sizeof path);
    overwrite(path, 0, NULL, 0);
    add(place.store, "precious");
    assert_true(has_text(place.store, &digest, "precious"));
}

static void a_derived_file_comes_back_without_its_trailer_and_aligned(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(8);
    struct digest key = digest_of("input", 5);
    add_derived(place.store, "tree", &key, "made from it");
    for (int times = 0; times < 2; times++) {
        struct err err = {0};
        AUTO(view_done) struct view view = {0};
        bool is_found = false;
        CHECK_OK(store_map_derived(place.store, "tree", &key, &view, &is_found, &err), &err);
        assert_true(is_found);
        assert_int_equal(view.len, 12);
        assert_memory_equal(view.ptr, "made from it", 12);
        assert_int_equal((uintptr_t)view.ptr % 16, 0);
    }
    assert_false(has_derived(place.store, "other", &key, "made from it"));
    store_drop_derived(place.store, "tree", &key);
    assert_false(has_derived(place.store, "tree", &key, "made from it"));
    add_derived(place.store, "tree", &key, "");
    assert_true(has_derived(place.store, "tree", &key, ""));
}

static void a_derived_file_that_was_altered_cut_or_misplaced_is_removed(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(9);
    struct digest key = digest_of("input", 5), other_key = digest_of("other", 5);
    char path[500], other_path[500];
    derived_path(&place, "tree", &key, path, sizeof path);
    derived_path(&place, "tree", &other_key, other_path, sizeof other_path);

    add_derived(place.store, "tree", &key, "contents");
    overwrite(path, 0, "C", -1);
    assert_false(has_derived(place.store, "tree", &key, "contents"));
    assert_int_equal(access(path, F_OK), -1);

    static const off_t lengths[] = {0, 1, 8, 119, 120, 127};
    for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
        add_derived(place.store, "tree", &key, "contents");
        overwrite(path, 0, NULL, lengths[i]);
        assert_false(has_derived(place.store, "tree", &key, "contents"));
        assert_int_equal(access(path, F_OK), -1);
    }

    add_derived(place.store, "tree", &key, "contents");
    add_derived(place.store, "tree", &other_key, "other");
    assert_int_equal(rename(path, other_path), 0);
    assert_false(has_derived(place.store, "tree", &other_key, "contents"));
}

static void a_derived_file_made_with_another_secret_is_not_believed(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(15);
    struct digest key = digest_of("input", 5);
    store_use_secret(place.store, &(struct digest){{9}});
    add_derived(place.store, "tree", &key, "planted");
    store_use_secret(place.store, &secret);
    assert_false(has_derived(place.store, "tree", &key, "planted"));
    add_derived(place.store, "tree", &key, "made again");
    assert_true(has_derived(place.store, "tree", &key, "made again"));
}

static void a_derived_file_of_another_secret_in_the_place_of_ours_is_not_believed(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(18);
    struct digest key = digest_of("input", 5), other = {{9}}, name = digest_keyed(&other, key.bytes, sizeof key.bytes);
    char ours[500], theirs[500];
    derived_path(&place, "tree", &key, ours, sizeof ours);
    add_derived(place.store, "tree", &key, "ours");
    store_use_secret(place.store, &other);
    add_derived(place.store, "tree", &key, "planted");
    struct digest_hex hex = digest_hex(&name);
    (void)snprintf(theirs, sizeof theirs, "%s/v1/derived/tree/%.2s/%s", place.path, hex.chars, hex.chars);
    assert_int_equal(rename(theirs, ours), 0);
    store_use_secret(place.store, &secret);
    assert_false(has_derived(place.store, "tree", &key, "planted"));
}

static void stores_of_two_secrets_leave_each_others_derived_files_alone(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(17);
    struct digest key = digest_of("input", 5), other = {{9}};
    add_derived(place.store, "tree", &key, "ours");
    store_use_secret(place.store, &other);
    assert_false(has_derived(place.store, "tree", &key, "ours"));
    add_derived(place.store, "tree", &key, "theirs");
    store_use_secret(place.store, &secret);
    assert_true(has_derived(place.store, "tree", &key, "ours"));
    store_use_secret(place.store, &other);
    assert_true(has_derived(place.store, "tree", &key, "theirs"));
}

static void a_derived_file_is_not_believed_under_another_kind(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(16);
    char path[500], other_path[500];
    struct digest key = digest_of("input", 5);
    add_derived(place.store, "tree", &key, "contents");
    add_derived(place.store, "product", &key, "other");
    derived_path(&place, "tree", &key, path, sizeof path);
    derived_path(&place, "product", &key, other_path, sizeof other_path);
    assert_int_equal(rename(path, other_path), 0);
    assert_false(has_derived(place.store, "product", &key, "contents"));
}

/* Maps it lazily and returns whether it was found. */
static bool is_found_lazily(struct store *store, const struct digest *key)
{
    struct err err = {0};
    AUTO(view_done) struct view view = {0};
    bool is_found = false;
    CHECK_OK(store_map_derived(store, "tree", key, &view, &is_found, &err), &err);
    return is_found;
}

static void a_big_derived_file_altered_in_place_is_noticed_though_its_times_were_set_back(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(17);
    static char bytes[100001];
    char path[500];
    struct stat before;
    struct digest key = digest_of("input", 5);
    memset(bytes, 'x', sizeof bytes - 1);
    add_derived(place.store, "tree", &key, bytes);
    derived_path(&place, "tree", &key, path, sizeof path);
    assert_true(is_found_lazily(place.store, &key));
    assert_int_equal(stat(path, &before), 0);
    overwrite(path, 500, "EVIL", -1);
    struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_false(is_found_lazily(place.store, &key));
}

static void a_big_derived_file_that_was_copied_is_hashed_once_and_found(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(18);
    static char bytes[100001];
    char path[500], command[2100];
    struct digest key = digest_of("input", 5);
    memset(bytes, 'x', sizeof bytes - 1);
    add_derived(place.store, "tree", &key, bytes);
    derived_path(&place, "tree", &key, path, sizeof path);
    (void)snprintf(command, sizeof command, "cp '%s' '%s.c' && mv -f '%s.c' '%s'", path, path, path, path);
    assert_int_equal(system(command), 0);
    assert_true(is_found_lazily(place.store, &key));
    assert_true(is_found_lazily(place.store, &key));
}

static void a_file_of_somebody_elses_is_not_mapped(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(19);
    char path[500];
    if (geteuid() != 0)
        skip();
    struct digest digest = add(place.store, "precious");
    blob_path(&place, &digest, path, sizeof path);
    assert_int_equal(chown(path, 1000, 1000), 0);
    assert_false(has_text(place.store, &digest, "precious"));
}

static void abandoned_files_leave_nothing_with_and_without_names(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(10);
    for (int is_named = 0; is_named < 2; is_named++) {
        struct err err = {0};
        struct blob blob = {0};
        if (is_named)
            place.store->is_unnamed = false; /* as on a file system without O_TMPFILE */
        CHECK_OK(blob_begin(place.store, &blob, &err), &err);
        CHECK_OK(blob_write(&blob, "x", 1, &err), &err);
        assert_int_equal(count_temporaries(&place), is_named);
        blob_abandon(&blob);
        blob_abandon(&blob);
        assert_int_equal(count_temporaries(&place), 0);
    }
}

static void named_files_give_the_same_results(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(11);
    place.store->is_unnamed = false; /* as on a file system without O_TMPFILE */
    struct digest digest = add(place.store, "named");
    add(place.store, "named");
    add_derived(place.store, "tree", &digest, "derived");
    assert_true(has_text(place.store, &digest, "named"));
    assert_true(has_derived(place.store, "tree", &digest, "derived"));
    assert_int_equal(count_temporaries(&place), 0);
}

static void left_overs_of_a_killed_process_go_but_not_files_being_written(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(12);
    place.store->is_unnamed = false; /* as on a file system without O_TMPFILE */
    pid_t child = fork();
    if (child == 0) {
        struct err err = {0};
        struct blob blob = {0};
        _exit(blob_begin(place.store, &blob, &err) && blob_write(&blob, "x", 1, &err) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct err err = {0};
    struct digest digest;
    AUTO(blob_abandon) struct blob mine = {0};
    CHECK_OK(blob_begin(place.store, &mine, &err), &err);
    CHECK_OK(blob_write(&mine, "mine", 4, &err), &err);
    assert_int_equal(count_temporaries(&place), 2);
    {
        AUTO(close_place) struct place again = open_place(12);
        assert_non_null(again.store);
        assert_int_equal(count_temporaries(&place), 1);
    }
    CHECK_OK(blob_commit(&mine, NULL, &digest, &err), &err);
    assert_true(has_text(place.store, &digest, "mine"));
}

static void a_store_that_others_can_write_to_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    char path[400];
    AUTO(close_place) struct place place = open_place(13);
    struct store *again = NULL;
    (void)snprintf(path, sizeof path, "%s/v1", place.path);
    assert_int_equal(chmod(path, 0777), 0);
    assert_false(store_open(place.path, NULL, &again, &err));
    CHECK_ERR(&err, ERR_LOCAL, "writable by others");
}

static void a_file_in_the_place_of_the_cache_is_a_local_error(void **state)
{
    (void)state;
    struct err err = {0};
    struct store *store = NULL;
    assert_false(store_open("/dev/null/cache", NULL, &store, &err));
    CHECK_ERR(&err, ERR_LOCAL, "/dev/null/cache");
}

struct writer {
    struct store *store;
    struct digest digest;
};

static void write_the_same(void *item)
{
    struct writer *writer = item;
    for (int i = 0; i < 20; i++) {
        struct err err = {0};
        struct blob blob = {0};
        if (!blob_begin(writer->store, &blob, &err) || !blob_write(&blob, &i, sizeof i, &err) ||
            !blob_commit(&blob, NULL, &writer->digest, &err))
            writer->digest = (struct digest){{0}};
    }
}

static void many_writers_of_the_same_blobs_all_succeed(void **state)
{
    (void)state;
    AUTO(close_place) struct place first = open_place(14);
    AUTO(close_place) struct place second = open_place(14);
    second.store->is_unnamed = false;
    struct err err = {0};
    struct workers *workers;
    struct writer writers[4] = {
        {first.store, {{0}}}, {second.store, {{0}}}, {first.store, {{0}}}, {second.store, {{0}}}};
    void *items[4] = {&writers[0], &writers[1], &writers[2], &writers[3]};
    CHECK_OK(workers_start(4, &workers, &err), &err);
    workers_run_all(workers, write_the_same, items, 4);
    workers_stop(workers);
    int last = 19;
    struct digest expected = digest_of(&last, sizeof last);
    for (size_t i = 0; i < 4; i++)
        assert_true(digest_eq(&writers[i].digest, &expected));
    assert_int_equal(count_temporaries(&first), 0);
}

static void room_that_another_thread_made_is_tried_before_it_is_said_that_there_is_none(void **state)
{
    (void)state;
    struct place place = open_place(20);
    (void)add(place.store, "not used for long");
    close_place(&place);
    char command[400];
    (void)snprintf(command, sizeof command, "find '%s' -type f -exec touch -d '20 days ago' {} +", place.path);
    assert_int_equal(system(command), 0);
    place = open_place(20);
    unsigned seen = atomic_load(&place.store->rooms_made);
    assert_true(store_make_room(place.store, seen));      /* the thread that was first */
    assert_true(store_make_room(place.store, seen));      /* one that failed at the same time */
    assert_false(store_make_room(place.store, seen + 1)); /* now there is nothing left */
    close_place(&place);
}

/* Needs the right to mount; elsewhere the whole-program tests cover a full disk. */
static void a_full_disk_names_the_cache_and_gets_its_space_back(void **state)
{
    (void)state;
    struct err err = {0};
    char path[300], cache[310];
    static char bytes[256 * 1024];
    (void)snprintf(path, sizeof path, "%s/full", base);
    (void)snprintf(cache, sizeof cache, "%s/cache", path);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("tmpfs", path, "tmpfs", 0, "size=1m") != 0)
        skip();
    for (int is_named = 0; is_named < 2; is_named++) {
        struct store *store = NULL;
        struct blob blob = {0};
        bool is_good = store_open(cache, NULL, &store, &err);
        if (is_good && is_named)
            store->is_unnamed = false;
        is_good = is_good && blob_begin(store, &blob, &err);
        bool is_full = false;
        for (int i = 0; is_good && i < 8 && !is_full; i++)
            is_full = !blob_write(&blob, bytes, sizeof bytes, &err);
        struct err full = err;
        err_clear(&err);
        blob_abandon(&blob);
        bool is_free_again = is_good && blob_begin(store, &blob, &err) &&
                             blob_write(&blob, bytes, sizeof bytes, &err) && blob_commit(&blob, NULL, NULL, &err);
        blob_abandon(&blob);
        store_close(store);
        if (!is_full || !is_free_again || is_named)
            assert_int_equal(umount(path), 0);
        assert_true(is_full);
        CHECK_ERR(&full, ERR_LOCAL, cache);
        assert_int_equal(full.detail, ENOSPC);
        CHECK_OK(is_free_again, &err);
    }
}

/* Removes all that may go, and returns the bytes that lists hold. */
static uint64_t prune_all(struct store *store)
{
    struct err err = {0};
    struct prune_request request = {0};
    struct prune_result result;
    CHECK_OK(store_prune(store, &request, &result, &err), &err);
    return result.held_bytes;
}

static void what_is_held_stays_as_long_as_the_file_is_there_that_it_is_held_for(void **state)
{
    (void)state;
    AUTO(close_place) struct place place = open_place(60);
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct strings names = {0}, none = {0};
    struct digest held = add(place.store, "held"), other = add(place.store, "other");
    const char *path = arena_printf(&arena, "%s/60/a.lock", base), *hex = digest_hex(&held).chars;
    list_add(&arena, &names, arena_strdup(&arena, hex));
    list_add(&arena, &names, "nonsense");
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK_OK(store_hold(place.store, path, &names, &err), &err);
    assert_int_equal(prune_all(place.store), 4096);
    assert_true(store_has(place.store, &held));
    assert_false(store_has(place.store, &other));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(prune_all(place.store), 0);
    assert_false(store_has(place.store, &held));
    held = add(place.store, "held"); /* nothing is left that holds it */
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(prune_all(place.store), 0);
    held = add(place.store, "held");
    CHECK_OK(store_hold(place.store, path, &names, &err), &err);
    CHECK_OK(store_hold(place.store, path, &none, &err), &err); /* in place of the former list */
    assert_int_equal(prune_all(place.store), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blob_is_found_under_its_digest_with_private_modes),
        cmocka_unit_test(the_disk_has_room_for_a_byte_and_not_for_all_there_are),
        cmocka_unit_test(an_absent_blob_is_not_an_error),
        cmocka_unit_test(other_bytes_than_expected_are_refused_and_nothing_appears),
        cmocka_unit_test(the_same_blob_twice_is_fine),
        cmocka_unit_test(an_empty_blob_can_be_kept),
        cmocka_unit_test(an_altered_blob_is_removed_and_can_be_made_again),
        cmocka_unit_test(a_blob_cut_by_a_power_failure_is_replaced_by_the_next_commit),
        cmocka_unit_test(a_derived_file_comes_back_without_its_trailer_and_aligned),
        cmocka_unit_test(a_derived_file_that_was_altered_cut_or_misplaced_is_removed),
        cmocka_unit_test(a_derived_file_made_with_another_secret_is_not_believed),
        cmocka_unit_test(a_derived_file_of_another_secret_in_the_place_of_ours_is_not_believed),
        cmocka_unit_test(stores_of_two_secrets_leave_each_others_derived_files_alone),
        cmocka_unit_test(a_derived_file_is_not_believed_under_another_kind),
        cmocka_unit_test(a_big_derived_file_altered_in_place_is_noticed_though_its_times_were_set_back),
        cmocka_unit_test(a_big_derived_file_that_was_copied_is_hashed_once_and_found),
        cmocka_unit_test(a_file_of_somebody_elses_is_not_mapped),
        cmocka_unit_test(abandoned_files_leave_nothing_with_and_without_names),
        cmocka_unit_test(named_files_give_the_same_results),
        cmocka_unit_test(left_overs_of_a_killed_process_go_but_not_files_being_written),
        cmocka_unit_test(a_store_that_others_can_write_to_is_refused),
        cmocka_unit_test(a_file_in_the_place_of_the_cache_is_a_local_error),
        cmocka_unit_test(many_writers_of_the_same_blobs_all_succeed),
        cmocka_unit_test(room_that_another_thread_made_is_tried_before_it_is_said_that_there_is_none),
        cmocka_unit_test(what_is_held_stays_as_long_as_the_file_is_there_that_it_is_held_for),
        cmocka_unit_test(a_full_disk_names_the_cache_and_gets_its_space_back),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
