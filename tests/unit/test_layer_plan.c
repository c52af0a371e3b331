/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "layer/layer_cut.h"
#include "line/layering.h"

#define KB ((uint64_t)1 << 10)

/* --- the file --- */

static void numbers_of_layers_are_words(void **state)
{
    static const char *const bad[] = {"", "0", "101", "-1", "1.5", "Auto", "auto ", "1x", "99999999999999999999"};
    size_t layers;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(layers_parse(bad[i], &layers));
    assert_true(layers_parse("1", &layers));
    assert_int_equal(layers, 1);
    assert_true(layers_parse("100", &layers));
    assert_int_equal(layers, 100);
    assert_true(layers_parse("auto", &layers));
    assert_int_equal(layers, LAYERS_AUTO);
}

static void a_plan_reads_back_as_it_was_written(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text;
    struct layer_plan plan, again;
    struct err err = {0};
    (void)state;
    CHECK_OK(layer_plan_read(&arena, "p",
                             TEXT("# what\n\nglibc 18 3127296 # the lowest\n\tgcc-12\t6 2315752\r\n"
                                  "glibc 9 900 libm.so*\tlibmvec.so* # some have\n"),
                             &plan, &err),
             &err);
    assert_int_equal(plan.count, 3);
    assert_string_equal(plan.items[1].source, "gcc-12");
    buf_init(&text, LAYER_PLAN_MAX_BYTES);
    assert_true(layer_plan_write(&plan, &text));
    CHECK_OK(layer_plan_read(&arena, "p", buf_text(&text), &again, &err), &err);
    struct strings first = layer_plan_lines(&arena, &plan), second = layer_plan_lines(&arena, &again);
    assert_true(strings_same(&first, &second));
    assert_string_equal(first.items[0], "glibc 18 3127296");
    assert_string_equal(first.items[2], "glibc 9 900 libm.so* libmvec.so*");
    CHECK_OK(layer_plan_read(&arena, "p", TEXT(""), &again, &err), &err);
    assert_int_equal(again.count, 0);
}

static void a_line_that_is_none_is_refused_with_its_number(void **state)
{
    static const char *const bad[] = {"glibc",
                                      "glibc 1",
                                      "glibc 1 2 lib/c.so",
                                      "glibc 1 2 *",
                                      "glibc 1 2 lib*.so",
                                      "glibc 1 2 lib**",
                                      "glibc 1 2 lib?.so",
                                      "glibc 1 2 a* b a*",
                                      "glibc 1 2 a b c d e f g h i j k l m n o p q",
                                      "glibc 1 2 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                      "glibc 0 5",
                                      "glibc -1 5",
                                      "glibc 1 5000000000",
                                      "glibc 5000000000 1",
                                      "../x 1 5",
                                      "a\x01b 1 5",
                                      "glibc 1 five",
                                      "glibc 1 99999999999999999999999"};
    AUTO(arena_done) struct arena arena = {0};
    struct layer_plan plan;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct err err = {0};
        assert_false(
            layer_plan_read(&arena, "my.layers", text_of(arena_printf(&arena, "# x\n%s\n", bad[i])), &plan, &err));
        CHECK_ERR(&err, ERR_USAGE, "my.layers:2: the line is not a source package");
    }
    struct err err = {0};
    assert_false(layer_plan_read(&arena, "p", TEXT("a 1 2\nb 1 2\na 3 4\n"), &plan, &err));
    CHECK_ERR(&err, ERR_USAGE, "p:3: the line is of the same files as an earlier line");
    struct err again = {0};
    assert_false(layer_plan_read(&arena, "p", TEXT("a 1 2 x\na 1 2\na 1 2 y\na 3 4 x\n"), &plan, &again));
    CHECK_ERR(&again, ERR_USAGE, "p:4: the line is of the same files as an earlier line");
    AUTO(buf_done) struct buf many;
    buf_init(&many, LAYER_PLAN_MAX_BYTES);
    for (int i = 0; i <= LAYER_PLAN_MAX; i++)
        assert_true(buf_printf(&many, "p%d 1 1\n", i));
    struct err too_many = {0};
    assert_false(layer_plan_read(&arena, "p", buf_text(&many), &plan, &too_many));
    CHECK_ERR(&too_many, ERR_USAGE, "p:1001: the line is one too many");
}

