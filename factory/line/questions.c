/* SPDX-License-Identifier: Apache-2.0 */
/* A question is a list of fields as "LENGTH:BYTES": what is asked, and what with. */
#include "line/questions.h"

#include "base/auto.h"
#include "base/checksum.h"
#include "base/map.h"
#include "source/format.h"
#include "trust/keyring.h"

#include <pthread.h>
#include <stdlib.h>

#define FIELDS_MAX 100000 /* of a list that is read: of names to solve, some hundred */

enum question {
    ASKS_OWNERS,
    ASKS_HAS,
    ASKS_SIBLINGS,
    ASKS_LOCATE,
    ASKS_SCAN,
    ASKS_DESCRIBE,
    ASKS_SOLVE,
    ASKS_IDENTITY
};
static const char *const question_names[] = {"owners", "has",      "siblings", "locate",
                                             "scan",   "describe", "solve",    "identity"};

/* A selection and the question to which it was the answer. */
struct solved {
    struct digest digest;
    struct text question;
};

struct questions {
    struct catalog base; /* with our functions */
    struct catalog *catalog;
    pthread_mutex_t lock; /* guards the rest */
    struct arena arena;
    struct map answers; /* struct digest by question */
    LIST(struct solved) solved;
    bool is_unsure;
};

static struct questions *questions_of(const struct catalog *catalog)
{
    return (struct questions *)(uintptr_t)catalog; /* its first member; what is noted is behind a lock */
}

static int compare_texts(const struct text *left, const struct text *right)
{
    size_t len = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->ptr, right->ptr, len);
    return order ? order : (left->len > right->len) - (left->len < right->len);
}

/* ---- questions as text ---- */

static void add_field(struct buf *text, struct text field)
{
    if (!buf_printf(text, "%zu:", field.len) || !buf_add(text, field.ptr, field.len))
        memory_abort(field.len);
}

static void add_string(struct buf *text, const char *string)
{
    add_field(text, text_of(string));
}

static void add_strings(struct buf *text, const struct strings *strings)
{
    char count[24];
    (void)snprintf(count, sizeof count, "%zu", strings->count);
    add_string(text, count);
    for (size_t i = 0; i < strings->count; i++)
        add_string(text, strings->items[i]);
}

static void begin_question(struct buf *text, enum question question)
{
    buf_init(text, SIZE_MAX);
    add_string(text, question_names[question]);
}

static void add_flag(struct buf *text, bool flag)
{
    add_string(text, flag ? "1" : "0");
}

static void add_request(struct buf *text, const struct solve_request *request)
{
    add_flag(text, request->is_older_fine);
    add_flag(text, request->is_weak);
    add_strings(text, &request->names);
    add_strings(text, &request->never);
    if (request->installed.len)
        add_field(text, request->installed);
    for (size_t i = 0; i < request->limits.count; i++) { /* what is made under limits is not kept: nobody reads them */
        add_string(text, request->limits.items[i].name);
        add_string(text, request->limits.items[i].version);
    }
}

/* Takes a field off the front. */
static bool next_field(struct text *rest, struct text *ret_field)
{
    size_t len = 0, at = 0;
    for (; at < rest->len && at < 10 && rest->ptr[at] >= '0' && rest->ptr[at] <= '9'; at++)
        len = len * 10 + (size_t)(rest->ptr[at] - '0');
    if (!at || at == rest->len || rest->ptr[at] != ':' || len > rest->len - at - 1)
        return false;
    *ret_field = (struct text){rest->ptr + at + 1, len};
    *rest = (struct text){rest->ptr + at + 1 + len, rest->len - at - 1 - len};
    return true;
}

static bool next_string(struct arena *arena, struct text *rest, const char **ret_string)
{
    struct text field;
    if (!next_field(rest, &field))
        return false;
    *ret_string = text_dup(arena, field);
    return true;
}

static bool next_flag(struct text *rest, bool *ret_flag)
{
    struct text field;
    if (!next_field(rest, &field))
        return false;
    *ret_flag = text_is(field, "1");
    return true;
}

