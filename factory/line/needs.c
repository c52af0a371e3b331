/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of names, and the rounds over them. */
#include "line/needs.h"

#include "base/auto.h"
#include "line/opening.h"
#include "line/stands.h"
#include "package/path.h"
#include "service/unit_file.h"
#include "source/format.h"

/* How many names are looked at for one that is meant. */
#define NEAR_MAX 10000

/* How many missing things an error lists. */
#define LISTED_MAX 10

bool opened_selects(const struct opened *opened, const char *name)
{
    return selection_find(&opened->selection, name) != NULL;
}

bool opened_is_partial(const struct opened *opened)
{
    for (size_t i = 0; i < opened->selection.count; i++) {
        if (!opened->packages[i])
            return true;
    }
    return false;
}

static void add_name(struct arena *arena, struct strings *names, const char *name)
{
    if (!strings_has(names, name))
        list_add(arena, names, arena_strdup(arena, name));
}

static void add_choice(struct arena *arena, struct chosen_list *list, const struct chosen *chosen)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].path, chosen->path) != 0)
            continue;
        list->items[i] = *chosen; /* the former was looked into */
        return;
    }
    list_add(arena, list, *chosen);
}

/* Lists the packages of the selection that are open and have not got the path. */
static struct strings list_without(struct arena *arena, const struct opened *opened, const char *path)
{
    struct strings names = {0};
    const char *why, *canonical = path_canonical(arena, text_of(path), &why);
    for (size_t i = 0; canonical && i < opened->selection.count; i++) {
        if (opened->packages && opened->packages[i] && !package_find(opened->packages[i], canonical))
            list_add(arena, &names, opened->selection.items[i].name);
    }
    return names;
}

/* The names that packages have in a folder. */
struct near_scan {
    struct arena *arena;
    const char *folder; /* with its slash */
    struct strings names;
};

static bool take_near(void *taker, struct text path, struct text package)
{
    struct near_scan *scan = taker;
    size_t len = strlen(scan->folder);
    (void)package;
    if (text_has_prefix(path, scan->folder) && !memchr(path.ptr + len, '/', path.len - len))
        list_add(scan->arena, &scan->names, text_dup(scan->arena, (struct text){path.ptr + len, path.len - len}));
    return scan->names.count < NEAR_MAX;
}

/* Says which unit may be meant by one that no package ships. */
static void tell_near(const struct order *order, const char *path, struct err *err)
{
    struct near_scan scan = {.arena = order->arena, .folder = UNIT_DIR "/"};
    struct catalog_scan request = {.take = take_near, .taker = &scan};
    struct err ignored = {0};
    if (!path_is_below(path, UNIT_DIR) || !catalog_scan(order->catalog, &request, &ignored))
        return;
    const char *nearest = text_nearest(path_basename(path), scan.names.items, scan.names.count);
    if (!nearest)
        return;
    const char *text = arena_strdup(order->arena, err->text);
    err_clear(err);
    err_set(err, ERR_RESOLVE, "%s; did you mean %s?", text, nearest);
}

/* Chooses the package of a path. */
static bool choose(const struct order *order, const struct closed *closed, const char *path, struct need *need,
                   struct err *err)
{
    struct strings looked = list_without(order->arena, &closed->opened, path);
    struct choose_request request = {.path = path,
                                     .image_name = order->manifest->name,
                                     .first = &order->manifest->packages_first,
                                     .never = &order->manifest->packages_never,
                                     .looked = &looked,
                                     .is_first_ignored = closed->asked.is_first_ignored || need->is_first_ignored,
                                     .is_older_fine = order_takes_older(order),
                                     .is_service = order_is_automatic(order)};
    struct workers *workers = order->plant->workers;
    struct chosen chosen = {.path = path};
    if (!choose_package(order->arena, workers, order->catalog, &request, &chosen.choice, err)) {
        if (err->kind == ERR_RESOLVE)
            tell_near(order, path, err);
        return false;
    }
    request.is_first_ignored = true; /* what is selected already was looked into, and has not got the path */
    if (chosen.choice.is_from_first && opened_selects(&closed->opened, chosen.choice.package) &&
        !choose_package(order->arena, workers, order->catalog, &request, &chosen.choice, err))
        return false;
    add_name(order->arena, &need->names, chosen.choice.package);
    add_choice(order->arena, &need->chosen, &chosen);
    return true;
}

