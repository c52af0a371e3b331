/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_wanted.h"

#include "base/auto.h"
#include "deb/deb_arch.h"
#include "deb/deb_relation.h"
#include "deb/deb_version.h"
#include "source/wish_word.h"

#include <fnmatch.h>
#include <regex.h>

#define MATCHES_MAX 5000 /* packages that one word may stand for */
#define LISTED_MAX 20    /* in a message */

/* The reading of one request. */
struct wanting {
    struct solve_pool *solve;
    const struct solve_request *request;
    struct arena scratch;
    struct map wanted; /* what solve->wanted.names has */
    const char *word;
    struct err *err;
};

/* What a name must be for a word. */
struct condition {
    enum wish_operator op;
    struct text version;
    bool is_glob;    /* the version is a glob, as after "NAME=" */
    bool is_release; /* `version` is the suite, codename or version of a release */
};

/* Asks for a package, and notes it where the word is not its name. */
static void want(struct wanting *wanting, struct text name, const char *version)
{
    struct solve_pool *solve = wanting->solve;
    const char *copy = text_dup(&solve->arena, name);
    const char *canonical = version ? arena_printf(&solve->arena, "%s=%s", copy, version) : copy;
    if (map_add(&wanting->wanted, text_of(canonical), solve))
        list_add(&solve->arena, &solve->wanted.names, canonical);
    if (strcmp(copy, wanting->word) != 0)
        list_add(&solve->arena, &solve->wanted.stands, (struct deb_stand){wanting->word, copy});
}

static bool is_never(const struct wanting *wanting, struct text name)
{
    for (size_t i = 0; i < wanting->request->never.count; i++) {
        if (text_is(name, wanting->request->never.items[i]))
            return true;
    }
    return false;
}

/* Finds the version of a name that apt would take or leave installed. */
static bool find_candidate(struct wanting *wanting, struct text name, struct solve_item *ret_item, bool *ret_found)
{
    const struct solve_pool *solve = wanting->solve;
    const struct solve_item *installed = solve_installed(solve, name);
    *ret_found = false;
    if (is_never(wanting, name))
        return true;
    if (!solve_find_candidate(solve->catalog, name, ret_item, ret_found, wanting->err))
        return false;
    if (installed && (!*ret_found || deb_version_compare(installed->stanza.version, ret_item->stanza.version) >= 0 ||
                      ret_item->priority < solve_installed_priority(solve->catalog, installed))) {
        *ret_item = *installed;
        *ret_found = true;
    }
    return true;
}

static bool meets(const struct condition *condition, const struct solve_item *item)
{
    const struct release *release = item->index->release;
    const struct text version = item->stanza.version;
    AUTO(arena_done) struct arena scratch = {0};
    if (condition->op == WISH_ANY)
        return true;
    const char *wanted = text_dup(&scratch, condition->version);
    if (condition->is_release)
        return release && ((release->suite && fnmatch(wanted, release->suite, 0) == 0) ||
                           (release->codename && fnmatch(wanted, release->codename, 0) == 0) ||
                           (release->version && fnmatch(wanted, release->version, 0) == 0));
    if (condition->is_glob)
        return fnmatch(wanted, text_dup(&scratch, version), 0) == 0;
    return wish_operator_takes(condition->op, deb_version_compare(version, condition->version));
}

/* Returns whether a package says that it provides a name, in a version that meets the condition. */
static bool provides(const struct solve_item *item, struct text name, const struct condition *condition)
{
    struct text field = item->stanza.provides;
    for (struct text clause; text_next(&field, ',', &clause);) {
        struct deb_relation relation;
        if (!deb_relation_parse(clause, &relation) || !text_eq(relation.name, name) ||
            (relation.op != DEB_ANY && relation.op != DEB_EQUAL))
            continue;
        if (condition->op == WISH_ANY ||
            (!condition->is_glob && !condition->is_release && relation.version.len &&
             wish_operator_takes(condition->op, deb_version_compare(relation.version, condition->version))))
            return true;
    }
    return false;
}

