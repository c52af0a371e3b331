/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "bill/bill.h"

static struct bill make_bill(struct arena *arena)
{
    struct bill bill = {.format = BILL_FORMAT,
                        .inputs = {.encoder = "libdeflate 1.14 level 5", .compression = PACKING_GZIP, .name = "dhcpd"},
                        .manifest = digest_of("m", 1),
                        .facts = {.name = "dhcpd",
                                  .arch = "x86_64",
                                  .package = "isc-dhcp-server",
                                  .full_version = "4.4.3-P1-2",
                                  .version = "4.4.3-P1",
                                  .release = "2",
                                  .source_package = "isc-dhcp",
                                  .source_version = "4.4.3-P1-2",
                                  .created_time = 1700000000},
                        .unpacked_bytes = 15,
                        .package_count = 1};
    struct bill_source *source = arena_new(arena, struct bill_source);
    source->name = "host";
    struct bill_repository repository = {.name = "stable",
                                         .uri = "http://x/",
                                         .codename = "bookworm",
                                         .date = 1700000000,
                                         .digest = digest_of("r", 1),
                                         .place = "http://x/",
                                         .suite = "stable",
                                         .from = "http://x/",
                                         .file = digest_of("f", 1)};
    list_add(arena, &repository.indices, (struct bill_index){"main/binary-amd64/Packages.xz", "sha256:00", 5});
    list_add(arena, &source->repositories, repository);
    list_add(arena, &source->absent, (struct bill_absent){"http://y/", "stable"});
    bill.source = source;
    list_add(arena, &bill.layers,
             (struct bill_layer){
                 {LAYER_GZIP, digest_of("a", 1), digest_of("b", 1), 10, 20, {{{0}}, 0, 0, 0, 0, 0, 0, false}},
                 "libdeflate 1.14 level 5",
                 digest_of("e", 1)});
    list_add(arena, &bill.layers,
             (struct bill_layer){
                 {LAYER_ZSTD, digest_of("c", 1), digest_of("d", 1), 3, 4, {digest_of("t", 1), 1, 2, 3, 4, 5, 6, false}},
                 "z",
                 {{0}}});
    list_add(arena, &bill.packages,
             (struct bill_package){"libc6", "2.36-9", "amd64", "file:/x.deb", "glibc", "2.36-9", NULL, "main", 5,
                                   digest_of("c", 1), true});
    list_add(arena, &bill.files,
             (struct bill_file){"/usr/sbin/dhcpd", "isc-dhcp-server", "binary", NULL, NODE_FILE, 04755, 1, 2, 7,
                                digest_of("f", 1), NULL, "0100"});
    list_add(arena, &bill.files,
             (struct bill_file){.path = "/etc/\"\\\n\xC3\xBC",
                                .why = "users",
                                .by = "/usr/sbin/dhcpd",
                                .kind = NODE_SYMLINK,
                                .target = "x"});
    list_add(arena, &bill.sonames, (struct bill_soname){"/usr/lib/libsasl2.so.2", "libsasl2.so.2"});
    struct opener opener = {.path = "/usr/lib/libsasl2.so.2", .feature = "sasl"};
    list_add(arena, &opener.absent, "/usr/lib/sasl2");
    list_add(arena, &bill.openers, opener);
    struct bill_choice choice = {.path = "/usr/sbin/dhcpd", .package = "isc-dhcp-server", .why = "fewest"};
    list_add(arena, &choice.others, "isc-dhcp-server-ldap");
    list_add(arena, &bill.choices, choice);
    list_add(arena, &bill.wanted, (struct bill_wish){.kind = BILL_BINARY, .name = "/sbin/dhcpd", .by = "the manifest"});
    struct bill_wish wish = {.kind = BILL_FILE, .name = "/etc/*", .by = "the recipe isc-dhcp-server"};
    list_add(arena, &wish.from, "isc-dhcp-server");
    list_add(arena, &bill.wanted, wish);
    list_add(arena, &bill.wanted, (struct bill_wish){.kind = BILL_PACKAGE, .name = "libc6", .by = "the feature libc"});
    list_add(arena, &bill.wanted, (struct bill_wish){.kind = BILL_MADE_FILE, .name = "/etc/x", .by = "the feature x"});
    list_add(arena, &bill.unloadable, "/usr/lib/x/plugin.so");
    list_add(arena, &bill.process.env, (struct yaml_pair){"Z", "1", NULL});
    list_add(arena, &bill.process.env, (struct yaml_pair){"A", "2", NULL});
    struct contract *contract = arena_new(arena, struct contract);
    contract->network = CONTRACT_HOST;
    list_add(arena, &contract->capabilities, "NET_RAW");
    list_add(arena, &contract->limits, (struct yaml_pair){"nofile", "5", NULL});
    list_add(arena, &contract->host,
             (struct contract_mount){.host = "/a", .path = "/b", .kind = CONTRACT_FILE, .mode = 0640, .uid = 7});
    bill.contract = contract;
    bill_note(arena, &bill, "the user x of a file is known nowhere");
    bill_note(arena, &bill, "the user x of a file is known nowhere");
    return bill;
}