static bool next_strings(struct arena *arena, struct text *rest, struct strings *ret_strings)
{
    const char *count, *string;
    if (!next_string(arena, rest, &count))
        return false;
    unsigned long left = strtoul(count, NULL, 10);
    for (*ret_strings = (struct strings){0}; left && ret_strings->count < FIELDS_MAX; left--) {
        if (!next_string(arena, rest, &string))
            return false;
        list_add(arena, ret_strings, string);
    }
    return !left;
}

static bool next_request(struct arena *arena, struct text *rest, struct solve_request *ret_request)
{
    *ret_request = (struct solve_request){0};
    return next_flag(rest, &ret_request->is_older_fine) && next_flag(rest, &ret_request->is_weak) &&
           next_strings(arena, rest, &ret_request->names) && next_strings(arena, rest, &ret_request->never) &&
           (!rest->len || next_field(rest, &ret_request->installed));
}

/* ---- answers as digests ---- */

static void feed_string(struct digest_stream *stream, const char *string)
{
    digest_feed(stream, string ? "+" : "-", 1);
    if (string)
        digest_feed(stream, string, strlen(string) + 1);
}

static void feed_number(struct digest_stream *stream, uint64_t number)
{
    digest_feed(stream, &number, sizeof number);
}

static void feed_strings(struct digest_stream *stream, const struct strings *strings)
{
    feed_number(stream, strings->count);
    for (size_t i = 0; i < strings->count; i++)
        feed_string(stream, strings->items[i]);
}

/* The repository as a bill tells of it, and what its packages have to be signed by. */
static void feed_origin(struct digest_stream *stream, const struct origin *origin)
{
    AUTO(arena_done) struct arena scratch = {0};
    feed_string(stream, origin->format->name);
    feed_string(stream, origin->name);
    feed_string(stream, source_public_uri(&scratch, origin->uri));
    feed_number(stream, origin->package_keys != NULL);
    if (origin->package_keys)
        digest_feed(stream, origin->package_keys->digest.bytes, DIGEST_BYTES);
}

static void feed_selected(struct digest_stream *stream, const struct selected *selected)
{
    const char *const strings[] = {selected->name,           selected->version,           selected->architecture,
                                   selected->source_package, selected->source_version,    selected->section,
                                   selected->url_path,       selected->candidate_version, selected->other_version};
    for (size_t i = 0; i < ARRAY_COUNT(strings); i++)
        feed_string(stream, strings[i]);
    feed_origin(stream, selected->origin);
    if (selected->other_origin)
        feed_origin(stream, selected->other_origin);
    feed_number(stream, selected->size_bytes);
    digest_feed(stream, selected->digest.bytes, DIGEST_BYTES);
    feed_number(stream, selected->sha512 != NULL);
    if (selected->sha512)
        digest_feed(stream, selected->sha512->bytes, checksum_len(selected->sha512->kind));
    feed_number(stream, selected->is_likely);
    if (selected->replaces_version)
        feed_string(stream, selected->replaces_version);
    if (selected->stands_for.count)
        feed_strings(stream, &selected->stands_for);
}

static struct digest digest_of_selection(const struct selection *selection)
{
    struct digest_stream stream;
    digest_begin(&stream);
    feed_number(&stream, selection->count);
    for (size_t i = 0; i < selection->count; i++)
        feed_selected(&stream, &selection->items[i]);
    return digest_end(&stream);
}

static struct digest digest_of_siblings(const struct siblings *siblings)
{
    struct digest_stream stream;
    digest_begin(&stream);
    feed_number(&stream, siblings->count);
    for (size_t i = 0; i < siblings->count; i++) {
        const struct sibling *sibling = &siblings->items[i];
        feed_string(&stream, sibling->name);
        const bool flags[] = {sibling->is_given, sibling->is_dependent, sibling->is_needed, sibling->is_recommended,
                              sibling->is_for_all};
        digest_feed(&stream, flags, sizeof flags);
        feed_number(&stream, sibling->holds);
        feed_strings(&stream, &sibling->services);
    }
    return digest_end(&stream);
}

static struct digest digest_of_locations(const struct locations *locations)
{
    struct digest_stream stream;
    digest_begin(&stream);
    feed_number(&stream, locations->count);
    for (size_t i = 0; i < locations->count; i++) {
        feed_string(&stream, locations->items[i].path);
        feed_strings(&stream, &locations->items[i].packages);
        feed_number(&stream, locations->items[i].is_in_path);
    }
    return digest_end(&stream);
}