/* Lists the names of packages of which some version provides a name, each once. */
static void list_provider_names(struct wanting *wanting, struct text name, struct strings *names)
{
    const struct deb_catalog *catalog = wanting->solve->catalog;
    struct map seen = {.arena = &wanting->scratch};
    for (size_t i = 0; i < catalog->indices.count; i++) {
        struct deb_hits hits = deb_index_find(&catalog->indices.items[i].index, name);
        uint32_t number;
        bool is_virtual;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            const char *provider =
                text_dup(&wanting->scratch, deb_index_name(&catalog->indices.items[i].index, number));
            if (is_virtual && names->count < MATCHES_MAX && map_add(&seen, text_of(provider), names))
                list_add(&wanting->scratch, names, provider);
        }
    }
    for (size_t i = 0; i < wanting->solve->installed.count; i++) {
        static const struct condition any;
        const struct solve_item *item = &wanting->solve->installed.items[i];
        const char *provider = text_dup(&wanting->scratch, item->stanza.name);
        if (provides(item, name, &any) && map_add(&seen, text_of(provider), names))
            list_add(&wanting->scratch, names, provider);
    }
}

/* Takes the only provider of a name; several are an error when they are asked for by name, and nothing otherwise. */
static bool want_provider(struct wanting *wanting, struct text name, const struct condition *condition, bool is_named,
                          bool *ret_taken)
{
    struct strings names = {0}, shown = {0};
    struct text only = {0};
    size_t count = 0;
    *ret_taken = false;
    list_provider_names(wanting, name, &names);
    for (size_t i = 0; i < names.count; i++) {
        struct solve_item item;
        bool is_found;
        if (!find_candidate(wanting, text_of(names.items[i]), &item, &is_found))
            return false;
        if (!is_found || !provides(&item, name, condition))
            continue;
        only = text_of(names.items[i]);
        if (count++ < LISTED_MAX)
            list_add(&wanting->scratch, &shown,
                     arena_printf(&wanting->scratch, "%s %s", names.items[i],
                                  text_dup(&wanting->scratch, item.stanza.version)));
    }
    *ret_taken = count == 1;
    if (count == 1)
        want(wanting, only, NULL);
    if (count < 2 || !is_named)
        return true;
    err_set(wanting->err, ERR_RESOLVE, "%s is a name that several packages provide, of which one has to be named: %s%s",
            wanting->word, strings_join(&wanting->scratch, &shown, ", "), count > LISTED_MAX ? ", …" : "");
    return false;
}

/* The versions of a name that can be used, best first found; those that meet a condition. */
struct versions {
    bool is_any, is_met;    /* some version is there; one of them meets the condition */
    struct solve_item best; /* the highest that does */
    struct strings all;     /* for a message */
};

static void add_version(struct wanting *wanting, const struct condition *condition, const struct solve_item *item,
                        struct versions *versions)
{
    const char *version = text_dup(&wanting->scratch, item->stanza.version);
    versions->is_any = true;
    if (versions->all.count < LISTED_MAX && !strings_has(&versions->all, version))
        list_add(&wanting->scratch, &versions->all, version);
    if (!meets(condition, item) ||
        (versions->is_met && deb_version_compare(item->stanza.version, versions->best.stanza.version) <= 0))
        return;
    versions->best = *item;
    versions->is_met = true;
}

static bool find_versions(struct wanting *wanting, struct text name, const struct condition *condition,
                          struct versions *ret_versions)
{
    const struct solve_pool *solve = wanting->solve;
    const struct solve_item *installed = solve_installed(solve, name);
    *ret_versions = (struct versions){0};
    for (size_t i = 0; i < solve->catalog->indices.count; i++) {
        const struct deb_catalog_index *index = &solve->catalog->indices.items[i];
        struct deb_hits hits = deb_index_find(&index->index, name);
        uint32_t number;
        bool is_virtual;
        hits.is_loose = true;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            struct solve_item item;
            const char *why = NULL;
            if (is_virtual)
                continue;
            if (!solve_item_read(solve->catalog, index, number, &item, &why, wanting->err))
                return false;
            if (!why && solve_is_own_arch(solve->catalog, &item))
                add_version(wanting, condition, &item, ret_versions);
        }
    }
    if (installed)
        add_version(wanting, condition, installed, ret_versions);
    return true;
}

/* Returns whether some stanza has the name, or provides it. */
static bool is_known(const struct wanting *wanting, struct text name)
{
    const struct solve_pool *solve = wanting->solve;
    static const struct condition any;
    if (solve_installed(solve, name))
        return true;
    for (size_t i = 0; i < solve->catalog->indices.count; i++) {
        struct deb_hits hits = deb_index_find(&solve->catalog->indices.items[i].index, name);
        uint32_t number;
        bool is_virtual;
        if (deb_index_next(&hits, &number, &is_virtual))
            return true;
    }
    for (size_t i = 0; i < solve->installed.count; i++) {
        if (provides(&solve->installed.items[i], name, &any))
            return true;
    }
    return false;
}

