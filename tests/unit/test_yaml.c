/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "plan/yaml.h"

#define PARSE(arena, literal, ret_file, err) yaml_parse((arena), "x.yaml", TEXT(literal), (ret_file), (err))

/* Fails unless the text is refused with exactly this place and a message that has `part`. */
static void expect_refused(struct text text, const char *place, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct yaml_file *file = NULL;
    struct err err = {0};
    if (yaml_parse(&arena, "x.yaml", text, &file, &err))
        fail_msg("accepted, although \"%s\" was wanted", part);
    CHECK_ERR(&err, ERR_USAGE, part);
    assert_null(file);
    if (strncmp(err.text, place, strlen(place)) != 0)
        fail_msg("wanted it to begin with %s, got: %s", place, err.text);
}

#define REFUSED(literal, place, part) expect_refused(TEXT(literal), "x.yaml:" place ": ", (part))

static void nodes_have_kind_value_quotes_and_place(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct yaml_file *file;
    struct err err = {0};
    CHECK_OK(PARSE(&arena, "# c\na: [1, \"2\"]\n\xC3\xA4: {b: c}\n", &file, &err), &err);
    assert_int_equal(file->root->kind, YAML_MAPPING);
    assert_int_equal(file->root->count, 2);
    const struct yaml_node *list = yaml_get(file->root, "a");
    assert_int_equal(list->kind, YAML_SEQUENCE);
    assert_string_equal(yaml_item(list, 0)->scalar, "1");
    assert_false(yaml_item(list, 0)->is_quoted);
    assert_true(yaml_item(list, 1)->is_quoted);
    assert_int_equal(yaml_item(list, 1)->line, 2);
    assert_int_equal(yaml_item(list, 1)->column, 8);
    assert_int_equal(yaml_get(file->root, "\xC3\xA4")->column, 4); /* characters, not bytes */
    assert_null(yaml_get(file->root, "b"));
    assert_null(yaml_get(list, "a"));
    struct digest digest = digest_of(file->bytes.ptr, file->bytes.len);
    assert_true(digest_eq(&digest, &file->digest));
}

static void an_empty_file_has_no_root(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct yaml_file *file;
    struct err err = {0};
    CHECK_OK(PARSE(&arena, "", &file, &err), &err);
    assert_null(file->root);
    CHECK_OK(PARSE(&arena, "# only a comment\n", &file, &err), &err);
    assert_null(file->root);
}

static void the_text_given_may_change_after_parsing(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct yaml_file *file;
    struct err err = {0};
    char text[] = "key: value";
    CHECK_OK(yaml_parse(&arena, "x.yaml", text_of(text), &file, &err), &err);
    memset(text, '#', sizeof text - 1);
    assert_string_equal(yaml_get(file->root, "key")->scalar, "value");
    assert_memory_equal(file->bytes.ptr, "key: value", 10);
}

static void duplicate_keys_are_refused_at_any_depth(void **state)
{
    (void)state;
    REFUSED("a: 1\nb: 2\na: 3\n", "3:1", "duplicate key 'a' (first in line 1)");
    REFUSED("l:\n  - {x: 1, \"x\": 2}\n", "2:12", "duplicate key 'x'");
}

static void everything_that_points_elsewhere_is_refused(void **state)
{
    (void)state;
    REFUSED("a: &x [1]\n", "1:4", "anchors");
    REFUSED("a: &x 1\nb: *x\n", "1:4", "anchors");
    REFUSED("a: *x\n", "1:4", "aliases");
    REFUSED("a: !!binary aGk=\n", "1:4", "tags");
    REFUSED("a: ! x\n", "1:4", "tags");
    REFUSED("a: !local {b: 1}\n", "1:4", "tags");
    REFUSED("<<: {a: 1}\n", "1:1", "merge keys");
    REFUSED("a: 1\n---\nb: 1\n", "2:1", "more than one document");
    REFUSED("[a]: 1\n", "1:1", "a key must be a single value, not a list");
}

