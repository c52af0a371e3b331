/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of proof/proof: whole trees of ELF files made in memory, one broken thing each. */
#include "symbol_maker.h"

#include "base/auto.h"
#include "proof/proof.h"

#define LIB "/usr/lib/x86_64-linux-gnu/"
#define LOADER "/usr/lib64/ld-linux-x86-64.so.2"
#define NODES_MAX 32

/* A tree and what the proof says of it. */
struct world {
    struct arena arena;
    struct arch arch, other;
    struct node nodes[NODES_MAX];
    struct tree tree;
    struct strings programs;
    struct map spare;
    struct launch launch;
    struct interpreters interpreters;
    struct proof proof;
};

static struct node *add(struct world *world, const char *path, enum node_kind kind)
{
    assert_true(world->tree.count < NODES_MAX);
    struct node *node = &world->nodes[world->tree.count++];
    *node = (struct node){.path = path, .kind = kind, .mode = 0755, .data = ""};
    return node;
}

static struct node *add_bytes(struct world *world, const char *path, struct text bytes)
{
    struct node *node = add(world, path, NODE_FILE);
    node->data = bytes.ptr;
    node->size_bytes = bytes.len;
    return node;
}

static struct node *add_elf(struct world *world, const char *path, const struct made_elf *elf)
{
    return add_bytes(world, path, elf_make(&world->arena, elf));
}

static void add_link(struct world *world, const char *path, const char *target)
{
    add(world, path, NODE_SYMLINK)->target = target;
}

static struct node *find(struct world *world, const char *path)
{
    for (size_t i = 0; i < world->tree.count; i++) {
        if (strcmp(world->nodes[i].path, path) == 0)
            return &world->nodes[i];
    }
    fail_msg("no %s", path);
    return NULL;
}

static void replace(struct world *world, const char *path, const struct made_elf *elf)
{
    struct text bytes = elf_make(&world->arena, elf);
    find(world, path)->data = bytes.ptr;
    find(world, path)->size_bytes = bytes.len;
}

static void take_away(struct world *world, const char *path)
{
    struct node *node = find(world, path), *last = &world->nodes[--world->tree.count];
    *node = *last;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

static const struct proof *check(struct world *world)
{
    const struct arch *arch = &world->arch;
    world->tree.nodes = world->nodes;
    qsort(world->nodes, world->tree.count, sizeof world->nodes[0], compare);
    struct proof_request request = {
        .tree = &world->tree, .arches = &arch, .arch_count = 1, .programs = world->programs, .spare = &world->spare};
    request.interpreters = &world->interpreters;
    if (world->launch.entrypoint.words.count)
        request.launch = &world->launch;
    proof_check(&world->arena, &request, &world->proof);
    return &world->proof;
}

static void good(struct world *world)
{
    const struct proof *proof = check(world);
    if (proof->violations.count)
        fail_msg("violation: %s", proof->violations.items[0].text);
}

static bool says(const struct proof_findings *findings, const char *text)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->items[i].text, text) == 0)
            return true;
    }
    return false;
}

/* The only violation; `wanted` is what a package could provide, or NULL. */
static void bad(struct world *world, const char *wanted, const char *text)
{
    const struct proof_findings *violations = &check(world)->violations;
    if (violations->count != 1 || !says(violations, text))
        fail_msg("%zu violations, the first: %s", violations->count,
                 violations->count ? violations->items[0].text : "(none)");
    if (wanted)
        assert_string_equal(violations->items[0].wanted, wanted);
    else
        assert_null(violations->items[0].wanted);
}

static void note(struct world *world, const char *text)
{
    good(world);
    if (!says(&world->proof.notes, text))
        fail_msg("%zu notes, the first: %s", world->proof.note_count,
                 world->proof.note_count ? world->proof.notes.items[0].text : "(none)");
}

static const struct made_elf program = {
    .interp = "/lib64/ld-linux-x86-64.so.2",
    .needed = "libone.so.1",
    .symbols = {{.name = "one", .version = "ONE_2", .file = "libone.so.1", .is_undefined = true}}};
static const struct made_elf library = {
    .soname = "libone.so.1",
    .symbols = {{.name = "one", .version = "ONE_2"}, {.name = "old", .version = "ONE_1", .is_hidden = true}}};

