/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_sqlite.h"

#include "base/auto.h"
#include "rpm/rpm_keys.h"
#include "rpm/sqlite_settle.h"

#include <sqlite3.h>
#include <stdlib.h>

#define STEPS_BETWEEN_LOOKS 1000
#define LOOKS_MAX 20000 /* some 20 million steps of SQLite's machine: a row takes less than ten */
#define PAGE_BYTES 4096
#define WRITTEN_MAX_BYTES ((size_t)256 << 20)

/* Places in the first page: https://www.sqlite.org/fileformat2.html#the_database_header */
enum { AT_WRITE_VERSION = 18, AT_READ_VERSION = 19, FIRST_BYTES = 100 };

static void close_database(sqlite3 **database)
{
    if (*database)
        (void)sqlite3_close_v2(*database);
}

static void end_statement(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}

static bool open_database(sqlite3 **ret_database, struct err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(":memory:", ret_database, flags, NULL) == SQLITE_OK)
        return true;
    err_set(err, ERR_LOCAL, "libsqlite3 %s does not open a database in memory", sqlite3_libversion());
    return false;
}

/* ---- reading ---- */

struct reading {
    struct arena *arena;
    const char *place;
    sqlite3 *database;
    struct rpm_sqlite_rows *rows;
    size_t bytes_left; /* all headers together are in the file, each once */
    struct err *err;
};

static bool fault(const struct reading *reading, const char *why)
{
    err_set(reading->err, ERR_MALFORMED, "%s: not a good database of rpm: %s", reading->place, why);
    return false;
}

static bool sqlite_fault(const struct reading *reading)
{
    return fault(reading, text_printable(reading->arena, text_of(sqlite3_errmsg(reading->database))));
}

static int stop_endless(void *looks_left)
{
    int *left = looks_left;
    return --*left <= 0;
}