static void a_file_has_one_name_whatever_its_version(void **state)
{
    static const char *const names[][2] = {{"libssl.so.3", "libssl.so*"},
                                           {"libfoo.so", "libfoo.so*"},
                                           {"libisc-9.18.49-1~deb12u3-Debian.so", "libisc-*"},
                                           {"libdb-5.3.so", "libdb-*"},
                                           {"ld-linux-x86-64.so.2", "ld-linux-x86-*"},
                                           {"libstdc++.so.6.0.30", "libstdc++.so*"},
                                           {"lib-.so.1", "lib-.so*"},
                                           {"nginx", "nginx"},
                                           {"python3.11", "python3.11"},
                                           {"x.source", "x.source"},
                                           {".so", ".so*"},
                                           {"a b", NULL},
                                           {"a*", "a*"},
                                           {"a*b", NULL},
                                           {"#a", NULL},
                                           {"", NULL},
                                           {"r\xc3\xa9sum\xc3\xa9", NULL}};
    AUTO(arena_done) struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const char *name = layer_plan_name_of(&arena, names[i][0]);
        assert_true(names[i][1] ? name && strcmp(name, names[i][1]) == 0 : !name);
    }
}

static void a_file_is_of_the_line_that_names_it_best_else_of_the_one_without_names(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    struct layer_plan plan;
    struct layer_index index;
    struct err err = {0};
    (void)state;
    CHECK_OK(layer_plan_read(&arena, "p",
                             TEXT("openssl 1 1\nother 1 1 only\nopenssl 1 1 libssl.so* x\nopenssl 1 1 lib*\n"), &plan,
                             &err),
             &err);
    layer_index_make(&arena, &plan, &index);
    assert_ptr_equal(layer_index_find(&index, "openssl", "libssl.so.3"), &plan.items[2]);
    assert_ptr_equal(layer_index_find(&index, "openssl", "libcrypto.so.3"), &plan.items[3]);
    assert_ptr_equal(layer_index_find(&index, "openssl", "x"), &plan.items[2]);
    assert_ptr_equal(layer_index_find(&index, "openssl", "xy"), &plan.items[0]);
    assert_ptr_equal(layer_index_find(&index, "other", "only"), &plan.items[1]);
    assert_null(layer_index_find(&index, "other", "else"));
    assert_null(layer_index_find(&index, "absent", "only"));
    /* Whatever the order of lines. */
    CHECK_OK(layer_plan_read(&arena, "p", TEXT("p 1 1 lib*\np 1 1 libx-*\np 1 1 libx-posix.so* libx-9\n"), &plan, &err),
             &err);
    layer_index_make(&arena, &plan, &index);
    assert_ptr_equal(layer_index_find(&index, "p", "libx-posix.so.3"), &plan.items[2]);
    assert_ptr_equal(layer_index_find(&index, "p", "libx-8.so.0"), &plan.items[1]);
    assert_ptr_equal(layer_index_find(&index, "p", "libx-9"), &plan.items[2]);
    assert_ptr_equal(layer_index_find(&index, "p", "liby.so.1"), &plan.items[0]);
}

/* --- the cut --- */

struct cutter {
    struct arena arena;
    struct tree tree;
    struct layer_plan plan;
    struct map sources;
};

static struct package libc = {.name = "libc6"}, ssl = {.name = "libssl3"}, icu = {.name = "libicu72"},
                      served = {.name = "served"};