/* A program, its library and loader: nothing is wrong. */
static int start(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->spare.arena = &world->arena;
    world->arch = (struct arch){.name = "x86_64",
                                .elf_machine = EM_X86_64,
                                .elf_class = 64,
                                .triplet = "x86_64-linux-gnu",
                                .lib_token = "lib/x86_64-linux-gnu",
                                .platform_token = "x86_64",
                                .cache_flags = 0x303};
    list_add(&world->arena, &world->arch.library_dirs, "/usr/lib/x86_64-linux-gnu");
    list_add(&world->arena, &world->arch.library_dirs, "/usr/lib");
    list_add(&world->arena, &world->arch.loaders, "/lib64/ld-linux-x86-64.so.2");
    add(world, "/usr/lib64", NODE_DIRECTORY);
    add_link(world, "/lib64", "usr/lib64");
    add_elf(world, LOADER, &(struct made_elf){.soname = "ld-linux-x86-64.so.2", .symbols = {{.name = "_r_debug"}}});
    add_elf(world, LIB "libone.so.1", &library);
    add_elf(world, "/usr/bin/served", &program);
    *state = world;
    return 0;
}

static int finish(void **state)
{
    struct world *world = *state;
    arena_done(&world->arena);
    free(world);
    return 0;
}

static void a_whole_tree_is_good_and_counted(void **state)
{
    struct world *world = *state;
    good(world);
    assert_int_equal(world->proof.file_count, 3);
    assert_int_equal(world->proof.program_count, 1);
    assert_int_equal(world->proof.symbol_count, 1);
    assert_int_equal(world->proof.note_count, 0);
}

static void each_file_that_goes_is_missed(void **state)
{
    struct world *world = *state;
    take_away(world, LIB "libone.so.1");
    bad(world, "libone.so.1", "/usr/bin/served needs libone.so.1, which is not found");
    add_elf(world, LIB "libone.so.1", &library);
    good(world);
    take_away(world, LOADER);
    bad(world, "/lib64/ld-linux-x86-64.so.2",
        "/usr/bin/served: its interpreter /lib64/ld-linux-x86-64.so.2 is not there");
    add_elf(world, LOADER, &(struct made_elf){.soname = "ld-linux-x86-64.so.2"});
    good(world);
    take_away(world, "/lib64");
    bad(world, "/lib64/ld-linux-x86-64.so.2",
        "/usr/bin/served: its interpreter /lib64/ld-linux-x86-64.so.2 is not there");
}

static void a_version_that_is_missing_is_named(void **state)
{
    struct world *world = *state;
    replace(world, LIB "libone.so.1",
            &(struct made_elf){.soname = "libone.so.1", .symbols = {{.name = "one", .version = "ONE_1"}}});
    bad(world, "libone.so.1",
        "/usr/bin/served needs version ONE_2 of libone.so.1, which " LIB "libone.so.1 does not define");
    struct made_elf weak = program;
    weak.symbols[0].is_weak_version = weak.symbols[0].is_weak = true;
    replace(world, "/usr/bin/served", &weak);
    good(world);
}

static void a_symbol_that_is_missing_is_named_unless_it_is_weak(void **state)
{
    struct world *world = *state;
    replace(world, LIB "libone.so.1",
            &(struct made_elf){.soname = "libone.so.1", .symbols = {{.name = "other", .version = "ONE_2"}}});
    bad(world, "libone.so.1",
        "/usr/bin/served: symbol one@ONE_2 of libone.so.1 is defined by nothing that /usr/bin/served is loaded with");
    struct made_elf weak = program;
    weak.symbols[0].is_weak = true;
    replace(world, "/usr/bin/served", &weak);
    good(world);
}

static void symbols_that_are_bound_when_they_are_called_count_as_well(void **state)
{
    struct world *world = *state;
    struct made_elf lazy = program;
    lazy.is_lazy = true;
    replace(world, "/usr/bin/served", &lazy);
    good(world);
    replace(world, LIB "libone.so.1",
            &(struct made_elf){.soname = "libone.so.1", .symbols = {{.name = "other", .version = "ONE_2"}}});
    bad(world, "libone.so.1",
        "/usr/bin/served: symbol one@ONE_2 of libone.so.1 is defined by nothing that /usr/bin/served is loaded with");
}