/* A copy, which SQLite may have for its own; its journal (WAL) is a file of its own, so it must not look for one. */
static bool load(const struct reading *reading, struct text bytes)
{
    unsigned char *copy = sqlite3_malloc64(bytes.len);
    if (!copy)
        memory_abort(bytes.len);
    memcpy(copy, bytes.ptr, bytes.len);
    if (copy[AT_WRITE_VERSION] == 2 && copy[AT_READ_VERSION] == 2)
        copy[AT_WRITE_VERSION] = copy[AT_READ_VERSION] = 1;
    if (sqlite3_deserialize(reading->database, "main", copy, (sqlite3_int64)bytes.len, (sqlite3_int64)bytes.len,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
        return sqlite_fault(reading);
    return true;
}

/* Nothing of what the file says is run: no trigger, no view, no function that does more than compute. */
static bool bind_hands(const struct reading *reading)
{
    static const struct {
        int setting, value;
    } settings[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                    {SQLITE_DBCONFIG_ENABLE_VIEW, 0}};
    static const struct {
        int limit, value;
    } limits[] = {{SQLITE_LIMIT_LENGTH, (int)RPM_HEADER_MAX_BYTES + (1 << 20)},
                  {SQLITE_LIMIT_SQL_LENGTH, 100000},
                  {SQLITE_LIMIT_COLUMN, 100},
                  {SQLITE_LIMIT_EXPR_DEPTH, 50},
                  {SQLITE_LIMIT_VDBE_OP, 100000},
                  {SQLITE_LIMIT_ATTACHED, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        if (sqlite3_db_config(reading->database, settings[i].setting, settings[i].value, NULL) != SQLITE_OK)
            return sqlite_fault(reading);
    }
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++)
        (void)sqlite3_limit(reading->database, limits[i].limit, limits[i].value);
    return sqlite3_exec(reading->database, "PRAGMA cell_size_check = ON", NULL, NULL, NULL) == SQLITE_OK ||
           sqlite_fault(reading);
}

static bool prepare(const struct reading *reading, const char *sql, sqlite3_stmt **ret_statement)
{
    return sqlite3_prepare_v2(reading->database, sql, -1, ret_statement, NULL) == SQLITE_OK || sqlite_fault(reading);
}

/* A plain table, whatever else is there. */
static bool check_table(const struct reading *reading)
{
    AUTO(end_statement) sqlite3_stmt *statement = NULL;
    if (!prepare(reading,
                 "SELECT count(*), sum(type = 'table' AND rootpage > 0) FROM sqlite_schema WHERE name = 'Packages'",
                 &statement))
        return false;
    if (sqlite3_step(statement) != SQLITE_ROW)
        return sqlite_fault(reading);
    if (sqlite3_column_int(statement, 0) != 1 || sqlite3_column_int(statement, 1) != 1)
        return fault(reading, "it has no table Packages");
    return true;
}

/* A column that is computed would run functions for each row, whose work is no step of SQLite's machine. */
static bool check_columns(const struct reading *reading)
{
    AUTO(end_statement) sqlite3_stmt *statement = NULL;
    if (!prepare(reading, "SELECT count(*) FROM pragma_table_xinfo('Packages') WHERE hidden", &statement))
        return false;
    if (sqlite3_step(statement) != SQLITE_ROW)
        return sqlite_fault(reading);
    return sqlite3_column_int(statement, 0) == 0 || fault(reading, "its table Packages has columns that are computed");
}

static bool take_row(struct reading *reading, sqlite3_stmt *statement)
{
    sqlite3_int64 number = sqlite3_column_int64(statement, 0);
    if (sqlite3_column_type(statement, 0) != SQLITE_INTEGER || number < 1 || number > INT32_MAX ||
        sqlite3_column_type(statement, 1) != SQLITE_BLOB)
        return fault(reading, "a row of Packages is not a number and a header");
    const void *header = sqlite3_column_blob(statement, 1);
    size_t len = (size_t)sqlite3_column_bytes(statement, 1);
    if ((!header && len) || len > reading->bytes_left)
        return fault(reading, "its headers are longer than the file");
    if (reading->rows->count >= RPM_SQLITE_MAX_PACKAGES)
        return fault(reading, arena_printf(reading->arena, "it has more than %u packages", RPM_SQLITE_MAX_PACKAGES));
    reading->bytes_left -= len;
    struct rpm_sqlite_row row = {(uint32_t)number, {arena_strndup(reading->arena, header ? header : "", len), len}};
    list_add(reading->arena, reading->rows, row);
    return true;
}

static int compare_rows(const void *a, const void *b)
{
    uint32_t left = ((const struct rpm_sqlite_row *)a)->number, right = ((const struct rpm_sqlite_row *)b)->number;
    return left < right ? -1 : left > right;
}

static bool read_rows(struct reading *reading)
{
    AUTO(end_statement) sqlite3_stmt *statement = NULL;
    struct rpm_sqlite_rows *rows = reading->rows;
    int result;
    /* no ORDER BY: of a file that lies, sorting could take any amount of memory */
    if (!prepare(reading, "SELECT hnum, blob FROM Packages NOT INDEXED", &statement))
        return false;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!take_row(reading, statement))
            return false;
    }
    if (result == SQLITE_INTERRUPT)
        return fault(reading, "reading it takes too many steps");
    if (result != SQLITE_DONE)
        return sqlite_fault(reading);
    if (rows->count)
        qsort(rows->items, rows->count, sizeof *rows->items, compare_rows);
    for (size_t i = 1; i < rows->count; i++) {
        if (rows->items[i - 1].number == rows->items[i].number)
            return fault(reading, "two packages have one number");
    }
    return true;
}

bool rpm_sqlite_read(struct arena *arena, const char *place, struct text bytes, struct rpm_sqlite_rows *ret_rows,
                     struct err *err)
{
    static const char magic[] = "SQLite format 3"; /* with its final zero */
    AUTO(close_database) sqlite3 *database = NULL;
    struct reading reading = {.arena = arena, .place = place, .rows = ret_rows, .bytes_left = bytes.len, .err = err};
    int looks_left = LOOKS_MAX;
    *ret_rows = (struct rpm_sqlite_rows){0};
    if (bytes.len > RPM_SQLITE_MAX_BYTES)
        return fault(&reading, arena_printf(arena, "it is longer than %zu bytes", RPM_SQLITE_MAX_BYTES));
    if (bytes.len < FIRST_BYTES || memcmp(bytes.ptr, magic, sizeof magic) != 0)
        return fault(&reading, "it is no SQLite database");
    if (!open_database(&database, err))
        return false;
    reading.database = database;
    sqlite3_progress_handler(database, STEPS_BETWEEN_LOOKS, stop_endless, &looks_left);
    return load(&reading, bytes) && bind_hands(&reading) && check_table(&reading) && check_columns(&reading) &&
           read_rows(&reading);
}

