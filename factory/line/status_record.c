/* SPDX-License-Identifier: Apache-2.0 */
#include "line/status_record.h"

#include "bill/record.h"

#include <stddef.h>
#include <stdlib.h>

#define TIME_MAX ((int64_t)253402300799) /* the year 9999 */

static const char *const outcomes[] = {[STATUS_BUILT] = "built",
                                       [STATUS_UNCHANGED] = "unchanged",
                                       [STATUS_HELD] = "held",
                                       [STATUS_FAILED] = "failed",
                                       NULL};

static const struct record_field error_fields[] = {
    RECORD_FIELD(status_error, RECORD_TEXT, "kind", kind),
    RECORD_FIELD(status_error, RECORD_U32, "exit", exit),
    RECORD_FIELD(status_error, RECORD_TEXT, "text", text),
};
static const struct record_table error_table = RECORD_TABLE(status_error, error_fields);

static const struct record_field repository_fields[] = {
    RECORD_FIELD(status_repository, RECORD_TEXT, "name", name),
    RECORD_FIELD(status_repository, RECORD_I64, "date", date),
};
static const struct record_table repository_table = RECORD_TABLE(status_repository, repository_fields);

static const struct record_field image_fields[] = {
    RECORD_FIELD(status_image, RECORD_TEXT, "image", name),
    RECORD_FIELD(status_image, RECORD_TEXT, "asked", asked),
    RECORD_FIELD(status_image, RECORD_MAYBE_TEXT, "destination", destination),
    RECORD_FIELD(status_image, RECORD_TEXT, "writer", writer),
    RECORD_ONE_OF(status_image, "outcome", outcome, outcomes),
    RECORD_OF(status_image, RECORD_MAYBE, "error", error, error_table),
    RECORD_FIELD(status_image, RECORD_I64, "night", night),
    RECORD_FIELD(status_image, RECORD_I64, "good", good),
    RECORD_FIELD(status_image, RECORD_I64, "failing_since", failing_since),
    RECORD_FIELD(status_image, RECORD_MAYBE_SHA256, "digest", digest),
    RECORD_FIELD(status_image, RECORD_TEXTS, "tags", tags),
    RECORD_FIELD(status_image, RECORD_TEXTS, "architectures", architectures),
    RECORD_FIELD(status_image, RECORD_FLAG, "proven", is_proven),
    RECORD_OF(status_image, RECORD_LIST, "repositories", repositories, repository_table),
};
static const struct record_table image_table = RECORD_TABLE(status_image, image_fields);

static const struct record_field move_fields[] = {
    RECORD_FIELD(status_move, RECORD_TEXT, "image", image),
    RECORD_FIELD(status_move, RECORD_MAYBE_TEXT, "destination", destination),
    RECORD_FIELD(status_move, RECORD_TEXTS, "tags", tags),
    RECORD_FIELD(status_move, RECORD_I64, "released", released),
    RECORD_FIELD(status_move, RECORD_I64, "moved", moved),
    RECORD_FIELD(status_move, RECORD_U32, "seconds", seconds),
};
static const struct record_table move_table = RECORD_TABLE(status_move, move_fields);

static const struct record_field record_fields[] = {
    RECORD_FIELD(status_record, RECORD_SIZE, "format", format),
    RECORD_FIELD(status_record, RECORD_TEXT, "program", program),
    RECORD_FIELD(status_record, RECORD_I64, "night", night),
    RECORD_OF(status_record, RECORD_LIST, "images", images, image_table),
    RECORD_OF(status_record, RECORD_LIST, "moves", moves, move_table),
};
static const struct record_table record_table = RECORD_TABLE(status_record, record_fields);

/* --- reading and writing --- */

static bool is_time(int64_t seconds)
{
    return seconds >= 0 && seconds <= TIME_MAX;
}