/* The packages that ship what a glob means. */
struct glob_scan {
    const struct order *order;
    const char *glob;
    size_t prefix_len; /* of the glob, as it is written */
    struct strings names;
};

static bool take_shipper(void *taker, struct text path, struct text package)
{
    struct glob_scan *scan = taker;
    AUTO(arena_done) struct arena scratch = {0};
    if (path.len < scan->prefix_len || memcmp(path.ptr, scan->glob, scan->prefix_len) != 0 ||
        !path_matches(scan->glob, text_dup(&scratch, path)))
        return true;
    const char *name = text_dup(&scratch, package);
    if (catalog_has(scan->order->catalog, name, false) && !strings_has(&scan->order->manifest->packages_never, name))
        add_name(scan->order->arena, &scan->names, name);
    return scan->names.count < LISTED_MAX;
}

/* Looks through all that packages ship. */
static bool choose_by_scan(const struct order *order, const char *glob, struct need *need, struct err *err)
{
    const char *why, *canonical = path_canonical(order->arena, text_of(glob), &why);
    struct glob_scan scan = {.order = order, .glob = canonical ? canonical : glob};
    struct catalog_scan request = {.take = take_shipper, .taker = &scan};
    scan.prefix_len = strcspn(scan.glob, "*?[");
    if (!catalog_scan(order->catalog, &request, err))
        return false;
    if (scan.names.count != 1) {
        const char *shipped = scan.names.count ? strings_join(order->arena, &scan.names, ", ") : "no package";
        err_set(err, ERR_RESOLVE, "%s is shipped by %s; which package is meant has to be said, under 'packages: first'",
                glob, shipped);
        return false;
    }
    struct chosen chosen = {.path = glob, .choice = {.package = scan.names.items[0], .why = "the only one"}};
    add_name(order->arena, &need->names, chosen.choice.package);
    add_choice(order->arena, &need->chosen, &chosen);
    return true;
}

/* The package of a glob: one that the manifest names, else the only one that ships a path that it matches. */
static bool choose_of_glob(const struct order *order, const struct closed *closed, const char *glob, struct need *need,
                           struct err *err)
{
    const struct strings *first = &order->manifest->packages_first;
    if (closed->asked.wishes.packages.count)
        return true; /* it is looked for in the whole packages */
    for (size_t i = 0; i < first->count; i++) {
        if (catalog_has(order->catalog, first->items[i], false))
            return choose(order, closed, glob, need, err);
    }
    return choose_by_scan(order, glob, need, err);
}

bool needs_of_manifest(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    const struct wishes *wishes = &closed->asked.wishes;
    const struct strings *binaries = &order->manifest->binaries;
    for (size_t i = 0; i < wishes->packages.count; i++)
        add_name(order->arena, &need->names, stands_word(&wishes->packages.items[i]));
    for (size_t i = 0; i < binaries->count; i++) {
        bool is_glob = manifest_is_glob(binaries->items[i]);
        if (!is_glob && order_has(order, binaries->items[i]))
            continue; /* the base's */
        if (!(is_glob ? choose_of_glob : choose)(order, closed, binaries->items[i], need, err))
            return false;
    }
    for (size_t i = 0; !need->names.count && i < wishes->files.count; i++) {
        const struct wish_file *file = &wishes->files.items[i];
        if (!path_is_glob(file->path) && !file->packages.count && !file->is_optional && !order_has(order, file->path) &&
            !choose(order, closed, file->path, need, err))
            return false;
    }
    return true;
}

/* Whether it is a unit of which a run that opens no package would not see that nobody ships it. */
static bool is_unit_unseen(const struct order *order, const struct closed *closed, const char *path)
{
    for (size_t i = 0; i < closed->asked.chosen.count; i++) {
        if (strcmp(closed->asked.chosen.items[i].path, path) == 0)
            return false;
    }
    return order->is_selected_only && path_is_below(path, UNIT_DIR) && !strpbrk(path, "*?[");
}

bool needs_of_files(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    const struct wishes *wishes = &closed->asked.wishes;
    for (size_t i = 0; i < wishes->files.count; i++) {
        const struct wish_file *file = &wishes->files.items[i];
        const char *first_known = NULL;
        if (is_unit_unseen(order, closed, file->path) && !choose(order, closed, file->path, need, err))
            return false;
        bool has_one = file->is_optional;
        for (size_t j = 0; j < file->packages.count; j++) {
            has_one = has_one || opened_selects(&closed->opened, file->packages.items[j]);
            if (!first_known && catalog_has(order->catalog, file->packages.items[j], false))
                first_known = file->packages.items[j];
        }
        if (!has_one && first_known)
            add_name(order->arena, &need->names, first_known);
    }
    return true;
}