static void broken_text_is_refused_with_its_place(void **state)
{
    (void)state;
    REFUSED("a: 1\n\tb: 2\n", "2:1", "tab character");
    REFUSED("a:\n\tb: 2\n", "2:1", "cannot start any token");
    REFUSED("a: [1, 2\nb: 3\n", "2:2", "did not find expected ',' or ']'");
    REFUSED("a: \"x\n", "2:1", "unexpected end of stream");
    REFUSED("ab: 1\nc: \0\n", "2:4", "control characters are not allowed (0x00)");
    REFUSED("a: \x1B[2J\n", "1:4", "control characters");
    REFUSED("a: \"\xC3\x28\"\n", "1:6", "UTF-8");
    REFUSED("a: \xED\xA0\x80\n", "1:4", "invalid Unicode character (0xD800)");
    REFUSED("\xEF\xBB\xBF"
            "a: 1\n",
            "1:1", "byte order mark");
    REFUSED("\xFF\xFE"
            "a\0:\0 \0"
            "1\0",
            "1:1", "UTF-8");
    REFUSED("a: \"b\\0c\"\n", "1:4", "NUL");
    REFUSED("a: b: c\n", "1:5", "mapping values are not allowed");
}

/* `count` copies of `piece`, then `end`. */
static struct text repeated(struct arena *arena, const char *piece, size_t count, const char *end)
{
    size_t len = strlen(piece);
    char *text = arena_alloc(arena, len * count + strlen(end) + 1), *at = text;
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, piece);
    (void)stpcpy(at, end);
    return text_of(text);
}

static void depth_size_and_number_of_values_are_limited(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct yaml_file *file;
    struct err err = {0};
    struct text deep = repeated(&arena, "[", 32, "");
    struct text closed = text_of(arena_printf(&arena, "%s%s", deep.ptr, repeated(&arena, "]", 32, "").ptr));
    CHECK_OK(yaml_parse(&arena, "x.yaml", closed, &file, &err), &err);
    expect_refused(repeated(&arena, "[", 33, ""), "x.yaml:1:33: ", "nested more than 32 deep");
    expect_refused(repeated(&arena, "[", 100000, ""), "x.yaml:1:33: ", "nested more than 32 deep");
    expect_refused(repeated(&arena, "- ", 100000, "x"), "x.yaml:1:65: ", "nested more than 32 deep");
    expect_refused(repeated(&arena, "{a: ", 1000, ""), "x.yaml:1:129: ", "nested more than 32 deep");
    CHECK_OK(yaml_parse(&arena, "x.yaml", repeated(&arena, "- x\n", 10000, ""), &file, &err), &err);
    assert_int_equal(file->root->count, 10000);
    expect_refused(repeated(&arena, "- x\n", 10001, ""), "x.yaml:10001:3: ", "more than 10000 items");
    struct text row = repeated(&arena, "x,", 9000, "");
    struct text rows = repeated(&arena, arena_printf(&arena, "- [%s]\n", row.ptr), 12, "");
    expect_refused(rows, "x.yaml:12:", "more than 100000 values");
    expect_refused(repeated(&arena, "#", 1024 * 1024 + 1, ""), "x.yaml:1:1: ", "larger than 1048576 bytes");
    CHECK_OK(yaml_parse(&arena, "x.yaml", repeated(&arena, "#", 1024 * 1024, ""), &file, &err), &err);
}

/* A table with every type. */
struct sample {
    const char *text;
    struct strings list;
    bool is_on;
    uint64_t number;
    uint32_t mode;
    struct yaml_pairs pairs;
    const struct yaml_node *node;
};

static const struct yaml_field sample_fields[] = {
    YAML_FIELD(YAML_STRING, sample, "text", text, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRINGS, sample, "list", list, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_BOOL, sample, "on", is_on, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_NUMBER, sample, "number", number, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_MODE, sample, "mode", mode, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_PAIRS, sample, "pairs", pairs, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_NODE, sample, "node", node, false, ALTERS_NOTHING),
};

static bool read_sample(struct arena *arena, struct text text, struct sample *sample, struct err *err)
{
    struct yaml_file *file;
    return yaml_parse(arena, "x.yaml", text, &file, err) &&
           yaml_read(arena, file->root, sample_fields, ARRAY_COUNT(sample_fields), sample, err);
}