static void references_without_version_and_hidden_versions_are_bound_as_by_the_loader(void **state)
{
    struct world *world = *state;
    struct made_elf plain = program;
    plain.symbols[0].version = plain.symbols[0].file = NULL;
    replace(world, "/usr/bin/served", &plain);
    good(world); /* one, of the only version that is not hidden */
    struct made_elf later = {
        .soname = "libone.so.1",
        .symbols = {{.name = "base", .version = "ONE_1"}, {.name = "one", .version = "ONE_2", .is_hidden = true}}};
    replace(world, LIB "libone.so.1", &later);
    bad(world, NULL, "/usr/bin/served: symbol one is defined by nothing that /usr/bin/served is loaded with");
    replace(world, "/usr/bin/served", &program);
    good(world); /* who asks for the hidden one gets it */
    replace(world, LIB "libone.so.1",
            &(struct made_elf){.soname = "libone.so.1", .has_no_versions = true, .symbols = {{.name = "one"}}});
    good(world);
}

static void a_library_of_another_machine_or_class_is_passed_over(void **state)
{
    struct world *world = *state;
    struct made_elf foreign = library;
    foreign.machine = EM_AARCH64;
    replace(world, LIB "libone.so.1", &foreign);
    check(world);
    assert_int_equal(world->proof.violations.count, 2); /* the need, and the file in a directory of libraries */
    assert_non_null(strstr(world->proof.violations.items[0].text, "flags 0x0: passed over"));
    assert_true(says(&world->proof.violations, LIB "libone.so.1: it is for AArch64 (64-bit, little-endian), but x86_64 "
                                                   "is x86-64 (64-bit, little-endian)"));
    foreign = library;
    foreign.is_32 = true;
    foreign.machine = EM_386;
    replace(world, LIB "libone.so.1", &foreign);
    assert_int_equal(check(world)->violations.count, 2);
    /* in a directory of data it is nobody's business */
    replace(world, LIB "libone.so.1", &library);
    add_elf(world, "/usr/share/firmware/blob", &foreign);
    good(world);
    assert_int_equal(world->proof.note_count, 1);
}

static void chains_of_scripts_are_followed(void **state)
{
    struct world *world = *state;
    list_add(&world->arena, &world->programs, "/usr/bin/outer");
    add_bytes(world, "/usr/bin/outer", TEXT("#!/usr/bin/inner\n"));
    bad(world, "/usr/bin/inner", "/usr/bin/outer: its interpreter /usr/bin/inner: it is not there");
    add_bytes(world, "/usr/bin/inner", TEXT("#! /usr/bin/env served\n"));
    bad(world, "/usr/bin/env",
        "/usr/bin/outer: its interpreter /usr/bin/inner: its interpreter /usr/bin/env: it is not there");
    add_elf(world, "/usr/bin/env", &program);
    good(world);
    find(world, "/usr/bin/served")->mode = 0644;
    bad(world, "served", "/usr/bin/outer: its interpreter /usr/bin/inner: env does not find served");
    find(world, "/usr/bin/served")->mode = 0755;
    replace(world, "/usr/bin/inner", &program);
    find(world, "/usr/bin/outer")->mode = 0644;
    bad(world, NULL, "/usr/bin/outer: it is not executable");
    find(world, "/usr/bin/outer")->mode = 0755;
    find(world, "/usr/bin/outer")->data = "#!/usr/bin/outer\n";
    find(world, "/usr/bin/outer")->size_bytes = strlen("#!/usr/bin/outer\n");
    assert_int_equal(check(world)->violations.count, 1);
    assert_non_null(strstr(world->proof.violations.items[0].text, "too many scripts interpret each other"));
}