/* Returns whether nobody may have a package here. */
static bool is_unwelcome(const struct order *order, const struct closed *closed, const char *name)
{
    return strings_has(&order->manifest->packages_never, name) || strings_has(&closed->asked.refused, name);
}

/* Guesses who ships a library, or a path, since no index of paths can be asked; `err` says why not, and stays when nobody is
 * likely to. */
static bool guess_owner(const struct order *order, const struct closed *closed, const char *wanted, struct need *need,
                        struct err *err)
{
    const struct format *format = order->catalog->origins.source->format;
    struct strings names = {0};
    if (wanted[0] == '/')
        return choose(order, closed, wanted, need, err);
    if (format->library_packages)
        format->library_packages(order->arena, wanted, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (!catalog_has(order->catalog, names.items[i], false) || is_unwelcome(order, closed, names.items[i]))
            continue;
        struct chosen chosen = {.path = wanted,
                                .choice = {.package = names.items[i],
                                           .why = "named like the library, and " CHOICE_BLIND,
                                           .without_paths = arena_strdup(order->arena, err->text)}};
        add_name(order->arena, &need->names, names.items[i]);
        add_choice(order->arena, &need->chosen, &chosen);
        err_clear(err);
        return true;
    }
    return false;
}

/* The package of a library in the first directory of the loader that has one, or of a path: the first that is liked, else
 * the first. */
static bool add_library(const struct order *order, const struct closed *closed, const char *soname,
                        const struct strings *liked, struct need *need, struct err *err)
{
    const struct strings *dirs = &order->arch->library_dirs;
    struct strings owners = {0};
    struct err why = {0};
    for (size_t i = 0; !owners.count && i < dirs->count; i++) {
        bool is_path = soname[0] == '/';
        const char *path = is_path ? soname : arena_printf(order->arena, "%s/%s", dirs->items[i], soname);
        if ((!is_path && strchr(soname, '/')) ||
            !catalog_owners(order->catalog, order->arena, path, &owners, NULL, &why))
            break;
    }
    if (why.kind && why.kind != ERR_RESOLVE) {
        *err = why;
        return (why.kind == ERR_NETWORK || why.kind == ERR_TRUST) && guess_owner(order, closed, soname, need, err);
    }
    const char *owner = NULL;
    for (size_t i = 0; i < owners.count; i++) {
        const char *name = owners.items[i];
        if (!is_unwelcome(order, closed, name) &&
            (!owner || (liked && strings_has(liked, name) && !strings_has(liked, owner))))
            owner = name;
    }
    if (owner)
        add_name(order->arena, &need->names, owner);
    return true;
}

bool needs_of_dlopen(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    for (size_t i = 0; i < closed->keep.missing_count; i++) {
        const struct missing *missing = &closed->keep.missing[i];
        if (missing->is_opened && !add_library(order, closed, missing->wanted, NULL, need, err)) {
            err_wrap(err, "%s, which %s opens", missing->wanted, missing->needed_by);
            return false;
        }
    }
    return true;
}

/* What the packages of the service recommend. */
static bool list_recommended(const struct order *order, const struct closed *closed, struct strings *ret_names,
                             struct err *err)
{
    const struct strings *names = &closed->asked.names;
    for (size_t i = 0; i < names->count; i++) {
        struct catalog_package described = {0};
        bool is_found;
        if (!catalog_describe(order->catalog, order->arena, names->items[i], &described, &is_found, err))
            return false;
        for (size_t j = 0; j < described.recommends.count; j++)
            list_add(order->arena, ret_names, described.recommends.items[j]);
    }
    return true;
}

bool needs_of_plugins(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    const struct strings *libraries = &closed->asked.automatic.libraries;
    struct strings recommended = {0};
    if (!libraries->count)
        return true;
    if (!list_recommended(order, closed, &recommended, err))
        return false;
    for (size_t i = 0; i < libraries->count; i++) {
        if (!add_library(order, closed, libraries->items[i], &recommended, need, err)) {
            err_wrap(err, "%s, for a plug-in that the configuration names", libraries->items[i]);
            return false;
        }
    }
    return true;
}