static int set_up(void **state)
{
    static const struct node nodes[] = {
        {.path = "/bin", .kind = NODE_SYMLINK, .target = "usr/bin", .claim = CLAIM_WEAK},
        {.path = "/etc", .kind = NODE_DIRECTORY, .mode = 0755, .mtime = 900},
        {.path = "/etc/passwd", .kind = NODE_FILE, .size_bytes = 10, .claim = CLAIM_DATABASE, .mtime = 900},
        {.path = "/usr", .kind = NODE_DIRECTORY, .mode = 0755, .mtime = 900},
        {.path = "/usr/bin", .kind = NODE_DIRECTORY, .mode = 0755, .mtime = 900},
        {.path = "/usr/bin/other", .kind = NODE_HARDLINK, .target = "/usr/bin/served", .package = &libc, .mtime = 300},
        {.path = "/usr/bin/served", .kind = NODE_FILE, .size_bytes = 300 * KB, .package = &served, .mtime = 300},
        {.path = "/usr/lib", .kind = NODE_DIRECTORY, .mode = 0711, .uid = 7, .mtime = 900, .package = &libc},
        {.path = "/usr/lib/libc.so.6", .kind = NODE_FILE, .size_bytes = 2000 * KB, .package = &libc, .mtime = 100},
        {.path = "/usr/lib/libicu.so", .kind = NODE_SYMLINK, .target = "libicu.so.72", .package = &icu, .mtime = 250},
        {.path = "/usr/lib/libicu.so.72", .kind = NODE_FILE, .size_bytes = 900 * KB, .package = &icu, .mtime = 200},
        {.path = "/usr/lib/libssl.so.3", .kind = NODE_FILE, .size_bytes = 700 * KB, .package = &ssl, .mtime = 150},
        {.path = "/usr/lib/made",
         .kind = NODE_FILE,
         .size_bytes = 5,
         .package = &ssl,
         .claim = CLAIM_OWN,
         .mtime = 900},
    };
    struct cutter *cutter = calloc(1, sizeof *cutter);
    struct err err = {0};
    cutter->tree.nodes = arena_new_array(&cutter->arena, struct node, ARRAY_COUNT(nodes));
    memcpy(cutter->tree.nodes, nodes, sizeof nodes);
    cutter->tree.count = ARRAY_COUNT(nodes);
    cutter->tree.created_time = 900;
    cutter->sources.arena = &cutter->arena;
    map_set(&cutter->sources, text_of("libc6"), (char *)"glibc");
    map_set(&cutter->sources, text_of("libssl3"), (char *)"openssl");
    map_set(&cutter->sources, text_of("libicu72"), (char *)"icu");
    CHECK_OK(layer_plan_read(&cutter->arena, "p",
                             TEXT("glibc 9 2000000\nabsent 9 9999999\nopenssl 5 700000\nicu 1 900000\n"), &cutter->plan,
                             &err),
             &err);
    *state = cutter;
    return 0;
}

static int tear_down(void **state)
{
    struct cutter *cutter = *state;
    arena_done(&cutter->arena);
    free(cutter);
    return 0;
}

static struct tree *cut(struct cutter *cutter, size_t most, size_t *ret_count)
{
    struct layer_cut_request request = {
        .tree = &cutter->tree, .most = most, .plan = &cutter->plan, .sources = &cutter->sources};
    return layer_cut(&cutter->arena, &request, ret_count);
}

/* The paths of a tree in one line, directories with a '/' behind. */
static const char *paths_of(struct cutter *cutter, const struct tree *tree)
{
    struct strings paths = {0};
    for (size_t i = 0; i < tree->count; i++)
        list_add(&cutter->arena, &paths,
                 arena_printf(&cutter->arena, "%s%s", tree->nodes[i].path,
                              tree->nodes[i].kind == NODE_DIRECTORY ? "/" : ""));
    return strings_join(&cutter->arena, &paths, " ");
}

static void a_tree_is_cut_by_the_plan_and_what_is_made_lies_on_top(void **state)
{
    struct cutter *cutter = *state;
    size_t count;
    struct tree *trees = cut(cutter, 10, &count);
    assert_int_equal(count, 5);
    assert_string_equal(paths_of(cutter, &trees[0]), "/usr/ /usr/lib/ /usr/lib/libc.so.6");
    assert_string_equal(paths_of(cutter, &trees[1]), "/usr/ /usr/lib/ /usr/lib/libssl.so.3");
    assert_string_equal(paths_of(cutter, &trees[2]), "/usr/ /usr/lib/ /usr/lib/libicu.so /usr/lib/libicu.so.72");
    assert_string_equal(paths_of(cutter, &trees[3]), "/usr/ /usr/bin/ /usr/bin/other /usr/bin/served");
    assert_string_equal(paths_of(cutter, &trees[4]), "/bin /etc/ /etc/passwd /usr/ /usr/bin/ /usr/lib/ /usr/lib/made");
    assert_int_equal(trees[0].unpacked_bytes, 2000 * KB);
    assert_int_equal(trees[2].file_count, 2);
}