/* ---- writing ---- */

struct writing {
    struct arena *arena;
    sqlite3 *database;
    sqlite3_stmt *insert;
    uint32_t number;
    bool is_text;
    struct err *err;
};

static bool write_fault(const struct writing *writing)
{
    if (sqlite3_errcode(writing->database) == SQLITE_FULL) {
        err_set(writing->err, ERR_MALFORMED, "rpm's database would have more than %zu bytes", WRITTEN_MAX_BYTES);
        return false;
    }
    err_set(writing->err, ERR_LOCAL, "rpmdb.sqlite cannot be made: libsqlite3 %s: %s", sqlite3_libversion(),
            sqlite3_errmsg(writing->database));
    return false;
}

static bool execute(const struct writing *writing, const char *sql)
{
    return sqlite3_exec(writing->database, sql, NULL, NULL, NULL) == SQLITE_OK || write_fault(writing);
}

/* Whatever a distribution has as its libsqlite3's defaults. */
static bool settle(const struct writing *writing)
{
    return execute(writing, arena_printf(writing->arena, "PRAGMA page_size = %d; PRAGMA max_page_count = %zu",
                                         PAGE_BYTES, WRITTEN_MAX_BYTES / PAGE_BYTES)) &&
           execute(writing, "PRAGMA encoding = 'UTF-8'; PRAGMA auto_vacuum = NONE;"
                            "PRAGMA journal_mode = OFF; PRAGMA secure_delete = ON; PRAGMA foreign_keys = OFF;"
                            "PRAGMA threads = 0; PRAGMA cache_size = -65536");
}

/* As rpm's backend makes them. */
static bool make_tables(const struct writing *writing)
{
    if (!execute(writing,
                 "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"))
        return false;
    for (size_t i = 0; i < RPM_TABLES_COUNT; i++) {
        const struct rpm_table *table = &rpm_tables[i];
        if (!execute(writing,
                     arena_printf(writing->arena,
                                  "CREATE TABLE IF NOT EXISTS '%s' (key '%s' NOT NULL, hnum INTEGER NOT NULL, idx "
                                  "INTEGER NOT NULL, FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))",
                                  table->name, table->is_text ? "TEXT" : "BLOB")))
            return false;
    }
    return true;
}

static bool make_index(const struct writing *writing, const char *table, const char *column)
{
    return execute(writing, arena_printf(writing->arena, "CREATE INDEX IF NOT EXISTS '%s_%s_idx' ON '%s'(%s ASC)",
                                         table, column, table, column));
}

static bool make_indices(const struct writing *writing)
{
    for (size_t i = 0; i < RPM_TABLES_COUNT; i++) {
        const struct rpm_table *table = &rpm_tables[i];
        if ((table->has_key_index && !make_index(writing, table->name, "key")) ||
            (table->has_hnum_index && !make_index(writing, table->name, "hnum")))
            return false;
    }
    return true;
}

static bool begin_insert(struct writing *writing, const char *sql)
{
    return sqlite3_prepare_v2(writing->database, sql, -1, &writing->insert, NULL) == SQLITE_OK || write_fault(writing);
}

static bool end_insert(struct writing *writing)
{
    int result = sqlite3_finalize(writing->insert);
    writing->insert = NULL;
    return result == SQLITE_OK || write_fault(writing);
}

static bool insert(const struct writing *writing, bool is_bound)
{
    bool is_good = is_bound && sqlite3_step(writing->insert) == SQLITE_DONE;
    return (sqlite3_reset(writing->insert) == SQLITE_OK && is_good) || write_fault(writing);
}

static bool write_headers(struct writing *writing, const struct rpm_sqlite_rows *rows)
{
    bool is_good = begin_insert(writing, "INSERT INTO 'Packages' VALUES(?, ?)");
    for (size_t i = 0; is_good && i < rows->count; i++) {
        const struct rpm_sqlite_row *row = &rows->items[i];
        is_good = insert(writing, sqlite3_bind_int64(writing->insert, 1, row->number) == SQLITE_OK &&
                                      sqlite3_bind_blob64(writing->insert, 2, row->header.ptr, row->header.len,
                                                          SQLITE_STATIC) == SQLITE_OK);
    }
    return end_insert(writing) && is_good;
}