bool needs_of_recipes(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    (void)err;
    const struct recipes *recipes = order->plant->options->recipes;
    struct applied applied = closed->asked.applied;
    size_t before = applied.count;
    if (keep_lacks(&closed->keep) || !order->manifest->has_recipes || !recipes ||
        !applied_add(order->arena, recipes, &closed->keep, order->installed != NULL, &applied))
        return true;
    need->applied = applied;
    for (size_t i = before; i < applied.count; i++) {
        const struct wishes *given = &applied.items[i]->wishes;
        for (size_t j = 0; j < given->packages.count && !order->installed; j++)
            add_name(order->arena, &need->names, given->packages.items[j].name);
    }
    return true;
}

/* A shell that env(1) is to find is on every system, so that no package depends on it. */
static void add_tool(const struct order *order, const char *name, struct need *need)
{
    const struct family *family = order->catalog->family;
    for (size_t i = 0; family && i < family->tools.count; i++) {
        if (strings_has(&family->tools.items[i].programs, name) &&
            catalog_has(order->catalog, family->tools.items[i].package, false) &&
            !strings_has(&order->manifest->packages_never, family->tools.items[i].package))
            add_name(order->arena, &need->names, family->tools.items[i].package);
    }
}

bool needs_of_paths(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    if (!keep_lacks(&closed->keep))
        return true;
    for (size_t i = 0; i < closed->keep.missing_count; i++) {
        const struct missing *missing = &closed->keep.missing[i];
        if (missing->wanted[0] != '/' && !missing->is_optional)
            add_tool(order, missing->wanted, need);
        if (missing->wanted[0] != '/' || missing->is_optional)
            continue;
        if (!closed->asked.is_first_ignored && strings_has(&order->manifest->binaries, missing->wanted)) {
            *need = (struct need){.is_first_ignored = true};
            return needs_of_manifest(order, closed, need, err);
        }
        if (!choose(order, closed, missing->wanted, need, err)) {
            err_wrap(err, "needed by %s", missing->needed_by);
            return false;
        }
    }
    return true;
}

enum needs_turn { AT_FIRST, WHEN_SELECTED, WHEN_CLOSED };

/* One source, and when it is asked. */
struct source_of_needs {
    enum needs_turn turn;
    needs_source *find;
    bool is_beyond;    /* asks for packages that no package manager would install besides: not where one is followed */
    bool is_refusable; /* an image is not lost when what it asks for cannot be installed, or is never asked for */
    const char *what;  /* for messages: what asks */
};

static const struct source_of_needs sources[] = {
    {AT_FIRST, needs_of_manifest, false, false, "the manifest's wishes"},
    {WHEN_SELECTED, needs_of_files, false, false, "files of named packages"},
    {WHEN_SELECTED, needs_of_holder, true, true, "the package that holds the service"},
    {WHEN_SELECTED, needs_of_recommended, true, true, "what the service's package recommends of its own source"},
    {WHEN_CLOSED, needs_of_dlopen, true, true, "dlopen notes"},
    {WHEN_CLOSED, needs_of_recipes, false, false, "recipes"},
    {WHEN_CLOSED, needs_of_service, false, false, "the packages of the service"},
    {WHEN_CLOSED, needs_of_plugins, true, true, "plug-ins that the configuration names"},
    {WHEN_CLOSED, needs_of_paths, false, false, "paths that no selected package ships"},
};

/* The rounds of one order. */
struct rounds {
    const struct order *order;
    const struct needs_stages *stages;
    struct closed *closed;
    bool has_refusable;                 /* a refusable source added names in the last round: */
    size_t sure_count;                  /* those after this many */
    const char *refusable;              /* and what it is */
    size_t turns[ARRAY_COUNT(sources)]; /* how often each source had something new */
    const char *left_out; /* the note of what a refusable source would ask for after the last round; NULL: nothing */
};

/* Says which package is taken where several could be. */
static void log_choices(const struct order *order, const struct chosen_list *list, size_t from)
{
    for (size_t i = from; i < list->count; i++) {
        const struct chosen *chosen = &list->items[i];
        if (chosen->choice.others.count)
            order_log(order, LOG_NORMAL, "%s is taken from %s (%s); also shipped by %s", chosen->path,
                      chosen->choice.package, chosen->choice.why,
                      strings_join(order->arena, &chosen->choice.others, ", "));
        if (chosen->choice.without_paths)
            order_log(order, LOG_QUIET, "warning: %s is taken from %s (%s): %s", chosen->path, chosen->choice.package,
                      chosen->choice.why, chosen->choice.without_paths);
    }
}