static void expect_unread(struct text text, const char *whole_error)
{
    AUTO(arena_done) struct arena arena = {0};
    struct sample sample = {0};
    struct err err = {0};
    assert_false(read_sample(&arena, text, &sample, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text, whole_error);
}

#define UNREAD(literal, whole_error) expect_unread(TEXT(literal), "x.yaml:" whole_error)

static void a_table_reads_every_type(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct sample sample = {0};
    struct err err = {0};
    CHECK_OK(read_sample(&arena,
                         TEXT("text: no\nlist: [a, \"\"]\non: true\nnumber: 18446744073709551615\nmode: \"4755\"\n"
                              "pairs: {b: 1.10, a: ''}\nnode: [{}]\n"),
                         &sample, &err),
             &err);
    assert_string_equal(sample.text, "no"); /* the schema decides, not the look */
    assert_int_equal(sample.list.count, 2);
    assert_string_equal(sample.list.items[1], "");
    assert_true(sample.is_on);
    assert_true(sample.number == UINT64_MAX);
    assert_int_equal(sample.mode, 04755);
    assert_int_equal(sample.pairs.count, 2);
    assert_string_equal(sample.pairs.items[0].key, "b"); /* in the file's order */
    assert_string_equal(sample.pairs.items[0].value, "1.10");
    assert_int_equal(sample.pairs.items[1].node->column, 21);
    assert_int_equal(sample.node->kind, YAML_SEQUENCE);
}

static void absent_keys_leave_their_fields_alone(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct sample sample = {.text = "before", .mode = 0600};
    struct err err = {0};
    CHECK_OK(read_sample(&arena, TEXT("list: one\n"), &sample, &err), &err);
    assert_string_equal(sample.text, "before");
    assert_int_equal(sample.mode, 0600);
    assert_int_equal(sample.list.count, 1);
    assert_string_equal(sample.list.items[0], "one");
}

static void unknown_keys_name_the_nearest_known_one(void **state)
{
    (void)state;
    UNREAD("nubmer: 1\n", "1:1: unknown key 'nubmer'; did you mean 'number'?");
    UNREAD("text: x\nzzzzzz: 1\n", "2:1: unknown key 'zzzzzz'; known here: text, list, on, number, mode, pairs, node");
    UNREAD("numbers-of-it: 1\n", "1:1: unknown key 'numbers-of-it'; did you mean 'number'?");
    UNREAD("modes-in-octal: 1\nnum: 1\n", "1:1: unknown key 'modes-in-octal'; did you mean 'mode'?");
    UNREAD("num: 1\n", "1:1: unknown key 'num'; known here: text, list, on, number, mode, pairs, node");
    UNREAD("\"te\\ext\": 1\n", "1:1: unknown key 'te\\x1Bxt'; did you mean 'text'?");
}

static void wrong_types_are_refused_with_the_key_and_the_place(void **state)
{
    (void)state;
    UNREAD("text: [a]\n", "1:7: 'text' wants a single value here, not a list");
    UNREAD("text: {version}\n",
           "1:7: 'text' wants a single value here, not a mapping (quote a value that begins with '{')");
    UNREAD("text:\nlist: a\n", "1:6: 'text' has no value (write \"\" for an empty one)");
    UNREAD("text: ~\n", "1:7: 'text' has no value (write \"\" for an empty one)");
    UNREAD("list: {a: b}\n", "1:7: 'list' wants a list, not a mapping");
    UNREAD("list:\n  - a\n  - [b]\n", "3:5: 'list' wants a single value here, not a list");
    UNREAD("list: [a, null]\n", "1:11: 'list' has no value (write \"\" for an empty one)");
    UNREAD("on: yes\n", "1:5: 'on' wants true or false (without quotes), not 'yes'");
    UNREAD("on: \"true\"\n", "1:5: 'on' wants true or false (without quotes), not 'true'");
    UNREAD("number: 0x10\n", "1:9: 'number' wants a decimal number without quotes, not '0x10'");
    UNREAD("number: 010\n", "1:9: 'number' wants a decimal number without quotes, not '010'");
    UNREAD("number: -1\n", "1:9: 'number' wants a decimal number without quotes, not '-1'");
    UNREAD("number: \"1\"\n", "1:9: 'number' wants a decimal number without quotes, not '1'");
    UNREAD("number: 18446744073709551616\n",
           "1:9: 'number' wants a decimal number without quotes, not '18446744073709551616'");
    UNREAD("mode: 0644\n", "1:7: 'mode' wants an octal mode in quotes, such as \"0644\", not 0644 without quotes");
    UNREAD("mode: \"0999\"\n", "1:7: 'mode' wants an octal mode in quotes, such as \"0644\", not 0999");
    UNREAD("mode: \"10000\"\n", "1:7: 'mode' wants an octal mode in quotes, such as \"0644\", not 10000");
    UNREAD("mode: \"\"\n", "1:7: 'mode' wants an octal mode in quotes, such as \"0644\", not ");
    UNREAD("pairs: [a]\n", "1:8: 'pairs' wants a mapping of names to values, not a list");
    UNREAD("pairs: {a: [b]}\n", "1:12: 'a' wants a single value here, not a list");
    UNREAD("pairs: {a: }\n", "1:12: 'a' has no value (write \"\" for an empty one)");
    UNREAD("node:\n", "1:6: 'node' has no value");
    UNREAD("just text\n", "1:1: a mapping (key: value) is wanted here, not a single value");
    UNREAD("- a\n", "1:1: a mapping (key: value) is wanted here, not a list");
}

static void a_missing_required_key_is_named(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const struct yaml_field fields[] = {YAML_FIELD(YAML_STRING, sample, "text", text, true, ALTERS_NOTHING)};
    struct yaml_file *file;
    struct sample sample = {0};
    struct err err = {0};
    CHECK_OK(PARSE(&arena, "\n{}\n", &file, &err), &err);
    assert_false(yaml_read(&arena, file->root, fields, 1, &sample, &err));
    assert_string_equal(err.text, "x.yaml:2:1: key 'text' is missing");
}

static void a_file_is_loaded_and_an_absent_one_is_a_usage_error(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    const char *dir = check_temporary_dir();
    const char *path = arena_printf(&arena, "%s/a.yaml", dir);
    struct yaml_file *file;
    struct err err = {0};
    assert_false(yaml_load(&arena, path, &file, &err));
    CHECK_ERR(&err, ERR_USAGE, "a.yaml: no such file");
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    (void)fputs("a: 1\n", stream);
    (void)fclose(stream);
    err_clear(&err);
    CHECK_OK(yaml_load(&arena, path, &file, &err), &err);
    assert_string_equal(yaml_get(file->root, "a")->scalar, "1");
    assert_string_equal(file->path, path);
    assert_false(yaml_load(&arena, dir, &file, &err));
    CHECK_ERR(&err, ERR_LOCAL, dir);
    assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
    err_clear(&err);
    assert_false(yaml_load(&arena, path, &file, &err));
    CHECK_ERR(&err, ERR_USAGE, "a.yaml:1:1: ");
    struct strings stems;
    const char *others[] = {"b.yml", ".hidden.yaml", "0.yaml", "README.md"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        stream = fopen(arena_printf(&arena, "%s/%s", dir, others[i]), "w");
        assert_non_null(stream);
        (void)fclose(stream);
    }
    err_clear(&err);
    CHECK_OK(yaml_stems(&arena, dir, &stems, &err), &err);
    assert_string_equal(strings_join(&arena, &stems, " "), "0 a");
    CHECK_OK(yaml_load(&arena, arena_printf(&arena, "%s/0.yaml", dir), &file, &err), &err);
    assert_null(file->root);
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        (void)unlink(arena_printf(&arena, "%s/%s", dir, others[i]));
    (void)unlink(path);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_have_kind_value_quotes_and_place),
        cmocka_unit_test(an_empty_file_has_no_root),
        cmocka_unit_test(the_text_given_may_change_after_parsing),
        cmocka_unit_test(duplicate_keys_are_refused_at_any_depth),
        cmocka_unit_test(everything_that_points_elsewhere_is_refused),
        cmocka_unit_test(broken_text_is_refused_with_its_place),
        cmocka_unit_test(depth_size_and_number_of_values_are_limited),
        cmocka_unit_test(a_table_reads_every_type),
        cmocka_unit_test(absent_keys_leave_their_fields_alone),
        cmocka_unit_test(unknown_keys_name_the_nearest_known_one),
        cmocka_unit_test(wrong_types_are_refused_with_the_key_and_the_place),
        cmocka_unit_test(a_missing_required_key_is_named),
        cmocka_unit_test(a_file_is_loaded_and_an_absent_one_is_a_usage_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