static void directories_below_the_top_have_the_time_of_what_is_in_them_and_else_stay_as_they_are(void **state)
{
    struct cutter *cutter = *state;
    size_t count;
    struct tree *trees = cut(cutter, 10, &count);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(trees[2].nodes[i].mtime, 250);
        assert_int_equal(trees[4].nodes[3].mtime, 900);
    }
    assert_int_equal(trees[2].nodes[1].mode, 0711);
    assert_int_equal(trees[2].nodes[1].uid, 7);
    assert_int_equal(cutter->tree.nodes[7].mtime, 900);
    /* So the layer is the same in an image whose directories are of another day. */
    for (size_t i = 0; i < cutter->tree.count; i++)
        cutter->tree.nodes[i].mtime = cutter->tree.nodes[i].mtime == 900 ? 950 : cutter->tree.nodes[i].mtime;
    struct tree *others = cut(cutter, 10, &count);
    for (size_t i = 0; i < others[2].count; i++)
        assert_int_equal(others[2].nodes[i].mtime, trees[2].nodes[i].mtime);
}

static void of_too_many_the_most_shared_get_layers_in_the_order_of_the_plan(void **state)
{
    struct cutter *cutter = *state;
    size_t count;
    struct tree *trees = cut(cutter, 4, &count);
    assert_int_equal(count, 4);
    assert_string_equal(paths_of(cutter, &trees[0]), "/usr/ /usr/lib/ /usr/lib/libc.so.6");
    assert_string_equal(paths_of(cutter, &trees[1]), "/usr/ /usr/lib/ /usr/lib/libssl.so.3");
    cutter->plan.items[3].images = 50;
    trees = cut(cutter, 3, &count);
    assert_int_equal(count, 3);
    assert_non_null(strstr(paths_of(cutter, &trees[0]), "libicu"));
    trees = cut(cutter, 4, &count);
    assert_non_null(strstr(paths_of(cutter, &trees[0]), "libc.so.6")); /* the plan's order, whatever the shares */
    assert_non_null(strstr(paths_of(cutter, &trees[1]), "libicu"));
}

static void a_line_with_names_has_a_layer_of_these_files_and_what_leads_to_them(void **state)
{
    struct cutter *cutter = *state;
    struct layer_plan *plan = &cutter->plan;
    struct err err = {0};
    size_t count;
    CHECK_OK(layer_plan_read(&cutter->arena, "p",
                             TEXT("icu 9 900000 libicu.so*\nglibc 9 2000000\nopenssl 1 1 libcrypto.so*\n"), plan, &err),
             &err);
    struct tree *trees = cut(cutter, 10, &count);
    assert_int_equal(count, 4);
    assert_string_equal(paths_of(cutter, &trees[0]), "/usr/ /usr/lib/ /usr/lib/libicu.so /usr/lib/libicu.so.72");
    assert_string_equal(paths_of(cutter, &trees[1]), "/usr/ /usr/lib/ /usr/lib/libc.so.6");
    assert_non_null(strstr(paths_of(cutter, &trees[2]), "/usr/lib/libssl.so.3")); /* no line is of it */
}

static void one_and_two_layers_need_no_plan(void **state)
{
    struct cutter *cutter = *state;
    struct layer_cut_request request = {.tree = &cutter->tree, .most = 1};
    size_t count;
    struct tree *trees = layer_cut(&cutter->arena, &request, &count);
    assert_int_equal(count, 1);
    assert_ptr_equal(trees[0].nodes, cutter->tree.nodes);
    request.most = 2;
    request.sources = &cutter->sources;
    trees = layer_cut(&cutter->arena, &request, &count);
    assert_int_equal(count, 2);
    assert_non_null(strstr(paths_of(cutter, &trees[0]), "/usr/bin/served /usr/lib/ /usr/lib/libc.so.6"));
    assert_null(strstr(paths_of(cutter, &trees[1]), "libc.so.6"));
}