/* What no night writes could take readers any time. */
static bool has_sane_values(const struct status_record *record)
{
    bool is_sane =
        is_time(record->night) && record->images.count <= STATUS_IMAGES_MAX && record->moves.count <= STATUS_MOVES_MAX;
    size_t repositories = 0;
    for (size_t i = 0; is_sane && i < record->images.count; i++) {
        const struct status_image *image = &record->images.items[i];
        repositories += image->repositories.count;
        is_sane = repositories <= STATUS_REPOSITORIES_MAX && is_time(image->night) && is_time(image->good) &&
                  is_time(image->failing_since);
        for (size_t j = 0; j < image->repositories.count; j++)
            is_sane = is_sane && is_time(image->repositories.items[j].date);
    }
    for (size_t i = 0; i < record->moves.count; i++)
        is_sane = is_sane && is_time(record->moves.items[i].released) && is_time(record->moves.items[i].moved);
    return is_sane;
}

enum status_verdict status_record_read(struct arena *arena, struct text bytes, struct status_record *ret_record)
{
    json_auto_t *json = json_loadb(bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *format = json_object_get(json, "format");
    *ret_record = (struct status_record){0};
    if (json_is_integer(format) && json_integer_value(format) > (json_int_t)STATUS_FORMAT)
        return STATUS_IS_NEWER;
    bool is_read = json && record_read(arena, &record_table, json, ret_record) && has_sane_values(ret_record) &&
                   ret_record->format == STATUS_FORMAT;
    return is_read ? STATUS_IS_READ : STATUS_IS_BROKEN;
}

bool status_record_write(const struct status_record *record, struct buf *text)
{
    return record_write(&record_table, record, text);
}

/* --- putting a night over what is there --- */

static bool is_same(const struct status_image *a, const struct status_image *b)
{
    return strcmp(a->name, b->name) == 0 && text_same(a->destination, b->destination);
}

/* An image that could not be planned is known by its word alone. */
static bool is_asked_alike(const struct status_image *a, const struct status_image *b)
{
    return strcmp(a->asked, b->asked) == 0 && strcmp(a->writer, b->writer) == 0;
}

static const struct status_image *find(const struct status_record *record, const struct status_image *wanted)
{
    const struct status_image *found = NULL;
    for (size_t i = 0; record && i < record->images.count; i++) {
        const struct status_image *image = &record->images.items[i];
        if (is_same(image, wanted))
            return image;
        if (is_asked_alike(image, wanted))
            found = image;
    }
    return found;
}

/* What is not known of an image that failed, is held, or was put together of its plan by another run, is what was known before. */
static struct status_image continue_image(const struct status_image *ours, const struct status_image *before)
{
    struct status_image image = *ours;
    if (image.outcome != STATUS_FAILED && image.outcome != STATUS_HELD && image.good)
        return image;
    if (image.outcome == STATUS_FAILED)
        image.failing_since = before && before->failing_since ? before->failing_since : image.night;
    if (!before || image.good) /* it went out, without an architecture */
        return image;
    if (!image.destination) {
        image.name = before->name;
        image.destination = before->destination;
    }
    image.good = before->good;
    image.digest = before->digest;
    image.tags = before->tags;
    image.architectures = before->architectures;
    image.is_proven = before->is_proven;
    image.repositories.items = before->repositories.items;
    image.repositories.count = image.repositories.capacity = before->repositories.count;
    return image;
}

static bool is_ahead(const struct status_image *image, int64_t now)
{
    return image->night > now + STATUS_AHEAD_SECONDS;
}

/* The dates that an image has for a repository, in the order of its architectures. */
struct dates {
    const char *name; /* as the image has it */
    size_t count;
    int64_t oldest, newest;
};

static struct dates dates_of(const struct status_image *image, const char *name)
{
    struct dates dates = {0};
    for (size_t i = 0; i < image->repositories.count; i++) {
        const struct status_repository *repository = &image->repositories.items[i];
        if (strcmp(repository->name, name) != 0)
            continue;
        dates.name = repository->name;
        dates.oldest = dates.count && dates.oldest < repository->date ? dates.oldest : repository->date;
        dates.newest = dates.count && dates.newest > repository->date ? dates.newest : repository->date;
        dates.count++;
    }
    return dates;
}

/* The date of a repository for the architecture of that number, when each has one of its own. */
static int64_t date_at(const struct status_image *image, const char *name, size_t number)
{
    for (size_t i = 0; i < image->repositories.count; i++) {
        if (strcmp(image->repositories.items[i].name, name) == 0 && number-- == 0)
            return image->repositories.items[i].date;
    }
    return 0;
}

/* Compares the dates of one repository; false when one there is older, or may be. */
static bool is_not_older(const struct status_image *there, const struct status_image *ours, const char *name,
                         struct status_newer *newer)
{
    struct dates theirs = dates_of(there, name), own = dates_of(ours, name);
    if (!theirs.count || !own.count)
        return false;
    bool has_each = theirs.count == own.count && own.count == ours->architectures.count;
    for (size_t i = 0; i < (has_each ? own.count : 1); i++) {
        int64_t oldest = has_each ? date_at(there, name, i) : theirs.oldest;
        int64_t newest = has_each ? oldest : theirs.newest;
        int64_t our_oldest = has_each ? date_at(ours, name, i) : own.oldest;
        int64_t our_newest = has_each ? our_oldest : own.newest;
        if (oldest < our_newest)
            return false;
        if (newest > our_oldest && !newer->name)
            *newer = (struct status_newer){theirs.name, newest, our_oldest};
    }
    return true;
}

static bool has_same_architectures(const struct status_image *a, const struct status_image *b)
{
    bool is_same = a->architectures.count == b->architectures.count;
    for (size_t i = 0; is_same && i < a->architectures.count; i++)
        is_same = strcmp(a->architectures.items[i], b->architectures.items[i]) == 0;
    return is_same;
}

bool status_is_newer(const struct status_image *image, const struct status_image *than, int64_t now,
                     struct status_newer *ret_newer)
{
    struct status_newer newer = {0};
    bool is_alike = has_same_architectures(image, than);
    for (size_t i = 0; is_alike && i < than->repositories.count; i++)
        is_alike = is_not_older(image, than, than->repositories.items[i].name, &newer);
    for (size_t i = 0; is_alike && i < image->repositories.count; i++) {
        const struct status_repository *repository = &image->repositories.items[i];
        is_alike = dates_of(than, repository->name).count && repository->date <= now + STATUS_AHEAD_SECONDS;
    }
    *ret_newer = newer;
    return is_alike && newer.name;
}

/* Repositories decide before nights. Of two machines' nights of one second their names decide: both have to agree, or each writes
 * over the other. */
static bool is_newer(const struct status_image *there, const struct status_image *ours, bool is_guarded, int64_t now)
{
    struct status_newer by;
    if (is_guarded && !digest_eq(&there->digest, &ours->digest)) {
        if (status_is_newer(there, ours, now, &by))
            return true;
        if (status_is_newer(ours, there, now, &by))
            return false;
    }
    return there->night > ours->night || (there->night == ours->night && strcmp(there->writer, ours->writer) > 0);
}

/* Whether an image that could not be planned, so that its word alone is known, was made by now. Its machine may have lost its state,
 * and be another writer. */
static bool is_made_since(const struct status_image *there, const struct status_record *ours)
{
    for (size_t i = 0; !there->destination && !there->good && i < ours->images.count; i++) {
        const struct status_image *image = &ours->images.items[i];
        if (image->good && image->night >= there->night && strcmp(image->asked, there->asked) == 0)
            return true;
    }
    return false;
}

/* Whether an image of the record, that the night does not tell of, goes. */
static bool is_gone(const struct status_image *there, const struct status_record *ours, int64_t now)
{
    if (text_same(ours->writer, there->writer))
        return there->night <= ours->night;
    return is_made_since(there, ours) || there->night < now - STATUS_FORGOTTEN_SECONDS;
}

static bool had_repository(const struct status_image *image, const struct status_repository *wanted)
{
    for (size_t i = 0; i < image->repositories.count; i++) {
        const struct status_repository *repository = &image->repositories.items[i];
        if (repository->date == wanted->date && strcmp(repository->name, wanted->name) == 0)
            return true;
    }
    return false;
}

/* The oldest date of the metadata that had changed since the night before; 0: none had, or nothing is known of it. */
static int64_t released_of(const struct status_image *image, const struct status_image *before)
{
    int64_t oldest = 0;
    for (size_t i = 0; before && before->repositories.count && i < image->repositories.count; i++) {
        const struct status_repository *repository = &image->repositories.items[i];
        if (!had_repository(before, repository) && (!oldest || repository->date < oldest))
            oldest = repository->date;
    }
    return oldest;
}

static int by_name(const void *a, const void *b)
{
    const struct status_image *first = a, *second = b;
    int order = strcmp(first->name, second->name);
    return order ? order
                 : strcmp(first->destination ? first->destination : "", second->destination ? second->destination : "");
}

static int by_time_down(const void *a, const void *b)
{
    const struct status_move *first = a, *second = b;
    if (first->moved != second->moved)
        return first->moved < second->moved ? 1 : -1;
    if (first->released != second->released)
        return first->released < second->released ? 1 : -1;
    int order = strcmp(first->image, second->image);
    return order ? order
                 : strcmp(first->destination ? first->destination : "", second->destination ? second->destination : "");
}

static bool is_same_move(const struct status_move *a, const struct status_move *b)
{
    return a->moved == b->moved && a->released == b->released && strcmp(a->image, b->image) == 0 &&
           text_same(a->destination, b->destination);
}

static bool has_move(const struct status_record *record, const struct status_move *wanted)
{
    for (size_t i = 0; i < record->moves.count; i++) {
        if (is_same_move(&record->moves.items[i], wanted))
            return true;
    }
    return false;
}

static void merge_moves(struct arena *arena, const struct status_record *there, const struct status_record *ours,
                        struct status_record *merged)
{
    for (size_t i = 0; i < ours->moves.count; i++) {
        struct status_move move = ours->moves.items[i];
        for (size_t j = 0; !move.released && j < ours->images.count; j++) {
            const struct status_image *image = &ours->images.items[j];
            if (strcmp(image->name, move.image) == 0 && text_same(image->destination, move.destination))
                move.released = released_of(image, find(there, image));
        }
        if (move.released)
            list_add(arena, &merged->moves, move);
    }
    for (size_t i = 0; there && i < there->moves.count; i++) {
        if (!has_move(merged, &there->moves.items[i]))
            list_add(arena, &merged->moves, there->moves.items[i]);
    }
    if (merged->moves.count)
        qsort(merged->moves.items, merged->moves.count, sizeof *merged->moves.items, by_time_down);
    if (merged->moves.count > STATUS_MOVES_MAX)
        merged->moves.count = STATUS_MOVES_MAX;
}

void status_record_merge(struct arena *arena, const struct status_record *there, const struct status_record *ours,
                         int64_t now, struct status_record *ret_record)
{
    struct status_record merged = {.format = STATUS_FORMAT, .program = ours->program, .night = ours->night};
    bool *is_told = arena_new_array(arena, bool, there ? there->images.count : 0);
    for (size_t i = 0; i < ours->images.count; i++) {
        const struct status_image *image = &ours->images.items[i], *before = find(there, image);
        if (before)
            is_told[before - there->images.items] = true;
        before = before && is_ahead(before, now) ? NULL : before;
        list_add(arena, &merged.images,
                 before && is_newer(before, image, ours->is_guarded, now) ? *before : continue_image(image, before));
    }
    for (size_t i = 0; there && i < there->images.count; i++) {
        const struct status_image *image = &there->images.items[i];
        bool has_room = merged.images.count < STATUS_IMAGES_MAX;
        if (is_told[i] || !has_room || is_ahead(image, now) || is_gone(image, ours, now))
            continue;
        list_add(arena, &merged.images, *image);
    }
    for (size_t i = 0; i < merged.images.count; i++) {
        if (merged.images.items[i].night > merged.night)
            merged.night = merged.images.items[i].night;
    }
    if (merged.images.count)
        qsort(merged.images.items, merged.images.count, sizeof *merged.images.items, by_name);
    merge_moves(arena, there, ours, &merged);
    *ret_record = merged;
}

static int by_value(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

size_t status_record_shed(struct arena *arena, struct status_record *record, const char *writer)
{
    int64_t *nights = arena_new_array(arena, int64_t, record->images.count + 1);
    size_t others = 0, kept = 0, count = record->images.count;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(record->images.items[i].writer, writer) != 0)
            nights[others++] = record->images.items[i].night;
    }
    if (!others)
        return 0;
    qsort(nights, others, sizeof *nights, by_value);
    size_t going = others - others / 2;
    int64_t last = nights[going - 1];
    for (size_t i = 0; i < count; i++) {
        const struct status_image *image = &record->images.items[i];
        if (going && strcmp(image->writer, writer) != 0 && image->night <= last)
            going--;
        else
            record->images.items[kept++] = *image;
    }
    record->images.count = kept;
    return count - kept;
}