static void links_to_nowhere_are_notes_and_needed_ones_violations(void **state)
{
    struct world *world = *state;
    add_link(world, "/usr/bin/lost", "gone");
    add_link(world, "/etc/mtab", "/proc/mounts");
    note(world, "/usr/bin/lost is a symlink to gone, which is not there");
    assert_int_equal(world->proof.note_count, 1);
    take_away(world, "/usr/bin/lost");
    find(world, LIB "libone.so.1")->path = LIB "libone.so.1.5";
    add_link(world, LIB "libone.so.1", "libone.so.1.5");
    good(world);
    find(world, LIB "libone.so.1")->target = "libone.so.1.6";
    bad(world, "libone.so.1", "/usr/bin/served needs libone.so.1, which is not found");
    find(world, LIB "libone.so.1")->target = "libone.so.1"; /* in a circle */
    bad(world, "libone.so.1", "/usr/bin/served needs libone.so.1, which is not found");
}

static void a_plugin_finds_its_symbols_in_the_program_that_opens_it(void **state)
{
    struct world *world = *state;
    struct made_elf plugin = {.symbols = {{.name = "offered", .is_undefined = true}}};
    add_elf(world, "/usr/lib/served/plugin.so", &plugin);
    bad(world, NULL, "/usr/lib/served/plugin.so: symbol offered is defined by no file of the image");
    struct made_elf host = program;
    host.symbols[1] = (struct made_symbol){.name = "offered"};
    replace(world, "/usr/bin/served", &host);
    good(world);
    assert_int_equal(world->proof.note_count, 0);
}

static void what_a_debugger_defines_is_a_note(void **state)
{
    struct world *world = *state;
    struct made_elf debugged = {.soname = "libthread_db.so.1",
                                .symbols = {{.name = "ps_getpid", .is_undefined = true}}};
    add_elf(world, LIB "libthread_db.so.1", &debugged);
    note(world,
         LIB "libthread_db.so.1: symbol ps_getpid is defined by the debugger that opens it, and no file of the image");
    debugged.symbols[0].name = "other";
    replace(world, LIB "libthread_db.so.1", &debugged);
    bad(world, NULL, LIB "libthread_db.so.1: symbol other is defined by no file of the image");
    debugged.soname = "libother.so.1";
    debugged.symbols[0].name = "ps_getpid";
    replace(world, LIB "libthread_db.so.1", &debugged);
    bad(world, NULL, LIB "libthread_db.so.1: symbol ps_getpid is defined by no file of the image");
}

/* A plug-in of java: libjvm.so is in a directory of java's own. */
static void a_library_that_is_loaded_before_a_plugin_is_a_note(void **state)
{
    struct world *world = *state;
    struct made_elf plugin = {.needed = "libjvm.so", .symbols = {{.name = "jvm", .is_undefined = true}}};
    struct made_elf jvm = {.soname = "libjvm.so", .symbols = {{.name = "jvm"}}};
    add_elf(world, "/usr/lib/jvm/libjava.so", &plugin);
    bad(world, "libjvm.so", "/usr/lib/jvm/libjava.so needs libjvm.so, which is not found");
    add_elf(world, "/usr/lib/jvm/server/libjvm.so", &jvm);
    note(world, "/usr/lib/jvm/libjava.so needs libjvm.so, which is not found: only /usr/lib/jvm/server/libjvm.so is, "
                "which must be loaded before");
    jvm.symbols[0].name = "other"; /* and is looked into */
    replace(world, "/usr/lib/jvm/server/libjvm.so", &jvm);
    bad(world, NULL, "/usr/lib/jvm/libjava.so: symbol jvm is defined by no file of the image");
}

static void what_the_loader_would_have_found_excuses_nobody(void **state)
{
    struct world *world = *state;
    struct made_elf plugin = {.needed = "libjvm.so"}, jvm = {.soname = "libjvm.so"};
    add_elf(world, "/usr/lib/jvm/libjava.so", &plugin);
    add_elf(world, LIB "libjvm.so.1", &jvm); /* without the link of its name */
    bad(world, "libjvm.so", "/usr/lib/jvm/libjava.so needs libjvm.so, which is not found");
    struct made_elf needy = program;
    needy.needed = "libown.so";
    needy.symbols[0] = (struct made_symbol){0};
    take_away(world, "/usr/lib/jvm/libjava.so");
    add_elf(world, "/usr/lib/served/libown.so", &(struct made_elf){.soname = "libown.so"});
    replace(world, "/usr/bin/served", &needy); /* and a program starts with nothing loaded */
    bad(world, "libown.so", "/usr/bin/served needs libown.so, which is not found");
}