/* Puts together what all want: the manifest wins, then the recipes. */
static void merge_wishes(const struct order *order, struct asked *asked)
{
    asked->wishes = applied_wishes(order->arena, order->manifest, &asked->applied);
    struct wishes found = wishes_without(order->arena, &asked->automatic.wishes, &order->manifest->packages_never);
    asked->wishes = wishes_merge(order->arena, &asked->wishes, &found);
    asked->config = automatic_config(&order->manifest->config, &asked->automatic.config);
}

/* Adds what a source found, and returns whether it was anything new. */
static bool add_need(const struct order *order, const struct need *need, struct asked *asked)
{
    size_t recipes_before = asked->applied.count;
    if (need->is_first_ignored) {
        asked->names = (struct strings){0};
        asked->chosen = (struct chosen_list){0};
        asked->is_first_ignored = true;
    }
    size_t names_before = asked->names.count, chosen_before = asked->chosen.count;
    for (size_t i = 0; i < need->names.count; i++)
        add_name(order->arena, &asked->names, need->names.items[i]);
    for (size_t i = 0; i < need->chosen.count; i++)
        add_choice(order->arena, &asked->chosen, &need->chosen.items[i]);
    log_choices(order, &asked->chosen, chosen_before);
    if (opening_tell(order, asked, &need->told))
        return true;
    if (need->automatic) {
        asked->automatic = *need->automatic;
        merge_wishes(order, asked);
    }
    if (need->applied.count > recipes_before) {
        asked->applied = need->applied;
        merge_wishes(order, asked);
        for (size_t i = recipes_before; i < asked->applied.count; i++)
            order_log(order, LOG_VERBOSE, "recipe %s", asked->applied.items[i]->name);
    }
    return need->is_first_ignored || need->automatic || asked->applied.count > recipes_before ||
           asked->names.count > names_before;
}

/* Lists what is new in a need; NULL when nothing is. */
static const char *news_of(struct arena *arena, const struct need *need, const struct asked *asked)
{
    struct strings news = {0};
    for (size_t i = 0; i < need->names.count; i++) {
        if (!strings_has(&asked->names, need->names.items[i]))
            list_add(arena, &news, need->names.items[i]);
    }
    for (size_t i = news.count ? need->applied.count : asked->applied.count; i < need->applied.count; i++)
        list_add(arena, &news, need->applied.items[i]->name);
    if (!news.count && need->automatic)
        list_add(arena, &news, "further files");
    return news.count ? strings_join(arena, &news, ", ") : NULL;
}

/* Returns whether a source has something new though it has had its rounds. */
static bool is_endless(const struct rounds *rounds, size_t source, const struct need *need, const char *news)
{
    return sources[source].turn == WHEN_CLOSED && news && !need->is_first_ignored &&
           rounds->turns[source] + 1 >= NEEDS_MAX_ROUNDS;
}

/* What the source asks for now is left out with a note, or the order fails. */
static bool stop_source(struct rounds *rounds, const struct source_of_needs *source, const char *news, struct err *err)
{
    struct arena *arena = rounds->order->arena;
    if (!source->is_refusable) {
        err_set(err, ERR_RESOLVE,
                "%s keep asking for packages, and these bring further ones: more than %d rounds, now for %s",
                source->what, NEEDS_MAX_ROUNDS, news);
        return false;
    }
    rounds->left_out = arena_printf(
        arena, "left out after %d rounds in which %s asked for packages, and these brought further ones: %s",
        NEEDS_MAX_ROUNDS, source->what, news);
    list_add(arena, &rounds->closed->keep.notes, rounds->left_out);
    return true;
}

/* Asks the sources that have their turn; the first that has something new ends it. */
static bool ask_sources(struct rounds *rounds, enum needs_turn turn, bool *ret_new, struct err *err)
{
    struct asked *asked = &rounds->closed->asked;
    *ret_new = false;
    rounds->left_out = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(sources) && !*ret_new; i++) {
        struct need need = {0};
        size_t before = asked->names.count;
        if (sources[i].turn != turn || (sources[i].is_beyond && rounds->order->installed))
            continue;
        if (!sources[i].find(rounds->order, rounds->closed, &need, err))
            return false;
        const char *news = news_of(rounds->order->arena, &need, asked);
        if (is_endless(rounds, i, &need, news)) {
            if (!stop_source(rounds, &sources[i], news, err))
                return false;
            continue;
        }
        *ret_new = add_need(rounds->order, &need, asked);
        rounds->turns[i] += *ret_new;
        if (*ret_new && sources[i].is_refusable) {
            rounds->has_refusable = true;
            rounds->sure_count = before;
            rounds->refusable = sources[i].what;
        }
    }
    return true;
}