/* Whether two tell the same of one night. */
static bool is_told_alike(const struct status_image *a, const struct status_image *b)
{
    return a->night == b->night && a->outcome == b->outcome && is_asked_alike(a, b) &&
           (a->outcome == STATUS_FAILED || a->outcome == STATUS_HELD || digest_eq(&a->digest, &b->digest));
}

bool status_record_has(const struct status_record *record, const struct status_record *ours, int64_t now)
{
    for (size_t i = 0; i < ours->images.count; i++) {
        const struct status_image *image = &ours->images.items[i], *there = find(record, image);
        if (!there || is_ahead(there, now) ||
            !(is_newer(there, image, ours->is_guarded, now) || is_told_alike(there, image)))
            return false;
    }
    return true;
}

bool status_record_is_shared(const struct status_record *record, const char *writer)
{
    for (size_t i = 0; i < record->images.count; i++) {
        if (strcmp(record->images.items[i].writer, writer) != 0)
            return true;
    }
    return false;
}

const char *status_asked(struct arena *arena, const char *word, const char *site_path)
{
    const char *end = strrchr(site_path, '/'), *slash = strrchr(word, '/');
    size_t folder_len = end ? (size_t)(end + 1 - site_path) : 0;
    if (strncmp(word, site_path, folder_len) == 0 && word[folder_len] != '/') {
        word += folder_len;
        while (strncmp(word, "./", 2) == 0)
            word += 2;
    } else if (slash && slash[1]) {
        word = slash + 1;
    }
    return text_shown(arena, word);
}