static struct text written(struct arena *arena, const struct bill *bill)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, BILL_MAX_BYTES);
    assert_true(bill_write(bill, &text));
    return (struct text){arena_strndup(arena, text.bytes, text.len), text.len};
}

static void a_bill_reads_back_as_it_was_written(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct bill bill = make_bill(&arena), again;
    struct text text = written(&arena, &bill);
    assert_true(bill_read(&arena, text, &again));
    assert_string_equal(written(&arena, &again).ptr, text.ptr);
    assert_int_equal(again.layers.items[1].layer.compression, LAYER_ZSTD);
    assert_int_equal(bill_layer_bytes(&again), 13);
    assert_int_equal(bill_layers(&arena, &again).count, 2);
    assert_int_equal(again.files.items[0].mode, 04755);
    assert_int_equal(again.files.items[1].kind, NODE_SYMLINK);
    assert_null(again.files.items[1].package);
    assert_string_equal(again.files.items[1].path, "/etc/\"\\\n\xC3\xBC");
    assert_ptr_equal(bill_find(&again, "/usr/sbin/dhcpd"), &again.files.items[0]);
    assert_string_equal(bill_find_package(&again, "libc6")->source_package, "glibc");
    assert_string_equal(again.process.env.items[0].key, "Z");
    assert_int_equal(again.wanted.count, 4);
    assert_int_equal(again.wanted.items[2].kind, BILL_PACKAGE);
    assert_string_equal(again.wanted.items[1].from.items[0], "isc-dhcp-server");
    assert_int_equal(again.contract->network, CONTRACT_HOST);
    assert_string_equal(again.contract->capabilities.items[0], "NET_RAW");
    assert_string_equal(again.contract->limits.items[0].value, "5");
    assert_int_equal(again.contract->host.items[0].mode, 0640);
    assert_null(again.contract->health.interval);
    assert_null(again.proof);
    assert_int_equal(again.notes.count, 1);
    assert_string_equal(again.unloadable.items[0], "/usr/lib/x/plugin.so");
    struct bill_proof proof = {.file_count = 3};
    bill.proof = &proof;
    assert_true(bill_read(&arena, written(&arena, &bill), &again));
    assert_int_equal(again.proof->file_count, 3);
}

static void a_file_is_wanted_by_the_giver_of_the_first_wish_that_names_it(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct bill bill = make_bill(&arena);
    const struct {
        const char *path, *package, *by, *wanted_by;
    } cases[] = {{"/usr/sbin/dhcpd", "isc-dhcp-server", NULL, "the manifest"},
                 {"/etc/dhcp", "isc-dhcp-server", NULL, "the recipe isc-dhcp-server"},
                 {"/etc/dhcp", "isc-dhcp-server", "/usr/sbin/dhcpd", NULL},
                 {"/etc/dhcp", "another", NULL, NULL},
                 {"/etc/ld.so.conf", "libc6", NULL, "the feature libc"},
                 {"/etc/x", NULL, NULL, "the feature x"},
                 {"/etc/y", NULL, NULL, NULL},
                 {"/usr/sbin/dhcpd", NULL, NULL, NULL}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bill_file file = {.path = cases[i].path, .package = cases[i].package, .by = cases[i].by};
        const char *wanted_by = bill_wanted_by(&bill, &file);
        assert_string_equal(wanted_by ? wanted_by : "nobody", cases[i].wanted_by ? cases[i].wanted_by : "nobody");
    }
}

static void bytes_that_are_no_text_are_written_as_their_numbers(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct bill bill = make_bill(&arena), again;
    bill.files.items[0].path = "/caf\xE9\xC3\xBC\x01";
    assert_true(bill_read(&arena, written(&arena, &bill), &again));
    assert_string_equal(again.files.items[0].path, "/caf\\xE9\xC3\xBC\x01");
}

static void documents_without_a_table_have_texts_as_a_bill_has_them(void **state)
{
    (void)state;
    const char *strings[] = {"\xC3\xBC\n", "caf\xE9", ""};
    json_t *array = record_strings(&(struct strings){.items = strings, .count = ARRAY_COUNT(strings)});
    char *text = json_dumps(array, JSON_COMPACT);
    assert_string_equal(text, "[\"\xC3\xBC\\n\",\"caf\\\\xE9\",\"\"]");
    assert_true(json_is_null(record_text(NULL)));
    free(text);
    json_decref(array);
}

static void expect_refused(struct arena *arena, json_t *json)
{
    struct bill ignored;
    char *text = json_dumps(json, JSON_COMPACT);
    assert_non_null(text);
    assert_false(bill_read(arena, text_of(text), &ignored));
    free(text);
}