static struct digest digest_of_package(const struct catalog_package *package)
{
    struct digest_stream stream;
    digest_begin(&stream);
    feed_string(&stream, package->version);
    feed_string(&stream, package->architecture);
    feed_string(&stream, package->source);
    feed_string(&stream, package->description);
    feed_strings(&stream, &package->depends);
    feed_strings(&stream, &package->recommends);
    return digest_end(&stream);
}

/* ---- noting ---- */

/* Notes an answer, and ends the question's text. */
static void note(struct questions *questions, struct buf *question, const struct digest *answer)
{
    pthread_mutex_lock(&questions->lock);
    struct text key = {question->bytes, question->len};
    if (!map_get(&questions->answers, key)) {
        struct digest *kept = arena_new(&questions->arena, struct digest);
        *kept = *answer;
        (void)map_add(&questions->answers, (struct text){text_dup(&questions->arena, key), key.len}, kept);
    }
    pthread_mutex_unlock(&questions->lock);
    buf_done(question);
}

/* Notes that there is no answer, and why; returns false. */
static bool note_failure(struct questions *questions, struct buf *question, const struct err *err)
{
    struct digest_stream stream;
    digest_begin(&stream);
    feed_string(&stream, "fails");
    feed_number(&stream, err->kind);
    feed_string(&stream, err->text);
    struct digest answer = digest_end(&stream);
    if (err->kind != ERR_RESOLVE) {
        pthread_mutex_lock(&questions->lock);
        questions->is_unsure = true;
        pthread_mutex_unlock(&questions->lock);
    }
    note(questions, question, &answer);
    return false;
}

/* ---- the catalog that notes ---- */

static bool asks_owners(struct catalog *any, struct arena *arena, const char *path, struct strings *ret_names,
                        const char **ret_hint, struct err *err)
{
    struct questions *questions = questions_of(any);
    struct buf question;
    struct digest_stream stream;
    begin_question(&question, ASKS_OWNERS);
    add_string(&question, path);
    add_flag(&question, ret_hint != NULL);
    if (!catalog_owners(questions->catalog, arena, path, ret_names, ret_hint, err))
        return note_failure(questions, &question, err);
    digest_begin(&stream);
    feed_strings(&stream, ret_names);
    feed_string(&stream, ret_hint ? *ret_hint : NULL);
    struct digest answer = digest_end(&stream);
    note(questions, &question, &answer);
    return true;
}

static bool asks_has(const struct catalog *any, const char *name, bool is_virtual_fine)
{
    struct questions *questions = questions_of(any);
    struct buf question;
    begin_question(&question, ASKS_HAS);
    add_string(&question, name);
    add_flag(&question, is_virtual_fine);
    bool has = catalog_has(questions->catalog, name, is_virtual_fine);
    struct digest answer = digest_of(has ? "1" : "0", 1);
    note(questions, &question, &answer);
    return has;
}

static bool asks_siblings(struct catalog *any, struct arena *arena, const char *package, struct siblings *ret_siblings,
                          struct err *err)
{
    struct questions *questions = questions_of(any);
    struct buf question;
    begin_question(&question, ASKS_SIBLINGS);
    add_string(&question, package);
    if (!catalog_siblings(questions->catalog, arena, package, ret_siblings, err))
        return note_failure(questions, &question, err);
    struct digest answer = digest_of_siblings(ret_siblings);
    note(questions, &question, &answer);
    return true;
}

static bool asks_locate(struct catalog *any, struct arena *arena, const char *base, enum located_kind kind,
                        struct locations *ret_locations, struct err *err)
{
    struct questions *questions = questions_of(any);
    struct buf question;
    begin_question(&question, ASKS_LOCATE);
    add_string(&question, base);
    add_flag(&question, kind == LOCATED_SERVICES);
    if (!catalog_locate(questions->catalog, arena, base, kind, ret_locations, err))
        return note_failure(questions, &question, err);
    struct digest answer = digest_of_locations(ret_locations);
    note(questions, &question, &answer);
    return true;
}