/* --- judging --- */

struct status_delays status_delays_of(struct arena *arena, const struct status_record *record)
{
    size_t most = record->moves.count < STATUS_MOVES_MAX ? record->moves.count : STATUS_MOVES_MAX;
    struct status_delays delays = {0};
    int64_t *seconds = arena_new_array(arena, int64_t, most);
    for (size_t i = 0; i < most; i++) {
        const struct status_move *move = &record->moves.items[i];
        int64_t delay = move->moved - move->released;
        seconds[delays.count++] = delay > 0 ? delay : 0;
        if (move->seconds > delays.worst_own_seconds)
            delays.worst_own_seconds = move->seconds;
    }
    if (!delays.count)
        return delays;
    qsort(seconds, delays.count, sizeof *seconds, by_value);
    delays.worst_seconds = seconds[delays.count - 1];
    delays.median_seconds = (seconds[(delays.count - 1) / 2] + seconds[delays.count / 2]) / 2;
    return delays;
}

enum status_state status_state_of(const struct status_image *image, int64_t now, int64_t max_age_seconds)
{
    if (is_ahead(image, now))
        return STATUS_AHEAD;
    if (image->outcome == STATUS_FAILED)
        return STATUS_FAILING;
    if (now - image->good > max_age_seconds)
        return STATUS_STALE;
    return image->outcome == STATUS_HELD ? STATUS_WAITING : STATUS_CURRENT;
}

const char *status_state_name(enum status_state state)
{
    static const char *const names[] = {
        [STATUS_CURRENT] = "current",  [STATUS_WAITING] = "held", [STATUS_STALE] = "stale",
        [STATUS_FAILING] = "failing",  [STATUS_AHEAD] = "ahead",  [STATUS_MISSING] = "missing",
        [STATUS_REPLACED] = "replaced"};
    return names[state];
}