static void an_interpreter_that_is_started_needs_its_library(void **state)
{
    struct world *world = *state;
    struct interpreter python = {.name = "python"};
    list_add(&world->arena, &python.programs, "/usr/bin/py*");
    list_add(&world->arena, &python.needs, "/usr/lib/py*/encodings.py");
    list_add(&world->arena, &world->interpreters, python);
    good(world);
    add_elf(world, "/usr/bin/py3.11", &program);
    add_link(world, "/usr/bin/py3", "py3.11");
    note(world, "/usr/bin/py3.11: it does not start without /usr/lib/py*/encodings.py, of the library of python");
    list_add(&world->arena, &world->launch.entrypoint.words, "script");
    add_bytes(world, "/usr/bin/script", TEXT("#!/usr/bin/py3\n"));
    bad(world, "/usr/lib/py*/encodings.py",
        "/usr/bin/py3.11: it does not start without /usr/lib/py*/encodings.py, of the library of python");
    add_bytes(world, "/usr/lib/py3.11/encodings.py", TEXT("x"));
    good(world);
    assert_int_equal(world->proof.note_count, 0);
}

static void what_is_wrong_with_a_spare_file_is_listed_apart(void **state)
{
    struct world *world = *state;
    struct made_elf plugin = {.needed = "libgone.so.1"}, other = {.symbols = {{.name = "no", .is_undefined = true}}};
    add_elf(world, "/usr/lib/served/plugin.so", &plugin);
    add_elf(world, "/usr/lib/served/other.so", &other);
    (void)map_add(&world->spare, TEXT("/usr/lib/served/plugin.so"), world);
    bad(world, NULL, "/usr/lib/served/other.so: symbol no is defined by no file of the image");
    assert_int_equal(world->proof.spared.count, 1);
    assert_string_equal(world->proof.spared.items[0].path, "/usr/lib/served/plugin.so");
    assert_true(says(&world->proof.spared, "/usr/lib/served/plugin.so needs libgone.so.1, which is not found"));
}

static void a_library_excuses_nobody_who_insists_on_it(void **state)
{
    struct world *world = *state;
    struct made_elf broken = library;
    broken.needed = "libgone.so.1";
    replace(world, LIB "libone.so.1", &broken);
    add_elf(world, "/usr/bin/a-spare", &program);
    (void)map_add(&world->spare, TEXT("/usr/bin/a-spare"), world); /* looked at first */
    bad(world, "libgone.so.1", LIB "libone.so.1 needs libgone.so.1, which is not found");
    assert_string_equal(world->proof.spared.items[0].path, "/usr/bin/a-spare");
}

static void what_the_image_starts_is_not_spare(void **state)
{
    struct world *world = *state;
    struct made_elf broken = program;
    broken.needed = "libgone.so.1";
    (void)map_add(&world->spare, TEXT("/usr/bin/served"), world);
    replace(world, "/usr/bin/served", &broken);
    good(world);
    list_add(&world->arena, &world->launch.entrypoint.words, "start");
    add_bytes(world, "/usr/bin/start", TEXT("#!/usr/bin/env served\n"));
    struct made_elf env = {.interp = "/lib64/ld-linux-x86-64.so.2"};
    add_elf(world, "/usr/bin/env", &env);
    bad(world, "libgone.so.1", "/usr/bin/served needs libgone.so.1, which is not found");
    (void)map_add(&world->spare, TEXT("/usr/bin/env"), world);
    list_add(&world->arena, &world->programs, "/usr/bin/served");
    world->launch.entrypoint.words.count = 0;
    bad(world, "libgone.so.1", "/usr/bin/served needs libgone.so.1, which is not found");
}

static void what_asks_the_service_is_a_program_of_the_image(void **state)
{
    struct world *world = *state;
    list_add(&world->arena, &world->launch.entrypoint.words, "/usr/bin/served");
    world->launch.probe.place = "run.health.command";
    list_add(&world->arena, &world->launch.probe.words, "/usr/bin/servd");
    bad(world, "/usr/bin/servd", "run.health.command: /usr/bin/servd: it is not there; did you mean /usr/bin/served?");
    world->launch.probe.words.items[0] = "/usr/bin/served";
    good(world);
}