/* Whoever goes through all of it depends on all of it. */
static void note_scan(struct questions *questions)
{
    struct buf question;
    begin_question(&question, ASKS_SCAN);
    note(questions, &question, &questions->catalog->digest);
}

static bool asks_scan(struct catalog *any, const struct catalog_scan *scan, struct err *err)
{
    struct questions *questions = questions_of(any);
    note_scan(questions);
    return catalog_scan(questions->catalog, scan, err);
}

static bool asks_describe(const struct catalog *any, struct arena *arena, const char *package,
                          struct catalog_package *ret_package, bool *ret_found, struct err *err)
{
    struct questions *questions = questions_of(any);
    struct buf question;
    begin_question(&question, ASKS_DESCRIBE);
    add_string(&question, package);
    if (!catalog_describe(questions->catalog, arena, package, ret_package, ret_found, err))
        return note_failure(questions, &question, err);
    struct digest answer = *ret_found ? digest_of_package(ret_package) : digest_of("none", 4);
    note(questions, &question, &answer);
    return true;
}

static bool asks_solve(struct arena *arena, const struct catalog *any, const struct solve_request *request,
                       struct selection *ret_selection, struct err *err)
{
    struct questions *questions = questions_of(any);
    struct buf question;
    begin_question(&question, ASKS_SOLVE);
    add_request(&question, request);
    if (!questions->catalog->kind->solve(arena, questions->catalog, request, ret_selection, err))
        return note_failure(questions, &question, err);
    struct solved solved = {.digest = digest_of_selection(ret_selection)};
    pthread_mutex_lock(&questions->lock);
    struct text text = {question.bytes, question.len};
    solved.question = (struct text){text_dup(&questions->arena, text), text.len};
    list_add(&questions->arena, &questions->solved, solved);
    pthread_mutex_unlock(&questions->lock);
    note(questions, &question, &solved.digest);
    return true;
}

/* Finds the question to which a selection was the answer, of several the first by its text; false when it was none. */
static bool find_solved(struct questions *questions, const struct selection *selection, struct text *ret_question)
{
    struct digest digest = digest_of_selection(selection);
    bool is_found = false;
    pthread_mutex_lock(&questions->lock);
    for (size_t i = 0; i < questions->solved.count; i++) {
        const struct solved *solved = &questions->solved.items[i];
        if (!digest_eq(&solved->digest, &digest) || (is_found && compare_texts(&solved->question, ret_question) >= 0))
            continue;
        *ret_question = solved->question;
        is_found = true;
    }
    questions->is_unsure = questions->is_unsure || !is_found;
    pthread_mutex_unlock(&questions->lock);
    return is_found;
}

struct identity {
    struct arena *arena;
    struct selected *ret_selected;
    bool *ret_found;
};

/* `solved` is the question to which the selection is the answer, or empty. */
static bool ask_identity(struct questions *questions, const struct selection *selection, struct text solved,
                         const struct identity *identity, struct err *err)
{
    struct buf question;
    begin_question(&question, ASKS_IDENTITY);
    if (solved.len)
        add_field(&question, solved);
    if (!solve_identity(identity->arena, questions->catalog, selection, identity->ret_selected, identity->ret_found,
                        err))
        return note_failure(questions, &question, err);
    struct selection alone = {identity->ret_selected, *identity->ret_found ? 1 : 0};
    struct digest answer = digest_of_selection(&alone);
    note(questions, &question, &answer);
    return true;
}

static bool asks_identity(struct arena *arena, const struct catalog *any, const struct selection *selection,
                          struct selected *ret_selected, bool *ret_found, struct err *err)
{
    struct questions *questions = questions_of(any);
    struct text solved = {0};
    struct identity identity = {arena, ret_selected, ret_found};
    if (selection && !find_solved(questions, selection, &solved))
        solved = (struct text){0};
    return ask_identity(questions, selection, solved, &identity, err);
}

static bool is_prepared(struct catalog *any, struct err *err)
{
    return catalog_prepare(questions_of(any)->catalog, err);
}

static void closes_nothing(struct catalog *any)
{
    (void)any;
}

/* What follows is not noted: it decides which packages are opened, never what is made of them (opening.h). */
static bool asks_paths_ready(struct catalog *any, uint64_t worth_bytes, bool *ret_are_ready, struct err *err)
{
    return catalog_paths_ready(questions_of(any)->catalog, worth_bytes, ret_are_ready, err);
}