/* Refuses the document with each member of an object gone, of another type, or one too many. */
static void break_each(struct arena *arena, json_t *root, json_t *object)
{
    struct strings keys = {0};
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) list_add(arena, &keys, arena_strdup(arena, key));
    json_object_set_new(object, "unknown", json_true());
    expect_refused(arena, root);
    json_object_del(object, "unknown");
    for (size_t i = 0; i < keys.count; i++) {
        json_t *former = json_incref(json_object_get(object, keys.items[i]));
        json_object_set_new(object, keys.items[i], json_real(0.5));
        expect_refused(arena, root);
        json_object_del(object, keys.items[i]);
        expect_refused(arena, root);
        json_object_set_new(object, keys.items[i], former);
    }
}

static void a_bill_with_any_part_gone_or_mistyped_or_unknown_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct bill bill = make_bill(&arena), again;
    struct bill_proof proof = {0};
    bill.proof = &proof;
    struct text text = written(&arena, &bill);
    json_t *json = json_loadb(text.ptr, text.len, 0, NULL);
    assert_non_null(json);
    break_each(&arena, json, json);
    const char *const lists[] = {"layers", "files", "selection", "choices", "wanted", "opens_at_run_time"};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++)
        break_each(&arena, json, json_array_get(json_object_get(json, lists[i]), 0));
    break_each(&arena, json, json_object_get(json, "inputs"));
    break_each(&arena, json, json_object_get(json, "source"));
    break_each(&arena, json, json_object_get(json, "proof"));
    json_object_set_new(json, "format", json_integer(BILL_FORMAT + 1));
    expect_refused(&arena, json);
    json_decref(json);
    assert_false(bill_read(&arena, (struct text){text.ptr, text.len - 1}, &again));
    assert_false(bill_read(&arena, TEXT("[]"), &again));
    const char *twice = arena_printf(&arena, "{\"format\":%d,%s", BILL_FORMAT, text.ptr + 1);
    assert_false(bill_read(&arena, text_of(twice), &again));
}

static void a_document_of_more_values_than_the_parser_shall_hold_is_neither_written_nor_read(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        AUTO(arena_done) struct arena arena = {0};
        struct bill bill = make_bill(&arena), again;
        struct text text = written(&arena, &bill), written_again;
        size_t count = BILL_MAX_VALUES + extra;
        for (size_t i = 0; i < text.len; i++)
            count -= strchr(",[{", text.ptr[i]) != NULL;
        char *commas = arena_alloc(&arena, count);
        memset(commas, ',', count);
        commas[count - 1] = '\0'; /* a note of its own has one more, between the two */
        bill_note(&arena, &bill, commas);
        assert_int_equal(bill_read(&arena, written(&arena, &bill), &again), !extra);
        assert_int_equal(bill_text(&arena, &bill, &written_again), !extra);
    }
}

static void values_out_of_bounds_are_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct bill bill = make_bill(&arena);
    struct text text = written(&arena, &bill);
    const struct {
        const char *list, *key, *value;
    } cases[] = {{"files", "mode", "\"4755x\""},
                 {"files", "mode", "\"755\""},
                 {"files", "mode", "\"17777\""},
                 {"files", "uid", "4294967296"},
                 {"files", "uid", "-1"},
                 {"files", "size", "-1"},
                 {"files", "kind", "\"fifo\""},
                 {"files", "digest", "\"sha256:\""},
                 {"files", "digest", "\"md5:00\""},
                 {"layers", "media_type", "\"x\""},
                 {"layers", "digest", "null"},
                 {"wanted", "kind", "\"x\""},
                 {"wanted", "by", "null"},
                 {"files", "path", "null"}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *json = json_loadb(text.ptr, text.len, 0, NULL);
        json_t *item = json_array_get(json_object_get(json, cases[i].list), 0);
        json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        json_object_set_new(item, cases[i].key, value);
        expect_refused(&arena, json);
        json_decref(json);
    }
}

/* When this fails, the document has another shape: raise BILL_FORMAT, and put the new shape's digest here. */
static void the_shape_of_the_document_is_that_of_its_format(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf shape;
    buf_init(&shape, 1 << 20);
    assert_true(bill_shape(&shape));
    struct digest digest = digest_of(shape.bytes, shape.len);
    assert_int_equal(BILL_FORMAT, 11);
    if (strcmp(digest_hex(&digest).chars, "0a3980d52b0f942bd73a4f57109e12187ad3b713211a9e519f809c6c2f9a62b6") != 0)
        fail_msg("%s is the digest of another shape than that of format %d:\n%s", digest_hex(&digest).chars,
                 BILL_FORMAT, shape.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bill_reads_back_as_it_was_written),
        cmocka_unit_test(a_file_is_wanted_by_the_giver_of_the_first_wish_that_names_it),
        cmocka_unit_test(bytes_that_are_no_text_are_written_as_their_numbers),
        cmocka_unit_test(documents_without_a_table_have_texts_as_a_bill_has_them),
        cmocka_unit_test(a_bill_with_any_part_gone_or_mistyped_or_unknown_is_refused),
        cmocka_unit_test(a_document_of_more_values_than_the_parser_shall_hold_is_neither_written_nor_read),
        cmocka_unit_test(values_out_of_bounds_are_refused),
        cmocka_unit_test(the_shape_of_the_document_is_that_of_its_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