static void what_is_small_goes_one_layer_up(void **state)
{
    struct cutter *cutter = *state;
    size_t count;
    cutter->tree.nodes[11].size_bytes = LAYER_LEAST_BYTES - 1; /* openssl */
    struct tree *trees = cut(cutter, 10, &count);
    assert_int_equal(count, 4);
    assert_string_equal(paths_of(cutter, &trees[2]),
                        "/usr/ /usr/bin/ /usr/bin/other /usr/bin/served /usr/lib/ /usr/lib/libssl.so.3");
    cutter->tree.nodes[6].size_bytes = 1; /* the service, but not with openssl's */
    cutter->tree.nodes[11].size_bytes = LAYER_LEAST_BYTES - 2;
    trees = cut(cutter, 10, &count);
    assert_int_equal(count, 3);
    assert_non_null(strstr(paths_of(cutter, &trees[2]), "/usr/lib/libssl.so.3"));
    for (size_t i = 0; i < cutter->tree.count; i++)
        cutter->tree.nodes[i].size_bytes = 1;
    trees = cut(cutter, 10, &count);
    assert_int_equal(count, 1);
    assert_int_equal(trees[0].count, cutter->tree.count);
}

static void what_replaces_or_removes_files_of_a_base_lies_on_top(void **state)
{
    struct cutter *cutter = *state;
    size_t count;
    cutter->tree.nodes[12] = (struct node){
        .path = "/usr/lib/.wh.old", .kind = NODE_FILE, .package = &ssl, .is_whiteout = true, .mtime = 900};
    struct tree *trees = cut(cutter, 10, &count);
    assert_non_null(strstr(paths_of(cutter, &trees[count - 1]), "/usr/lib/.wh.old"));
    /* A tree on a base has only what it adds: directories that the base has are in no layer. */
    struct node *alone = &cutter->tree.nodes[8];
    cutter->tree = (struct tree){.nodes = alone, .count = 1};
    trees = cut(cutter, 10, &count);
    assert_int_equal(count, 1);
    assert_string_equal(paths_of(cutter, &trees[0]), "/usr/lib/libc.so.6");
}

/* --- making the plan --- */

/* An image with files of source packages, "NAME SIZE …" in kB; NAME is SOURCE[/FILE]. */
static void add_image(struct arena *arena, struct batch_image *image, size_t layers, const char *held)
{
    struct text rest = text_of(held), name, size, source;
    uint64_t kilobytes;
    *image = (struct batch_image){.jobs = arena_new(arena, struct job), .arch_count = 1};
    image->jobs->bill.inputs.layers = layers;
    while (text_next_word(&rest, &name) && text_next_word(&rest, &size)) {
        assert_true(text_next(&name, '/', &source) && text_parse_u64(size, &kilobytes));
        const char *package = arena_printf(arena, "lib%.*s", (int)source.len, source.ptr);
        const char *path = name.len ? arena_printf(arena, "/usr/lib/%.*s", (int)name.len, name.ptr) : package;
        list_add(arena, &image->jobs->bill.packages,
                 (struct bill_package){.name = package, .source_package = text_dup(arena, source)});
        list_add(arena, &image->jobs->bill.files,
                 (struct bill_file){.path = path, .package = package, .kind = NODE_FILE, .size_bytes = kilobytes * KB});
    }
}

/* Makes a plan for two images; its lines in one. */
static const char *made(struct arena *arena, const char *former, bool is_all, const char *first, const char *second)
{
    struct batch_image images[2];
    struct batch batch = {.images = images, .count = 2};
    struct layer_plan before, plan;
    struct err err = {0};
    add_image(arena, &images[0], 10, first);
    add_image(arena, &images[1], 10, second);
    CHECK_OK(layer_plan_read(arena, "former", text_of(former), &before, &err), &err);
    assert_true(layering_plan(arena, &batch, &before, is_all, &plan));
    struct strings lines = layer_plan_lines(arena, &plan);
    return strings_join(arena, &lines, ", ");
}