/* Takes back what a refusable source asked for, because it cannot be installed. What is required stays missing, and is
 * reported as that. */
static void refuse(struct rounds *rounds, struct err *err)
{
    struct asked *asked = &rounds->closed->asked;
    order_log(rounds->order, LOG_VERBOSE, "left out, though %s would have it: %s", rounds->refusable, err->text);
    for (size_t i = rounds->sure_count; i < asked->names.count; i++)
        list_add(rounds->order->arena, &asked->refused, asked->names.items[i]);
    asked->names.count = rounds->sure_count;
    err_clear(err);
}

/* RESOLVE, again as long as the selection itself asks for more. *ret_selected is false when names had to be taken back. */
static bool select_round(struct rounds *rounds, bool *ret_selected, struct err *err)
{
    bool is_new = true;
    while (is_new) {
        *ret_selected = rounds->stages->resolve(rounds->order, &rounds->closed->asked, &rounds->closed->opened, err);
        if (!*ret_selected && (!rounds->has_refusable || err->kind != ERR_RESOLVE))
            return false;
        if (!*ret_selected) {
            refuse(rounds, err);
            break;
        }
        rounds->has_refusable = false;
        stands_settle(rounds->order->arena, &rounds->closed->opened.selection, &rounds->closed->asked.wishes);
        if (!ask_sources(rounds, WHEN_SELECTED, &is_new, err))
            return false;
    }
    return true;
}

/* Says what is missing: which file needs it, and where it was looked for. */
static bool fail_missing(const struct closed *closed, struct err *err)
{
    struct buf text;
    buf_init(&text, 3000);
    size_t count = 0;
    bool fits = true;
    for (size_t i = 0; i < closed->keep.missing_count; i++) {
        const struct missing *missing = &closed->keep.missing[i];
        if (!missing->is_optional && count++ < LISTED_MAX && fits)
            fits = buf_printf(&text, "%s%s, needed by %s, is in none of the selected packages", count > 1 ? "; " : "",
                              missing->wanted, missing->needed_by);
    }
    if (count > LISTED_MAX)
        fits = fits && buf_printf(&text, "; and %zu more", count - LISTED_MAX);
    fits = fits && buf_printf(&text, "; searched: ");
    for (size_t i = 0; fits && i < closed->opened.selection.count; i++)
        fits = buf_printf(&text, "%s%s", i ? " " : "", closed->opened.selection.items[i].name);
    err_set(err, ERR_RESOLVE, "%s", text.bytes);
    buf_done(&text);
    return false;
}

/* The last round: whether there is an image. */
static bool finish(const struct rounds *rounds, struct err *err)
{
    if (!keep_lacks(&rounds->closed->keep))
        return true;
    (void)fail_missing(rounds->closed, err);
    if (rounds->left_out)
        err_wrap(err, "%s", rounds->left_out);
    return false;
}

bool needs_settle(const struct order *order, const struct needs_stages *stages, struct closed *ret_closed,
                  struct err *err)
{
    struct rounds rounds = {.order = order, .stages = stages, .closed = ret_closed};
    bool is_new;
    *ret_closed = (struct closed){.asked.wishes = order->manifest->wishes, .asked.config = order->manifest->config};
    ret_closed->asked.references = references_new(order->arena);
    if (!ask_sources(&rounds, AT_FIRST, &is_new, err))
        return false;
    for (;;) { /* ends: each source has its number of rounds */
        bool is_selected;
        if (!select_round(&rounds, &is_selected, err))
            return false;
        if (!is_selected)
            continue;
        if (!stages->close)
            return true;
        if (!stages->close(order, ret_closed, err) || !ask_sources(&rounds, WHEN_CLOSED, &is_new, err))
            return false;
        if (!is_new && !ret_closed->is_waiting)
            return finish(&rounds, err);
        ret_closed->asked.is_impatient = ret_closed->asked.is_impatient || !is_new;
    }
}