static bool asks_tells(const struct catalog *any, const struct selected *selected)
{
    return catalog_tells(questions_of(any)->catalog, selected);
}

static void asks_shippers(const struct catalog *any, struct arena *arena, const char *sought, struct strings *names)
{
    catalog_shippers(questions_of(any)->catalog, arena, sought, names);
}

/* What is said of a name that is wrong is no part of a product. */
static void tells_names(const struct catalog *any, catalog_take_name *take, void *taker)
{
    catalog_names(questions_of(any)->catalog, take, taker);
}

static void rests(const struct catalog *any)
{
    catalog_rest(questions_of(any)->catalog);
}

static const struct catalog_kind asking_kind = {.prepare = is_prepared,
                                                .owners = asks_owners,
                                                .has = asks_has,
                                                .siblings = asks_siblings,
                                                .locate = asks_locate,
                                                .scan = asks_scan,
                                                .describe = asks_describe,
                                                .solve = asks_solve,
                                                .identity = asks_identity,
                                                .paths_ready = asks_paths_ready,
                                                .tells = asks_tells,
                                                .shippers = asks_shippers,
                                                .names = tells_names,
                                                .rest = rests,
                                                .close = closes_nothing};

struct questions *questions_open(struct catalog *catalog)
{
    struct questions *questions = calloc(1, sizeof *questions);
    if (!questions)
        memory_abort(sizeof *questions);
    questions->base = *catalog;
    questions->base.kind = &asking_kind;
    questions->catalog = catalog;
    questions->answers.arena = &questions->arena;
    pthread_mutex_init(&questions->lock, NULL);
    return questions;
}

struct catalog *questions_catalog(struct questions *questions)
{
    return &questions->base;
}

bool questions_are_sure(const struct questions *questions)
{
    return !questions->is_unsure;
}

static int compare_slots(const void *a, const void *b)
{
    const struct map_slot *const *left = a, *const *right = b;
    return compare_texts(&(*left)->key, &(*right)->key);
}

/* Threads ask in any order: what is made of the questions must not depend on it. */
static const struct map_slot **sorted(struct arena *arena, const struct questions *questions)
{
    size_t count = questions->answers.slots.count;
    const struct map_slot **slots = arena_new_array(arena, const struct map_slot *, count + 1);
    for (size_t i = 0; i < count; i++)
        slots[i] = &questions->answers.slots.items[i];
    qsort(slots, count, sizeof *slots, compare_slots);
    return slots;
}

struct text questions_list(struct arena *arena, const struct questions *questions)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf list;
    const struct map_slot **slots = sorted(&scratch, questions);
    buf_init(&list, SIZE_MAX);
    for (size_t i = 0; i < questions->answers.slots.count; i++)
        add_field(&list, slots[i]->key);
    return (struct text){arena_strndup(arena, list.len ? list.bytes : "", list.len), list.len};
}

struct digest questions_answers(const struct questions *questions)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct digest_stream stream;
    const struct map_slot **slots = sorted(&scratch, questions);
    digest_begin(&stream);
    feed_string(&stream, questions->catalog->origins.source->format->name);
    for (size_t i = 0; i < questions->answers.slots.count; i++) {
        feed_number(&stream, slots[i]->key.len);
        digest_feed(&stream, slots[i]->key.ptr, slots[i]->key.len);
        digest_feed(&stream, ((const struct digest *)slots[i]->value)->bytes, DIGEST_BYTES);
    }
    return digest_end(&stream);
}

/* ---- asking again ---- */

static bool repeat_scan(struct questions *questions, struct arena *arena, struct text rest, struct err *err)
{
    (void)arena;
    (void)err;
    note_scan(questions);
    return !rest.len;
}

static bool repeat_owners(struct questions *questions, struct arena *arena, struct text rest, struct err *err)
{
    struct strings names;
    const char *path, *hint;
    bool wants_hint;
    if (!next_string(arena, &rest, &path) || !next_flag(&rest, &wants_hint))
        return false;
    (void)!asks_owners(&questions->base, arena, path, &names, wants_hint ? &hint : NULL, err);
    return true;
}

