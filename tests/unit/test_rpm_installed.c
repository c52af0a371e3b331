/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "base/digest.h"
#include "io/file.h"
#include "rpm/rpm_archive.h"
#include "rpm/rpm_keys.h"
#include "rpm/rpm_sqlite.h"
#include "rpm/rpm_stamp.h"

#include <endian.h>
#include <fcntl.h>
#include <sqlite3.h>

/* rpm itself makes packages and a database of them, once (rpm_installed.py). */
struct fixture {
    const char *dir;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char command[1024];
    fixture->dir = check_temporary_dir();
    (void)snprintf(command, sizeof command, "python3 '%s/tests/unit/rpm_installed.py' make '%s'", SOURCE_DIR,
                   fixture->dir);
    assert_int_equal(system(command), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[512];
    if (!fixture)
        return 0;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture->dir);
    assert_int_equal(system(command), 0);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static struct text read_file(struct fixture *fixture, const char *name)
{
    struct buf bytes AUTO(buf_done) = {0};
    struct err err = {0};
    CHECK_OK(file_read_at(AT_FDCWD, arena_printf(&fixture->arena, "%s/%s", fixture->dir, name), 64 << 20, &bytes, &err),
             &err);
    return (struct text){arena_strndup(&fixture->arena, bytes.bytes, bytes.len), bytes.len};
}

static struct text read_database(struct fixture *fixture)
{
    return read_file(fixture, "rpm/rpmdb.sqlite");
}

/* The header that rpm has in its database, made by us of the package and of what rpm says about its installing. */
static struct text stamp(struct fixture *fixture, const char *name)
{
    struct text rpm = read_file(fixture, arena_printf(&fixture->arena, "%s.rpm", name)), header, word;
    struct text said = read_file(fixture, arena_printf(&fixture->arena, "%s.installed", name));
    struct rpm_archive archive;
    struct err err = {0};
    uint64_t numbers[3] = {0}, state;
    char states[16];
    size_t count = 0;
    CHECK_OK(rpm_archive_read(&fixture->arena, rpm, &archive, &err), &err);
    for (size_t i = 0; i < 3; i++)
        assert_true(text_next_word(&said, &word) && text_parse_u64(word, &numbers[i]));
    while (text_next_word(&said, &word) && text_parse_u64(word, &state))
        states[count++] = (char)state;
    struct rpm_stamp installed = {.signature = archive.signature.bytes,
                                  .header = archive.header,
                                  .states = {states, count},
                                  .transaction = (uint32_t)numbers[0],
                                  .time = (uint32_t)numbers[1],
                                  .color = (uint32_t)numbers[2]};
    CHECK_OK(rpm_stamp_make(&fixture->arena, &installed, &header, &err), &err);
    return header;
}

static void headers_are_what_rpm_keeps_byte_for_byte(void **state)
{
    static const char *const names[] = {"app", "newlib", "empty", "movable"};
    struct fixture *fixture = *state;
    struct rpm_sqlite_rows rows;
    struct err err = {0};
    CHECK_OK(rpm_sqlite_read(&fixture->arena, "it", read_database(fixture), &rows, &err), &err);
    assert_int_equal(rows.count, ARRAY_COUNT(names));
    struct rpm_header first;
    CHECK_OK(rpm_header_read(&fixture->arena, rows.items[0].header, RPM_HEADER_INSTALLED, &first, &err), &err);
    if (rpm_header_has(&first, 5118))
        skip(); /* rpm 6 notes digests of the whole package, too */
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct text mine = stamp(fixture, names[i]);
        assert_int_equal(mine.len, rows.items[i].header.len);
        assert_memory_equal(mine.ptr, rows.items[i].header.ptr, mine.len);
    }
}

static struct text rewrite(struct fixture *fixture)
{
    struct rpm_sqlite_rows rows;
    struct text mine;
    struct err err = {0};
    CHECK_OK(rpm_sqlite_read(&fixture->arena, "it", read_database(fixture), &rows, &err), &err);
    CHECK_OK(rpm_sqlite_write(&fixture->arena, &rows, false, &mine, &err), &err);
    return mine;
}