static bool add_key(void *self, struct text key, uint32_t index, struct err *err)
{
    const struct writing *writing = self;
    int bound = writing->is_text
                    ? sqlite3_bind_text64(writing->insert, 1, key.ptr, key.len, SQLITE_TRANSIENT, SQLITE_UTF8)
                    : sqlite3_bind_blob64(writing->insert, 1, key.ptr, key.len, SQLITE_TRANSIENT);
    (void)err; /* is the writing's */
    return insert(writing, bound == SQLITE_OK && sqlite3_bind_int64(writing->insert, 2, writing->number) == SQLITE_OK &&
                               sqlite3_bind_int64(writing->insert, 3, index) == SQLITE_OK);
}

static bool write_keys(struct writing *writing, const struct rpm_header *headers, const struct rpm_sqlite_rows *rows,
                       bool is_big_endian)
{
    bool is_good = true;
    for (size_t i = 0; is_good && i < RPM_TABLES_COUNT; i++) {
        struct rpm_keys_request request = {
            .table = &rpm_tables[i], .is_big_endian = is_big_endian, .add = add_key, .self = writing};
        writing->is_text = request.table->is_text;
        is_good = begin_insert(writing,
                               arena_printf(writing->arena, "INSERT INTO '%s' VALUES(?, ?, ?)", request.table->name));
        for (size_t k = 0; is_good && k < rows->count; k++) {
            request.header = &headers[k];
            writing->number = rows->items[k].number;
            is_good = rpm_keys_list(writing->arena, &request, writing->err);
        }
        is_good = end_insert(writing) && is_good;
    }
    return is_good;
}

static bool list_roots(const struct writing *writing, struct sqlite_roots *ret_roots)
{
    AUTO(end_statement) sqlite3_stmt *statement = NULL;
    int result;
    if (sqlite3_prepare_v2(writing->database, "SELECT rootpage FROM sqlite_schema", -1, &statement, NULL) != SQLITE_OK)
        return write_fault(writing);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        list_add(writing->arena, ret_roots, (uint32_t)sqlite3_column_int64(statement, 0));
    return result == SQLITE_DONE || write_fault(writing);
}

/* The bytes, without what tells which libsqlite3 made them. The database is closed in between, as they are many. */
static bool take_bytes(struct writing *writing, sqlite3 **database, struct text *ret_bytes)
{
    struct sqlite_roots roots = {0};
    sqlite3_int64 len = 0;
    if (!list_roots(writing, &roots))
        return false;
    unsigned char *bytes = sqlite3_serialize(writing->database, "main", &len, 0);
    if (!bytes || (size_t)len > WRITTEN_MAX_BYTES) {
        sqlite3_free(bytes);
        return write_fault(writing);
    }
    (void)sqlite3_close_v2(*database);
    *database = writing->database = NULL;
    char *copy = arena_strndup(writing->arena, (const char *)bytes, (size_t)len);
    sqlite3_free(bytes);
    *ret_bytes = (struct text){copy, (size_t)len};
    return sqlite_settle(copy, (size_t)len, &roots, writing->err);
}

bool rpm_sqlite_write(struct arena *arena, const struct rpm_sqlite_rows *rows, bool is_big_endian,
                      struct text *ret_bytes, struct err *err)
{
    AUTO(close_database) sqlite3 *database = NULL;
    struct rpm_header *headers = arena_new_array(arena, struct rpm_header, rows->count + 1);
    for (size_t i = 0; i < rows->count; i++) {
        if (!rpm_header_read(arena, rows->items[i].header, RPM_HEADER_INSTALLED, &headers[i], err))
            return false;
    }
    if (!open_database(&database, err))
        return false;
    struct writing writing = {.arena = arena, .database = database, .err = err};
    return settle(&writing) && execute(&writing, "BEGIN") && make_tables(&writing) && write_headers(&writing, rows) &&
           write_keys(&writing, headers, rows, is_big_endian) && make_indices(&writing) &&
           execute(&writing, "COMMIT") && take_bytes(&writing, &database, ret_bytes);
}