static void broken_tables_in_what_is_loaded_are_a_violation(void **state)
{
    struct world *world = *state;
    struct node *node = find(world, LIB "libone.so.1");
    uint64_t dynamic_at, tag, value = 0x900000;
    memcpy(&dynamic_at, node->data + 64 + 56 + 8, 8);
    do {
        memcpy(&tag, node->data + dynamic_at, 8);
        dynamic_at += 16;
    } while (tag && tag != DT_GNU_HASH);
    memcpy((char *)node->data + dynamic_at - 8, &value, 8);
    bad(world, NULL, LIB "libone.so.1: broken ELF: DT_GNU_HASH is not loaded");
}

static void no_changed_byte_of_a_library_leads_out_of_it(void **state)
{
    struct world *world = *state;
    struct node *node = find(world, LIB "libone.so.1");
    struct text made = {node->data, (size_t)node->size_bytes};
    char *exact = malloc(made.len);
    size_t violations = 0;
    assert_non_null(exact);
    memcpy(exact, made.ptr, made.len);
    node->data = exact;
    const struct arch *arch = &world->arch;
    world->tree.nodes = world->nodes;
    qsort(world->nodes, world->tree.count, sizeof world->nodes[0], compare);
    struct proof_request request = {.tree = &world->tree, .arches = &arch, .arch_count = 1};
    for (size_t at = 4; at < made.len; at++) {
        if (at >= 512 && at < 2368)
            continue; /* the unused part of the string table */
        for (unsigned bit = 0; bit < 8; bit += 7) {
            AUTO(arena_done) struct arena arena = {0};
            struct proof proof;
            exact[at] = (char)(made.ptr[at] ^ 1 << bit);
            proof_check(&arena, &request, &proof);
            exact[at] = made.ptr[at];
            violations += proof.violations.count != 0;
        }
    }
    free(exact);
    CHECK_RANGE(violations, 100, 2 * made.len);
}

static void the_verdict_lists_violations_up_to_a_limit(void **state)
{
    struct world *world = *state;
    struct err err = {0};
    assert_true(proof_verdict(check(world), &err));
    take_away(world, LIB "libone.so.1");
    for (size_t i = 0; i < 25; i++)
        add_elf(world, arena_printf(&world->arena, "/usr/bin/p%02zu", i), &program);
    assert_false(proof_verdict(check(world), &err));
    assert_int_equal(err.kind, ERR_RESOLVE);
    assert_non_null(strstr(err.text, "/usr/bin/p00 needs libone.so.1, which is not found; "));
    assert_non_null(strstr(err.text, "; and 6 more"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, finish)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_tree_is_good_and_counted),
        TEST(each_file_that_goes_is_missed),
        TEST(a_version_that_is_missing_is_named),
        TEST(a_symbol_that_is_missing_is_named_unless_it_is_weak),
        TEST(symbols_that_are_bound_when_they_are_called_count_as_well),
        TEST(references_without_version_and_hidden_versions_are_bound_as_by_the_loader),
        TEST(a_library_of_another_machine_or_class_is_passed_over),
        TEST(chains_of_scripts_are_followed),
        TEST(links_to_nowhere_are_notes_and_needed_ones_violations),
        TEST(a_plugin_finds_its_symbols_in_the_program_that_opens_it),
        TEST(what_a_debugger_defines_is_a_note),
        TEST(a_library_that_is_loaded_before_a_plugin_is_a_note),
        TEST(what_the_loader_would_have_found_excuses_nobody),
        TEST(an_interpreter_that_is_started_needs_its_library),
        TEST(what_is_wrong_with_a_spare_file_is_listed_apart),
        TEST(a_library_excuses_nobody_who_insists_on_it),
        TEST(what_the_image_starts_is_not_spare),
        TEST(what_asks_the_service_is_a_program_of_the_image),
        TEST(broken_tables_in_what_is_loaded_are_a_violation),
        TEST(no_changed_byte_of_a_library_leads_out_of_it),
        TEST(the_verdict_lists_violations_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