static void what_has_most_bytes_comes_first_and_small_things_not_at_all(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    (void)state;
    assert_string_equal(made(&arena, "", true, "glibc 1024 icu 8192 tiny 127 b 128", "a 128 glibc 2048 tiny 127"),
                        "icu 1 8388608, glibc 2 2097152, a 1 131072, b 1 131072");
}

static void a_new_line_goes_below_the_first_that_has_fewer_bytes(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *former = "small 1 204800\nglibc 2 2000000\nless 1 131072\n", *held = "small 200 glibc 2000 less 128";
    (void)state;
    assert_string_equal(made(&arena, former, true, arena_printf(&arena, "%s icu 8192 a 150", held), "glibc 2000 b 150"),
                        "icu 1 8388608, small 1 204800, glibc 2 2000000, a 1 153600, b 1 153600, less 1 131072");
}

static void files_that_the_same_images_have_get_a_line_where_others_differ(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *both = "openssl/libcrypto.so.3 4000 openssl/libssl.so.3 600 openssl/legacy.so 100";
    (void)state;
    assert_string_equal(made(&arena, "", true, both, "openssl/libcrypto.so.3 4000"),
                        "openssl 2 4096000 libcrypto.so*, openssl 1 716800");
    assert_string_equal(made(&arena, "", true, both, both), "openssl 2 4812800");
    assert_string_equal(made(&arena, "", true, both, "openssl/legacy.so 100"), "openssl 2 4812800"); /* too small */
    assert_string_equal(made(&arena, "", true, "x/b.so.1 100 x/a-1.so 100 x/c.so 1", "x/a-2.so 100 x/b.so.2 100"),
                        "x 2 204800 a-* b.so*");
    assert_string_equal(made(&arena, "", true, "x/a\x01 900 x/b 900", "x/a\x01 900"), "x 2 1843200"); /* no name */
    const char *many =
        "x/a 99 x/b 99 x/c 9 x/d 9 x/e 9 x/f 9 x/g 9 x/h 9 x/i 9 x/j 9 x/k 9 x/l 9 x/m 9 x/n 9 x/o 9 x/p 9";
    assert_string_equal(made(&arena, "", true, arena_printf(&arena, "%s x/own 9", many), many),
                        "x 2 331776 a b c d e f g h i j k l m n o p");
    assert_string_equal(
        made(&arena, "", true, arena_printf(&arena, "%s x/q 9 x/own 9", many), arena_printf(&arena, "%s x/q 9", many)),
        "x 2 350208"); /* too many names */
}

static void a_part_is_as_large_as_in_the_image_that_has_most_and_else_counts_with_what_is_left(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    (void)state;
    /* Nowhere 128 kB together. */
    assert_string_equal(made(&arena, "", true, "x/a 100 x/b 20 x/own 50", "x/a 20 x/b 100"), "x 2 174080");
    assert_string_equal(made(&arena, "x 1 51200\n", true, "x/a 100 x/b 20 x/own 50", "x/a 20 x/b 100"), "x 2 174080");
    /* Files of one name in several folders. */
    const char *both = "x/d/__init__.py 90 x/e/__init__.py 90";
    assert_string_equal(made(&arena, "", true, both, arena_printf(&arena, "%s x/own 128", both)),
                        "x 2 184320 __init__.py, x 1 131072");
}

static void a_source_package_is_parted_once_and_stays_so(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *former = "openssl 2 4096000 libcrypto.so*\nopenssl 1 614400\n",
               *both = "openssl/libcrypto.so.4 4000 openssl/libssl.so.4 600";
    (void)state;
    assert_string_equal(made(&arena, former, true, both, both), "openssl 2 4096000 libcrypto.so*, openssl 2 614400");
    assert_string_equal(made(&arena, former, true, both, "other 200"),
                        "openssl 1 4096000 libcrypto.so*, openssl 1 614400, other 1 204800");
    assert_string_equal(made(&arena, former, true, "openssl/libssl.so.3 600", "openssl/libssl.so.3 600"),
                        "openssl 2 614400");
    /* A plan of one line for it is parted when all images are there. */
    former = "openssl 2 4710400\nlast 1 204800\n";
    assert_string_equal(made(&arena, former, true, both, "openssl/libcrypto.so.4 4000 last 200"),
                        "openssl 2 4096000 libcrypto.so*, openssl 1 614400, last 1 204800");
    assert_string_equal(made(&arena, former, false, both, "openssl/libcrypto.so.4 4000"),
                        "openssl 2 4710400, last 1 204800");
}