static void all_tables_are_as_rpm_makes_them(void **state)
{
    struct fixture *fixture = *state;
    struct text mine = rewrite(fixture);
    const char *path = arena_printf(&fixture->arena, "%s/mine.sqlite", fixture->dir);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(mine.ptr, 1, mine.len, stream), mine.len);
    assert_int_equal(fclose(stream), 0);
    const char *command =
        arena_printf(&fixture->arena, "python3 '%s/tests/unit/rpm_installed.py' same '%s' '%s/rpm/rpmdb.sqlite'",
                     SOURCE_DIR, path, fixture->dir);
    assert_int_equal(system(command), 0);
}

static void put_u32(struct buf *buf, uint32_t value)
{
    uint32_t big = htobe32(value);
    assert_true(buf_add(buf, &big, sizeof big));
}

/* An installed header of a name and many provides, the same everywhere. */
static struct text make_header(struct arena *arena, unsigned number)
{
    enum { PROVIDES = 150, TAGS = 3 };
    struct buf data AUTO(buf_done), header AUTO(buf_done);
    buf_init(&data, 1 << 20);
    buf_init(&header, 1 << 20);
    assert_true(buf_printf(&data, "package-%u%c", number * 7919 % 1000, 0));
    uint32_t provides = (uint32_t)data.len;
    for (unsigned i = 0; i < PROVIDES; i++)
        assert_true(buf_printf(&data, "lib%u.so.%u(%u)%c", number * i * 31 % 977, i, number, 0));
    while (data.len % 4)
        assert_true(buf_add(&data, "", 1));
    uint32_t transaction = (uint32_t)data.len;
    put_u32(&data, 1700000000 + number);
    put_u32(&header, TAGS);
    put_u32(&header, (uint32_t)data.len);
    const uint32_t index[TAGS][4] = {{1000, 6, 0, 1}, {1047, 8, provides, PROVIDES}, {1128, 4, transaction, 1}};
    for (size_t i = 0; i < TAGS * 4; i++)
        put_u32(&header, index[i / 4][i % 4]);
    assert_true(buf_add(&header, data.bytes, data.len));
    return (struct text){arena_strndup(arena, header.bytes, header.len), header.len};
}

/* Golden: the bytes do not depend on which libsqlite3 wrote them. */
static void the_bytes_are_the_same_on_every_machine(void **state)
{
    struct fixture *fixture = *state;
    struct rpm_sqlite_rows rows = {0};
    struct text written, again;
    struct err err = {0};
    for (unsigned i = 1; i <= 400; i++)
        list_add(&fixture->arena, &rows, ((struct rpm_sqlite_row){i * 2, make_header(&fixture->arena, i)}));
    CHECK_OK(rpm_sqlite_write(&fixture->arena, &rows, false, &written, &err), &err);
    assert_int_equal(written.ptr[18], 1); /* no journal is needed to read it */
    struct digest digest = digest_of(written.ptr, written.len);
    assert_string_equal(digest_hex(&digest).chars, "c23985a42ad54d285d078b58441f7a5e92517838e2e348948753f7374a7731d6");
    CHECK_OK(rpm_sqlite_write(&fixture->arena, &rows, true, &again, &err), &err);
    assert_int_equal(again.len, written.len);
    assert_memory_not_equal(again.ptr, written.ptr, written.len); /* the transactions' numbers */
}

static bool count_key(void *self, struct text key, uint32_t index, struct err *err)
{
    (void)key, (void)index, (void)err;
    ++*(size_t *)self;
    return true;
}

/* The keys of one recommendation; SIZE_MAX when it is refused. */
static size_t count_keys(const char *recommended, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct buf header AUTO(buf_done);
    struct rpm_header read;
    size_t count = 0;
    buf_init(&header, 1 << 20);
    const uint32_t words[] = {1, (uint32_t)strlen(recommended) + 1, 5046, 8, 0, 1};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        put_u32(&header, words[i]);
    assert_true(buf_add(&header, recommended, strlen(recommended) + 1));
    CHECK_OK(rpm_header_read(&arena, buf_text(&header), RPM_HEADER_INSTALLED, &read, err), err);
    struct rpm_keys_request request = {.header = &read, .add = count_key, .self = &count};
    for (size_t i = 0; i < RPM_TABLES_COUNT; i++) {
        if (strcmp(rpm_tables[i].name, "Recommendname") == 0)
            request.table = &rpm_tables[i];
    }
    return rpm_keys_list(&arena, &request, err) ? count : SIZE_MAX;
}