static bool fail_version(struct wanting *wanting, struct text name, const struct versions *versions)
{
    err_set(wanting->err, ERR_RESOLVE, "%s: there is no such version of %s; there is %s", wanting->word,
            text_dup(&wanting->scratch, name), strings_join(&wanting->scratch, &versions->all, ", "));
    return false;
}

/* Takes a name that is known, in a version that meets the condition. */
static bool want_name(struct wanting *wanting, struct text name, const struct condition *condition, bool is_named)
{
    struct versions versions;
    struct solve_item candidate;
    bool is_found, is_taken;
    if (!find_versions(wanting, name, condition, &versions))
        return false;
    if (!versions.is_any) {
        if (!want_provider(wanting, name, condition, is_named, &is_taken))
            return false;
        if (!is_taken && is_named)
            want(wanting, name, NULL); /* of which the solver says that there is none */
        return true;
    }
    if (!find_candidate(wanting, name, &candidate, &is_found))
        return false;
    if (condition->op == WISH_ANY ||
        (is_found && !condition->is_release && !condition->is_glob && meets(condition, &candidate))) {
        want(wanting, name, condition->op == WISH_ANY ? NULL : text_dup(&wanting->scratch, candidate.stanza.version));
        return true;
    }
    if (versions.is_met) {
        want(wanting, name, text_dup(&wanting->scratch, versions.best.stanza.version));
        return true;
    }
    if (!want_provider(wanting, name, condition, is_named, &is_taken))
        return false;
    return is_taken || fail_version(wanting, name, &versions);
}

/* Takes all names that a pattern matches; virtual ones as far as one package alone provides them. */
struct matching {
    struct wanting *wanting;
    struct map seen;
    const regex_t *regex; /* NULL: the word is a glob */
    size_t count;
};

static bool match_name(struct matching *matching, struct text name)
{
    static const struct condition any;
    struct wanting *wanting = matching->wanting;
    if (!name.len || !map_add(&matching->seen, name, NULL))
        return true;
    const char *copy = text_dup(&wanting->scratch, name);
    if (matching->regex ? regexec(matching->regex, copy, 0, NULL, 0) != 0 : fnmatch(wanting->word, copy, 0) != 0)
        return true;
    if (++matching->count <= MATCHES_MAX)
        return is_never(wanting, name) || want_name(wanting, name, &any, false);
    err_set(wanting->err, ERR_RESOLVE, "%s matches more than %d packages", wanting->word, MATCHES_MAX);
    return false;
}

static bool match_stanza(struct matching *matching, const struct deb_stanza *stanza)
{
    struct text field = stanza->provides;
    if (!match_name(matching, stanza->name))
        return false;
    for (struct text clause; text_next(&field, ',', &clause);) {
        if (!match_name(matching, deb_relation_name(clause)))
            return false;
    }
    return true;
}

static bool match_all(struct wanting *wanting, const regex_t *regex, bool *ret_any)
{
    struct solve_pool *solve = wanting->solve;
    struct matching matching = {.wanting = wanting, .regex = regex, .seen.arena = &wanting->scratch};
    for (size_t i = 0; i < solve->catalog->indices.count; i++) {
        const struct deb_catalog_index *index = &solve->catalog->indices.items[i];
        for (uint32_t number = 0; number < index->index.stanza_count; number++) {
            struct deb_stanza stanza;
            if (!solve_watch_look(&solve->watch, wanting->err))
                return false;
            if (!deb_index_read(&index->index, number, &stanza))
                return deb_catalog_fail_damaged(solve->catalog, index, wanting->err);
            if (!match_stanza(&matching, &stanza))
                return false;
        }
    }
    *ret_any = matching.count > 0;
    return true;
}