static bool repeat_has(struct questions *questions, struct arena *arena, struct text rest, struct err *err)
{
    (void)err;
    const char *name;
    bool is_virtual_fine;
    if (!next_string(arena, &rest, &name) || !next_flag(&rest, &is_virtual_fine))
        return false;
    (void)asks_has(&questions->base, name, is_virtual_fine);
    return true;
}

static bool repeat_siblings(struct questions *questions, struct arena *arena, struct text rest, struct err *err)
{
    struct siblings siblings;
    const char *package;
    if (!next_string(arena, &rest, &package))
        return false;
    (void)!asks_siblings(&questions->base, arena, package, &siblings, err);
    return true;
}

static bool repeat_locate(struct questions *questions, struct arena *arena, struct text rest, struct err *err)
{
    struct locations locations;
    const char *base;
    bool is_service;
    if (!next_string(arena, &rest, &base) || !next_flag(&rest, &is_service))
        return false;
    (void)!asks_locate(&questions->base, arena, base, is_service ? LOCATED_SERVICES : LOCATED_PROGRAMS, &locations,
                       err);
    return true;
}

static bool repeat_describe(struct questions *questions, struct arena *arena, struct text rest, struct err *err)
{
    struct catalog_package described;
    const char *package;
    bool is_found;
    if (!next_string(arena, &rest, &package))
        return false;
    (void)!asks_describe(&questions->base, arena, package, &described, &is_found, err);
    return true;
}

static bool repeat_solve(struct questions *questions, struct arena *arena, struct text rest, struct err *err)
{
    struct solve_request request;
    struct selection selection;
    if (!next_request(arena, &rest, &request))
        return false;
    (void)!asks_solve(arena, &questions->base, &request, &selection, err);
    return true;
}

static bool repeat_identity(struct questions *questions, struct arena *arena, struct text rest, struct err *err)
{
    struct solve_request request;
    struct selection selection;
    struct selected selected;
    struct text solved, inner, name;
    bool is_found;
    struct identity identity = {arena, &selected, &is_found};
    if (!rest.len) {
        (void)!ask_identity(questions, NULL, (struct text){0}, &identity, err);
        return true;
    }
    if (!next_field(&rest, &solved))
        return false;
    inner = solved;
    if (!next_field(&inner, &name) || !next_request(arena, &inner, &request))
        return false;
    if (asks_solve(arena, &questions->base, &request, &selection, err))
        (void)!ask_identity(questions, &selection, solved, &identity, err);
    return true;
}

/* How each is asked again, and whether that may have to wait for an index of paths. */
static const struct repeating {
    bool is_waiting;
    bool (*repeat)(struct questions *questions, struct arena *arena, struct text rest, struct err *err);
} repeatings[] = {[ASKS_OWNERS] = {true, repeat_owners},     [ASKS_HAS] = {false, repeat_has},
                  [ASKS_SIBLINGS] = {true, repeat_siblings}, [ASKS_LOCATE] = {true, repeat_locate},
                  [ASKS_SCAN] = {false, repeat_scan},        [ASKS_DESCRIBE] = {false, repeat_describe},
                  [ASKS_SOLVE] = {false, repeat_solve},      [ASKS_IDENTITY] = {false, repeat_identity}};
_Static_assert(ARRAY_COUNT(repeatings) == ARRAY_COUNT(question_names), "each has its way");

bool questions_repeat(struct questions *questions, struct text list, bool is_waiting)
{
    struct text question, name;
    while (list.len) {
        AUTO(arena_done) struct arena scratch = {0};
        struct err ignored = {0};
        size_t which = 0;
        if (!next_field(&list, &question) || !next_field(&question, &name))
            return false;
        while (which < ARRAY_COUNT(question_names) && !text_is(name, question_names[which]))
            which++;
        if (which == ARRAY_COUNT(question_names) ||
            (repeatings[which].is_waiting == is_waiting &&
             !repeatings[which].repeat(questions, &scratch, question, &ignored)))
            return false;
    }
    return true;
}

void questions_close(struct questions **questions)
{
    if (!*questions)
        return;
    pthread_mutex_destroy(&(*questions)->lock);
    arena_done(&(*questions)->arena);
    free(*questions);
    *questions = NULL;
}
