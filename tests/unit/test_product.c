#include "check.h"

#include "base/auto.h"
#include "bill/product.h"

static struct product make_product(struct arena *arena)
{
    struct product product = {.facts = {.package = "isc-dhcp-server",
                                        .full_version = "4.4.3-P1-2",
                                        .version = "4.4.3-P1",
                                        .release = "2",
                                        .source_package = "isc-dhcp",
                                        .source_version = "4.4.3-P1-2",
                                        .created_time = 1700000000},
                              .layer = {.compression = LAYER_GZIP,
                                        .digest = digest_of("a", 1),
                                        .diff_id = digest_of("b", 1),
                                        .size_bytes = 10,
                                        .tar_bytes = 20},
                              .encoder = {.name = "libdeflate 1.14 level 5", .code = digest_of("e", 1)},
                              .unpacked_bytes = 15,
                              .package_count = 1};
    list_add(arena, &product.packages,
             (struct product_package){"libc6", "2.36-9", "amd64", "file:/x.deb", "main", 5, digest_of("c", 1), true});
    list_add(arena, &product.files, (struct product_file){"/usr/sbin/dhcpd", "isc-dhcp-server", "binary", NULL});
    list_add(arena, &product.files, (struct product_file){"/etc/passwd", NULL, "users", "/usr/sbin/dhcpd"});
    struct opener opener = {.path = "/usr/lib/libsasl2.so.2", .feature = "sasl"};
    list_add(arena, &opener.absent, "/usr/lib/sasl2");
    list_add(arena, &product.openers, opener);
    struct product_choice choice = {.path = "/usr/sbin/dhcpd", .package = "isc-dhcp-server", .why = "fewest"};
    list_add(arena, &choice.others, "isc-dhcp-server-ldap");
    list_add(arena, &product.choices, choice);
    product_note(arena, &product, "the user x of a file is known nowhere");
    product_note(arena, &product, "the user x of a file is known nowhere");
    return product;
}

static void a_product_reads_back_as_it_was_written(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct product product = make_product(&arena), again;
    json_t *json = product_to_json(&product);
    assert_true(product_from_json(&arena, json, &again));
    json_t *second = product_to_json(&again);
    assert_true(json_equal(json, second));
    assert_int_equal(again.layer.compression, LAYER_GZIP);
    assert_null(again.files.items[1].package);
    assert_string_equal(again.files.items[1].by, "/usr/sbin/dhcpd");
    assert_string_equal(again.openers.items[0].absent.items[0], "/usr/lib/sasl2");
    assert_int_equal(again.notes.count, 1);
    assert_string_equal(again.notes.items[0], product.notes.items[0]);
    json_decref(json);
    json_decref(second);
}

static void a_product_with_any_part_gone_or_mistyped_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct product product = make_product(&arena), again;
    const char *const keys[] = {
        "layer",      "diff_id", "compressed_bytes",  "unpacked_bytes", "selection",   "files", "created", "choices",
        "media_type", "notes",   "opens_at_run_time", "encoder",        "encoder_code"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        json_t *json = product_to_json(&product);
        json_object_del(json, keys[i]);
        assert_false(product_from_json(&arena, json, &again));
        json_object_set_new(json, keys[i], json_true());
        assert_false(product_from_json(&arena, json, &again));
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_reads_back_as_it_was_written),
        cmocka_unit_test(a_product_with_any_part_gone_or_mistyped_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