/* A glob first, then a regular expression. *ret_any: something matched. */
static bool want_pattern(struct wanting *wanting, bool *ret_any)
{
    regex_t regex;
    *ret_any = false;
    if (wish_word_is_glob(wanting->word) && !match_all(wanting, NULL, ret_any))
        return false;
    if (*ret_any || !strpbrk(wanting->word, ".?+*|[^$") ||
        regcomp(&regex, wanting->word, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
        return true;
    bool is_good = match_all(wanting, &regex, ret_any);
    regfree(&regex);
    return is_good;
}

/* What apt-get understands and an image cannot have. */
static bool check_kind(const struct wanting *wanting)
{
    static const struct {
        const char *first, *last, *why;
    } strange[] = {{"?", "", "patterns of apt (apt-patterns) are not understood here; a glob is"},
                   {"~", "", "patterns of apt (apt-patterns) are not understood here; a glob is"},
                   {"/", "", "a file is no package: name it under 'binaries' or 'files'"},
                   {"./", "", "a file is no package: name it under 'binaries' or 'files'"},
                   {"", "^", "tasks of apt are not understood here; name the packages"}};
    struct text word = text_of(wanting->word);
    for (size_t i = 0; i < ARRAY_COUNT(strange); i++) {
        if (!text_has_prefix(word, strange[i].first) || !text_has_suffix(word, strange[i].last))
            continue;
        err_set(wanting->err, ERR_RESOLVE, "%s: %s", wanting->word, strange[i].why);
        return false;
    }
    return true;
}

/* Cuts ":ARCH" off a name; false with an error when it is another architecture than the image's. */
static bool cut_architecture(struct wanting *wanting, struct text *name)
{
    const char *own = deb_arch(wanting->solve->catalog->base.arch);
    const char *colon = name->len ? memrchr(name->ptr, ':', name->len) : NULL;
    if (!colon || colon == name->ptr)
        return true;
    struct text arch = {colon + 1, (size_t)(name->ptr + name->len - colon - 1)};
    name->len = (size_t)(colon - name->ptr);
    if (text_is(arch, own) || text_is(arch, "any") || text_is(arch, "native") || text_is(arch, "all"))
        return true;
    err_set(wanting->err, ERR_RESOLVE,
            "%s: an image for %s holds no packages of other architectures (multi-arch is not supported)", wanting->word,
            own);
    return false;
}

/* Cuts a word whose whole is no name. */
static struct condition cut_condition(const char *word, struct text *ret_name)
{
    struct wish_word cut = wish_word_cut(word);
    struct condition condition = {.op = cut.op, .version = cut.version};
    const char *slash = strrchr(word, '/');
    *ret_name = cut.name;
    condition.is_glob = cut.is_equals && memchr(cut.version.ptr, '*', cut.version.len);
    if (cut.op == WISH_ANY && slash && slash != word && slash[1]) {
        *ret_name = (struct text){word, (size_t)(slash - word)};
        condition = (struct condition){.op = WISH_EQUAL, .version = text_of(slash + 1), .is_release = true};
    }
    return condition;
}

static bool read_word(struct wanting *wanting)
{
    static const struct condition any;
    struct text name, whole = text_of(wanting->word);
    bool is_pattern;
    if (is_known(wanting, whole))
        return want_name(wanting, whole, &any, true);
    if (!check_kind(wanting))
        return false;
    struct condition condition = cut_condition(wanting->word, &name);
    if (!cut_architecture(wanting, &name))
        return false;
    if (is_known(wanting, name))
        return want_name(wanting, name, &condition, true);
    if (whole.len > 1 && whole.ptr[whole.len - 1] == '+' && is_known(wanting, (struct text){whole.ptr, whole.len - 1}))
        return want_name(wanting, (struct text){whole.ptr, whole.len - 1}, &any, true);
    if (whole.len > 1 && whole.ptr[whole.len - 1] == '-' &&
        is_known(wanting, (struct text){whole.ptr, whole.len - 1})) {
        err_set(wanting->err, ERR_RESOLVE, "%s: what is not to be installed stands under 'packages: never'",
                wanting->word);
        return false;
    }
    if (!want_pattern(wanting, &is_pattern))
        return false;
    if (!is_pattern)
        want(wanting, name, condition.op == WISH_ANY ? NULL : text_dup(&wanting->scratch, condition.version));
    return true;
}

bool deb_wanted_read(struct solve_pool *solve, const struct solve_request *request, struct err *err)
{
    struct wanting wanting = {.solve = solve, .request = request, .wanted.arena = &solve->arena, .err = err};
    bool is_good = true;
    for (size_t i = 0; is_good && i < request->names.count; i++) {
        wanting.word = request->names.items[i];
        is_good = solve_watch_look(&solve->watch, err) && read_word(&wanting);
    }
    arena_done(&wanting.scratch);
    return is_good;
}

void deb_wanted_stands(const struct solve_pool *solve, struct arena *arena, struct text name, struct strings *words)
{
    for (size_t i = 0; i < solve->wanted.stands.count; i++) {
        const struct deb_stand *stand = &solve->wanted.stands.items[i];
        if (text_is(name, stand->name) && !strings_has(words, stand->word))
            list_add(arena, words, arena_strdup(arena, stand->word));
    }
}