static void conditions_in_conditions_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    const char *nested = "a";
    assert_int_equal(count_keys("(a if b)", &err), 3);
    assert_int_equal(count_keys("(a if", &err), 1); /* what rpm cannot read has no further keys */
    for (unsigned i = 0; i < 40; i++)
        nested = arena_printf(&fixture->arena, "(x%u if %s else y%u)", i, nested, i);
    assert_true(count_keys(nested, &err) == SIZE_MAX);
    CHECK_ERR(&err, ERR_MALFORMED, "names more than 4096 packages");
}

static void refuses(struct fixture *fixture, const char *sql, const char *words)
{
    AUTO(arena_done) struct arena arena = {0};
    struct rpm_sqlite_rows rows;
    struct err err = {0};
    sqlite3 *database = NULL;
    const char *path = arena_printf(&arena, "%s/bad", fixture->dir);
    (void)unlink(path);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    assert_false(rpm_sqlite_read(&arena, "the base's database", read_file(fixture, "bad"), &rows, &err));
    CHECK_ERR(&err, ERR_MALFORMED, words);
    CHECK_ERR(&err, ERR_MALFORMED, "the base's database: not a good database of rpm");
}

static void a_database_that_lies_is_refused(void **state)
{
    struct fixture *fixture = *state;
    refuses(fixture, "CREATE TABLE x (y)", "no table Packages");
    refuses(fixture, "CREATE VIEW Packages AS SELECT 1 AS hnum, zeroblob(100) AS blob", "no table Packages");
    refuses(fixture,
            "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, b, blob AS (zeroblob(60000000))); INSERT INTO Packages "
            "VALUES(1, 2)",
            "columns that are computed");
    refuses(
        fixture,
        "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, x, blob AS (substr(hex(zeroblob(x)), 1, 8)) STORED); INSERT "
        "INTO Packages(hnum, x) VALUES(1, 30)",
        "columns that are computed");
    refuses(fixture, "CREATE TABLE Packages (hnum, blob); INSERT INTO Packages VALUES('one', x'00')", "not a number");
    refuses(fixture, "CREATE TABLE Packages (hnum, blob); INSERT INTO Packages VALUES(-1, x'00')", "not a number");
    refuses(fixture, "CREATE TABLE Packages (hnum, blob); INSERT INTO Packages VALUES(1, 'text')", "not a number");
    refuses(fixture, "CREATE TABLE Packages (hnum, blob); INSERT INTO Packages VALUES(1, x'00'), (1, x'00')",
            "two packages have one number");
    refuses(fixture,
            "CREATE TABLE Packages (hnum, blob); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
            "70000) INSERT INTO Packages SELECT i, x'00' FROM n",
            "more than 65536 packages");
}

static void damage_never_crashes(void **state)
{
    struct fixture *fixture = *state;
    struct text good = read_database(fixture);
    char *bytes = malloc(good.len);
    uint32_t random = 1;
    for (int round = 0; round < 300; round++) {
        AUTO(arena_done) struct arena arena = {0};
        struct rpm_sqlite_rows rows;
        struct text written;
        struct err err = {0};
        size_t len = good.len;
        memcpy(bytes, good.ptr, good.len);
        for (int i = 0; i < 1 + round % 20; i++) {
            random = random * 1664525u + 1013904223u;
            bytes[(random >> 4) % (round % 3 ? good.len : 8192)] = (char)(random >> 20);
        }
        if (round % 7 == 0)
            len = (random >> 3) % good.len;
        bool is_read = rpm_sqlite_read(&arena, "it", (struct text){bytes, len}, &rows, &err) &&
                       rpm_sqlite_write(&arena, &rows, false, &written, &err);
        assert_true(is_read || err.kind == ERR_MALFORMED);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_what_rpm_keeps_byte_for_byte),
        cmocka_unit_test(all_tables_are_as_rpm_makes_them),
        cmocka_unit_test(the_bytes_are_the_same_on_every_machine),
        cmocka_unit_test(conditions_in_conditions_are_bounded),
        cmocka_unit_test(a_database_that_lies_is_refused),
        cmocka_unit_test(damage_never_crashes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