static void a_line_keeps_its_place_and_its_numbers_until_they_are_twice_or_half(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *former = "icu 1 8388608\nglibc 2 2000000\nopenssl 1 204800\n";
    (void)state;
    assert_string_equal(made(&arena, former, true, "glibc 1024 icu 9000 openssl 399 new 128", "glibc 1500"),
                        "icu 1 8388608, glibc 2 2000000, openssl 1 204800, new 1 131072");
    assert_string_equal(made(&arena, former, true, "glibc 1024 icu 4096 openssl 400", "glibc 1500"),
                        "icu 1 4194304, glibc 2 2000000, openssl 1 409600");
}

static void a_line_goes_when_nobody_has_the_package_unless_other_images_may(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *former = "glibc 9 2000000\ngone 1 900000\nsmall 2 131072\nless 2 131072\n";
    (void)state;
    assert_string_equal(made(&arena, former, true, "glibc 2000 small 64 less 63", "glibc 2000 small 64"),
                        "glibc 2 2048000, small 2 65536");
    assert_string_equal(made(&arena, former, false, "glibc 2000", "glibc 2000 new 300"),
                        "glibc 9 2000000, gone 1 900000, new 1 307200, small 2 131072, less 2 131072");
    assert_string_equal(made(&arena, "none 1 0\n", false, "glibc 2000", ""), "glibc 1 2048000, none 1 0");
}

static void images_with_few_layers_ask_for_no_plan(void **state)
{
    AUTO(arena_done) struct arena arena = {0};
    struct batch_image images[2];
    struct batch batch = {.images = images, .count = 2};
    struct layer_plan none = {0}, plan;
    (void)state;
    add_image(&arena, &images[0], 1, "glibc 2000");
    add_image(&arena, &images[1], 2, "glibc 2000");
    assert_false(layering_plan(&arena, &batch, &none, true, &plan));
    images[1].jobs->bill.inputs.layers = 3;
    assert_true(layering_plan(&arena, &batch, &none, true, &plan));
    assert_int_equal(plan.items[0].images, 1); /* one layer shares nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_layers_are_words),
        cmocka_unit_test(a_plan_reads_back_as_it_was_written),
        cmocka_unit_test(a_line_that_is_none_is_refused_with_its_number),
        cmocka_unit_test(a_file_has_one_name_whatever_its_version),
        cmocka_unit_test(a_file_is_of_the_line_that_names_it_best_else_of_the_one_without_names),
        cmocka_unit_test_setup_teardown(a_tree_is_cut_by_the_plan_and_what_is_made_lies_on_top, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            directories_below_the_top_have_the_time_of_what_is_in_them_and_else_stay_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_too_many_the_most_shared_get_layers_in_the_order_of_the_plan, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_with_names_has_a_layer_of_these_files_and_what_leads_to_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_and_two_layers_need_no_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_small_goes_one_layer_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_replaces_or_removes_files_of_a_base_lies_on_top, set_up, tear_down),
        cmocka_unit_test(what_has_most_bytes_comes_first_and_small_things_not_at_all),
        cmocka_unit_test(a_new_line_goes_below_the_first_that_has_fewer_bytes),
        cmocka_unit_test(files_that_the_same_images_have_get_a_line_where_others_differ),
        cmocka_unit_test(a_part_is_as_large_as_in_the_image_that_has_most_and_else_counts_with_what_is_left),
        cmocka_unit_test(a_source_package_is_parted_once_and_stays_so),
        cmocka_unit_test(a_line_keeps_its_place_and_its_numbers_until_they_are_twice_or_half),
        cmocka_unit_test(a_line_goes_when_nobody_has_the_package_unless_other_images_may),
        cmocka_unit_test(images_with_few_layers_ask_for_no_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
